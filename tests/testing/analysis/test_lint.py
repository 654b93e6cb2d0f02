"""Tests of `lint` and `lint_definition`."""

import gc
import logging
import os
import random
import subprocess
import sys
import time
from datetime import UTC, date, datetime

import pytest
from attrs import evolve
from builders import TenantSession, fresh
from command_line import environment
from diagram_cases import ShopSession

from session_fsm import CustomerSession, InvalidValue, State, Trigger, Violation, rule
from session_fsm.lifecycle import TABLE, Row
from session_fsm.rules import BUILT_IN, coupon_code_required
from session_fsm.states import EventName, Operation
from session_fsm.testing.analysis.lint import Fault, Finding, lint_definition, states_without_end
from session_fsm.testing.analysis.lint import lint as lint_all
from session_fsm.testing.analysis.purity import Impurity, impurity_of_call
from session_fsm.testing.mutation.mutants import mutants

END = datetime(2026, 2, 1, tzinfo=UTC)
TRIES = 100
"""So many suffice for the small rules below."""


def row(source, trigger, target, number="X-1"):
    return Row(number, source, trigger, target, Operation.UPDATE, EventName.UPDATED)


def seen(table=TABLE, rules=()):
    return [(finding.code, finding.place, finding.reason) for finding in lint_definition(table, rules)]


def lint(kind, ignore=(), **given):
    """Lint a class that may have only the rules of the test."""
    return lint_all(kind, ignore=ignore if isinstance(ignore, str) else [*ignore, "drops-built-in"], **given)


def without(*ids):
    return [row for row in TABLE if row.id not in ids]


class TestTable:
    """Faults of a table, also of an invalid one."""

    def test_the_table_of_the_library_has_no_findings(self):
        assert seen(TABLE, BUILT_IN) == []

    def test_an_unreachable_state(self):
        assert seen(without("T-07")) == [
            ("unreachable-state", "partially_returned", "no way leads from a creation to a partially returned session")
        ]

    def test_a_state_without_exits(self):
        assert (Fault.DEAD_END, "partially_returned", "nothing leads out, and it is not final") in seen(without("T-09"))

    def test_a_state_whose_exits_reach_no_final_state(self):
        table = [*without("T-05", "T-06", "T-09")]
        assert seen(table) == [
            ("unreachable-state", "cancelled", "no way leads from a creation to a cancelled session"),
            ("dead-end", "open", "T-04 lead out, but to no final state"),
            ("dead-end", "closed", "T-07, T-08 lead out, but to no final state"),
            ("dead-end", "partially_returned", "nothing leads out, and it is not final"),
            ("trigger-without-row", "cancel", "it is refused in every state"),
        ]
        assert states_without_end(table) == [State.OPEN, State.CLOSED, State.PARTIALLY_RETURNED]

    def test_a_trigger_without_a_row(self):
        assert seen(without("T-08")) == [("trigger-without-row", "reopen", "it is refused in every state")]

    def test_rival_rows(self):
        table = [*TABLE, row(State.OPEN, Trigger.CLOSE, State.CANCELLED), row(None, Trigger.CREATE, State.OPEN, "X-2")]
        assert seen(table) == [
            ("rival-rows", "X-1", "T-04 applies too, to close of an open session"),
            ("rival-rows", "X-2", "T-01 applies too, to a creation as open"),
        ]

    def test_an_exit_from_a_final_state(self):
        table = [*TABLE, row(State.CANCELLED, Trigger.REOPEN, State.OPEN)]
        assert seen(table) == [("exit-from-final", "X-1", "it leads out of cancelled, which is final")]


class TestRules:
    """Faults of rules that are found without running them."""

    def test_an_entry_that_is_no_rule(self):
        assert seen(rules=[len]) == [
            ("no-rule", "rules/0", "<built-in function len> is none; make one with the decorator rule")
        ]

    def test_a_rule_without_docstring(self):
        mute = evolve(coupon_code_required, text=" ")
        assert seen(rules=[mute]) == [
            ("no-text", "coupon_code_required", "no docstring says it in words, so no refusal can")
        ]

    def test_a_code_that_is_used_twice(self):
        assert seen(rules=[coupon_code_required, coupon_code_required]) == [
            ("code-used-twice", "coupon_code_required", "another rule before it has the same code")
        ]

    def test_a_rule_that_guards_nothing_or_names_an_unused_trigger(self):
        nothing = evolve(coupon_code_required, on=(Trigger.CANCEL,))
        vain = evolve(coupon_code_required, code="b", on=(Trigger.CLOSE, Trigger.CANCEL))
        gone = evolve(coupon_code_required, code="c", on=(Trigger.CLOSE, Trigger.REOPEN), target=None)
        assert seen(rules=[nothing, vain]) == [
            ("guards-nothing", "coupon_code_required", "no transition is guarded by it"),
            ("guards-nothing", "b", "it names cancel, but no such transition into closed"),
        ]
        assert ("guards-nothing", "c", "it names reopen, but no such transition there is") in seen(
            without("T-08"), [gone]
        )


