"""What a subclass of the session may be: judged when it is made, and refused where something would be lost later."""

from __future__ import annotations

import abc
import copy
import dataclasses
import json
import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar
from unittest import mock

import attrs
import pytest
from builders import CREATED, cart, snapshot
from wire_documents import session_with

from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    SessionEvent,
    SessionUpdate,
    State,
    Trigger,
    WireError,
    diagrams,
    rule,
    wire,
)
from session_fsm.rules import coupon_code_required, identifier_required
from session_fsm.testing import mutants
from session_fsm.testing.mutation.injection import Injection, inject

decorated = attrs.define(kw_only=True, eq=False, repr=False)
T = TypeVar("T")
DOCUMENT = session_with(cartItems=[{"sku": "A", "quantity": 2, "price": 3}])


def made(bases: tuple[type, ...] = (CustomerSession,), /, decorator: Any = None, **body: Any) -> Any:
    """Make a class with this body, decorated or not."""
    kind = types.new_class("Shop", bases, {}, lambda namespace: namespace.update(body | {"__module__": __name__}))
    return kind if decorator is None else decorator(kind)


def field_of(name: str, kind: Any = str, value: Any = "mine") -> dict[str, Any]:
    return {"__annotations__": {name: kind}, name: value}


class TestUndecoratedFields:
    """A class with fields that nobody has decorated exists, because every decorated one does for a moment; it is no use."""

    @pytest.fixture
    def shop(self) -> Any:
        class Shop(CustomerSession):
            branch: str = "main"

        return Shop

    USES: ClassVar[dict[str, Callable[[Any], object]]] = {
        "create": lambda kind: kind.create("o"),
        "the constructor": lambda kind: kind(integration_id="o", created=CREATED, updated=CREATED),
        "reading text": lambda kind: wire.loads(json.dumps(DOCUMENT, default=str), kind),
        "reading a document": lambda kind: wire.structure(DOCUMENT, kind),
        "unpickling": lambda kind: kind.__new__(kind).__setstate__({}),
        "a subclass": lambda kind: type("Further", (kind,), {}),
        "a diagram": lambda kind: diagrams.render(kind, "mermaid"),
        "the table": lambda kind: kind.machine.table,
    }

    @pytest.mark.parametrize("use", USES.values(), ids=USES)
    def test_every_use_of_it_says_what_to_do(self, shop: Any, use: Callable[[Any], object]) -> None:
        with pytest.raises(
            (InvalidValue, WireError), match=r"Shop has fields \(branch\) .*@attrs\.define\(kw_only=True"
        ):
            use(shop)

    def test_a_field_without_an_annotation_is_one_too(self) -> None:
        with pytest.raises(InvalidValue, match=r"fields \(branch\)"):
            made(branch=attrs.field(default="main")).create("o")

    @pytest.mark.parametrize("slots", [True, False])
    def test_decorated_it_is_as_any_other(self, shop: Any, slots: bool) -> None:
        shop = attrs.define(kw_only=True, slots=slots)(shop)
        session = shop.create("o", branch="Ghent")
        assert wire.loads(wire.dumps(session), shop).branch == "Ghent"
        assert session.update(branch="Lyon").change == SessionUpdate(own={"branch": "Lyon"})
        assert type("Further", (shop,), {}).create("o", branch="Ghent").branch == "Ghent"

    def test_class_variables_and_rules_are_no_fields(self) -> None:
        class Shop(CustomerSession):
            limit: ClassVar[int] = 3
            rules: tuple[Any, ...] = (coupon_code_required,)  # type: ignore[misc]  # people write it so

        assert not Shop.create("o").evaluate("close")

    def test_fields_of_a_mixin_wait_for_the_decorator_too(self) -> None:
        @attrs.define(kw_only=True, slots=False)
        class Branched:
            branch: str = "main"

        plain = made((Branched, CustomerSession))
        with pytest.raises(InvalidValue, match=r"fields \(branch\)"):
            plain.create("o")
        assert made((Branched, CustomerSession), decorated).create("o", branch="Ghent").branch == "Ghent"

    def test_a_field_of_a_mixin_that_nobody_decorated_is_refused(self) -> None:
        class Branched:
            branch: str = "main"

        with pytest.raises(
            InvalidValue, match="Shop inherits branch from Branched, where it is annotated but no field"
        ):
            made((Branched, CustomerSession))

    def test_a_dataclass_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"Shop with @attrs\.define"):
            dataclasses.dataclass(made(**field_of("branch")))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a field of every session, decorated": (
        lambda: made(decorator=decorated, **field_of("state")),
        "defines state anew",
    ),
    "a field of every session, annotated": (
        lambda: made(__annotations__={"profile_id": str}),
        "defines profile_id anew",
    ),
    "a field of every session, as a value": (lambda: made(profile_id="guest"), "defines profile_id anew"),
    "a field of every session, as a property": (lambda: made(total=property(lambda _: 1)), "defines total anew"),
    "a field of every session, as a method": (lambda: made(total=lambda _: 1), "defines total anew"),
    "a field of every session, in a mixin": (
        lambda: made((type("Guest", (), {"profile_id": "guest"}), CustomerSession)),
        "inherits profile_id from Guest",
    ),
    "a field with the name of a verb": (lambda: made(**field_of("close")), "a field close, which hides"),
    "a field with the name of a verb, without a default": (
        lambda: made(__annotations__={"close": str}),
        "a field close, which hides",
    ),
    "a private field with the alias of a verb": (
        lambda: made(decorator=decorated, __annotations__={"_close": str}, _close="x"),
        "a field close, which hides",
    ),
    "a value with the name of a verb": (lambda: made(close="x"), "hides close of CustomerSession behind a value"),
    "a property with the name of a verb": (lambda: made(close=property(lambda _: 1)), "behind a property"),
    "a value with the name of a property": (lambda: made(pending_events=()), "hides pending_events"),
    "a machine": (lambda: made(machine=CustomerSession.machine), "machine of its own"),
    "rules as a field": (
        lambda: made(decorator=decorated, **field_of("rules", tuple[str, ...], ())),
        "a field rules.*annotate it as ClassVar",
    ),
    "two names in JSON alike": (
        lambda: made(decorator=decorated, __annotations__={"pick_up": str, "pickUp": str}, pick_up="", pickUp=""),
        "a field pickUp, whose name in JSON, pickUp, is that of pick_up",
    ),
    "the name of another in JSON": (
        lambda: made(decorator=decorated, **field_of("cartItems")),
        "whose name in JSON, cartItems, is that of cart_items",
    ),
    "the name of the wrapper in JSON": (
        lambda: made(decorator=decorated, **field_of("customer_session")),
        "customerSession",
    ),
    "a constructor": (lambda: made(__init__=lambda self: None), "an __init__ of its own"),
    "a constructor of a mixin": (
        lambda: made((type("Noted", (), {"__init__": lambda self: None}), CustomerSession)),
        "an __init__ from Noted",
    ),
    "a constructor of a mixin that comes later": (
        lambda: made((CustomerSession, type("Noted", (), {"__init__": lambda self: None}))),
        "an __init__ from Noted",
    ),
    "a __new__": (lambda: made(__new__=lambda cls: None), "a __new__ of its own"),
    "no constructor": (
        lambda: made(decorator=attrs.define(kw_only=True, init=False), **field_of("branch")),
        "no constructor that takes them",
    ),
    "a type parameter": (lambda: made((CustomerSession, Generic[T])), "is generic"),
    "two definitions": (
        lambda: made((made(rules=(coupon_code_required,)), made(rules=(identifier_required,)))),
        "two session classes for bases",
    ),
    "a hook of attrs": (
        lambda: made(__attrs_init_subclass__=classmethod(lambda cls: None)),
        "__attrs_init_subclass__.*use __init_subclass__",
    ),
    "a hook that ends with itself": (
        lambda: made((made(__init_subclass__=classmethod(lambda cls: None)),)),
        "does not call super",
    ),
}
REFUSED |= {
    f"a field that rules see otherwise: {name}": (
        lambda name=name: made(decorator=decorated, **field_of(name)),  # type: ignore[misc]  # a default binds it
        f"a field {name}, which means something else",
    )
    for name in (
        "session",
        "after",
        "change",
        "trigger",
        "now",
        "context",
        "payload_only",
        "returned_cart_items",
        "own",
    )
}


