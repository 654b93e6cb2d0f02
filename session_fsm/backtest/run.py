"""`backtest`: play recordings through a session class, and compare it with another."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import session_fsm
from session_fsm.backtest.engines import Engine, Progress
from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.job import MEMBERS, Job, Kinds, place_of
from session_fsm.backtest.local import LocalEngine
from session_fsm.backtest.report import Report
from session_fsm.backtest.sources import Paths, Source, sources
from session_fsm.session import CustomerSession

__all__ = ["backtest"]

_WORK = ".backtest"
"""The directory within the output directory for the files of a run that is not finished."""


def backtest(
    recordings: Paths,
    *,
    kind: type[CustomerSession] = CustomerSession,
    against: type[CustomerSession] | None = None,
    jobs: int = 1,
    engine: str | Engine = "local",
    columns: Mapping[str, str] | None = None,
    verdicts: str = "changed",
    strict: bool = False,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Play recorded requests through *kind*, and return what it refuses.

    Sessions may be mixed within a file and spread over files. The requests of a session are ordered by time; where
    times are equal, or missing, they keep the order of the sources and their lines.

    Args:
        recordings: one or more paths or patterns of recordings as JSON Lines (also ``.gz`` and ``.zst``) or Parquet, or
            URLs of stores. The format of a line is that of ``session-fsm replay``.
        kind: the class to test.
        against: a class to compare it with, such as the one that is in production.
        jobs: the number of processes of the engine ``"local"``. With more than one the classes must be importable by
            name, and a script that calls this needs ``if __name__ == "__main__":``.
        engine: ``"local"``, ``"spark"``, or an `Engine`.
        columns: names of members or columns that are not those of a recording, such as ``{"sessionId": "order_id"}``.
        verdicts: ``"changed"`` for a verdict for each refused or changed operation, or ``"all"``.
        strict: whether unknown members make a line unreadable.
        output: a directory for the report. A run that ended early goes on there if the input and the classes are the
            same.
        progress: called with ``"read"`` or ``"play"``, how much of it is done, and how much there is.

    Raises:
        BacktestError: there is no such file, a class cannot travel to the workers, or workers were lost.
    """
    if verdicts not in ("changed", "all"):
        raise BacktestError(f"{verdicts!r} is none of: changed, all")
    if jobs < 1:
        raise BacktestError(f"{jobs} is no number of processes")
    if unknown := [name for name in columns or {} if name not in MEMBERS]:
        raise BacktestError(f"{unknown[0]!r} is none of: {', '.join(MEMBERS)}")
    found = sources(recordings)
    kinds: Kinds = (kind, against)
    job = Job(
        kind=place_of(kind),
        against=None if against is None else place_of(against),
        files=tuple(source.name for source in found),
        named=frozenset(i for i, s in enumerate(found) if columns and s.format not in ("parquet", "store")),
        columns=dict(columns or {}),
        every=verdicts == "all",
        strict=strict,
        path=tuple(sys.path),
    )
    chosen = _engine(engine, jobs)
    if output is None:
        folder = Path(mkdtemp(prefix="session-fsm-backtest-"))
        try:
            report = _run(chosen, found, job, kinds, folder, progress or _silent)
        except BaseException:
            rmtree(folder, ignore_errors=True)
            raise
        # The tables are read from files when they are accessed; the files are removed with the report.
        finalize(report, rmtree, folder, ignore_errors=True)
        return report
    folder = Path(output)
    _resume(folder / _WORK, _fingerprint(found, job, kinds, chosen))
    report = _run(chosen, found, job, kinds, folder, progress or _silent)
    report.write(folder)
    rmtree(folder / _WORK)
    return report


def _run(engine: Engine, found: tuple[Source, ...], job: Job, kinds: Kinds, folder: Path, progress: Progress) -> Report:
    work = folder / _WORK
    return Report.of(kinds, engine.rows(found, job, kinds, work, progress), folder)


def _silent(what: str, done: int, of: int) -> None:
    """Show no progress."""


def _engine(engine: str | Engine, jobs: int) -> Engine:
    match engine:
        case "local":
            return LocalEngine(jobs=jobs)
        case "spark":
            from session_fsm.backtest.spark import SparkEngine  # noqa: PLC0415  # needs the extra `spark`

            return SparkEngine()
        case str():
            raise BacktestError(f"{engine!r} is none of: local, spark")
        case _:
            return engine


def _resume(work: Path, fingerprint: str) -> None:
    """Keep what an earlier run has left in *work* if it was the same run; otherwise start anew."""
    mark = work / "run.json"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != fingerprint:
        rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        mark.write_text(fingerprint, encoding="utf-8")


def _fingerprint(found: tuple[Source, ...], job: Job, kinds: Kinds, engine: Any) -> str:
    """Return a text that is the same for two runs with the same input, classes, engine and library.

    Of the classes it has the source of the modules that define them and their rules.
    """
    modules = {
        module.__name__: module
        for kind in filter(None, kinds)
        for part in (*kind.__mro__, *(rule.function for rule in kind.machine.rules))
        if (module := inspect.getmodule(part)) is not None
    }
    files = sorted({name: getattr(module, "__file__", None) for name, module in modules.items()}.items())
    digest = hashlib.sha256()
    for name, file in files:
        digest.update(name.encode())
        digest.update(Path(file).read_bytes() if file and Path(file).is_file() else b"")
    return json.dumps(
        {
            "sources": [[s.name, s.format, s.size, s.changed] for s in found],
            "kind": job.kind,
            "against": job.against,
            "columns": sorted(job.columns.items()),
            "every": job.every,
            "strict": job.strict,
            "engine": repr(engine),
            "definitions": digest.hexdigest(),
            "version": session_fsm.__version__,
        }
    )
