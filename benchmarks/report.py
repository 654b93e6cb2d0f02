"""The results as Markdown: what a call costs, where others are faster, and each ratio against its goal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.plan import LIBRARY

__all__ = ["amount", "by_size", "costs", "environment", "faster", "figure", "goals", "is_library", "sentence", "times"]

_COSTS = {
    "Close or reopen a cart of five items": ("S-2", "session-fsm"),
    "Create, update twice, close, close again (refused), return a unit, cancel": ("S-3", "session-fsm"),
    "Update, for each item of a cart of 100": ("S-5b", "100 items"),
    "Dry run of one trigger (`evaluate`)": ("S-8", "evaluate, a dry run"),
    "Dry run of all triggers (`board`)": ("S-8", "board, five dry runs"),
    "A close that two rules refuse, with both reasons": ("S-9", "refused"),
    "Read and validate the JSON of a session of 10 items": ("S-6b", "session-fsm"),
    "Write the JSON of a session of 10 items": ("S-7b", "session-fsm"),
    "Memory of an open session of three items": ("S-4a", "session-fsm"),
    "`import session_fsm`": ("S-10", "session-fsm"),
    "Load, change and save a session in a SQLite file": ("S-13a", "session-fsm"),
    "Load, change and save a session in PostgreSQL": ("S-13b", "session-fsm"),
    "Load, change and save a session in PostgreSQL, with the outbox": ("S-13b", "session-fsm with outbox"),
    "Read one of a million sessions in a SQLite file": ("S-16a", "1,000,000 sessions"),
    "Read one of a million sessions in PostgreSQL": ("S-16d", "1,000,000 sessions"),
    "`PUT` to the sandbox": ("S-22a", "session-fsm sandbox"),
    "`GET` from the sandbox": ("S-22b", "session-fsm sandbox"),
    "Start of `session-fsm sandbox`, to its first answer": ("S-23", "session-fsm sandbox"),
    "`session-fsm replay`, for each operation": ("S-12a", "session-fsm replay"),
    "A backtest, for each operation": ("S-18", "session-fsm backtest"),
    "Check a recorded state change with `illegal_changes`": ("S-20", "query"),
}
"""What the page says of a comparison's contender."""
_LONGER = {"ns": "us", "us": "ms", "ms": "s"}


def is_library(name: str, comparison: dict[str, Any]) -> bool:
    """Whether the contender *name* is the library. Where no contender has its name, all are."""
    return name.startswith(LIBRARY) or not any(other.startswith(LIBRARY) for other in comparison["figures"])


def figure(value: float) -> str:
    """Return *value* with three significant digits; from 100 on, rounded to a whole number."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def amount(value: float, unit: str) -> str:
    """Return *value* with the first word of *unit*, or from 1,000 on with the next longer unit of time."""
    unit = unit.split(maxsplit=1)[0]
    while value >= 1000 and unit in _LONGER:
        value, unit = value / 1000, _LONGER[unit]
    return f"{figure(value)} {unit.replace('us', 'µs')}"


def times(value: float) -> str:
    """Return how many times the cost of the library *value* is, with two significant digits."""
    return f"{value:,.0f}x" if value >= 10 else f"{value:.2g}x"


def environment(results: dict[str, Any]) -> str:
    """Return a line with the machine and the versions."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return f"{results['machine']}, {results['python']}; {versions}.\n"


def costs(results: dict[str, Any]) -> str:
    """Return the table of what calls of the library cost."""
    found = {comparison["code"]: comparison for comparison in results["comparisons"]}
    rows = [
        (what, amount(found[code]["figures"][name]["median"], found[code]["unit"]))
        for what, (code, name) in _COSTS.items()
        if name in found.get(code, {"figures": {}})["figures"]
    ]
    return _table(("What", "Cost"), rows)


def faster(results: dict[str, Any]) -> str:
    """Return the table of the contenders that take less than the library."""
    rows = [
        (sentence(comparison["title"]), name, times(numbers["times"]))
        for comparison in results["comparisons"]
        if comparison["drawn"]
        for name, numbers in comparison["figures"].items()
        if not is_library(name, comparison) and numbers["times"] < 1
    ]
    return _table(("What", "Takes less than session-fsm", "Its cost"), rows)


def by_size(results: dict[str, Any]) -> str:
    """Return the table of the times of reading and writing documents of three sizes."""
    found = {comparison["code"]: comparison["figures"] for comparison in results["comparisons"]}
    rows = [
        (f"{verb} with {name}", *(f"{found[goal + size][name]['median']:,}" for size in "abc"))
        for verb, goal in (("read", "S-6"), ("write", "S-7"))
        for name in found.get(goal + "a", ())
    ]
    return _table(("µs per document", "1 item", "10 items", "1,000 items"), rows)


def goals(results: dict[str, Any]) -> str:
    """Return the table of all ratios and their goals."""
    rows = [_goal_row(comparison, ratio) for comparison in results["comparisons"] for ratio in comparison["ratios"]]
    return _table(("Goal", "What", "Measured", "Median", "Spread", "Wanted", "Met"), rows)


def _goal_row(comparison: dict[str, Any], ratio: dict[str, Any]) -> tuple[str, ...]:
    measured = ratio["name"] if ratio["is_ratio"] else f"{ratio['name']}, {comparison['unit']}"
    what = (comparison["code"], comparison["title"], measured)
    bounds = {"at_least": "at least", "at_most": "at most", "aim": "aim"}
    wanted = ", ".join(f"{word} {figure(ratio[key])}" for key, word in bounds.items() if ratio[key] is not None)
    if ratio["met"] is None:
        return (*what, "not measured", "", wanted, "")
    spread = f"{figure(ratio['low'])} to {figure(ratio['high'])}" if comparison["rounds"] > 1 else "one run"
    return (*what, figure(ratio["median"]), spread, wanted, ("yes" if ratio["met"] else "no") if wanted else "")


def sentence(title: str) -> str:
    """Return *title* with a capital letter."""
    return title[0].upper() + title[1:]


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rows = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join([*lines, ""])
