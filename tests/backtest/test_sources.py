"""Recordings are read from every format, and what is wrong with a file stops nothing else."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic import NewShop, traffic, write_lines

from session_fsm import CartItem, CustomerSession, ReturnedCartItem, wire
from session_fsm.backtest import BacktestError, backtest, sources, store_events
from session_fsm.backtest.sources import Part, Source, parts_of, read
from session_fsm.recording import lines_of, read_line
from session_fsm.wire.encoding import encode_value

LINES = traffic(40)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The verdicts of the plain file."""
    file = write_lines(tmp_path_factory.mktemp("plain") / "recording.jsonl", LINES)
    return without_file(backtest(file, kind=NewShop, verdicts="all"))


def without_file(report: Any) -> tuple[list[Any], list[Any]]:
    return tuple(table.drop_columns(["file"]).to_pylist() for table in (report.verdicts, report.unreadable))  # type: ignore[return-value]  # there are two


def zstd(path: Path, data: bytes) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(data)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("recording.jsonl.gz", lambda path, data: path.write_bytes(gzip.compress(data))),
        # Two members, as of two files that were put together.
        ("two.jsonl.gz", lambda path, data: path.write_bytes(gzip.compress(data[:999]) + gzip.compress(data[999:]))),
        ("recording.jsonl.zst", zstd),
    ],
)
def test_a_compressed_recording_gives_the_same(
    name: str, write: Callable[[Path, bytes], Any], expected: Any, tmp_path: Path
) -> None:
    write(tmp_path / name, b"".join(line + b"\n" for line in LINES))
    assert without_file(backtest(tmp_path / name, kind=NewShop, verdicts="all")) == expected


@pytest.mark.parametrize("name", ["recording.jsonl", "recording.jsonl.gz", "recording.jsonl.zst"])
def test_a_url_of_a_file_gives_the_same(name: str, expected: Any, tmp_path: Path) -> None:
    data = b"".join(line + b"\n" for line in LINES)
    {".gz": lambda p, d: p.write_bytes(gzip.compress(d)), ".zst": zstd}.get(
        Path(name).suffix, lambda p, d: p.write_bytes(d)
    )(tmp_path / name, data)
    for url in (f"file://{tmp_path}/{name}", f"file://{tmp_path}/rec*{Path(name).suffix}"):
        report = backtest(url, kind=NewShop, verdicts="all")
        assert without_file(report) == expected
        assert set(report.verdicts.column("file").to_pylist()) == {f"file://{tmp_path}/{name}"}


@pytest.mark.parametrize("name", ["cut.jsonl.gz", "cut.jsonl.zst"])
def test_a_compressed_file_that_is_cut_off_is_read_as_far_as_it_goes(name: str, tmp_path: Path) -> None:
    line = json.dumps({"operation": "update", "sessionId": "order-1", "body": {}}).encode() + b"\n"
    data = line * 3
    if name.endswith("gz"):
        (tmp_path / name).write_bytes(gzip.compress(data)[:-12])
    else:
        zstd(tmp_path / name, data)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-4])
    whole = write_lines(tmp_path / "whole.jsonl", [line.strip()])
    report = backtest([tmp_path / name, whole], verdicts="all")
    assert report.summary["unreadable"] == 1
    (problem,) = report.unreadable.to_pylist()
    assert problem["reasons"][0].startswith("the compressed file is cut off or damaged here: ")
    assert str(whole) in report.verdicts.column("file").to_pylist()


def test_a_plain_file_that_cannot_be_read_ends_the_backtest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Source) -> Any:
        raise OSError("the disk is gone")

    file = write_lines(tmp_path / "one.jsonl", LINES)
    monkeypatch.setattr(sources, "_opened", broken)
    with pytest.raises(BacktestError, match=r"one.jsonl cannot be read: the disk is gone"):
        backtest(file)


