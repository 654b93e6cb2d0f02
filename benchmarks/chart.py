"""The results as a picture: how far each ratio is from its goal. Stable text, legible on light and dark paper."""

from __future__ import annotations

from html import escape
from math import log10
from typing import Any

from benchmarks.report import figure, goal, lines, measured

__all__ = ["chart"]

_SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
# Each colour on light paper, and on dark paper.
_COLOURS = {
    "paper": ("#ffffff", "#0f151d"),
    "ink": ("#17202b", "#e8eef5"),
    "muted": ("#536173", "#a3b1c1"),
    "edge": ("#c3ccd8", "#3b4959"),
    "yes": ("#00664d", "#5fd9ad"),
    "no": ("#b1330b", "#ff9b73"),
}
_STYLE = (
    "@media (prefers-color-scheme:dark){"
    + "".join(f".{name}{{fill:{dark}}}" for name, (_, dark) in _COLOURS.items())
    + "}"
)
_WIDTH, _LEFT, _BARS, _ROW, _TOP = 980, 380, 380, 34, 74
# The scale is logarithmic, from a quarter of a goal to sixteen times of it.
_LEAST, _MOST = 0.25, 16.0


def _place(value: float) -> int:
    """Return where on the scale *value*, a multiple of the goal, lies."""
    share = (log10(min(max(value, _LEAST), _MOST)) - log10(_LEAST)) / (log10(_MOST) - log10(_LEAST))
    return _LEFT + round(share * _BARS)


def _text(x: int, y: int, content: str, colour: str = "ink", size: int = 13, anchor: str = "start") -> str:
    return (
        f'<text class="{colour}" x="{x}" y="{y}" fill="{_COLOURS[colour][0]}" font-size="{size}" '
        f'text-anchor="{anchor}">{escape(content)}</text>'
    )


def _rect(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect class="{colour}" x="{x}" y="{y}" width="{width}" height="{height}" fill="{_COLOURS[colour][0]}"/>'


def _reached(ratio: dict[str, Any]) -> float:
    """Return how many times the goal is reached: 1 is the goal, more is better."""
    if ratio["at_least"] is not None:
        return float(ratio["median"] / ratio["at_least"])
    return float(ratio["at_most"] / ratio["median"]) if ratio["median"] else _MOST


def chart(results: dict[str, Any]) -> str:
    """Draw one bar for each ratio that was measured and has a goal."""
    shown = [
        (comparison, ratio)
        for comparison, ratio in lines(results)
        if ratio["met"] is not None and not ratio["at_least"] is ratio["at_most"] is None
    ]
    bottom = _TOP + len(shown) * _ROW
    drawn = [
        _rect(0, 0, _WIDTH, bottom + 34, "paper"),
        _text(16, 28, "Measured, against its goal", size=17),
        _text(16, 48, "A bar that reaches the line reaches the goal. The scale is logarithmic.", "muted", 12),
    ]
    for multiple in (0.25, 0.5, 1, 2, 4, 8, 16):
        drawn.append(_rect(_place(multiple), _TOP - 6, 1, bottom - _TOP + 6, "edge"))
        label = "goal" if multiple == 1 else f"{multiple:g}x"
        drawn.append(_text(_place(multiple), bottom + 18, label, "muted", 11, "middle"))
    for row, (comparison, ratio) in enumerate(shown):
        y = _TOP + row * _ROW
        colour = "yes" if ratio["met"] else "no"
        verdict = "met" if ratio["met"] else "missed"
        drawn += [
            _text(16, y + 11, f"{comparison['code']} {comparison['title']}", size=12),
            _text(16, y + 25, measured(comparison, ratio), "muted", 11),
            _rect(_LEFT, y + 3, max(_place(_reached(ratio)) - _LEFT, 2), 16, colour),
            _text(_LEFT + _BARS + 14, y + 11, f"{figure(ratio['median'])} ({verdict})", colour, 12),
            _text(_LEFT + _BARS + 14, y + 25, goal(ratio), "muted", 11),
        ]
    drawn.append(_rect(_place(1), _TOP - 10, 2, bottom - _TOP + 10, "ink"))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 34}" role="img" '
        f'aria-label="Benchmark results against their goals" font-family="{_SANS}">'
    )
    return "\n".join([head, f"<style>{_STYLE}</style>", *drawn, "</svg>", ""])
