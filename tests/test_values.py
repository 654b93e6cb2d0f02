"""Values: what each field accepts, and where a refusal points."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from builders import event, item, session_of, variant

from session_fsm import (
    AdditionalCost,
    InvalidValue,
    Product,
    ReturnedCartItem,
    SessionFSMError,
    SessionUpdate,
    State,
)

FLOAT = 19.99
SURROGATE = "half \ud83d of a pair"
NAIVE = datetime(2026, 3, 1)


AMOUNTS_REFUSED = [
    (FLOAT, 'is a binary float and so is not exact; give the string "19.99"'),
    (float("nan"), "binary float"),
    (True, "a boolean is not a number"),
    ("", "is not a number"),
    ("12,5", "is not a number"),
    (" 1", "is not a number"),
    ("1_000", "is not a number"),
    ("NaN", "is not a number"),
    ("Infinity", "is not a number"),
    ("٣", "is not a number"),
    ("+1", "is not a number"),
    (".5", "is not a number"),
    (Decimal("NaN"), "NaN is not finite"),
    (Decimal("sNaN"), "is not finite"),
    (Decimal("Infinity"), "Infinity is not finite"),
    (Decimal("-Infinity"), "is not finite"),
    ("1e400", "out of the range of a JSON number"),
    ("-1e289", "out of the range of a JSON number"),
    ("1e-325", "out of the range of a JSON number"),
    ("1e99999999999999999999999", "not finite"),
    (10**5000, "out of the range of a JSON number"),
    ([1], "a list is not a number"),
    ({"price": 1}, "an object is not a number"),
    (b"1", "a value of type bytes is not a number"),
]
INTEGERS_REFUSED = [
    (True, "a boolean is not an integer"),
    (1.0, "a number (1.0) is not an integer"),
    (Decimal(1), "a number (1) is not an integer"),
    ("1", "a string is not an integer"),
    ([1], "a list is not an integer"),
    (2**63, "does not fit into 64 bits"),
    (10**5000, "does not fit into 64 bits"),
]
TEXTS_REFUSED = [
    (1, "a number is not a string"),
    (True, "a boolean is not a string"),
    (b"text", "a value of type bytes is not a string"),
    (["text"], "a list is not a string"),
    (SURROGATE, "half of a surrogate pair"),
]
TIMES_REFUSED = [
    (NAIVE, "2026-03-01T00:00:00 has no time zone"),
    ("2026-03-01T00:00:00Z", "a string is not a time"),
    (1772323200, "a number is not a time"),
]

DEEP_COST = {"a": AdditionalCost(1), "b/c~d": 5}

# Where -> which field, by which builder; then every value that the kind of field refuses.
FIELDS_BY_KIND: list[tuple[list[tuple[Callable[..., Any], str, str]], list[tuple[Any, str]]]] = [
    (
        [
            (AdditionalCost, "price", "/price"),
            (item, "price", "/price"),
            (item, "weight", "/weight"),
            (item, "height", "/height"),
            (item, "width", "/width"),
            (item, "length", "/length"),
            (session_of, "closure_prediction", "/closurePrediction"),
        ],
        AMOUNTS_REFUSED,
    ),
    (
        [
            (item, "quantity", "/quantity"),
            (item, "position", "/position"),
            (item, "returned_quantity", "/returnedQuantity"),
            (item, "catalog_item_id", "/catalogItemID"),
            (ReturnedCartItem, "position", "/position"),
            (ReturnedCartItem, "quantity", "/quantity"),
            (variant, "experiment_id", "/experimentID"),
            (variant, "variant_id", "/variantID"),
            (session_of, "id", "/id"),
            (session_of, "application_id", "/applicationId"),
            (session_of, "update_count", "/updateCount"),
            (event, "update_count", "/updateCount"),
        ],
        INTEGERS_REFUSED,
    ),
    (
        [
            (item, "sku", "/sku"),
            (item, "name", "/name"),
            (item, "category", "/category"),
            (item, "selected_price_type", "/selectedPriceType"),
            (Product, "name", "/name"),
            (ReturnedCartItem, "sku", "/sku"),
            (session_of, "integration_id", "/integrationId"),
            (session_of, "profile_id", "/profileId"),
            (session_of, "store_integration_id", "/storeIntegrationId"),
            (session_of, "referral_code", "/referralCode"),
            (SessionUpdate, "profile_id", "/profileId"),
            (SessionUpdate, "store_integration_id", "/storeIntegrationId"),
            (SessionUpdate, "referral_code", "/referralCode"),
            (event, "session_id", "/sessionId"),
        ],
        TEXTS_REFUSED,
    ),
    (
        [
            (item, "adjustment_effective_from", "/adjustmentEffectiveFrom"),
            (item, "adjustment_effective_until", "/adjustmentEffectiveUntil"),
            (session_of, "created", "/created"),
            (session_of, "updated", "/updated"),
            (event, "at", "/at"),
        ],
        TIMES_REFUSED,
    ),
]

REFUSED: list[tuple[Callable[..., Any], dict[str, Any], str, str]] = [
    (make, {name: value}, pointer, problem)
    for places, values in FIELDS_BY_KIND
    for (make, name, pointer), (value, problem) in itertools.product(places, values)
]

for make in (session_of, SessionUpdate):
    REFUSED += [
        (make, {"integration_id": ""}, "/integrationId", "is empty"),
        (make, {"integration_id": "x" * 1001}, "/integrationId", "1001 characters; at most 1000"),
    ] * (make is session_of)
    REFUSED += [
        (make, {"store_integration_id": ""}, "/storeIntegrationId", "is empty"),
        (make, {"store_integration_id": "x" * 1001}, "/storeIntegrationId", "has 1001 characters; at most 1000"),
        (make, {"referral_code": "x" * 101}, "/referralCode", "has 101 characters; at most 100"),
        (make, {"coupon_codes": ["x", "x" * 101]}, "/couponCodes/1", "has 101 characters; at most 100"),
        (make, {"coupon_codes": ["x", None]}, "/couponCodes/1", "null is not a string"),
        (make, {"coupon_codes": ["x", "y", SURROGATE]}, "/couponCodes/2", "half of a surrogate pair"),
        (make, {"coupon_codes": "XMAS"}, "/couponCodes", "a string is not a list"),
        (make, {"coupon_codes": b"XMAS"}, "/couponCodes", "a value of type bytes is not a list"),
        (make, {"coupon_codes": {"XMAS": 1}}, "/couponCodes", "an object is not a list"),
        (make, {"coupon_codes": 5}, "/couponCodes", "a number is not a list"),
        (make, {"loyalty_cards": ["a", "b"]}, "/loyaltyCards", "has 2 entries; at most 1 is allowed"),
        (make, {"loyalty_cards": [1]}, "/loyaltyCards/0", "a number is not a string"),
        (make, {"identifiers": list("abcdef")}, "/identifiers", "has 6 entries; at most 5 are allowed"),
        (make, {"identifiers": [True]}, "/identifiers/0", "a boolean is not a string"),
        (make, {"evaluable_campaign_ids": [1, True]}, "/evaluableCampaignIds/1", "a boolean is not an integer"),
        (make, {"evaluable_campaign_ids": [2**63]}, "/evaluableCampaignIds/0", "does not fit into 64 bits"),
        (make, {"state": "returned"}, "/state", 'must be one of the following: "open", "closed"'),
        (make, {"state": "OPEN"}, "/state", 'must be one of the following: "open", "closed"'),
        (make, {"state": 1}, "/state", 'must be one of the following: "open", "closed"'),
        (make, {"cart_items": [item(), {"sku": "A"}]}, "/cartItems/1", "an object is not a CartItem"),
        (make, {"cart_items": item()}, "/cartItems", "a value of type CartItem is not a list"),
        (make, {"additional_costs": {"a": 5}}, "/additionalCosts/a", "a number is not a AdditionalCost"),
        (make, {"additional_costs": DEEP_COST}, "/additionalCosts/b~1c~0d", "is not a AdditionalCost"),
        (make, {"additional_costs": {1: AdditionalCost(1)}}, "/additionalCosts", "a name in it is not a string"),
        (make, {"additional_costs": {SURROGATE: AdditionalCost(1)}}, "/additionalCosts", "a name in it holds half"),
        (make, {"additional_costs": [AdditionalCost(1)]}, "/additionalCosts", "a list is not an object"),
        (make, {"experiment_variant_allocations": [1]}, "/experimentVariantAllocations/0", "is not a Experiment"),
        (make, {"attributes": [1]}, "/attributes", "a list is not an object"),
        (make, {"attributes": "a"}, "/attributes", "a string is not an object"),
    ]
for make in (session_of, SessionUpdate, item):
    REFUSED += [
        (make, {"attributes": {"a": FLOAT}}, "/attributes/a", "binary float"),
        (make, {"attributes": {"a": [1, [2, Decimal("NaN")]]}}, "/attributes/a/1/1", "NaN is not finite"),
        (make, {"attributes": {"a": {"b/c": Decimal("1e400")}}}, "/attributes/a/b~1c", "out of the range"),
        (make, {"attributes": {"a": 2**63}}, "/attributes/a", "does not fit into 64 bits"),
        (make, {"attributes": {"a": [SURROGATE]}}, "/attributes/a/0", "half of a surrogate pair"),
        (make, {"attributes": {"a": NAIVE}}, "/attributes/a", "has no time zone"),
        (make, {"attributes": {"a": {1, 2}}}, "/attributes/a", "a value of type set cannot be written as JSON"),
        (make, {"attributes": {"a": object()}}, "/attributes/a", "cannot be written as JSON"),
        (make, {"attributes": {"a": {1: 2}}}, "/attributes/a", "a name in it is not a string"),
        (make, {"attributes": {1: 2}}, "/attributes", "a name in it is not a string"),
        (make, {"attributes": {"1a": 2}}, "/attributes/1a", "is not the name of an attribute"),
        (make, {"attributes": {"": 2}}, "/attributes/", "is not the name of an attribute"),
        (make, {"attributes": {"a-b": 2}}, "/attributes/a-b", "is not the name of an attribute"),
        (make, {"attributes": {"größe": 2}}, "/attributes/größe", "is not the name of an attribute"),
        (make, {"attributes": {"a\n": 2}}, "/attributes/a\n", "is not the name of an attribute"),
    ]
REFUSED += [
    (item, {"sku": ""}, "/sku", "is empty"),
    (item, {"quantity": 0}, "/quantity", "less than 1"),
    (item, {"quantity": None}, "/quantity", "null is not an integer"),
    (item, {"quantity": -(10**5000)}, "/quantity", "does not fit into 64 bits"),
    (item, {"position": -1}, "/position", "less than 0"),
    (item, {"catalog_item_id": -(2**63) - 1}, "/catalogItemID", "does not fit into 64 bits"),
    (item, {"returned_quantity": -1}, "/returnedQuantity", "less than 0"),
    (item, {"quantity": 2, "returned_quantity": 3}, "/returnedQuantity", "3 units cannot come back of 2"),
    (item, {"product": "Apple"}, "/product", "a string is not a Product"),
    (item, {"adjustment_reference_id": str(UUID(int=1))}, "/adjustmentReferenceId", "a string is not a UUID"),
    (item, {"additional_costs": DEEP_COST}, "/additionalCosts/b~1c~0d", "is not a AdditionalCost"),
    (item, {"prices": {"base": {"price": FLOAT}}}, "/prices/base/price", "binary float"),
    (item, {"prices": 5}, "/prices", "a number is not an object"),
    (ReturnedCartItem, {"position": -1}, "/position", "less than 0"),
    (ReturnedCartItem, {"quantity": 0}, "/quantity", "less than 1"),
    (ReturnedCartItem, {"sku": ""}, "/sku", "is empty"),
    (session_of, {"update_count": 0}, "/updateCount", "less than 1"),
    (session_of, {"first_session": 1}, "/firstSession", "a number is not a boolean"),
    (session_of, {"closure_prediction": "1.01"}, "/closurePrediction", "1.01 is not between 0 and 1"),
    (session_of, {"closure_prediction": "-0.01"}, "/closurePrediction", "-0.01 is not between 0 and 1"),
    (session_of, {"total": FLOAT}, "/total", "binary float"),
    (session_of, {"total": Decimal("NaN")}, "/total", "NaN is not finite"),
    (session_of, {"cart_item_total": "1e309"}, "/cartItemTotal", "out of the range"),
    (session_of, {"additional_cost_total": None}, "/additionalCostTotal", "null is not a number"),
    (
        session_of,
        {"cart_item_additional_cost_total": True},
        "/cartItemAdditionalCostTotal",
        "a boolean is not a number",
    ),
    (event, {"name": "closed"}, "/name", 'must be one of the following: "talon_session_created"'),
    (event, {"trigger": "closing"}, "/trigger", 'must be one of the following: "create"'),
    (event, {"source": "shut"}, "/source", 'must be one of the following: "open", "closed"'),
    (event, {"target": None}, "/target", 'must be one of the following: "open", "closed"'),
    (event, {"session_id": ""}, "/sessionId", "is empty"),
    (event, {"update_count": 0}, "/updateCount", "less than 1"),
    (event, {"change": {"couponCodes": []}}, "/change", "an object is not a SessionUpdate"),
    (event, {"change": (ReturnedCartItem(), 1)}, "/change/1", "a number is not a ReturnedCartItem"),
]


@pytest.mark.parametrize(("make", "fields", "pointer", "problem"), REFUSED)
def test_a_wrong_value_is_refused_with_its_place(
    make: Callable[..., Any], fields: dict[str, Any], pointer: str, problem: str
) -> None:
    """What breaks its own type or length never becomes a value."""
    with pytest.raises(InvalidValue) as refusal:
        make(**fields)
    assert isinstance(refusal.value, SessionFSMError)
    assert isinstance(refusal.value, ValueError)
    assert refusal.value.pointer == pointer
    assert problem in refusal.value.problem


ACCEPTED: list[tuple[Callable[..., Any], str, Any, Any]] = [
    (AdditionalCost, "price", 5, Decimal(5)),
    (AdditionalCost, "price", "-0.00", Decimal("-0.00")),
    (AdditionalCost, "price", "1E2", Decimal("1E+2")),
    (AdditionalCost, "price", Decimal("9.999"), Decimal("9.999")),
    (AdditionalCost, "price", "9.9e288", Decimal("9.9e288")),
    (AdditionalCost, "price", "1e-324", Decimal("1e-324")),
    (item, "quantity", 2**63 - 1, 2**63 - 1),
    (item, "catalog_item_id", -(2**63), -(2**63)),
    (item, "name", "", ""),
    (item, "price", None, None),
    (item, "name", "Äpfel 🍎", "Äpfel 🍎"),
    (item, "attributes", {"a1_B": [1, "x", True, None]}, {"a1_B": (1, "x", True, None)}),
    (item, "attributes", {"at": datetime(2026, 3, 1, 9, tzinfo=UTC)}, {"at": "2026-03-01T09:00:00Z"}),
    (item, "attributes", {"a": None}, {}),
    (session_of, "integration_id", "x" * 1000, "x" * 1000),
    (session_of, "integration_id", "any character / ~ 🍎\n", "any character / ~ 🍎\n"),
    (session_of, "store_integration_id", "x" * 1000, "x" * 1000),
    (session_of, "coupon_codes", ["x" * 100] * 500, ("x" * 100,) * 500),
    (session_of, "coupon_codes", (c for c in "AB"), ("A", "B")),
    (session_of, "referral_code", "x" * 100, "x" * 100),
    (session_of, "identifiers", list("abcde"), tuple("abcde")),
    (session_of, "loyalty_cards", ["a"], ("a",)),
    (session_of, "state", "partially_returned", State.PARTIALLY_RETURNED),
    (session_of, "closure_prediction", 0, Decimal(0)),
    (session_of, "closure_prediction", "1", Decimal(1)),
    (session_of, "closure_prediction", None, None),
    (session_of, "total", "9e308", Decimal("9e308")),
    (session_of, "additional_costs", {"any name / ~": AdditionalCost(1)}, {"any name / ~": AdditionalCost(1)}),
    (SessionUpdate, "state", "closed", State.CLOSED),
    (SessionUpdate, "attributes", {"a": None}, {"a": None}),
    (event, "change", (ReturnedCartItem(position=0),), (ReturnedCartItem(position=0),)),
    (event, "change", SessionUpdate(), SessionUpdate()),
]


@pytest.mark.parametrize(("make", "name", "value", "held"), ACCEPTED)
def test_a_right_value_is_held_exactly(make: Callable[..., Any], name: str, value: Any, held: Any) -> None:
    found = getattr(make(**{name: value}), name)
    assert found == held
    assert type(found) is type(held) or isinstance(held, dict)
    assert str(found) == str(held) or isinstance(held, dict)


class TestTimesInAttributes:
    """F-15: a time is held as the RFC 3339 text that JSON holds."""

    @pytest.mark.parametrize(
        ("moment", "text"),
        [
            (datetime(2026, 3, 1, 9, 0, 1, 5000, tzinfo=UTC), "2026-03-01T09:00:01.005000Z"),
            (datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=-3, minutes=-30))), "2026-03-01T09:00:00-03:30"),
            (datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(seconds=90))), "2026-03-01T08:58:30Z"),
        ],
    )
    def test_it_keeps_its_moment(self, moment: datetime, text: str) -> None:
        assert item(attributes={"at": moment}).attributes["at"] == text
        assert datetime.fromisoformat(text) == moment

    def test_a_time_before_the_first_year_is_refused(self) -> None:
        """An offset of odd seconds can only be written in UTC, where this time has no date."""
        moment = datetime(1, 1, 1, tzinfo=timezone(timedelta(seconds=30)))
        with pytest.raises(InvalidValue) as refusal:
            item(attributes={"at": moment})
        assert refusal.value.pointer == "/attributes/at"


def test_several_problems_of_one_field_are_reported_together() -> None:
    with pytest.raises(InvalidValue) as refusal:
        SessionUpdate(coupon_codes=["x" * 101, "fine", 5])
    assert [problem.pointer for problem in refusal.value.problems] == ["/couponCodes/0", "/couponCodes/2"]
    assert "/couponCodes/2: a number is not a string" in str(refusal.value)


class TestNesting:
    """Attributes may be nested, though not without end, whatever they are nested in."""

    WRAPPERS: list[Callable[[Any], Any]] = [lambda v: [v], lambda v: (v,), lambda v: {"a": v}]

    def nested(self, levels: int, wrap: Callable[[Any], Any]) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = wrap(value)
        return value

    @pytest.mark.parametrize("wrap", WRAPPERS, ids=["list", "tuple", "object"])
    def test_thirty_two_levels_are_accepted(self, wrap: Callable[[Any], Any]) -> None:
        assert SessionUpdate(attributes={"a": self.nested(32, wrap)}).attributes

    @pytest.mark.parametrize("wrap", WRAPPERS, ids=["list", "tuple", "object"])
    @pytest.mark.parametrize("levels", [33, 500, 100_000])
    @pytest.mark.parametrize("make", [session_of, SessionUpdate, item])
    def test_deeper_ones_are_refused(self, wrap: Callable[[Any], Any], levels: int, make: Callable[..., Any]) -> None:
        with pytest.raises(InvalidValue, match="nested deeper than 32 levels") as refusal:
            make(attributes={"a": self.nested(levels, wrap)})
        assert refusal.value.pointer.startswith("/attributes/a/")
