"""The portfolio of configurations that studies may start with, and the script that makes it."""
