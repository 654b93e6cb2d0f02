"""The transitions: every state against every trigger, written out by hand."""

from functools import partial

import pytest
from builders import CREATED, LATER, fire, judged, session_in, snapshot

from session_fsm import (
    CustomerSession,
    EventName,
    InvalidValue,
    ReturnedCartItem,
    RuleViolated,
    SessionUpdate,
    State,
    Trigger,
    WrongState,
)
from session_fsm.lifecycle import TABLE, Authority
from session_fsm.states import Operation

FROM_OPEN = ("update", "close", "cancel")
FROM_CLOSED = ("cancel", "return_items", "reopen")
FROM_RETURNED = ("cancel", "return_items")
FROM_CANCELLED = ()

ALLOWED = [
    # from, trigger, to, event
    ("open", "update", "open", "talon_session_updated"),  # T-03
    ("open", "close", "closed", "talon_session_closed"),  # T-04
    ("open", "cancel", "cancelled", "talon_session_cancelled"),  # T-05
    ("closed", "cancel", "cancelled", "talon_session_revoked"),  # T-06
    ("closed", "return_items", "partially_returned", "talon_session_partially_returned"),  # T-07
    ("closed", "reopen", "open", "talon_session_reopened"),  # T-08
    ("partially_returned", "cancel", "cancelled", "talon_session_revoked"),  # T-09
    ("partially_returned", "return_items", "partially_returned", "talon_session_partially_returned"),  # T-10
]

REFUSED = [
    # from, trigger, allowed instead, already there, what the refusal says
    ("open", "return_items", FROM_OPEN, False, "Only closed or partially_returned sessions can have items returned"),
    ("open", "reopen", FROM_OPEN, True, "Only closed sessions can be reopened"),
    ("closed", "update", FROM_CLOSED, False, "Only open sessions can be updated"),
    ("closed", "close", FROM_CLOSED, True, "Only open sessions can be closed"),
    ("partially_returned", "update", FROM_RETURNED, False, "Only open sessions can be updated"),
    ("partially_returned", "close", FROM_RETURNED, False, "Only open sessions can be closed"),
    ("partially_returned", "reopen", FROM_RETURNED, False, "Only closed sessions can be reopened"),
    ("cancelled", "update", FROM_CANCELLED, False, "Only open sessions can be updated"),
    ("cancelled", "close", FROM_CANCELLED, False, "Only open sessions can be closed"),
    (
        "cancelled",
        "cancel",
        FROM_CANCELLED,
        True,
        "Only open or closed or partially_returned sessions can be cancelled",
    ),
    (
        "cancelled",
        "return_items",
        FROM_CANCELLED,
        False,
        "Only closed or partially_returned sessions can have items returned",
    ),
    ("cancelled", "reopen", FROM_CANCELLED, False, "Only closed sessions can be reopened"),
]


def test_the_matrix_has_every_cell_once() -> None:
    cells = [cell[:2] for cell in ALLOWED] + [cell[:2] for cell in REFUSED]
    states = ("open", "closed", "partially_returned", "cancelled")
    triggers = ("update", "close", "cancel", "return_items", "reopen")
    assert sorted(cells) == sorted((state, trigger) for state in states for trigger in triggers)
    assert set(states) == set(State)
    assert {*triggers, "create"} == set(Trigger)


@pytest.mark.parametrize(("source", "trigger", "target", "event_name"), ALLOWED)
class TestAllowedTransition:
    """T-03 to T-10: what the table has takes place, and records the built-in event of its row."""

    def test_moves_the_session_and_records_the_event(
        self, source: str, trigger: str, target: str, event_name: str
    ) -> None:
        session = session_in(source)
        before = snapshot(session)
        event = fire(session, trigger, LATER)
        after = snapshot(session)

        assert session.state is State(target)
        assert event.name is EventName(event_name)
        assert (event.source, event.target, event.trigger) == (State(source), State(target), Trigger(trigger))
        assert (event.session_id, event.at) == ("order-1042", LATER)
        assert event.update_count == session.update_count == before["update_count"] + 1  # D-10
        assert session.updated == LATER  # D-09
        assert session.pending_events == [*before["pending_events"], event]
        moved = {"state", "updated", "update_count", "pending_events"}
        moved |= {"cart_items"} if trigger == "return_items" else set()
        for name in before.keys() - moved:
            assert after[name] == before[name], name

    def test_is_foretold_by_evaluate(self, source: str, trigger: str, target: str, event_name: str) -> None:
        session = session_in(source)
        before = snapshot(session)
        decision = judged(session, trigger, LATER)
        assert snapshot(session) == before

        assert decision.allowed is True
        assert bool(decision) is True
        assert (decision.source, decision.target) == (State(source), State(target))
        assert decision.event_name is EventName(event_name)
        assert decision.trigger is Trigger(trigger)
        assert decision.violations == ()
        assert str(decision).startswith(f"{trigger} is allowed: {source} -> {target}")
        fire(session, trigger, LATER)
        assert snapshot(decision.after) == snapshot(session)


