"""Tests of scenarios: given, when, then, refused, unchanged, and their failure reports."""

import copy
from decimal import Decimal
from typing import Any

import attrs
import pytest
from builders import CREATED, LATER, ONE_UNIT, TenantSession, cart, session_in, snapshot

from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    ReturnedCartItem,
    SessionUpdate,
    State,
    TransitionRefused,
    Trigger,
    WireError,
    rule,
    wire,
)
from session_fsm.rules import coupon_code_required
from session_fsm.testing import Scenario, Step, Story, given


@rule("minimum_order_missed", on=[Trigger.CLOSE])
def order_is_worth_ten(total: Decimal) -> bool:
    """An order must be worth at least 10."""
    return total >= 10


class Shop(CustomerSession):
    rules = (*CustomerSession.rules, coupon_code_required, order_is_worth_ten)


def small_cart() -> Shop:
    return Shop.create("order-1", cart_items=[CartItem(sku="A", quantity=2, price="1.99")], now=CREATED)


def failure(do: Any) -> str:
    with pytest.raises(AssertionError) as error:
        do()
    return str(error.value)


class TestGiven:
    def test_a_session_is_never_changed(self) -> None:
        session = session_in("open")
        before = snapshot(session)
        given(session).when("close").then(state="closed").when("cancel").then(state="cancelled")
        assert snapshot(session) == before

    def test_a_class_is_created_by_when_create(self) -> None:
        scenario = given(Shop).when("create", cart_items=cart(2), now=CREATED)
        scenario.then(state="open", integration_id="order-1", event="talon_session_created", created=CREATED)
        assert type(scenario.session) is Shop

    def test_a_creation_takes_what_create_takes(self) -> None:
        given(CustomerSession).when("create", "order-9", SessionUpdate(coupon_codes=["X"]), state="closed", id=3).then(
            integration_id="order-9", coupon_codes=["X"], state=State.CLOSED, id=3
        )

    def test_own_fields_can_be_given_once(self) -> None:
        start = given(TenantSession, own={"tenant": "acme"})
        start.when("create").then(tenant="acme", note="none")
        start.when("create", tenant="other").then(tenant="other")
        given(Story.of(Step("create"), own={"note": "kept"}), kind=TenantSession, own={"tenant": "acme"}).then(
            tenant="acme", note="kept"
        )

    def test_a_story_is_played(self) -> None:
        story = Story.of(Step("create"), Step("close"), Step("reopen"))
        scenario = given(story, kind=Shop.__base__)
        scenario.then(state="open", update_count=3)
        assert snapshot(scenario.session) == snapshot(story.play(CustomerSession))

    @pytest.mark.parametrize("state", State)
    def test_events_are_replayed(self, state: State) -> None:
        session = session_in(state)
        scenario = given(session.pending_events)
        assert scenario.session.pending_events == session.pending_events
        scenario.then(state=state, updated=session.updated, total=session.total, integration_id="order-1042")

    def test_events_that_replay_differently_are_a_failure(self) -> None:
        first, second = session_in("closed").pending_events
        text = failure(lambda: given([first, attrs.evolve(second, update_count=7)]))
        assert text.startswith("event 1 led to another when it was replayed\n")
        assert "update_count=7" in text

    def test_a_refused_story_or_event_is_a_failure_with_the_reason(self) -> None:
        text = failure(lambda: given(Story.of(Step("create"), Step("close")), kind=Shop))
        assert text.startswith("close: was refused, though it should have been allowed")
        assert "minimum_order_missed" in text
        events = session_in("closed", coupon_codes=[]).pending_events
        assert "refused: coupon_code_required" in failure(lambda: given(events, kind=Shop))

    @pytest.mark.parametrize("nothing", [None, [], ["close"], "close", int])
    def test_anything_else_is_refused(self, nothing: Any) -> None:
        with pytest.raises(InvalidValue, match="is no session, session class, story or list of events"):
            given(nothing)


