"""Layout of all pages: classes for tables of numbered rules, long cells and options; no empty last line in code."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from _ext.domain import CITATION

__all__ = ["setup"]

_SENTENCE = 24
"""The least length of a table cell that gets a wide column, and the greatest length of an option that never wraps."""


def _lay_out(_app: Sphinx, document: nodes.document) -> None:
    for cell in document.findall(nodes.entry):
        if len(cell.astext()) >= _SENTENCE:
            cell["classes"].append("sentence")
    for table in document.findall(nodes.table):
        if any(CITATION.fullmatch(row[0].astext()) for row in table.findall(nodes.row)):
            table["classes"].append("numbered")  # the number stays visible while the rest is scrolled
    for word in document.findall(nodes.literal):
        if word.astext().startswith("-") and len(word.astext()) <= _SENTENCE:
            word["classes"].append("option")
    for block in document.findall(nodes.literal_block):
        if block.rawsource == block.astext():
            block.rawsource = block.rawsource.rstrip("\n")
            block[:] = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handler."""
    app.connect("doctree-read", _lay_out)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
