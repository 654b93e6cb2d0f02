"""The renderer for PlantUML. An internal transition is written inside the box of its state, as in UML."""

from __future__ import annotations

import re
import textwrap

from session_fsm.diagrams.model import Diagram, Edge, Node, Overlay
from session_fsm.diagrams.wording import ALLOWED, REFUSED, TRAVELLED, UNTESTED, is_uncovered, label, legend, remarks

__all__ = ["escape", "render"]

_LEGEND_WIDTH = 96
"""In characters."""
# PlantUML's markup, preprocessor and commands consist of punctuation; as <U+...> it is always text.
_SPECIAL = re.compile("[!-/:-@[-`{-~\N{REPLACEMENT CHARACTER}]")  # a title of this character alone would be dropped
_PLAIN = re.compile(r"(?<=[A-Za-z0-9])[_,](?=[A-Za-z0-9])|(?<=[A-Za-z0-9])[.,](?= |$)")
_CURRENT = " #d6ebf8"
# The colour of an arrow says what the session allows now; its thickness says whether the session has taken it.
_ALLOWED, _REFUSED, _TRAVELLED = "#0072b2", "#b34e00,dashed", "thickness=4"
_LOOKS = {
    ALLOWED: "a blue arrow",
    REFUSED: "a dashed orange arrow",
    TRAVELLED: "a thick arrow",
    UNTESTED: "a dashed orange arrow",
}
_STYLE = (
    "hide empty description",
    "skinparam shadowing false",
    "skinparam defaultFontName Helvetica",
    "skinparam state {",
    "    BackgroundColor #f6f8fa",
    "    BorderColor #59636e",
    "    ArrowColor #59636e",
    "    ArrowFontSize 12",
    "    AttributeFontSize 12",
    "}",
    "skinparam legend {",
    "    BackgroundColor transparent",
    "    BorderColor #d1d9e0",
    "    FontSize 12",
    "}",
)


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return *diagram* in PlantUML."""
    return "\n".join(
        [
            "@startuml",
            *_STYLE,
            *([f"title {escape(diagram.title)}"] if diagram.title else []),
            *(line for node in diagram.nodes for line in _state(node, diagram, overlay, detail)),
            *(_edge(edge, diagram, overlay, detail) for edge in diagram.edges if not edge.internal),
            *(f"{node.state} --> [*]" for node in diagram.nodes if node.final),
            *_legend(diagram, overlay, detail),
            "@enduml",
            "",
        ]
    )


def escape(text: str) -> str:
    """Return *text* escaped, so that PlantUML shows it literally everywhere."""
    kept = {match.start() for match in _PLAIN.finditer(text)}
    return _SPECIAL.sub(lambda found: found[0] if found.start() in kept else f"<U+{ord(found[0]):04X}>", text)


def _state(node: Node, diagram: Diagram, overlay: Overlay, detail: str) -> list[str]:
    name = node.state.value
    internal = [edge for edge in diagram.edges if edge.internal and edge.source is node.state]
    lines = [f"{name} : {line}" for edge in internal for line in _lines(edge, diagram, overlay, detail)]
    colour = _CURRENT if node.state is overlay.current else ""
    return [f'state "{name}" as {name}{colour}', *lines]


def _edge(edge: Edge, diagram: Diagram, overlay: Overlay, detail: str) -> str:
    lines = "\\n".join(_lines(edge, diagram, overlay, detail))
    styles: list[str] = []
    if edge.id in overlay.refused or is_uncovered(edge, overlay):
        styles.append(_REFUSED)
    elif edge.id in overlay.allowed:
        styles.append(_ALLOWED)
    if overlay.numbers(edge):
        styles.append(_TRAVELLED)
    arrow = f"-[{','.join(styles)}]->" if styles else "-->"
    return f"{edge.source or '[*]'} {arrow} {edge.target} : {lines}"


def _lines(edge: Edge, diagram: Diagram, overlay: Overlay, detail: str) -> list[str]:
    lines = [escape(line) for line in label(diagram, edge, detail=detail)]
    return lines + [f"**{escape(line)}**" for line in remarks(edge, overlay)]


def _legend(diagram: Diagram, overlay: Overlay, detail: str) -> list[str]:
    sections = legend(diagram, overlay, detail=detail, looks=_LOOKS)
    lines: list[str] = []
    for heading, entries in sections:
        lines.append(f"**{escape(heading)}**")
        for term, text in entries:
            first, *others = textwrap.wrap(f"{term}: {text}", _LEGEND_WIDTH)
            lines += [escape(first), *(f"    {escape(other)}" for other in others)]
    return ["legend", *lines, "endlegend"] if lines else []