@pytest.mark.parametrize(("source", "trigger", "allowed", "already", "text"), REFUSED)
class TestRefusedTransition:
    """What the table lacks is refused; the refusal says what would work, and whether it is done already (D-06)."""

    def test_raises_and_changes_nothing(
        self, source: str, trigger: str, allowed: tuple[str, ...], already: bool, text: str
    ) -> None:
        session = session_in(source)
        before = snapshot(session)
        with pytest.raises(WrongState) as refusal:
            fire(session, trigger, LATER)
        assert snapshot(session) == before

        error = refusal.value
        assert error.allowed == allowed
        assert error.already is already
        assert (error.state, error.trigger, error.session_id) == (State(source), Trigger(trigger), "order-1042")
        assert [violation.code for violation in error.violations] == ["wrong_state"]
        assert error.violations[0].details == {"state": source}
        assert f"{text} [wrong_state]" in str(error)
        assert error.decision.target is None
        assert error.decision.event_name is None
        assert error.decision.after is None

    def test_is_foretold_by_evaluate(
        self, source: str, trigger: str, allowed: tuple[str, ...], already: bool, text: str
    ) -> None:
        session = session_in(source)
        before = snapshot(session)
        decision = judged(session, trigger, LATER)
        assert snapshot(session) == before
        assert decision.allowed is False
        assert decision.after is None
        with pytest.raises(WrongState) as refusal:
            fire(session, trigger, LATER)
        assert refusal.value.decision == decision


class TestCreation:
    """T-01, T-02, D-01, D-08, L-09: a session begins as open or as closed, and never as anything else."""

    @pytest.mark.parametrize(
        ("given", "state"), [({}, "open"), ({"state": "open"}, "open"), ({"state": "closed"}, "closed")]
    )
    def test_a_session_is_created_open_or_closed(self, given: dict[str, str], state: str) -> None:
        session = CustomerSession.create("order-1042", now=CREATED, **given)
        assert session.state is State(state)
        assert (session.update_count, session.created, session.updated) == (1, CREATED, CREATED)
        (event,) = session.pending_events
        assert event.name is EventName.CREATED
        assert (event.trigger, event.source, event.target) == (Trigger.CREATE, None, State(state))
        assert (event.session_id, event.at, event.update_count) == ("order-1042", CREATED, 1)
        assert event.change == SessionUpdate(**given)

    def test_the_state_may_come_with_the_update(self) -> None:
        assert CustomerSession.create("order-1042", SessionUpdate(state="closed")).state is State.CLOSED

    def test_two_wanted_states_that_differ_are_refused(self) -> None:
        """D-15."""
        with pytest.raises(InvalidValue) as refusal:
            CustomerSession.create("order-1042", SessionUpdate(state="closed"), state="open")
        assert (refusal.value.pointer, refusal.value.problem) == ("/state", "two states are wanted: closed and open")

    def test_the_same_state_may_be_wanted_twice(self) -> None:
        """D-15."""
        session = CustomerSession.create("order-1042", SessionUpdate(state="closed"), state="closed")
        assert session.state is State.CLOSED

    @pytest.mark.parametrize("state", ["partially_returned", "cancelled"])
    def test_a_session_cannot_be_created_in_another_state(self, state: str) -> None:
        with pytest.raises(RuleViolated) as refusal:
            CustomerSession.create("order-1042", state=state)
        error = refusal.value
        assert error.state is None
        assert error.trigger is Trigger.CREATE
        assert error.session_id == "order-1042"
        assert error.decision.target is None
        (violation,) = error.violations
        assert (violation.code, violation.details, violation.pointer) == (
            "state_not_creatable",
            {"state": state},
            "/state",
        )
        assert f"cannot be created as {state}" in violation.message

    @pytest.mark.parametrize("state", ["partially_returned", "cancelled"])
    def test_without_that_rule_the_table_still_refuses_it(self, state: str) -> None:
        class Unruled(CustomerSession):
            rules = ()

        with pytest.raises(WrongState) as refusal:
            Unruled.create("order-1042", state=state)
        assert refusal.value.allowed == ("create",)
        assert refusal.value.already is False
        assert refusal.value.state is None
        assert f"A session cannot be created as {state}" in str(refusal.value)
        assert "None" not in str(refusal.value)

    def test_an_unknown_state_is_no_value(self) -> None:
        with pytest.raises(InvalidValue) as refusal:
            CustomerSession.create("order-1042", state="returned")
        assert refusal.value.pointer == "/state"

    def test_a_session_cannot_be_created_a_second_time(self) -> None:
        decision = session_in("open").evaluate("create")
        assert decision.allowed is False
        assert "Only new sessions can be created" in str(decision)


