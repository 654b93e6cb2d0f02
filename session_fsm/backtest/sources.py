"""The sources of a backtest: recordings as JSON Lines or Parquet, and the events of a store.

`sources` finds them, `read` yields their lines as Arrow tables, and `SessionFinder` finds the session of each line.
Lines stay bytes until a worker reads them as ``session-fsm replay`` does, so that amounts keep their digits.
"""

from __future__ import annotations

import glob
import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias, cast
from urllib.parse import urlsplit

from attrs import frozen

from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.extras import needed
from session_fsm.backtest.recorded_columns import line_of_columns
from session_fsm.backtest.session_finder import SessionFinder
from session_fsm.backtest.store_events import event_lines
from session_fsm.wire.text import MOST_BYTES

__all__ = ["Part", "Paths", "SessionFinder", "Source", "lines_table", "parts_of", "read", "sources"]

pa: Any = needed("pyarrow")
duckdb: Any = needed("duckdb")

Paths: TypeAlias = "str | Path | Iterable[str | Path]"
"""One or more paths, patterns or URLs."""

_REMOTE = ("file", "gs", "gcs", "hdfs", "s3", "s3a")
"""The schemes that are files for PyArrow; any other is the URL of a store."""
_BATCH = 8192
"""The number of rows of Parquet, or of events, in a batch."""
_PART = 64_000_000
"""The least size of a part of a plain file, in bytes."""
_CHUNK = 4 * 1024 * 1024
_BROKEN = (EOFError, OSError, zlib.error)
"""What a compressed file that is cut off or damaged raises."""


@frozen
class Source:
    """A file, or a store."""

    name: str
    """The path or the URL, as it is reported."""
    format: str
    """``lines``, ``gzip``, ``zstd``, ``parquet`` or ``store``."""
    size: int
    """Its size in bytes, of what it holds uncompressed, as far as can be estimated; 0 if it is unknown."""
    changed: float = 0.0
    """When it was last changed, in seconds since 1970; 0 if it is unknown."""

    @property
    def is_url(self) -> bool:
        """Whether `name` is a URL."""
        return "://" in self.name


@frozen
class Part:
    """A part of a source that one worker reads: all of it, or some lines of a plain file."""

    source: int
    """The index of the source."""
    start: int = 0
    """The first byte."""
    end: int | None = None
    """The byte after the last; None means the end of the source."""
    line: int = 1
    """The number of the first line."""


# How many bytes a byte of each format holds, as a rule.
_GROWTH = {"lines": 1, "gzip": 10, "zstd": 12, "parquet": 5, "store": 1}


def _format(name: str) -> str:
    suffixes = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".parquet": "parquet"}
    return suffixes.get(Path(name).suffix.lower(), "lines")


def sources(paths: Paths) -> tuple[Source, ...]:
    """Return the sources that *paths* name, in that order; the files of a pattern are sorted.

    Args:
        paths: one or more paths, patterns such as ``recordings/*.jsonl.gz``, URLs of files (``s3://``, ``gs://``), or
            URLs of stores (``sqlite:///orders.db``).

    Raises:
        BacktestError: there is no such file, or a pattern names none.
    """
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    found = [source for path in given for source in _found(str(path))]
    if not found:
        raise BacktestError("no recording was given")
    return tuple({source.name: source for source in found}.values())


def _found(path: str) -> Iterable[Source]:
    if "://" in path:
        if urlsplit(path).scheme not in _REMOTE:
            return [Source(path, "store", 0)]
        return _remote(path)
    names = [path] if Path(path).is_file() else sorted(glob.glob(path, recursive=True))  # noqa: PTH207  # of absolute patterns too
    files = [name for name in names if Path(name).is_file()]
    if not files:
        raise BacktestError(f"{path}: there is no such file")
    return [_local(name) for name in files]


def _local(name: str) -> Source:
    status, kind = Path(name).stat(), _format(name)
    return Source(name, kind, status.st_size * _GROWTH[kind], status.st_mtime)


def _remote(url: str) -> Iterable[Source]:
    """Return the files of a URL whose last part may be a pattern."""
    fs: Any = needed("pyarrow.fs")
    folder, _, pattern = url.rpartition("/")
    is_pattern = any(character in pattern for character in "*?[")
    try:
        system, path = fs.FileSystem.from_uri(folder if is_pattern else url)
        infos = system.get_file_info(fs.FileSelector(path) if is_pattern else [path])
    except (OSError, ValueError) as error:
        raise BacktestError(f"{url}: {error}") from None
    names = sorted(
        (info for info in infos if info.is_file and (not is_pattern or Path(info.path).match(pattern))), key=_path_of
    )
    if not names:
        raise BacktestError(f"{url}: there is no such file")
    kinds = [(f"{folder}/{Path(info.path).name}", info) for info in names]
    return [Source(name, _format(name), (info.size or 0) * _GROWTH[_format(name)]) for name, info in kinds]


def _path_of(info: Any) -> str:
    path: str = info.path
    return path


