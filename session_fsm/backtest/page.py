"""The report as one self-contained HTML page, without scripts.

Everything that was recorded is escaped and isolated, and the content security policy forbids every request and script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from session_fsm.backtest.counters import Change
from session_fsm.backtest.page_parts import bar, colours, isolated, many, money, policy, pre, share, table, time_of
from session_fsm.diagrams import model, overlay
from session_fsm.diagrams.svg.paint import STYLE
from session_fsm.diagrams.svg.picture import draw
from session_fsm.diagrams.svg.text import escape
from session_fsm.errors import counted

if TYPE_CHECKING:
    from session_fsm.backtest.report import Report

__all__ = ["page"]

_MOST_ROWS = 200
"""The greatest number of operations that the page lists."""
_MOST_EXAMPLES = 30
_MOST_UNREADABLE = 50

_WORDS = {
    Change.NEWLY_REFUSED: ("newly refused", "no"),
    Change.NEWLY_ALLOWED: ("newly allowed", "yes"),
    Change.OTHER_REASON: ("refused for another reason", ""),
    Change.OTHER_STATE: ("in another state, or with another total", ""),
}
"""The words for a change, and its style."""


def page(report: Report) -> str:
    """Return the page of *report*."""
    kind, against = report.kind, report.against
    title = f"Backtest of {escape(kind.__name__)}"
    if against is not None:
        title += f" against {escape(against.__name__)}"
    sections = [("numbers", "In numbers", _numbers(report)), ("reasons", "Why", _reasons(report))]
    if months := _months(report):
        sections.append(("months", "Month by month", months))
    sections += [
        ("operations", f"{'Changed' if against else 'Refused'} orders, the largest first", _operations(report)),
        ("examples", "Examples, the shortest first", _examples(report)),
        ("coverage", "What occurred in the recordings", _coverage(report)),
    ]
    if report.summary["unreadable"]:
        sections.append(("unreadable", "Lines that cannot be read", _unreadable(report)))
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>\n' for name, heading, _ in sections)
    body = "\n".join(
        f'<section id="{name}" aria-labelledby="{name}-heading">\n'
        f'<h2 id="{name}-heading">{heading}</h2>\n{content}\n</section>'
        for name, heading, content in sections
    )
    style = colours() + files("session_fsm.backtest").joinpath("page.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(style, STYLE)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="said">{_lead(report)}</p>
<nav aria-label="On this page">
<ul>
{links}</ul>
</nav>
</header>
<main>
{body}
</main>
<footer>
<p>Made by session-fsm from {many(report.summary["operations"], "recorded operation")} of {many(report.summary["sessions"], "session")}.</p>
</footer>
</body>
</html>
"""


def _lead(report: Report) -> str:
    """Return the result in one or two sentences."""
    numbers = report.summary
    if not numbers["against"]:
        refused = numbers["changed"]["refused"]
        if not numbers["refused"]:
            return '<strong class="yes">Nothing is refused.</strong>'
        return (
            f'<strong class="no">{many(numbers["refused"], "operation")} would be refused</strong>, in '
            f"{share(refused['sessions'], numbers['sessions'])} of the sessions, worth {money(refused['total'])}."
        )
    refused, allowed = numbers["changed"][Change.NEWLY_REFUSED], numbers["changed"][Change.NEWLY_ALLOWED]
    if not any(change["sessions"] for change in numbers["changed"].values()):
        return f'<strong class="yes">Nothing changes</strong> for {many(numbers["sessions"], "session")}.'
    parts = [
        f'<strong class="no">{many(refused["sessions"], "session")} would be newly refused</strong> '
        f"({share(refused['sessions'], numbers['sessions'])}), worth {money(refused['total'])}."
        if refused["sessions"]
        else '<strong class="yes">Nothing is newly refused first.</strong>'
    ]
    if allowed["sessions"]:
        parts.append(f"{many(allowed['sessions'], 'session')} would be newly allowed, worth {money(allowed['total'])}.")
    return " ".join(parts)


