"""Several processes at one store: contention, processes that are killed, relays that are killed.

The numbers are small here; ``SESSION_FSM_STORE_TIMES=20`` multiplies them.
"""

import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from databases import Database

from session_fsm import CustomerSession

TIMES = int(os.environ.get("SESSION_FSM_STORE_TIMES", "1"))
_PROGRAM = Path(__file__).parents[1] / "support" / "store_workers.py"
_DEADLINE = 300.0
"""How long a test waits for a condition before it fails, in seconds."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database(request.param, tmp_path)
    yield database
    database.drop()


@contextmanager
def started(database: Database, name: str, *rest: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(_PROGRAM), name, database.url, database.schema or "", *map(str, rest)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


class TestContention:
    """The final update count is the number of successes; the history has no gap and no double."""

    @pytest.mark.parametrize(("sessions", "lock"), [(1, ""), (1, "lock"), (20, "")])
    def test_no_update_is_lost(self, database: Database, sessions: int, lock: str) -> None:
        workers, times = 8, 12 * TIMES
        with database.store() as store:
            for number in range(sessions):
                store.add(CustomerSession.create(f"order-{number}"))
            done = 0
            with contextmanager(_all)(
                started(database, "change", number, times, sessions, 40, lock) for number in range(workers)
            ) as processes:
                for process in processes:
                    assert line(process) == "ready\n"
                for process in processes:
                    assert process.stdin is not None
                    process.stdin.write("\n")
                    process.stdin.flush()
                for process in processes:
                    succeeded, _ = map(int, line(process).split())
                    done += succeeded
            counts = 0
            for number in range(sessions):
                history = store.history(f"order-{number}")
                counts += len(history) - 1
                assert [one.sequence for one in history] == [*range(1, len(history) + 1)]
                assert store.get(f"order-{number}").update_count == len(history)
            assert counts == done > 0
            assert [one.problem for one in store.verify()] == [""] * sessions
            assert store.outbox.count() == counts + sessions


def _all(managers: Iterator[Any]) -> Iterator[list[Any]]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield [stack.enter_context(manager) for manager in managers]


class TestKilled:
    def test_what_was_acknowledged_is_there_and_nothing_is_half_there(self, database: Database) -> None:
        """A process is killed at a random moment, again and again."""
        chosen = random.Random(0)
        with database.store() as store:
            for turn in range(5 * TIMES):
                acknowledged: dict[str, int] = {}
                with started(database, "endless", turn) as process:
                    assert line(process) == "ready\n"
                    for _ in range(chosen.randrange(1, 12)):
                        session_id, count = line(process).split()
                        acknowledged[session_id] = int(count)
                    time.sleep(chosen.random() * 0.004)  # somewhere within a change
                    process.kill()
                    rest, _ = process.communicate()
                acknowledged |= {words[0]: int(words[1]) for words in map(str.split, rest.splitlines())}
                for session_id, count in acknowledged.items():
                    assert store.get(session_id).update_count >= count
            problems = [one.problem for one in store.verify() if one.problem]
            assert problems == []
            events = sum(len(store.history(one.session_id)) for one in store.verify())
            assert store.outbox.count() == events


class TestRelaysKilled:
    def test_every_event_is_delivered_in_order_for_its_session(self, database: Database, tmp_path: Path) -> None:
        """Three relays at a time, killed at random; each message is delivered at least once."""
        chosen = random.Random(0)
        sessions, events = 8, 6 * TIMES
        with database.store() as store:
            for number in range(sessions):
                store.add(CustomerSession.create(f"order-{number}"))
            for _ in range(events):
                for number in range(sessions):
                    store.change(f"order-{number}", lambda s: s.close() if s.state == "open" else s.reopen())
            turns = 0
            until = time.monotonic() + _DEADLINE
            paths: list[Path] = []
            while store.outbox.count():
                assert time.monotonic() < until, "the outbox is not emptied"
                files = [tmp_path / f"published-{turns}-{number}" for number in range(3)]
                with contextmanager(_all)(started(database, "relay", file) for file in files) as processes:
                    for process in processes:
                        assert line(process) == "ready\n"
                    left, wanted = store.outbox.count(), chosen.randrange(1, 20)
                    while turns < 4 and left and left - store.outbox.count() < wanted and _published(files) < wanted:
                        assert time.monotonic() < until, "nothing is published"
                    while turns >= 4 and store.outbox.count():
                        assert time.monotonic() < until, "nothing is published"
                paths += files
                turns += 1
            seen: dict[str, list[int]] = defaultdict(list)
            order: dict[tuple[Path, str], list[int]] = defaultdict(list)
            for path in filter(Path.exists, paths):
                for text in path.read_text(encoding="utf-8").splitlines():
                    _, session_id, count = text.split()
                    seen[session_id].append(int(count))
                    order[path, session_id].append(int(count))
            assert {name: sorted(set(counts)) for name, counts in seen.items()} == {
                f"order-{number}": [*range(1, events + 2)] for number in range(sessions)
            }
            # What one relay hands over is in order, without a gap: it may begin again where another was killed.
            assert all(counts == [*range(counts[0], counts[0] + len(counts))] for counts in order.values())


def _published(files: list[Path]) -> int:
    return sum(len(file.read_bytes().splitlines()) for file in files if file.exists())
