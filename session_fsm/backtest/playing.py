"""`play` plays sessions through a class, or through two, and returns Arrow batches of verdicts.

Every engine calls it, in every worker, with the lines of whole sessions side by side. One request is applied by
`session_fsm.recording.Recording.play`, as in ``session-fsm replay``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeAlias

from attrs import evolve

from session_fsm.backtest.counters import Change, Example, Group, PartCounters
from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.extras import needed
from session_fsm.backtest.job import Job, Kinds
from session_fsm.errors import Problem, Violation, WireError
from session_fsm.recording import Recording, Request, Result, Snapshot, read_line, trigger_of
from session_fsm.session import CustomerSession
from session_fsm.testing.coverage.counters import RuleName
from session_fsm.validators import is_object
from session_fsm.wire.encoding import encode_value
from session_fsm.wire.text import parse

__all__ = ["LINES", "ROWS", "SUMMARY", "UNREADABLE", "VERDICT", "play", "reader_of"]

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

_BATCH = 4096
"""The greatest number of rows of an output batch."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME = datetime.min.replace(tzinfo=UTC)
"""The time of a request that has none, and none before it that has one."""
_MICROSECOND = timedelta(microseconds=1)

Line: TypeAlias = "tuple[int, int, bytes | None, str | None]"
"""The index of the source, the number of the line, the line, and what is wrong with the source here."""
Step: TypeAlias = "tuple[datetime, int, int, bytes, Request | Snapshot]"
"""A readable line of a session: its time, the index of the source, the number of the line, the line, and the request."""
Row: TypeAlias = "tuple[Any, ...]"


def play(batches: Iterable[Any], job: Job, kinds: Kinds) -> Iterator[Any]:
    """Play the sessions in *batches*, which have the schema `LINES`, and yield batches with the schema `ROWS`.

    The last row is the `SUMMARY`. Memory holds one session at a time.
    """
    player = _Player(job, *kinds)
    for session, lines in _sessions(batches):
        player.session(session, lines)
        if len(player.rows) >= _BATCH:
            yield player.take_batch()
    player.rows.append(_row(SUMMARY, reasons=[player.counters.to_json()]))
    yield player.take_batch()


def _sessions(batches: Iterable[Any]) -> Iterator[tuple[str | None, list[Line]]]:
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
    renaming, strict, named = _renaming(job), job.strict, job.named

    def read(line: bytes | None, source: int) -> Request | Snapshot:
        if source in named and line is not None:
            line = _renamed(line, renaming)
        return read_line(line, strict=strict)

    return read


def _renaming(job: Job) -> dict[str, str]:
    return {theirs: ours for ours, theirs in job.columns.items()}


def _renamed(line: bytes, names: dict[str, str]) -> bytes:
    """Return *line* with the names of a recording. Amounts keep their digits."""
    document = parse(line)
    if not is_object(document):
        return line
    return encode_value({names.get(name, name): value for name, value in document.items()})


