"""The quick way from the members of a document to an object: one pass, and no problem but the first.

It does what the class's own `__init__` does, with the same converters and validators, but only for the members
that the document has: what is missing has its default, which needs no checking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import NOTHING, fields

from session_fsm.entities import assign, maker
from session_fsm.session import CustomerSession

__all__ = ["Incomplete", "make_builder"]


class Incomplete(LookupError):
    """A document lacks a required member, or has one that is not known."""


def make_builder(
    kind: Any, readers: Mapping[str, tuple[str, Callable[[Any, Any], Any]]], *, strict: bool
) -> Callable[[dict[str, Any], Any], Any]:
    """Generate the function that builds *kind* from a document's members.

    Args:
        kind: one of this library's classes, all of whose fields it knows.
        readers: for each member by its name, the field and what turns JSON into what the field accepts.
        strict: whether a member that is not among them is an error.
    """
    attributes = {attribute.name: attribute for attribute in fields(kind)}
    defaults = {name: attribute.default for name, attribute in attributes.items()}
    required = [name for name, default in defaults.items() if default is NOTHING]
    steps = {
        member: (name, read, attributes[name].converter, attributes[name].validator, attributes[name])
        for member, (name, read) in readers.items()
    }
    make = _session_maker(kind) if issubclass(kind, CustomerSession) else maker(kind)
    complete = getattr(kind, "__attrs_post_init__", None)

    def build(members: dict[str, Any], _: Any) -> Any:
        values = defaults.copy()
        for member, value in members.items():
            step = steps.get(member)
            if step is None:
                if strict:
                    raise Incomplete(member)
                continue
            name, read, convert, validate, attribute = step
            held = read(value, None)
            if convert is not None:
                held = convert(held)
            validate(None, attribute, held)
            values[name] = held
        for name in required:
            if values[name] is NOTHING:
                raise Incomplete(name)
        made = make(*values.values())
        if complete is not None:
            complete(made)
        return made

    return build


def _session_maker(kind: type[CustomerSession]) -> Callable[..., CustomerSession]:
    """Return what makes a session of the values of all its fields, in order; nothing is converted or validated."""
    names = [attribute.name for attribute in fields(kind)]

    def make(*values: Any) -> CustomerSession:
        made = object.__new__(kind)
        assign(made, dict(zip(names, values, strict=True)))
        return made

    return make