WANTED = [
    # from, wanted state, to, event
    ("open", None, "open", "talon_session_updated"),
    ("open", "open", "open", "talon_session_updated"),
    ("open", "closed", "closed", "talon_session_closed"),
    ("open", "cancelled", "cancelled", "talon_session_cancelled"),
    ("closed", "cancelled", "cancelled", "talon_session_revoked"),
    ("partially_returned", "cancelled", "cancelled", "talon_session_revoked"),
]
NOT_WANTED = [
    # from, wanted state, allowed instead, already there, what the refusal says
    ("open", "partially_returned", FROM_OPEN, False, 'to state "partially_returned" from state "open"'),
    ("closed", None, FROM_CLOSED, False, "Only open sessions can be updated"),
    ("closed", "open", FROM_CLOSED, False, 'Cannot move session to state "open" from state "closed"'),
    ("closed", "closed", FROM_CLOSED, True, "Only open sessions can be closed"),
    ("closed", "partially_returned", FROM_CLOSED, False, 'to state "partially_returned" from state "closed"'),
    ("partially_returned", None, FROM_RETURNED, False, "Only open sessions can be updated"),
    ("partially_returned", "open", FROM_RETURNED, False, 'to state "open" from state "partially_returned"'),
    ("partially_returned", "closed", FROM_RETURNED, False, "Only open sessions can be closed"),
    ("partially_returned", "partially_returned", FROM_RETURNED, True, 'to state "partially_returned" from state'),
    ("cancelled", None, FROM_CANCELLED, False, "Only open sessions can be updated"),
    ("cancelled", "open", FROM_CANCELLED, False, 'Cannot move session to state "open" from state "cancelled"'),
    ("cancelled", "closed", FROM_CANCELLED, False, "Only open sessions can be closed"),
    ("cancelled", "partially_returned", FROM_CANCELLED, False, 'to state "partially_returned" from state "cancelled"'),
    ("cancelled", "cancelled", FROM_CANCELLED, True, 'to state "cancelled" from state "cancelled"'),
]


