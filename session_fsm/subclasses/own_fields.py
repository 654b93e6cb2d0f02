"""The fields that a session subclass adds: what each accepts, and how a new session gets its values.

The machine of a class holds its `OwnFields`. The verbs take them as keywords beside the fields of `SessionUpdate`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from attrs import NOTHING, Attribute, Converter, frozen, setters

from session_fsm.entities import assign
from session_fsm.errors import InvalidValue, pointer_token
from session_fsm.subclasses.field_types import FieldType
from session_fsm.validators import wire_name

__all__ = ["NO_OWN_FIELDS", "OwnField", "OwnFields", "as_invalid", "convert", "nearest"]

_ADDRESS = re.compile(r"\b0x[0-9A-Fa-f]+\b")
_LONGEST = 200


def as_invalid(error: Exception, pointer: str) -> InvalidValue:
    """Return the exception of a converter or validator of the service as an `InvalidValue` at *pointer*.

    The text of a ValueError or TypeError is kept, if it is one; those of other errors are not meant for callers.
    """
    if isinstance(error, InvalidValue):
        return InvalidValue.of(
            problem if problem.pointer.startswith(pointer) else problem.under(pointer) for problem in error.problems
        )
    text: Any = error.args[0] if error.args and isinstance(error, (ValueError, TypeError)) else None
    if not isinstance(text, str) or not text or _ADDRESS.search(text):
        text = "is refused by the class of the session"
    return InvalidValue(pointer, text[:_LONGEST])


def convert(attribute: Attribute[Any], value: Any, session: Any) -> Any:
    """Return the result of the converter of a field for *value*."""
    given: Any = attribute
    converter: Any = given.converter
    if isinstance(converter, Converter):
        wrapped: Any = converter  # pyright: ignore[reportUnknownVariableType]  # of any types
        return wrapped.__call__(value, session, attribute)
    return value if converter is None else converter(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint with the name among *known* that resembles *name*, or an empty text."""
    found = get_close_matches(name[:100], [*known], n=1)
    return f"did you mean {found[0]}? " if found else ""


@frozen(eq=False)
class OwnField:
    """A field that a subclass adds and its constructor takes."""

    attribute: Attribute[Any]
    type: FieldType

    @property
    def name(self) -> str:
        """The name of the attribute."""
        return self.attribute.name

    @property
    def alias(self) -> str:
        """The name of the keyword that sets the field."""
        return self.attribute.alias or self.attribute.name

    @property
    def pointer(self) -> str:
        """The JSON pointer of the field in a session."""
        return pointer_token(wire_name(self.alias))

    @property
    def converts(self) -> bool:
        """Whether the class gave the field a converter."""
        given: Any = self.attribute
        return given.converter is not None

    @property
    def needs_session(self) -> bool:
        """Whether the default depends on the session."""
        return bool(getattr(self.attribute.default, "takes_self", False))

    def accept(self, value: Any, session: Any = None) -> Any:
        """Return *value* converted, frozen and validated.

        Raises:
            InvalidValue: the field does not take it.
        """
        try:
            value = convert(self.attribute, value, session)
        except Exception as error:
            raise as_invalid(error, self.pointer) from error
        held = self.type.convert(value)
        problem = self.type.check(held)
        if isinstance(problem, str):
            raise InvalidValue(self.pointer, problem)
        if problem:
            raise InvalidValue.of(found.under(self.pointer) for found in problem)
        return held

    def validate(self, value: Any, session: Any) -> None:
        """Run the validator of the field.

        Raises:
            InvalidValue: the validator raised.
        """
        validator: Any = self.attribute.validator
        try:
            validator(session, self.attribute, value)
        except Exception as error:
            raise as_invalid(error, self.pointer) from error


