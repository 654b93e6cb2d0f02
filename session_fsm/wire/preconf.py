"""The preconfigured converters of `cattrs.preconf`, whose ``dumps`` and ``loads`` are to keep every digit.

Their encoders know no decimals, and their parsers make binary floats of numbers. So an equipped converter becomes one
of a subclass: for the JSON formats numbers keep their digits in the text, and for every other format amounts are
written as text, which this converter reads back.
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
# What these members hold has no types, so that text would be read back as text.
_UNTYPED = {"attributes", "context", "prices"}


class _ExactText:
    """Marks a converter that reads text where an amount is wanted."""


def reads_text_as_amounts(converter: Converter) -> bool:
    """Whether *converter* writes amounts as text, and so has to read them from text."""
    return isinstance(converter, _ExactText)


def equip_encoder(converter: Converter) -> None:
    """Let the ``dumps`` and ``loads`` of a preconfigured *converter* keep every digit of what this library writes.

    The class of the converter is replaced by a subclass, which `Converter.copy` keeps.
    """
    kind: Any = type(converter)
    if not hasattr(kind, "dumps") or issubclass(kind, (_ExactText, _ExactJSON)):
        return
    exact = _ExactJSON if any(base.__module__ in _JSON for base in kind.__mro__) else _OtherFormat
    converter.__class__ = type(kind.__name__, (exact, kind), {"__module__": kind.__module__})


class _ExactJSON:
    """Writes decimals as JSON numbers of the same digits, and reads numbers as decimals."""

    def dumps(self, obj: Any, unstructure_as: Any = None, **options: Any) -> Any:
        """Write *obj*; where it holds decimals, each stands as a mark in the text until the encoder has run."""
        base: Any = super()
        converter: Any = self
        document = converter.unstructure(obj, unstructure_as=unstructure_as)
        nonce, digits = token_hex(8), list[str]()

        def mark(amount: Decimal, _: str) -> str:
            digits.append(written_amount(amount))
            return f"{nonce}:{len(digits) - 1}"

        marked = _replaced(document, mark, "")
        if not digits:
            return base.dumps(obj, unstructure_as=unstructure_as, **options)
        written = base.dumps(marked, **options)
        text = written.decode() if isinstance(written, bytes) else written
        exact = re.sub(f'"{nonce}:(\\d+)"', lambda found: digits[int(found[1])], text)
        return exact.encode() if isinstance(written, bytes) else exact

    def loads(self, data: Any, cl: Any, **options: Any) -> Any:
        """Read *data*; where *cl* is of this library, or holds what is, numbers are read with all their digits."""
        if options or not _mentions_ours(cl):
            base: Any = super()
            return base.loads(data, cl, **options)
        converter: Any = self
        return converter.structure(parse(data), cl)


class _OtherFormat(_ExactText):
    """Writes amounts as text, and decimals without a type, such as those of attributes, as floats of the same value."""

    def dumps(self, obj: Any, unstructure_as: Any = None, **options: Any) -> Any:
        """Write *obj*.

        Raises:
            InvalidValue: a member without a type, such as an attribute, holds a decimal that no float holds exactly.
        """
        base: Any = super()
        converter: Any = self
        document = converter.unstructure(obj, unstructure_as=unstructure_as)
        return base.dumps(_replaced(document, _as_text_or_float, ""), **options)


def _as_text_or_float(amount: Decimal, pointer: str) -> float | str:
    if _UNTYPED.isdisjoint(pointer.split("/")):
        return written_amount(amount)
    nearest = float(amount)
    if Decimal(repr(nearest)) == amount:
        return nearest
    raise InvalidValue(pointer, "this format cannot hold the number with all its digits; give it as text")


def _replaced(value: Any, replace: Callable[[Decimal, str], Any], pointer: str) -> Any:
    """Copy what JSON can hold, with something else in the place of each decimal."""
    if isinstance(value, Decimal):
        return replace(value, pointer)
    if is_object(value):
        return {name: _replaced(held, replace, pointer + pointer_token(str(name))) for name, held in value.items()}
    if is_list(value):
        return [_replaced(held, replace, f"{pointer}/{place}") for place, held in enumerate(value)]
    return value


def _mentions_ours(kind: Any) -> bool:
    return is_ours(kind) or any(map(_mentions_ours, get_args(kind)))
