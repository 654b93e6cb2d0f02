"""JSON Schema (draft 2020-12) of the documents that this library reads and writes.

`json_schema` derives a schema from the fields of a class, their types and the limits of their validators. The
fields that a session subclass adds are in it. `session_fsm.pydantic_types` uses `SchemaBuilder` to the same end.

A schema cannot say everything: ``docs/howto/json-schema.md`` lists what it accepts and `session_fsm.wire.loads` refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType, NoneType
from typing import Any, TypeAlias, get_args, get_origin
from uuid import UUID

from attrs import NOTHING, Attribute, fields

from session_fsm.errors import ErrorResponse, InvalidValue, SessionFSMError
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.subclasses.field_types import (
    FieldType,
    Literals,
    Map,
    Members,
    Object,
    Scalar,
    Tuple,
    UnionOf,
    Value,
)
from session_fsm.subclasses.own_fields import OwnField
from session_fsm.validators import check_of, integer, is_list, is_object, kind_of, limits_of
from session_fsm.values import CHECKS, CartItem, SessionUpdate
from session_fsm.wire.docstrings import class_docstring, field_docstrings
from session_fsm.wire.examples import EXAMPLES
from session_fsm.wire.kinds import (
    ReturnRequest,
    core_of,
    is_ours,
    member_name,
    omits_default,
    own_fields_of,
    python_names,
    resolve,
    wrapper_of,
)

__all__ = ["SchemaBuilder", "json_schema"]

Schema: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DAY = "(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOURS_AND_MINUTES = "([01][0-9]|2[0-3]):[0-5][0-9]"
# `format` alone says nothing to a validator, unless it is told to look at it.
_TEXTS: Mapping[type, Schema] = MappingProxyType(
    {
        datetime: {
            "format": "date-time",
            "pattern": f"^{_DAY}[Tt]{_HOURS_AND_MINUTES}:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-]{_HOURS_AND_MINUTES})$",
        },
        date: {"format": "date", "pattern": f"^{_DAY}$"},
        UUID: {"format": "uuid", "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
    }
)


def json_schema(
    kind: type[Any] = CustomerSession,
    *,
    written: bool = False,
    session_class: type[CustomerSession] | None = None,
) -> Schema:
    """Return the JSON Schema (draft 2020-12) of the documents of *kind*, without a wrapper.

    Args:
        kind: what `loads` takes, or `ErrorResponse`.
        written: describe what `dumps` writes: members that it always writes are required. Otherwise what `loads` reads:
            only members without which it refuses a document are required.
        session_class: the class of an event's session, whose own fields the change of an event may hold.

    Raises:
        InvalidValue: *kind* is no class that documents are read as.

    >>> schema = json_schema(SessionUpdate)
    >>> schema["properties"]["couponCodes"]["items"]
    {'type': 'string', 'maxLength': 100}
    """
    if not (is_ours(kind) or kind is ErrorResponse):
        named = f"the class {kind.__name__:.60}" if isinstance(kind, type) else kind_of(kind)  # pyright: ignore[reportUnnecessaryIsInstance]  # somebody may give anything
        raise InvalidValue("", f"{named} is not a class that documents are read as")
    definitions: dict[str, Schema] = {}
    names: dict[Any, str] = {}

    def define(kind: type[Any], name: str, describe: Callable[[], Schema]) -> Schema:
        key = (kind, name)
        if key not in names:
            names[key] = name if name not in definitions else f"{name}_{len(names)}"
            definitions[names[key]] = {}  # holds the name while the schema is made
            definitions[names[key]] = describe()
        return {"$ref": f"#/$defs/{names[key]}"}

    builder = SchemaBuilder(define, written=written, session_class=session_class)
    schema = {"$schema": _DIALECT, **builder.of_class(kind)}
    return schema | {"$defs": definitions} if definitions else schema


class SchemaBuilder:
    """Makes the schemas of classes."""

    def __init__(
        self,
        define: Callable[[type[Any], str, Callable[[], Schema]], Schema],
        *,
        written: bool,
        session_class: type[CustomerSession] | None = None,
    ) -> None:
        """Prepare to describe classes.

        Args:
            define: is called with a class inside another one, the name of its schema, and a function that returns that
                schema; returns the schema that stands in its place, such as a reference.
            written: see `json_schema`.
            session_class: see `json_schema`.
        """
        self._define = define
        self._written = written
        self._session_class = session_class

    def of_class(self, kind: type[Any], *, of_request: bool = False) -> Schema:
        """Return the schema of *kind*; with *of_request*, of an item that a request holds."""
        if kind is ErrorResponse:
            return self._of_errors()
        resolve(kind)
        own, texts = own_fields_of(kind), field_docstrings(kind)
        members: dict[str, Schema] = {}
        required: list[str] = []
        for attribute in fields(kind):
            if not attribute.init or not attribute.metadata.get("of_talon_one", True):
                continue
            name, read_only = member_name(attribute), bool(attribute.metadata.get("read_only"))
            schema = (
                self._of_own(own[attribute.name].type, attribute)
                if attribute.name in own
                else self._of_field(kind, attribute)
            )
            members[name] = _with(schema, texts.get(attribute.name), read_only=read_only)
            if self._is_required(kind, attribute, unwritten=of_request and read_only):
                required.append(name)
        if issubclass(kind, CartItem):
            text = CartItem.remaining_quantity.__doc__
            members["remainingQuantity"] = _with(_of_check(int, integer(at_least=0)), text, read_only=True)
            if self._written and not of_request:
                required.append("remainingQuantity")
        names = [*python_names(kind), *filter(None, [wrapper_of(kind)])]
        return {
            "title": kind.__name__,
            "description": class_docstring(kind),
            "type": "object",
            "properties": members,
            **({"required": required} if required else {}),
            **({"propertyNames": {"not": {"enum": names}}} if names else {}),
            **_example(kind),
        }

    def _of_errors(self) -> Schema:
        source = {
            "type": "object",
            "description": "Where the fault is; empty where there is no place.",
            "properties": {"pointer": {**_TEXT, "description": "A JSON pointer into the request."}},
        }
        entry = {
            "title": "ErrorEntry",
            "type": "object",
            "properties": {
                "title": {**_TEXT, "description": "The kind of fault; the code of a violated rule."},
                "details": {**_TEXT, "description": "The fault in words."},
                "source": source,
            },
            **({"required": ["title", "details", "source"]} if self._written else {}),
        }
        status = "The HTTP status, if something else is changing the session (409)."
        return {
            "title": "ErrorResponse",
            "description": "Why a request was refused: Talon.One's error envelope.",
            "type": "object",
            "properties": {
                "message": {**_TEXT, "description": "The message of the whole envelope."},
                "errors": {"type": "array", "description": "Each fault.", "items": entry},
                "StatusCode": {"type": "integer", "description": status},
            },
            "required": ["message"],
            "examples": [EXAMPLES[ErrorResponse]],
        }

    def _is_required(self, kind: type[Any], attribute: Attribute[Any], *, unwritten: bool) -> bool:
        if self._written:
            return not unwritten and not omits_default(kind, attribute)
        # A session without the time of its last change was changed when it was created (W-28).
        return attribute.default is NOTHING and not (issubclass(kind, CustomerSession) and attribute.name == "updated")

    def _of_field(self, owner: type[Any], attribute: Attribute[Any]) -> Schema:
        """Return the schema of a field of the library's own."""
        if owner is SessionEvent and attribute.name == "change":
            return self._of_change()
        kind: Any = core_of(attribute.type)
        check: Any = check_of(attribute.validator) or CHECKS.get(attribute.name)
        limits, arguments = limits_of(check), get_args(kind)
        of_request = owner is SessionUpdate
        if get_origin(kind) is tuple:
            element = self._of_element(arguments[0], limits.element, of_request=of_request)
            return {"type": "array", "items": element, **_given(maxItems=limits.at_most)}
        if get_origin(kind) is Mapping:
            names = {"propertyNames": {"pattern": f"^{limits.names}$"}} if limits.names else {}
            element = self._of_element(arguments[1], limits.element, of_request=of_request)
            return {"type": "object", "additionalProperties": element, **names}
        return self._of_element(kind, check, of_request=of_request)

    def _of_element(self, kind: Any, check: Any, *, of_request: bool) -> Schema:
        return self._refer(kind, of_request=of_request) if is_ours(kind) else _of_check(kind, check)

    def _refer(self, kind: type[Any], *, of_request: bool = False) -> Schema:
        of_request = of_request and issubclass(kind, CartItem)
        name = f"Requested{kind.__name__}" if of_request else kind.__name__
        return self._define(kind, name, lambda: {**self.of_class(kind, of_request=of_request), "title": name})

    def _of_change(self) -> Schema:
        """Return the schema of what an event was about: returned items, or an update with the own fields of a class."""
        own: Mapping[str, OwnField] = own_fields_of(self._session_class) if self._session_class else {}
        members = {member_name(one.attribute): self._of_own(one.type, one.attribute) for one in own.values()}
        own_fields = {"type": "object", "properties": members, "description": "The own fields of the session class."}
        update = {
            **self._refer(SessionUpdate),
            "properties": {"ownFields": own_fields},
            "not": {"required": ["returnedCartItems"]},
        }
        return {"anyOf": [self._refer(ReturnRequest), update]}

    def _of_own(self, field_type: FieldType, attribute: Attribute[Any] | None = None) -> Schema:
        """Return the schema of a type of an own field, and the limits of the field's validator if it tells any."""
        match field_type:
            case Scalar():
                given: Any = attribute
                check = check_of(given.validator) if given is not None else None
                return _of_check(field_type.kind, check or field_type.check)
            case Members():
                return {"enum": [member.value for member in field_type.kind]}
            case Literals():
                return {"enum": [*field_type.values]}
            case Tuple():
                return {"type": "array", "items": self._of_own(field_type.element)}
            case Map():
                return {"type": "object", "additionalProperties": self._of_own(field_type.element)}
            case Object():
                return self._define(field_type.kind, field_type.kind.__name__, lambda: self._of_object(field_type))
            case UnionOf():
                return {"anyOf": [self._of_own(member, attribute) for member in field_type.members]}
            case Value():
                return self._refer(field_type.kind)
            case _:  # a registered type, of which only its own functions know what they read
                return {}

    def _of_object(self, object_type: Object) -> Schema:
        """Return the schema of a frozen attrs class of the service."""
        kind = object_type.kind
        texts = field_docstrings(kind)
        required = [a.name for a in fields(kind) if self._written or a.default is NOTHING]
        return {
            "title": kind.__name__,
            "description": class_docstring(kind),
            "type": "object",
            "properties": {
                name: _with(self._of_own(member), texts.get(name)) for name, member in object_type.fields.items()
            },
            **({"required": required} if required else {}),
        }


