"""Values are frozen, equal by content, and share nothing with their maker."""

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from builders import event, item, session_of, variant

from session_fsm import UNSET, AdditionalCost, InvalidValue, Product, ReturnedCartItem, SessionUpdate, signatures

VALUES: list[Any] = [
    AdditionalCost("4.90"),
    Product("Apple"),
    variant(),
    item(attributes={"a": [1, {"b": 2}]}, additional_costs={"x": AdditionalCost(1)}),
    ReturnedCartItem(position=1, quantity=2, sku="A"),
    SessionUpdate(attributes={"a": None}, cart_items=[item()], coupon_codes=[]),
    event(change=(ReturnedCartItem(sku="A"),)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
class TestFrozenValue:
    """Values are frozen, are compared by what they hold, and travel."""

    def test_no_field_can_be_assigned_or_deleted(self, value: Any) -> None:
        for attribute in attrs.fields(type(value)):
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(value, attribute.name, None)
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                delattr(value, attribute.name)

    def test_equal_content_is_equal_and_hashes_alike(self, value: Any) -> None:
        for copied in (copy.copy(value), copy.deepcopy(value), attrs.evolve(value)):
            assert copied == value
            assert hash(copied) == hash(value)

    @pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
    def test_it_pickles(self, value: Any, protocol: int) -> None:
        copied = pickle.loads(pickle.dumps(value, protocol))
        assert copied == value
        assert repr(copied) == repr(value)

    def test_it_has_no_room_for_anything_else(self, value: Any) -> None:
        assert not hasattr(value, "__dict__")


def test_different_content_is_different() -> None:
    assert item() != item(quantity=2)
    assert item(attributes={"a": 1}) != item(attributes={"a": 2})
    assert SessionUpdate() != SessionUpdate(coupon_codes=[])
    assert len({item(), item(), item(quantity=2)}) == 2


class TestHeldMappings:
    """What a value or a session holds is its own: nobody changes it from without."""

    MUTATIONS: list[Callable[[Any], object]] = [
        lambda held: held.__setitem__("b", 1),
        lambda held: held.__delitem__("a"),
        lambda held: held.__ior__({"b": 1}),
        lambda held: held.update(b=1),
        lambda held: held.setdefault("b", 1),
        lambda held: held.pop("a"),
        lambda held: held.popitem(),
        lambda held: held.clear(),
    ]

    @pytest.mark.parametrize("mutate", MUTATIONS)
    @pytest.mark.parametrize("make", [session_of, SessionUpdate, item])
    def test_no_method_changes_them(self, mutate: Callable[[Any], object], make: Callable[..., Any]) -> None:
        value = make(attributes={"a": {"a": 1}}, additional_costs={"a": AdditionalCost(1)})
        for held in (value.attributes, value.attributes["a"], value.additional_costs):
            before = dict(held)
            with pytest.raises(TypeError, match="read-only"):
                mutate(held)
            assert held == before

    @pytest.mark.parametrize("make", [session_of, SessionUpdate, item])
    def test_what_the_caller_does_later_to_his_own_does_not_matter(self, make: Callable[..., Any]) -> None:
        inner = [1]
        attributes: dict[str, Any] = {"a": inner, "b": {"c": inner}}
        costs = {"x": AdditionalCost(1)}
        value = make(attributes=attributes, additional_costs=costs)
        inner.append(2)
        attributes["b"]["d"] = 3
        attributes.clear()
        costs.clear()
        assert value.attributes == {"a": (1,), "b": {"c": (1,)}}
        assert value.additional_costs == {"x": AdditionalCost(1)}

    def test_lists_are_taken_over_as_they_are_now(self) -> None:
        codes, items = ["A"], [item()]
        update = SessionUpdate(coupon_codes=codes, cart_items=items)
        own = session_of(coupon_codes=codes, cart_items=items)
        codes.append("B")
        items.append(item())
        assert update.coupon_codes == own.coupon_codes == ("A",)
        assert len(own.cart_items) == 1

    def test_copies_are_read_only_too(self) -> None:
        held = item(attributes={"a": 1}).attributes
        for copied in (copy.copy(held), copy.deepcopy(held), pickle.loads(pickle.dumps(held))):
            assert copied == held
            with pytest.raises(TypeError):
                copied["a"] = 2


class TestUnset:
    """Omitted is neither empty nor a value."""

    def test_it_is_what_omitted_fields_hold(self) -> None:
        update = SessionUpdate(coupon_codes=[])
        assert update.referral_code is UNSET
        assert update.coupon_codes == ()
        assert update.given() == {"coupon_codes": ()}

    def test_null_counts_as_omitted(self) -> None:
        names = [attribute.name for attribute in attrs.fields(SessionUpdate)]
        assert SessionUpdate(**dict.fromkeys(names)) == SessionUpdate() == SessionUpdate(**dict.fromkeys(names, UNSET))

    def test_it_is_false_and_alone_of_its_kind(self) -> None:
        assert not UNSET
        assert repr(UNSET) == "UNSET"
        assert pickle.loads(pickle.dumps(UNSET)) is copy.deepcopy(UNSET) is UNSET

    def test_the_keywords_of_the_verbs_are_the_fields_of_an_update_but_the_state(self) -> None:
        fields = {attribute.name for attribute in attrs.fields(SessionUpdate)}
        own_of_verb = {"change", "now", "context", "own", "returned_cart_items", "trigger", "payload_only", "state"}
        own_of_verb |= {"integration_id", "id", "application_id", "first_session"}
        for signature in (signatures.create, signatures.update, signatures.put, signatures.evaluate, signatures.board):
            assert set(inspect.signature(signature).parameters) - own_of_verb == fields - {"state", "own"}

    def test_an_update_prints_what_is_given(self) -> None:
        assert repr(SessionUpdate(referral_code="")) == "SessionUpdate(referral_code='')"


def test_the_remaining_units_are_those_that_did_not_come_back() -> None:
    assert item(quantity=5).remaining_quantity == 5
    assert item(quantity=5, returned_quantity=5).remaining_quantity == 0


def test_the_positions_of_a_cart_are_its_order() -> None:
    """A position is the index of the item: items in another order are put into theirs."""
    held = session_of(cart_items=[item(sku="A", position=2), item(sku="B"), item(sku="C", position=0)]).cart_items
    assert [(one.sku, one.position) for one in held] == [("C", 0), ("B", 1), ("A", 2)]


@pytest.mark.parametrize(
    ("positions", "place", "problem"),
    [
        ([5], 0, "5 is not below 1; positions are 0 to 0, each once"),
        ([0, 0], 1, "is 0 again; positions are 0 to 1, each once"),
        ([1, None], 1, "is 1 again; positions are 0 to 1, each once"),
        ([0, 2], 1, "2 is not below 2; positions are 0 to 1, each once"),
    ],
)
def test_positions_that_are_no_order_are_refused(positions: list[int | None], place: int, problem: str) -> None:
    """No item is ever renumbered without a word."""
    with pytest.raises(InvalidValue) as refusal:
        session_of(cart_items=[item(sku="A", position=position) for position in positions])
    assert (refusal.value.pointer, refusal.value.problem) == (f"/cartItems/{place}/position", problem)
