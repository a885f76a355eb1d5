"""Where calls run: serial, processes."""
