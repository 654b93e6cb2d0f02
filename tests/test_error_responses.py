"""Errors as services answer with them: what stays inside, what the envelope says, and how it is read again."""

import json
import pickle
from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from builders import cart_session, session_in

from session_fsm import (
    CartItem,
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
    wire,
)
from session_fsm.decisions import Outcome
from session_fsm.diagrams import formats, render
from session_fsm.errors import (
    ErrorEntry,
    ErrorResponse,
    Problem,
    counted,
    from_error_response,
    http_status,
    joined,
    shortened,
    to_error_response,
)
from session_fsm.rules import attributes_are_declared

SECRET = "postgresql://svc:secret-word@db.internal"


@rule("out_of_stock", on=["close"])
def all_is_in_stock() -> bool:
    """All that is ordered must be in stock."""
    raise ConnectionError(SECRET)


@rule("too_late", on=["close"])
def orders_are_taken() -> Violation:
    """An order must come in time."""
    return Violation(message="The shop is closed.")


class Shop(CustomerSession):
    rules = (*CustomerSession.rules, orders_are_taken, all_is_in_stock)


def refusal_of(do: Callable[[], object]) -> Any:
    with pytest.raises(SessionFSMError) as raised:
        do()
    return raised.value


class TestFailedRule:
    """Nobody knows what a failed rule would have said, and what it raised is for developers alone."""

    def test_its_violation_stands_beside_those_of_other_rules(self) -> None:
        error = refusal_of(session_in("open", Shop).close)
        assert [violation.code for violation in error.violations] == ["too_late", "rule_failed"]
        assert error.violations[1].details == {"rule": "out_of_stock"}
        assert http_status(error) == 500
        assert to_error_response(error) == {
            "message": "A rule could not be judged",
            "errors": [
                {"title": "too_late", "details": "The shop is closed.", "source": {}},
                {"title": "rule_failed", "details": "The rule out_of_stock could not be judged.", "source": {}},
            ],
        }

    def test_nothing_of_what_it_raised_is_in_anything_that_leaves_the_service(self) -> None:
        session = session_in("open", Shop)
        error = refusal_of(session.close)
        decision = session.evaluate("close")
        drawn = [render(Shop, name, session=session) for name in formats()]
        texts = [
            *(str(error), repr(error), str(error.decision), repr(error.decision), repr(error.violations)),
            *(str(decision), repr(decision), json.dumps(to_error_response(error)), wire.dumps(session).decode()),
            *(repr(pickle.dumps(thing)) for thing in (error, decision, error.violations)),
            *(wire.dumps(event).decode() for event in session.pending_events),
            *drawn,
        ]
        assert "could not be judged" in texts[0]
        assert any("could not be judged" in text for text in drawn)
        for text in texts:
            assert "secret-word" not in text
            assert "ConnectionError" not in text

    def test_developers_find_it_in_the_check_and_in_the_cause(self) -> None:
        error = refusal_of(session_in("open", Shop).close)
        *_, late, failed = error.decision.checks
        assert (late.outcome, late.error, late.raised) == (Outcome.VIOLATED, None, "")
        assert failed.outcome is Outcome.ERRORED
        assert failed.error is error.__cause__
        assert failed.raised == f"ConnectionError: {SECRET}"

    def test_it_does_not_travel(self) -> None:
        decision = pickle.loads(pickle.dumps(session_in("open", Shop).evaluate("close")))
        assert decision == session_in("open", Shop).evaluate("close")
        assert [check.error for check in decision.checks] == [None] * len(decision.checks)


class TestRaiseIfRefused:
    """A decision raises what its verb would have raised, or returns itself."""

    @pytest.mark.parametrize(
        ("session", "trigger", "argument"),
        [
            (session_in("closed"), "close", None),
            (session_in("cancelled"), "reopen", None),
            (session_in("closed"), "update", SessionUpdate(state="open")),
            (session_in("open", Shop), "close", None),
            (cart_session(1), "return_items", [ReturnedCartItem(position=4)]),
        ],
    )
    def test_a_refusal_is_that_of_the_verb(self, session: CustomerSession, trigger: str, argument: Any) -> None:
        arguments = () if argument is None else (argument,)
        of_verb = refusal_of(lambda: getattr(session, trigger)(*arguments))
        of_decision = refusal_of(session.evaluate(trigger, *arguments).raise_if_refused)
        assert type(of_decision) is type(of_verb)
        assert str(of_decision) == str(of_verb)
        assert of_decision.args == of_verb.args
        assert type(of_decision.__cause__) is type(of_verb.__cause__)
        if isinstance(of_verb, WrongState):
            assert (of_decision.allowed, of_decision.already) == (of_verb.allowed, of_verb.already)

    def test_an_allowed_decision_is_returned(self) -> None:
        decision = session_in("open").evaluate("close")
        assert decision.raise_if_refused() is decision
        with pytest.raises(InvalidValue, match="close is allowed, so there is no refusal"):
            decision.refusal()

    def test_a_decision_that_has_travelled_raises_without_a_cause(self) -> None:
        decision = pickle.loads(pickle.dumps(session_in("open", Shop).evaluate("close")))
        error = refusal_of(decision.raise_if_refused)
        assert isinstance(error, RuleViolated)
        assert (error.session_id, error.__cause__) == ("order-1042", None)
        assert http_status(error) == 500


