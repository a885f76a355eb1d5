"""Uses of the fold models of a search: refit, average, ensemble. ``make bench-ensembles``."""
