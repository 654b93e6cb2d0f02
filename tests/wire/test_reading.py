"""What is read from a document: every field by its name on the wire, and what becomes of those that are missing."""

import json
from decimal import Decimal
from typing import Any

import pytest
from wire_documents import (
    DOCUMENTS,
    EVENT,
    EVENT_FIELDS,
    ITEM,
    ITEM_FIELDS,
    MINIMAL,
    RETURNED_ITEM_FIELDS,
    SESSION,
    SESSION_FIELDS,
    UPDATE_FIELDS,
    Field,
    contents,
    digits,
    parsed,
    pointers_of,
    refusal_of,
    session_with,
    with_text,
)

from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    ReturnedCartItem,
    SessionEvent,
    SessionUpdate,
    State,
    WireError,
    wire,
)

TOTALS = ("total", "cart_item_total", "additional_cost_total", "cart_item_additional_cost_total")


def by_name(field: Field) -> str:
    return field.wire


class TestEveryField:
    """F-01 to F-24: each field of a session, and of what is in it, has one name on the wire."""

    @pytest.mark.parametrize("field", SESSION_FIELDS, ids=by_name)
    def test_a_field_of_a_session_is_read_and_written_under_its_name(self, field: Field):
        returned = {"sku": "X", "quantity": 3, "returnedQuantity": 1}  # what a partially returned session must have
        document = MINIMAL | {"profileId": "p"} | ({"cartItems": [returned]} if field.wire == "state" else {})
        session = wire.loads(with_text(document, field.wire, field.text))
        assert getattr(session, field.name) == field.held
        assert parsed(wire.dumps(session))[field.wire] == parsed(field.text)

    @pytest.mark.parametrize("field", ITEM_FIELDS, ids=by_name)
    def test_a_field_of_a_cart_item_is_read_and_written_under_its_name(self, field: Field):
        item = wire.loads(with_text({"sku": "X", "quantity": 3}, field.wire, field.text), CartItem)
        assert getattr(item, field.name) == field.held
        assert parsed(wire.dumps(item))[field.wire] == parsed(field.text)

    @pytest.mark.parametrize("field", UPDATE_FIELDS, ids=by_name)
    def test_a_field_of_an_update_is_read_and_written_under_its_name(self, field: Field):
        text = field.text if field.name != "cart_items" else '[{"sku":"TEA-1","quantity":3,"price":9.90}]'
        held = field.held if field.name != "cart_items" else (CartItem(sku="TEA-1", quantity=3, price="9.90"),)
        update = wire.loads(f'{{"{field.wire}":{text}}}', SessionUpdate)
        assert update == SessionUpdate(**{field.name: held})
        assert digits(wire.dumps(update)) == digits(f'{{"{field.wire}":{text}}}')

    @pytest.mark.parametrize("field", RETURNED_ITEM_FIELDS, ids=by_name)
    def test_a_field_of_a_returned_item_is_read_and_written_under_its_name(self, field: Field):
        item = wire.loads(f'{{"{field.wire}":{field.text}}}', ReturnedCartItem)
        assert item == ReturnedCartItem(**{field.name: field.held})
        assert wire.unstructure(item) == {field.wire: field.held}

    @pytest.mark.parametrize("field", EVENT_FIELDS, ids=by_name)
    def test_a_field_of_an_event_is_read_and_written_under_its_name(self, field: Field):
        event = wire.loads(with_text(EVENT, field.wire, field.text), SessionEvent)
        assert getattr(event, field.name) == field.held
        assert digits(wire.dumps(event))[field.wire] == digits(field.text)

    @pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)
    def test_no_known_field_of_a_document_is_lost_and_no_digit_changed(self, kind: Any):
        assert digits(wire.dumps(wire.loads(DOCUMENTS[kind], kind))) == digits(DOCUMENTS[kind])

    def test_what_is_held_is_of_the_types_that_the_session_promises(self):
        session = wire.loads(SESSION)
        assert type(session.state) is State
        assert type(session.cart_items) is tuple
        assert type(session.total) is Decimal
        assert session.created.utcoffset() is not None

    def test_bytes_and_text_are_read_alike(self):
        ways = [SESSION, SESSION.encode(), bytearray(SESSION.encode()), memoryview(SESSION.encode())]
        assert [wire.unstructure(wire.loads(way)) for way in ways] == [wire.unstructure(wire.loads(SESSION))] * 4


