"""`Interruptible` lets Ctrl-C end a replay between two lines, so that the output and the summary are complete."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

__all__ = ["Interruptible"]

T = TypeVar("T")


class Interruptible:
    """A context in which the first Ctrl-C lets the current step finish; the second raises at once, as usual."""

    def __init__(self) -> None:
        self.interrupted = False
        """Whether Ctrl-C was pressed."""
        self._waiting = False
        self._before: Any = None

    def __enter__(self) -> Self:
        # Only the main thread may set a handler; a handler that somebody else has set is kept.
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if isinstance(error, KeyboardInterrupt):
            self.interrupted = True
            return True
        return False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._waiting or self.interrupted:
            signal.default_int_handler(number, frame)
        self.interrupted = True

    def each(self, steps: Iterator[T]) -> Iterator[T]:
        """Yield from *steps* until Ctrl-C is pressed; Ctrl-C raises at once while waiting for the next step."""
        while not self.interrupted:
            self._waiting = True
            try:
                step = next(steps)
            except StopIteration:
                return
            finally:
                self._waiting = False
            yield step
