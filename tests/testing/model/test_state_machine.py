"""Tests of `SessionMachine`: it runs as a test class, passes correct classes, and finds the bug of others."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from builders import CREATED, PlainSession, SlottedSession, TenantSession
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import session_fsm
from session_fsm import CartItem as Item
from session_fsm import CustomerSession, EventName, InvalidValue, SessionUpdate, State, wire
from session_fsm import ReturnedCartItem as Back
from session_fsm.entities import assign
from session_fsm.lifecycle import TABLE
from session_fsm.machine import LifecycleMachine
from session_fsm.rules import (
    BUILT_IN,
    additional_costs_are_declared,
    attributes_are_declared,
    coupon_code_required,
    identifier_required,
    prices_are_known,
    referral_code_required,
)
from session_fsm.testing import SessionMachine
from session_fsm.testing.model.reference import Reference
from session_fsm.testing.strategies.values import carts

QUICK = settings(SessionMachine.settings, database=None, max_examples=25)
SEARCHING = settings(QUICK, max_examples=500, derandomize=True, phases=[Phase.generate])
"""Every bug is found within 100 examples with any seed; the drawn examples depend on the imported modules."""


class Demanding(CustomerSession):
    rules = (
        *BUILT_IN,
        *(coupon_code_required, referral_code_required, identifier_required),
        *(attributes_are_declared(), additional_costs_are_declared(), prices_are_known()),
    )


class TestDemandingSession(SessionMachine):
    kind = Demanding
    settings = QUICK


class TestTenantSession(SessionMachine):
    kind = TenantSession
    own = {"tenant": "acme", "first_session": False, "id": 7}
    settings = QUICK


class TestPlainSession(SessionMachine):
    kind = PlainSession
    settings = QUICK


class TestSlottedSession(SessionMachine):
    kind = SlottedSession
    settings = QUICK


@session_fsm.rule("final", on=["cancel", "return_items", "reopen"])
def order_is_final(session: Any) -> bool:
    """An order is final."""
    return session.state == "open"


class Final(CustomerSession):
    rules = (*BUILT_IN, order_is_final)


class TestSessionWithoutExits(SessionMachine):
    kind = Final
    settings = QUICK


class TestTheClass:
    """A machine without a class would test `CustomerSession`, and pass."""

    def test_a_machine_without_a_class_fails_and_says_what_it_needs(self) -> None:
        class TestShop(SessionMachine):
            pass

        for machine in (TestShop, TestShop.TestCase):
            with pytest.raises(AssertionError, match=r"^TestShop needs kind = YourSession$"):
                machine().test_it_lives_as_the_reference_does()

    def test_the_class_may_come_from_a_base(self) -> None:
        class Common:
            kind = CustomerSession
            settings = settings(QUICK, max_examples=1)

        class TestShop(Common, SessionMachine):
            pass

        TestShop().test_it_lives_as_the_reference_does()


class TestOwnRulesAndInvariants:
    def test_own_rules_and_invariants_run(self) -> None:
        seen: set[str] = set()

        class Own(SessionMachine):
            kind = CustomerSession
            settings = QUICK

            @rule(code=st.sampled_from(["XMAS", "NEW"]))
            def redeem(self, code: str) -> None:
                event = self.pull("update", SessionUpdate(coupon_codes=[code]))
                seen.add("moved" if event else "refused")

            @rule()
            def close_by_request(self) -> None:
                self.put(SessionUpdate(state="closed"))

            @invariant()
            def it_is_looked_at(self) -> None:
                seen.add(self.session.state)

        Own().test_it_lives_as_the_reference_does()
        assert seen == {"moved", "refused", *State}

    def test_a_broken_invariant_is_a_failure_with_its_steps(self) -> None:
        class Own(SessionMachine):
            kind = CustomerSession
            settings = settings(QUICK, derandomize=True)

            @invariant()
            def nothing_is_ever_cancelled(self) -> None:
                assert self.session.state != "cancelled", "it is cancelled"

        with pytest.raises(AssertionError, match="it is cancelled") as failure:
            Own().test_it_lives_as_the_reference_does()
        notes = "\n".join(failure.value.__notes__)
        assert "state = Own()" in notes
        assert "session.cancel()" in notes or "session.put(SessionUpdate(" in notes

    def test_changes_can_be_given(self) -> None:
        class Priced(SessionMachine):
            kind = Demanding
            settings = QUICK
            changes = carts().map(lambda items: SessionUpdate(coupon_codes=["A"], cart_items=items))

            @invariant()
            def nothing_else_is_given(self) -> None:
                assert not self.session.attributes

        Priced().test_it_lives_as_the_reference_does()

    def test_it_is_a_state_machine_of_hypothesis(self) -> None:
        machine = TestPlainSession.machine()
        assert issubclass(machine, RuleBasedStateMachine)
        assert (machine.__name__, machine.__module__) == ("TestPlainSession", __name__)


def test_pytest_collects_a_subclass(tmp_path: Path) -> None:
    """A correct class passes and a broken one fails."""
    tmp_path.joinpath("test_shop.py").write_text(
        """
