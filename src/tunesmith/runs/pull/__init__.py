"""Pull workers: a run offers its fits in the ledger's database, and workers anywhere take them."""
