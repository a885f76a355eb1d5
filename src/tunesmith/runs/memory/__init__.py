"""Studies of objects in memory: an estimator with its data, or a function."""
