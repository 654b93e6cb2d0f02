"""Backtest a session class: play recorded requests through it, and see what it refuses, and what has changed.

For example::

    from session_fsm.backtest import backtest

    report = backtest("recordings/*.jsonl", kind=NewShop, against=OldShop, jobs=4)
    report.refused, report.by_code, report.changed  # PyArrow tables
    report.html(), report.json()

`backtest` runs on one machine, in as many processes as it is told to, or on Apache Spark. `backtest_sql` writes the
check of recorded state changes against the table as one query, and `illegal_changes` runs it in DuckDB.

The extra ``backtest`` installs DuckDB and PyArrow, the extra ``spark`` also PySpark.
"""

from session_fsm.backtest.counters import Change
from session_fsm.backtest.engines import Engine
from session_fsm.backtest.errors import BacktestError, WorkerLost
from session_fsm.backtest.local import LocalEngine
from session_fsm.backtest.report import Report
from session_fsm.backtest.run import backtest
from session_fsm.backtest.table_check import backtest_sql, illegal_changes

__all__ = [
    "BacktestError",
    "Change",
    "Engine",
    "LocalEngine",
    "Report",
    "WorkerLost",
    "backtest",
    "backtest_sql",
    "illegal_changes",
]
