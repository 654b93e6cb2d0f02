"""The fields that a subclass adds: the verbs change them, the class says what they hold, JSON gives back what it was given."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar
from uuid import UUID

import attrs
import pytest
from builders import CREATED, LATER
from cattrs import Converter
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_documents import refusal_of, session_with

from session_fsm import (
    UNSET,
    AdditionalCost,
    CartItem,
    CustomerSession,
    InvalidValue,
    RuleViolated,
    SessionEvent,
    SessionUpdate,
    State,
    WireError,
    WrongState,
    rule,
    wire,
)
from session_fsm.subclasses.supported_types import UnfitType, type_of

decorated = attrs.define(kw_only=True, eq=False, repr=False)


@rule("branch_closed", on=["create", "update", "close"])
def branch_is_open(branch: str) -> bool:
    """The branch must be open."""
    return branch != "Paris"


@decorated
class Shop(CustomerSession):
    rules = (*CustomerSession.rules, branch_is_open)

    branch: str = "main"
    tags: tuple[str, ...] = ()
    pick_up_on: date | None = None
    points: Mapping[str, int] = attrs.field(factory=dict)
    _token: str = "none"
    tenant: str = attrs.field(default="north", alias="tenant_id")
    note: str = attrs.field(init=False, default="")


class TestVerbs:
    """Own fields are given to the verbs as the others are: by keyword, checked, counted and recorded."""

    def test_a_new_session_takes_them(self) -> None:
        session = Shop.create("o", branch="Ghent", tags=["a", "b"], token="t", tenant_id="south", coupon_codes=["X"])
        assert (session.branch, session.tags, session._token, session.tenant) == ("Ghent", ("a", "b"), "t", "south")
        (event,) = session.take_events()
        own = {"branch": "Ghent", "tags": ("a", "b"), "_token": "t", "tenant": "south"}
        assert event.change == SessionUpdate(coupon_codes=["X"], own=own)

    @pytest.mark.parametrize("verb", ["update", "close", "put"])
    def test_a_verb_changes_counts_and_records_them(self, verb: str) -> None:
        session = Shop.create("o")
        event = getattr(session, verb)(branch="Ghent", referral_code="R")
        assert (session.branch, session.referral_code, session.update_count) == ("Ghent", "R", 2)
        assert event.change == SessionUpdate(referral_code="R", own={"branch": "Ghent"})
        assert repr(event.change) == "SessionUpdate(referral_code='R', own={'branch': 'Ghent'})"

    def test_one_update_may_carry_them_or_stand_beside_them(self) -> None:
        session = Shop.create("o", SessionUpdate(own={"tenant": "south"}), branch="Ghent")
        assert (session.tenant, session.branch) == ("south", "Ghent")
        session.update(SessionUpdate(own={"tags": ["a"]}), tenant_id="north")
        assert (session.tags, session.tenant) == (("a",), "north")
        with pytest.raises(InvalidValue, match="not both"):
            session.update(SessionUpdate(), branch="Ghent", referral_code="R")

    def test_rules_see_what_they_would_be(self) -> None:
        session = Shop.create("o")
        with pytest.raises(RuleViolated):
            session.update(branch="Paris")
        with pytest.raises(RuleViolated):
            Shop.create("o", branch="Paris")
        assert (session.branch, session.update_count) == ("main", 1)

    def test_dry_runs_see_them_and_change_nothing(self) -> None:
        session = Shop.create("o")
        after = session.evaluate("close", branch="Ghent").after
        assert after is not None
        assert (after.branch, after.pending_events[-1].change) == ("Ghent", SessionUpdate(own={"branch": "Ghent"}))
        assert not session.evaluate("update", branch="Paris")
        assert not session.board(branch="Paris")["close"]
        assert session.branch == "main"

    def test_what_is_refused_changes_nothing(self) -> None:
        session = Shop.create("o", state="closed")
        with pytest.raises(WrongState):
            session.update(branch="Ghent")
        assert session.branch == "main"

    def test_what_is_omitted_stays(self) -> None:
        session = Shop.create("o", branch="Ghent", pick_up_on=date(2026, 1, 2))
        session.update(branch=UNSET, tags=["a"])
        assert (session.branch, session.tags) == ("Ghent", ("a",))
        session.update(pick_up_on=None)
        assert session.pick_up_on is None

    def test_an_unknown_name_is_refused_with_those_that_are_known(self) -> None:
        for act in (Shop.create("o").update, lambda **own: Shop.create("p", **own)):
            with pytest.raises(
                InvalidValue, match=r"did you mean branch\? the fields are .*, branch, tags, "
            ) as refusal:
                act(brnch="Ghent")
            assert refusal.value.pointer == "/brnch"
        with pytest.raises(InvalidValue, match="the own fields are branch, tags") as refusal:
            Shop.create("o").update(SessionUpdate(own={"a/b": 1}))
        assert refusal.value.pointer == "/a~1b"
        with pytest.raises(InvalidValue, match="the own fields are none"):
            CustomerSession.create("o").update(SessionUpdate(own={"branch": "x"}))

    @pytest.mark.parametrize("own", [5, {1: 2}])
    def test_own_fields_of_an_update_have_names(self, own: Any) -> None:
        with pytest.raises(InvalidValue) as refusal:
            SessionUpdate(own=own)
        assert refusal.value.pointer == "/own"

    def test_updates_of_another_class_are_refused(self) -> None:
        @attrs.frozen(kw_only=True)
        class Further(SessionUpdate):
            reason: str = ""

        with pytest.raises(InvalidValue, match="reason"):
            Shop.create("o").update(Further())


class TestAssignment:
    """Nothing but the verbs changes what belongs to the session."""

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("branch", r"update\(branch=\.\.\.\) or close\(\)"),
            ("tenant", r"update\(tenant_id=\.\.\.\) or close\(\)"),
            ("coupon_codes", r"update\(coupon_codes=\.\.\.\) or close\(\)"),
            ("state", "the verbs of the session change it"),
            ("total", "the verbs of the session change it"),
        ],
    )
    def test_a_field_cannot_be_assigned_or_deleted(self, name: str, hint: str) -> None:
        session = Shop.create("o")
        with pytest.raises(AttributeError, match=f"{name} cannot be assigned; {hint}"):
            setattr(session, name, "x")
        with pytest.raises(AttributeError, match=f"{name} cannot be deleted"):
            delattr(session, name)

    def test_what_the_constructor_does_not_take_is_as_attrs_has_it(self) -> None:
        @decorated
        class Noted(CustomerSession):
            note: str = attrs.field(init=False, default="", converter=str.upper, validator=attrs.validators.max_len(3))
            free: str = attrs.field(init=False, on_setattr=attrs.setters.NO_OP, converter=str.upper)
            fixed: str = attrs.field(init=False, factory=lambda: "x", on_setattr=attrs.setters.frozen)
            plain: Any = attrs.field(init=False, default=None)
            place: str = attrs.field(
                init=False, default=attrs.Factory(lambda self: self.integration_id, takes_self=True)
            )

        session = Noted.create("o")
        session.note = "abc"
        session.free = "abc"
        session.plain = object
        assert session.plain is object
        assert (session.note, session.free, session.fixed, session.place) == ("ABC", "abc", "x", "o")
        with pytest.raises(ValueError, match="note"):
            session.note = "abcd"
        with pytest.raises(AttributeError):
            session.fixed = "y"
        del session.free
        assert not hasattr(session, "free")
        with pytest.raises(AttributeError):
            session.unknown = 1
        assert b"note" not in wire.dumps(session)
        with pytest.raises(InvalidValue, match="no such field"):
            session.update(note="abc")


class TestDefaults:
    def test_every_session_has_its_own(self) -> None:
        one, other = Shop.create("o", points={"a": 1}), Shop.create("p")
        assert (one.points, other.points) == ({"a": 1}, {})
        with pytest.raises(TypeError, match="read-only"):
            one.points["a"] = 2  # type: ignore[index]  # that is what is refused

    def test_they_are_converted_and_may_look_at_the_session(self) -> None:
        @decorated
        class Labelled(CustomerSession):
            branch: str = attrs.field(default="main", converter=str.upper)
            label: str = attrs.Factory(lambda self: f"{self.branch}/{self.integration_id}", takes_self=True)  # type: ignore[assignment]  # attrs knows

        assert Labelled.create("o").label == "MAIN/o"
        assert Labelled.create("o", label="l").label == "l"
        assert Labelled(integration_id="o", created=CREATED, updated=CREATED).label == "MAIN/o"

    def test_positional_arguments_are_those_of_the_own_fields(self) -> None:
        @attrs.define
        class Positional(CustomerSession):
            branch: str
            floor: int = 0

        session = Positional("Ghent", 2, integration_id="o", created=CREATED, updated=CREATED)
        assert (session.branch, session.floor) == ("Ghent", 2)
        with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
            Positional("Ghent", 2, 3, integration_id="o", created=CREATED, updated=CREATED)  # type: ignore[misc]  # that is what is refused
        with pytest.raises(TypeError, match=r"Positional\(\) missing 1 required keyword-only argument: 'branch'"):
            Positional.create("o")

    def test_two_that_are_missing_are_both_named(self) -> None:
        @decorated
        class Required(CustomerSession):
            branch: str
            floor: int

        with pytest.raises(TypeError, match="missing 2 required keyword-only arguments: 'branch' and 'floor'"):
            Required.create("o")


class TestValidators:
    """What the class's own converters and validators say is told at the field's place, and nothing else of them."""

    @decorated
    class Guarded(CustomerSession):
        branch: str = attrs.field(default="Ghent", validator=attrs.validators.in_(["Ghent", "Lyon"]))
        floor: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(9)])
        code: str = attrs.field(default="", converter=lambda value: value.strip())
        lift: bool = False

        @floor.validator
        def _upstairs_by_lift(self, _: Any, value: int) -> None:
            if value > 5 and not self.lift:
                raise ValueError("the upper floors need a lift")

        @code.validator
        def _codes(self, _: Any, value: str) -> None:
            match value:
                case "secret":
                    raise LookupError("postgres://user:secret@db")
                case "address":
                    raise ValueError(f"{object()} is wrong")
                case "tuple":
                    raise ValueError(("a", 1))
                case "ours":
                    raise InvalidValue("", "is ours")
                case "placed":
                    raise InvalidValue("/code/2", "is ours")

    WRONG = (
        ({"branch": "Nowhere"}, "/branch", "must be in"),
        ({"floor": 12}, "/floor", "must be <= 9"),
        ({"floor": 7}, "/floor", "need a lift"),
        ({"code": "secret"}, "/code", "is refused by the class of the session"),
        ({"code": "address"}, "/code", "is refused by the class of the session"),
        ({"code": "tuple"}, "/code", "is refused by the class of the session"),
        ({"code": "ours"}, "/code", "is ours"),
        ({"code": "placed"}, "/code/2", "is ours"),
        ({"code": 5}, "/code", "is refused by the class of the session"),
    )

    @pytest.mark.parametrize(("own", "pointer", "text"), WRONG)
    def test_it_is_refused_at_its_place_on_every_way(self, own: Any, pointer: str, text: str) -> None:
        session = self.Guarded.create("o")
        for act in (
            lambda: self.Guarded.create("o", **own),
            lambda: session.update(**own),
            lambda: session.close(SessionUpdate(own=own)),
            lambda: session.evaluate("update", **own),
            lambda: attrs.evolve(session, **own),
            lambda: wire.loads(json.dumps(session_with(**own), default=str), self.Guarded),
        ):
            with pytest.raises((InvalidValue, WireError)) as refusal:
                act()
            (problem,) = refusal.value.problems
            assert (problem.pointer, text in problem.text) == (pointer, True)
            assert "0x" not in problem.text
            assert "Attribute(" not in problem.text
            assert "postgres" not in problem.text
        assert session.update_count == 1

    def test_a_converter_may_look_at_the_field(self) -> None:
        @decorated
        class Converted(CustomerSession):
            branch: str = attrs.field(
                default="", converter=attrs.Converter(lambda value, field: f"{field.name} {value}", takes_field=True)
            )

        assert Converted.create("o", branch="a").branch == "branch a"

    def test_a_validator_sees_the_session_as_it_is(self) -> None:
        session = self.Guarded.create("o", lift=True, floor=7)
        session.update(floor=8)
        assert session.floor == 8


# --- Types ---------------------------------------------------------------------------------------------------------


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Mixed(Enum):
    ONE = 1
    TWO = "two"


@attrs.frozen
class Lines:
    first: str
    more: tuple[str, ...] = ()
    _floor: int | None = 3


@attrs.frozen
class Address:
    lines: Lines
    since: datetime | None = None
    until: datetime | None = attrs.field(default=None, kw_only=True)


Sku = NewType("Sku", str)
T = TypeVar("T")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
integers = st.integers(-(2**63), 2**63 - 1)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
zones = st.timezones() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
shifted = st.builds(lambda at, zone: at.astimezone(zone), times, offsets)
dates = st.dates()
lines = st.builds(Lines, texts, st.lists(texts, max_size=2).map(tuple), st.none() | integers)
addresses = st.builds(Address, lines, st.none() | shifted, until=st.none() | times)

ACCEPTED: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "str": (str, texts),
    "int": (int, integers),
    "bool": (bool, st.booleans()),
    "Decimal": (Decimal, decimals),
    "datetime": (datetime, times | shifted),
    "date": (date, dates),
    "UUID": (UUID, st.uuids()),
    "StrEnum": (Colour, st.sampled_from(Colour)),
    "IntEnum": (Size, st.sampled_from(Size)),
    "Enum": (Mixed, st.sampled_from(Mixed)),
    "Literal": (Literal["a", 1, True, None], st.sampled_from(["a", 1, True, None])),
    "Optional": (Optional[date], st.none() | dates),  # noqa: UP045 - people write it so
    "tuple": (tuple[date | None, ...], st.lists(st.none() | dates, max_size=3).map(tuple)),
    "tuple of tuples": (
        tuple[tuple[UUID, ...], ...],
        st.lists(st.lists(st.uuids(), max_size=2).map(tuple), max_size=2).map(tuple),
    ),
    "Mapping": (Mapping[str, Decimal], st.dictionaries(texts, decimals, max_size=3)),
    "Mapping of tuples": (Mapping[str, tuple[Colour, ...]], st.dictionaries(texts, st.just((Colour.RED,)), max_size=2)),
    "an attrs class": (Address, addresses),
    "attrs classes in a tuple": (tuple[Address, ...], st.lists(addresses, max_size=2).map(tuple)),
    "a value": (CartItem, st.just(CartItem(sku="A", quantity=2, price="1.50"))),
    "values in a mapping": (
        Mapping[str, AdditionalCost],
        st.dictionaries(texts, st.builds(AdditionalCost, st.just(1)), max_size=2),
    ),
    "a union": (int | str | bool, integers | texts | st.booleans()),
    "a union of many": (
        date | Decimal | tuple[int, ...] | Address | None,
        dates | decimals | st.lists(integers, max_size=2).map(tuple) | addresses | st.none(),
    ),
    "a union in a tuple": (tuple[int | str, ...], st.lists(integers | texts, max_size=3).map(tuple)),
    "NewType": (Sku, texts.map(Sku)),
    "Annotated": (Annotated[int, []], integers),
    "a registered type": (ipaddress.IPv4Address, st.ip_addresses(v=4)),
    "a registered type or none": (ipaddress.IPv4Address | None, st.none() | st.ip_addresses(v=4)),
}


wire.register_type(ipaddress.IPv4Address, write=str, read=ipaddress.IPv4Address)


def holding(kind: Any, **options: Any) -> Any:
    """Make a class with the field *tag* of this type."""
    body = {"__annotations__": {"tag": kind}, "tag": attrs.field(**options), "__module__": __name__}
    return decorated(type("Holding", (CustomerSession,), body))


class TestTypes:
    """The types that a class may use are those whose values JSON gives back as they were."""

    @pytest.mark.parametrize(("kind", "values"), ACCEPTED.values(), ids=ACCEPTED)
    @settings(max_examples=25)
    @given(data=st.data())
    def test_what_is_accepted_comes_back_as_it_was(self, kind: Any, values: Any, data: st.DataObject) -> None:
        value = data.draw(values)
        shop = _class_of(kind)
        session = shop.create("o", tag=value)
        assert session.tag == value
        read = wire.loads(wire.dumps(session), shop)
        assert (read.tag, type(read.tag)) == (session.tag, type(session.tag))
        assert wire.dumps(read) == wire.dumps(session)
        session.update(tag=value)
        event = session.take_events()[-1]
        again = wire.loads(wire.dumps(event), SessionEvent, session_class=shop)
        assert (again, hash(again)) == (event, hash(event))

    REFUSED: dict[str, tuple[Any, str]] = {
        "float": (float, "use Decimal"),
        "list": (list[date], r"use tuple\[date, \.\.\.\]"),
        "a sequence": (Sequence[int], r"use tuple\[int, \.\.\.\]"),
        "bare list": (list, r"use tuple\[str, \.\.\.\]"),
        "set": (set[str], r"use tuple\[str, \.\.\.\]"),
        "frozenset": (frozenset[int] | None, r"use tuple\[int, \.\.\.\]"),
        "dict": (dict[str, list[int]], r"use Mapping\[str, list\[int\]\]"),
        "a list within": (Mapping[str, list[int]], r"use tuple\[int, \.\.\.\]"),
        "bare tuple": (tuple, r"use tuple\[str, \.\.\.\]"),
        "a tuple of a fixed length": (tuple[str, int], r"use tuple\[str, \.\.\.\]"),
        "an empty tuple": (tuple[()], r"use tuple\[str, \.\.\.\]"),
        "a mapping from integers": (Mapping[int, str], r"use Mapping\[str, X\]"),
        "Any": (Any, "attributes"),
        "object": (object, "is no type that JSON holds"),
        "timedelta": (timedelta, "is no type that JSON holds.*register_type"),
        "bytes": (bytes, "is no type that JSON holds"),
        "a class of ones own": (type("Free", (), {}), "Free is no type that JSON holds"),
        "a union of numbers": (int | Decimal, "more than one of its types is a number"),
        "a union of strings": (str | date, "more than one of its types is a string"),
        "a union of lists": (tuple[int, ...] | tuple[str, ...], "more than one of its types is a list"),
        "a type variable": (T, "T is a type variable"),
        "a literal of bytes": (Literal[b"a"], "must list strings, integers or booleans"),
        "members of another type": (Enum("Odd", {"A": 1.5}), "strings or integers for values"),
        "no members": (Enum("None_", {}), "strings or integers for values"),
        "a mutable class": (
            attrs.make_class("Loose", ["a"]),
            "Loose can change in place; decorate it with @attrs.frozen",
        ),
        "a mutable class with slots": (
            attrs.make_class("Slotted", ["a"], slots=True),
            "decorate it with @attrs.frozen",
        ),
        "a field without a type": (attrs.make_class("Bare", ["a"], frozen=True), r"Bare\.a has no type"),
    }

    @pytest.mark.parametrize(("kind", "problem"), REFUSED.values(), ids=REFUSED)
    def test_others_are_refused_by_name_when_the_class_is_made(self, kind: Any, problem: str) -> None:
        with pytest.raises(InvalidValue, match=f"{problem}") as refusal:
            holding(kind, default=None)
        assert "Holding.tag" in str(refusal.value) or "Bare.a" in str(refusal.value)
        assert "0x" not in str(refusal.value)

    def test_a_class_of_which_not_all_can_be_read_back_is_refused(self) -> None:
        @attrs.frozen
        class Tree:
            twigs: tuple[Tree, ...] = ()

        @attrs.frozen
        class Half:
            whole: int = attrs.field(init=False, default=1)

        @attrs.frozen
        class Inexact:
            weight: float = 0

        for kind, problem in (
            (Tree, "objects of its own class"),
            (Half, "Half.whole is not an argument"),
            (Inexact, "Inexact.weight: .* use Decimal"),
        ):
            with pytest.raises(InvalidValue, match=problem):
                holding(kind)

    def test_the_alias_statement_of_later_pythons_is_looked_through(self) -> None:
        alias = type("TypeAliasType", (), {"__value__": tuple[int, ...]})()
        assert type_of(alias) == type_of(tuple[int, ...])

    def test_a_type_without_a_class_is_judged_too(self) -> None:
        with pytest.raises(UnfitType):
            type_of(int | float)
        assert type_of(None).check(None) is None
        assert type_of(None).check(5) == "a number is not null"

    def test_a_default_of_another_type_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match=r"Holding\.tag: its default is none of its type: .*add `\| None`"):
            holding(date, default=None)
        with pytest.raises(InvalidValue, match="/0: a number is not a string"):
            holding(tuple[str, ...], default=[1])
        assert holding(tuple[str, ...], default=["a"]).create("o").tag == ("a",)

    WRONG: tuple[tuple[Any, Any, str, str], ...] = (
        (str, 5, "", "a number is not a string"),
        (str, "\ud800", "", "surrogate"),
        (int, True, "", "a boolean is not an integer"),
        (int, 2**63, "", "64 bits"),
        (Decimal, 0.5, "", "binary float"),
        (Decimal, Decimal("NaN"), "", "not finite"),
        (date, CREATED, "", "a time is not a date"),
        (date, "2026-01-01", "", "a string is not a date"),
        (datetime, date(2026, 1, 1), "", "is not a time"),
        (datetime, datetime(2026, 1, 1), "", "has no time zone"),
        (tuple[datetime, ...], [CREATED, datetime(2026, 1, 1)], "/1", "has no time zone"),
        (Mapping[str, datetime], {"a/b": datetime(2026, 1, 1)}, "/a~1b", "has no time zone"),
        (Address, Address(Lines("a"), datetime(2026, 1, 1)), "/since", "has no time zone"),
        (datetime | None, datetime(2026, 1, 1), "", "has no time zone"),
        (Address, Address(Lines(5)), "/lines/first", "not a string"),  # type: ignore[arg-type]  # that is what is refused
        (Address, Lines("a"), "", "is not a Address"),
        (tuple[int, ...], 5, "", "not a list"),
        (tuple[int, ...], "12", "", "not a list"),
        (Mapping[str, int], [1], "", "not an object"),
        (Mapping[str, int], {1: 1}, "", "not a string"),
        (Colour, "green", "", '"green" is none of: red, blue'),
        (Size, 5, "", "a number is none of: 1, 2"),
        (Literal["a", 1], True, "", "a boolean is none of: a, 1"),
        (int | str, 1.5, "", "a number (1.5) is not an integer; a number is not a string"),
        (int | tuple[int, ...], ["a"], "/0", "a string is not an integer"),
        (str | None, 5, "", "a number is not a string"),
        (CartItem, 5, "", "not a CartItem"),
        (ipaddress.IPv4Address, "10.0.0.1", "", "a string is not a IPv4Address"),
        (None | str, 5, "", "a number is not a string"),
    )

    @pytest.mark.parametrize(("kind", "value", "place", "text"), WRONG)
    def test_a_value_of_another_type_is_refused_where_it_is_set(
        self, kind: Any, value: Any, place: str, text: str
    ) -> None:
        for act in (
            lambda: _class_of(kind).create("o", tag=value),
            lambda: _class_of(kind)(integration_id="o", created=CREATED, updated=CREATED, tag=value),
        ):
            with pytest.raises(InvalidValue) as refusal:
                act()
            assert (refusal.value.pointer, text in refusal.value.problem) == (f"/tag{place}", True)

    CONVERTED: tuple[tuple[Any, Any, Any], ...] = (
        (Decimal, "1.50", Decimal("1.50")),
        (Decimal, 2, Decimal(2)),
        (tuple[tuple[int, ...], ...], [[1], (2,)], ((1,), (2,))),
        (Mapping[str, tuple[int, ...]], {"a": [1]}, {"a": (1,)}),
        (Colour, "red", Colour.RED),
        (Literal["red"], Colour.RED, "red"),
        (str, Colour.RED, "red"),
        (int, Size.LARGE, 2),
        (Address, Address(Lines("a", ["b"])), Address(Lines("a", ("b",)))),  # type: ignore[arg-type]  # it is converted
        (Decimal | str, "5", "5"),
        (Decimal | tuple[int, ...], [5], (5,)),
        (int | Colour, "red", Colour.RED),
    )

    @pytest.mark.parametrize(("kind", "value", "held"), CONVERTED)
    def test_what_is_given_is_frozen_and_plain(self, kind: Any, value: Any, held: Any) -> None:
        session = _class_of(kind).create("o", tag=value)
        assert (session.tag, type(session.tag)) == (held, type(held)) or session.tag == held == dict(session.tag)


_classes: dict[str, Any] = {}


def _class_of(kind: Any) -> Any:
    """Return the class with the field *tag* of this type, which takes long to make."""
    return _classes.setdefault(repr(kind), None) or _classes.update({repr(kind): holding(kind)}) or _classes[repr(kind)]


# --- JSON ----------------------------------------------------------------------------------------------------------


class TestJSON:
    """Own fields stand in the JSON of a session beside Talon.One's, under their aliases in its spelling."""

    def test_names_are_those_of_the_keywords(self) -> None:
        document = wire.unstructure(Shop.create("o", token="t", tenant_id="x", pick_up_on=date(2026, 1, 2)))
        own = {name: document[name] for name in ("branch", "tags", "pickUpOn", "points", "token", "tenantId")}
        assert own == {
            "branch": "main",
            "tags": [],
            "pickUpOn": "2026-01-02",
            "points": {},
            "token": "t",
            "tenantId": "x",
        }
        assert "note" not in document
        assert "pendingEvents" not in document

    def test_null_is_a_value_where_the_type_has_it(self) -> None:
        kind = holding(str | None, default="some")
        session = kind.create("o", tag=None)
        assert wire.loads(wire.dumps(session), kind).tag is None
        assert wire.structure(session_with(), kind).tag == "some"
        assert wire.structure(session_with(tag=None), holding(str, default="some")).tag == "some"
        assert wire.structure(session_with(tag=None), holding(str | None)).tag is None
        assert refusal_of(session_with(tag=None), holding(str)) == ["/tag"]

    def test_what_is_wrong_is_told_at_its_place_with_everything_else(self) -> None:
        kind = _class_of(tuple[Address, ...])
        wrong = [5, {"lines": {"more": [1]}, "since": "now"}, {"lines": None}]
        assert sorted(refusal_of(session_with(tag=wrong, total="x"), kind)) == sorted(
            ["/tag/0", "/tag/1/lines/first", "/tag/1/lines/more/0", "/tag/1/since", "/tag/2/lines", "/total"]
        ) or sorted(refusal_of(session_with(tag=wrong, total="x"), kind))[:3] == [
            "/tag/0",
            "/tag/1/lines/first",
            "/tag/1/since",
        ]

    @pytest.mark.parametrize("tag", ["2026-1-1", "2026-02-30", "20260101", 5, "2026-01-01T00:00:00Z"])
    def test_a_date_is_written_in_full(self, tag: Any) -> None:
        assert refusal_of(session_with(tag=tag), _class_of(date)) == ["/tag"]

    def test_a_list_of_too_many_problems_ends(self) -> None:
        with pytest.raises(WireError) as refusal:
            wire.structure(session_with(tag=["x"] * 2000), _class_of(tuple[date, ...]))
        assert len(refusal.value.problems) == 1001

    def test_what_an_object_lacks_has_its_default(self) -> None:
        kind = _class_of(Address)
        assert wire.structure(session_with(tag={"lines": {"first": "a", "_floor": None}}), kind).tag == Address(
            Lines("a", (), None)
        )
        assert wire.structure(session_with(tag={"lines": {"first": "a", "more": None}}), kind).tag == Address(
            Lines("a")
        )

    def test_what_an_object_refuses_is_told(self) -> None:
        @attrs.frozen
        class Floor:
            number: int = attrs.field(validator=attrs.validators.ge(0))

        kind = holding(Floor)
        with pytest.raises(WireError, match="/tag: 'number' must be >= 0"):
            wire.structure(session_with(tag={"number": -1}), kind)

    def test_a_registered_type_is_read_and_written_by_its_functions(self) -> None:
        kind = _class_of(ipaddress.IPv4Address)
        session = kind.create("o", tag=ipaddress.IPv4Address("10.0.0.1"))
        assert wire.unstructure(session)["tag"] == "10.0.0.1"
        assert wire.structure(session_with(tag="10.0.0.2"), kind).tag == ipaddress.IPv4Address("10.0.0.2")
        assert refusal_of(session_with(tag="here"), kind) == ["/tag"]

    def test_a_type_that_cannot_be_written_after_all_is_named(self) -> None:
        class Odd:
            pass

        def fail(_: Any) -> Any:
            raise LookupError("secret")

        wire.register_type(Odd, write=fail, read=fail)
        kind = holding(Odd)
        with pytest.raises(InvalidValue) as refusal:
            wire.dumps(kind.create("o", tag=Odd()))
        assert (refusal.value.pointer, "secret" in str(refusal.value)) == ("/tag", False)
        assert refusal_of(session_with(tag=1), kind) == ["/tag"]

    def test_hooks_of_a_converter_of_ones_own_come_first(self) -> None:
        converter = Converter()
        converter.register_structure_hook(date, lambda value, _: date.fromordinal(value))
        converter.register_unstructure_hook(date, date.toordinal)
        converter.register_structure_hook(ipaddress.IPv4Address, lambda value, _: ipaddress.IPv4Address(value))
        converter.register_unstructure_hook(ipaddress.IPv4Address, int)
        wire.make_converter(converter)
        for kind, value, written in (
            (date, date(2026, 1, 2), 739618),
            (ipaddress.IPv4Address, ipaddress.IPv4Address(7), 7),
        ):
            session = _class_of(kind).create("o", tag=value)
            assert converter.unstructure(session)["tag"] == written
            assert converter.structure(converter.unstructure(session), _class_of(kind)).tag == value

    def test_a_plain_converter_needs_no_hooks(self) -> None:
        converter = wire.make_converter(Converter())
        for kind, value in ((Decimal, Decimal("1.5")), (datetime, LATER), (UUID, UUID(int=5)), (Colour, Colour.RED)):
            session = _class_of(kind).create("o", tag=value)
            assert converter.structure(converter.unstructure(session), _class_of(kind)).tag == value


