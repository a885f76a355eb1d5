"""Models of a study: kept while it runs, and built of its trials afterwards."""
