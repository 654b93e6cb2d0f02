"""The fast and the slow path of reading and writing JSON agree.

The fast path may leave a document to the slow one. It never reads or writes anything that the slow one would not.
"""

import json
import string
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from json_paths import agrees, fast_outcome, outcome, slowly, text_of
from mutated_json import compare
from wire_documents import DOCUMENTS, ITEM, JSON_KINDS, MINIMAL, parsed, with_text
from wire_strategies import any_json, events, items, names, return_requests, sessions, updates

from session_fsm import CartItem, CustomerSession, SessionUpdate, wire
from session_fsm.wire import fast_reader
from session_fsm.wire.builders import members_in
from session_fsm.wire.fast_reading import FALL_BACK, accounts_for, other_members

KINDS = st.sampled_from(list(DOCUMENTS))
EVERY_KIND = pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)


@st.composite
def mutated_documents(draw: st.DrawFn) -> tuple[str, Any]:
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


class TestReading:
    @EVERY_KIND
    @pytest.mark.parametrize("strict", [False, True])
    def test_a_full_document_takes_the_fast_path(self, kind: Any, strict: bool):
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

    @given(mutated_documents(), st.booleans())
    @settings(max_examples=400)
    def test_mutated_documents_are_judged_alike(self, bent: tuple[str, Any], strict: bool):
        agrees(*bent, strict=strict)

    def test_documents_mutated_in_structure_and_in_bytes_are_judged_alike(self):
        """``python tests/support/mutated_json.py`` does the same for as many documents as one likes."""
        count = 4000
        read = compare(seed=2027, count=count)
        assert count // 10 < read < count  # by the fast path: enough, and not all

    @given(st.one_of(sessions(), updates, return_requests, events, items()), st.booleans())
    def test_whatever_is_written_is_read_alike(self, value: Any, strict: bool):
        agrees(wire.dumps(value).decode(), type(value), strict=strict)

    @given(any_json, KINDS, st.booleans())
    def test_any_value_of_a_parser_is_judged_alike(self, value: Any, kind: Any, strict: bool):
        document = value if isinstance(value, dict) else parsed(DOCUMENTS[kind]) | {"sku": value, "attributes": value}
        assert outcome(wire.structure, document, kind, strict=strict) == outcome(
            lambda: slowly(document, kind, strict=strict)
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

    def test_a_subclass_without_fields_of_its_own_takes_the_fast_path(self):
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
        ("own", "fast"),
        [
            ({"branch": "main"}, True),
            ({"branch": "main", "note": "n", "tags": ["a", "b"]}, True),
            ({"branch": "main", "note": None}, True),
            ({"branch": "main", "tags": None}, None),
            ({"branch": 5}, False),
            ({"branch": "main", "tags": [1, 2], "note": 5, "total": "x"}, False),
            ({}, False),
            ({"branch": "main", "seen": []}, None),
            ({"branch": "main", "pendingEvents": []}, None),
        ],
    )
    def test_so_does_one_with_fields_of_its_own(self, own: Any, fast: bool | None, strict: bool):
        text = json.dumps(parsed(DOCUMENTS[CustomerSession]) | own, default=float)
        assert agrees(text, self.Own, strict=strict) is (not strict if fast is None else fast)

    def test_more_names_of_attributes_than_are_kept_are_judged_alike(self):
        for number in range(1100):
            assert wire.loads(f'{{"attributes":{{"a{number}":1}}}}', SessionUpdate).attributes == {f"a{number}": 1}
        assert agrees('{"attributes":{"a0":1,"a1099":1}}', SessionUpdate)
        assert not agrees('{"attributes":{"a1099":1,"0a":1}}', SessionUpdate)

    def test_the_names_of_own_fields_are_free(self):
        """No field has the name of a variable of the generated functions."""

        @attrs.define(kw_only=True, eq=False, repr=False)
        class Named(CustomerSession):
            members: str
            value: str = ""
            key: str = ""
            counts: str = ""
            made: str = ""
            additional_costs_price: str = ""
            t: str = ""

        own = {
            name: f"the {name}" for name in ("members", "value", "key", "counts", "made", "additionalCostsPrice", "t")
        }
        text = json.dumps(parsed(DOCUMENTS[CustomerSession]) | own, default=float)
        assert agrees(text, Named)
        session = wire.loads(text, Named)
        assert (session.value, session.additional_costs_price) == ("the value", "the additionalCostsPrice")
        assert json.loads(wire.dumps(session)).items() >= own.items()

    def test_one_whose_defaults_depend_on_the_session_does_not(self):
        @attrs.define(kw_only=True, eq=False, repr=False)
        class Labelled(CustomerSession):
            label: str = attrs.Factory(lambda self: self.integration_id, takes_self=True)  # type: ignore[assignment]  # attrs knows

        text = DOCUMENTS[CustomerSession]
        assert wire.loads(text, Labelled).label == wire.loads(text).integration_id
        assert fast_reader(Labelled, strict=False) is None

    def test_what_the_fast_path_leaves_gets_its_problems_from_the_slow_one(self):
        for text in (
            "{",
            '{"sku":1,"quantity":1}',
            '{"quantity":1}',
            '{"sku":"A","quantity":1,"returnedQuantity":2}',
            "[]",
        ):
            with pytest.raises(FALL_BACK):
                fast_reader(CartItem, strict=False).read(text, strict=False)
            assert isinstance(outcome(wire.loads, text, CartItem), list)
        assert wire.loads("{}", SessionUpdate) == SessionUpdate()
        assert fast_reader(int, strict=False) is None

    @pytest.mark.parametrize(
        "text",
        [
            '{"customerSession":%s}',
            '{ "customerSession" : %s, "effects": [{"a:b": ":"}]}',
            '{"effects":[{"customerSession":1}],"customerSession":%s}',
        ],
    )
    def test_a_wrapper_is_recognised_wherever_it_stands(self, text: str):
        assert agrees(text % DOCUMENTS[CustomerSession], CustomerSession)
        agrees(text % DOCUMENTS[SessionUpdate], SessionUpdate)
        agrees(text % "null", SessionUpdate)
        agrees(text % '{"cart_items":[]}', SessionUpdate)
        agrees(text % '{"cartItems":[{"sku":"A","quantity":1,"returned_quantity":0}]}', SessionUpdate)


