"""The rows that `session_fsm.backtest.playing.play` takes and gives, as schemas of Arrow, and how a result becomes a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from session_fsm.backtest.counters import Change
from session_fsm.backtest.extras import needed
from session_fsm.recording import Result

__all__ = ["EPOCH", "LINES", "ROWS", "SUMMARY", "UNREADABLE", "VERDICT", "Row", "codes_of", "row_of", "verdict_of"]

pa: Any = needed("pyarrow")

LINES = pa.schema(
    [
        ("session", pa.string()),
        ("file", pa.int32()),
        ("line", pa.int64()),
        ("data", pa.binary()),
        ("problem", pa.string()),
    ]
)
"""The input of `play`: the integration ID (null if the line cannot be read), the index of the source, the number of the
line, the line itself (null if it is too long), and what is wrong with the source at this line (null if nothing is). The
lines of a session stand together, by file and line."""

ROWS = pa.schema(
    [
        ("row", pa.string()),
        ("session", pa.string()),
        ("number", pa.int64()),
        ("time", pa.int64()),
        ("trigger", pa.string()),
        ("dry", pa.bool_()),
        ("outcome", pa.string()),
        ("codes", pa.list_(pa.string())),
        ("reasons", pa.list_(pa.string())),
        ("state", pa.string()),
        ("total", pa.string()),
        ("against_outcome", pa.string()),
        ("against_codes", pa.list_(pa.string())),
        ("against_state", pa.string()),
        ("against_total", pa.string()),
        ("change", pa.string()),
        ("consequence", pa.bool_()),
        ("file", pa.string()),
        ("line", pa.int64()),
    ]
)
"""The output of `play`. The column ``row`` says what a row is: `VERDICT`, `UNREADABLE` (its problems are in ``reasons``),
or `SUMMARY` (a `PartCounters` as JSON is the only element of ``reasons``). Times are microseconds since 1970."""

VERDICT = "verdict"
"""A row for an operation."""
UNREADABLE = "unreadable"
"""A row for a line that cannot be read."""
SUMMARY = "summary"
"""The row with the counts of a partition."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAMES = ROWS.names

Row: TypeAlias = "tuple[Any, ...]"
"""The values of a row, in the order of `ROWS`."""


def row_of(row: str, **values: Any) -> Row:
    """Return a row of the kind *row* with these values, and nulls."""
    values["row"] = row
    return tuple(map(values.get, _NAMES))


def verdict_of(
    result: Result,
    other: Result | None = None,
    change: Change | None = None,
    *,
    number: int,
    time: datetime | None,
    file: str,
    line: int,
    consequence: bool = False,
) -> Row:
    """Return the row of a request: its *result*, and with a class to compare with, the *other* result and the *change*."""
    values: dict[str, Any] = {
        "session": result.request.session_id,
        "number": number,
        "time": None if time is None else (time - EPOCH) // _MICROSECOND,
        "trigger": result.trigger,
        "dry": result.request.dry,
        "outcome": _outcome(result),
        "codes": codes_of(result),
        "reasons": [violation.message for violation in result.violations],
        "state": result.state,
        "total": _digits(result.total),
        "file": file,
        "line": line,
    }
    if other is not None:
        values |= {
            "against_outcome": _outcome(other),
            "against_codes": codes_of(other),
            "against_state": other.state,
            "against_total": _digits(other.total),
            "change": change,
            "consequence": None if change is None else consequence,
        }
    return row_of(VERDICT, **values)


def codes_of(result: Result) -> tuple[str, ...]:
    """Return the codes for which a request was refused, each once, in alphabetical order."""
    return tuple(sorted({violation.code for violation in result.violations}))


def _outcome(result: Result) -> str:
    if result.violations:
        return "refused"
    return "allowed" if result.request.dry else "applied"


def _digits(total: Decimal | None) -> str | None:
    return None if total is None else format(total, "f")
