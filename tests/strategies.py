"""What hypothesis builds sessions from."""

from decimal import Decimal

from hypothesis import strategies as st

from session_fsm import AdditionalCost, CartItem, ReturnedCartItem, SessionUpdate

amounts = st.one_of(
    st.integers(-10_000, 10_000).map(Decimal),
    st.decimals(-10_000, 10_000, places=2),
    st.decimals(-1, 1, places=12),
    st.builds(Decimal, st.from_regex(r"-?[1-9][0-9]{0,59}\.[0-9]{1,30}", fullmatch=True)),
)
"""Exact prices, zero, negative and very long ones among them."""

costs = st.dictionaries(st.sampled_from(["shipping", "gift_wrap", "deposit"]), amounts.map(AdditionalCost), max_size=3)

cart_items = st.builds(
    CartItem,
    sku=st.sampled_from("ABC"),
    quantity=st.integers(1, 9),
    price=st.none() | amounts,
    additional_costs=costs,
)
carts = st.lists(cart_items, max_size=5)

codes = st.lists(st.sampled_from(["XMAS", "NEW", ""]), max_size=3)

attributes = st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 3) | st.text(max_size=3), max_size=3)

updates = st.builds(
    SessionUpdate,
    cart_items=st.none() | carts,
    additional_costs=st.none() | costs,
    coupon_codes=st.none() | codes,
    referral_code=st.none() | st.sampled_from(["", "FRIEND"]),
    profile_id=st.none() | st.sampled_from(["", "customer-7"]),
    attributes=st.none() | attributes,
)

returns = st.lists(
    st.builds(
        ReturnedCartItem,
        position=st.none() | st.integers(0, 5),
        quantity=st.none() | st.integers(1, 5),
        sku=st.none() | st.sampled_from("ABCD"),
    ),
    max_size=3,
)
"""Returns, possible and impossible ones."""
