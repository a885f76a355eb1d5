"""Parts of a scikit-learn search, as a script writes them: estimator, folds, metric, grid, rows."""
