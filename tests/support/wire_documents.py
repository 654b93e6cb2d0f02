"""JSON documents for tests, tables of their fields, and checks that every `WireError` is readable."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pytest

from session_fsm import (
    AdditionalCost,
    CartItem,
    CustomerSession,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionEvent,
    SessionUpdate,
    WireError,
    wire,
)

MINIMAL = {
    "integrationId": "cart 77/a",
    "created": "2026-02-03T04:05:06Z",
    "updated": "2026-02-04T00:00:00.5+01:00",
}
"""The smallest valid session."""
EVENT = {
    "name": "talon_session_closed",
    "sessionId": "cart-77",
    "trigger": "close",
    "target": "closed",
    "at": "2026-02-04T00:00:00Z",
    "updateCount": 2,
}
"""The smallest valid event."""
ITEM = {"sku": "TEA-1", "quantity": 9}
"""The smallest valid cart item."""

STRING, INTEGER, FRACTION, BOOLEAN, LIST, OBJECT = '"word"', "7", "7.25", "true", "[]", "{}"
JSON_KINDS = (STRING, INTEGER, FRACTION, BOOLEAN, LIST, OBJECT)
"""One value of each JSON type except null, which counts as omitted."""
NUMBER = (INTEGER, FRACTION)
NOTHING: tuple[str, ...] = ()


class Field(NamedTuple):
    """A field of a document."""

    number: str
    """The number of its rule."""
    wire: str
    name: str
    text: str
    """A value of it, as JSON text."""
    held: Any
    """The same value in Python."""
    accepts: tuple[str, ...]
    """The members of `JSON_KINDS` that it accepts; none of them is a time, a state or a UUID."""


_LEAF = CartItem(
    sku="TEA-1",
    quantity=3,
    price="9.90",
    position=0,
    returned_quantity=1,
    additional_costs={"deposit": AdditionalCost("0.25")},
)

SESSION_FIELDS = (
    Field("F-01", "id", "id", "90210", 90210, (INTEGER,)),
    Field("F-02", "created", "created", '"2026-02-03T04:05:06Z"', datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), NOTHING),
    Field("F-03", "integrationId", "integration_id", '"cart 77/a"', "cart 77/a", (STRING,)),
    Field("F-04", "applicationId", "application_id", "41", 41, (INTEGER,)),
    Field("F-05", "profileId", "profile_id", '"Zoë"', "Zoë", (STRING,)),
    Field("F-06", "storeIntegrationId", "store_integration_id", '"store-9"', "store-9", (STRING,)),
    Field("F-07", "evaluableCampaignIds", "evaluable_campaign_ids", "[3,5]", (3, 5), (LIST,)),
    Field("F-08", "couponCodes", "coupon_codes", '["LENT-10","TEA"]', ("LENT-10", "TEA"), (LIST,)),
    Field("F-09", "referralCode", "referral_code", '"PAL-4"', "PAL-4", (STRING,)),
    Field("F-10", "loyaltyCards", "loyalty_cards", '["card-12"]', ("card-12",), (LIST,)),
    Field("F-11", "state", "state", '"partially_returned"', "partially_returned", NOTHING),
    Field(
        "F-12",
        "cartItems",
        "cart_items",
        '[{"sku":"TEA-1","quantity":3,"returnedQuantity":1,"remainingQuantity":2,"position":0,"price":9.90,'
        '"additionalCosts":{"deposit":{"price":0.25}}}]',
        (_LEAF,),
        (LIST,),
    ),
    Field(
        "F-13",
        "additionalCosts",
        "additional_costs",
        '{"shipping":{"price":4.50}}',
        {"shipping": AdditionalCost("4.50")},
        (OBJECT,),
    ),
    Field("F-14", "identifiers", "identifiers", '["91b4d1"]', ("91b4d1",), (LIST,)),
    Field(
        "F-15",
        "attributes",
        "attributes",
        '{"City":"Łódź","score":1.50,"vip":true,"since":"2020-01-02T00:00:00Z","at":[50.25,8],"tags":["a","b"]}',
        {
            "City": "Łódź",
            "score": Decimal("1.50"),
            "vip": True,
            "since": "2020-01-02T00:00:00Z",
            "at": (Decimal("50.25"), 8),
            "tags": ("a", "b"),
        },
        (OBJECT,),
    ),
    Field("F-16", "firstSession", "first_session", "false", False, (BOOLEAN,)),
    Field("F-17", "total", "total", "34.950", Decimal("34.95"), NUMBER),
    Field("F-18", "cartItemTotal", "cart_item_total", "29.70", Decimal("29.7"), NUMBER),
    Field("F-19", "additionalCostTotal", "additional_cost_total", "4.50", Decimal("4.5"), NUMBER),
    Field(
        "F-20",
        "updated",
        "updated",
        '"2026-02-04T00:00:00.500000+01:00"',
        datetime(2026, 2, 4, 0, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=1))),
        NOTHING,
    ),
    Field("F-21", "closurePrediction", "closure_prediction", "0.625", Decimal("0.625"), NOTHING),
    Field("F-22", "updateCount", "update_count", "4", 4, (INTEGER,)),
    Field("F-23", "cartItemAdditionalCostTotal", "cart_item_additional_cost_total", "0.75", Decimal("0.75"), NUMBER),
    Field(
        "F-24",
        "experimentVariantAllocations",
        "experiment_variant_allocations",
        '[{"experimentID":2,"variantID":6}]',
        (ExperimentVariantAllocation(experiment_id=2, variant_id=6),),
        (LIST,),
    ),
)
"""Every field of a session (F-01 to F-24)."""

_REFERENCE = "5a5d7a6e-0c1f-4a39-9e1b-3f8f0f6f7a10"
_PRICES = '{"base":{"price":12.0},"member":{"price":9.90,"adjustmentReferenceId":null}}'

ITEM_FIELDS = (
    Field("F-12", "sku", "sku", '"TEA-1"', "TEA-1", (STRING,)),
    Field("F-12", "quantity", "quantity", "3", 3, (INTEGER,)),
    Field("F-12", "name", "name", '"Green tea"', "Green tea", (STRING,)),
    Field("F-12", "price", "price", "9.90", Decimal("9.9"), NUMBER),
    Field("F-12", "category", "category", '"tea"', "tea", (STRING,)),
    Field("F-12", "product", "product", '{"name":"Tea"}', Product("Tea"), NOTHING),
    Field("F-12", "weight", "weight", "250", Decimal(250), NUMBER),
    Field("F-12", "height", "height", "120.5", Decimal("120.5"), NUMBER),
    Field("F-12", "width", "width", "60", Decimal(60), NUMBER),
    Field("F-12", "length", "length", "0.75", Decimal("0.75"), NUMBER),
    Field("F-12", "attributes", "attributes", '{"organic":true}', {"organic": True}, (OBJECT,)),
    Field(
        "F-12",
        "additionalCosts",
        "additional_costs",
        '{"deposit":{"price":0.25}}',
        {"deposit": AdditionalCost("0.25")},
        (OBJECT,),
    ),
    Field("F-12", "position", "position", "0", 0, (INTEGER,)),
    Field("F-12", "returnedQuantity", "returned_quantity", "1", 1, (INTEGER,)),
    Field("F-12", "remainingQuantity", "remaining_quantity", "2", 2, (INTEGER,)),
    Field("F-12", "catalogItemID", "catalog_item_id", "815", 815, (INTEGER,)),
    Field("F-12", "selectedPriceType", "selected_price_type", '"member"', "member", (STRING,)),
    Field(
        "F-12",
        "adjustmentReferenceId",
        "adjustment_reference_id",
        f'"{_REFERENCE}"',
        UUID(_REFERENCE),
        NOTHING,
    ),
    Field(
        "F-12",
        "adjustmentEffectiveFrom",
        "adjustment_effective_from",
        '"2026-01-01T00:00:00Z"',
        datetime(2026, 1, 1, tzinfo=UTC),
        NOTHING,
    ),
    Field(
        "F-12",
        "adjustmentEffectiveUntil",
        "adjustment_effective_until",
        '"2026-12-31T23:59:59Z"',
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        NOTHING,
    ),
    Field(
        "F-12",
        "prices",
        "prices",
        _PRICES,
        {"base": {"price": Decimal(12)}, "member": {"price": Decimal("9.9"), "adjustmentReferenceId": None}},
        (OBJECT,),
    ),
)
"""Every field of a cart item."""

SET_BY_TALON_ONE = tuple(field.wire for field in ITEM_FIELDS[-9:])
"""The fields of an item that are read-only in a request (U-10)."""

UPDATE_FIELDS = tuple(
    field for field in SESSION_FIELDS if field.name in {attribute.name for attribute in attrs.fields(SessionUpdate)}
)
RETURNED_ITEM_FIELDS = (
    Field("F-12", "position", "position", "2", 2, (INTEGER,)),
    Field("F-12", "quantity", "quantity", "4", 4, (INTEGER,)),
    Field("F-12", "sku", "sku", '"TEA-1"', "TEA-1", (STRING,)),
)
EVENT_FIELDS = (
    Field("D-09", "name", "name", '"talon_session_updated"', "talon_session_updated", NOTHING),
    Field("D-09", "sessionId", "session_id", '"cart-77"', "cart-77", (STRING,)),
    Field("D-09", "trigger", "trigger", '"update"', "update", NOTHING),
    Field("D-09", "source", "source", '"open"', "open", NOTHING),
    Field("D-09", "target", "target", '"open"', "open", NOTHING),
    Field("D-09", "at", "at", '"2026-02-04T00:00:00Z"', datetime(2026, 2, 4, tzinfo=UTC), NOTHING),
    Field("D-09", "updateCount", "update_count", "3", 3, (INTEGER,)),
    Field("D-09", "change", "change", '{"couponCodes":["TEA"]}', SessionUpdate(coupon_codes=["TEA"]), (OBJECT,)),
)


def text_of(fields: Iterable[Field]) -> str:
    """Return a document with *fields*."""
    return "{" + ",".join(f'"{field.wire}":{field.text}' for field in fields) + "}"


SESSION = text_of(SESSION_FIELDS).replace(SESSION_FIELDS[11].text, f"[{text_of(ITEM_FIELDS)}]")
"""A session in which every field has a value, including those of its cart item."""
UPDATE = (
    text_of(UPDATE_FIELDS)
    .replace('"partially_returned"', '"closed"')
    .replace(SESSION_FIELDS[11].text, f"[{text_of(ITEM_FIELDS[:-9])}]")
)
"""An update in which every field has a value."""
RETURN = f'{{"returnedCartItems":[{text_of(RETURNED_ITEM_FIELDS)},{{"sku":"A~1/2"}}]}}'
FULL_EVENT = text_of(EVENT_FIELDS)
DOCUMENTS = {
    CustomerSession: SESSION,
    SessionUpdate: UPDATE,
    wire.ReturnRequest: RETURN,
    SessionEvent: FULL_EVENT,
    CartItem: text_of(ITEM_FIELDS),
    ReturnedCartItem: text_of(RETURNED_ITEM_FIELDS),
    AdditionalCost: '{"price":4.50}',
    Product: '{"name":"Tea"}',
    ExperimentVariantAllocation: '{"experimentID":2,"variantID":6}',
}
"""A full document of every class that can be read."""


def parsed(text: str | bytes) -> Any:
    """Parse JSON as the standard library does, but with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def digits(text: str | bytes) -> Any:
    """Parse JSON with every number as the text of its digits."""
    return json.loads(text, parse_float=lambda number: ["number", number], parse_int=lambda number: ["number", number])


