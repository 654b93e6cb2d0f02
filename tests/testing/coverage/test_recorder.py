"""Tests of the recorder: hooks, counts by row, rule and class, JSON."""

import gc
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from builders import EveryRuleSession, add_callback, cart, fresh, session_in

from session_fsm import CustomerSession, InvalidValue, RuleViolated, SessionFSMError, WireError, WrongState, rule
from session_fsm.decisions import Outcome
from session_fsm.machine import LifecycleEvent, LifecycleMachine
from session_fsm.rules import coupon_code_required
from session_fsm.testing import Recorder, recording, unrecorded, witness

HOOKED = [
    (LifecycleEvent, "fire"),
    (LifecycleEvent, "trigger"),
    (LifecycleEvent, "decide"),
    (LifecycleMachine, "create"),
]


def methods() -> list[Any]:
    return [vars(owner)[name] for owner, name in HOOKED]


@rule("never_on_sunday", on=["close"])
def it_is_no_sunday(now: Any) -> bool:
    """Nothing is sold on a Sunday."""
    return bool(now.weekday() != 6)


class Shop(CustomerSession):
    rules = (*CustomerSession.rules, coupon_code_required, it_is_no_sunday)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as running:
        yield running


class TestHooks:
    """Without a running recorder the original methods are in place."""

    def test_the_methods_are_replaced_only_while_a_recorder_runs(self) -> None:
        """Runs in a new process, because this one may be recorded."""
        code = (
            "from session_fsm.machine import LifecycleEvent, LifecycleMachine\n"
            f"hooked = [{', '.join(f'({owner.__name__}, {name!r})' for owner, name in HOOKED)}]\n"
            "methods = lambda: [vars(owner)[name] for owner, name in hooked]\n"
            "before = methods()\n"
            "from session_fsm.testing import recording\n"
            "import session_fsm.testing.plugin\n"
            "assert all(map(lambda one, other: one is other, before, methods()))\n"
            "with recording(), recording():\n"
            "    assert not any(map(lambda one, other: one is other, before, methods()))\n"
            "assert all(map(lambda one, other: one is other, before, methods()))\n"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, "")

    def test_an_exception_ends_the_recording(self) -> None:
        before = methods()
        with pytest.raises(KeyboardInterrupt), recording() as recorder:
            raise KeyboardInterrupt
        assert not recorder.runs
        assert all(one is other for one, other in zip(before, methods(), strict=True))

    def test_recorders_can_stop_in_any_order(self) -> None:
        before = methods()
        first, second = Recorder(), Recorder()
        first.start()
        CustomerSession.create("x")
        second.start()
        CustomerSession.create("x")
        first.stop()
        CustomerSession.create("x")
        second.stop()
        CustomerSession.create("x")
        assert [one.of(CustomerSession).rows["T-01"] for one in (first, second)] == [2, 2]
        assert all(one is other for one, other in zip(before, methods(), strict=True))

    def test_a_recorder_can_be_restarted_but_not_started_twice(self) -> None:
        recorder = Recorder()
        for _ in range(2):
            recorder.start()
            with pytest.raises(SessionFSMError, match="runs already"):
                recorder.start()
            CustomerSession.create("x")
            recorder.stop()
            recorder.stop()
        assert recorder.of(CustomerSession).rows["T-01"] == 2


