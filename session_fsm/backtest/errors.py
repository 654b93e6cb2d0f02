"""The errors of a backtest.

SessionFSMError
+-- BacktestError        the backtest cannot be run, or cannot be finished
    +-- WorkerLost       a worker process ended before its work was done
"""

from __future__ import annotations

from session_fsm.errors import SessionFSMError

__all__ = ["BacktestError", "WorkerLost"]


class BacktestError(SessionFSMError):
    """The backtest cannot be run, or cannot be finished. There is no report."""


class WorkerLost(BacktestError):
    """A worker process ended before its work was done: it was killed, ran out of memory, or crashed."""
