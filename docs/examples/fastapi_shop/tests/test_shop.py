"""Tests of the service through its HTTP interface, without a server, and of the store."""

import json
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from shop import orders, smallest
from shop.app import create_app, open_store
from shop.sessions import ShopSession

from session_fsm import CartItem, CustomerSession, State, Trigger, rule, wire
from session_fsm.store import SessionStore, StaleSession

URL = "/v2/customer_sessions/order-7"
ANSWER = {"customerSession", "effects", "createdCoupons", "createdReferrals"}
ORDER = [CartItem(sku="PEN", quantity=4, price="2.5")]
PENS = {"sku": "PEN", "quantity": 4, "price": 2.5}


@pytest.fixture(autouse=True)
def no_sessions_in_memory() -> None:
    smallest.sessions.clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore[ShopSession]]:
    with open_store(f"sqlite:///{tmp_path / 'shop.sqlite3'}") as store:
        yield store


@pytest.fixture
def client(store: SessionStore[ShopSession]) -> Iterator[TestClient]:
    with TestClient(create_app(store)) as client:
        yield client


def put(client: TestClient, url: str = URL, /, **body: Any) -> Any:
    return client.put(url, json={"customerSession": body})


def post_return(client: TestClient, *entries: dict[str, Any], url: str = URL, **parameters: str) -> Any:
    return client.post(url + "/returns", json={"return": {"returnedCartItems": entries}}, params=parameters)


def session_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    session: dict[str, Any] = response.json()["customerSession"]
    return session


def reasons(response: Any) -> list[tuple[str, str]]:
    """Return the title and the pointer of every error entry."""
    assert response.status_code == 400, response.text
    return [(entry["title"], entry["source"]["pointer"]) for entry in response.json()["errors"]]


