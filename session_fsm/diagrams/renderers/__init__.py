"""One renderer of text a file: DOT, Mermaid, PlantUML, Markdown, SCXML and JSON."""
