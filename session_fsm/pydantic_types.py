"""What pydantic needs to know of the library's classes: how to read, write and describe them.

`session_fsm.pydantic_hook` imports this module when pydantic asks for the schema of a class. Reading and writing are
those of `session_fsm.wire`, and so is the JSON Schema.

pydantic itself has no exact numbers in JSON: its parser makes a binary float of every number with a fraction, and its
encoder knows no numbers but integers and floats. So amounts of up to 15 digits are exact in both directions. Reading
takes the JSON text itself too (``validate_python`` of bytes or text), which is exact whatever the number of digits; and
writing refuses an amount that no float equals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from pydantic_core import (
    InitErrorDetails,
    PydanticCustomError,
    PydanticSerializationError,
    ValidationError,
    core_schema,
)

from session_fsm import wire
from session_fsm.errors import Problem, SessionFSMError, WireError
from session_fsm.validators import is_list, is_object
from session_fsm.wire.kinds import wrapper_of
from session_fsm.wire.schema import SchemaBuilder

__all__ = ["core_schema_of", "json_schema_of"]


def core_schema_of(kind: type[Any]) -> Any:
    """Return how pydantic validates and serializes *kind*."""
    document = core_schema.no_info_plain_validator_function(partial(_validated, kind))
    return core_schema.json_or_python_schema(
        json_schema=document,
        python_schema=core_schema.no_info_plain_validator_function(partial(_validated_or_parsed, kind)),
        serialization=core_schema.plain_serializer_function_ser_schema(_written, when_used="json"),
        ref=_reference(kind, kind.__qualname__),
    )


def json_schema_of(kind: type[Any], handler: Any) -> dict[str, Any]:
    """Return the JSON Schema of *kind*; pydantic's *handler* makes references of the classes within it."""

    def define(inner: type[Any], name: str, describe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        element = core_schema.any_schema(ref=_reference(inner, name), metadata=_describing(describe))
        # The schema of a list refers to that of its elements, which pydantic thereby adds to the definitions.
        found: dict[str, Any] = handler(core_schema.list_schema(element))["items"]
        return found

    return SchemaBuilder(define, written=handler.mode == "serialization").of_class(kind)


def _describing(describe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    def of_schema(_schema: Any, _handler: Any) -> dict[str, Any]:
        return describe()

    return {"pydantic_js_functions": [of_schema]}


def _reference(kind: type[Any], name: str) -> str:
    # pydantic makes the name in `$defs` of the last part.
    return f"{kind.__module__}.{name}:{id(kind)}"


# --- Reading ---------------------------------------------------------------------------------------------------------


def _validated(kind: type[Any], value: Any) -> Any:
    if isinstance(value, kind):
        return value
    return _reported(kind, value, lambda: wire.structure(value, kind))


def _validated_or_parsed(kind: type[Any], value: Any) -> Any:
    given: Any = value
    if isinstance(value, (str, bytes, bytearray)):
        return _reported(kind, given, lambda: wire.loads(given, kind))
    return _validated(kind, value)


def _reported(kind: type[Any], value: Any, read: Callable[[], Any]) -> Any:
    """Return what *read* returns; its problems become an error of pydantic, each with its place."""
    try:
        return read()
    except WireError as error:
        lines = [_line(problem, value, kind) for problem in error.problems]
        raise ValidationError.from_exception_data(kind.__name__, lines) from None


def _line(problem: Problem, value: Any, kind: type[Any]) -> InitErrorDetails:
    wrapper = wrapper_of(kind)
    held: Any = value
    place: list[str | int] = []
    if wrapper is not None and is_object(value) and wrapper in value:
        held, place = value[wrapper], [wrapper]
    for step in _steps(problem.pointer):
        if is_list(held):
            place.append(int(step))
            held = held[int(step)]
        else:
            place.append(step)
            held = held.get(step) if is_object(held) else None
    shown = {"problem": problem.text, "pointer": problem.pointer}
    return InitErrorDetails(type=PydanticCustomError("session_fsm", "{problem}", shown), loc=tuple(place), input=held)


def _steps(pointer: str) -> Iterator[str]:
    """Return the names in a JSON pointer (RFC 6901)."""
    return (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


# --- Writing ---------------------------------------------------------------------------------------------------------


def _written(value: Any) -> Any:
    """Return the document of *value* with the numbers that pydantic's encoder knows.

    Raises:
        PydanticSerializationError: a value cannot be written, or no float equals an amount.
    """
    try:
        return _as_floats(wire.unstructure(value))
    except SessionFSMError as error:
        raise PydanticSerializationError(str(error)) from None


def _as_floats(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _as_float(value)
    if is_object(value):
        return {name: _as_floats(member) for name, member in value.items()}
    return [*map(_as_floats, value)] if is_list(value) else value


def _as_float(amount: Decimal) -> int | float:
    if amount == amount.to_integral_value() and amount.adjusted() < 30:
        return int(amount)
    nearest = float(amount)
    if Decimal(repr(nearest)) == amount:
        return nearest
    raise PydanticSerializationError(
        f"{amount} has more digits than pydantic can write as a number; write it with session_fsm.wire.dumps"
    )
