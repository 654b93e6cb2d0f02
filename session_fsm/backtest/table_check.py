"""The check of recorded state changes against the table, as one SQL query.

Whether a state change was legal at all is decided by the table, without the rules. `backtest_sql` writes the question
as a query for a warehouse, and `illegal_changes` runs it in DuckDB over files, without Python for each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.extras import needed
from session_fsm.backtest.sources import Paths, sources
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State

__all__ = ["DIALECTS", "backtest_sql", "illegal_changes"]

DIALECTS = ("duckdb", "postgres", "spark", "bigquery", "snowflake")
"""The dialects that the tests parse the query in. SQLGlot knows more."""

_COLUMNS = {"session": "sessionId", "at": "at", "order": "updateCount", "trigger": "trigger", "state": "target"}
"""The columns of the query, and those of a `SessionEvent` that `session_fsm.wire.dumps` writes."""


def backtest_sql(
    table: str = "events",
    *,
    dialect: str = "duckdb",
    columns: Mapping[str, str | None] | None = None,
    kind: type[CustomerSession] = CustomerSession,
) -> str:
    """Return the query that finds the recorded state changes which the table of *kind* does not allow.

    Its rows have ``session``, ``number`` (of the change within its session, from 1), ``at``, ``source`` (null for the
    first change of a session), ``trigger``, ``target`` and ``reason``.

    Args:
        table: the table of state changes, one row for each. It may be qualified, such as ``shop.events``.
        dialect: the SQL to write; any dialect that SQLGlot knows.
        columns: the columns of the table where they are not those of a `SessionEvent`: ``session``, ``at`` (the time),
            ``order`` (which of two changes of the same time is the first), ``trigger``, and ``state`` (the state after
            the change). ``order`` and ``trigger`` may be None if the table has no such column; without triggers, a change
            is legal if any trigger leads from the one state to the other.
        kind: the class whose table decides.

    Raises:
        BacktestError: the dialect or a column is unknown.
    """
    names = _names(columns)
    query = _query(_identifier(table), names, kind.machine.table)
    if dialect == "duckdb":
        return query
    sqlglot = needed("sqlglot")
    try:
        (written,) = sqlglot.transpile(query, read="duckdb", write=dialect, pretty=True)
    except ValueError as error:  # an unknown dialect
        raise BacktestError(f"{dialect!r} is no dialect of SQLGlot: {error}") from None
    return f"{written}\n"


def illegal_changes(
    events: Paths,
    *,
    columns: Mapping[str, str | None] | None = None,
    kind: type[CustomerSession] = CustomerSession,
) -> Any:
    """Run the query of `backtest_sql` in DuckDB over files of events, and return its rows as a PyArrow table.

    Args:
        events: one or more paths or patterns of events as JSON Lines (also ``.gz`` and ``.zst``) or Parquet.
        columns: as for `backtest_sql`.
        kind: the class whose table decides.

    Raises:
        BacktestError: there is no such file or column, or the files are of both formats.
    """
    names = _names(columns)
    found = sources(events)
    formats = {source.format == "parquet" for source in found}
    if len(formats) > 1 or any(source.format == "store" for source in found):
        raise BacktestError("events are files of one format: JSON Lines or Parquet")
    files = ", ".join(_literal(source.name) for source in found)
    present = {name: column for name, column in names.items() if column is not None}
    if formats == {True}:
        read = f"SELECT * FROM read_parquet([{files}])"  # noqa: S608  # quoted literals
    else:
        kinds = {"at": "TIMESTAMP WITH TIME ZONE", "order": "BIGINT"}
        members = ", ".join(f"{_literal(column)}: '{kinds.get(name, 'VARCHAR')}'" for name, column in present.items())
        read = f"SELECT * FROM read_json([{files}], format = 'newline_delimited', columns = {{{members}}})"  # noqa: S608  # quoted literals
    duckdb = needed("duckdb")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        try:
            connection.execute(f"CREATE VIEW events AS {read}")
            return connection.sql(_query("events", names, kind.machine.table)).to_arrow_table()
        except duckdb.Error as error:
            raise BacktestError(f"the events cannot be read: {str(error).splitlines()[0]}") from None


def _names(columns: Mapping[str, str | None] | None) -> dict[str, str | None]:
    """Return the columns of the table by the names of the query."""
    if unknown := [name for name in columns or {} if name not in _COLUMNS]:
        raise BacktestError(f"{unknown[0]!r} is none of: {', '.join(_COLUMNS)}")
    names = {**_COLUMNS, **(columns or {})}
    if missing := [name for name in ("session", "at", "state") if names[name] is None]:
        raise BacktestError(f"the query needs a column for {missing[0]}")
    return names


def _query(table: str, names: Mapping[str, str | None], rows: Sequence[Row]) -> str:
    """Return the query in the dialect of DuckDB. *table* is quoted already."""
    trigger = names["trigger"] and _identifier(names["trigger"])
    moves = dict.fromkeys((row.source, row.trigger if trigger else None, row.target) for row in rows)
    legal = "\n    UNION ALL\n".join(map(_legal, moves))
    order = ", ".join(_identifier(names[name] or "") for name in ("at", "order") if names[name])
    session, state = _identifier(names["session"] or ""), _identifier(names["state"] or "")
    window = f"(PARTITION BY {session} ORDER BY {order})"
    same_trigger = '\n     AND legal."trigger" = changes."trigger"' if trigger else ""
    triggers = "changes.\"trigger\" || ' does not lead'" if trigger else "'no trigger leads'"
    return f"""WITH legal AS (
{legal}
),
changes AS (
    SELECT
        {session} AS session,
        ROW_NUMBER() OVER {window} AS number,
        {_identifier(names["at"] or "")} AS "at",
        LAG({state}) OVER {window} AS source,
        {trigger or "CAST(NULL AS VARCHAR)"} AS "trigger",
        {state} AS target
    FROM {table}
)
SELECT
    changes.session,
    changes.number,
    changes."at",
    changes.source,
    changes."trigger",
    changes.target,
    COALESCE({triggers}, 'nothing leads') || ' from ' || COALESCE(changes.source, '(new)')
        || ' to ' || COALESCE(changes.target, '(nothing)') AS reason
FROM changes
LEFT JOIN legal
      ON COALESCE(legal.source, '(new)') = COALESCE(changes.source, '(new)')
     AND legal.target = changes.target{same_trigger}
WHERE legal.target IS NULL
ORDER BY changes.session, changes.number
"""  # noqa: S608  # identifiers are quoted, and the rows are those of the table


def _legal(move: tuple[State | None, str | None, State]) -> str:
    source, trigger, target = move
    written = "CAST(NULL AS VARCHAR)" if source is None else _literal(source)
    parts = [f"{written} AS source", f"{_literal(target)} AS target"]
    if trigger is not None:
        parts.insert(1, f'{_literal(trigger)} AS "trigger"')
    return f"    SELECT {', '.join(parts)}"


def _identifier(name: str) -> str:
    """Return *name* quoted; each part of a qualified name for itself."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
