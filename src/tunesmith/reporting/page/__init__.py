"""The HTML report: one file with its data, styles and scripts in it, and nothing from elsewhere."""