def _of_check(kind: Any, check: Any) -> Schema:
    """Return the schema of one value of the type *kind* within the limits of *check*."""
    least, most, *_ = limits_of(check)
    if not isinstance(kind, type):  # any JSON value
        return {}
    if kind is NoneType:
        return {"type": "null"}
    if issubclass(kind, StrEnum):
        return {"type": "string", "enum": [member.value for member in kind]}
    if kind is bool:
        return {"type": "boolean"}
    if kind in (int, Decimal):
        return {"type": "integer" if kind is int else "number", **_given(minimum=least, maximum=most)}
    # A library that freezes time may have put classes of its own in the place of those of `datetime`.
    none: Schema = {}
    text = next((_TEXTS[known] for known in _TEXTS if issubclass(kind, known)), none)
    return {"type": "string", **text, **_given(minLength=least or None, maxLength=most)}


def _given(**limits: int | None) -> Schema:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _with(schema: Schema, text: str | None, *, read_only: bool = False) -> Schema:
    """Return *schema* with the docstring of the field."""
    noted = {"description": " ".join(text.replace("``", "`").split())} if text else {}
    return {**schema, **noted, **({"readOnly": True} if read_only else {})}


def _example(kind: type[Any]) -> Schema:
    """Return the example of *kind* as a member of a schema, or nothing where the example needs own fields."""
    from session_fsm.wire import structure, unstructure  # noqa: PLC0415 - that module imports this one

    example = next((example for known, example in EXAMPLES.items() if issubclass(kind, known)), None)
    try:
        return {} if example is None else {"examples": [_plain(unstructure(structure(example, kind)))]}
    except (SessionFSMError, TypeError):
        return {}


def _plain(value: Any) -> Any:
    """Return a document with numbers that every encoder of JSON writes; those of the examples are short."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if is_object(value):
        return {name: _plain(member) for name, member in value.items()}
    return [*map(_plain, value)] if is_list(value) else value


_TEXT: Schema = {"type": "string"}
