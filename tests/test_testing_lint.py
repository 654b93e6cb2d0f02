"""What is wrong with a definition: by looking at it, and by running its rules."""

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
from session_fsm.testing.lint import Fault, Finding, lint, lint_definition, states_without_end
from session_fsm.testing.mutants import mutants
from session_fsm.testing.purity import Impurity, told_by

END = datetime(2026, 2, 1, tzinfo=UTC)
TRIES = 100
"""So many suffice for the small rules below."""


def row(source, trigger, target, number="X-1"):
    return Row(number, source, trigger, target, Operation.UPDATE, EventName.UPDATED)


def seen(table=TABLE, rules=()):
    return [(finding.code, finding.place, finding.reason) for finding in lint_definition(table, rules)]


def without(*ids):
    return [row for row in TABLE if row.id not in ids]


class TestTable:
    """What can be seen in a table, even one of which no class can be made."""

    def test_the_table_of_the_library_is_right(self):
        assert seen(TABLE, BUILT_IN) == []

    def test_an_unreachable_state(self):
        assert seen(without("T-07")) == [
            ("unreachable-state", "partially_returned", "no way leads from a creation to a partially returned session")
        ]

    def test_a_state_that_nothing_leads_out_of(self):
        assert (Fault.DEAD_END, "partially_returned", "nothing leads out, and it is not final") in seen(without("T-09"))

    def test_a_state_whose_exits_never_lead_to_an_end(self):
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

    def test_rows_that_both_apply(self):
        table = [*TABLE, row(State.OPEN, Trigger.CLOSE, State.CANCELLED), row(None, Trigger.CREATE, State.OPEN, "X-2")]
        assert seen(table) == [
            ("rival-rows", "X-1", "T-04 applies too, to close of an open session"),
            ("rival-rows", "X-2", "T-01 applies too, to a creation as open"),
        ]

    def test_a_way_out_of_a_final_state(self):
        table = [*TABLE, row(State.CANCELLED, Trigger.REOPEN, State.OPEN)]
        assert seen(table) == [("exit-from-final", "X-1", "it leads out of cancelled, which is final")]


class TestRules:
    """What can be seen in rules without running them."""

    def test_what_is_no_rule(self):
        assert seen(rules=[len]) == [
            ("no-rule", "rules/0", "<built-in function len> is none; make one with the decorator rule")
        ]

    def test_a_rule_without_words(self):
        mute = evolve(coupon_code_required, text=" ")
        assert seen(rules=[mute]) == [
            ("no-text", "coupon_code_required", "no docstring says it in words, so no refusal can")
        ]

    def test_a_code_that_is_used_twice(self):
        assert seen(rules=[coupon_code_required, coupon_code_required]) == [
            ("code-used-twice", "coupon_code_required", "another rule before it has the same code")
        ]

    def test_a_rule_that_guards_nothing_or_names_a_trigger_in_vain(self):
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
    return rule(code, on=["close"])


class TestRunning:
    """What is seen when rules are run."""

    def test_the_rules_of_the_library_are_right(self):
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

    def test_the_class_itself_is_untouched_and_nobody_is_watched_any_longer(self):
        before = (ShopSession.rules, ShopSession.machine, sys.getprofile())
        lint(ShopSession, tries=5)
        assert (ShopSession.rules, ShopSession.machine, sys.getprofile()) == before

    def test_fields_that_the_class_requires_are_given(self):
        assert lint(TenantSession, own={"tenant": "acme"}, tries=5) != []
        with pytest.raises(InvalidValue, match="tenant") as refusal:
            lint(TenantSession)
        assert refusal.value.pointer == "/own"

    def test_a_class_whose_plain_sessions_the_rules_refuse_is_linted_too(self):
        @rule("anonymous", on=["create"])
        def customer_is_known(profile_id):
            """Known."""
            return bool(profile_id)

        assert found(customer_is_known) == []


class TestPurity:
    """A rule is called twice, its arguments are compared, and what it calls is watched."""

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
    def test_a_rule_that_asks_a_clock(self, ask, name):
        @closing("late")
        def early(cart_items):
            """Early."""
            return bool(cart_items) and ask() > 0

        assert found(early) == [f"late: depends-on-time: it calls {name}; let it ask for its parameter now"]

    def test_a_rule_that_is_given_the_time_asks_no_clock(self):
        @closing("late")
        def early(now):
            """Early."""
            return now < END

        assert found(early, tries=400) == []

    def test_what_a_log_asks_does_not_count(self):
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
    def test_a_rule_that_asks_chance(self, ask, name):
        @closing("unlucky")
        def lucky(cart_items):
            """Lucky."""
            return bool(ask()) and bool(cart_items)

        assert found(lucky) == [f"unlucky: depends-on-chance: it calls {name}(), which nobody can foretell"]

    @pytest.mark.parametrize("collecting", [True, False])
    def test_who_is_called_when_garbage_is_collected_does_not_count(self, collecting):
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

    def test_a_call_tells_of_time_or_of_chance_or_of_nothing(self):
        late, unlucky = Impurity.DEPENDS_ON_TIME, Impurity.DEPENDS_ON_CHANCE
        assert told_by(datetime.now, "shop") == (late, "it calls datetime.now(); let it ask for its parameter now")
        assert told_by(time.time, "shop") == (late, "it calls time.time(); let it ask for its parameter now")
        assert told_by(random.random, "shop") == (unlucky, "it calls random(), which nobody can foretell")
        assert told_by(os.urandom, "uuid") == (unlucky, "it calls urandom(), which nobody can foretell")
        for function in (len, time.sleep, datetime.fromisoformat, END.isoformat):
            assert told_by(function, "shop") is None
        assert told_by(time.time, "logging.handlers") is None

    def test_a_rule_that_answers_otherwise_when_it_is_asked_again(self):
        calls = []

        @closing("fickle")
        def fickle(cart_items):
            """Fickle."""
            calls.append(1)
            if len(calls) % 2:
                yield Violation(message="Odd.")

        assert "fickle: depends-on-chance: it answered Odd., and then, asked the same, that it passes" in found(fickle)

        @closing("failing_at_times")
        def failing(cart_items):
            """Failing."""
            calls.append(1)
            if len(calls) % 2:
                raise KeyError("x")

        assert any("it answered KeyError: 'x', and then" in text or "KeyError" in text for text in found(failing))

    def test_a_rule_that_changes_what_it_is_given(self):
        @closing("greedy")
        def greedy(session, change):
            """Greedy."""
            object.__setattr__(session, "referral_code", "MINE")
            return bool(session.cart_items)

        assert "greedy: changes-its-input: it changes session" in found(greedy)


def test_the_findings_are_the_same_under_any_hash_seed():
    text = "from session_fsm.testing.lint import lint\nfrom diagram_cases import ShopSession\nfrom session_fsm import rule\n"
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


def test_a_mutant_may_be_linted():
    (mutant,) = [mutant for mutant in mutants(CustomerSession) if mutant.id == "delete-row:T-09"]
    assert Finding(Fault.DEAD_END, "partially_returned", "nothing leads out, and it is not final") in lint(
        mutant.twin(), tries=1
    )
