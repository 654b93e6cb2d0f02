"""Talon.One's own Python client as the judge: what it writes reads here, and what is written here reads there."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from builders import session_in
from hypothesis import given
from talon_one.api_client import ApiClient
from talon_one.exceptions import ApiException, BadRequestException, ConflictException, ServiceException
from talon_one.models import (
    AdditionalCost,
    CartItem,
    CustomerSessionV2,
    IntegrationRequest,
    ModelReturn,
    NewCustomerSessionV2,
    NewReturn,
    Product,
    ReturnedCartItem,
    ReturnIntegrationRequest,
)

import session_fsm
from session_fsm import ConcurrentChange, CustomerSession, SessionFSMError, SessionUpdate, State, rule, wire
from session_fsm.rules import attributes_are_declared
from session_fsm.testing import carts

assert ModelReturn  # what the operation answers; the request is a NewReturn

WHEN = datetime(2026, 4, 5, 6, 7, 8, tzinfo=UTC)


def their_item(**given: Any) -> CartItem:
    return CartItem(**({"sku": "CUP-1", "quantity": 3, "price": 12.5} | given))


def their_session(**given: Any) -> str:
    """Write a session with the client's nearest working call; its `to_json` cannot write times."""
    needed = {
        "id": 7,
        "created": WHEN,
        "integrationId": "order-5",
        "applicationId": 41,
        "firstSession": False,
        "updateCount": 3,
        "total": 40.5,
        "cartItemTotal": 37.5,
        "additionalCostTotal": 3.0,
        "updated": WHEN,
        "profileId": "cust-9",
    }
    return CustomerSessionV2.from_dict(needed | given).model_dump_json(by_alias=True, exclude_none=True)


class TestWhatTheClientWrites:
    def test_an_update_with_every_field_reads_here(self) -> None:
        request = IntegrationRequest(
            customer_session=NewCustomerSessionV2(
                profile_id="cust-9",
                store_integration_id="store-2",
                evaluable_campaign_ids=[3, 8],
                coupon_codes=["SPRING"],
                referral_code="PAL",
                loyalty_cards=["card-1"],
                state="closed",
                cart_items=[
                    their_item(
                        name="Cup",
                        category="kitchen",
                        product=Product(name="Cups"),
                        weight=250.5,
                        height=90,
                        width=80,
                        length=80,
                        attributes={"glaze": "blue", "set": ["a", "b"]},
                        additional_costs={"wrap": AdditionalCost(price=1.25)},
                        position=4,
                        returned_quantity=1,
                    )
                ],
                additional_costs={"shipping": AdditionalCost(price=3)},
                identifiers=["9f2c"],
                attributes={"City": "Ghent", "vip": True, "score": 1.5},
            )
        )
        update = wire.loads(request.to_json(), SessionUpdate)
        assert update == SessionUpdate(
            profile_id="cust-9",
            store_integration_id="store-2",
            evaluable_campaign_ids=[3, 8],
            coupon_codes=["SPRING"],
            referral_code="PAL",
            loyalty_cards=["card-1"],
            state="closed",
            cart_items=[
                session_fsm.CartItem(
                    sku="CUP-1",
                    quantity=3,
                    price="12.5",
                    name="Cup",
                    category="kitchen",
                    product=session_fsm.Product("Cups"),
                    weight="250.5",
                    height=90,
                    width=80,
                    length=80,
                    attributes={"glaze": "blue", "set": ["a", "b"]},
                    additional_costs={"wrap": session_fsm.AdditionalCost("1.25")},
                )
            ],
            additional_costs={"shipping": session_fsm.AdditionalCost(3)},
            identifiers=["9f2c"],
            attributes={"City": "Ghent", "vip": True, "score": Decimal("1.5")},
        )

    def test_an_update_of_one_field_leaves_the_others_omitted(self) -> None:
        request = IntegrationRequest(customer_session=NewCustomerSessionV2(coupon_codes=[]))
        assert wire.loads(request.to_json(), SessionUpdate) == SessionUpdate(coupon_codes=[], state="open")

    def test_a_return_reads_here_and_takes_place(self) -> None:
        request = ReturnIntegrationRequest(
            var_return=NewReturn(
                returned_cart_items=[
                    ReturnedCartItem(position=0, quantity=1, sku="A"),
                    ReturnedCartItem(sku="B"),
                ]
            )
        )
        session = session_in("closed")
        session.return_items(wire.loads(request.to_json(), wire.ReturnRequest))
        assert [item.returned_quantity for item in session.cart_items] == [1, 1]

    @pytest.mark.parametrize("state", list(State))
    def test_a_session_in_every_state_reads_here(self, state: State) -> None:
        items = [json.loads(their_item(position=0, returned_quantity=1, remaining_quantity=2).to_json())]
        session = wire.loads(
            their_session(
                state=str(state), cartItems=items, additionalCosts={"shipping": {"price": 3}}, couponCodes=["SPRING"]
            )
        )
        assert (session.state, session.id, session.application_id, session.update_count) == (state, 7, 41, 3)
        assert (session.created, session.updated, session.first_session) == (WHEN, WHEN, False)
        assert (session.total, session.cart_item_total, session.additional_cost_total) == (
            Decimal("40.5"),
            Decimal("37.5"),
            3,
        )
        assert session.coupon_codes == ("SPRING",)
        assert session.additional_costs == {"shipping": session_fsm.AdditionalCost(3)}
        assert session.cart_items == (
            session_fsm.CartItem(sku="CUP-1", quantity=3, price="12.5", position=0, returned_quantity=1),
        )


