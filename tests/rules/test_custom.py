"""Rules that a service writes itself: what they may ask for, what they may answer, and what happens when they fail."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial, wraps
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from builders import CREATED, LATER, ONE_UNIT, cart, session_in, snapshot

from session_fsm import CustomerSession, InvalidValue, Rule, RuleViolated, State, Trigger, Violation, rule
from session_fsm.decisions import Outcome
from session_fsm.rules import returned_units_do_not_exceed_remaining


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
    before = snapshot(session)
    decision = session.evaluate("close", now=LATER)
    with pytest.raises(RuleViolated) as refusal:
        session.close(now=LATER)
    assert snapshot(session) == before
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

    @pytest.mark.parametrize(
        "answer",
        [
            *("", "no", b"", 0, 1, 1.0, Decimal(1), {}, {"a": 1}, set(), frozenset(), range(0), range(2), object()),
            *(
                [None],
                ["no"],
                (True,),
                [[]],
                {"code": "x"}.keys(),
                Violation,
                Outcome.PASSED,
                NotImplemented,
            ),
        ],
        ids=lambda answer: type(answer).__name__,
    )
    @pytest.mark.parametrize("parameter", ["total", "session", "after"])
    def test_everything_else_is_an_error_of_the_rule(self, answer: Any, parameter: str) -> None:
        """What is empty, and no list of violations, was meant as "no" as likely as not."""
        namespace: dict[str, Any] = {"answer": answer}
        exec(f"def own_rule({parameter}):\n    return answer", namespace)
        own = rule("own_rule", on=["close"], text="The shop must be content.")(namespace["own_rule"])
        error = refusal_of_closing(shop_with(own))
        check = error.decision.checks[-1]
        assert (check.outcome, check.violations[0].code) == (Outcome.ERRORED, "rule_failed")
        assert isinstance(check.error, TypeError)
        assert "answer" in str(check.error)

    def test_what_is_equal_to_everything_is_an_error_too(self) -> None:
        class Agreeing:
            def __eq__(self, other: object) -> bool:
                return True

            __hash__ = object.__hash__

        assert refusal_of_closing(shop_with(answering(Agreeing))).decision.checks[-1].outcome is Outcome.ERRORED

    def test_a_boolean_of_numpy_is_an_error_that_says_what_it_is(self) -> None:
        for answer in (np.True_, np.False_, np.array([]), np.array([True])):
            check = refusal_of_closing(shop_with(answering(lambda answer=answer: answer))).decision.checks[-1]
            assert check.outcome is Outcome.ERRORED

    def test_other_collections_of_violations_are_as_good_as_a_list(self) -> None:
        error = refusal_of_closing(shop_with(answering({"No.": Violation(message="No.")}.values)))
        assert error.violations == (Violation(code="own_rule", message="No."),)


class TestAsynchronousRules:
    """A rule answers at once: one that somebody would have to await is refused before it is asked."""

    async def awaited(self, total: Any) -> bool:
        """The shop must be content."""
        return bool(total)

    async def streamed(self, total: Any) -> Any:
        """The shop must be content."""
        yield total

    @pytest.mark.parametrize("name", ["awaited", "streamed"])
    def test_the_decorator_refuses_it(self, name: str) -> None:
        function = getattr(self, name)
        for form in (function, partial(function), partial(partial(function))):
            with pytest.raises(InvalidValue, match=f"the rule {name} is asynchronous"):
                rule("own_rule", on=["close"])(form)

    def test_the_class_refuses_it_where_no_decorator_did(self) -> None:
        function: Any = self.awaited
        with pytest.raises(InvalidValue, match="the rule own_rule is asynchronous") as refusal:
            shop_with(Rule(code="own_rule", on=(Trigger.CLOSE,), text="The shop must be content.", function=function))
        assert refusal.value.pointer == f"/rules/{len(CustomerSession.rules)}"

    def test_one_that_only_returns_such_a_thing_has_failed(self) -> None:
        """And Python does not warn of what was never awaited, for it is closed."""
        for begin in (self.awaited, self.streamed):
            error = refusal_of_closing(shop_with(answering(partial(begin, 1))))
            assert "asynchronous" in error.decision.checks[-1].raised


class TestForms:
    """A rule is any object that can be called, and says its text in one way or another."""

    def test_defaults_are_left_alone_unless_they_bear_the_name_of_what_rules_see(self) -> None:
        seen: dict[str, Any] = {}

        def own_rule(
            total: Any, least: int = 10, *, trigger: Any = None, coupon_codes: Any = (), limit: int = 3
        ) -> None:
            """The shop looks on."""
            seen.update(locals())

        cls = shop_with(rule("own_rule", on=["close"])(own_rule))
        cls.create("order-1", coupon_codes=["XMAS"]).close()
        del seen["seen"]
        assert seen == {"total": 0, "least": 10, "trigger": "close", "coupon_codes": ("XMAS",), "limit": 3}

    def test_a_default_of_a_field_of_the_class_is_given_too(self) -> None:
        seen: list[Any] = []

        @rule("own_rule", on=["close"])
        def own_rule(branch: str = "nowhere") -> None:
            """The shop looks on."""
            seen.append(branch)

        @attrs.define(kw_only=True, eq=False, repr=False)
        class Shop(shop_with(own_rule)):  # type: ignore[misc]  # made at run time
            branch: str = "main"

        shop_with(own_rule).create("order-1").close()
        Shop.create("order-2").close()
        assert seen == ["nowhere", "main"]

    def test_a_partial_keeps_what_it_was_given(self) -> None:
        seen: list[Any] = []

        def own_rule(most: int, total: Any, state: Any, trigger: Any = None) -> None:
            """The shop looks on."""
            seen.append((most, total, state, trigger))

        ask = rule("own_rule", on=["close"])(partial(own_rule, 5, trigger="mine"))
        assert (ask.name, ask.text) == ("own_rule", "The shop looks on.")
        shop_with(ask).create("order-1").close()
        assert seen == [(5, 0, State.CLOSED, "mine")]

    def test_objects_and_methods_are_called(self) -> None:
        class Limit:
            """An order must be small."""

            def __call__(self, total: Any) -> bool:
                return bool(total < 5)

            def below(self, total: Any, /) -> bool:
                """An order must be small enough."""
                return bool(total < 5)

        class Bare:
            def __call__(self, total: Any) -> bool:
                """A call must be documented."""
                return bool(total < 5)

        texts = []
        for function in (Limit(), Limit().below, Bare()):
            own = rule("own_rule", on=["close"])(function)
            texts.append(own.text)
            assert refusal_of_closing(shop_with(own)).violations[0].message == own.text
        assert texts == ["An order must be small.", "An order must be small enough.", "A call must be documented."]

    def test_a_text_takes_the_place_of_a_docstring(self) -> None:
        own = rule("own_rule", on=["close"], text="An order must be small.")(lambda total: total < 5)
        assert refusal_of_closing(shop_with(own)).violations[0].message == "An order must be small."

    @pytest.mark.parametrize("takes", ["*args, **kwargs", "*args", "**kwargs"])
    def test_a_wrapper_is_asked_for_what_it_wraps(self, takes: str) -> None:
        """However it hands on what it is given."""

        def within(total: Any, cart_items: Any) -> bool:
            """An order must be small."""
            return bool(total < 5 and len(cart_items) < 3)

        namespace: dict[str, Any] = {"within": within}
        exec(f"def wrapper({takes}):\n    return within({takes})", namespace)
        own = rule("own_rule", on=["close"])(wraps(within)(namespace["wrapper"]))
        assert refusal_of_closing(shop_with(own)).decision.checks[-1].outcome is Outcome.VIOLATED

    def test_a_wrapper_of_what_takes_only_keywords_is_asked_by_keyword(self) -> None:
        def within(*, total: Any) -> bool:
            """An order must be small."""
            return bool(total < 5)

        @wraps(within)
        def wrapper(*args: Any, **kwargs: Any) -> bool:
            return within(*args, **kwargs)

        own = rule("own_rule", on=["close"])(wrapper)
        assert refusal_of_closing(shop_with(own)).decision.checks[-1].outcome is Outcome.VIOLATED


RULES_OF_A_SHOP = '''
from functools import partial
from session_fsm import CustomerSession, InvalidValue, rule
from session_fsm.rules import returned_units_do_not_exceed_remaining

@rule("first", on=["close"])
def order_is_worth_ten(total, least=10):
    """An order must be worth at least 10.

    Finance asks for it.
    """
    return total >= least

class Limit:
    """An order must be small."""
    def __call__(self, total):
        return total < 5

exec("def order_is_not_empty(total): return total > 0")
print(order_is_worth_ten.text)
print(rule("second", on=["close"])(Limit()).text)
print(rule("third", on=["close"])(partial(order_is_worth_ten.function, least=3)).text)
print(rule("fourth", on=["close"], text="Said.")(order_is_worth_ten.function).text)
print(returned_units_do_not_exceed_remaining.text)
try:
    print(rule("fifth", on=["close"])(order_is_not_empty).text)
    rule("sixth", on=["close"])(lambda total: True)
except InvalidValue as error:
    print(error)
'''


@pytest.mark.parametrize("options", [(), ("-O",), ("-OO",)], ids=str)
def test_rules_keep_their_words_without_docstrings(options: tuple[str, ...], tmp_path: Path) -> None:
    """`python -OO` leaves docstrings out; the words are then those of the source, or of the function's name."""
    module = tmp_path / "shop.py"
    module.write_text(RULES_OF_A_SHOP, encoding="utf-8")
    command = [sys.executable, *options, str(module)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert said[:5] == [
        "An order must be worth at least 10.",
        "An order must be small.",
        "An order must be worth at least 10.",
        "Said.",
        returned_units_do_not_exceed_remaining.text,
    ]
    if options == ("-OO",):
        assert said[5:] == [
            "Order is not empty.",
            "the rule <lambda> needs a docstring; its first line describes the rule",
        ]
    else:
        assert said[5:] == ["the rule order_is_not_empty needs a docstring; its first line describes the rule"]


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
            sessions.append((session, snapshot(session)))
            session.evaluate("update", coupon_codes=["NEW"], cart_items=cart(2), additional_costs={}, now=LATER)

        seen = self.seen_by(do, [Trigger.UPDATE])
        ((session, before),) = sessions
        assert seen["session"] is session
        assert snapshot(session) == before
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
        before = snapshot(session)
        with pytest.raises(KeyboardInterrupt):
            session.close()
        assert snapshot(session) == before


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

    def test_one_trigger_without_a_list_is_refused_with_what_to_write(self) -> None:
        with pytest.raises(InvalidValue, match=r"/on: on is a list of triggers; for one, write on=\['close'\]"):
            rule("x", on="close")
        with pytest.raises(InvalidValue, match=r"write on=\[Trigger\.CLOSE\]"):
            rule("x", on=Trigger.CLOSE)

    def test_a_rule_without_words_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="nameless needs a docstring"):

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

    def test_a_rule_that_asks_for_self(self) -> None:
        @rule("own_rule", on=["close"])
        def method(self: Any) -> bool:  # noqa: ANN101, RUF100 - written as a method
            """There are coupons."""
            return True

        problem = self.refused(method).problem
        assert problem.endswith(
            "which is no field of ShopSession; a rule is a function, so name session or after instead"
        )

    def test_a_rule_in_the_body_that_is_not_listed(self) -> None:
        own = answering(lambda: True)
        with pytest.raises(InvalidValue, match=r"/rules: Shop.own is a rule, but is not in Shop.rules; list it there"):
            type("Shop", (CustomerSession,), {"own": own})
        assert (
            type("Shop", (CustomerSession,), {"own": own, "rules": (*CustomerSession.rules, own)}).machine.rules[-1]
            is own
        )

    def test_rules_as_a_list_become_a_tuple(self) -> None:
        listed = [*CustomerSession.rules, answering(lambda: True)]
        shop = type("Shop", (CustomerSession,), {"rules": listed})
        listed.clear()
        assert shop.rules == shop.machine.rules
        assert len(type("Further", (shop,), {}).machine.rules) == 10

    @pytest.mark.parametrize("rules", [None, 5, "rules", answering(lambda: True)])
    def test_rules_that_are_no_list(self, rules: Any) -> None:
        with pytest.raises(InvalidValue) as refusal:
            type("ShopSession", (CustomerSession,), {"rules": rules})
        assert refusal.value.pointer == "/rules"

    def test_the_class_that_it_was_derived_from_works_on(self) -> None:
        self.refused(lambda: True)
        assert session_in("closed").state is State.CLOSED
