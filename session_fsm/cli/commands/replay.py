"""``session-fsm replay``: apply recorded API requests to sessions, one by one."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len

from session_fsm.cli.definition import class_option
from session_fsm.cli.interrupts import Interruptible
from session_fsm.cli.json_lines import json_line
from session_fsm.cli.progress import Display
from session_fsm.cli.summary import Summary
from session_fsm.cli.terminal import Cell, Screen, escaped, padded
from session_fsm.converters import timestamp
from session_fsm.errors import WireError, counted
from session_fsm.recording import Recording, Result, Snapshot, lines_of, read_line
from session_fsm.session import CustomerSession

__all__ = ["TextLines", "command", "play"]

_INTERRUPTED = 130
_MOST_NAMED = 20
"""The greatest number of unreadable lines of a file reported on standard error, and of problems of each."""


@click.command(
    short_help="Replay recorded API requests, and show the result of each.",
    epilog="""\b
Members of a line:
  operation  update, return, reopen, or snapshot; an update of an unknown session
             creates it, and the body of a snapshot is a whole session
  sessionId  the integration ID of the session
  body       the body of the request, with or without its wrapper; reopen has none
  time       optional: the time of the request, in RFC 3339; by default the current time
  dry        optional: true for a dry run, which changes nothing
  note       optional: a comment

\b
Example:
  session-fsm replay --quiet requests.jsonl
