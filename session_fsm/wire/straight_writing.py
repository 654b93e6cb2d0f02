"""The straight way from an object to JSON text in one line: generated code, without a document in between.

For each class one function is generated. It writes what the class's own checks have let in; fields that somebody else
has defined are written in the roundabout way, as documents first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, TypeAlias, get_args, get_origin
from uuid import UUID

from attrs import Attribute

from session_fsm.validators import timestamp
from session_fsm.values import UNSET
from session_fsm.wire.kinds import core_of, is_known, is_ours
from session_fsm.wire.text import write, write_object, written_amount

__all__ = ["StraightWriter", "make_straight_writer"]

StraightWriter: TypeAlias = Callable[[Any], str]
"""Writes an object as JSON text."""


def make_straight_writer(
    kind: Any,
    members: Mapping[str, tuple[Attribute[Any], bool, Callable[[Any], Any]]],
    nested: Callable[[Attribute[Any], type], StraightWriter],
    *,
    ledger: bool,
    otherwise: Callable[[Any], str] | None,
) -> StraightWriter:
    """Generate the straight writer of *kind*.

    Args:
        kind: one of this library's classes.
        members: for each member by its name, the field, whether it is left out where it holds its default, and what
            turns what it holds into what JSON can hold.
        nested: returns the straight writer of the objects that a field holds, which are of a class of this library's.
        ledger: whether an item's remaining quantity is written too.
        otherwise: what writes an object of a subclass; None where it is written as a *kind* too.
    """
    names = _NAMES.copy()
    always: list[str] = []
    perhaps: list[str] = []
    for number, (member, (attribute, absent, to_plain)) in enumerate(members.items()):
        core = core_of(attribute.type)
        element: Any = (*get_args(core), core)[{tuple: 0, Mapping: 1}.get(get_origin(core), -1)]
        ours = is_known(kind, attribute) and is_ours(element)
        names |= {f"plain_{number}": to_plain, f"nested_{number}": nested(attribute, element) if ours else None}
        v = "v" if absent else f"made.{attribute.name}"
        written = is_known(kind, attribute) and _written(core, element, f"nested_{number}", v)
        line = f"text += ',\"{member}\":' + {written or f'write(plain_{number}({v}))'}"
        if absent:
            condition = {None: " is not None", UNSET: " is not UNSET"}.get(attribute.default, "")
            perhaps += [f"    if (v := made.{attribute.name}){condition}:", f"        {line}"]
        else:
            always.append(line)
    # The order is that of cattrs: what is always there comes first.
    lines = ["def straight(made):"]
    if otherwise is not None:
        lines += ["    if type(made) is not kind:", "        return otherwise(made)"]
    if always:
        lines += [f"    text = {always[0].removeprefix('text += ').replace(',', '{', 1)}"]
        lines += [*(f"    {line}" for line in always[1:]), *perhaps]
    else:
        lines += ["    text = ''", *perhaps]
    if ledger:
        lines.append("    text += ',\"remainingQuantity\":' + number(made.remaining_quantity)")
    lines.append("    return text + '}'" if always else "    return '{' + text[1:] + '}'")
    names |= {"kind": kind, "otherwise": otherwise}
    exec("\n".join(lines), names)  # noqa: S102 - made of the names of fields and their members
    straight: StraightWriter = names["straight"]
    return straight


_NAMES: dict[str, Any] = {
    "UNSET": UNSET,
    "amount": written_amount,
    "number": int.__repr__,
    "quote": encode_basestring,
    "timestamp": timestamp,
    "write": write,
    "write_object": write_object,
}


def _written(core: Any, element: Any, nested: str, v: str) -> str | None:
    """Return the expression that writes what a field holds in *v*, or None where it takes the roundabout way."""
    one = _SCALARS.get(element)
    if is_ours(element):
        one = f"{nested}({{}})"
    elif isinstance(element, type) and issubclass(element, str):
        one = "quote({})"
    if get_origin(core) is tuple and one:
        return f"'[' + ','.join([{one.format('e')} for e in {v}]) + ']'"
    if get_origin(core) is Mapping and is_ours(element):
        return f"'{{' + ','.join([quote(k) + ':' + {nested}(e) for k, e in {v}.items()]) + '}}'"
    if get_origin(core) is Mapping:
        return f"write_object({v})"
    return one and one.format(v)


_SCALARS: dict[Any, str] = {
    int: "number({})",
    bool: "('true' if {} else 'false')",
    Decimal: "(d if 'E' not in (d := str({0})) else amount({0}))",
    datetime: "'\"' + timestamp({}) + '\"'",
    UUID: "'\"' + str({}) + '\"'",
}
