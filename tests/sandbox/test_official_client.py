"""Talon.One's own Python client, unchanged, runs the story of an order against the sandbox."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from talon_one import (
    ApiClient,
    Configuration,
    CustomerProfileIntegrationRequestV2,
    IntegrationApi,
    IntegrationRequest,
    ReturnIntegrationRequest,
)
from talon_one.exceptions import (
    ApiException,
    BadRequestException,
    ConflictException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
)
from talon_one.models import (
    CartItem,
    CustomerProfile,
    CustomerSessionV2,
    Effect,
    ErrorResponse,
    ErrorResponseWithStatus,
    Event,
    IntegrationStateV2,
    ModelReturn,
    NewCustomerSessionV2,
    NewReturn,
    ReopenSessionResponse,
    ReturnedCartItem,
)
from talon_one.models import UpdateCustomerSessionV2409Response as Conflict
from urllib3.exceptions import HTTPError

from session_fsm import State
from session_fsm.sandbox import Sandbox

ALL = (
    *("customerSession", "customerProfile", "coupons", "triggeredCampaigns", "referral", "loyalty", "event"),
    *("awardedGiveaways", "ruleFailureReasons", "previousReturns"),
)


def client(sandbox: Sandbox[Any], key: str = "secret", **settings: Any) -> IntegrationApi:
    configuration = Configuration(
        host=sandbox.url, api_key={"api_key_v1": key}, api_key_prefix={"api_key_v1": "ApiKey-v1"}, **settings
    )
    return IntegrationApi(ApiClient(configuration))


@pytest.fixture
def api(talon_one: Sandbox[Any]) -> Iterator[IntegrationApi]:
    api = client(talon_one)
    yield api
    api.api_client.rest_client.pool_manager.clear()


def update(api: IntegrationApi, session_id: str = "order-1", **given: Any) -> IntegrationStateV2:
    content, dry, now = given.pop("content", ()), given.pop("dry", None), given.pop("now", None)
    request = IntegrationRequest(customer_session=NewCustomerSessionV2(**given), response_content=list(content))
    return api.update_customer_session_v2(session_id, request, dry=dry, now=now)


def return_items(api: IntegrationApi, *items: ReturnedCartItem, **given: Any) -> IntegrationStateV2:
    request = ReturnIntegrationRequest(
        var_return=NewReturn(returned_cart_items=list(items)), response_content=["customerSession", "previousReturns"]
    )
    return api.return_cart_items("order-1", request, **given)


CART = [CartItem(sku="MUG", quantity=3, price=12.5), CartItem(sku="PEN", quantity=1, price=2)]


def refused(do: Callable[[], object], error: type[ApiException] = BadRequestException) -> Any:
    """Return the typed error of a refusal."""
    with pytest.raises(error) as raised:
        do()
    assert isinstance(raised.value.data, ErrorResponse | ErrorResponseWithStatus | Conflict)
    return raised.value.data


class TestTheStoryOfAnOrder:
    """W-04 to W-19: every answer deserialises to the client's type, and every error to its typed error."""

    def test_from_the_cart_to_the_cancelled_order(self, api: IntegrationApi, talon_one: Sandbox[Any]) -> None:
        created = update(api, content=ALL, cart_items=CART, profile_id="cust-7", referral_code="FRIEND")
        assert isinstance(created, IntegrationStateV2)
        assert isinstance(created.customer_session, CustomerSessionV2)
        assert isinstance(created.customer_profile, CustomerProfile)
        assert isinstance(created.event, Event)
        assert (created.event.type, created.customer_session.total) == ("talon_session_created", 39.5)
        changed = update(api, content=ALL, coupon_codes=["XMAS"])
        assert changed.customer_session is not None
        assert changed.customer_session.coupon_codes == ["XMAS"]

        wrong = refused(lambda: update(api, state="closed", cart_items=[CartItem(sku="MUG", quantity=10_001)]))
        assert [(error.title, error.source.pointer) for error in wrong.errors] == [("too_many_units", "/cartItems")]

        dry = update(api, content=ALL, state="closed", dry=True, now=datetime.now(UTC) + timedelta(days=1))
        assert dry.customer_session is not None
        assert (dry.customer_session.state, talon_one.session("order-1").state) == ("closed", "open")

        update(api, state="closed")
        again = refused(lambda: update(api, state="closed"))
        assert (again.message, again.errors[0].title) == ("Only open sessions can be closed", "already_in_state")

        read = api.get_customer_session("order-1")
        assert read.customer_session is not None
        assert (read.customer_session.state, read.customer_session.profile_id) == ("closed", "cust-7")
        assert read.effects == []

        dry_return = return_items(api, ReturnedCartItem(sku="MUG", quantity=1), dry=True)
        assert dry_return.var_return is not None
        first = return_items(api, ReturnedCartItem(sku="MUG", quantity=1))
        second = return_items(api, ReturnedCartItem(position=0, quantity=1))
        assert isinstance(first.var_return, ModelReturn)
        assert first.previous_returns == []
        assert second.previous_returns == [first.var_return]

        too_many = refused(lambda: return_items(api, ReturnedCartItem(sku="MUG", quantity=2)))
        assert too_many.errors[0].title == "returns_more_than_remaining"
        refused(lambda: api.reopen_customer_session("order-1"))
        update(api, state="cancelled")
        refused(lambda: update(api, state="closed"))
        assert talon_one.session("order-1").state is State.CANCELLED

    def test_a_closed_order_is_reopened_and_closed_again(self, api: IntegrationApi) -> None:
        update(api, state="closed", cart_items=CART)
        assert isinstance(api.reopen_customer_session("order-1"), ReopenSessionResponse)
        assert isinstance(update(api, state="closed"), IntegrationStateV2)
        opened = refused(lambda: update(api))
        assert opened.message == 'Cannot move session to state "open" from state "closed"'

    def test_a_profile_is_updated(self, api: IntegrationApi) -> None:
        request = CustomerProfileIntegrationRequestV2(
            attributes={"City": "Ghent"}, response_content=["customerProfile"]
        )
        answer = api.update_customer_profile_v2("cust-7", request, run_rule_engine=True)
        assert answer.customer_profile is not None
        assert answer.customer_profile.attributes == {"City": "Ghent"}

    @pytest.mark.parametrize("session_id", ["a b", "a/b", "a+b", "?#%", "Bestellung № 7", "a\nb"])
    def test_an_id_of_any_characters_arrives(
        self, api: IntegrationApi, talon_one: Sandbox[Any], session_id: str
    ) -> None:
        """W-24."""
        update(api, session_id)
        assert talon_one.session(session_id).integration_id == session_id
        read = api.get_customer_session(session_id)
        assert read.customer_session is not None
        assert read.customer_session.integration_id == session_id

    def test_effects_deserialise(self) -> None:
        effect = {"effectType": "setDiscount", "props": {"name": "ten", "value": 3.95}}
        with Sandbox(effects=lambda *_: [effect]) as talon_one:
            (read,) = update(client(talon_one)).effects
        assert isinstance(read, Effect)
        assert (read.effect_type, read.props["name"]) == ("setDiscount", "ten")


