"""Tests of the service through its HTTP interface, without a server, and of the models."""

import json
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.core.management import call_command
from django.test import TestCase
from shop.models import ParallelWrite, StoredEvent, StoredSession, find, keep, save_events
from shop.sessions import ShopSession

from session_fsm import State, Trigger, rule

URL = "/v2/customer_sessions/order-7"
ANSWER = {"customerSession", "effects", "createdCoupons", "createdReferrals"}
ANVIL = {"sku": "ANVIL", "quantity": 1, "price": 90, "weight": 20_000}


class ShopTestCase(TestCase):
    """The base of the tests: sends requests and checks responses."""

    def put(self, url: str = URL, /, **body: Any) -> Any:
        return self.client.put(url, {"customerSession": body}, content_type="application/json")

    def post_return(self, *entries: dict[str, Any], query: str = "") -> Any:
        body = {"return": {"returnedCartItems": entries}}
        return self.client.post(URL + "/returns" + query, body, content_type="application/json")

    def session_of(self, response: Any) -> dict[str, Any]:
        self.assertEqual(response.status_code, 200, response.content)
        session: dict[str, Any] = response.json()["customerSession"]
        return session

    def assert_refused(self, response: Any, *reasons: tuple[str, str]) -> None:
        """Assert the title and the pointer of every error entry."""
        self.assertEqual(response.status_code, 400, response.content)
        found = [(entry["title"], entry["source"]["pointer"]) for entry in response.json()["errors"]]
        self.assertEqual(found, list(reasons))


