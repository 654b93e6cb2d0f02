"""Tests of mutants: limits, faults, texts, modified copies."""

import decimal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from types import CodeType, SimpleNamespace

import pytest
from builders import fresh, session_in
from command_line import environment
from mutation_suites.bakery import BakerySession, order_is_worth_ten

from session_fsm import (
    AdditionalCost,
    CustomerSession,
    EventName,
    InvalidValue,
    RuleViolated,
    State,
    Trigger,
    WrongState,
    rule,
)
from session_fsm.lifecycle import TABLE, Row
from session_fsm.machine import LifecycleMachine
from session_fsm.rules import BUILT_IN
from session_fsm.states import Operation
from session_fsm.testing.mutation.limits import limits_of, with_limit
from session_fsm.testing.mutation.mutants import Mutant, MutantKind, mutants

MOST = 7
PERIOD = timedelta(days=14)


class Settings:
    most = 8
    name = "x"


def values(function):
    return [limit.value for limit in limits_of(function)]


class TestLimits:
    """A limit is a number on one side of a comparison."""

    def test_a_number_on_either_side_is_a_limit(self):
        assert values(lambda total: total <= 10) == [10]
        assert values(lambda total: 10 >= total) == [10]  # noqa: SIM300 - the number stands first
        assert values(lambda total: 0 < total <= 1000) == [0, 1000]
        assert values(lambda total: total > -5) == [-5]
        assert values(lambda total: total > 0.5) == [0.5]

    def test_a_global_or_enclosing_variable_is_a_limit(self):
        def factory(least):
            def inner(total):
                return least <= total <= MOST

            return inner

        assert values(factory(3)) == [3, 7]
        assert values(lambda total: total <= Settings.most) == [8]

    def test_constructed_decimals_and_timedeltas_are_limits(self):
        assert values(lambda total: total < Decimal("9.99")) == [Decimal("9.99")]
        assert values(lambda total: total < decimal.Decimal(3)) == [Decimal(3)]
        assert values(lambda now, created: now - created > timedelta(days=14)) == [timedelta(days=14)]
        assert values(lambda now, created: now - created > timedelta(1, hours=2)) == [timedelta(1, hours=2)]
        assert values(lambda now, created: now - created > PERIOD) == [PERIOD]

    def test_comparisons_in_nested_functions_count(self):
        assert values(lambda cart_items: any(item.quantity > MOST for item in cart_items)) == [7]

    def test_a_variable_operand_or_another_type_is_no_limit(self):
        other = SimpleNamespace(most=3)
        assert values(lambda total, count: total <= count) == []
        assert values(lambda total: total <= 2 * total) == []
        assert values(lambda total: total <= other.most) == []
        assert values(lambda total: total <= Settings.missing) == []
        assert values(lambda total: total <= missing) == []  # noqa: F821 - that it is missing is the point
        assert values(lambda name: name == Settings.name) == []
        assert values(lambda flag: flag == True) == []  # noqa: E712 - a boolean is no number
        assert values(lambda total: total < Decimal("many")) == []
        assert values(lambda total: total < Decimal("NaN")) == []
        assert values(lambda total: total < Decimal(total)) == []
        assert values(lambda total: total < int("3")) == []

    def test_code_without_positions_has_no_limits(self):
        def bare(total):
            return total <= 10

        bare.__code__ = bare.__code__.replace(co_linetable=b"")
        assert values(bare) == []
        assert values(len) == []
        crowded = {}
        exec("def crowded(x):\n" + "\n".join(f"    y = {n}.5" for n in range(300)) + "\n    return x < 3", crowded)
        assert values(crowded["crowded"]) == []

    def test_an_unassigned_enclosing_variable_is_no_limit(self):
        def factory():
            def inner(total):
                return total <= later

            before = values(inner)
            later = 5
            return before, values(inner)

        assert factory() == ([], [5])

    @pytest.mark.parametrize(
        ("value", "above", "below"),
        [
            ("10", "11", "9"),
            ("Decimal('9.99')", "Decimal('10.00')", "Decimal('9.98')"),
            ("Decimal('1E+2')", "Decimal('101')", "Decimal('99')"),
            ("timedelta(days=14)", "timedelta(days=15)", "timedelta(days=13)"),
            ("timedelta(minutes=90)", "timedelta(minutes=91)", "timedelta(minutes=89)"),
        ],
    )
    def test_neighbours_differ_by_one_in_the_last_digit(self, value, above, below):
        (limit,) = limits_of(eval(f"lambda x: x < {value}", globals()))
        assert limit.neighbours == (eval(above), eval(below))

    def test_only_the_limit_is_changed(self):
        def function(total, cart=(1, 2)):
            "Text."
            return [0 < total <= 10, any(item > MOST for item in cart), 10]

        limits = limits_of(function)
        assert [limit.value for limit in limits] == [0, 10, 7]
        assert function(11) == [False, False, 10]
        assert with_limit(function, limits[1], 11)(11) == [True, False, 10]
        assert with_limit(function, limits[0], -1)(0) == [True, False, 10]
        assert with_limit(function, limits[2], 1)(11) == [False, True, 10]
        copy = with_limit(function, limits[0], 1)
        assert (copy.__name__, copy.__doc__, copy.__module__) == ("function", "Text.", __name__)

    def test_the_source_is_not_needed(self):
        names = {}
        exec(compile("def f(total):\n    return total <= 10", "<nowhere>", "exec"), names)
        (limit,) = limits_of(names["f"])
        assert with_limit(names["f"], limit, 12)(12) is True

    def test_a_limit_behind_extended_arguments_is_found(self):
        names = {"MOST": 5}
        lines = "\n".join(f"        name_{n}" for n in range(300))
        exec(
            f"def f(x):\n    if x is None:\n        return None\n    if x == ():\n{lines}\n    return x <= MOST", names
        )
        (limit,) = limits_of(names["f"])
        assert (limit.value, with_limit(names["f"], limit, 6)(6)) == (5, True)