class TestWhen:
    def test_several_scenarios_can_continue_from_one(self) -> None:
        order = given(session_in("closed")).then()
        order.when("cancel").then(state="cancelled", event="talon_session_revoked")
        order.when("reopen").then(state="open").when("close").then(state="closed")
        order.when("return_items", ONE_UNIT).then(state="partially_returned")
        order.then(state="closed")

    def test_verbs_can_be_chained(self) -> None:
        given(session_in("closed")).when("reopen").when("update", referral_code="").when("cancel").then(
            state="cancelled", referral_code=""
        )

    def test_put_is_a_verb(self) -> None:
        given(session_in("open")).when("put", SessionUpdate(state="cancelled"), now=LATER).then(
            state="cancelled", updated=LATER
        )

    def test_a_verb_after_a_refusal_is_a_failure(self) -> None:
        text = failure(lambda: given(session_in("open")).when("reopen").when("cancel"))
        assert text.startswith("reopen: was refused, so that nothing can come after it")

    @pytest.mark.parametrize(
        ("start", "verb", "problem"),
        [
            (CustomerSession, "close", "close: there is no session; create one first"),
            (session_in("open"), "create", "create: there is a session already"),
            (session_in("open"), "evaluate", "'evaluate' is none of: create, update, close, cancel"),
        ],
    )
    def test_a_verb_that_cannot_be_called_is_refused(self, start: Any, verb: str, problem: str) -> None:
        with pytest.raises(InvalidValue, match=problem):
            given(start).when(verb)


