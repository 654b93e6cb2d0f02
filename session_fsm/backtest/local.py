"""`LocalEngine` runs a backtest on this machine, in one process or in several.

First the parts of the sources are read, and DuckDB writes their lines to Parquet files, partitioned by a hash of the
session. Then each partition is sorted by session, by DuckDB, which spills to disk, and played. Both steps are lists of
tasks for the process pool of the standard library; a task whose file is there is done, which is how a restart goes on.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from typing import Any, Self

from attrs import frozen

from session_fsm.backtest.engines import Progress
from session_fsm.backtest.errors import BacktestError, WorkerLost
from session_fsm.backtest.extras import needed
from session_fsm.backtest.job import Job, Kinds
from session_fsm.backtest.playing import LINES, ROWS, play
from session_fsm.backtest.sources import Part, SessionFinder, Source, parts_of, read

__all__ = ["LocalEngine"]

pa: Any = needed("pyarrow")
parquet: Any = needed("pyarrow.parquet")
duckdb: Any = needed("duckdb")

_PARTITION = 48_000_000
"""How many bytes of lines a partition has, as a rule."""
_MOST_PARTITIONS = 256
_LEAST = 500_000
"""How many bytes of lines are worth more than one process."""
_BATCH = 8192
_ATTEMPTS = 3
"""How often the pool of processes is started, if processes of it are lost."""


@frozen(kw_only=True)
class LocalEngine:
    """Runs a backtest on this machine.

    Args:
        jobs: the number of processes; one means this process.
        memory: how much memory DuckDB may use in each process before it spills to disk, such as ``"256MB"``.
    """

    jobs: int = 1
    memory: str = "256MB"

    def rows(
        self, sources: Sequence[Source], job: Job, kinds: Kinds, folder: Path, progress: Progress
    ) -> Sequence[Path]:
        """Play every session of *sources*; see `Engine.rows`."""
        parts = [part for index, source in enumerate(sources) for part in parts_of(index, source)]
        size = sum(source.size for source in sources)
        partitions = min(_MOST_PARTITIONS, size // _PARTITION + 1)
        if size > _LEAST:  # every process has as many partitions as the others
            partitions = -(-partitions // self.jobs) * self.jobs
        work = _Work(tuple(sources), job, folder, partitions, self.memory)
        reading = [partial(_partition, work, number, part) for number, part in enumerate(parts)]
        playing = [partial(_play, work, number) for number in range(work.partitions)]
        if self.jobs == 1:
            _run_here(reading, "read", progress)
            _run_here([partial(task, kinds) for task in playing], "play", progress)
        else:
            job.can_travel(kinds)
            with _Pool(self.jobs) as pool:
                pool.run(reading, "read", progress)
                pool.run(playing, "play", progress)
        return [work.result(number) for number in range(work.partitions)]


@frozen
class _Work:
    """What the tasks of a run have in common, and where they put their files."""

    sources: tuple[Source, ...]
    job: Job
    folder: Path
    partitions: int
    memory: str

    def lines(self, part: int) -> Path:
        """The directory for the lines of a part of the sources."""
        return self.folder / "lines" / f"part-{part:05}"

    def result(self, partition: int) -> Path:
        """The file for the rows of a partition."""
        return self.folder / "rows" / f"{partition:04}.parquet"

    def connect(self) -> Any:
        """Return a connection to a database in memory that spills into the folder."""
        spill = self.folder / "spill"
        spill.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(config={"threads": 1, "memory_limit": self.memory, "temp_directory": str(spill)})
        connection.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
        return connection


def _partition(work: _Work, number: int, part: Part) -> None:
    """Write the lines of *part* to one Parquet file for each partition."""
    target = work.lines(number)
    if target.exists():
        return
    unfinished = target.with_suffix(".unfinished")
    rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    source = work.sources[part.source]

    raised: list[Exception] = []

    def batches() -> Iterator[Any]:
        finder = SessionFinder(work.job)
        try:
            for lines in read(part, source, work.job.columns):
                yield from finder.batches(lines, part.source)
        except Exception as error:
            raised.append(error)  # DuckDB would raise another one
            raise

    lines = pa.RecordBatchReader.from_batches(LINES, batches())
    with work.connect() as connection:
        # Lines without a session are spread over all partitions.
        key = "hash(coalesce(session, 'line ' || line))"
        connection.register("lines", lines)
        try:
            connection.execute(
                f"COPY (SELECT *, {key} % {work.partitions} AS partition FROM lines) TO '{_quoted(unfinished)}' "  # noqa: S608  # numbers and a quoted path
                "(FORMAT parquet, PARTITION_BY (partition), COMPRESSION snappy)"
            )
        except duckdb.Error as error:
            cause = raised[0] if raised else error
            if isinstance(cause, BacktestError):
                raise cause from None
            raise BacktestError(f"{source.name} cannot be read: {cause}") from cause
    unfinished.mkdir(exist_ok=True)
    unfinished.rename(target)


def _play(work: _Work, partition: int, kinds: Kinds | None = None) -> None:
    """Play the sessions of a partition, and write the rows to its file."""
    target = work.result(partition)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    kinds = kinds or work.job.kinds()
    files = [str(path) for path in sorted((work.folder / "lines").glob(f"part-*/partition={partition}/*.parquet"))]
    unfinished = target.with_suffix(".unfinished")
    with work.connect() as connection, parquet.ParquetWriter(unfinished, ROWS) as writer:
        for batch in play(_sorted_lines(connection, files), work.job, kinds):
            writer.write_batch(batch)
    unfinished.rename(target)


def _sorted_lines(connection: Any, files: list[str]) -> Iterator[Any]:
    if files:
        query = "SELECT session, file, line, data, problem FROM read_parquet($1, hive_partitioning = false) ORDER BY session, file, line"
        yield from connection.sql(query, params=[files]).to_arrow_reader(_BATCH)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _run_here(tasks: Sequence[Callable[[], None]], what: str, progress: Progress) -> None:
    progress(what, 0, len(tasks))
    for done, task in enumerate(tasks, start=1):
        task()
        progress(what, done, len(tasks))


class _Pool:
    """A pool of processes. Where processes are lost, it is started again, and goes on with the tasks that are not done."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._left = _ATTEMPTS
        self._start()

    def _start(self) -> None:
        # Not forked: DuckDB and Arrow have threads, which a fork does not copy.
        context = get_context("spawn")
        self._executor = ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_ignore_interrupts)
        self._left -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # After an error, tasks that run are finished, so that a restart finds their files; the others are dropped.
        self._executor.shutdown(wait=True, cancel_futures=True)

    def run(self, tasks: Sequence[Callable[[], None]], what: str, progress: Progress) -> None:
        """Run *tasks*, and return when all are done.

        Raises:
            WorkerLost: processes were lost, and lost again.
        """
        left = set(range(len(tasks)))
        progress(what, 0, len(tasks))
        while left:
            futures: dict[Future[None], int] = {}
            try:
                futures = {self._executor.submit(tasks[place]): place for place in sorted(left)}
                pending = set(futures)
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                        left.discard(futures[future])
                    progress(what, len(tasks) - len(left), len(tasks))
            except BrokenProcessPool:
                self._executor.shutdown(wait=True, cancel_futures=True)
                left -= {place for future, place in futures.items() if future.done() and not future.exception()}
                if not self._left:
                    raise WorkerLost(
                        f"worker processes ended {_ATTEMPTS} times before their work was done, which was to {what}; "
                        "they were killed, had too little memory, or could not start. A script that calls backtest "
                        'with jobs needs: if __name__ == "__main__":'
                    ) from None
                self._start()


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
