"""The machine of a session class: what those who know `transitions` may ask of it, and what it does not let them do."""

from typing import Any

import pytest
import transitions
from builders import LATER, ONE_UNIT, fresh, session_in, snapshot

from session_fsm import (
    CustomerSession,
    EventName,
    InvalidValue,
    RuleViolated,
    SessionFSMError,
    SessionUpdate,
    State,
    Trigger,
    WrongState,
    rule,
)
from session_fsm.lifecycle import FINAL, TABLE, Row, check_definition
from session_fsm.machine import LifecycleMachine
from session_fsm.rules import BUILT_IN
from session_fsm.states import Operation


class TestQuestions:
    """The machine of a class answers as any `transitions.Machine` does."""

    machine = CustomerSession.machine

    def test_it_is_a_machine_of_transitions(self) -> None:
        assert isinstance(self.machine, transitions.Machine)
        assert self.machine.auto_transitions is False
        assert self.machine.initial == "open"
        assert list(self.machine.states) == ["open", "closed", "partially_returned", "cancelled"]
        assert list(self.machine.events) == ["update", "close", "cancel", "return_items", "reopen"]

    @pytest.mark.parametrize(
        ("state", "triggers"),
        [
            ("open", ["update", "close", "cancel"]),
            ("closed", ["cancel", "return_items", "reopen"]),
            ("partially_returned", ["cancel", "return_items"]),
            ("cancelled", []),
        ],
    )
    def test_get_triggers_takes_names_members_and_states(self, state: str, triggers: list[str]) -> None:
        assert self.machine.get_triggers(state) == triggers
        assert self.machine.get_triggers(State(state)) == triggers
        assert self.machine.get_triggers(self.machine.get_state(state)) == triggers

    def test_get_triggers_of_several_states(self) -> None:
        assert self.machine.get_triggers("open", State.CLOSED) == [
            "update",
            "close",
            "cancel",
            "return_items",
            "reopen",
        ]
        assert self.machine.get_triggers("elsewhere") == []

    @pytest.mark.parametrize("spell", [str, State, CustomerSession.machine.get_state])
    def test_get_transitions_takes_names_members_and_states(self, spell: Any) -> None:
        def found(*question: Any) -> list[tuple[str, str | None]]:
            return [(one.source, one.dest) for one in self.machine.get_transitions(*question)]

        assert len(found()) == 8
        assert found("cancel") == [
            ("open", "cancelled"),
            ("closed", "cancelled"),
            ("partially_returned", "cancelled"),
        ]
        assert found("cancel", spell("closed")) == [("closed", "cancelled")]
        assert found("", spell("closed")) == [
            ("closed", "cancelled"),
            ("closed", "partially_returned"),
            ("closed", "open"),
        ]
        assert found("", "*", spell("closed")) == [("open", "closed")]
        assert found("close", spell("cancelled")) == []
        assert found("unknown") == []
        assert found("update") == [("open", None)]  # internal: the session stays where it is

    @pytest.mark.parametrize("state", State)
    def test_get_state_takes_names_and_members(self, state: State) -> None:
        found = self.machine.get_state(state)
        assert found is self.machine.get_state(str(state))
        assert found.name == str(state)
        assert found.value is state
        assert found.final is (state is State.CANCELLED)

    def test_get_state_knows_no_other(self) -> None:
        with pytest.raises(ValueError, match="elsewhere"):
            self.machine.get_state("elsewhere")

    def test_the_state_of_a_session(self) -> None:
        session = session_in("closed")
        assert self.machine.get_model_state(session).name == "closed"
        assert self.machine.is_state("closed", session)
        assert not self.machine.is_state(State.OPEN, session)

    def test_it_tells_its_rows_and_their_rules(self) -> None:
        assert self.machine.table == TABLE
        assert self.machine.rules == BUILT_IN
        by_row = {row.id: [one.code for one in self.machine.rules_of(row)] for row in TABLE}
        filling = ["too_many_cart_items", "too_many_units"]
        returning = [
            "nothing_to_return",
            "return_item_unnamed",
            "unknown_cart_item",
            "sku_position_mismatch",
            "ambiguous_sku",
            "returns_more_than_remaining",
        ]
        assert by_row == {
            "T-01": ["state_not_creatable", *filling],
            "T-02": ["state_not_creatable", *filling],
            "T-03": filling,
            "T-04": filling,
            "T-05": [],
            "T-06": [],
            "T-07": returning,
            "T-08": [],
            "T-09": [],
            "T-10": returning,
        }

    @pytest.mark.parametrize("state", [*State, None])
    def test_allowed_from_says_what_the_table_opens(self, state: State | None) -> None:
        expected = self.machine.get_triggers(state) if state else ["create"]
        assert sorted(self.machine.allowed_from(state)) == sorted(expected)


