"""The mutation score of a definition: which of its mutants the tests of a service notice.

A test command is run as it is, and must pass; then once for each mutant, several at a time. A mutant is killed when
the command fails; the first failing test is enough.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import IO, Any

from attrs import evolve, field, frozen

from session_fsm.errors import SessionFSMError, counted
from session_fsm.session import CustomerSession
from session_fsm.testing.analysis.equivalence import TRIES, compare
from session_fsm.testing.mutation.injection import Plot
from session_fsm.testing.mutation.mutants import Mutant

__all__ = ["CannotRun", "Result", "Score", "Verdict", "examined", "prepared", "run_tests", "sampled"]

_NO_TESTS = 5
"""The exit status of pytest where it found no tests."""
_LINES_OF_OUTPUT = 30
_LEAST_TIMEOUT = 30.0
_TIMEOUT_FACTOR = 10.0
"""A mutant gets so many times the time that the tests need without one, and `_LEAST_TIMEOUT` seconds at least."""


class CannotRun(SessionFSMError):
    """The tests cannot tell anything about mutants: without one they fail, or there are none."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason, output)
        self.reason = reason
        self.output = output
        """The end of what the command wrote."""

    def __str__(self) -> str:
        return self.reason


class Verdict(StrEnum):
    """What came of the tests of a mutant."""

    KILLED = "killed"
    """A test failed."""
    TIMED_OUT = "timed out"
    """The tests did not come to an end; that is a kill, too."""
    SURVIVED = "survived"
    """No test noticed."""
    EQUIVALENT = "equivalent"
    """No test noticed, and a search found nothing that there would be to notice."""
    NOT_TESTED = "not tested"
    """The tests ran without the mutant, so they say nothing about it."""


@frozen
class Result:
    """A mutant and what came of its tests."""

    mutant: Mutant
    verdict: Verdict
    reason: str = ""
    """Why a mutant was not tested, or what speaks for its being equivalent."""
    witness: str = ""
    """Of a survivor: Python that behaves otherwise under the mutant, to make a test of."""


@frozen
class Score:
    """The results of all mutants that were tested, in the order of the mutants."""

    results: tuple[Result, ...]
    planned: int
    """How many mutants there were to test."""
    interrupted: bool = field(default=False, kw_only=True)

    def of(self, *verdicts: Verdict) -> tuple[Result, ...]:
        """Return the results with one of these verdicts."""
        return tuple(result for result in self.results if result.verdict in verdicts)

    @property
    def killed(self) -> tuple[Result, ...]:
        """The mutants that the tests noticed."""
        return self.of(Verdict.KILLED, Verdict.TIMED_OUT)

    @property
    def survivors(self) -> tuple[Result, ...]:
        """The mutants that no test noticed although there is something to notice."""
        return self.of(Verdict.SURVIVED)

    @property
    def percent(self) -> float:
        """How many of a hundred mutants were killed, of those that are not equivalent and were tested; 100 of none."""
        judged = len(self.killed) + len(self.survivors)
        return 100.0 * len(self.killed) / judged if judged else 100.0


