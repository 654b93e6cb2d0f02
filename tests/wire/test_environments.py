"""Reading and writing beside what else a process may hold: converters of cattrs, test clocks, numpy, short-lived classes."""

import gc
import importlib
import subprocess
import sys
import weakref
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest

from session_fsm import CartItem, CustomerSession, InvalidValue, ReturnedCartItem, SessionEvent, SessionUpdate, wire

JSON_FORMATS = ["json", "orjson", "msgspec"]
OTHER_FORMATS = ["pyyaml", "bson"]
AMOUNTS = ["0.10", "19.99", "100", "12345678901234567890.123456789", "1E+2", "-0.5"]


def equipped(name: str) -> Any:
    """Return a preconfigured converter of cattrs that reads and writes this library's classes."""
    converter: Any = importlib.import_module(f"cattrs.preconf.{name}").make_converter()
    return wire.make_converter(converter)


def sessions(price: str) -> CustomerSession:
    return CustomerSession.create(
        "o", cart_items=[CartItem(sku="A", quantity=2, price=price, attributes={"gift": True})]
    )


@attrs.define(kw_only=True, eq=False, repr=False)
class PaidSession(CustomerSession):
    paid: Decimal = Decimal(0)
    parts: tuple[Decimal, ...] = ()
    floors: tuple[int, ...] = ()


@pytest.mark.parametrize("copied", [False, True], ids=["itself", "a copy"])
@pytest.mark.parametrize("name", [*JSON_FORMATS, *OTHER_FORMATS])
class TestPreconfiguredConverters:
    """``dumps`` and ``loads`` of `cattrs.preconf` converters keep every digit (M-05)."""

    @pytest.fixture
    def converter(self, name: str, copied: bool) -> Any:
        converter = equipped(name)
        return converter.copy() if copied else converter

    @pytest.mark.parametrize("price", AMOUNTS)
    def test_a_session_is_read_as_it_was_written(self, converter: Any, price: str) -> None:
        session = sessions(price)
        read = converter.loads(converter.dumps(session), CustomerSession)
        assert wire.dumps(read) == wire.dumps(session)

    @pytest.mark.parametrize("price", AMOUNTS)
    def test_an_update_and_an_event_are_too(self, converter: Any, price: str) -> None:
        update = SessionUpdate(coupon_codes=["A"], cart_items=[CartItem(sku="A", quantity=1, price=price)])
        event = CustomerSession.create("o").close(update, context={"by": "ann"})
        assert converter.loads(converter.dumps(update), SessionUpdate) == update
        assert converter.loads(converter.dumps(event), SessionEvent) == event

    def test_amounts_of_own_fields_are_too(self, converter: Any) -> None:
        session = PaidSession.create("o", paid=Decimal("0.123456789012345678901"), parts=[Decimal("1.50")], floors=[2])
        read = converter.loads(converter.dumps(session), PaidSession)
        assert (read.paid, read.parts, read.floors) == (session.paid, session.parts, session.floors)

    def test_sessions_may_lie_in_something_else(self, converter: Any) -> None:
        read = converter.loads(converter.dumps({"all": [sessions("0.10")]}), dict[str, list[CustomerSession]])
        assert read["all"][0].total == Decimal("0.20")


class TestPreconfiguredJSON:
    """What such a converter writes as JSON, the library reads."""

    @pytest.mark.parametrize("name", JSON_FORMATS)
    @pytest.mark.parametrize("price", AMOUNTS)
    def test_numbers_stand_in_the_text_with_their_digits(self, name: str, price: str) -> None:
        session = sessions(price)
        assert wire.dumps(wire.loads(equipped(name).dumps(session))) == wire.dumps(session)

    def test_options_of_the_encoder_and_the_parser_are_passed_on(self) -> None:
        converter = equipped("json")
        text = converter.dumps(sessions("0.10"), indent=1)
        assert '\n   "price": 0.10,\n' in text
        assert converter.loads(text, CustomerSession, parse_float=Decimal).total == Decimal("0.20")

    def test_what_holds_no_amount_is_written_and_read_as_ever(self) -> None:
        converter = equipped("json")
        assert converter.dumps({"a": [1, None, True]}) == '{"a": [1, null, true]}'
        assert converter.loads("[1.5]", list[float]) == [1.5]

    def test_a_converter_is_equipped_once(self) -> None:
        converter = equipped("json")
        kind = type(converter)
        assert type(wire.make_converter(converter)) is kind


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_an_attribute_that_no_float_holds_is_refused_where_text_would_stay_text(name: str) -> None:
    session = CustomerSession.create("o", attributes={"rate": Decimal("0.12345678901234567890")})
    with pytest.raises(InvalidValue) as refusal:
        equipped(name).dumps(session)
    assert refusal.value.pointer == "/attributes/rate"


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_an_attribute_that_a_float_holds_is_read_as_the_same_number(name: str) -> None:
    session = CustomerSession.create("o", attributes={"rate": Decimal("1.50"), "list": [Decimal("0.1")]})
    converter = equipped(name)
    read = converter.loads(converter.dumps(session), CustomerSession)
    assert read.attributes == session.attributes


