"""``session-fsm drift``: compare a downloaded description of the API with a session class."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.terminal import Cell, Screen
from session_fsm.drift import KNOWN, Difference, DifferenceKind, drift
from session_fsm.errors import InvalidValue, WireError
from session_fsm.session import CustomerSession
from session_fsm.wire.text import parse

__all__ = ["command"]

_STYLES = {DifferenceKind.NEW: "done", DifferenceKind.GONE: "refused", DifferenceKind.DIFFERENT: "already"}


@click.command(
    short_help="Compare an OpenAPI description of the API with a session class.",
    epilog="""\b
Examples:
  session-fsm drift openapi.yaml
  session-fsm drift openapi.json --class shop.sessions:ShopSession --json
  session-fsm drift openapi.yaml --ignore session/coupon --ignore update/state:enum""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@class_option()
@click.option(
    "--ignore",
    multiple=True,
    metavar="PLACE[:FACT]",
    help="Do not report the differences at this place, such as session/coupon, or only that of one fact, such as "
    "update/state:enum. FACT is what differs: member, type, format, enum, required, or a limit such as maxLength. May "
    "be repeated.",
)
@click.option("--all", "everything", is_flag=True, help="Also report the known differences, which are intended.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(
    *, file: Path, kind: type[CustomerSession], ignore: tuple[str, ...], everything: bool, as_json: bool
) -> int:
    """Report what is new, missing or different in FILE, an OpenAPI description of the Integration API.

    The command compares sessions, updates, returns and errors: their members, types, limits, enumerations and required
    members. A place in the report is the kind of document and the member; "*" means each element of a list or map.
    FILE is YAML, or JSON if its suffix is .json.

    Exit status: 0 if there is no difference, 1 if there is, 2 if FILE cannot be read or the class cannot be imported.
    """
    try:
        found = drift(_description(file), kind)
    except InvalidValue as error:
        raise click.ClickException(f"{file}: {error}") from None
    shown = [one for one in found if (everything or (one.place, one.fact) not in KNOWN) and not _is_in(one, ignore)]
    if as_json:
        sys.stdout.write(json.dumps({"differences": [*map(_document, shown)]}, indent=2) + "\n")
    else:
        _report(kind, shown)
    return 1 if shown else 0


def _description(file: Path) -> Any:
    """Read and parse the file.

    Raises:
        InvalidValue: it is not JSON, or not YAML.
    """
    text = file.read_bytes()
    if file.suffix == ".json":
        try:
            return parse(text, None)
        except WireError as error:
            raise InvalidValue.of(error.problems) from None
    try:
        yaml = import_module("yaml")
    except ModuleNotFoundError:
        problem = "YAML is read with PyYAML, which is not installed: pip install 'session-fsm[cli]', or give JSON"
        raise InvalidValue("", problem) from None
    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise InvalidValue("", f"it is not YAML: {' '.join(str(error).split())}") from None


def _is_in(one: Difference, ignored: tuple[str, ...]) -> bool:
    return one.place in ignored or f"{one.place}:{one.fact}" in ignored


def _document(one: Difference) -> dict[str, Any]:
    return {
        "place": one.place,
        "kind": one.kind,
        "fact": one.fact,
        "text": one.text,
        "pointer": one.pointer,
        "known": KNOWN.get((one.place, one.fact)),
    }


def _report(kind: type[CustomerSession], shown: list[Difference]) -> None:
    screen = Screen()
    if not shown:
        screen.write(Cell(f"{kind.__name__} knows everything that is described", "done"))
    rows: list[list[Any]] = []
    for one in shown:
        reason = KNOWN.get((one.place, one.fact))
        text = f"{one.text} (on purpose: {reason})" if reason else one.text
        rows.append([Cell(one.place, "title"), Cell(f"{one.kind} {one.fact}", _STYLES[one.kind]), text])
    screen.table(rows)
