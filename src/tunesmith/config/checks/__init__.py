"""Rules of single parts of a configuration, which ``rules`` puts together."""
