"""The renderer of the HTML page, which holds the SVG picture."""
