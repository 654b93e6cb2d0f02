"""The fast path of reading: `msgspec` decodes a text into structs, and generated functions turn these into entities.

`session_fsm.wire.reading` makes a `FastReader` for each class, of the same fields as its slow path. The decoder checks
types, lengths and ranges. A `FastReader` reports no problems: it raises one of `FALL_BACK` whenever a document is not
plainly right, and the slow path decides. ``tests/wire/test_fast_and_slow_paths.py`` holds the two together.

It reads a session of 1,000 items in a twentieth of the time of the slow path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, get_origin

import msgspec

from session_fsm.values import CartItem
from session_fsm.wire.builders import Member, SlowPathNeeded, builder_of, is_required, struct_of
from session_fsm.wire.encoding import PLAIN, encode
from session_fsm.wire.kinds import core_of

__all__ = ["FALL_BACK", "FastReader", "Member", "SlowPathNeeded", "accounts_for", "line_decoder", "other_members"]

FALL_BACK = (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError)
"""What the fast path raises where it does not decide: something is unexpected, or a class refuses a value."""


class FastReader:
    """Reads JSON objects as one class."""

    def __init__(
        self, kind: Any, members: Iterable[Member], *, refused: frozenset[str], wrapper: str | None, of_request: bool
    ) -> None:
        """Derive the struct of *kind*, and generate the function that turns it into a *kind*.

        Args:
            kind: the class.
            members: its members that a document may have.
            refused: names that no object may have.
            wrapper: the name under which a request or an answer holds the object.
            of_request: whether members that only Talon.One sets are ignored.
        """
        self.kind = kind
        self.members = sorted(members, key=lambda member: not is_required(member))
        self.has_remaining = issubclass(kind, CartItem) and not of_request
        self.struct = struct_of(self)
        self._refused = refused
        self.wrapper = wrapper
        self._start_of_wrapped = f'{{"{wrapper}"'
        self.build = builder_of(self)
        self._decode = msgspec.json.Decoder(self.struct, float_hook=Decimal).decode
        if wrapper:
            wrapped = msgspec.defstruct("Wrapped", [("inner", self.struct)], rename={"inner": wrapper})
            self._decode_wrapped = msgspec.json.Decoder(wrapped, float_hook=Decimal).decode

    def read_or_none(self, text: str, *, strict: bool) -> Any:
        """Read a document as `read` does, or return None if the slow path decides."""
        try:
            return self.read(text, strict=strict)
        except FALL_BACK:
            return None

    def read(self, text: str, *, strict: bool) -> Any:
        """Read a document, with its wrapper if it has one. With *strict*, an unknown member needs the slow path.

        Raises:
            FALL_BACK: it is not plainly right.
        """
        counts = [0, 0]
        value, wrapper = self.read_part(text, counts)
        if not accounts_for(text, *counts):
            self.check_others(other_members(text, strict=strict), wrapper)
        return value

    def read_document(self, document: Any, *, strict: bool) -> Any:
        """Read, without a wrapper, what a JSON parser has returned.

        Raises:
            FALL_BACK: it is not plainly right.
        """
        if not is_plain_json(document):
            raise SlowPathNeeded
        text, counts = encode(document).decode(), [0, 0]
        value = self.build((self._decode(text),), counts)[0]
        if not accounts_for(text, *counts):
            self.check_names(other_members(text, strict=strict))
        return value

    def read_part(self, text: str, counts: list[int]) -> tuple[Any, str | None]:
        """Read a document, and return the value and the name of the wrapper that it was in, if any.

        Adds the number of its members and of the colons in its times to *counts*. Members that are unknown or null are
        not counted, and members of one name count once.
        """
        if self.wrapper and text.startswith(self._start_of_wrapped):
            return self._read_wrapped(text, counts), self.wrapper
        try:
            return self.build((self._decode(text),), counts)[0], None
        except msgspec.ValidationError:
            if self.wrapper and self.wrapper in text:
                return self._read_wrapped(text, counts), self.wrapper
            raise

    def _read_wrapped(self, text: str, counts: list[int]) -> Any:
        counts[0] += 1
        wrapped: Any = self._decode_wrapped(text)
        return self.build((wrapped.inner,), counts)[0]

    def check_others(self, document: Any, wrapper: str | None) -> None:
        """Check a document with members that were not read, which may have been in a *wrapper*.

        Raises:
            SlowPathNeeded: it has a wrapper that was not noticed, or a name that is refused.
        """
        if wrapper is None and self.wrapper in document:
            raise SlowPathNeeded
        self.check_names(document if wrapper is None else document[wrapper])

    def check_names(self, document: dict[str, Any]) -> None:
        """Check that no object of a class of this library has a member whose name is refused.

        Raises:
            SlowPathNeeded: one has.
        """
        if not self._refused.isdisjoint(document):
            raise SlowPathNeeded
        for member in self.members:
            value = document.get(member.name)
            if member.nested and value:
                origin = get_origin(core_of(member.attribute.type))
                inner = value.values() if origin is Mapping else value if origin is tuple else (value,)
                for one in inner:
                    member.nested.check_names(one)


_decode_untyped = msgspec.json.Decoder().decode


def accounts_for(text: str, members: int, colons: int) -> bool:
    """Whether *text* has no member but so many, which have been read: none is unknown, none stands twice.

    A colon follows the name of each member. There may be others in strings: then the answer can be False, never True,
    by mistake. Most texts have colons in their times alone, and single characters are counted fastest.
    """
    if "\\" not in text and text.count(":") == members + colons:
        return True
    return text.count('":') == members and not any(space in text for space in (" :", "\n:", "\t:", "\r:"))


def line_decoder(members: Mapping[str, Any], body: str) -> Callable[[str], Any]:
    """Return the decoder of objects with *members* of these types, all optional, and a *body* that stays undecoded."""
    optional = [(name, kind | None, None) for name, kind in members.items()]
    line = msgspec.defstruct("Line", [*optional, (body, msgspec.Raw, None)])
    return msgspec.json.Decoder(line).decode


def other_members(text: str, *, strict: bool) -> Any:
    """Return *text* decoded, which has other members than those that were read: unknown or null ones.

    Raises:
        FALL_BACK: a name stands twice in an object, or reading is strict.
    """
    if strict or ("\\" in text and "\\u003" in text):  # an escaped colon
        raise SlowPathNeeded
    document = _decode_untyped(text)
    if text.count(":") != encode(document).count(b":"):
        raise SlowPathNeeded
    return document


def is_plain_json(value: Any) -> bool:
    """Whether *value* holds nothing but what a JSON parser returns, so that it can be encoded and read again.

    A decimal without a fraction or an exponent would be read again as an integer.
    """
    kind: Any = value.__class__
    if kind is dict:
        return all(type(name) is str for name in value) and all(map(is_plain_json, value.values()))
    if kind is list:
        return all(map(is_plain_json, value))
    if kind is Decimal:
        return not _INTEGER.issuperset(str(value))
    return kind in PLAIN or (kind is float and isfinite(value))


_INTEGER = frozenset("-0123456789")
