"""The renderer for SVG; `picture` is its entry point."""
