"""Tests of `RuleContract`: sound rules pass, and each clause reports a faulty rule with its case."""

import itertools
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from builders import TenantSession
from hypothesis import settings

from session_fsm import CartItem, CustomerSession, InvalidValue, SessionUpdate, Trigger, Violation, rule
from session_fsm.entities import assign
from session_fsm.guards import Rule
from session_fsm.rules import (
    BUILT_IN,
    additional_costs_are_declared,
    attributes_are_declared,
    attributes_have_declared_types,
    coupon_code_required,
    identifier_required,
    prices_are_known,
    referral_code_required,
)
from session_fsm.testing import RuleContract
from session_fsm.testing.strategies.values import carts

QUICK = settings(RuleContract.settings, database=None, max_examples=10)
SEARCHING = settings(QUICK, max_examples=40, derandomize=True)

OPTIONAL = (
    *(coupon_code_required, referral_code_required, identifier_required),
    attributes_are_declared(session=["ShippingCity"]),
    attributes_have_declared_types(session={"ShippingCity": "string"}, cart_item={"colour": "number"}),
    additional_costs_are_declared(session=["shipping"]),
    prices_are_known(catalog=["A"]),
)

for one in (*BUILT_IN, *OPTIONAL):
    name = f"Test_{one.code}"
    globals()[name] = type(name, (RuleContract,), {"rule": one, "settings": QUICK, "__module__": __name__})


@rule("tenant_unknown", on=["create", "close"])
def tenant_is_known(tenant: str, session: Any) -> bool:
    """The tenant is one that we know."""
    return tenant == "acme" and (session is None or session.tenant == "acme")


class TestRuleAboutAFieldOfTheClass(RuleContract):
    rule = tenant_is_known
    kind = TenantSession
    own = {"tenant": "acme", "id": 3}
    settings = QUICK


@rule("cart_too_small", on=["update", "close"])
def cart_holds_two_items(cart_items: Any) -> Any:
    """A cart holds two items at least."""
    return None if len(cart_items) >= 2 else Violation(message="The cart is too small.", pointer="/cartItems")


class TwoItems(CustomerSession):
    rules = (*CustomerSession.rules, cart_holds_two_items)


class TestRuleWithChangesOfItsOwn(RuleContract):
    rule = cart_holds_two_items
    kind = TwoItems
    changes = carts(at_least=2).map(lambda items: SessionUpdate(cart_items=items))
    settings = QUICK


def clause(name: str, broken: Rule, kind: type[CustomerSession] = CustomerSession, **members: Any) -> None:
    """Check *broken* by one clause of the contract."""
    contract = type("Contract", (RuleContract,), {"settings": SEARCHING, **members, "rule": broken, "kind": kind})
    getattr(contract(), name)()


def failure(name: str, broken: Rule) -> str:
    with pytest.raises(AssertionError) as error:
        clause(name, broken)
    return str(error.value)


def making(answer: Any, text: str = "A rule that is tried.", code: str = "tried", on: Any = ("close",)) -> Rule:
    """Return a rule with the function *answer*."""
    answer.__doc__ = text
    made: Rule = rule(code, on=on)(answer)
    return made


class TestDocumentation:
    @pytest.mark.parametrize(
        ("text", "code", "problem"),
        [
            ("no sentence.", "tried", "<lambda>: the docstring does not begin as a sentence: 'no sentence.'"),
            ("A rule without", "tried", "the first line of the docstring is no whole sentence: 'A rule without'"),
            ("A rule.", "Tried", "the code 'Tried' is not in snake_case"),
            ("A rule.", "tried__it", "the code 'tried__it' is not in snake_case"),
            ("A rule.", "tried-it", "the code 'tried-it' is not in snake_case"),
        ],
    )
    def test_docstring_and_code_are_checked(self, text: str, code: str, problem: str) -> None:
        assert problem in failure("test_is_documented", making(lambda: True, text, code))


