"""Points to try first that were good elsewhere: in earlier studies, and on other data."""
