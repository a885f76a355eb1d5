"""Stopping criteria that look at scores."""
