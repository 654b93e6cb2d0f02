"""What a property of a subclass has cached is dropped by whatever changes the session; what users keep there is not."""

import copy
import pickle
from collections.abc import Callable
from functools import cached_property
from typing import Any
from unittest import mock

import attrs
import pytest
from builders import cart, session_in

from session_fsm import CustomerSession, RuleViolated, Trigger, rule


class Lazy:
    """Computes an attribute once, as that of Django does: a descriptor that only computes."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, held: Any, owner: type | None = None) -> Any:
        if held is None:
            return self
        held.__dict__[self.name] = self.function(held)
        return held.__dict__[self.name]


class LazyProperty(property):
    """Computes an attribute once, as that of Werkzeug does: a property that keeps its value under its own name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __set__(self, held: Any, value: Any) -> None:
        held.__dict__[self.name] = value

    def __get__(self, held: Any, owner: type | None = None) -> Any:
        if held is not None and self.name not in held.__dict__:
            held.__dict__[self.name] = super().__get__(held, owner)
        return self if held is None else held.__dict__[self.name]

    def __delete__(self, held: Any) -> None:
        del held.__dict__[self.name]


SEEN: list[tuple[Any, int]] = []


@rule("too_many_units_for_us", on=[Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE])
def five_units_are_enough(session: Any, after: Any) -> bool:
    """An order must not have more than five units."""
    SEEN.append((session and session.units, after.units))
    return bool(after.units <= 5)


def shop_with(decorator: Any) -> Any:
    class Shop(CustomerSession):
        rules = (*CustomerSession.rules, five_units_are_enough)
        units = decorator(lambda self: sum(item.quantity for item in self.cart_items))
        label = "shop"

    return Shop


def slotted() -> Any:
    """Return a class that attrs makes: it gives the cached property a slot."""

    @attrs.define(kw_only=True, eq=False, repr=False)
    class Shop(CustomerSession):
        rules = (*CustomerSession.rules, five_units_are_enough)
        branch: str = "main"

        @cached_property
        def units(self) -> int:
            return sum(item.quantity for item in self.cart_items)

    return Shop


def of_property() -> Any:
    class Shop(CustomerSession):
        rules = (*CustomerSession.rules, five_units_are_enough)

        @LazyProperty
        def units(self) -> int:
            return sum(item.quantity for item in self.cart_items)

    return Shop


def named_property() -> Any:
    cls = shop_with(cached_property)
    return type("Sub", (cls,), {"__doc__": "Inherits what its parent caches."})


KINDS = {
    "functools": lambda: shop_with(cached_property),
    "as Django has it": lambda: shop_with(Lazy),
    "as Werkzeug has it": of_property,
    "slotted by attrs": slotted,
    "inherited": named_property,
    "inherited, slotted": lambda: type("Sub", (slotted(),), {}),
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
class TestEveryKind:
    def test_rules_and_readers_see_fresh_values(self, make: Callable[[], Any]) -> None:
        session = make().create("order-1", cart_items=cart(2))
        assert session.units == 2
        SEEN.clear()
        assert session.evaluate("update", cart_items=cart(4)).after.units == 4
        with pytest.raises(RuleViolated):
            session.update(cart_items=cart(900))
        assert SEEN == [(2, 4), (2, 900)]
        session.update(cart_items=cart(3))
        assert session.units == 3
        session.close(cart_items=cart(1, 1))
        assert session.units == 2

    def test_copies_compute_anew(self, make: Callable[[], Any]) -> None:
        session = make().create("order-1", cart_items=cart(2))
        assert session.units == 2
        for copied in (copy.copy(session), copy.deepcopy(session), attrs.evolve(session)):
            copied.update(cart_items=cart(3))
            assert copied.units == 3
        assert session.units == 2

    def test_what_a_failed_trigger_left_behind_is_dropped(self, make: Callable[[], Any]) -> None:
        cls = make()
        seen = []

        def fail(event_data: Any) -> None:
            seen.append(event_data.model.units)
            raise OSError("out of paper")

        cls.machine.on_enter_closed(fail)
        session = cls.create("order-1", cart_items=cart(2))
        assert session.units == 2
        with pytest.raises(OSError, match="out of paper"):
            session.close(cart_items=cart(3))
        assert seen == [3]
        assert session.units == 2

    def test_a_value_may_be_deleted_whether_or_not_a_verb_has_dropped_it(self, make: Callable[[], Any]) -> None:
        session = make().create("order-1", cart_items=cart(2))
        assert session.units == 2
        del session.units
        session.update()
        del session.units
        assert session.units == 2


@attrs.define(kw_only=True, eq=False, repr=False)
class LabelledSession(CustomerSession):
    """Caches something, in a slot."""

    branch: str = "main"

    @cached_property
    def title(self) -> str:
        return f"{self.branch}: {self.state}"


class OpenSession(LabelledSession):
    """Has a dictionary beside, which holds whatever anybody assigns."""

    @cached_property
    def unseen(self) -> int:
        return len(self.pending_events)


def test_a_pickle_holds_no_cached_value() -> None:
    session = session_in("open", LabelledSession)
    assert session.title == "main: open"
    read = pickle.loads(pickle.dumps(session))
    read.close()
    assert read.title == "main: closed"


def test_taking_the_events_drops_what_was_computed_of_them() -> None:
    session = OpenSession.create("order-1")
    assert session.unseen == 1
    session.take_events()
    assert session.unseen == 0


def test_what_users_keep_on_a_session_stays_and_is_copied() -> None:
    session: Any = OpenSession.create("order-1")
    session.note = ["mine"]
    assert session.title == "main: open"
    session.close()
    assert session.note == copy.copy(session).note == session.evaluate("reopen").after.note == ["mine"]
    del session.note
    with pytest.raises(AttributeError):
        del session.note


class TestPatches:
    """Fields alone are guarded, so that tests can patch the rest."""

    def test_a_method_of_one_session_is_patched_and_put_back(self) -> None:
        session: Any = OpenSession.create("order-1")
        with mock.patch.object(session, "close") as close:
            session.close()
            session.update()
        close.assert_called_once_with()
        assert session.close().target == "closed"

    def test_a_cached_value_is_patched_and_put_back(self) -> None:
        session: Any = OpenSession.create("order-1")
        with mock.patch.object(session, "unseen", 7):
            assert session.unseen == 7
            session.update()
        assert session.unseen == 2

    def test_an_attribute_that_was_not_there_is_gone_again(self) -> None:
        session: Any = OpenSession.create("order-1")
        with mock.patch.object(session, "extra", 7, create=True):
            assert session.extra == 7
        assert not hasattr(session, "extra")

    @pytest.mark.parametrize("name", ["state", "total", "branch", "pending_events"])
    def test_a_field_is_not(self, name: str) -> None:
        session: Any = OpenSession.create("order-1")
        with pytest.raises(AttributeError), mock.patch.object(session, name, None):
            pass  # pragma: no cover - it is refused
        with pytest.raises(AttributeError):
            delattr(session, name)
