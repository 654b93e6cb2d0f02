"""The renderer for GitHub's Markdown: a table of the transitions, followed by the rules and the states."""

from __future__ import annotations

import re
from collections.abc import Sequence

from session_fsm.diagrams.model import Diagram, Edge, Overlay
from session_fsm.diagrams.wording import legend, remarks, same_rules

__all__ = ["escape", "render"]

_SPECIAL = re.compile(r"[!-/:-@[-`{-~]")
_PLAIN = re.compile(
    r"(?<=[^\W_])_(?=[^\W_])|(?<=\w)['-](?=\w)|(?<=\w)[.,;](?= |$)|(?<=\w),(?=\d)|(?<= )\((?=\w)|(?<=\w)\)"
)
_CODE = re.compile(r"[\w.-]+", re.ASCII)


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return *diagram* in Markdown."""
    rows = [_row(edge, diagram, detail) for edge in diagram.edges]
    heads = ["From", "Trigger", "To"]
    if detail == "full":
        heads = ["Row", *heads, "Operation", "Event", "Rules"]
    if any(remarks(edge, overlay) for edge in diagram.edges):
        heads.append("Remarks")
        rows = [
            [*row, "<br>".join(map(escape, remarks(edge, overlay)))]
            for row, edge in zip(rows, diagram.edges, strict=True)
        ]
    lines = [f"# {escape(diagram.title)}", "", *_table(heads, rows)]
    for heading, entries in legend(diagram, overlay, detail=detail):
        lines += ["", f"## {escape(heading)}", ""]
        lines += [f"- {_term(term)}: {escape(text)}" for term, text in entries]
    return "\n".join([*lines, ""])


def escape(text: str) -> str:
    """Return *text* escaped, so that Markdown shows it literally everywhere, also in a table cell."""
    kept = {match.start() for match in _PLAIN.finditer(text)}
    return _SPECIAL.sub(lambda found: found[0] if found.start() in kept else f"&#{ord(found[0])};", text)


def _term(text: str) -> str:
    return f"`{text}`" if _CODE.fullmatch(text) else f"**{escape(text)}**"


def _row(edge: Edge, diagram: Diagram, detail: str) -> list[str]:
    final = " (final)" if edge.target in {node.state for node in diagram.nodes if node.final} else ""
    source = _term(edge.source) if edge.source else "(new)"
    cells = [source, _term(edge.trigger), _term(edge.target) + final]
    if detail == "full":
        listed = diagram.listed_at(edge)
        faults = "<br>".join(map(_term, edge.rules)) if listed is edge else escape(same_rules(listed))
        cells = [edge.id, *cells, escape(edge.operation), _term(edge.event_name), faults]
    return cells


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
