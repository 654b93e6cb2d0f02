"""Run the test command in subprocesses, and kill those that take too long or are no longer wanted."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO

from attrs import frozen

__all__ = ["Ended", "Runner", "place_of_pytest", "with_pytest_options"]

_LINES_OF_OUTPUT = 30


def with_pytest_options(command: Sequence[str]) -> list[str]:
    """Return *command*, with options that make pytest stop at the first failure, print little and write no cache."""
    place = place_of_pytest(command)
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


def place_of_pytest(command: Sequence[str]) -> int | None:
    """Return the index of pytest in *command*, or None."""
    return next((at for at, part in enumerate(command) if Path(part).name in ("pytest", "py.test")), None)


@frozen
class Ended:
    """How the command ended."""

    status: int | None
    """The exit status; None after a timeout."""
    output: str


class Runner:
    """Runs the command in subprocesses, and kills them on `stop`."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = with_pytest_options(command)
        self.stopped = False
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()

    def run(self, folder: Path, timeout: float | None) -> Ended:
        """Run the command with *folder* in front of ``PYTHONPATH``, and write its output there."""
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
        return Ended(status, _tail(output))

    @contextmanager
    def _started(self, stream: IO[bytes], environment: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
        with self._lock:
            if self.stopped:
                raise InterruptedError
            process = subprocess.Popen(  # noqa: S603 - the caller gave this command to run
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
        """Kill the processes that run, and start no others."""
        with self._lock:
            self.stopped = True
            for process in tuple(self._running):
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill *process* and its process group, if they still run."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, OSError):  # no process groups on this platform, or the group is gone
        process.kill()


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LINES_OF_OUTPUT:])