def found(*rules, tries=TRIES):
    return [str(finding) for finding in lint(fresh(rules=rules), tries=tries)]


def closing(code):
    return rule(code, on=["create", "close"], target="closed")


class TestLint:
    """Faults that are found by running rules."""

    def test_the_rules_of_the_library_have_no_findings(self):
        assert lint(CustomerSession) == []
        assert lint(ShopSession) == []

    def test_a_rule_that_never_refuses(self):
        @closing("negative")
        def total_is_something(total):
            """Something."""
            return total is not None

        assert found(total_is_something) == ["negative: never-refuses: nothing was refused for it in 100 tries"]
        assert lint(fresh(rules=(total_is_something,)), tries=3) == [
            Finding(Fault.NEVER_REFUSES, "negative", "nothing was refused for it in 3 tries")
        ]

    def test_a_rule_that_is_shadowed_by_another(self):
        @closing("less_than_ten")
        def ten(total):
            """Ten."""
            return total >= 10

        @closing("less_than_five")
        def five(total):
            """Five."""
            return total >= 5

        assert found(ten, five, tries=400) == [
            "less_than_five: shadowed: wherever it refuses, so does less_than_ten; 400 tries"
        ]

    def test_a_rule_that_is_shadowed_by_one_or_the_other(self):
        @closing("outside")
        def inside(cart_items):
            """One item."""
            return len(cart_items) == 1

        @closing("empty")
        def some(cart_items):
            """Some."""
            return len(cart_items) > 0

        @closing("crowded")
        def few(cart_items):
            """Few."""
            return len(cart_items) < 2

        (text,) = [text for text in found(some, few, inside, tries=200) if text.startswith("outside")]
        assert text.startswith("outside: shadowed: wherever it refuses, so does one of crowded, empty; ")

    def test_a_rule_that_fails(self):
        @closing("failing")
        def first_item_is_cheap(cart_items):
            """Cheap."""
            return cart_items[0].price < 10

        text, *_ = found(first_item_is_cheap)
        assert text == "failing: fails: it raises IndexError: tuple index out of range"

        @closing("always_failing")
        def fails(cart_items):
            """Fails."""
            raise KeyError("x")

        assert found(fails) == ["always_failing: fails: it raises KeyError: 'x'"]

    def test_the_class_and_the_profiler_are_unchanged(self):
        before = (ShopSession.rules, ShopSession.machine, sys.getprofile())
        lint(ShopSession, tries=5)
        assert (ShopSession.rules, ShopSession.machine, sys.getprofile()) == before

    def test_own_fields_are_passed_to_creations(self):
        assert lint(TenantSession, own={"tenant": "acme"}, tries=5) != []
        with pytest.raises(InvalidValue, match="tenant") as refusal:
            lint(TenantSession)
        assert refusal.value.pointer == "/own"

    def test_a_class_whose_default_creation_is_refused(self):
        @rule("anonymous", on=["create"])
        def customer_is_known(profile_id):
            """Known."""
            return bool(profile_id)

        assert found(customer_is_known) == []


class TestBuiltIn:
    """A class should add to the built-in rules, not replace them."""

    def test_a_class_without_built_in_rules(self):
        (one,) = (one for one in lint_all(fresh(rules=(coupon_code_required,)), tries=1) if one.place == "rules")
        assert str(one) == (
            "rules: drops-built-in: it drops the 9 rules of CustomerSession; write rules = (*CustomerSession.rules, ...)"
        )

    def test_it_can_be_ignored(self):
        found = lint_all(fresh(rules=(coupon_code_required,)), tries=1, ignore=["rules:drops-built-in"])
        assert "rules" not in {one.place for one in found}

    def test_a_class_that_keeps_some_means_it(self):
        assert "rules" not in {one.place for one in lint_all(fresh(rules=BUILT_IN[:1]), tries=1)}