class TestErrors:
    """W-06, W-17, W-20, W-21, W-23: every error is the client's typed error."""

    def test_a_wrong_key_is_unauthorized(self) -> None:
        with Sandbox(keys=["secret"]) as talon_one:
            assert update(client(talon_one)).effects == []
            data = refused(lambda: update(client(talon_one, key="other")), UnauthorizedException)
        assert data.status_code == 401

    def test_an_unknown_session_is_not_found(self, api: IntegrationApi) -> None:
        with pytest.raises(NotFoundException):
            api.get_customer_session("order-1")

    def test_a_conflict_is_a_conflict(self, api: IntegrationApi, talon_one: Sandbox[Any]) -> None:
        talon_one.fail_next(409)
        data = refused(lambda: update(api), ConflictException)
        assert (data.message, data.status_code) == (
            "Too many requests are updating this session at the same time",
            409,
        )

    def test_four_updates_at_once_are_three_and_a_conflict(self, talon_one: Sandbox[Any]) -> None:
        """W-20."""
        clients = [client(talon_one) for _ in range(4)]
        with ThreadPoolExecutor(3) as senders, talon_one.hold("order-1") as held:
            sent = [senders.submit(update, api, coupon_codes=[str(n)]) for n, api in enumerate(clients[:3])]
            held.wait(3)
            refused(lambda: update(clients[3]), ConflictException)
            senders.submit(lambda: None)
        assert [one.result().effects for one in sent] == [[], [], []]
        assert talon_one.session("order-1").update_count == 3

    def test_a_failure_is_a_service_error(self, api: IntegrationApi, talon_one: Sandbox[Any]) -> None:
        talon_one.fail_next(500)
        with pytest.raises(ServiceException):
            update(api)

    @pytest.mark.parametrize("status", [429, 503])
    def test_the_client_repeats_a_put_that_is_told_to_come_again(
        self, api: IntegrationApi, talon_one: Sandbox[Any], status: int
    ) -> None:
        """W-25: 429 and 503 with Retry-After."""
        talon_one.fail_next(status, times=2, retry_after=0)
        assert update(api).effects == []
        assert [one.status for one in talon_one.requests] == [status, status, 200]


class TestDroppedConnections:
    """W-25: the client silently repeats a PUT whose connection broke before the answer, and never a POST."""

    def test_a_close_that_was_performed_is_asked_for_again(self, api: IntegrationApi, talon_one: Sandbox[Any]) -> None:
        update(api, cart_items=CART)
        talon_one.drop_next("after")
        data = refused(lambda: update(api, state="closed"))
        assert data.message == "Only open sessions can be closed"
        assert [one.status for one in talon_one.requests] == [200, None, 400]

    def test_with_an_idempotency_key_the_second_answer_is_the_first(
        self, api: IntegrationApi, talon_one: Sandbox[Any]
    ) -> None:
        """W-22."""
        request = IntegrationRequest(customer_session=NewCustomerSessionV2(state="closed"))
        talon_one.drop_next("after")
        api.update_customer_session_v2("order-1", request, _headers={"Idempotency-Key": "close-1"})
        assert [one.repeated for one in talon_one.requests] == [False, True]
        assert talon_one.session("order-1").update_count == 1

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_post_is_not_repeated(self, api: IntegrationApi, talon_one: Sandbox[Any], when: Any) -> None:
        update(api, cart_items=CART, state="closed")
        talon_one.drop_next(when)
        with pytest.raises((ApiException, HTTPError)):
            return_items(api, ReturnedCartItem(sku="PEN"))
        assert [one.status for one in talon_one.requests] == [200, None]
        assert talon_one.session("order-1").state == ("closed" if when == "before" else "partially_returned")

    def test_an_answer_that_is_cut_is_an_error(self, api: IntegrationApi, talon_one: Sandbox[Any]) -> None:
        update(api, cart_items=CART, state="closed")
        talon_one.cut_next(operation="return")
        with pytest.raises((ApiException, HTTPError)):
            return_items(api, ReturnedCartItem(sku="PEN"))
        assert talon_one.session("order-1").state is State.PARTIALLY_RETURNED
