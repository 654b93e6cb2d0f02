"""``session-fsm check``: validate JSON documents and report every problem."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.documents import KINDS, Report, check
from session_fsm.cli.json_lines import has_json_lines
from session_fsm.cli.terminal import Screen, escaped, write_error
from session_fsm.errors import Problem, WireError
from session_fsm.session import CustomerSession
from session_fsm.wire.text import MOST_BYTES, parse

__all__ = ["command"]

_FORMER = "answer"
"""The former name of the kind ``response``, which is still accepted."""
_MOST_NOTES = 20
"""The greatest number of notes written for a file; the rest is counted."""


@click.command(
    short_help="Validate JSON documents: sessions, requests, responses, events.",
    epilog="""\b
Examples:
  session-fsm check update.json return.json
  session-fsm check --kind session --strict - < session.json""",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@class_option()
@click.option(
    "--kind",
    "named",
    type=click.Choice([*KINDS, _FORMER]),
    metavar=f"[{'|'.join(KINDS)}]",
    help="The kind of document; by default, it is recognised by its members.",
)
@click.option("--strict", is_flag=True, help="Report unknown members as problems.")
def command(*, files: tuple[str, ...], kind: type[CustomerSession], named: str | None, strict: bool) -> int:
    """Validate documents in Talon.One's JSON. FILE may be - for standard input.

    A document is a session, an update or a return (with or without its wrapper), an event, a response of the API, or an
    error envelope. The command recognises the kind by the members: a response has effects, createdCoupons,
    createdReferrals or previousReturns, or a customerSession with integrationId or created. In a response, the session,
    the returns and an event of this library are validated.

    Each problem is written on its own line, with a JSON pointer. An unknown member is reported as a note, with the
    known name that is most similar; with --strict it is a problem.

    Exit status: 0 if all documents are valid, 1 if any is not, 2 if a file cannot be opened.
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
        report = _check(data, kind, "response" if named == _FORMER else named)
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
        if has_json_lines(data):
            text = "the file has JSON Lines, and check reads one document; session-fsm replay reads recorded requests"
            return Report("", (Problem("", text),))
        return Report("", error.problems)
    return check(document, kind, named)


def _first_notes(notes: tuple[Problem, ...]) -> Iterator[str]:
    yield from map(str, notes[:_MOST_NOTES])
    if len(notes) > _MOST_NOTES:
        yield f"and {len(notes) - _MOST_NOTES} more"
