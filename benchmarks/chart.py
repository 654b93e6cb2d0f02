"""`chart` draws the results as an SVG: how far each ratio is from its goal, in light and dark mode."""

from __future__ import annotations

from html import escape
from math import log10
from textwrap import wrap
from typing import Any

from benchmarks.report import figure, goal, measured

__all__ = ["chart"]

_SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
# The light and the dark variant of each colour.
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
_WIDTH, _LEFT, _BARS, _TOP = 540, 16, 508, 84
_HEADING, _LINE, _RATIO = 20, 16, 34
_TITLE_CHARACTERS, _NAME_CHARACTERS = 72, 46
# The scale is logarithmic, from a quarter of a goal to sixteen times the goal.
_LEAST, _MOST = 0.25, 16.0
_TICKS = (0.25, 0.5, 1, 2, 4, 8, 16)


def _position(value: float) -> int:
    """Return the x of *value*, a multiple of the goal."""
    share = (log10(min(max(value, _LEAST), _MOST)) - log10(_LEAST)) / (log10(_MOST) - log10(_LEAST))
    return _LEFT + round(share * _BARS)


def _text(x: int, y: int, content: str, colour: str = "ink", size: int = 13, anchor: str = "start") -> str:
    return (
        f'<text class="{colour}" x="{x}" y="{y}" fill="{_COLOURS[colour][0]}" font-size="{size}" '
        f'text-anchor="{anchor}">{escape(content)}</text>'
    )


def _rect(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect class="{colour}" x="{x}" y="{y}" width="{width}" height="{height}" fill="{_COLOURS[colour][0]}"/>'


def _multiple_of_goal(ratio: dict[str, Any]) -> float:
    """Return the result as a multiple of the goal: 1 is the goal, more is better."""
    if ratio["at_least"] is not None:
        return float(ratio["median"] / ratio["at_least"])
    return float(ratio["at_most"] / ratio["median"]) if ratio["median"] else _MOST


def _has_goal(ratio: dict[str, Any]) -> bool:
    return ratio["met"] is not None and not ratio["at_least"] is ratio["at_most"] is None


def chart(results: dict[str, Any]) -> str:
    """Return an SVG with one bar for each measured ratio that has a goal, narrow enough for a phone."""
    bars: list[str] = []
    y = _TOP
    for comparison in results["comparisons"]:
        ratios = [ratio for ratio in comparison["ratios"] if _has_goal(ratio)]
        if not ratios:
            continue
        y += _HEADING
        for line in wrap(f"{comparison['code']} {comparison['title']}", _TITLE_CHARACTERS):
            bars.append(_text(_LEFT, y, line, size=13))
            y += _LINE
        for ratio in ratios:
            *lines, name = wrap(measured(comparison, ratio), _NAME_CHARACTERS)
            for line in lines:
                bars.append(_text(_LEFT, y, line, "muted", 12))
                y += _LINE
            bars += _bar(name, ratio, y)
            y += _RATIO
    ticks: list[str] = []
    for multiple in _TICKS:
        anchor = {0.25: "start", 16: "end"}.get(multiple, "middle")
        ticks.append(
            _text(_position(multiple), _TOP - 10, "goal" if multiple == 1 else f"{multiple:g}x", "muted", 12, anchor)
        )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 10}" role="img" '
        f'aria-label="Benchmark results against their goals" font-family="{_SANS}">'
    )
    top = [
        _rect(0, 0, _WIDTH, y + 10, "paper"),
        _text(_LEFT, 28, "Measured, against its goal", size=17),
        _text(_LEFT, 48, "A bar that reaches the line reaches the goal. The scale is logarithmic.", "muted"),
    ]
    return "\n".join([head, f"<style>{_STYLE}</style>", *top, *ticks, *bars, "</svg>", ""])


def _bar(name: str, ratio: dict[str, Any], y: int) -> list[str]:
    colour, verdict = ("yes", "met") if ratio["met"] else ("no", "missed")
    words = f"{figure(ratio['median'])}, {goal(ratio)}: {verdict}"
    return [
        _text(_LEFT, y, name, "muted", 12),
        _text(_LEFT + _BARS, y, words, colour, 12, "end"),
        *(_rect(_position(multiple), y + 6, 1, 9, "edge") for multiple in _TICKS),
        _rect(_LEFT, y + 6, max(_position(_multiple_of_goal(ratio)) - _LEFT, 2), 9, colour),
        _rect(_position(1), y + 4, 2, 13, "ink"),
    ]