def session_with(**members: Any) -> dict[str, Any]:
    """Return the minimal session with *members*."""
    return MINIMAL | members


def with_text(document: dict[str, Any], name: str, value: str) -> str:
    """Return *document* as JSON text, with the JSON text *value* for *name*."""
    members = [f"{json.dumps(key)}:{json.dumps(member)}" for key, member in document.items() if key != name]
    return "{" + ",".join([*members, f"{json.dumps(name)}:{value}"]) + "}"


def contents(session: CustomerSession) -> dict[str, Any]:
    """Return the values of a session, without its pending events."""
    return {a.name: getattr(session, a.name) for a in attrs.fields(type(session)) if not a.name.startswith("_")}


_UNREADABLE = ("Traceback", "object at 0x", "<class", "NoneType", "recursion", "sub-exception", "__", "hook")
"""Words that would expose Python internals in a message about a document."""


def pointers_of(error: WireError) -> list[str]:
    """Return the pointers of the problems, after checking that their texts are readable."""
    assert error.problems
    for problem in error.problems:
        assert problem.pointer == "" or problem.pointer.startswith("/")
        assert problem.text.strip()
        assert len(problem.text) < 300
        assert not [word for word in _UNREADABLE if word in problem.text]
    assert str(error).encode("utf-8")  # it can be printed and logged
    return [problem.pointer for problem in error.problems]


def refusal_of(data: Any, kind: Any = CustomerSession, **settings: Any) -> list[str]:
    """Read an invalid document, and return the pointers of its problems."""
    read: Any = wire.structure if isinstance(data, dict) else wire.loads
    with pytest.raises(WireError) as caught:
        read(data, kind, **settings)
    return pointers_of(caught.value)
