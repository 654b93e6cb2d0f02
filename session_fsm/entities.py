"""Read, set, copy and restore all fields of a session at once.

Users cannot assign the fields of a session. The machine, and what makes or copies sessions, calls these functions.
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
    "setters_of",
]

S = TypeVar("S")
K = TypeVar("K", bound=type)

_set_field = object.__setattr__  # looked up once: every trigger needs it


def contents(entity: Any) -> dict[str, Any]:
    """Return all fields of *entity* by name, and what else its ``__dict__`` holds."""
    names = (attribute.name for attribute in entity.__attrs_attrs__)
    held = {name: getattr(entity, name) for name in names if hasattr(entity, name)}
    return held | unslotted_of(entity)


def unslotted_of(entity: Any) -> dict[str, Any]:
    """Return what the ``__dict__`` of *entity* holds, without the values that properties have cached."""
    unslotted: dict[str, Any] = getattr(entity, "__dict__", {})
    cached = cached_names(entity.__class__) if unslotted else ()
    return {name: value for name, value in unslotted.items() if name not in cached}


def cached_names(kind: Any) -> tuple[str, ...]:
    """Return the names of the cached properties of *kind*, as `find_cached` found them when the class was made."""
    found: tuple[str, ...] = getattr(kind, "__cached__", ())
    return found


def find_cached(kind: type) -> tuple[str, ...]:
    """Return the names of the cached properties of *kind*: `functools.cached_property` and those of other libraries.

    They are recognised by what they can do: a descriptor with ``__get__`` alone that is not callable, or a subclass of
    `property` without a setter. attrs removes them from a slotted class; the class that it was made from has their names.
    """
    held = {name: value for base in reversed(kind.__mro__) for name, value in vars(base).items()}
    return tuple(
        dict.fromkeys([*cached_names(kind), *(name for name, value in held.items() if _is_cached_property(value))])
    )


def _is_cached_property(attribute: object) -> bool:
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
        except (AttributeError, KeyError):  # it is not cached
            pass


def assign(entity: object, values: dict[str, Any]) -> None:
    """Set fields of *entity*, all of them or none."""
    # `any` and `map` loop in C, where CPython runs no signal handler and switches no thread. A loop of Python could be
    # interrupted between two fields, and leave a session with the state of one moment and the count of another.
    any(map(_set_field, repeat(entity), values, values.values()))


def setters_of(kind: type, names: Iterable[str]) -> tuple[Callable[[Any, Any], None], ...]:
    """Return the functions that set these fields of a *kind*, past its ``__setattr__``.

    They are the slots' own ``__set__``, which take two thirds of the time of `object.__setattr__`.
    """
    return tuple(getattr(kind, name).__set__ for name in names)


def pickled_with_defaults(kind: K) -> K:
    """Let a frozen class unpickle objects from before a field was added; the field then has its default."""
    given: Any = kind
    set_state: Callable[[Any, dict[str, Any]], None] = given.__setstate__
    attributes = fields(given)
    defaults = {attribute.name: attribute.default for attribute in attributes}

    def __setstate__(self: Any, state: dict[str, Any]) -> None:  # noqa: N807 - it becomes the method
        set_state(self, state if len(state) == len(attributes) else defaults | state)

    given.__setstate__ = __setstate__
    return kind


def copy_with(entity: S, values: dict[str, Any]) -> S:
    """Return an independent copy of *entity* with *values* in place of its own."""
    snapshot: Snapshot[S] = Snapshot(entity, values)
    return snapshot.entity


class Snapshot(Generic[S]):
    """A copy of an entity with other values, taken at once and made when `entity` is read, which few callers do."""

    __slots__ = ("_held", "_kind", "_made", "_unslotted", "_values", "_what_else")

    def __init__(
        self, entity: Any, values: dict[str, Any], what_else: Callable[[Any], dict[str, Any]] | None = None
    ) -> None:
        """Take a snapshot of *entity* with *values*; *what_else* returns further values, given the copy."""
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
    """Set the fields of *entity* to what `contents` returned earlier, and drop everything else."""
    drop_cached(entity, cached_names(entity.__class__))
    for name in contents(entity).keys() - held.keys():
        object.__delattr__(entity, name)
    assign(entity, held)
