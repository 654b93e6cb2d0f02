"""``session-fsm diff``: compare two definitions and find dead ends for stored sessions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TypeAlias

import click

from session_fsm.class_loader import class_at
from session_fsm.cli.own import context_option, own_option, own_values
from session_fsm.cli.terminal import Cell, Screen, escaped, padded
from session_fsm.diagrams.model import Diagram
from session_fsm.errors import InvalidValue, WireError
from session_fsm.session import CustomerSession
from session_fsm.testing.analysis.diff import Change, ChangeKind, Differences, diff
from session_fsm.testing.analysis.equivalence import TRIES
from session_fsm.testing.analysis.saved_definition import read_definition

__all__ = ["command"]

Definition: TypeAlias = "type[CustomerSession] | Diagram"

_DEAD_END_STATUS = 3
_STYLES = {
    ChangeKind.ADDED: "done",
    ChangeKind.REMOVED: "refused",
    ChangeKind.TIGHTENED: "refused",
    ChangeKind.LOOSENED: "done",
}


def _definition(_ctx: click.Context, _option: click.Parameter, given: str) -> Definition:
    """Read the file or import the class that *given* names."""
    is_file = ":" not in given and Path(given).exists()
    if is_file or given.endswith(".json"):
        try:
            return read_definition(Path(given).read_bytes())
        except WireError as error:
            raise click.BadParameter(f"{given}: {error}") from None
    try:
        return class_at(given)
    except InvalidValue as error:
        missing = "" if ":" in given else "there is no such file, and "
        raise click.BadParameter(missing + error.problem) from None


@click.command(
    short_help="Compare two definitions, and find dead ends for stored sessions.",
    epilog="""\b
Examples:
  session-fsm diagram --class shop.sessions:ShopSession --format json -o released.json
  session-fsm diff released.json shop.sessions:ShopSession
  session-fsm diff session_fsm:CustomerSession shop.sessions:ShopSession --json""",
)
@click.argument("old", callback=_definition)
@click.argument("new", callback=_definition)
@own_option()
@context_option()
@click.option(
    "--tries",
    type=click.IntRange(1),
    default=TRIES,
    show_default=True,
    help="Number of operation sequences to try for each rule.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(
    *, old: Definition, new: Definition, own: dict[str, Any], context: list[dict[str, Any]], tries: int, as_json: bool
) -> int:
    """Report which transitions and rules NEW adds, removes, changes, tightens or loosens.

    OLD and NEW are session classes, as package.module:Class, or files written by "session-fsm diagram --format json".
    For two classes the command also searches for sessions that one allows and the other refuses, and shows each in
    Python.

    Exit status: 0 if the definitions are equal, 1 if they differ, 2 if a class or file cannot be read, 3 if they differ
    and stored sessions can be at a dead end: their state does not exist any more, no path leads from it to a final
    state, or the rules refuse every transition that leaves it.
    """
    classes = [one for one in (new, old) if isinstance(one, type)]
    own = own_values(own, classes[0]) if classes else own
    found = diff(old, new, own=own, context=context, tries=tries)
    if as_json:
        sys.stdout.write(json.dumps(_document(found), ensure_ascii=True, indent=2) + "\n")
    else:
        _report(found)
    if found.stuck:
        return _DEAD_END_STATUS
    return 1 if found else 0


def _document(found: Differences) -> dict[str, Any]:
    return {
        "changes": [
            {"part": c.part, "name": c.name, "kind": c.kind, "text": c.text, "witness": c.witness or None}
            for c in found.changes
        ],
        "stuck": [{"state": s.state, "text": s.text, "witness": s.witness or None} for s in found.stuck],
    }


def _report(found: Differences) -> None:
    screen = Screen()
    if not found:
        screen.write(Cell("no differences", "done"))
    widths = [max((len(text) for text in texts), default=0) for texts in zip(*map(_names, found.changes), strict=True)]
    for change in found.changes:
        name, kind = (padded(escaped(text), width) for text, width in zip(_names(change), widths, strict=True))
        screen.table([[Cell(name, "title"), Cell(kind, _STYLES.get(change.kind, "already")), change.text]])
        _code(change.witness)
    if found.stuck:
        screen.gap()
        screen.write(Cell("Stored sessions could be at a dead end", "refused"))
        for stuck in found.stuck:
            screen.table([[Cell(stuck.state, "title"), stuck.text]], indent=2)
            _code(stuck.witness)


def _names(change: Change) -> tuple[str, str]:
    return change.name, change.kind


def _code(text: str) -> None:
    for line in text.splitlines():
        sys.stdout.write(f"    {escaped(line)}\n")
