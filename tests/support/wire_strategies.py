"""Hypothesis strategies for documents, sessions, requests and events, with values in every field."""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from wire_documents import DOCUMENTS

from session_fsm import (
    AdditionalCost,
    CartItem,
    CustomerSession,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
    State,
    wire,
)

words = st.text(st.characters(codec="utf-8"), max_size=8)
"""Any text that UTF-8 can encode, including control characters."""
some_words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
integers = st.integers(-(2**63), 2**63 - 1)
numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(Decimal),
    st.decimals(-(10**6), 10**6, places=2),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**18), 10**18), st.integers(-40, 40)
    ),
    st.from_regex(r"-?[1-9][0-9]{0,40}\.[0-9]{1,40}", fullmatch=True).map(Decimal),
)
"""Exact numbers: integers, prices, very long numbers, and numbers with exponents."""
times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).flatmap(
    lambda naive: st.integers(-1439, 1439).map(
        lambda minutes: naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    )
)

attribute_names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
plain = st.none() | st.booleans() | integers | numbers | words
json_values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)
"""Any Python value of an attribute."""
attributes = st.dictionaries(attribute_names, json_values, max_size=3)
costs = st.dictionaries(words, st.builds(AdditionalCost, numbers), max_size=2)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def items(draw: st.DrawFn, **settings: Any) -> CartItem:
    """Return a cart item as Talon.One returns it, with read-only fields and returned quantity."""
    quantity = draw(st.integers(1, 50))
    return CartItem(
        sku=draw(some_words),
        quantity=quantity,
        returned_quantity=draw(st.integers(0, quantity)),
        **{
            name: draw(strategy)
            for name, strategy in {
                "name": maybe(words),
                "price": maybe(numbers),
                "category": maybe(words),
                "product": maybe(st.builds(Product, words)),
                "weight": maybe(numbers),
                "height": maybe(numbers),
                "width": maybe(numbers),
                "length": maybe(numbers),
                "attributes": attributes,
                "additional_costs": costs,
                "position": maybe(st.integers(0, 2**40)),
                "catalog_item_id": maybe(integers),
                "selected_price_type": maybe(words),
                "adjustment_reference_id": maybe(st.uuids() | st.just(UUID(int=0))),
                "adjustment_effective_from": maybe(times),
                "adjustment_effective_until": maybe(times),
                "prices": st.dictionaries(words, json_values, max_size=2),
                **settings,
            }.items()
        },
    )


fields_of_update: dict[str, st.SearchStrategy[Any]] = {
    "profile_id": words,
    "store_integration_id": some_words,
    "evaluable_campaign_ids": st.lists(integers, max_size=3),
    "coupon_codes": st.lists(words, max_size=3),
    "referral_code": words,
    "loyalty_cards": st.lists(words, max_size=1),
    "cart_items": st.lists(items(), max_size=3),
    "additional_costs": costs,
    "identifiers": st.lists(words, max_size=5),
    "attributes": attributes,
    "experiment_variant_allocations": st.lists(
        st.builds(ExperimentVariantAllocation, experiment_id=integers, variant_id=integers), max_size=2
    ),
}
changes = st.fixed_dictionaries({}, optional=fields_of_update)
"""Each field is independently omitted, empty or set."""
updates = st.builds(lambda given, state: SessionUpdate(**given, state=state), changes, maybe(st.sampled_from(State)))
returned_items = st.builds(
    ReturnedCartItem,
    position=maybe(st.integers(0, 2**40)),
    quantity=maybe(st.integers(1, 2**40)),
    sku=maybe(some_words),
)
return_requests = st.builds(wire.ReturnRequest, returned_cart_items=st.lists(returned_items, max_size=4))

PATHS = {
    State.OPEN: ([], ["update"], ["close", "reopen"], ["update", "close", "reopen", "update"]),
    State.CLOSED: (["close"], ["update", "close"], ["close", "reopen", "close"]),
    State.PARTIALLY_RETURNED: (["close", "return_items"], ["close", "return_items", "return_items"]),
    State.CANCELLED: (["cancel"], ["close", "cancel"], ["close", "return_items", "cancel"]),
}
"""Operation sequences that lead to each state."""


@st.composite
def sessions(draw: st.DrawFn, state: State | None = None) -> CustomerSession:
    """Return a session that its methods have brought to *state*, or to any state."""
    fields = draw(changes)
    returnable = [CartItem(sku="sure", quantity=9, price=draw(numbers))]
    fields["cart_items"] = returnable + list(fields.get("cart_items", ()))
    session = CustomerSession.create(
        draw(some_words),
        id=draw(maybe(integers)),
        application_id=draw(maybe(integers)),
        first_session=draw(st.booleans()),
        now=draw(times),
        **fields,
    )
    for verb in draw(st.sampled_from(PATHS[state or draw(st.sampled_from(State))])):
        now = draw(times)
        if verb == "return_items":
            session.return_items([ReturnedCartItem(position=0, quantity=draw(st.integers(1, 4)))], now=now)
        elif verb in ("update", "close"):
            change = {name: value for name, value in draw(changes).items() if name != "cart_items"}
            getattr(session, verb)(now=now, **change)
        else:
            getattr(session, verb)(now=now)
    return session


events = sessions().map(CustomerSession.take_events).flatmap(st.sampled_from)

names = st.sampled_from(sorted({name for text in DOCUMENTS.values() for name in re.findall(r'"(\w+)":', text)}))
"""The member names of the documents."""
fragments = st.sampled_from(
    [
        "",
        "open",
        "closed",
        "talon_session_closed",
        "close",
        "2026-02-03T04:05:06Z",
        "2026-02-03T04:05:06",
        "\ud800",
        "TEA-1",
    ]
)
any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=True)
    | st.text(max_size=5)
    | fragments,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
"""Any value that a JSON parser may return, and some others, often under known member names."""