class TestLines:
    """Lines are those of the replay."""

    @given(st.lists(st.sampled_from([b"", b" ", b"a", b"bb\r", b"c" * 30, b"\n", b"\n\n"])), st.integers(1, 20))
    def test_chunks_of_any_size_give_the_lines_of_the_replay(self, pieces: list[bytes], chunk: int) -> None:
        data = b"\n".join(pieces)
        # A chunk is no longer than the longest line, as outside of this test.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sources, "_CHUNK", chunk)
            patch.setattr(sources, "MOST_BYTES", 20)
            patch.setattr("session_fsm.recorded_lines.MOST_BYTES", 20)
            patch.setattr(sources, "_opened", lambda _: io.BytesIO(data))
            tables = list(read(Part(0), Source("memory", "lines", 0), {}))
            found = [
                (number, line)
                for table in tables
                for number, line in zip(table["line"].to_pylist(), table["data"].to_pylist(), strict=True)
            ]
            lines = [(number, line and line.removesuffix(b"\n")) for number, line in lines_of(io.BytesIO(data))]
        assert found == lines

    @pytest.mark.parametrize("end", [b"\n", b""])
    def test_the_parts_of_a_file_are_the_file(
        self, end: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = [b"x" * (number % 7) for number in range(200)]
        file = tmp_path / "long.jsonl"
        file.write_bytes(b"\n".join([*lines, b"last"]) + end)
        monkeypatch.setattr(sources, "_PART", 100)
        monkeypatch.setattr(sources, "_CHUNK", 16)
        (source,) = sources.sources(file)
        parts = list(parts_of(0, source))
        assert len(parts) > 5
        found = [
            (number, line)
            for part in parts
            for table in read(part, source, {})
            for number, line in zip(table["line"].to_pylist(), table["data"].to_pylist(), strict=True)
        ]
        assert found == [(number, line) for number, line in enumerate([*lines, b"last"], start=1) if line]

    def test_a_file_may_end_where_a_part_does(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "_PART", 10)
        monkeypatch.setattr(sources, "_CHUNK", 10)
        file = write_lines(tmp_path / "even.jsonl", [b"aaaa"] * 4)
        (source,) = sources.sources(file)
        assert list(parts_of(0, source)) == [Part(0, 0, 10, 1), Part(0, 10, 20, 3)]

    def test_a_part_needs_the_end_of_a_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "_PART", 10)
        monkeypatch.setattr(sources, "_CHUNK", 8)
        file = tmp_path / "one.jsonl"
        file.write_bytes(b"y" * 90)
        (source,) = sources.sources(file)
        assert list(parts_of(0, source)) == [Part(0)]


