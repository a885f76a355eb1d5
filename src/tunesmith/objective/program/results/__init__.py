"""Read the results of a program from its files and its output."""
