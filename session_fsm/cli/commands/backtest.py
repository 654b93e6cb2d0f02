"""``session-fsm backtest``: what a class would have refused, and what has changed since another."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from session_fsm.class_loader import class_at
from session_fsm.cli.definition import class_option
from session_fsm.cli.terminal import Cell, Screen, write_error
from session_fsm.errors import InvalidValue, counted
from session_fsm.session import CustomerSession

if TYPE_CHECKING:
    from session_fsm.backtest import Report

__all__ = ["command"]

_MOST_ROWS = 8
"""The greatest number of reasons, examples and unreadable lines that the summary has."""
_LONGEST = 400
"""The greatest number of characters of a line of the example that the summary shows."""
_WORDS = {"read": "reading", "play": "playing"}


def _class(_ctx: click.Context, _option: click.Parameter, given: str | None) -> type[CustomerSession] | None:
    try:
        return None if given is None else class_at(given)
    except InvalidValue as error:
        raise click.BadParameter(error.problem) from None


def _columns(_ctx: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given]
    if wrong := [name + sign + column for name, sign, column in pairs if not (name and column)]:
        raise click.BadParameter(f"'{wrong[0]}' does not look like sessionId=order_id")
    return {name: column for name, _, column in pairs}


@click.command(
    short_help="Replay recordings through a class, or two, and report refusals.",
    epilog="""\b
Examples:
  session-fsm backtest recordings/*.jsonl --class shop:NewSession
  session-fsm backtest 'recordings/**/*.jsonl.gz' --class shop:NewSession --against shop:OldSession --jobs 4 -o out
  session-fsm backtest orders.parquet --column sessionId=order_id --class shop:NewSession --html report.html""",
)
@click.argument("recordings", metavar="RECORDINGS...", nargs=-1, required=True)
@class_option()
@click.option(
    "--against", metavar="MODULE:CLASS", callback=_class, help="A class to compare with, such as the one in production."
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="The number of processes.")
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Run on this machine, or on Apache Spark.",
)
@click.option(
    "--column",
    "columns",
    metavar="NAME=COLUMN",
    multiple=True,
    callback=_columns,
    help="The name of a member or column in your files, such as sessionId=order_id. May be repeated.",
)
@click.option(
    "--all", "every", is_flag=True, help="Keep the result of every request, not only the refused and the changed."
)
@click.option("--strict", is_flag=True, help="Count a line with an unknown member as unreadable.")
@click.option(
    "-o",
    "output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the report to this directory. To continue after an interruption, run the same command again.",
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as a page.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as one JSON object.")
def command(
    *,
    recordings: tuple[str, ...],
    kind: type[CustomerSession],
    against: type[CustomerSession] | None,
    jobs: int,
    engine: str,
    columns: dict[str, str],
    every: bool,
    strict: bool,
    output: Path | None,
    html: Path | None,
    as_json: bool,
) -> int:
    """Replay recorded API requests through a session class, or through two, and report refusals and differences.

    RECORDINGS are files, quoted patterns or URLs: JSON Lines in the format of "session-fsm replay" (also .gz and .zst),
    Parquet, or the database of a store. A file can have requests of many sessions, and a session can be in many files.

    Exit status: 0 if no request is newly refused, 1 if one is (without --against: if any request is refused), 2 if the
    input is not found, none of it can be read, or a class cannot be imported, 130 after Ctrl-C. A line that cannot be
    read is counted and does not change the status. With -o, run the same command again to continue after Ctrl-C.
    """
    try:
        package = import_module("session_fsm.backtest")
        with _Display() as display:
            report: Report = package.backtest(
                recordings,
                kind=kind,
                against=against,
                jobs=jobs,
                engine=engine,
                columns=columns,
                verdicts="all" if every else "changed",
                strict=strict,
                output=output,
                progress=display.show,
            )
    except ModuleNotFoundError as error:
        if "session-fsm[" not in str(error):
            raise
        raise click.ClickException(str(error)) from None
    if html is not None:
        html.write_text(report.html(), encoding="utf-8")
    if as_json:
        click.echo(report.json(), nl=False)
    else:
        _summary(Screen(), report)
        for path in (html, output):
            if path is not None:
                Screen().write(Cell(f"wrote {path}", "quiet"))
    if report.summary["unreadable"] and not report.summary["operations"]:
        return 2
    return 1 if report.is_refusing else 0


class _Display:
    """A progress bar with an estimate on standard error, if that is a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(style="bright_black", complete_style="green"),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal or console.is_dumb_terminal,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def show(self, what: str, done: int, of: int) -> None:
        """Show that *done* of *of* parts are done."""
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(_WORDS.get(what, what))
        self._bar.update(self._tasks[what], completed=done, total=of)