MEND = "if it means yes or no, write bool(...)"


def linted(*rules, **given):
    return [str(one) for one in lint(fresh(rules=rules), tries=TRIES, **given)]


class TestCreations:
    """A rule for closing only does not guard the creation of a closed session."""

    @pytest.mark.parametrize("target", [None, "closed"])
    def test_a_rule_that_misses_creations_is_found_with_a_fix(self, target):
        @rule("order_too_small", on=["close"], target=target)
        def ten(total):
            """Ten."""
            return total >= 10

        creation = 'FreshSession.create("order-1", state="closed")'
        mend = "write on=[Trigger.CREATE, Trigger.CLOSE], target=State.CLOSED"
        assert found(ten) == [
            f"order_too_small: misses-creation: it guards a closing, and {creation} goes past it; {mend}"
        ]

    def test_the_fix_keeps_the_other_triggers(self):
        @rule("seven", on=["update", "close"])
        def not_seven(total):
            """Not seven."""
            return total != 7

        (text,) = found(not_seven, tries=400)
        assert 'cart_items=[CartItem(sku="A", quantity=1, price="7")]) goes past it' in text
        assert text.endswith("; write on=[Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE]")

    def test_the_fix_for_a_rule_with_session_suggests_after(self):
        @rule("order_too_small", on=["close"])
        def ten(session):
            """Ten."""
            return session.total >= 10

        (text,) = found(ten)
        assert text.endswith("and ask for after instead of session, which is None when a session is created")

    def test_a_rule_that_raises_is_not_reported(self):
        @rule("stock_unknown", on=["close"])
        def stock(total):
            """Stock."""
            raise ConnectionError("warehouse")

        fails, misses = found(stock)
        assert fails == "stock_unknown: fails: it raises ConnectionError: warehouse"
        assert misses.startswith("stock_unknown: misses-creation: ")

    @pytest.mark.parametrize("on", [["create", "close"], ["create", "update", "close"], ["update"], ["cancel"]])
    def test_other_rules_are_not_reported(self, on):
        @rule("order_too_small", on=on)
        def ten(total):
            """Ten."""
            return total >= 10

        assert found(ten) == []

    def test_a_rule_that_compares_with_the_session_before_is_not_reported(self):
        @rule("other_customer", on=["close"])
        def customer_stays(session, profile_id, trigger):
            """The customer stays."""
            assert session.state == "open"
            assert trigger == "close"
            return session.profile_id == profile_id

        assert found(customer_stays, tries=400) == []

    def test_a_rule_whose_creations_another_rule_refuses_is_not_reported(self):
        @rule("order_too_small", on=["close"])
        def ten(total):
            """Ten."""
            return total >= 10

        @rule("created_as_closed", on=["create"], target="closed")
        def orders_begin_as_carts(trigger):
            """Orders begin as carts."""
            return False

        assert found(ten, orders_begin_as_carts) == []

    def test_required_fields_are_passed_to_creations(self):
        @rule("order_too_small", on=["close"])
        def ten(total):
            """Ten."""
            return total >= 10

        kind = type("Tenants", (TenantSession,), {"rules": (ten,)})
        (one,) = lint(kind, own={"tenant": "acme"}, tries=TRIES)
        assert 'Tenants.create("order-1", state="closed", tenant="acme") goes past it' in one.reason

    @pytest.mark.parametrize("ignore", ["order_too_small:misses-creation", "misses-creation"])
    def test_ignored_findings_are_left_out(self, ignore):
        @rule("order_too_small", on=["close"])
        def ten(total):
            """Ten."""
            return total >= 10

        assert linted(ten, ignore=[ignore]) == []
        assert linted(ten, ignore=["other:misses-creation", "order_too_small:fails", "fails"]) != []

    @pytest.mark.parametrize("ignore", [["order_too_small"], ["a:misses"], "misses-creation"])
    def test_an_unknown_fault_cannot_be_ignored(self, ignore):
        with pytest.raises(InvalidValue, match="no fault is called") as refusal:
            linted(ignore=ignore)
        assert refusal.value.pointer == "/ignore"


