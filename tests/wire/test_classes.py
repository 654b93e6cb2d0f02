"""Classes of a service's own: what they add is read and written with the rest, and converters of one's own are kept."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
import pytest
from cattrs import Converter
from wire_documents import MINIMAL, SESSION, contents, parsed, pointers_of, refusal_of, session_with

from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    SessionEvent,
    SessionUpdate,
    State,
    WireError,
    rule,
    wire,
)


@rule("gift_note_too_long", on=["close"])
def gift_note_is_short(session: Any) -> bool:
    """A gift note has at most 20 characters."""
    return len(session.gift_note) <= 20


class RuledSession(CustomerSession):
    rules = CustomerSession.rules[:3]


@attrs.define(kw_only=True, eq=False)
class GiftSession(CustomerSession):
    """A session with fields of its own, one of each type that JSON can hold."""

    rules = (*CustomerSession.rules, gift_note_is_short)

    gift_note: str
    wrapped: bool
    budget: Decimal = Decimal(0)
    cards_left: int = 3
    pick_up_at: datetime | None = None
    voucher_ref_id: UUID | None = None
    shelf_mark: str | None = None
    tags: tuple[str, ...] = ()
    points_of: Mapping[str, int] = attrs.field(factory=dict)
    sample: CartItem | None = None
    samples: tuple[CartItem, ...] = ()
    former_state: State | None = None


REQUIRED = {"giftNote": "For Ann", "wrapped": True}
OWN = REQUIRED | {
    "budget": Decimal("10.50"),
    "cardsLeft": 5,
    "pickUpAt": "2026-02-03T04:05:06Z",
    "voucherRefId": "5a5d7a6e-0c1f-4a39-9e1b-3f8f0f6f7a10",
    "shelfMark": "B-7",
    "tags": ["red", "gold"],
    "pointsOf": {"ann": 4},
    "sample": {"sku": "S", "quantity": 1, "returnedQuantity": 0, "remainingQuantity": 1},
    "samples": [{"sku": "T", "quantity": 2, "returnedQuantity": 2, "remainingQuantity": 0}],
    "formerState": "open",
}


class TestSubclasses:
    """A subclass of the session is the definition: JSON takes the class, and reads and writes it as itself."""

    def test_a_subclass_without_fields_of_its_own_reads_and_writes_as_itself(self):
        session = wire.loads(SESSION, RuledSession)
        assert type(session) is RuledSession
        assert contents(session) == contents(wire.loads(SESSION))
        assert wire.dumps(session) == wire.dumps(wire.loads(SESSION))

    def test_every_field_of_its_own_is_held_in_its_own_type(self):
        session = wire.structure(session_with(**OWN), GiftSession)
        assert type(session) is GiftSession
        assert (session.gift_note, session.wrapped, session.budget, session.cards_left) == (
            "For Ann",
            True,
            Decimal("10.5"),
            5,
        )
        assert session.pick_up_at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
        assert session.voucher_ref_id == UUID("5a5d7a6e-0c1f-4a39-9e1b-3f8f0f6f7a10")
        assert (session.shelf_mark, session.tags, session.points_of) == ("B-7", ("red", "gold"), {"ann": 4})
        assert session.sample == CartItem(sku="S", quantity=1)
        assert session.samples == (CartItem(sku="T", quantity=2, returned_quantity=2),)

    def test_a_field_of_an_enumeration_holds_its_member(self):
        assert wire.structure(session_with(**OWN), GiftSession).former_state is State.OPEN
        assert refusal_of(session_with(**REQUIRED, formerState="lost"), GiftSession) == ["/formerState"]

    def test_what_was_read_is_written_again(self):
        document = parsed(SESSION) | OWN
        session = wire.structure(document, GiftSession)
        assert wire.unstructure(session) == document
        again = wire.loads(wire.dumps(session), GiftSession, strict=True)
        assert contents(again) == contents(session)

    def test_fields_with_defaults_may_be_missing(self):
        session = wire.structure(session_with(**REQUIRED), GiftSession)
        assert (session.budget, session.cards_left, session.tags, session.sample) == (0, 3, (), None)

    def test_required_ones_may_not(self):
        assert sorted(refusal_of(MINIMAL, GiftSession)) == ["/giftNote", "/wrapped"]
        assert refusal_of(session_with(**REQUIRED | {"giftNote": None}), GiftSession) == ["/giftNote"]

    @pytest.mark.parametrize(
        ("name", "value", "pointer"),
        [
            ("giftNote", 5, "/giftNote"),
            ("wrapped", 1, "/wrapped"),
            ("wrapped", "true", "/wrapped"),
            ("budget", "10", "/budget"),
            ("budget", True, "/budget"),
            ("cardsLeft", True, "/cardsLeft"),
            ("cardsLeft", Decimal("1.5"), "/cardsLeft"),
            ("cardsLeft", "5", "/cardsLeft"),
            ("pickUpAt", "2026-02-03T04:05:06", "/pickUpAt"),
            ("pickUpAt", 5, "/pickUpAt"),
            ("voucherRefId", "5a5d", "/voucherRefId"),
            ("shelfMark", [], "/shelfMark"),
            ("tags", 5, "/tags"),
            ("tags", ["red", 5], "/tags/1"),
            ("pointsOf", [], "/pointsOf"),
            ("pointsOf", {"a/b": "4"}, "/pointsOf/a~1b"),
            ("sample", 5, "/sample"),
            ("sample", {"sku": "S", "quantity": 0}, "/sample/quantity"),
            ("samples", [{"sku": "S", "quantity": 1}, {"sku": "", "quantity": 1}], "/samples/1/sku"),
        ],
    )
    def test_a_wrong_value_is_refused_at_its_place_with_all_others(self, name: str, value: Any, pointer: str):
        document = session_with(**REQUIRED, total="x") | {name: value}
        assert sorted(refusal_of(document, GiftSession)) == sorted(["/total", pointer])

    def test_it_lives_under_its_own_rules(self):
        session = wire.structure(session_with(giftNote="x" * 21, wrapped=False), GiftSession)
        assert [violation.code for violation in session.evaluate("close").violations] == ["gift_note_too_long"]

    def test_wrappers_are_accepted_for_it_too(self):
        session = wire.structure({"customerSession": session_with(**REQUIRED)}, GiftSession)
        assert session.gift_note == "For Ann"


class TestConverters:
    """The rules of cattrs apply: a converter of one's own is equipped, and its hooks stay."""

    @staticmethod
    def converter_with_dates() -> Converter:
        converter = Converter()
        converter.register_structure_hook(date, lambda text, _: datetime.strptime(text, "%d.%m.%Y").date())
        converter.register_unstructure_hook(date, lambda day: day.strftime("%d.%m.%Y"))
        return converter

    @attrs.define(kw_only=True, eq=False)
    class DatedSession(CustomerSession):
        due_on: date
        paid_on: date | None = None

    def test_one_of_ones_own_is_the_one_that_comes_back(self):
        converter = self.converter_with_dates()
        assert wire.make_converter(converter) is converter
        assert converter.structure("03.02.2026", date) == date(2026, 2, 3)

    def test_its_hooks_serve_the_fields_that_a_subclass_adds(self):
        converter = wire.make_converter(self.converter_with_dates())
        session = converter.structure(session_with(dueOn="03.02.2026", paidOn=None), self.DatedSession)
        assert (session.due_on, session.paid_on) == (date(2026, 2, 3), None)
        assert converter.unstructure(session)["dueOn"] == "03.02.2026"

    def test_what_its_hooks_refuse_is_reported_at_its_place(self):
        converter = wire.make_converter(self.converter_with_dates())
        with pytest.raises(InvalidValue) as caught:
            converter.structure(session_with(dueOn="soon", total="x"), self.DatedSession)
        assert sorted(problem.pointer for problem in caught.value.problems) == ["/dueOn", "/total"]

    @pytest.mark.parametrize("given", [None, Converter])
    def test_it_reads_and_writes_all_kinds(self, given: Any):
        converter = wire.make_converter(given and given())
        session = converter.structure(parsed(SESSION), CustomerSession)
        assert contents(session) == contents(wire.loads(SESSION))
        assert converter.unstructure(session) == wire.unstructure(session)
        update = converter.structure({"cartItems": [{"sku": "A", "quantity": 1, "position": "?"}]}, SessionUpdate)
        assert update == SessionUpdate(cart_items=[CartItem(sku="A", quantity=1)])

    def test_it_reads_what_holds_sessions_too(self):
        converter = wire.make_converter()
        sessions = converter.structure([MINIMAL, MINIMAL | {"integrationId": "b"}], list[CustomerSession])
        assert [session.integration_id for session in sessions] == ["cart 77/a", "b"]
        assert converter.unstructure(sessions) == [wire.unstructure(session) for session in sessions]

    def test_it_is_strict_when_told_so(self):
        strict = wire.make_converter(strict=True)
        with pytest.raises(InvalidValue) as caught:
            strict.structure(session_with(nobody=1, cartItems=[{"sku": "A", "quantity": 1, "who": 2}]), CustomerSession)
        assert sorted(pointers_of(WireError(caught.value.problems))) == ["/cartItems/0/who", "/nobody"]
        assert wire.make_converter().structure(session_with(nobody=1), CustomerSession).update_count == 1

    def test_two_converters_do_not_meddle_with_each_other(self):
        with_dates, without = wire.make_converter(self.converter_with_dates()), wire.make_converter()
        document = session_with(dueOn="03.02.2026")
        assert with_dates.structure(document, self.DatedSession).due_on == date(2026, 2, 3)
        with pytest.raises(InvalidValue) as caught:
            without.structure(document, self.DatedSession)
        assert [problem.pointer for problem in caught.value.problems] == ["/dueOn"]

    def test_a_scalar_of_the_wrong_type_is_refused_by_the_librarys_own(self):
        converter = wire.make_converter()
        for kind, wrong in ((int, True), (int, "5"), (str, 5), (bool, 1), (Decimal, "5"), (datetime, 5), (UUID, 5)):
            with pytest.raises(InvalidValue):
                converter.structure(wrong, kind)
        assert converter.structure(5, Decimal) == 5
        assert converter.structure("open", State) is State.OPEN
        assert converter.unstructure(UUID(int=5)) == str(UUID(int=5))
        assert converter.unstructure(datetime(2026, 2, 3, tzinfo=UTC)) == "2026-02-03T00:00:00Z"

    def test_an_event_may_be_of_a_subclass_too(self):
        session = GiftSession.create("o", gift_note="", wrapped=False, coupon_codes=["TEA"])
        (event,) = session.take_events()
        assert wire.loads(wire.dumps(event), SessionEvent, session_class=GiftSession) == event


@attrs.frozen(kw_only=True)
class BareItem(CartItem):
    """An item whose SKU is defined anew, without the validator that it had."""

    sku: str


@pytest.mark.parametrize("quantity", ["2", "2.0"], ids=["fast path", "slow path"])
def test_a_field_that_a_value_defines_anew_without_a_validator_is_read(quantity: str) -> None:
    item = wire.loads(f'{{"sku": "A", "quantity": {quantity}}}', BareItem)
    assert item == BareItem(sku="A", quantity=2)


def test_the_other_fields_of_such_a_value_are_still_judged() -> None:
    with pytest.raises(WireError) as refusal:
        wire.loads('{"sku": "A", "quantity": 0}', BareItem)
    assert [problem.pointer for problem in refusal.value.problems] == ["/quantity"]


def test_own_fields_may_have_the_names_of_methods_of_tuples() -> None:
    @attrs.define(kw_only=True, eq=False, repr=False)
    class CountedSession(CustomerSession):
        count: int = 1
        index: str = "a"

    session = CountedSession.create("order-1", count=2, index="b")
    read = wire.loads(wire.dumps(session), CountedSession)
    assert (read.count, read.index) == (2, "b")