FROZEN = """
from datetime import datetime, timezone
{imports}
{first}
with {freeze}:
    from session_fsm import CustomerSession, SessionEvent, wire
    session = CustomerSession.create("p")
    event = session.close()
    assert session.created.year == 2024, session.created
    assert wire.loads(wire.dumps(session)).updated == session.updated
    assert wire.structure(wire.unstructure(session)).updated == session.updated
    assert wire.loads(wire.dumps(event), SessionEvent).at == event.at
assert wire.loads(wire.dumps(session)).created == session.created
later = CustomerSession.create("q")
assert later.created.year > 2024
assert wire.loads(wire.dumps(later)).created == later.created
"""
READ_FIRST = "from session_fsm import CustomerSession, wire; wire.loads(wire.dumps(CustomerSession.create('o')))"


@pytest.mark.parametrize("first", ["", READ_FIRST], ids=["frozen first", "read first"])
@pytest.mark.parametrize(
    ("imports", "freeze"),
    [
        ("from freezegun import freeze_time", "freeze_time('2024-05-01')"),
        ("import time_machine", "time_machine.travel('2024-05-01')"),
    ],
    ids=["freezegun", "time-machine"],
)
def test_a_clock_of_the_tests_may_stand_in_any_order(imports: str, freeze: str, first: str) -> None:
    program = FROZEN.format(imports=imports, freeze=freeze, first=first)
    ran = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr


class TestNumbersOfNumpy:
    """Numbers of numpy are taken where they are exact, and refused in words that can be followed where not."""

    @pytest.mark.parametrize("number", [np.int64(2), np.int8(2), np.uint16(2)])
    def test_integers_are_taken(self, number: Any) -> None:
        item = CartItem(sku="A", quantity=number, price=number)
        assert (type(item.quantity), item.quantity, item.price) == (int, 2, Decimal(2))
        entry = ReturnedCartItem(position=number, quantity=number)
        assert (type(entry.position), entry.position, entry.quantity) == (int, 2, 2)

    @pytest.mark.parametrize(
        ("make", "pointer", "problem"),
        [
            (lambda: CartItem(sku="A", quantity=np.float64(2)), "/quantity", "a number (2.0) is not an integer"),
            (
                lambda: CartItem(sku="A", quantity=np.array([1, 2])),
                "/quantity",
                "a value of type ndarray is not an integer; give int(...) of it",
            ),
            (
                lambda: CartItem(sku="A", quantity=1, price=np.float64(1.5)),
                "/price",
                '1.5 is a binary float and so is not exact; give the string "1.5" or a Decimal',
            ),
            (
                lambda: CartItem(sku="A", quantity=1, price=np.float32(1.5)),
                "/price",
                "a value of type float32 is not a number; give a Decimal of its text",
            ),
            (
                lambda: CustomerSession.create("o", id=np.int64(5)),
                "/id",
                "a value of type int64 is not an integer; give int(...) of it",
            ),
        ],
    )
    def test_what_is_not_exact_is_refused(self, make: Callable[[], Any], pointer: str, problem: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            make()
        assert (refusal.value.pointer, refusal.value.problem) == (pointer, problem)


def test_classes_that_nobody_holds_are_freed() -> None:
    """A class for each tenant, or for each test, does not stay for ever once its sessions were read or written."""
    references = []
    for _ in range(20):
        kind = type("TenantSession", (CustomerSession,), {})
        session = kind.create("o")
        text = wire.dumps(session)
        wire.dumps(session, indent=1)
        for strict in (False, True):
            wire.loads(text, kind, strict=strict)
            wire.structure(wire.unstructure(session), kind, strict=strict)
        references.append(weakref.ref(kind))
        del kind, session
    gc.collect()
    assert sum(reference() is not None for reference in references) <= 1
