"""Spark gives the same as the local engine, byte for byte."""

import gzip
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fragile import Doomed, Fragile
from traffic import NewShop, OldShop, traffic, write_in_files, write_lines

from session_fsm.backtest import BacktestError, WorkerLost, backtest
from session_fsm.backtest.playing import ROWS
from session_fsm.backtest.sources import Source, sources
from session_fsm.wire.text import MOST_BYTES

pytest.importorskip("pyspark", reason="Spark is an extra of its own")


def java_is_new_enough() -> bool:
    """Whether there is a Java 17 or later."""
    try:
        version = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return False
    found = re.search(r'version "(\d+)', version)
    return found is not None and int(found[1]) >= 17


if not java_is_new_enough():
    if os.environ.get("SESSION_FSM_REQUIRE_TOOLS"):
        pytest.fail("Spark needs Java 17 or later", pytrace=False)
    pytest.skip("Spark needs Java 17 or later", allow_module_level=True)

from session_fsm.backtest import spark as spark_engine  # noqa: E402  # it needs PySpark
from session_fsm.backtest.spark import SparkEngine  # noqa: E402  # as above

SESSIONS = int(os.environ.get("SESSION_FSM_BACKTEST_SESSIONS", "300"))


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file by which `Fragile` knows that its worker was killed."""
    return tmp_path_factory.mktemp("mark") / "killed"


@pytest.fixture(scope="module")
def spark(mark: Path) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SESSION_FSM_TEST_MARK", str(mark))  # the workers have the environment of the session's start
        session = spark_engine.local_session(2)
        session.sparkContext.setLogLevel("OFF")
        session.conf.set("spark.sql.files.maxPartitionBytes", "20000")  # a file of the tests has several splits
        yield session
        session.stop()


@pytest.fixture(scope="module")
def engine(spark: Any) -> SparkEngine:
    return SparkEngine(session=spark, partitions=3)


def test_spark_gives_the_same_byte_for_byte(engine: SparkEngine, tmp_path: Path) -> None:
    files: list[Path] = write_in_files(tmp_path, traffic(SESSIONS))
    (tmp_path / "a day [1].jsonl").write_bytes(files[0].read_bytes())
    paths = [*files[1:], tmp_path / "a day [1].jsonl"]
    one = backtest(paths, kind=NewShop, against=OldShop, verdicts="all")
    two = backtest(paths, kind=NewShop, against=OldShop, verdicts="all", engine=engine)
    assert one.verdicts.equals(two.verdicts)
    assert one.unreadable.equals(two.unreadable)
    assert one.json() == two.json()


def test_the_handler_of_interrupts_is_kept(spark: Any) -> None:
    before = signal.getsignal(signal.SIGINT)
    local_session_in_thread: list[Any] = []
    thread = threading.Thread(target=lambda: local_session_in_thread.append(spark_engine.local_session(2)))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before is signal.default_int_handler
    assert local_session_in_thread == [spark]


def test_compressed_files_and_tables_are_read_by_the_workers(engine: SparkEngine, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl.gz").write_bytes(gzip.compress(b"".join(line + b"\n" for line in traffic(10))))
    with pa.CompressedOutputStream(str(tmp_path / "two.jsonl.zst"), "zstd") as stream:
        stream.write(b"".join(line + b"\n" for line in traffic(10, seed=2)))
    pq.write_table(pa.table({"operation": ["update"], "sessionId": ["A"], "body": ["{}"]}), tmp_path / "three.parquet")
    paths = [tmp_path / name for name in ("one.jsonl.gz", "two.jsonl.zst", "three.parquet")]
    one, two = (backtest(paths, kind=NewShop, verdicts="all", engine=e) for e in ("local", engine))
    assert one.verdicts.equals(two.verdicts)
    assert one.json() == two.json()
    plain = write_lines(tmp_path / "four.jsonl", traffic(5))
    one, two = (backtest([*paths, plain], kind=NewShop, engine=e) for e in ("local", engine))
    assert one.json() == two.json()


def test_a_worker_that_is_killed_is_replaced(engine: SparkEngine, mark: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "recording.jsonl", traffic(10))
    report = backtest(file, kind=Fragile, engine=engine, verdicts="all")
    assert mark.exists()
    assert report.verdicts.equals(backtest(file, kind=NewShop, verdicts="all").verdicts)


def test_workers_that_are_killed_again_and_again_end_the_job(spark: Any, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "recording.jsonl", traffic(10))
    with pytest.raises(WorkerLost, match="Spark lost a worker more often than it tries again"):
        backtest(file, kind=Doomed, engine=SparkEngine(session=spark, partitions=1))


def test_what_runs_in_the_workers_gives_the_rows_of_the_local_engine(tmp_path: Path) -> None:
    lines = traffic(20)
    plain = write_lines(tmp_path / "plain.jsonl", lines)
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines)))
    job = spark_engine.Job(kind="traffic:NewShop", files=(str(plain), str(packed)), every=True)
    rows = {"data": lines, "file": [plain.as_uri()] * len(lines), "start": [0] * len(lines)}
    text = [
        pa.RecordBatch.from_pydict(rows, pa.schema({"data": pa.binary(), "file": pa.string(), "start": pa.int64()}))
    ]
    found = list(spark_engine._found(job, {(plain.as_uri(), 0): 0}, {str(plain): 0}, text))
    opened = spark_engine._opened(job, dict(enumerate(sources(packed), 1)), [pa.record_batch({"file": [1]})])
    packed_lines = pa.Table.from_batches(opened).drop_columns(["file"])
    assert packed_lines.equals(pa.Table.from_batches(found).drop_columns(["file"]))
    ordered = pa.Table.from_batches(found).sort_by([("session", "ascending"), ("line", "ascending")])
    played = pa.Table.from_batches(spark_engine._played(job, ordered.to_batches())).to_pylist()
    local = backtest(plain, kind=NewShop, verdicts="all")
    assert sum(row["row"] == "verdict" for row in played) == local.verdicts.num_rows
    assert sum(row["row"] == "unreadable" for row in played) == local.unreadable.num_rows


def test_a_line_that_is_too_long_is_null() -> None:
    rows = {"data": [b"x" * MOST_BYTES, b"y", b" ", b""], "file": ["a"] * 4, "start": [0] * 4}
    ((file, table),) = spark_engine._numbered(pa.RecordBatch.from_pydict(rows), {}, {("a", 0): 10})
    assert (file, table["line"].to_pylist(), table["data"].to_pylist()) == ("a", [11, 12], [None, b"y"])


@pytest.mark.parametrize(
    ("text", "message", "kind"),
    [
        (
            "x\nsession_fsm.backtest.errors.BacktestError: a worker cannot import the session class: there is no module\n",
            "a worker cannot import the session class: there is no module; give the file to Spark",
            BacktestError,
        ),
        ("ModuleNotFoundError: No module named 'session_fsm.backtest'", "install session-fsm", BacktestError),
        ("BacktestError: one.parquet: there is no column body", "one.parquet: there is no column body", BacktestError),
        ("Python worker exited unexpectedly (crashed)", "Spark lost a worker more often than it tries", WorkerLost),
        ("Traceback\n  File x\nKeyError: 'a'\n", "Spark cannot finish the job: KeyError: 'a'", BacktestError),
        (
            "[NO_SPACE] the disk is full\nmore",
            r"Spark cannot finish the job: \[NO_SPACE\] the disk is full",
            BacktestError,
        ),
        ("", r"Spark cannot finish the job: RuntimeError\(''\)", BacktestError),
    ],
)
def test_what_spark_raises_is_explained(text: str, message: str, kind: type[Exception]) -> None:
    error = spark_engine._explained(RuntimeError(text))
    assert type(error) is kind
    assert re.search(message, str(error))


def test_a_finished_result_is_not_computed_again(tmp_path: Path) -> None:
    target = tmp_path / "rows" / "spark.parquet"
    target.parent.mkdir()
    target.touch()
    job = spark_engine.Job(kind="traffic:NewShop")
    assert SparkEngine().rows([Source("none", "lines", 0)], job, (NewShop, None), tmp_path, lambda *_: None) == [target]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("file:///tmp/a%20day%20%5B1%5D.jsonl", "/tmp/a day [1].jsonl"),
        ("file:/tmp/day.jsonl", "/tmp/day.jsonl"),
        ("/tmp/a%20day.jsonl", "/tmp/a%20day.jsonl"),
        ("s3a://bucket/day%201.jsonl", "s3a:/bucket/day 1.jsonl"),
        ("s3a://bucket/day 1.jsonl", "s3a:/bucket/day 1.jsonl"),
    ],
)
def test_paths_are_compared_as_spark_reports_them(name: str, key: str) -> None:
    path = spark_engine._key(name)
    assert path.replace("//", "/") == key.replace("//", "/")


class Fake:
    """A Spark session that plays nothing."""

    def __init__(self, master: str) -> None:
        self.sparkContext, self.stopped = self, False
        self.master = master

    def stop(self) -> None:
        self.stopped = True


@pytest.mark.parametrize(("master", "path"), [("local[2]", ("/shop",)), ("yarn", ())])
def test_the_directories_of_this_machine_are_for_workers_on_it(
    master: str, path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Any] = []
    monkeypatch.setattr(SparkEngine, "_table", lambda _self, _spark, _sources, job: jobs.append(job) or EMPTY)
    job = spark_engine.Job(kind="traffic:NewShop", path=("/shop",))
    session = Fake(master)
    SparkEngine(session=session).rows([], job, (NewShop, None), tmp_path, lambda *_: None)
    assert jobs[0].path == path
    assert not session.stopped


def test_a_session_of_its_own_is_stopped_also_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Fake("local[2]")
    monkeypatch.setattr(spark_engine, "local_session", lambda _: session)
    job = spark_engine.Job(kind="traffic:NewShop")
    with pytest.raises(BacktestError, match="Spark cannot finish the job"):
        SparkEngine().rows([], job, (NewShop, None), tmp_path, lambda *_: None)
    assert session.stopped


EMPTY = ROWS.empty_table()
