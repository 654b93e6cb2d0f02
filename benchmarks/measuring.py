"""`compare` runs a comparison: one process for each contender, which take turns, round by round."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.plan import Comparison, Ratio

__all__ = ["compare", "summary"]

ROOT = Path(__file__).parent.parent


class _Process:
    """The worker process of a contender."""

    def __init__(self, python: str, code: str, name: str, seconds: float) -> None:
        self.name = name
        command = [python, "-m", "benchmarks.worker", code, name, str(seconds)]
        self._process = subprocess.Popen(  # noqa: S603 - the chosen interpreter and names from the plan
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.result = self.answer()

    def answer(self) -> Any:
        line = self._process.stdout.readline()  # type: ignore[union-attr]  # it was opened as a pipe
        if not line:
            raise SystemExit(f"{self.name} ended without an answer; see its output above")
        return json.loads(line)

    def round(self) -> float:
        self._process.stdin.write("\n")  # type: ignore[union-attr]  # it was opened as a pipe
        self._process.stdin.flush()  # type: ignore[union-attr]  # it was opened as a pipe
        figure: float = self.answer()
        return figure

    def close(self) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]  # it was opened as a pipe
        self._process.stdout.close()  # type: ignore[union-attr]  # it was opened as a pipe
        self._process.wait()


def compare(comparison: Comparison, python: str, *, rounds: int, seconds: float, quick: bool) -> dict[str, Any]:
    """Run *comparison* and return its results.

    First the results of all contenders are compared, to prove that they do the same work. Then they take turns; each
    round begins with another contender, so that the load of the machine affects all of them equally.

    Raises:
        SystemExit: two contenders return different results.
    """
    with ExitStack() as stack:
        processes: list[_Process] = []
        for contender in comparison.contenders:
            if not (quick and contender.slow):
                processes.append(_Process(python, comparison.code, contender.name, seconds))
                stack.callback(processes[-1].close)
        for process in processes[1:]:
            if process.result != processes[0].result:
                raise SystemExit(
                    f"{comparison.code}: {process.name} and {processes[0].name} do not do the same work:\n"
                    f"{process.result}\n{processes[0].result}"
                )
        figures: list[dict[str, float]] = []
        for turn in range(comparison.rounds or rounds):
            first = turn % len(processes)
            figures.append({process.name: process.round() for process in processes[first:] + processes[:first]})
    return summary(comparison, figures)


def summary(comparison: Comparison, figures: list[dict[str, float]]) -> dict[str, Any]:
    """Return the medians and the quartiles of a comparison's rounds, as part of a JSON document."""
    return {
        "code": comparison.code,
        "title": comparison.title,
        "area": comparison.area,
        "drawn": comparison.drawn,
        "unit": comparison.unit,
        "rounds": len(figures),
        "figures": {name: _figure(name, comparison.reference, figures) for name in figures[0]},
        "ratios": [_ratio(ratio, figures) for ratio in comparison.ratios],
    }


def _figure(name: str, reference: str, figures: list[dict[str, float]]) -> dict[str, float]:
    """Return the spread of a contender's figures, and how many times the figure of *reference* they are."""
    spread = _spread([figures_of_round[name] for figures_of_round in figures])
    if all(figures_of_round.get(reference) for figures_of_round in figures):
        times = [figures_of_round[name] / figures_of_round[reference] for figures_of_round in figures]
        spread["times"] = _rounded(median(times))
    return spread


def _spread(values: list[float]) -> dict[str, float]:
    low, middle, high = quantiles(values, n=4) if len(values) > 1 else (values[0], median(values), values[0])
    return {"median": _rounded(middle), "low": _rounded(low), "high": _rounded(high)}


def _rounded(value: float) -> float:
    """Return *value* with four significant digits."""
    return float(f"{value:.4g}")


def _ratio(ratio: Ratio, figures: list[dict[str, float]]) -> dict[str, Any]:
    found = [value for figures_of_round in figures if (value := ratio.of_round(figures_of_round)) is not None]
    line: dict[str, Any] = {
        "name": ratio.name,
        "is_ratio": ratio.over is not None,
        "at_least": ratio.at_least,
        "at_most": ratio.at_most,
        "aim": ratio.aim,
        "met": None,
    }
    if found:
        line |= _spread(found)
        low_enough = ratio.at_most is None or line["median"] <= ratio.at_most
        high_enough = ratio.at_least is None or line["median"] >= ratio.at_least
        line["met"] = low_enough and high_enough
    return line
