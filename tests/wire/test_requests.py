"""Requests as they come over the wire: updates and returns, with and without their wrappers."""

from typing import Any

import pytest
from wire_documents import (
    DOCUMENTS,
    ITEM,
    ITEM_FIELDS,
    MINIMAL,
    SESSION,
    SESSION_FIELDS,
    SET_BY_TALON_ONE,
    UPDATE,
    UPDATE_FIELDS,
    Field,
    refusal_of,
)

from session_fsm import (
    CartItem,
    CustomerSession,
    ReturnedCartItem,
    SessionUpdate,
    wire,
)

TOTALS = ("total", "cart_item_total", "additional_cost_total", "cart_item_additional_cost_total")


def by_name(field: Field) -> str:
    return field.wire


class TestOmittedEmptyAndValue:
    """U-01 to U-08: omitted, empty and a value are three things, on the wire as in Python."""

    def test_nothing_is_given_in_an_empty_document(self):
        assert wire.loads("{}", SessionUpdate).given() == {}
        assert wire.dumps(SessionUpdate()) == b"{}"

    EMPTY = {
        "profileId": "",
        "evaluableCampaignIds": [],
        "couponCodes": [],
        "referralCode": "",
        "loyaltyCards": [],
        "cartItems": [],
        "additionalCosts": {},
        "identifiers": [],
        "attributes": {},
        "experimentVariantAllocations": [],
    }

    @pytest.mark.parametrize("name", EMPTY)
    def test_what_is_empty_stays_empty(self, name: str):
        update = wire.structure({name: self.EMPTY[name]}, SessionUpdate)
        assert len(update.given()) == 1
        assert wire.unstructure(update) == {name: self.EMPTY[name]}

    def test_an_empty_store_is_refused(self):
        """U-08: a store has one character at least."""
        assert refusal_of('{"storeIntegrationId":""}', SessionUpdate) == ["/storeIntegrationId"]


class TestRequests:
    """U-10: what only Talon.One sets is passed over in a request, whatever it holds."""

    NONSENSE = (3559.33, -4, "soon", True, [], {}, [{}], None)
    OF_A_SESSION = [field.wire for field in SESSION_FIELDS if field not in UPDATE_FIELDS]

    @pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
    @pytest.mark.parametrize("strict", [False, True])
    def test_read_only_fields_may_hold_any_nonsense(self, nonsense: Any, strict: bool):
        request = {"couponCodes": ["TEA"]} | dict.fromkeys(self.OF_A_SESSION, nonsense)
        request["cartItems"] = [ITEM | dict.fromkeys(SET_BY_TALON_ONE, nonsense)]
        update = wire.structure(request, SessionUpdate, strict=strict)
        assert update == SessionUpdate(coupon_codes=["TEA"], cart_items=[CartItem(**ITEM)])

    def test_they_are_not_written_either(self):
        item = wire.loads(DOCUMENTS[CartItem], CartItem)
        written = wire.unstructure(SessionUpdate(cart_items=[item]))["cartItems"][0]
        assert set(SET_BY_TALON_ONE).isdisjoint(written)
        assert len(written) == len(ITEM_FIELDS) - len(SET_BY_TALON_ONE)

    def test_the_other_fields_of_an_item_are_judged(self):
        assert refusal_of({"cartItems": [ITEM | {"quantity": 0}]}, SessionUpdate) == ["/cartItems/0/quantity"]

    def test_a_full_session_can_be_sent_back_as_an_update(self):
        update = wire.loads(SESSION, SessionUpdate, strict=True)
        assert len(update.given()) == len(UPDATE_FIELDS)


class TestWrappers:
    """A request may stand in its wrapper, and then the pointers lead through it."""

    def test_an_update_in_its_wrapper_is_the_same_update(self):
        wrapped = f'{{"customerSession":{UPDATE},"responseContent":["customerSession"]}}'
        assert wire.loads(wrapped, SessionUpdate, strict=True) == wire.loads(UPDATE, SessionUpdate)

    def test_a_session_in_a_response_is_the_same_session(self):
        assert wire.dumps(wire.loads(f'{{"customerSession":{SESSION},"effects":[]}}')) == wire.dumps(
            wire.loads(SESSION)
        )

    def test_a_return_in_its_wrapper_is_the_same_return(self):
        bare = DOCUMENTS[wire.ReturnRequest]
        wrapped = f'{{"return":{bare},"responseContent":["customerSession"]}}'
        assert wire.loads(wrapped, wire.ReturnRequest) == wire.loads(bare, wire.ReturnRequest)

    def test_pointers_begin_within_the_wrapper_as_those_of_rules_do(self):
        """W-19."""
        assert refusal_of({"customerSession": {"state": 5}}, SessionUpdate) == ["/state"]
        assert refusal_of({"customerSession": MINIMAL | {"total": "x"}}) == ["/total"]
        returned = {"return": {"returnedCartItems": [{"sku": "A"}, {"position": -1}]}}
        assert refusal_of(returned, wire.ReturnRequest) == ["/returnedCartItems/1/position"]

    @pytest.mark.parametrize("inside", [None, [], "closed", 7, True])
    def test_a_wrapper_holds_an_object(self, inside: Any):
        assert refusal_of({"customerSession": inside}, SessionUpdate) == ["/customerSession"]
        assert refusal_of({"return": inside}, wire.ReturnRequest) == ["/return"]

    def test_a_return_request_is_taken_as_it_is(self):
        session = CustomerSession.create("o", state="closed", cart_items=[CartItem(sku="TEA-1", quantity=5)])
        request = wire.loads('{"return":{"returnedCartItems":[{"sku":"TEA-1","quantity":2}]}}', wire.ReturnRequest)
        event = session.return_items(request)
        assert event.change == request.returned_cart_items == (ReturnedCartItem(sku="TEA-1", quantity=2),)
        assert session.cart_items[0].remaining_quantity == 3
