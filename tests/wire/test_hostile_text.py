"""Text that is no document: broken, bent, bottomless or too big. Each gets a WireError, in bounded memory."""

import json
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from wire_documents import DOCUMENTS, ITEM, MINIMAL, SESSION, pointers_of, refusal_of, session_with, with_text

from session_fsm import CartItem, CustomerSession, InvalidValue, SessionUpdate, WireError, wire

MEGABYTE = 1_000_000
KINDS = pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.__name__)


def most_memory(read: Callable[[], Any]) -> int:
    """Return how many bytes *read* and the error that it raises hold at the most."""
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestTextThatIsNoJSON:
    """The whole document is refused, so the pointer is that of the whole."""

    BROKEN = (
        "",
        " \t\r\n ",
        "{",
        "}",
        "{}{}",
        "{} x",
        '{"a":1,}',
        "{'a':1}",
        "{a:1}",
        '{"a" 1}',
        '{"a":}',
        '{"a":1 "b":2}',
        '{"a":"\n"}',
        '{"a":"\\x"}',
        '{"a":"\\u12"}',
        '{"a":"',
        '{"a":tru}',
        "// comment\n{}",
        "\x00",
        "{}\x00",
        "\u00a0{}",
        "<session/>",
    )

    @KINDS
    @pytest.mark.parametrize("text", BROKEN, ids=repr)
    def test_broken_text_is_refused(self, text: str, kind: Any):
        assert refusal_of(text, kind) == [""]
        assert refusal_of(text.encode(), kind) == [""]

    @pytest.mark.parametrize(
        "kind", [CustomerSession, SessionUpdate, wire.ReturnRequest], ids=lambda kind: kind.__name__
    )
    def test_a_document_that_ends_early_is_refused_wherever_it_ends(self, kind: Any):
        data = DOCUMENTS[kind].encode()
        for end in range(len(data)):
            assert refusal_of(data[:end], kind) == [""], end

    def test_text_that_begins_late_is_refused_wherever_it_begins(self):
        data = DOCUMENTS[wire.ReturnRequest]
        starts = [start for start in range(1, len(data)) if not data[start:].startswith("{")]
        for start in starts:
            assert refusal_of(data[start:], wire.ReturnRequest) == [""], start

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037"])
    def test_bytes_in_another_encoding_are_refused(self, encoding: str):
        assert refusal_of(json.dumps({"profileId": "é+ü"}, ensure_ascii=False).encode(encoding), SessionUpdate) == [""]

    @pytest.mark.parametrize(
        "wrong", [b"\xff", b"\x80", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe9"]
    )
    def test_bytes_that_are_no_utf_8_are_refused(self, wrong: bytes):
        assert refusal_of(b'{"profileId":"' + wrong + b'"}', SessionUpdate) == [""]
        assert refusal_of(wrong, SessionUpdate) == [""]

    def test_a_byte_order_mark_before_utf_8_is_passed_over(self):
        assert wire.loads(b'\xef\xbb\xbf{"profileId":"p"}', SessionUpdate) == SessionUpdate(profile_id="p")
        assert refusal_of(b'\xef\xbb\xbf\xef\xbb\xbf{"profileId":"p"}', SessionUpdate) == [""]

    @pytest.mark.parametrize(
        "data", [None, 5, 1.5, True, [], {}, object(), ["{}"], CustomerSession], ids=lambda data: type(data).__name__
    )
    def test_what_is_no_text_is_refused(self, data: Any):
        with pytest.raises(WireError) as caught:
            wire.loads(data)
        assert pointers_of(caught.value) == [""]


class TestNamesThatStandTwice:
    """Others read such documents in more than one way, so nobody here guesses."""

    @pytest.mark.parametrize(
        "text",
        [
            '{"state":"closed","state":"cancelled"}',
            '{"state":"closed","state":"closed"}',
            '{"state":"closed","\\u0073tate":"open"}',
            '{"nobody":1,"nobody":1}',
            '{"cartItems":[{"sku":"A","quantity":1,"quantity":2}]}',
            '{"attributes":{"a":{"b":[{"c":1,"c":2}]}}}',
            '{"additionalCosts":{"a":{"price":1},"a":{"price":2}}}',
            '{"customerSession":{},"customerSession":{}}',
            '{"":1,"":2}',
        ],
    )
    def test_they_are_refused_on_every_level(self, text: str):
        assert refusal_of(text, SessionUpdate) == [""]

    def test_names_that_differ_in_anything_are_two(self):
        update = wire.loads(
            '{"attributes":{"a":1,"A":2},"additionalCosts":{"é":{"price":1},"e\u0301":{"price":2}}}', SessionUpdate
        )
        assert (len(update.attributes), len(update.additional_costs)) == (2, 2)

    def test_the_last_of_very_many_names_is_found_without_comparing_each_with_each(self):
        """Were each compared with each, this document would take a quarter of an hour."""
        names = [f'"{number}":0' for number in range(300_000)]
        assert refusal_of("{" + ",".join([*names, names[-1]]) + "}") == [""]


def nested(levels: int, start: str = "[", end: str = "]", inside: str = "1") -> str:
    return start * levels + inside + end * levels


class TestDepth:
    """A document may be nested as deep as its author likes; it is read to a fixed depth and no further."""

    BOTTOMLESS = (
        nested(100_000),
        "[" * 100_000,
        nested(100_000, '{"a":', "}"),
        '{"a":' * 100_000,
        nested(50_000, '[{"a":', "}]"),
    )

    @pytest.mark.parametrize("text", BOTTOMLESS, ids=lambda text: text[:6])
    @pytest.mark.parametrize(
        "name", ["attributes", "cartItems", "profileId", "state", "total", "customerSession", "nobody"]
    )
    def test_a_hundred_thousand_levels_are_refused(self, text: str, name: str):
        assert refusal_of(text) == [""]
        assert refusal_of(with_text(MINIMAL, name, text)) == [""]
        assert refusal_of(with_text(MINIMAL, name, f'{{"a":{text}}}')) == [""]
        assert refusal_of(with_text(MINIMAL, name, f"[{text}]")) == [""]

    def test_they_take_little_memory(self):
        for text in self.BOTTOMLESS:
            assert most_memory(lambda text=text: wire.loads(text)) < 10 * MEGABYTE

    @pytest.mark.parametrize("levels", [33, 34, 100, 300, 500, 700, 900, 1000, 3000])
    @pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
    def test_attributes_and_prices_are_refused_beyond_32_levels(self, levels: int, start: str, end: str):
        deep = nested(levels, start, end)
        pointers = refusal_of(with_text(MINIMAL, "attributes", f'{{"a":{deep}}}'))
        assert pointers == [""] or pointers[0].startswith("/attributes/a")
        pointers = refusal_of(with_text(ITEM, "prices", f'{{"a":{deep}}}'), CartItem)
        assert pointers == [""] or pointers[0].startswith("/prices/a")

    @pytest.mark.parametrize("levels", [0, 1, 30])
    @pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
    def test_what_is_not_that_deep_comes_back(self, levels: int, start: str, end: str):
        text = f'{{"attributes":{{"a":{nested(levels, start, end)}}}}}'
        assert wire.dumps(wire.loads(text, SessionUpdate)).decode() == text

    def test_python_values_without_end_are_refused(self):
        endless_list: list[Any] = []
        endless_list.append(endless_list)
        endless: dict[str, Any] = dict(MINIMAL)
        endless["a"] = endless
        for name in ("profileId", "id", "state", "created", "total", "firstSession"):
            assert refusal_of(session_with(**{name: endless_list})) == [f"/{name}"]
            assert refusal_of(session_with(**{name: endless})) == [f"/{name}"]
        for name in ("cartItems", "couponCodes", "experimentVariantAllocations"):
            assert refusal_of(session_with(**{name: endless_list})) == [f"/{name}/0"]
        assert refusal_of(session_with(additionalCosts=endless))
        assert refusal_of(session_with(attributes={"a": endless_list}))[0].startswith("/attributes/a")
        assert refusal_of(session_with(attributes={"a": endless}))[0].startswith("/attributes/a")
        assert refusal_of(ITEM | {"prices": {"a": endless}}, CartItem)[0].startswith("/prices/a")
        item: dict[str, Any] = dict(ITEM)
        item["product"] = item
        assert refusal_of(item, CartItem) == ["/product/name"]
        assert wire.structure(endless).integration_id == MINIMAL["integrationId"]


class TestSize:
    """Documents beyond a limit are not read; those within it take memory in proportion."""

    @pytest.mark.parametrize("start", ["[", "{", "[],", "{},", '{"a":', "1,", " ", '"', "\\"])
    def test_fifty_megabytes_are_refused_unread(self, start: str):
        text = start * (50 * MEGABYTE // len(start))
        assert most_memory(lambda: wire.loads(text)) < MEGABYTE
        data = text.encode()
        assert most_memory(lambda: wire.loads(data)) < MEGABYTE

    def test_fifty_megabytes_of_brackets_are_refused_even_where_any_size_is_read(self):
        text = "[" * (50 * MEGABYTE)
        assert most_memory(lambda: wire.loads(text, most_bytes=None)) < 10 * MEGABYTE

    def test_the_limit_is_the_callers_to_choose(self):
        data = '{"profileId":"Zoë"}'.encode()
        assert wire.loads(data, SessionUpdate, most_bytes=len(data)).profile_id == "Zoë"
        assert refusal_of(data, SessionUpdate, most_bytes=len(data) - 1) == [""]
        assert refusal_of("{}", SessionUpdate, most_bytes=1) == [""]

    @pytest.mark.parametrize("name", ["cartItems", "couponCodes", "attributes", "nobody"])
    @pytest.mark.parametrize("element", ["[]", "{}", "1", '""'])
    def test_what_is_read_takes_memory_in_proportion(self, name: str, element: str):
        many = "[" + ",".join([element] * 30_000) + "]"
        text = with_text(MINIMAL | {"state": "lost"}, name, many)
        assert most_memory(lambda: wire.loads(text)) < 100 * len(text)

    def test_faults_without_number_are_told_in_a_text_that_people_can_read(self):
        text = with_text(MINIMAL, "couponCodes", "[" + ",".join("0" * 100_000) + "]")
        with pytest.raises(WireError) as caught:
            wire.loads(text)
        assert len(str(caught.value)) < 100_000

    def test_long_words_are_not_repeated_in_full(self):
        word = "x" * (5 * MEGABYTE)
        for name in ("state", "created", "total", "id", "referralCode"):
            assert refusal_of(session_with(**{name: word})) == [f"/{name}"]


class TestHalfCharacters:
    """Half of a surrogate pair is no character: what holds one cannot be written, so it is not read."""

    @pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "x\\udc00", "\\ud83c \\udf75"])
    def test_they_are_refused_as_values_and_names(self, half: str):
        for name in ("integrationId", "profileId", "referralCode", "state", "created"):
            assert refusal_of(with_text(MINIMAL, name, f'"{half}"')) == [f"/{name}"]
        for name in ("couponCodes", "identifiers", "loyaltyCards"):
            assert refusal_of(with_text(MINIMAL, name, f'["{half}"]')) == [f"/{name}/0"]
        assert refusal_of(with_text(MINIMAL, "attributes", f'{{"a":["{half}"]}}')) == ["/attributes/a/0"]
        for name in ("attributes", "additionalCosts"):
            (pointer,) = refusal_of(with_text(MINIMAL, name, f'{{"{half}":{{"price":1}}}}'))
            assert pointer.startswith(f"/{name}")
        for name in ("sku", "name", "category"):
            assert refusal_of(with_text(ITEM, name, f'"{half}"'), CartItem) == [f"/{name}"]

    @pytest.mark.parametrize("half", ["\\ud800", "\\udfff"])
    def test_the_refusal_itself_can_be_printed(self, half: str):
        assert refusal_of(with_text(MINIMAL, "additionalCosts", f'{{"{half}":{{"price":"x"}}}}'))
        assert refusal_of(with_text(MINIMAL, half, "1").replace("\\\\", "\\"), strict=True)
        assert refusal_of(f'{{"{half}":1,"{half}":2}}') == [""]
        assert refusal_of(with_text(MINIMAL, "profileId", f'"{half}"').replace("\\", "\\"), strict=True)

    def test_whole_pairs_are_characters(self):
        assert wire.loads('{"profileId":"\\ud83c\\udf75"}', SessionUpdate).profile_id == "🍵"

    def test_text_that_holds_half_a_character_itself_is_refused(self):
        assert refusal_of('{"profileId":"\ud800"}', SessionUpdate) == ["/profileId"]
        assert refusal_of("\ud800", SessionUpdate) == [""]


