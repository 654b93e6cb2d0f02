"""Documents as other programs write them: what is read, and what is refused with the place."""

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest

from session_fsm import CartItem, CustomerSession, InvalidValue, SessionEvent, SessionUpdate, WireError, wire
from session_fsm.validators import MOST_PROBLEMS

HEAD = {"integrationId": "o", "created": "2026-01-01T00:00:00Z"}


def session_text(**members: Any) -> str:
    return json.dumps(HEAD | members)


def problems_of(text: str, kind: Any = CustomerSession, **options: Any) -> dict[str, str]:
    with pytest.raises(WireError) as refusal:
        wire.loads(text, kind, **options)
    return {problem.pointer: problem.text for problem in refusal.value.problems}


@attrs.define(kw_only=True, eq=False, repr=False)
class FloorSession(CustomerSession):
    floor: int = 0
    floors: tuple[int, ...] = ()


class TestWholeNumbers:
    """W-27: a number with a fraction of zero is an integer."""

    @pytest.mark.parametrize("written", ["2.0", "2.000", "2e0", "0.2e1", "20E-1"])
    def test_it_is_read_wherever_an_integer_is_wanted(self, written: str) -> None:
        item = f'{{"sku": "A", "quantity": {written}}}'
        assert wire.loads(f'{{"cartItems": [{item}]}}', SessionUpdate).cart_items == (CartItem(sku="A", quantity=2),)
        session = wire.loads(
            f'{{"integrationId": "o", "created": "2026-01-01T00:00:00Z", "id": {written}, "updateCount": {written},'
            f' "evaluableCampaignIds": [{written}],'
            f' "cartItems": [{{"sku": "A", "quantity": 4.0, "position": 0.0, "remainingQuantity": {written}}}]}}'
        )
        assert (session.id, session.update_count, session.evaluable_campaign_ids) == (2, 2, (2,))
        assert session.cart_items[0].returned_quantity == 2
        entry = wire.loads(f'{{"returnedCartItems": [{{"position": {written}}}]}}', wire.ReturnRequest)
        assert entry.returned_cart_items[0].position == 2
        own = wire.loads(f'{{"floor": {written}, "floors": [{written}], {json.dumps(HEAD)[1:]}', FloorSession)
        assert (own.floor, own.floors) == (2, (2,))
        event = wire.dumps(CustomerSession.create("o").close()).replace(
            b'"updateCount":2', f'"updateCount":{written}'.encode()
        )
        assert wire.loads(event, SessionEvent).update_count == 2

    @pytest.mark.parametrize("number", [2.0, Decimal("2.0"), Decimal("2E0")])
    def test_a_document_that_somebody_has_parsed_is_read_likewise(self, number: Any) -> None:
        update = wire.structure({"cartItems": [{"sku": "A", "quantity": number}]}, SessionUpdate)
        assert update.cart_items == (CartItem(sku="A", quantity=2),)

    @pytest.mark.parametrize("written", ["2.5", "-0.1", "1E-7", "1E+300"])
    def test_any_other_is_refused_as_it_was_written(self, written: str) -> None:
        found = problems_of(f'{{"cartItems": [{{"sku": "A", "quantity": {written}}}]}}', SessionUpdate)
        assert found == {"/cartItems/0/quantity": f"a number ({written}) is not an integer"}

    @pytest.mark.parametrize("number", [float("inf"), float("nan"), 1e300])
    def test_a_float_that_is_no_integer_of_64_bits_is_refused(self, number: float) -> None:
        with pytest.raises(WireError):
            wire.structure({"cartItems": [{"sku": "A", "quantity": number}]}, SessionUpdate)


class TestPositions:
    """Section 4: positions in another order put the items into theirs; nothing is renumbered without a word."""

    def test_a_permutation_puts_the_items_into_order(self) -> None:
        items = [{"sku": sku, "quantity": 1, "position": position} for sku, position in (("B", 1), ("C", 2), ("A", 0))]
        session = wire.loads(session_text(cartItems=items))
        assert [(item.sku, item.position) for item in session.cart_items] == [("A", 0), ("B", 1), ("C", 2)]

    @pytest.mark.parametrize(("positions", "place"), [([1, 2], 1), ([0, 0], 1), ([5], 0), ([None, 1, 0], 2)])
    def test_anything_else_is_refused_with_the_place(self, positions: list[int | None], place: int) -> None:
        items = [{"sku": "A", "quantity": 1, "position": position} for position in positions]
        assert [*problems_of(session_text(cartItems=items))] == [f"/cartItems/{place}/position"]


