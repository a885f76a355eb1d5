"""Benchmark of races over folds: fits saved, and how often the winner stays the same."""