ENUM = 'state must be one of the following: "open", "closed", "cancelled"'


class TestKnownTexts:
    """W-19: what integrations compare as a whole is written to the letter."""

    @pytest.mark.parametrize(
        ("do", "text"),
        [
            (
                lambda: session_in("closed").put(SessionUpdate(state="open")),
                'Cannot move session to state "open" from state "closed"',
            ),
            (
                lambda: session_in("cancelled").put(state="open"),
                'Cannot move session to state "open" from state "cancelled"',
            ),
            (session_in("closed").close, "Only open sessions can be closed"),
            (session_in("cancelled").close, "Only open sessions can be closed"),
        ],
    )
    def test_of_a_wrong_state(self, do: Callable[[], object], text: str) -> None:
        envelope = to_error_response(refusal_of(do))
        assert envelope["message"] == text
        assert [entry["details"] for entry in envelope["errors"]] == [text]

    @pytest.mark.parametrize("bad", ["frozen", "OPEN", "", "x" * 100_000, 5, True, ["open"]])
    @pytest.mark.parametrize(
        "read",
        [
            lambda bad: SessionUpdate(state=bad),
            lambda bad: CustomerSession.create("order-1", state=bad),
            lambda bad: session_in("open").put(state=bad),
            lambda bad: wire.loads(json.dumps({"state": bad}), SessionUpdate),
            lambda bad: wire.loads(json.dumps({"customerSession": {"state": bad}}), SessionUpdate),
            lambda bad: wire.structure({"customerSession": {"state": bad}}, SessionUpdate),
        ],
    )
    def test_of_a_state_outside_the_enumeration(self, read: Callable[[Any], object], bad: Any) -> None:
        error = refusal_of(lambda: read(bad))
        assert to_error_response(error)["errors"] == [
            {"title": "enum", "details": ENUM, "source": {"pointer": "/state"}}
        ]
        assert to_error_response(pickle.loads(pickle.dumps(error))) == to_error_response(error)

    def test_of_the_state_in_the_document_of_a_session_which_may_be_partially_returned(self) -> None:
        document = wire.unstructure(session_in("open")) | {"state": "frozen"}
        (entry,) = to_error_response(refusal_of(lambda: wire.structure(document)))["errors"]
        assert (entry["title"], entry["source"]) == ("enum", {"pointer": "/state"})
        assert entry["details"].endswith('"open", "closed", "partially_returned", "cancelled"')

    def test_the_place_of_an_enumeration_within_others_keeps_its_name(self) -> None:
        event = json.loads(wire.dumps(session_in("closed").pending_events[-1])) | {"trigger": "sell"}
        (entry,) = to_error_response(refusal_of(lambda: wire.structure(event, type(_event()))))["errors"]
        assert entry["details"].startswith('trigger must be one of the following: "create", "update"')


def _event() -> Any:
    return session_in("closed").pending_events[-1]


class TestPlaces:
    """W-19: pointers of one request begin in the same place, whichever error carries them."""

    class Strict(CustomerSession):
        rules = (*CustomerSession.rules, attributes_are_declared())

    def test_a_value_that_cannot_be_read_and_one_that_a_rule_forbids(self) -> None:
        cannot_be_read = '{"customerSession":{"attributes":{"Colour":1e400}}}'
        forbidden = wire.loads('{"customerSession":{"attributes":{"Colour":"red"}}}', SessionUpdate)
        of_wire = refusal_of(lambda: wire.loads(cannot_be_read, SessionUpdate))
        of_rule = refusal_of(lambda: self.Strict.create("order-1", forbidden))
        of_value = refusal_of(lambda: SessionUpdate(attributes={"Colour": b"red"}))
        for error, kind in ((of_wire, WireError), (of_rule, RuleViolated), (of_value, InvalidValue)):
            assert isinstance(error, kind)
            assert [entry["source"] for entry in to_error_response(error)["errors"]] == [
                {"pointer": "/attributes/Colour"}
            ]

    def test_a_return(self) -> None:
        body = '{"return":{"returnedCartItems":[{"position":%s}]}}'
        of_wire = refusal_of(lambda: wire.loads(body % -1, wire.ReturnRequest))
        request = wire.loads(body % 7, wire.ReturnRequest)
        of_rule = refusal_of(lambda: cart_session(1).return_items(request))
        for error in (of_wire, of_rule):
            (entry,) = to_error_response(error)["errors"]
            assert entry["source"] == {"pointer": "/returnedCartItems/0/position"}


