"""Models from the fits of a search: predictions of the folds, averages, ensembles, their files."""
