"""The command ``python -m benchmarks``. It only needs Python, and installs the packages that it compares."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from benchmarks.environment import describe, prepare
from benchmarks.measuring import compare
from benchmarks.pages import RESULTS, written
from benchmarks.plan import Comparison, all_comparisons
from benchmarks.report import environment, goals

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the library beside its peers, and print a table of ratios.",
    )
    parser.add_argument("only", nargs="*", metavar="GOAL", help="measure only these goals, such as S-2")
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="the interpreter to measure with")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="few short rounds, without slow contenders")
    mode.add_argument("--write", action="store_true", help="keep the results in results.json, and render the pages")
    mode.add_argument("--render", action="store_true", help="measure nothing; render the pages from results.json")
    mode.add_argument("--list", action="store_true", help="list the comparisons, and stop")
    return parser


def _selected(only: list[str]) -> list[Comparison]:
    """Return the comparisons of the given goals; ``S-6`` also selects ``S-6a`` and ``S-6b``."""
    return [c for c in all_comparisons() if not only or {c.code, c.code.rstrip("abcdefgh")} & set(only)]


def _measured(comparison: Comparison, python: str, *, quick: bool) -> dict[str, Any]:
    print(f"{comparison.code}: {comparison.title} ...", file=sys.stderr, flush=True)
    rounds, seconds = (5, 0.005) if quick else (40, 0.03)
    return compare(comparison, python, rounds=rounds, seconds=seconds, quick=quick)


def merged(kept: dict[str, Any] | None, new: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """Return the results of *kept*, in which those of *new* replace the ones of the same comparison.

    Raises:
        SystemExit: they were measured with other versions, or on another machine, and *new* is not the *whole* run.
    """
    if kept is None or any(kept[key] != new[key] for key in new if key != "comparisons"):
        if kept is not None and not whole:
            raise SystemExit("results.json is of other versions or of another machine: measure all goals, or delete it")
        return new
    found = {comparison["code"]: comparison for comparison in kept["comparisons"] + new["comparisons"]}
    order = [comparison.code for comparison in all_comparisons()]
    return new | {"comparisons": [found[code] for code in order if code in found]}


def _kept() -> dict[str, Any] | None:
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else None


def _render(results: dict[str, Any]) -> None:
    for path, text in written(results).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = _parser()
    options = parser.parse_args(arguments)
    comparisons = _selected(options.only)
    if options.list:
        for comparison in comparisons:
            print(f"{comparison.code}: {comparison.title}: {'; '.join(c.name for c in comparison.contenders)}")
        return
    if options.render:
        _render(json.loads(RESULTS.read_text(encoding="utf-8")))
        return
    needed = {comparison.needs for comparison in comparisons if comparison.needs} - os.environ.keys()
    if options.write and needed:
        parser.error(f"{', '.join(needed)} must be set to measure all goals")
    python = prepare(options.python)
    results = describe(python) | {"comparisons": []}
    for comparison in comparisons:
        if comparison.needs in needed or (options.quick and all(c.slow for c in comparison.contenders)):
            continue
        result = _measured(comparison, python, quick=options.quick)
        results["comparisons"].append(result)
        if options.write:
            # After each comparison, so that a run that is interrupted loses little.
            kept = merged(_kept(), results | {"comparisons": [result]}, whole=not options.only)
            RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(environment(results), goals(results), sep="\n", end="")
    if options.write:
        _render(json.loads(RESULTS.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