class TestAnswers:
    """A rule returns a boolean or violations; other answers are reported with their type."""

    @pytest.mark.parametrize(
        ("answer", "name"),
        [
            ("", "str"),
            ("yes", "str"),
            (0, "int"),
            (1, "int"),
            ({}, "dict"),
            ({"a": 1}, "dict"),
            (frozenset(), "frozenset"),
            (0.0, "float"),
            ([1], "list with a value of the type int in it"),
            ((Violation(message="No."), ""), "tuple with a value of the type str in it"),
        ],
    )
    def test_an_invalid_answer(self, answer, name):
        @closing("odd")
        def odd(total):
            """Odd."""
            return answer if total else False

        assert found(odd) == [
            f"odd: unfit-answer: it answers a value of the type {name}, which is an error of the rule; {MEND}"
        ]

    def test_invalid_answers_are_not_reported_as_never_refuses(self):
        @closing("odd")
        def odd(profile_id):
            """Odd."""
            return profile_id

        assert [text.split(": ")[1] for text in found(odd)] == ["unfit-answer"]

    def test_an_empty_tuple_besides_booleans(self):
        @closing("single")
        def twice(cart_items):
            """Twice."""
            return cart_items and cart_items[0].quantity >= 2

        problem = "it answers an empty tuple at times, which passes, and a boolean at others"
        assert found(twice) == [f"single: unfit-answer: {problem}; {MEND}"]

    def test_an_empty_list_besides_booleans(self):
        @closing("single")
        def twice(cart_items):
            """Twice."""
            return cart_items[0].quantity >= 2 if cart_items else []

        problem = "it answers an empty list at times, which passes, and a boolean at others"
        assert found(twice) == [f"single: unfit-answer: {problem}; {MEND}"]

    def test_valid_answers_are_not_reported(self):
        def no(total, make):
            return [Violation(message="No.")] if total > 5 else make

        @closing("a")
        def listed(total):
            """A."""
            return no(total, [])

        @closing("b")
        def in_a_tuple(coupon_codes):
            """B."""
            return tuple(Violation(message="No.") for code in coupon_codes)

        @closing("c")
        def one(profile_id):
            """C."""
            return Violation(message="No.") if profile_id else None

        @closing("d")
        def yielded(identifiers):
            """D."""
            for _ in identifiers:
                yield Violation(message="No.")

        @closing("e")
        def either(referral_code):
            """E."""
            return [Violation(message="No.")] if referral_code else True

        assert found(listed, in_a_tuple, one, yielded, either) == []

    def test_the_code_of_another_rule_is_a_failure(self):
        @closing("mine")
        def mine(total):
            """Mine."""
            return [Violation(code="yours", message="No.")]

        assert found(mine) == [
            "mine: fails: it raises ValueError: the rule mine answered with the code of another, yours"
        ]


class TestCalls:
    """Rules are called as the machine calls them, whatever the kind of their parameters."""

    def test_keyword_arguments_and_defaults(self):
        @rule("no_code", on=["close"])
        def some(*, coupon_codes, profile_id="nobody", least=1):
            """Some."""
            return len(coupon_codes) >= least or profile_id == "nobody"

        assert [text.split(": ")[:2] for text in found(some)] == [["no_code", "misses-creation"]]


