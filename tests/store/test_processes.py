"""Several processes at one store: contention, processes that are killed, relays that are killed.

The numbers are small here; ``SESSION_FSM_STORE_TIMES=20`` multiplies them, the number of sessions by 10 at most.
"""

import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
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

    @pytest.mark.parametrize(("sessions", "lock"), [(1, ""), (20 * min(TIMES, 10), "lock")])
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
            kills, turns = 0, 0
            published = tmp_path / "published"  # all relays append to it, one line by one write
            until = time.monotonic() + _DEADLINE
            while store.outbox.count():
                before = _lines(published)
                with contextmanager(_all)(started(database, "relay", published) for _ in range(3)) as processes:
                    for process in processes:
                        assert line(process) == "ready\n"
                    wanted = chosen.randrange(1, 20) if turns < 3 else 1_000_000
                    while _lines(published) - before < wanted and store.outbox.count():
                        assert time.monotonic() < until, "nothing is published"
                kills, turns = kills + 3, turns + 1
            seen: dict[str, list[int]] = defaultdict(list)
            for text in published.read_text(encoding="utf-8").splitlines():
                _, session_id, count = text.split()
                seen[session_id].append(int(count))
            expected = {f"order-{number}": [*range(1, events + 2)] for number in range(sessions)}
            assert {name: sorted(set(counts)) for name, counts in seen.items()} == expected
            for counts in seen.values():
                backwards = [after for before, after in pairwise(counts) if after <= before]
                assert len(backwards) <= kills, "only a relay that was killed makes another one begin again"
                assert all(count <= max(counts[:place], default=0) + 1 for place, count in enumerate(counts)), counts


def _lines(file: Path) -> int:
    return len(file.read_bytes().splitlines()) if file.exists() else 0