def by_id(kind, name):
    return next(mutant for mutant in mutants(kind) if mutant.id == name)


class TestKinds:
    """The faults and their texts."""

    def test_every_kind_of_fault_is_applied_where_it_changes_something(self):
        counted = Counter(mutant.change for mutant in mutants(CustomerSession))
        assert counted == {
            MutantKind.DROP_RULE: 9,
            MutantKind.NEGATE_RULE: 9,
            MutantKind.NARROW_RULE: 6,
            MutantKind.CHANGE_LIMIT: 6,
            MutantKind.DELETE_ROW: 10,
            MutantKind.RETARGET_ROW: 24,
            MutantKind.SWAP_EVENT: 10,
            MutantKind.ADD_ROW: 14,
        }

    def test_no_two_have_the_same_id_or_text(self):
        found = mutants(BakerySession)
        assert len({mutant.id for mutant in found}) == len({mutant.text for mutant in found}) == len(found)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("drop-rule:order_too_small", "nothing is refused for order_too_small"),
            (
                "negate-rule:order_too_small",
                "order_too_small passes where it should refuse, and refuses where it should pass",
            ),
            ("narrow-rule:coupon_code_required:close", "nothing refuses a closing for coupon_code_required"),
            (
                "narrow-rule:coupon_code_required:create",
                "nothing refuses a creation as closed for coupon_code_required",
            ),
            ("widen-rule:coupon_code_required", "coupon_code_required also guards a creation into open"),
            ("widen-rule:order_too_small:create", "order_too_small also guards a creation into closed"),
            ("change-limit:too_many_cart_items:1000:1001", "the limit 1000 of too_many_cart_items is 1001"),
            ("delete-row:T-08", "a closed session cannot be reopened"),
            ("delete-row:T-02", "no session can be created as closed"),
            ("retarget-row:T-04:cancelled", "closing an open session leads to cancelled instead of closed"),
            (
                "swap-event:T-05:talon_session_revoked",
                "cancelling an open session records talon_session_revoked instead of talon_session_cancelled",
            ),
            ("add-row:partially_returned:reopen", "a partially returned session can be reopened"),
            ("add-row:new:create:cancelled", "a session can be created as cancelled"),
        ],
    )
    def test_the_text_describes_the_fault(self, name, text):
        assert by_id(BakerySession, name).text == text

    def test_a_limit_that_occurs_twice_is_numbered(self):
        @rule("odd_total", on=["close"])
        def total_is_odd(total, cart_items):
            """Odd."""
            return total <= 10 or len(cart_items) <= 10

        found = mutants(fresh(rules=(total_is_odd,)), ["change-limit"])
        assert [mutant.id.removeprefix("change-limit:odd_total:") for mutant in found] == [
            "10#1:11",
            "10#1:9",
            "10#2:11",
            "10#2:9",
        ]

    def test_a_rule_is_narrowed_or_widened_only_where_that_changes_something(self):
        @rule("closing_only", on=["close", "cancel"], target="closed")
        def closing_only():
            """Closing."""
            return True

        kind = fresh(rules=(closing_only,))
        assert [m.id for m in mutants(kind, ["narrow-rule", "widen-rule"])] == ["widen-rule:closing_only"]
        assert mutants(BakerySession, ["narrow-rule"], added=True)[0].id == "narrow-rule:coupon_code_required:create"

    def test_no_row_is_added_for_a_trigger_without_rows(self):
        kind = by_id(CustomerSession, "delete-row:T-08").twin()
        assert not [mutant.id for mutant in mutants(kind, ["add-row"]) if "reopen" in mutant.id]

    def test_kinds_can_be_chosen_by_name_and_keep_their_order(self):
        found = mutants(CustomerSession, ["add-row", MutantKind.DROP_RULE])
        assert [found[0].change, found[-1].change] == [MutantKind.DROP_RULE, MutantKind.ADD_ROW]
        with pytest.raises(InvalidValue, match="'drop' is none of: drop-rule"):
            mutants(CustomerSession, ["drop"])

    def test_inherited_rules_can_be_left_out(self):
        assert {mutant.id.split(":")[1] for mutant in mutants(BakerySession, added=True)} == {
            "order_too_small",
            "coupon_code_required",
        }
        assert len(mutants(CustomerSession, added=True)) == len(mutants(CustomerSession)) - 58

    def test_mutants_do_not_depend_on_the_hash_seed(self):
        text = "from session_fsm.testing.mutation.mutants import *\nfrom session_fsm import CustomerSession\n"
        text += "print(*(f'{m.id} {m.text}' for m in mutants(CustomerSession)), sep='\\n')"
        outputs = {
            subprocess.run(
                [sys.executable, "-c", text], env=environment(PYTHONHASHSEED=seed), capture_output=True, check=True
            ).stdout
            for seed in ("0", "1", "2")
        }
        assert len(outputs) == 1
        assert len(outputs.pop().splitlines()) == 88


