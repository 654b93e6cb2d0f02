"""`ExactJsonResponse`, `error_response`, `SessionErrorMiddleware` and `diagram_image`."""

import asyncio
import logging
import re
from base64 import b64decode
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import AsyncClient
from orders.models import Order
from orders.sessions import ShopSession

from session_fsm import CartItem, InvalidValue, State, wire
from session_fsm.django import ColumnUnreadable, ExactJsonResponse, diagram_image, error_response

HOSTILE = "</svg><script>alert(1)</script>\"' onload=alert(1)"


class TestAResponse:
    def test_has_exact_amounts(self):
        item = CartItem(sku="A", quantity=3, price="0.10000000000000000001")
        session = ShopSession.create("order-7", cart_items=[item])
        response = ExactJsonResponse(session)
        assert b'"total":0.30000000000000000003' in response.content
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")

    def test_may_hold_objects_and_amounts_anywhere(self):
        session = ShopSession.create("order-7")
        event = session.pending_events[0]
        response = ExactJsonResponse(
            {"sessions": [session], "last": (event,), "sum": Decimal("1.10"), "state": State.OPEN, "next": None}
            | {"board": session.board()},
            status=201,
            headers={"Location": "/order-7"},
        )
        assert response.content.startswith(b'{"sessions":[{')
        assert b'"integrationId":"order-7"' in response.content
        assert b'"last":[{"name":"talon_session_created"' in response.content
        assert response.content.endswith(
            b'"sum":1.10,"state":"open","next":null,"board":%s}' % wire.dumps(session.board())
        )
        assert (response.status_code, response["Location"]) == (201, "/order-7")

    @pytest.mark.parametrize("value", [0.1, {1: 2}, object(), [Decimal("NaN")]])
    def test_refuses_what_json_cannot_hold(self, value):
        with pytest.raises(InvalidValue):
            ExactJsonResponse(value)


class TestTheMiddleware:
    def put(self, client, body, url="/orders/order-7"):
        return client.put(url, body, content_type="application/json")

    def test_leaves_other_responses(self, client):
        answer = self.put(client, {"customerSession": {}})
        assert (answer.status_code, answer.json()["customerSession"]["state"]) == (200, "open")

    def test_answers_a_refusal_after_the_transaction(self, client):
        answer = self.put(client, {"customerSession": {"state": "partially_returned"}})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["title"] == "wrong_state"
        assert Order.objects.count() == 0

    def test_answers_an_invalid_document_with_every_problem(self, client):
        answer = self.put(client, b'{"customerSession": {"state": "done", "couponCodes": 7}}')
        assert answer.status_code == 400
        assert [entry["source"]["pointer"] for entry in answer.json()["errors"]] == ["/couponCodes", "/state"]

    def test_answers_a_concurrent_change(self, client):
        answer = client.get("/meet")
        assert (answer.status_code, answer.json()["StatusCode"]) == (409, 409)

    def test_logs_the_cause_of_a_500_and_does_not_return_it(self, client, caplog):
        answer = self.put(client, {"customerSession": {"state": "cancelled"}})
        assert answer.status_code == 500
        assert b"secret-word" not in answer.content
        (record,) = [one for one in caplog.records if one.name == "session_fsm.django"]
        assert record.getMessage() == "session 'order-7': RuleViolated"
        assert record.levelno == logging.ERROR
        assert "secret-word" in str(record.exc_info[1].__cause__)

    def test_leaves_other_exceptions(self, client):
        with pytest.raises(LookupError):
            client.get("/fail")

    def test_answers_the_errors_of_asynchronous_views(self):
        async def answers():
            return [
                await AsyncClient().put("/later/order-7", body, content_type="application/json")
                for body in ('{"customerSession": {"state": "closed"}}', "{}")
            ]

        refused, done = asyncio.run(answers())
        assert (refused.status_code, refused.json()["message"]) == (400, "The submitted data was invalid")
        assert (done.status_code, done.content) == (200, b"done")


def test_an_error_without_a_session_is_logged_too(caplog):
    assert error_response(ColumnUnreadable("orders.Order.session", ())).status_code == 500
    assert caplog.messages == ["a session: ColumnUnreadable"]


def picture_of(html):
    """Return the SVG in an <img>, the only element."""
    (source,) = re.findall(r"^<img src=\"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\" alt=\"[^\"<>]*\" style", html)
    return ET.fromstring(b64decode(source))


class TestTheDiagram:
    def test_is_a_picture_of_the_session(self):
        session = ShopSession.create("order-7")
        session.close()
        html = diagram_image(session, events=session.pending_events)
        assert hasattr(html, "__html__")
        assert "&lt;ShopSession &#x27;order-7&#x27;: closed" in html
        words = " ".join(picture_of(html).itertext())
        assert "ShopSession" in words
        assert len(diagram_image(session, detail="simple")) < len(html)

    def test_of_no_session_is_empty(self):
        assert diagram_image(None) == ""

    def test_holds_no_markup_of_a_user(self):
        session = ShopSession.create(HOSTILE, profile_id=HOSTILE, coupon_codes=[HOSTILE], note=HOSTILE)
        html = Template("{{ picture }}").render(Context({"picture": diagram_image(session)}))
        assert "<script" not in html
        assert html.count("<") == 1
        tags = {element.tag.rpartition("}")[2] for element in picture_of(html).iter()}
        assert "script" not in tags

    def test_is_shown_by_the_admin_without_markup_of_a_user(self, client):
        row = Order.objects.create(number="order-7", session=ShopSession.create(HOSTILE))
        client.force_login(User.objects.create_superuser("root"))
        page = client.get(f"/admin/orders/order/{row.pk}/change/").content.decode()
        assert '<img src="data:image/svg+xml;base64,' in page
        assert "&lt;ShopSession" in page
        assert "<script>alert" not in page
        assert 'name="session"' not in page
        empty = client.get("/admin/orders/order/add/").content.decode()
        assert "data:image" not in empty
