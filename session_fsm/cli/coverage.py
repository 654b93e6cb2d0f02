"""``session-fsm coverage``: what the tests of several processes exercised together."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.terminal import complain, escaped
from session_fsm.errors import WireError
from session_fsm.session import CustomerSession
from session_fsm.testing.recording import Recorder
from session_fsm.testing.report import FORMATS, report, report_file, summary

__all__ = ["command"]


@click.command(
    short_help="Merge and report what tests exercised of a session class.",
    epilog="""\b
Examples:
  pytest -p session_fsm.testing.plugin --session-fsm-data counts
  session-fsm coverage counts --class shop.sessions:ShopSession --fail-under 100
  session-fsm coverage counts --format html -o coverage.html""",
)
@click.argument("places", metavar="FILE_OR_DIR...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@class_option(multiple=True)
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), default="term", show_default=True, help="What to make of it."
)
@click.option(
    "--fail-under", "bar", type=click.FloatRange(0, 100), metavar="PERCENT", help="End with 1 if it is less than this."
)
@click.option(
    "--without-subclasses",
    is_flag=True,
    help="Count for a class only what its own sessions did, and not those of its subclasses.",
)
@click.option(
    "-o",
    "output",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write into this file; into one for each class, named after it, where a format holds but one.",
)
def command(
    *,
    places: tuple[str, ...],
    kinds: tuple[type[CustomerSession], ...],
    format_name: str,
    bar: float | None,
    without_subclasses: bool,
    output: str | None,
) -> int:
    """Add up what was recorded in each FILE, and in each .json file of each DIR; - is standard input.

    The files are those that the pytest plugin writes with --session-fsm-data, that it reports as json, and that
    Recorder.to_json returns. Which rows, and which outcomes of which rules, no test exercised is named, with an
    example for each to paste into a test. --class may be repeated.

    Exit status: 0 if all is well, 1 if less than --fail-under was exercised, 2 if a file cannot be read.
    """
    recorder = sum(map(_read, _files(places)), Recorder())
    coverages = [recorder.of(kind, including_subclasses=not without_subclasses) for kind in kinds]
    if output in (None, "-"):
        sys.stdout.write(report(recorder.tallies(), coverages, format_name))
    else:
        for path, of in report_file(output or "", coverages, format_name):
            path.write_bytes(report(recorder.tallies(), of, format_name).encode())
            sys.stdout.write(escaped(f"wrote {path}") + "\n")
    low = [coverage for coverage in coverages if bar is not None and coverage.percent < bar]
    for coverage in low:
        complain(f"{summary(coverage)}, and {bar:g} % is required")
    return 1 if low else 0


def _files(places: Iterable[str]) -> Iterator[str]:
    for place in places:
        if place == "-" or not Path(place).is_dir():
            yield place
        elif found := sorted(Path(place).glob("*.json")):
            yield from map(str, found)
        else:
            raise click.ClickException(f"{place} holds no .json file")


def _read(name: str) -> Recorder:
    with click.open_file(name, "rb") as stream:
        data = stream.read()
    try:
        return Recorder.from_json(data)
    except WireError as error:
        raise click.ClickException(f"{'standard input' if name == '-' else name}: {error}") from error