class TestTheMinimalSession:
    """Section 4: integrationId and created are needed; all else is as in a fresh session."""

    def test_three_fields_make_a_fresh_session(self):
        session = wire.structure(MINIMAL)
        fresh = CustomerSession.create(MINIMAL["integrationId"], now=session.created)
        assert contents(session) == contents(fresh) | {"updated": session.updated}
        assert session.pending_events == []

    def test_such_a_session_lives(self):
        session = wire.structure(MINIMAL)
        session.close(cart_items=[CartItem(sku="TEA-1", quantity=2, price="1.10")])
        assert (session.state, session.update_count, session.total) == ("closed", 2, Decimal("2.20"))

    @pytest.mark.parametrize("absent", [{}, {"updated": None}])
    def test_without_the_time_of_an_update_it_is_that_of_the_creation(self, absent: dict[str, None]):
        """W-28."""
        document = {key: value for key, value in MINIMAL.items() if key != "updated"} | absent
        session = wire.loads(json.dumps(document))
        assert session.updated == session.created

    @pytest.mark.parametrize("name", sorted(MINIMAL.keys() - {"updated"}))
    def test_neither_of_the_others_may_be_missing_or_null(self, name: str):
        assert refusal_of({key: value for key, value in MINIMAL.items() if key != name}) == [f"/{name}"]
        assert refusal_of(MINIMAL | {name: None}) == [f"/{name}"]

    def test_an_anonymous_session_is_always_the_first(self):
        """F-16: firstSession is always true of an anonymous session."""
        assert wire.structure(session_with(firstSession=False)).first_session is True
        assert wire.structure(session_with(firstSession=False, profileId="p")).first_session is False


class TestNullCountsAsOmitted:
    """Section 3: null on the wire is the same as a field that is not there."""

    @pytest.mark.parametrize("field", SESSION_FIELDS, ids=by_name)
    def test_in_a_session(self, field: Field):
        if field.wire == "updated":
            session = wire.structure(MINIMAL | {"updated": None})
            assert session.updated == session.created
        elif field.wire in MINIMAL:
            assert refusal_of(MINIMAL | {field.wire: None}) == [f"/{field.wire}"]
        else:
            assert contents(wire.structure(MINIMAL | {field.wire: None})) == contents(wire.structure(MINIMAL))

    @pytest.mark.parametrize("field", ITEM_FIELDS, ids=by_name)
    def test_in_a_cart_item(self, field: Field):
        if field.wire in ITEM:
            assert refusal_of(ITEM | {field.wire: None}, CartItem) == [f"/{field.wire}"]
        else:
            assert wire.structure(ITEM | {field.wire: None}, CartItem) == CartItem(**ITEM)

    @pytest.mark.parametrize("kind", [SessionUpdate, ReturnedCartItem])
    def test_in_requests(self, kind: Any):
        nothing = dict.fromkeys((field.wire for field in (*UPDATE_FIELDS, *RETURNED_ITEM_FIELDS)), None)
        assert wire.structure(nothing, kind) == kind()

    def test_in_an_event(self):
        assert wire.structure(EVENT | {"source": None, "change": None}, SessionEvent).source is None

    def test_an_attribute_with_null_removes_it_in_an_update_and_is_absent_in_a_session(self):
        """U-05: an attribute with null is removed, so null there is a value."""
        assert wire.loads('{"attributes":{"City":null}}', SessionUpdate).attributes == {"City": None}
        assert wire.structure(session_with(attributes={"City": None, "Zip": "1"})).attributes == {"Zip": "1"}