def closed(kind):
    return session_in("closed", kind)


class TestModifiedCopy:
    """The copy has the mutant's definition; the original class is unchanged."""

    def test_a_deleted_row_is_refused(self):
        mutated = by_id(CustomerSession, "delete-row:T-08").twin()
        with pytest.raises(WrongState):
            closed(mutated).reopen()
        assert closed(mutated).evaluate("reopen").violations[0].code == "wrong_state"
        closed(CustomerSession).reopen()

    def test_an_added_row_can_fire(self):
        mutated = by_id(CustomerSession, "add-row:cancelled:reopen").twin()
        session = session_in("cancelled", mutated)
        assert session.reopen().name is EventName.REOPENED
        assert session.state is State.OPEN

    def test_an_added_internal_row_keeps_the_state(self):
        session = closed(by_id(CustomerSession, "add-row:closed:update").twin())
        session.update(coupon_codes=["LATE"])
        assert (session.state, session.coupon_codes) == (State.CLOSED, ("LATE",))

    def test_a_retargeted_row_leads_elsewhere(self):
        session = session_in("open", by_id(CustomerSession, "retarget-row:T-04:cancelled").twin())
        session.close()
        assert session.state is State.CANCELLED

    def test_a_swapped_event_is_recorded(self):
        session = session_in("open", by_id(CustomerSession, "swap-event:T-05:talon_session_revoked").twin())
        assert session.cancel().name is EventName.REVOKED

    def test_a_negated_rule_returns_the_opposite(self):
        mutated = by_id(CustomerSession, "negate-rule:nothing_to_return").twin()
        closed(mutated).return_items([])
        refused = closed(mutated).evaluate("return_items", closed(mutated).cart_items and [])
        assert refused.allowed
        bakery = by_id(BakerySession, "negate-rule:order_too_small").twin()
        assert [v.code for v in session_in("open", bakery).evaluate("close").violations] == ["order_too_small"]

    def test_a_changed_limit_applies(self):
        mutated = by_id(BakerySession, "change-limit:order_too_small:10:9").twin()
        session = mutated.create("order-1", coupon_codes=["A"], additional_costs={"a": AdditionalCost(9)})
        assert session.evaluate("close")

    def test_a_narrow_rule_guards_one_trigger_less_and_a_wide_one_more_states(self):
        narrow = by_id(BakerySession, "narrow-rule:coupon_code_required:create").twin()
        narrow.create("order-1", state="closed")
        wide = by_id(BakerySession, "widen-rule:coupon_code_required").twin()
        with pytest.raises(RuleViolated):
            wide.create("order-1")

    def test_the_original_class_is_unchanged(self):
        before = (CustomerSession.rules, CustomerSession.machine)
        for mutant in mutants(CustomerSession):
            mutated = mutant.twin()
            assert mutated.__name__ == "CustomerSession"
            assert isinstance(mutant, Mutant)
        assert (CustomerSession.rules, CustomerSession.machine) == before

    def test_callbacks_are_kept(self):
        called = []
        kind = fresh(on_enter_closed=lambda self, event_data: called.append("enter"))
        kind.machine.events["close"].add_callback("before", lambda event_data: called.append("before"))
        kind.machine.after_state_change = [lambda event_data: called.append("after")]
        kind.machine.ignore_invalid_triggers = True
        mutated = by_id(kind, "delete-row:T-03").twin()
        session_in("open", mutated).close()
        assert called == ["before", "enter", "after"]
        assert mutated.machine.ignore_invalid_triggers is True