def requests_of_the_readme() -> Iterator[tuple[str, str, bytes]]:
    """Yield the method, the URL and the body of each curl request in the README."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    base, *lines = readme.split("url=http://127.0.0.1:8000")[1].split("```")[0].splitlines()
    for line in lines:
        words = shlex.split(line.replace("$url", base))
        assert words[0] == "curl"
        options = dict(pairwise(words))
        (url,) = [word for word in words if word.startswith(base)]
        yield options.get("-X", "GET"), url, options.get("-d", "").encode()


def test_the_requests_of_the_readme_have_the_described_responses(client: TestClient) -> None:
    # curl sends the content type of a form by default
    form = {"content-type": "application/x-www-form-urlencoded"}
    sent = requests_of_the_readme()
    answers = [client.request(method, url, content=body, headers=form) for method, url, body in sent]
    assert [answer.status_code for answer in answers] == [200, 400, 200, 400, 200]
    assert reasons(answers[1])[0][0] == "minimum_order_missed"
    assert reasons(answers[3])[0][0] == "returns_more_than_remaining"


class TestLifecycle:
    def test_a_session_is_created_closed_returned_and_cancelled(self, client: TestClient) -> None:
        assert set(put(client, cartItems=[PENS]).json()) == ANSWER
        assert session_of(client.get(URL))["state"] == "open"
        assert session_of(put(client, couponCodes=["XMAS"]))["total"] == 10
        assert session_of(put(client, state="closed"))["state"] == "closed"
        returned = session_of(post_return(client, {"position": 0, "quantity": 1}))
        assert (returned["state"], returned["cartItems"][0]["remainingQuantity"]) == ("partially_returned", 3)
        assert session_of(put(client, state="cancelled"))["updateCount"] == 5
        assert session_of(client.get(URL))["state"] == "cancelled"

    def test_a_closed_session_can_be_reopened_and_updated(self, client: TestClient) -> None:
        put(client, cartItems=[PENS], state="closed")
        assert client.put(URL + "/reopen").json() == {"effects": []}
        assert session_of(client.get(URL))["state"] == "open"
        assert session_of(put(client, cartItems=[]))["total"] == 0

    def test_prices_are_exact(self, client: TestClient) -> None:
        body = '{"cartItems": [{"sku": "A", "quantity": 3, "price": 0.10000000000000000001}]}'
        answer = client.put(URL, content=body)
        assert '"total":0.30000000000000000003' in answer.text

    @pytest.mark.parametrize("name", ["order 7", "2026%2F11%2F7", "%C3%A9t%C3%A9"])
    def test_an_id_may_contain_any_character(self, client: TestClient, name: str) -> None:
        url = f"/v2/customer_sessions/{name}"
        put(client, url, cartItems=[PENS], state="closed")
        client.put(url + "/reopen")
        assert session_of(client.get(url))["state"] == "open"


class TestRefusals:
    def test_an_order_below_the_minimum_is_not_closed(self, client: TestClient) -> None:
        put(client, cartItems=[PENS | {"quantity": 3}])
        assert reasons(put(client, state="closed")) == [("minimum_order_missed", "/cartItems")]
        assert session_of(client.get(URL))["state"] == "open"

    def test_an_order_below_the_minimum_is_not_created_closed(self, client: TestClient) -> None:
        cheap = PENS | {"quantity": 1, "price": 0.5}
        for query in ("", "?dry=true"):
            answer = put(client, URL + query, cartItems=[cheap], state="closed")
            assert reasons(answer) == [("minimum_order_missed", "/cartItems")]
        assert client.get(URL).status_code == 404

    def test_a_refusal_has_every_reason_with_its_pointer(self, client: TestClient) -> None:
        put(
            client,
            cartItems=[PENS, {"sku": "GIFT", "quantity": 1, "price": 25, "category": "gift card"}],
            state="closed",
        )
        answer = post_return(client, {"position": 0, "quantity": 5}, {"sku": "GIFT"}, {"position": 9})
        assert reasons(answer) == [
            ("unknown_cart_item", "/returnedCartItems/2/position"),
            ("returns_more_than_remaining", "/returnedCartItems/0/quantity"),
            ("gift_card_returned", "/returnedCartItems/1"),
        ]

    def test_a_wrong_state_has_the_message_of_the_api(self, client: TestClient) -> None:
        put(client, cartItems=[PENS], state="closed")
        answer = put(client, state="open")
        assert answer.status_code == 400
        assert answer.json()["message"] == 'Cannot move session to state "open" from state "closed"'

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000])
    def test_an_invalid_body_is_refused(self, client: TestClient, body: bytes) -> None:
        answer = client.put(URL, content=body)
        assert (answer.status_code, answer.json()["errors"][0]["title"]) == (400, "Invalid value")

    def test_every_problem_of_a_body_has_its_pointer(self, client: TestClient) -> None:
        answer = put(client, cartItems=[{"sku": "", "quantity": 0}], couponCodes="XMAS")
        assert {pointer for _, pointer in reasons(answer)} == {
            "/cartItems/0/sku",
            "/cartItems/0/quantity",
            "/couponCodes",
        }

    def test_an_id_that_is_too_long_is_refused(self, client: TestClient) -> None:
        assert reasons(put(client, "/v2/customer_sessions/" + "x" * 1001)) == [("Invalid value", "/integrationId")]

    def test_a_non_boolean_parameter_is_refused(self, client: TestClient) -> None:
        answer = client.put(URL, params={"dry": "perhaps"}, json={})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["details"].startswith("query.dry: ")

    @pytest.mark.parametrize(
        ("method", "tail"),
        [("GET", ""), ("POST", "/returns"), ("PUT", "/reopen"), ("GET", "/diagram.svg"), ("GET", "/diagram.html")],
    )
    def test_an_unknown_session_is_not_found(self, client: TestClient, method: str, tail: str) -> None:
        answer = client.request(method, URL + tail, content='{"returnedCartItems": [{"position": 0}]}')
        assert answer.status_code == 404
        assert answer.json() == {"message": "session 'order-7' is not in the store", "errors": []}

    def test_unknown_urls_and_methods_have_the_same_error_format(self, client: TestClient) -> None:
        assert client.get("/nowhere").json() == {"message": "Not Found", "errors": []}
        answer = client.delete(URL)
        assert (answer.status_code, answer.json()) == (405, {"message": "Method Not Allowed", "errors": []})


def broken(kind: type[CustomerSession]) -> type[Any]:
    """Return a subclass with a rule that raises."""

    @rule("out_of_stock", on=[Trigger.CLOSE])
    def all_is_in_stock() -> bool:
        """All items must be in stock."""
        raise ConnectionError("postgresql://shop:secret-word@db.internal is not there")

    class Broken(kind):  # type: ignore[valid-type,misc]  # a class like any other
        """A session with a rule that raises."""

        rules = (*kind.rules, all_is_in_stock)

    return Broken


class TestFaults:
    """Errors of the service: status 500 without details."""

    @pytest.mark.parametrize("query", ["", "?dry=true"])
    def test_a_rule_that_raises_has_status_500_and_is_logged(
        self, store: SessionStore[ShopSession], query: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        kind = broken(ShopSession)
        strict = SessionStore(store.engine, kind, application_id=1)
        strict.add(kind.create("order-7", cart_items=ORDER))
        with TestClient(create_app(strict)) as client:
            answer = put(client, URL + query, state="closed", cartItems=[PENS])
        assert_only_logged(answer, caplog)

    def test_the_minimal_service_returns_500_if_a_rule_raises(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(smallest, "CustomerSession", broken(CustomerSession))
        monkeypatch.setattr(wire, "loads", partial(loads_as, broken(CustomerSession)))
        with TestClient(smallest.app) as client:
            put(client)
            answer = put(client, state="closed")
        assert_only_logged(answer, caplog)

    def test_an_unexpected_error_has_the_same_format(
        self, store: SessionStore[ShopSession], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "get", lambda _: 1 / 0)
        with TestClient(create_app(store), raise_server_exceptions=False) as client:
            answer = client.get(URL)
        assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error", "errors": []})


def loads_as(kind: type[CustomerSession], data: bytes, asked: type[Any] = CustomerSession) -> Any:
    return wire.structure(json.loads(data), kind if asked is CustomerSession else asked)


def assert_only_logged(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert answer.status_code == 500
    assert "secret-word" not in answer.text
    (record,) = [r for r in caplog.records if r.levelname == "ERROR" and r.name != "session_fsm"]
    assert "order-7" in record.getMessage()
    assert "secret-word" in caplog.text


class TestMinimalService:
    def test_creates_changes_and_refuses(self) -> None:
        with TestClient(smallest.app) as client:
            assert set(put(client, cartItems=[PENS]).json()) == ANSWER
            closed = session_of(put(client, state="closed"))
            assert (closed["state"], closed["id"], closed["applicationId"]) == ("closed", 1, 1)
            assert put(client, state="open").status_code == 400

    def test_loses_no_update_of_several_threads(self) -> None:
        with TestClient(smallest.app) as client, ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(put, client, couponCodes=[str(number)]) for number in range(40)]
            assert {one.result().status_code for one in sent} == {200}
            assert session_of(put(client))["updateCount"] == 41


class TestDryRuns:
    def test_an_allowed_dry_run_returns_the_result_and_changes_nothing(self, client: TestClient) -> None:
        assert session_of(put(client, URL + "?dry=true", cartItems=[PENS]))["total"] == 10
        assert client.get(URL).status_code == 404
        put(client, cartItems=[PENS])
        assert session_of(put(client, URL + "?dry=true", couponCodes=["XMAS"]))["couponCodes"] == ["XMAS"]
        assert session_of(put(client, URL + "?dry=true", state="cancelled"))["state"] == "cancelled"
        assert session_of(client.get(URL))["updateCount"] == 1

    def test_a_dry_run_of_a_close_considers_only_the_request(self, client: TestClient) -> None:
        put(client, cartItems=[PENS])
        assert reasons(put(client, URL + "?dry=true", state="closed")) == [("minimum_order_missed", "/cartItems")]
        assert session_of(put(client, URL + "?dry=true", state="closed", cartItems=[PENS]))["state"] == "closed"

    def test_a_dry_run_of_a_return_changes_nothing(self, client: TestClient) -> None:
        put(client, cartItems=[PENS], state="closed")
        assert session_of(post_return(client, {"position": 0}, dry="true"))["state"] == "partially_returned"
        answer = post_return(client, {"position": 0, "quantity": 5}, dry="true")
        assert reasons(answer) == [("returns_more_than_remaining", "/returnedCartItems/0/quantity")]
        assert session_of(client.get(URL))["state"] == "closed"

    @pytest.mark.parametrize("state", ["open", "closed", "partially_returned"])
    def test_a_refused_dry_run_has_the_same_message(self, client: TestClient, state: str) -> None:
        put(client, cartItems=[PENS], state="closed")
        dry, real = put(client, URL + "?dry=true", state=state), put(client, state=state)
        assert (dry.status_code, dry.json()) == (400, real.json())


class TestParallelWrites:
    def test_an_update_is_repeated_after_a_parallel_write(
        self, client: TestClient, store: SessionStore[ShopSession]
    ) -> None:
        put(client, cartItems=[PENS])
        with ThreadPoolExecutor(4) as pool:
            sent = [pool.submit(put, client, couponCodes=[str(number)]) for number in range(8)]
            statuses = [one.result().status_code for one in sent]
        assert set(statuses) <= {200, 409}
        assert store.get("order-7").update_count == 1 + statuses.count(200)

    def test_a_parallel_write_that_wins_each_time_has_the_message_of_the_api(
        self, client: TestClient, store: SessionStore[ShopSession], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def overtaken(*_: object, **__: object) -> None:
            raise StaleSession("order-7", 1, 1, 2)

        monkeypatch.setattr(store, "change", overtaken)
        answer = put(client, couponCodes=["XMAS"])
        assert answer.status_code == 409
        assert answer.json() == {
            "message": "Too many requests are updating this session at the same time",
            "StatusCode": 409,
        }


class TestOrders:
    @pytest.fixture
    def client(self) -> Iterator[TestClient]:
        with TestClient(orders.app) as client:
            yield client

    @pytest.fixture
    def url(self) -> str:
        return f"/orders/{uuid4()}"

    def put(self, client: TestClient, url: str, branch: str = "Ghent", **session: object) -> Any:
        return client.put(url, json=session, headers={"X-Branch": branch})

    def edit(self, client: TestClient, url: str, etag: str) -> Any:
        return client.patch(url, json={"couponCodes": ["XMAS"]}, headers={"If-Match": etag})

    def test_the_branch_of_new_and_of_existing_sessions_is_in_the_header(self, client: TestClient, url: str) -> None:
        assert self.put(client, url, cartItems=[PENS]).json()["branch"] == "Ghent"
        changed = self.put(client, url, "Bruges", state="closed").json()
        assert (changed["branch"], changed["state"], changed["total"]) == ("Bruges", "closed", 10)

    def test_a_change_of_an_outdated_session_is_refused(self, client: TestClient, url: str) -> None:
        self.put(client, url)
        etag = client.get(url).headers["ETag"]
        assert self.edit(client, url, etag).headers["ETag"] == '"2"'
        assert self.edit(client, url, etag).status_code == 412
        assert client.get(url).json()["updateCount"] == 2

    def test_a_change_of_an_unknown_session_is_not_found(self, client: TestClient, url: str) -> None:
        assert self.edit(client, url, '"1"').status_code == 404

    def test_the_board_says_what_is_allowed_and_why_not(self, client: TestClient, url: str) -> None:
        self.put(client, url)
        board = client.get(url + "/board").json()
        assert board["close"]["allowed"]
        assert [violation["code"] for violation in board["reopen"]["violations"]] == ["wrong_state"]


class TestDiagrams:
    def test_diagrams_show_the_session_and_its_history(self, client: TestClient) -> None:
        put(client, cartItems=[PENS])
        put(client, state="closed")
        picture, page = client.get(URL + "/diagram.svg"), client.get(URL + "/diagram.html")
        assert picture.headers["content-type"] == "image/svg+xml"
        assert picture.text.startswith("<svg")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "<strong>closed</strong> now" in page.text
        assert 'id="history"' in page.text

    def test_another_format_is_refused(self, client: TestClient) -> None:
        assert client.get(URL + "/diagram.png").status_code == 400


def test_the_store_keeps_sessions_and_events_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    with open_store(url) as before, TestClient(create_app(before)) as client:
        put(client, couponCodes=["XMAS"])
    with open_store(url) as after:
        found = after.get("order-7")
        assert (type(found), found.state, found.coupon_codes) == (ShopSession, State.OPEN, ("XMAS",))
        assert [str(stored.event.name) for stored in after.history("order-7")] == ["talon_session_created"]
