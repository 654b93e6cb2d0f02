"""Coverage reports as text, JSON, an HTML page or a diagram, for the recorder, the pytest plugin and the command."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape as quoted
from pathlib import Path
from typing import Any

from session_fsm.decisions import Outcome
from session_fsm.diagrams import Format, formats, model, overlay, render
from session_fsm.diagrams.html.page import page
from session_fsm.diagrams.svg.text import escape
from session_fsm.errors import InvalidValue
from session_fsm.testing.coverage.counters import ClassCounters, ClassName, to_document
from session_fsm.testing.coverage.result import Coverage, Gap, transition_text

__all__ = ["FORMATS", "report", "report_file", "summary", "text"]

# Formats that can hold several classes.
_OF_MANY = ("term", "json")

FORMATS = ("term", *formats())
"""The formats of a report; a diagram format draws the class with the counts on its edges."""


def report(counters: Iterable[ClassCounters], coverages: Sequence[Coverage], format: str = "term") -> str:  # noqa: A002 - the word of `render`
    """Return the coverage in one of `FORMATS`.

    Args:
        counters: the counters of every class; a ``json`` report contains them.
        coverages: the coverage of each class to report on: any number for ``term`` and ``json``, exactly one for
            every other format.
        format: ``term``; ``json``, which `Recorder.from_json` reads; ``html``, a page with all that is missing;
            or another diagram format, which shows the counts.

    Raises:
        InvalidValue: the format does not exist, or cannot hold several classes.
    """
    if format == "term":
        return "\n".join(map(text, coverages))
    if format == "json":
        return _json(counters, coverages)
    if len(coverages) != 1:
        raise InvalidValue("/format", f"a report as {format} is of one class, not of {len(coverages)}")
    (coverage,) = coverages
    if format == "html":
        return _page(coverage)
    return render(coverage.kind, Format(format), coverage=coverage.counts)


def report_file(
    given: str,
    coverages: Sequence[Coverage],
    format: str,  # noqa: A002 - as above
) -> Iterator[tuple[Path, Sequence[Coverage]]]:
    """Yield each file to write, with the coverages that go into it.

    That is the file *given*, or, for several classes in a format that holds one, a file for each class with its name
    before the suffix: ``coverage.shop.ShopSession.html``.
    """
    path = Path(given)
    if format in _OF_MANY or len(coverages) == 1:
        yield path, coverages
        return
    for coverage in coverages:
        name = "".join(c if c.isalnum() or c in "._" else "-" for c in ClassName.of(coverage.kind).name)
        yield path.with_name(f"{path.stem}.{name}{path.suffix}"), [coverage]


def summary(coverage: Coverage) -> str:
    """Return the coverage of the definition as one line."""
    done = f"{coverage.reached} of {coverage.possible} rows and rule outcomes exercised"
    return f"{_line(ClassName.of(coverage.kind).name)}: {coverage.percent} %, {done}"


def text(coverage: Coverage) -> str:
    """Return the report on one class as plain text: every row, every rule, and an example for each gap."""
    excused = {gap.goal.key for gap in coverage.gaps if gap.excused}

    def count(key: str, number: int) -> str:
        return str(number) if number else "excused" if key in excused else "never"

    rows = [("row", "transition", "took place")]
    rows += [
        (row.id, transition_text(row), count(row.id, coverage.rows[row.id])) for row in coverage.kind.machine.table
    ]
    rules = [("rule", "passed", "refused", "errored")]
    rules += [
        (
            _line(code),
            count(f"{code}:{Outcome.PASSED}", outcomes[Outcome.PASSED]),
            count(f"{code}:{Outcome.VIOLATED}", outcomes[Outcome.VIOLATED]),
            str(outcomes[Outcome.ERRORED]),
        )
        for code, outcomes in coverage.rules.items()
    ]
    lines = [summary(coverage), "", *_columns(rows, left=2), ""]
    if coverage.rules:
        lines += [*_columns(rules, left=1), ""]
    lines += [f"  {_refusals(coverage)}", ""]
    for heading, gaps in _by_kind(coverage.gaps):
        lines += [heading, "", *_lines_about(gaps)]
    return "\n".join(lines)


def _columns(rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Align *rows*: the first *left* columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"  {'  '.join(cells)}"


def _refusals(coverage: Coverage) -> str:
    """Return a sentence about the states and triggers without a row: which were tried, and which were not."""
    untried: dict[str, list[str]] = {}
    for (state, trigger), count in coverage.refusals.items():
        if not count:
            untried.setdefault(state, []).append(trigger)
    tried = sum(map(bool, coverage.refusals.values()))
    said = f"Of {len(coverage.refusals)} triggers that the table does not have from a state, {tried} were tried"
    rest = "; ".join(f"{', '.join(triggers)} from {state}" for state, triggers in untried.items())
    return f"{said}; not: {rest}." if rest else f"{said}."


def _by_kind(gaps: Iterable[Gap]) -> Iterator[tuple[str, list[Gap]]]:
    """Yield the gaps that tests should close, then the excused ones, each group with its heading."""
    by_excuse: dict[bool, list[Gap]] = {False: [], True: []}
    for gap in gaps:
        by_excuse[gap.excused].append(gap)
    for excused, heading in ((False, "Missing"), (True, "Excused, and not counted")):
        if found := by_excuse[excused]:
            yield heading, found


def _grouped(gaps: Iterable[Gap]) -> Iterator[tuple[list[str], str, str]]:
    """Group gaps with the same example or the same reason; yield the goals, the code and the reason of each group."""
    found: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        code = gap.witness.code() if gap.witness else ""
        found.setdefault((code, gap.reason), []).append(str(gap.goal))
    for (code, reason), goals in found.items():
        yield goals, code, reason


def _lines_about(gaps: Iterable[Gap]) -> Iterator[str]:
    for goals, code, reason in _grouped(gaps):
        yield from (f"  {_line(goal)}" for goal in goals)
        if code:
            yield "  for example:"
            yield ""
            yield from (f"      {_escaped(line)}" for line in code.splitlines())
        else:
            yield f"  because {_line(reason)}"
        yield ""


def _line(given: str) -> str:
    """Return *given*, text from user code, on one line with escaped control characters."""
    return _escaped(" ".join(given.split()))


def _escaped(line: str) -> str:
    """Return *line* with unprintable characters escaped, so that it cannot control the terminal."""
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _json(counters: Iterable[ClassCounters], coverages: Sequence[Coverage]) -> str:
    document = to_document(counters)
    document["coverage"] = [_coverage_document(coverage) for coverage in coverages]
    return json.dumps(document, indent=1) + "\n"


def _coverage_document(coverage: Coverage) -> dict[str, Any]:
    return {
        "class": ClassName.of(coverage.kind).name,
        "percent": coverage.percent,
        "reached": coverage.reached,
        "possible": coverage.possible,
        "counts": dict(coverage.counts),
        "refused": {f"{trigger} from {state}": count for (state, trigger), count in coverage.refusals.items()},
        "missing": [_gap(gap) for gap in coverage.gaps if not gap.excused],
        "excused": [_gap(gap) for gap in coverage.gaps if gap.excused],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    found = {"code": gap.witness.code()} if gap.witness else {"reason": gap.reason}
    return {"goal": gap.goal.key, "text": str(gap.goal)} | found


def _page(coverage: Coverage) -> str:
    diagram = model(coverage.kind)
    found = [f"<p>{escape(summary(coverage))}. {escape(_refusals(coverage))}</p>"]
    for heading, gaps in _by_kind(coverage.gaps):
        found.append(f"<h3>{heading}</h3>")
        found += [_entry(*group) for group in _grouped(gaps)]
    section = ("missing", "What tests exercised, and what not", "\n".join(found))
    return page(diagram, overlay(diagram, coverage=coverage.counts), detail="full", more=[section])


def _entry(goals: Iterable[str], code: str, reason: str) -> str:
    items = "\n".join(f"<li><bdi>{escape(goal)}</bdi></li>" for goal in goals)
    if not code:
        return f"<ul>\n{items}\n</ul>\n<p>because <bdi>{escape(reason)}</bdi></p>"
    shown = quoted("\n".join(map(_escaped, code.splitlines())))
    example = f'<section class="scroll" tabindex="0" aria-label="Example"><pre><code>{shown}</code></pre></section>'
    return f"<ul>\n{items}\n</ul>\n<p>for example:</p>\n{example}"