class TestValuesOfPython:
    """`structure` is given what others made, which need not be JSON."""

    STRANGE = (
        b"x",
        bytearray(b"x"),
        {1},
        object(),
        1j,
        int,
        range(1),
        iter([ITEM]),
        (x for x in "ab"),
        CartItem(**ITEM),
        ...,
    )

    @pytest.mark.parametrize("value", STRANGE, ids=lambda value: type(value).__name__)
    def test_no_field_takes_what_json_cannot_hold(self, value: Any):
        for name in (
            *MINIMAL,
            "id",
            "state",
            "total",
            "couponCodes",
            "cartItems",
            "attributes",
            "additionalCosts",
            "firstSession",
        ):
            assert refusal_of(session_with(**{name: value}))[0].startswith(f"/{name}")
        assert refusal_of(session_with(attributes={"a": value})) == ["/attributes/a"]
        assert refusal_of(ITEM | {"prices": {"a": value}}, CartItem) == ["/prices/a"]
        assert refusal_of({"returnedCartItems": value}, wire.ReturnRequest)[0].startswith("/returnedCartItems")

    @KINDS
    @pytest.mark.parametrize(
        "document",
        [None, 5, "{}", b"{}", [], [MINIMAL], object(), CustomerSession],
        ids=lambda document: type(document).__name__,
    )
    def test_what_is_no_mapping_is_no_document(self, document: Any, kind: Any):
        with pytest.raises(WireError) as caught:
            wire.structure(document, kind)
        assert pointers_of(caught.value) == [""]

    @pytest.mark.parametrize("name", [5, None, b"x", ("a",), 1.5])
    def test_names_that_are_no_text_are_refused(self, name: Any):
        assert refusal_of(session_with(attributes={name: 1}))
        assert refusal_of(session_with(additionalCosts={name: {"price": 1}}))
        assert refusal_of(session_with(additionalCosts={name: {"price": "x"}}))
        assert refusal_of(MINIMAL | {name: 1, "nobody": 2}, strict=True)

    @pytest.mark.parametrize("kind", [int, str, list, dict, object, None, 5, "CustomerSession", WireError], ids=repr)
    def test_what_is_no_kind_of_document_is_not_read(self, kind: Any):
        with pytest.raises((WireError, InvalidValue)):
            wire.loads(SESSION, kind)

    def test_a_refusal_travels_with_all_its_problems(self):
        with pytest.raises(WireError) as caught:
            wire.structure({"created": 5})
        copied = pickle.loads(pickle.dumps(caught.value))
        assert copied.problems == caught.value.problems
        assert str(copied) == str(caught.value)
