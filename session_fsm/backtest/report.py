"""`Report` is the result of a backtest: verdicts, what changed, examples, and coverage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from session_fsm.backtest.counters import Change, PartCounters
from session_fsm.backtest.examples import Shown, shown, test_module
from session_fsm.backtest.extras import needed
from session_fsm.backtest.job import Kinds, place_of
from session_fsm.backtest.playing import SUMMARY, UNREADABLE, VERDICT
from session_fsm.diagrams import FormatLike, model, overlay, renderer_of
from session_fsm.errors import counted
from session_fsm.session import CustomerSession
from session_fsm.testing.coverage.counters import (
    ClassCounters,
    ClassName,
    MissingTransition,
    RuleName,
    TransitionKey,
)
from session_fsm.testing.coverage.result import Coverage

__all__ = ["Report"]

pa: Any = needed("pyarrow")
duckdb: Any = needed("duckdb")

_VERDICTS = """session, number, make_timestamptz("time") AS "time", "trigger", dry, outcome, codes, reasons, state, total,
    against_outcome, against_codes, against_state, against_total, change, consequence, file, line"""


class Report:
    """The result of a backtest.

    Tables are PyArrow tables. Those of single operations are read from a file when they are first accessed.
    """

    def __init__(self, kinds: Kinds, verdicts: Path, unreadable: Path, counters: PartCounters) -> None:
        self._kind, self._against = kinds
        self._verdicts, self._unreadable, self._counters = verdicts, unreadable, counters

    @classmethod
    def of(cls, kinds: Kinds, rows: Sequence[Path], folder: Path) -> Report:
        """Make the report of the files *rows*, which hold what `play` yields, and write its files into *folder*."""
        files = [str(path) for path in rows]
        folder.mkdir(parents=True, exist_ok=True)
        verdicts, unreadable = folder / "verdicts.parquet", folder / "unreadable.parquet"
        with duckdb.connect(
            config={"memory_limit": "512MB", "temp_directory": str(folder / ".backtest" / "spill")}
        ) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            connection.execute(f"CREATE VIEW found AS SELECT * FROM read_parquet({_list(files)})")  # noqa: S608  # quoted paths
            for path, columns, row, order in (
                (verdicts, _VERDICTS, VERDICT, "session, number"),
                (unreadable, "session, file, line, reasons", UNREADABLE, "file, line"),
            ):
                target = str(path).replace("'", "''")
                connection.execute(
                    f"""COPY (SELECT {columns} FROM found WHERE "row" = '{row}' ORDER BY {order}) TO '{target}'
                    (FORMAT parquet, COMPRESSION zstd)"""  # noqa: S608  # the names are those above
                )
            found = connection.execute(f"""SELECT reasons[1] FROM found WHERE "row" = '{SUMMARY}'""")  # noqa: S608  # as above
            counters = PartCounters()
            while row := found.fetchone():
                counters.add(PartCounters.from_json(row[0]))
        return cls(kinds, verdicts, unreadable, counters)

    def __repr__(self) -> str:
        numbers = self.summary
        played = f"{counted(numbers['operations'], 'operation')} of {counted(numbers['sessions'], 'session')}"
        return f"<Report: {played}, {numbers['refused']} refused>"

    # --- Tables of operations ---

    @cached_property
    def verdicts(self) -> Any:
        """A table with a row for each refused or changed operation, or for each if all were asked for.

        Columns: ``session``, ``number`` (of the operation within its session, from 1), ``time``, ``trigger``, ``dry``,
        ``outcome`` (``applied``, ``refused``, or ``allowed`` for a dry run), ``codes``, ``reasons``, ``state`` and
        ``total`` after it (amounts are text, with all their digits); the same of the other class as ``against_...``;
        ``change`` and ``consequence`` (whether an earlier operation of the session changed); ``file``, ``line``.
        """
        return self._table(self._verdicts)

    @cached_property
    def refused(self) -> Any:
        """The verdicts of operations that are refused."""
        return self._table(self._verdicts, "WHERE outcome = 'refused'")

    @cached_property
    def changed(self) -> Any:
        """The verdicts that differ from those of the class that it is compared with."""
        return self._table(self._verdicts, "WHERE change IS NOT NULL")

    @cached_property
    def unreadable(self) -> Any:
        """A table of the lines that cannot be read: ``session`` if known, ``file``, ``line``, ``reasons``."""
        return self._table(self._unreadable)

    def largest(self, rows: int) -> list[dict[str, Any]]:
        """Return the *rows* first changes of sessions (without another class: refusals) with the greatest totals."""
        where = "outcome = 'refused'" if self._against is None else "change IS NOT NULL AND NOT consequence"
        worth = "TRY_CAST(coalesce(against_total, total) AS DECIMAL(38, 6))"
        order = f"ORDER BY {worth} DESC NULLS LAST, session, number LIMIT {int(rows)}"
        found: list[dict[str, Any]] = self._table(self._verdicts, f"WHERE {where} {order}").to_pylist()
        return found

    def _table(self, path: Path, rest: str = "") -> Any:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            return connection.sql(f"SELECT * FROM read_parquet({_list([str(path)])}) {rest}").to_arrow_table()  # noqa: S608  # a quoted path

    # --- Counts ---

    @cached_property
    def by_trigger(self) -> Any:
        """Operations by ``trigger``, ``outcome`` and ``month``."""
        counts = Counter(dict(self._counters.others))
        for (_, trigger, _, month), number in self._counters.fired.items():
            counts[trigger, "applied", month] += number
        return _counted(("trigger", "outcome", "month"), counts)

    @cached_property
    def by_code(self) -> Any:
        """Refused operations by ``trigger``, ``code`` and ``month``. One with two codes counts under both."""
        return _counted(("trigger", "code", "month"), self._counters.codes)

    @cached_property
    def changes(self) -> Any:
        """Changed operations by ``change``, ``trigger``, ``code``, ``month`` and ``role``.

        The code is that of the refusal, or, if the operation is allowed now, that of the former refusal. The role is
        ``cause`` for the first change of a session, and ``consequence`` for later ones.
        """
        return _counted(("change", "trigger", "code", "month", "role"), self._counters.changes)

    @cached_property
    def ends(self) -> Any:
        """Sessions by the state in which they end and ``against``, the one in which they ended with the other class."""
        return _counted(("state", "against"), self._counters.ends, "sessions")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The numbers of the whole run.

        ``refusedByBoth`` counts the operations that both classes refuse; it is 0 without a class to compare with.
        ``changed`` has for each `Change` the sessions whose first change it is, and the sum of their totals: with the
        other class for what is refused now, with this class for what is allowed now. Without a class to compare with it
        has ``refused`` instead: the sessions with a refusal, and the sum of their totals at the first.
        """
        counters = self._counters
        outcomes = Counter[str]()
        for row in self.by_trigger.to_pylist():
            outcomes[row["outcome"]] += row["operations"]
        names = ("refused",) if self._against is None else tuple(Change)
        return {
            "class": place_of(self._kind),
            "against": self._against and place_of(self._against),
            "operations": outcomes.total(),
            "sessions": counters.sessions,
            "applied": outcomes["applied"],
            "allowedDryRuns": outcomes["allowed"],
            "refused": outcomes["refused"],
            "refusedByBoth": counters.refused_by_both,
            "snapshots": counters.snapshots,
            "unreadable": counters.unreadable,
            "changed": {
                str(name): {
                    "sessions": counters.changed[str(name),],
                    "total": format(counters.amounts.get((str(name),), Decimal(0)), "f"),
                }
                for name in names
            },
            "sessionsThatEndElsewhere": sum(n for (now, before), n in counters.ends.items() if now != before),
        }

    @property
    def is_refusing(self) -> bool:
        """Whether something is newly refused, or, without a class to compare with, refused at all."""
        if self._against is None:
            return bool(self.summary["refused"])
        return any(change == Change.NEWLY_REFUSED for change, *_ in self._counters.changes)

    # --- Examples and coverage ---

    @cached_property
    def examples(self) -> list[Shown]:
        """The shortest session for each change, trigger and codes (without another class: each refusal)."""
        found = sorted(self._counters.examples.items(), key=lambda item: (item[1].length, item[0], item[1].session))
        return [shown(group, example, self._kind) for group, example in found]

    @cached_property
    def coverage(self) -> Coverage:
        """How often the recorded operations exercised each row of the table, and each outcome of a rule.

        Dry runs do not count.
        """
        of_class, played, machine = ClassCounters(ClassName.of(self._kind)), self._counters, self._kind.machine
        for (source, trigger, target, _), number in played.fired.items():
            of_class.fired[TransitionKey(source or None, trigger, target)] += number
        for row in machine.table:
            fired = of_class.fired[TransitionKey(row.source, row.trigger, row.target)]
            for rule in machine.rules:
                if fired and rule.guards(row.trigger, row.target):
                    of_class.rules[RuleName.of(rule), "passed"] += fired
        for (code, function, outcome), number in played.rules.items():
            of_class.rules[RuleName(code, function), outcome] += number
        for (state, trigger), number in played.missing.items():
            of_class.refused[MissingTransition(state, trigger)] += number
        return Coverage.of(self._kind, [of_class])

    def picture(self, format: FormatLike = "svg") -> str:  # noqa: A002  # the word of `session_fsm.diagrams.render`
        """Return the diagram of the class with `coverage`, in a format of `session_fsm.diagrams`."""
        diagram = model(self._kind)
        shown = overlay(diagram, coverage=self.coverage.counts, counted="occurred")
        return renderer_of(format)(diagram, shown, detail="full")

    # --- Output ---

    def json(self) -> str:
        """Return the summary, the counts and the examples as JSON, the same text for the same input."""
        tables = {"byTrigger": self.by_trigger, "byCode": self.by_code, "changes": self.changes, "ends": self.ends}
        document = (
            self.summary
            | {name: table.to_pylist() for name, table in tables.items()}
            | {
                "coverage": dict(self.coverage.counts),
                "examples": [
                    {
                        "change": example.change,
                        "trigger": example.trigger,
                        "codes": list(example.codes),
                        "session": example.session,
                        "recording": example.recording,
                        "test": example.test,
                    }
                    for example in self.examples
                ],
            }
        )
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"

    def html(self) -> str:
        """Return the report as one self-contained page."""
        from session_fsm.backtest.page import page  # noqa: PLC0415  # it imports this module's class for its types

        return page(self)

    def write(self, folder: str | Path) -> None:
        """Write the report into *folder*.

        The files are ``verdicts.parquet``, ``unreadable.parquet``, ``report.json``, ``report.html``, and ``examples``
        with a recording for each example and their tests in ``test_examples.py``.
        """
        folder = Path(folder)
        examples = folder / "examples"
        examples.mkdir(parents=True, exist_ok=True)
        for path in (self._verdicts, self._unreadable):
            if path.parent != folder:
                (folder / path.name).write_bytes(path.read_bytes())
        (folder / "report.json").write_text(self.json(), encoding="utf-8")
        (folder / "report.html").write_text(self.html(), encoding="utf-8")
        for number, example in enumerate(self.examples, start=1):
            (examples / f"{number:03}-{example.name}.jsonl").write_text(example.recording, encoding="utf-8")
        (examples / "test_examples.py").write_text(self.tests(), encoding="utf-8")

    def tests(self) -> str:
        """Return the tests of all examples as a module."""
        return test_module(self.examples, self._kind)

    @property
    def kind(self) -> type[CustomerSession]:
        """The tested class."""
        return self._kind

    @property
    def against(self) -> type[CustomerSession] | None:
        """The class that it is compared with."""
        return self._against


def _counted(names: Sequence[str], counts: Mapping[tuple[str, ...], int], what: str = "operations") -> Any:
    """Return *counts* as a table, the greatest number first."""
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    columns = {name: pa.array([str(key[place]) for key, _ in rows], pa.string()) for place, name in enumerate(names)}
    return pa.table(columns | {what: pa.array([number for _, number in rows], pa.int64())})


def _list(files: list[str]) -> str:
    """Return *files* as a list in SQL."""
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"[{quoted}]"
