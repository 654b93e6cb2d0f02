"""Functions that make, copy and read objects of an attrs class, generated from the names of its fields.

attrs generates ``__init__`` in the same way. Each function has its plain definition beside it, which takes two to five
times as long (a `CartItem` with another position: 0.6 us instead of 1.8; a creation of a cart makes one for each item).
``tests/test_generated.py`` holds each against its definition. This is the only module that executes generated source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from attrs import AttrsInstance, evolve, fields, has

__all__ = ["blank_of", "evolver", "filled_reader", "function", "maker", "reader"]

A = TypeVar("A", bound=AttrsInstance)


def reader(kind: type[AttrsInstance]) -> Callable[[Any], tuple[Any, ...]]:
    """Return the method that returns what all fields of a *kind* hold, in order.

    Plainly: ``tuple(getattr(self, attribute.name) for attribute in fields(kind))``.
    """
    held = "".join(f"self.{attribute.name}, " for attribute in fields(kind))
    return function("read(self)", [f"return ({held})"], {})


def filled_reader(names: Iterable[str], empty: object) -> Callable[[Any], dict[str, Any]]:
    """Return the method that returns the fields of *names* that do not hold *empty*, by name.

    Plainly: ``{name: value for name in names if (value := getattr(self, name)) is not empty}``.
    """
    lines = (f"if self.{name} is not empty: filled['{name}'] = self.{name}" for name in names)
    return function("filled(self)", ["filled = {}", *lines, "return filled"], {"empty": empty})


def maker(kind: type[A]) -> Callable[..., A]:
    """Return the function that makes a frozen *kind* of values that are known to be right, one a field, in order.

    Plainly: ``kind(**dict(zip(names, values)))``, but that nothing is converted or validated.
    """
    names = [attribute.name for attribute in fields(kind)]
    lines, known = _making(kind, {name: name for name in names})
    return function(f"make({', '.join(names)})", lines, known)


def evolver(kind: type[A], name: str) -> Callable[[A, Any], A]:
    """Return the function that copies a *kind*, but for the value of the field *name*, which is known to be right.

    Plainly: ``attrs.evolve(held, **{name: value})``, to which an object of a subclass is left.
    """
    kept = {attribute.name: f"held.{attribute.name}" for attribute in fields(kind)}
    lines, known = _making(kind, kept | {name: "value"})
    shortcut = f"if held.__class__ is not kind: return evolve(held, {name}=value)"
    return function("evolved(held, value)", [shortcut, *lines], known | {"evolve": evolve})


def blank_of(kind: Any) -> type | None:
    """Return a class of the same layout as *kind*, whose fields can be assigned, and whose objects can become a *kind*.

    A frozen object is made as a blank: its fields are assigned plainly, and then its ``__class__`` is. That takes a
    fifth of the time of setting them by ``object.__setattr__``, and no half-made object is ever seen as a *kind*.
    None where CPython lets no object become a *kind*: where that is not slotted, or adds slots to those of its base.
    """
    slotted: Any = next(cls for cls in kind.__mro__ if cls.__dict__.get("__slots__"))
    bases: tuple[type, ...] = slotted.__bases__
    if any(map(has, bases)):
        return None
    held: dict[str, Any] = slotted.__dict__
    layout = {name: held[name] for name in ("__slots__", "__orig_bases__") if name in held}
    blank: type = type(slotted)(kind.__name__, bases, layout)
    try:
        blank().__class__ = kind
    except TypeError:
        return None
    return blank


def _making(kind: type[AttrsInstance], values: dict[str, str]) -> tuple[list[str], dict[str, Any]]:
    """Return the lines that make a *kind* of an expression for each field and return it, and what they need to know."""
    assignments = (f"made.{attribute.name} = {values[attribute.name]}" for attribute in fields(kind))
    lines = ["made = blank()", *assignments, "made.__class__ = kind", "return made"]
    return lines, {"blank": blank_of(kind), "kind": kind}


def function(head: str, lines: Iterable[str], known: dict[str, Any]) -> Callable[..., Any]:
    """Return the function with this *head* and these *lines*, which use what is *known*."""
    source = "\n    ".join([f"def {head}:", *lines])
    exec(source, known)  # noqa: S102 - our own words, and the names of fields
    function: Callable[..., Any] = known[head.partition("(")[0]]
    return function
