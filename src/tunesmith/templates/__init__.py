"""Files that ``tunesmith init`` writes."""
