"""What `SessionStore` does beyond the contract: tables, engines of the service's own, logs, spans, errors."""

import asyncio
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from databases import Database
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

import session_fsm
from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    SessionFSMError,
    Trigger,
    WrongState,
    rule,
    wire,
)
from session_fsm.errors import Problem, http_status, to_error_response
from session_fsm.store import (
    AsyncSessionStore,
    DocumentUnreadable,
    HistoryMismatch,
    IdempotencyConflict,
    SchemaOutdated,
    SessionExists,
    SessionNotFound,
    SessionStore,
    StaleSession,
    StoredEvent,
    StoreError,
    StoreUnavailable,
)
from session_fsm.store.database import keys
from session_fsm.store.database.schema import REVISION, Schema
from session_fsm.store.operations import documents, retry
from session_fsm.store.outbox import statements
from session_fsm.testing import StoreContract

START = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database(request.param, tmp_path)
    yield database
    database.drop()


@pytest.fixture
def store() -> Iterator[SessionStore[CustomerSession]]:
    with SessionStore("sqlite://") as store:
        store.create_schema()
        yield store


def close(session: CustomerSession) -> Any:
    return session.close(now=session.updated)


class TestTables:
    def test_the_migrations_create_what_the_store_uses(self, database: Database) -> None:
        """Alembic finds no difference between the tables and the definition of the store."""
        with database.store(prefix="shop_") as store, store.engine.connect() as connection:
            schema = Schema("shop_", database.schema)
            options = {
                "include_schemas": bool(database.schema),
                "version_table": schema.version_table,
                "include_name": lambda name, kind, _: kind != "schema" or name == database.schema,
                "include_object": lambda thing, name, kind, *_: kind != "table" or name != schema.version_table,
                "compare_type": False,
            }
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, schema.metadata) == []

    def test_the_version_is_that_of_the_newest_migration(self) -> None:
        script = ScriptDirectory(str(Path(sys.modules["session_fsm.store"].__path__[0]) / "migrations"))
        assert script.get_current_head() == REVISION

    def test_creating_them_again_does_nothing(self, database: Database) -> None:
        with database.store() as store:
            store.add(CustomerSession.create("order-1"))
            store.create_schema()
            assert store.schema_version() == REVISION
            assert store.count() == 1

    def test_several_workers_may_create_them_at_once(self, database: Database) -> None:
        raised: list[Exception] = []

        def create() -> None:
            try:
                with SessionStore(database.url, schema=database.schema) as store:
                    store.create_schema()
            except SessionFSMError as error:
                raised.append(error)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert raised == []

    def test_a_store_refuses_other_tables_and_says_what_to_run(self, database: Database) -> None:
        url = database.url.replace("postgresql:", "postgresql+psycopg:")
        new = SessionStore(database.url, schema=database.schema)
        with pytest.raises(
            SchemaOutdated, match=r"has no tables; call create_schema\(\), or run: session-fsm store init "
        ):
            new.get("order-1")
        new.create_schema()
        for version, message in (
            ("0000", "have version 0000, and version 0001 is needed; run: session-fsm store upgrade "),
            ("9999", "have version 9999, which this library does not know"),
        ):
            engine = create_engine(url)
            place = f"{database.schema}." if database.schema else ""
            with engine.begin() as connection:
                connection.execute(text(f"UPDATE {place}schema_version SET version_num = '{version}'"))
            engine.dispose()
            with (
                SessionStore(database.url, schema=database.schema) as store,
                pytest.raises(SchemaOutdated, match=message) as outdated,
            ):
                store.get("order-1")
            assert (outdated.value.found, outdated.value.expected) == (version, REVISION)
        with pytest.raises(SchemaOutdated):
            new.create_schema()
        new.close()

    def test_the_message_shows_the_url_without_its_password(self) -> None:
        url = create_engine("postgresql+psycopg://shop:hush@db/orders").url.render_as_string(hide_password=True)
        assert "hush" not in str(SchemaOutdated(None, REVISION, url))

    def test_prefixes_and_schemas_keep_stores_apart(self, database: Database) -> None:
        with database.store(prefix="a_") as first, database.store(prefix="b_") as second:
            first.add(CustomerSession.create("order-1"))
            assert (first.count(), second.count()) == (1, 0)
            names = inspect(first.engine).get_table_names(schema=database.schema)
            assert {"a_sessions", "b_sessions", "a_schema_version"} <= set(names)

    @pytest.mark.parametrize("prefix", ["a b", "1", "a-", "x" * 31, "ä"])
    def test_a_prefix_is_a_name(self, prefix: str) -> None:
        with pytest.raises(InvalidValue, match="a prefix of table names"):
            SessionStore("sqlite://", prefix=prefix)

    def test_the_columns_can_be_queried(self, database: Database) -> None:
        with database.store() as store:
            items = [CartItem(sku="A", quantity=3, price="0.1")]
            store.add(CustomerSession.create("order-1", profile_id="cust-7", cart_items=items, now=START))
            place = f"{database.schema}." if database.schema else ""
            query = f"SELECT state, profile_id, total, version, updated, class_name FROM {place}sessions"
            with store.engine.connect() as connection:
                row = connection.execute(text(query)).one()
            assert (row.state, row.profile_id, row.version) == ("open", "cust-7", 1)
            assert row.class_name == "session_fsm.session:CustomerSession"
            exact = database.name == "postgresql"
            assert row.total == (Decimal("0.3") if exact else 0.3)
            assert str(row.updated).startswith("2026-09-14")

    def test_extreme_times_and_amounts_are_stored(self, database: Database) -> None:
        with database.store() as store:
            for number, year in enumerate((2, 9998)):
                price = Decimal("9" * 200 + "." + "9" * 2000)
                items = [CartItem(sku="A", quantity=1, price=price)]
                at = START.replace(year=year, tzinfo=UTC)
                store.add(CustomerSession.create(f"order-{number}", cart_items=items, now=at))
            page = store.find(limit=1)
            assert [one.updated.year for one in (*page, *store.find(after=page.cursor))] == [2, 9998]
            assert store.get("order-0").total == price


