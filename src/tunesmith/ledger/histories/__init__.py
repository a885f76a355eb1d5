"""Histories as text, and back."""
