"""The part of the contract on changes: blocks, repetitions, and idempotency keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from session_fsm import wire
from session_fsm.errors import InvalidValue, TransitionRefused, WrongState
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.store.errors import (
    HistoryMismatch,
    IdempotencyConflict,
    StaleSession,
)
from session_fsm.testing.store_contract.blocking import after_that
from session_fsm.testing.store_contract.opening import ContractClock, OpensStores
from session_fsm.testing.store_contract.sample_changes import (
    Raised,
    answering,
    close_session,
    itself,
    never_called,
    new,
    raised,
    redeem,
    reopen_session,
    total_of,
)
from session_fsm.testing.test_classes import check

__all__ = ["ChangeTests", "IdempotencyTests"]


class ChangeTests(OpensStores):
    """A change is stored as a whole or not at all, and no update is lost."""

    def test_a_block_that_ends_is_saved(self) -> None:
        """Several verbs in one block are one change, and all of their events are stored."""
        with self._store() as store:
            store.add(new())
            with store.session("order-1") as session:
                redeem("XMAS")(session)
                close_session(session)
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
                        close_session(session)
                        raise Raised

                def refused(lock: bool = lock) -> None:  # noqa: FBT001 - as above
                    with store.session("order-1", lock=lock) as session:
                        close_session(session)
                        close_session(session)

                raised(Raised, broken)
                check(raised(WrongState, refused).already, "the refusal passes through as it is")
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
                    store.change("order-1", redeem("FIRST"))
                    store.change("order-1", redeem("SECOND"))
                    close_session(session)

            error = raised(StaleSession, late)
            check((error.read, error.found, error.session_id) == (1, 3, "order-1"), "the versions are named")
            check(store.get("order-1").coupon_codes == ("SECOND",), "the first writer's change stays")

    def test_a_locked_block_is_saved(self) -> None:
        """The lock does not change what is stored."""
        with self._store() as store:
            store.add(new())
            with store.session("order-1", lock=True) as session:
                close_session(session)
            check(store.change("order-1", reopen_session, lock=True).target is State.OPEN, "changed")
            check(store.get("order-1").update_count == 3, "both changes are stored")

    def test_events_that_somebody_has_taken_are_missed(self) -> None:
        """A change whose events are gone is refused: the history would have a gap."""
        with self._store() as store:
            store.add(new())

            def taken(session: CustomerSession) -> None:
                redeem("XMAS")(session)
                session.take_events()

            raised(HistoryMismatch, store.change, "order-1", taken)
            check(store.get("order-1").update_count == 1, "nothing is stored")

    def test_change_returns_what_the_function_returns(self) -> None:
        """An event, as a rule."""
        with self._store() as store:
            store.add(new())
            event = store.change("order-1", close_session)
            check(event == store.history("order-1")[-1].event, "the event is the one that is stored")
            check(store.change("order-1", total_of) == Decimal("37.50"), "or anything else")

    def test_change_reads_again_after_another_writer(self) -> None:
        """The function is called again with the session as it is then."""
        with self._store() as store:
            store.add(new())
            quicker = ["FIRST", "SECOND"]

            def close(session: CustomerSession) -> Any:
                first = store.change("order-1", redeem(quicker.pop(0))) if quicker else None
                return after_that(first, lambda: close_session(session))

            check(store.change("order-1", close, attempts=3).update_count == 4, "the third attempt is stored")
            session = store.get("order-1")
            check((session.state, session.coupon_codes) == (State.CLOSED, ("SECOND",)), "no update is lost")

    def test_change_gives_up_after_its_attempts(self) -> None:
        """The last StaleSession is raised; a number below 1 is refused."""
        with self._store() as store:
            store.add(new())

            def late(session: CustomerSession) -> Any:
                return after_that(store.change("order-1", redeem("FIRST")), lambda: close_session(session))

            check(raised(StaleSession, store.change, "order-1", late, attempts=2).found == 3, "two attempts were made")
            check(store.get("order-1").state is State.OPEN, "nothing of it is stored")
            raised(InvalidValue, store.change, "order-1", close_session, attempts=0)

    def test_a_refusal_is_not_repeated(self) -> None:
        """The function was called once."""
        with self._store() as store:
            store.add(new())
            calls: list[int] = []

            def refused(session: CustomerSession) -> None:
                calls.append(1)
                session.reopen()

            error = raised(TransitionRefused, store.change, "order-1", refused, attempts=5)
            check(error.session_id == "order-1", "the refusal is the session's own")
            check(calls == [1], "it was tried once")

    def test_change_creates_a_session_that_is_not_there(self) -> None:
        """The answer is the creation event; a session that is there is changed."""
        with self._store() as store:
            first = store.change("order-1", redeem("LATER"), create=lambda: new(coupon_codes=["FIRST"]))
            check(first.trigger is Trigger.CREATE, "the session is created")
            check(store.get("order-1").coupon_codes == ("FIRST",), "the function was not called")
            check(store.change("order-1", close_session, create=new).trigger is Trigger.CLOSE, "now it is there")
            raised(InvalidValue, store.change, "order-2", close_session, create=new)
            raised(InvalidValue, store.change, "order-1", close_session, application_id=2, create=new)

    def test_two_creations_at_once_are_one_creation_and_one_change(self) -> None:
        """The slower one reads again, and changes what the other one has stored."""
        with self._store() as store:

            def slow() -> Any:
                return after_that(store.add(new(coupon_codes=["QUICK"])), lambda: new(coupon_codes=["SLOW"]))

            check(store.change("order-1", close_session, create=slow).trigger is Trigger.CLOSE, "it was there by then")
            check(store.get("order-1").coupon_codes == ("QUICK",), "the first creation counts")


class IdempotencyTests(OpensStores):
    """A request with the same key is performed once."""

    def test_a_repeated_key_gives_the_same_answer(self) -> None:
        """The function is not called; the answer equals the first, whether event, session or JSON."""
        with self._store() as store:
            store.add(new())
            answers: Mapping[str, Any] = {
                "event": close_session,
                "none": answering(None),
                "json": answering({"a": [1, 2.5, "x", True, None]}),
            }
            for key, function in answers.items():
                first = store.change("order-1", function, idempotency_key=key, request={"k": Decimal("1.0")})
                again = store.change("order-1", never_called, idempotency_key=key, request={"k": Decimal("1.0")})
                check(again == first, "the answer is the same")
                check(type(again) is type(first), "and of the same type")
            first = store.change("order-1", itself, idempotency_key="session")
            again = store.change("order-1", never_called, idempotency_key="session")
            check(wire.dumps(again) == wire.dumps(first), "the session is the same")
            check(store.get("order-1").update_count == 2, "it was closed once")

    def test_a_key_of_another_request_is_refused(self) -> None:
        """Another request, or another session."""
        with self._store() as store:
            store.add(new("order-1"))
            store.add(new("order-2"))
            store.change("order-1", close_session, idempotency_key="k", request=b"close")
            for session_id, request in (("order-1", b"cancel"), ("order-1", "close"), ("order-2", b"close")):
                error = raised(
                    IdempotencyConflict, store.change, session_id, never_called, idempotency_key="k", request=request
                )
                check((error.key, error.session_id) == ("k", session_id), "the error names both")

    def test_a_key_that_is_used_meanwhile_is_noticed(self) -> None:
        """The slower request with the same key gets the answer of the quicker one, or is refused."""
        with self._store() as store:
            store.add(new("order-1"))
            store.add(new("order-2"))

            def slow(key: str, other: str) -> Callable[[CustomerSession], Any]:
                def act(_: CustomerSession) -> Any:
                    quick = store.change(other, answering("quick"), idempotency_key=key)
                    return after_that(quick, lambda: "slow")

                return act

            answer = store.change("order-1", slow("same", "order-1"), idempotency_key="same")
            check(answer == "quick", "the first answer counts")
            raised(IdempotencyConflict, store.change, "order-1", slow("k", "order-2"), idempotency_key="k")

    def test_a_key_is_free_again_when_it_has_expired(self) -> None:
        """And after a refusal, of which nothing is kept."""
        clock = ContractClock()
        with self._store(clock=clock, keep_answers=timedelta(hours=1)) as store:
            store.add(new())
            raised(WrongState, store.change, "order-1", reopen_session, idempotency_key="k", request="a")
            store.change("order-1", close_session, idempotency_key="k", request="a")
            clock.advance(minutes=59)
            check(store.change("order-1", never_called, idempotency_key="k", request="a"), "it is kept for an hour")
            clock.advance(minutes=1)
            event = store.change("order-1", reopen_session, idempotency_key="k", request="b")
            check(event.trigger is Trigger.REOPEN, "it is free again")

    def test_an_answer_that_cannot_be_kept_is_refused(self) -> None:
        """A value that would come back as another one; and keys that are none."""
        with self._store() as store:
            store.add(new())
            for answer in ((1, 2), {1: "a"}, object(), float("nan"), Decimal(1)):
                raised(InvalidValue, store.change, "order-1", answering(answer), idempotency_key="k")
            for key in ("", "k" * 1001, "\ud800"):
                raised(InvalidValue, store.change, "order-1", never_called, idempotency_key=key)
            raised(InvalidValue, store.change, "order-1", never_called, idempotency_key="k", request=object())
            check(store.get("order-1").update_count == 1, "nothing is stored")