def requests_of_the_readme() -> Iterator[tuple[str, str, str]]:
    """Yield the method, the URL and the body of each curl request in the README."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    base, *lines = readme.split("url=http://127.0.0.1:8000")[1].split("```")[0].splitlines()
    for line in lines:
        words = shlex.split(line.replace("$url", base))
        assert words[0] == "curl"
        options = dict(pairwise(words))
        (url,) = [word for word in words if word.startswith(base)]
        yield options.get("-X", "GET"), url, options.get("-d", "")


class Readme(ShopTestCase):
    def test_its_requests_have_the_described_responses(self) -> None:
        answers = [
            # curl sends the content type of a form by default
            self.client.generic(method, url, body, content_type="application/x-www-form-urlencoded")
            for method, url, body in requests_of_the_readme()
        ]
        self.assertEqual([answer.status_code for answer in answers], [200, 400, 200, 400, 200])
        codes = [[error["title"] for error in json.loads(answers[place].content)["errors"]] for place in (1, 3)]
        self.assertEqual(codes, [["parcel_too_heavy"], ["returns_more_than_remaining"]])


class Lifecycle(ShopTestCase):
    def test_a_session_is_created_closed_returned_and_cancelled(self) -> None:
        self.assertEqual(self.session_of(self.put(cartItems=[ANVIL]))["state"], "open")
        self.assertEqual(self.session_of(self.put(couponCodes=["XMAS"]))["total"], 90)
        self.assertEqual(self.session_of(self.put(state="closed"))["state"], "closed")
        returned = self.session_of(self.post_return({"sku": "ANVIL"}))
        self.assertEqual(returned["state"], "partially_returned")
        self.assertEqual(returned["cartItems"][0]["remainingQuantity"], 0)
        self.assertEqual(self.session_of(self.put(state="cancelled"))["updateCount"], 5)
        with self.subTest("every answer has the members that Talon.One's clients read"):
            self.assertEqual(set(self.put("/v2/customer_sessions/a").json()), ANSWER)
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "cancelled")

    def test_a_closed_session_can_be_reopened_and_updated(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        self.assertEqual(self.client.put(URL + "/reopen").json(), {"effects": []})
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "open")
        self.assertEqual(self.session_of(self.put(cartItems=[]))["total"], 0)

    def test_prices_are_exact(self) -> None:
        body = '{"cartItems": [{"sku": "A", "quantity": 3, "price": 0.10000000000000000001}]}'
        self.client.put(URL, body, content_type="application/json")
        self.assertIn(b'"total":0.30000000000000000003', self.client.get(URL).content)

    def test_an_id_may_contain_any_character(self) -> None:
        for name in ("order 7", "2026%2F11%2F7", "%C3%A9t%C3%A9"):
            with self.subTest(name):
                url = f"/v2/customer_sessions/{name}"
                self.put(url, cartItems=[ANVIL], state="closed")
                self.client.put(url + "/reopen")
                self.assertEqual(self.session_of(self.client.get(url))["state"], "open")


class Refusals(ShopTestCase):
    def test_a_parcel_that_is_too_heavy_is_refused(self) -> None:
        two = ANVIL | {"quantity": 2}
        self.assert_refused(self.put(cartItems=[two], state="closed"), ("parcel_too_heavy", "/cartItems"))
        self.assertEqual(self.client.get(URL).status_code, 404)
        self.put(cartItems=[two])
        self.assert_refused(self.put(state="closed"), ("parcel_too_heavy", "/cartItems"))
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "open")

    def test_the_limit_of_a_parcel_is_30_kg(self) -> None:
        self.put(cartItems=[ANVIL | {"weight": 10_000, "quantity": 3}])
        self.assertEqual(self.session_of(self.put(state="closed"))["state"], "closed")
        self.client.put(URL + "/reopen")
        more = self.put(cartItems=[ANVIL | {"weight": 30_001}], state="closed")
        self.assert_refused(more, ("parcel_too_heavy", "/cartItems"))

    def test_a_refusal_has_every_reason_with_its_pointer(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        self.assert_refused(
            self.post_return({"position": 0, "quantity": 5}, {"position": 9}),
            ("unknown_cart_item", "/returnedCartItems/1/position"),
            ("returns_more_than_remaining", "/returnedCartItems/0/quantity"),
        )

    def test_a_wrong_state_has_the_message_of_the_api(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        answer = self.put(state="open")
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(answer.json()["message"], 'Cannot move session to state "open" from state "closed"')

    def test_an_invalid_body_is_refused(self) -> None:
        for body in (b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000):
            with self.subTest(body[:5]):
                answer = self.client.put(URL, body, content_type="application/json")
                self.assertEqual((answer.status_code, answer.json()["errors"][0]["title"]), (400, "Invalid value"))

    def test_an_id_that_is_too_long_is_refused(self) -> None:
        self.assert_refused(self.put("/v2/customer_sessions/" + "x" * 1001), ("Invalid value", "/integrationId"))

    def test_a_non_boolean_parameter_is_refused(self) -> None:
        self.assert_refused(self.put(URL + "?dry=perhaps"), ("Invalid value", "/dry"))

    def test_an_unknown_session_is_not_found(self) -> None:
        for method, tail in (
            ("GET", ""),
            ("POST", "/returns"),
            ("PUT", "/reopen"),
            ("GET", "/diagram.svg"),
            ("GET", "/diagram.html"),
        ):
            with self.subTest(method + tail):
                answer = self.client.generic(method, URL + tail, '{"returnedCartItems": [{"position": 0}]}')
                self.assertEqual(answer.status_code, 404)
                self.assertEqual(answer.json(), {"message": 'There is no session "order-7"', "errors": []})

    def test_errors_of_django_have_the_same_format(self) -> None:
        with self.assertLogs("django.request"):
            answer = self.client.get("/nowhere")
            self.assertEqual((answer.status_code, answer.json()), (404, {"message": "Not Found", "errors": []}))
            answer = self.client.delete(URL)
            self.assertEqual(
                (answer.status_code, answer.json()), (405, {"message": "Method Not Allowed", "errors": []})
            )
            self.assertIn("PUT", answer["Allow"])
            with self.assertLogs("django.security"):
                answer = self.client.get(URL, headers={"Host": "elsewhere.example"})
            self.assertEqual((answer.status_code, answer.json()["errors"]), (400, []))
            with self.settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
                answer = self.put(cartItems=[ANVIL])
            self.assertEqual((answer.status_code, answer.json()["errors"]), (400, []))
            self.client.raise_request_exception = False
            with patch("shop.views.render", side_effect=RuntimeError):
                self.put()
                answer = self.client.get(URL + "/diagram.svg")
            self.assertEqual(
                (answer.status_code, answer.json()), (500, {"message": "Internal Server Error", "errors": []})
            )


class Faults(ShopTestCase):
    """Errors of the service: status 500 without details."""

    def test_a_rule_that_raises_has_status_500_and_is_logged(self) -> None:
        @rule("out_of_stock", on=[Trigger.CLOSE])
        def all_is_in_stock() -> bool:
            """All items must be in stock."""
            raise ConnectionError("postgresql://shop:secret-word@db.internal is not there")

        class Broken(ShopSession):
            """A session with a rule that raises."""

            rules = (*ShopSession.rules, all_is_in_stock)

        self.put(cartItems=[ANVIL])
        for query in ("", "?dry=true"):
            with (
                self.subTest(query),
                patch("shop.views.find", return_value=Broken.create("order-7")),
                patch("shop.models.find", return_value=Broken.create("order-7")),
                self.assertLogs("session_fsm.django", "ERROR") as log,
                self.assertLogs("django.request", "ERROR"),
            ):
                answer = self.put(URL + query, state="closed")
            self.assertEqual(answer.status_code, 500)
            self.assertNotIn(b"secret-word", answer.content)
            self.assertIn("order-7", log.output[0])
            self.assertIn("secret-word", log.output[0])
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "open")


class DryRuns(ShopTestCase):
    def test_an_allowed_dry_run_returns_the_result_and_changes_nothing(self) -> None:
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", cartItems=[ANVIL]))["total"], 90)
        self.assertFalse(StoredSession.objects.exists())
        self.put(cartItems=[ANVIL])
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", couponCodes=["XMAS"]))["couponCodes"], ["XMAS"])
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", state="cancelled"))["state"], "cancelled")
        self.assertEqual(self.session_of(self.client.get(URL))["updateCount"], 1)

    def test_a_dry_run_of_a_close_considers_only_the_request(self) -> None:
        self.put(cartItems=[ANVIL | {"quantity": 2}])
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", state="closed"))["cartItems"], [])
        self.assert_refused(self.put(state="closed"), ("parcel_too_heavy", "/cartItems"))

    def test_a_dry_run_of_a_return_changes_nothing(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        judged = self.session_of(self.post_return({"position": 0}, query="?dry=true"))
        self.assertEqual(judged["state"], "partially_returned")
        self.assert_refused(
            self.post_return({"position": 0, "quantity": 5}, query="?dry=true"),
            ("returns_more_than_remaining", "/returnedCartItems/0/quantity"),
        )
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "closed")

    def test_a_refused_dry_run_has_the_same_message(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        for state in ("open", "closed", "partially_returned"):
            with self.subTest(state):
                dry, real = self.put(URL + "?dry=true", state=state), self.put(state=state)
                self.assertEqual((dry.status_code, dry.json()), (400, real.json()))


class ParallelWrites(ShopTestCase):
    def test_the_second_save_of_a_session_is_refused(self) -> None:
        save_events(keep(ShopSession.create("order-7")))
        first, second = find("order-7"), find("order-7")
        assert first is not None
        assert second is not None
        first.update(coupon_codes=["FIRST"])
        second.update(coupon_codes=["SECOND"])
        save_events(keep(first))
        with self.assertRaises(ParallelWrite):
            keep(second)
        held = find("order-7")
        assert held is not None
        self.assertEqual(held.coupon_codes, ("FIRST",))
        self.assertEqual(list(StoredEvent.objects.values_list("update_count", flat=True)), [1, 2])

    def test_the_second_creation_of_a_session_is_refused(self) -> None:
        keep(ShopSession.create("order-7", coupon_codes=["FIRST"]))
        with self.assertRaises(ParallelWrite):
            keep(ShopSession.create("order-7", coupon_codes=["SECOND"]))

    def test_a_parallel_write_has_the_message_of_the_api(self) -> None:
        self.put(cartItems=[ANVIL])
        stale = find("order-7")
        self.put(state="closed")
        with patch("shop.models.find", return_value=stale):
            answer = self.put(couponCodes=["XMAS"])
        self.assertEqual(answer.status_code, 409)
        self.assertEqual(
            answer.json(),
            {"message": "Too many requests are updating this session at the same time", "StatusCode": 409},
        )


class Diagrams(ShopTestCase):
    def test_diagrams_show_the_session_and_its_history(self) -> None:
        self.put(cartItems=[ANVIL])
        self.put(state="closed")
        picture, page = self.client.get(URL + "/diagram.svg"), self.client.get(URL + "/diagram.html")
        self.assertEqual(picture["Content-Type"], "image/svg+xml")
        self.assertTrue(picture.content.startswith(b"<svg"))
        self.assertIn(b"<strong>closed</strong> now", page.content)
        self.assertIn(b'id="history"', page.content)


class Models(TestCase):
    def test_the_columns_are_copies_of_session_fields(self) -> None:
        session = ShopSession.create("order-7")
        session.close()
        save_events(keep(session))
        self.assertEqual(session.pending_events, [])
        row = StoredSession.objects.get(state=State.CLOSED)
        self.assertEqual((row.integration_id, row.update_count, type(row.session)), ("order-7", 2, ShopSession))
        self.assertEqual(str(row), "<ShopSession 'order-7': closed, 0 items, total 0>")
        self.assertEqual(str(StoredEvent.objects.last()), "order-7: talon_session_closed")

    def test_migrations_are_complete(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)
