"""``session-fsm check``: whether documents are valid, and every problem of those that are not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from attrs import fields

from session_fsm.cli.definition import class_option
from session_fsm.cli.terminal import Screen, complain, escaped
from session_fsm.errors import Problem, WireError
from session_fsm.events import SessionEvent
from session_fsm.scalars import is_object, wire_name
from session_fsm.session import CustomerSession
from session_fsm.values import SessionUpdate
from session_fsm.wire import ReturnRequest, structure
from session_fsm.wire.text import MOST_BYTES, parse

__all__ = ["command"]

_KINDS: Mapping[str, Any] = {
    "session": CustomerSession,
    "update": SessionUpdate,
    "return": ReturnRequest,
    "event": SessionEvent,
}
_A_SESSION_HAS = {"integrationId", "created", "updated"}
_KNOWN = {"customerSession", *(wire_name(attribute.name) for attribute in fields(CustomerSession))}


@click.command(
    short_help="Check whether sessions, updates and returns are valid.",
    epilog="""\b
Examples:
  session-fsm check update.json return.json
  session-fsm check --kind session --strict - < session.json""",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@class_option()
@click.option("--kind", "named", type=click.Choice(list(_KINDS)), help="What the files hold, instead of a guess.")
@click.option("--strict", is_flag=True, help="Refuse fields that are not known.")
def command(*, files: tuple[str, ...], kind: type[CustomerSession], named: str | None, strict: bool) -> int:
    """Check whether each FILE is a valid session, update, return or event in Talon.One's JSON; - is standard input.

    What a file holds is guessed from its members: a wrapper, returnedCartItems, or what only a session or an event
    has. Every problem is written on a line of its own, with a JSON pointer to its place.

    Exit status: 0 if all are valid, 1 if any is not, 2 if a file cannot be opened.
    """
    screen, status = Screen(), 0
    for name in files:
        shown = escaped("standard input" if name == "-" else name)
        try:
            with click.open_file(name, "rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        except OSError as error:
            complain(f"{shown}: {error.strerror}")
            status = 2
            continue
        try:
            found = _read(data, kind, named, strict=strict)
        except WireError as error:
            for problem in error.problems:
                sys.stdout.write(f"{shown}: {screen.style(escaped(str(problem)), 'refused')}\n")
            status = max(status, 1)
        else:
            sys.stdout.write(f"{shown}: {screen.style(f'valid {found}', 'done')}\n")
    return status


def _read(data: bytes, kind: type[CustomerSession], named: str | None, *, strict: bool) -> str:
    """Read a document and return which kind it is of."""
    if len(data) > MOST_BYTES:
        raise WireError([Problem("", f"the document is larger than {MOST_BYTES:,} bytes")])
    document = parse(data)
    name = named or _guess(document)
    if named is None and name == "update" and is_object(document) and document and not document.keys() & _KNOWN:
        raise WireError([Problem("", "no member of it is known: it is no session, update, return or event")])
    structure(document, kind if name == "session" else _KINDS[name], strict=strict)
    return name


def _guess(document: Any) -> str:
    """Say what *document* most likely is: an update, unless something in it speaks for another kind."""
    if not is_object(document):
        return "update"
    if "return" in document or "returnedCartItems" in document:
        return "return"
    if "trigger" in document and "sessionId" in document:
        return "event"
    inside = document.get("customerSession")
    if is_object(inside):
        # A request, unless it is an answer of the API, which holds the session whole.
        return "session" if inside.keys() >= _A_SESSION_HAS else "update"
    return "session" if document.keys() & _A_SESSION_HAS else "update"
