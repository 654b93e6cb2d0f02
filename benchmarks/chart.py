"""`chart` draws the results of one area as an SVG: a bar for each contender, in light and dark mode."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from textwrap import wrap
from typing import Any

from benchmarks.plan import AREAS
from benchmarks.report import amount, is_library, sentence, times

__all__ = ["chart", "description"]

_SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
# The light and the dark variant of each colour.
_COLOURS = {
    "paper": ("#ffffff", "#0f151d"),
    "ink": ("#17202b", "#e8eef5"),
    "muted": ("#536173", "#a3b1c1"),
    "library": ("#00664d", "#5fd9ad"),
    "other": ("#8a97a8", "#66758a"),
}
_STYLE = (
    "@media (prefers-color-scheme:dark){"
    + "".join(f".{name}{{fill:{dark}}}" for name, (_, dark) in _COLOURS.items())
    + "}"
)
# The picture is as wide as the text of a phone, so that its own text is not made smaller there.
_WIDTH, _LEFT, _BARS = 420, 10, 400
_TITLE_CHARACTERS, _LINE = 46, 18
_BAR, _ROW, _GAP = 8, 32, 16


def _drawn(results: dict[str, Any], area: str) -> list[dict[str, Any]]:
    """Return the comparisons of *area* with more than one contender, as far as they are drawn."""
    return [c for c in results["comparisons"] if c["area"] == area and c["drawn"] and len(c["figures"]) > 1]


def description(results: dict[str, Any], area: str) -> str:
    """Return the text for readers who do not see the chart."""
    parts = []
    for comparison in _drawn(results, area):
        figures = [f"{name} {amount(n['median'], comparison['unit'])}" for name, n in comparison["figures"].items()]
        parts.append(f"{sentence(comparison['title'])}: {'; '.join(figures)}.")
    return " ".join(parts)


def _text(x: int, y: int, content: str, colour: str, *, size: int = 13, bold: bool = False, right: bool = False) -> str:
    style = (' font-weight="600"' if bold else "") + (' text-anchor="end"' if right else "")
    return (
        f'<text class="{colour}" x="{x}" y="{y}" fill="{_COLOURS[colour][0]}" font-size="{size}"{style}>'
        f"{escape(content)}</text>"
    )


def _rect(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect class="{colour}" x="{x}" y="{y}" width="{width}" height="{height}" fill="{_COLOURS[colour][0]}"/>'


def chart(results: dict[str, Any], area: str) -> str:
    """Return an SVG with the comparisons of *area*. The longest bar of each comparison has the full width."""
    drawn: list[str] = []
    y = 0
    for comparison in _drawn(results, area):
        y += _GAP
        for line in wrap(sentence(comparison["title"]), _TITLE_CHARACTERS):
            drawn.append(_text(_LEFT, y + 4, line, "ink", size=14, bold=True))
            y += _LINE
        drawn += _bars(comparison, y)
        y += _ROW * len(comparison["figures"])
    height = y + _GAP // 2
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{AREAS[area]}" font-family="{_SANS}">'
    )
    return "\n".join([head, f"<style>{_STYLE}</style>", _rect(0, 0, _WIDTH, height, "paper"), *drawn, "</svg>", ""])


def _bars(comparison: dict[str, Any], y: int) -> Iterator[str]:
    """Yield the bars of a comparison from *y* downward, the shortest first, each below its name and figures."""
    figures = sorted(comparison["figures"].items(), key=lambda item: item[1]["median"])
    longest = figures[-1][1]["median"]
    for name, numbers in figures:
        library = is_library(name, comparison)
        cost = amount(numbers["median"], comparison["unit"])
        words = cost if numbers["times"] == 1 else f"{cost}, {times(numbers['times'])}"
        yield _text(_LEFT, y + 12, name, "library" if library else "muted", bold=library)
        yield _text(_LEFT + _BARS, y + 12, words, "ink", bold=library, right=True)
        length = max(round(_BARS * numbers["median"] / longest), 2)
        yield _rect(_LEFT, y + 17, length, _BAR, "library" if library else "other")
        y += _ROW
