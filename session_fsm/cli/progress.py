"""What a long run shows while it lasts: a bar on standard error, below the lines that it writes, if any.

There is a bar only where standard error is a terminal, and not where standard output is a pipe: whoever reads the pipe
may write to the same terminal, into the line of the bar.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    FileSizeColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from session_fsm.cli.terminal import complain, escaped

__all__ = ["LONG", "Display", "Tally"]

LONG = 1_000_000
"""From how many bytes of input on a bar is shown; where nobody knows how many there are, from so many read."""
_PERIOD = 0.1
"""How often it moves, in seconds."""


class Display:
    """Takes what a run writes, and keeps it apart from the bar where both are seen on one terminal.

    Args:
        size: how many bytes there are to read; None where nobody knows, and then the bar counts what was read.
    """

    def __init__(self, size: int | None) -> None:
        console = Console(stderr=True)
        self._bar: Progress | None = None
        self._started = False
        if (
            (size is None or size >= LONG)
            and console.is_terminal
            and not console.is_dumb_terminal
            and not _is_pipe(sys.stdout)
        ):
            columns: tuple[ProgressColumn, ...] = (FileSizeColumn(), TextColumn("read"), TimeElapsedColumn())
            if size is not None:
                columns = (
                    TextColumn("{task.percentage:>3.0f} %"),
                    BarColumn(style="bright_black", complete_style="green"),
                    DownloadColumn(),
                    TimeRemainingColumn(),
                )
            self._bar = Progress(
                *columns,
                console=console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.add_task("", total=size)
        # Lines that go to the terminal of the bar wait for the moment at which it moves.
        self._shared = self._bar is not None and _on_terminal(sys.stdout)
        self._waiting: list[str] = []
        self._due = 0.0
        # The bar of a size that nobody knows begins when much was read.
        self._from = LONG if size is None else 0

    def __enter__(self) -> Self:
        if self._bar and not self._from:
            self._start(self._bar)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar and self._started:
            self._release()
            self._bar.stop()

    def write(self, lines: str) -> None:
        """Write to standard output; *lines* end with a line's end."""
        if self._shared and self._started:
            self._waiting.append(lines)
        else:
            sys.stdout.write(lines)

    def complain(self, message: str) -> None:
        """Write one line to standard error."""
        if self._started:
            self._release()
        complain(message)

    def tick(self, position: int) -> None:
        """Let the bar show, if it is time to, that *position* bytes have been read."""
        if self._bar and position >= self._from and (now := time.monotonic()) >= self._due:
            if not self._started:
                self._start(self._bar)
            self._due = now + _PERIOD
            self._release()
            self._bar.update(self._bar.task_ids[0], completed=position)
            self._bar.refresh()

    def _start(self, bar: Progress) -> None:
        sys.stdout.flush()
        bar.start()
        self._started = True

    def _release(self) -> None:
        """Clear the line of the bar, and write what waits."""
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
        sys.stdout.write("".join(self._waiting))
        sys.stdout.flush()
        self._waiting.clear()


def _on_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _is_pipe(stream: TextIO) -> bool:
    """Whether somebody else reads what is written, and may show it on any terminal."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):  # it is no file of the system, as in a test
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class Tally:
    """A bar that counts tasks which take seconds each, and shows what the last news is; on a terminal alone."""

    def __init__(self, total: int) -> None:
        console = Console(stderr=True)
        columns = (MofNCompleteColumn(), BarColumn(complete_style="green"), TextColumn("{task.description}"))
        self._bar = Progress(
            *columns,
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal or console.is_dumb_terminal,
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def tell(self, news: str, *, done: int = 0) -> None:
        """Show *news*, and count so many more tasks as done."""
        self._bar.update(self._task, description=escaped(news), advance=done)
