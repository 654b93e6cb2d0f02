"""A class with every rule there is: each row takes place, and each rule refuses alone."""

import inspect
from functools import partial
from typing import Any

import pytest
from builders import EveryRuleSession, cart, fire, session_in, snapshot

from session_fsm import AdditionalCost, CartItem, ReturnedCartItem, Rule, RuleViolated, rules
from session_fsm.lifecycle import TABLE, Row

ROWS = [row for row in TABLE if row.source is not None]
COMPLETE: dict[str, Any] = {"coupon_codes": ["XMAS"], "referral_code": "FRIEND", "identifiers": ["ip-hash"]}
"""What a session needs in order to close."""

FILLINGS = [
    ("too_many_cart_items", {"cart_items": cart(1) * 1001}),  # L-01
    ("too_many_units", {"cart_items": cart(10_001)}),  # L-02
    ("attribute_not_declared", {"attributes": {"Colour": "red"}}),  # O-04
    ("attribute_wrong_type", {"attributes": {"ShippingCity": 5}}),  # O-05
    ("additional_cost_not_declared", {"additional_costs": {"gift_wrap": AdditionalCost("1")}}),  # O-06
    ("price_missing", {"cart_items": [CartItem(sku="A", quantity=1)]}),  # O-07
]
CLOSINGS = [
    ("coupon_code_required", {"coupon_codes": []}),  # O-01
    ("referral_code_required", {"referral_code": ""}),  # O-02
    ("identifier_required", {"identifiers": []}),  # O-03
]
RETURNS = [
    ("nothing_to_return", []),  # L-03
    ("unknown_cart_item", [ReturnedCartItem(position=9)]),  # L-04
    ("sku_position_mismatch", [ReturnedCartItem(position=0, sku="B")]),  # L-05
    ("ambiguous_sku", [ReturnedCartItem(sku="B", quantity=1)]),  # L-06
    ("returns_more_than_remaining", [ReturnedCartItem(position=0, quantity=4)]),  # L-07
    ("return_item_unnamed", [ReturnedCartItem(quantity=1)]),  # L-08
]


def test_the_class_has_every_rule_of_the_package() -> None:
    offered = {name: getattr(rules, name) for name in rules.__all__ if name not in ("Rule", "rule")}
    made = [
        thing if isinstance(thing, Rule) else thing()
        for thing in offered.values()
        if isinstance(thing, Rule) or inspect.isfunction(thing)
    ]
    assert {one.code for one in made} == {one.code for one in EveryRuleSession.rules}


def refused(refusal: pytest.ExceptionInfo[RuleViolated]) -> list[str]:
    return [violation.code for violation in refusal.value.violations]


@pytest.mark.parametrize("state", ["open", "closed"])
def test_a_complete_session_is_created(state: str) -> None:
    """T-01, T-02."""
    session = EveryRuleSession.create("order-1042", state=state, cart_items=cart(3, 1), **COMPLETE)
    assert session.state == state


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_takes_place(row: Row) -> None:
    """T-03 to T-10."""
    session = session_in(row.source, EveryRuleSession)  # type: ignore[arg-type]  # it is not None
    event = fire(session, row.trigger)
    assert (event.source, event.target, event.name) == (row.source, row.target, row.event_name)
    assert session.state is row.target


@pytest.mark.parametrize("state", ["partially_returned", "cancelled"])
def test_no_session_is_created_in_another_state(state: str) -> None:
    """L-09."""
    with pytest.raises(RuleViolated) as refusal:
        EveryRuleSession.create("order-1042", state=state, **COMPLETE)
    assert refused(refusal) == ["state_not_creatable"]


@pytest.mark.parametrize(("code", "content"), FILLINGS, ids=[code for code, _ in FILLINGS])
@pytest.mark.parametrize("verb", ["create", "update", "close"])
def test_a_filling_is_refused_for_one_reason(verb: str, code: str, content: dict[str, Any]) -> None:
    """L-01, L-02, O-04 to O-07."""
    session = EveryRuleSession.create("order-1042", **COMPLETE)
    before = snapshot(session)
    pulled = partial(EveryRuleSession.create, "order-1043") if verb == "create" else getattr(session, verb)
    with pytest.raises(RuleViolated) as refusal:
        pulled(**content)
    assert refused(refusal) == [code]
    assert snapshot(session) == before


@pytest.mark.parametrize(("code", "content"), CLOSINGS, ids=[code for code, _ in CLOSINGS])
def test_a_closing_is_refused_for_one_reason(code: str, content: dict[str, Any]) -> None:
    """O-01 to O-03."""
    session = session_in("open", EveryRuleSession)
    with pytest.raises(RuleViolated) as refusal:
        session.close(**content)
    assert refused(refusal) == [code]
    with pytest.raises(RuleViolated) as refusal:
        EveryRuleSession.create("order-1042", state="closed", **(COMPLETE | content))
    assert refused(refusal) == [code]


@pytest.mark.parametrize(("code", "entries"), RETURNS, ids=[code for code, _ in RETURNS])
def test_a_return_is_refused_for_one_reason(code: str, entries: list[ReturnedCartItem]) -> None:
    """L-03 to L-08."""
    items = [*cart(3, 1), CartItem(sku="B", quantity=1, price="2.50")]
    session = EveryRuleSession.create("order-1042", state="closed", cart_items=items, **COMPLETE)
    with pytest.raises(RuleViolated) as refusal:
        session.return_items(entries)
    assert refused(refusal) == [code]


def test_a_price_may_be_left_to_the_catalog() -> None:
    """O-07."""
    session = EveryRuleSession.create("order-1042", cart_items=[CartItem(sku="IN-CATALOG", quantity=1)])
    assert [item.price for item in session.cart_items] == [None]
