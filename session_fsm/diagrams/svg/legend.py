"""The key to the signs of the picture."""

from __future__ import annotations

from session_fsm.diagrams.model import Overlay
from session_fsm.diagrams.svg.cards import draw_mark
from session_fsm.diagrams.svg.layout import Box
from session_fsm.diagrams.svg.paint import group, path, text

__all__ = ["draw_key", "key_height"]

_HIGH = 17


def _signs(overlay: Overlay) -> list[tuple[str, str, str]]:
    """Return the signs that the picture uses: which, its colour, its meaning."""
    signs = [
        ("dot", "new", "a session is created"),
        ("final", "cancelled", "a final state"),
        ("bar", "open", "starts in this state"),
        ("Update", "muted", "the API call"),
        ("talon_…", "muted", "the event that it records"),
        ("rule", "muted", "refused for this: see below"),
    ]
    if overlay.current is not None:
        signs += [("yes", "yes", "allowed for the session now"), ("no", "no", "refused now, and why")]
    if overlay.steps:
        signs.append(("steps", "way", "its history: the steps"))
    if overlay.counts is not None:
        signs.append(("never", "no", "never tested"))
    return signs


def key_height(overlay: Overlay) -> int:
    """Return how high the key is."""
    return 22 + _HIGH * len(_signs(overlay))


def draw_key(box: Box, overlay: Overlay) -> str:
    """Return the key, in the middle of *box*."""
    x, y = box.x + 4, box.middle[1] - key_height(overlay) // 2 + 16
    parts = [text(x, y, "How to read it", size=12, bold=True)]
    for sign, fill, words in _signs(overlay):
        y += _HIGH
        parts += [_sign(sign, fill, x, y), text(x + 52, y, words, size=12, fill="muted")]
    return group(*parts, class_="key")


def _sign(sign: str, fill: str, x: int, y: int) -> str:
    match sign:
        case "dot":
            return path(f"M{x + 8} {y - 9}a5 5 0 1 0 .1 0", fill=fill)
        case "bar":
            return path(f"M{x + 8} {y - 9}v10", stroke=fill, stroke_width=4, stroke_linecap="round")
        case "steps":
            return path(f"M{x + 6} {y - 4}h12", stroke=fill, stroke_width=11, stroke_linecap="round")
        case "Update" | "talon_…":
            return text(x, y, sign, size=11, fill=fill, mono=sign != "Update")
        case "final":
            return draw_mark(sign, x, y - 9, fill)
        case _:
            return draw_mark(sign, x + 4, y - 8, fill)
