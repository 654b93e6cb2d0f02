"""The renderer for SVG, with a fixed layout of the four states and any rows between them.

It uses only the standard library, and the same diagram always gives the same bytes. Text is selectable, colours follow
the reader's light or dark mode, and tooltips show what the picture shortens.
"""

from __future__ import annotations

from session_fsm.diagrams.model import Diagram, Node, Overlay
from session_fsm.diagrams.svg.cards import appearance, card_height, card_lines, draw_card, sentence, tooltip
from session_fsm.diagrams.svg.layout import FULL, HOME, SIMPLE, WIDTH, Column, Layout, arrange
from session_fsm.diagrams.svg.legend import draw_legend, legend_height
from session_fsm.diagrams.svg.lines import Placed, Point, draw_lines
from session_fsm.diagrams.svg.paint import SANS, STYLE, group, path, rect, text, title
from session_fsm.diagrams.svg.panels import draw_panels
from session_fsm.diagrams.svg.states import draw_state, state_height
from session_fsm.diagrams.svg.text import attributes, escape, wrap

__all__ = ["draw", "render"]


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return the picture of *diagram* with *overlay*.

    Args:
        diagram: the states, transitions and rules.
        overlay: the session, history and test counts to add.
        detail: ``full``, or ``simple`` for only states and triggers.
    """
    return draw(diagram, overlay, full=detail != "simple", standalone=True) + "\n"


def draw(diagram: Diagram, overlay: Overlay, *, full: bool, standalone: bool) -> str:
    """Return the picture. A *standalone* one has a heading and panels; the HTML page has its own."""
    grid = FULL if full else SIMPLE
    lines = [card_lines(diagram, edge, overlay, room=grid.card - 22, full=full) for edge in diagram.edges]
    heading, top = _heading(diagram, overlay) if standalone else ([], 28)
    width = grid.state(Column.LEFT, 0, 0).width
    layout = arrange(
        grid,
        [(edge, card_height(card)) for edge, card in zip(diagram.edges, lines, strict=True)],
        {node.state: state_height(node, width, full=full) for node in diagram.nodes},
        top=top,
        corner=legend_height(overlay) if full else 0,
    )
    edges = [
        _edge(placed, draw_card(placed.edge, placed.card, card, diagram, overlay, full=full), diagram, overlay)
        for placed, card in zip(draw_lines(layout), lines, strict=True)
    ]
    panels, bottom = draw_panels(diagram, overlay, layout.bottom, full=full) if standalone else ([], layout.bottom)
    height = bottom + 14
    root = attributes(
        xmlns="http://www.w3.org/2000/svg",
        class_="fsm",
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
        role="img" if standalone else "group",
        aria_label=diagram.title,
        font_family=SANS,
    )
    parts = [
        f"<svg{root}>",
        title(diagram.title),
        f"<desc>{escape(_description(diagram, overlay))}</desc>",
        f"<style>{STYLE}</style>",
        rect(0, 0, WIDTH, height, rx=12, fill="paper"),
        *heading,
        *(_dot(layout.dot) if layout.has_dot else ()),
        *edges,
        *(_node(node, layout, overlay, full=full) for node in diagram.nodes),
        *([draw_legend(layout.corner, overlay)] if full else ()),
        *panels,
        "</svg>",
    ]
    return "\n".join(parts)


def _description(diagram: Diagram, overlay: Overlay) -> str:
    """Return a description of the whole picture for screen readers."""
    here = f"The session is {overlay.current}. " if overlay.current is not None else ""
    return here + " ".join(sentence(edge, overlay) for edge in diagram.edges)


def _heading(diagram: Diagram, overlay: Overlay) -> tuple[list[str], int]:
    """Return the title above the picture, what the title does not say, and the y at which both end."""
    y = 10
    parts: list[str] = []
    for line in wrap(diagram.title, WIDTH - 28, 22, most=2, bold=True):
        y += 24
        parts.append(text(14, y, line, size=22, bold=True))
    facts = [diagram.class_name] if diagram.class_name != diagram.title else []
    if overlay.current is not None:
        facts.append(f"{overlay.subject or 'the session'} is {overlay.current} {overlay.when}")
    if facts:
        y += 20
        (line,) = wrap(": ".join(facts), WIDTH - 28, 13, most=1)
        parts.append(text(14, y, line, size=13, fill="muted"))
    return parts, y + 22


def _dot(position: Point) -> list[str]:
    x, y = position
    return [
        path(f"M{x} {y - 7}a7 7 0 1 0 .1 0", fill="new"),
        text(x, y - 13, "new", size=12, fill="muted", anchor="middle"),
    ]


def _node(node: Node, layout: Layout, overlay: Overlay, *, full: bool) -> str:
    current = overlay.current is node.state
    name = f"{node.state}{', final' if node.final else ''}{', the session is here now' if current else ''}"
    return group(
        title(f"{name}: {node.meaning}"),
        *draw_state(node, layout.states[node.state], HOME[node.state][1], current=current, full=full),
        class_="state",
        data_state=node.state,
        role="img",
        aria_label=f"State {name}",
    )


def _edge(placed: Placed, card: list[str], diagram: Diagram, overlay: Overlay) -> str:
    edge, look = placed.edge, appearance(placed.edge, overlay)
    colour = edge.source or "new"
    lines = "".join(placed.lines)
    parts = [title(*tooltip(edge, diagram, overlay))]
    if overlay.numbers(edge):
        parts.append(path(lines, stroke="way", stroke_width=9, stroke_linecap="round", stroke_opacity="0.3"))
    dashes = {"no": "2 5", "never": "6 4"}.get(look)
    parts.append(path(lines, stroke=colour, stroke_width=3 if look == "yes" else 2, stroke_dasharray=dashes))
    parts.append(path(_arrowhead(placed.tip, placed.pointing), fill=colour))
    if placed.dot is not None:
        parts.append(path(f"M{placed.dot[0]} {placed.dot[1] - 6}a6 6 0 1 0 .1 0", fill="new"))
    return group(
        *parts,
        *card,
        class_="edge",
        data_edge=edge.id,
        data_source=edge.source or "",
        data_trigger=edge.trigger,
        data_target=edge.target,
        data_event=edge.event_name,
        role="img",
        aria_label=sentence(edge, overlay),
    )


def _arrowhead(tip: Point, pointing: Point) -> str:
    (x, y), (dx, dy) = tip, pointing
    x0, y0 = x - 10 * dx, y - 10 * dy
    return f"M{x} {y}L{x0 + 5 * dy} {y0 + 5 * dx}L{x0 - 5 * dy} {y0 - 5 * dx}Z"
