"""The query finds what the table does not allow, in DuckDB and in other dialects."""

import json
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot

from session_fsm import CustomerSession, State, Trigger, wire
from session_fsm.backtest import BacktestError, backtest_sql, illegal_changes
from session_fsm.backtest.table_check import DIALECTS
from session_fsm.lifecycle import TABLE

Change = tuple[str, str, str, str]

STATES, TRIGGERS = [*map(str, State)], [*map(str, Trigger)]


def changes(sessions: int, seed: int = 7) -> list[dict[str, Any]]:
    """Return recorded state changes, most of which are legal."""
    random = Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(sessions):
        state: str | None = None
        for count in range(1, random.randrange(2, 9)):
            legal = [row for row in TABLE if row.source == state]
            if legal and random.randrange(6):
                row = random.choice(legal)
                trigger, target = str(row.trigger), str(row.target)
            else:
                trigger, target = random.choice(TRIGGERS), random.choice(STATES)
            # Two changes of a session may have the same time.
            at = f"2026-01-01T{count // 2:02}:00:00Z"
            found.append(
                {"sessionId": f"order-{number}", "trigger": trigger, "target": target, "at": at, "updateCount": count}
            )
            state = target
    random.shuffle(found)
    return found


def illegal(events: list[dict[str, Any]], *, with_trigger: bool = True) -> list[tuple[Any, ...]]:
    """Return what the table does not allow, by a loop over the table."""
    legal = {(row.source, row.trigger if with_trigger else None, row.target) for row in TABLE}
    found: list[tuple[Any, ...]] = []
    last: dict[str, tuple[int, str]] = {}
    for event in sorted(events, key=lambda event: (event["sessionId"], event["at"], event["updateCount"])):
        number, source = last.get(event["sessionId"], (0, None))
        last[event["sessionId"]] = number + 1, event["target"]
        trigger = event["trigger"] if with_trigger else None
        if (source, trigger, event["target"]) not in legal:
            found.append((event["sessionId"], number + 1, source, trigger, event["target"]))
    return found


def rows(table: Any) -> list[tuple[Any, ...]]:
    names = ("session", "number", "source", "trigger", "target")
    return sorted(zip(*(table.column(name).to_pylist() for name in names), strict=True))


EVENTS = changes(300)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in EVENTS), encoding="utf-8")
    return file


def test_what_is_illegal_is_found_at_once(events: Path) -> None:
    assert rows(illegal_changes(events)) == sorted(illegal(EVENTS))


def test_without_triggers_only_the_states_decide(events: Path) -> None:
    found = illegal_changes(events, columns={"trigger": None})
    assert rows(found) == sorted(illegal(EVENTS, with_trigger=False))
    assert found.num_rows > 0


def test_parquet_with_other_names_gives_the_same(events: Path, tmp_path: Path) -> None:
    names = {"session": 'the "order"', "at": "when", "order": "n", "trigger": "did", "state": "became"}
    columns = dict(zip(("sessionId", "at", "updateCount", "trigger", "target"), names.values(), strict=True))
    pq.write_table(
        pa.table({columns[name]: [event[name] for event in EVENTS] for name in columns}), tmp_path / "e.parquet"
    )
    assert rows(illegal_changes(tmp_path / "e.parquet", columns=names)) == rows(illegal_changes(events))


def test_the_events_of_sessions_are_legal(tmp_path: Path) -> None:
    session = CustomerSession.create("order-1")
    session.close()
    session.reopen()
    session.cancel()
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(wire.dumps(event) + b"\n" for event in session.take_events()))
    assert illegal_changes(file).num_rows == 0


def test_a_reason_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    lines = [
        {"sessionId": "A", "trigger": "close", "target": "closed", "at": "2026-01-01T00:00:00Z"},
        {"sessionId": "A", "target": "open", "at": "2026-01-02T00:00:00Z"},
        {"sessionId": "A", "trigger": "dance", "target": "gone", "at": "2026-01-03T00:00:00Z"},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert illegal_changes(file).column("reason").to_pylist() == [
        "close does not lead from (new) to closed",
        "nothing leads from closed to open",
        "dance does not lead from open to gone",
    ]
    reasons = illegal_changes(file, columns={"trigger": None, "order": None}).column("reason").to_pylist()
    assert reasons == ["no trigger leads from open to gone"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("columns", [None, {"trigger": None, "order": None}])
def test_the_query_can_be_parsed_in_its_dialect(dialect: str, columns: dict[str, Any] | None) -> None:
    query = backtest_sql("shop.events", dialect=dialect, columns=columns)
    assert sqlglot.parse_one(query, dialect=dialect).find(sqlglot.exp.Window) is not None
    assert query.endswith("\n")


def test_the_query_of_another_dialect_finds_the_same_in_its_database(events: Path) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute('CREATE TABLE events ("sessionId", "trigger", "target", "at", "updateCount")')
        columns = ("sessionId", "trigger", "target", "at", "updateCount")
        connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)", [tuple(event[name] for name in columns) for event in EVENTS]
        )
        found = connection.execute(backtest_sql(dialect="sqlite")).fetchall()
    connection.close()
    assert sorted((session, number, *rest) for session, number, _, *rest, _ in found) == sorted(illegal(EVENTS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dialect": "latin"}, "'latin' is no dialect of SQLGlot"),
        ({"columns": {"total": "x"}}, "'total' is none of: session, at, order, trigger, state"),
        ({"columns": {"state": None}}, "the query needs a column for state"),
    ],
)
def test_a_wrong_option_is_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BacktestError, match=message):
        backtest_sql(**options)


def test_files_of_both_formats_are_an_error(events: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "e.parquet")
    with pytest.raises(BacktestError, match="events are files of one format"):
        illegal_changes([events, tmp_path / "e.parquet"])
    with pytest.raises(BacktestError, match="events are files of one format"):
        illegal_changes("sqlite:///orders.db")
    with pytest.raises(BacktestError, match="the events cannot be read: "):
        illegal_changes(tmp_path / "e.parquet")
