"""``python -m worker``: process a folder of recorded operations, or standard input."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from session_fsm import SessionFSMError
from worker.handling import UNREADABLE, handle, publish
from worker.store import Store


def main() -> int:
    """Handle every line, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m worker",
        description="Apply each recorded operation once. Events go to standard output, outcomes to standard error.",
        epilog="Exit status: 0, or 1 if a line is invalid, the reader of the events closes the pipe, or a rule raises. "
        "If a rule raises, the worker stops, and handles the line again at the next start.",
    )
    parser.add_argument(
        "inbox", help="a folder with *.jsonl files, which are moved to its subfolder done; - is standard input"
    )
    parser.add_argument("--database", default="worker.sqlite3", help="the SQLite file with the sessions (%(default)s)")
    arguments = parser.parse_args()
    inbox = Path(arguments.inbox)
    if arguments.inbox != "-" and not inbox.is_dir():
        parser.error(f"there is no folder {arguments.inbox}")
    store = Store(arguments.database)
    try:
        publish(store, sys.stdout)  # events of an interrupted run
        lines = _standard_input() if arguments.inbox == "-" else _files(inbox)
        outcomes = [_process(store, *line) for line in lines]
    except BrokenPipeError:
        print("The reader of the events closed the pipe; unpublished events stay in the outbox.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes stdout again at exit
        return 1
    except SessionFSMError as error:  # logged by handle()
        print(f"The worker stops: {type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        store.close()
    return int(any(outcome.startswith(UNREADABLE) for outcome in outcomes))


def _process(store: Store, location: str, line: bytes, default_id: str | None) -> str:
    outcome = handle(store, line, default_id)
    print(f"{location}: {outcome}", file=sys.stderr)
    publish(store, sys.stdout)
    return outcome


def _lines(stream: IO[bytes], name: str) -> Iterator[tuple[str, bytes]]:
    for number, line in enumerate(stream, 1):
        if not line.isspace():
            yield f"{name}:{number}", line.strip()


def _standard_input() -> Iterator[tuple[str, bytes, None]]:
    """Yield the lines of standard input, without a default ID."""
    for location, line in _lines(sys.stdin.buffer, "-"):
        yield location, line, None


def _files(inbox: Path) -> Iterator[tuple[str, bytes, str]]:
    """Yield the lines of all files, and move each file after its last line was handled."""
    done = inbox / "done"
    done.mkdir(exist_ok=True)
    for file in sorted(inbox.glob("*.jsonl")):
        with file.open("rb") as stream:
            for location, line in _lines(stream, file.name):
                yield location, line, location
        file.replace(done / file.name)


if __name__ == "__main__":
    sys.exit(main())
