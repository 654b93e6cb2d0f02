"""The fields of a session from within: how they are read, set, copied and put back as a whole.

From without, the fields of a session cannot be assigned. These functions are for the machine alone.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any, TypeVar

from attrs import AttrsInstance, fields

__all__ = ["assign", "contents", "copy_with", "maker", "restore"]

S = TypeVar("S")
A = TypeVar("A", bound=AttrsInstance)


def contents(entity: Any) -> dict[str, Any]:
    """Return every field of *entity* by name, and whatever else an unslotted subclass holds."""
    attributes: Any = entity.__attrs_attrs__
    names = (attribute.name for attribute in attributes)
    held = {name: getattr(entity, name) for name in names if hasattr(entity, name)}
    unslotted: dict[str, Any] = getattr(entity, "__dict__", {})
    return held | unslotted


def assign(entity: object, values: dict[str, Any]) -> None:
    """Set fields of *entity*, all of them or none.

    The loop runs inside the interpreter's C code, where neither a signal nor another thread comes between two
    assignments: an interrupt finds the session as it was, or as it is going to be.
    """
    any(map(object.__setattr__, repeat(entity), values, values.values()))


def maker(kind: type[A]) -> Callable[..., A]:
    """Generate the function that makes a frozen *kind* of values that are known to be right, one a field, in order.

    Nothing is converted or validated. The fields are set on a blank of the same layout, which is not frozen and
    becomes a *kind* when it is complete: that is several times as quick as to set them on a frozen object.
    """
    names = [attribute.name for attribute in fields(kind)]
    slots: Any = getattr(kind, "__slots__", ())
    blank = type(kind.__name__, (), {"__slots__": tuple(slots)})
    lines = [
        f"def make({', '.join(names)}):",
        "    made = blank()",
        *(f"    made.{name} = {name}" for name in names),
        "    made.__class__ = kind",
        "    return made",
    ]
    namespace: dict[str, Any] = {"blank": blank, "kind": kind}
    exec("\n".join(lines), namespace)  # noqa: S102 - the names are those of fields
    make: Callable[..., A] = namespace["make"]
    return make


def copy_with(entity: S, values: dict[str, Any]) -> S:
    """Return an independent copy of *entity* in which *values* hold."""
    twin: S = object.__new__(type(entity))
    assign(twin, contents(entity) | values)
    return twin


def restore(entity: Any, held: dict[str, Any]) -> None:
    """Put *entity* back to what `contents` once returned."""
    for name in contents(entity).keys() - held.keys():
        object.__delattr__(entity, name)
    assign(entity, held)
