"""Tables of the fields of all JSON classes, for the reference."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import EnumMeta
from importlib import import_module
from typing import Any, Union
from uuid import UUID

import attrs

from _ext.writing import code, comment, first_line, table
from session_fsm.session import CustomerSession
from session_fsm.validators import wire_name
from session_fsm.values import FIELDS_OF_UPDATE, Unset

__all__ = ["all_fields", "described", "documents"]


def documents() -> tuple[type, ...]:
    """Return the classes that are read and written as JSON."""
    kinds: tuple[type, ...] = import_module("session_fsm.wire.kinds").KINDS
    return kinds


class _JsonValue:
    """Replaces the alias `AttributeValue`, which is recursive and cannot be evaluated."""


_TYPES = {
    str: "text",
    int: "integer",
    bool: "boolean",
    Decimal: "exact decimal",
    datetime: "time with a zone",
    UUID: "UUID",
    _JsonValue: "JSON value",
}


def described(annotation: Any) -> str:
    """Return the description of a type in words."""
    if annotation in _TYPES:
        return _TYPES[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return f"list of {described(inner[0])}"
    if origin is not None and inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"map of name to {described(inner[1])}"
    if origin in (Union, types.UnionType):
        members = [member for member in inner if member not in (types.NoneType, Unset)]
        return " or ".join(map(described, members)) + (", or none" if types.NoneType in inner else "")
    if isinstance(annotation, EnumMeta):
        return " or ".join(map(code, annotation)) if len(annotation) < 6 else f"`{annotation.__name__}`"
    name: str = annotation.__name__
    return f"[`{name}`](#{name.lower()})" if annotation in documents() else f"`{name}`"


def _hints(kind: type) -> dict[str, Any]:
    """Return the types of the fields by name."""
    return typing.get_type_hints(kind, globalns=vars(import_module(kind.__module__)) | {"AttributeValue": _JsonValue})


def _fields(kind: type) -> Iterator[str]:
    hints = _hints(kind)
    rows = [
        (
            " <br> ".join(code(name) for name in dict.fromkeys((attribute.name, wire_name(attribute.name)))),
            ", ".join(filter(None, (described(hints[attribute.name]), _flag(kind, attribute)))),
            comment(kind, attribute.name),
        )
        for attribute in attrs.fields(kind)
        if not attribute.name.startswith("_")
    ]
    yield from table(("field, and in JSON", "holds", "meaning"), rows)


def _flag(kind: type, attribute: attrs.Attribute[Any]) -> str:
    if attribute.metadata.get("read_only") or (kind is CustomerSession and attribute.name not in FIELDS_OF_UPDATE):
        return "*read-only*"
    return "*required*" if attribute.default is attrs.NOTHING else ""


def all_fields() -> Iterator[str]:
    """Yield a section with a table for each class."""
    for kind in documents():
        yield from (f"## {kind.__name__}", "", first_line(kind), "")
        yield from _fields(kind)
