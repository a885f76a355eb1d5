"""Draw a study's record: Markdown, an HTML page, figures, tables and text."""
