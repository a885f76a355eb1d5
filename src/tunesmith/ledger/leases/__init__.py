"""Leases of fits: tasks that a run offers and workers on other machines take for a while."""
