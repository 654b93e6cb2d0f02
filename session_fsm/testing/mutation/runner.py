"""Run a test command on each mutant and compute the mutation score; used by ``session-fsm mutants``.

The command runs once without a mutant and must pass, then once for each mutant, several at a time. A mutant is killed
if the command fails; pytest stops at the first failing test.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve

from session_fsm.errors import SessionFSMError, counted
from session_fsm.session import CustomerSession
from session_fsm.testing.analysis.equivalence import TRIES, compare
from session_fsm.testing.generation.goals import needs_context
from session_fsm.testing.mutation.injection import Injection
from session_fsm.testing.mutation.mutants import Mutant
from session_fsm.testing.mutation.processes import Runner, place_of_pytest, with_pytest_options
from session_fsm.testing.mutation.score import Result, Score, Verdict
from session_fsm.testing.steps import Contexts

__all__ = ["CannotRun", "Result", "Score", "Verdict", "examined", "run_tests", "sampled", "with_pytest_options"]

_NO_TESTS = 5
"""The exit status of pytest where it found no tests."""
_LEAST_TIMEOUT = 30.0
_TIMEOUT_FACTOR = 10.0
"""The timeout of a mutant is the time of the run without one, times this factor, and at least `_LEAST_TIMEOUT` seconds."""


class CannotRun(SessionFSMError):
    """The tests cannot be run on mutants: without a mutant they fail, or there are no tests."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason, output)
        self.reason = reason
        self.output = output
        """The end of what the command wrote."""

    def __str__(self) -> str:
        return self.reason


def sampled(mutants: Sequence[Mutant], size: int) -> list[Mutant]:
    """Return *size* mutants at even distances; the same ones every time."""
    if size >= len(mutants):
        return list(mutants)
    return [mutants[place * len(mutants) // size] for place in range(size)]


def run_tests(
    mutants: Sequence[Mutant],
    command: Sequence[str],
    *,
    jobs: int | None = None,
    timeout: float | None = None,
    seen: Callable[[Result | None], None] = lambda _: None,
) -> Score:
    """Run *command* without a mutant, and then on each of *mutants*.

    `examined` separates the survivors from equivalent mutants.

    Args:
        mutants: the mutants to test.
        command: the test command and its arguments. A nonzero exit status of it means that a test failed. pytest is
            told to stop at the first failing test.
        jobs: how many runs at the same time; default: the number of processors.
        timeout: seconds after which a mutant counts as killed; default: ten times the run without a mutant, at least
            30 seconds.
        seen: called with every result, and with None after the run without a mutant.

    Raises:
        CannotRun: without a mutant, the command fails, cannot start, finds no tests, or does not import the class.
    """
    runner = Runner(command)
    seconds = _run_without(runner, mutants[0].kind) if mutants else 0.0
    seen(None)
    if timeout is None:
        timeout = max(_LEAST_TIMEOUT, _TIMEOUT_FACTOR * seconds)
    results: dict[str, Result] = {}
    interrupted = False
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        futures = [pool.submit(_run_on, runner, mutant, timeout) for mutant in mutants]
        try:
            for future in as_completed(futures):
                result = future.result()
                results[result.mutant.id] = result
                seen(result)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
    in_order = tuple(results[mutant.id] for mutant in mutants if mutant.id in results)
    return Score(in_order, len(mutants), interrupted=interrupted)


def _run_without(runner: Runner, kind: type[CustomerSession]) -> float:
    """Run the tests without a mutant, and return how many seconds they took."""
    began = time.monotonic()
    with _injection(kind, None) as injection:
        try:
            ended = runner.run(injection.folder, None)
        except OSError as error:
            name = runner.command[0]
            hint = f"; write: python -m pytest {name}" if Path(name).exists() else ""
            raise CannotRun(f"{name} cannot be run: {error.strerror}{hint}") from error
        if ended.status == _NO_TESTS and place_of_pytest(runner.command) is not None:
            raise CannotRun("the command finds no tests", ended.output)
        if ended.status:
            raise CannotRun(f"the command fails without any mutant, with exit status {ended.status}", ended.output)
        if not injection.injected:
            raise CannotRun(f"the tests never import {_name_of(kind)}", ended.output)
    return time.monotonic() - began


@contextmanager
def _injection(kind: type[CustomerSession], mutant: Mutant | None) -> Generator[Injection]:
    with tempfile.TemporaryDirectory(prefix="session-fsm-") as folder:
        injection = Injection(Path(folder))
        injection.prepare(kind, mutant)
        yield injection


def _name_of(kind: type[CustomerSession]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _run_on(runner: Runner, mutant: Mutant, timeout: float) -> Result:
    with _injection(mutant.kind, mutant) as injection:
        ended = runner.run(injection.folder, timeout)
        if not injection.injected:
            return Result(
                mutant, Verdict.NOT_TESTED, injection.problem or f"the tests did not import {_name_of(mutant.kind)}"
            )
    match ended.status:
        case None:
            return Result(mutant, Verdict.TIMED_OUT)
        case 0:
            return Result(mutant, Verdict.SURVIVED)
        case _:
            return Result(mutant, Verdict.KILLED)


def examined(
    score: Score,
    *,
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    tries: int = TRIES,
    seen: Callable[[Result], None] = lambda _: None,
) -> Score:
    """Return *score* with a witness for each survivor; a survivor without one becomes equivalent.

    If a rule of the class reads the context and none is given, it stays a survivor, because nothing is known.

    Args:
        score: what `run_tests` returned.
        own: what a creation gives to the fields that the class adds.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        tries: how many stories to try at most on each survivor and on the original.
        seen: called with the result of every survivor.
    """
    results = list(score.results)
    try:
        for place, result in enumerate(results):
            if result.verdict is Verdict.SURVIVED:
                results[place] = _examined(result, own, context, tries)
                seen(results[place])
    except KeyboardInterrupt:
        return evolve(score, results=tuple(results), interrupted=True)
    return evolve(score, results=tuple(results))


def _examined(result: Result, own: Mapping[str, Any] | None, context: Contexts, tries: int) -> Result:
    kind = result.mutant.kind
    found = compare(kind, result.mutant.twin(), own=own, context=context, tries=tries)
    if found.difference is not None:
        return evolve(result, witness=found.difference.code())
    reason = f"no difference in {counted(found.tries, 'try', 'tries')}"
    if not context and (hint := needs_context(kind.machine.rules)):
        return evolve(result, reason=f"{reason}; {hint}")
    return evolve(result, verdict=Verdict.EQUIVALENT, reason=reason)
