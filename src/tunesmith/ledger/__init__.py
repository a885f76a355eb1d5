"""The ledger: a database of all evaluations."""