class TestNames:
    """The fast path never takes a text in which a name stands twice in an object."""

    @pytest.mark.parametrize(
        "text",
        [
            '{"a":1,"a":2}',
            '{"a":1,"\\u0061":2}',
            '{"a":1,"a" :2}',
            '{"a":1,"a"\n:2,"b":"\\":"}',
            '{"a":1,"a"\t:":"}',
            '{"a":1,"a"\r:[":"]}',
            '{"a":1,"a":"\\u003a"}',
        ],
    )
    def test_two_of_a_kind_are_noticed_however_they_are_written(self, text: str):
        assert not accounts_for(text, members_in(json.loads(text)), 0)
        with pytest.raises(FALL_BACK):
            other_members(text, strict=False)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from('ab":'),
                st.sampled_from(["", " ", "\n", "\t", "\r"]),
                st.sampled_from(['":', ",", " ", "\\u003A"]),
            ),
            max_size=5,
        )
    )
    def test_no_layout_hides_them(self, members: list[tuple[str, str, str]]):
        written = [f"{json.dumps(name)}{gap}:{json.dumps(value)}" for name, gap, value in members]
        text = "{" + ",".join(written).replace("\\\\u", "\\u") + "}"
        unique = len({name for name, _, _ in members}) == len(members)
        assert unique or not accounts_for(text, members_in(json.loads(text)), 0)
        try:
            other_members(text, strict=False)
        except FALL_BACK:
            return
        assert unique

    @given(mutated_documents(), st.data())
    def test_no_repeated_member_gets_past_them(self, mutated: tuple[str, Any], data: st.DataObject):
        text, kind = mutated
        places = [place for place, letter in enumerate(text) if letter == "{" and text[place + 1] == '"']
        if not places:
            return
        place = data.draw(st.sampled_from(places)) + 1
        try:
            name, _ = json.JSONDecoder().raw_decode(text, place)
        except ValueError:  # a brace in a string
            return
        repeated = f"{text[:place]}{json.dumps(name)}:null,{text[place:]}"
        assert fast_outcome(repeated, kind, strict=False) is None
        assert isinstance(outcome(wire.loads, repeated, kind), list)


def written(value: Any) -> str:
    """Write a JSON value in one line, amounts with all digits and without an exponent."""
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{written(member)}" for name, member in value.items())
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(written, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


class TestWriting:
    @EVERY_KIND
    def test_full_values_are_written_alike(self, kind: Any):
        value = wire.loads(DOCUMENTS[kind], kind)
        assert wire.dumps(value).decode() == written(wire.unstructure(value))

    @given(st.one_of(sessions(), updates, return_requests, events, items()))
    def test_any_value_is_written_alike(self, value: Any):
        assert wire.dumps(value).decode() == written(wire.unstructure(value))

    def test_so_is_an_item_of_a_class_of_ones_own(self):
        class Gift(CartItem):
            """Adds nothing that JSON would have to hold."""

        for value in (
            CustomerSession.create("o", cart_items=[Gift(sku="A", quantity=1)]),
            SessionUpdate(cart_items=[Gift(sku="A", quantity=1)]),
        ):
            assert wire.dumps(value).decode() == written(wire.unstructure(value))

    def test_so_is_text_of_a_class_of_ones_own(self):
        """The encoder does not know such text, so the slow path writes it."""

        class Text(str):
            """Such as the safe text of a template engine."""

            __slots__ = ()

        class Number(int):
            """Such as a member of an enumeration of integers."""

        item = CartItem(
            sku=Text("A"), quantity=Number(2), attributes={Text("a"): [Text("b"), Decimal("1E+2"), Number(3)]}
        )
        update = SessionUpdate(profile_id=Text('"'), cart_items=[item])
        assert wire.dumps(update).decode() == (
            '{"profileId":"\\"","cartItems":[{"sku":"A","quantity":2,"attributes":{"a":["b",100,3]}}]}'
        )
