"""A pure function of the ledger -> documents."""
