"""Faults in the middle: a connection that breaks at each statement, a full disk, a deadlock, a serialization failure.

After each, everything or nothing is stored, and the error names the session and holds no SQL, password or document.
"""

import asyncio
import pickle
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import Database, postgres_url
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import NoResultFound, OperationalError

from session_fsm import CustomerSession, InvalidValue
from session_fsm.store import AsyncSessionStore, SessionStore, StaleSession, StoreUnavailable
from session_fsm.store.database import sqlite

SECRETS = ("INSERT", "UPDATE", "SELECT", "hush", "XMAS", "couponCodes")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database(request.param, tmp_path)
    yield database
    database.drop()


def _raise(error: Exception) -> None:
    raise error


def close(session: CustomerSession) -> Any:
    return session.close(coupon_codes=["XMAS"])


def check_secrets(error: BaseException) -> None:
    """The whole chain of an error, as a log would show it, holds nothing that is nobody's business."""
    written = "".join(traceback.format_exception(error))
    shown = "\n".join(line for line in written.splitlines() if not line.startswith("  "))  # without the code
    assert not [secret for secret in SECRETS if secret in shown], shown
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


class Breaking:
    """Makes the *number*-th call of an engine's *what* fail, as often as it is told to."""

    def __init__(self, store: SessionStore[Any], error: Callable[[], Exception], number: int, times: int) -> None:
        self.calls, self.left = 0, times
        self._error, self._number = error, number
        self._engine = store.engine
        event.listen(self._engine, "do_execute", self._execute)
        event.listen(self._engine, "do_execute_no_params", self._execute)
        event.listen(self._engine, "do_executemany", self._execute)

    def _execute(self, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("BEGIN", "SELECT pg_catalog")):
            return
        self.calls += 1
        if self.calls == self._number and self.left:
            self.left -= 1
            self.calls = 0
            if isinstance(cursor, psycopg.Cursor):
                cursor.connection.close()
            raise self._error()

    def stop(self) -> None:
        for name in ("do_execute", "do_execute_no_params", "do_executemany"):
            event.remove(self._engine, name, self._execute)


def lost(database: Database) -> Exception:
    if database.name == "postgresql":
        return psycopg.OperationalError("server closed the connection; UPDATE hush")
    return sqlite3.OperationalError("disk I/O error; UPDATE hush")


class TestBrokenConnections:
    @pytest.mark.parametrize("number", range(1, 6))
    def test_a_connection_that_breaks_before_the_commit_is_replaced(self, number: int, tmp_path: Path) -> None:
        """The change is stored once, whichever statement the connection breaks at."""
        database = Database("postgresql", tmp_path)
        with database.store() as store:
            store.add(CustomerSession.create("order-1"))
            breaking = Breaking(store, lambda: lost(database), number, 1)
            store.change("order-1", close, idempotency_key="k")
            breaking.stop()
            assert breaking.left == 0
            assert [one.sequence for one in store.history("order-1")] == [1, 2]
            assert [one.problem for one in store.verify()] == [""]
        database.drop()

    @pytest.mark.parametrize("number", range(1, 6))
    def test_one_that_keeps_breaking_is_reported_and_nothing_is_stored(self, number: int, database: Database) -> None:
        with database.store() as store:
            store.add(CustomerSession.create("order-1"))
            breaking = Breaking(store, lambda: lost(database), number, 100)
            with pytest.raises(StoreUnavailable) as failed:
                store.change("order-1", close, idempotency_key="k", attempts=1)
            breaking.stop()
            check_secrets(failed.value)
            assert failed.value.session_id == "order-1"
            assert store.get("order-1").update_count == 1
            assert store.outbox.count() == len(store.history("order-1")) == 1
            assert store.change("order-1", close, idempotency_key="k").update_count == 2

    def test_one_that_breaks_during_the_commit_leaves_the_outcome_unknown(self, tmp_path: Path) -> None:
        """It is not repeated: the change may be stored. With an idempotency key the caller can repeat it."""
        database = Database("postgresql", tmp_path)
        with database.store() as store:
            store.add(CustomerSession.create("order-1"))

            @event.listens_for(store.engine, "commit", once=True)
            def commit(connection: Any) -> None:
                connection.connection.dbapi_connection.commit()
                connection.connection.dbapi_connection.close()

            with pytest.raises(StoreUnavailable) as failed:
                store.add(CustomerSession.create("order-2"))
            assert failed.value.unknown
            assert "whether the change is stored is unknown" in str(failed.value)
            check_secrets(failed.value)
            assert store.get("order-2").update_count == 1
        database.drop()

    def test_a_server_that_is_not_there_is_reported(self) -> None:
        store = SessionStore("postgresql://shop:hush@127.0.0.1:1/orders")
        with pytest.raises(StoreUnavailable, match="cannot be reached") as failed:
            store.get("order-1")
        check_secrets(failed.value)
        assert "hush" not in repr(store)

    def test_also_to_an_asynchronous_store(self) -> None:
        async def ask(driver: str) -> None:
            async with AsyncSessionStore(f"postgresql+{driver}://shop:hush@127.0.0.1:1/orders") as store:
                await store.get("order-1")

        for driver in ("psycopg", "asyncpg"):
            with pytest.raises(StoreUnavailable, match="cannot be reached") as failed:
                asyncio.run(ask(driver))
            check_secrets(failed.value)


