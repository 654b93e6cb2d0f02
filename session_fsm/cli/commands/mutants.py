"""``session-fsm mutants``: mutation testing of a session class."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.own import context_option, own_option, own_values
from session_fsm.cli.progress import ProgressBar
from session_fsm.cli.terminal import Cell, Screen, escaped, write_error
from session_fsm.errors import counted
from session_fsm.session import CustomerSession
from session_fsm.testing.mutation.mutants import Mutant, MutantKind, mutants
from session_fsm.testing.mutation.runner import CannotRun, Result, Score, Verdict, examined, run_tests, sampled

__all__ = ["command"]

_QUICK = 12
"""The number of mutants that ``--quick`` tests."""
_INTERRUPTED = 130


def _changes(_ctx: click.Context, _option: click.Parameter, given: str | None) -> tuple[MutantKind, ...]:
    if given is None:
        return tuple(MutantKind)
    names = [name.strip() for name in given.split(",")]
    if unknown := [name for name in names if name not in set(MutantKind)]:
        raise click.BadParameter(f"there is no kind '{unknown[0]}'; there are {', '.join(MutantKind)}")
    return tuple(map(MutantKind, names))


@click.command(
    context_settings={"allow_interspersed_args": False},  # what follows COMMAND belongs to it, also without "--"
    short_help="Mutation testing: find changes of the definition that tests miss.",
    epilog="""\b
Examples:
  session-fsm mutants --class shop.sessions:ShopSession -- pytest tests/rules
  session-fsm mutants --class shop.sessions:ShopSession --added -- pytest tests/rules
  session-fsm mutants --quick --json mutants.json -- python -m pytest tests
  session-fsm mutants --list --kinds drop-rule,change-limit""",
)
@click.argument("test_command", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED)
@class_option()
@click.option(
    "--kinds",
    "changes",
    metavar="KIND,...",
    callback=_changes,
    help=f"Which kinds of mutants to test: {', '.join(MutantKind)}.",
)
@click.option("--added", is_flag=True, help="Test mutants only of the rules that the class itself adds.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Test only N mutants, chosen evenly.")
@click.option("--quick", is_flag=True, help=f"The same as --sample {_QUICK}.")
@click.option("--list", "listed", is_flag=True, help="List the mutants and do not test them.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Number of mutants tested at the same time; by default, one per processor.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Stop the tests after this time and count the mutant as killed; by default, ten times the time without a "
    "mutant.",
)
@own_option()
@context_option()
@click.option(
    "--json",
    "output",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Also write a JSON report.",
)
def command(
    *,
    test_command: tuple[str, ...],
    kind: type[CustomerSession],
    changes: tuple[MutantKind, ...],
    added: bool,
    sample: int | None,
    quick: bool,
    listed: bool,
    jobs: int | None,
    timeout: float | None,
    own: dict[str, Any],
    context: list[dict[str, Any]],
    output: str | None,
) -> int:
    """Run COMMAND, which runs your tests, once for each mutant of the class.

    A mutant is the definition with one change of a rule, a limit or a transition. No file is changed: a mutant exists
    only in the memory of the processes that COMMAND starts. It is killed if COMMAND fails. pytest stops at the first
    failing test. For each mutant that survives, the report has the change, and Python for the missing test. A mutant
    that behaves as the original in every session that a search tries counts as equivalent and is not part of the score.

    Exit status: 0 if all mutants are killed, 1 if any survives, 2 if the tests cannot run, fail without a mutant, or do
    not import the class, 130 after Ctrl-C.
    """
    found = mutants(kind, changes, added=added)
    if sample or quick:
        found = sampled(found, sample or _QUICK)
    if listed:
        Screen().table([[Cell(mutant.id, "title"), mutant.text] for mutant in found])
        return 0
    if not test_command:
        raise click.UsageError("give the command that runs the tests, after --")
    try:
        score = _run(found, test_command, jobs, timeout, own_values(own, kind), context)
    except CannotRun as problem:
        sys.stderr.writelines(f"{escaped(line)}\n" for line in problem.output.splitlines())
        write_error(str(problem))
        return 2
    _report(kind, score, Screen())
    if output:
        _write(_document(kind, score), output)
    if score.interrupted:
        return _INTERRUPTED
    if score.of(Verdict.NOT_TESTED):
        return 2
    return 1 if score.survivors else 0


def _run(
    found: Sequence[Mutant],
    test_command: Sequence[str],
    jobs: int | None,
    timeout: float | None,
    own: dict[str, Any],
    context: list[dict[str, Any]],
) -> Score:
    with ProgressBar(len(found)) as bar:
        verdicts: Counter[Verdict] = Counter()

        def show(result: Result | None) -> None:
            if result is None:
                bar.show("the tests pass without a mutant")
                return
            verdicts[result.verdict] += 1
            bar.show(", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items())), done=1)

        bar.show("running the tests without a mutant")
        score = run_tests(found, test_command, jobs=jobs, timeout=timeout, seen=show)
        if score.interrupted:
            return score
        bar.show(f"searching for the tests that {counted(len(score.survivors), 'survivor')} would fail")
        return examined(score, own=own, context=context)


def _report(kind: type[CustomerSession], score: Score, screen: Screen) -> None:
    for result in score.of(Verdict.NOT_TESTED):
        screen.write(Cell(f"{result.mutant.id} could not be tested: {result.reason}", "refused"))
    if score.survivors:
        screen.write(Cell("No test fails when", "title"))
        for result in score.survivors:
            screen.gap()
            screen.table([[Cell(f"- {result.mutant.text}", "refused"), Cell(f"[{result.mutant.id}]", "quiet")]])
            if result.witness:
                screen.write("This would fail:", indent=4)
                for line in result.witness.splitlines():
                    sys.stdout.write(f"        {escaped(line)}\n")
            elif result.reason:
                screen.write(f"No test was found: {result.reason}", indent=4)
        screen.gap()
    if equivalent := score.of(Verdict.EQUIVALENT):
        screen.write(Cell("Equivalent, as far as a search can tell, and so left out of the score", "title"))
        screen.table(
            [[f"- {r.mutant.text}", Cell(f"[{r.mutant.id}]", "quiet"), Cell(r.reason, "quiet")] for r in equivalent]
        )
        screen.gap()
    if score.interrupted:
        screen.write(Cell(f"Interrupted after {len(score.results)} of {counted(score.planned, 'mutant')}.", "already"))
    style = "refused" if score.survivors else "done"
    screen.write(Cell(f"{kind.__name__}: {_summary(score)}", style))


def _summary(score: Score) -> str:
    counts = {verdict: len(score.of(verdict)) for verdict in Verdict}
    parts = [f"{number} {verdict}" for verdict, number in counts.items() if number]
    return f"{score.percent:.1f} % of the mutants killed ({', '.join(parts) or 'there were none'})"


def _document(kind: type[CustomerSession], score: Score) -> dict[str, Any]:
    return {
        "class": f"{kind.__module__}:{kind.__qualname__}",
        "percent": round(score.percent, 1),
        "planned": score.planned,
        "interrupted": score.interrupted,
        "mutants": [
            {
                "id": result.mutant.id,
                "kind": result.mutant.change,
                "text": result.mutant.text,
                "verdict": result.verdict,
                "reason": result.reason or None,
                "witness": result.witness or None,
            }
            for result in score.results
        ],
    }


def _write(document: dict[str, Any], output: str) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if output == "-":
        sys.stdout.write(text)
    else:
        Path(output).write_text(text, encoding="utf-8")
