"""Exact decimals for the preconfigured converters of `cattrs.preconf`. `session_fsm.wire` calls `equip_encoder`.

The encoders of these converters do not support decimals, and their parsers convert numbers to binary floats. In the
JSON formats, an equipped converter writes and reads numbers with all their digits; in every other format it writes
amounts as text and reads them from text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from secrets import token_hex
from typing import Any, get_args

from cattrs import Converter

from session_fsm.errors import InvalidValue, pointer_token
from session_fsm.validators import is_list, is_object
from session_fsm.wire.kinds import is_ours
from session_fsm.wire.text import parse, written_amount

__all__ = ["equip_encoder", "reads_text_as_amounts"]

_JSON = {f"cattrs.preconf.{name}" for name in ("json", "orjson", "ujson", "msgspec")}
# The values in these members have no declared types, so text would not be read back as a number.
_UNTYPED = {"attributes", "context", "prices"}


class _ExactText:
    """Marks a converter that reads amounts from text."""


def reads_text_as_amounts(converter: Converter) -> bool:
    """Whether *converter* writes amounts as text and reads them from text."""
    return isinstance(converter, _ExactText)


def equip_encoder(converter: Converter) -> None:
    """Make ``dumps`` and ``loads`` of a preconfigured *converter* keep all digits of decimals.

    Other converters are not changed.
    """
    kind: Any = type(converter)
    if not hasattr(kind, "dumps") or issubclass(kind, (_ExactText, _ExactJSON)):
        return
    exact = _ExactJSON if any(base.__module__ in _JSON for base in kind.__mro__) else _OtherFormat
    # The class of the caller's own object is replaced, because cattrs has no hook for the encoder. The new class is a
    # subclass, so all methods and hooks still work, and `Converter.copy` keeps it.
    converter.__class__ = type(kind.__name__, (exact, kind), {"__module__": kind.__module__})


class _ExactJSON:
    """Writes decimals as JSON numbers of the same digits, and reads numbers as decimals."""

    def dumps(self, obj: Any, unstructure_as: Any = None, **options: Any) -> Any:
        """Write *obj*. A random placeholder stands for each decimal until the encoder has run."""
        base: Any = super()
        converter: Any = self
        document = converter.unstructure(obj, unstructure_as=unstructure_as)
        nonce, digits = token_hex(8), list[str]()

        def placeholder(amount: Decimal, _: str) -> str:
            digits.append(written_amount(amount))
            return f"{nonce}:{len(digits) - 1}"

        replaced = _replace_decimals(document, placeholder, "")
        if not digits:
            return base.dumps(obj, unstructure_as=unstructure_as, **options)
        written = base.dumps(replaced, **options)
        text = written.decode() if isinstance(written, bytes) else written
        exact = re.sub(f'"{nonce}:(\\d+)"', lambda found: digits[int(found[1])], text)
        return exact.encode() if isinstance(written, bytes) else exact

    def loads(self, data: Any, cl: Any, **options: Any) -> Any:
        """Read *data*, with exact numbers if *cl* is or contains a class of this library."""
        if options or not _mentions_ours(cl):
            base: Any = super()
            return base.loads(data, cl, **options)
        converter: Any = self
        return converter.structure(parse(data), cl)


class _OtherFormat(_ExactText):
    """Writes amounts as text, and decimals without a declared type, such as those of attributes, as equal floats."""

    def dumps(self, obj: Any, unstructure_as: Any = None, **options: Any) -> Any:
        """Write *obj*.

        Raises:
            InvalidValue: a member without a declared type, such as an attribute, is a decimal that no float equals.
        """
        base: Any = super()
        converter: Any = self
        document = converter.unstructure(obj, unstructure_as=unstructure_as)
        return base.dumps(_replace_decimals(document, _as_text_or_float, ""), **options)


def _as_text_or_float(amount: Decimal, pointer: str) -> float | str:
    if _UNTYPED.isdisjoint(pointer.split("/")):
        return written_amount(amount)
    nearest = float(amount)
    if Decimal(repr(nearest)) == amount:
        return nearest
    raise InvalidValue(pointer, "this format cannot hold the number with all its digits; give it as text")


def _replace_decimals(value: Any, replace: Callable[[Decimal, str], Any], pointer: str) -> Any:
    """Return a copy of a JSON value in which ``replace(decimal, pointer)`` replaces each decimal."""
    if isinstance(value, Decimal):
        return replace(value, pointer)
    if is_object(value):
        return {
            name: _replace_decimals(member, replace, pointer + pointer_token(str(name)))
            for name, member in value.items()
        }
    if is_list(value):
        return [_replace_decimals(element, replace, f"{pointer}/{index}") for index, element in enumerate(value)]
    return value


def _mentions_ours(kind: Any) -> bool:
    return is_ours(kind) or any(map(_mentions_ours, get_args(kind)))
