"""Resolve the annotations of fields, strings and forward references included, when a class is made."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import FrameType
from typing import Any, Literal, Optional, Union, get_type_hints
from uuid import UUID

from attrs import Attribute

from session_fsm.errors import InvalidValue

__all__ = ["annotations_of", "is_class_variable", "resolved_type"]

_WELL_KNOWN: dict[str, Any] = {
    "Decimal": Decimal,
    "Enum": Enum,
    "Literal": Literal,
    "Mapping": Mapping,
    "Optional": Optional,
    "UUID": UUID,
    "Union": Union,
    "date": date,
    "datetime": datetime,
}
"""Types that are resolved even if a module imports them under ``TYPE_CHECKING`` only."""


def annotations_of(kind: type) -> dict[str, Any]:
    """Return the annotations in the body of a class, unresolved."""
    if sys.version_info >= (3, 14):  # pragma: no cover - the tests run on earlier Pythons
        import annotationlib  # noqa: PLC0415 - earlier Pythons have none

        return dict(annotationlib.get_annotations(kind, format=annotationlib.Format.FORWARDREF))
    found: dict[str, Any] = vars(kind).get("__annotations__", {})
    return found


def is_class_variable(annotation: Any) -> bool:
    """Whether *annotation* is a ``ClassVar``, which attrs does not take for a field."""
    return str(annotation).startswith(("typing.ClassVar", "t.ClassVar", "ClassVar", "typing_extensions.ClassVar"))


def resolved_type(kind: type, attribute: Attribute[Any]) -> Any:
    """Return the type of a field of *kind*, with every name in it looked up.

    A name is looked up in the modules of the class and of its bases, then in the functions that are running there,
    because the class may be local to one, and then among the types that own fields commonly have.

    Raises:
        InvalidValue: a name in it is not known at run time, or the field has no type.
    """
    if attribute.type is None:
        raise InvalidValue("", f"{kind.__name__}.{attribute.name} has no type; annotate it")
    annotation: Any = attribute.type
    if isinstance(annotation, type):
        return annotation
    holder = type(kind.__name__, (), {"__annotations__": {"held": annotation}})
    missing: NameError | None = None
    for names in _namespaces(kind):
        try:
            return get_type_hints(holder, names, names, include_extras=True)["held"]
        except NameError as error:
            missing = error
        except Exception as error:
            problem = f"the type of {kind.__name__}.{attribute.name} cannot be evaluated: {type(error).__name__}"
            raise InvalidValue("", problem) from error
    name = getattr(missing, "name", None) or "a name in it"
    problem = f"the type of {kind.__name__}.{attribute.name} cannot be resolved: {name} is not known at run time"
    raise InvalidValue("", f"{problem}; import it where the class is made, not for type checkers alone") from missing


def _namespaces(kind: type) -> Iterator[dict[str, Any]]:
    """Yield the namespaces in which to look up the names in an annotation, the most likely first."""
    modules = {base.__module__ for base in kind.__mro__} - {"builtins", "abc", "typing"}
    held: dict[str, Any] = _WELL_KNOWN.copy()
    for base in reversed(kind.__mro__):
        if base.__module__ in modules:
            held |= vars(sys.modules.get(base.__module__, object))
    held |= {kind.__name__: kind}
    yield held
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the only way to the variables of a function
    frames: list[dict[str, Any]] = []
    while frame is not None:
        if frame.f_globals.get("__name__") == kind.__module__:
            frames += [{**frame.f_globals, **frame.f_locals}]
        frame = frame.f_back
    for names in reversed(frames):
        held = held | names
    yield held