class _Player:
    """Plays one session after the other, and collects the rows and the counters."""

    def __init__(self, job: Job, kind: type[CustomerSession], against: type[CustomerSession] | None) -> None:
        self._job, self._kind, self._against = job, kind, against
        self._read = reader_of(job)
        self._months: dict[tuple[int, int], str] = {}
        self._fired: dict[tuple[int, int, int, str], list[Any]] = {}
        self.rows: list[Row] = []
        self._counters = PartCounters()

    @property
    def counters(self) -> PartCounters:
        """What was counted."""
        for counter in self._fired.values():
            key, number = counter
            self._counters.fired[key] += number
        self._fired.clear()
        return self._counters

    def take_batch(self) -> Any:
        """Return the rows as a batch, and forget them."""
        columns = zip(*self.rows, strict=True)
        arrays = [pa.array(column, type=entry.type) for column, entry in zip(columns, ROWS, strict=True)]
        self.rows.clear()
        return pa.record_batch(arrays, schema=ROWS)

    def session(self, session_id: str | None, lines: list[Line]) -> None:
        """Play the lines of one session, ordered by time; lines of the same time keep their order."""
        steps: list[Step] = []
        # A request without a time takes the time of the one before it, so that it keeps its place.
        time = _NO_TIME
        for file, number, data, problem in lines:
            if problem is not None:
                self._unreadable(session_id, file, number, WireError([Problem("", problem)]))
                continue
            try:
                request = self._read(data, file)
            except WireError as error:
                self._unreadable(session_id, file, number, error)
                continue
            if request.session_id != session_id or data is None:
                message = f"{self._job.files[file]}:{number} was assigned to the session {session_id!r}"
                raise BacktestError(f"{message}, but belongs to {request.session_id!r}")
            time = request.time or time
            steps.append((time, file, number, data, request))
        if not steps:
            return
        steps.sort(key=_time_of)
        self._counters.sessions += 1
        if self._against is None:
            self._play(steps, Recording(self._kind))
        else:
            self._compare(steps, Recording(self._kind), Recording(self._against))

    def _play(self, steps: list[Step], recording: Recording) -> None:
        """Play a session through the class."""
        counters, every, number, refused = self._counters, self._job.every, 0, False
        for place, step in enumerate(steps):
            request = step[4]
            if isinstance(request, Snapshot):
                self._restore(step, request, recording)
                continue
            if request.time is None:
                request = _timed(request, step[0])
            try:
                result = recording.play(request)
            except WireError as error:
                self._unreadable(request.session_id, step[1], step[2], error)
                continue
            number += 1
            month = self._month(step[0])
            self._count(result, month)
            if result.violations:
                codes = _codes(result)
                self._offer(Group("refused", result.trigger, codes), steps, place)
                if not refused:
                    refused = True
                    counters.changed["refused",] += 1
                    counters.amount(("refused",), result.total)
            if result.violations or every:
                self.rows.append(self._verdict(number, step, result))
        ended = _state(recording, steps)
        counters.ends[ended, ended] += 1

    def _compare(self, steps: list[Step], recording: Recording, former: Recording) -> None:
        """Play a session through both classes, and compare what they do with each request."""
        counters, every, number, changed = self._counters, self._job.every, 0, False
        for place, step in enumerate(steps):
            request = step[4]
            if isinstance(request, Snapshot):
                self._restore(step, request, recording, former)
                continue
            if request.time is None:
                request = _timed(request, step[0])
            result, problems = _result(recording, request)
            other, other_problems = _result(former, request)
            if problems and other_problems:
                self._unreadable(request.session_id, step[1], step[2], problems)
                continue
            number += 1
            month = self._month(step[0])
            self._count(result, month)
            change = _change(result, other)
            if change is not None:
                codes = _codes(result) or _codes(other)
                for code in codes or ("",):
                    counters.changes[change, result.trigger, code, month, "consequence" if changed else "cause"] += 1
                if not changed:
                    counters.changed[change,] += 1
                    counters.amount((change,), result.total if change is Change.NEWLY_ALLOWED else other.total)
                    self._offer(Group(change, result.trigger, codes), steps, place)
            if change is not None or result.violations or every:
                self.rows.append(self._verdict(number, step, result, other, change, consequence=changed))
            changed = changed or change is not None
        counters.ends[_state(recording, steps), _state(former, steps)] += 1

    def _restore(self, step: Step, snapshot: Snapshot, *recordings: Recording) -> None:
        """Let the session of each recording go on from *snapshot*."""
        try:
            for recording in recordings:
                recording.restore(snapshot, strict=self._job.strict)
        except WireError as error:
            self._unreadable(snapshot.session_id, step[1], step[2], error)
        else:
            self._counters.snapshots += 1

    def _count(self, result: Result, month: str) -> None:
        """Count one request, with the row of the table and the outcomes of rules that it exercised."""
        counters = self._counters
        if result.event is not None:
            source, trigger, target = result.source, result.trigger, result.state
            # The hash of a member of an enumeration is computed in Python, which takes longer than all else here.
            key = (id(source), id(trigger), id(target), month)
            try:
                self._fired[key][1] += 1
            except KeyError:
                self._fired[key] = [(source or "", trigger, target, month), 1]
            return
        counters.others[result.trigger, "refused" if result.violations else "allowed", month] += 1
        for code in _codes(result):
            counters.codes[result.trigger, code, month] += 1
        if (decision := result.decision) is not None and not result.request.dry:
            for check in decision.checks:
                counters.rules[(*RuleName.of(check.rule), check.outcome)] += 1
            if decision.target is None and decision.source is not None:
                counters.missing[decision.source, decision.trigger] += 1

    def _offer(self, group: Group, steps: list[Step], place: int) -> None:
        """Keep the session up to the step at *place* as an example of *group*, if it is the shortest."""
        length, session_id = place + 1, steps[0][4].session_id
        if self._counters.is_shorter(group, length, session_id):
            lines = tuple(self._line(step) for step in steps[:length])
            self._counters.offer(group, Example(length, session_id, lines))

    def _line(self, step: Step) -> str:
        """Return the line of *step* in the format of a recording."""
        data = _renamed(step[3], _renaming(self._job)) if step[1] in self._job.named else step[3]
        return str(data, "utf-8").removeprefix("\ufeff").strip().replace("\r", " ")

    def _unreadable(self, session_id: str | None, file: int, line: int, error: WireError) -> None:
        self._counters.unreadable += 1
        problems = [str(problem) for problem in error.problems[:_MOST_PROBLEMS]]
        self.rows.append(_row(UNREADABLE, session=session_id, file=self._job.files[file], line=line, reasons=problems))

    def _month(self, time: datetime) -> str:
        """Return the month of *time* in UTC, or an empty text if the request has no time."""
        if time.tzinfo is not UTC:
            time = time.astimezone(UTC)
        key = (time.year, time.month)
        month = self._months.get(key)
        if month is None:
            month = self._months[key] = "" if time == _NO_TIME else f"{time.year:04}-{time.month:02}"
        return month

    def _verdict(
        self,
        number: int,
        step: Step,
        result: Result,
        other: Result | None = None,
        change: Change | None = None,
        *,
        consequence: bool = False,
    ) -> Row:
        values: dict[str, Any] = {
            "session": result.request.session_id,
            "number": number,
            "time": None if step[0] is _NO_TIME else (step[0] - _EPOCH) // _MICROSECOND,
            "trigger": result.trigger,
            "dry": result.request.dry,
            "outcome": _outcome(result),
            "codes": _codes(result),
            "reasons": [violation.message for violation in result.violations],
            "state": result.state,
            "total": _digits(result.total),
            "file": self._job.files[step[1]],
            "line": step[2],
        }
        if other is not None:
            values |= {
                "against_outcome": _outcome(other),
                "against_codes": _codes(other),
                "against_state": other.state,
                "against_total": _digits(other.total),
                "change": change,
                "consequence": None if change is None else consequence,
            }
        return _row(VERDICT, **values)