class TestPostgreSQL:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SessionStore[Any]]:
        self.database = Database("postgresql", tmp_path)
        with self.database.store() as store:
            for name in ("order-1", "order-2"):
                store.add(CustomerSession.create(name))
            yield store
        self.database.drop()

    def test_a_deadlock_is_repeated(self, store: SessionStore[Any]) -> None:
        """Two transactions lock two sessions in opposite order; the one that the server ends is done again."""
        both = threading.Barrier(2)
        ended: list[StoreUnavailable] = []

        def cross(first: str, second: str) -> None:
            while True:
                try:
                    with store.engine.begin() as connection:
                        view = store.using(connection)
                        view.change(first, lambda s: s.update(coupon_codes=[first]), lock=True)
                        if not ended:
                            both.wait(timeout=30)
                        view.change(second, lambda s: s.update(coupon_codes=[first]), lock=True)
                except StoreUnavailable as error:
                    ended.append(error)
                else:
                    return

        with store.engine.begin() as connection:
            connection.execute(text("SELECT 1"))
        threads = [
            threading.Thread(target=cross, args=names) for names in (("order-1", "order-2"), ("order-2", "order-1"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
        assert {(error.code, error.retryable) for error in ended} == {("40P01", True)}
        check_secrets(ended[0])
        assert [one.update_count for one in store.find()] == [3, 3]
        assert [one.problem for one in store.verify()] == ["", ""]

    @pytest.mark.parametrize("lock", [False, True])
    def test_a_serialization_failure_is_repeated(self, store: SessionStore[Any], lock: bool) -> None:
        """With an engine of the service's own whose transactions are serializable."""
        url = postgres_url().replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(url, isolation_level="SERIALIZABLE")
        own = SessionStore(engine, schema=self.database.schema)
        quicker = [True]

        def act(session: CustomerSession) -> Any:
            if quicker:
                quicker.pop()
                if not lock:
                    store.change("order-1", lambda s: s.update(coupon_codes=["FIRST"]))
                else:
                    raise StoreUnavailable("the change met another one at the same time", "40001", "order-1", True)
            return session.close()

        assert own.change("order-1", act, lock=lock).target == "closed"
        engine.dispose()

    def test_a_waiting_lock_is_taken_in_turn(self, store: SessionStore[Any]) -> None:
        """While one change holds the lock, another one waits, and then sees what the first has done."""
        inside, go = threading.Event(), threading.Event()

        def slow(session: CustomerSession) -> Any:
            inside.set()
            assert go.wait(timeout=30)
            return session.update(coupon_codes=["FIRST"])

        first = threading.Thread(target=lambda: store.change("order-1", slow, lock=True))
        first.start()
        assert inside.wait(timeout=30)
        found: list[Any] = []

        def second_change(session: CustomerSession) -> None:
            found.append(session.coupon_codes)
            session.close()

        second = threading.Thread(target=lambda: store.change("order-1", second_change, lock=True, attempts=1))
        second.start()
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE :q")
        with store.engine.connect() as connection:
            while not connection.execute(waiting, {"q": f"%{self.database.schema}%"}).scalar_one():
                connection.rollback()
        go.set()
        for thread in (first, second):
            thread.join(timeout=30)
        assert found == [("FIRST",)]

    def test_the_row_of_a_message_that_breaks_a_constraint_is_not_shown(self, store: SessionStore[Any]) -> None:
        """The text of PostgreSQL's error holds the whole row."""
        with store.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {self.database.schema}.sessions ADD CHECK (state = 'open')"))
        with pytest.raises(StoreUnavailable) as failed:
            store.change("order-1", close)
        assert failed.value.code == "23514"
        check_secrets(failed.value)

    def test_a_login_that_is_refused_is_reported(self) -> None:
        url = postgres_url().rpartition("/")[0] + "/there_is_no_such_database"
        with pytest.raises(StoreUnavailable) as failed:
            SessionStore(url).get("order-1")
        check_secrets(failed.value)


class TestSQLite:
    @pytest.mark.parametrize(
        ("code", "waits"),
        [(sqlite3.SQLITE_BUSY, True), (sqlite3.SQLITE_READONLY, False), (sqlite3.SQLITE_CORRUPT, False)],
    )
    def test_the_log_is_turned_on_when_the_database_is_free(self, code: int, waits: bool) -> None:
        """SQLite does not apply the busy timeout to that."""
        error = sqlite3.OperationalError("hush")
        error.sqlite_errorcode = code
        answers: list[Any] = [error, None, None]

        class Cursor:
            def execute(self, _: str) -> None:
                if answer := answers.pop(0):
                    raise answer

            def fetchone(self) -> list[str]:
                return ["delete"]

        if waits:
            sqlite._turn_on_log(Cursor(), 30)
            assert answers == []
        elif code == sqlite3.SQLITE_READONLY:
            sqlite._turn_on_log(Cursor(), 30)
            assert answers == [None, None]
        else:
            with pytest.raises(sqlite3.OperationalError):
                sqlite._turn_on_log(Cursor(), 30)

    def test_a_full_disk_is_reported_and_nothing_is_half_there(self, tmp_path: Path) -> None:
        """`max_page_count` makes the database as large as it may be; then there is room again."""
        url = f"sqlite:///{tmp_path / 'orders.db'}"
        pages: list[int] = [0]
        with SessionStore(url) as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))

            @event.listens_for(store.engine.pool, "checkout")
            def limit(connection: Any, *_: Any) -> None:
                if pages[0]:
                    connection.execute(f"PRAGMA max_page_count = {pages[0]}")

            with store.engine.connect() as connection:
                pages[0] = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 2

            def fill() -> None:
                for number in range(1000):
                    store.add(CustomerSession.create(f"next-{number}", attributes={"text": "hush" * 500}))

            with pytest.raises(StoreUnavailable, match="the disk is full") as failed:
                fill()
            check_secrets(failed.value)
            pages[0] = 1_000_000
            assert not [one.problem for one in store.verify() if one.problem]
            assert store.outbox.count() == store.count()
            store.change("order-1", close)

    def test_a_file_that_is_no_database_is_reported(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.db"
        path.write_bytes(b"these are the orders of today\n" * 100)
        store = SessionStore(f"sqlite:///{path}")
        for act in (store.create_schema, lambda: store.get("order-1")):
            with pytest.raises(StoreUnavailable, match="the file is no database") as failed:
                act()
            check_secrets(failed.value)
        assert path.read_bytes().startswith(b"these are")

    def test_a_read_only_file_can_be_read_and_not_written(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.db"
        with SessionStore(f"sqlite:///{path}") as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
        with SessionStore(f"sqlite:///file:{path}?mode=ro&uri=true") as store:
            assert store.get("order-1").update_count == 1
            with pytest.raises(StoreUnavailable, match="the database is read-only") as failed:
                store.change("order-1", close)
            check_secrets(failed.value)

    def test_a_folder_that_is_not_there_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="the database file cannot be opened"):
            SessionStore(f"sqlite:///{tmp_path / 'nowhere' / 'orders.db'}").create_schema()

    def test_a_lock_is_waited_for_and_reported_after_the_timeout(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.db"
        with SessionStore(f"sqlite:///{path}", timeout=0.1) as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            assert store.get("order-1").update_count == 1  # readers do not wait
            with pytest.raises(StoreUnavailable, match="locked by another process, for longer") as failed:
                store.change("order-1", close)
            check_secrets(failed.value)
            other.execute("ROLLBACK")
            other.close()
            assert store.change("order-1", close).update_count == 2

    def test_tables_of_somebody_else_are_not_touched(self, tmp_path: Path) -> None:
        with SessionStore(f"sqlite:///{tmp_path / 'orders.db'}") as store:
            with store.engine.begin() as connection:
                connection.execute(text("CREATE TABLE sessions (id TEXT)"))
            with pytest.raises(StoreUnavailable, match="refused a statement") as failed:
                store.create_schema()
            check_secrets(failed.value)
            assert store.schema_version() is None

    def test_an_asynchronous_store_does_the_same(self, tmp_path: Path) -> None:
        """Its errors are translated, its lost transactions repeated, and those of the service pass through."""

        async def run() -> None:
            async with AsyncSessionStore(f"sqlite:///{tmp_path / 'orders.db'}") as store:
                await store.create_schema()
                await store.add(CustomerSession.create("order-1"))
                with pytest.raises(NoResultFound):
                    await store.change("order-1", lambda _: _raise(NoResultFound()), lock=True)
                parts, failures = store._parts, [StoreUnavailable("a deadlock", "40P01", "order-1", True)]
                original = type(parts).run

                def failing(*args: Any) -> Any:
                    if failures:
                        raise failures.pop()
                    return original(*args)

                with pytest.MonkeyPatch.context() as patched:
                    patched.setattr(type(parts), "run", failing)
                    await store.change("order-1", close)

                @event.listens_for(store.engine.sync_engine.pool, "checkout", once=True)
                def limit(connection: Any, *_: Any) -> None:
                    connection.execute("PRAGMA query_only = ON")

                with pytest.raises(StoreUnavailable, match="read-only"):
                    await store.change("order-1", lambda s: s.reopen(), lock=True)

                @event.listens_for(store.engine.sync_engine.pool, "checkout")
                def unlimited(connection: Any, *_: Any) -> None:
                    connection.execute("PRAGMA query_only = OFF")

                @event.listens_for(store._views.writing.sync_engine, "commit", once=True)
                def commit(_: Any) -> None:
                    raise OperationalError("hush", None, sqlite3.OperationalError("hush"))

                with pytest.raises(StoreUnavailable, match="refused a statement") as failed:
                    await store.change("order-1", lambda s: s.reopen())
                check_secrets(failed.value)

        asyncio.run(run())

    def test_an_error_of_the_services_own_sqlalchemy_passes_through(self, tmp_path: Path) -> None:
        with SessionStore(f"sqlite:///{tmp_path / 'orders.db'}") as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
            for lock in (False, True):
                with pytest.raises(NoResultFound):
                    store.change("order-1", lambda _: _raise(NoResultFound()), lock=lock)

    def test_a_block_of_the_only_connection_ends_the_waiting_of_others(self) -> None:
        """In memory there is one connection; a change within a locked change would wait for ever."""
        engine_timeout = SessionStore("sqlite://")
        engine_timeout.create_schema()
        engine_timeout.engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # the pool of SQLAlchemy has it
        engine_timeout.add(CustomerSession.create("order-1"))
        with pytest.raises(StoreUnavailable, match="no connection of the pool became free"):
            engine_timeout.change("order-1", lambda _: engine_timeout.get("order-1"), lock=True)
        engine_timeout.close()

    def test_a_session_is_stale_when_it_was_pruned_meanwhile(self, tmp_path: Path) -> None:
        with SessionStore(f"sqlite:///{tmp_path / 'orders.db'}") as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
            store.relay(lambda _: None)

            def late() -> None:
                with store.session("order-1") as session:
                    store.prune(sessions_before=session.updated.replace(year=2999), states=["open"])
                    session.close()

            with pytest.raises(StaleSession) as stale:
                late()
            assert stale.value.found is None
            assert "it is not stored any more" in str(stale.value)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "needs the URL of a database"),
        ("mysql://shop:hush@db/orders", "mysql is not supported"),
        ("sqlite://orders.db", "three slashes"),
        ("sqlite+nothing:///orders.db", "no driver"),
        ("sqlite+aiosqlite:///orders.db", "AsyncSessionStore uses it"),
        ("postgresql+pg8000://shop:hush@db/orders", "pg8000 is not installed"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem) as refused:
        SessionStore(url)
    check_secrets(refused.value)


def test_an_asynchronous_store_needs_an_asynchronous_driver() -> None:
    with pytest.raises(InvalidValue, match="the driver pysqlite is not asynchronous"):
        AsyncSessionStore("sqlite+pysqlite:///orders.db")
