"""Measurements against the peers: ratios from one run, side by side."""
