"""Hunts for scores that differ from scikit-learn's: random programs, run both ways."""
