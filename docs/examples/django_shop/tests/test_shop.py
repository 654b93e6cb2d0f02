"""The service as its clients see it, and the model alone. There is no server: requests go straight to the views."""

import copy
import json
import pickle
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from django.forms import modelform_factory
from django.test import TestCase
from shop.fields import WireField
from shop.models import ParallelWrite, StoredEvent, StoredSession, find, keep, record
from shop.sessions import ShopSession

from session_fsm import CartItem, CustomerSession, SessionEvent, SessionUpdate, State, Trigger, rule

URL = "/v2/customer_sessions/order-7"
ANSWER = {"customerSession", "effects", "createdCoupons", "createdReferrals"}
ANVIL = {"sku": "ANVIL", "quantity": 1, "price": 90, "weight": 20_000}


class ShopTestCase(TestCase):
    """Sends requests, and looks at the answers."""

    def put(self, url: str = URL, /, **body: Any) -> Any:
        return self.client.put(url, {"customerSession": body}, content_type="application/json")

    def give_back(self, *entries: dict[str, Any], query: str = "") -> Any:
        body = {"return": {"returnedCartItems": entries}}
        return self.client.post(URL + "/returns" + query, body, content_type="application/json")

    def session_of(self, response: Any) -> dict[str, Any]:
        self.assertEqual(response.status_code, 200, response.content)
        session: dict[str, Any] = response.json()["customerSession"]
        return session

    def assert_refused(self, response: Any, *reasons: tuple[str, str]) -> None:
        """Check the title and the pointer of every reason for a refusal."""
        self.assertEqual(response.status_code, 400, response.content)
        found = [(entry["title"], entry["source"]["pointer"]) for entry in response.json()["errors"]]
        self.assertEqual(found, list(reasons))