def _numbers(report: Report) -> str:
    numbers = report.summary
    tiles: list[tuple[int, str, str, str]] = []
    for name, change in numbers["changed"].items():
        words, style = _WORDS[Change(name)] if name in list(Change) else ("with a refusal", "no")
        fine = f"{share(change['sessions'], numbers['sessions'])}, worth {money(change['total'])}"
        tiles.append((change["sessions"], f"sessions {words}", fine if change["sessions"] else "", style))
    if numbers["against"]:
        tiles.append((numbers["sessionsThatEndElsewhere"], "sessions end in another state", "", ""))
        tiles.append((numbers["refusedByBoth"], "operations refused by both", "", ""))
    tiles += [
        (numbers["refused"], "operations refused", share(numbers["refused"], numbers["operations"]), ""),
        (numbers["operations"], "operations played", many(numbers["sessions"], "session"), ""),
    ]
    items = "\n".join(
        f'<li class="{style if number else ""}"><strong>{number:,}</strong><span>{words}</span>'
        f'<span class="fine">{fine}</span></li>'
        for number, words, fine, style in tiles
    )
    note = (
        '<p class="fine">A session counts under its first change, with its total at that time; what follows from it '
        "counts as a consequence.</p>"
        if numbers["against"]
        else '<p class="fine">The amount is the total of the sessions at their first refusal.</p>'
    )
    return f'<ul class="tiles">\n{items}\n</ul>\n{note}'


def _texts(report: Report) -> Mapping[str, str]:
    """Return the text of each rule, by its code."""
    kinds = [kind for kind in (report.against, report.kind) if kind is not None]
    return {rule.code: rule.text for kind in kinds for rule in model(kind).rules}


