"""A study in its repository: Git branches, DVC stages, CI jobs, verification."""
