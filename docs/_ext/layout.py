"""How a page is laid out: sentences in tables get room, options stay whole, no example ends with an empty line."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["setup"]

_SENTENCE = 24
"""From how many characters on a cell of a table needs room, and up to how many an option stays on its line."""


def _lay_out(_app: Sphinx, document: nodes.document) -> None:
    for cell in document.findall(nodes.entry):
        if len(cell.astext()) >= _SENTENCE:
            cell["classes"].append("sentence")
    for word in document.findall(nodes.literal):
        if word.astext().startswith("-") and len(word.astext()) <= _SENTENCE:
            word["classes"].append("option")
    for block in document.findall(nodes.literal_block):
        if block.rawsource == block.astext():
            block.rawsource = block.rawsource.rstrip("\n")
            block[:] = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at every page when it has been read."""
    app.connect("doctree-read", _lay_out)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