@pytest.mark.parametrize(("make", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_lost_or_wrong_later_is_refused(make: Callable[[], Any], problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"Shop .*{problem}"):
        make()


def test_attrs_lets_no_session_be_frozen() -> None:
    with pytest.raises(ValueError, match="Frozen classes"):
        made(decorator=attrs.frozen(kw_only=True), **field_of("branch"))


class TestWhatIsAllowed:
    """What takes nothing away is a subclass's own affair."""

    def test_verbs_and_properties_may_be_overridden_by_their_like(self) -> None:
        class Shop(CustomerSession):
            @property
            def pending_events(self) -> list[SessionEvent]:
                return super().pending_events[-1:]

            @classmethod
            def create(cls, *args: Any, **keywords: Any) -> Any:
                return super().create(*args, first_session=False, profile_id="p", **keywords)

        assert not Shop.create("o").first_session
        assert len(Shop.create("o").pending_events) == 1

    def test_fields_may_have_names_that_only_the_class_of_classes_has(self) -> None:
        assert made(decorator=decorated, **field_of("register")).create("o", register="a").register == "a"

    def test_abstract_classes_and_generic_mixins_may_be_bases(self) -> None:
        class Named(abc.ABC):
            @abc.abstractmethod
            def title(self) -> str: ...

        class Boxed(Generic[T]):
            def box(self) -> list[T]:
                return []

        kind = made((Named, CustomerSession, Boxed[int]), title=lambda self: self.integration_id)
        assert kind.create("o").title() == "o"
        with pytest.raises(TypeError, match="abstract"):
            made((Named, CustomerSession))(integration_id="o", created=None, updated=None)

    def test_two_definitions_may_be_joined(self) -> None:
        one, other = made(rules=(coupon_code_required,)), made(rules=(identifier_required,))
        assert made((one, other), rules=(*one.rules, *other.rules)).machine.rules == (*one.rules, *other.rules)
        assert made((made(), type("Other", (CustomerSession,), {}))).rules == CustomerSession.rules

    def test_keywords_of_a_class_are_handed_on(self) -> None:
        class Regional(CustomerSession):
            region: ClassVar[str]

            def __init_subclass__(cls, region: str = "", **keywords: Any) -> None:
                cls.region = region
                super().__init_subclass__(**keywords)

        class North(Regional, region="north"):
            pass

        assert North.region == "north"
        assert North.machine is not Regional.machine

    @pytest.mark.parametrize("options", [{}, {"eq": True}, {"unsafe_hash": True}, {"order": True}, {"slots": False}])
    def test_sessions_stay_compared_by_identity_whatever_attrs_is_told(self, options: dict[str, Any]) -> None:
        kind = made(decorator=attrs.define(**options), **field_of("branch"))
        one, other = kind.create("o"), kind.create("o")
        assert one != other
        assert len({one, other, one}) == 2
        assert repr(one).startswith("<Shop 'o'")


class TestTheDefinition:
    """What a class is, is said when it is made; nobody changes it afterwards."""

    @pytest.mark.parametrize("name", ["rules", "machine"])
    def test_rules_and_machine_cannot_be_assigned_deleted_or_patched(self, name: str) -> None:
        shop = made(rules=(coupon_code_required,))
        held = getattr(shop, name)
        with pytest.raises(AttributeError, match=f"{name} of Shop is fixed"):
            setattr(shop, name, ())
        with pytest.raises(AttributeError, match=f"{name} of Shop is fixed"):
            delattr(shop, name)
        with pytest.raises(AttributeError, match="make a subclass"), mock.patch.object(shop, name, ()):
            pass
        assert getattr(shop, name) is held

    def test_nor_can_the_fields(self) -> None:
        with pytest.raises(AttributeError, match="state of Shop is a field"):
            made().state = State.CLOSED

    def test_methods_can_be_patched(self) -> None:
        shop = made()
        with mock.patch.object(shop, "close", return_value="closed"):
            assert shop.create("o").close() == "closed"
        assert shop.create("o").close().trigger is Trigger.CLOSE
        shop.note = "n"
        del shop.note
        assert not hasattr(shop, "note")


class TestConstruction:
    """However a session is made, its fields are set, what depends on them is computed, and then the class has its say."""

    WAYS: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "create": lambda kind: kind.create("o", cart_items=[CartItem(sku="A", quantity=2, price=3)]),
        "text": lambda kind: wire.loads(json.dumps(DOCUMENT, default=str), kind),
        "a document": lambda kind: wire.structure(DOCUMENT, kind),
        "the constructor": lambda kind: kind(
            integration_id="o",
            created=CREATED,
            updated=CREATED,
            cart_items=[CartItem(sku="A", quantity=2, price=3)],
        ),
        "evolve": lambda kind: attrs.evolve(kind.create("o", cart_items=[CartItem(sku="A", quantity=2, price=3)])),
    }

    @pytest.mark.parametrize("fields", [{}, field_of("branch")], ids=["plain", "with a field"])
    @pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
    def test_totals_are_there_before_the_class_has_its_say(self, way: Callable[[Any], Any], fields: Any) -> None:
        seen: list[Any] = []
        decorator = decorated if fields else None
        body: dict[str, Any] = {
            "__attrs_post_init__": lambda self: seen.append((self.total, self.cart_items[0].position))
        }
        session = way(made(decorator=decorator, **fields, **body))
        assert set(seen) == {(6, 0)}
        assert session.total == 6
        assert b"NaN" not in wire.dumps(session)

    def test_what_a_mixin_says_is_heard_too(self) -> None:
        class Noted:
            def __attrs_post_init__(self) -> None:
                self.notes = ["made"]

        for way in self.WAYS.values():
            session = way(made((Noted, CustomerSession)))
            assert (session.notes, session.total) == (["made"], 6)

    @pytest.mark.parametrize("decorator", [None, decorated, attrs.define(slots=False, eq=False)])
    def test_it_may_call_that_of_its_parent(self, decorator: Any) -> None:
        class Shop(CustomerSession):
            asked: ClassVar[list[Any]] = []

            def __attrs_post_init__(self) -> None:
                super().__attrs_post_init__()
                self.asked.append(self.total)

        shop = Shop if decorator is None else decorator(Shop)

        class Further(shop):
            def __attrs_post_init__(self) -> None:
                super().__attrs_post_init__()
                self.asked.append("further")

        Further.create("o")
        assert Shop.asked == [0, "further"]

    def test_what_it_refuses_is_an_invalid_value(self) -> None:
        def demand(self: Any) -> None:
            if not self.cart_items:
                raise ValueError("a shop has something to sell")

        shop = made(__attrs_post_init__=demand)
        with pytest.raises(InvalidValue, match="something to sell"):
            shop.create("o")
        with pytest.raises(WireError, match="something to sell"):
            wire.structure(session_with(), shop)

    def test_errors_of_the_library_pass_and_others_are_told_to_developers_alone(self) -> None:
        def refuse(self: Any) -> None:
            raise InvalidValue("/branch", "is closed")

        def fail(self: Any) -> None:
            raise LookupError("postgres://user:secret@db")

        with pytest.raises(InvalidValue, match="/branch: is closed"):
            made(__attrs_post_init__=refuse).create("o")
        with pytest.raises(InvalidValue) as refusal:
            made(__attrs_post_init__=fail).create("o")
        assert "secret" not in str(refusal.value)
        assert isinstance(refusal.value.__cause__, LookupError)
        with pytest.raises(WireError) as unread:
            wire.structure(session_with(), made(__attrs_post_init__=fail))
        assert "secret" not in str(unread.value)


class TestFalsySessions:
    """A session may have a length or a truth of its own; it is a session all the same."""

    @pytest.mark.parametrize("body", [{"__len__": lambda self: 0}, {"__bool__": lambda self: False}])
    def test_it_is_never_taken_for_none(self, body: Any) -> None:
        @rule("cart_empty", on=["close", "update"])
        def cart_is_filled(after: Any, session: Any) -> Any:
            """A cart must hold something."""
            return bool(after.cart_items)

        shop = made(rules=(*CustomerSession.rules, cart_is_filled), **body)
        session = shop.create("o")
        assert not session.evaluate("close")
        session.update(cart_items=cart(2))
        assert session.evaluate("close").after.state is State.CLOSED
        session.close()
        assert snapshot(copy.deepcopy(session)) == snapshot(session)
        assert snapshot(wire.loads(wire.dumps(session), shop)) | {"pending_events": 0} == snapshot(session) | {
            "pending_events": 0
        }
        assert "closed" in diagrams.render(shop, "mermaid", session=session)


class TestPickles:
    """What was pickled before a deployment that adds a field has the field's default."""

    def without(self, value: Any, *names: str) -> dict[str, Any]:
        state: dict[str, Any] = value.__getstate__()
        return {name: held for name, held in state.items() if name not in names}

    def test_fields_that_a_class_has_gained_have_their_defaults(self) -> None:
        shop = made(
            decorator=decorated,
            __annotations__={"branch": str, "tags": tuple[str, ...], "label": str, "note": str},
            branch="main",
            tags=attrs.field(factory=list),
            label=attrs.Factory(lambda self: f"{self.branch}/{self.integration_id}", takes_self=True),
            note=attrs.field(init=False, default="none"),
        )
        old = shop.__new__(shop)
        old.__setstate__(
            self.without(shop.create("o", branch="Ghent"), "branch", "tags", "label", "note", "coupon_codes")
        )
        assert (old.branch, old.tags, old.label, old.note, old.coupon_codes) == ("main", (), "main/o", "none", ())
        assert old.close().trigger is Trigger.CLOSE

    @pytest.mark.parametrize(("name", "pointer"), [("branch", "/branch"), ("integration_id", "/integrationId")])
    def test_one_without_a_default_is_named(self, name: str, pointer: str) -> None:
        shop = made(decorator=decorated, __annotations__={"branch": str})
        with pytest.raises(InvalidValue, match="has no default") as refusal:
            shop.__new__(shop).__setstate__(self.without(shop.create("o", branch="a"), name))
        assert refusal.value.pointer == pointer

    def test_a_field_that_holds_nothing_holds_nothing_afterwards(self) -> None:
        shop = made(decorator=decorated, __annotations__={"wish": str}, wish=attrs.field(init=False))
        copied = copy.copy(shop.create("o"))
        assert not hasattr(copied, "wish")

    def test_values_that_have_gained_a_field_have_its_default(self) -> None:
        update = SessionUpdate(coupon_codes=["A"])
        old = SessionUpdate.__new__(SessionUpdate)
        old.__setstate__(self.without(update, "own"))  # type: ignore[attr-defined]  # attrs makes it
        assert old == update
        assert pickle.loads(pickle.dumps(SessionUpdate(own={"a": 1}))) == SessionUpdate(own={"a": 1})


class TestAnnotations:
    """The types of fields are looked up when the class is made, wherever they can be found."""

    def module(self, text: str) -> Any:
        module = types.ModuleType("shop_of_a_test")
        sys.modules[module.__name__] = module
        try:
            exec(
                f"from __future__ import annotations\nimport attrs\nfrom session_fsm import CustomerSession\n{text}",
                vars(module),
            )
        finally:
            del sys.modules[module.__name__]
        return module

    SHOP = "@attrs.define(kw_only=True, eq=False, repr=False)\nclass Shop(CustomerSession):\n    ticket: "

    def test_types_that_are_known_to_the_module(self) -> None:
        shop = self.module(f"from uuid import UUID as Ticket\n{self.SHOP}Ticket | None = None").Shop
        assert wire.structure(session_with(ticket=None), shop).ticket is None

    def test_common_types_that_are_imported_for_checkers_alone(self) -> None:
        text = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from uuid import UUID\n{self.SHOP}UUID | None = None"
        assert self.module(text).Shop.create("o").ticket is None

    def test_others_of_that_kind_are_refused_by_name(self) -> None:
        with pytest.raises(
            InvalidValue, match=r"the type of Shop\.ticket cannot be resolved: Ticket is not known at run time"
        ):
            self.module(f"{self.SHOP}Ticket | None = None")

    def test_what_is_no_type_at_all_is_refused_too(self) -> None:
        with pytest.raises(InvalidValue, match=r"the type of Shop\.ticket cannot be evaluated: ZeroDivisionError"):
            self.module(f"{self.SHOP}1 / 0 = None")
        with pytest.raises(InvalidValue, match=r"Shop\.ticket has no type; annotate it"):
            made(decorator=decorated, ticket=attrs.field(default=None))

    def test_classes_that_are_local_to_a_function(self) -> None:
        @attrs.frozen
        class Ticket:
            number: int

        @decorated
        class Shop(CustomerSession):
            ticket: Ticket | None = None

        session = Shop.create("o", ticket=Ticket(3))
        assert wire.loads(wire.dumps(session), Shop).ticket == Ticket(3)

    def test_subclasses_know_the_types_of_their_parents(self) -> None:
        @attrs.frozen
        class Ticket:
            number: int

        @decorated
        class Shop(CustomerSession):
            ticket: Ticket | None = None

        @decorated
        class Branch(Shop):
            branch: str = "main"

        session = Branch.create("o", ticket=Ticket(3))
        assert attrs.fields_dict(Branch)["ticket"].type == Ticket | None
        assert wire.loads(wire.dumps(session), Branch).ticket == Ticket(3)


class TestMutants:
    """A mutant is injected in a class when its decorator has run, whatever the decorator makes of the class."""

    @pytest.mark.parametrize("decorator", [None, decorated, attrs.define(kw_only=True, slots=False)])
    @pytest.mark.parametrize("fields", [{}, field_of("branch")], ids=["plain", "with a field"])
    def test_it_is_planted_once(self, tmp_path: Path, decorator: Any, fields: dict[str, Any]) -> None:
        if fields and decorator is None:
            pytest.skip("the class would be no use")
        body = {"rules": (*CustomerSession.rules, coupon_code_required)} | fields
        kind = made(decorator=decorator, **body)
        (mutant,) = [one for one in mutants(kind) if one.id == "drop-rule:coupon_code_required"]
        injection = Injection(tmp_path)
        injection.prepare(kind, mutant)

        class Base(CustomerSession):
            """Mutated instead of the library's class, which the other tests need."""

        inject(Base, str(tmp_path))
        injected = made((Base,), decorator, **body)
        assert coupon_code_required not in injected.machine.rules
        assert (injection.injected, injection.problem) == (True, "")
        if fields:
            assert injected.create("o", branch="Ghent").update(branch="x").change == SessionUpdate(own={"branch": "x"})
        assert coupon_code_required in made((Base,), decorator, **body | {"__qualname__": "Other"}).machine.rules