def requests_of_the_readme() -> Iterator[tuple[str, str, str]]:
    """Yield the method, the address and the body of each request that the README sends with curl."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    base, *lines = readme.split("url=http://127.0.0.1:8000")[1].split("```")[0].splitlines()
    for line in lines:
        words = shlex.split(line.replace("$url", base))
        assert words[0] == "curl"
        options = dict(pairwise(words))
        (url,) = [word for word in words if word.startswith(base)]
        yield options.get("-X", "GET"), url, options.get("-d", "")


class TheReadme(ShopTestCase):
    def test_its_requests_are_answered_as_it_says(self) -> None:
        answers = [
            # curl gives a body the type of a form unless it is told otherwise
            self.client.generic(method, url, body, content_type="application/x-www-form-urlencoded")
            for method, url, body in requests_of_the_readme()
        ]
        self.assertEqual([answer.status_code for answer in answers], [200, 400, 200, 400, 200])
        codes = [[error["title"] for error in json.loads(answers[place].content)["errors"]] for place in (1, 3)]
        self.assertEqual(codes, [["parcel_too_heavy"], ["returns_more_than_remaining"]])


class TheLifeOfAnOrder(ShopTestCase):
    def test_a_cart_becomes_an_order_of_which_something_comes_back_until_it_is_cancelled(self) -> None:
        self.assertEqual(self.session_of(self.put(cartItems=[ANVIL]))["state"], "open")
        self.assertEqual(self.session_of(self.put(couponCodes=["XMAS"]))["total"], 90)
        self.assertEqual(self.session_of(self.put(state="closed"))["state"], "closed")
        returned = self.session_of(self.give_back({"sku": "ANVIL"}))
        self.assertEqual(returned["state"], "partially_returned")
        self.assertEqual(returned["cartItems"][0]["remainingQuantity"], 0)
        self.assertEqual(self.session_of(self.put(state="cancelled"))["updateCount"], 5)
        with self.subTest("every answer has the members that Talon.One's clients read"):
            self.assertEqual(set(self.put("/v2/customer_sessions/a").json()), ANSWER)
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "cancelled")

    def test_an_order_can_be_opened_again_and_changed(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        self.assertEqual(self.client.put(URL + "/reopen").json(), {"effects": []})
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "open")
        self.assertEqual(self.session_of(self.put(cartItems=[]))["total"], 0)

    def test_prices_are_exact(self) -> None:
        body = '{"cartItems": [{"sku": "A", "quantity": 3, "price": 0.10000000000000000001}]}'
        self.client.put(URL, body, content_type="application/json")
        self.assertIn(b'"total":0.30000000000000000003', self.client.get(URL).content)

    def test_an_id_may_hold_any_character(self) -> None:
        for name in ("order 7", "2026%2F11%2F7", "%C3%A9t%C3%A9"):
            with self.subTest(name):
                url = f"/v2/customer_sessions/{name}"
                self.put(url, cartItems=[ANVIL], state="closed")
                self.client.put(url + "/reopen")
                self.assertEqual(self.session_of(self.client.get(url))["state"], "open")


class Refusals(ShopTestCase):
    def test_a_parcel_that_is_too_heavy_is_not_ordered(self) -> None:
        two = ANVIL | {"quantity": 2}
        self.assert_refused(self.put(cartItems=[two], state="closed"), ("parcel_too_heavy", "/cartItems"))
        self.assertEqual(self.client.get(URL).status_code, 404)
        self.put(cartItems=[two])
        self.assert_refused(self.put(state="closed"), ("parcel_too_heavy", "/cartItems"))
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "open")

    def test_a_parcel_of_30_kg_can_be_carried_and_a_gram_more_cannot(self) -> None:
        self.put(cartItems=[ANVIL | {"weight": 10_000, "quantity": 3}])
        self.assertEqual(self.session_of(self.put(state="closed"))["state"], "closed")
        self.client.put(URL + "/reopen")
        more = self.put(cartItems=[ANVIL | {"weight": 30_001}], state="closed")
        self.assert_refused(more, ("parcel_too_heavy", "/cartItems"))

    def test_every_reason_is_told_with_its_place(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        self.assert_refused(
            self.give_back({"position": 0, "quantity": 5}, {"position": 9}),
            ("unknown_cart_item", "/returnedCartItems/1/position"),
            ("returns_more_than_remaining", "/returnedCartItems/0/quantity"),
        )

    def test_a_wrong_state_is_refused_in_the_words_of_the_api(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        answer = self.put(state="open")
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(answer.json()["message"], 'Cannot move session to state "open" from state "closed"')

    def test_a_body_that_is_no_update_is_refused(self) -> None:
        for body in (b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000):
            with self.subTest(body[:5]):
                answer = self.client.put(URL, body, content_type="application/json")
                self.assertEqual((answer.status_code, answer.json()["errors"][0]["title"]), (400, "Invalid value"))

    def test_an_id_that_is_too_long_is_refused(self) -> None:
        self.assert_refused(self.put("/v2/customer_sessions/" + "x" * 1001), ("Invalid value", "/integrationId"))

    def test_a_parameter_that_is_no_boolean_is_refused(self) -> None:
        self.assert_refused(self.put(URL + "?dry=perhaps"), ("Invalid value", "/dry"))

    def test_a_session_that_does_not_exist_is_not_found(self) -> None:
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

    def test_what_django_itself_refuses_has_the_same_envelope(self) -> None:
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
    """What this service is at fault for: the client is told so, and nothing else."""

    def test_a_rule_that_fails_is_answered_with_500_and_logged_with_the_session(self) -> None:
        @rule("out_of_stock", on=[Trigger.CLOSE])
        def all_is_in_stock() -> bool:
            """All items must be in stock."""
            raise ConnectionError("postgresql://shop:secret-word@db.internal is not there")

        class Broken(ShopSession):
            """A session with a rule that fails."""

            rules = (*ShopSession.rules, all_is_in_stock)

        self.put(cartItems=[ANVIL])
        for query in ("", "?dry=true"):
            with (
                self.subTest(query),
                patch("shop.views.find", return_value=Broken.create("order-7")),
                patch("shop.models.find", return_value=Broken.create("order-7")),
                self.assertLogs("shop.views", "ERROR") as log,
                self.assertLogs("django.request", "ERROR"),
            ):
                answer = self.put(URL + query, state="closed")
            self.assertEqual(answer.status_code, 500)
            self.assertNotIn(b"secret-word", answer.content)
            self.assertIn("order-7", log.output[0])
            self.assertIn("secret-word", log.output[0])
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "open")


class DryRuns(ShopTestCase):
    def test_what_is_allowed_is_shown_and_not_done(self) -> None:
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", cartItems=[ANVIL]))["total"], 90)
        self.assertFalse(StoredSession.objects.exists())
        self.put(cartItems=[ANVIL])
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", couponCodes=["XMAS"]))["couponCodes"], ["XMAS"])
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", state="cancelled"))["state"], "cancelled")
        self.assertEqual(self.session_of(self.client.get(URL))["updateCount"], 1)

    def test_a_closing_is_judged_by_its_request_alone(self) -> None:
        self.put(cartItems=[ANVIL | {"quantity": 2}])
        self.assertEqual(self.session_of(self.put(URL + "?dry=true", state="closed"))["cartItems"], [])
        self.assert_refused(self.put(state="closed"), ("parcel_too_heavy", "/cartItems"))

    def test_a_return_is_judged_and_not_done(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        judged = self.session_of(self.give_back({"position": 0}, query="?dry=true"))
        self.assertEqual(judged["state"], "partially_returned")
        self.assert_refused(
            self.give_back({"position": 0, "quantity": 5}, query="?dry=true"),
            ("returns_more_than_remaining", "/returnedCartItems/0/quantity"),
        )
        self.assertEqual(self.session_of(self.client.get(URL))["state"], "closed")

    def test_what_is_refused_is_refused_in_the_same_words(self) -> None:
        self.put(cartItems=[ANVIL], state="closed")
        for state in ("open", "closed", "partially_returned"):
            with self.subTest(state):
                dry, real = self.put(URL + "?dry=true", state=state), self.put(state=state)
                self.assertEqual((dry.status_code, dry.json()), (400, real.json()))


class ParallelWrites(ShopTestCase):
    def test_the_second_of_two_who_read_the_same_session_is_refused(self) -> None:
        record(keep(ShopSession.create("order-7")))
        first, second = find("order-7"), find("order-7")
        assert first is not None
        assert second is not None
        first.update(coupon_codes=["FIRST"])
        second.update(coupon_codes=["SECOND"])
        record(keep(first))
        with self.assertRaises(ParallelWrite):
            keep(second)
        held = find("order-7")
        assert held is not None
        self.assertEqual(held.coupon_codes, ("FIRST",))
        self.assertEqual(list(StoredEvent.objects.values_list("update_count", flat=True)), [1, 2])

    def test_the_second_of_two_who_create_the_same_session_is_refused(self) -> None:
        keep(ShopSession.create("order-7", coupon_codes=["FIRST"]))
        with self.assertRaises(ParallelWrite):
            keep(ShopSession.create("order-7", coupon_codes=["SECOND"]))

    def test_the_client_is_told_in_the_words_of_the_api(self) -> None:
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
    def test_the_picture_and_the_page_show_the_session_and_its_history(self) -> None:
        self.put(cartItems=[ANVIL])
        self.put(state="closed")
        picture, page = self.client.get(URL + "/diagram.svg"), self.client.get(URL + "/diagram.html")
        self.assertEqual(picture["Content-Type"], "image/svg+xml")
        self.assertTrue(picture.content.startswith(b"<svg"))
        self.assertIn(b"<strong>closed</strong> now", page.content)
        self.assertIn(b'id="history"', page.content)


class TheTables(TestCase):
    def test_the_columns_beside_the_session_follow_it(self) -> None:
        session = ShopSession.create("order-7")
        session.close()
        record(keep(session))
        self.assertEqual(session.pending_events, [])
        row = StoredSession.objects.get(state=State.CLOSED)
        self.assertEqual((row.integration_id, row.update_count, type(row.session)), ("order-7", 2, ShopSession))
        self.assertEqual(str(row), "<ShopSession 'order-7': closed, 0 items, total 0>")
        self.assertEqual(str(StoredEvent.objects.last()), "order-7: talon_session_closed")

    def test_migrations_make_the_tables_that_the_models_describe(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


class TheField(TestCase):
    """A row holds its session after everything that Django does with a field."""

    def setUp(self) -> None:
        keep(
            ShopSession.create(
                "order-7", coupon_codes=["XMAS"], cart_items=[CartItem(sku="A", quantity=3, price="0.10")]
            )
        )
        self.row = StoredSession.objects.get()

    def column(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT session FROM shop_storedsession")
            (text,) = cursor.fetchone()
        return str(text)

    def assert_it_is_there(self) -> None:
        self.assertEqual(json.loads(self.column())["integrationId"], "order-7")
        held = StoredSession.objects.get().session
        self.assertEqual((type(held), held.coupon_codes, str(held.total)), (ShopSession, ("XMAS",), "0.30"))

    def test_after_it_was_validated_and_saved(self) -> None:
        self.row.full_clean()
        self.row.save()
        self.assert_it_is_there()

    def test_after_it_was_saved_from_its_json(self) -> None:
        self.row.session = self.column()
        self.row.full_clean()
        self.assertIs(type(self.row.session), ShopSession)
        self.row.session = self.column().encode()
        self.row.save()
        self.assert_it_is_there()

    def test_after_bulk_operations(self) -> None:
        StoredSession.objects.bulk_update([self.row], ["session"])
        self.assert_it_is_there()
        StoredSession.objects.all().delete()
        StoredSession.objects.bulk_create([self.row])
        self.assert_it_is_there()
        StoredSession.objects.bulk_create(
            [self.row], update_conflicts=True, update_fields=["session"], unique_fields=["integration_id"]
        )
        self.assert_it_is_there()

    def test_after_update_or_create(self) -> None:
        values = {"session": self.row.session, "state": "open", "update_count": 1}
        StoredSession.objects.update_or_create(integration_id="order-7", defaults=values)
        self.assert_it_is_there()

    def test_after_a_refresh_and_when_it_is_loaded_late(self) -> None:
        self.row.session = None
        self.row.refresh_from_db()
        self.assertEqual(self.row.session.coupon_codes, ("XMAS",))
        late = StoredSession.objects.defer("session").get()
        self.assertEqual(late.session.coupon_codes, ("XMAS",))
        late.save()
        self.assert_it_is_there()
        self.assertEqual(StoredSession.objects.values_list("session", flat=True)[0].coupon_codes, ("XMAS",))

    def test_after_a_fixture_in_every_format(self) -> None:
        for name in ("json", "jsonl", "xml", "python"):
            with self.subTest(name):
                fixture = serializers.serialize(name, StoredSession.objects.all())
                StoredSession.objects.all().delete()
                for loaded in serializers.deserialize(name, fixture):
                    loaded.save()
                self.assert_it_is_there()

    def test_after_a_form_was_sent_as_it_was_shown(self) -> None:
        form_class = modelform_factory(StoredSession, fields="__all__")
        shown = form_class(instance=self.row)
        self.assertIn("&quot;couponCodes&quot;", shown.as_p())
        sent = {name: shown[name].value() for name in shown.fields}
        form = form_class(sent, instance=self.row)
        self.assertEqual(form.changed_data, [])
        self.assertTrue(form.is_valid(), form.errors)
        form.save()
        self.assert_it_is_there()

    def test_a_form_reads_what_was_changed_and_says_what_is_wrong(self) -> None:
        form_class = modelform_factory(StoredSession, fields=["session"])
        changed = self.column().replace("XMAS", "SPRING")
        form = form_class({"session": changed}, instance=self.row)
        self.assertEqual(form.changed_data, ["session"])
        form.save()
        self.assertEqual(StoredSession.objects.get().session.coupon_codes, ("SPRING",))
        for text, problem in (
            ("<ShopSession>", "the document is not JSON"),
            ("{}", "/integrationId: is missing"),
            ("", "This field is required"),
        ):
            with self.subTest(text):
                form = form_class({"session": text}, instance=StoredSession.objects.get())
                self.assertEqual(form.changed_data, ["session"])
                self.assertIn(problem, str(form.errors))

    def test_an_empty_form_is_none_where_the_column_may_be_null(self) -> None:
        field = WireField(ShopSession, null=True, blank=True).formfield()
        self.assertIsNone(field.clean(""))
        self.assertFalse(field.has_changed(None, ""))
        self.assertEqual(field.prepare_value(None), None)
        session = ShopSession.create("order-8")
        self.assertIs(field.clean(session), session)

    def test_it_is_found_by_itself(self) -> None:
        self.assertEqual(StoredSession.objects.filter(session=self.row.session).count(), 1)
        self.assertEqual(StoredSession.objects.filter(session__in=[self.row.session]).count(), 1)
        self.assertEqual(StoredSession.objects.filter(session__contains="XMAS").count(), 1)
        self.assertEqual(StoredSession.objects.filter(session__isnull=True).count(), 0)

    def test_a_copied_or_pickled_row_holds_it(self) -> None:
        for copied in (copy.copy(self.row), copy.deepcopy(self.row), pickle.loads(pickle.dumps(self.row))):
            copied.save()
            self.assert_it_is_there()

    def test_nothing_else_gets_into_the_column(self) -> None:
        class Finer(ShopSession):
            """A session of another class."""

        wrong: list[Any] = [
            repr(self.row.session),
            "",
            7,
            {},
            CustomerSession.create("order-7"),
            Finer.create("order-7"),
            SessionUpdate(),
        ]
        for value in wrong:
            with self.subTest(type(value)):
                self.row.session = value
                for save in (
                    self.row.full_clean,
                    self.row.save,
                    lambda value=value: StoredSession.objects.update(session=value),
                    lambda: StoredSession.objects.bulk_update([self.row], ["session"]),
                ):
                    with self.assertRaises(ValidationError), transaction.atomic():
                        save()
                self.assert_it_is_there()

    def test_null_passes_where_the_column_may_be_null(self) -> None:
        field = WireField(ShopSession, null=True, blank=True)
        self.assertIsNone(field.from_db_value(None, None, None))
        self.assertIsNone(field.to_python(None))
        self.assertIsNone(field.get_prep_value(None))
        self.assertIsNone(field.clean(None, self.row))

    def test_a_copy_of_it_such_as_a_migration_has_holds_the_same_kind(self) -> None:
        self.assertIs(WireField(SessionEvent).clone().kind, SessionEvent)

    def test_it_says_what_is_wrong_with_a_document(self) -> None:
        with self.assertRaises(ValidationError) as caught:
            WireField(SessionEvent).to_python("{}")
        self.assertIn("/sessionId: is missing", caught.exception.messages)
