"""S-17 to S-21: a backtest of 200,000 operations, or of 500,000 in several processes and on Spark, and as a query.

The sessions are mixed, as recorded traffic is: the operations of ten sessions alternate. That matters, because Python is
a quarter slower where the kind of the operation changes with every line. Where several processes work (S-17, S-19), the
time is wall time.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from shutil import rmtree
from time import perf_counter, process_time
from typing import Any

from benchmarks.plan import Comparison, Measured, Ratio
from benchmarks.subjects.replay import STEPS, body_of

__all__ = ["COMPARISONS"]

_SESSIONS = 20_000
_MANY_SESSIONS = 50_000
"""So many that the start of the processes takes a small part of the time."""
_OPERATIONS = _SESSIONS * len(STEPS)
_TIME = "2026-02-03T04:05:06Z"


def _requests(sessions: int) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Yield the operation, session ID and body of every request; ten sessions are on their way at a time."""
    for turn in range(sessions + len(STEPS) - 1):
        for place, step in enumerate(STEPS):
            number = turn - place
            if 0 <= number < sessions:
                operation = step if step in ("return", "reopen") else "update"
                yield operation, f"order-{number}", body_of(step, number)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="session-fsm-benchmark-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


@cache
def _recording(sessions: int) -> Path:
    """Write the recording of *sessions* and return its path."""
    path = _folder() / f"requests-{sessions}.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for operation, session_id, body in _requests(sessions):
            line = {"operation": operation, "sessionId": session_id, "time": _TIME}
            stream.write(json.dumps(line | ({} if body is None else {"body": body}), separators=(",", ":")) + "\n")
    return path


def _seconds(work: Callable[[], object], clock: Callable[[], float] = process_time) -> float:
    start = clock()
    work()
    return clock() - start


def _backtest(sessions: int, **options: Any) -> int:
    """Run a backtest and return how many operations it played."""
    from session_fsm.backtest import backtest

    operations: int = backtest(_recording(sessions), **options).summary["operations"]
    return operations


def _measured(clock: Callable[[], float] = perf_counter, *, sessions: int = _MANY_SESSIONS, **options: Any) -> Measured:
    _recording(sessions)
    return Measured(
        lambda: _seconds(lambda: _backtest(sessions, **options), clock) / (sessions * len(STEPS)),
        result=lambda: _backtest(100, **options),
    )


JOBS = Comparison(
    "S-17",
    "a backtest in one process and in two",
    area="backtest",
    unit="us per operation",
    ratios=[Ratio("jobs=1", "jobs=2", at_least=1.8)],
    rounds=3,
)


@JOBS.contender("jobs=1", slow=True)
def one_job() -> Measured:
    """Play in this process."""
    return _measured(jobs=1)


@JOBS.contender("jobs=2", slow=True)
def two_jobs() -> Measured:
    """Play in two processes."""
    return _measured(jobs=2)


BARE = Comparison(
    "S-18",
    "a backtest; only read each body and call the verb",
    area="backtest",
    unit="us per operation",
    ratios=[Ratio("loads and verb", "session-fsm backtest", at_least=0.75)],
    rounds=3,
)


@BARE.contender("session-fsm backtest", slow=True)
def backtest_alone() -> Measured:
    """Play in this process."""
    return _measured(process_time, sessions=_SESSIONS, jobs=1)


@BARE.contender("loads and verb", slow=True)
def loads_and_verb() -> Measured:
    """Read the bodies and call the verbs."""
    requests = [
        (operation, session_id, b"" if body is None else json.dumps(body, separators=(",", ":")).encode())
        for operation, session_id, body in _requests(_SESSIONS)
    ]
    return Measured(lambda: _seconds(lambda: _call(requests)) / _OPERATIONS, result=lambda: _call(requests[:1000]))


def _call(requests: list[tuple[str, str, bytes]]) -> int:
    from session_fsm import CustomerSession, SessionUpdate, wire

    sessions: dict[str, Any] = {}
    now = datetime.fromisoformat(_TIME)
    for operation, session_id, body in requests:
        session = sessions.get(session_id)
        if session is None:
            sessions[session_id] = session = CustomerSession.create(
                session_id, wire.loads(body, SessionUpdate), now=now
            )
        elif operation == "update":
            session.put(wire.loads(body, SessionUpdate), now=now)
        elif operation == "return":
            session.return_items(wire.loads(body, wire.ReturnRequest), now=now)
        else:
            session.reopen(now=now)
        session.take_events()
    return len(requests)


