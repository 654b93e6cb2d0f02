"""The renderer for Mermaid's `stateDiagram-v2`, which GitHub and others draw in Markdown.

An internal transition is written inside the box of its state, as in UML, because Mermaid reserves no space for the
label of a loop. The legend is a note at the last state.
"""

from __future__ import annotations

import re

from session_fsm.diagrams.model import Diagram, Edge, Node, Overlay
from session_fsm.diagrams.wording import label, legend, remarks

__all__ = ["escape", "render"]

# `escape` keeps letters, digits, spaces, and punctuation that has no meaning in Markdown (which Mermaid interprets in
# labels). It writes every other character as a character reference.
_SPECIAL = re.compile(r"[!-/:-@[-`{-~]")
_PLAIN = re.compile(
    r"(?<=[^\W_])_(?=[^\W_])|(?<=\w)-(?=\w)|(?<=\w)'(?=\w)|(?<=\w),|(?<=\w)\.(?= |$)|(?<= )\((?=\w)|(?<=\w)\)"
)
# In a note, Mermaid decodes character references before it reads the Markdown, so these need a backslash too.
_MARKDOWN = frozenset("*_`~[]!.:@\\")
# Formulas, icons, and Mermaid's internal form of character references: it looks for them after it has decoded the
# references, so escaping does not help. An invisible character splits them.
_SEQUENCES = re.compile("\\$(?=\\$)|fa[bklrs]?(?=:fa-)|\N{LATIN SMALL LIGATURE FL}(?=°)|¶(?=ß)")
_JOINER = "\N{WORD JOINER}"
# Mermaid reads these words as a command anywhere in a line.
_COMMAND = re.compile(r"d(?=irection\s+(?:TB|BT|RL|LR))", re.IGNORECASE)

_CONFIG = (
    "config:",
    "  flowchart:",
    "    wrappingWidth: 640",
    '  themeCSS: ".statediagram-note foreignObject div { text-align: left !important; }"',
)
_MARGIN = "#8194;"  # an en space: Mermaid leaves no space between the text and the frame of a state
_NO_BREAK = "\N{NO-BREAK SPACE}"


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return *diagram* in Mermaid."""
    return "\n".join(
        [
            *_front_matter(diagram),
            "stateDiagram-v2",
            *(line for node in diagram.nodes for line in _state(node, diagram, overlay, detail)),
            *(_edge(edge, diagram, overlay, detail) for edge in diagram.edges if not edge.internal),
            *(f"    {node.state} --> [*]" for node in diagram.nodes if node.final),
            *_current(overlay),
            *_legend(diagram, overlay, detail),
            "",
        ]
    )


def escape(text: str, *, note: bool = False) -> str:
    """Return *text* escaped, so that Mermaid shows it literally in a label, or in a *note*."""
    text = _split_sequences(text)
    kept = {match.start() for match in _PLAIN.finditer(text)}

    def reference(found: re.Match[str]) -> str:
        if found.start() in kept:
            return found[0]
        backslash = "#92;" if note and found[0] in _MARKDOWN else ""
        return f"{backslash}#{ord(found[0])};"

    return _COMMAND.sub(lambda found: f"#{ord(found[0])};", _SPECIAL.sub(reference, text))


def _split_sequences(text: str) -> str:
    return _SEQUENCES.sub(lambda found: found[0] + _JOINER, text)


def _front_matter(diagram: Diagram) -> list[str]:
    # The title is a YAML string. Mermaid shows it literally, but drops what looks like an HTML tag.
    title = _split_sequences(diagram.title).replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
    quoted = re.sub(r"[!-&*+/:-@[-`{-~]", lambda found: f"\\x{ord(found[0]):02x}", title)
    return ["---", f'title: "{quoted}"', *_CONFIG, "---"]


def _state(node: Node, diagram: Diagram, overlay: Overlay, detail: str) -> list[str]:
    name = node.state.value
    internal = [edge for edge in diagram.edges if edge.internal and edge.source is node.state]
    lines = [
        f"    {name} : {_MARGIN}{line}{_MARGIN}" for edge in internal for line in _lines(edge, diagram, overlay, detail)
    ]
    now = " (now)" if node.state is overlay.current else ""
    return [f'    state "{name}{now}" as {name}', *lines]


def _edge(edge: Edge, diagram: Diagram, overlay: Overlay, detail: str) -> str:
    # Mermaid breaks long labels at spaces; no-break spaces keep each code on the line of its "unless".
    lines = "<br>".join(_lines(edge, diagram, overlay, detail)).replace(" ", _NO_BREAK)
    return f"    {edge.source or '[*]'} --> {edge.target} : {lines}"


def _lines(edge: Edge, diagram: Diagram, overlay: Overlay, detail: str) -> list[str]:
    lines = [escape(line) for line in label(diagram, edge, detail=detail)]
    return lines + [f"<b>{escape(line)}</b>" for line in remarks(edge, overlay)]


def _current(overlay: Overlay) -> list[str]:
    # Only the border is styled, because the text colour depends on the theme of the page.
    style = ["    classDef current stroke:#0072b2,stroke-width:4px", f"    class {overlay.current} current"]
    return style if overlay.current else []


def _legend(diagram: Diagram, overlay: Overlay, detail: str) -> list[str]:
    sections = legend(diagram, overlay, detail=detail)
    if not sections:
        return []
    lines = [f"    note right of {diagram.nodes[-1].state}"]
    for heading, entries in sections:
        lines.append(f"      <b>{escape(heading, note=True)}</b>")
        lines += [f"      <b>{escape(term, note=True)}</b> {escape(text, note=True)}" for term, text in entries]
    return [*lines, "    end note"]
