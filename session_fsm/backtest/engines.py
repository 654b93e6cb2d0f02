"""`Engine` is what runs a backtest: on this machine (`LocalEngine`) or on Spark.

Another engine is one class with the method `Engine.rows`. It hands the lines of whole sessions to
`session_fsm.backtest.playing.play`, and brings back what that yields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from session_fsm.backtest.job import Job, Kinds
from session_fsm.backtest.sources import Source

__all__ = ["Engine", "Progress"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""A function that is called with what is done (``read`` or ``play``), how much of it is done, and how much there is."""


class Engine(Protocol):
    """Runs a backtest."""

    def rows(
        self, sources: Sequence[Source], job: Job, kinds: Kinds, folder: Path, progress: Progress
    ) -> Sequence[Path]:
        """Play every session of *sources*, and return Parquet files with what `play` yields, in any order.

        Args:
            sources: what to read.
            job: what to do, in values that can travel to another process.
            kinds: the classes, for an engine that works in this process.
            folder: a directory for the files, which may hold the finished parts of a run that was interrupted.
            progress: called from this process as the work goes on.

        Raises:
            BacktestError: the work cannot be finished.
        """
        ...