class TestEnginesOfTheService:
    def test_one_transaction_holds_both(self, database: Database) -> None:
        """What the service does and what the store does is committed together, or not at all."""
        with database.store() as store:
            place = f"{database.schema}." if database.schema else ""
            with store.engine.begin() as connection:
                connection.execute(text(f"CREATE TABLE {place}orders (id TEXT)"))

            def both(fail: bool) -> None:
                with store.engine.begin() as connection:
                    connection.execute(text(f"INSERT INTO {place}orders VALUES ('order-1')"))
                    inside = store.using(connection)
                    inside.add(CustomerSession.create("order-1"))
                    with pytest.raises(SessionExists):
                        inside.add(CustomerSession.create("order-1"))
                    inside.change("order-1", close, idempotency_key="k")
                    assert inside.get("order-1").state == "closed"
                    assert len(inside.history("order-1")) == inside.outbox.count() == 2
                    if fail:
                        raise KeyError

            with pytest.raises(KeyError):
                both(fail=True)
            assert store.count() == 0
            both(fail=False)
            assert store.get("order-1").state == "closed"
            with store.engine.connect() as connection:
                assert connection.execute(text(f"SELECT count(*) FROM {place}orders")).scalar_one() == 1

    def test_an_asynchronous_transaction_holds_both_too(self, database: Database) -> None:
        async def run() -> None:
            async with await database.async_store() as store:
                async with store.engine.begin() as connection:
                    inside = store.using(connection)
                    await inside.add(CustomerSession.create("order-1"))
                    await inside.change("order-1", close)
                    await connection.rollback()
                assert await store.count() == 0
                async with store.engine.begin() as connection:
                    await store.using(connection).add(CustomerSession.create("order-1"))
                assert (await store.get("order-1")).state == "open"

        asyncio.run(run())

    def test_a_relay_may_take_part_in_a_transaction(self, database: Database) -> None:
        with database.store() as store:
            store.add(CustomerSession.create("order-1"))
            with store.engine.begin() as connection:
                assert store.using(connection).relay(lambda _: None).delivered == 1
            assert store.outbox.count() == 0

    def test_a_sqlite_engine_of_the_service_rolls_back_what_the_store_did_first(self, tmp_path: Path) -> None:
        """The driver begins no transaction before the store's savepoint, whose end would commit."""
        engine = create_engine(f"sqlite:///{tmp_path / 'orders.db'}")
        store = SessionStore(engine)
        store.create_schema()
        with engine.connect() as connection:
            store.using(connection).add(CustomerSession.create("order-1"))
            connection.rollback()
        assert store.count() == 0
        with engine.begin() as connection:
            store.using(connection).add(CustomerSession.create("order-1"))
        assert store.count() == 1
        engine.dispose()

    def test_an_asynchronous_sqlite_engine_of_the_service_rolls_back_too(self, tmp_path: Path) -> None:
        async def run() -> None:
            engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'orders.db'}")
            store = AsyncSessionStore(engine)
            await store.create_schema()
            async with engine.connect() as connection:
                await store.using(connection).add(CustomerSession.create("order-1"))
                await connection.rollback()
            assert await store.count() == 0
            await engine.dispose()

        asyncio.run(run())

    @pytest.mark.parametrize("begins", [False, True])
    def test_a_sqlite_engine_of_the_service_keeps_its_settings(self, tmp_path: Path, begins: bool) -> None:
        """Its listeners too, as SQLAlchemy's documentation recommends one that begins transactions."""
        engine = create_engine(f"sqlite:///{tmp_path / 'orders.db'}")
        if begins:

            @event.listens_for(engine, "connect")
            def connected(connection: Any, _: Any) -> None:
                connection.isolation_level = None

            @event.listens_for(engine, "begin")
            def begin(connection: Any) -> None:
                connection.exec_driver_sql("BEGIN")

        with SessionStore(engine) as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
            assert store.change("order-1", close, lock=True).target == "closed"
        with engine.connect() as connection:  # closing the store leaves it open
            assert connection.execute(text("SELECT state FROM sessions")).scalar_one() == "closed"
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "delete"
        engine.dispose()

    def test_an_asynchronous_engine_keeps_its_settings_too(self, tmp_path: Path) -> None:
        async def run() -> None:
            engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'orders.db'}")
            async with AsyncSessionStore(engine) as store:
                await store.create_schema()
                assert await store.schema_version() == REVISION
                await store.add(CustomerSession.create("order-1"))
                async with store.session("order-1", lock=True) as session:
                    session.close()
            async with engine.connect() as connection:
                assert (await connection.execute(text("SELECT state FROM sessions"))).scalar_one() == "closed"
            await engine.dispose()

        asyncio.run(run())

    def test_an_engine_of_another_database_is_refused(self) -> None:
        engine = create_engine("sqlite://")
        engine.dialect.name = "oracle"
        with pytest.raises(InvalidValue, match="oracle is not supported"):
            SessionStore(engine)

    def test_a_file_of_the_store_has_a_log_and_foreign_keys(self, tmp_path: Path) -> None:
        with SessionStore(f"sqlite:///{tmp_path / 'orders.db'}", timeout=2.5) as store, store.engine.connect() as one:
            found = {name: one.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in
                     ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")}  # fmt: skip
        assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 2500}


