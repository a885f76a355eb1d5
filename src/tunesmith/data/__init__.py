"""Read the table, split it into folds, and cut the rows of each fold."""
