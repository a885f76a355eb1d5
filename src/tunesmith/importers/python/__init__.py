"""Reading of Python by its syntax tree; no code of a file is ever run."""
