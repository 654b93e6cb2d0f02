"""``python -m worker``: work off a folder of recorded operations, or standard input."""

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
        description="Apply recorded operations to sessions, once each. Events go to standard output, what came of "
        "each line to standard error.",
        epilog="Exit status: 0, or 1 if a line cannot be read, nobody reads the events, or a rule fails. At a rule that "
        "fails the worker stops, and its line is handled when the worker is started again.",
    )
    parser.add_argument("inbox", help="a folder with files *.jsonl, which move to its folder done; - is standard input")
    parser.add_argument("--database", default="worker.sqlite3", help="where sessions are kept (%(default)s)")
    arguments = parser.parse_args()
    inbox = Path(arguments.inbox)
    if arguments.inbox != "-" and not inbox.is_dir():
        parser.error(f"there is no folder {arguments.inbox}")
    store = Store(arguments.database)
    try:
        publish(store, sys.stdout)  # what an earlier run may have left
        lines = _standard_input() if arguments.inbox == "-" else _files(inbox)
        outcomes = [_work(store, *line) for line in lines]
    except BrokenPipeError:
        print("Nobody reads the events any more; they stay in the outbox.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more at the end
        return 1
    except SessionFSMError as error:  # the log has it
        print(f"The worker stops: {type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        store.close()
    return int(any(outcome.startswith(UNREADABLE) for outcome in outcomes))


def _work(store: Store, place: str, line: bytes, default_id: str | None) -> str:
    outcome = handle(store, line, default_id)
    print(f"{place}: {outcome}", file=sys.stderr)
    publish(store, sys.stdout)
    return outcome


def _lines(stream: IO[bytes], name: str) -> Iterator[tuple[str, bytes]]:
    for number, line in enumerate(stream, 1):
        if not line.isspace():
            yield f"{name}:{number}", line.strip()


def _standard_input() -> Iterator[tuple[str, bytes, None]]:
    """Yield the lines of standard input. Nothing but the ID in a line tells it from others."""
    for place, line in _lines(sys.stdin.buffer, "-"):
        yield place, line, None


def _files(inbox: Path) -> Iterator[tuple[str, bytes, str]]:
    """Yield the lines of all files, and move each file away once its last line was handled."""
    done = inbox / "done"
    done.mkdir(exist_ok=True)
    for file in sorted(inbox.glob("*.jsonl")):
        with file.open("rb") as stream:
            for place, line in _lines(stream, file.name):
                yield place, line, place
        file.replace(done / file.name)


if __name__ == "__main__":
    sys.exit(main())
