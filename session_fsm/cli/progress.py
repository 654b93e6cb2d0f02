"""Progress bars on standard error: `Display` for a replay, `ProgressBar` for mutants.

A bar is shown only if standard error is a terminal, and a replay shows none if standard output is a pipe: the reader of
the pipe may write to the same terminal, into the line of the bar.
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

from session_fsm.cli.terminal import escaped, write_error

__all__ = ["LONG", "Display", "ProgressBar"]

LONG = 1_000_000
"""The least number of input bytes for which a bar is shown; of an input of unknown size, the bytes read."""
_PERIOD = 0.1
"""The time between two updates of the bar, in seconds."""


class Display:
    """Writes the output of a run above a progress bar, if both are on one terminal.

    Args:
        size: the number of bytes to read; None if it is unknown, and then the bar counts the bytes read.
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
        # Lines for the terminal of the bar are buffered until the next update of the bar.
        self._buffers = self._bar is not None and _is_terminal(sys.stdout)
        self._buffer: list[str] = []
        self._next_update = 0.0
        # With an unknown size the bar starts after LONG bytes.
        self._start_at = LONG if size is None else 0

    def __enter__(self) -> Self:
        if self._bar and not self._start_at:
            self._start(self._bar)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar and self._started:
            self._flush()
            self._bar.stop()

    def write(self, lines: str) -> None:
        """Write *lines*, which end with a line break, to standard output."""
        if self._buffers and self._started:
            self._buffer.append(lines)
        else:
            sys.stdout.write(lines)

    def write_error(self, message: str) -> None:
        """Write one line to standard error."""
        if self._started:
            self._flush()
        write_error(message)

    def tick(self, position: int) -> None:
        """Update the bar to *position* bytes, at most once per `_PERIOD`."""
        if self._bar and position >= self._start_at and (now := time.monotonic()) >= self._next_update:
            if not self._started:
                self._start(self._bar)
            self._next_update = now + _PERIOD
            self._flush()
            self._bar.update(self._bar.task_ids[0], completed=position)
            self._bar.refresh()

    def _start(self, bar: Progress) -> None:
        sys.stdout.flush()
        bar.start()
        self._started = True

    def _flush(self) -> None:
        """Clear the line of the bar, and write the buffered lines."""
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
        sys.stdout.write("".join(self._buffer))
        sys.stdout.flush()
        self._buffer.clear()


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _is_pipe(stream: TextIO) -> bool:
    """Whether *stream* is a pipe or a socket, so that another program reads it."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):  # not a file of the operating system, as in a test
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class ProgressBar:
    """A bar that counts tasks and shows a message; only on a terminal."""

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

    def show(self, message: str, *, done: int = 0) -> None:
        """Show *message*, and count *done* more tasks as done."""
        self._bar.update(self._task, description=escaped(message), advance=done)
