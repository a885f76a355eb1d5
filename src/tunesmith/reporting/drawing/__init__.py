"""Draw charts as SVG and PNG: marks, scales, colours, files."""
