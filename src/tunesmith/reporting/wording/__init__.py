"""Wording of reports: the first sentence, warnings, terms, and the markup of each format."""