class TestShutDoors:
    """Nothing is put beside the table, and no session beside the machine."""

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("add_model", ("session",)),
            ("add_transition", ("undo", "cancelled", "open")),
            ("add_transitions", ([["undo", "cancelled", "open"]],)),
            ("add_ordered_transitions", ()),
            ("remove_transition", ("cancel",)),
            ("add_state", ("lost",)),
            ("add_states", (["lost", "found"],)),
        ],
    )
    def test_the_machine_refuses_it(self, name: str, arguments: tuple[Any, ...]) -> None:
        cls = fresh()
        given = tuple(session_in("open", cls) if argument == "session" else argument for argument in arguments)
        with pytest.raises(SessionFSMError, match="is fixed"):
            getattr(cls.machine, name)(*given)
        assert len(cls.machine.get_transitions()) == 8
        assert list(cls.machine.states) == list(State)
        assert cls.machine.models == []

    def test_the_machine_cannot_set_a_state(self) -> None:
        session = session_in("open")
        with pytest.raises(AttributeError):
            session.machine.set_state("cancelled", session)
        assert session.state is State.OPEN

    def test_no_session_is_ever_registered(self) -> None:
        cls = fresh()
        cls.machine.after_state_change = [lambda event_data: None]
        session = session_in("partially_returned", cls)
        session.cancel()
        assert cls.machine.models == []
        assert set(vars(session)) == set()


class TestTriggerOfTheMachine:
    """`machine.events[name].trigger(session)` does what the verb does, and answers in the way of `transitions`."""

    def test_it_moves_the_session(self) -> None:
        one, other = session_in("open"), session_in("open")
        assert one.machine.events["close"].trigger(one, SessionUpdate(coupon_codes=["A"]), now=LATER) is True
        other.close(coupon_codes=["A"], now=LATER)
        assert snapshot(one) == snapshot(other)

    def test_it_takes_a_return(self) -> None:
        one, other = session_in("closed"), session_in("closed")
        assert one.machine.events["return_items"].trigger(one, ONE_UNIT, LATER) is True
        other.return_items(ONE_UNIT, now=LATER)
        assert snapshot(one) == snapshot(other)

    def test_it_raises_what_the_verb_raises(self) -> None:
        session = session_in("closed")
        before = snapshot(session)
        with pytest.raises(WrongState):
            session.machine.events["close"].trigger(session)
        with pytest.raises(RuleViolated):
            session.machine.events["return_items"].trigger(session)
        with pytest.raises(InvalidValue):
            session.machine.events["cancel"].trigger(session, SessionUpdate())
        assert snapshot(session) == before

    @pytest.mark.parametrize("wanted", ["closed", "cancelled", "partially_returned"])
    def test_it_refuses_a_request_for_another_state(self, wanted: str) -> None:
        session = session_in("open")
        before = snapshot(session)
        with pytest.raises(InvalidValue):
            session.machine.events["update"].trigger(session, SessionUpdate(state=wanted))
        assert snapshot(session) == before


