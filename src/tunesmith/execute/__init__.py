"""Executors, which run calls in this process or in worker processes."""
