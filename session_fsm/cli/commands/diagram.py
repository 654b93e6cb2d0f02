"""``session-fsm diagram``: draw a session class in any format, or write and check a directory of diagrams."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.diagram_files import DiagramFiles, format_of, suffix_of
from session_fsm.cli.json_lines import has_json_lines
from session_fsm.cli.now import now_option
from session_fsm.cli.terminal import Screen, escaped, write_error
from session_fsm.diagrams import DETAILS, Detail, Format, formats, render
from session_fsm.errors import WireError
from session_fsm.events import SessionEvent
from session_fsm.recording import lines_of
from session_fsm.session import CustomerSession
from session_fsm.wire import loads
from session_fsm.wire.text import MOST_BYTES

__all__ = ["command"]

T = TypeVar("T")
_FILE = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)
_FOLDER = click.Path(file_okay=False, path_type=Path)
# The style of a line of a unified diff, by its first character.
_STYLES = {"+": "done", "-": "refused", "@": "quiet"}


@click.command(
    short_help="Render the state diagram of a session class or of a session.",
    epilog="""\b
Examples:
  session-fsm diagram > states.mmd
  session-fsm diagram --session order.json -o order.svg
  session-fsm diagram --class shop.sessions:ShopSession --write diagrams/shop
  session-fsm diagram --class shop.sessions:ShopSession --check diagrams/shop""",
)
@click.option(
    "--format",
    "format_name",
    metavar="FORMAT",
    help=f"One of {', '.join(formats())}, or a format that the module of the class registers. By default, that of "
    "the suffix of the file of -o, or mermaid.",
)
@class_option()
@click.option(
    "--session", "session_file", type=_FILE, help="A session in JSON: mark its state and the allowed triggers."
)
@click.option(
    "--events",
    "events_file",
    type=_FILE,
    help="Events as JSON Lines, oldest first: number the transitions that they made.",
)
@now_option(
    "The time at which the rules judge the --session, such as 2026-09-14T09:12:00Z; by default the current time. It is "
    "in the diagram."
)
@click.option(
    "--detail",
    type=click.Choice(DETAILS),
    default="full",
    show_default=True,
    help="With all rules and events, or only states and triggers.",
)
@click.option("--title", help="The title; by default the name of the class.")
@click.option(
    "-o",
    "output",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write to this file instead of standard output.",
)
@click.option(
    "--write", "written", type=_FOLDER, metavar="DIR", help="Write the diagram in all formats to this directory."
)
@click.option(
    "--check", "checked", type=_FOLDER, metavar="DIR", help="Check that DIR has the files that --write would write."
)
def command(
    *,
    kind: type[CustomerSession],
    format_name: str | None,
    session_file: str | None,
    events_file: str | None,
    now: datetime | None,
    detail: Detail,
    title: str | None,
    output: str | None,
    written: Path | None,
    checked: Path | None,
) -> int:
    """Render the state diagram of a session class: states, transitions, and the rules that guard them.

    The diagram is written to standard output. --write creates in DIR a file for each format, a small SVG with only
    states and triggers, and a README.md. DIR should have no other files. A file that this command did not write is
    never overwritten: the command reports it and writes nothing. FILE may be - for standard input.

    Exit status: 0 on success, 1 if --check finds that a file in DIR is missing, differs, or does not belong to the
    diagram, 2 if a file cannot be read or must not be overwritten.
    """
    if now and not session_file:
        raise click.UsageError("--now goes with --session")
    folder = written or checked
    if folder is None:
        session = _read(session_file, kind) if session_file else None
        events = _read_events(events_file) if events_file else []
        text = render(
            kind, _format(format_name, output), session=session, events=events, now=now, detail=detail, title=title
        )
        _write_output(text, output)
        return 0
    if (written and checked) or format_name or session_file or events_file or output:
        raise click.UsageError("--write and --check go with --class, --detail and --title alone")
    expected = DiagramFiles.of(kind, detail=detail, title=title)
    return _write_files(folder, expected) if written else _check_files(folder, expected)


def _format(name: str | None, output: str | None) -> Format:
    """Return the format that *name* or the suffix of the file *output* names; without both, Mermaid."""
    if name is not None and name not in formats():
        raise click.BadParameter(f"there is no format '{name}'; there are {', '.join(formats())}")
    suffix = Path(output or "").suffix
    meant = format_of(suffix)
    if name and meant and name != meant:
        raise click.BadParameter(
            f"{output} has the suffix of {meant}, and --format is {name}; leave out --format, or name the file *{suffix_of(name)}"
        )
    if suffix and not name and not meant:
        known = ", ".join(map(suffix_of, formats()))
        raise click.BadParameter(f"no format has the suffix {suffix}; use one of {known}, or give --format")
    return Format(name or meant or "mermaid")


def _write_output(text: str, output: str | None) -> None:
    if output in (None, "-"):
        sys.stdout.write(text)
    else:
        Path(output or "").write_bytes(text.encode())


def _read(name: str, kind: type[T]) -> T:
    with click.open_file(name, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if has_json_lines(data):
        raise click.ClickException(f"{_display_name(name)}: the file has JSON Lines; --events reads the events in it")
    return _load(data, kind, _display_name(name))


def _read_events(name: str) -> list[SessionEvent]:
    with click.open_file(name, "rb") as stream:
        return [_load(line, SessionEvent, f"{_display_name(name)}:{number}") for number, line in lines_of(stream)]


def _load(data: bytes | None, kind: type[T], place: str) -> T:
    if data is None:
        raise click.ClickException(f"{place}: the line is longer than {MOST_BYTES:,} bytes")
    try:
        return loads(data, kind)
    except WireError as error:
        raise click.ClickException(f"{place}: {error}") from error


def _display_name(name: str) -> str:
    return "standard input" if name == "-" else name


def _write_files(folder: Path, expected: DiagramFiles) -> int:
    if foreign := expected.foreign(folder):
        for name in foreign:
            write_error(
                f"{folder / name} was not written by this command and is not overwritten; move it, or choose another DIR"
            )
        return 2
    expected.write(folder)
    sys.stdout.write(escaped(f"{folder}: wrote {len(expected.texts)} files") + "\n")
    for name in expected.superfluous(folder):
        write_error(f"{folder / name} is no file of this diagram; --check will report it")
    return 0


def _check_files(folder: Path, expected: DiagramFiles) -> int:
    if nested := expected.nested(folder):
        write_error(f"{folder} has no file of this diagram; did you mean {nested}?")
        return 1
    screen = Screen()
    differences = list(expected.differences(folder))
    for line in differences:
        sys.stdout.write(screen.style(escaped(line), _STYLES.get(line[:1], "")) + "\n")
    if differences:
        write_error(f"{folder} is not current; run the same command with --write instead of --check")
        return 1
    sys.stdout.write(escaped(f"{folder}: {len(expected.texts)} files are current") + "\n")
    return 0
