"""Programs that tests of the store start as processes, and kill: ``python store_workers.py NAME URL SCHEMA ...``.

Each writes a line to standard output for what it has done, after the store has acknowledged it.
"""

import random
import sys
from pathlib import Path
from typing import Any

from session_fsm import CartItem, CustomerSession, State
from session_fsm.store import SessionStore, StaleSession


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def toggle(session: CustomerSession) -> Any:
    """Close an open session, and open a closed one: always allowed."""
    return session.close() if session.state is State.OPEN else session.reopen()


def change(store: SessionStore[Any], number: int, times: int, sessions: int, attempts: int, lock: str) -> None:
    """Change sessions, and say how many changes succeeded and how many were given up."""
    chosen = random.Random(number)
    done = stale = 0
    for _ in range(times):
        try:
            session_id = f"order-{chosen.randrange(sessions)}"
            store.change(session_id, toggle, attempts=attempts, lock=lock == "lock")
        except StaleSession:
            stale += 1
        else:
            done += 1
    say(done, stale)


def endless(store: SessionStore[Any], number: int) -> None:
    """Create, change and answer keyed requests until the process is killed; say each acknowledged update count."""
    for turn in range(1_000_000):
        session_id = f"order-{number}-{turn}"
        store.add(CustomerSession.create(session_id, cart_items=[CartItem(sku="MUG", quantity=9)]))
        say(session_id, 1)
        for step in range(4):
            event = store.change(session_id, toggle, idempotency_key=f"{session_id}-{step}", attempts=50)
            say(session_id, event.update_count)


def relay(store: SessionStore[Any], path: str) -> None:
    """Publish to a file, by one write for each message, until the process is killed."""
    with Path(path).open("a", encoding="utf-8", buffering=1) as file:

        def publish(message: Any) -> None:
            file.write(f"{message.position} {message.session_id} {message.event.update_count}\n")

        store.relay(publish, every=0.01, batch=7)


def main(name: str, url: str, schema: str, *rest: str) -> None:
    store: SessionStore[Any] = SessionStore(url, schema=schema or None)
    say("ready")
    match name:
        case "change":
            sys.stdin.readline()  # all begin at once
            change(store, *map(int, rest[:4]), rest[4])
        case "endless":
            endless(store, int(rest[0]))
        case "relay":
            relay(store, rest[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
