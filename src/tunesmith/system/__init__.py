"""Provide what the operating system gives: files, processes, Git, imports, secrets."""
