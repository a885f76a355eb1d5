"""Where a study lives in a repository: branches that hand over to each other."""
