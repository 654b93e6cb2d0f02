"""The JSON of decisions, violations and boards."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest

from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    ReturnedCartItem,
    RuleViolated,
    State,
    Trigger,
    Violation,
    wire,
)


def closed() -> CustomerSession:
    item = CartItem(sku="MUG", quantity=2, price="12.50")
    return CustomerSession.create("order-1", cart_items=[item], state="closed")


class _Colour(Enum):
    RED = "red"


class _Size(IntEnum):
    LARGE = 3


class TestADecision:
    def test_that_is_allowed_has_no_violations(self) -> None:
        assert wire.unstructure(closed().evaluate("reopen")) == {
            "trigger": "reopen",
            "allowed": True,
            "source": "closed",
            "target": "open",
            "eventName": "talon_session_reopened",
            "violations": [],
        }

    def test_that_the_table_refuses_has_no_target(self) -> None:
        assert wire.unstructure(closed().evaluate("update")) == {
            "trigger": "update",
            "allowed": False,
            "source": "closed",
            "target": None,
            "eventName": None,
            "violations": [
                {
                    "code": "wrong_state",
                    "message": "Only open sessions can be updated",
                    "details": {"state": "closed"},
                    "pointer": None,
                }
            ],
        }

    def test_of_a_creation_has_no_source(self) -> None:
        with pytest.raises(RuleViolated) as refused:
            CustomerSession.create("order-1", state="cancelled")
        document = wire.unstructure(refused.value.decision)
        assert (document["trigger"], document["source"]) == ("create", None)

    def test_that_a_rule_refuses_has_every_reason_with_its_place(self) -> None:
        decision = closed().evaluate("return_items", [ReturnedCartItem(sku="MUG", quantity=3)])
        assert json.loads(wire.dumps(decision, indent=2))["violations"] == [
            {
                "code": "returns_more_than_remaining",
                "message": "3 units of the item at position 0 cannot come back; 2 remain.",
                "details": {"position": 0, "requested": 3, "remaining": 2},
                "pointer": "/returnedCartItems/0/quantity",
            }
        ]

    def test_consists_of_plain_types(self) -> None:
        """A codec of the service's own writes it: the members of enumerations are their values."""
        document = wire.unstructure(closed().evaluate("reopen"))
        assert {type(value) for value in document.values()} == {str, bool, list}


class TestABoard:
    def test_has_the_decision_of_every_trigger(self) -> None:
        board = closed().board()
        document = wire.unstructure(board)
        assert list(document) == ["update", "close", "cancel", "return_items", "reopen"]
        assert document == {trigger.value: wire.unstructure(decision) for trigger, decision in board.items()}
        assert json.loads(wire.dumps(board)) == document

    @pytest.mark.parametrize("value", [{}, {Trigger.CLOSE: True}])
    def test_is_a_mapping_of_decisions(self, value: object) -> None:
        with pytest.raises(InvalidValue, match="an object cannot be written; give a session"):
            wire.dumps(value)


class TestDetails:
    @pytest.mark.parametrize(
        ("given", "written"),
        [
            (Decimal("12.50"), b"12.50"),
            (0.1, b"0.1"),
            (Decimal("NaN"), b'"NaN"'),
            (float("inf"), b'"Infinity"'),
            (True, b"true"),
            (None, b"null"),
            (State.OPEN, b'"open"'),
            (_Colour.RED, b'"red"'),
            (_Size.LARGE, b"3"),
            (datetime(2026, 9, 14, 12, tzinfo=UTC), b'"2026-09-14T12:00:00Z"'),
            (datetime(2026, 9, 14, 12), b'"2026-09-14T12:00:00"'),
            (date(2026, 9, 14), b'"2026-09-14"'),
            (UUID(int=7), b'"00000000-0000-0000-0000-000000000007"'),
            ((1, {"a": [Decimal("1.0")], 2: "b"}), b'[1,{"a":[1.0],"2":"b"}]'),
            ("x" * 600, b'"' + b"x" * 600 + b'"'),
            (object, b"\"<class 'object'>\""),
        ],
    )
    def test_are_exact_and_are_text_where_json_has_nothing_else(self, given: Any, written: bytes) -> None:
        violation = Violation(code="own", message="No.", details={"value": given})
        assert wire.dumps(violation) == (
            b'{"code":"own","message":"No.","details":{"value":%s},"pointer":null}' % written
        )

    def test_end_where_they_are_nested_too_deeply(self) -> None:
        endless: list[Any] = []
        endless.append(endless)
        violation = Violation(code="own", message="No.", details={"value": endless})
        assert b'"[[...]]"' in wire.dumps(violation)
