"""Pass parameters to a program, and refuse those that would never arrive."""
