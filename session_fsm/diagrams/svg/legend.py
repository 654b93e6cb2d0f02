"""The legend of the SVG picture, which explains its symbols. `picture` draws it."""

from __future__ import annotations

from session_fsm.diagrams.model import Overlay
from session_fsm.diagrams.svg.cards import draw_mark
from session_fsm.diagrams.svg.layout import Box
from session_fsm.diagrams.svg.paint import group, path, text

__all__ = ["draw_legend", "legend_height"]

_LINE_HEIGHT = 17


def _symbols(overlay: Overlay) -> list[tuple[str, str, str]]:
    """Return the symbols that the picture uses, each with its colour and meaning."""
    symbols = [
        ("dot", "new", "a session is created"),
        ("final", "cancelled", "a final state"),
        ("bar", "open", "starts in this state"),
        ("Update", "muted", "the API call"),
        ("talon_…", "muted", "the event that it records"),
        ("rule", "muted", "refused for this: see below"),
    ]
    if overlay.current is not None:
        symbols += [("yes", "yes", "allowed for the session now"), ("no", "no", "refused now, and why")]
    if overlay.steps:
        symbols.append(("steps", "way", "its history: the steps"))
    if overlay.counts is not None:
        symbols.append(("never", "no", f"never {overlay.counted}"))
    return symbols


def legend_height(overlay: Overlay) -> int:
    """Return the height of the legend, in pixels."""
    return 22 + _LINE_HEIGHT * len(_symbols(overlay))


def draw_legend(box: Box, overlay: Overlay) -> str:
    """Return the legend, vertically centred in *box*."""
    x, y = box.x + 4, box.middle[1] - legend_height(overlay) // 2 + 16
    parts = [text(x, y, "How to read it", size=12, bold=True)]
    for symbol, fill, meaning in _symbols(overlay):
        y += _LINE_HEIGHT
        parts += [_draw_symbol(symbol, fill, x, y), text(x + 52, y, meaning, size=12, fill="muted")]
    return group(*parts, class_="key")


def _draw_symbol(symbol: str, fill: str, x: int, y: int) -> str:
    match symbol:
        case "dot":
            return path(f"M{x + 8} {y - 9}a5 5 0 1 0 .1 0", fill=fill)
        case "bar":
            return path(f"M{x + 8} {y - 9}v10", stroke=fill, stroke_width=4, stroke_linecap="round")
        case "steps":
            return path(f"M{x + 6} {y - 4}h12", stroke=fill, stroke_width=11, stroke_linecap="round")
        case "Update" | "talon_…":
            return text(x, y, symbol, size=11, fill=fill, mono=symbol != "Update")
        case "final":
            return draw_mark(symbol, x, y - 9, fill)
        case _:
            return draw_mark(symbol, x + 4, y - 8, fill)
