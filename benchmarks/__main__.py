"""The command ``python -m benchmarks``. It only needs Python, and installs the packages that it compares."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.chart import chart
from benchmarks.environment import describe, prepare
from benchmarks.measuring import compare
from benchmarks.plan import Comparison, all_comparisons
from benchmarks.report import table


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the library against its peers, side by side, and print one table of ratios.",
    )
    parser.add_argument("only", nargs="*", metavar="GOAL", help="measure only these goals, such as S-2")
    parser.add_argument(
        "--quick", action="store_true", help="few short rounds, without slow contenders: about a minute"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also draw the ratios into FILE")
    parser.add_argument(
        "--from",
        type=Path,
        metavar="FILE",
        dest="results",
        help="measure nothing; show the results in a FILE of --json",
    )
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="the interpreter to measure with")
    parser.add_argument("--list", action="store_true", help="list the comparisons, and stop")
    return parser.parse_args(arguments)


def _selected(only: list[str]) -> list[Comparison]:
    """Return the comparisons of the given goals; ``S-6`` also selects ``S-6a`` and ``S-6b``."""
    return [c for c in all_comparisons() if not only or {c.code, c.code.rstrip("abcdefgh")} & set(only)]


def _measure(comparisons: list[Comparison], python: str, *, quick: bool) -> dict[str, Any]:
    results = describe(python) | {"quick": quick, "comparisons": []}
    for comparison in comparisons:
        if quick and all(contender.slow for contender in comparison.contenders):
            continue
        print(f"{comparison.code}: {comparison.title} ...", file=sys.stderr, flush=True)
        rounds, seconds = (5, 0.005) if quick else (40, 0.03)
        results["comparisons"].append(compare(comparison, python, rounds=rounds, seconds=seconds, quick=quick))
    return results


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = _arguments(arguments)
    comparisons = _selected(options.only)
    if options.list:
        for comparison in comparisons:
            print(f"{comparison.code}: {comparison.title}: {', '.join(c.name for c in comparison.contenders)}")
        return
    if options.results:
        results = json.loads(options.results.read_text(encoding="utf-8"))
    else:
        results = _measure(comparisons, prepare(options.python), quick=options.quick)
    print(table(results), end="")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.svg:
        options.svg.write_text(chart(results), encoding="utf-8")


if __name__ == "__main__":
    main()
