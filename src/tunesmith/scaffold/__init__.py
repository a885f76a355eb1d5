"""Files of ``tunesmith init``: a configuration beside existing code, or a whole project."""