class TestRelay:
    def test_one_relay_of_a_sqlite_file_works_at_a_time(self, tmp_path: Path) -> None:
        with SessionStore(f"sqlite:///{tmp_path / 'orders.db'}") as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
            inner: list[int] = []
            store.relay(lambda _: inner.append(store.relay(lambda _: None).delivered))
            assert inner == [0]

    def test_one_relay_of_a_database_in_memory_works_at_a_time(self, store: Any) -> None:
        store.add(CustomerSession.create("order-1"))
        inner: list[int] = []
        store.relay(lambda _: inner.append(store.relay(lambda _: None).delivered))
        assert inner == [0]

    def test_relays_of_postgresql_share_the_sessions(self, tmp_path: Path) -> None:
        """While one relay has a session, another one takes the others, and not the rest of that one."""
        database = Database("postgresql", tmp_path)
        with database.store() as store:
            for name in ("a", "b"):
                store.add(CustomerSession.create(name))
                store.change(name, close)
            seen: list[tuple[str, str, int]] = []

            def outer(message: Any) -> None:
                if not seen:
                    store.relay(lambda m: seen.append(("inner", m.session_id, m.event.update_count)))
                seen.append(("outer", message.session_id, message.event.update_count))

            assert store.relay(outer, batch=1).delivered == 2
            assert seen == [("inner", "b", 1), ("inner", "b", 2), ("outer", "a", 1), ("outer", "a", 2)]
        database.drop()

    def test_a_relay_goes_on_until_it_is_stopped(self, store: Any) -> None:
        stop, published = threading.Event(), threading.Event()
        thread = threading.Thread(
            target=store.relay, args=[lambda _: published.set()], kwargs={"every": 0.01, "stop": stop}
        )
        thread.start()
        store.add(CustomerSession.create("order-1"))
        assert published.wait(timeout=30)
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()

    def test_an_asynchronous_relay_goes_on_until_it_is_stopped(self, database: Database) -> None:
        async def run() -> None:
            async with await database.async_store() as store:
                stop = asyncio.Event()
                task = asyncio.create_task(store.relay(publish_and_stop(stop), every=0.01, stop=stop))
                await asyncio.sleep(0)
                await store.add(CustomerSession.create("order-1"))
                done = await asyncio.wait_for(task, 30)
                assert done.delivered == 1

        def publish_and_stop(stop: asyncio.Event) -> Any:
            async def publish(_: object) -> None:
                stop.set()

            return publish

        asyncio.run(run())

    def test_an_asynchronous_relay_that_waits_ends_at_once(self) -> None:
        async def run() -> None:
            async with AsyncSessionStore("sqlite://") as store:
                await store.create_schema()
                stop = asyncio.Event()
                task = asyncio.create_task(store.relay(lambda _: None, every=600, stop=stop))
                while (await store.outbox.count()) or not stop.is_set():
                    await asyncio.sleep(0.05)
                    stop.set()
                assert (await asyncio.wait_for(task, 30)).delivered == 0

        asyncio.run(run())

    def test_delays_double_up_to_a_limit(self) -> None:
        assert [statements._delay(n) for n in (0, 1, 2, 8, 9, 1000)] == [1, 2, 4, 256, 300, 300]


