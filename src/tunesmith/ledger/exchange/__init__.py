"""Exchange of evaluations between ledgers, and what is done with their contents as a whole."""
