"""Errors: their tree, what they say, what they carry, and how they travel."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from builders import ONE_UNIT, cart_session, session_in

from session_fsm import (
    CartItem,
    ConcurrentChange,
    CustomerSession,
    InvalidValue,
    ReturnedCartItem,
    RuleViolated,
    SessionFSMError,
    SessionUpdate,
    TransitionRefused,
    Violation,
    WireError,
    WrongState,
    rule,
)
from session_fsm.errors import Problem, http_status, to_error_response
from session_fsm.rules import attributes_are_declared, attributes_have_declared_types, coupon_code_required


@rule("never", on=["close"])
def never_closed() -> bool:
    """No session closes."""
    return False


class Stubborn(CustomerSession):
    rules = (*CustomerSession.rules, never_closed)


def raised_by(do: Callable[[], Any]) -> Any:
    """Return the error of this library that *do* raises."""
    with pytest.raises(SessionFSMError) as raised:
        do()
    return raised.value


def wrong_state() -> WrongState:
    error: WrongState = raised_by(session_in("closed").close)
    return error


def rule_violated() -> RuleViolated:
    error: RuleViolated = raised_by(session_in("open", Stubborn).close)
    return error


def errored() -> RuleViolated:
    @rule("own_rule", on=["close"])
    def own_rule() -> bool:
        """The shop is content."""
        raise OSError("down")

    cls = type("ShopSession", (CustomerSession,), {"rules": (*CustomerSession.rules, own_rule)})
    error: RuleViolated = raised_by(session_in("open", cls).close)
    return error


ERRORS: dict[str, Callable[[], Any]] = {
    "WrongState": wrong_state,
    "WrongState, not already": lambda: raised_by(session_in("cancelled").reopen),
    "WrongState of put": lambda: raised_by(lambda: session_in("closed").put(SessionUpdate(state="open"))),
    "RuleViolated": rule_violated,
    "RuleViolated, errored": errored,
    "RuleViolated at creation": lambda: raised_by(lambda: CustomerSession.create("order-1042", state="cancelled")),
    "InvalidValue": lambda: raised_by(lambda: CartItem(sku="", quantity=1)),
    "InvalidValue, several": lambda: raised_by(lambda: SessionUpdate(coupon_codes=[1, 2])),
    "WireError": lambda: WireError([Problem("/a", "is wrong"), Problem("", "is no object")]),
    "ConcurrentChange": lambda: ConcurrentChange("a rule moved the session while it was judged"),
    "SessionFSMError": lambda: SessionFSMError("something else"),
}


class TestTree:
    """One base for all, and ValueError for what is no value."""

    @pytest.mark.parametrize(
        ("cls", "bases"),
        [
            (TransitionRefused, (SessionFSMError,)),
            (WrongState, (TransitionRefused,)),
            (RuleViolated, (TransitionRefused,)),
            (InvalidValue, (SessionFSMError, ValueError)),
            (WireError, (SessionFSMError, ValueError)),
            (ConcurrentChange, (SessionFSMError,)),
            (SessionFSMError, (Exception,)),
        ],
    )
    def test_each_error_has_its_place(self, cls: type[Exception], bases: tuple[type, ...]) -> None:
        assert cls.__bases__ == bases

    def test_one_clause_catches_every_refusal(self) -> None:
        assert isinstance(wrong_state(), TransitionRefused)
        assert isinstance(rule_violated(), TransitionRefused)
        assert not isinstance(wrong_state(), ValueError)


class TestMessages:
    """Errors read as sentences, with the values in them."""

    def test_of_a_wrong_state_where_the_session_already_is(self) -> None:
        assert str(wrong_state()) == (
            "session 'order-1042': close is refused: Only open sessions can be closed [wrong_state];"
            " the session is closed already"
        )

    def test_of_a_wrong_state_with_a_way_out(self) -> None:
        text = str(raised_by(session_in("closed").update))
        assert text.endswith("; from closed the table allows cancel, return_items, reopen, if no rule forbids it")

    def test_of_a_wrong_state_without_one(self) -> None:
        text = str(raised_by(session_in("cancelled").update))
        assert text.endswith("; from cancelled the table allows nothing")

    def test_of_several_violations(self) -> None:
        error = raised_by(lambda: cart_session(1).return_items([ReturnedCartItem(position=0, quantity=2), _unnamed()]))
        assert str(error) == (
            "session 'order-1042': return_items is refused:"
            " Entry 1 of the return has neither a position nor a SKU. [return_item_unnamed]"
            " 2 units of the item at position 0 cannot come back; 1 remains. [returns_more_than_remaining]"
        )

    def test_of_a_violation(self) -> None:
        assert str(Violation(code="a", message="It is wrong.", pointer="/x")) == "a: It is wrong. (at /x)"
        assert str(Violation(code="a", message="It is wrong.")) == "a: It is wrong."

    def test_of_values_and_documents(self) -> None:
        assert str(InvalidValue("/sku", "is empty")) == "/sku: is empty"
        assert str(InvalidValue("", "is no list")) == "is no list"
        assert str(ERRORS["WireError"]()) == "/a: is wrong; is no object"

    def test_of_decisions(self) -> None:
        assert str(session_in("open").evaluate("close")) == "close is allowed: open -> closed (talon_session_closed)."
        assert str(rule_violated().decision) == "close is refused: No session closes. [never]"


def _unnamed() -> ReturnedCartItem:
    return ReturnedCartItem(quantity=1)


class TestFields:
    """What a caller decides by is in fields and codes, not in texts."""

    def test_of_a_refusal(self) -> None:
        error = rule_violated()
        assert (error.session_id, error.state, error.trigger) == ("order-1042", "open", "close")
        assert error.violations == error.decision.violations
        assert [violation.code for violation in error.violations] == ["never"]

    def test_of_a_value(self) -> None:
        error = ERRORS["InvalidValue, several"]()
        assert (error.pointer, error.problem) == ("/couponCodes/0", "a number is not a string")
        assert error.problems == (
            Problem("/couponCodes/0", "a number is not a string"),
            Problem("/couponCodes/1", "a number is not a string"),
        )
        assert InvalidValue.of(error.problems).problems == error.problems

    def test_of_a_document(self) -> None:
        assert ERRORS["WireError"]().problems == (Problem("/a", "is wrong"), Problem("", "is no object"))

    def test_a_violation_is_compared_by_what_it_says(self) -> None:
        one = Violation(code="a", message="m", details={"n": 1})
        assert one == Violation(code="a", message="m", details={"n": 1})
        assert one != Violation(code="a", message="m", details={"n": 2})
        assert len({one, Violation(code="a", message="m", details={"n": 1})}) == 1


def fields_of(error: Exception) -> dict[str, Any]:
    """Return everything that an error says."""
    names = [
        *("session_id", "state", "trigger", "violations", "decision", "allowed", "already"),
        *("pointer", "problem", "problems"),
    ]
    held = {name: getattr(error, name) for name in names if hasattr(error, name)}
    return held | {"type": type(error), "text": str(error)}


@pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS.keys())
class TestTravel:
    """Every error pickles with its fields, and none holds the session."""

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_it_pickles_with_all_its_fields(self, make: Callable[[], Any], protocol: int) -> None:
        error = make()
        assert fields_of(pickle.loads(pickle.dumps(error, protocol))) == fields_of(error)

    @pytest.mark.parametrize("copy_of", [copy.copy, copy.deepcopy])
    def test_it_can_be_copied(self, make: Callable[[], Any], copy_of: Callable[[Any], Any]) -> None:
        error = make()
        copied = copy_of(error)
        assert copied is not error
        assert fields_of(copied) == fields_of(error)

    def test_it_holds_no_session(self, make: Callable[[], Any]) -> None:
        """What an error carries to another process is all that it carries: neither a session nor its cart is in it."""
        error = make()
        assert b"CustomerSession" not in pickle.dumps(error)
        assert b"CartItem" not in pickle.dumps(error).replace(b"ReturnedCartItem", b"")
        decision = getattr(error, "decision", None)
        assert decision is None or decision.after is None


class TestRulesThatTravel:
    """A rule is found again where it was defined; one that was made inside a function comes back as its description."""

    def test_a_rule_of_a_module_is_itself_again(self) -> None:
        assert pickle.loads(pickle.dumps(never_closed)) is never_closed
        assert pickle.loads(pickle.dumps(coupon_code_required)) is coupon_code_required
        assert pickle.loads(pickle.dumps(rule_violated())).decision.checks[-1].rule is never_closed

    def test_a_rule_made_inside_a_function_is_its_description(self) -> None:
        made = attributes_are_declared(session=["a"])
        copied = pickle.loads(pickle.dumps(made))
        assert copied == made
        assert (copied.code, copied.on, copied.target, copied.text) == (made.code, made.on, made.target, made.text)
        with pytest.raises(LookupError, match="attribute_not_declared"):
            copied()

    def test_a_rule_that_is_no_longer_what_it_was_is_its_description(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = pickle.dumps(never_closed)
        monkeypatch.setitem(globals(), "never_closed", coupon_code_required)
        copied = pickle.loads(data)
        assert copied is not coupon_code_required
        assert (copied.code, copied.text) == ("never", "No session closes.")

    def test_a_rule_of_a_module_that_is_gone_is_its_description(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(never_closed.function, "__module__", "gone_with_the_wind")
        copied = pickle.loads(pickle.dumps(never_closed))
        assert copied == never_closed
        assert copied is not never_closed

    def test_a_rule_is_its_own_copy(self) -> None:
        assert copy.copy(never_closed) is copy.deepcopy(never_closed) is never_closed


class TestErrorResponse:
    """Every error can be written in the envelope of the API."""

    def test_of_a_violation(self) -> None:
        error = raised_by(lambda: cart_session(1).return_items([ReturnedCartItem(position=0, quantity=2)]))
        assert to_error_response(error) == {
            "message": "The submitted data was invalid",
            "errors": [
                {
                    "title": "returns_more_than_remaining",
                    "details": "2 units of the item at position 0 cannot come back; 1 remains.",
                    "source": {"pointer": "/returnedCartItems/0/quantity"},
                }
            ],
        }

    def test_of_a_violation_without_a_place(self) -> None:
        assert to_error_response(rule_violated())["errors"] == [
            {"title": "never", "details": "No session closes.", "source": {}}
        ]

    def test_the_two_titles_of_the_api(self) -> None:
        rules = (attributes_are_declared(), attributes_have_declared_types(session={"a": "number"}))
        cls = type("ShopSession", (CustomerSession,), {"rules": rules})
        error = raised_by(lambda: cls.create("x", attributes={"a": "b"}))
        assert to_error_response(error)["errors"] == [
            {
                "title": "Unknown",
                "details": 'The attribute "a" is not defined on CustomerSession entities.',
                "source": {"pointer": "/attributes/a"},
            },
            {
                "title": "Invalid type",
                "details": 'Value of "a" attribute (b) is not a number',
                "source": {"pointer": "/attributes/a"},
            },
        ]

    def test_of_a_wrong_state(self) -> None:
        response = to_error_response(ERRORS["WrongState of put"]())
        assert response["message"] == 'Cannot move session to state "open" from state "closed"'
        assert response["errors"] == [{"title": "wrong_state", "details": response["message"], "source": {}}]

    def test_of_a_value(self) -> None:
        assert to_error_response(ERRORS["InvalidValue"]()) == {
            "message": "The submitted data was invalid",
            "errors": [{"title": "Invalid value", "details": "is empty", "source": {"pointer": "/sku"}}],
        }

    def test_of_several_values(self) -> None:
        pointers = [
            entry["source"]["pointer"] for entry in to_error_response(ERRORS["InvalidValue, several"]())["errors"]
        ]
        assert pointers == ["/couponCodes/0", "/couponCodes/1"]

    def test_of_a_document(self) -> None:
        assert to_error_response(ERRORS["WireError"]())["errors"] == [
            {"title": "Invalid value", "details": "is wrong", "source": {"pointer": "/a"}},
            {"title": "Invalid value", "details": "is no object", "source": {}},
        ]

    def test_of_a_parallel_write_says_what_the_api_says(self) -> None:
        """W-20."""
        assert to_error_response(ERRORS["ConcurrentChange"]()) == {
            "message": "Too many requests are updating this session at the same time",
            "StatusCode": 409,
        }

    def test_of_a_fault_of_the_service_has_a_general_text(self) -> None:
        """The text of the error may name a file or a server."""
        assert to_error_response(SessionFSMError("/etc/secret")) == {"message": "Internal Server Error", "errors": []}


class TestStatus:
    """W-18, W-20: which HTTP status belongs to an error."""

    @pytest.mark.parametrize(
        ("name", "status"),
        [
            ("WrongState", 400),
            ("RuleViolated", 400),
            ("RuleViolated at creation", 400),
            ("RuleViolated, errored", 500),
            ("InvalidValue", 400),
            ("WireError", 400),
            ("ConcurrentChange", 409),
            ("SessionFSMError", 500),
        ],
    )
    def test_of_each_error(self, name: str, status: int) -> None:
        assert http_status(ERRORS[name]()) == status


def test_a_refused_return_carries_no_copy_of_the_session_in_its_checks() -> None:
    error = raised_by(lambda: session_in("open").return_items(ONE_UNIT))
    assert error.decision.checks == ()
    assert error.args == (error.decision, "order-1042", ("update", "close", "cancel"), False)