def numbers(value: Any) -> Any:
    """Return a document with every number as a binary float, which is what the client holds."""
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, dict):
        return {name: numbers(member) for name, member in value.items()}
    return [numbers(element) for element in value] if isinstance(value, list) else value


class TestWhatIsWrittenHere:
    @pytest.mark.parametrize("state", list(State))
    def test_a_session_in_every_state_reads_there_with_every_field_that_both_know(self, state: State) -> None:
        session = session_in(state)
        ours = wire.unstructure(session)
        theirs = json.loads(CustomerSessionV2.from_json(wire.dumps(session).decode()).model_dump_json(by_alias=True))
        unknown_there = {"cartItemAdditionalCostTotal", "experimentVariantAllocations"}
        assert ours.keys() - theirs.keys() == unknown_there
        for name in ours.keys() - unknown_there - {"cartItems", "created", "updated"}:
            assert numbers(theirs[name]) == numbers(ours[name]), name
        for name in ("created", "updated"):
            assert datetime.fromisoformat(theirs[name]) == getattr(session, name)
        for item, their in zip(ours["cartItems"], theirs["cartItems"], strict=True):
            assert numbers({name: their[name] for name in item}) == numbers(item)

    def test_an_update_reads_there_and_comes_back(self) -> None:
        update = SessionUpdate(
            coupon_codes=[], cart_items=[session_fsm.CartItem(sku="A", quantity=2, price="0.10")], state="closed"
        )
        request = IntegrationRequest.from_json(f'{{"customerSession":{wire.dumps(update).decode()}}}')
        assert wire.loads(request.to_json(), SessionUpdate) == update

    def test_a_return_reads_there_and_comes_back(self) -> None:
        returned = wire.ReturnRequest(returned_cart_items=[session_fsm.ReturnedCartItem(sku="A", quantity=2)])
        request = ReturnIntegrationRequest.from_json(f'{{"return":{wire.dumps(returned).decode()}}}')
        assert wire.loads(request.to_json(), wire.ReturnRequest) == returned

    @given(carts())
    def test_any_cart_reads_there_at_its_value(self, cart: list[session_fsm.CartItem]) -> None:
        session = CustomerSession.create("order-5", id=1, application_id=1, cart_items=cart)
        theirs = CustomerSessionV2.from_json(wire.dumps(session).decode())
        assert [item.price for item in theirs.cart_items] == [
            None if item.price is None else pytest.approx(float(item.price)) for item in cart
        ]
        assert theirs.total == pytest.approx(float(session.total))


def invalid_document() -> object:
    return wire.loads('{"customerSession":{"cartItems":[{"quantity":0}],"state":"frozen"}}', SessionUpdate)


def parallel_write() -> object:
    raise ConcurrentChange("another thread moved the session")


@rule("out_of_stock", on=["close"])
def all_is_in_stock() -> bool:
    """All that is ordered must be in stock."""
    raise ConnectionError("the stock service is down")


class Shop(CustomerSession):
    rules = (*CustomerSession.rules, all_is_in_stock, attributes_are_declared())


class TestErrors:
    """W-18: the client reads the envelope of each of our errors as its typed error."""

    @pytest.mark.parametrize(
        ("do", "expected"),
        [
            (lambda: session_in("closed").close(), BadRequestException),
            (lambda: session_in("closed").put(state="open"), BadRequestException),
            (lambda: session_in("closed").return_items([]), BadRequestException),
            (lambda: session_in("closed").return_items([session_fsm.ReturnedCartItem()] * 200), BadRequestException),
            (lambda: Shop.create("order-5", attributes={"a/b~c": 1}), BadRequestException),
            (lambda: CustomerSession.create("order-5", state="cancelled"), BadRequestException),
            (lambda: SessionUpdate(state="frozen"), BadRequestException),
            (lambda: SessionUpdate(coupon_codes=5), BadRequestException),
            (invalid_document, BadRequestException),
            (lambda: wire.loads("[", SessionUpdate), BadRequestException),
            (parallel_write, ConflictException),
            (lambda: Shop.create("order-5").close(), ServiceException),
        ],
    )
    def test_every_envelope_is_read_as_the_typed_error_of_its_status(
        self, do: Callable[[], object], expected: type[ApiException]
    ) -> None:
        with pytest.raises(SessionFSMError) as raised:
            do()
        envelope = wire.to_error_response(raised.value)
        status = wire.http_status(raised.value)
        with pytest.raises(expected) as typed:
            self.answer(status, envelope)
        data = typed.value.data
        assert data.message == envelope["message"]
        assert getattr(data, "status_code", None) == envelope.get("StatusCode")
        read = [(e.title, e.details, e.source.pointer) for e in data.errors or ()]
        written = [(e["title"], e["details"], e["source"].get("pointer")) for e in envelope.get("errors", ())]
        assert read == written

    def answer(self, status: int, envelope: Any) -> None:
        """Let the client deserialize an answer, with the types that it has for errors of the operation Update."""
        raw: Any = SimpleNamespace(
            status=status, reason="", data=json.dumps(envelope).encode(), headers={"content-type": "application/json"}
        )
        raw.getheaders = lambda: raw.headers
        types: dict[str, Any] = {"400": "ErrorResponse", "409": "ErrorResponseWithStatus", "5XX": "ErrorResponse"}
        ApiClient().response_deserialize(raw, types)
