"""Runners for scripts that another tool tunes: one trial of theirs, with given parameters."""
