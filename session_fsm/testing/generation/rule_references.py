"""The names and constants that a rule refers to, from which a search makes candidates.

They are read from the rule's code object, from the globals, closure cells and defaults that it uses, and from the
functions of the same package that it calls. The source file is not needed.
"""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, cast

from attrs import evolve, frozen

from session_fsm import converters, validators
from session_fsm.converters import to_amount
from session_fsm.guards import SEEN_BY_RULES, Rule
from session_fsm.rules.optional import AttributeType
from session_fsm.validators import is_list, is_object

__all__ = ["RuleReferences", "reads_context", "references_of"]

_LONGEST_TEXT = 100
_MOST_VALUES = 10_000
"""The most values of collections to read; a catalog may hold more."""
_CHECKS_OF_VALUES = {converters.__name__, validators.__name__}
"""The modules whose constants are those of the library's own fields."""


@frozen(kw_only=True)
class RuleReferences:
    """The names and constants of one or more rules, the simplest first."""

    names: frozenset[str] = frozenset()
    """Fields, attributes and variables that the code reads."""
    everything: bool = False
    """Whether some code cannot be inspected, so that it may read any field."""
    texts: tuple[str, ...] = ()
    numbers: tuple[Decimal, ...] = ()
    moments: tuple[datetime, ...] = ()
    days: tuple[date, ...] = ()
    clock_times: tuple[time, ...] = ()
    spans: tuple[timedelta, ...] = ()
    types: tuple[tuple[str, AttributeType], ...] = ()
    """Attribute names with their declared types."""

    def with_values_of(self, other: RuleReferences) -> RuleReferences:
        """Return a copy with the constants of *other* after its own."""
        values = ("texts", "numbers", "moments", "days", "clock_times", "spans", "types")
        both: dict[str, Any] = {
            name: tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name)))) for name in values
        }
        return evolve(self, **both)

    def reads(self, *names: str) -> bool:
        """Whether the code reads one of *names*, or may read any."""
        return self.everything or not self.names.isdisjoint(names)


def references_of(rules: Iterable[Rule], kind: type[Any] | None = None) -> RuleReferences:
    """Return what *rules* refer to; *kind* is the session class whose added methods are read too."""
    reader = _Reader(kind)
    for rule in rules:
        reader.names.update(rule.parameters)
        before = reader.functions_read
        reader.read(rule.function, home=_package(rule.function))
        reader.everything |= reader.functions_read == before
    return reader.references()


def reads_context(rule: Rule) -> bool:
    """Whether *rule* takes the ``context=`` of the call."""
    return "context" in rule.arguments(SEEN_BY_RULES)


def _package(function: Any) -> str:
    return str(getattr(function, "__module__", None)).partition(".")[0]


