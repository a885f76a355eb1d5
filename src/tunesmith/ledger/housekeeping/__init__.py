"""Savings of a ledger, and removal of evaluations that nobody needs."""
