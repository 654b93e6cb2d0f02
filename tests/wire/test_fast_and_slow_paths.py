"""Two ways through JSON: the straight one is generated and quick, the careful one knows the words. They agree.

The straight way may pass a document on to the careful one; it may never read or write anything that the careful one
would not.
"""

import json
import string
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wire_documents import DOCUMENTS, ITEM, JSON_KINDS, MINIMAL, parsed, with_text
from wire_strategies import any_json, events, items, names, return_requests, sessions, updates

from session_fsm import CartItem, CustomerSession, SessionEvent, SessionUpdate, WireError, wire
from session_fsm.errors import InvalidValue
from session_fsm.json_values import Counts
from session_fsm.validators import Unusual
from session_fsm.wire.straight_reading import NOT_STRAIGHT
from session_fsm.wire.text import decoded, names_stand_once, parse, write

KINDS = st.sampled_from(list(DOCUMENTS))
EVERY_KIND = pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)


def held(value: Any) -> Any:
    """Return what an object holds, with the type of everything, so that 1 is not True and 1.0 not 1.00."""
    if attrs.has(type(value)):
        fields = {a.name: held(getattr(value, a.name)) for a in attrs.fields(type(value))}
        return type(value), fields
    if isinstance(value, dict):
        return type(value), {name: held(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return type(value), [held(element) for element in value]
    return type(value), repr(value)


class _Mapping(dict[str, Any]):
    """An object that the straight way does not know, so that the careful way has to read it."""


def carefully(document: Any, kind: Any, *, strict: bool) -> Any:
    """Read *document*, and everything in it, in the careful way."""

    def bent(value: Any) -> Any:
        if isinstance(value, dict):
            return _Mapping({name: bent(member) for name, member in value.items()})
        return [bent(element) for element in value] if isinstance(value, list) else value

    return wire.structure(bent(document), kind, strict=strict)


def outcome(read: Any, *arguments: Any, **settings: Any) -> Any:
    """Return what was read, or where the problems are and what they are."""
    try:
        return held(read(*arguments, **settings))
    except WireError as error:
        return [(problem.pointer, problem.text) for problem in error.problems]


def straight_outcome(text: str, kind: Any, *, strict: bool) -> Any:
    """Return what the straight way reads, or None where it does not."""
    try:
        return held(wire.read_straight(decoded(text), kind, strict=strict))
    except (*NOT_STRAIGHT, WireError):
        return None


def agrees(text: str, kind: Any, *, strict: bool = False) -> bool:
    """Compare the ways on *text*, and return whether the straight way read it."""
    straight = straight_outcome(text, kind, strict=strict)
    careful = outcome(lambda: carefully(parse(text), kind, strict=strict))
    assert straight is None or straight == careful
    assert outcome(wire.loads, text, kind, strict=strict) == careful
    return straight is not None


@st.composite
def bent_documents(draw: st.DrawFn) -> tuple[str, Any]:
    """Return a document in which a few members, at any depth, are something else, missing, or new."""
    kind = draw(KINDS)
    document = parsed(DOCUMENTS[kind])
    for _ in range(draw(st.integers(0, 3))):
        place: Any = document
        while isinstance(place, (dict, list)) and place:
            key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], (dict, list)) or draw(st.booleans()):
                break
            place = place[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "add" if isinstance(place, dict):
                place[draw(names | st.text(max_size=5))] = draw(any_json)
            case "remove" if isinstance(place, dict) and place:
                place.pop(draw(st.sampled_from(list(place))))
            case _ if isinstance(place, dict) and place:
                place[draw(st.sampled_from(list(place)))] = draw(any_json)
            case _:
                pass
    return text_of(document), kind


def text_of(value: Any) -> str:
    """Write anything as JSON text, even what no reader should take."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{text_of(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


class TestReading:
    @EVERY_KIND
    @pytest.mark.parametrize("strict", [False, True])
    def test_a_full_document_takes_the_straight_way(self, kind: Any, strict: bool):
        assert agrees(DOCUMENTS[kind], kind, strict=strict)
        assert agrees(json.dumps(json.loads(DOCUMENTS[kind])), kind, strict=strict)
        assert agrees(json.dumps(json.loads(DOCUMENTS[kind]), indent=2), kind, strict=strict)

    @pytest.mark.parametrize(
        "text",
        [
            json.dumps({"customerSession": MINIMAL, "effects": [{"props": {"name": "x"}}]}),
            json.dumps(MINIMAL | {"nobody": {"a": [{"b": {}}]}}),
            json.dumps(MINIMAL | {"id": None, "attributes": {"City": None}}),
            json.dumps(MINIMAL | {"profileId": "Zoë 東京"}, ensure_ascii=False) + "\r\n",
            "\ufeff"[1:] + json.dumps(MINIMAL),
        ],
    )
    def test_so_does_what_the_api_may_send(self, text: str):
        assert agrees(text, CustomerSession)

    @given(bent_documents(), st.booleans())
    @settings(max_examples=400)
    def test_bent_documents_are_judged_alike(self, bent: tuple[str, Any], strict: bool):
        agrees(*bent, strict=strict)

    @given(st.one_of(sessions(), updates, return_requests, events, items()), st.booleans())
    def test_whatever_is_written_is_read_alike(self, value: Any, strict: bool):
        agrees(wire.dumps(value).decode(), type(value), strict=strict)

    @given(any_json, KINDS, st.booleans())
    def test_any_value_of_a_parser_is_judged_alike(self, value: Any, kind: Any, strict: bool):
        document = value if isinstance(value, dict) else parsed(DOCUMENTS[kind]) | {"sku": value, "attributes": value}
        assert outcome(wire.structure, document, kind, strict=strict) == outcome(
            lambda: carefully(document, kind, strict=strict)
        )

    @pytest.mark.parametrize("member", list(json.loads(DOCUMENTS[CartItem])))
    @pytest.mark.parametrize("value", [*JSON_KINDS, "0", "-1", "1e400", "9223372036854775808", '"\\ud800"', "null"])
    def test_each_member_with_each_kind_of_value_is_judged_alike(self, member: str, value: str):
        agrees(with_text(ITEM, member, value), CartItem, strict=True)
        agrees(f'{{"cartItems":[{with_text(ITEM, member, value)}]}}', SessionUpdate, strict=True)

    @pytest.mark.parametrize("name", ["\\ud800", "é", "", "a b"])
    def test_names_within_json_are_judged_alike(self, name: str):
        for member in ("prices", "attributes", "additionalCosts"):
            agrees(with_text(ITEM, member, f'{{"{name}":{{"price":1}}}}'), CartItem)
            agrees(with_text(ITEM, member, f'{{"a":{{"{name}":1}}}}'), CartItem)

    @given(st.text(string.digits + "-T:+Z.Wtz ", min_size=15, max_size=30))
    @example("2026-02-03T04:05:06Z")
    @example("2026-W06-2T04:05:06Z")
    @example("0001-01-01T00:00:00+23:59")
    @example("9999-12-31T23:59:59-00:01")
    def test_times_are_judged_alike(self, time: str):
        agrees(json.dumps(MINIMAL | {"created": time}), CustomerSession)

    def test_a_subclass_without_fields_of_its_own_takes_the_straight_way(self):
        class Unslotted(CustomerSession):
            rules = CustomerSession.rules[:1]

        class Slotted(CustomerSession):
            __slots__ = ("remark",)

        for kind in (Unslotted, Slotted):
            assert agrees(DOCUMENTS[CustomerSession], kind)
            assert type(wire.loads(DOCUMENTS[CustomerSession], kind)) is kind

    @attrs.define(kw_only=True, eq=False, repr=False)
    class Own(CustomerSession):
        branch: str
        note: str | None = "some"
        tags: tuple[str, ...] = attrs.field(factory=list)
        seen: list[str] = attrs.field(init=False, factory=list)

    @pytest.mark.parametrize("strict", [False, True])
    @pytest.mark.parametrize(
        ("own", "straight"),
        [
            ({"branch": "main"}, True),
            ({"branch": "main", "note": "n", "tags": ["a", "b"]}, True),
            ({"branch": "main", "note": None}, False),
            ({"branch": "main", "tags": None}, True),
            ({"branch": 5}, False),
            ({"branch": "main", "tags": [1, 2], "note": 5, "total": "x"}, False),
            ({}, False),
            ({"branch": "main", "seen": []}, None),
            ({"branch": "main", "pendingEvents": []}, None),
        ],
    )
    def test_so_does_one_with_fields_of_its_own(self, own: Any, straight: bool | None, strict: bool):
        text = json.dumps(parsed(DOCUMENTS[CustomerSession]) | own, default=float)
        assert agrees(text, self.Own, strict=strict) is (not strict if straight is None else straight)

    def test_one_whose_defaults_depend_on_the_session_does_not(self):
        @attrs.define(kw_only=True, eq=False, repr=False)
        class Labelled(CustomerSession):
            label: str = attrs.Factory(lambda self: self.integration_id, takes_self=True)  # type: ignore[assignment]  # attrs knows

        text = DOCUMENTS[CustomerSession]
        assert wire.loads(text, Labelled).label == wire.loads(text).integration_id
        with pytest.raises(Unusual):
            wire.read_straight(text, Labelled, strict=False)


class TestNames:
    """A text in which a name may stand twice never takes the straight way."""

    @pytest.mark.parametrize(
        "text",
        [
            '{"a":1,"a":2}',
            '{"a":1,"\\u0061":2}',
            '{"a":1,"a" :2}',
            '{"a":1,"a"\n:2,"b":"\\":"}',
            '{"a":1,"a"\t:":"}',
            '{"a":1,"a"\r:[":"]}',
        ],
    )
    def test_two_of_a_kind_are_noticed_however_they_are_written(self, text: str):
        counts = Counts()
        counts.add_within(json.loads(text))
        assert not names_stand_once(text, sum(counts))

    @given(
        st.lists(
            st.tuples(st.sampled_from('ab":'), st.sampled_from(["", " ", "\n", "\t", "\r"]), st.sampled_from('":, ')),
            max_size=5,
        )
    )
    def test_no_layout_hides_them(self, members: list[tuple[str, str, str]]):
        text = "{" + ",".join(f"{json.dumps(name)}{gap}:{json.dumps(value)}" for name, gap, value in members) + "}"
        counts = Counts()
        counts.add_within(json.loads(text))
        if names_stand_once(text, sum(counts)):
            assert len({name for name, _, _ in members}) == len(members)


class TestWriting:
    @EVERY_KIND
    def test_full_values_are_written_alike(self, kind: Any):
        value = wire.loads(DOCUMENTS[kind], kind)
        assert wire.dumps(value).decode() == write(wire.unstructure(value))

    @given(st.one_of(sessions(), updates, return_requests, events, items()))
    def test_any_value_is_written_alike(self, value: Any):
        assert wire.dumps(value).decode() == write(wire.unstructure(value))

    def test_so_is_an_item_of_a_class_of_ones_own(self):
        class Gift(CartItem):
            """Adds nothing that JSON would have to hold."""

        for value in (
            CustomerSession.create("o", cart_items=[Gift(sku="A", quantity=1)]),
            SessionUpdate(cart_items=[Gift(sku="A", quantity=1)]),
        ):
            assert wire.dumps(value).decode() == write(wire.unstructure(value))


def test_what_is_not_straight_says_nothing_of_a_document():
    """The straight way has no words; the careful way has them."""
    for text in (
        "{",
        '{"sku":1,"quantity":1}',
        '{"quantity":1}',
        '{"sku":"A","quantity":1,"returnedQuantity":2}',
        "[]",
    ):
        with pytest.raises((Unusual, KeyError, InvalidValue)):
            wire.read_straight(text, CartItem, strict=False)
        assert isinstance(outcome(wire.loads, text, CartItem), list)
    assert wire.loads("{}", SessionUpdate) == SessionUpdate()
    with pytest.raises(Unusual):
        wire.read_straight("{}", int, strict=False)
    assert SessionEvent in DOCUMENTS
