"""The lines of recordings: grouped by session, and read as requests. `session_fsm.backtest.playing` plays them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from session_fsm.backtest.job import Job
from session_fsm.backtest.rows import LINES
from session_fsm.recording import Request, Snapshot, read_line
from session_fsm.validators import is_object
from session_fsm.wire.encoding import encode_value
from session_fsm.wire.text import parse

__all__ = ["NO_TIME", "Line", "Step", "as_recorded", "reader_of", "sessions_of"]

NO_TIME = datetime.min.replace(tzinfo=UTC)
"""The time of a request that has none, and none before it that has one."""

Line: TypeAlias = "tuple[int, int, bytes | None, str | None]"
"""The index of the source, the number of the line, the line, and what is wrong with the source here."""


class Step(NamedTuple):
    """A readable line of a session."""

    time: datetime
    """The time of the request, or of the last one before it that has a time; otherwise `NO_TIME`."""
    file: int
    """The index of the source."""
    number: int
    """The number of the line."""
    data: bytes
    """The line."""
    request: Request | Snapshot
    """What the line says."""


def sessions_of(batches: Iterable[Any]) -> Iterator[tuple[str | None, list[Line]]]:
    """Yield the lines of each session; lines without a session one by one."""
    current: str | None = None
    lines: list[Line] = []
    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in LINES.names)
        for session, *line in zip(*columns, strict=True):
            if (session != current or session is None) and lines:
                yield current, lines
                lines = []
            current = session
            lines.append(tuple(line))
    if lines:
        yield current, lines


def reader_of(job: Job) -> Callable[[bytes | None, int], Request | Snapshot]:
    """Return the function that reads a line of the source with a given index.

    It raises `WireError` for a line that cannot be read.
    """
    names, strict, named = _names(job), job.strict, job.named

    def read(line: bytes | None, source: int) -> Request | Snapshot:
        if source in named and line is not None:
            line = _renamed(line, names)
        return read_line(line, strict=strict)

    return read


def as_recorded(step: Step, job: Job) -> str:
    """Return the line of *step* in the format of a recording."""
    data = _renamed(step.data, _names(job)) if step.file in job.named else step.data
    return str(data, "utf-8").removeprefix("\ufeff").strip().replace("\r", " ")


def _names(job: Job) -> dict[str, str]:
    """Return the names of a recording by the names of the source's columns."""
    return {theirs: ours for ours, theirs in job.columns.items()}


def _renamed(line: bytes, names: dict[str, str]) -> bytes:
    """Return *line* with the names of a recording. Amounts keep their digits."""
    document = parse(line)
    if not is_object(document):
        return line
    return encode_value({names.get(name, name): value for name, value in document.items()})
