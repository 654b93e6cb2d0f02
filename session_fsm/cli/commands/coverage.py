"""``session-fsm coverage``: merge the coverage data of several test runs and report it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.own import context_option
from session_fsm.cli.terminal import escaped, write_error
from session_fsm.errors import WireError
from session_fsm.session import CustomerSession
from session_fsm.testing.coverage.recorder import Recorder
from session_fsm.testing.coverage.report import FORMATS, report, report_file, summary

__all__ = ["command"]


@click.command(
    short_help="Report which transitions and rule outcomes your tests exercised.",
    epilog="""\b
Examples:
  pytest -p session_fsm.testing.plugin --session-fsm-data counts
  session-fsm coverage counts --class shop.sessions:ShopSession --fail-under 100
  session-fsm coverage counts --format html -o coverage.html""",
)
@click.argument("places", metavar="FILE_OR_DIR...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@class_option(multiple=True)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    default="term",
    show_default=True,
    help="The format of the report.",
)
@click.option(
    "--fail-under",
    "minimum",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with status 1 if the coverage is below this.",
)
@click.option(
    "--without-subclasses",
    is_flag=True,
    help="Do not count sessions of subclasses for a class.",
)
@context_option()
@click.option(
    "-o",
    "output",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write to this file. With several classes, a format for one class, such as svg, writes a file for each class; "
    "the name of the class is added to the name of the file.",
)
def command(
    *,
    places: tuple[str, ...],
    kinds: tuple[type[CustomerSession], ...],
    format_name: str,
    minimum: float | None,
    without_subclasses: bool,
    context: list[dict[str, Any]],
    output: str | None,
) -> int:
    """Merge the coverage data of one or several test runs and report it.

    A FILE is written by the pytest plugin with --session-fsm-data or as a json report, or by Recorder.to_json; it may be
    - for standard input. Of a DIR, all .json files are read. The report lists the transitions and the outcomes of rules
    that no test exercised, each with an example to paste into a test. --class may be repeated.

    Exit status: 0 on success, 1 if the coverage is below --fail-under, 2 if a file cannot be read.
    """
    recorder = sum(map(_read, _files(places)), Recorder())
    coverages = [recorder.of(kind, including_subclasses=not without_subclasses, context=context) for kind in kinds]
    if output in (None, "-"):
        sys.stdout.write(report(recorder.counters(), coverages, format_name))
    else:
        for path, contents in report_file(output or "", coverages, format_name):
            path.write_bytes(report(recorder.counters(), contents, format_name).encode())
            sys.stdout.write(escaped(f"wrote {path}") + "\n")
    low = [coverage for coverage in coverages if minimum is not None and coverage.percent < minimum]
    for coverage in low:
        write_error(f"{summary(coverage)}, and {minimum:g} % is required")
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
