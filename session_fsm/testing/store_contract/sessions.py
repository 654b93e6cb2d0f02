"""The part of the contract on adding and reading sessions, and on finding them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from session_fsm import wire
from session_fsm.errors import InvalidValue
from session_fsm.states import State
from session_fsm.store.errors import (
    SessionExists,
    SessionNotFound,
)
from session_fsm.testing.steps import BEGINNING
from session_fsm.testing.store_contract.opening import OpensStores
from session_fsm.testing.store_contract.sample_changes import (
    close_at_till,
    close_session,
    new,
    raised,
    redeem,
    return_one,
)
from session_fsm.testing.test_classes import check
from session_fsm.values import AdditionalCost

__all__ = ["QueryTests", "SessionTests"]

_HOSTILE_IDS = (
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


class SessionTests(OpensStores):
    """A session comes back as it was added, under any ID."""

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
                    raised(SessionNotFound, store.get, session_id),
                    raised(SessionNotFound, store.history, session_id),
                    raised(SessionNotFound, store.rebuild, session_id),
                    raised(SessionNotFound, store.change, session_id, close_session),
                    raised(SessionNotFound, store.session(session_id).__enter__),
                ]
                check({error.session_id for error in errors} == {session_id}, "the error names the session")

    def test_an_id_can_be_added_once(self) -> None:
        """The second session is refused, keeps its events, and changes nothing."""
        with self._store() as store:
            store.add(new(coupon_codes=["FIRST"]))
            second = new(coupon_codes=["SECOND"])
            raised(SessionExists, store.add, second)
            check(len(second.pending_events) == 1, "the session keeps its events")
            check(store.get("order-1").coupon_codes == ("FIRST",), "the first session is stored")
            check(len(store.history("order-1")) == 1, "its history is its own")

    def test_applications_do_not_share_ids(self) -> None:
        """The same integration ID in three Applications is three sessions."""
        with self._store() as store:
            for application_id in (None, 1, 2):
                store.add(new(application_id=application_id))
            store.change("order-1", close_session, application_id=2)
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
            for session_id in _HOSTILE_IDS:
                store.add(new(session_id, profile_id=session_id))
            for session_id in _HOSTILE_IDS:
                event = store.change(session_id, close_session)
                check(event.session_id == session_id, "the event names the session")
                check(store.get(session_id).integration_id == session_id, "the ID is the same")
                check([one.integration_id for one in store.find(profile_id=session_id)] == [session_id], "found")
                check([one.event.update_count for one in store.history(session_id)] == [1, 2], "its own events")
            verified = list(store.verify())
            check({one.session_id for one in verified} == set(_HOSTILE_IDS), "every ID comes back")
            check(not any(one.problem for one in verified), "every session can be rebuilt")
            check({one.session_id for one in store.outbox.pending()} == set(_HOSTILE_IDS), "messages have the IDs")

    def test_a_large_document_is_stored(self) -> None:
        """16 MB of attributes, in a session that is changed."""
        with self._store() as store:
            large = new(attributes={"text": "\N{SNOWMAN}" * (16 * 1024 * 1024 // 3)})
            store.add(large)
            store.change("order-1", close_session)
            check(store.get("order-1").attributes == large.attributes, "the document is the same")
            check(store.rebuild("order-1").state == State.CLOSED, "it can be rebuilt")


class QueryTests(OpensStores):
    """Sessions are found, and their events returned."""

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
            store.change("b", close_session, application_id=7)

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
                raised(InvalidValue, store.find, **by)

    def test_history_has_every_event_with_what_it_was_about(self) -> None:
        """In order, with the arguments and the context."""
        with self._store() as store:
            session = new()
            redeem("XMAS")(session)
            events = session.pending_events
            store.add(session)
            events.append(store.change("order-1", close_at_till))
            events.append(store.change("order-1", return_one))
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
            redeem("XMAS")(imported)
            imported.take_events()
            store.add(imported)
            half = new("half")
            half.take_events()
            redeem("HALF")(half)
            store.add(half)
            for session_id, application_id in (("made-here", 3), ("imported", None), ("half", None)):
                store.change(session_id, close_session, application_id=application_id)
                store.change(session_id, return_one, application_id=application_id)
                rebuilt = store.rebuild(session_id, application_id=application_id)
                stored = store.get(session_id, application_id=application_id)
                check(wire.dumps(rebuilt) == wire.dumps(stored), "the document is the same")
            check([one.sequence for one in store.history("imported")] == [3, 4], "events are numbered as they count")
            check([one.problem for one in store.verify(batch=2)] == ["", "", ""], "verify finds nothing")
