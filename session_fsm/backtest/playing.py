"""`play` plays sessions through a class, or through two, and returns Arrow batches of verdicts.

Every engine calls it, in every worker, with the lines of whole sessions side by side. One request is applied by
`session_fsm.recording.Recording.play`, as in ``session-fsm replay``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from attrs import evolve

from session_fsm.backtest.counters import Change, Example, Group, PartCounters
from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.extras import needed
from session_fsm.backtest.job import Job, Kinds
from session_fsm.backtest.lines import NO_TIME, Line, Step, as_recorded, reader_of, sessions_of
from session_fsm.backtest.rows import (
    EPOCH,
    LINES,
    ROWS,
    SUMMARY,
    UNREADABLE,
    VERDICT,
    Row,
    codes_of,
    row_of,
    verdict_of,
)
from session_fsm.errors import Problem, Violation, WireError
from session_fsm.recording import Recording, Request, Result, Snapshot, trigger_of
from session_fsm.session import CustomerSession
from session_fsm.testing.coverage.counters import RuleName

__all__ = ["LINES", "ROWS", "SUMMARY", "UNREADABLE", "VERDICT", "play", "reader_of"]

pa: Any = needed("pyarrow")

_BATCH = 4096
"""The greatest number of rows of an output batch."""
_MOST_PROBLEMS = 20
"""The greatest number of problems of a line that are kept."""
_TIME = itemgetter(Step._fields.index("time"))


def play(batches: Iterable[Any], job: Job, kinds: Kinds) -> Iterator[Any]:
    """Play the sessions in *batches*, which have the schema `LINES`, and yield batches with the schema `ROWS`.

    The last row is the `SUMMARY`. Memory holds one session at a time.
    """
    player = _Player(job, *kinds)
    for session, lines in sessions_of(batches):
        player.play(session, lines)
        if len(player.rows) >= _BATCH:
            yield player.take_batch()
    player.rows.append(row_of(SUMMARY, reasons=[player.counters.to_json()]))
    yield player.take_batch()


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

    def play(self, session_id: str | None, lines: list[Line]) -> None:
        """Play the lines of one session, ordered by time; lines of the same time keep their order."""
        steps: list[Step] = []
        # A request without a time takes the time of the one before it, so that it keeps its place.
        time = NO_TIME
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
            steps.append(Step(time, file, number, data, request))
        if not steps:
            return
        steps.sort(key=_TIME)
        self._counters.sessions += 1
        if self._against is None:
            self._play(steps, Recording(self._kind))
        else:
            self._compare(steps, Recording(self._kind), Recording(self._against))

    def _requests(self, steps: list[Step], *recordings: Recording) -> Iterator[tuple[int, Step, Request]]:
        """Yield the place, the step and the request of each step; a snapshot is restored instead."""
        for place, step in enumerate(steps):
            request = step.request
            if isinstance(request, Snapshot):
                self._restore(step, request, recordings)
            else:
                yield place, step, request if request.time is not None else _timed(request, step.time)

    def _play(self, steps: list[Step], recording: Recording) -> None:
        """Play a session through the class."""
        counters, every, number, refused = self._counters, self._job.every, 0, False
        for place, step, request in self._requests(steps, recording):
            try:
                result = recording.play(request)
            except WireError as error:
                self._unreadable(request.session_id, step.file, step.number, error)
                continue
            number += 1
            self._count(result, self._month(step.time))
            if result.violations:
                self._offer(Group("refused", result.trigger, codes_of(result)), steps, place)
                if not refused:
                    refused = True
                    counters.changed["refused",] += 1
                    counters.amount(("refused",), result.total)
            if result.violations or every:
                self.rows.append(verdict_of(result, **self._columns(step), number=number))
        ended = _state(recording, steps)
        counters.ends[ended, ended] += 1

    def _compare(self, steps: list[Step], recording: Recording, former: Recording) -> None:
        """Play a session through both classes, and compare what they do with each request."""
        counters, every, number, changed = self._counters, self._job.every, 0, False
        for place, step, request in self._requests(steps, recording, former):
            result, problems = _result(recording, request)
            other, other_problems = _result(former, request)
            if problems and other_problems:
                self._unreadable(request.session_id, step.file, step.number, problems)
                continue
            number += 1
            month = self._month(step.time)
            self._count(result, month)
            counters.refused_by_both += bool(result.violations and other.violations)
            change = _change(result, other)
            if change is not None:
                codes = codes_of(result) or codes_of(other)
                for code in codes or ("",):
                    counters.changes[change, result.trigger, code, month, "consequence" if changed else "cause"] += 1
                if not changed:
                    counters.changed[change,] += 1
                    counters.amount((change,), result.total if change is Change.NEWLY_ALLOWED else other.total)
                    self._offer(Group(change, result.trigger, codes), steps, place)
            if change is not None or result.violations or every:
                row = verdict_of(result, other, change, **self._columns(step), number=number, consequence=changed)
                self.rows.append(row)
            changed = changed or change is not None
        counters.ends[_state(recording, steps), _state(former, steps)] += 1

    def _columns(self, step: Step) -> dict[str, Any]:
        """Return the columns of a row that say where and when *step* was recorded."""
        time = None if step.time is NO_TIME else step.time
        return {"time": time, "file": self._job.files[step.file], "line": step.number}

    def _restore(self, step: Step, snapshot: Snapshot, recordings: Iterable[Recording]) -> None:
        """Let the session of each recording go on from *snapshot*."""
        try:
            for recording in recordings:
                recording.restore(snapshot, strict=self._job.strict)
        except WireError as error:
            self._unreadable(snapshot.session_id, step.file, step.number, error)
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
        for code in codes_of(result):
            counters.codes[result.trigger, code, month] += 1
        if (decision := result.decision) is not None and not result.request.dry:
            for check in decision.checks:
                counters.rules[(*RuleName.of(check.rule), check.outcome)] += 1
            if decision.target is None and decision.source is not None:
                counters.missing[decision.source, decision.trigger] += 1

    def _offer(self, group: Group, steps: list[Step], place: int) -> None:
        """Keep the session up to the step at *place* as an example of *group*, if it is the shortest."""
        length, session_id = place + 1, steps[0].request.session_id
        if self._counters.is_shorter(group, length, session_id):
            lines = tuple(as_recorded(step, self._job) for step in steps[:length])
            self._counters.offer(group, Example(length, session_id, lines))

    def _unreadable(self, session_id: str | None, file: int, line: int, error: WireError) -> None:
        self._counters.unreadable += 1
        problems = [str(problem) for problem in error.problems[:_MOST_PROBLEMS]]
        self.rows.append(
            row_of(UNREADABLE, session=session_id, file=self._job.files[file], line=line, reasons=problems)
        )

    def _month(self, time: datetime) -> str:
        """Return the month of *time* in UTC, or an empty text if the request has no time."""
        if time.tzinfo is not UTC:
            time = time.astimezone(UTC)
        key = (time.year, time.month)
        month = self._months.get(key)
        if month is None:
            month = self._months[key] = "" if time == NO_TIME else f"{time.year:04}-{time.month:02}"
        return month


def _timed(request: Request, time: datetime) -> Request:
    """Return *request* at *time*. Without any time it is that of the epoch, so that every run gives the same result."""
    return evolve(request, time=EPOCH if time is NO_TIME else time)


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
        return None if codes_of(result) == codes_of(other) else Change.OTHER_REASON
    if other.violations:
        return Change.NEWLY_ALLOWED
    same = result.state is other.state and result.total == other.total
    return None if same else Change.OTHER_STATE


def _state(recording: Recording, steps: list[Step]) -> str:
    session = recording.sessions.get(steps[0].request.session_id)
    return "none" if session is None else session.state
