"""Who asks, and why: every verb takes a context, which rules see and the event holds, and which is no part of the session."""

import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest
from builders import LATER, ONE_UNIT, add_callback, fresh, session_in

from session_fsm import (
    CustomerSession,
    InvalidValue,
    RuleViolated,
    SessionEvent,
    SessionUpdate,
    Trigger,
    WireError,
    rule,
    wire,
)
from session_fsm.decisions import Outcome
from session_fsm.json_values import FrozenDict
from session_fsm.testing import RuleContract
from session_fsm.testing.scenario import given

BY_ANN = {"actor": "ann", "tags": ["late", None], "score": Decimal("0.50"), "more": {"depth": {"n": 1}}}
SEEN: list[Any] = []


@rule("seen", on=list(Trigger))
def everything_is_seen(context: Any) -> None:
    """Everything must be seen."""
    SEEN.append(context)


@rule("nobody_asks", on=[Trigger.CANCEL])
def somebody_asks(context: Any, session: Any) -> bool:
    """Somebody must ask."""
    return session is not None and "actor" in context


class Shop(CustomerSession):
    """Sees who asks."""

    rules = (*CustomerSession.rules, everything_is_seen, somebody_asks)


class PickyShop(CustomerSession):
    """Wants to know who cancels."""

    rules = (*CustomerSession.rules, somebody_asks)


def watched() -> type[CustomerSession]:
    cls = type("Watched", (Shop,), {})
    add_callback(cls, "before", lambda event_data: SEEN.append(event_data.kwargs["context"]))
    return cls


VERBS: dict[str, tuple[str, Any]] = {
    "update": ("open", lambda session, **given: session.update(**given)),
    "update with changes": ("open", lambda session, **given: session.update(coupon_codes=["XMAS"], **given)),
    "close": ("open", lambda session, **given: session.close(**given)),
    "close with changes": ("open", lambda session, **given: session.close(SessionUpdate(profile_id="p"), **given)),
    "cancel": ("open", lambda session, **given: session.cancel(**given)),
    "reopen": ("closed", lambda session, **given: session.reopen(**given)),
    "return_items": ("closed", lambda session, **given: session.return_items(ONE_UNIT, **given)),
    "put": ("open", lambda session, **given: session.put(**given)),
    "put closed": ("open", lambda session, **given: session.put(state="closed", **given)),
    "put cancelled": ("open", lambda session, **given: session.put(state="cancelled", **given)),
}


@pytest.mark.parametrize("make", [lambda: Shop, watched], ids=["fast path", "slow path"])
@pytest.mark.parametrize(("state", "verb"), VERBS.values(), ids=VERBS.keys())
class TestEveryVerb:
    def test_rules_and_callbacks_see_it_and_the_event_holds_it(self, state: str, verb: Any, make: Any) -> None:
        session = session_in(state, make())
        before = len(session.pending_events)
        SEEN.clear()
        event = verb(session, context=BY_ANN)
        assert SEEN
        assert all(seen == FrozenDict(wire.structure(wire.unstructure(event), SessionEvent).context) for seen in SEEN)
        assert event.context["actor"] == "ann"
        assert session.pending_events[before:] == [event]
        assert wire.loads(wire.dumps(event), SessionEvent) == event
        assert wire.structure(wire.unstructure(event), SessionEvent) == event
        assert b"ann" not in wire.dumps(session)

    def test_without_it_is_empty(self, state: str, verb: Any, make: Any) -> None:
        session = session_in(state, make())
        SEEN.clear()
        if verb in (VERBS["cancel"][1], VERBS["put cancelled"][1]):
            with pytest.raises(RuleViolated) as refusal:
                verb(session)
            assert [violation.code for violation in refusal.value.violations] == ["nobody_asks"]
        else:
            event = verb(session)
            assert event.context == {}
            assert b"context" not in wire.dumps(event)
            assert "context" not in wire.unstructure(event)
        assert all(seen == {} for seen in SEEN)

    def test_what_is_no_json_is_refused_and_nothing_changes(self, state: str, verb: Any, make: Any) -> None:
        session = session_in(state, make())
        for context, pointer in (
            ({"actor": object()}, "/context/actor"),
            ({"tags": ["a", {1, 2}]}, "/context/tags/1"),
            ({"score": 0.5}, "/context/score"),
            ({"score": float("nan")}, "/context/score"),
            ({"score": Decimal("NaN")}, "/context/score"),
            ({1: "a"}, "/context"),
            (["actor"], "/context"),
            ("ann", "/context"),
        ):
            count = session.update_count
            with pytest.raises(InvalidValue) as refusal:
                verb(session, context=context)
            assert refusal.value.pointer == pointer
            assert session.update_count == count


