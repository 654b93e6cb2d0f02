"""The colours and the elements of the SVG picture. The other modules of this package build the picture from them.

Every element has its light colour as an attribute, which works where style sheets are stripped, and a class through
which the style sheet sets the dark colour. The picture has its own background, so it is legible on any page. The
colours of the states also differ in lightness, and no information is given by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from session_fsm.diagrams.svg.text import attributes, escape
from session_fsm.states import State

__all__ = ["COLOURS", "SANS", "STYLE", "group", "path", "rect", "text", "title"]

SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"

COLOURS: Mapping[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#0f151d"),
    "frame": ("#d3dae3", "#2c3846"),
    "ink": ("#17202b", "#e8eef5"),
    "muted": ("#536173", "#a3b1c1"),
    "card": ("#ffffff", "#18212c"),
    "edge": ("#c3ccd8", "#3b4959"),
    "new": ("#4a5768", "#a3b1c1"),
    State.OPEN: ("#1d63b8", "#6fb1ff"),
    State.CLOSED: ("#0b7a5c", "#4fcf9f"),
    State.PARTIALLY_RETURNED: ("#a85f00", "#f0b354"),
    State.CANCELLED: ("#7a4a86", "#d3a4de"),
    "tint-open": ("#e9f2fc", "#12263d"),
    "tint-closed": ("#e6f5ef", "#0f2c24"),
    "tint-partially_returned": ("#fdf2e0", "#33260f"),
    "tint-cancelled": ("#f5edf7", "#2b1f30"),
    "yes": ("#00664d", "#5fd9ad"),
    "no": ("#b1330b", "#ff9b73"),
    "way": ("#1b3f94", "#9dbcff"),
}
"""The light and the dark variant of each colour, by name."""

STYLE = (
    "@media (prefers-color-scheme:dark){"
    + "".join(
        f".fsm .{kind[0]}-{name}{{{kind}:{dark}}}" for name, (_, dark) in COLOURS.items() for kind in ("fill", "stroke")
    )
    + "}"
)
"""The style sheet. It has no characters that XML or HTML would require to be escaped."""


def _paint(fill: str | None, stroke: str | None) -> dict[str, object]:
    classes = [f"f-{fill}"] if fill else []
    classes += [f"s-{stroke}"] if stroke else []
    return {
        "class_": " ".join(classes) or None,
        "fill": COLOURS[fill][0] if fill else "none",
        "stroke": COLOURS[stroke][0] if stroke else None,
    }


def text(
    x: int,
    y: int,
    content: str,
    *,
    size: int,
    fill: str = "ink",
    bold: bool = False,
    mono: bool = False,
    anchor: str | None = None,
) -> str:
    """Return a line of text whose baseline is at *y*."""
    values = attributes(
        x=x,
        y=y,
        **_paint(fill, None),
        font_size=size,
        font_weight=700 if bold else None,
        font_family=MONO if mono else None,
        text_anchor=anchor,
    )
    return f"<text{values}>{escape(content)}</text>"


def rect(
    x: int, y: int, width: int, height: int, *, fill: str | None = None, stroke: str | None = None, **more: object
) -> str:
    """Return a rectangle."""
    return f"<rect{attributes(x=x, y=y, width=width, height=height, **_paint(fill, stroke), **more)}/>"


def path(data: str, *, fill: str | None = None, stroke: str | None = None, **more: object) -> str:
    """Return a shape or a line."""
    return f"<path{attributes(d=data, **_paint(fill, stroke), **more)}/>"


def title(*lines: str) -> str:
    """Return a ``<title>``, which browsers show as the tooltip of the parent element."""
    return f"<title>{'&#10;'.join(map(escape, lines))}</title>"


def group(*children: str, **values: object) -> str:
    """Return a ``<g>`` element with *children*, one on each line."""
    return "\n".join([f"<g{attributes(**values)}>", *children, "</g>"])
