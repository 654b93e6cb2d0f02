"""The four operations, and the update of a profile: what they do and what they answer (API rows W-01 to W-16)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from builders import TenantSession
from sandbox_client import CART, Client, details, titles

from session_fsm import CustomerSession, InvalidValue, State, rule
from session_fsm.rules import coupon_code_required
from session_fsm.sandbox import ApiRequest, SessionUnknown

NOW = datetime(2026, 9, 14, 9, 12, tzinfo=UTC)
EMPTY = {"effects": [], "createdCoupons": [], "createdReferrals": []}


@pytest.fixture
def client() -> Client:
    return Client(now=NOW, running=False)


class TestUpdate:
    """W-01, W-04, W-05, W-07: PUT /v2/customer_sessions/{id}."""

    def test_an_update_of_an_unknown_session_creates_it_and_answers_200(self, client: Client) -> None:
        answer = client.update(cartItems=CART, profileId="cust-7")
        assert (answer.status_code, answer.json()) == (200, EMPTY)
        session = client.app.session("order-1")
        assert (session.state, session.total, session.id, session.application_id) == ("open", Decimal("39.5"), 1, 1)
        assert (session.created, session.updated, session.profile_id) == (NOW, NOW, "cust-7")

    def test_an_update_changes_only_what_it_holds(self, client: Client) -> None:
        client.update(cartItems=CART, couponCodes=["XMAS"])
        client.app.clock.advance(hours=1)
        client.update(referralCode="FRIEND", couponCodes=None)
        session = client.app.session("order-1")
        assert (session.coupon_codes, session.referral_code, len(session.cart_items)) == (("XMAS",), "FRIEND", 2)
        assert (session.update_count, (session.updated - session.created).seconds) == (2, 3600)

    def test_the_wanted_state_picks_the_trigger(self, client: Client) -> None:
        """D-07: closed closes, cancelled cancels."""
        client.update(cartItems=CART)
        assert client.update(state="closed").status_code == 200
        assert client.update(state="cancelled").status_code == 200
        assert [str(event.trigger) for event in client.app.history("order-1")] == ["create", "close", "cancel"]

    def test_a_session_may_be_created_closed(self, client: Client) -> None:
        """T-02, D-08."""
        assert client.update(state="closed").status_code == 200
        assert client.app.session("order-1").state is State.CLOSED

    def test_opening_a_closed_session_is_refused_in_the_words_of_the_api(self, client: Client) -> None:
        """W-19: the first known text."""
        client.order()
        answer = client.update(state="open")
        assert answer.status_code == 400
        assert answer.json()["message"] == 'Cannot move session to state "open" from state "closed"'
        assert titles(answer) == ["wrong_state"]

    def test_closing_a_closed_session_is_refused_in_the_words_of_the_api(self, client: Client) -> None:
        """W-19: the second known text; D-06: the title says that it is closed already."""
        client.order()
        answer = client.update(state="closed")
        assert (answer.status_code, answer.json()["message"]) == (400, "Only open sessions can be closed")
        assert titles(answer) == ["already_in_state"]

    def test_a_state_that_does_not_exist_has_the_title_enum(self, client: Client) -> None:
        """W-19."""
        answer = client.update(state="frozen")
        assert answer.json()["errors"] == [
            {
                "title": "enum",
                "details": 'state must be one of the following: "open", "closed", "cancelled"',
                "source": {"pointer": "/state"},
            }
        ]

    def test_the_state_partially_returned_is_refused(self, client: Client) -> None:
        """D-07: only a return leads there."""
        client.order()
        assert client.update(state="partially_returned").status_code == 400
        assert client.app.session("order-1").state is State.CLOSED

    def test_every_wrong_value_is_reported_with_its_pointer(self, client: Client) -> None:
        """W-18: source is in every entry."""
        answer = client.update(cartItems=[{"sku": "", "quantity": 0}], identifiers=["x"] * 6)
        assert answer.status_code == 400
        pointers = {source["pointer"] for _, source in details(answer)}
        assert pointers == {"/cartItems/0/sku", "/cartItems/0/quantity", "/identifiers"}

    def test_whole_numbers_may_have_a_fraction_of_zero(self, client: Client) -> None:
        """W-27."""
        body = b'{"customerSession":{"cartItems":[{"sku":"A","quantity":2.0,"price":0.1}]}}'
        answer = client.send(
            "PUT", "/v2/customer_sessions/order-1", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 200
        assert client.app.session("order-1").total == Decimal("0.2")

    def test_an_id_of_more_than_1000_characters_is_refused(self, client: Client) -> None:
        """F-03."""
        answer = client.update("x" * 1001)
        assert answer.status_code == 400
        assert details(answer)[0][1] == {"pointer": "/integrationId"}

    def test_a_refused_creation_creates_nothing(self, client: Client) -> None:
        assert client.update(state="cancelled").status_code == 400
        assert client.update("order-2").status_code == 200
        assert client.app.session("order-2").id == 1
        with pytest.raises(SessionUnknown, match="the sandbox has no session 'order-1'"):
            client.app.session("order-1")
        with pytest.raises(LookupError):
            client.app.history("order-1")

    @pytest.mark.parametrize(
        ("body", "pointer", "text"),
        [
            (b"", "", "empty"),
            (b"{", "", "not JSON"),
            (b"[]", "", "a list is not an object"),
            (b"{}", "/customerSession", "is missing"),
            (b'{"customerSession":null}', "/customerSession", "is missing"),
            (b'{"customerSession":[]}', "/customerSession", "not an object"),
            (b'{"customerSession":{},"responseContent":"event"}', "/responseContent", "a string is not a list"),
            (b'{"customerSession":{},"customerSession":{}}', "", "twice"),
            (b'{"customerSession":{"profileId":"\xff"}}', "", "UTF-8"),
            (b"[" * 100_000, "", "nested too deeply"),
        ],
    )
    def test_a_body_that_cannot_be_read_is_refused(self, client: Client, body: bytes, pointer: str, text: str) -> None:
        """W-03, W-18."""
        answer = client.send(
            "PUT", "/v2/customer_sessions/order-1", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400
        ((told, source),) = details(answer)
        assert text in told
        assert source == ({"pointer": pointer} if pointer else {})


class TestDryUpdate:
    """W-08, W-09, U-11: a dry run changes nothing."""

    def test_a_dry_run_answers_what_would_be_and_stores_nothing(self, client: Client) -> None:
        answer = client.update(
            "order-1", "?dry=true", "customerSession", "customerProfile", cartItems=CART, profileId="p"
        )
        assert answer.json()["customerSession"]["total"] == 39.5
        assert answer.json()["customerProfile"]["integrationId"] == "p"
        assert client.get().status_code == 404

    def test_a_dry_run_of_a_closing_considers_only_the_request(self, client: Client) -> None:
        client.update(cartItems=CART)
        answer = client.update("order-1", "?dry=true", "customerSession", "event", state="closed")
        assert (answer.json()["customerSession"]["total"], answer.json()["event"]["id"]) == (0, 0)
        assert answer.json()["event"]["type"] == "talon_session_closed"
        assert client.app.session("order-1").state is State.OPEN
        assert len(client.app.history("order-1")) == 1

    def test_a_dry_run_is_refused_as_the_update_would_be(self, client: Client) -> None:
        client.order()
        assert client.update("order-1", "?dry=true", state="open").status_code == 400

    @pytest.mark.parametrize("now", ["2026-12-24T00:00:00Z", "2026-12-24T01:00:00%2B0100", "2026-12-24T01:00:00+01:00"])
    def test_a_dry_run_may_be_judged_at_a_time_in_the_future(self, client: Client, now: str) -> None:
        """W-08: the Python client sends an offset without a colon."""
        answer = client.update("order-1", f"?dry=true&now={now}", "customerSession")
        created = datetime.fromisoformat(answer.json()["customerSession"]["created"])
        assert created == datetime(2026, 12, 24, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("query", "parameter", "text"),
        [
            ("?dry=1", "dry", "neither true nor false"),
            ("?dry=", "dry", "neither true nor false"),
            ("?dry=true&now=tomorrow", "now", "is not a time"),
            ("?dry=true&now=2026-12-24T00:00:00", "now", "is not a time"),
            ("?now=2026-12-24T00:00:00Z", "now", "only allowed with dry=true"),
            ("?dry=false&now=2026-12-24T00:00:00Z", "now", "only allowed with dry=true"),
            ("?dry=true&now=2026-09-14T09:12:00Z", "now", "is not in the future"),
        ],
    )
    def test_a_query_that_the_api_does_not_know_is_refused(
        self, client: Client, query: str, parameter: str, text: str
    ) -> None:
        """W-02, W-08."""
        answer = client.update("order-1", query)
        assert answer.status_code == 400
        ((told, source),) = details(answer)
        assert (text in told, source) == (True, {"parameter": parameter})


class TestGet:
    """W-04: GET /v2/customer_sessions/{id}."""

    def test_a_session_has_every_member_that_the_description_requires(self, client: Client) -> None:
        """W-16."""
        client.order(profileId="cust-7")
        session = client.get().json()["customerSession"]
        required = {
            *("id", "created", "integrationId", "applicationId", "profileId", "state", "cartItems", "attributes"),
            *("firstSession", "updateCount", "total", "cartItemTotal", "additionalCostTotal", "updated"),
            "cartItemAdditionalCostTotal",
        }
        assert required <= session.keys()
        assert None not in session.values()

    def test_an_unknown_session_is_404_in_the_envelope(self, client: Client) -> None:
        """W-21."""
        for answer in (client.get("a b"), client.return_items(session_id="a b"), client.reopen("a b")):
            assert answer.status_code == 404
            assert answer.json()["message"] == 'There is no session "a b"; an update creates one'
            assert answer.json()["errors"][0]["source"] == {}
        assert client.return_items(query="?dry=true").status_code == 404

    def test_an_unknown_session_is_400_if_the_sandbox_is_told_so(self) -> None:
        """W-21."""
        assert Client(unknown_session=400).get().status_code == 400


class TestReturn:
    """W-13: POST /v2/customer_sessions/{id}/returns."""

    def test_a_return_answers_what_came_back(self, client: Client) -> None:
        client.order(profileId="cust-7")
        answer = client.return_items({"sku": "MUG", "quantity": 2})
        returned = answer.json()["return"]
        assert returned["returnedCartItems"] == [{"position": 0, "quantity": 2, "sku": "MUG"}]
        assert (returned["sessionId"], returned["sessionIntegrationId"]) == (1, "order-1")
        assert (returned["eventId"], returned["profileIntegrationId"], returned["accountId"]) == (2, "cust-7", 1)
        assert answer.json() == {"return": returned, **EMPTY}

    def test_the_second_return_lists_the_first(self, client: Client) -> None:
        """T-10, W-13."""
        client.order()
        first = client.return_items({"position": 0, "quantity": 1}).json()["return"]
        answer = client.return_items({"position": 0}, content=("previousReturns", "customerSession", "event"))
        assert answer.json()["previousReturns"] == [first]
        assert answer.json()["customerSession"]["cartItems"][0]["remainingQuantity"] == 0
        assert answer.json()["event"]["type"] == "talon_session_partially_returned"
        assert "profileIntegrationId" not in first

    def test_old_returns_are_listed_though_old_events_are_forgotten(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("session_fsm.sandbox.sessions.MOST_EVENTS", 2)
        client.order()
        for _ in range(3):
            answer = client.return_items({"position": 0, "quantity": 1}, content=("previousReturns",))
        assert len(answer.json()["previousReturns"]) == 2
        assert [event.update_count for event in client.app.history("order-1")] == [3, 4]

    def test_a_dry_return_changes_nothing(self, client: Client) -> None:
        client.order()
        answer = client.return_items({"sku": "MUG"}, query="?dry=true&runRuleEngine=true", content=("customerSession",))
        assert answer.json()["customerSession"]["state"] == "partially_returned"
        assert client.app.session("order-1").state is State.CLOSED
        assert client.return_items({"sku": "CUP"}, query="?dry=true").status_code == 400

    def test_a_return_is_refused_with_a_code_for_each_reason(self, client: Client) -> None:
        """L-04, L-07."""
        client.order()
        answer = client.return_items({"sku": "CUP"}, {"sku": "PEN", "quantity": 2})
        assert titles(answer) == ["unknown_cart_item", "returns_more_than_remaining"]

    def test_a_return_without_its_wrapper_is_refused(self, client: Client) -> None:
        """W-03."""
        answer = client.send("POST", "/v2/customer_sessions/order-1/returns", json={"returnedCartItems": []})
        assert details(answer) == [("is missing", {"pointer": "/return"})]

    def test_run_rule_engine_is_a_boolean(self, client: Client) -> None:
        """W-10."""
        client.order()
        answer = client.return_items({"sku": "MUG"}, query="?runRuleEngine=maybe")
        assert details(answer)[0][1] == {"parameter": "runRuleEngine"}


class TestReopen:
    """W-03, W-04: PUT /v2/customer_sessions/{id}/reopen, without a body."""

    def test_a_closed_session_is_reopened_and_the_answer_has_only_effects(self, client: Client) -> None:
        client.order()
        assert client.reopen().json() == {"effects": []}
        assert client.app.session("order-1").state is State.OPEN

    def test_a_partially_returned_session_is_not_reopened(self, client: Client) -> None:
        """D-04."""
        client.order()
        client.return_items({"sku": "MUG"})
        assert client.reopen().status_code == 400


class TestResponseContent:
    """W-11, W-12, W-14: what an answer holds beside its fixed members."""

    ALL = (
        *("customerSession", "customerProfile", "coupons", "triggeredCampaigns", "referral", "loyalty", "event"),
        *("awardedGiveaways", "ruleFailureReasons", "previousReturns", "achievements"),
    )

    def test_each_entity_that_is_named_is_in_the_answer(self, client: Client) -> None:
        answer = client.update("order-1", "", *self.ALL, profileId="cust-7", referralCode="FRIEND")
        assert answer.json().keys() == {*self.ALL, *EMPTY}
        assert answer.json()["referral"]["code"] == "FRIEND"
        assert answer.json()["event"] == {
            "id": 1,
            "created": "2026-09-14T09:12:00Z",
            "applicationId": 1,
            "sessionId": "order-1",
            "type": "talon_session_created",
            "attributes": {},
            "effects": [],
            "profileId": "cust-7",
        }

    def test_what_does_not_exist_is_left_out(self, client: Client) -> None:
        """W-15: null breaks clients."""
        answer = client.update("order-1", "", "customerProfile", "referral")
        assert answer.json() == EMPTY

    def test_an_entity_that_the_api_does_not_know_is_refused(self, client: Client) -> None:
        answer = client.update("order-1", "", "customerSession", "everything")
        assert titles(answer) == ["enum"]
        assert details(answer)[0][1] == {"pointer": "/responseContent/1"}
        client.order()
        assert client.return_items({"sku": "MUG"}, content=("achievements",)).status_code == 400

    def test_campaign_eligibility_is_for_dry_runs_alone(self, client: Client) -> None:
        assert client.update("order-1", "?dry=true", "campaignEligibility").json()["campaignEligibility"] == []
        assert client.update("order-1", "", "campaignEligibility").status_code == 400
        answer = client.update("order-1", "?dry=true", "campaignEligibility", "ruleFailureReasons")
        assert answer.status_code == 400

    def test_the_session_is_in_every_answer_if_the_sandbox_is_told_so(self) -> None:
        """W-12."""
        client = Client(always_session=True)
        assert client.update(state="closed").json()["customerSession"]["state"] == "closed"
        assert list(client.update("order-2", "", "event", "customerSession").json())[:2] == ["customerSession", "event"]

    @pytest.mark.parametrize(
        ("month", "missing"),
        [
            ("2026-05", set()),
            ("2026-04", {"cartItemAdditionalCostTotal"}),
            ("2026-02", {"cartItemAdditionalCostTotal", "updateCount"}),
            ("2024-12", {"cartItemAdditionalCostTotal", "updateCount", "experimentVariantAllocations"}),
        ],
    )
    def test_members_of_later_months_are_left_out_of_a_session(self, month: str, missing: set[str]) -> None:
        """W-16: an unknown member breaks the Java client."""
        all_members = Client(always_session=True).update().json()["customerSession"].keys()
        answer = Client(always_session=True, api_version=month).update()
        assert all_members - answer.json()["customerSession"].keys() == missing

    def test_fields_of_the_class_are_not_in_answers(self) -> None:
        """W-16: Talon.One does not know them."""
        client = Client(kind=TenantSession, own={"tenant": "acme"}, always_session=True)
        assert "tenant" not in client.update().json()["customerSession"]
        assert client.app.session("order-1").tenant == "acme"


class TestProfiles:
    """PUT /v2/customer_profiles/{id}."""

    def put(self, client: Client, body: Any, profile: str = "cust-7", query: str = "") -> Any:
        return client.send("PUT", f"/v2/customer_profiles/{profile}{query}", json=body)

    def test_attributes_are_merged_and_null_removes_one(self, client: Client) -> None:
        """U-05."""
        self.put(client, {"attributes": {"City": "Ghent", "Age": 41}})
        answer = self.put(client, {"attributes": {"Age": None}, "responseContent": ["customerProfile"]})
        assert answer.json()["customerProfile"] == {
            "id": 1,
            "created": "2026-09-14T09:12:00Z",
            "integrationId": "cust-7",
            "attributes": {"City": "Ghent"},
            "accountId": 1,
            "closedSessions": 0,
            "totalSales": 0,
            "lastActivity": "2026-09-14T09:12:00Z",
        }
        assert self.put(client, {}).json() == EMPTY

    def test_a_profile_knows_its_orders(self, client: Client) -> None:
        """W-14."""
        client.order(profileId="cust-7")
        client.update("order-2", profileId="cust-7", cartItems=CART)
        client.update("order-3", profileId="cust-8", state="closed")
        client.update("order-3b", profileId="cust-7")
        client.update("order-3b", profileId="cust-8")
        answer = self.put(client, {"responseContent": ["customerProfile", "loyalty", "event"]})
        profile = answer.json()["customerProfile"]
        assert (profile["closedSessions"], profile["totalSales"]) == (1, 39.5)
        assert answer.json()["loyalty"] == {"cards": [], "programs": {}}
        assert "event" not in answer.json()

    def test_the_first_session_of_a_customer_says_so(self, client: Client) -> None:
        """F-16."""
        for number, profile in enumerate(["cust-7", "cust-7", "cust-8", ""]):
            client.update(f"order-{number}", profileId=profile)
        assert [client.app.session(f"order-{number}").first_session for number in range(4)] == [True, False, True, True]

    def test_a_dry_update_of_a_profile_changes_nothing(self, client: Client) -> None:
        self.put(client, {"attributes": {"City": "Ghent"}}, query="?dry=true&runRuleEngine=true")
        answer = self.put(client, {"responseContent": ["customerProfile"]})
        assert answer.json()["customerProfile"]["attributes"] == {}

    def test_attributes_are_an_object(self, client: Client) -> None:
        assert details(self.put(client, {"attributes": []})) == [
            ("a list is not an object", {"pointer": "/attributes"})
        ]


class TestClass:
    """The rules of the service's own class judge the requests."""

    def test_a_rule_of_the_shop_refuses_with_its_code_as_the_title(self) -> None:
        class Shop(CustomerSession):
            rules = (*CustomerSession.rules, coupon_code_required)

        client = Client(kind=Shop)
        answer = client.update(state="closed")
        assert (answer.status_code, titles(answer)) == (400, ["coupon_code_required"])
        assert client.update(state="closed", couponCodes=["XMAS"]).status_code == 200

    def test_a_rule_that_raises_is_500_in_the_envelope(self) -> None:
        @rule("out_of_stock", on=["create"])
        def all_is_in_stock() -> bool:
            """All that is ordered must be in stock."""
            raise ConnectionError("the stock service is down")

        class Shop(CustomerSession):
            rules = (*CustomerSession.rules, all_is_in_stock)

        answer = Client(kind=Shop).update()
        assert (answer.status_code, titles(answer)) == (500, ["rule_failed"])

    def test_a_class_that_needs_a_field_is_refused_without_its_value(self) -> None:
        """Requests have no own fields, so no session could be created."""
        with pytest.raises(InvalidValue) as refused:
            Client(kind=TenantSession, own={"note": "x"})
        assert str(refused.value) == "/own: has no 'tenant', which every new TenantSession needs; requests have none"

    def test_a_class_that_raises_is_500_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(CustomerSession):
            @classmethod
            def create(cls, *_: Any, **__: Any) -> Any:
                raise TypeError("no tenant")

        answer = Client(kind=Broken).update()
        assert answer.status_code == 500
        assert answer.json()["message"] == "TypeError: no tenant"
        assert "PUT /v2/customer_sessions/order-1 failed" in caplog.text