class _Reader:
    def __init__(self, kind: type[Any] | None) -> None:
        self.kind = kind
        self.names: set[str] = set()
        self.everything = False
        self.functions_read = 0
        self.values: dict[type[Any], set[Any]] = {kind: set() for kind in _ORDER}
        self.types: set[tuple[str, AttributeType]] = set()
        self.seen: set[int] = set()
        self.kept: list[Any] = []
        """References to the seen objects, so that their `id` is not reused."""

    def references(self) -> RuleReferences:
        found = {kind: tuple(sorted(values, key=_ORDER[kind])) for kind, values in self.values.items()}
        return RuleReferences(
            names=frozenset(self.names),
            everything=self.everything,
            texts=found[str],
            numbers=found[Decimal],
            moments=found[datetime],
            days=found[date],
            clock_times=found[time],
            spans=found[timedelta],
            types=tuple(sorted(self.types)),
        )

    def read(self, value: Any, home: str) -> None:
        """Collect the constants in *value*; *home* is the package whose functions are read."""
        if isinstance(value, Enum):
            value = value.value
        match value:
            case str():
                if value and len(value) <= _LONGEST_TEXT:
                    self._add_text(value)
            case bool() | None:
                pass
            case int() | Decimal():
                self._add_number(Decimal(value))
            case float():
                self._add_number(Decimal(repr(value)))
            case datetime() | date() | time() | timedelta():
                self.values[type(value)].add(value) if type(value) in _ORDER else None
            case re.Pattern(pattern=pattern):  # pyright: ignore[reportUnknownVariableType] - of text or bytes
                self.read(pattern, home)
            case _:
                self._read_object(value, home)

    def _add_text(self, value: str) -> None:
        """Add a text, and the number or time that it represents."""
        self.values[str].add(value)
        number = to_amount(value)
        if number != value:  # `to_amount` returns other texts unchanged
            self._add_number(number)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return
        self.values[datetime].add(moment)

    def _add_number(self, value: Decimal) -> None:
        if value.is_finite():
            self.values[Decimal].add(value)

    def _read_object(self, value: Any, home: str) -> None:
        if id(value) in self.seen or len(self.seen) > _MOST_VALUES:
            return
        self.seen.add(id(value))
        self.kept.append(value)
        if is_object(value):
            for key, member in value.items():
                if isinstance(key, str) and isinstance(member, AttributeType):
                    self.types.add((key, member))
                self.read(key, home)
                self.read(member, home)
        elif is_list(value) or isinstance(value, (set, frozenset)):
            for element in cast("Iterable[Any]", value):
                self.read(element, home)
        elif isinstance(value, partial):
            for part in (value.func, value.args, value.keywords):
                self.read(part, home)
        elif isinstance(value, MethodType):
            self.read(value.__func__, home)
            self._read_contents(value.__self__, home)
        elif isinstance(value, FunctionType):
            self._read_function(value, home)
        elif not isinstance(value, (type, ModuleType)):
            self._read_contents(value, home)

    def _read_contents(self, value: Any, home: str) -> None:
        """Read an object of a class of the rule's package: its attributes and its ``__call__``."""
        if _package(type(value)) != home:
            return
        self.read(dict(getattr(value, "__dict__", {})), home)
        call = inspect.getattr_static(value.__class__, "__call__", None)
        if isinstance(call, FunctionType):
            self.read(call, home)

    def _read_function(self, function: FunctionType, home: str) -> None:
        # What the library compares values with is no limit of a rule.
        if _package(function) != home or function.__module__ in _CHECKS_OF_VALUES:
            return
        if isinstance(wrapped := inspect.unwrap(function), FunctionType) and wrapped is not function:
            self.read(wrapped, home)
        for cell in function.__closure__ or ():
            try:
                self.read(cell.cell_contents, home)
            except ValueError:  # the enclosing function has not assigned the variable yet
                continue
        self.read(function.__defaults__, home)
        self.read(function.__kwdefaults__, home)
        self._read_code(function.__code__, function.__globals__, home, function.__doc__)

    def _read_code(
        self, code: CodeType, variables: Mapping[str, Any], home: str, documentation: str | None = None
    ) -> None:
        self.functions_read += 1
        self.names.update(code.co_names, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        for constant in (*code.co_consts, *_small_integers(code)):
            if isinstance(constant, CodeType):
                self._read_code(constant, variables, home)
            elif constant != documentation:
                self.read(constant, home)
        for name in code.co_names:
            if name in variables:
                self._read_variable(variables[name], code.co_names, home)
            elif self.kind is not None:
                member = inspect.getattr_static(self.kind, name, None)
                self._read_member(getattr(member, "fget", member))

    def _read_variable(self, value: Any, names: Iterable[str], home: str) -> None:
        """Read a global variable; of a module or class, the members that the code names."""
        if isinstance(value, type) and issubclass(value, Enum):
            self.read([value.__members__[name] for name in names if name in value.__members__], home)
        elif isinstance(value, (type, ModuleType)):
            self.read([vars(value)[name] for name in names if name in vars(value)], home)
        elif isinstance(value, Rule):
            self.read(value.function, home)
        else:
            self.read(value, home)

    def _read_member(self, member: Any) -> None:
        """Read a method or property that the session class adds."""
        if isinstance(member, FunctionType) and _package(member) != "session_fsm":
            self.read(member, _package(member))


@lru_cache(maxsize=1024)
def _small_integers(code: CodeType) -> tuple[int, ...]:
    """Return the small integers in *code*, which since Python 3.14 are in instructions and not in ``co_consts``."""
    return tuple(each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_SMALL_INT")


_ORDER: dict[type[Any], Callable[[Any], Any]] = {
    str: lambda text: (any(map(str.isspace, text)), len(text), text),
    Decimal: lambda number: (abs(number), number),
    datetime: lambda moment: (moment.tzinfo is not None, moment.isoformat()),
    date: date.isoformat,
    time: time.isoformat,
    timedelta: lambda span: span,
}
"""The types of constants, each with its sort key: words before sentences, small before large."""