class TestThen:
    def test_expected_values_are_converted_as_by_the_fields(self) -> None:
        scenario = given(session_in("closed")).when("return_items", ONE_UNIT)
        event = scenario.event
        scenario.then(
            state="partially_returned",
            event=event,
            total="71.12",
            coupon_codes=["XMAS"],
            attributes={"ShippingCity": "Berlin"},
            update_count=3,
        )

    def test_items_of_a_cart_have_their_positions(self) -> None:
        items = cart(1, 2)
        given(session_in("open")).when("update", cart_items=items).then(cart_items=items)
        text = failure(lambda: given(session_in("open")).then(cart_items=items))
        assert '\n  cart_items\n    expected [CartItem(sku="A", quantity=1, price="1.50"), CartItem(' in text

    def test_a_value_that_is_no_item_differs(self) -> None:
        assert "expected [5]" in failure(lambda: given(session_in("open")).then(cart_items=[5]))
        assert "expected 5" in failure(lambda: given(session_in("open")).then(cart_items=5))

    def test_an_unknown_field_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(InvalidValue, match="Shop has no such field; the fields are: event, id, created") as refusal:
            given(small_cart()).then(sum="3.98")
        assert refusal.value.pointer == "/sum"

    def test_without_a_verb_the_given_session_is_compared(self) -> None:
        given(session_in("open")).then(state="open")
        text = failure(lambda: given(session_in("open")).then(state="closed", event="talon_session_closed"))
        assert text.splitlines() == [
            "fields differ:",
            "  state",
            '    expected "closed"',
            '    actual   "open"',
            "  event",
            '    expected "talon_session_closed"',
            "    actual   None",
        ]

    def test_a_failure_shows_the_difference_and_every_rule_with_its_inputs(self) -> None:
        scenario = given(small_cart()).when(
            "close", SessionUpdate(coupon_codes=["XMAS"], cart_items=cart(8)), now=LATER
        )
        assert failure(lambda: scenario.then(total="20", state="closed")).splitlines() == [
            "close: fields differ:",
            "  total",
            '    expected Decimal("20")',
            '    actual   Decimal("12.00")',
            "",
            "given    <Shop 'order-1': open, 1 item, total 3.98>",
            (
                'when     close(SessionUpdate(coupon_codes=["XMAS"], cart_items=[CartItem(sku="A", quantity=8, price="1.50")]),'
                ' now="2026-03-02T12:30:00Z")'
            ),
            "outcome  allowed: open -> closed (talon_session_closed)",
            "rules    passed    too_many_cart_items: A cart must not hold more than 1000 items.",
            '                     cart_items = [CartItem(sku="A", quantity=8, price="1.50")]',
            "         passed    too_many_units: The quantities in a cart must not add up to more than 10,000 units.",
            '                     cart_items = [CartItem(sku="A", quantity=8, price="1.50")]',
            "         passed    coupon_code_required: A session must hold a coupon code by the time it closes.",
            '                     coupon_codes = ["XMAS"]',
            "         passed    minimum_order_missed: An order must be worth at least 10.",
            '                     total = Decimal("12.00")',
        ]

    def test_a_refusal_is_a_failure_that_shows_every_rule(self) -> None:
        scenario = given(small_cart()).when("close", now=LATER)
        with pytest.raises(AssertionError) as error:
            scenario.then(state="closed")
        assert isinstance(error.value.__cause__, TransitionRefused)
        assert str(error.value).splitlines() == [
            "close: was refused, though it should have been allowed",
            "",
            "given    <Shop 'order-1': open, 1 item, total 3.98>",
            'when     close(now="2026-03-02T12:30:00Z")',
            "outcome  refused: coupon_code_required, minimum_order_missed",
            "rules    passed    too_many_cart_items: A cart must not hold more than 1000 items.",
            '                     cart_items = [CartItem(sku="A", quantity=2, price="1.99")]',
            "         passed    too_many_units: The quantities in a cart must not add up to more than 10,000 units.",
            '                     cart_items = [CartItem(sku="A", quantity=2, price="1.99")]',
            "         violated  coupon_code_required: A session must hold a coupon code by the time it closes.",
            "                     coupon_codes = []",
            "                   -> A session must hold a coupon code by the time it closes.",
            "         violated  minimum_order_missed: An order must be worth at least 10.",
            '                     total = Decimal("3.98")',
            "                   -> An order must be worth at least 10.",
        ]

    def test_the_pointer_and_the_details_of_a_violation_are_shown(self) -> None:
        entries = [ReturnedCartItem(position=0, quantity=9)]
        text = failure(lambda: given(session_in("closed")).when("return_items", entries).then())
        assert (
            "-> 9 units of the item at position 0 cannot come back; 3 remain. at /returnedCartItems/0/quantity "
            "{'position': 0, 'requested': 9, 'remaining': 3}"
        ) in text
        assert "session = <CustomerSession 'order-1042': closed, 2 items, total 71.12>" in text

    def test_long_values_are_cut(self) -> None:
        text = failure(lambda: given(Shop).when("create", cart_items=cart(*[1] * 20)).then(state="closed"))
        (line, *_) = [line.strip() for line in text.splitlines() if line.strip().startswith("cart_items = ")]
        assert len(line) == len("cart_items = ") + 90
        assert line.endswith("...")

    @pytest.mark.parametrize(
        ("start", "call", "outcome"),
        [
            (
                session_in("cancelled"),
                ("put", SessionUpdate(state="open")),
                [
                    "outcome  refused: wrong_state",
                    '         wrong_state: Cannot move session to state "open" from state "cancelled"',
                ],
            ),
            (
                session_in("open"),
                ("update", SessionUpdate(state="closed")),
                [
                    "outcome  InvalidValue, before any rule was called",
                    "         /state: update() does not lead to closed; put() obeys a wanted state",
                ],
            ),
        ],
    )
    def test_a_refusal_without_rules_gives_its_reason(self, start: Any, call: Any, outcome: list[str]) -> None:
        verb, *arguments = call
        assert failure(lambda: given(start).when(verb, *arguments).then()).splitlines()[-2:] == outcome

    def test_a_creation_is_shown_with_its_rules(self) -> None:
        text = failure(
            lambda: (
                given(TenantSession)
                .when("create", SessionUpdate(referral_code="X"), state="closed", tenant="acme")
                .then(state="open")
            )
        )
        assert "given    TenantSession\n" in text
        assert 'when     create("order-1", SessionUpdate(referral_code="X"), state="closed", tenant="acme")' in text
        assert "outcome  allowed: new -> closed (talon_session_created)" in text
        assert '  state = "closed"' in text

    def test_a_cancellation_by_put_is_shown_without_ignored_fields(self) -> None:
        @rule("never", on=["cancel"])
        def nothing_is_asked(change: Any) -> bool:
            """Nothing is asked of a cancellation."""
            return change is not None

        class Strict(CustomerSession):
            rules = (*CustomerSession.rules, nothing_is_asked)

        change = SessionUpdate(state="cancelled", referral_code="X")
        text = failure(lambda: given(Strict.create("order-1")).when("put", change).then())
        assert "  change = None\n" in text

    def test_an_overridden_verb_may_have_other_arguments(self) -> None:
        class Shipping(Shop):
            def cancel(self, *, why: str, now: Any = None) -> Any:
                return super().cancel(now=now)

            def update(self, *, code: str) -> Any:
                return super().update(coupon_codes=[code])

        session = Shipping.create("order-1")
        given(session).when("cancel", why="lost").then(state="cancelled")
        text = failure(lambda: given(session).when("update", code="A").then(coupon_codes=["B"]))
        assert 'when     update(code="A")' in text
        assert "too_many_units: The quantities in a cart must not add up" in text

    def test_arguments_that_cannot_be_interpreted_are_left_out(self) -> None:
        class Odd(Shop):
            def update(self, change: int) -> Any:
                return super().update()

        text = failure(lambda: given(Odd.create("order-1")).when("update", 5).then(state="closed"))
        assert "cart_items =" not in text
        assert "passed    too_many_units" in text


