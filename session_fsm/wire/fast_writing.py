"""The fast path of writing: generated functions turn entities into structs, and `msgspec` encodes these.

`session_fsm.wire.writing` makes a `StructWriter` for each class. The dictionaries that it makes say what is written; the
fast path writes the same without them, a session of 1,000 items in a seventh of the time. For what the encoder does not
know, such as text of a class of its own, the dictionaries are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, get_args, get_origin
from uuid import UUID

import msgspec
from attrs import Attribute, frozen

from session_fsm.converters import timestamp
from session_fsm.generated import function
from session_fsm.values import UNSET
from session_fsm.wire.encoding import PLAIN, encode, writable
from session_fsm.wire.kinds import core_of, is_known
from session_fsm.wire.text import written_amount

__all__ = ["StructWriter", "WrittenMember"]


@frozen
class WrittenMember:
    """A member of the JSON object of an entity, and how it is written."""

    name: str
    attribute: Attribute[Any]
    """The field that holds it."""
    omits_default: bool
    """Whether it is omitted where the field holds its default."""
    to_json: Callable[[Any], Any]
    """Converts what the field holds to a JSON value."""
    nested: StructWriter | None
    """The writer of the objects that the field holds, if they are of a class of this library."""


class StructWriter:
    """Writes objects of one class."""

    def __init__(self, kind: Any, members: list[WrittenMember], *, with_remaining: bool) -> None:
        """Derive the struct of *kind*, and generate the function that turns a *kind* into it.

        Args:
            kind: one of this library's classes, or a subclass of the session.
            members: the members that are written.
            with_remaining: whether an item's remaining quantity is written too.
        """
        self._kind = kind
        self._with_remaining = with_remaining
        # As in the dictionaries, members that are always written come first.
        self._members = sorted(members, key=lambda member: member.omits_default)
        numbers = range(len(members))
        described: list[Any] = [
            (f"m{number}", Any, None) if member.omits_default else (f"m{number}", Any)
            for number, member in zip(numbers, self._members, strict=True)
        ]
        names = {f"m{number}": member.name for number, member in zip(numbers, self._members, strict=True)}
        if with_remaining:
            described.append(("remaining", Any, None))
            names["remaining"] = "remainingQuantity"
        self.known: dict[str, Any] = dict(_KNOWN)
        self._struct = self._name(
            msgspec.defstruct(kind.__name__, described, rename=names, omit_defaults=True, gc=False)
        )
        source = self.expression("made")
        self.to_struct = function("to_struct(made)", [f"return {source}"], self.known)

    def write(self, value: Any) -> bytes | None:
        """Write *value* in one line. Return None if it holds what the encoder does not know."""
        try:
            return encode(self.to_struct(value))
        except TypeError:
            return None

    def _name(self, held: object) -> str:
        name = f"held_{next(_NUMBERS)}"
        self.known[name] = held
        return name

    def expression(self, made: str) -> str:
        """Return the expression of the struct of the variable *made*."""
        values = [self._value(member, f"{made}.{member.attribute.name}", f"{made}_") for member in self._members]
        if self._with_remaining:
            values.append(f"{made}.quantity - {made}.returned_quantity")
        return f"{self._struct}({', '.join(values)})"

    def _value(self, member: WrittenMember, held: str, inner: str) -> str:
        """Return the expression of a member, which the field *held* holds."""
        written = self._written(member, held, inner)
        if not member.omits_default or (written == held and member.attribute.default is None):
            return written
        omitted = {None: f"{held} is None", UNSET: f"{held} is UNSET"}.get(member.attribute.default, f"not {held}")
        return f"None if {omitted} else {written}"

    def _written(self, member: WrittenMember, held: str, inner: str) -> str:
        kind = core_of(member.attribute.type)
        if is_known(self._kind, member.attribute):
            origin = get_origin(kind)
            if member.nested:
                self.known |= member.nested.known
                nested = member.nested.expression(inner if origin else held)
                if origin is tuple:
                    return f"[{nested} for {inner} in {held}]"
                if origin is Mapping:
                    return f"{{{inner}name: {nested} for {inner}name, {inner} in {held}.items()}}"
                return nested
            if origin is Mapping:
                return f"({held} if PLAIN.issuperset(map(type, {held}.values())) else writable({held}))"
            if kind is Decimal:
                return f"(Raw(t) if 'E' not in (t := str({held})) else raw_amount({held}))"
            if isinstance(kind, type) and issubclass(kind, datetime):
                return f"({held} if {held}.tzinfo is UTC else timestamp({held}))"
            if kind is UUID:
                return f"str({held})"
            if _is_encoded_as_it_is(get_args(kind)[0] if origin is tuple else kind):
                return held
        return f"writable({self._name(member.to_json)}({held}))"


def _is_encoded_as_it_is(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, (str, int, bool))


_NUMBERS = count()


def raw_amount(amount: Decimal) -> msgspec.Raw:
    """Return an amount as the text that the encoder copies."""
    return msgspec.Raw(written_amount(amount))


_KNOWN: dict[str, Any] = {
    "PLAIN": PLAIN,
    "Raw": msgspec.Raw,
    "UNSET": UNSET,
    "UTC": UTC,
    "timestamp": timestamp,
    "writable": writable,
    "raw_amount": raw_amount,
}
