"""Rescue of what a damaged ledger still holds."""
