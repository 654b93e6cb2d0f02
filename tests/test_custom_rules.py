"""Rules that a service writes itself: what they may ask for, what they may answer, and what happens when they fail."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import wraps
from typing import Any

import attrs
import pytest
from builders import CREATED, LATER, ONE_UNIT, cart, picture, session_in

from session_fsm import CustomerSession, InvalidValue, Rule, RuleViolated, State, Trigger, Violation, rule
from session_fsm.decisions import Outcome


def shop_with(*rules: Any) -> type[CustomerSession]:
    """Make a session class with these rules beside those of the API."""
    return type("ShopSession", (CustomerSession,), {"rules": (*CustomerSession.rules, *rules)})


def answering(function: Callable[[], Any], code: str = "own_rule") -> Rule:
    """Make a rule for closing that answers whatever *function* returns."""

    @rule(code, on=[Trigger.CLOSE])
    def own_rule() -> Any:
        """The shop is content."""
        return function()

    return own_rule


def refusal_of_closing(cls: type[CustomerSession]) -> RuleViolated:
    """Close a session of the class, which must be refused, and return the refusal."""
    session = session_in("open", cls)
    before = picture(session)
    decision = session.evaluate("close", now=LATER)
    with pytest.raises(RuleViolated) as refusal:
        session.close(now=LATER)
    assert picture(session) == before
    assert decision == refusal.value.decision
    assert decision.after is None
    return refusal.value


def several() -> Iterator[Violation]:
    yield Violation(message="First.")
    yield Violation(message="Second.", code="own_rule", pointer="/cartItems", details={"n": 2})


@attrs.frozen(kw_only=True)
class Hint(Violation):
    """Says more than the library asks for."""

    hint: str


class TestAnswers:
    """A rule answers in whatever form is shortest."""

    @pytest.mark.parametrize("answer", [True, None, [], (), iter(())])
    def test_true_none_and_nothing_pass(self, answer: Any) -> None:
        session = session_in("open", shop_with(answering(lambda: answer)))
        session.close()
        assert session.state is State.CLOSED

    def test_false_is_refused_in_the_words_of_the_docstring(self) -> None:
        error = refusal_of_closing(shop_with(answering(lambda: False)))
        assert error.violations == (Violation(code="own_rule", message="The shop is content."),)

    def test_a_violation_gets_the_code_of_its_rule(self) -> None:
        error = refusal_of_closing(shop_with(answering(lambda: Violation(message="No."))))
        assert error.violations == (Violation(code="own_rule", message="No."),)

    @pytest.mark.parametrize("form", [lambda: list(several()), lambda: tuple(several()), several])
    def test_several_violations_are_all_reported(self, form: Callable[[], Any]) -> None:
        error = refusal_of_closing(shop_with(answering(form)))
        first, second = error.violations
        assert (first.code, first.message) == ("own_rule", "First.")
        assert (second.code, second.pointer, second.details) == ("own_rule", "/cartItems", {"n": 2})
        assert error.decision.checks[-1].violation == first

    def test_several_rules_are_all_reported_in_their_order(self) -> None:
        cls = shop_with(
            answering(lambda: False, "a"),
            answering(lambda: 1 / 0, "b"),
            answering(lambda: True, "c"),
            answering(several, "own_rule"),
        )
        error = refusal_of_closing(cls)
        assert [v.code for v in error.violations] == ["a", "rule_failed", "own_rule", "own_rule"]
        assert [str(check.outcome) for check in error.decision.checks[-4:]] == [
            "violated",
            "errored",
            "passed",
            "violated",
        ]


class TestWhatARuleSees:
    """A rule asks for what it needs by the names of its parameters."""

    def seen_by(self, do: Callable[[Any], Any], on: list[Trigger], cls: Any = None) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        @rule("own_rule", on=on)
        def own_rule(session, after, change, trigger, now, coupon_codes, total) -> None:  # type: ignore[no-untyped-def]  # as users write it
            """The shop looks on."""
            seen.update(locals())

        do(shop_with(own_rule))
        return seen

    def test_on_an_update(self) -> None:
        sessions = []

        def do(cls: type[CustomerSession]) -> None:
            session = session_in("open", cls)
            sessions.append((session, picture(session)))
            session.evaluate("update", coupon_codes=["NEW"], cart_items=cart(2), additional_costs={}, now=LATER)

        seen = self.seen_by(do, [Trigger.UPDATE])
        ((session, before),) = sessions
        assert seen["session"] is session
        assert picture(session) == before
        assert seen["after"] is not session
        assert (seen["after"].coupon_codes, seen["after"].update_count) == (("NEW",), 2)
        assert (seen["trigger"], seen["now"]) == (Trigger.UPDATE, LATER)
        assert seen["change"].coupon_codes == ("NEW",)
        assert (seen["coupon_codes"], seen["total"]) == (("NEW",), 3)

    def test_on_a_creation_there_is_no_session_yet(self) -> None:
        seen = self.seen_by(lambda cls: session_in("open", cls), [Trigger.CREATE])
        assert seen["session"] is None
        assert (seen["after"].integration_id, seen["after"].state) == ("order-1042", State.OPEN)
        assert seen["change"].coupon_codes == seen["coupon_codes"] == ("XMAS",)
        assert (seen["trigger"], seen["now"], seen["total"]) == (Trigger.CREATE, CREATED, Decimal("71.12"))

    def test_on_a_return(self) -> None:
        seen = self.seen_by(
            lambda cls: session_in("closed", cls).return_items(ONE_UNIT, now=LATER), [Trigger.RETURN_ITEMS]
        )
        assert seen["change"] == ONE_UNIT
        assert seen["after"].cart_items[0].returned_quantity == 1
        assert seen["after"].state is State.PARTIALLY_RETURNED

    @pytest.mark.parametrize(("state", "trigger"), [("closed", "reopen"), ("open", "cancel")])
    def test_on_a_trigger_without_argument(self, state: str, trigger: str) -> None:
        seen = self.seen_by(lambda cls: getattr(session_in(state, cls), trigger)(now=LATER), [Trigger(trigger)])
        assert seen["change"] is None
        assert seen["coupon_codes"] == ("XMAS",)

    def test_all_rules_look_at_the_same_copy_and_the_answer_holds_another(self) -> None:
        seen: list[CustomerSession] = []

        @rule("first", on=["close"])
        def first(after: CustomerSession) -> None:
            """The first looks on."""
            seen.append(after)

        @rule("second", on=["close"])
        def second(after: CustomerSession) -> None:
            """The second looks on."""
            seen.append(after)

        decision = session_in("open", shop_with(first, second)).evaluate("close")
        assert len(seen) == 2
        assert seen[0] is seen[1]
        assert decision.after is not seen[0]
        assert decision.after.state is seen[0].state is State.CLOSED

    def test_a_field_that_the_trigger_leaves_alone_is_the_one_of_the_session(self) -> None:
        @rule("own_rule", on=["close"])
        def referred(referral_code: str, state: State, update_count: int) -> bool:
            """The session was referred."""
            return (referral_code, state, update_count) == ("FRIEND", "closed", 2)

        assert session_in("open", shop_with(referred)).evaluate("close")


class TestRuleThatFails:
    """A rule that raises has no answer, so the transition is refused, and nothing is half-done."""

    def test_the_check_is_errored_and_holds_what_was_raised_for_developers_alone(self) -> None:
        def fail() -> None:
            raise ConnectionError("the stock service is down")

        error = refusal_of_closing(shop_with(answering(fail)))
        check = error.decision.checks[-1]
        assert check.outcome is Outcome.ERRORED
        assert check.violation == error.violations[0]
        assert error.violations == (
            Violation(
                code="rule_failed", message="The rule own_rule could not be judged.", details={"rule": "own_rule"}
            ),
        )
        assert isinstance(check.error, ConnectionError)
        assert error.__cause__ is check.error
        assert "stock service" not in str(error)

    def test_a_violated_rule_is_not_a_cause(self) -> None:
        assert refusal_of_closing(shop_with(answering(lambda: False))).__cause__ is None

    def test_a_generator_that_raises_midway_is_errored_as_a_whole(self) -> None:
        def midway() -> Iterator[Violation]:
            yield Violation(message="First.")
            raise KeyError("second")

        error = refusal_of_closing(shop_with(answering(midway)))
        assert [violation.code for violation in error.violations] == ["rule_failed"]
        assert isinstance(error.__cause__, KeyError)

    @pytest.mark.parametrize("answer", [1, 0.5, "no", ["no"], [True], {"message": "no"}, object()])
    def test_an_answer_of_another_form_is_errored(self, answer: Any) -> None:
        error = refusal_of_closing(shop_with(answering(lambda: answer)))
        assert error.decision.checks[-1].outcome is Outcome.ERRORED
        assert isinstance(error.__cause__, TypeError)

    @pytest.mark.parametrize("violation", [Violation(message="No.", pointer="/x"), Hint(message="No.", hint="Wait.")])
    def test_the_code_is_filled_in_and_all_else_stays(self, violation: Violation) -> None:
        error = refusal_of_closing(shop_with(answering(lambda: violation)))
        assert error.violations == (attrs.evolve(violation, code="own_rule"),)
        assert violation.code == ""

    def test_the_code_of_another_rule_is_errored(self) -> None:
        error = refusal_of_closing(shop_with(answering(lambda: Violation(code="too_many_units", message="No."))))
        assert error.decision.checks[-1].outcome is Outcome.ERRORED
        assert error.violations[0].code == "rule_failed"
        assert "too_many_units" in str(error.__cause__)

    def test_a_creation_is_refused_too(self) -> None:
        @rule("own_rule", on=["create"])
        def own_rule() -> bool:
            """The shop is content."""
            raise OSError("down")

        with pytest.raises(RuleViolated) as refusal:
            shop_with(own_rule).create("order-1042")
        assert isinstance(refusal.value.__cause__, OSError)
        assert refusal.value.state is None

    def test_an_interrupt_is_no_answer_and_comes_through(self) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        session = session_in("open", shop_with(answering(interrupt)))
        before = picture(session)
        with pytest.raises(KeyboardInterrupt):
            session.close()
        assert picture(session) == before


class TestDecorator:
    """The decorator `rule` makes a rule of a function with a docstring."""

    def test_the_rule_describes_itself(self) -> None:
        @rule("minimum_order_missed", on=["close", Trigger.CREATE], target="closed")
        def order_is_worth_ten(total: int) -> bool:
            """An order must be worth at least 10.

            Finance asks for it.
            """
            return total >= 10

        assert isinstance(order_is_worth_ten, Rule)
        assert order_is_worth_ten.code == "minimum_order_missed"
        assert order_is_worth_ten.name == "order_is_worth_ten"
        assert order_is_worth_ten.text == "An order must be worth at least 10."
        assert order_is_worth_ten.on == (Trigger.CLOSE, Trigger.CREATE)
        assert order_is_worth_ten.target is State.CLOSED
        assert order_is_worth_ten.parameters == ("total",)
        assert str(order_is_worth_ten) == "minimum_order_missed: An order must be worth at least 10."
        assert order_is_worth_ten(9) is False
        assert order_is_worth_ten(total=10) is True

        assert order_is_worth_ten.guards(Trigger.CREATE, State.CLOSED)
        assert not order_is_worth_ten.guards(Trigger.CREATE, State.OPEN)
        assert not order_is_worth_ten.guards(Trigger.UPDATE, State.OPEN)

    def test_a_target_narrows_the_rule_to_what_leads_there(self) -> None:
        @rule("never_closed", on=["create", "close"], target="closed")
        def never_closed() -> bool:
            """No session closes."""
            return False

        cls = shop_with(never_closed)
        assert cls.create("order-1042").state is State.OPEN
        with pytest.raises(RuleViolated):
            cls.create("order-1042", state="closed")
        refusal_of_closing(cls)

    def test_it_asks_for_what_the_innermost_function_does(self) -> None:
        def limit(total: Any, *, cart_items: Any) -> bool:
            """An order is worth its items."""
            least = Decimal(len(cart_items))
            return total >= least

        @wraps(limit)
        def logged(*args: Any, **kwargs: Any) -> Any:
            return limit(*args, **kwargs)

        def stray(total: Any, *rest: Any) -> None:
            """An order has a total."""

        ask = rule("own_rule", on=["close"])
        assert ask(limit).parameters == ask(logged).parameters == ("total", "cart_items")
        assert ask(stray).parameters == ("total", "rest")

    def test_rules_are_compared_by_what_they_say(self) -> None:
        assert answering(lambda: True) == answering(lambda: False)
        assert hash(answering(lambda: True)) == hash(answering(lambda: False))
        assert answering(lambda: True) != answering(lambda: True, "other")

    @pytest.mark.parametrize(
        ("options", "pointer"),
        [
            ({"code": "", "on": ["close"]}, "/code"),
            ({"code": "x", "on": ["closing"]}, "/on"),
            ({"code": "x", "on": ["close"], "target": "shut"}, "/target"),
            ({"code": "x", "on": [None]}, "/on"),
        ],
    )
    def test_a_wrong_definition_is_refused(self, options: dict[str, Any], pointer: str) -> None:
        def own_rule() -> bool:
            """The shop is content."""
            return True

        with pytest.raises(InvalidValue) as refusal:
            rule(options.pop("code"), **options)(own_rule)
        assert refusal.value.pointer == pointer

    def test_a_rule_without_words_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="nameless has no docstring"):

            @rule("x", on=["close"])
            def nameless() -> bool:
                return True


class TestWrongRulesOfAClass:
    """A class with rules that cannot be right does not come into being."""

    def refused(self, *rules: Any) -> InvalidValue:
        with pytest.raises(InvalidValue) as refusal:
            shop_with(*rules)
        return refusal.value

    def test_the_same_code_twice(self) -> None:
        error = self.refused(answering(lambda: True), answering(lambda: False))
        assert error.pointer == "/rules/10"
        assert "own_rule is used twice" in error.problem

    def test_a_function_that_is_no_rule(self) -> None:
        error = self.refused(lambda: True)
        assert error.pointer == "/rules/9"
        assert "is not a rule" in error.problem

    @pytest.mark.parametrize(
        "options", [{"on": []}, {"on": ["cancel"], "target": "closed"}, {"on": ["reopen"], "target": "cancelled"}]
    )
    def test_a_rule_that_guards_no_transition(self, options: dict[str, Any]) -> None:
        @rule("own_rule", **options)
        def own_rule() -> bool:
            """The shop is content."""
            return True

        error = self.refused(own_rule)
        assert error.pointer == "/rules/9"
        assert "guards no transition" in error.problem

    def test_a_rule_that_asks_for_what_no_session_has(self) -> None:
        @rule("own_rule", on=["close"])
        def misspelt(cupon_codes: Any) -> bool:
            """There are coupons."""
            return True

        error = self.refused(misspelt)
        assert error.pointer == "/rules/9"
        assert "cupon_codes" in error.problem

    @pytest.mark.parametrize("rules", [None, 5, "rules", answering(lambda: True)])
    def test_rules_that_are_no_list(self, rules: Any) -> None:
        with pytest.raises(InvalidValue) as refusal:
            type("ShopSession", (CustomerSession,), {"rules": rules})
        assert refusal.value.pointer == "/rules"

    def test_the_class_that_it_was_derived_from_works_on(self) -> None:
        self.refused(lambda: True)
        assert session_in("closed").state is State.CLOSED
