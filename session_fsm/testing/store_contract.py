"""`StoreContract`: the tests that every store of sessions must pass, whatever it stores them in.

A store of another kind than `SessionStore` is tested in a few lines, which pytest collects:

>>> from session_fsm import CustomerSession
>>> from session_fsm.store import SessionStore
>>> from session_fsm.testing import StoreContract
>>> class TestMyStore(StoreContract):
...     def open(self, kind=CustomerSession, **options):
...         store = SessionStore("sqlite://", kind, **options)
...         store.create_schema()
...         return store
...
...     def reopen(self, store, **options):
...         return SessionStore(store.engine, **options)

`StoreContract.open` may return an asynchronous store too, or be asynchronous; the tests then run an event loop. For
``python -m unittest``, add the base class `unittest.TestCase`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from attrs import define, field

from session_fsm import wire
from session_fsm.errors import InvalidValue, TransitionRefused, WrongState
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.store.errors import (
    DocumentUnreadable,
    HistoryMismatch,
    IdempotencyConflict,
    SessionExists,
    SessionNotFound,
    StaleSession,
)
from session_fsm.testing.steps import BEGINNING
from session_fsm.testing.test_classes import AsTestCase, check
from session_fsm.values import AdditionalCost, CartItem, ReturnedCartItem

__all__ = ["StoreContract"]

HOSTILE_IDS = (
    "it's; DROP TABLE sessions; --",
    'a "quoted" one',
    "nul \0 and \\0 and \\",
    "\0",
    "line\nbreak\r\ttab \x1b[31m",
    "../../etc/passwd",
    "%00%2e%2e",
    " ",
    "o" * 1000,
    "\N{PILE OF POO}" * 1000,
    "\N{LATIN SMALL LETTER E}\N{COMBINING ACUTE ACCENT}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "\ufeffbom \u202e\u2028",
    ":",
    "7:order",
)
"""IDs that a store must tell apart, and give back as they are."""


@define
class ContractClock:
    """The clock of the stores under test."""

    now: datetime = field(default=BEGINNING)
    """The current time."""

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        """Let time pass, as the arguments of `datetime.timedelta` say."""
        self.now += timedelta(**amount)


class _Blocking:
    """A store whose methods are asynchronous, as one whose methods are not."""

    def __init__(self, inside: Any, runner: asyncio.Runner) -> None:
        self._inside, self._runner = inside, runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inside, name)
        if name == "outbox":
            return _Blocking(found, self._runner)
        if not callable(found):
            return found

        def call(*args: Any, **keywords: Any) -> Any:
            return self._done(found(*args, **keywords))

        return call

    def again(self, reopen: Any) -> _Blocking:
        """Return what *reopen* makes of the store, as this one."""
        return _Blocking(reopen(self._inside), self._runner)

    def _is_running(self) -> bool:
        """Whether the caller is a function that the store calls, which `_after` makes wait."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True

    def _done(self, result: Any) -> Any:
        if inspect.isawaitable(result):
            if self._is_running():
                return result
            done = self._runner.run(_wait(result))
            return [_message(one, self) for one in _listed(done)] if isinstance(done, list) else done
        if hasattr(result, "__aenter__"):
            return self._entered(result)
        if hasattr(result, "__aiter__"):
            return self._runner.run(_all(result))
        return result

    @contextmanager
    def _entered(self, manager: Any) -> Generator[Any]:
        value = self._runner.run(manager.__aenter__())
        try:
            yield value
        except BaseException as error:
            if not self._runner.run(manager.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            self._runner.run(manager.__aexit__(None, None, None))


def _listed(value: Any) -> list[Any]:
    return list(value)


def _message(one: Any, store: _Blocking) -> Any:
    return _Blocking(one, store._runner) if hasattr(one, "acknowledge") else one  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # of this module


async def _wait(awaitable: Any) -> Any:
    return await awaitable


def _after(first: Any, function: Any) -> Any:
    """Return what *function* returns, once *first* is done, which is awaitable if the store is asynchronous."""
    if not inspect.isawaitable(first):
        return function()

    async def wait() -> Any:
        await first
        return function()

    return wait()


async def _all(iterator: Any) -> list[Any]:
    return [one async for one in iterator]


def new(session_id: str = "order-1", **given: Any) -> CustomerSession:
    """Return a new session with an item."""
    defaults: dict[str, Any] = {"cart_items": [CartItem(sku="MUG", quantity=3, price="12.50")], "now": BEGINNING}
    return CustomerSession.create(session_id, **defaults | given)


def _close(session: CustomerSession) -> SessionEvent:
    return session.close(now=session.updated + timedelta(minutes=1))


def _redeem(code: str) -> Callable[[CustomerSession], SessionEvent]:
    return lambda session: session.update(coupon_codes=[code], now=session.updated + timedelta(minutes=1))


def _cancel(session: CustomerSession) -> SessionEvent:
    return session.cancel(now=BEGINNING)


def _reopen(session: CustomerSession) -> SessionEvent:
    return session.reopen(now=BEGINNING)


def _return_one(session: CustomerSession) -> SessionEvent:
    return session.return_items([ReturnedCartItem(sku="MUG", quantity=1)], now=BEGINNING)


def _close_at_till(session: CustomerSession) -> SessionEvent:
    return session.close(context={"by": "till 4"}, now=BEGINNING)


def _total(session: CustomerSession) -> Decimal:
    return session.total


def _itself(session: CustomerSession) -> CustomerSession:
    return session


def _answer(value: object) -> Callable[[CustomerSession], object]:
    """Return a function that changes nothing and returns *value*."""
    return lambda _: value


class _Raised(Exception):
    """What a block raises in these tests."""


class _Interrupted(BaseException):
    """What ends a relay in these tests, as `KeyboardInterrupt` does."""


class StoreContract:
    """The tests of a store: subclass it and write `open`."""

    TestCase: ClassVar[Any] = AsTestCase()
    """The class as a `unittest.TestCase`."""

    def open(self, kind: type[CustomerSession] = CustomerSession, **options: Any) -> Any:
        """Return a new and empty store of *kind*, with the *options* of `SessionStore`."""
        raise NotImplementedError

    def reopen(self, store: Any, **options: Any) -> Any:
        """Return another store, with other *options*, on the database of *store*, which `open` returned."""
        raise NotImplementedError

    def shut(self, store: Any) -> Any:
        """Close what `open` returned. It may be asynchronous if the store is."""
        return store.close()

    @contextmanager
    def _store(self, kind: type[CustomerSession] = CustomerSession, **options: Any) -> Generator[Any]:
        with asyncio.Runner() as runner:

            def run(made: Any) -> Any:
                return runner.run(_wait(made)) if inspect.isawaitable(made) else made

            store = run(self.open(kind, **options))
            is_async = inspect.iscoroutinefunction(store.get)
            try:
                yield _Blocking(store, runner) if is_async else store
            finally:
                run(self.shut(store))

    # --- Sessions -----------------------------------------------------------------------------------------------------

    def test_a_session_comes_back_as_it_was_added(self) -> None:
        """No field is lost, and amounts are exact."""
        session = new(
            profile_id="cust-7",
            application_id=322,
            attributes={"City": "Gent", "n": Decimal("0.10000000000000000000000000001")},
            additional_costs={"shipping": AdditionalCost("4.5000")},
        )
        document = wire.dumps(session)
        with self._store() as store:
            store.add(session)
            check(not session.pending_events, "the store takes the events of a session that it has stored")
            check(wire.dumps(store.get("order-1", application_id=322)) == document, "the document is the same")

    def test_a_session_that_is_not_stored_is_not_found(self) -> None:
        """Neither to read, nor to change, nor its history; an ID that no session can have is not found either."""
        with self._store() as store:
            store.add(new("other"))
            for session_id in ("order-1", "", "o" * 2000, "\ud800"):
                errors = [
                    _raised(SessionNotFound, store.get, session_id),
                    _raised(SessionNotFound, store.history, session_id),
                    _raised(SessionNotFound, store.rebuild, session_id),
                    _raised(SessionNotFound, store.change, session_id, _close),
                    _raised(SessionNotFound, store.session(session_id).__enter__),
                ]
                check({error.session_id for error in errors} == {session_id}, "the error names the session")

    def test_an_id_can_be_added_once(self) -> None:
        """The second session is refused, keeps its events, and changes nothing."""
        with self._store() as store:
            store.add(new(coupon_codes=["FIRST"]))
            second = new(coupon_codes=["SECOND"])
            _raised(SessionExists, store.add, second)
            check(len(second.pending_events) == 1, "the session keeps its events")
            check(store.get("order-1").coupon_codes == ("FIRST",), "the first session is stored")
            check(len(store.history("order-1")) == 1, "its history is its own")

    def test_applications_do_not_share_ids(self) -> None:
        """The same integration ID in three Applications is three sessions."""
        with self._store() as store:
            for application_id in (None, 1, 2):
                store.add(new(application_id=application_id))
            store.change("order-1", _close, application_id=2)
            states = [store.get("order-1", application_id=one).state for one in (None, 1, 2)]
            check(states == [State.OPEN, State.OPEN, State.CLOSED], "one was closed")

    def test_the_application_of_the_store_is_that_of_sessions_without_one(self) -> None:
        """They are found with and without it."""
        with self._store(application_id=322) as store:
            store.add(new("first"))
            store.add(new("second", application_id=322))
            for session_id in ("first", "second"):
                for application_id in (None, 322):
                    check(store.get(session_id, application_id=application_id), "it is found")
            check(len(store.find(application_id=322)) == 2, "both belong to it")

    def test_hostile_ids_are_told_apart_and_kept(self) -> None:
        """Quotes, NUL, emoji, paths, 1,000 characters."""
        with self._store() as store:
            for session_id in HOSTILE_IDS:
                store.add(new(session_id, profile_id=session_id))
            for session_id in HOSTILE_IDS:
                event = store.change(session_id, _close)
                check(event.session_id == session_id, "the event names the session")
                check(store.get(session_id).integration_id == session_id, "the ID is the same")
                check([one.integration_id for one in store.find(profile_id=session_id)] == [session_id], "found")
                check([one.event.update_count for one in store.history(session_id)] == [1, 2], "its own events")
            verified = list(store.verify())
            check({one.session_id for one in verified} == set(HOSTILE_IDS), "every ID comes back")
            check(not any(one.problem for one in verified), "every session can be rebuilt")
            check({one.session_id for one in store.outbox.pending()} == set(HOSTILE_IDS), "messages have the IDs")

    def test_a_large_document_is_stored(self) -> None:
        """16 MB of attributes, in a session that is changed."""
        with self._store() as store:
            large = new(attributes={"text": "\N{SNOWMAN}" * (16 * 1024 * 1024 // 3)})
            store.add(large)
            store.change("order-1", _close)
            check(store.get("order-1").attributes == large.attributes, "the document is the same")
            check(store.rebuild("order-1").state == State.CLOSED, "it can be rebuilt")

    # --- Changes ------------------------------------------------------------------------------------------------------

    def test_a_block_that_ends_is_saved(self) -> None:
        """Several verbs in one block are one change, and all of their events are stored."""
        with self._store() as store:
            store.add(new())
            with store.session("order-1") as session:
                _redeem("XMAS")(session)
                _close(session)
            check(not session.pending_events, "the store has taken the events")
            check(wire.dumps(store.get("order-1")) == wire.dumps(session), "the session is saved")
            check([one.sequence for one in store.history("order-1")] == [1, 2, 3], "both events are stored")

    def test_a_block_that_raises_is_discarded(self) -> None:
        """With and without the lock, and when the session itself refuses."""
        with self._store() as store:
            store.add(new())
            for lock in (False, True):

                def broken(lock: bool = lock) -> None:  # noqa: FBT001 - called by nobody else
                    with store.session("order-1", lock=lock) as session:
                        _close(session)
                        raise _Raised

                def refused(lock: bool = lock) -> None:  # noqa: FBT001 - as above
                    with store.session("order-1", lock=lock) as session:
                        _close(session)
                        _close(session)

                _raised(_Raised, broken)
                check(_raised(WrongState, refused).already, "the refusal passes through as it is")
            check(store.get("order-1").state is State.OPEN, "nothing is stored")
            check(len(store.history("order-1")) == 1, "no event is stored")
            check(len(store.outbox.pending()) == 1, "no message is stored")

    def test_a_block_that_changes_nothing_stores_nothing(self) -> None:
        """Also when the verb is refused and the block goes on."""
        with self._store() as store:
            store.add(new())
            with store.session("order-1"):
                pass
            check(store.get("order-1").update_count == 1, "nothing has happened")

    def test_the_slower_writer_is_refused(self) -> None:
        """The error says which version was read and which is stored; the first change stays."""
        with self._store() as store:
            store.add(new())

            def late() -> None:
                with store.session("order-1") as session:
                    store.change("order-1", _redeem("FIRST"))
                    store.change("order-1", _redeem("SECOND"))
                    _close(session)

            error = _raised(StaleSession, late)
            check((error.read, error.found, error.session_id) == (1, 3, "order-1"), "the versions are named")
            check(store.get("order-1").coupon_codes == ("SECOND",), "the first writer's change stays")

    def test_a_locked_block_is_saved(self) -> None:
        """The lock does not change what is stored."""
        with self._store() as store:
            store.add(new())
            with store.session("order-1", lock=True) as session:
                _close(session)
            check(store.change("order-1", _reopen, lock=True).target is State.OPEN, "changed")
            check(store.get("order-1").update_count == 3, "both changes are stored")

    def test_events_that_somebody_has_taken_are_missed(self) -> None:
        """A change whose events are gone is refused: the history would have a gap."""
        with self._store() as store:
            store.add(new())

            def taken(session: CustomerSession) -> None:
                _redeem("XMAS")(session)
                session.take_events()

            _raised(HistoryMismatch, store.change, "order-1", taken)
            check(store.get("order-1").update_count == 1, "nothing is stored")

    def test_change_returns_what_the_function_returns(self) -> None:
        """An event, as a rule."""
        with self._store() as store:
            store.add(new())
            event = store.change("order-1", _close)
            check(event == store.history("order-1")[-1].event, "the event is the one that is stored")
            check(store.change("order-1", _total) == Decimal("37.50"), "or anything else")

    def test_change_reads_again_after_another_writer(self) -> None:
        """The function is called again with the session as it is then."""
        with self._store() as store:
            store.add(new())
            quicker = ["FIRST", "SECOND"]

            def close(session: CustomerSession) -> Any:
                first = store.change("order-1", _redeem(quicker.pop(0))) if quicker else None
                return _after(first, lambda: _close(session))

            check(store.change("order-1", close, attempts=3).update_count == 4, "the third attempt is stored")
            session = store.get("order-1")
            check((session.state, session.coupon_codes) == (State.CLOSED, ("SECOND",)), "no update is lost")

    def test_change_gives_up_after_its_attempts(self) -> None:
        """The last StaleSession is raised; a number below 1 is refused."""
        with self._store() as store:
            store.add(new())

            def late(session: CustomerSession) -> Any:
                return _after(store.change("order-1", _redeem("FIRST")), lambda: _close(session))

            check(_raised(StaleSession, store.change, "order-1", late, attempts=2).found == 3, "two attempts were made")
            check(store.get("order-1").state is State.OPEN, "nothing of it is stored")
            _raised(InvalidValue, store.change, "order-1", _close, attempts=0)

    def test_a_refusal_is_not_repeated(self) -> None:
        """The function was called once."""
        with self._store() as store:
            store.add(new())
            calls: list[int] = []

            def refused(session: CustomerSession) -> None:
                calls.append(1)
                session.reopen()

            error = _raised(TransitionRefused, store.change, "order-1", refused, attempts=5)
            check(error.session_id == "order-1", "the refusal is the session's own")
            check(calls == [1], "it was tried once")

    def test_change_creates_a_session_that_is_not_there(self) -> None:
        """The answer is the creation event; a session that is there is changed."""
        with self._store() as store:
            first = store.change("order-1", _redeem("LATER"), create=lambda: new(coupon_codes=["FIRST"]))
            check(first.trigger is Trigger.CREATE, "the session is created")
            check(store.get("order-1").coupon_codes == ("FIRST",), "the function was not called")
            check(store.change("order-1", _close, create=new).trigger is Trigger.CLOSE, "now it is there")
            _raised(InvalidValue, store.change, "order-2", _close, create=new)

    def test_two_creations_at_once_are_one_creation_and_one_change(self) -> None:
        """The slower one reads again, and changes what the other one has stored."""
        with self._store() as store:

            def slow() -> Any:
                return _after(store.add(new(coupon_codes=["QUICK"])), lambda: new(coupon_codes=["SLOW"]))

            check(store.change("order-1", _close, create=slow).trigger is Trigger.CLOSE, "it was there by then")
            check(store.get("order-1").coupon_codes == ("QUICK",), "the first creation counts")

    # --- Idempotency --------------------------------------------------------------------------------------------------

    def test_a_repeated_key_gives_the_same_answer(self) -> None:
        """The function is not called; the answer equals the first, whether event, session or JSON."""
        with self._store() as store:
            store.add(new())
            answers: Mapping[str, Any] = {
                "event": _close,
                "none": _answer(None),
                "json": _answer({"a": [1, 2.5, "x", True, None]}),
            }
            for key, function in answers.items():
                first = store.change("order-1", function, idempotency_key=key, request={"k": Decimal("1.0")})
                again = store.change("order-1", _never, idempotency_key=key, request={"k": Decimal("1.0")})
                check(again == first, "the answer is the same")
                check(type(again) is type(first), "and of the same type")
            first = store.change("order-1", _itself, idempotency_key="session")
            again = store.change("order-1", _never, idempotency_key="session")
            check(wire.dumps(again) == wire.dumps(first), "the session is the same")
            check(store.get("order-1").update_count == 2, "it was closed once")

    def test_a_key_of_another_request_is_refused(self) -> None:
        """Another request, or another session."""
        with self._store() as store:
            store.add(new("order-1"))
            store.add(new("order-2"))
            store.change("order-1", _close, idempotency_key="k", request=b"close")
            for session_id, request in (("order-1", b"cancel"), ("order-1", "close"), ("order-2", b"close")):
                error = _raised(
                    IdempotencyConflict, store.change, session_id, _never, idempotency_key="k", request=request
                )
                check((error.key, error.session_id) == ("k", session_id), "the error names both")

    def test_a_key_that_is_used_meanwhile_is_noticed(self) -> None:
        """The slower request with the same key gets the answer of the quicker one, or is refused."""
        with self._store() as store:
            store.add(new("order-1"))
            store.add(new("order-2"))

            def slow(key: str, other: str) -> Callable[[CustomerSession], Any]:
                def act(_: CustomerSession) -> Any:
                    quick = store.change(other, _answer("quick"), idempotency_key=key)
                    return _after(quick, lambda: "slow")

                return act

            answer = store.change("order-1", slow("same", "order-1"), idempotency_key="same")
            check(answer == "quick", "the first answer counts")
            _raised(IdempotencyConflict, store.change, "order-1", slow("k", "order-2"), idempotency_key="k")

    def test_a_key_is_free_again_when_it_has_expired(self) -> None:
        """And after a refusal, of which nothing is kept."""
        clock = ContractClock()
        with self._store(clock=clock, keep_answers=timedelta(hours=1)) as store:
            store.add(new())
            _raised(WrongState, store.change, "order-1", _reopen, idempotency_key="k", request="a")
            store.change("order-1", _close, idempotency_key="k", request="a")
            clock.advance(minutes=59)
            check(store.change("order-1", _never, idempotency_key="k", request="a"), "it is kept for an hour")
            clock.advance(minutes=1)
            event = store.change("order-1", _reopen, idempotency_key="k", request="b")
            check(event.trigger is Trigger.REOPEN, "it is free again")

    def test_an_answer_that_cannot_be_kept_is_refused(self) -> None:
        """A value that would come back as another one; and keys that are none."""
        with self._store() as store:
            store.add(new())
            for answer in ((1, 2), {1: "a"}, object(), float("nan"), Decimal(1)):
                _raised(InvalidValue, store.change, "order-1", _answer(answer), idempotency_key="k")
            for key in ("", "k" * 1001, "\ud800"):
                _raised(InvalidValue, store.change, "order-1", _never, idempotency_key=key)
            _raised(InvalidValue, store.change, "order-1", _never, idempotency_key="k", request=object())
            check(store.get("order-1").update_count == 1, "nothing is stored")

    # --- Questions ----------------------------------------------------------------------------------------------------

    def test_find_returns_pages_in_the_order_of_the_last_update(self) -> None:
        """Each session once, until there are no more."""
        with self._store() as store:
            for number in range(7):
                store.add(new(f"order-{number}", now=BEGINNING + timedelta(minutes=number % 3)))
            found: list[str] = []
            cursor: str | None = None
            while True:
                page = store.find(limit=3, after=cursor)
                check(len(page) <= 3, "a page is not longer than its limit")
                found += [session.integration_id for session in page]
                cursor = page.cursor
                if cursor is None:
                    break
            check(found == ["order-0", "order-3", "order-6", "order-1", "order-4", "order-2", "order-5"], "in order")
            check(page[0].integration_id == "order-5", "a page is a sequence")
            check([one.integration_id for one in page[:1]] == ["order-5"], "of which a part is one too")

    def test_find_selects(self) -> None:
        """By state, customer, Application and time, also together."""
        with self._store() as store:
            store.add(new("a", profile_id="cust-1"))
            store.add(new("b", profile_id="cust-1", application_id=7))
            store.add(new("c"))
            store.change("b", _close, application_id=7)

            def ids(**by: Any) -> list[str]:
                return [session.integration_id for session in store.find(**by)]

            check(ids(state="closed") == ids(state=State.CLOSED) == ["b"], "by state")
            check(ids(profile_id="cust-1") == ["a", "b"], "by customer")
            check(ids(profile_id="") == ["c"], "anonymous ones")
            check(ids(application_id=7) == ["b"], "by Application")
            check(ids(updated_after=BEGINNING) == ["b"], "by time")
            check(ids(state="open", profile_id="cust-1") == ["a"], "by both")
            check(ids(state="cancelled") == [], "none")
            check((store.count(), store.count(state="open")) == (3, 2), "they are counted")

    def test_find_refuses_what_is_wrong(self) -> None:
        """A state, a limit, a cursor, or a naive time."""
        with self._store() as store:
            wrong: tuple[dict[str, Any], ...] = (
                {"state": "gone"},
                {"limit": 0},
                {"after": "no cursor"},
                {"updated_after": BEGINNING.replace(tzinfo=None)},
            )
            for by in wrong:
                _raised(InvalidValue, store.find, **by)

    def test_history_has_every_event_with_what_it_was_about(self) -> None:
        """In order, with the arguments and the context."""
        with self._store() as store:
            session = new()
            _redeem("XMAS")(session)
            events = session.pending_events
            store.add(session)
            events.append(store.change("order-1", _close_at_till))
            events.append(store.change("order-1", _return_one))
            history = store.history("order-1")
            check([one.event for one in history] == events, "every event is as it happened")
            check([one.sequence for one in history] == [1, 2, 3, 4], "they are numbered within the session")
            positions = [one.position for one in history]
            check(positions == sorted(set(positions)), "and within the store")

    def test_rebuild_gives_the_stored_document(self) -> None:
        """From the creation, or from the document that came with a past."""
        with self._store() as store:
            store.add(new("made-here", profile_id="p", application_id=3))
            imported = new("imported", id=77, first_session=False, profile_id="p")
            _redeem("XMAS")(imported)
            imported.take_events()
            store.add(imported)
            half = new("half")
            half.take_events()
            _redeem("HALF")(half)
            store.add(half)
            for session_id, application_id in (("made-here", 3), ("imported", None), ("half", None)):
                store.change(session_id, _close, application_id=application_id)
                store.change(session_id, _return_one, application_id=application_id)
                rebuilt = store.rebuild(session_id, application_id=application_id)
                stored = store.get(session_id, application_id=application_id)
                check(wire.dumps(rebuilt) == wire.dumps(stored), "the document is the same")
            check([one.sequence for one in store.history("imported")] == [3, 4], "events are numbered as they count")
            check([one.problem for one in store.verify(batch=2)] == ["", "", ""], "verify finds nothing")

    # --- The outbox ---------------------------------------------------------------------------------------------------

    def test_relay_publishes_every_event_in_order(self) -> None:
        """Once, when nothing fails; as CloudEvents."""
        with self._store() as store:
            store.add(new("a", application_id=322))
            store.change("a", _close, application_id=322)
            store.add(new("b"))
            published: list[Any] = []
            check(store.relay(published.append, batch=2).delivered == 3, "all are delivered")
            check([(one.session_id, one.event.update_count) for one in published if one.session_id == "a"]
                  == [("a", 1), ("a", 2)], "in order for each session")  # fmt: skip
            check(store.relay(published.append).delivered == store.outbox.count() == 0, "none is left")
            check(len({one.id for one in published}) == 3, "each message has its own ID")
            event = wire.unstructure(published[0].event)
            document = _parsed(published[0].to_json())
            check(document["data"] == _parsed(wire.dumps(published[0].event)), "the data is the event")
            attributes = {name: value for name, value in document.items() if name not in ("data", "id")}
            expected = {
                "specversion": "1.0",
                "source": "/applications/322/customer_sessions",
                "type": "talon_session_created",
                "subject": "a",
                "partitionkey": "a",
                "time": event["at"],
                "datacontenttype": "application/json",
            }
            check(attributes == expected, "the attributes are those of CloudEvents")

    def test_a_message_that_cannot_be_published_is_tried_again_later(self) -> None:
        """Later ones of its session wait, others go on; after its attempts it is set aside, and can be retried."""
        clock = ContractClock()
        with self._store(clock=clock) as store:
            store.add(new("a"))
            store.change("a", _close)
            store.add(new("b"))
            published: list[tuple[str, int]] = []
            broken = {("a", 1)}

            def publish(message: Any) -> None:
                key = (message.session_id, message.event.update_count)
                if key in broken:
                    raise _Raised
                published.append(key)

            done = store.relay(publish, attempts=2)
            check((done.delivered, done.postponed, done.failed) == (1, 1, 0), "one waits")
            check(published == [("b", 1)], "the other session goes on")
            check(store.relay(publish, attempts=2).postponed == 0, "it is not due yet")
            clock.advance(seconds=2)
            done = store.relay(publish, attempts=2)
            check((done.delivered, done.failed) == (0, 1) or (done.delivered, done.failed) == (1, 1), "it is set aside")
            store.relay(publish, attempts=2)
            check(published == [("b", 1), ("a", 2)], "the later one goes on")
            (failed,) = store.outbox.failed()
            check((failed.reason, failed.attempts, failed.event.update_count) == ("_Raised", 2, 1), "it says why")
            broken.clear()
            check(store.outbox.retry(failed), "it is put back")
            check(not store.outbox.retry(failed), "once")
            check(store.relay(publish).delivered == 1, "now it is published")
            check(published[-1] == ("a", 1), "late")

    def test_what_is_not_acknowledged_stays_pending(self) -> None:
        """A worker may publish on its own."""
        with self._store() as store:
            store.add(new("a"))
            store.change("a", _close)
            first, _ = store.outbox.pending(limit=2)
            first.acknowledge()
            check([one.event.update_count for one in store.outbox.pending()] == [2], "the second is left")

    def test_a_relay_that_is_interrupted_keeps_what_it_has_not_published(self) -> None:
        """What was published before is acknowledged."""
        with self._store() as store:
            for number in range(3):
                store.add(new(f"order-{number}"))

            def publish(message: Any) -> None:
                if message.session_id == "order-1":
                    raise _Interrupted

            _raised(_Interrupted, store.relay, publish)
            check([one.session_id for one in store.outbox.pending()] == ["order-1", "order-2"], "two are left")

    def test_a_store_without_an_outbox_keeps_no_messages(self) -> None:
        """The history is kept all the same."""
        with self._store(outbox=False) as store:
            store.add(new())
            check(store.outbox.pending() == [], "there is no message")
            check(len(store.history("order-1")) == 1, "there is an event")

    # --- Upkeep -------------------------------------------------------------------------------------------------------

    def test_prune_deletes_what_is_old(self) -> None:
        """Expired answers; and what it is asked for, but for sessions with messages that are not published."""
        clock = ContractClock()
        with self._store(clock=clock, keep_answers=timedelta(hours=1)) as store:
            for session_id in ("a", "b", "c"):
                store.add(new(session_id))
            store.relay(_publish)
            store.change("a", _cancel, idempotency_key="k")
            store.change("b", _cancel)
            first, _ = store.outbox.pending()
            first.acknowledge()
            clock.advance(hours=2)
            done = store.prune(sessions_before=BEGINNING + timedelta(hours=1), states=["cancelled"], batch=1)
            check((done.requests, done.sessions, done.failed_messages) == (1, 1, 0), "as much as there was")
            check({one.integration_id for one in store.find()} == {"b", "c"}, "one is gone, with its events")
            _raised(SessionNotFound, store.history, "a")
            store.relay(_fail, attempts=1)
            check(store.prune(failed_before=clock() + timedelta(seconds=1)).failed_messages == 1, "failed messages too")
            check(store.prune(sessions_before=clock(), states="cancelled").sessions == 1, "nothing is pending any more")

    def test_documents_of_an_older_class_are_migrated(self) -> None:
        """While reading, and for good by ``migrate``; what cannot be read is named, and stays."""
        with self._store() as old:
            for session_id in ("a", "b", "bad"):
                old.add(new(session_id, attributes={"color": "red"}))

            def renamed(document: dict[str, Any]) -> dict[str, Any]:
                if document["integrationId"] == "bad":
                    document["cartItems"][0]["quantity"] = 0
                document["attributes"]["colour"] = document["attributes"].pop("color")
                return document

            store = self._again(old, migrate={1: renamed})
            check(store.get("a").attributes == {"colour": "red"}, "it is read as the new class")
            store.change("a", _close)
            error = _raised(DocumentUnreadable, store.get, "bad")
            check([problem.pointer for problem in error.problems] == ["/cartItems/0/quantity"], "with its problems")
            _raised(DocumentUnreadable, old.get, "a")
            check(store.count_outdated() == 2, "two are left")
            results = list(store.migrate(batch=1))
            check([(one.session_id, bool(one.problem)) for one in results] == [("b", False), ("bad", True)], "named")
            check([one.session_id for one in store.migrate()] == ["bad"], "it can be run again")
            store.change("b", _close)
            for session_id in ("a", "b"):
                check(store.rebuild(session_id).attributes == {"colour": "red"}, "events are played from there on")

    def _again(self, store: Any, **options: Any) -> Any:
        """Return another store on the same tables."""
        if isinstance(store, _Blocking):
            return store.again(partial(self.reopen, **options))
        return self.reopen(store, **options)


def _never(_: CustomerSession) -> Any:
    raise AssertionError("the function is not to be called")


def _publish(_: object) -> None:
    pass


def _fail(_: object) -> None:
    raise _Raised


def _parsed(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


def _raised(kind: Any, function: Any, *args: Any, **keywords: Any) -> Any:
    """Return the error of *kind* that the call raises."""
    __tracebackhide__ = True
    try:
        function(*args, **keywords)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} is not raised")
