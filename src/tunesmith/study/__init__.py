"""The loop of a study: ask, plan, run, record, tell."""
