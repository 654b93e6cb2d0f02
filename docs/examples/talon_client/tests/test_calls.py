"""Tests of the calls against the sandbox: requests, adopted sessions, and refusals before a request."""

import subprocess
import sys
from pathlib import Path

import pytest
from client.calls import call, create, load, put, reopen, return_items
from client.connection import api_at
from client.sessions import ShopSession
from talon_one import IntegrationApi, IntegrationRequest
from talon_one.exceptions import ApiException, BadRequestException, ConflictException

from session_fsm import (
    CartItem,
    CustomerSession,
    ReturnedCartItem,
    RuleViolated,
    SessionUpdate,
    State,
    WireError,
    WrongState,
    wire,
)
from session_fsm.sandbox import Sandbox

HERE = Path(__file__).parent.parent
PENS = CartItem(sku="PEN", quantity=4, price="2.50")
UPDATE = "PUT /v2/customer_sessions/order-7"


@pytest.fixture
def api(talon_one: Sandbox[CustomerSession]) -> IntegrationApi:
    return api_at(talon_one.url, "sandbox")


def requests(talon_one: Sandbox[CustomerSession]) -> list[str]:
    return [f"{request.method} {request.path}" for request in talon_one.requests]


def order(api: IntegrationApi) -> ShopSession:
    return create(api, "order-7", SessionUpdate(state="closed", cart_items=[PENS]))[0]


def test_calls_return_the_session_of_the_response(api: IntegrationApi, talon_one: Sandbox[CustomerSession]) -> None:
    session, event = create(api, "order-7", SessionUpdate(cart_items=[PENS]))
    assert (session.id, session.application_id, session.state) == (1, 1, State.OPEN)
    assert session.pending_events == []
    assert (event.name, event.update_count) == ("talon_session_created", 1)
    session, event = put(api, session, SessionUpdate(state="closed"))
    assert (session.state, session.update_count, event.name) == (State.CLOSED, 2, "talon_session_closed")
    session, event = reopen(api, session)
    assert (session.state, event.name) == (State.OPEN, "talon_session_reopened")
    assert requests(talon_one) == [UPDATE, UPDATE, UPDATE + "/reopen", "GET /v2/customer_sessions/order-7"]


def test_calls_keep_own_fields(api: IntegrationApi) -> None:
    session, _ = create(api, "order-7", SessionUpdate(cart_items=[PENS], own={"branch": "Ghent"}))
    session, _ = put(api, session, SessionUpdate(coupon_codes=["XMAS"]))
    assert session.branch == "Ghent"
    session, _ = put(api, session, SessionUpdate(state="closed", own={"branch": "Bruges"}))
    assert (session.branch, load(api, session).branch) == ("Bruges", "Bruges")


def test_put_loads_the_session_and_retries_after_a_conflict(
    api: IntegrationApi, talon_one: Sandbox[CustomerSession]
) -> None:
    session, _ = create(api, "order-7", SessionUpdate(cart_items=[PENS]))
    waited: list[int] = []
    call(api, session, SessionUpdate(referral_code="FRIEND"))  # the parallel update
    talon_one.fail_next(409, times=2, operation="update")
    session, _ = put(api, session, SessionUpdate(coupon_codes=["XMAS"]), wait=waited.append)
    assert (session.coupon_codes, session.referral_code, waited) == (("XMAS",), "FRIEND", [1, 2])
    talon_one.fail_next(409, times=2, operation="update")
    with pytest.raises(ConflictException) as conflict:
        put(api, session, SessionUpdate(), attempts=2)
    assert getattr(conflict.value.data, "message", "") == "Too many requests are updating this session at the same time"
    call(api, session, SessionUpdate(state="cancelled"))
    with pytest.raises(BadRequestException):
        call(api, session, SessionUpdate(state="open"))
    with pytest.raises(WrongState):
        put(api, load(api, session), SessionUpdate(state="closed"))


@pytest.mark.parametrize("cart", [[], [CartItem(sku="PEN", quantity=1, price="0.5")]])
def test_an_order_below_the_minimum_is_refused_without_a_request(
    api: IntegrationApi, talon_one: Sandbox[CustomerSession], cart: list[CartItem]
) -> None:
    with pytest.raises(RuleViolated):
        create(api, "order-7", SessionUpdate(state="closed", cart_items=cart))
    assert talon_one.requests == []
    session, _ = create(api, "order-7", SessionUpdate(cart_items=cart))
    with pytest.raises(RuleViolated):
        put(api, session, SessionUpdate(state="closed"))
    assert requests(talon_one) == [UPDATE]


def test_a_response_without_the_session_is_refused(api: IntegrationApi) -> None:
    """The request does not name the session in `responseContent`."""
    request = IntegrationRequest.from_json('{"customerSession": {}}')
    assert request is not None
    response = api.update_customer_session_v2_with_http_info("order-7", request)
    assert response.data.effects == []
    with pytest.raises(WireError):
        wire.loads(response.raw_data, ShopSession)


class TestReturns:
    def test_a_repeated_key_returns_the_first_response(
        self, api: IntegrationApi, talon_one: Sandbox[CustomerSession]
    ) -> None:
        session = order(api)
        units = [ReturnedCartItem(sku="PEN", quantity=1)]
        first, event = return_items(api, session, units, key="return-1")
        again, _ = return_items(api, session, units, key="return-1")
        assert (first.cart_items[0].remaining_quantity, again.cart_items[0].remaining_quantity) == (3, 3)
        assert event.name == "talon_session_partially_returned"
        other, _ = return_items(api, again, units, key="return-2")
        assert other.cart_items[0].remaining_quantity == 2
        assert [request.repeated for request in talon_one.requests] == [False, False, True, False]

    def test_returning_more_than_remaining_is_refused_without_a_request(
        self, api: IntegrationApi, talon_one: Sandbox[CustomerSession]
    ) -> None:
        session = order(api)
        with pytest.raises(RuleViolated):
            return_items(api, session, [ReturnedCartItem(position=0, quantity=5)], key="return-1")
        assert requests(talon_one) == [UPDATE]


def test_loading_an_unknown_session_raises(api: IntegrationApi) -> None:
    with pytest.raises(ApiException):
        load(api, ShopSession.create("order-7"))


def test_the_program_prints_the_output_of_the_readme() -> None:
    command = [sys.executable, "-W", "error", "-m", "client"]
    ran = subprocess.run(command, cwd=HERE, capture_output=True, timeout=60, check=False)
    shown = (HERE / "README.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    assert (ran.stdout.decode(), ran.returncode) == (shown, 0)