class TestPurity:
    """A rule is called twice, its arguments are compared, and its calls are profiled."""

    @pytest.mark.parametrize(
        ("ask", "name"),
        [
            (lambda: datetime.now().year, "datetime.now()"),
            (lambda: datetime.today().year, "datetime.today()"),
            (lambda: date.today().year, "date.today()"),
            (time.time, "time.time()"),
            (time.monotonic, "time.monotonic()"),
        ],
    )
    def test_a_rule_that_reads_a_clock(self, ask, name):
        @closing("late")
        def early(cart_items):
            """Early."""
            return bool(cart_items) and ask() > 0

        assert found(early) == [f"late: depends-on-time: it calls {name}; use the parameter now"]

    def test_a_rule_with_now_reads_no_clock(self):
        @closing("late")
        def early(now):
            """Early."""
            return now < END

        assert found(early, tries=400) == []

    def test_calls_by_logging_are_ignored(self):
        @closing("logged")
        def logged(cart_items):
            """Logged."""
            logging.getLogger("session_fsm.test").warning("judged")
            time.strptime("2026", "%Y")
            return bool(cart_items)

        logging.getLogger("session_fsm.test").propagate = False
        logging.getLogger("session_fsm.test").addHandler(logging.NullHandler())
        assert found(logged) == []

    @pytest.mark.parametrize(("ask", "name"), [(random.random, "random"), (lambda: os.urandom(1), "urandom")])
    def test_a_rule_that_reads_a_random_source(self, ask, name):
        @closing("unlucky")
        def lucky(cart_items):
            """Lucky."""
            return bool(ask()) and bool(cart_items)

        assert found(lucky) == [f"unlucky: depends-on-chance: it calls {name}(), which is random"]

    @pytest.mark.parametrize("collecting", [True, False])
    def test_calls_by_finalizers_are_ignored(self, collecting):
        def tick(*_):
            time.perf_counter()

        @closing("wasteful")
        def wasteful(cart_items):
            """Wasteful."""
            for _ in range(2000):
                cycle = []
                cycle.append(cycle)
            return bool(cart_items)

        gc.callbacks.append(tick)
        (gc.enable if collecting else gc.disable)()
        try:
            assert found(wasteful) == []
            assert gc.isenabled() is collecting
        finally:
            gc.callbacks.remove(tick)
            gc.enable()

    def test_impurity_of_call(self):
        late, unlucky = Impurity.DEPENDS_ON_TIME, Impurity.DEPENDS_ON_CHANCE
        assert impurity_of_call(datetime.now, "shop") == (
            late,
            "it calls datetime.now(); use the parameter now",
        )
        assert impurity_of_call(time.time, "shop") == (late, "it calls time.time(); use the parameter now")
        assert impurity_of_call(random.random, "shop") == (unlucky, "it calls random(), which is random")
        assert impurity_of_call(os.urandom, "uuid") == (unlucky, "it calls urandom(), which is random")
        for function in (len, time.sleep, datetime.fromisoformat, END.isoformat):
            assert impurity_of_call(function, "shop") is None
        assert impurity_of_call(time.time, "logging.handlers") is None

    def test_a_rule_whose_answer_changes(self):
        calls = []

        @closing("fickle")
        def fickle(cart_items):
            """Fickle."""
            calls.append(1)
            if len(calls) % 2:
                yield Violation(message="Odd.")

        assert "fickle: depends-on-chance: it answered Odd., and then, for the same arguments, that it passes" in found(
            fickle
        )

        @closing("failing_at_times")
        def failing(cart_items):
            """Failing."""
            calls.append(1)
            if len(calls) % 2:
                raise KeyError("x")

        assert any("it answered KeyError: 'x', and then" in text or "KeyError" in text for text in found(failing))

    def test_a_rule_that_changes_its_arguments(self):
        @rule("greedy", on=["close"])
        def greedy(session, change):
            """Greedy."""
            object.__setattr__(session, "referral_code", "MINE")
            return bool(session.cart_items)

        assert "greedy: changes-its-input: it changes session" in found(greedy)

    def test_a_rule_that_changes_an_item_in_the_middle_of_a_long_cart(self):
        @rule("renames", on=["close"])
        def renames(cart_items):
            """Items have names."""
            if len(cart_items) > 100:
                object.__setattr__(cart_items[len(cart_items) // 2], "name", "Unnamed")
            return True

        assert "renames: changes-its-input: it changes cart_items" in found(renames)


def test_findings_do_not_depend_on_the_hash_seed():
    text = "from session_fsm.testing.analysis.lint import lint\nfrom diagram_cases import ShopSession\nfrom session_fsm import rule\n"
    text += "class S(ShopSession):\n    rules = (*ShopSession.rules, rule('x', on=['close'])(len_))\n"
    text = (
        "def len_(cart_items):\n    'x'\n    return len(cart_items) >= 0\n"
        + text
        + "print(*lint(S, tries=60), sep='\\n')"
    )
    path = os.pathsep.join(sys.path)
    outputs = {
        subprocess.run(
            [sys.executable, "-c", text],
            env=environment(PYTHONHASHSEED=seed, PYTHONPATH=path),
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert b"x: never-refuses" in outputs.pop()


def test_a_mutant_can_be_linted():
    (mutant,) = [mutant for mutant in mutants(CustomerSession) if mutant.id == "delete-row:T-09"]
    assert Finding(Fault.DEAD_END, "partially_returned", "nothing leads out, and it is not final") in lint(
        mutant.twin(), tries=1
    )
