"""``session-fsm check``: validate JSON documents and report every problem."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.documents import KINDS, Report, check
from session_fsm.cli.terminal import Screen, escaped, write_error
from session_fsm.errors import Problem, WireError
from session_fsm.session import CustomerSession
from session_fsm.wire.text import MOST_BYTES, parse

__all__ = ["command"]

_MOST_NOTES = 20
"""The greatest number of notes written for a file; the rest is counted."""


@click.command(
    short_help="Check whether sessions, requests, answers and events are valid.",
    epilog="""\b
Examples:
  session-fsm check update.json return.json
  session-fsm check --kind session --strict - < session.json""",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@class_option()
@click.option("--kind", "named", type=click.Choice(list(KINDS)), help="What the files hold; otherwise recognised.")
@click.option("--strict", is_flag=True, help="Refuse members that are not known.")
def command(*, files: tuple[str, ...], kind: type[CustomerSession], named: str | None, strict: bool) -> int:
    """Check whether each FILE holds a valid document in Talon.One's JSON; - is standard input.

    A document is a session, an update or a return (with or without its wrapper), an event, an answer of the API or an
    error envelope. Its members say which: an answer has effects, createdCoupons, createdReferrals or previousReturns,
    or a customerSession with integrationId or created. Of an answer, the session, the returns and an event of this
    library are checked.

    Every problem is written on a line of its own, with a JSON pointer to its place. Members that are not known are
    named in notes, with the known name that they resemble. They do no harm unless --strict is given.

    Exit status: 0 if all are valid, 1 if any is not, 2 if a file cannot be opened.
    """
    screen, status = Screen(), 0
    for name in files:
        shown = escaped("standard input" if name == "-" else name)
        try:
            with click.open_file(name, "rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        except OSError as error:
            write_error(f"{shown}: {error.strerror}")
            status = 2
            continue
        report = _check(data, kind, named)
        problems = report.problems + (report.unknown if strict else ())
        for problem in problems:
            sys.stdout.write(f"{shown}: {screen.style(escaped(str(problem)), 'refused')}\n")
        if not problems:
            sys.stdout.write(f"{shown}: {screen.style(f'valid {KINDS[report.name]}', 'done')}\n")
        for note in _first_notes(report.remarks if strict else report.remarks + report.unknown):
            sys.stdout.write(f"{shown}: {screen.style(escaped(f'note: {note}'), 'already')}\n")
        status = max(status, int(bool(problems)))
    return status


def _check(data: bytes, kind: type[CustomerSession], named: str | None) -> Report:
    if len(data) > MOST_BYTES:
        return Report("", (Problem("", f"the document is larger than {MOST_BYTES:,} bytes"),))
    try:
        document = parse(data)
    except WireError as error:
        return Report("", error.problems)
    return check(document, kind, named)


def _first_notes(notes: tuple[Problem, ...]) -> Iterator[str]:
    yield from map(str, notes[:_MOST_NOTES])
    if len(notes) > _MOST_NOTES:
        yield f"and {len(notes) - _MOST_NOTES} more"