SPARK = Comparison(
    "S-19",
    "a backtest in two processes, and on two threads of a local Spark that runs already",
    area="backtest",
    unit="us per operation",
    ratios=[Ratio("jobs=2", "Spark local[2]", at_least=0.5)],
    rounds=3,
)


@SPARK.contender("jobs=2", slow=True)
def two_jobs_again() -> Measured:
    """Play in two processes."""
    return _measured(jobs=2)


@SPARK.contender("Spark local[2]", slow=True)
def on_spark() -> Measured:
    """Play on Spark."""
    from session_fsm.backtest.spark import SparkEngine, local_session

    session = local_session(2)
    atexit.register(session.stop)
    return _measured(engine=SparkEngine(session=session))


TABLE_CHECK = Comparison(
    "S-20",
    "check recorded state changes by one query, or by playing the operations",
    area="backtest",
    unit="us per state change",
    ratios=[Ratio("replay", "query", at_least=50)],
    rounds=3,
)


@cache
def _events(sessions: int) -> Path:
    """Write the events of the recording as Parquet and return the path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from session_fsm import CustomerSession
    from session_fsm.recording import Recording, lines_of, read_request

    recording, events = Recording(CustomerSession), []
    with _recording(sessions).open("rb") as stream:
        for _, line in lines_of(stream):
            event = recording.play(read_request(line)).event
            if event is not None:
                events.append((event.session_id, str(event.trigger), str(event.target), event.at, event.update_count))
    names = ("sessionId", "trigger", "target", "at", "updateCount")
    path = _folder() / f"events-{sessions}.parquet"
    pq.write_table(pa.table(dict(zip(names, zip(*events, strict=True), strict=True))), path)
    return path


@TABLE_CHECK.contender("query", slow=True)
def query() -> Measured:
    """Run the query of `illegal_changes`."""
    from session_fsm.backtest import illegal_changes

    path, few = _events(_SESSIONS), _events(100)
    return Measured(
        lambda: _seconds(lambda: illegal_changes(path)) / _OPERATIONS, result=lambda: illegal_changes(few).num_rows
    )


@TABLE_CHECK.contender("replay", slow=True)
def replay() -> Measured:
    """Play the operations that led to the state changes."""
    from session_fsm import CustomerSession
    from session_fsm.recording import Recording, lines_of, read_request

    def refused(sessions: int) -> int:
        recording, count = Recording(CustomerSession), 0
        with _recording(sessions).open("rb") as stream:
            for _, line in lines_of(stream):
                count += bool(recording.play(read_request(line)).violations)
        return count

    _recording(_SESSIONS)
    return Measured(lambda: _seconds(lambda: refused(_SESSIONS)) / _OPERATIONS, result=lambda: refused(100))


MEMORY = Comparison(
    "S-21",
    "the peak memory of a backtest of 200,000 operations, and of ten times as many",
    area="backtest",
    unit="MB",
    ratios=[Ratio("2,000,000 operations", "200,000 operations", at_most=1.3)],
    rounds=1,
)
_PEAK = """import resource, sys
from session_fsm.backtest import backtest
backtest(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"""


def _peak(sessions: int) -> float:
    """Run a backtest in a process of its own, and return its greatest memory in bytes."""
    command = [sys.executable, "-c", _PEAK, str(_recording(sessions))]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # this interpreter
    return 1024 * float(result.stdout)


@MEMORY.contender("200,000 operations", slow=True)
def some_operations() -> Measured:
    """Play 200,000 operations."""
    return Measured(lambda: _peak(_SESSIONS))


@MEMORY.contender("2,000,000 operations", slow=True)
def ten_times_as_many() -> Measured:
    """Play 2,000,000 operations."""
    return Measured(lambda: _peak(10 * _SESSIONS))


COMPARISONS = [JOBS, BARE, SPARK, TABLE_CHECK, MEMORY]
