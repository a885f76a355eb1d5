"""Statements about fold scores: pure functions on arrays of shape ``(n_trials, n_folds)``.

Scores are gains here: larger is better, ``Metric.sign`` has been applied. Each function names its
paper, and its test simulates data whose truth is known.
"""
