"""What a rule costs grows with what is asked plus what is held, never with their product.

Nothing here takes the time. The work of a rule on SKUs or names is to compare and hash them, so these are strings that
count how often that happens; and functions that are called are counted by the interpreter's profiler.
"""

import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from session_fsm import AdditionalCost, CartItem, CustomerSession, ReturnedCartItem, TransitionRefused
from session_fsm.errors import to_error_response
from session_fsm.rules import (
    BUILT_IN,
    Rule,
    additional_costs_are_declared,
    attributes_are_declared,
    attributes_have_declared_types,
    coupon_code_required,
    identifier_required,
    prices_are_known,
    referral_code_required,
)

MANY = 1000
COST = AdditionalCost(Decimal(1))


class Counted(str):
    """A string that counts how often one of its kind is compared or hashed."""

    __slots__ = ()
    uses = 0

    def __eq__(self, other: object) -> bool:
        Counted.uses += 1
        return str.__eq__(self, str(other))

    def __hash__(self) -> int:
        Counted.uses += 1
        return str.__hash__(self)


def uses(do: Callable[[], object]) -> int:
    """Return how many comparisons and hashes of counted strings *do* takes."""
    Counted.uses = 0
    do()
    return Counted.uses


def calls(do: Callable[[], object]) -> int:
    """Return how many functions *do* calls, those written in C as well."""
    number = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(before)
    return number


def closed(skus: Iterable[str]) -> CustomerSession:
    return CustomerSession.create("o", state="closed", cart_items=[CartItem(sku=sku, quantity=9) for sku in skus])


def back(skus: Iterable[str]) -> list[ReturnedCartItem]:
    return [ReturnedCartItem(sku=sku, quantity=1) for sku in skus]


RETURNS: dict[str, Callable[[int, int], tuple[Iterable[str], Iterable[str]]]] = {
    "each SKU once": lambda items, entries: (map(str, range(items)), (str(n % items) for n in range(entries))),
    "the last SKU alone": lambda items, entries: (map(str, range(items)), [str(items - 1)] * entries),
    "SKUs that are not there": lambda items, entries: (map(str, range(items)), ["none"] * entries),
    "a SKU on every item": lambda items, entries: (["A"] * items, ["A"] * entries),
}


@pytest.mark.parametrize("shape", RETURNS.values(), ids=RETURNS)
class TestReturns:
    """The cost of judging a return grows with the entries plus the items."""

    def test_skus_are_compared_a_few_times_for_each_entry_and_item(
        self, shape: Callable[[int, int], tuple[Iterable[str], Iterable[str]]]
    ) -> None:
        cart, entries = shape(MANY, 3 * MANY)
        session, returned = closed(map(Counted, cart)), back(map(Counted, entries))
        assert 0 < uses(lambda: session.evaluate("return_items", returned)) < 20 * 4 * MANY

    def test_twice_as_many_entries_and_items_take_twice_as_many_calls(
        self, shape: Callable[[int, int], tuple[Iterable[str], Iterable[str]]]
    ) -> None:
        def cost(items: int, entries: int) -> int:
            cart, returned = shape(items, entries)
            session, asked = closed(cart), back(returned)
            return calls(lambda: to_error_response_of(session, asked))

        assert cost(400, 800) < 2.5 * cost(200, 400)


def to_error_response_of(session: CustomerSession, entries: list[ReturnedCartItem]) -> None:
    """Return *entries*, and write and print whatever refuses it."""
    try:
        session.return_items(entries)
    except TransitionRefused as refusal:
        to_error_response(refusal)
        str(refusal)


def test_what_an_ambiguous_sku_says_does_not_grow_with_the_cart() -> None:
    """L-06."""
    (violation,) = closed(["A"] * MANY).evaluate("return_items", back(["A"])).violations
    assert violation.message == 'The SKU "A" stands at positions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more; give one.'
    assert violation.details == {"sku": "A", "positions": list(range(10)), "count": MANY}


NAMES = [f"a{n}" for n in range(MANY)]
OPTIONAL: dict[str, Rule] = {
    "attributes_are_declared": attributes_are_declared(
        session=[*map(Counted, NAMES)], cart_item=[*map(Counted, NAMES)]
    ),
    "attributes_have_declared_types": attributes_have_declared_types(
        session={Counted(name): "number" for name in NAMES}, cart_item={Counted(name): "number" for name in NAMES}
    ),
    "additional_costs_are_declared": additional_costs_are_declared(
        session=[*map(Counted, NAMES)], cart_item=[*map(Counted, NAMES)]
    ),
    "prices_are_known": prices_are_known(catalog=[*map(Counted, NAMES)]),
}


@pytest.mark.parametrize("one", OPTIONAL.values(), ids=OPTIONAL)
@pytest.mark.parametrize("known", [True, False])
def test_a_name_is_looked_up_at_one_cost_however_many_are_declared(one: Rule, known: bool) -> None:
    """O-04 to O-07, with lists for what is declared."""
    names = NAMES if known else [f"b{n}" for n in range(MANY)]
    items = [CartItem(sku=name, quantity=1, attributes={name: 1}, additional_costs={name: COST}) for name in names]
    seen: dict[str, Any] = {
        "attributes": dict.fromkeys(names, 1),
        "cart_items": tuple(items),
        "additional_costs": dict.fromkeys(names, COST),
    }
    answer = one.function(**{name: seen[name] for name in one.parameters})
    assert uses(lambda: list(answer)) < 10 * MANY


def test_a_catalog_that_is_a_set_or_a_mapping_of_the_service_s_own_may_change() -> None:
    """O-07."""
    catalog = {"A"}
    rule = prices_are_known(catalog=catalog)
    items = (CartItem(sku="B", quantity=1),)
    assert [*rule.function(cart_items=items)] != []
    catalog.add("B")
    assert [*rule.function(cart_items=items)] == []


def test_a_catalog_that_can_be_gone_through_once_is_kept() -> None:
    """O-07."""
    rule = prices_are_known(catalog=iter(["A", "B"]))
    items = (CartItem(sku="B", quantity=1), CartItem(sku="A", quantity=1))
    assert [*rule.function(cart_items=items)] == [*rule.function(cart_items=items)] == []


EVERY = [
    *BUILT_IN,
    *(coupon_code_required, referral_code_required, identifier_required),
    *OPTIONAL.values(),
]


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.code)
def test_every_rule_says_what_must_be(one: Rule) -> None:
    """So a refusal that shows the rule's words does not state the opposite of the problem."""
    assert " must " in one.text
