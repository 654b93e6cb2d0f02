"""The renderer for HTML: one page with the SVG picture and the tables."""