class TestEvents:
    """The JSON of an event holds the own fields of its change, and reads them by the types of the session's class."""

    def test_they_stand_under_their_names_in_json(self) -> None:
        event = Shop.create("o").update(pick_up_on=date(2026, 1, 2), referral_code="R")
        assert wire.unstructure(event)["change"] == {"referralCode": "R", "ownFields": {"pickUpOn": "2026-01-02"}}
        assert wire.loads(wire.dumps(event), SessionEvent, session_class=Shop) == event
        assert wire.structure(wire.unstructure(event), SessionEvent, session_class=Shop) == event

    def test_without_the_class_they_stay_as_json_has_them(self) -> None:
        event = Shop.create("o").update(pick_up_on=date(2026, 1, 2), points={"a": 1})
        own = {"pickUpOn": "2026-01-02", "points": {"a": 1}}
        assert wire.loads(wire.dumps(event), SessionEvent).change == SessionUpdate(own=own)

    def test_a_field_that_the_class_has_no_more_stays_as_it_was(self) -> None:
        event = Shop.create("o").update(pick_up_on=date(2026, 1, 2))
        read = wire.loads(wire.dumps(event), SessionEvent, session_class=CustomerSession)
        assert read.change == SessionUpdate(own={"pickUpOn": "2026-01-02"})

    def test_events_without_them_need_no_class(self) -> None:
        session = Shop.create("o")
        for event in (session.update(), session.close(), session.reopen(), session.cancel()):
            assert wire.loads(wire.dumps(event), SessionEvent, session_class=Shop) == event

    @pytest.mark.parametrize(
        ("own", "pointer"),
        [
            ({"pickUpOn": "soon"}, "/change/ownFields/pickUpOn"),
            (5, "/change/ownFields"),
        ],
    )
    def test_what_is_wrong_is_told_at_its_place(self, own: Any, pointer: str) -> None:
        document = wire.unstructure(Shop.create("o").update(branch="x"))
        document["change"]["ownFields"] = own
        for read in (
            lambda: wire.structure(document, SessionEvent, session_class=Shop),
            lambda: wire.loads(json.dumps(document), SessionEvent, session_class=Shop),
        ):
            with pytest.raises(WireError) as refusal:
                read()
            assert [problem.pointer for problem in refusal.value.problems] == [pointer]

    def test_other_kinds_take_no_notice_of_the_class(self) -> None:
        assert wire.structure(session_with(), CustomerSession, session_class=Shop).state is State.OPEN
