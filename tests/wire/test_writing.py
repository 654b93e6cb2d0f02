"""What is written: exact numbers, plain types, valid JSON; and what becomes of numbers that somebody else parsed."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from wire_documents import DOCUMENTS, ITEM, SESSION, contents, parsed, session_with

from session_fsm import (
    AdditionalCost,
    CartItem,
    CustomerSession,
    EventName,
    InvalidValue,
    ReturnedCartItem,
    SessionEvent,
    SessionUpdate,
    State,
    wire,
)
from session_fsm.wire.encoding import writable

AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


class TestNumbers:
    """M-05: numbers are exact decimals; they never pass through a binary float."""

    @pytest.mark.parametrize(
        ("given", "written"),
        [
            ("9.90", "9.90"),
            ("9.999", "9.999"),
            ("0.1", "0.1"),
            ("1E+2", "100"),
            ("1.50E+3", "1500"),
            ("2.5E-3", "0.0025"),
            ("1E-7", "0.0000001"),
            ("0E-10", "0.0000000000"),
            ("-12.340", "-12.340"),
            ("0", "0"),
            ("0.00", "0.00"),
            ("123456789012345678901234567890.123456789012345678901234567890",) * 2,
        ],
    )
    def test_every_digit_is_written_and_read_again(self, given: str, written: str):
        text = wire.dumps(AdditionalCost(given)).decode()
        assert text == f'{{"price":{written}}}'
        assert format(wire.loads(text, AdditionalCost).price, "f") == written
        update = SessionUpdate(attributes={"a": [Decimal(given)]})
        assert wire.dumps(update).decode() == f'{{"attributes":{{"a":[{written}]}}}}'

    @pytest.mark.parametrize("text", ["9.90", "1e2", "1E+2", "0.10E1", "-0.5", "1E-7", "0e5", "12345678901234567890.5"])
    def test_numbers_are_read_by_their_value(self, text: str):
        assert wire.loads(f'{{"price":{text}}}', AdditionalCost).price == Decimal(text)
        assert wire.loads(f'{{"attributes":{{"a":{text}}}}}', SessionUpdate).attributes == {"a": Decimal(text)}

    @pytest.mark.parametrize(
        ("number", "held"),
        [(0.1, "0.1"), (19.99, "19.99"), (1e22, "1E+22"), (2.0, "2.0"), (1e-7, "1E-7"), (-3.5, "-3.5"), (5, "5")],
    )
    def test_a_binary_float_stands_for_the_shortest_decimal(self, number: float, held: str):
        session = wire.structure(
            session_with(
                total=number,
                additionalCosts={"shipping": {"price": number}},
                attributes={"a": number, "b": [number], "c": {"d": number}},
                cartItems=[ITEM | {"price": number, "weight": number, "prices": {"base": {"price": number}}}],
            )
        )
        (item,) = session.cart_items
        found: list[Any] = [session.total, session.additional_costs["shipping"].price, item.price, item.weight]
        found += [session.attributes["a"], *session.attributes["b"], session.attributes["c"]["d"]]
        found += [item.prices["base"]["price"]]
        assert {str(value) for value in found} == {held}
        assert not [value for value in found if isinstance(value, float)]

    def test_an_item_without_a_price_is_written_without_one(self):
        assert (
            wire.dumps(SessionUpdate(cart_items=[CartItem(**ITEM)])) == b'{"cartItems":[{"sku":"TEA-1","quantity":9}]}'
        )


class TestText:
    """What is written is JSON in UTF-8, for people too."""

    WORDS = (
        'Łódź · 東京 · 🍵 · "quoted" \\ / \b\f\n\r\t \x00\x1f\x7f · \u2028\u2029 · e\u0301',
        "cart 77/a",
        "",
    )

    @pytest.mark.parametrize("words", WORDS, ids=["all", "plain", "empty"])
    def test_any_text_comes_back(self, words: str):
        update = SessionUpdate(profile_id=words, attributes={"a": words}, additional_costs={words: AdditionalCost(1)})
        written = wire.dumps(update)
        assert wire.loads(written, SessionUpdate) == update
        assert json.loads(written) == {
            "profileId": words,
            "attributes": {"a": words},
            "additionalCosts": {words: {"price": 1}},
        }

    def test_text_beyond_ascii_is_written_as_it_is(self):
        assert wire.dumps(SessionUpdate(profile_id="Zoë 東京 🍵")) == '{"profileId":"Zoë 東京 🍵"}'.encode()

    @pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("indent", [0, 1, 2, 4])
    def test_indented_text_looks_as_the_standard_library_writes_it(self, kind: Any, indent: int):
        value = wire.structure(json.loads(DOCUMENTS[kind]), kind)  # with binary floats, which that library writes
        same = json.loads(wire.dumps(value))
        assert wire.dumps(value, indent=indent).decode() == json.dumps(same, indent=indent, ensure_ascii=False)

    def test_text_is_written_in_one_line_without_spaces_unless_it_is_indented(self):
        request = wire.ReturnRequest(returned_cart_items=[ReturnedCartItem(sku="A", quantity=1)])
        assert wire.dumps(request) == b'{"returnedCartItems":[{"quantity":1,"sku":"A"}]}'
        assert wire.dumps(SessionUpdate(coupon_codes=[], attributes={}), indent=2) == (
            b'{\n  "couponCodes": [],\n  "attributes": {}\n}'
        )


class TestTimes:
    """D-12: times are aware, and are written as RFC 3339."""

    @pytest.mark.parametrize(
        ("time", "written"),
        [
            (AT, "2026-02-03T04:05:06Z"),
            (AT.replace(microsecond=120), "2026-02-03T04:05:06.000120Z"),
            (AT.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30))), "2026-02-03T04:05:06-03:30"),
            (AT.replace(tzinfo=timezone(timedelta(seconds=90))), "2026-02-03T04:03:36Z"),
            (datetime(2, 1, 1, tzinfo=UTC), "0002-01-01T00:00:00Z"),
            (datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC), "9998-12-31T23:59:59Z"),
        ],
    )
    def test_a_time_is_written_with_its_offset(self, time: datetime, written: str):
        session = CustomerSession.create("o", now=time)
        document = json.loads(wire.dumps(session))
        assert document["created"] == document["updated"] == written
        assert wire.structure(document).created == time

    @pytest.mark.parametrize(
        ("text", "time"),
        [
            ("2026-02-03t04:05:06z", AT),
            ("2026-02-03T04:05:06+00:00", AT),
            ("2026-02-03T04:05:06-00:00", AT),
            ("2026-02-03T09:35:06+05:30", AT),
            ("2026-02-03T04:05:06.25Z", AT.replace(microsecond=250_000)),
            ("2026-02-03T04:05:06.123456789Z", AT.replace(microsecond=123_456)),
        ],
    )
    def test_a_time_is_read_as_rfc_3339_spells_it(self, text: str, time: datetime):
        assert wire.structure(session_with(created=text)).created == time


class TestPlainTypes:
    """`unstructure` returns dictionaries, lists, text, integers, booleans and exact decimals, and nothing else."""

    @classmethod
    def types_in(cls, value: Any) -> set[type]:
        children: list[Any] = []
        if isinstance(value, dict):
            children = [*value, *value.values()]
        elif isinstance(value, list):
            children = value
        return {type(value)}.union(*map(cls.types_in, children))

    @pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)
    def test_nothing_else_is_in_it(self, kind: Any):
        document = wire.unstructure(wire.loads(DOCUMENTS[kind], kind))
        assert type(document) is dict
        assert self.types_in(document) <= {dict, list, str, int, bool, Decimal, type(None)}

    @pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)
    def test_it_is_what_is_written(self, kind: Any):
        value = wire.loads(DOCUMENTS[kind], kind)
        assert parsed(wire.dumps(value)) == wire.unstructure(value)
        assert wire.dumps(wire.structure(wire.unstructure(value), kind)) == wire.dumps(value)

    def test_it_is_the_callers_own(self):
        session = wire.loads(SESSION)
        document = wire.unstructure(session)
        document["cartItems"][0]["attributes"]["organic"] = False
        document["attributes"]["tags"].append("c")
        document["couponCodes"].clear()
        assert contents(session) == contents(wire.loads(SESSION))

    def test_reading_leaves_the_callers_mapping_as_it_is(self):
        document, again = parsed(SESSION), parsed(SESSION)
        session = wire.structure(document)
        assert document == again
        document["attributes"]["tags"].append("c")
        document["cartItems"][0]["prices"].clear()
        assert contents(session) == contents(wire.loads(SESSION))

    @pytest.mark.parametrize(
        "value",
        [
            None,
            5,
            "closed",
            1.5,
            [],
            {},
            (ReturnedCartItem(sku="A"),),
            CustomerSession,
            State.OPEN,
            Decimal(1),
            object(),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_is_no_entity_and_no_value_is_not_written(self, value: Any):
        with pytest.raises(InvalidValue):
            wire.unstructure(value)
        with pytest.raises(InvalidValue):
            wire.dumps(value)


class TestEvents:
    """Every built-in event goes to JSON and back, with what it was about."""

    @staticmethod
    def events() -> dict[EventName, SessionEvent]:
        item = CartItem(sku="TEA-1", quantity=2, price="9.90", attributes={"organic": True})
        order = CustomerSession.create("o-1", cart_items=[item], profile_id="", coupon_codes=[], now=AT)
        order.update(referral_code="PAL", attributes={"City": None})
        order.close(additional_costs={"shipping": AdditionalCost("4.50")})
        order.reopen()
        order.close()
        order.return_items([ReturnedCartItem(sku="TEA-1", quantity=1), ReturnedCartItem(position=0, quantity=1)])
        order.cancel()
        cart = CustomerSession.create("c-1")
        cart.cancel()
        return {event.name: event for event in [*order.take_events(), *cart.take_events()]}

    @pytest.mark.parametrize("name", EventName)
    def test_an_event_comes_back_as_it_was(self, name: EventName):
        event = self.events()[name]
        assert wire.loads(wire.dumps(event), SessionEvent) == event
        assert wire.structure(wire.unstructure(event), SessionEvent, strict=True) == event

    def test_it_says_in_json_what_it_was_about(self):
        events = self.events()
        assert wire.unstructure(events[EventName.CREATED]) == {
            "name": "talon_session_created",
            "sessionId": "c-1",
            "trigger": "create",
            "target": "open",
            "at": json.loads(wire.dumps(events[EventName.CREATED]))["at"],
            "updateCount": 1,
            "change": {},
        }
        assert wire.unstructure(events[EventName.PARTIALLY_RETURNED])["change"] == {
            "returnedCartItems": [{"sku": "TEA-1", "quantity": 1}, {"position": 0, "quantity": 1}]
        }
        assert wire.unstructure(events[EventName.UPDATED])["change"] == {
            "referralCode": "PAL",
            "attributes": {"City": None},
        }
        assert "change" not in wire.unstructure(events[EventName.REOPENED])
        assert wire.unstructure(events[EventName.REOPENED])["source"] == "closed"


class TestWhatIsNoJSON:
    """A hook of a service may return anything. The message names its type only."""

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (object(), "a value of type object cannot be written as JSON"),
            ([Decimal("NaN")], "a number cannot be written as JSON"),
            ({1: 2}, "a number is no name of a member of an object"),
        ],
    )
    def test_it_is_refused(self, value: Any, problem: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            writable(value)
        assert refusal.value.problem == problem


class Spoken:
    """A type of a service's own."""


class Nested:
    """Another."""


def _deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("kind", "written", "problem"),
    [
        (Spoken, lambda: "\ud800", "a text holds half of a surrogate pair, which is no character"),
        (Nested, _deep, "the value is nested too deeply"),
    ],
)
def test_what_a_registered_type_is_written_as_may_be_no_json(
    kind: Any, written: Any, problem: str, indent: int | None
) -> None:
    value = written()
    wire.register_type(kind, write=lambda _: value, read=lambda _: kind())

    @attrs.define(kw_only=True, eq=False, repr=False)
    class OddSession(CustomerSession):
        said: kind | None = None

    with pytest.raises(InvalidValue) as refusal:
        wire.dumps(OddSession.create("o", said=kind()), indent=indent)
    assert refusal.value.problem == problem
