"""Find what a tuning stage depends on: configuration, code, data, and what runs have read."""
