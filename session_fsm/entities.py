"""The fields of a session from within: how they are read, set, copied and put back as a whole.

From without, the fields of a session cannot be assigned. These functions are for the machine alone.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any, TypeVar

from attrs import AttrsInstance, fields, has

__all__ = ["assign", "blank_of", "contents", "copy_with", "maker", "restore"]

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


def blank_of(kind: Any) -> type | None:
    """Return a class of the same layout as *kind*, whose fields can be set plainly, and whose objects can become a *kind*.

    To assign ``__class__`` when all fields are set is several times as quick as to set them on a frozen object.
    None where CPython lets no object become a *kind*: if that is not slotted, or adds slots to those of its base.
    """
    slotted = next(cls for cls in kind.__mro__ if cls.__dict__.get("__slots__"))
    if any(map(has, slotted.__bases__)):
        return None
    blank: type = type(slotted)(kind.__name__, slotted.__bases__, {"__slots__": slotted.__slots__})
    try:
        blank().__class__ = kind
    except TypeError:
        return None
    return blank


def maker(kind: type[A]) -> Callable[..., A]:
    """Generate the function that makes a frozen *kind* of values that are known to be right, one a field, in order.

    Nothing is converted or validated.
    """
    names = [attribute.name for attribute in fields(kind)]
    lines = [
        f"def make({', '.join(names)}):",
        "    made = blank()",
        *(f"    made.{name} = {name}" for name in names),
        "    made.__class__ = kind",
        "    return made",
    ]
    namespace: dict[str, Any] = {"blank": blank_of(kind), "kind": kind}
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
