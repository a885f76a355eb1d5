"""What ``tunesmith init`` writes: a configuration beside existing code, or a whole project."""