def _reasons(report: Report) -> str:
    texts, counts = _texts(report), Counter[tuple[str, str, str]]()
    if report.against is None:
        for row in report.by_code.to_pylist():
            counts["", row["trigger"], row["code"]] += row["operations"]
    else:
        for row in report.changes.to_pylist():
            if row["role"] == "cause":
                counts[row["change"], row["trigger"], row["code"]] += row["operations"]
    if not counts:
        return "<p>There is no reason to list.</p>"
    most = max(counts.values())
    rows = [
        [
            ("What", f"<strong>{trigger}</strong> {_WORDS[Change(change)][0] if change else 'refused'}"),
            ("Code", f"<code>{isolated(code)}</code>" if code else ""),
            ("Rule", isolated(texts.get(code, ""))),
            ("Operations", f"{number:,}"),
            ("", bar(number, most, _WORDS[Change(change)][1] or "other" if change else "no")),
        ]
        for (change, trigger, code), number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return table(rows)


def _months(report: Report) -> str:
    """Return the section with the refusals of each month, or an empty text if no operation has a time."""
    total, refused = Counter[str](), Counter[str]()
    for row in report.by_trigger.to_pylist():
        total[row["month"]] += row["operations"]
    rows = report.changes.to_pylist() if report.against else report.by_trigger.to_pylist()
    for row in rows:
        if (row.get("role") == "cause" and row["change"] == Change.NEWLY_REFUSED) or row.get("outcome") == "refused":
            refused[row["month"]] += row["operations"]
    if not any(total):
        return ""
    most = max(refused.values(), default=0)
    words = "Newly refused" if report.against else "Refused"
    return table(
        [
            [
                ("Month", f"<time>{month}</time>" if month else "without a time"),
                ("Operations", f"{number:,}"),
                (words, f"{refused[month]:,}"),
                ("Share", share(refused[month], number)),
                ("", bar(refused[month], most)),
            ]
            for month, number in sorted(total.items())
        ]
    )


def _operations(report: Report) -> str:
    found = report.largest(_MOST_ROWS + 1)
    rows: list[list[tuple[str, str]]] = []
    for row in found[:_MOST_ROWS]:
        cells = [
            ("Order", f"<strong>{isolated(row['session'])}</strong>"),
            ("When", time_of(row["time"])),
            ("Operation", f"{row['number']}: {row['trigger']}{' (dry run)' if row['dry'] else ''}"),
            ("Why", _why(row)),
            ("Total", "" if (total := _worth(row)) is None else money(total)),
        ]
        if row["change"]:
            cells.insert(3, ("Change", _WORDS[Change(row["change"])][0]))
        rows.append(cells)
    if not rows:
        return "<p>There are none.</p>"
    more = (
        ""
        if len(found) <= _MOST_ROWS
        else f'<p class="fine">The first {_MOST_ROWS}; all are in the table of verdicts.</p>'
    )
    return table(rows) + more


def _worth(row: Mapping[str, Any]) -> str | None:
    """Return the total of the session: as it was before, or as it is if only now it is allowed."""
    worth: str | None = row["total"] if row["change"] in (None, Change.NEWLY_ALLOWED) else row["against_total"]
    return worth


def _why(row: Mapping[str, Any]) -> str:
    """Return the reasons of a refusal; of what is allowed now, the former codes; otherwise the states."""
    if row["reasons"]:
        return " ".join(map(isolated, row["reasons"]))
    if row["against_codes"]:
        return "formerly " + ", ".join(f"<code>{isolated(code)}</code>" for code in row["against_codes"])
    before, now = (money(row[total] or "0") for total in ("against_total", "total"))
    return f"{row['against_state']}, {before} before; {row['state']}, {now} now"


def _examples(report: Report) -> str:
    if not report.examples:
        return "<p>There are none.</p>"
    parts: list[str] = []
    for example in report.examples[:_MOST_EXAMPLES]:
        words = _WORDS[Change(example.change)][0] if example.change in list(Change) else "refused"
        codes = ", ".join(f"<code>{isolated(code)}</code>" for code in example.codes)
        test = f"<p>As a test:</p>\n{pre(example.test)}" if example.test else ""
        parts.append(
            f"<details><summary><strong>{example.trigger}</strong> {words} {codes}: {isolated(example.session)}, "
            f"{counted(example.length, 'line')}</summary>\n<p>As a recording for <code>session-fsm replay</code>:</p>\n"
            f"{pre(example.recording)}\n{test}</details>"
        )
    if more := len(report.examples) - len(parts):
        parts.append(f'<p class="fine">And {counted(more, "further example")}.</p>')
    return "\n".join(parts)


def _coverage(report: Report) -> str:
    coverage = report.coverage
    diagram = model(report.kind)
    picture = draw(diagram, overlay(diagram, coverage=coverage.counts, counted="occurred"), full=True, standalone=False)
    missing = [goal for goal in coverage.goals if not coverage.counts[goal.key]]
    items = "\n".join(f"<li>{isolated(str(goal))}</li>" for goal in missing)
    listed = (
        f"<details><summary>{counted(len(missing), 'transition or outcome of a rule', 'transitions and outcomes of rules')} did not occur</summary>\n"
        f"<ul>\n{items}\n</ul></details>"
        if missing
        else "<p>Every transition and every outcome of a rule occurred.</p>"
    )
    return (
        '<p class="fine">The counts are those of the recordings; dry runs do not count.</p>\n'
        '<section class="scroll" tabindex="0" aria-label="The picture, which may be wider than the screen">\n'
        f"{picture}\n</section>\n{listed}"
    )


def _unreadable(report: Report) -> str:
    rows = [
        [
            ("Place", f"<code>{isolated(row['file'])}:{row['line']}</code>"),
            ("Problem", "; ".join(map(isolated, row["reasons"]))),
        ]
        for row in report.unreadable.slice(0, _MOST_UNREADABLE).to_pylist()
    ]
    number = report.summary["unreadable"]
    more = f'<p class="fine">And {counted(number - len(rows), "further line")}.</p>' if number > len(rows) else ""
    return table(rows) + more