class TestRows:
    """A row is counted when it fires."""

    def test_every_row_has_its_own_count(self, recorder: Recorder) -> None:
        for state, triggers in {
            "open": ["update", "close", "cancel"],
            "closed": ["cancel", "reopen"],
            "partially_returned": ["cancel"],
        }.items():
            for trigger in triggers:
                getattr(session_in(state), trigger)()
        recorder.stop()
        rows = recorder.of(CustomerSession).rows
        assert rows == {
            "T-01": 6,
            "T-02": 0,
            "T-03": 1,
            "T-04": 1 + 3,
            "T-05": 1,
            "T-06": 1,
            "T-07": 1,
            "T-08": 1,
            "T-09": 1,
            "T-10": 0,
        }

    def test_a_put_counts_for_the_row_that_it_fires(self, recorder: Recorder) -> None:
        CustomerSession.create("x", state="closed").put(state="cancelled")
        rows = recorder.of(CustomerSession).rows
        assert (rows["T-02"], rows["T-06"]) == (1, 1)

    def test_a_transition_with_callbacks_counts_once(self, recorder: Recorder) -> None:
        kind = fresh()
        add_callback(kind, "before_state_change", lambda _: None)
        kind.create("x").close()
        assert recorder.of(kind).rows["T-04"] == 1

    def test_a_transition_that_a_callback_aborts_is_not_counted(self, recorder: Recorder) -> None:
        kind = fresh()
        add_callback(kind, "after_state_change", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            kind.create("x").close()
        coverage = recorder.of(kind)
        assert (coverage.rows["T-01"], coverage.rows["T-04"]) == (1, 0)

    def test_the_machines_own_triggers_count(self, recorder: Recorder) -> None:
        kind = fresh()
        session = kind.create("x")
        assert kind.machine.events["close"].trigger(session)
        with pytest.raises(WrongState):
            kind.machine.events["close"].trigger(session)
        kind.machine.ignore_invalid_triggers = True
        assert not kind.machine.events["close"].trigger(session)
        coverage = recorder.of(kind)
        assert coverage.rows["T-04"] == 1
        assert coverage.refusals["closed", "close"] == 1

    def test_a_trigger_fired_by_a_callback_counts_for_its_own_session(self, recorder: Recorder) -> None:
        other = CustomerSession.create("other", state="closed")
        kind = fresh()
        add_callback(kind, "before_state_change", lambda _: other.close())
        with pytest.raises(WrongState):
            kind.create("x").close()
        assert recorder.of(kind).refusals["closed", "close"] == 0
        assert recorder.of(CustomerSession, including_subclasses=False).refusals["closed", "close"] == 1


class TestRules:
    """Both outcomes of every rule, and those that failed, apart."""

    def test_what_took_place_passed_every_rule_that_guards_it(self, recorder: Recorder) -> None:
        CustomerSession.create("x").update(cart_items=cart(1))
        rules = recorder.of(CustomerSession).rules
        assert rules["too_many_units"] == {Outcome.PASSED: 2, Outcome.VIOLATED: 0, Outcome.ERRORED: 0}
        assert rules["state_not_creatable"][Outcome.PASSED] == 1
        assert rules["nothing_to_return"][Outcome.PASSED] == 0

    def test_a_refusal_counts_every_rule_with_its_outcome(self, recorder: Recorder) -> None:
        with pytest.raises(RuleViolated):
            CustomerSession.create("x", cart_items=cart(10_001))
        coverage = recorder.of(CustomerSession)
        assert coverage.rules["too_many_units"] == {Outcome.PASSED: 0, Outcome.VIOLATED: 1, Outcome.ERRORED: 0}
        assert coverage.rules["too_many_cart_items"][Outcome.PASSED] == 1
        assert coverage.rows["T-01"] == 0

    def test_a_rule_that_fails_was_neither_passed_nor_violated(self, recorder: Recorder) -> None:
        @rule("broken", on=["close"])
        def broken(total: Any) -> bool:
            """It is broken."""
            return bool(total / 0)

        kind = fresh(rules=(broken,))
        with pytest.raises(RuleViolated):
            kind.create("x").close()
        assert recorder.of(kind).rules["broken"] == {Outcome.PASSED: 0, Outcome.VIOLATED: 0, Outcome.ERRORED: 1}

    def test_a_dry_run_counts_for_rules_and_refusals_but_for_no_row(self, recorder: Recorder) -> None:
        session = Shop.create("x")
        assert not session.evaluate("close")
        assert session.evaluate("close", coupon_codes=["XMAS"])
        assert not session.evaluate("reopen")
        coverage = recorder.of(Shop)
        assert coverage.rules["coupon_code_required"] == {Outcome.PASSED: 1, Outcome.VIOLATED: 1, Outcome.ERRORED: 0}
        assert coverage.refusals["open", "reopen"] == 1
        assert coverage.rows["T-04"] == 0

    def test_a_refused_creation_is_no_missing_transition(self, recorder: Recorder) -> None:
        with pytest.raises(WrongState):
            fresh(rules=()).create("x", state="cancelled")
        assert not any(recorder.of(CustomerSession).refusals.values())

    def test_an_invalid_value_is_not_counted(self, recorder: Recorder) -> None:
        with pytest.raises(InvalidValue):
            CustomerSession.create("")
        assert not any(recorder.of(CustomerSession).counts.values())


class TestClasses:
    """Counts are kept for each class; a report can add those of subclasses."""

    def test_a_subclass_counts_for_inherited_rows_and_rules(self, recorder: Recorder) -> None:
        with pytest.raises(RuleViolated):
            Shop.create("x").close()
        base = recorder.of(CustomerSession)
        assert base.rows["T-01"] == 1
        assert base.rules["too_many_units"][Outcome.PASSED] == 2
        assert "coupon_code_required" not in base.rules
        alone = recorder.of(CustomerSession, including_subclasses=False)
        assert not any(alone.counts.values())
        assert recorder.of(Shop, including_subclasses=False).rules["coupon_code_required"][Outcome.VIOLATED] == 1

    def test_base_class_and_sibling_are_not_counted(self, recorder: Recorder) -> None:
        CustomerSession.create("x")
        fresh(rules=Shop.rules).create("x")
        assert not any(recorder.of(Shop).counts.values())

    def test_another_rule_with_the_same_code_is_another_rule(self, recorder: Recorder) -> None:
        @rule("too_many_units", on=["create"])
        def units_are_few(cart_items: Any) -> bool:
            """At most one."""
            return len(cart_items) < 2

        fresh(rules=(units_are_few,)).create("x")
        coverage = recorder.of(CustomerSession)
        assert coverage.rows["T-01"] == 1
        assert coverage.rules["too_many_units"][Outcome.PASSED] == 0

    def test_a_rule_without_a_named_function_is_counted_too(self, recorder: Recorder) -> None:
        class Always:
            """It always passes."""

            def __call__(self, total: Any) -> bool:
                return True

        kind = fresh(rules=(rule("always", on=["create"])(Always()),))
        kind.create("x")
        assert recorder.of(kind).rules["always"][Outcome.PASSED] == 1

    def test_only_the_given_classes_are_counted(self) -> None:
        with recording(Shop) as recorder:
            CustomerSession.create("x")
            assert not CustomerSession.create("x").evaluate("reopen")
            type("Corner", (Shop,), {}).create("x")
        assert recorder.of(CustomerSession).rows["T-01"] == 1
        assert not any(recorder.of(CustomerSession).refusals.values())
        assert recorder.of(Shop).rows["T-01"] == 1

    def test_classes_are_not_kept_alive(self, recorder: Recorder) -> None:
        kind = fresh()
        kind.create("x")
        gone = weakref.ref(kind)
        del kind
        gc.collect()
        assert gone() is None
        assert recorder.of(CustomerSession).rows["T-01"] == 1


class TestUnrecorded:
    """Nothing is counted inside `unrecorded`."""

    def test_unrecorded_sessions_are_not_counted(self, recorder: Recorder) -> None:
        with unrecorded():
            assert not CustomerSession.create("x").evaluate("reopen")
        CustomerSession.create("x")
        assert recorder.of(CustomerSession).rows["T-01"] == 1
        assert recorder.of(CustomerSession).refusals["open", "reopen"] == 0

    def test_the_decorator_applies_to_its_own_thread_only(self, recorder: Recorder) -> None:
        @unrecorded()
        def search() -> None:
            CustomerSession.create("x")
            thread = threading.Thread(target=CustomerSession.create, args=("x",))
            thread.start()
            thread.join()

        search()
        search()
        assert recorder.of(CustomerSession).rows["T-01"] == 2

    def test_an_exception_ends_the_suspension(self, recorder: Recorder) -> None:
        with pytest.raises(ZeroDivisionError), unrecorded():
            raise ZeroDivisionError
        CustomerSession.create("x")
        assert recorder.of(CustomerSession).rows["T-01"] == 1

    def test_a_search_is_not_recorded(self, recorder: Recorder) -> None:
        assert witness(Shop, "coupon_code_required", "violated").decision.violations
        assert recorder.of(Shop).gaps
        assert not any(recorder.of(Shop).counts.values())


def test_every_thread_is_counted(recorder: Recorder) -> None:
    def work() -> None:
        session = CustomerSession.create("x")
        for _ in range(200):
            session.update()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    coverage = recorder.of(CustomerSession)
    assert (coverage.rows["T-01"], coverage.rows["T-03"]) == (8, 1600)
    assert coverage.rules["too_many_units"][Outcome.PASSED] == 1608


class TestJSON:
    """Counts are written as JSON, read and added."""

    @staticmethod
    def recorded() -> Recorder:
        with recording() as recorder:
            session = Shop.create("x")
            session.update()
            assert not session.evaluate("close")
            assert not session.evaluate("reopen")
            EveryRuleSession.create("x")
        return recorder

    def test_a_recording_survives_a_round_trip(self) -> None:
        recorder = self.recorded()
        text = recorder.to_json()
        read = Recorder.from_json(text)
        assert not read.runs
        assert read.to_json() == text == recorder.to_json()
        for kind in (CustomerSession, Shop, EveryRuleSession):
            assert read.of(kind) == recorder.of(kind)
        assert Recorder.from_json(text.encode()).of(Shop).rows["T-03"] == 1

    def test_recorders_can_be_added(self) -> None:
        one, other = self.recorded(), self.recorded()
        total = one + Recorder.from_json(other.to_json())
        assert total.of(Shop).rows["T-03"] == 2
        assert total.of(Shop).rules["coupon_code_required"][Outcome.VIOLATED] == 2
        assert total.of(Shop).refusals["open", "reopen"] == 2
        assert one.of(Shop).rows["T-03"] == 1
        assert (Recorder() + one).to_json() == one.to_json()
        with pytest.raises(TypeError):
            one + 1  # the wrong type on purpose

    def test_the_repr_shows_the_counts(self) -> None:
        assert repr(self.recorded()) == "<Recorder: 3 transitions of 2 classes>"

    def test_the_document_has_the_documented_format(self) -> None:
        with recording() as recorder:
            assert not Shop.create("x").evaluate("reopen")
        document = json.loads(recorder.to_json())
        assert (document["format"], document["version"]) == ("session-fsm recording", 1)
        (shop,) = document["classes"]
        assert shop["class"] == f"{__name__}:Shop"
        assert shop["bases"] == ["session_fsm.session:CustomerSession"]
        assert shop["rows"] == [{"source": None, "trigger": "create", "target": "open", "count": 1}]
        assert shop["refused"] == [{"state": "open", "trigger": "reopen", "count": 1}]
        assert shop["rules"][0] == {
            "code": "state_not_creatable",
            "function": "session_fsm.rules.built_in:new_session_is_open_or_closed",
            "passed": 1,
            "violated": 0,
            "errored": 0,
        }

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"format": None}, "/format: this is no session-fsm recording"),
            ({"version": 2}, "/version: 2 is not 1, the supported version"),
            ({"classes": None}, "/classes: null is not a list"),
            ({"classes": [5]}, "/classes/0: a number is not an object"),
            ({"classes": [{}]}, "/classes/0/bases: null is not a list"),
            ({"classes": [{"bases": [1]}]}, "/classes/0/bases/0: a number is not text"),
            ({"classes": [{"bases": []}]}, "/classes/0/class: null is not text"),
            ({"rows": [{"source": 5}]}, "/classes/0/rows/0/source: a number is not text"),
            ({"rows": [{"trigger": "close"}]}, "/classes/0/rows/0/target: null is not text"),
            ({"refused": [{"state": "open", "trigger": "x", "count": -1}]}, "/classes/0/refused/0/count: -1 is not a "),
            ({"refused": [{"state": "open", "trigger": "x", "count": True}]}, "/refused/0/count: true is not a count"),
            ({"refused": [{"state": "open", "trigger": "x", "count": 0.5}]}, '/refused/0/count: "0.5" is not a count'),
            (
                {"rules": [{"code": "x", "function": "y", "passed": 1}]},
                "/classes/0/rules/0/violated: null is not a count",
            ),
        ],
    )
    def test_an_invalid_recording_is_refused_with_a_pointer(self, change: dict[str, Any], problem: str) -> None:
        document: dict[str, Any] = {"format": "session-fsm recording", "version": 1, "classes": []}
        if change.keys() <= document.keys():
            document |= change
        else:
            document["classes"] = [{"class": "a:B", "bases": [], "rows": [], "refused": [], "rules": []} | change]
        with pytest.raises(WireError) as error:
            Recorder.from_json(json.dumps(document))
        assert problem in str(error.value)

    @pytest.mark.parametrize("data", ["", "[]", "{", b"\xff"])
    def test_invalid_json_is_refused(self, data: Any) -> None:
        with pytest.raises(WireError):
            Recorder.from_json(data)


def test_the_counts_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from session_fsm import CustomerSession\n"
        "from session_fsm.testing import recording\n"
        "with recording() as recorder:\n"
        "    session = CustomerSession.create('x', state='closed')\n"
        "    session.board(), session.reopen(), session.board(), session.cancel()\n"
        "print(recorder.to_json())\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(texts) == 1