class OwnFields:
    """All fields that a class and its parents add to `CustomerSession`."""

    __slots__ = (
        "_late",
        "_plain",
        "_required",
        "_uninitialized",
        "_validated",
        "by_alias",
        "by_name",
        "fixed",
        "loose",
    )

    def __init__(self, fields: Iterable[OwnField] = (), others: Iterable[Attribute[Any]] = ()) -> None:
        """*fields* in their order, and *others*, which the constructor does not take."""
        held = tuple(fields)
        self.by_alias: Mapping[str, OwnField] = MappingProxyType({one.alias: one for one in held})
        """By the keyword that sets them."""
        self.by_name: Mapping[str, OwnField] = MappingProxyType({one.name: one for one in held})
        """By the name of the attribute."""
        self.loose: Mapping[str, Attribute[Any]] = MappingProxyType({one.name: one for one in others})
        """The fields that the constructor does not take, which may be assigned, by name."""
        self._uninitialized = tuple(self.loose.values())
        self._required = tuple(one for one in held if one.attribute.default is NOTHING)
        self._late = tuple(one for one in held if one.needs_session)
        self._validated = tuple(one for one in held if one.attribute.validator is not None)
        self._plain = {
            one: None if one.converts else one.type.convert(one.attribute.default)
            for one in held
            if one.attribute.default is not NOTHING and not _is_factory(one.attribute.default)
        }

    def __deepcopy__(self, memo: object) -> OwnFields:
        return self  # a copied machine belongs to the same class

    def __bool__(self) -> bool:
        return bool(self.by_alias or self.loose)

    def accepted(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return the given values by attribute, converted and validated.

        Raises:
            InvalidValue: there is no such field, or it does not take the value.
        """
        held: dict[str, Any] = {}
        for name, value in own.items():
            one = self.by_name.get(name)
            if one is None:
                known = ", ".join(self.by_name) or "none"
                hint = nearest(name, self.by_name)
                raise InvalidValue(pointer_token(name), f"there is no such own field; {hint}the own fields are {known}")
            held[name] = one.accept(value)
        return held

    def values(self, given: Mapping[str, Any], owner: str, *, accepted: bool = False) -> dict[str, Any]:
        """Return the value of every field of a new session of the class *owner* by attribute.

        Args:
            given: what is given, by alias; or by attribute, where it has been *accepted* already.
            owner: the name of the class.
            accepted: see *given*.

        What is not given has its default. Defaults that need the session are left to `complete`.

        Raises:
            InvalidValue: a field does not take what is given.
            TypeError: a field without a default is not given.
        """
        missing = [one.alias for one in self._required if (one.name if accepted else one.alias) not in given]
        if missing:
            names = " and ".join(map(repr, missing))
            plural = "s" if len(missing) > 1 else ""
            raise TypeError(f"{owner}() missing {len(missing)} required keyword-only argument{plural}: {names}")
        held: dict[str, Any] = {}
        for alias, one in self.by_alias.items():
            name = one.name if accepted else alias
            if name in given:
                held[one.name] = given[name] if accepted else one.accept(given[name])
            elif one not in self._late:
                held[one.name] = self.default(one)
        return held

    def default(self, one: OwnField) -> Any:
        """Return the default of a field that does not need the session."""
        default: Any = one.attribute.default
        if one not in self._plain:
            return one.accept(default.factory())
        return one.accept(default) if one.converts else self._plain[one]

    def complete(self, session: Any) -> None:
        """Set the defaults of a new session that depend on the session, and run the validators of the class.

        Raises:
            InvalidValue: a field does not take its value.
        """
        for attribute in self._uninitialized:
            default: Any = attribute.default
            if default is NOTHING or hasattr(session, attribute.name):
                continue
            if _is_factory(default):
                default = default.factory(session) if default.takes_self else default.factory()
            assign(session, {attribute.name: convert(attribute, default, session)})
        for one in self._late:
            if not hasattr(session, one.name):
                made: Any = one.attribute.default
                assign(session, {one.name: one.accept(made.factory(session), session)})
        for one in self._validated:
            one.validate(getattr(session, one.name), session)

    def validate(self, own: Mapping[str, Any], session: Any) -> None:
        """Run the validators of the class on the new values of *session*, by attribute.

        Raises:
            InvalidValue: a validator raised.
        """
        for one in self._validated:
            if one.name in own:
                one.validate(own[one.name], session)

    def assigned(self, name: str, value: Any, session: Any) -> Any:
        """Return *value*, converted and validated as attrs does on assignment, for a field with ``init=False``."""
        attribute = self.loose[name]
        hook: Any = attribute.on_setattr
        if hook is None:
            value = convert(attribute, value, session)
            if attribute.validator is not None:
                attribute.validator(session, attribute, value)
            return value
        return value if hook is setters.NO_OP else hook(session, attribute, value)


def _is_factory(default: Any) -> bool:
    return hasattr(default, "takes_self")


NO_OWN_FIELDS = OwnFields()
"""The own fields of a class that adds none."""
