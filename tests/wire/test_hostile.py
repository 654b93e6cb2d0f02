"""Hostile documents: each gets a WireError that names the place, in bounded memory, and nothing else."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from wire_documents import (
    BOOLEAN,
    DOCUMENTS,
    EVENT,
    EVENT_FIELDS,
    FRACTION,
    INTEGER,
    ITEM,
    ITEM_FIELDS,
    JSON_KINDS,
    LIST,
    MINIMAL,
    OBJECT,
    RETURNED_ITEM_FIELDS,
    SESSION_FIELDS,
    SET_BY_TALON_ONE,
    STRING,
    UPDATE_FIELDS,
    Field,
    refusal_of,
    session_with,
    with_text,
)

from session_fsm import CartItem, CustomerSession, ReturnedCartItem, SessionEvent, SessionUpdate, wire

NULL = "null"


def cases(kind: Any, document: dict[str, Any], fields: tuple[Field, ...]) -> list[Any]:
    """Return every field with every type of JSON: kind, document, field, value."""
    return [
        pytest.param(kind, document, field, value, id=f"{kind.__name__}-{field.wire}-{value}")
        for field in fields
        for value in JSON_KINDS
    ]


REQUESTED = tuple(field for field in ITEM_FIELDS if field.wire not in SET_BY_TALON_ONE)
ALL_CASES = [
    *cases(CustomerSession, MINIMAL | {"profileId": "p"}, SESSION_FIELDS),
    *cases(CartItem, ITEM, ITEM_FIELDS),
    *cases(SessionUpdate, {}, UPDATE_FIELDS),
    *cases(ReturnedCartItem, {}, RETURNED_ITEM_FIELDS),
    *cases(SessionEvent, EVENT, EVENT_FIELDS),
]


class TestWrongTypes:
    """Section 4: a field takes its own type and no other; a boolean is not an integer, a string is not a number."""

    @pytest.mark.parametrize(("kind", "document", "field", "value"), ALL_CASES)
    def test_a_field_takes_its_own_type_alone(self, kind: Any, document: dict[str, Any], field: Field, value: str):
        text = with_text(document, field.wire, value)
        if value in field.accepts:
            written = json.loads(wire.dumps(wire.loads(text, kind)))
            assert written.get(field.wire, json.loads(value)) == json.loads(value)
        else:
            inner = "/name" if (field.wire, value) == ("product", OBJECT) else ""
            assert refusal_of(text, kind) == [f"/{field.wire}{inner}"]

    @pytest.mark.parametrize("field", REQUESTED, ids=lambda field: field.wire)
    @pytest.mark.parametrize("value", JSON_KINDS)
    def test_so_does_a_field_of_an_item_in_a_request(self, field: Field, value: str):
        text = f'{{"cartItems":[{with_text(ITEM, field.wire, value)}]}}'
        if value in field.accepts:
            assert len(wire.loads(text, SessionUpdate).cart_items) == 1
        else:
            inner = "/name" if (field.wire, value) == ("product", OBJECT) else ""
            assert refusal_of(text, SessionUpdate) == [f"/cartItems/0/{field.wire}{inner}"]

    ELEMENTS = {
        "evaluableCampaignIds": (INTEGER,),
        "couponCodes": (STRING,),
        "loyaltyCards": (STRING,),
        "identifiers": (STRING,),
        "cartItems": (),
        "experimentVariantAllocations": (),
    }

    @pytest.mark.parametrize("kind", [CustomerSession, SessionUpdate])
    @pytest.mark.parametrize("value", [*JSON_KINDS, NULL])
    @pytest.mark.parametrize("name", ELEMENTS)
    def test_the_elements_of_a_list_are_of_its_type(self, name: str, value: str, kind: Any):
        document = MINIMAL if kind is CustomerSession else {}
        text = with_text(document, name, f"[{value}]")
        if value in self.ELEMENTS[name]:
            assert len(json.loads(wire.dumps(wire.loads(text, kind)))[name]) == 1
        else:
            assert {pointer.split("/")[1:3] == [name, "0"] for pointer in refusal_of(text, kind)} == {True}

    @pytest.mark.parametrize("value", [*JSON_KINDS, NULL])
    def test_the_members_of_a_map_are_of_its_type(self, value: str):
        costs = f'{{"additionalCosts":{{"a~/b":{value}}}}}'
        assert refusal_of(costs, SessionUpdate)[0].startswith("/additionalCosts/a~0~1b")
        attributes = f'{{"attributes":{{"name":{value}}}}}'
        assert set(wire.loads(attributes, SessionUpdate).attributes) == {"name"}

    @pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("text", [STRING, INTEGER, FRACTION, BOOLEAN, LIST, NULL, "[{}]"])
    def test_a_document_is_an_object(self, kind: Any, text: str):
        assert refusal_of(text, kind) == [""]

    WORDS = {"state": "returned", "name": "talon_session_lost", "trigger": "pay", "source": "OPEN", "target": ""}

    @pytest.mark.parametrize("name", WORDS)
    def test_a_word_is_one_of_those_that_there_are(self, name: str):
        kind, document = (CustomerSession, MINIMAL) if name == "state" else (SessionEvent, EVENT)
        for word in (self.WORDS[name], " closed", "Closed", "x" * 100_000):
            assert refusal_of(document | {name: word}, kind) == [f"/{name}"]


class TestLimits:
    """F-03, F-06, F-08 to F-10, F-14, F-15, F-21, F-22: what breaks a length or a range is refused where it stands."""

    @pytest.mark.parametrize(
        ("name", "fits", "breaks", "pointer"),
        [
            ("integrationId", "x" * 1000, "x" * 1001, ""),
            ("integrationId", " ", "", ""),
            ("storeIntegrationId", "x" * 1000, "x" * 1001, ""),
            ("couponCodes", ["x" * 100] * 300, ["x", "x" * 101], "/1"),
            ("referralCode", "x" * 100, "x" * 101, ""),
            ("loyaltyCards", ["x"], ["x", "y"], ""),
            ("identifiers", ["x"] * 5, ["x"] * 6, ""),
            ("attributes", {"A_1": 1}, {"1A": 1}, "/1A"),
            ("attributes", {"a": 1}, {"": 1}, "/"),
            ("attributes", {"a": 1}, {"é": 1}, "/é"),
            ("closurePrediction", 1, Decimal("1.0001"), ""),
            ("closurePrediction", 0, Decimal("-0.0001"), ""),
            ("updateCount", 1, 0, ""),
            ("id", 2**63 - 1, 2**63, ""),
            ("id", -(2**63), -(2**63) - 1, ""),
            ("cartItems", [ITEM | {"quantity": 1}], [ITEM | {"quantity": 0}], "/0/quantity"),
            ("cartItems", [ITEM | {"position": 0}], [ITEM | {"position": -1}], "/0/position"),
            ("cartItems", [ITEM | {"price": Decimal("-1.5")}], [ITEM | {"sku": ""}], "/0/sku"),
        ],
    )
    def test_a_limit_holds_to_the_last(self, name: str, fits: Any, breaks: Any, pointer: str):
        assert wire.structure(session_with(**{name: fits})).integration_id
        assert refusal_of(session_with(**{name: breaks})) == [f"/{name}{pointer}"]


class TestNumbersThatAreNone:
    """Section 4: numbers are finite and exact, and integers fit into 64 bits."""

    INTEGERS = ("id", "applicationId", "updateCount")
    LISTS = {"evaluableCampaignIds": "[1,{}]", "experimentVariantAllocations": '[{{"experimentID":{},"variantID":1}}]'}
    NUMBERS = ("total", "cartItemTotal", "additionalCostTotal", "cartItemAdditionalCostTotal", "closurePrediction")
    EVERYWHERE = (*INTEGERS, *NUMBERS, "attributes", "created", "state", "nobody")

    @pytest.mark.parametrize("name", EVERYWHERE)
    @pytest.mark.parametrize(
        "literal", ["NaN", "Infinity", "-Infinity", "-NaN", "nan", "+1", "01", "1.", ".5", "0x10", "1_0"]
    )
    def test_what_is_no_number_of_json_is_no_json(self, name: str, literal: str):
        assert refusal_of(with_text(MINIMAL, name, literal)) == [""]

    @pytest.mark.parametrize("number", ["1e400", "-1e400", "1e-400", "1e999999999", "9" * 400])
    @pytest.mark.parametrize("name", NUMBERS)
    def test_a_number_beyond_the_range_of_a_float_is_refused(self, name: str, number: str):
        assert refusal_of(with_text(MINIMAL, name, number)) == [f"/{name}"]

    @pytest.mark.parametrize("number", ["1e99999999999", "-1e99999999999999999999", "1e-99999999999999999999"])
    @pytest.mark.parametrize("name", EVERYWHERE[:-1])
    def test_an_exponent_beyond_all_bounds_is_refused(self, name: str, number: str):
        pointers = refusal_of(with_text(MINIMAL, name, number))
        assert pointers in ([""], [f"/{name}"])

    @pytest.mark.parametrize("digits", [20, 400, 4000])
    @pytest.mark.parametrize("sign", ["", "-"])
    @pytest.mark.parametrize("name", INTEGERS)
    def test_an_integer_beyond_64_bits_is_refused(self, name: str, sign: str, digits: int):
        assert refusal_of(with_text(MINIMAL, name, sign + "9" * digits)) == [f"/{name}"]

    @pytest.mark.parametrize("name", LISTS)
    def test_also_within_a_list(self, name: str):
        (pointer,) = refusal_of(with_text(MINIMAL, name, self.LISTS[name].format("9" * 20)))
        assert pointer.startswith(f"/{name}/")
        assert refusal_of(session_with(cartItems=[ITEM | {"quantity": 10**20}])) == ["/cartItems/0/quantity"]

    @pytest.mark.parametrize("name", EVERYWHERE)
    @pytest.mark.parametrize("sign", ["", "-"])
    def test_an_integer_of_5000_digits_is_refused_wherever_it_stands(self, name: str, sign: str):
        assert refusal_of(with_text(MINIMAL, name, sign + "9" * 5000)) in ([""], [f"/{name}"])

    @pytest.mark.parametrize("text", ["1e400", "1e300", "9" * 20, "1e-400"])
    def test_a_price_leaves_room_for_the_totals(self, text: str):
        document = f'{{"sku":"A","quantity":1,"price":{text}}}'
        if len(text) == 20:
            assert wire.loads(document, CartItem).price == int(text)
        else:
            assert refusal_of(document, CartItem) == ["/price"]

    @pytest.mark.parametrize(
        "number", [float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")]
    )
    def test_what_others_have_parsed_is_finite_too(self, number: Any):
        for name in self.NUMBERS:
            assert refusal_of(session_with(**{name: number})) == [f"/{name}"]
        assert refusal_of(session_with(attributes={"a": [number]})) == ["/attributes/a/0"]
        assert refusal_of(ITEM | {"prices": {"base": {"price": number}}}, CartItem) == ["/prices/base/price"]
        assert refusal_of(session_with(id=number)) == ["/id"]


class TestTimesThatAreNone:
    """D-12: times are aware and exist."""

    WRONG = (
        "2026-02-03T04:05:06",
        "2026-02-03",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-02-03T24:00:01Z",
        "2026-02-03T04:05:60Z",
        "2026-02-03T04:05:06+24:00",
        "2026-02-03T04:05:06+0100",
        "2026-02-03T04:05:06+01:00:30",
        "2026-02-03 04:05:06Z",
        "2026-02-03T04:05Z",
        "2026-W06-2T00:00:00Z",
        "20260203T040506Z",
        "02026-02-03T04:05:06Z",
        "0000-01-01T00:00:00Z",
        "٢٠٢٦-02-03T04:05:06Z",
        "2026-02-03T04:05:06Z\n",
        " 2026-02-03T04:05:06Z",
        "1767225600",
        "",
        "x" * 100_000,
    )

    @pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text[:30]))
    def test_it_is_refused_in_every_field_that_holds_a_time(self, text: str):
        assert refusal_of(MINIMAL | {"created": text, "updated": text}) == ["/created", "/updated"]
        assert refusal_of(EVENT | {"at": text}, SessionEvent) == ["/at"]
        names = ["adjustmentEffectiveFrom", "adjustmentEffectiveUntil"]
        assert refusal_of(ITEM | dict.fromkeys(names, text), CartItem) == [f"/{name}" for name in names]

    def test_a_time_that_somebody_else_has_parsed_is_aware_too(self):
        aware = datetime(2026, 2, 3, tzinfo=UTC)
        assert wire.structure(MINIMAL | {"created": aware}).created == aware
        assert refusal_of(MINIMAL | {"created": aware.replace(tzinfo=None)}) == ["/created"]
        assert refusal_of(MINIMAL | {"created": date(2026, 2, 3)}) == ["/created"]

    @pytest.mark.parametrize("text", ["", "5a5d", "x" * 36, "5a5d7a6e-0c1f-4a39-9e1b-3f8f0f6f7a1g"])
    def test_a_uuid_that_is_none_is_refused(self, text: str):
        assert refusal_of(ITEM | {"adjustmentReferenceId": text}, CartItem) == ["/adjustmentReferenceId"]
