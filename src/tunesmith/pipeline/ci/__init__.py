"""What a CI job does for a study: reports, commits results, opens pull requests."""
