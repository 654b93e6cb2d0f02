"""The diagram as a picture, in SVG: hand-made for the four states, whatever rows lie between them.

It needs nothing but the standard library, and the same diagram always becomes the same bytes. Text stays text, colours
follow the reader's light or dark page, and every state and every edge has a tooltip that holds what was cut.
"""

from __future__ import annotations

from session_fsm.diagrams.model import Diagram, Node, Overlay
from session_fsm.diagrams.svg.cards import card_height, card_lines, draw_card, looks, sentence, tooltip
from session_fsm.diagrams.svg.layout import FULL, HOME, SIMPLE, WIDTH, Column, Layout, arrange
from session_fsm.diagrams.svg.legend import draw_key, key_height
from session_fsm.diagrams.svg.lines import Placed, Point, draw_lines
from session_fsm.diagrams.svg.paint import SANS, STYLE, group, path, rect, text, title
from session_fsm.diagrams.svg.panels import draw_panels
from session_fsm.diagrams.svg.states import draw_state, state_height
from session_fsm.diagrams.svg.text import attributes, escape, wrap

__all__ = ["draw", "render"]


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return the picture of *diagram* with *overlay* upon it.

    Args:
        diagram: what there is to draw.
        overlay: what lies upon it.
        detail: ``full``, or ``simple`` for states and triggers alone.
    """
    return draw(diagram, overlay, full=detail != "simple", alone=True) + "\n"


def draw(diagram: Diagram, overlay: Overlay, *, full: bool, alone: bool) -> str:
    """Return the picture: to stand alone, or for a page that says by itself what would stand below it."""
    grid = FULL if full else SIMPLE
    lines = [card_lines(edge, overlay, room=grid.card - 19, full=full) for edge in diagram.edges]
    heading, top = _heading(diagram, overlay, full=full) if alone else ([], 28)
    width = grid.state(Column.LEFT, 0, 0).width
    layout = arrange(
        grid,
        [(edge, card_height(some)) for edge, some in zip(diagram.edges, lines, strict=True)],
        {node.state: state_height(node, width, full=full) for node in diagram.nodes},
        top=top,
        spare=key_height(overlay) if full else 0,
    )
    edges = [
        _edge(placed, draw_card(placed.edge, placed.card, some, diagram, overlay, full=full), diagram, overlay)
        for placed, some in zip(draw_lines(layout), lines, strict=True)
    ]
    panels, bottom = draw_panels(diagram, overlay, layout.bottom, full=full) if alone else ([], layout.bottom)
    height = bottom + 20
    root = attributes(
        xmlns="http://www.w3.org/2000/svg",
        class_="fsm",
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
        role="img" if alone else "group",
        aria_label=diagram.title,
        font_family=SANS,
    )
    parts = [
        f"<svg{root}>",
        title(diagram.title),
        f"<desc>{escape(_described(diagram, overlay))}</desc>",
        f"<style>{STYLE}</style>",
        rect(0, 0, WIDTH, height, rx=12, fill="paper"),
        *heading,
        *(_dot(layout.dot) if layout.born else ()),
        *edges,
        *(_node(node, layout, overlay, full=full) for node in diagram.nodes),
        *([draw_key(layout.spare, overlay)] if full else ()),
        *panels,
        "</svg>",
    ]
    return "\n".join(parts)


def _described(diagram: Diagram, overlay: Overlay) -> str:
    """Say in words all that the picture shows."""
    here = f"The session is {overlay.current}. " if overlay.current is not None else ""
    return here + " ".join(sentence(edge, overlay) for edge in diagram.edges)


def _heading(diagram: Diagram, overlay: Overlay, *, full: bool) -> tuple[list[str], int]:
    """Return the title above the picture, and where it ends."""
    y = 14
    parts: list[str] = []
    for line in wrap(diagram.title, WIDTH - 28, 22, most=2, bold=True):
        y += 24
        parts.append(text(14, y, line, size=22, bold=True))
    words = "The states of a customer session"
    if full:
        words += ": what may happen to it, what that records, what it is refused for"
    if overlay.subject:
        words = f"{overlay.subject}, now {overlay.current}"
    if diagram.class_name != diagram.title:
        words = f"{diagram.class_name}. {words}"
    y += 20
    (line,) = wrap(words, WIDTH - 28, 13, most=1)
    parts.append(text(14, y, line, size=13, fill="muted"))
    return parts, y + 22


def _dot(place: Point) -> list[str]:
    x, y = place
    return [
        path(f"M{x} {y - 7}a7 7 0 1 0 .1 0", fill="new"),
        text(x, y - 13, "new", size=12, fill="muted", anchor="middle"),
    ]


def _node(node: Node, layout: Layout, overlay: Overlay, *, full: bool) -> str:
    current = overlay.current is node.state
    said = f"{node.state}{', final' if node.final else ''}{', the session is here now' if current else ''}"
    return group(
        title(f"{said}: {node.meaning}"),
        *draw_state(node, layout.states[node.state], HOME[node.state][1], current=current, full=full),
        class_="state",
        data_state=node.state,
        role="img",
        aria_label=f"State {said}",
    )


def _edge(placed: Placed, card: list[str], diagram: Diagram, overlay: Overlay) -> str:
    edge, looked = placed.edge, looks(placed.edge, overlay)
    colour = edge.source or "new"
    lines = "".join(placed.lines)
    parts = [title(*tooltip(edge, diagram, overlay))]
    if overlay.numbers(edge):
        parts.append(path(lines, stroke="way", stroke_width=9, stroke_linecap="round", stroke_opacity="0.3"))
    dashes = {"no": "2 5", "never": "6 4"}.get(looked)
    parts.append(path(lines, stroke=colour, stroke_width=3 if looked == "yes" else 2, stroke_dasharray=dashes))
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
    (x, y), (across, down) = tip, pointing
    x0, y0 = x - 10 * across, y - 10 * down
    return f"M{x} {y}L{x0 + 5 * down} {y0 + 5 * across}L{x0 - 5 * down} {y0 - 5 * across}Z"
