"""Observe what a run reads and changes, and keep runs apart."""
