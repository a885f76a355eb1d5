"""Work of a CI job for a study: reports, commits of results, pull requests."""
