"""The fields of a session from within: how they are read, set, copied and put back as a whole.

From without, the fields of a session cannot be assigned. These functions are for the machine alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any, Generic, TypeVar

from attrs import fields

__all__ = [
    "Snapshot",
    "assign",
    "cached_names",
    "contents",
    "copy_with",
    "drop_cached",
    "find_cached",
    "pickled_with_defaults",
    "restore",
]

S = TypeVar("S")
K = TypeVar("K", bound=type)


def contents(entity: Any) -> dict[str, Any]:
    """Return every field of *entity* by name, and whatever else an unslotted subclass holds."""
    names = (attribute.name for attribute in entity.__attrs_attrs__)
    held = {name: getattr(entity, name) for name in names if hasattr(entity, name)}
    return held | unslotted_of(entity)


def unslotted_of(entity: Any) -> dict[str, Any]:
    """Return what *entity* holds besides its fields, without the values that properties have cached."""
    unslotted: dict[str, Any] = getattr(entity, "__dict__", {})
    cached = cached_names(entity.__class__) if unslotted else ()
    return {name: value for name, value in unslotted.items() if name not in cached}


def cached_names(kind: Any) -> tuple[str, ...]:
    """Return the names under which objects of *kind* may hold what `functools.cached_property`, or its like, computed."""
    found: tuple[str, ...] = getattr(kind, "__cached__", ())
    return found


def find_cached(kind: type) -> tuple[str, ...]:
    """Find the attributes of *kind* and its bases whose values objects cache under the same name.

    These are descriptors that only compute and are not called: methods are called, properties and fields are set. Some
    libraries derive theirs from `property`. A slotted class that attrs has made has them no longer, but `cached_names` of what it was made from.
    """
    held = {name: value for base in reversed(kind.__mro__) for name, value in vars(base).items()}
    return tuple(dict.fromkeys([*cached_names(kind), *(name for name, value in held.items() if _only_computes(value))]))


def _only_computes(attribute: object) -> bool:
    descriptor: Any = type(attribute)
    if isinstance(attribute, property):
        return descriptor is not property and attribute.fset is None
    called = callable(attribute) or isinstance(attribute, classmethod)
    return hasattr(descriptor, "__get__") and not (hasattr(descriptor, "__set__") or called)


def drop_cached(entity: object, names: Iterable[str]) -> None:
    """Drop the values that *entity* has cached under *names*."""
    unslotted: dict[str, Any] = getattr(entity, "__dict__", {})
    for name in names:
        if name in unslotted:
            del unslotted[name]
            continue
        try:  # noqa: SIM105 - it runs with every trigger
            object.__delattr__(entity, name)
        except (AttributeError, KeyError):  # nobody has asked for it
            pass


def assign(entity: object, values: dict[str, Any]) -> None:
    """Set fields of *entity*, all of them or none.

    The loop runs inside the interpreter's C code, where neither a signal nor another thread comes between two
    assignments: an interrupt finds the session as it was, or as it is going to be.
    """
    any(map(object.__setattr__, repeat(entity), values, values.values()))


def pickled_with_defaults(kind: K) -> K:
    """Let a frozen class read what was pickled before it got further fields; these then have their defaults."""
    given: Any = kind
    set_state: Callable[[Any, dict[str, Any]], None] = given.__setstate__
    attributes = fields(given)
    defaults = {attribute.name: attribute.default for attribute in attributes}

    def __setstate__(self: Any, state: dict[str, Any]) -> None:  # noqa: N807 - it becomes the method
        set_state(self, state if len(state) == len(attributes) else defaults | state)

    given.__setstate__ = __setstate__
    return kind


def copy_with(entity: S, values: dict[str, Any]) -> S:
    """Return an independent copy of *entity* in which *values* hold."""
    twin: Snapshot[S] = Snapshot(entity, values)
    return twin.entity


class Snapshot(Generic[S]):
    """What an entity would be, written down at once, and made when somebody asks for it: few do."""

    __slots__ = ("_held", "_kind", "_made", "_unslotted", "_values", "_what_else")

    def __init__(
        self, entity: Any, values: dict[str, Any], what_else: Callable[[Any], dict[str, Any]] | None = None
    ) -> None:
        """Write down *entity* as if *values* held, and *what_else* is to be said of the entity so made."""
        self._kind: type[Any] = entity.__class__
        self._values = values
        self._what_else = what_else
        self._made: Any = None
        try:
            self._held: tuple[Any, ...] | dict[str, Any] = entity.__contents__()
        except AttributeError:  # a field of a subclass has no value yet
            self._held = contents(entity)
        self._unslotted = unslotted_of(entity)

    @property
    def entity(self) -> S:
        """The copy, which is made once."""
        if self._made is None:
            made = object.__new__(self._kind)
            held = self._held if isinstance(self._held, dict) else self._named(self._held)
            assign(made, held | self._unslotted | self._values)
            if self._what_else is not None:
                assign(made, self._what_else(made))
            self._made = made
        return self._made  # type: ignore[no-any-return]  # it is of the kind S

    def _named(self, held: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip((attribute.name for attribute in self._kind.__attrs_attrs__), held, strict=True))

    def __reduce__(self) -> tuple[Any, ...]:
        return _itself, (self.entity,)


def _itself(entity: S) -> S:
    return entity


def restore(entity: Any, held: dict[str, Any]) -> None:
    """Put *entity* back to what `contents` once returned."""
    drop_cached(entity, cached_names(entity.__class__))
    for name in contents(entity).keys() - held.keys():
        object.__delattr__(entity, name)
    assign(entity, held)