_CHANGES = {
    "newly_refused": ("newly refused", "refused"),
    "newly_allowed": ("newly allowed", "done"),
    "other_reason": ("refused for another reason", "already"),
    "other_state": ("in another state, or with another total", "already"),
}
"""The words for each change, and their style."""


def _summary(screen: Screen, report: Report) -> None:
    """Write the summary for people: what was played, what changed, why, and an example."""
    numbers = report.summary
    compared = f", compared with {_name(numbers['against'])}" if numbers["against"] else ""
    screen.write(Cell(f"{_name(numbers['class'])}{compared}", "title"))
    screen.write(f"{_many(numbers['operations'], 'operation')} of {_many(numbers['sessions'], 'session')} were played.")
    screen.gap()
    if numbers["against"]:
        _changes(screen, report)
    else:
        _refusals(screen, report)
    if numbers["unreadable"]:
        lines = _many(numbers["unreadable"], "line")
        verb = "was" if numbers["unreadable"] == 1 else "were"
        write_error(f"{lines} cannot be read, and {verb} left out; the first:")
        for row in report.unreadable.slice(0, _MOST_ROWS).to_pylist():
            write_error(f"{row['file']}:{row['line']}: {'; '.join(row['reasons'])}")


def _changes(screen: Screen, report: Report) -> None:
    numbers = report.summary
    rows = [
        (
            Cell(f"{change['sessions']:>9,}", style if change["sessions"] else "quiet"),
            f"sessions {words}",
            _worth(change, numbers["sessions"]),
        )
        for (words, style), change in zip(_CHANGES.values(), numbers["changed"].values(), strict=True)
    ]
    for words, number in (
        ("sessions end in another state", numbers["sessionsThatEndElsewhere"]),
        ("operations refused by both", numbers["refusedByBoth"]),
    ):
        rows.append((Cell(f"{number:>9,}", "" if number else "quiet"), words, ""))
    screen.table(rows)
    causes = [row for row in report.changes.to_pylist() if row["role"] == "cause"]
    _reasons(screen, "Why", [(f"{row['trigger']} {_CHANGES[row['change']][0]}", row) for row in causes])
    _example(screen, report)


def _refusals(screen: Screen, report: Report) -> None:
    numbers = report.summary
    refused = numbers["changed"]["refused"]
    screen.table(
        [
            (Cell(f"{numbers['refused']:>9,}", "refused" if numbers["refused"] else "quiet"), "operations refused", ""),
            (Cell(f"{refused['sessions']:>9,}"), "sessions with a refusal", _worth(refused, numbers["sessions"])),
        ]
    )
    _reasons(screen, "Why", [(row["trigger"], row) for row in report.by_code.to_pylist()])
    _example(screen, report)


def _reasons(screen: Screen, title: str, found: list[tuple[str, dict[str, Any]]]) -> None:
    """Write the most frequent reasons, added up over the months."""
    counts: dict[tuple[str, str], int] = {}
    for what, row in found:
        counts[what, row["code"]] = counts.get((what, row["code"]), 0) + row["operations"]
    if not counts:
        return
    screen.gap()
    screen.write(Cell(title, "title"))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    screen.table([(f"{number:>9,}", code, Cell(what, "quiet")) for (what, code), number in ranked[:_MOST_ROWS]])
    if (more := len(ranked) - _MOST_ROWS) > 0:
        screen.write(Cell(f"and {counted(more, 'further reason')}", "quiet"), indent=11)


def _example(screen: Screen, report: Report) -> None:
    """Write the shortest example as a recording, if it is short enough to read."""
    if not report.examples:
        return
    example = report.examples[0]
    words = _CHANGES[example.change][0] if example.change in _CHANGES else "refused"
    screen.gap()
    codes = f" ({', '.join(example.codes)})" if example.codes else ""
    screen.write(Cell(f"The shortest example: {example.trigger} {words}{codes} in {example.session}", "title"))
    lines = example.recording.splitlines()
    for line in lines[:_MOST_ROWS]:
        screen.write(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}...", indent=2)
    if more := len(lines[_MOST_ROWS:]):
        screen.write(Cell(f"and {counted(more, 'further line')}", "quiet"), indent=2)


def _worth(change: dict[str, Any], of: int) -> str:
    if not change["sessions"]:
        return ""
    return f"{100 * change['sessions'] / of:.3g} % of all, worth {_money(change['total'])}"


def _money(total: str) -> str:
    """Return an amount with separators; its digits are all there."""
    whole, dot, rest = total.partition(".")
    return f"{int(whole):,}{dot}{rest}"


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _name(place: str) -> str:
    return place.partition(":")[2]
