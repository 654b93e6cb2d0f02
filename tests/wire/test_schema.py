"""JSON Schema: it accepts everything that is written, and little that reading refuses."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from random import Random
from types import FunctionType
from typing import Any, Literal
from uuid import UUID

import attrs
import pytest
from builders import TenantSession, session_in
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mutated_json import mutated
from schema_documents import documents
from wire_strategies import any_json

from session_fsm import (
    AdditionalCost,
    CartItem,
    CustomerSession,
    ExperimentVariantAllocation,
    InvalidValue,
    Product,
    ReturnedCartItem,
    SessionEvent,
    SessionFSMError,
    SessionUpdate,
    State,
    WireError,
    wire,
)
from session_fsm.errors import ConcurrentChange, ErrorResponse
from session_fsm.testing import sessions
from session_fsm.testing.strategies.documents import written_values
from session_fsm.testing.strategies.values import values_of
from session_fsm.validators import text, validate
from session_fsm.wire import docstrings
from session_fsm.wire.encoding import encode_value


class Tier(StrEnum):
    """An enumeration."""

    GOLD = "gold"
    GREY = "grey"


class Level(Enum):
    """An enumeration of integers."""

    LOW = 1
    HIGH = 2


@attrs.frozen
class Address:
    """Where it goes.

    At once.
    """

    city: str
    """The city."""
    number: int | None = None


class Secret:
    """Only its own functions know it."""

    def __init__(self, text: str) -> None:
        self.text = text


wire.register_type(Secret, write=lambda secret: secret.text, read=lambda text: Secret(str(text)))


NO_KEY, NO_SECRET = UUID(int=0), Secret("")


@attrs.define(kw_only=True, eq=False, repr=False)
class FieldsSession(CustomerSession):
    """A session with a field of every type."""

    name: str = attrs.field(validator=validate(text(at_least=1, at_most=5)))
    """Its name (X-01)."""
    count: int = 3
    paid: bool = False
    deposit: Decimal = Decimal("1.50")
    due: datetime | None = None
    day: date | None = None
    key: UUID = NO_KEY
    tier: Tier = Tier.GOLD
    level: Level | None = Level.LOW
    mode: Literal["fast", "slow"] = "fast"
    addresses: tuple[Address, ...] = ()
    gifts: Mapping[str, CartItem] = attrs.field(factory=dict)
    secret: Secret = NO_SECRET
    note: str | None = attrs.field(default="none", validator=validate(text(at_most=9), optional=True))


KINDS = [CustomerSession, FieldsSession, SessionUpdate, wire.ReturnRequest, SessionEvent, CartItem]
VALUES = [CartItem, ReturnedCartItem, AdditionalCost, Product, ExperimentVariantAllocation]

# What the page `docs/howto/json-schema.md` lists.
LISTED = re.compile(
    "not a time as RFC 3339 writes it|not a date such as|no equal in UTC|half of a surrogate pair|"
    "out of the range of a JSON number|nested deeper than|does not fit into 64 bits|"
    "units cannot come back of|remaining units are not|partially_returned, but no item|positions are 0 to"
)


def validator(kind: Any, **options: Any) -> Draft202012Validator:
    schema = wire.json_schema(kind, **options)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


READ = {kind: validator(kind) for kind in [*KINDS, *VALUES]}
WRITTEN = {kind: validator(kind, written=True) for kind in [*KINDS, *VALUES]}
FIELDS_EVENT = validator(SessionEvent, written=True, session_class=FieldsSession)


def fields_sessions() -> st.SearchStrategy[FieldsSession]:
    own = {
        "name": "x",
        "addresses": (Address("Ghent"), Address("Lyon", 3)),
        "level": None,
        "note": None,
        "day": date(2026, 3, 1),
    }
    gifts = st.dictionaries(st.text(max_size=3), values_of(CartItem), max_size=2)
    return gifts.flatmap(lambda held: sessions(FieldsSession, own={**own, "gifts": held}))


def written(kind: Any) -> st.SearchStrategy[Any]:
    if kind is FieldsSession:
        return fields_sessions()
    return values_of(kind) if kind in VALUES else written_values(kind)


class TestWriting:
    """The schema accepts everything that the library writes."""

    @pytest.mark.parametrize("kind", [*KINDS, *VALUES[1:]])
    @given(data=st.data())
    def test_what_is_written_is_accepted(self, kind: Any, data: st.DataObject) -> None:
        document = wire.unstructure(data.draw(written(kind)))
        READ[kind].validate(document)
        WRITTEN[kind].validate(document)

    @given(session=fields_sessions())
    def test_events_with_own_fields_are_accepted(self, session: FieldsSession) -> None:
        for event in session.pending_events:
            WRITTEN[SessionEvent].validate(wire.unstructure(event))
            FIELDS_EVENT.validate(wire.unstructure(event))

    def test_errors_are_accepted(self) -> None:
        check = validator(ErrorResponse)
        errors: list[SessionFSMError] = [ConcurrentChange("busy"), SessionFSMError("?"), InvalidValue("/a", "no")]
        for call in (lambda: session_in("open").reopen(), lambda: wire.loads('{"cartItems": 1}')):
            with pytest.raises(SessionFSMError) as caught:
                call()
            errors.append(caught.value)
        for error in errors:
            check.validate(wire.to_error_response(error))
            validator(ErrorResponse, written=True).validate(wire.to_error_response(error))

    def test_own_fields_of_an_event_are_checked_by_the_types_of_the_class(self) -> None:
        session = FieldsSession.create("order-1", name="x", count=7)
        document = wire.unstructure(session.pending_events[0])
        document["change"]["ownFields"]["count"] = "seven"
        assert validator(SessionEvent).is_valid(document)
        assert not validator(SessionEvent, session_class=FieldsSession).is_valid(document)

    @pytest.mark.parametrize("state", State)
    def test_what_is_always_written_is_required(self, state: State) -> None:
        document = wire.unstructure(session_in(state))
        required = wire.json_schema(written=True)["required"]
        assert set(required) <= document.keys()
        assert {"total", "cartItems", "updateCount", "updated"} <= set(required)
        assert "storeIntegrationId" not in required
        item = wire.json_schema(written=True)["$defs"]["CartItem"]["required"]
        assert set(item) == {"sku", "quantity", "returnedQuantity", "remainingQuantity"}
        assert wire.json_schema()["required"] == ["created", "integrationId"]


class TestReading:
    """What the schema accepts and reading refuses is listed in the documentation."""

    @pytest.mark.parametrize("kind", KINDS)
    @given(data=st.data())
    def test_what_the_schema_describes_can_be_read(self, kind: Any, data: st.DataObject) -> None:
        schema = READ[kind].schema
        document = data.draw(documents(schema, schema))
        READ[kind].validate(document)
        check_reading(encode_value(document), kind)

    @given(data=st.data(), kind=st.sampled_from(KINDS))
    def test_any_document_that_the_schema_accepts_can_be_read(self, data: st.DataObject, kind: Any) -> None:
        document = data.draw(any_json)
        try:
            text = encode_value(document)
        except (ValueError, ArithmeticError, TypeError):
            return  # nothing that JSON can hold
        if READ[kind].is_valid(document):
            check_reading(text, kind)

    @given(seed=st.integers(0, 2**32))
    def test_a_mutated_document_that_the_schema_accepts_can_be_read(self, seed: int) -> None:
        text, kind = mutated(Random(seed))
        try:
            document = json.loads(text, parse_float=Decimal, parse_constant=refused_constant)
        except (ValueError, ArithmeticError):  # no JSON, or an exponent that no Decimal has
            return
        check = READ.get(kind)
        if check is not None and check.is_valid(document):
            check_reading(text.encode(errors="surrogatepass"), kind)

    @pytest.mark.parametrize(
        ("kind", "document"),
        [
            (CustomerSession, {"integrationId": "x"}),
            (SessionUpdate, {"couponCodes": ["x" * 101]}),
            (SessionUpdate, {"loyaltyCards": ["a", "b"]}),
            (SessionUpdate, {"cart_items": []}),
            (SessionUpdate, {"attributes": {"1st": 1}}),
            (SessionUpdate, {"state": "lost"}),
            (SessionUpdate, {"storeIntegrationId": ""}),
            (SessionUpdate, {"cartItems": [{"sku": "", "quantity": 1}]}),
            (SessionUpdate, {"cartItems": [{"sku": "A", "quantity": 1, "price": "9.75"}]}),
            (SessionUpdate, {"customerSession": {}}),
            (wire.ReturnRequest, {}),
            (wire.ReturnRequest, {"returnedCartItems": [{"quantity": 0}]}),
            (CartItem, {"sku": "A", "quantity": 1, "adjustmentEffectiveFrom": "2026-03-01"}),
            (CartItem, {"sku": "A", "quantity": 2**63}),
        ],
    )
    def test_the_schema_refuses_what_reading_refuses(self, kind: Any, document: Any) -> None:
        assert not READ[kind].is_valid(document)


def refused_constant(text: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(text)


def check_reading(text: bytes, kind: Any) -> None:
    """Read *text*, and fail if it has a problem that is not listed."""
    try:
        wire.loads(text, kind)
    except WireError as error:
        unlisted = [problem for problem in error.problems if not LISTED.search(problem.text)]
        if "the document names" in str(error) or "UTF-8" in str(error):  # nothing that a schema sees
            return
        assert not unlisted, unlisted


class TestContent:
    """Names, texts and examples."""

    def test_the_fields_have_their_docstrings(self) -> None:
        schema = wire.json_schema(FieldsSession)
        assert schema["description"] == "A session with a field of every type."
        assert schema["properties"]["name"]["description"] == "Its name."
        assert schema["properties"]["total"]["description"].startswith("All items and costs, before any discount")
        assert schema["$defs"]["Address"]["description"] == "Where it goes."
        assert schema["$defs"]["Address"]["required"] == ["city"]
        assert wire.json_schema(FieldsSession, written=True)["$defs"]["Address"]["required"] == ["city", "number"]

    def test_the_limits_of_a_field_s_own_validator_are_in_the_schema(self) -> None:
        members = wire.json_schema(FieldsSession)["properties"]
        assert members["name"] == {"type": "string", "minLength": 1, "maxLength": 5, "description": "Its name."}
        assert members["note"] == {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]}
        assert members["secret"] == {}

    def test_fields_that_only_talon_one_sets_are_read_only(self) -> None:
        item = wire.json_schema(SessionUpdate)["$defs"]["RequestedCartItem"]["properties"]
        read_only = {name for name, member in item.items() if member.get("readOnly")}
        assert {"position", "returnedQuantity", "prices"} <= read_only
        assert "sku" not in read_only

    @pytest.mark.parametrize("kind", [*KINDS, *VALUES])
    def test_examples_are_valid_and_can_be_encoded(self, kind: Any) -> None:
        schema = wire.json_schema(kind)
        json.dumps(schema)
        for example in schema.get("examples", []):
            WRITTEN[kind].validate(example)
            wire.structure(example, kind)

    def test_a_class_whose_own_fields_are_required_has_no_example(self) -> None:
        assert "examples" not in wire.json_schema(TenantSession)
        assert wire.json_schema()["examples"]
        assert wire.json_schema(ErrorResponse)["examples"]

    def test_two_classes_of_one_name_are_told_apart(self) -> None:
        other = attrs.frozen(type("CartItem", (), {"__annotations__": {"weight": int}}))
        body = {"__annotations__": {"first": CartItem, "second": other}}
        kind: Any = attrs.define(kw_only=True, eq=False, repr=False)(type("TwoSession", (CustomerSession,), body))
        schema = wire.json_schema(kind)
        second = schema["properties"]["second"]["$ref"].removeprefix("#/$defs/")
        assert second != "CartItem"
        assert schema["$defs"][second]["properties"].keys() == {"weight"}

    def test_a_class_without_source_has_no_docstrings_of_fields(self) -> None:
        namespace: dict[str, Any] = {"attrs": attrs}
        exec("@attrs.frozen\nclass Lost:\n    a: int\n    'Text.'\n", namespace)
        assert docstrings.field_docstrings(namespace["Lost"]) == {}
        made = attrs.make_class("Made", ["a"])
        assert docstrings.field_docstrings(made) == {}

    @pytest.mark.parametrize("kind", [dict, State, "CartItem", FunctionType])
    def test_another_class_has_no_schema(self, kind: Any) -> None:
        with pytest.raises(InvalidValue, match="is not a class that documents are read as"):
            wire.json_schema(kind)
