"""`written` fills the results into the pages, and draws their pictures: ``python -m benchmarks --render``.

A page has a comment before and after what is filled in::

    <!-- results: costs -->
    ...
    <!-- end of results -->

The word is one of `_PARTS`, or ``chart`` and an area.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.chart import chart, description
from benchmarks.plan import AREAS
from benchmarks.report import by_size, costs, environment, faster, goals

__all__ = ["RESULTS", "written"]

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks/results.json"
_PAGES = ("docs/speed.md", "benchmarks/goals.md", "benchmarks/reading-and-writing.md")
_PARTS = {"by size": by_size, "costs": costs, "environment": environment, "faster": faster, "goals": goals}
_PART = re.compile(r"(<!-- results: ([\w ]+) -->\n).*?(<!-- end of results -->)", re.DOTALL)


def written(results: dict[str, Any]) -> dict[Path, str]:
    """Return the text of every page and picture that shows *results*."""
    files = {ROOT / page: _filled((ROOT / page).read_text(encoding="utf-8"), results) for page in _PAGES}
    return files | {ROOT / f"docs/speed/{area}.svg": chart(results, area) for area in AREAS}


def _filled(page: str, results: dict[str, Any]) -> str:
    return _PART.sub(lambda found: f"{found[1]}\n{_part(found[2], results)}\n{found[3]}", page)


def _part(name: str, results: dict[str, Any]) -> str:
    if name.startswith("chart "):
        area = name.removeprefix("chart ")
        return f"![{description(results, area)}](speed/{area}.svg)\n"
    return _PARTS[name](results)