from hypothesis import Phase, settings
from session_fsm import CustomerSession
from session_fsm.testing import SessionMachine

class TestShop(SessionMachine):
    kind = CustomerSession

class Careless(CustomerSession):
    rules = ()

class TestCareless(SessionMachine):
    kind = Careless

SessionMachine.settings = settings(
    SessionMachine.settings, max_examples=30, database=None, derandomize=True, phases=[Phase.generate]
)
"""
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(session_fsm.__file__).parents[1]), "PYTHONWARNINGS": "error"},
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 failed, 1 passed" in run.stdout
    assert "FAILED test_shop.py::TestCareless::test_it_lives_as_the_reference_does" in run.stdout


# --- Classes with one bug ----------------------------------------------------------------------------------------------------


def with_table(change: Callable[[Any], Any]) -> type[CustomerSession]:
    """Return a class with a modified table: *change* returns the new row, or None to drop it."""

    class Retargeted(CustomerSession):
        pass

    table = [row for row in map(change, TABLE) if row is not None]
    type.__setattr__(Retargeted, "machine", LifecycleMachine(BUILT_IN, table, "Retargeted"))  # bypasses the metaclass
    return Retargeted


def changed(identifier: str, **values: Any) -> type[CustomerSession]:
    return with_table(lambda row: attrs.evolve(row, **values) if row.id == identifier else row)


def without(code: str) -> type[CustomerSession]:
    return type("Lax", (CustomerSession,), {"rules": tuple(one for one in BUILT_IN if one.code != code)})


class AppliesHalf(CustomerSession):
    def close(self, change: Any = None, /, **changes: Any) -> Any:
        if change is not None and self.state == "open":
            self.update(change, now=changes.get("now"))
        return super().close(now=changes.get("now"))


class AppliesBeforeItRefuses(CustomerSession):
    def reopen(self, *, now: Any = None) -> Any:
        assign(self, {"referral_code": "HALF"})
        return super().reopen(now=now)


class EvaluateChangesTheSession(CustomerSession):
    def evaluate(self, *arguments: Any, **keywords: Any) -> Any:
        decision = super().evaluate(*arguments, **keywords)
        assign(self, {"referral_code": "SEEN"})
        return decision


class EvaluateDiffers(CustomerSession):
    def evaluate(self, trigger: Any, change: Any = None, /, **keywords: Any) -> Any:
        if trigger == "close":
            return super().evaluate(trigger, coupon_codes=["OTHER"], **keywords)
        return super().evaluate(trigger, change, **keywords)


class RefusesAfterAllowing(CustomerSession):
    def cancel(self, *, now: Any = None) -> Any:
        return super().reopen(now=now) if self.state == "closed" else super().cancel(now=now)


class LosesEvents(CustomerSession):
    def update(self, change: Any = None, /, **keywords: Any) -> Any:
        event = super().update(change, **keywords)
        assign(self, {"_pending_events": ()})
        return event


class ReturnsTheWrongEvent(CustomerSession):
    def cancel(self, *, now: Any = None) -> Any:
        return attrs.evolve(super().cancel(now=now), update_count=1)


class KeepsEvents(CustomerSession):
    def take_events(self) -> Any:
        return self.pending_events


class LowersTotals(CustomerSession):
    """M-06: totals stay gross."""

    def return_items(self, entries: Any, /, *, now: Any = None) -> Any:
        event = super().return_items(entries, now=now)
        assign(self, {"total": self.total - 1})
        return event


class SharesItsCopies(CustomerSession):
    def __deepcopy__(self, memo: Any) -> Any:
        return self


class Forgets(CustomerSession):
    """A copy loses the count of updates."""

    def __copy__(self) -> Any:
        copied = super().__reduce_ex__(2)
        made = object.__new__(type(self))
        assign(made, copied[2] | {"update_count": 1})
        return made


class OpensTheBoard(CustomerSession):
    def board(self, *arguments: Any, **keywords: Any) -> Any:
        opened = super().board(*arguments, **keywords)
        assign(self, {"referral_code": "SEEN"})
        return opened


class IgnoresOmittedState(CustomerSession):
    """D-07: an omitted state means an update."""

    def put(self, change: Any = None, /, *, now: Any = None, **changes: Any) -> Any:
        if change is not None and change.state == State.CLOSED:
            return super().close(now=now)
        return super().put(change, now=now, **changes)


class AcceptsAnything(CustomerSession):
    def update(self, change: Any = None, /, **keywords: Any) -> Any:
        try:
            return super().update(change, **keywords)
        except InvalidValue:
            return None


@session_fsm.rule("spoiled", on=["update"])
def session_is_spoiled(session: Any, coupon_codes: Any) -> bool:
    """A rule that changes the session."""
    if coupon_codes:
        assign(session, {"referral_code": "SEEN"})
    return True


@session_fsm.rule("moody", on=["update", "close"])
def mood_is_good(cart_items: Any) -> bool:
    """A rule whose answer changes."""
    MOOD.append(len(cart_items))
    return len(MOOD) % 3 != 0


MOOD: list[int] = []

BROKEN = {
    "a retargeted row": changed("T-08", target=State.CANCELLED),
    "another row retargeted": changed("T-09", target=State.PARTIALLY_RETURNED),
    "a swapped event": changed("T-06", event_name=EventName.CANCELLED),
    "a row that is missing": with_table(lambda row: None if row.id == "T-10" else row),
    "a row too many": with_table(lambda row: attrs.evolve(row, source=State.OPEN) if row.id == "T-08" else row),
    "a change applied by another event": AppliesHalf,
    "a refusal after half the work": AppliesBeforeItRefuses,
    "a dry run that leaves traces": EvaluateChangesTheSession,
    "a dry run of something else": EvaluateDiffers,
    "a verb that does another's work": RefusesAfterAllowing,
    "events that are lost": LosesEvents,
    "an event that is not the one recorded": ReturnsTheWrongEvent,
    "events that stay pending": KeepsEvents,
    "totals that are lowered": LowersTotals,
    "copies that are none": SharesItsCopies,
    "a copy that forgets": Forgets,
    "a board that leaves traces": OpensTheBoard,
    "a put that drops changes": IgnoresOmittedState,
    "values that nobody refuses": AcceptsAnything,
    "a rule that marks the session": type("Marked", (CustomerSession,), {"rules": (*BUILT_IN, session_is_spoiled)}),
    "a rule that answers by its mood": type("Moody", (CustomerSession,), {"rules": (*BUILT_IN, mood_is_good)}),
    **{f"no rule {one.code}": without(one.code) for one in BUILT_IN},
}


@pytest.mark.parametrize("kind", BROKEN.values(), ids=BROKEN.keys())
def test_the_machine_finds_the_fault_of(kind: type[CustomerSession], monkeypatch: pytest.MonkeyPatch) -> None:
    MOOD.clear()
    monkeypatch.setattr(SessionMachine, "settings", SEARCHING)

    class Proof(SessionMachine):
        pass

    Proof.kind = kind
    with pytest.raises((AssertionError, InvalidValue, AttributeError, Flaky)):
        Proof().test_it_lives_as_the_reference_does()


def test_the_machine_finds_fields_that_json_loses() -> None:
    @attrs.define(kw_only=True)
    class Fleeting(CustomerSession):
        seen: str = "never"

        def __attrs_post_init__(self) -> None:
            super().__attrs_post_init__()
            assign(self, {"seen": "never"})

    class Proof(SessionMachine):
        kind = Fleeting
        own = {"seen": "once"}
        settings = SEARCHING

    with pytest.raises(AssertionError, match=r"seen is 'never'; expected 'once'"):
        Proof().test_it_lives_as_the_reference_does()


ENTRIES = {
    "L-03": ([], {("nothing_to_return", "/returnedCartItems")}),
    "L-04 by position": ([Back(position=9)], {("unknown_cart_item", "/returnedCartItems/0/position")}),
    "L-04 by SKU": ([Back(sku="Z")], {("unknown_cart_item", "/returnedCartItems/0/sku")}),
    "L-04 by both": (
        [Back(sku="Z", position=9)],
        {("unknown_cart_item", "/returnedCartItems/0/sku"), ("unknown_cart_item", "/returnedCartItems/0/position")},
    ),
    "L-05": ([Back(position=0, sku="B", quantity=1)], {("sku_position_mismatch", "/returnedCartItems/0/sku")}),
    "L-06": ([Back(sku="A")], {("ambiguous_sku", "/returnedCartItems/0/sku")}),
    "L-07": ([Back(position=0, quantity=4)], {("returns_more_than_remaining", "/returnedCartItems/0/quantity")}),
    "L-07 added up": (
        [Back(sku="B"), Back(position=2, quantity=1)],
        {("returns_more_than_remaining", "/returnedCartItems/1/quantity")},
    ),
    "L-08": ([Back(quantity=1)], {("return_item_unnamed", "/returnedCartItems/0")}),
    "all in order": ([Back(position=0), Back(position=1, sku="A", quantity=2), Back(sku="B")], set()),
}
CARTS = {
    "L-01": ([Item(sku="A", quantity=1)] * 1001, {("too_many_cart_items", "/cartItems")}),
    "L-02": ([Item(sku="A", quantity=10_001)], {("too_many_units", "/cartItems")}),
    "within the limits": ([Item(sku="A", quantity=10)] * 1000, set()),
}


class TestReference:
    """Tests of the reference model itself."""

    @pytest.mark.parametrize(("entries", "faults"), ENTRIES.values(), ids=ENTRIES.keys())
    def test_rules_of_a_return(self, entries: Any, faults: Any) -> None:
        change = SessionUpdate(cart_items=[Item(sku=sku, quantity=3) for sku in "AAB"], state="closed")
        reference = Reference.create("order-1", change, CREATED)
        verdict = reference.judge("return_items", entries)
        assert verdict.faults == faults
        assert verdict.allowed is (not faults)
        session = CustomerSession.create("order-1", change, now=CREATED)
        if verdict.allowed:
            session.return_items(entries, now=CREATED)
            reference.apply(verdict, tuple(entries), CREATED)
            assert reference.differences(session) == []
        else:
            assert {(v.code, v.pointer) for v in session.evaluate("return_items", entries).violations} == faults

    @pytest.mark.parametrize(("items", "faults"), CARTS.values(), ids=CARTS.keys())
    def test_limits_of_a_cart(self, items: Any, faults: Any) -> None:
        change = SessionUpdate(cart_items=items)
        assert Reference.judge_creation(change).faults == faults
        assert Reference.create("order-1", SessionUpdate(), CREATED).judge("close", change).faults == faults
        assert Reference.create("order-1", change, CREATED).judge("update", SessionUpdate()).faults == faults

    def test_an_unnamed_entry_returns_nothing(self) -> None:
        """An entry without position and SKU returns nothing, if a class accepts it."""
        change = SessionUpdate(cart_items=[Item(sku="A", quantity=3)], state="closed")
        reference = Reference.create("order-1", change, CREATED)
        verdict = reference.judge("return_items", [Back(quantity=1)])
        reference.apply(attrs.evolve(verdict, target="partially_returned"), (Back(quantity=1),), CREATED)
        assert [line.returned for line in reference.lines] == [0]

    def test_differences_are_texts(self) -> None:
        session = CustomerSession.create("order-1", cart_items=[Item(sku="A", quantity=2)], state="closed")
        reference = Reference.create("order-1", session.pending_events[0].change, session.created)
        assert reference.differences(session) == []
        session.return_items([Back(position=0, quantity=1)], now=session.created)
        found = "\n".join(reference.differences(session))
        assert "state is <State.PARTIALLY_RETURNED: 'partially_returned'>; expected 'closed'" in found
        assert "of 'A' remain 1 units; expected 2" in found
        assert "update_count is 2; expected 1" in found

    def test_a_cart_of_another_size_is_one_difference(self) -> None:
        session = CustomerSession.create("order-1")
        change = SessionUpdate(cart_items=[Item(sku="A", quantity=2)])
        found = Reference.create("order-1", change, session.created).differences(session)
        assert any(text.startswith("cart_items is ()") for text in found)

    def test_a_session_read_from_json_equals_the_reference(self) -> None:
        """Only the events are lost."""
        session = CustomerSession.create("order-1", referral_code="X")
        reference = Reference.create("order-1", session.pending_events[0].change, session.created)
        reference.events = []
        assert reference.differences(wire.loads(wire.dumps(session))) == []