class TestPartiallyReturned:
    """A partially returned session that says nothing of returned units could have all of them come back again."""

    @pytest.mark.parametrize("items", [[], [{"sku": "A", "quantity": 3}]])
    def test_without_returned_units_it_is_refused(self, items: list[Any]) -> None:
        found = problems_of(session_text(state="partially_returned", cartItems=items, updated=HEAD["created"]))
        assert found == {"/cartItems": "the session is partially_returned, but no item has returned units"}

    @pytest.mark.parametrize("said", [{"returnedQuantity": 1}, {"remainingQuantity": 2}])
    def test_with_them_it_is_read(self, said: dict[str, int]) -> None:
        text = session_text(state="partially_returned", cartItems=[{"sku": "A", "quantity": 3} | said])
        assert wire.loads(text).cart_items[0].remaining_quantity == 2


class TestPythonNames:
    """The Python name of a field is no member: an old client's ``to_dict()`` would lose what it holds."""

    @pytest.mark.parametrize("strict", [False, True])
    @pytest.mark.parametrize(
        ("kind", "document", "pointer", "member"),
        [
            (SessionUpdate, {"coupon_codes": ["A"]}, "/coupon_codes", "couponCodes"),
            (SessionUpdate, {"first_session": True}, "/first_session", "firstSession"),
            (
                SessionUpdate,
                {"cartItems": [{"sku": "A", "quantity": 1, "additional_costs": {}}]},
                "/cartItems/0/additional_costs",
                "additionalCosts",
            ),
            (
                SessionUpdate,
                {"cartItems": [{"sku": "A", "quantity": 1, "catalog_item_id": 1}]},
                "/cartItems/0/catalog_item_id",
                "catalogItemID",
            ),
            (CustomerSession, HEAD | {"cart_items": []}, "/cart_items", "cartItems"),
            (
                CartItem,
                {"sku": "A", "quantity": 1, "remaining_quantity": 1},
                "/remaining_quantity",
                "remainingQuantity",
            ),
        ],
    )
    def test_it_is_refused_with_the_name_in_json(
        self, kind: Any, document: Any, pointer: str, member: str, strict: bool
    ) -> None:
        expected = {pointer: f'is the name of a field in Python; in JSON it is "{member}"'}
        assert problems_of(json.dumps(document), kind, strict=strict) == expected

    def test_of_a_return_it_is_refused_beside_what_is_missing(self) -> None:
        found = problems_of('{"returned_cart_items": []}', wire.ReturnRequest)
        assert found["/returnedCartItems"] == "is missing"
        assert "returned_cart_items" in next(iter(found))

    def test_null_is_omitted_and_free_names_are_free(self) -> None:
        text = '{"coupon_codes": null, "attributes": {"coupon_codes": "x"}, "coupon": "x"}'
        assert wire.loads(text, SessionUpdate) == SessionUpdate(attributes={"coupon_codes": "x"})


class TestBounds:
    """What is wrong with a document is told in bounded words, whatever the document holds."""

    def test_very_many_unknown_names(self) -> None:
        text = "{" + ",".join(f'"wrong_{number}": 1' for number in range(5000)) + "}"
        with pytest.raises(WireError) as refusal:
            wire.loads(text, SessionUpdate, strict=True)
        assert len(refusal.value.problems) == MOST_PROBLEMS + 1
        assert len(str(refusal.value)) < 5000

    @pytest.mark.parametrize("more", [0, 1, 4000])
    def test_very_many_wrong_names_of_attributes(self, more: int) -> None:
        wrong = {f"{number}": 1 for number in range(MOST_PROBLEMS + more)}
        with pytest.raises(WireError) as refusal:
            wire.loads(json.dumps({"attributes": wrong}), SessionUpdate)
        assert len(refusal.value.problems) == MOST_PROBLEMS + min(more, 1)
        assert len(str(refusal.value)) < 5000

    @pytest.mark.parametrize(
        "kind",
        [10**5000, [[]], "CustomerSession", None, int, type("X" * 10_000, (), {})],
        ids=lambda kind: type(kind).__name__,
    )
    def test_a_kind_that_is_none(self, kind: Any) -> None:
        for read in (lambda: wire.loads("{}", kind), lambda: wire.structure({}, kind)):
            with pytest.raises(InvalidValue) as refusal:
                read()
            assert len(str(refusal.value)) < 200

    def test_a_trigger_that_is_none(self) -> None:
        deep: list[Any] = []
        for _ in range(3000):
            deep = [deep]
        for trigger in (deep, 10**5000, "x" * 10_000):
            with pytest.raises(InvalidValue) as refusal:
                CustomerSession.create("o").evaluate(trigger)  # type: ignore[arg-type]  # that is what is refused
            assert len(str(refusal.value)) < 200
