"""Analysis of histories that are too large to be held as objects."""