class TestCreation:
    def test_a_creation_takes_it_too(self) -> None:
        SEEN.clear()
        session = Shop.create("order-1", context=BY_ANN)
        assert SEEN[0]["actor"] == session.pending_events[0].context["actor"] == "ann"
        assert Shop.create("order-1").pending_events[0].context == {}
        with pytest.raises(InvalidValue) as refusal:
            Shop.create("order-1", context={"actor": object()})
        assert refusal.value.pointer == "/context/actor"


class TestQuestions:
    def test_a_dry_run_takes_it_and_its_event_holds_it(self) -> None:
        session = session_in("open", Shop)
        assert session.evaluate("cancel").violations[0].code == "nobody_asks"
        decision = session.evaluate("cancel", context={"actor": "ann"})
        assert decision.after.pending_events[-1].context == {"actor": "ann"}
        assert session.evaluate("put", state="cancelled", context={"actor": "ann"}).allowed
        SEEN.clear()
        session.evaluate("close", payload_only=True, context={"actor": "ann"})
        assert SEEN == [{"actor": "ann"}]

    def test_the_board_takes_it(self) -> None:
        session = session_in("open", Shop)
        assert not session.board()[Trigger.CANCEL]
        SEEN.clear()
        assert session.board(context={"actor": "ann"})[Trigger.CANCEL]
        assert set(map(str, SEEN)) == {"{'actor': 'ann'}"}
        with pytest.raises(InvalidValue):
            session.board(context={"actor": object()})


class TestWhatTheEventHolds:
    def test_it_is_a_frozen_copy(self) -> None:
        given_by_caller: Any = {"tags": ["a"]}
        event = session_in("open").close(context=given_by_caller)
        given_by_caller["tags"].append("b")
        given_by_caller["more"] = 1
        assert event.context == {"tags": ("a",)}
        with pytest.raises(TypeError):
            event.context["more"] = 1
        assert hash(event) == hash(copy.deepcopy(event))
        assert pickle.loads(pickle.dumps(event)) == event

    def test_an_event_that_was_pickled_before_there_was_any_is_read(self) -> None:
        event = session_in("open").close(context={"actor": "ann"})
        state = {name: value for name, value in event.__getstate__().items() if name != "context"}
        old = SessionEvent.__new__(SessionEvent)
        old.__setstate__(state)
        assert old.context == {}
        assert old.name == event.name

    def test_null_stays_null(self) -> None:
        """What a context holds is the service's own: there null is a value."""
        event = session_in("open").close(context={"reason": None})
        assert wire.loads(wire.dumps(event), SessionEvent).context == {"reason": None}

    def test_a_document_with_a_context_that_is_none_is_refused(self) -> None:
        document = wire.unstructure(session_in("open").close())
        with pytest.raises(WireError) as refusal:
            wire.structure(document | {"context": ["ann"]}, SessionEvent)
        assert refusal.value.problems[0].pointer == "/context"


class TestTheKit:
    def test_a_scenario_gives_it(self) -> None:
        cart = given(PickyShop.create("order-1", now=LATER))
        cart.when("cancel", context={"actor": "ann"}).then(state="cancelled")
        refused = cart.when("cancel", context={"who": "ann"}).refused("nobody_asks")
        with pytest.raises(AssertionError, match=r"context = {\"who\": \"ann\"}"):
            refused.then(state="cancelled")

    def test_events_are_replayed_with_theirs(self) -> None:
        session = PickyShop.create("order-1", context={"actor": "bob"})
        session.cancel(context={"actor": "ann"})
        replayed = given(session.pending_events, kind=PickyShop)
        assert replayed.event is not None
        assert replayed.event.context == {"actor": "ann"}

    def test_the_machine_of_transitions_takes_it(self) -> None:
        session = PickyShop.create("order-1")
        with pytest.raises(RuleViolated):
            PickyShop.machine.events["cancel"].trigger(session)
        assert PickyShop.machine.events["cancel"].trigger(session, context={"actor": "ann"})
        assert session.pending_events[-1].context == {"actor": "ann"}

    def test_a_callback_that_nobody_told_the_context_gets_an_empty_one(self) -> None:
        seen: list[Any] = []
        cls = fresh()
        add_callback(cls, "after", lambda event_data: seen.append(event_data.kwargs["context"]))
        session_in("closed", cls)
        assert seen == [{}]

    def test_a_rule_that_indexes_a_context_that_is_not_there_has_failed(self) -> None:
        @rule("indexing", on=["close"])
        def ann_asks(context: Any) -> bool:
            """Ann must ask."""
            return bool(context["actor"] == "ann")

        session = session_in("open", type("S", (CustomerSession,), {"rules": (ann_asks,)}))
        assert session.evaluate("close").checks[0].outcome is Outcome.ERRORED
        assert session.evaluate("close", context={"actor": "ann"}).checks[0].outcome is Outcome.PASSED


class TestSomebodyAsks(RuleContract):
    """The kit's contract holds rules that ask for the context to the same clauses."""

    rule = somebody_asks
    kind = PickyShop
