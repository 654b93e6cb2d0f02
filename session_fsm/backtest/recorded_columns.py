"""A recording as a table, such as a Parquet file: `line_of_columns` makes a line of the columns, in SQL of DuckDB."""

from __future__ import annotations

from collections.abc import Mapping

from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.job import MEMBERS

__all__ = ["line_of_columns"]

_TEXT = {"VARCHAR", "JSON", "BLOB"}
_TIMES = {"VARCHAR", "TIMESTAMP WITH TIME ZONE"}


def line_of_columns(columns: Mapping[str, str], types: Mapping[str, str], name: str) -> str:
    """Return the SQL that makes a line of a recording of the columns of a table.

    Args:
        columns: the names of columns that are not those of a recording.
        types: the type of each column of the table, in the words of DuckDB.
        name: the name of the table, for messages.

    Raises:
        BacktestError: a column is missing, or has a type in which a body or a time is not exact.
    """
    names = {member: columns.get(member, member) for member in MEMBERS}
    present = {member: column for member, column in names.items() if column in types}
    if missing := [names[member] for member in ("operation", "sessionId") if member not in present]:
        raise BacktestError(f"{name}: there is no column {missing[0]}; the columns are: {', '.join(types)}")
    for member, allowed, hint in (
        ("body", _TEXT, "write it as JSON text, in which amounts keep their digits"),
        ("time", _TIMES, "write times with their time zone"),
    ):
        kind = types[present[member]] if member in present else "VARCHAR"
        if kind not in allowed:
            raise BacktestError(f"{name}: the column {present[member]} has the type {kind:.40}; {hint}")
    values = (f"'\"{member}\":' || {_value(member, column, types[column])}" for member, column in present.items())
    return "'{' || " + " || ',' || ".join(values) + " || '}'"


def _value(member: str, column: str, kind: str) -> str:
    """Return the SQL that writes a column as JSON."""
    value = '"' + column.replace('"', '""') + '"'
    if kind == "BLOB":
        value = f"TRY(decode({value}))"
    if kind == "TIMESTAMP WITH TIME ZONE":
        value = f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    text = f"to_json({value})::VARCHAR"
    if member == "body":  # what is not JSON becomes a string, which cannot be read, and cannot change the line
        text = f"CASE WHEN json_valid({value}::VARCHAR) THEN {value}::VARCHAR ELSE {text} END"
    return f"coalesce({text}, 'null')"