class TestIgnoringInvalidTriggers:
    """A machine told to ignore invalid triggers answers False; a verb, which must return an event, still raises."""

    def cls_that_ignores(self, where: str) -> type[CustomerSession]:
        cls = fresh()
        owner = cls.machine if where == "machine" else cls.machine.get_state("closed")
        owner.ignore_invalid_triggers = True
        return cls

    @pytest.mark.parametrize("where", ["machine", "state"])
    @pytest.mark.parametrize("callbacks", [[], [lambda event_data: None]])
    def test_only_the_machine_obeys(self, where: str, callbacks: list[Any]) -> None:
        cls = self.cls_that_ignores(where)
        cls.machine.before_state_change = callbacks
        session = session_in("closed", cls)
        before = snapshot(session)
        assert cls.machine.events["update"].trigger(session) is False
        with pytest.raises(WrongState):
            session.update()
        assert snapshot(session) == before
        assert cls.machine.events["reopen"].trigger(session) is True

    def test_a_state_may_insist_where_the_machine_ignores(self) -> None:
        cls = self.cls_that_ignores("machine")
        cls.machine.get_state("closed").ignore_invalid_triggers = False
        with pytest.raises(WrongState):
            cls.machine.events["update"].trigger(session_in("closed", cls))
        assert cls.machine.events["update"].trigger(session_in("cancelled", cls)) is False

    def test_a_rule_is_no_invalid_trigger(self) -> None:
        cls = self.cls_that_ignores("machine")
        with pytest.raises(RuleViolated):
            cls.machine.events["return_items"].trigger(session_in("closed", cls), [])


def row(source: State | None, trigger: Trigger, target: State, number: str = "X-1") -> Row:
    return Row(number, source, trigger, target, Operation.UPDATE, EventName.UPDATED)


class TestTableCheck:
    """A wrong table cannot be made into a machine."""

    def refused(self, *table: Row) -> InvalidValue:
        with pytest.raises(InvalidValue) as refusal:
            LifecycleMachine((), table)
        with pytest.raises(InvalidValue):
            check_definition(table, ())
        return refusal.value

    def test_the_table_of_the_library_is_right(self) -> None:
        check_definition(TABLE, BUILT_IN)
        assert LifecycleMachine(BUILT_IN, TABLE).table == TABLE
        assert frozenset({State.CANCELLED}) == FINAL

    def test_two_rows_for_one_trigger_from_one_state(self) -> None:
        error = self.refused(*TABLE, row(State.OPEN, Trigger.CLOSE, State.CANCELLED, "T-11"))
        assert error.pointer == "/table/10"
        assert error.problem == "T-11 is the second row for close from open"

    def test_the_same_row_twice(self) -> None:
        assert self.refused(*TABLE[:4], TABLE[3], *TABLE[4:]).pointer == "/table/4"

    def test_two_rows_that_create_the_same_state(self) -> None:
        assert self.refused(TABLE[0], *TABLE).pointer == "/table/1"

    def test_a_way_out_of_a_final_state(self) -> None:
        error = self.refused(*TABLE, row(State.CANCELLED, Trigger.REOPEN, State.OPEN, "T-11"))
        assert error.pointer == "/table/10"
        assert "leads out of cancelled, which is final" in error.problem

    def test_a_state_that_cannot_be_reached(self) -> None:
        error = self.refused(*(one for one in TABLE if one.target is not State.PARTIALLY_RETURNED))
        assert (error.pointer, error.problem) == ("/table", "no way leads to partially_returned")

    def test_a_state_that_is_reached_only_from_itself(self) -> None:
        error = self.refused(*(one for one in TABLE if one.id != "T-07"))
        assert error.problem == "no way leads to partially_returned"

    def test_an_empty_table(self) -> None:
        assert self.refused().problem == "no way leads to open, closed, partially_returned, cancelled"

    def test_a_rule_for_a_trigger_that_the_table_lacks(self) -> None:
        table = [one for one in TABLE if one.trigger is not Trigger.REOPEN]

        @rule("own_rule", on=["close", "reopen"])
        def own_rule() -> bool:
            """The shop is content."""
            return True

        with pytest.raises(InvalidValue, match="own_rule guards reopen, which the table lacks") as refusal:
            LifecycleMachine((own_rule,), table)
        assert refusal.value.pointer == "/rules/0"