def as_table(lines: list[bytes], **columns: Any) -> pa.Table:
    """Return lines that can be read as a table with the columns of a recording."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        try:
            document = wire.text.parse(line)
        except wire.WireError:
            continue
        if not isinstance(document, dict) or not isinstance(document.get("sessionId"), str):
            continue
        body = document.get("body")
        rows.append({**document, "body": None if body is None else encode_value(body).decode()})
    names = ("operation", "sessionId", "body", "time", "dry")
    kinds = {"dry": pa.bool_()} | columns
    return pa.table({name: pa.array([row.get(name) for row in rows], kinds.get(name, pa.string())) for name in names})


class TestParquet:
    """A table has a row for each request; the body is JSON text."""

    def test_a_table_gives_the_verdicts_of_the_lines(self, tmp_path: Path) -> None:
        lines = traffic(40, hostile=False)
        plain = write_lines(tmp_path / "recording.jsonl", lines)
        pq.write_table(as_table(lines), tmp_path / "recording.parquet")
        one, two = (
            without_file(backtest(path, kind=NewShop, verdicts="all"))
            for path in (plain, tmp_path / "recording.parquet")
        )
        assert one == two

    def test_a_table_at_a_url_gives_the_same(self, tmp_path: Path) -> None:
        pq.write_table(as_table(traffic(10, hostile=False)), tmp_path / "recording.parquet")
        one, two = (
            without_file(backtest(f"{scheme}{tmp_path}/recording.parquet", verdicts="all"))
            for scheme in ("", "file://")
        )
        assert one == two

    def test_columns_may_have_other_names(self, tmp_path: Path) -> None:
        table = as_table(traffic(20, hostile=False))
        pq.write_table(table, tmp_path / "one.parquet")
        named = table.rename_columns(["operation", 'the "order"', "body", "sent at", "dry"])
        pq.write_table(named, tmp_path / "two.parquet")
        one = backtest(tmp_path / "one.parquet", kind=NewShop, verdicts="all")
        two = backtest(
            tmp_path / "two.parquet",
            kind=NewShop,
            verdicts="all",
            columns={"sessionId": 'the "order"', "time": "sent at"},
        )
        assert without_file(one) == without_file(two)

    def test_times_and_bodies_may_have_types_of_their_own(self, tmp_path: Path) -> None:
        time = datetime(2026, 3, 1, 12, 0, 0, 250, tzinfo=UTC)
        table = pa.table(
            {
                "operation": ["update", "update"],
                "sessionId": ["A", "A"],
                "body": pa.array([b'{"state": "closed"}', b"\xff"], pa.binary()),
                "time": pa.array([time, time + timedelta(hours=1)], pa.timestamp("us", "UTC")),
            }
        )
        pq.write_table(table, tmp_path / "typed.parquet")
        report = backtest(tmp_path / "typed.parquet", verdicts="all")
        (row,) = report.verdicts.to_pylist()
        assert (row["time"], row["state"]) == (time, "closed")
        assert report.unreadable.to_pylist()[0]["line"] == 2

    @pytest.mark.parametrize(
        "body", ['{}, "dry": true', '{"a": 1} {"b": 2}', '{"state": "closed"', '"text"', "nonsense"]
    )
    def test_a_body_that_is_not_json_cannot_change_the_line(self, body: str, tmp_path: Path) -> None:
        table = pa.table({"operation": ["update"], "sessionId": ["A"], "body": [body]})
        pq.write_table(table, tmp_path / "hostile.parquet")
        report = backtest(tmp_path / "hostile.parquet", verdicts="all")
        assert report.verdicts.num_rows == 0
        assert report.unreadable.to_pylist()[0]["reasons"][0].startswith("/body: ")

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            (
                {"operation": ["update"], "body": ["{}"]},
                "there is no column sessionId; the columns are: operation, body",
            ),
            (
                {"operation": ["update"], "sessionId": ["A"], "body": [{"total": 1.5}]},
                r"the column body has the type STRUCT.*; write it as JSON text, in which amounts keep their digits",
            ),
            (
                {"operation": ["update"], "sessionId": ["A"], "time": [datetime(2026, 1, 1)]},
                "the column time has the type TIMESTAMP; write times with their time zone",
            ),
        ],
    )
    def test_a_column_that_is_missing_or_inexact_is_an_error(
        self, columns: dict[str, Any], message: str, tmp_path: Path
    ) -> None:
        pq.write_table(pa.table(columns), tmp_path / "wrong.parquet")
        with pytest.raises(BacktestError, match=message):
            backtest(tmp_path / "wrong.parquet")


class TestNames:
    """The members of a line may have other names."""

    def test_members_with_other_names_give_the_same(self, tmp_path: Path) -> None:
        lines = traffic(30, hostile=False)
        renamed = [line.replace(b'"sessionId"', b'"order/id"').replace(b'"body"', b'"payload"') for line in lines]
        plain = write_lines(tmp_path / "plain.jsonl", lines)
        named = write_lines(tmp_path / "named.jsonl", [*renamed, b"[1]", b"nonsense"])
        one = backtest(plain, kind=NewShop, verdicts="all")
        two = backtest(named, kind=NewShop, verdicts="all", columns={"sessionId": "order/id", "body": "payload"})
        assert without_file(one)[0] == without_file(two)[0]
        assert two.summary["unreadable"] == 2
        assert one.tests() == two.tests()
        assert [read_line(line.encode()) for shown in two.examples for line in shown.recording.splitlines()]

    def test_an_unknown_member_is_an_error(self) -> None:
        with pytest.raises(BacktestError, match="'total' is none of: operation, sessionId, body, time, dry, note"):
            backtest("none.jsonl", columns={"total": "amount"})


class TestPaths:
    """Paths, patterns and URLs name the sources."""

    def test_the_files_of_a_pattern_are_sorted_and_stand_once(self, tmp_path: Path) -> None:
        for name in ("b.jsonl", "a.jsonl", "c.txt"):
            write_lines(tmp_path / name, LINES[:1])
        (tmp_path / "d.jsonl").mkdir()
        found = sources.sources([tmp_path / "b.jsonl", f"{tmp_path}/*.jsonl"])
        assert [Path(source.name).name for source in found] == ["b.jsonl", "a.jsonl"]

    def test_a_file_whose_name_looks_like_a_pattern_is_that_file(self, tmp_path: Path) -> None:
        write_lines(tmp_path / "day[1].jsonl", LINES[:1])
        assert len(sources.sources(tmp_path / "day[1].jsonl")) == 1

    @pytest.mark.parametrize("path", ["none.jsonl", "none/*.jsonl", "file:///none/none.jsonl", "file:///none/*.jsonl"])
    def test_a_path_without_a_file_is_an_error(self, path: str) -> None:
        with pytest.raises(BacktestError, match="none"):
            backtest(path)

    def test_no_path_is_an_error(self) -> None:
        with pytest.raises(BacktestError, match="no recording was given"):
            backtest([])


class TestStores:
    """The events of a store are played as the requests that recorded them."""

    def orders(self) -> list[CustomerSession]:
        session = CustomerSession.create("order-1", cart_items=[CartItem(sku="A", quantity=2, price="9.10")])
        session.update(coupon_codes=["XMAS"])
        session.close()
        session.reopen()
        session.close()
        session.return_items([ReturnedCartItem(position=0, quantity=1)])
        session.cancel()
        return [session, CustomerSession.create("order-2", state="closed")]

    def test_every_event_is_a_request(self, tmp_path: Path) -> None:
        store_module = pytest.importorskip("session_fsm.store", reason="the store is an extra of its own")
        with store_module.SessionStore(f"sqlite:///{tmp_path}/orders.db") as store:
            store.create_schema()
            for session in self.orders():
                store.add(session)
        report = backtest(f"sqlite:///{tmp_path}/orders.db", verdicts="all")
        assert [(row["trigger"], row["state"]) for row in report.verdicts.to_pylist()] == [
            ("create", "open"),
            ("update", "open"),
            ("close", "closed"),
            ("reopen", "open"),
            ("close", "closed"),
            ("return_items", "partially_returned"),
            ("cancel", "cancelled"),
            ("create", "closed"),
        ]
        assert report.summary["unreadable"] == 0
        assert report.verdicts.column("total").to_pylist()[0] == "18.20"

    def test_a_session_that_was_imported_starts_as_it_was(self, tmp_path: Path) -> None:
        store_module = pytest.importorskip("session_fsm.store", reason="the store is an extra of its own")
        closed, _ = self.orders()
        closed.take_events()
        with store_module.SessionStore(f"sqlite:///{tmp_path}/orders.db") as store:
            store.create_schema()
            imported = CustomerSession.create("order-3", cart_items=[CartItem(sku="A", quantity=2, price="9.10")])
            imported.take_events()
            store.add(wire.loads(wire.dumps(imported)))
            store.change("order-3", lambda session: session.close())
        report = backtest(f"sqlite:///{tmp_path}/orders.db", verdicts="all")
        assert [(row["trigger"], row["state"]) for row in report.verdicts.to_pylist()] == [("close", "closed")]
        assert report.summary["unreadable"] == 0

    @pytest.mark.parametrize("document", ["[]", '{"trigger": "x"}', "{"])
    def test_what_is_no_event_is_a_line_that_cannot_be_read(self, document: str) -> None:
        assert store_events.line_of(document) == document.encode()

    @pytest.mark.parametrize("url", ["sqlite:///{}/none.db", "mysql://localhost/orders"])
    def test_a_database_that_is_no_store_is_an_error(self, tmp_path: Path, url: str) -> None:
        pytest.importorskip("sqlalchemy", reason="the store is an extra of its own")
        with pytest.raises(BacktestError, match="the events of the store cannot be read") as error:
            backtest(url.format(tmp_path))
        assert "SELECT" not in str(error.value)
