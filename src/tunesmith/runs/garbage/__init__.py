"""Removal of what no study needs any more, from the ledger and from the project's state folder."""
