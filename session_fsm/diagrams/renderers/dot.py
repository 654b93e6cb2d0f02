"""The renderer for Graphviz's DOT. Rule texts are in the legend, and in tooltips if the output has any."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import pairwise

from session_fsm.diagrams.model import Diagram, Edge, Node, Overlay
from session_fsm.diagrams.wording import (
    ALLOWED,
    REFUSED,
    TRAVELLED,
    UNTESTED,
    Legend,
    is_uncovered,
    label,
    legend,
    remarks,
)

__all__ = ["quote", "render"]

_LEGEND_WIDTH = 96
"""In characters."""
# The colour of an arrow says what the session allows now; its thickness says whether the session has taken it.
# Colour-blind readers can distinguish blue, orange and black; dashes and words repeat the information.
_CURRENT = {"color": '"#0072b2"', "fillcolor": '"#d6ebf8"', "penwidth": "3"}
_ALLOWED = {"color": '"#0072b2"', "fontcolor": '"#005a8c"'}
_REFUSED = {"color": '"#b34e00"', "fontcolor": '"#8f3e00"', "style": '"dashed"'}
_TRAVELLED = {"penwidth": "3"}
_LOOKS = {
    ALLOWED: "a blue arrow",
    REFUSED: "a dashed orange arrow",
    TRAVELLED: "a thick arrow",
    UNTESTED: "a dashed orange arrow",
}


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return *diagram* in DOT."""
    sections = legend(diagram, overlay, detail=detail, looks=_LOOKS)
    return "\n".join(
        [
            f"digraph {quote(diagram.class_name)} {{",
            '    graph [bgcolor="white", fontname="Helvetica", fontsize="11", nodesep="0.5", ranksep="0.4"]',
            f'    graph [labelloc="b", labeljust="l", label={_joined(_legend_lines(sections), _LEFT)}]',
            '    node [shape="box", style="rounded,filled", fillcolor="#f6f8fa", fontname="Helvetica", fontsize="14"]',
            '    edge [fontname="Helvetica", fontsize="11"]',
            "    subgraph cluster_states {",
            f'        graph [labelloc="t", labeljust="c", fontsize="18", label={quote(diagram.title)}]',
            '        graph [pencolor="transparent"]',
            '        new [shape="circle", label="", width="0.2", fillcolor="black", tooltip="no session yet"]',
            *(_node(node, overlay, detail) for node in diagram.nodes),
            *(_edge(edge, diagram, overlay, detail) for edge in diagram.edges),
            "    }",
            "}",
            "",
        ]
    )


def quote(text: str) -> str:
    """Return *text* as a quoted string in which Graphviz interprets neither escapes nor entities."""
    safe = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe}"'


# The line breaks of a label: they end a left-aligned and a centred line.
_LEFT, _CENTRED = "\\l", "\\n"


def _joined(lines: list[str], end: str) -> str:
    return '"' + "".join(quote(line)[1:-1] + end for line in lines) + '"'


def _legend_lines(sections: Legend) -> list[str]:
    lines: list[str] = []
    for heading, entries in sections:
        lines += ["", heading]
        for term, text in entries:
            entry = f"{term}: {text}"
            lines += textwrap.wrap(entry, _LEGEND_WIDTH, initial_indent="  ", subsequent_indent="      ")
    return lines


def _attributes(values: Mapping[str, str]) -> str:
    return "[" + ", ".join(f"{name}={value}" for name, value in values.items()) + "]"


def _node(node: Node, overlay: Overlay, detail: str) -> str:
    values = {"label": quote(node.state)}
    if detail == "full":
        values["tooltip"] = quote(node.meaning)
    if node.final:
        values["peripheries"] = "2"
    if node.state is overlay.current:
        values |= _CURRENT
    return f"        {node.state} {_attributes(values)}"


def _edge(edge: Edge, diagram: Diagram, overlay: Overlay, detail: str) -> str:
    # The spaces are a margin between the text and the arrow beside it.
    lines = [f" {line} " for line in (*label(diagram, edge, detail=detail), *remarks(edge, overlay))]
    values = {"label": _joined(lines, _CENTRED)}
    names = [None, *(node.state for node in diagram.nodes)]
    if (edge.source, edge.target) in pairwise(names):
        values["weight"] = "8"  # a heavy edge from each state to the next aligns them in one column
    if detail == "full":
        values["tooltip"] = _joined([rule.text for rule in diagram.rules if rule.code in edge.rules], _CENTRED)
    if overlay.numbers(edge):
        values |= _TRAVELLED
    if edge.id in overlay.allowed:
        values |= _ALLOWED
    if edge.id in overlay.refused or is_uncovered(edge, overlay):
        values |= _REFUSED
    return f"        {edge.source or 'new'} -> {edge.target} {_attributes(values)}"
