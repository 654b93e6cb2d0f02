"""The text renderers, one module each: DOT, Mermaid, PlantUML, Markdown, SCXML and JSON."""