class TestGuards:
    def test_a_rule_must_guard_a_transition(self) -> None:
        homeless = attrs.evolve(making(lambda: True), on=())
        assert "tried guards no transition of CustomerSession" in failure("test_guards_a_transition", homeless)
        assert "tried guards no transition of CustomerSession" in failure("test_never_raises", homeless)

    def test_its_fields_must_exist(self) -> None:
        with pytest.raises(InvalidValue, match="the rule tried asks for colour, which is no field of CustomerSession"):
            clause("test_guards_a_transition", making(lambda colour: True))


class TestTotality:
    def test_a_rule_that_raises_is_shown_with_a_shrunk_case(self) -> None:
        broken = making(lambda cart_items: 1 / len(cart_items) > 0)
        assert failure("test_never_raises", broken).splitlines() == [
            "the rule tried (<lambda>): it raised ZeroDivisionError: division by zero",
            "",
            'session = CustomerSession.create("order-1")',
            "session.close()",
        ]

    def test_a_generator_that_raises_is_found(self) -> None:
        def answer(coupon_codes: Any) -> Any:
            yield from ()
            yield Violation(message=coupon_codes[5])

        assert "it raised IndexError: tuple index out of range" in failure("test_never_raises", making(answer))

    def test_a_creation_is_shown_as_one(self) -> None:
        broken = making(lambda session: session.state != "x", on=["create"])
        assert failure("test_never_raises", broken).splitlines()[2:] == [
            'session = CustomerSession.create("order-1", state="open")'
        ]

    def test_returns_are_tried_too(self) -> None:
        broken = making(lambda change: change[0].quantity != 5, on=[Trigger.RETURN_ITEMS])
        assert failure("test_never_raises", broken).splitlines()[-1] == "session.return_items([])"

    @pytest.mark.parametrize(
        "name",
        [
            "test_answers_as_a_rule_may",
            "test_answers_the_same_twice",
            "test_changes_nothing",
            "test_reads_and_writes_nothing",
        ],
    )
    def test_other_clauses_ignore_exceptions(self, name: str) -> None:
        clause(name, making(lambda cart_items: 1 / len(cart_items) > 0), settings=QUICK)


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "problem"),
        [
            (
                5,
                "the rule answered a value of the type int; a rule answers True or False, a Violation, or a list of them",
            ),
            (0, "the rule answered a value of the type int"),
            ("", "the rule answered an empty str; a rule answers True or False, a Violation, or a list of them"),
            ({}, "the rule answered an empty dict"),
            (["no"], "the rule answered a value of the type str"),
            (Violation(code="other", message="No."), "the rule tried answered with the code of another, other"),
            (Violation(message=" "), "a violation has no message"),
            ([Violation(message="No.", pointer="/couponCode")], "the pointer '/couponCode' exists neither"),
            ([Violation(message="No.", pointer="couponCodes")], "the pointer 'couponCodes' exists neither"),
            ([Violation(message="No.", pointer="/cartItems/x")], "the pointer '/cartItems/x' exists neither"),
            ([Violation(message="No.", pointer="/cartItems/7")], "the pointer '/cartItems/7' exists neither"),
            ([Violation(message="No.", pointer="/cartItems/7/sku")], "exists neither"),
            ([Violation(message="No.", pointer="/state/sku")], "exists neither"),
            ([Violation(message="No.", pointer="/integrationId/x/y")], "exists neither"),
        ],
    )
    def test_an_invalid_answer_is_reported(self, answer: Any, problem: str) -> None:
        assert problem in failure("test_answers_as_a_rule_may", making(lambda: answer))

    @pytest.mark.parametrize(
        "answer",
        [
            *(None, True, False, [], Violation(message="No.")),
            *(Violation(message="No.", pointer=pointer) for pointer in ("", "/state", "/cartItems", "/referralCode")),
        ],
    )
    def test_valid_answers_pass(self, answer: Any) -> None:
        clause("test_answers_as_a_rule_may", making(lambda: answer, on=["update", "cancel"]), settings=QUICK)

    def test_a_pointer_may_lead_into_the_cart(self) -> None:
        def answer(after: Any) -> Any:
            for place, item in enumerate(after.cart_items):
                yield Violation(message="No.", pointer=f"/cartItems/{place}")
                yield Violation(message="No.", pointer=f"/cartItems/{place}/price")
                for name in item.attributes:
                    yield Violation(message="No.", pointer=f"/cartItems/{place}/attributes/{name}")

        clause("test_answers_as_a_rule_may", making(answer))