class TestTotals:
    """M-07: totals of a document stand as they are until the cart or the costs change."""

    DOCUMENT = session_with(
        profileId="p",
        cartItems=[{"sku": "A", "quantity": 2, "price": 5, "additionalCosts": {"wrap": {"price": 1}}}],
        additionalCosts={"shipping": {"price": 3}},
    )
    GIVEN = {"total": 1, "cartItemTotal": 2, "additionalCostTotal": 4, "cartItemAdditionalCostTotal": 8}

    @staticmethod
    def totals_of(session: CustomerSession) -> list[int]:
        return [getattr(session, name) for name in TOTALS]

    def test_totals_that_are_missing_are_computed(self):
        """M-01 to M-04."""
        assert self.totals_of(wire.structure(self.DOCUMENT)) == [15, 10, 3, 2]

    @pytest.mark.parametrize("name", GIVEN)
    def test_one_that_is_given_is_kept_and_the_others_are_computed(self, name: str):
        """M-04, M-07: the total is the sum of the parts, given or computed."""
        place = list(self.GIVEN).index(name)
        expected = [15, 10, 3, 2]
        expected[place] = 777
        if name != "total":
            expected[0] = sum(expected[1:])
        assert self.totals_of(wire.structure(self.DOCUMENT | {name: 777})) == expected

    @pytest.mark.parametrize("name", GIVEN)
    def test_one_that_alone_is_missing_follows_from_the_others(self, name: str):
        """M-04, M-07."""
        given = {"total": 700, "cartItemTotal": 100, "additionalCostTotal": 200, "cartItemAdditionalCostTotal": 400}
        document = self.DOCUMENT | {key: value for key, value in given.items() if key != name}
        assert self.totals_of(wire.structure(document)) == list(given.values())

    def test_totals_that_are_given_outlast_what_does_not_touch_them(self):
        session = wire.structure(self.DOCUMENT | self.GIVEN)
        assert self.totals_of(session) == [1, 2, 4, 8]
        session.update(coupon_codes=["TEA"], attributes={"City": "Gent"}, profile_id="q")
        session.close()
        session.return_items([ReturnedCartItem(position=0, quantity=1)])
        assert self.totals_of(session) == [1, 2, 4, 8]

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"cart_items": [CartItem(sku="B", quantity=1, price=7)]}, [10, 7, 3, 0]),
            ({"additional_costs": {}}, [12, 10, 0, 2]),
            ({"cart_items": [], "additional_costs": {}}, [0, 0, 0, 0]),
        ],
    )
    def test_all_are_computed_anew_when_the_cart_or_the_costs_change(self, change: Any, expected: list[int]):
        session = wire.structure(self.DOCUMENT | self.GIVEN)
        session.update(**change)
        assert self.totals_of(session) == expected


class TestTheLedgerOfAnItem:
    """Section 4: quantity = returned + remaining; a document that does not add up is refused."""

    @pytest.mark.parametrize(
        ("given", "ledger"),
        [
            ({}, (0, 9)),
            ({"returnedQuantity": 4}, (4, 5)),
            ({"remainingQuantity": 4}, (5, 4)),
            ({"returnedQuantity": 9, "remainingQuantity": 0}, (9, 0)),
            ({"returnedQuantity": None, "remainingQuantity": 9}, (0, 9)),
            ({"returnedQuantity": 0, "remainingQuantity": None}, (0, 9)),
        ],
    )
    def test_either_number_says_what_the_other_is(self, given: dict[str, Any], ledger: tuple[int, int]):
        item = wire.structure(ITEM | given, CartItem)
        assert (item.returned_quantity, item.remaining_quantity) == ledger
        (held,) = wire.structure(session_with(cartItems=[ITEM | given])).cart_items
        assert (held.returned_quantity, held.remaining_quantity) == ledger

    @pytest.mark.parametrize(
        "given",
        [
            {"returnedQuantity": 4, "remainingQuantity": 4},
            {"returnedQuantity": 0, "remainingQuantity": 0},
            {"remainingQuantity": 10},
            {"remainingQuantity": -1},
            {"returnedQuantity": 10, "remainingQuantity": -1},
            {"returnedQuantity": 10},
            {"returnedQuantity": -1},
        ],
    )
    def test_a_ledger_that_does_not_add_up_is_refused(self, given: dict[str, Any]):
        """The pointer names a number that stands in the document."""
        pointers = refusal_of(session_with(cartItems=[ITEM, ITEM | given]))
        assert {pointer.removeprefix("/cartItems/1/") for pointer in pointers} <= set(given)

    def test_its_faults_are_reported_with_all_others_of_the_item(self):
        faulty = {"sku": "", "quantity": 9, "returnedQuantity": "1", "remainingQuantity": 1.5}
        assert sorted(refusal_of(faulty, CartItem)) == ["/remainingQuantity", "/returnedQuantity", "/sku"]


