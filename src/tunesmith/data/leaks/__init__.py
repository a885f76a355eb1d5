"""Signs of a leak in a table: features that know the target, and rows on both sides of a split."""
