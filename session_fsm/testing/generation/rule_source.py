"""What a rule mentions: the names that it reads, and the constants with which it may compare what it finds there.

A rule is a Python function, and what it is made of can be read: its constants and the names in its code, the global
variables, closure cells and defaults that it refers to, and the functions of the same package that it calls.
A search for a session that the rule refuses begins with these values and with their neighbours.
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

from session_fsm.decisions import Rule
from session_fsm.rules.optional import AttributeType
from session_fsm.validators import is_list, is_object, to_amount

__all__ = ["Mentions", "mentioned"]

_LONGEST_TEXT = 100
_MOST_VALUES = 10_000
"""So many values of collections are looked at; a catalog may hold more."""


@frozen(kw_only=True)
class Mentions:
    """The names and constants of one or more rules, the simplest first."""

    names: frozenset[str] = frozenset()
    """Fields, attributes and variables that are read."""
    everything: bool = False
    """Whether some of the code cannot be read, so that it may look at any field."""
    texts: tuple[str, ...] = ()
    numbers: tuple[Decimal, ...] = ()
    moments: tuple[datetime, ...] = ()
    days: tuple[date, ...] = ()
    clock_times: tuple[time, ...] = ()
    spans: tuple[timedelta, ...] = ()
    types: tuple[tuple[str, AttributeType], ...] = ()
    """Names that are declared with the type of an attribute."""

    def with_values_of(self, other: Mentions) -> Mentions:
        """Return the same names, with the constants of *other* after their own."""
        values = ("texts", "numbers", "moments", "days", "clock_times", "spans", "types")
        both: dict[str, Any] = {
            name: tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name)))) for name in values
        }
        return evolve(self, **both)

    def about(self, *names: str) -> bool:
        """Whether one of *names* is read, as far as can be known."""
        return self.everything or not self.names.isdisjoint(names)


def mentioned(rules: Iterable[Rule], kind: type[Any] | None = None) -> Mentions:
    """Return what *rules* mention; *kind* is the session class whose own methods they may call."""
    finder = _Finder(kind)
    for rule in rules:
        finder.names.update(rule.parameters)
        read = finder.read
        finder.look_at(rule.function, home=_package(rule.function))
        finder.everything |= finder.read == read
    return finder.mentions()


def _package(function: Any) -> str:
    return str(getattr(function, "__module__", None)).partition(".")[0]


class _Finder:
    def __init__(self, kind: type[Any] | None) -> None:
        self.kind = kind
        self.names: set[str] = set()
        self.everything = False
        self.read = 0
        """How many functions were read."""
        self.values: dict[type[Any], set[Any]] = {kind: set() for kind in _ORDER}
        self.types: set[tuple[str, AttributeType]] = set()
        self.seen: set[int] = set()
        self.kept: list[Any] = []
        """What was seen, kept alive so that nothing else gets its identity."""

    def mentions(self) -> Mentions:
        found = {kind: tuple(sorted(values, key=_ORDER[kind])) for kind, values in self.values.items()}
        return Mentions(
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

    def look_at(self, value: Any, home: str) -> None:
        """Note what *value* is, or holds; *home* is the package whose functions are read too."""
        if isinstance(value, Enum):
            value = value.value
        match value:
            case str():
                if value and len(value) <= _LONGEST_TEXT:
                    self._note_text(value)
            case bool() | None:
                pass
            case int() | Decimal():
                self._note_number(Decimal(value))
            case float():
                self._note_number(Decimal(repr(value)))
            case datetime() | date() | time() | timedelta():
                self.values[type(value)].add(value) if type(value) in _ORDER else None
            case re.Pattern(pattern=pattern):  # pyright: ignore[reportUnknownVariableType] - of text or bytes
                self.look_at(pattern, home)
            case _:
                self._look_into(value, home)

    def _note_text(self, value: str) -> None:
        """Note a text, and the number or time that it may be turned into."""
        self.values[str].add(value)
        number = to_amount(value)
        if number != value:  # a text that is no numeral stays what it is
            self._note_number(number)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return
        self.values[datetime].add(moment)

    def _note_number(self, value: Decimal) -> None:
        if value.is_finite():
            self.values[Decimal].add(value)

    def _look_into(self, value: Any, home: str) -> None:
        if id(value) in self.seen or len(self.seen) > _MOST_VALUES:
            return
        self.seen.add(id(value))
        self.kept.append(value)
        if is_object(value):
            for key, member in value.items():
                if isinstance(key, str) and isinstance(member, AttributeType):
                    self.types.add((key, member))
                self.look_at(key, home)
                self.look_at(member, home)
        elif is_list(value) or isinstance(value, (set, frozenset)):
            for element in cast("Iterable[Any]", value):
                self.look_at(element, home)
        elif isinstance(value, partial):
            for part in (value.func, value.args, value.keywords):
                self.look_at(part, home)
        elif isinstance(value, MethodType):
            self.look_at(value.__func__, home)
            self._look_at_contents(value.__self__, home)
        elif isinstance(value, FunctionType):
            self._look_at_function(value, home)
        elif not isinstance(value, (type, ModuleType)):
            self._look_at_contents(value, home)

    def _look_at_contents(self, value: Any, home: str) -> None:
        """Look at an object of a class of the rule's package: at what it holds, and what it does when called."""
        if _package(type(value)) != home:
            return
        self.look_at(dict(getattr(value, "__dict__", {})), home)
        call = inspect.getattr_static(value.__class__, "__call__", None)
        if isinstance(call, FunctionType):
            self.look_at(call, home)

    def _look_at_function(self, function: FunctionType, home: str) -> None:
        if _package(function) != home:
            return
        if isinstance(wrapped := inspect.unwrap(function), FunctionType) and wrapped is not function:
            self.look_at(wrapped, home)
        for cell in function.__closure__ or ():
            try:
                self.look_at(cell.cell_contents, home)
            except ValueError:  # the cell is empty until the enclosing function has returned
                continue
        self.look_at(function.__defaults__, home)
        self.look_at(function.__kwdefaults__, home)
        self._look_at_code(function.__code__, function.__globals__, home, function.__doc__)

    def _look_at_code(
        self, code: CodeType, variables: Mapping[str, Any], home: str, documentation: str | None = None
    ) -> None:
        self.read += 1
        self.names.update(code.co_names, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        for constant in (*code.co_consts, *_small_integers(code)):
            if isinstance(constant, CodeType):
                self._look_at_code(constant, variables, home)
            elif constant != documentation:
                self.look_at(constant, home)
        for name in code.co_names:
            if name in variables:
                self._look_at_variable(variables[name], code.co_names, home)
            elif self.kind is not None:
                member = inspect.getattr_static(self.kind, name, None)
                self._look_at_member(getattr(member, "fget", member))

    def _look_at_variable(self, value: Any, names: Iterable[str], home: str) -> None:
        """Look at a global variable; of a module or a class, at those of its members that the code names."""
        if isinstance(value, type) and issubclass(value, Enum):
            self.look_at([value.__members__[name] for name in names if name in value.__members__], home)
        elif isinstance(value, (type, ModuleType)):
            self.look_at([vars(value)[name] for name in names if name in vars(value)], home)
        elif isinstance(value, Rule):
            self.look_at(value.function, home)
        else:
            self.look_at(value, home)

    def _look_at_member(self, member: Any) -> None:
        """Look at a method or property that the session class adds."""
        if isinstance(member, FunctionType) and _package(member) != "session_fsm":
            self.look_at(member, _package(member))


@lru_cache(maxsize=1024)
def _small_integers(code: CodeType) -> tuple[int, ...]:
    """Return the small integers in *code*: from 3.14 on they stand in the instructions and not among the constants."""
    return tuple(each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_SMALL_INT")


_ORDER: dict[type[Any], Callable[[Any], Any]] = {
    str: lambda text: (any(map(str.isspace, text)), len(text), text),
    Decimal: lambda number: (abs(number), number),
    datetime: lambda moment: (moment.tzinfo is not None, moment.isoformat()),
    date: date.isoformat,
    time: time.isoformat,
    timedelta: lambda span: span,
}
"""The kinds of constants that are of use, and how each is put in order: words before sentences, small before large."""
