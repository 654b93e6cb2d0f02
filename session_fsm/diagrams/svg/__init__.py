"""The SVG renderer."""
