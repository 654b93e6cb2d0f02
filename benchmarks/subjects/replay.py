"""S-12: the replay of 200,000 operations on 20,000 sessions, compared with reading each body and calling the verb.

The command also reads the line around the body, finds the session, creates a result, and counts. A second comparison
measures the memory that the sessions use.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.plan import Comparison, Measured, Ratio

__all__ = ["COMPARISONS", "STEPS", "body_of"]

_SESSIONS, _OPERATIONS = 20_000, 10
STEPS = ("create", "update", "coupon", "close", "reopen", "update", "close", "return", "return", "cancel")
"""What happens to each session."""


def body_of(step: str, number: int) -> dict[str, Any] | None:
    """Return the body of the request that is *step* of the session *number*, or None if it has none."""
    match step:
        case "create" | "update":
            skus = (f"TEA-{number % 97}", f"CUP-{number % 89}", f"POT-{number % 83}")
            cart = [{"sku": sku, "quantity": 3, "price": 9.75 + index} for index, sku in enumerate(skus)]
            return {"profileId": f"cust-{number}", "cartItems": cart}
        case "coupon":
            return {"couponCodes": ["LENT-10"], "attributes": {"City": "Gent"}}
        case "close":
            return {"state": "closed"}
        case "return":
            return {"returnedCartItems": [{"position": 0, "quantity": 1}]}
        case "cancel":
            return {"state": "cancelled"}
        case _:
            return None


def _requests(sessions: int) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Yield the operation, session ID and body of every request: all sessions take each step before the next."""
    for step in STEPS:
        operation = step if step in ("return", "reopen") else "update"
        for number in range(sessions):
            yield operation, f"order-{number}", body_of(step, number)


_TIME = "2026-02-03T04:05:06Z"


def _lines(sessions: int) -> Iterator[str]:
    for operation, session_id, body in _requests(sessions):
        line = {"operation": operation, "sessionId": session_id, "time": _TIME}
        yield json.dumps(line | ({} if body is None else {"body": body}), separators=(",", ":")) + "\n"


def _replay(sessions: int) -> tuple[float, Any, int]:
    """Replay a recording; return the seconds, the summary, and the growth of the process in bytes."""
    import click  # noqa: F401 - imported before the measurement, because its memory does not count

    from session_fsm import CustomerSession
    from session_fsm.cli.commands.replay import JsonLines, play
    from session_fsm.recording import Recording

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests.jsonl"
        with file.open("w", encoding="utf-8") as stream:
            stream.writelines(_lines(sessions))
        recording, written = Recording(CustomerSession), io.StringIO()
        before, start = _resident(), process_time()
        with contextlib.redirect_stdout(written):
            summary = play([str(file)], recording, JsonLines(), quiet=True)
        seconds = process_time() - start
        return seconds, summary.document(recording), _resident() - before


def _resident() -> int:
    """Return the resident memory of the process in bytes, or 0 if the system does not report it."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.exists() else 0


def _read_and_call(sessions: int) -> tuple[float, Any]:
    """Read each body and call the verb; return the seconds and the states of the sessions."""
    from session_fsm import CustomerSession, SessionUpdate, wire

    requests = [
        (operation, session_id, b"" if body is None else json.dumps(body, separators=(",", ":")).encode())
        for operation, session_id, body in _requests(sessions)
    ]
    sessions_by_id: dict[str, Any] = {}
    now = datetime.fromisoformat(_TIME)
    start = process_time()
    for operation, session_id, body in requests:
        session = sessions_by_id.get(session_id)
        if session is None:
            session = CustomerSession.create(session_id, wire.loads(body, SessionUpdate), now=now)
            sessions_by_id[session_id] = session
        elif operation == "update":
            session.put(wire.loads(body, SessionUpdate), now=now)
        elif operation == "return":
            session.return_items(wire.loads(body, wire.ReturnRequest), now=now)
        else:
            session.reopen(now=now)
        session.take_events()
    seconds = process_time() - start
    return seconds, {session.state for session in sessions_by_id.values()}


REPLAY = Comparison(
    "S-12a",
    "replay a recording with the command; only read each body and call the verb",
    area="backtest",
    unit="us per operation",
    ratios=[Ratio("session-fsm replay", "loads and verb", at_most=2)],
    rounds=3,
)
_PIECES = _SESSIONS * _OPERATIONS


@REPLAY.contender("session-fsm replay", slow=True)
def replay() -> Measured:
    """Replay the recording as the command does."""
    return Measured(lambda: _replay(_SESSIONS)[0] / _PIECES, result=lambda: _replay(10)[1]["sessions"]["cancelled"])


@REPLAY.contender("loads and verb", slow=True)
def read_and_call() -> Measured:
    """Read the bodies and call the verbs."""

    def result() -> int:
        _, states = _read_and_call(10)
        return 10 if states == {"cancelled"} else 0

    return Measured(lambda: _read_and_call(_SESSIONS)[0] / _PIECES, result=result)


MEMORY = Comparison(
    "S-12b",
    "the memory of a session during a replay",
    area="backtest",
    unit="bytes per session",
    ratios=[Ratio("session-fsm replay", at_most=1500)],
    rounds=1,
)


@MEMORY.contender("session-fsm replay", slow=True)
def memory() -> Measured:
    """Replay the recording and measure the growth of the process."""
    return Measured(lambda: _replay(_SESSIONS)[2] / _SESSIONS)


COMPARISONS = [REPLAY, MEMORY]
