"""The part of the contract on the outbox, and on upkeep."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from session_fsm import wire
from session_fsm.store.errors import (
    DocumentUnreadable,
    SessionNotFound,
)
from session_fsm.testing.steps import BEGINNING
from session_fsm.testing.store_contract.opening import ContractClock, OpensStores
from session_fsm.testing.store_contract.sample_changes import (
    Raised,
    cancel_session,
    close_session,
    fail,
    ignore,
    new,
    raised,
)
from session_fsm.testing.test_classes import check

__all__ = ["OutboxTests", "UpkeepTests"]


class _Interrupted(BaseException):
    """What ends a relay in these tests, as `KeyboardInterrupt` does."""


class OutboxTests(OpensStores):
    """Every event is published, in the order of its session."""

    def test_relay_publishes_every_event_in_order(self) -> None:
        """Once, when nothing fails; as CloudEvents."""
        with self._store() as store:
            store.add(new("a", application_id=322))
            store.change("a", close_session, application_id=322)
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
            store.change("a", close_session)
            store.add(new("b"))
            published: list[tuple[str, int]] = []
            broken = {("a", 1)}

            def publish(message: Any) -> None:
                key = (message.session_id, message.event.update_count)
                if key in broken:
                    raise Raised
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
            check((failed.reason, failed.attempts, failed.event.update_count) == ("Raised", 2, 1), "it says why")
            broken.clear()
            check(store.outbox.retry(failed), "it is put back")
            check(not store.outbox.retry(failed), "once")
            check(store.relay(publish).delivered == 1, "now it is published")
            check(published[-1] == ("a", 1), "late")

    def test_what_is_not_acknowledged_stays_pending(self) -> None:
        """A worker may publish on its own."""
        with self._store() as store:
            store.add(new("a"))
            store.change("a", close_session)
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

            raised(_Interrupted, store.relay, publish)
            check([one.session_id for one in store.outbox.pending()] == ["order-1", "order-2"], "two are left")

    def test_a_store_without_an_outbox_keeps_no_messages(self) -> None:
        """The history is kept all the same."""
        with self._store(outbox=False) as store:
            store.add(new())
            check(store.outbox.pending() == [], "there is no message")
            check(len(store.history("order-1")) == 1, "there is an event")


class UpkeepTests(OpensStores):
    """Old data is deleted, and old documents are migrated."""

    def test_prune_deletes_what_is_old(self) -> None:
        """Expired answers; and what it is asked for, but for sessions with messages that are not published."""
        clock = ContractClock()
        with self._store(clock=clock, keep_answers=timedelta(hours=1)) as store:
            for session_id in ("a", "b", "c"):
                store.add(new(session_id))
            store.relay(ignore)
            store.change("a", cancel_session, idempotency_key="k")
            store.change("b", cancel_session)
            first, _ = store.outbox.pending()
            first.acknowledge()
            clock.advance(hours=2)
            done = store.prune(sessions_before=BEGINNING + timedelta(hours=1), states=["cancelled"], batch=1)
            check((done.requests, done.sessions, done.failed_messages) == (1, 1, 0), "as much as there was")
            check({one.integration_id for one in store.find()} == {"b", "c"}, "one is gone, with its events")
            raised(SessionNotFound, store.history, "a")
            store.relay(fail, attempts=1)
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
            store.change("a", close_session)
            error = raised(DocumentUnreadable, store.get, "bad")
            check([problem.pointer for problem in error.problems] == ["/cartItems/0/quantity"], "with its problems")
            raised(DocumentUnreadable, old.get, "a")
            check(store.count_outdated() == 2, "two are left")
            results = list(store.migrate(batch=1))
            check([(one.session_id, bool(one.problem)) for one in results] == [("b", False), ("bad", True)], "named")
            check([one.session_id for one in store.migrate()] == ["bad"], "it can be run again")
            store.change("b", close_session)
            for session_id in ("a", "b"):
                check(store.rebuild(session_id).attributes == {"colour": "red"}, "events are played from there on")


def _parsed(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)
