"""Fits on the machines of a cluster: what is sent there, and what runs it there."""