class TestPut:
    """D-07: the Update operation carries a wanted state, which says what is to be done."""

    def test_every_wanted_state_is_tried_on_every_state(self) -> None:
        cells = {cell[:2] for cell in WANTED} | {cell[:2] for cell in NOT_WANTED}
        assert cells == {(source, wanted) for source in State for wanted in (None, *State)}
        assert len(cells) == len(WANTED) + len(NOT_WANTED)

    @pytest.mark.parametrize(("source", "wanted", "target", "event_name"), WANTED)
    def test_the_wanted_state_picks_the_trigger(
        self, source: str, wanted: str | None, target: str, event_name: str
    ) -> None:
        session = session_in(source)
        event = session.put(SessionUpdate(state=wanted), now=LATER)
        assert session.state is State(target)
        assert event.name is EventName(event_name)
        assert session.updated == LATER
        assert session.pending_events[-1] is event

    @pytest.mark.parametrize(("source", "wanted", "allowed", "already", "text"), NOT_WANTED)
    def test_what_the_table_lacks_is_refused_and_changes_nothing(
        self, source: str, wanted: str | None, allowed: tuple[str, ...], already: bool, text: str
    ) -> None:
        session = session_in(source)
        before = snapshot(session)
        with pytest.raises(WrongState, match="refused") as refusal:
            session.put(SessionUpdate(state=wanted, coupon_codes=["OTHER"]), now=LATER)
        assert snapshot(session) == before
        assert refusal.value.allowed == allowed
        assert refusal.value.already is already
        assert text in str(refusal.value)

    def test_update_and_close_apply_what_else_the_request_holds(self) -> None:
        session = session_in("open")
        session.put(coupon_codes=["A"])
        session.put(SessionUpdate(state="closed", referral_code="B"))
        assert (session.state, session.coupon_codes, session.referral_code) == (State.CLOSED, ("A",), "B")

    def test_cancelling_leaves_the_content_as_it_was(self) -> None:
        session = session_in("open")
        event = session.put(SessionUpdate(state="cancelled", coupon_codes=["A"]))
        assert session.coupon_codes == ("XMAS",)
        assert event.change is None

    @pytest.mark.parametrize(
        ("verb", "wanted"),
        [
            ("update", "closed"),
            ("update", "partially_returned"),
            ("update", "cancelled"),
            ("close", "open"),
            ("close", "partially_returned"),
            ("close", "cancelled"),
        ],
    )
    def test_a_verb_refuses_a_request_for_another_state(self, verb: str, wanted: str) -> None:
        session = session_in("open")
        before = snapshot(session)
        for ask in (getattr(session, verb), partial(session.evaluate, verb)):
            with pytest.raises(InvalidValue) as refusal:
                ask(SessionUpdate(state=wanted))
            assert refusal.value.pointer == "/state"
            assert snapshot(session) == before

    @pytest.mark.parametrize(("verb", "wanted"), [("update", "open"), ("close", "closed")])
    def test_a_verb_takes_a_request_for_its_own_state(self, verb: str, wanted: str) -> None:
        session = session_in("open")
        assert session.evaluate(verb, SessionUpdate(state=wanted))
        getattr(session, verb)(SessionUpdate(state=wanted))
        assert session.state == wanted


def test_the_table_is_the_one_of_the_api() -> None:
    """T-01 to T-10: each transition is carried by one operation, and records one event."""
    rows = [(r.id, r.source, str(r.trigger), str(r.target), r.operation, str(r.event_name)) for r in TABLE]
    put, post, reopen = Operation.UPDATE, Operation.RETURN, Operation.REOPEN
    assert rows == [
        ("T-01", None, "create", "open", put, "talon_session_created"),
        ("T-02", None, "create", "closed", put, "talon_session_created"),
        ("T-03", "open", "update", "open", put, "talon_session_updated"),
        ("T-04", "open", "close", "closed", put, "talon_session_closed"),
        ("T-05", "open", "cancel", "cancelled", put, "talon_session_cancelled"),
        ("T-06", "closed", "cancel", "cancelled", put, "talon_session_revoked"),
        ("T-07", "closed", "return_items", "partially_returned", post, "talon_session_partially_returned"),
        ("T-08", "closed", "reopen", "open", reopen, "talon_session_reopened"),
        ("T-09", "partially_returned", "cancel", "cancelled", put, "talon_session_revoked"),
        ("T-10", "partially_returned", "return_items", "partially_returned", post, "talon_session_partially_returned"),
    ]
    assert [row.id for row in TABLE if row.internal] == ["T-03", "T-10"]
    assert [row.id for row in TABLE if row.authority is Authority.CHOSEN] == ["T-10"]


def test_a_cancelled_session_stays_cancelled_for_ever() -> None:
    """D-03: nothing leads out of cancelled."""
    session = session_in("cancelled")
    assert session.allowed_triggers == ()
    assert not any(session.board().values())


def test_a_reopened_session_is_an_ordinary_open_session() -> None:
    """D-11: after a reopening everything is possible that is possible with an open session."""
    session = session_in("closed")
    session.reopen()
    assert session.allowed_triggers == session_in("open").allowed_triggers == ("update", "close", "cancel")
    session.update(coupon_codes=[])
    session.close()
    assert (session.state, session.coupon_codes) == (State.CLOSED, ())


def test_returning_the_last_unit_leaves_the_session_partially_returned() -> None:
    """D-04, D-05: there is no returned state, and no way back from there to open."""
    session = session_in("closed")
    session.return_items([ReturnedCartItem(position=0), ReturnedCartItem(position=1)])
    assert session.state is State.PARTIALLY_RETURNED
    assert [item.remaining_quantity for item in session.cart_items] == [0, 0]
    assert session.allowed_triggers == ("cancel",)
    with pytest.raises(WrongState):
        session.reopen()
