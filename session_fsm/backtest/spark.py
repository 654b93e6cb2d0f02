"""`SparkEngine` runs a backtest on Apache Spark, on a cluster or in local mode.

Spark reads the lines, repartitions them by session, sorts each partition, and hands it to ``play`` in Arrow batches
(``mapInArrow``). Everything that decides about a line or a session is the code of the local engine.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from attrs import evolve, field, frozen

from session_fsm.backtest.engines import Progress
from session_fsm.backtest.errors import BacktestError, WorkerLost
from session_fsm.backtest.extras import needed
from session_fsm.backtest.job import Job, Kinds
from session_fsm.backtest.playing import ROWS, play
from session_fsm.backtest.sources import Part, SessionFinder, Source, lines_table, read
from session_fsm.wire.text import MOST_BYTES

__all__ = ["SparkEngine", "local_session"]

parquet: Any = needed("pyarrow.parquet")
sql: Any = needed("pyspark.sql", "spark")

_ROWS = (
    "row string, session string, number bigint, time bigint, trigger string, dry boolean, outcome string, "
    "codes array<string>, reasons array<string>, state string, total string, against_outcome string, "
    "against_codes array<string>, against_state string, against_total string, change string, consequence boolean, "
    "file string, line bigint"
)
_LINES = "session string, file int, line bigint, data binary, problem string"


@frozen(kw_only=True)
class SparkEngine:
    """Runs a backtest on Spark.

    Args:
        session: the Spark session; by default one in local mode, which is stopped at the end.
        partitions: the number of partitions by session; by default Spark's setting ``spark.sql.shuffle.partitions``.
        cores: the number of cores of the local session; by default all.
    """

    session: Any = field(default=None, repr=False)
    partitions: int | None = None
    cores: int | None = None

    def rows(
        self, sources: Sequence[Source], job: Job, kinds: Kinds, folder: Path, progress: Progress
    ) -> Sequence[Path]:
        """Play every session of *sources*; see `Engine.rows`."""
        job.can_travel(kinds)
        target = folder / "rows" / "spark.parquet"
        if target.exists():
            return [target]
        target.parent.mkdir(parents=True, exist_ok=True)
        spark = self.session or local_session(self.cores)
        if not str(spark.sparkContext.master if hasattr(spark, "sparkContext") else "").startswith("local"):
            job = evolve(job, path=())  # the directories of this machine are not those of the workers
        progress("play", 0, 1)
        try:
            table = self._table(spark, sources, job)
        except Exception as error:
            raise _explained(error) from error
        finally:
            if self.session is None:
                spark.stop()
        parquet.write_table(table, target)
        progress("play", 1, 1)
        return [target]

    def _table(self, spark: Any, sources: Sequence[Source], job: Job) -> Any:
        """Return all rows as an Arrow table with the schema `ROWS`."""
        lines = _lines(spark, sources, job)
        key = "coalesce(session, concat('line ', line))"
        count = [self.partitions] if self.partitions else []
        ordered = lines.repartition(*count, sql.functions.expr(key)).sortWithinPartitions("session", "file", "line")
        return ordered.mapInArrow(partial(_played, job), _ROWS).toArrow().cast(ROWS)


def local_session(cores: int | None) -> Any:
    """Return a Spark session in local mode, with *cores* cores or all.

    A task may fail three times, so that a worker that is killed does not end the job.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    before = signal.getsignal(signal.SIGINT)
    session = (
        sql.SparkSession.builder.master(f"local[{cores or '*'},4]")
        .appName("session-fsm backtest")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", str(4 * (cores or os.cpu_count() or 1)))
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, before)  # PySpark has set a handler, and never takes it back
    return session


def _lines(spark: Any, sources: Sequence[Source], job: Job) -> Any:
    """Return the lines of all *sources* with their sessions, in the columns of `LINES`."""
    plain = [(index, source) for index, source in enumerate(sources) if source.format == "lines"]
    others = [(index, source) for index, source in enumerate(sources) if source.format != "lines"]
    frames: list[Any] = []
    if plain:
        frames.append(_text_lines(spark, plain, job))
    if others:
        frames.append(_other_lines(spark, others, job))
    return frames[0] if len(frames) == 1 else frames[0].unionAll(frames[1])


def _text_lines(spark: Any, plain: list[tuple[int, Source]], job: Job) -> Any:
    """Read plain files with Spark, which splits them.

    A line's number needs the number of lines before its split, so the lines are counted first, without Python.
    """
    functions = sql.functions
    indexes = {_key(source.name): index for index, source in plain}
    # Spark reads the bytes of a line as they are; only the line feed ends a line, as in a replay.
    text = (
        spark.read.option("lineSep", "\n")
        .text([_hadoop_path(source.name) for _, source in plain])
        .select(
            functions.col("value").cast("binary").alias("data"),
            functions.col("_metadata.file_path").alias("file"),
            functions.col("_metadata.file_block_start").alias("start"),
        )
    )
    before: dict[tuple[str, int], int] = {}
    total: dict[str, int] = {}
    for row in sorted(text.groupBy("file", "start").count().collect(), key=lambda row: (row["file"], row["start"])):
        before[row["file"], row["start"]] = total.get(row["file"], 0)
        total[row["file"]] = total.get(row["file"], 0) + row["count"]

    return text.mapInArrow(partial(_found, job, before, indexes), _LINES)


