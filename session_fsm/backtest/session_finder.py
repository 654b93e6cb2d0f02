"""`SessionFinder` finds the session of each line, so that the engines can put the lines of a session side by side."""

from __future__ import annotations

from typing import Any

from session_fsm.backtest.extras import needed
from session_fsm.backtest.job import Job
from session_fsm.backtest.lines import reader_of
from session_fsm.backtest.rows import LINES
from session_fsm.errors import WireError

__all__ = ["SessionFinder"]

pa: Any = needed("pyarrow")
duckdb: Any = needed("duckdb")


class SessionFinder:
    """Finds the session of each line.

    DuckDB finds that of most lines. Where it sees none, or one with an escape, `read_line` decides.
    """

    def __init__(self, job: Job) -> None:
        self._read = reader_of(job)
        self._named = job.named
        self._name = job.columns.get("sessionId", "sessionId")
        self._connection: Any = duckdb.connect(config={"threads": 1})

    def batches(self, lines: Any, index: int) -> Any:
        """Return *lines*, a table of lines of the source *index*, as batches with the schema `LINES`."""
        data = lines.column("data")
        sessions = self._found(data, self._name if index in self._named else "sessionId")
        for place, session in enumerate(sessions):
            if session is None:
                sessions[place] = self._session_of(data[place].as_py(), index)
        files = pa.array([index] * len(sessions), pa.int32())
        columns = [pa.array(sessions, pa.string()), files, lines.column("line"), data, lines.column("problem")]
        return pa.table(columns, schema=LINES).to_batches()

    def _found(self, data: Any, name: str) -> list[str | None]:
        """Return the sessions that DuckDB finds in the member *name*."""
        pointer = _literal("/" + name.replace("~", "~0").replace("/", "~1"))
        self._connection.register("given", pa.table({"text": _as_text(data)}))
        query = f"""SELECT CASE WHEN found[1] = '"' AND NOT contains(found, '\\') THEN found[2:-2] END AS session
            FROM (SELECT TRY(json_extract(text, {pointer})::VARCHAR) AS found FROM given)"""  # noqa: S608  # the name is quoted
        sessions: list[str | None] = self._connection.sql(query).to_arrow_table().column("session").to_pylist()
        return sessions

    def _session_of(self, line: bytes | None, index: int) -> str | None:
        """Return the session of a line, or None if the line cannot be read."""
        try:
            return self._read(line, index).session_id
        except WireError:
            return None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _as_text(data: Any) -> Any:
    """Return lines as text, or null where they are not UTF-8."""
    try:
        return data.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_decoded(line) for line in data.to_pylist()], pa.string())


def _decoded(line: bytes | None) -> str | None:
    try:
        return None if line is None else line.decode()
    except UnicodeDecodeError:
        return None