_MOST_PROBLEMS = 20
"""The greatest number of problems of a line that are kept."""
_NAMES = ROWS.names
_time_of = itemgetter(0)


def _row(row: str, **values: Any) -> Row:
    values["row"] = row
    return tuple(map(values.get, _NAMES))


def _timed(request: Request, time: datetime) -> Request:
    """Return *request* at *time*. Without any time it is that of the epoch, so that every run gives the same result."""
    return evolve(request, time=_EPOCH if time is _NO_TIME else time)


def _result(recording: Recording, request: Request) -> tuple[Result, WireError | None]:
    """Apply *request*. A value that the class cannot read is a refusal with the code ``unreadable``, and an error."""
    try:
        return recording.play(request), None
    except WireError as error:
        session = recording.sessions.get(request.session_id)
        state, total = (None, None) if session is None else (session.state, session.total)
        violations = tuple(
            Violation(code="unreadable", message=problem.text, pointer=problem.pointer)
            for problem in error.problems[:_MOST_PROBLEMS]
        )
        result = Result(
            request=request,
            trigger=trigger_of(request, session),
            source=state,
            state=state,
            total=total,
            violations=violations,
        )
        return result, error


def _change(result: Result, other: Result) -> Change | None:
    """Return how *result* differs from *other*, the result of the class that it is compared with."""
    if result.violations:
        if not other.violations:
            return Change.NEWLY_REFUSED
        return None if _codes(result) == _codes(other) else Change.OTHER_REASON
    if other.violations:
        return Change.NEWLY_ALLOWED
    same = result.state is other.state and result.total == other.total
    return None if same else Change.OTHER_STATE


def _codes(result: Result) -> tuple[str, ...]:
    return tuple(sorted({violation.code for violation in result.violations}))


def _outcome(result: Result) -> str:
    if result.violations:
        return "refused"
    return "allowed" if result.request.dry else "applied"


def _state(recording: Recording, steps: list[Step]) -> str:
    session = recording.sessions.get(steps[0][4].session_id)
    return "none" if session is None else session.state


def _digits(total: Decimal | None) -> str | None:
    return None if total is None else format(total, "f")