def sampled(mutants: Sequence[Mutant], size: int) -> list[Mutant]:
    """Return *size* of the mutants, evenly from the first to the last; the same ones every time."""
    if size >= len(mutants):
        return list(mutants)
    return [mutants[place * len(mutants) // size] for place in range(size)]


def prepared(command: Sequence[str]) -> list[str]:
    """Return *command* with what lets pytest stop at the first failing test, say little, and write no files."""
    place = _place_of_pytest(command)
    if place is None:
        return list(command)
    given = command[place + 1 :]
    wanted: list[str] = []
    if not any(part in ("-x", "--exitfirst") or part.startswith("--maxfail") for part in given):
        wanted.append("-x")
    if not any(part.startswith("-q") or part == "--quiet" for part in given):
        wanted.append("-q")
    if "no:cacheprovider" not in given and "-pno:cacheprovider" not in given:
        wanted += ["-p", "no:cacheprovider"]
    return [*command[: place + 1], *wanted, *given]


def _place_of_pytest(command: Sequence[str]) -> int | None:
    """Return where *command* names pytest as what is run: at its beginning, or behind what runs it."""
    return next((at for at, part in enumerate(command) if Path(part).name in ("pytest", "py.test")), None)


@frozen
class _Ended:
    status: int | None
    """The exit status; None where the time was up."""
    output: str


class _Runner:
    """Runs the command, and ends what it runs when it is told to stop."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = prepared(command)
        self.stopped = False
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()

    def run(self, folder: Path, timeout: float | None) -> _Ended:
        """Run the command with what is in *folder*, which gets its output too."""
        places = filter(None, (str(folder), os.environ.get("PYTHONPATH")))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
        output = folder / "output"
        with output.open("wb") as stream, self._started(stream, environment) as process:
            try:
                status: int | None = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
                _kill(process)
                process.wait()
        return _Ended(status, _tail(output))

    @contextmanager
    def _started(self, stream: IO[bytes], environment: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
        with self._lock:
            if self.stopped:
                raise InterruptedError
            process = subprocess.Popen(  # noqa: S603 - to run this command is what the caller asks for
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            yield process
        finally:
            _kill(process)
            process.wait()
            self._running.discard(process)

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            for process in tuple(self._running):
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End *process* and what it has started, if anything of it is left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, OSError):  # there are no groups of processes here, or nothing is left of this one
        process.kill()


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LINES_OF_OUTPUT:])


def run_tests(
    mutants: Sequence[Mutant],
    command: Sequence[str],
    *,
    jobs: int | None = None,
    timeout: float | None = None,
    seen: Callable[[Result | None], None] = lambda _: None,
) -> Score:
    """Run *command* without a mutant, and then on each of *mutants*.

    Whether there was anything to notice about the survivors says `examined`.

    Args:
        mutants: whom to test.
        command: the test command and its arguments. A nonzero exit status of it means that a test failed. pytest is
            told to stop at the first failing test.
        jobs: how many run at the same time; as many as there are processors, unless given.
        timeout: seconds after which a mutant counts as killed; ten times as long as the tests need without one, and
            half a minute at least, unless given.
        seen: called with every result when it is there, and with None after the run without a mutant.

    Raises:
        CannotRun: without a mutant the command fails, cannot be started, finds no tests, or never imports the class.
    """
    runner = _Runner(command)
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


def _run_without(runner: _Runner, kind: type[CustomerSession]) -> float:
    """Run the tests with *kind* as it is, and return how many seconds they took."""
    began = time.monotonic()
    with _plotted(kind, None) as plot:
        try:
            ended = runner.run(plot.folder, None)
        except OSError as error:
            raise CannotRun(f"{runner.command[0]} cannot be run: {error.strerror}") from error
        if ended.status == _NO_TESTS and _place_of_pytest(runner.command) is not None:
            raise CannotRun("the command finds no tests", ended.output)
        if ended.status:
            raise CannotRun(f"the command fails without any mutant, with exit status {ended.status}", ended.output)
        if not plot.planted:
            raise CannotRun(f"the tests never import {_name_of(kind)}", ended.output)
    return time.monotonic() - began


@contextmanager
def _plotted(kind: type[CustomerSession], mutant: Mutant | None) -> Generator[Plot]:
    with tempfile.TemporaryDirectory(prefix="session-fsm-") as folder:
        plot = Plot(Path(folder))
        plot.prepare(kind, mutant)
        yield plot


def _name_of(kind: type[CustomerSession]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _run_on(runner: _Runner, mutant: Mutant, timeout: float) -> Result:
    with _plotted(mutant.kind, mutant) as plot:
        ended = runner.run(plot.folder, timeout)
        if not plot.planted:
            return Result(
                mutant, Verdict.NOT_TESTED, plot.problem or f"the tests did not import {_name_of(mutant.kind)}"
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
    tries: int = TRIES,
    seen: Callable[[Result], None] = lambda _: None,
) -> Score:
    """Return *score* in which every survivor has a witness, or else counts as equivalent.

    Args:
        score: what `run_tests` returned.
        own: what a creation gives to the fields that the class adds.
        tries: how many stories are tried on a survivor and on the original at most.
        seen: called with the result of every survivor when it is there.
    """
    results = list(score.results)
    try:
        for place, result in enumerate(results):
            if result.verdict is Verdict.SURVIVED:
                results[place] = _examined(result, own, tries)
                seen(results[place])
    except KeyboardInterrupt:
        return evolve(score, results=tuple(results), interrupted=True)
    return evolve(score, results=tuple(results))


def _examined(result: Result, own: Mapping[str, Any] | None, tries: int) -> Result:
    kind = result.mutant.kind
    found = compare(kind, result.mutant.twin(), own=own, tries=tries)
    if found.difference is not None:
        return evolve(result, witness=found.difference.code())
    return evolve(result, verdict=Verdict.EQUIVALENT, reason=f"no difference in {counted(found.tries, 'try', 'tries')}")
