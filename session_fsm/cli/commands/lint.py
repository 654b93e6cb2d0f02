"""``session-fsm lint``: report faults in the definition of a session class."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.own import context_option, own_option, own_values
from session_fsm.cli.terminal import Cell, Screen
from session_fsm.errors import counted
from session_fsm.session import CustomerSession
from session_fsm.testing.analysis.lint import TRIES, Finding, lint

__all__ = ["command"]


@click.command(
    short_help="Find defects in the rules and the table of a session class.",
    epilog="""\b
Examples:
  session-fsm lint --class shop.sessions:ShopSession
  session-fsm lint --class shop.sessions:ShopSession --ignore too_late:depends-on-time
  session-fsm lint --class shop.sessions:ShopSession --json""",
)
@class_option()
@own_option()
@context_option()
@click.option(
    "--tries",
    type=click.IntRange(1),
    default=TRIES,
    show_default=True,
    help="Number of operation sequences to try for each rule.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="[PLACE:]FAULT",
    help="Do not report this fault: everywhere, or only at PLACE, such as the code of a rule. The first column of the "
    "report is the place, the second the fault. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(
    *,
    kind: type[CustomerSession],
    own: dict[str, Any],
    context: list[dict[str, Any]],
    tries: int,
    ignore: tuple[str, ...],
    as_json: bool,
) -> int:
    """Find defects in the table and the rules of a class.

    Defects of the table: states that cannot be reached or left, triggers without a transition. Defects of rules: a rule
    never refuses, or only where another rule refuses too; it guards closing but not creation as closed; it returns
    something other than True, False or violations; it is not a pure function, because it reads a clock or a random
    number or changes its arguments. The command searches for sessions to run the rules on. The search is deterministic.

    Exit status: 0 if there are no defects, 1 if there are, 2 if the class cannot be imported.
    """
    findings = lint(kind, own=own_values(own, kind), context=context, tries=tries, ignore=ignore)
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
