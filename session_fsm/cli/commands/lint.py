"""``session-fsm lint``: report faults in the definition of a session class."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.own import own_option
from session_fsm.cli.terminal import Cell, Screen
from session_fsm.errors import counted
from session_fsm.session import CustomerSession
from session_fsm.testing.analysis.lint import TRIES, Finding, lint

__all__ = ["command"]


@click.command(
    short_help="Find what is wrong with the rules of a session class.",
    epilog="""\b
Examples:
  session-fsm lint --class shop.sessions:ShopSession
  session-fsm lint --class shop.sessions:ShopSession --ignore too_late:depends-on-time
  session-fsm lint --class shop.sessions:ShopSession --json""",
)
@class_option()
@own_option()
@click.option(
    "--tries",
    type=click.IntRange(1),
    default=TRIES,
    show_default=True,
    help="How many sequences of operations to try for each rule.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="[PLACE:]FAULT",
    help="Leave out what is so on purpose, at one place or everywhere. May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(
    *, kind: type[CustomerSession], own: dict[str, Any], tries: int, ignore: tuple[str, ...], as_json: bool
) -> int:
    """Inspect the table of a class, run its rules, and report what is wrong with them.

    It finds states that cannot be reached or left, triggers without a transition, rules that never refuse or that
    refuse only where another rule does, rules on the closing that a session created as closed goes past, rules that
    answer neither True nor False, and rules that are not pure functions: they ask a clock or a random number, or change
    what they are given. It searches for sessions to run the rules on; the search is the same every time.

    Exit status: 0 if nothing is wrong, 1 if something is, 2 if the class cannot be imported.
    """
    findings = lint(kind, own=own, tries=tries, ignore=ignore)
    if as_json:
        document = {"class": f"{kind.__module__}:{kind.__qualname__}", "findings": [_document(f) for f in findings]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        _report(kind, findings)
    return 1 if findings else 0


def _document(finding: Finding) -> dict[str, Any]:
    return {"code": finding.code, "place": finding.place, "reason": finding.reason}


def _report(kind: type[CustomerSession], findings: list[Finding]) -> None:
    screen = Screen()
    if not findings:
        rows, rules = counted(len(kind.machine.table), "row"), counted(len(kind.machine.rules), "rule")
        screen.write(Cell(f"{kind.__name__}: nothing is wrong with {rows} and {rules}", "done"))
    screen.table([[Cell(f.place, "title"), Cell(f.code, "refused"), f.reason] for f in findings])
