"""Encode JSON values: objects, lists, text, integers, decimals, booleans and None.

Decimals are written with all their digits and without an exponent.
"""

from __future__ import annotations

import re
from decimal import Decimal
from operator import index
from types import NoneType
from typing import Any

import msgspec

from session_fsm.errors import InvalidValue
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.wire.text import written_amount

__all__ = ["PLAIN", "encode", "encode_value", "indented", "writable"]

encode = msgspec.json.Encoder(decimal_format="number").encode
"""Encodes what `writable` returns."""

PLAIN = frozenset([str, int, bool, NoneType])
"""The types of values that are written as they are."""


def encode_value(value: Any, indent: int | None = None) -> bytes:
    """Encode a JSON value, with *indent* spaces a level or in one line.

    Raises:
        InvalidValue: it holds what JSON cannot hold.
    """
    data = encode(writable(value))
    return data if indent is None else indented(data, indent)


def writable(value: Any) -> Any:
    """Return a JSON value as the encoder writes it with all digits and without an exponent.

    Raises:
        InvalidValue: it holds what JSON cannot hold.
    """
    if value.__class__ in PLAIN:
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return msgspec.Raw(written_amount(value))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return index(value)
    if is_object(value):
        return {_member_name(name): writable(member) for name, member in value.items()}
    if is_list(value):
        return [writable(element) for element in value]
    raise InvalidValue("", f"{kind_of(value)} cannot be written as JSON")


def _member_name(name: object) -> str:
    if not isinstance(name, str):
        raise InvalidValue("", f"{kind_of(name)} is no name of a member of an object")
    return str.__str__(name)


def indented(data: bytes, indent: int) -> bytes:
    """Return JSON text in lines, with *indent* spaces a level."""
    lines = msgspec.json.format(data, indent=max(indent, 1))
    # `format` writes one line where there is nothing to indent by.
    return lines if indent > 0 else re.sub(rb"\n +", b"\n", lines)
