"""`AsyncSessionStore`: as `SessionStore`, for asyncio. The statements are those of `operations`, run by ``run_sync``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from inspect import isawaitable
from typing import Any, Generic, Self, TypeAlias, TypeVar, cast, overload

from sqlalchemy import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

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
from session_fsm.store.outbox.outbox import AsyncOutbox
from session_fsm.store.outbox.relaying import Handing
from session_fsm.store.parts import Parts
from session_fsm.store.results import Migrated, Page, Pruned, StoredEvent, Verified
from session_fsm.store.telemetry import Watch, span

__all__ = ["AsyncSessionStore"]

T = TypeVar("T")
C = TypeVar("C", bound=CustomerSession)

_Settle: TypeAlias = Callable[[Callable[[Connection], Relayed]], Awaitable[Relayed]]
"""Runs what notes which messages are published."""


class AsyncSessionStore(Generic[C]):
    """As `SessionStore`, for asyncio: the same names and arguments, awaitable.

    >>> from asyncio import run
    >>> from session_fsm import CustomerSession
    >>> async def close_an_order() -> None:
    ...     async with AsyncSessionStore("sqlite://") as store:  # in memory
    ...         await store.create_schema()
    ...         await store.add(CustomerSession.create("order-1042"))
    ...         event = await store.change("order-1042", lambda session: session.close())
    ...         print(event.name.value, (await store.get("order-1042")).state)
    >>> run(close_an_order())
    talon_session_closed closed

    The URL's driver is ``aiosqlite`` or ``psycopg`` unless it names another one, such as
    ``postgresql+asyncpg://...``. Functions that the store calls may be plain or asynchronous.

    Args:
        url: the URL of the database, or an `sqlalchemy.ext.asyncio.AsyncEngine` of the service's own.
        kind: and the others: as for `SessionStore`.
    """

    @overload
    def __init__(
        self: AsyncSessionStore[CustomerSession],
        url: str | URL | AsyncEngine,
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
        url: str | URL | AsyncEngine,
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
        url: str | URL | AsyncEngine,
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
        self._views = engines.async_views(url, timeout)
        self._joined: AsyncConnection | None = None
        self.outbox = AsyncOutbox(self._parts.outbox, self._read, self._write)
        """The messages that are not published yet."""

    @property
    def kind(self) -> type[C]:
        """The class of the sessions."""
        return self._parts.documents.kind

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for transactions that the service shares with the store by `using`."""
        return self._views.engine

    async def close(self) -> None:
        """Close the connections, unless the engine is the service's own."""
        if self._views.is_own:
            await self._views.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncSessionStore of {self.kind.__name__} at {self.engine.url.render_as_string(hide_password=True)}>"

    def using(self, connection: AsyncConnection) -> Self:
        """Return a view of the store that takes part in the transaction of *connection*, which the caller commits.

        Each call is atomic within the transaction, by a savepoint. Nothing is retried on deadlocks: that is for
        whoever holds the transaction.
        """
        view = copy(self)
        view._joined = connection  # noqa: SLF001 - a copy of this object
        view.outbox = AsyncOutbox(view._parts.outbox, view._read, view._write)  # noqa: SLF001 - as above
        return view

    # --- Transactions -------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
        """Run the block in a transaction, or in a savepoint of the service's own."""
        if self._joined is not None:
            await self._joined.run_sync(sqlite.begin_for_savepoint)
            async with self._joined.begin_nested():
                yield self._joined
            return
        connection = await _connected(engine)
        is_inside = is_committing = False
        try:
            transaction = await connection.begin()
            if begin := self._views.begins.get(engine):
                await connection.run_sync(begin)
            is_inside = True
            yield connection
            is_inside, is_committing = False, True
            await transaction.commit()
        except SQLAlchemyError as error:
            if is_inside:  # an error of the service's own
                raise
            raise unavailable(error, committing=is_committing) from None
        finally:
            await connection.close()

    async def _in(self, connection: AsyncConnection, unit: Callable[[Connection], T], session_id: str = "") -> T:
        return await connection.run_sync(self._parts.run, unit, session_id)

    async def _read(self, unit: Callable[[Connection], T], session_id: str = "", *, snapshot: bool = False) -> T:
        return await self._run(self._views.snapshot if snapshot else self._views.reading, unit, session_id)

    async def _write(self, unit: Callable[[Connection], T], session_id: str = "") -> T:
        return await self._run(self._views.writing, unit, session_id)

    async def _run(self, engine: AsyncEngine, unit: Callable[[Connection], T], session_id: str) -> T:
        """Run *unit* in a transaction, and again if that met a deadlock, or has lost its connection before its commit."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._transaction(engine) as connection:
                    return await self._in(connection, unit, session_id)
            except StoreUnavailable as error:
                if not error.retryable or self._joined is not None or attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(delay(attempt))
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    # --- Schema -------------------------------------------------------------------------------------------------------

    async def create_schema(self) -> None:
        """Create the tables, or upgrade them; nothing happens if they are there.

        Raises:
            SchemaOutdated: the tables are newer than this library.
        """
        async with self._transaction(self._views.writing) as connection:
            with translated():
                await connection.run_sync(upgrade, self._parts.schema)

    async def schema_version(self) -> str | None:
        """Return the version of the tables; None if there are none."""
        async with self._transaction(self._views.reading) as connection:
            with translated():
                return await connection.run_sync(found_version, self._parts.schema)

    # --- Sessions -----------------------------------------------------------------------------------------------------

    async def add(self, session: C) -> None:
        """Store a new session, with its pending events.

        Raises:
            SessionExists: a session with its ID is stored already.
        """
        watch = Watch()
        with span("add", session.integration_id):
            events = await self._write(lambda c: self._parts.operations.add(c, session), session.integration_id)
        session.take_events()
        watch.stored(events, session.application_id)

    async def get(self, session_id: str, *, application_id: int | None = None) -> C:
        """Return a session to look at; what is done to it is not stored.

        Raises:
            SessionNotFound: there is none.
        """
        return (await self._load(session_id, application_id)).session

    async def _load(self, session_id: str, application_id: int | None) -> Stored[C]:
        return await self._read(lambda c: self._parts.operations.load(c, session_id, application_id), session_id)

    @asynccontextmanager
    async def session(
        self, session_id: str, *, application_id: int | None = None, lock: bool = False
    ) -> AsyncGenerator[C]:
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
                async with self._transaction(self._views.writing) as connection:
                    stored = await self._in(connection, self._loading(session_id, application_id), session_id)
                    yield stored.session
                    events = await self._in(connection, lambda c: self._parts.operations.save(c, stored), session_id)
            else:
                stored = await self._load(session_id, application_id)
                yield stored.session
                events = await self._write(lambda c: self._parts.operations.save(c, stored), session_id)
        stored.session.take_events()
        watch.stored(events, stored.session.application_id)

    def _loading(self, session_id: str, application_id: int | None) -> Callable[[Connection], Stored[C]]:
        return lambda c: self._parts.operations.load(c, session_id, application_id, lock=True)

    @overload
    async def change(
        self,
        session_id: str,
        function: Callable[[C], Awaitable[T] | T],
        *,
        application_id: int | None = None,
        attempts: int = 5,
        idempotency_key: str | None = None,
        request: object = None,
        lock: bool = False,
        create: None = None,
    ) -> T: ...
    @overload
    async def change(
        self,
        session_id: str,
        function: Callable[[C], Awaitable[T] | T],
        *,
        application_id: int | None = None,
        attempts: int = 5,
        idempotency_key: str | None = None,
        request: object = None,
        lock: bool = False,
        create: Callable[[], Awaitable[C] | C] | None,
    ) -> T | SessionEvent: ...
    async def change(
        self,
        session_id: str,
        function: Callable[[C], Awaitable[T] | T],
        *,
        application_id: int | None = None,
        attempts: int = 5,
        idempotency_key: str | None = None,
        request: object = None,
        lock: bool = False,
        create: Callable[[], Awaitable[C] | C] | None = None,
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
                    done = await self._attempt(change, function)
                except (StaleSession, StoreUnavailable) as error:
                    if attempt == attempts or not self._may_repeat(error):
                        raise
                else:
                    return cast("T", self._finished(done, watch))
                await asyncio.sleep(delay(attempt))
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _may_repeat(self, error: StaleSession | StoreUnavailable) -> bool:
        return isinstance(error, StaleSession) or (error.retryable and self._joined is None)

    async def _attempt(self, change: Change[C], function: Callable[[C], object]) -> Done[C]:
        """Try a change once: in one transaction if it takes the lock, else read in one and write in another."""
        if not change.lock:
            return await self._apply(change, function, self._read, self._write)
        async with self._transaction(self._views.writing) as connection:

            async def run(unit: Callable[[Connection], T], session_id: str) -> T:
                return await self._in(connection, unit, session_id)

            return await self._apply(change, function, run, run)

    async def _apply(self, change: Change[C], function: Callable[[C], object], read: Any, write: Any) -> Done[C]:
        found: Any = await read(change.look, change.session_id)
        if isinstance(found, Answered):
            return Done(answer=found.answer, events=[])
        session: C
        answer: Any
        if found is not None:
            session = found.session
            answer = await _awaited(function(session))
        else:
            session, answer = change.created(await _awaited(change.create()))  # type: ignore[misc]  # pyright: ignore[reportOptionalCall]  # `look` has raised otherwise
        events: Any = await write(
            partial(change.finish, found=found, session=session, answer=answer), change.session_id
        )
        return Done(answer=answer, session=session, events=events)

    def _finished(self, done: Done[C], watch: Watch) -> object:
        if done.session is not None:
            done.session.take_events()
            watch.stored(done.events, done.session.application_id)
        return done.answer

    # --- Questions ----------------------------------------------------------------------------------------------------

    async def find(
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
        return await self._read(
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

    async def count(self, *, state: StateLike | None = None) -> int:
        """Count the sessions, or those in one state. This reads all of them."""
        wanted = as_state(state)
        return await self._read(lambda c: self._parts.operations.count(c, wanted))

    async def history(self, session_id: str, *, application_id: int | None = None) -> list[StoredEvent]:
        """Return every event of a session that the store has, the oldest first.

        Raises:
            SessionNotFound: there is none.
        """
        return await self._read(lambda c: self._parts.operations.history(c, session_id, application_id), session_id)

    async def rebuild(self, session_id: str, *, application_id: int | None = None) -> C:
        """Play the events of a session again through its class, and return the session that they lead to.

        Rules do not judge past events, and callbacks are not called. The events of a session that came into the store
        with a past, or that an older version of the class has written, are played from the document of that moment.

        Raises:
            SessionNotFound: there is none.
            HistoryMismatch: the events do not lead to the stored document.
        """
        unit = self._parts.upkeep.rebuild
        return await self._read(lambda c: unit(c, session_id, application_id), session_id, snapshot=True)

    # --- The outbox ---------------------------------------------------------------------------------------------------

    async def relay(
        self,
        publish: Callable[[Message], object],
        *,
        batch: int = BATCH,
        attempts: int = 10,
        every: float | None = None,
        stop: asyncio.Event | None = None,
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
        total, ended = Relayed(), stop or asyncio.Event()
        as_limit(batch, "batch")
        as_attempts(attempts)
        while not ended.is_set():
            done = await self._relay_batch(publish, batch, attempts, ended)
            total = total.plus(done)
            if done == Relayed():
                if every is None:
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), every)
        return total

    async def _relay_batch(
        self, publish: Callable[[Message], object], batch: int, attempts: int, ended: asyncio.Event
    ) -> Relayed:
        with span("relay"):
            async with self._claimed(batch) as (messages, run):
                handing = Handing(messages, ended.is_set)
                for message in handing:
                    try:
                        await _awaited(publish(message))
                    except BaseException as error:  # noqa: BLE001 - what is no `Exception` is raised below
                        handing.raised(message, error)
                    else:
                        handing.published(message)
                done = await self._settled(handing, run, attempts)
        if handing.interrupted is not None:
            raise handing.interrupted
        return done

    async def _settled(self, handing: Handing, run: _Settle, attempts: int) -> Relayed:
        if not handing.outcomes:
            return Relayed()
        return await run(lambda c: self._parts.outbox.settle(c, handing.outcomes, attempts))

    @asynccontextmanager
    async def _claimed(self, batch: int) -> AsyncGenerator[tuple[list[Message], _Settle]]:
        """Claim messages for the block; also yield what runs the statements that settle them."""
        outbox = self._parts.outbox
        if self._views.engine.dialect.name == "sqlite":
            with sqlite.only_relay(await self._read(sqlite.database_file)) as free:
                yield await self._read(lambda c: outbox.pending(c, batch)) if free else [], self._write
            return
        async with self._transaction(self._views.writing) as connection:
            messages = await self._in(connection, lambda c: outbox.claim(c, batch, skip_locked=True))
            yield messages, lambda unit: self._in(connection, unit)

    # --- Upkeep -------------------------------------------------------------------------------------------------------

    async def verify(self, *, batch: int = BATCH) -> AsyncIterator[Verified]:
        """Rebuild every session, and yield a result for each.

        Args:
            batch: how many sessions are read at once.
        """
        after = 0
        while True:
            results, after = await self._read(self._parts.upkeep.verifying(after, batch), snapshot=True)
            if not results:
                return
            for result in results:
                yield result

    async def migrate(self, *, batch: int = BATCH) -> AsyncIterator[Migrated]:
        """Rewrite the documents that another version of the class or of the library wrote, and yield a result for each.

        It may be ended at any time, and started again. A document that cannot be read stays as it is.

        Args:
            batch: how many sessions are rewritten in one transaction.
        """
        after = 0
        while True:
            results, after = await self._write(self._parts.upkeep.migrating(after, batch))
            if not results:
                return
            for result in results:
                yield result

    async def count_outdated(self) -> int:
        """Count the sessions that `migrate` would rewrite."""
        return await self._read(self._parts.upkeep.count_outdated)

    async def prune(
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
        pruned = {"requests": await self._until_none(lambda c: upkeep.prune_requests(c, most))}
        if failed_before is not None:
            failed = as_time(failed_before)
            pruned["failed_messages"] = await self._until_none(lambda c: upkeep.prune_failed(c, failed, most))
        if sessions_before is not None:
            old, wanted = as_time(sessions_before), as_states(states)
            pruned["sessions"] = await self._until_none(lambda c: upkeep.prune_sessions(c, old, wanted, most))
        return Pruned(**pruned)

    async def _until_none(self, unit: Callable[[Connection], int]) -> int:
        total = 0
        while done := await self._write(unit):
            total += done
        return total


async def _awaited(value: Awaitable[T] | T) -> T:
    """Return what *value* is, or what it leads to."""
    done: Any = await value if isawaitable(value) else value
    return cast("T", done)


async def _connected(engine: AsyncEngine) -> AsyncConnection:
    try:
        return await engine.connect()
    except Exception as error:  # noqa: BLE001 - a driver raises what it likes
        raise no_connection(error) from None