class TestRefused:
    def test_without_arguments_any_refusal_passes(self) -> None:
        given(session_in("open")).when("reopen").refused().unchanged()

    def test_all_arguments_must_match_one_violation(self) -> None:
        entries = [ReturnedCartItem(position=7), ReturnedCartItem(position=0, quantity=9)]
        scenario = given(session_in("closed")).when("return_items", entries)
        scenario.refused("unknown_cart_item", pointer="/returnedCartItems/0/position")
        scenario.refused(code="returns_more_than_remaining", details={"requested": 9, "remaining": 3})
        scenario.refused(codes=["returns_more_than_remaining", "unknown_cart_item"], already=False)
        text = failure(lambda: scenario.refused("unknown_cart_item", pointer="/returnedCartItems/1/quantity"))
        assert text.splitlines()[:7] == [
            "return_items: was refused, but not as expected:",
            "  code",
            '    expected "unknown_cart_item"',
            '    actual   ["unknown_cart_item", "returns_more_than_remaining"]',
            "  pointer",
            '    expected "/returnedCartItems/1/quantity"',
            '    actual   ["/returnedCartItems/0/position", "/returnedCartItems/1/quantity"]',
        ]
        assert "details" in failure(lambda: scenario.refused("unknown_cart_item", details={"position": 8}))
        assert "details" in failure(lambda: scenario.refused(details={"unheard": None}))

    def test_codes_must_match_exactly(self) -> None:
        scenario = given(small_cart()).when("close")
        scenario.refused(codes={"coupon_code_required", "minimum_order_missed"})
        text = failure(lambda: scenario.refused(codes=["minimum_order_missed"]))
        assert '    actual   ["coupon_code_required", "minimum_order_missed"]' in text
        assert scenario.decision.violations == scenario.error.violations

    def test_already_is_compared(self) -> None:
        """D-06."""
        closing = given(session_in("closed")).when("close").refused("wrong_state", already=True)
        given(session_in("cancelled")).when("close").refused("wrong_state", already=False)
        assert "  already\n    expected False\n    actual   True" in failure(lambda: closing.refused(already=False))

    def test_an_invalid_value_matches_by_pointer(self) -> None:
        wrong = given(session_in("open")).when("update", coupon_codes=["A", "B" * 101])
        wrong.refused(pointer="/couponCodes/1").unchanged()
        assert wrong.decision is None
        assert isinstance(wrong.error, InvalidValue)
        assert 'actual   ["/couponCodes/1"]' in failure(lambda: wrong.refused(pointer="/couponCodes/0"))
        assert "expected" in failure(lambda: wrong.refused("too_long"))
        given(CustomerSession).when("create", "").refused(pointer="/integrationId")

    def test_an_invalid_document_matches_by_pointer(self) -> None:
        class Reading(CustomerSession):
            def update(self, text: str) -> Any:
                return super().update(wire.loads(text, SessionUpdate))

        scenario = given(Reading.create("order-1")).when("update", '{"cartItems": [{"sku": ""}]}')
        scenario.refused(pointer="/cartItems/0/sku").unchanged()
        assert isinstance(scenario.error, WireError)
        assert "outcome  WireError, before any rule was called\n" in failure(scenario.then)

    def test_an_allowed_verb_is_a_failure(self) -> None:
        text = failure(lambda: given(session_in("open")).when("cancel").refused())
        assert text.startswith("cancel: was allowed, though it should have been refused\n")

    @pytest.mark.parametrize("question", ["refused", "unchanged"])
    def test_assertions_need_a_verb(self, question: str) -> None:
        with pytest.raises(InvalidValue, match="nothing was called"):
            getattr(given(session_in("open")), question)()

    def test_other_errors_propagate(self) -> None:
        with pytest.raises(TypeError):
            given(session_in("open")).when("cancel", coupon_codes=[])


