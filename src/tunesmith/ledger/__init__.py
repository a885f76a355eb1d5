"""The database of everything evaluated."""