class TestEffects:
    """Effects to order: a function from session, event and request to a list of effects."""

    def test_effects_are_in_the_answers_with_the_members_that_the_api_requires(self) -> None:
        asked: list[tuple[str, str, str, bool]] = []

        def effects(session: CustomerSession, event: Any, request: ApiRequest) -> list[dict[str, Any]]:
            asked.append((str(session.state), str(event.name), request.operation, request.dry))
            return [{"effectType": "setDiscount", "props": {"name": "ten", "value": 0.1, "scopes": ["a", 2.5]}}]

        client = Client(effects=effects)
        answer = client.update("order-1", "?dry=true", cartItems=CART)
        assert answer.json()["effects"] == [
            {
                "campaignId": 1,
                "rulesetId": 1,
                "ruleIndex": 0,
                "ruleName": "sandbox",
                "props": {"name": "ten", "value": 0.1, "scopes": ["a", 2.5]},
                "effectType": "setDiscount",
            }
        ]
        client.order()
        assert len(client.reopen().json()["effects"]) == 1
        client.update(state="closed")
        assert len(client.return_items({"sku": "MUG"}).json()["effects"]) == 1
        assert asked == [
            ("open", "talon_session_created", "update", True),
            ("closed", "talon_session_created", "update", False),
            ("open", "talon_session_reopened", "reopen", False),
            ("closed", "talon_session_closed", "update", False),
            ("partially_returned", "talon_session_partially_returned", "return", False),
        ]

    @pytest.mark.parametrize(
        ("effects", "text"),
        [
            (lambda *_: 1 / 0, "ZeroDivisionError"),
            (lambda *_: ["setDiscount"], "an effect is a mapping, not a string"),
            (lambda *_: [{"props": {}}], "an effect has an effectType"),
            (lambda *_: [{"effectType": "x", "props": {"of": object()}}], "cannot be written as JSON"),
        ],
    )
    def test_a_function_that_fails_is_500_and_changes_nothing(self, effects: Any, text: str) -> None:
        client = Client(effects=effects)
        answer = client.update()
        assert (answer.status_code, titles(answer)) == (500, ["failed"])
        assert text in answer.json()["message"]
        assert client.app.sessions() == []


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"kind": dict}, "/kind"),
        ({"keys": "secret"}, "/keys"),
        ({"keys": [""]}, "/keys"),
        ({"unknown_session": 500}, "/unknown_session"),
        ({"api_version": "2026-13"}, "/api_version"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Client(**settings)
    assert refused.value.pointer == pointer
