"""`table` writes the results as one aligned Markdown table."""

from __future__ import annotations

from typing import Any

__all__ = ["figure", "goal", "lines", "measured", "table"]

_HEADINGS = ("Goal", "What", "Measured", "Median", "Spread", "Wanted", "Met")


def figure(value: float) -> str:
    """Return *value* with three significant digits; from 100 on, rounded to a whole number."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def goal(ratio: dict[str, Any]) -> str:
    """Return the goal of a ratio in words."""
    wanted = [f"{word} {figure(ratio[key])}" for key, word in _BOUNDS.items() if ratio[key] is not None]
    wanted += [f"aim {figure(ratio['aim'])}"] if ratio["aim"] is not None else []
    return ", ".join(wanted)


_BOUNDS = {"at_least": "at least", "at_most": "at most"}


def measured(comparison: dict[str, Any], ratio: dict[str, Any]) -> str:
    """Return the name of the ratio, or of the figure with its unit."""
    return ratio["name"] if ratio["is_ratio"] else f"{ratio['name']}, {comparison['unit']}"


def lines(results: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each comparison with each of its ratios."""
    return [(comparison, ratio) for comparison in results["comparisons"] for ratio in comparison["ratios"]]


def table(results: dict[str, Any]) -> str:
    """Return the results as a table of ratios, below a line with the machine and the versions."""
    rows = [_HEADINGS, *(_row(comparison, ratio) for comparison, ratio in lines(results))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table_lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    table_lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join([f"{results['machine']}, {results['python']}; {versions}.", "", *table_lines, ""])


def _row(comparison: dict[str, Any], ratio: dict[str, Any]) -> tuple[str, ...]:
    what = (comparison["code"], comparison["title"], measured(comparison, ratio))
    if ratio["met"] is None:
        return (*what, "not measured", "", goal(ratio), "")
    spread = f"{figure(ratio['low'])} to {figure(ratio['high'])}" if comparison["rounds"] > 1 else "one run"
    bounded = ratio["at_least"] is not None or ratio["at_most"] is not None
    return (*what, figure(ratio["median"]), spread, goal(ratio), ("yes" if ratio["met"] else "no") if bounded else "")