class TestBounds:
    """However much is wrong, an envelope and a printed error stay short."""

    def test_an_envelope_says_how_many_entries_it_leaves_out(self) -> None:
        entries = [ReturnedCartItem(sku="Z" * 1000, quantity=1)] * 5_000
        error = refusal_of(lambda: cart_session(1).return_items(entries))
        assert len(error.violations) == 5_000
        envelope = to_error_response(error)
        assert len(envelope["errors"]) == 101
        assert envelope["errors"][-1] == {
            "title": "more",
            "details": "4900 further problems not listed",
            "source": {},
        }
        assert len(json.dumps(envelope)) < 50_000
        assert len(str(error)) < 20_000
        assert str(error).endswith("and 4980 more")

    def test_exactly_as_many_as_there_is_room_for_are_all_listed(self) -> None:
        for number, last in ((100, "Invalid value"), (101, "more")):
            envelope = to_error_response(WireError([Problem(f"/{n}", "is wrong") for n in range(number)]))
            assert envelope["errors"][-1]["title"] == last
        assert envelope["errors"][-1]["details"] == "1 further problem not listed"

    def test_a_long_text_is_cut_and_a_long_pointer_is_left_out(self) -> None:
        @rule("own", on=["close"])
        def own() -> Violation:
            """It must be short."""
            return Violation(message="x" * 10_000, pointer="/attributes/" + "y" * 10_000)

        kind = type("Long", (CustomerSession,), {"rules": (own,)})
        (entry,) = to_error_response(refusal_of(session_in("open", kind).close))["errors"]
        assert entry == {"title": "own", "details": "x" * 500 + "...", "source": {}}

    def test_an_error_of_another_kind_is_cut_as_well(self) -> None:
        class Missing(SessionFSMError):
            _status = 404

        assert to_error_response(Missing("x" * 501)) == {"message": "x" * 500 + "...", "errors": []}

    def test_a_value_of_whatever_size_is_not_repeated(self) -> None:
        huge = "x" * 100_000
        for do in (
            lambda: SessionUpdate(state=huge),
            lambda: SessionUpdate(coupon_codes=[huge]),
            lambda: CustomerSession.create(huge),
            lambda: CustomerSession.create("o", attributes={huge: object()}),
            lambda: cart_session(1).return_items([ReturnedCartItem(sku=huge)]),
        ):
            error = refusal_of(do)
            assert len(json.dumps(to_error_response(error))) < 2_000
            assert len(str(error)) < 3_000


class TestAlready:
    """D-06: whoever reads an envelope sees at once that the session already is where it was wanted."""

    @pytest.mark.parametrize(
        ("do", "already"),
        [
            (session_in("closed").close, True),
            (session_in("cancelled").cancel, True),
            (lambda: session_in("closed").put(state="closed"), True),
            (session_in("cancelled").close, False),
            (session_in("closed").update, False),
            (lambda: session_in("closed").put(state="open"), False),
        ],
    )
    def test_in_the_envelope(self, do: Callable[[], object], already: bool) -> None:
        error = refusal_of(do)
        assert error.already is already
        response = from_error_response(json.loads(json.dumps(to_error_response(error))))
        assert response.already is already
        assert [entry.title for entry in response.errors] == ["already_in_state" if already else "wrong_state"]


RECORDED = [
    (
        {
            "message": "The submitted data was invalid",
            "errors": [
                {
                    "title": "Unknown",
                    "details": 'The attribute "MyAttribute" is not defined on CustomerSession entities.',
                    "source": {"pointer": "/attributes/MyAttribute"},
                }
            ],
        },
        ErrorResponse(
            message="The submitted data was invalid",
            errors=(
                ErrorEntry(
                    title="Unknown",
                    details='The attribute "MyAttribute" is not defined on CustomerSession entities.',
                    pointer="/attributes/MyAttribute",
                ),
            ),
        ),
    ),
    (
        {"message": "Too many requests are updating this session at the same time", "StatusCode": 409},
        ErrorResponse(message="Too many requests are updating this session at the same time", status_code=409),
    ),
]


