"""Find the numbers that a function compares with, and copy the function with one of them changed; used by mutants.

The limits are found in the bytecode: each instruction has the source position from which it was compiled, and the
operands of a comparison are the positions inside it. So the source file is not needed. A limit is a literal number, a
global or enclosing variable (``MOST_UNITS``), an attribute of a module or class (``limits.MOST_UNITS``), or a call
with constants such as ``Decimal("9.99")`` or ``timedelta(days=14)``.

>>> def is_cheap(total: int) -> bool:
...     return total <= 10
>>> (limit,) = limits_of(is_cheap)
>>> limit.value, limit.neighbours
(10, (11, 9))
>>> is_cheap(11), with_limit(is_cheap, limit, 11)(11)
(False, True)
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import update_wrapper
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

from attrs import frozen

__all__ = ["Limit", "Number", "limits_of", "with_limit"]

Number: TypeAlias = "int | float | Decimal | timedelta"

_MOST_CONSTANTS = 255
"""The largest index that one ``LOAD_CONST`` can hold; a larger one needs ``EXTENDED_ARG``, which is not supported."""
_SPANS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1), timedelta.resolution)
_NO_VALUE = object()
_IGNORED_OPCODES = {"EXTENDED_ARG", "PRECALL", "PUSH_NULL"}
"""Instructions without effect on the value of an operand."""
_CALL_OPCODES = {"CALL", "CALL_KW"}

Place: TypeAlias = "tuple[tuple[int, int], tuple[int, int]]"
"""The source position of an instruction: line and column of its start and of its end."""


@frozen
class Limit:
    """A number that a function compares with, and the instructions that load it."""

    value: Number
    within: tuple[int, ...]
    """The path to the nested code object that compares: an index into ``co_consts`` for each level."""
    start: int
    """Offset of the first instruction, in bytes."""
    end: int
    """Offset after the last instruction, in bytes."""

    @property
    def neighbours(self) -> tuple[Number, Number]:
        """The next number above and below: by 1, by the last digit of a decimal, or by the largest whole unit of a timedelta."""
        unit: Any = 1
        match self.value:
            case Decimal():
                exponent: Any = self.value.as_tuple().exponent
                unit = Decimal(1).scaleb(min(exponent, 0))
            case timedelta():
                unit = next(span for span in _SPANS if not self.value % span)
            case _:
                pass
        value: Any = self.value
        return value + unit, value - unit


def limits_of(function: Callable[..., Any]) -> tuple[Limit, ...]:
    """Return the limits in *function* and in functions nested in it, in the order of the instructions."""
    if not isinstance(function, FunctionType):
        return ()
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    variables: dict[str, Any] = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
    return tuple(_limits(function.__code__, (), function.__globals__, variables))


def with_limit(function: Callable[..., Any], limit: Limit, value: Number) -> Callable[..., Any]:
    """Return a copy of *function* in which *limit* is *value*."""
    original: Any = function
    code = _replaced(original.__code__, limit.within, limit, value)
    copy = FunctionType(code, original.__globals__, original.__name__, original.__defaults__, original.__closure__)
    copy.__kwdefaults__ = original.__kwdefaults__
    return update_wrapper(copy, original)


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not _NO_VALUE
    except ValueError:  # the enclosing function has not assigned it yet
        return False


def _limits(
    code: CodeType, within: tuple[int, ...], variables: Mapping[str, Any], enclosing: Mapping[str, Any]
) -> Iterator[Limit]:
    instructions = list(dis.get_instructions(code))
    ends = [instruction.offset for instruction in instructions[1:]] + [len(code.co_code)]
    places = [_place(instruction) for instruction in instructions]
    found: dict[int, Limit] = {}
    for instruction, place in zip(instructions, places, strict=True):
        if instruction.opname == "COMPARE_OP" and place and len(code.co_consts) <= _MOST_CONSTANTS:
            for operand in _operands(place, places):
                block = [at for at, other in enumerate(places) if other and _holds(operand, other)]
                value = _value([instructions[at] for at in block], code, variables, enclosing)
                if _is_number(value):
                    start = instructions[block[0]].offset
                    found[start] = Limit(value, within, start, ends[block[-1]])
    yield from (found[start] for start in sorted(found))
    for index, constant in enumerate(code.co_consts):
        if isinstance(constant, CodeType):
            yield from _limits(constant, (*within, index), variables, enclosing)


def _place(instruction: dis.Instruction) -> Place | None:
    at = instruction.positions
    if at is None or None in (at.lineno, at.col_offset, at.end_lineno, at.end_col_offset):
        return None
    start: Any = (at.lineno, at.col_offset)
    end: Any = (at.end_lineno, at.end_col_offset)
    return start, end


def _holds(outer: Place, inner: Place) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _operands(comparison: Place, places: list[Place | None]) -> Iterator[Place]:
    """Yield the positions of the operands: the largest positions inside the comparison."""
    parts = {place for place in places if place and place != comparison and _holds(comparison, place)}
    for part in sorted(parts):
        if not any(other != part and _holds(other, part) for other in parts):
            yield part


def _value(
    block: list[dis.Instruction], code: CodeType, variables: Mapping[str, Any], enclosing: Mapping[str, Any]
) -> Any:
    """Return the value that *block* loads, or `_NO_VALUE` if it can differ from call to call."""
    first, *rest = (instruction for instruction in block if instruction.opname not in _IGNORED_OPCODES)
    value: Any = _NO_VALUE
    match first.opname:
        case "LOAD_CONST" | "LOAD_SMALL_INT":
            value = first.argval
        case "LOAD_GLOBAL":
            value = variables.get(first.argval, _NO_VALUE)
        case "LOAD_DEREF":
            value = enclosing.get(first.argval, _NO_VALUE)
        case _:
            pass
    while rest and rest[0].opname in ("LOAD_ATTR", "LOAD_METHOD"):
        if not isinstance(value, (ModuleType, type)):
            return _NO_VALUE
        value = getattr(value, rest.pop(0).argval, _NO_VALUE)
    if rest and rest[-1].opname in _CALL_OPCODES and (value is Decimal or value is timedelta):
        return _constructed(value, rest[:-1], code)
    return _NO_VALUE if rest else value


def _constructed(kind: Any, loads: list[dis.Instruction], code: CodeType) -> Any:
    """Return the *kind* that is built from constants, or `_NO_VALUE` if it has other arguments."""
    given: list[Any] = []
    names: tuple[str, ...] = ()
    for load in loads:
        if load.opname not in ("LOAD_CONST", "LOAD_SMALL_INT", "KW_NAMES"):
            return _NO_VALUE
        held: Any = code.co_consts[load.arg or 0] if load.opname == "KW_NAMES" else load.argval
        if isinstance(held, tuple):
            names = held  # pyright: ignore[reportUnknownVariableType]  # the compiler stores only names here
        else:
            given.append(held)
    positional = len(given) - len(names)
    try:
        return kind(*given[:positional], **dict(zip(names, given[positional:], strict=True)))
    except (ArithmeticError, TypeError, ValueError):  # the rule raises the same error when it runs
        return _NO_VALUE


def _is_number(value: Any) -> bool:
    if type(value) is Decimal:
        return value.is_finite()
    return type(value) in (int, float, timedelta)


def _replaced(code: CodeType, within: tuple[int, ...], limit: Limit, value: Number) -> CodeType:
    if within:
        index, *rest = within
        constants = list(code.co_consts)
        constants[index] = _replaced(constants[index], tuple(rest), limit, value)
        return code.replace(co_consts=tuple(constants))
    # One LOAD_CONST of a new constant, then NOPs: the code keeps its length, so that jumps stay correct.
    load = bytes((dis.opmap["LOAD_CONST"], len(code.co_consts)))
    padding = bytes((dis.opmap["NOP"], 0)) * ((limit.end - limit.start) // 2 - 1)
    instructions = code.co_code[: limit.start] + load + padding + code.co_code[limit.end :]
    return code.replace(co_code=instructions, co_consts=(*code.co_consts, value))