class TestUnknownFields:
    """Section 4: a document may carry fields that nobody here knows; reading strictly refuses them."""

    PLACES = [
        (CustomerSession, ""),
        (CustomerSession, "/cartItems/0"),
        (CustomerSession, "/cartItems/0/product"),
        (CustomerSession, "/cartItems/0/additionalCosts/deposit"),
        (CustomerSession, "/additionalCosts/shipping"),
        (CustomerSession, "/experimentVariantAllocations/0"),
        (SessionUpdate, ""),
        (SessionUpdate, "/cartItems/0"),
        (SessionUpdate, "/cartItems/0/product"),
        (wire.ReturnRequest, ""),
        (wire.ReturnRequest, "/returnedCartItems/1"),
        (SessionEvent, ""),
        (SessionEvent, "/change"),
    ]

    @pytest.mark.parametrize(("kind", "place"), PLACES)
    def test_they_are_passed_over_or_refused_with_their_place(self, kind: Any, place: str):
        document = SESSION if kind is SessionUpdate else DOCUMENTS[kind]
        more = parsed(document)
        inner = more
        for step in place.split("/")[1:]:
            inner = inner[int(step)] if step.isdecimal() else inner[step]
        inner["no~bo/dy"] = 1
        assert wire.dumps(wire.structure(more, kind)) == wire.dumps(wire.loads(document, kind))
        assert refusal_of(more, kind, strict=True) == [f"{place}/no~0bo~1dy"]

    @pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)
    def test_reading_strictly_changes_nothing_else(self, kind: Any):
        strictly = wire.loads(DOCUMENTS[kind], kind, strict=True)
        assert wire.dumps(strictly) == wire.dumps(wire.loads(DOCUMENTS[kind], kind))


class TestAllProblemsTogether:
    """Every problem of a document is reported at once, each with its JSON pointer."""

    FAULTY = {
        "integrationId": "",
        "created": "yesterday",
        "cartItems": [
            ITEM,
            {"quantity": 0, "price": "9.90", "product": {"name": 5}, "additionalCosts": {"a/b~c": {}}},
            7,
            ITEM | {"attributes": {"ok": 1, "not ok": 2}, "prices": {"base": [{"price": float("inf")}]}},
        ],
        "additionalCosts": {"gift~wrap": {"price": True}, "x/y": [], "fine": {"price": 1}},
        "couponCodes": ["fine", 5, "x" * 101],
        "identifiers": ["1", "2", "3", "4", "5", "6"],
        "experimentVariantAllocations": [{"experimentID": 1, "variantID": 1}, {"experimentID": "1"}],
    }
    POINTERS = [
        "/additionalCosts/gift~0wrap/price",
        "/additionalCosts/x~1y",
        "/cartItems/1/additionalCosts/a~1b~0c/price",
        "/cartItems/1/price",
        "/cartItems/1/product/name",
        "/cartItems/1/quantity",
        "/cartItems/1/sku",
        "/cartItems/2",
        "/cartItems/3/attributes/not ok",
        "/cartItems/3/prices/base/0/price",
        "/couponCodes/1",
        "/couponCodes/2",
        "/created",
        "/experimentVariantAllocations/1/experimentID",
        "/experimentVariantAllocations/1/variantID",
        "/identifiers",
        "/integrationId",
    ]

    def test_they_come_from_every_level(self):
        assert sorted(refusal_of(self.FAULTY)) == self.POINTERS

    def test_unknown_fields_are_among_them_when_reading_is_strict(self):
        document = self.FAULTY | {"nobody": 1, "n/a": 2}
        document["cartItems"] = [ITEM | {"who": 1, "omitted": None}, *document["cartItems"][1:]]
        expected = [*self.POINTERS, "/n~1a", "/nobody", "/cartItems/0/who"]
        assert sorted(refusal_of(document, strict=True)) == sorted(expected)

    def test_a_converter_of_ones_own_reports_the_same(self):
        with pytest.raises(InvalidValue) as caught:
            wire.make_converter().structure(self.FAULTY, CustomerSession)
        assert sorted(pointers_of(WireError(caught.value.problems))) == self.POINTERS
