"""Definitions over small tables."""

from tests.tables import binary, define, mixed, multiclass, one_thread, regression

__all__ = ["binary", "define", "mixed", "multiclass", "one_thread", "regression"]
