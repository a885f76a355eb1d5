"""Read, write and protect the best-parameters file."""