class TestTelemetry:
    def test_each_event_is_one_record(self, store: Any, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, logger="session_fsm.store")
        store.add(CustomerSession.create("order-1", application_id=3, coupon_codes=["XMAS"]))
        quicker = [True]

        def late(session: CustomerSession) -> Any:
            if quicker:
                quicker.clear()
                store.change("order-1", lambda s: s.update(), application_id=3)
            return session.close()

        store.change("order-1", late, application_id=3)
        last = caplog.records[-1]
        assert (
            last.getMessage()
            == "session 'order-1' of application 3: close, from open to closed, is stored as version 3"
        )
        held = {name: getattr(last, name) for name in ("session_id", "application_id", "trigger", "source", "target")}
        assert held == {
            "session_id": "order-1",
            "application_id": 3,
            "trigger": "close",
            "source": "open",
            "target": "closed",
        }
        assert (last.version, last.attempts, last.duration > 0) == (3, 2, True)
        assert [record.attempts for record in caplog.records] == [1, 1, 2]
        assert (
            caplog.records[0].getMessage().startswith("session 'order-1' of application 3: create, from (new) to open")
        )
        assert "XMAS" not in caplog.text

    def test_a_message_that_is_not_published_is_logged_without_its_error_text(
        self, store: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.add(CustomerSession.create("order-1"))

        def publish(_: object) -> None:
            raise OSError("hush")

        store.relay(publish)
        assert "raised OSError (attempt 1)" in caplog.text
        assert "hush" not in caplog.text

    def test_changes_are_spans_where_opentelemetry_is_installed(self, store: Any) -> None:
        spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        trace.set_tracer_provider(provider)
        store.add(CustomerSession.create("order-1"))
        with pytest.raises(WrongState):
            store.change("order-1", lambda s: s.reopen())
        store.relay(lambda _: None)
        added, changed, *_ = spans.get_finished_spans()
        assert (added.name, changed.name) == ("session_fsm.store.add", "session_fsm.store.change")
        assert dict(changed.attributes) == {"session_fsm.session_id": "order-1", "error.type": "WrongState"}
        assert changed.events == ()

    def test_without_opentelemetry_nothing_is_missing(self) -> None:
        code = (
            "import sys; sys.modules['opentelemetry'] = None\n"
            "from session_fsm import CustomerSession\nfrom session_fsm.store import SessionStore\n"
            "store = SessionStore('sqlite://'); store.create_schema(); store.add(CustomerSession.create('a'))\n"
            "print(store.count())"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert found.stdout == "1\n"


class TestCreate:
    """What ``create=`` of `SessionStore.change` may make."""

    @pytest.mark.parametrize(
        ("made", "problem"),
        [
            (CustomerSession.create("b"), "create made session 'b' of application 1, not session 'a' of application 1"),
            (
                CustomerSession.create("a", application_id=2),
                "create made session 'a' of application 2, not session 'a' of application 1",
            ),
            (
                wire.loads(wire.dumps(CustomerSession.create("a"))),
                "create made session 'a' of application 1 without an event; store a session that was read with add",
            ),
        ],
    )
    def test_another_session_or_one_without_an_event_is_refused(self, made: CustomerSession, problem: str) -> None:
        with SessionStore("sqlite://", application_id=1) as store:
            store.create_schema()
            with pytest.raises(InvalidValue, match=f"^{problem}$"):
                store.change("a", CustomerSession.close, create=lambda: made)
            assert store.count() == 0


ERRORS = [
    (SessionNotFound("a", 3), "session 'a' of application 3 is not in the store"),
    (SessionExists("a"), "session 'a' is in the store already"),
    (StaleSession("a", None, 1, 2), "session 'a': version 1 was read, and version 2 is stored"),
    (StaleSession("a", None, 1), "session 'a': version 1 was read, and it is not stored any more"),
    (IdempotencyConflict("a", None, "k"), "session 'a': the idempotency key 'k' was used for another request"),
    (
        DocumentUnreadable("a", None, [Problem("/cartItems/0/sku", "hush"), Problem("", "hush")]),
        "session 'a': the stored document cannot be read: 2 problems, at /cartItems/0/sku, the whole",
    ),
    (HistoryMismatch("a", None, "it differs"), "session 'a': it differs"),
    (StoreUnavailable("the disk is full", "SQLITE_FULL", "a"), "session 'a': the disk is full [SQLITE_FULL]"),
    (StoreUnavailable("it is gone"), "it is gone"),
    (
        SchemaOutdated(None, "0001", "u"),
        "the store u has no tables; call create_schema(), or run: session-fsm store init u",
    ),
]


class TestErrors:
    @pytest.mark.parametrize(("error", "text"), ERRORS)
    def test_every_error_reads_well_and_pickles_with_its_fields(self, error: StoreError, text: str) -> None:
        copied = pickle.loads(pickle.dumps(error))
        assert str(error) == str(copied) == text
        assert vars(copied) == vars(error)
        assert isinstance(error, StoreError)

    def test_a_stale_session_is_a_conflict_for_http(self) -> None:
        assert http_status(StaleSession("a", None, 1, 2)) == 409
        assert to_error_response(StaleSession("a", None, 1, 2)) == {
            "message": "Too many requests are updating this session at the same time",
            "StatusCode": 409,
        }

    def test_an_envelope_has_the_text_of_an_error_below_500_alone(self) -> None:
        """W-18: 409 repeats the status."""
        assert to_error_response(SessionNotFound("a")) == {"message": "session 'a' is not in the store", "errors": []}
        assert to_error_response(SessionExists("a")) == {
            "message": "session 'a' is in the store already",
            "StatusCode": 409,
        }
        assert to_error_response(StoreUnavailable("no file /etc/orders.db")) == {
            "message": "Service Unavailable",
            "errors": [],
        }
        assert to_error_response(SchemaOutdated(None, "0001", "postgresql://db")) == {
            "message": "Internal Server Error",
            "errors": [],
        }


@attrs.define(kw_only=True, eq=False, repr=False)
class _Branch(CustomerSession):
    branch: str = "main"


@rule("never", on=[Trigger.CLOSE])
def _never_closes() -> bool:
    """A session must never close."""
    return False


class TestHistoryOfOtherClasses:
    def test_rules_that_were_added_do_not_judge_the_past(self, store: Any) -> None:
        class Strict(CustomerSession):
            rules = (*CustomerSession.rules, _never_closes)

        store.add(CustomerSession.create("order-1"))
        store.change("order-1", close)
        assert SessionStore(store.engine, Strict).rebuild("order-1").state == "closed"

    def test_callbacks_do_not_act_a_second_time(self, store: Any) -> None:
        class Noisy(CustomerSession):
            """A class with a callback."""

        calls: list[str] = []
        Noisy.machine.after_state_change = [lambda data: calls.append(data.event.name)]
        noisy = SessionStore(store.engine, Noisy)
        noisy.add(Noisy.create("order-1"))
        noisy.change("order-1", close)
        assert calls == ["close"]
        assert noisy.rebuild("order-1").state == "closed"
        assert calls == ["close"]

    def test_fields_that_were_added_take_their_defaults(self, store: Any) -> None:
        store.add(CustomerSession.create("order-1"))
        store.change("order-1", close)
        new = SessionStore(store.engine, _Branch)
        assert new.get("order-1").branch == new.rebuild("order-1").branch == "main"
        assert [one.problem for one in new.verify()] == [""]
        new.change("order-1", lambda s: s.reopen())
        new.change("order-1", lambda s: s.update(branch="Ghent"))
        assert new.history("order-1")[-1].event.change.own == {"branch": "Ghent"}
        assert new.rebuild("order-1").branch == "Ghent"
        assert store.history("order-1")[-1].event.change.own == {"branch": "Ghent"}

    def test_an_event_that_does_not_fit_the_class_stays_as_json_has_it(self, store: Any) -> None:
        old = SessionStore(store.engine, _Branch)
        old.add(_Branch.create("order-1", branch="Ghent"))

        @attrs.define(kw_only=True, eq=False, repr=False)
        class Numbered(CustomerSession):
            branch: int = 0

        new = SessionStore(store.engine, Numbered)
        assert new.history("order-1")[0].event.change.own == {"branch": "Ghent"}

    def test_migrations_are_numbered_from_1_on(self) -> None:
        with pytest.raises(InvalidValue, match="one function for each version"):
            SessionStore("sqlite://", migrate={2: dict})

    def test_a_session_that_create_does_not_give_is_stored_with_its_document(self, store: Any) -> None:
        """A class whose creation cannot be repeated, and a session that `attrs.evolve` has changed."""

        class Odd(CustomerSession):
            @classmethod
            def create(cls, *args: Any, now: Any = None, **given: Any) -> Any:
                if now is None:
                    return super().create(*args, **given)
                raise RuntimeError

        odd = SessionStore(store.engine, Odd)
        odd.add(Odd.create("odd"))
        store.add(attrs.evolve(CustomerSession.create("evolved"), attributes={"a": 1}))
        for session_id in ("odd", "evolved"):
            odd.change(session_id, close)
            assert wire.dumps(odd.rebuild(session_id)) == wire.dumps(odd.get(session_id))


class TestVerify:
    """Whatever is wrong with the tables is found and named."""

    @pytest.mark.parametrize(
        ("statement", "problem"),
        [
            ("UPDATE sessions SET document = '{}'", "the stored document cannot be read: 3 problems"),
            ("UPDATE sessions SET document = 'hush'", "the stored document cannot be read: 1 problem, at the whole"),
            ("UPDATE sessions SET class_version = 5", "version 5 of the class wrote it, and the store knows 1"),
            ("UPDATE sessions SET state = 'open'", "the columns state differ from the document"),
            ("DELETE FROM events WHERE sequence = 1", "its first events are missing"),
            ("DELETE FROM events WHERE sequence = 2", "one is missing, or one is too many"),
            ("DELETE FROM events", "cannot be played again: LookupError"),
            ("UPDATE events SET document = replace(document, '\"close\"', '\"reopen\"')", "cannot be played again"),
            ("UPDATE events SET document = replace(document, 'XMAS', 'EASTER')", "lead to another document"),
            ("INSERT INTO snapshots VALUES (1, 1, 'hush')", "cannot be played again: WireError"),
        ],
    )
    def test_it_is_found(self, store: Any, statement: str, problem: str) -> None:
        store.add(CustomerSession.create("order-1", coupon_codes=["XMAS"]))
        store.change("order-1", close)
        with store.engine.begin() as connection:
            connection.execute(text(statement))
        (found,) = store.verify()
        assert problem in found.problem
        assert "hush" not in found.problem
        if "columns" not in problem:
            with pytest.raises((HistoryMismatch, DocumentUnreadable)):
                store.rebuild("order-1")


class TestKeys:
    def test_no_two_texts_have_the_same_key(self) -> None:
        texts = ["", "a", "\\", "\\\\", "\0", "\\0", "\\\0", "\0\\", "a" * 500, "a" * 501, "ä" * 300, "\ud800" * 300]
        texts += [keys.short_key("a" * 501), keys.short_key("a" * 501)[1:]]
        assert len({keys.short_key(text) for text in texts}) == len(set(texts))
        assert all(keys.unescaped(keys.escaped(text)) == text for text in texts)

    def test_delays_are_random_below_a_limit_that_doubles(self) -> None:
        for attempt, limit in ((1, 0.01), (2, 0.02), (5, 0.16), (50, 1.0), (5000, 1.0)):
            assert all(0 <= retry.delay(attempt) <= limit for _ in range(20))


def test_a_source_tree_that_is_not_installed_has_version_0(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise ImportError(name)

    monkeypatch.setattr(session_fsm, "__getattr__", missing)
    assert documents._library_version() == "0"


def test_prune_needs_aware_times(store: Any) -> None:
    with pytest.raises(InvalidValue):
        store.prune(failed_before=START.replace(tzinfo=None))
    with pytest.raises(InvalidValue, match="there is no such state"):
        store.prune(sessions_before=START, states="gone")


def test_a_migration_leaves_a_session_that_was_saved_meanwhile_to_its_writer(tmp_path: Path) -> None:
    database = Database("postgresql", tmp_path)
    with database.store() as store:
        store.add(CustomerSession.create("order-1"))

        def meanwhile(document: dict[str, Any]) -> dict[str, Any]:
            if store.get("order-1").update_count == 1:
                store.change("order-1", close)
            return document

        with database.store(migrate={1: meanwhile}) as new:
            assert [one.problem for one in new.migrate()] == [""]
            assert new.count_outdated() == 1
            assert new.get("order-1").state == "closed"
            assert [one.problem for one in new.migrate()] == [""]
            assert new.count_outdated() == 0
            assert new.rebuild("order-1").state == "closed"
    database.drop()


def test_the_contract_asks_for_a_store() -> None:
    contract = StoreContract()
    with pytest.raises(NotImplementedError):
        contract.open()
    with pytest.raises(NotImplementedError):
        contract.reopen(None)


def test_a_store_shows_its_class_and_its_url() -> None:
    assert repr(SessionStore("postgresql://shop:hush@db/orders", CustomerSession)) == (
        "<SessionStore of CustomerSession at postgresql+psycopg://shop:***@db/orders>"
    )


def test_a_stored_event_has_the_attributes_of_its_event() -> None:
    with SessionStore("sqlite://") as store:
        store.create_schema()
        store.add(CustomerSession.create("order-1"))
        (stored,) = store.history("order-1")
    assert (stored.sequence, stored.trigger, stored.session_id) == (1, Trigger.CREATE, "order-1")
    assert pickle.loads(pickle.dumps(stored)) == stored
    with pytest.raises(AttributeError):
        stored.triger  # noqa: B018 - to look is the test
    assert not hasattr(object.__new__(StoredEvent), "trigger")  # as it is while it is unpickled
