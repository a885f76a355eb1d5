"""The current parameters, as they were when a study began."""
