"""The sections of the Markdown report, one module a group; ``markdown`` puts them together."""
