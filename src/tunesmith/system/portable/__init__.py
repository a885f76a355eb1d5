"""Abilities of the operating system, and replacements for those that it lacks."""