class TestReading:
    """An envelope of the API, of this library or of neither is read as far as it goes."""

    @pytest.mark.parametrize(("envelope", "response"), RECORDED)
    def test_of_the_api(self, envelope: dict[str, Any], response: ErrorResponse) -> None:
        assert from_error_response(envelope) == response
        assert from_error_response(MappingProxyType(envelope)) == response
        assert response.already is False

    def test_of_this_library(self) -> None:
        error = refusal_of(lambda: cart_session(1).return_items([ReturnedCartItem(position=9), ReturnedCartItem()]))
        assert from_error_response(to_error_response(error)) == ErrorResponse(
            message="The submitted data was invalid",
            errors=(
                ErrorEntry(
                    title="return_item_unnamed",
                    details="Entry 1 of the return has neither a position nor a SKU.",
                    pointer="/returnedCartItems/1",
                ),
                ErrorEntry(
                    title="unknown_cart_item",
                    details="The cart has no item at position 9; it holds 1 item.",
                    pointer="/returnedCartItems/0/position",
                ),
            ),
        )

    @pytest.mark.parametrize("odd", [None, 5, "text", [], {}, True, Decimal("4.5"), [None, 5, "x", []], {"a": 1}])
    @pytest.mark.parametrize(
        "wrapped",
        [
            lambda odd: {"message": odd},
            lambda odd: {"errors": odd},
            lambda odd: {"errors": [odd]},
            lambda odd: {"errors": [{"title": odd, "details": odd, "source": odd}]},
            lambda odd: {"errors": [{"source": {"pointer": odd}}]},
            lambda odd: {"StatusCode": odd},
            lambda odd: {"unknown": odd},
        ],
    )
    def test_whatever_else_an_object_holds_is_left_out(self, wrapped: Callable[[Any], Any], odd: Any) -> None:
        response = from_error_response(wrapped(odd))
        assert isinstance(response.message, str)
        assert response.status_code is None or type(response.status_code) is int
        for entry in response.errors:
            assert isinstance(entry.title, str)
            assert isinstance(entry.details, str)
            assert entry.pointer is None or isinstance(entry.pointer, str)

    @pytest.mark.parametrize("odd", [None, 5, "text", [], ["message"], True, b"{}"])
    def test_what_is_no_object_is_refused(self, odd: Any) -> None:
        with pytest.raises(
            InvalidValue, match="an envelope of errors is an object; give the parsed JSON, not its text"
        ):
            from_error_response(odd)


class TestWords:
    def test_numbers_and_their_nouns_agree(self) -> None:
        assert [counted(n, "unit") for n in (0, 1, 2)] == ["0 units", "1 unit", "2 units"]
        assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]

    def test_long_texts_and_long_lists_are_cut(self) -> None:
        assert shortened("x" * 500) == "x" * 500
        assert shortened("abcdef", 3) == "abc..."
        assert joined(map(str, range(20))).endswith("18; 19")
        assert joined(map(str, range(21)), ", ").endswith("18, 19, and 1 more")

    @pytest.mark.parametrize("state", ["open", "closed", "partially_returned", "cancelled"])
    def test_what_the_table_allows_is_said_to_be_subject_to_rules(self, state: str) -> None:
        session = session_in(state)
        refusals: list[TransitionRefused] = [
            refusal_of(decision.raise_if_refused)
            for decision in session.board().values()
            if not decision.allowed and isinstance(decision.refusal(), WrongState)
        ]
        for refusal in refusals:
            assert isinstance(refusal, WrongState)
            if refusal.already:
                assert str(refusal).endswith(f"; the session is {state} already")
            elif refusal.allowed:
                allowed = ", ".join(refusal.allowed)
                assert str(refusal).endswith(f"; from {state} the table allows {allowed}, if no rule forbids it")
            else:
                assert str(refusal).endswith(f"; from {state} the table allows nothing")
        assert refusals

    def test_a_return_of_all_where_nothing_remains_names_no_number(self) -> None:
        """L-07."""
        session = cart_session(1)
        session.return_items([ReturnedCartItem(position=0)])
        for entry in (ReturnedCartItem(position=0), ReturnedCartItem(position=0, quantity=2)):
            (violation,) = session.evaluate("return_items", [entry]).violations
            assert violation.message == "No unit of the item at position 0 remains to be returned."

    @pytest.mark.parametrize(
        ("requested", "held", "text"),
        [
            (2, 1, "2 units of the item at position 0 cannot come back; 1 remains."),
            (3, 2, "3 units of the item at position 0 cannot come back; 2 remain."),
        ],
    )
    def test_units_and_what_remains_of_them_agree(self, requested: int, held: int, text: str) -> None:
        entries = [ReturnedCartItem(position=0, quantity=requested)]
        (violation,) = cart_session(held).evaluate("return_items", entries).violations
        assert violation.message == text

    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_the_size_of_a_cart_agrees(self, number: int) -> None:
        session = CustomerSession.create(
            "o", cart_items=[CartItem(sku=f"S{n}", quantity=1) for n in range(number)], state="closed"
        )
        (violation,) = session.evaluate("return_items", [ReturnedCartItem(position=9)]).violations
        assert violation.message.endswith(f"it holds {counted(number, 'item')}.")