with these lines in requests.jsonl:
  {"operation": "update", "sessionId": "A", "body": {"couponCodes": ["XMAS"]}}
  {"operation": "update", "sessionId": "A", "body": {"state": "closed"}}
  {"operation": "return", "sessionId": "A", "body": {"returnedCartItems": [{"position": 0}]}}""",
)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
)
@class_option()
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write JSON Lines: a line for each request, and the summary as the last line.",
)
@click.option("-q", "--quiet", is_flag=True, help="Write only the refused requests and the summary.")
@click.option("--strict", is_flag=True, help="Count a line with an unknown member as unreadable.")
def command(*, files: tuple[str, ...], kind: type[CustomerSession], as_json: bool, quiet: bool, strict: bool) -> int:
    """Replay recorded API requests, and show the result of each: what it changed, or why it was refused.

    FILE has JSON Lines, one request per line, of any number of sessions. FILE may be - for standard input.

    Only the sessions are kept in memory: about 0.5 KB for a session and 0.8 KB for each item in its cart, for a
    recording of any length.

    A line that cannot be read is reported on standard error, and the replay continues. After 20 such lines of a file
    the others are only counted; if all of its first 20 lines are unreadable, the rest of the file is skipped. Ctrl-C
    stops the replay and shows the summary.

    Exit status: 0 if all requests were applied, 1 if any was refused, 2 if a line cannot be read, 130 after Ctrl-C.
    """
    summary = play(
        files, Recording(kind), JsonLines() if as_json else TextLines(Screen(), files), quiet=quiet, strict=strict
    )
    if summary.interrupted:
        return _INTERRUPTED
    return 2 if summary.unreadable else 1 if summary.refused else 0


class JsonLines:
    """Formats the output of a replay as JSON Lines."""

    def result(self, name: str, number: int, result: Result) -> str:
        """Return the line for the result of a request."""
        outcome = "refused" if result.violations else "allowed" if result.request.dry else "applied"
        document: dict[str, Any] = {
            "file": name,
            "line": number,
            "sessionId": result.request.session_id,
            "operation": result.request.name,
            "trigger": result.trigger,
            "dry": result.request.dry,
            "outcome": outcome,
            "from": result.source,
            "state": result.state,
            "total": result.total,
        }
        if event := result.event:
            document |= {"event": event.name, "at": timestamp(event.at), "updateCount": event.update_count}
        if result.violations:
            document["already"] = result.already
            document["violations"] = [
                {"code": v.code, "message": v.message, "details": v.details}
                | ({} if v.pointer is None else {"pointer": v.pointer})
                for v in result.violations
            ]
        return json_line(document)

    def unreadable(self, name: str, number: int, error: WireError) -> str:
        """Return the line for a line that cannot be read."""
        problems = [{"pointer": problem.pointer, "text": problem.text} for problem in error.problems]
        return json_line({"file": name, "line": number, "outcome": "unreadable", "problems": problems})

    def summary(self, summary: Summary, recording: Recording) -> None:
        """Write the summary."""
        click.echo(json_line({"summary": summary.document(recording)}), nl=False)


class TextLines:
    """Formats the output of a replay as aligned text, with the reasons below each refusal."""

    def __init__(self, screen: Screen, files: Sequence[str] = ()) -> None:
        self._screen = screen
        # The file whose heading was written last; None if there is only one file, which needs no heading.
        self._last_heading = "" if len(files) > 1 else None
        self._width = 12
        # The column of session IDs leaves room for the longest outcome. On a terminal, a longer ID gets its own line.
        self._greatest_width = 36 if screen.width is None else max(self._width, screen.width - 64)

    def result(self, name: str, number: int, result: Result) -> str:
        """Return the lines for the result of a request."""
        session = escaped(result.request.session_id)
        self._width = max(self._width, min(len(session), self._greatest_width))
        total = "" if result.total is None else f"{result.total:f}"
        if self._screen.width is not None and cell_len(session) > self._width:
            session += f"\n{' ' * (7 + self._width)}"
        else:
            session = padded(session, self._width)
        start = f"{number:>5}  {session}  {result.trigger:<12}  {total:>9}  "
        dry = "dry run: " if result.request.dry else ""
        if not result.violations:
            changed = result.source is not None and result.source is not result.state
            return f"{self._heading(name)}{start}{dry}{f'{result.source} -> ' if changed else ''}{result.state}\n"
        style = self._screen.style
        if result.already:
            refusal = style(f"{dry}refused, already {result.state}", "already")
        else:
            refusal = style(f"{dry}refused", "refused")
        reasons = [
            f"         {line}\n"
            for violation in result.violations
            for line in self._screen.wrapped(escaped(str(violation)), 9)
        ]
        return f"{self._heading(name)}{start}{refusal}\n{''.join(reasons)}"

    def summary(self, summary: Summary, recording: Recording) -> None:
        """Write the summary."""
        self._screen.gap()
        if summary.interrupted:
            self._screen.write(Cell(f"Interrupted after {counted(summary.requests, 'request')}.", "already"))
        self._screen.table(summary.rows(recording))

    def _heading(self, name: str) -> str:
        """Return the file name as a heading before the first line of a file, if there are several files."""
        if self._last_heading is None or self._last_heading == name:
            return ""
        self._last_heading = name
        return self._screen.style(escaped(_display_name(name)), "title") + "\n"


def play(
    files: Sequence[str],
    recording: Recording,
    lines: JsonLines | TextLines,
    *,
    quiet: bool = False,
    strict: bool = False,
) -> Summary:
    """Apply every line of *files* to the sessions of *recording*, write the results, and return the summary."""
    summary = Summary()
    sizes = [_size(name) for name in files]
    done = 0
    with Display(None if None in sizes else sum(filter(None, sizes))) as display, Interruptible() as run:
        for name in files:
            unreadable = _UnreadableLines(_display_name(name), display)
            with click.open_file(name, "rb") as stream:
                for number, line in run.each(lines_of(stream)):
                    result = None
                    try:
                        request = read_line(line, strict=strict)
                        if isinstance(request, Snapshot):
                            recording.restore(request, strict=strict)
                        else:
                            result = recording.play(request)
                    except WireError as error:
                        summary.unreadable += 1
                        if isinstance(lines, JsonLines):
                            display.write(lines.unreadable(name, number, error))
                        unreadable.add(number, error)
                        if unreadable.no_recording:
                            break
                    else:
                        unreadable.any_readable = True
                        if result is None:
                            summary.snapshots += 1
                        else:
                            summary.count(result)
                            if result.violations or not quiet:
                                display.write(lines.result(name, number, result))
                    done += len(line or b"")
                    display.tick(done)
            unreadable.end()
    summary.interrupted = run.interrupted
    lines.summary(summary, recording)
    return summary


class _UnreadableLines:
    """Reports the lines of one file that cannot be read on standard error."""

    def __init__(self, name: str, display: Display) -> None:
        self._name = name
        self._display = display
        self._count = 0
        self.any_readable = False
        """Whether any line of the file can be read."""

    @property
    def no_recording(self) -> bool:
        """Whether none of the first `_MOST_NAMED` lines can be read, so that the rest of the file is skipped."""
        return not self.any_readable and self._count == _MOST_NAMED

    def add(self, number: int, error: WireError) -> None:
        """Report a line and its problems, or only count it after `_MOST_NAMED` lines."""
        self._count += 1
        if self._count > _MOST_NAMED:
            return
        for problem in error.problems[:_MOST_NAMED]:
            self._display.write_error(f"{self._name}:{number}: {problem}")
        if more := len(error.problems[_MOST_NAMED:]):
            self._display.write_error(f"{self._name}:{number}: and {counted(more, 'further problem')}")

    def end(self) -> None:
        """Report how many more lines cannot be read, or that the rest of the file was skipped."""
        if self.no_recording:
            self._display.write_error(
                f"{self._name}: none of the first {_MOST_NAMED} lines can be read, so this is no recording; "
                "the rest of it is skipped"
            )
        elif self._count > _MOST_NAMED:
            more = counted(self._count - _MOST_NAMED, "further line")
            self._display.write_error(f"{self._name}: {more} cannot be read")


def _display_name(name: str) -> str:
    return "standard input" if name == "-" else name


def _size(name: str) -> int | None:
    """Return the size of the file *name* in bytes, or None if it is not a regular file."""
    if name == "-":
        return None
    status = Path(name).stat()
    return status.st_size if stat.S_ISREG(status.st_mode) else None
