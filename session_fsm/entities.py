"""The fields of a session from within: how they are read, set, copied and put back as a whole.

From without, the fields of a session cannot be assigned. These functions are for the machine alone.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any, TypeVar

__all__ = ["assign", "contents", "copy_with", "make", "restore"]

S = TypeVar("S")


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


def make(kind: type[S], values: dict[str, Any]) -> S:
    """Make an entity of *values* that are known to be right, every field among them; nothing is validated."""
    made: S = object.__new__(kind)
    assign(made, values)
    return made


def copy_with(entity: S, values: dict[str, Any]) -> S:
    """Return an independent copy of *entity* in which *values* hold."""
    return make(type(entity), contents(entity) | values)


def restore(entity: Any, held: dict[str, Any]) -> None:
    """Put *entity* back to what `contents` once returned."""
    for name in contents(entity).keys() - held.keys():
        object.__delattr__(entity, name)
    assign(entity, held)
