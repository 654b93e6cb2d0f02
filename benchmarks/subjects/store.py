"""S-13 to S-16: the store, beside what a service writes by hand, beside a peer's store, with many workers, and when full.

The databases of S-13, S-14 and S-16 are SQLite files with a write-ahead log. S-15, and S-13 and S-16 again, need a
PostgreSQL server, whose URL SESSION_FSM_POSTGRES_URL holds. SQLite works in the process, so its time is CPU time, without
the wait for the disk; time with PostgreSQL is wall time.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from functools import partial
from itertools import count, cycle
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.plan import Comparison, Measured, Ratio, Timed

__all__ = ["COMPARISONS"]

_URL = "SESSION_FSM_POSTGRES_URL"
_POSTGRES = os.environ.get(_URL, "")
_NEEDS = {"sqlite": None, "postgresql": _URL}
_CLOCKS = {"sqlite": process_time, "postgresql": perf_counter}
_SESSIONS = 200
_folders: list[tempfile.TemporaryDirectory[str]] = []
_numbers = count()


def _sqlite_file() -> str:
    folder = tempfile.TemporaryDirectory()
    _folders.append(folder)  # deleted when the process ends
    return str(Path(folder.name) / "orders.db")


def _url(database: str) -> str:
    return f"sqlite:///{_sqlite_file()}" if database == "sqlite" else _POSTGRES


def _new_sessions(number: int, at: int = 0) -> list[Any]:
    from session_fsm import CartItem, CustomerSession

    items = [CartItem(sku=f"SKU-{index}", quantity=2, price="19.99") for index in range(3)]
    return [
        CustomerSession.create(f"order-{index}", profile_id=f"cust-{index % 1000}", cart_items=items)
        for index in range(at, at + number)
    ]


def _store(url: str, **options: Any) -> Any:
    from session_fsm.store import SessionStore

    store = SessionStore(url, prefix=f"b{os.getpid()}_{next(_numbers)}_", **options)
    store.create_schema()
    return store


def _toggle(session: Any) -> Any:
    return session.close() if session.state == "open" else session.reopen()


def _changing(database: str, *, outbox: bool) -> Timed:
    """Load a session, close it (or reopen it), and save it with its event."""
    store = _store(_url(database), outbox=outbox)
    for session in _new_sessions(_SESSIONS):
        store.add(session)
    names = cycle([f"order-{index}" for index in range(_SESSIONS)])

    def work(repeats: range) -> None:
        for _ in repeats:
            with store.session(next(names)) as session:
                _toggle(session)

    def result() -> Any:
        return [store.get("order-0").integration_id, str(store.get("order-0").total), 1]

    return Timed(work, result=result, clock=_CLOCKS[database])


def _by_hand(database: str) -> Timed:
    """Do the same with a model of the ORM: a version column, the session in a JSON column, and a table of events."""
    from decimal import Decimal

    from sqlalchemy import JSON, ForeignKey, Integer, String, create_engine, event
    from sqlalchemy.orm import DeclarativeBase, mapped_column
    from sqlalchemy.orm import Session as OrmSession

    from session_fsm import wire

    class Base(DeclarativeBase):
        pass

    tables = f"o{os.getpid()}_{next(_numbers)}"

    class Order(Base):
        __tablename__ = f"{tables}_sessions"
        id = mapped_column(String, primary_key=True)
        version = mapped_column(Integer, nullable=False)
        state = mapped_column(String)
        document = mapped_column(JSON)
        __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as SQLAlchemy documents it

    class Event(Base):
        __tablename__ = f"{tables}_events"
        number = mapped_column(Integer, primary_key=True)
        session_id = mapped_column(ForeignKey(Order.id))
        document = mapped_column(JSON)

    import json

    def exact(value: Any) -> Any:
        return float(value) if isinstance(value, Decimal) else str(value)

    url = _url(database).replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, json_serializer=partial(json.dumps, default=exact))
    if database == "sqlite":

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")

    Base.metadata.create_all(engine)
    with OrmSession(engine) as orm:
        for session in _new_sessions(_SESSIONS):
            document = wire.unstructure(session)
            orm.add(Order(id=session.integration_id, version=1, state="open", document=document))
        orm.commit()
    names = cycle([f"order-{index}" for index in range(_SESSIONS)])

    def work(repeats: range) -> None:
        for _ in repeats:
            with OrmSession(engine) as orm:
                order = orm.get_one(Order, next(names))
                session = wire.structure(order.document)
                changed = _toggle(session)
                order.state = session.state.value
                order.document = wire.unstructure(session)
                orm.add(Event(session_id=order.id, document=wire.unstructure(changed)))
                orm.commit()

    def result() -> Any:
        with OrmSession(engine) as orm:
            session = wire.structure(orm.get_one(Order, "order-0").document)
            return [session.integration_id, str(session.total), 1]

    return Timed(work, result=result, clock=_CLOCKS[database])


def _against_the_orm(letter: str, database: str, name: str) -> Comparison:
    comparison = Comparison(
        f"S-13{letter}",
        f"load a session, close or reopen it, save it with its event, in {name}",
        area="store",
        unit="us per change",
        needs=_NEEDS[database],
        ratios=[Ratio("ORM model", "session-fsm", at_least=1), Ratio("session-fsm with outbox", "session-fsm")],
    )
    comparison.contender("session-fsm")(partial(_changing, database, outbox=False))
    comparison.contender("session-fsm with outbox")(partial(_changing, database, outbox=True))
    comparison.contender("ORM model")(partial(_by_hand, database))
    return comparison


PEER = Comparison(
    "S-14",
    "load, one guarded transition, save, in a SQLite file",
    area="store",
    unit="us per transition",
    ratios=[Ratio("xstate-statemachine", "session-fsm", at_least=3)],
)


@PEER.contender("session-fsm")
def with_session_fsm() -> Timed:
    store = _store(_url("sqlite"), outbox=False)
    for session in _new_sessions(_SESSIONS):
        store.add(session)
    names = cycle([f"order-{index}" for index in range(_SESSIONS)])

    def work(repeats: range) -> None:
        for _ in repeats:
            store.change(next(names), _toggle)

    return Timed(work)


@PEER.contender("xstate-statemachine")
def with_xstate() -> Timed:
    import logging

    from xstate_statemachine import MachineLogic, create_machine
    from xstate_statemachine.persistence import SQLiteStore, persisted

    logging.disable()
    items = [{"sku": f"SKU-{index}", "quantity": 2, "price": "19.99"} for index in range(3)]
    config: Any = {
        "id": "session",
        "initial": "open",
        "context": {"items": items},
        "states": {
            "open": {"on": {"TOGGLE": {"target": "closed", "guard": "fits"}}},
            "closed": {"on": {"TOGGLE": {"target": "open", "guard": "fits"}}},
        },
    }
    logic: Any = MachineLogic(guards={"fits": lambda context, _: len(context["items"]) <= 1000})
    machine: Any = create_machine(config, logic=logic)
    store = SQLiteStore(_sqlite_file())
    store._conn().execute("PRAGMA synchronous = FULL")  # noqa: SLF001 - the same durability
    keys = [f"order-{index}" for index in range(_SESSIONS)]
    for key in keys:
        with persisted(store, key, machine):
            pass
    names = cycle(keys)

    def work(repeats: range) -> None:
        for _ in repeats:
            with persisted(store, next(names), machine) as interpreter:
                interpreter.send("TOGGLE")

    return Timed(work)


WORKERS = Comparison(
    "S-15",
    "changes by several workers together, in PostgreSQL",
    area="store",
    unit="us per change",
    needs=_URL,
    rounds=3,
    ratios=[
        Ratio("4 workers", "1 worker", at_most=0.8),
        Ratio("16 workers", "4 workers", at_most=1.2),
        Ratio("4 workers at one session", "4 workers", at_most=3),
        Ratio("16 workers at one session", "16 workers", at_most=3),
    ],
)


def _work(url: str, prefix: str, number: int, changes: int, contended: bool, barrier: Any) -> None:  # noqa: FBT001 - arguments of a process
    from session_fsm.store import SessionStore

    with SessionStore(url, prefix=prefix) as store:
        name = "order-0" if contended else f"order-{number}"
        store.change(name, _toggle, lock=contended, attempts=1000)
        barrier.wait()
        for _ in range(changes):
            store.change(name, _toggle, lock=contended, attempts=1000)
        barrier.wait()


def _workers(number: int, *, contended: bool = False) -> Measured:
    changes = 800 // number
    prefix = f"w{os.getpid()}_"

    def measure() -> float:
        from session_fsm.store import SessionStore

        with SessionStore(_POSTGRES, prefix=prefix) as store:
            store.create_schema()
            for session in _new_sessions(number):
                store.change(session.integration_id, lambda _: None, create=lambda session=session: session)
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(number + 1, timeout=300)  # a worker that fails does not let the others wait for ever
        arguments = [(_POSTGRES, prefix, index, changes, contended, barrier) for index in range(number)]
        processes = [context.Process(target=_work, args=given) for given in arguments]
        for process in processes:
            process.start()
        barrier.wait()
        start = perf_counter()
        barrier.wait()
        took = perf_counter() - start
        for process in processes:
            process.join()
        return took / (number * changes)

    return Measured(measure)


for _number in (1, 4, 16):
    WORKERS.contender(f"{_number} worker{'s' * (_number > 1)}", slow=True)(partial(_workers, _number))
for _number in (4, 16):
    WORKERS.contender(f"{_number} workers at one session", slow=True)(partial(_workers, _number, contended=True))


def _full(database: str, number: int, what: str) -> Timed:
    """Read from a store that holds *number* sessions."""
    from sqlalchemy import insert

    store = _store(_url(database), outbox=False)
    operations = store._parts.operations  # noqa: SLF001 - a million sessions, in a time that one can wait for
    sample = _new_sessions(1)[0]
    document = operations.documents.write(sample)
    row = operations.documents.row(sample)
    with store.engine.begin() as connection:
        for at in range(0, number, 10_000):
            rows = [
                row
                | {
                    "key": f":order-{index}",
                    "session_id": f"order-{index}",
                    "application_id": None,
                    "profile_id": f"cust-{index % (number // 4)}",
                    "state": "closed" if index % 2 else "open",
                    "document": document.replace("order-0", f"order-{index}", 1),
                }
                for index in range(at, min(at + 10_000, number))
            ]
            connection.execute(insert(operations.schema.sessions), rows)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    names = cycle([f"order-{index}" for index in range(0, number, number // 500)])
    customers = cycle([f"cust-{index}" for index in range(0, number // 4, max(1, number // 4 // 250))])

    def work(repeats: range) -> None:
        for _ in repeats:
            if what == "get":
                store.get(next(names))
            elif what == "customer":
                store.find(profile_id=next(customers), limit=10)
            else:
                store.find(state="closed", limit=10)

    return Timed(work, result=lambda: len(store.find(state="closed", limit=10)), clock=_CLOCKS[database])


def _reading_of(letter: str, database: str, what: str, title: str) -> Comparison:
    comparison = Comparison(
        f"S-16{letter}",
        f"{title} in a store with many sessions, in {'a SQLite file' if database == 'sqlite' else 'PostgreSQL'}",
        area="store",
        unit="us per read",
        ratios=[Ratio("1,000,000 sessions", "1,000 sessions", at_most=1.3)],
        needs=_NEEDS[database],
    )
    comparison.contender("1,000 sessions")(partial(_full, database, 1_000, what))
    comparison.contender("1,000,000 sessions", slow=True)(partial(_full, database, 1_000_000, what))
    return comparison


_READS = (
    ("get", "read a session"),
    ("customer", "find the sessions of a customer"),
    ("state", "find 10 closed sessions"),
)

COMPARISONS = [
    _against_the_orm("a", "sqlite", "a SQLite file"),
    PEER,
    *(_reading_of(letter, "sqlite", *read) for letter, read in zip("abc", _READS, strict=True)),
    _against_the_orm("b", "postgresql", "PostgreSQL"),
    WORKERS,
    *(_reading_of(letter, "postgresql", *read) for letter, read in zip("def", _READS, strict=True)),
]
