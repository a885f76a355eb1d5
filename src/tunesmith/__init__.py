"""Tunesmith: hyperparameter tuning in Git, DVC, CI and pull requests."""

__version__ = "0.1.0"