def _other_lines(spark: Any, others: list[tuple[int, Source]], job: Job) -> Any:
    """Read compressed files, Parquet and stores as the local engine does, one task for each source."""
    indexes = spark.createDataFrame([(index,) for index, _ in others], "file int").repartition(len(others), "file")
    return indexes.mapInArrow(partial(_opened, job, dict(others)), _LINES)


# --- What runs in the workers ---


def _played(job: Job, batches: Iterable[Any]) -> Iterator[Any]:
    return play(batches, job, job.kinds())


def _found(
    job: Job, before: dict[tuple[str, int], int], indexes: dict[str, int], batches: Iterable[Any]
) -> Iterator[Any]:
    """Yield the lines in *batches* of text with their numbers and sessions.

    *before* has the number of lines before each split, and *indexes* that of each source.
    """
    following: dict[tuple[str, int], int] = {}
    finder = SessionFinder(job)
    for batch in batches:
        for file, lines in _numbered(batch, following, before):
            yield from finder.batches(lines, indexes[_key(file)])


def _opened(job: Job, sources: dict[int, Source], batches: Iterable[Any]) -> Iterator[Any]:
    """Read the sources whose indexes are in *batches*, and yield their lines with their sessions."""
    finder = SessionFinder(job)
    for batch in batches:
        for index in batch.column("file").to_pylist():
            for lines in read(Part(index), sources[index], job.columns):
                yield from finder.batches(lines, index)


def _numbered(
    batch: Any, following: dict[tuple[str, int], int], before: dict[tuple[str, int], int]
) -> Iterator[tuple[str, Any]]:
    """Yield the lines of each file in *batch* with their numbers; *following* counts the lines of each split."""
    lines: dict[str, tuple[list[int], list[bytes | None]]] = {}
    data, files, starts = (batch.column(name).to_pylist() for name in ("data", "file", "start"))
    for line, file, start in zip(data, files, starts, strict=True):
        number = following.get((file, start), before[file, start]) + 1
        following[file, start] = number
        if line and not line.isspace():
            numbers, kept = lines.setdefault(file, ([], []))
            numbers.append(number)
            kept.append(line if len(line) < MOST_BYTES else None)
    for file, (numbers, kept) in lines.items():
        yield file, lines_table(numbers, kept)


def _hadoop_path(name: str) -> str:
    """Return *name* as Spark takes it: with a scheme, and not as a pattern."""
    path = name if "://" in name else f"file://{Path(name).absolute()}"
    return re.sub(r"([\\\[\]{}*?])", r"\\\1", path)


def _key(name: str) -> str:
    """Return a path, or a URL as Spark reports it, in one form."""
    if re.match(r"[a-z0-9]+:/", name):
        scheme, _, path = name.partition(":/")
        path = "/" + unquote(path).lstrip("/")
        return path if scheme == "file" else f"{scheme}:/{path}"
    return str(Path(name).absolute())


_CANNOT_IMPORT = re.compile(r"BacktestError: (a worker cannot import .*)")
_RAISED = re.compile(r"BacktestError: (.*)")
_MISSING = re.compile(r"ModuleNotFoundError: No module named '(session_fsm|duckdb|pyarrow)")
_ERROR = re.compile(r"^(?:\w+\.)*\w*Error: .*", re.MULTILINE)
_LOST = re.compile(r"exited unexpectedly|[Cc]rashed|Connection reset|heartbeat|ExecutorLostFailure")


def _explained(error: Exception) -> BacktestError:
    """Return the error to raise for what Spark has raised."""
    text = str(error)
    if found := _CANNOT_IMPORT.search(text):
        hint = (
            'give the file to Spark, such as by spark.addArtifacts("shop.py", pyfile=True) or spark-submit --py-files'
        )
        return BacktestError(f"{found[1]}; {hint}")
    if found := _MISSING.search(text):
        return BacktestError(f"a worker cannot import {found[1]}; install session-fsm[backtest] on every worker")
    if found := _RAISED.search(text):
        return BacktestError(found[1])
    if _LOST.search(text):
        return WorkerLost("Spark lost a worker more often than it tries again; it was killed, or had too little memory")
    reasons = _ERROR.findall(text) or [text.strip().partition("\n")[0] or repr(error)]
    return BacktestError(f"Spark cannot finish the job: {reasons[-1]}")
