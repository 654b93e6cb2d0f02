"""`SessionStore`: durable sessions in a database that many workers share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, Self, TypeAlias, TypeVar, cast, overload

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from session_fsm.changes import as_time
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import StateLike
from session_fsm.store.arguments import BATCH, KEEP_ANSWERS, TIMEOUT, as_limit, as_state, as_states, utc_now
from session_fsm.store.database import engines, sqlite
from session_fsm.store.database.driver_errors import no_connection, translated, unavailable
from session_fsm.store.database.upgrading import found_version, upgrade
from session_fsm.store.errors import StaleSession, StoreUnavailable
from session_fsm.store.operations.changing import Change, Done
from session_fsm.store.operations.documents import Migrations
from session_fsm.store.operations.retry import ATTEMPTS, as_attempts, delay
from session_fsm.store.operations.statements import Answered, Stored
from session_fsm.store.outbox.messages import Message, Relayed
from session_fsm.store.outbox.outbox import Outbox
from session_fsm.store.outbox.relaying import Handing
from session_fsm.store.parts import Parts
from session_fsm.store.results import Migrated, Page, Pruned, StoredEvent, Verified
from session_fsm.store.telemetry import Watch, span

__all__ = ["SessionStore"]

T = TypeVar("T")
C = TypeVar("C", bound=CustomerSession)

_Settle: TypeAlias = Callable[[Callable[[Connection], Relayed]], Relayed]
"""Runs what notes which messages are published."""


class SessionStore(Generic[C]):
    """Sessions in a database: SQLite, or PostgreSQL for many workers.

    >>> from session_fsm import CustomerSession
    >>> store = SessionStore("sqlite://")  # in memory
    >>> store.create_schema()
    >>> store.add(CustomerSession.create("order-1042"))
    >>> with store.session("order-1042") as session:
    ...     event = session.close()
    >>> store.get("order-1042").state
    <State.CLOSED: 'closed'>
    >>> [stored.event.name.value for stored in store.history("order-1042")]
    ['talon_session_created', 'talon_session_closed']
    >>> store.close()

    A session, its events, its messages and the answer of its request are stored in one transaction. Threads may share
    a store, and so may forked processes once each has its own.

    Every method that names a session takes its integration ID, and ``application_id=`` where several Applications
    share the store. None stands for the Application of the store.

    Args:
        url: the URL of the database, or an `sqlalchemy.Engine` of the service's own, which keeps its settings.
        kind: the class of the sessions.
        application_id: the Application of sessions that have none of their own.
        migrate: functions for documents that older versions of the class wrote; see `session_fsm.store.Migrations`.
        outbox: whether each event is also a message for `relay`.
        keep_answers: how long the answer of an idempotency key is kept.
        prefix: what the names of the tables begin with.
        schema: the schema of the database in which the tables are.
        timeout: how long a statement waits for the lock of a SQLite database, in seconds.
        clock: returns the current time; for tests.

    Raises:
        InvalidValue: the URL is none that a store can use, or another argument is wrong.
    """

    @overload
    def __init__(
        self: SessionStore[CustomerSession],
        url: str | URL | Engine,
        *,
        application_id: int | None = None,
        migrate: Migrations | None = None,
        outbox: bool = True,
        keep_answers: timedelta = KEEP_ANSWERS,
        prefix: str = "",
        schema: str | None = None,
        timeout: float = TIMEOUT,
        clock: Callable[[], datetime] = utc_now,
    ) -> None: ...
    @overload
    def __init__(
        self,
        url: str | URL | Engine,
        kind: type[C],
        *,
        application_id: int | None = None,
        migrate: Migrations | None = None,
        outbox: bool = True,
        keep_answers: timedelta = KEEP_ANSWERS,
        prefix: str = "",
        schema: str | None = None,
        timeout: float = TIMEOUT,
        clock: Callable[[], datetime] = utc_now,
    ) -> None: ...
    def __init__(
        self,
        url: str | URL | Engine,
        kind: Any = CustomerSession,
        *,
        application_id: int | None = None,
        migrate: Migrations | None = None,
        outbox: bool = True,
        keep_answers: timedelta = KEEP_ANSWERS,
        prefix: str = "",
        schema: str | None = None,
        timeout: float = TIMEOUT,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._parts: Parts[C] = Parts[C].of(
            kind,
            prefix=prefix,
            schema=schema,
            application_id=application_id,
            migrate=migrate,
            outbox=outbox,
            keep_answers=keep_answers,
            clock=clock,
        )
        self._views = engines.views(url, timeout)
        self._joined: Connection | None = None
        self.outbox = Outbox(self._parts.outbox, self._read, self._write)
        """The messages that are not published yet."""

    @property
    def kind(self) -> type[C]:
        """The class of the sessions."""
        return self._parts.documents.kind

    @property
    def engine(self) -> Engine:
        """The engine, for transactions that the service shares with the store by `using`."""
        return self._views.engine

    def close(self) -> None:
        """Close the connections, unless the engine is the service's own."""
        if self._views.is_own:
            self._views.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SessionStore of {self.kind.__name__} at {self.engine.url.render_as_string(hide_password=True)}>"

    def using(self, connection: Connection) -> Self:
        """Return a view of the store that takes part in the transaction of *connection*, which the caller commits.

        Each call is atomic within the transaction, by a savepoint. Nothing is retried on deadlocks: that is for
        whoever holds the transaction.
        """
        view = copy(self)
        view._joined = connection  # noqa: SLF001 - a copy of this object
        view.outbox = Outbox(view._parts.outbox, view._read, view._write)  # noqa: SLF001 - as above
        return view

    # --- Transactions -------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, engine: Engine) -> Generator[Connection]:
        """Run the block in a transaction, or in a savepoint of the service's own."""
        if self._joined is not None:
            sqlite.begin_for_savepoint(self._joined)
            with self._joined.begin_nested():
                yield self._joined
            return
        connection = _connected(engine)
        is_inside = is_committing = False
        try:
            transaction = connection.begin()
            if begin := self._views.begins.get(engine):
                begin(connection)
            is_inside = True
            yield connection
            is_inside, is_committing = False, True
            transaction.commit()
        except SQLAlchemyError as error:
            if is_inside:  # an error of the service's own
                raise
            raise unavailable(error, committing=is_committing) from None
        finally:
            connection.close()

    def _read(self, unit: Callable[[Connection], T], session_id: str = "", *, snapshot: bool = False) -> T:
        return self._run(self._views.snapshot if snapshot else self._views.reading, unit, session_id)

    def _write(self, unit: Callable[[Connection], T], session_id: str = "") -> T:
        return self._run(self._views.writing, unit, session_id)

    def _run(self, engine: Engine, unit: Callable[[Connection], T], session_id: str) -> T:
        """Run *unit* in a transaction, and again if that met a deadlock, or has lost its connection before its commit."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._transaction(engine) as connection:
                    return self._parts.run(connection, unit, session_id)
            except StoreUnavailable as error:
                if not error.retryable or self._joined is not None or attempt == ATTEMPTS:
                    raise
            time.sleep(delay(attempt))
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    # --- Schema -------------------------------------------------------------------------------------------------------

    def create_schema(self) -> None:
        """Create the tables, or upgrade them; nothing happens if they are there.

        Raises:
            SchemaOutdated: the tables are newer than this library.
        """
        with self._transaction(self._views.writing) as connection, translated():
            upgrade(connection, self._parts.schema)

    def schema_version(self) -> str | None:
        """Return the version of the tables; None if there are none."""
        with self._transaction(self._views.reading) as connection, translated():
            return found_version(connection, self._parts.schema)

    # --- Sessions -----------------------------------------------------------------------------------------------------

    def add(self, session: C) -> None:
        """Store a new session, with its pending events.

        Raises:
            SessionExists: a session with its ID is stored already.
        """
        watch = Watch()
        with span("add", session.integration_id):
            events = self._write(lambda c: self._parts.operations.add(c, session), session.integration_id)
        session.take_events()
        watch.stored(events, session.application_id)

    def get(self, session_id: str, *, application_id: int | None = None) -> C:
        """Return a session to look at; what is done to it is not stored.

        Raises:
            SessionNotFound: there is none.
        """
        return self._load(session_id, application_id).session

    def _load(self, session_id: str, application_id: int | None) -> Stored[C]:
        return self._read(lambda c: self._parts.operations.load(c, session_id, application_id), session_id)

    @contextmanager
    def session(self, session_id: str, *, application_id: int | None = None, lock: bool = False) -> Generator[C]:
        """Read a session for a block, and save it when the block ends; it is discarded if the block raises.

        Args:
            session_id: the integration ID.
            application_id: the Application.
            lock: hold the session's lock, on SQLite that of the database, during the block.

        Raises:
            SessionNotFound: there is none.
            StaleSession: another writer has saved the session meanwhile; nothing is stored.
        """
        watch = Watch()
        with span("session", session_id):
            if lock:
                with self._transaction(self._views.writing) as connection:
                    stored = self._parts.run(connection, self._loading(session_id, application_id), session_id)
                    yield stored.session
                    events = self._parts.run(connection, lambda c: self._parts.operations.save(c, stored), session_id)
            else:
                stored = self._load(session_id, application_id)
                yield stored.session
                events = self._write(lambda c: self._parts.operations.save(c, stored), session_id)
        stored.session.take_events()
        watch.stored(events, stored.session.application_id)

    def _loading(self, session_id: str, application_id: int | None) -> Callable[[Connection], Stored[C]]:
        return lambda c: self._parts.operations.load(c, session_id, application_id, lock=True)

    @overload
    def change(
        self,
        session_id: str,
        function: Callable[[C], T],
        *,
        application_id: int | None = None,
        attempts: int = 5,
        idempotency_key: str | None = None,
        request: object = None,
        lock: bool = False,
        create: None = None,
    ) -> T: ...
    @overload
    def change(
        self,
        session_id: str,
        function: Callable[[C], T],
        *,
        application_id: int | None = None,
        attempts: int = 5,
        idempotency_key: str | None = None,
        request: object = None,
        lock: bool = False,
        create: Callable[[], C] | None,
    ) -> T | SessionEvent: ...
    def change(
        self,
        session_id: str,
        function: Callable[[C], T],
        *,
        application_id: int | None = None,
        attempts: int = 5,
        idempotency_key: str | None = None,
        request: object = None,
        lock: bool = False,
        create: Callable[[], C] | None = None,
    ) -> T | SessionEvent:
        """Read a session, call *function* with it, save it, and return what *function* returned.

        If another writer has saved the session meanwhile, all of it is done again, after a short and random delay. What
        *function* raises is raised, and is not repeated.

        Args:
            session_id: the integration ID.
            function: changes the session. It may be called several times, each time with the session as it is then.
            application_id: the Application.
            attempts: how often it is tried.
            idempotency_key: the same key again gives the same answer, without calling *function*. The answer is an
                event, a session, None, or a value of JSON. A refusal is no answer: the key stays free.
            request: what was asked for, as text, bytes or JSON: the key with another request is refused.
            lock: wait for the session's lock, on SQLite that of the database, before it is read.
            create: makes the session if there is none. It is stored, *function* is not called, and the answer is
                the session's creation event, whatever *function* would have returned.

        Raises:
            InvalidValue: *create* made another session, or one without an event.
            SessionNotFound: there is none, and *create* is not given.
            StaleSession: another writer was quicker in every attempt.
            IdempotencyConflict: the key was used for another request.
        """
        change = self._parts.change(
            session_id, application_id, key=idempotency_key, request=request, create=create, lock=lock
        )
        watch = Watch()
        with span("change", session_id):
            for attempt in range(1, as_attempts(attempts) + 1):
                watch.attempts = attempt
                try:
                    done = self._attempt(change, function)
                except (StaleSession, StoreUnavailable) as error:
                    if attempt == attempts or not self._may_repeat(error):
                        raise
                else:
                    return cast("T", self._finished(done, watch))
                time.sleep(delay(attempt))
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _may_repeat(self, error: StaleSession | StoreUnavailable) -> bool:
        return isinstance(error, StaleSession) or (error.retryable and self._joined is None)

    def _attempt(self, change: Change[C], function: Callable[[C], object]) -> Done[C]:
        """Try a change once: in one transaction if it takes the lock, else read in one and write in another."""
        if not change.lock:
            return self._apply(change, function, self._read, self._write)
        with self._transaction(self._views.writing) as connection:

            def run(unit: Callable[[Connection], T], session_id: str) -> T:
                return self._parts.run(connection, unit, session_id)

            return self._apply(change, function, run, run)

    def _apply(self, change: Change[C], function: Callable[[C], object], read: Any, write: Any) -> Done[C]:
        found: Any = read(change.look, change.session_id)
        if isinstance(found, Answered):
            return Done(answer=found.answer, events=[])
        session: C
        answer: Any
        if found is not None:
            session = found.session
            answer = function(session)
        else:
            session, answer = change.created(change.create())  # type: ignore[misc]  # pyright: ignore[reportOptionalCall]  # `look` has raised otherwise
        events: Any = write(partial(change.finish, found=found, session=session, answer=answer), change.session_id)
        return Done(answer=answer, session=session, events=events)

    def _finished(self, done: Done[C], watch: Watch) -> object:
        if done.session is not None:
            done.session.take_events()
            watch.stored(done.events, done.session.application_id)
        return done.answer

    # --- Questions ----------------------------------------------------------------------------------------------------

    def find(
        self,
        *,
        state: StateLike | None = None,
        profile_id: str | None = None,
        updated_after: datetime | None = None,
        application_id: int | None = None,
        limit: int = BATCH,
        after: str | None = None,
    ) -> Page[C]:
        """Return a page of sessions, those that were updated first in front.

        A session that is updated while pages are read moves to the end; it may be seen twice, and is never left out.

        Args:
            state: those in this state.
            profile_id: those of this customer; ``""`` for anonymous ones.
            updated_after: those whose last event happened after this time.
            application_id: those of this Application.
            limit: the most sessions of a page.
            after: the `Page.cursor` of the page before.
        """
        wanted = as_state(state)
        return self._read(
            lambda c: self._parts.operations.find(
                c,
                state=wanted,
                profile_id=profile_id,
                updated_after=as_time(updated_after) if updated_after is not None else None,
                application_id=application_id,
                limit=as_limit(limit),
                after=after,
            )
        )

    def count(self, *, state: StateLike | None = None) -> int:
        """Count the sessions, or those in one state. This reads all of them."""
        wanted = as_state(state)
        return self._read(lambda c: self._parts.operations.count(c, wanted))

    def history(self, session_id: str, *, application_id: int | None = None) -> list[StoredEvent]:
        """Return every event of a session that the store has, the oldest first.

        Raises:
            SessionNotFound: there is none.
        """
        return self._read(lambda c: self._parts.operations.history(c, session_id, application_id), session_id)

    def rebuild(self, session_id: str, *, application_id: int | None = None) -> C:
        """Play the events of a session again through its class, and return the session that they lead to.

        Rules do not judge past events, and callbacks are not called. The events of a session that came into the store
        with a past, or that an older version of the class has written, are played from the document of that moment.

        Raises:
            SessionNotFound: there is none.
            HistoryMismatch: the events do not lead to the stored document.
        """
        unit = self._parts.upkeep.rebuild
        return self._read(lambda c: unit(c, session_id, application_id), session_id, snapshot=True)

    # --- The outbox ---------------------------------------------------------------------------------------------------

    def relay(
        self,
        publish: Callable[[Message], object],
        *,
        batch: int = BATCH,
        attempts: int = 10,
        every: float | None = None,
        stop: threading.Event | None = None,
    ) -> Relayed:
        """Hand each message that is due to *publish*, at least once, and in order for each session.

        A message whose publishing raises an `Exception` is handed over again later, after a delay that doubles from a
        second to five minutes; the later messages of its session wait. After *attempts* it is set aside
        (`Outbox.failed`), and the later ones go on. If the process dies, messages of the last batch are handed over
        again: consumers recognise them by `Message.id`.

        On PostgreSQL several relays share the work. On SQLite one works at a time, and another one returns at once.

        Args:
            publish: publishes a message; it is published when this returns.
            batch: how many messages are read at once, and deleted at once.
            attempts: how often publishing a message is tried before it is set aside.
            every: go on, and look for messages this often, in seconds; None returns when no message is due.
            stop: ends a relay that goes on.
        """
        total, ended = Relayed(), stop or threading.Event()
        as_limit(batch, "batch")
        as_attempts(attempts)
        while not ended.is_set():
            done = self._relay_batch(publish, batch, attempts, ended)
            total = total.plus(done)
            if done == Relayed():
                if every is None:
                    break
                ended.wait(every)
        return total

    def _relay_batch(
        self, publish: Callable[[Message], object], batch: int, attempts: int, ended: threading.Event
    ) -> Relayed:
        with span("relay"), self._claimed(batch) as (messages, run):
            handing = Handing(messages, ended.is_set)
            for message in handing:
                try:
                    publish(message)
                except BaseException as error:  # noqa: BLE001 - what is no `Exception` is raised below
                    handing.raised(message, error)
                else:
                    handing.published(message)
            done = self._settled(handing, run, attempts)
        if handing.interrupted is not None:
            raise handing.interrupted
        return done

    def _settled(self, handing: Handing, run: _Settle, attempts: int) -> Relayed:
        if not handing.outcomes:
            return Relayed()
        return run(lambda c: self._parts.outbox.settle(c, handing.outcomes, attempts))

    @contextmanager
    def _claimed(self, batch: int) -> Generator[tuple[list[Message], _Settle]]:
        """Claim messages for the block; also yield what runs the statements that settle them."""
        outbox = self._parts.outbox
        if self._views.engine.dialect.name == "sqlite":
            with sqlite.only_relay(self._read(sqlite.database_file)) as free:
                yield self._read(lambda c: outbox.pending(c, batch)) if free else [], self._write
            return
        with self._transaction(self._views.writing) as connection:
            messages = self._parts.run(connection, lambda c: outbox.claim(c, batch, skip_locked=True))
            yield messages, lambda unit: self._parts.run(connection, unit)

    # --- Upkeep -------------------------------------------------------------------------------------------------------

    def verify(self, *, batch: int = BATCH) -> Iterator[Verified]:
        """Rebuild every session, and yield a result for each.

        Args:
            batch: how many sessions are read at once.
        """
        after = 0
        while True:
            results, after = self._read(self._parts.upkeep.verifying(after, batch), snapshot=True)
            if not results:
                return
            yield from results

    def migrate(self, *, batch: int = BATCH) -> Iterator[Migrated]:
        """Rewrite the documents that another version of the class or of the library wrote, and yield a result for each.

        It may be ended at any time, and started again. A document that cannot be read stays as it is.

        Args:
            batch: how many sessions are rewritten in one transaction.
        """
        after = 0
        while True:
            results, after = self._write(self._parts.upkeep.migrating(after, batch))
            if not results:
                return
            yield from results

    def count_outdated(self) -> int:
        """Count the sessions that `migrate` would rewrite."""
        return self._read(self._parts.upkeep.count_outdated)

    def prune(
        self,
        *,
        failed_before: datetime | None = None,
        sessions_before: datetime | None = None,
        states: StateLike | Iterable[StateLike] = (),
        batch: int = BATCH,
    ) -> Pruned:
        """Delete the answers of idempotency keys that have expired, and what the arguments say.

        Args:
            failed_before: delete messages that failed for good before this time.
            sessions_before: delete sessions, with their events, that are in one of *states* and were last updated before
                this time; those with messages that are not published yet stay.
            states: the states of sessions to delete.
            batch: how much is deleted in one transaction.
        """
        upkeep, most = self._parts.upkeep, as_limit(batch, "batch")
        pruned = {"requests": self._until_none(lambda c: upkeep.prune_requests(c, most))}
        if failed_before is not None:
            failed = as_time(failed_before)
            pruned["failed_messages"] = self._until_none(lambda c: upkeep.prune_failed(c, failed, most))
        if sessions_before is not None:
            old, wanted = as_time(sessions_before), as_states(states)
            pruned["sessions"] = self._until_none(lambda c: upkeep.prune_sessions(c, old, wanted, most))
        return Pruned(**pruned)

    def _until_none(self, unit: Callable[[Connection], int]) -> int:
        total = 0
        while done := self._write(unit):
            total += done
        return total


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except Exception as error:  # noqa: BLE001 - a driver raises what it likes
        raise no_connection(error) from None