class TestDeterminism:
    def test_a_rule_that_counts_its_calls_is_found(self) -> None:
        calls = itertools.count()
        broken = making(lambda: next(calls) % 2 == 0)
        assert "called twice, it returned True, then False" in failure("test_answers_the_same_twice", broken)

    def test_a_rule_that_depends_on_identity_is_found(self) -> None:
        known: list[Any] = []

        def answer(session: Any) -> bool:
            known.append(session)
            return known[-1] is known[max(len(known) - 2, 0)] or len(known) % 3 == 1

        text = failure("test_answers_the_same_twice", making(answer))
        assert "for an equal session, it returned False instead of True" in text
        assert text.endswith("session.close()")


class TestPurity:
    def test_a_rule_that_changes_the_session_is_found(self) -> None:
        def answer(session: Any) -> bool:
            assign(session, {"referral_code": "SEEN"})
            return True

        assert "it changed the session, " in failure("test_changes_nothing", making(answer))

    def test_a_rule_that_changes_after_is_found(self) -> None:
        def answer(after: Any) -> bool:
            object.__setattr__(after, "referral_code", "SEEN")
            return True

        text = failure("test_changes_nothing", making(answer, on=["create"]))
        assert "it changed the session after" in text

    def test_a_rule_that_changes_its_argument_is_found(self) -> None:
        def answer(change: Any) -> bool:
            for entry in change:
                object.__setattr__(entry, "sku", "SEEN")
            return True

        text = failure("test_changes_nothing", making(answer, on=["return_items"]))
        assert "it changed the argument" in text

    @pytest.mark.parametrize(
        ("do", "event"),
        [
            (lambda: print("x"), "print"),
            (lambda: sys.stderr.write("x"), "print"),
            (lambda: Path(__file__).read_text(), "open"),
            (lambda: socket.socket().close(), "socket.__new__"),
        ],
    )
    def test_a_rule_that_reads_or_writes_is_found(self, do: Any, event: str) -> None:
        broken = making(lambda: do() is None or True)
        assert f"it did input or output: {event}" in failure("test_reads_and_writes_nothing", broken)

    def test_an_import_is_no_input(self) -> None:
        def answer() -> bool:
            import this_is_imported_late  # noqa: PLC0415 - that is the point

            return bool(this_is_imported_late)

        sys.modules["this_is_imported_late"] = SimpleNamespace()
        clause("test_reads_and_writes_nothing", making(answer))

    def test_recording_ends_after_the_call(self) -> None:
        clause("test_reads_and_writes_nothing", making(lambda: True), settings=QUICK)
        assert Path(__file__).read_text()
        clause("test_reads_and_writes_nothing", making(lambda: True), settings=QUICK)


def test_a_case_is_shown_as_python_to_paste() -> None:
    text = failure("test_never_raises", making(lambda change: 1 / 0, on=["return_items"]))
    code = "\n".join(text.splitlines()[2:])
    session = CustomerSession.create("order-1", cart_items=[CartItem(sku="A", quantity=1)])
    namespace = {"CustomerSession": CustomerSession, "CartItem": CartItem, "session": session}
    exec(code.rpartition("\n")[0], namespace)
    assert namespace["session"].state == "closed"


def test_a_contract_without_a_rule_says_what_it_needs() -> None:
    class TestShop(RuleContract):
        pass

    with pytest.raises(AttributeError, match=r"^TestShop needs rule = your_rule$"):
        TestShop().test_is_documented()
    with pytest.raises(AttributeError, match=r"^TestShop has no attribute 'rules'$"):
        TestShop().rules  # type: ignore[attr-defined]  # noqa: B018 - to look is the test