class TestApply:
    """`Mutant.apply` changes the original class."""

    def test_the_class_and_later_subclasses_have_the_definition(self):
        kind = fresh()
        assert by_id(kind, "add-row:cancelled:reopen").apply() is kind
        session_in("cancelled", kind).reopen()
        later = type("Later", (kind,), {"rules": (*kind.rules, order_is_worth_ten)})
        session_in("cancelled", later).reopen()
        assert later.machine.table == kind.machine.table

    def test_a_dropped_rule_is_not_inherited(self):
        kind = fresh()
        by_id(kind, "drop-rule:nothing_to_return").apply()
        later = type("Later", (kind,), {"rules": (*kind.rules, order_is_worth_ten)})
        closed(later).return_items([])

    def test_a_direct_call_of_the_rule_runs_the_mutant(self):
        @rule("too_small", on=["close"])
        def large(total):
            """Large."""
            return total >= 10

        kind = fresh(rules=(large,))
        by_id(kind, "change-limit:too_small:10:11").apply()
        assert large(total=10) is False
        assert large(total=11) is True

    def test_invalid_rules_are_refused_with_an_invalid_table(self):
        kind = fresh()
        by_id(kind, "delete-row:T-07").apply()
        with pytest.raises(InvalidValue, match="used twice"):
            type("Later", (kind,), {"rules": (*kind.rules, kind.rules[0])})


class TestMachine:
    """A machine accepts an invalid table only on request."""

    def test_a_table_that_is_wrong_on_purpose_is_not_checked(self):
        row = Row("X", State.CANCELLED, Trigger.REOPEN, State.OPEN, Operation.REOPEN, EventName.REOPENED)
        with pytest.raises(InvalidValue):
            LifecycleMachine(BUILT_IN, (*TABLE, row))
        machine = LifecycleMachine(BUILT_IN, (*TABLE, row), unchecked=True)
        assert (machine.table[-1], machine.unchecked) == (row, True)
        assert CustomerSession.machine.unchecked is False

    def test_every_trigger_has_a_verb_whatever_the_table(self):
        machine = LifecycleMachine((), [row for row in TABLE if row.trigger is not Trigger.REOPEN])
        assert machine.events[Trigger.REOPEN].transition(State.CLOSED) is None
        assert machine.get_triggers("closed") == ["cancel", "return_items"]


def test_the_mutant_has_its_own_code_object():
    """The original function is unchanged."""
    (limit,) = limits_of(order_is_worth_ten.function)
    code = order_is_worth_ten.function.__code__
    assert isinstance(code, CodeType)
    with_limit(order_is_worth_ten.function, limit, 11)
    assert order_is_worth_ten.function.__code__ is code
    assert order_is_worth_ten(total=10)