class TestRulesThatRaise:
    """A failure report shows the exception of a rule, which a refusal does not."""

    def test_the_failure_report_shows_the_exception(self) -> None:
        @rule("stock", on=["close"])
        def stock_is_counted() -> bool:
            """The stock must be counted."""
            raise OSError("the stock is down")

        kind = type("Broken", (CustomerSession,), {"rules": (*CustomerSession.rules, stock_is_counted)})
        shown = failure(lambda: given(session_in("open", kind)).when("close").then(state="closed"))
        told = shown.splitlines()
        place = next(n for n, line in enumerate(told) if "The rule stock could not be judged." in line)
        assert told[place + 1].strip() == "raised OSError: the stock is down"


class TestUnchanged:
    def test_changed_fields_are_shown(self) -> None:
        text = failure(lambda: given(session_in("open")).when("update", referral_code="OTHER", now=LATER).unchanged())
        assert text.startswith("update: changed what should be unchanged:\n  referral_code\n")
        assert '    expected "FRIEND"\n    actual   "OTHER"\n' in text
        assert "\n  pending_events\n" in text

    def test_a_verb_that_changes_a_field_and_refuses_is_a_failure(self) -> None:
        class Half(CustomerSession):
            def close(self, *arguments: Any, **changes: Any) -> Any:
                self.update(referral_code="")
                return super().reopen()

        assert "referral_code" in failure(
            lambda: given(session_in("open", cls=Half)).when("close").refused().unchanged()
        )

    def test_a_refused_creation_is_unchanged(self) -> None:
        given(CustomerSession).when("create", state="cancelled").refused("state_not_creatable").unchanged()

    def test_a_creation_is_a_change(self) -> None:
        assert "integration_id" in failure(lambda: given(CustomerSession).when("create").unchanged())


def test_a_scenario_can_be_copied() -> None:
    scenario = given(session_in("open")).when("close")
    assert isinstance(scenario, Scenario)
    assert copy.copy(scenario).event == scenario.event


class TestNothingAsserted:
    """A scenario that nobody looks at would pass whatever the verb does, so it warns."""

    @pytest.mark.parametrize("verb", ["close", "reopen"])
    def test_a_verb_without_an_assertion_warns(self, verb: Any) -> None:
        with pytest.warns(UserWarning, match=f"^nothing was asserted after {verb}; end the scenario with"):
            given(session_in("open")).when(verb)

    def test_refused_without_parentheses_warns(self) -> None:
        with pytest.warns(UserWarning, match="nothing was asserted after close"):
            given(session_in("open")).when("close").refused  # noqa: B018 - the mistake that is tested

    def test_the_warning_has_the_line_of_the_test(self) -> None:
        with pytest.warns(UserWarning, match="nothing was asserted") as warned:
            given(session_in("open")).when("close")
        assert warned[0].filename == __file__

    def test_every_look_at_the_result_counts(self) -> None:
        cart = session_in("open")
        assert given(cart).when("close").event
        assert given(cart).when("close").session
        assert given(cart).when("reopen").error
        assert given(cart).when("reopen").decision is not None
        given(cart).when("update").when("close").then()
        given(cart).when("reopen").refused()
        given(cart).when("reopen").unchanged()
        given(cart)


def test_a_state_that_does_not_exist_is_an_error_and_no_difference() -> None:
    with pytest.raises(InvalidValue, match=r"/state: 'close' is no state; the states are: open, closed, "):
        given(session_in("open")).when("close").then(state="close")  # type: ignore[arg-type]  # no such state is the point


def test_one_code_as_codes_is_an_error_that_names_code() -> None:
    with pytest.raises(InvalidValue, match=r'/codes: codes is a list of all codes; for one, write code="wrong_state"'):
        given(session_in("open")).when("reopen").refused(codes="wrong_state")