def parts_of(index: int, source: Source) -> Iterator[Part]:
    """Yield the parts in which *source* is read; a long plain file has several, which begin at the start of a line."""
    if source.format != "lines" or source.is_url or source.size < 2 * _PART:
        yield Part(index)
        return
    start = position = 0
    first = line = 1
    with Path(source.name).open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            end = chunk.rfind(b"\n") + 1
            if end and position + end - start >= _PART:
                # The part ends with the last complete line of this chunk.
                line += chunk.count(b"\n", 0, end)
                yield Part(index, start, position + end, first)
                start, first = position + end, line
                line += chunk.count(b"\n", end)
            else:
                line += chunk.count(b"\n")
            position += len(chunk)
    if position > start:
        yield Part(index, start, None, first)


def read(part: Part, source: Source, columns: Mapping[str, str]) -> Iterator[Any]:
    """Yield the lines of *part* as tables: their numbers, their bytes, and what is wrong with the source there.

    Blank lines are left out. Bytes are null if a line is too long. Where a compressed file is cut off or damaged, a row
    says so, and is the last.

    Args:
        part: the part.
        source: its source.
        columns: the names of columns of a Parquet file that are not those of a recording.
    """
    if source.format == "parquet":
        yield from _parquet(source, columns)
        return
    number = part.line
    try:
        for lines in _store(source.name) if source.format == "store" else _chunks(source, part):
            if b"" in lines or any(map(_is_blank, lines)):
                kept = [(place, line) for place, line in enumerate(lines, number) if line is None or line.strip()]
                yield lines_table([place for place, _ in kept], [line for _, line in kept])
            else:
                yield lines_table(range(number, number + len(lines)), lines)
            number += len(lines)
    except _BROKEN as error:
        if source.format not in ("gzip", "zstd"):
            raise
        yield lines_table([number], [None], f"the compressed file is cut off or damaged here: {error}")


def lines_table(numbers: Sequence[int], lines: Sequence[bytes | None], problem: str | None = None) -> Any:
    """Return the numbers of lines, their bytes, and what is wrong with the source there, as a table."""
    return pa.table(
        {
            "line": pa.array(numbers, pa.int64()),
            "data": pa.array(lines, pa.binary()),
            "problem": pa.array([problem] * len(lines), pa.string()),
        }
    )


def _is_blank(line: bytes | None) -> bool:
    return line is not None and line.isspace()


def _store(url: str) -> Iterator[list[bytes]]:
    lines = event_lines(url)
    while batch := list(islice(lines, _BATCH)):
        yield batch


def _chunks(source: Source, part: Part) -> Iterator[list[bytes | None]]:
    """Yield the lines of *part*, many at a time; None is a line that is too long.

    They are those of `session_fsm.recorded_lines.lines_of`, blank ones too. To split a chunk takes a tenth of the time of
    reading line by line.
    """
    with _opened(source) as stream:
        if part.start:
            stream.seek(part.start)
        left = sys.maxsize if part.end is None else part.end - part.start
        rest: bytes | None = b""  # the beginning of a line; None if it is too long already
        while left and (chunk := stream.read(min(_CHUNK, left))):
            left -= len(chunk)
            lines: list[bytes | None] = [*chunk.split(b"\n")]
            lines[0] = _joined(rest, lines[0])
            rest = lines.pop()
            if lines:
                yield lines
        if rest != b"":
            yield [rest]


def _joined(start: bytes | None, end: bytes | None) -> bytes | None:
    """Return a line of two parts, or None if it is too long."""
    return None if start is None or end is None or len(start) + len(end) >= MOST_BYTES else start + end


def _opened(source: Source) -> IO[bytes]:
    """Open *source*, uncompressed."""
    if source.is_url or source.format == "zstd":
        compression = {"gzip": "gzip", "zstd": "zstd"}.get(source.format)
        if source.is_url:
            system, path = needed("pyarrow.fs").FileSystem.from_uri(source.name)
            return cast("IO[bytes]", system.open_input_stream(path, compression=compression))
        return cast("IO[bytes]", pa.input_stream(source.name, compression=compression))
    if source.format == "gzip":
        return cast("IO[bytes]", gzip.open(source.name, "rb"))
    return Path(source.name).open("rb", buffering=0)


def _opened_at_random(source: Source) -> Any:
    """Open a Parquet file, of which the end is read first."""
    if source.is_url:
        system, path = needed("pyarrow.fs").FileSystem.from_uri(source.name)
        return system.open_input_file(path)
    return Path(source.name).open("rb")


def _parquet(source: Source, columns: Mapping[str, str]) -> Iterator[Any]:
    parquet: Any = needed("pyarrow.parquet")
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    number = 1
    with _opened_at_random(source) as stream:
        for batch in parquet.ParquetFile(stream).iter_batches(_BATCH):
            connection.register("given", batch)
            described = connection.execute("DESCRIBE FROM given").fetchall()
            query = line_of_columns(columns, {row[0]: row[1] for row in described}, source.name)
            lines = connection.sql(f"SELECT encode({query}) AS data FROM given").to_arrow_table()  # noqa: S608  # the names are quoted
            data = lines.column("data")
            numbers = pa.array(range(number, number + len(data)), pa.int64())
            yield pa.table({"line": numbers, "data": data, "problem": pa.nulls(len(data), pa.string())})
            number += len(data)
