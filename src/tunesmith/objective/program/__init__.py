"""Objectives that are training programs, in any language."""
