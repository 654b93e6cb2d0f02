"""Counters of each session class, keyed by name, which a recorder writes and reads as JSON.

The format is versioned and described in ``docs/testing/coverage.md``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from attrs import field, frozen

from session_fsm.decisions import Outcome
from session_fsm.errors import Problem, WireError
from session_fsm.guards import Rule
from session_fsm.session import CustomerSession
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.wire.text import parse

__all__ = ["ClassCounters", "ClassName", "RuleName", "TransitionKey", "read_counters", "to_document"]

FORMAT = "session-fsm recording"
VERSION = 1


class ClassName(NamedTuple):
    """The names of a session class and of its session base classes, which are the same in every process."""

    name: str
    """The module and the qualified name, such as ``shop.sessions:ShopSession``."""
    bases: tuple[str, ...]

    @classmethod
    def of(cls, kind: type[Any]) -> ClassName:
        """Return the name of *kind*."""
        name, *bases = (f"{base.__module__}:{base.__qualname__}" for base in kind.__mro__ if _is_session(base))
        return cls(name, tuple(bases))


def _is_session(kind: type[Any]) -> bool:
    return issubclass(kind, CustomerSession)


class RuleName(NamedTuple):
    """The code and the function of a rule; two rules with one code but different functions are different rules."""

    code: str
    function: str

    @classmethod
    def of(cls, rule: Rule) -> RuleName:
        """Return the name of *rule*."""
        function: Any = rule.function
        name = getattr(function, "__qualname__", type(function).__qualname__)
        return cls(rule.code, f"{getattr(function, '__module__', '')}:{name}")


class TransitionKey(NamedTuple):
    """A row of the table: source state (None for a creation), trigger and target state."""

    source: str | None
    trigger: str
    target: str


class MissingTransition(NamedTuple):
    """A state and a trigger for which the table has no row."""

    state: str
    trigger: str


@frozen
class ClassCounters:
    """The counters of one class."""

    kind: ClassName
    fired: Counter[TransitionKey] = field(factory=Counter[TransitionKey])
    refused: Counter[MissingTransition] = field(factory=Counter[MissingTransition])
    rules: Counter[tuple[RuleName, str]] = field(factory=Counter["tuple[RuleName, str]"])
    """Keyed by rule and outcome."""

    @classmethod
    def sum(cls, counters: Iterable[ClassCounters]) -> ClassCounters:
        """Return the sum of *counters*, under an empty class name."""
        total = cls(ClassName("", ()))
        for one in counters:
            total.add(one)
        return total

    def add(self, other: ClassCounters) -> None:
        """Add the counts of *other* to these."""
        self.fired.update(other.fired)
        self.refused.update(other.refused)
        self.rules.update(other.rules)


def to_document(counters: Iterable[ClassCounters]) -> dict[str, Any]:
    """Return *counters* as a JSON document, sorted by class name."""
    return {"format": FORMAT, "version": VERSION, "classes": [_class(one) for one in sorted(counters, key=_by_name)]}


def _by_name(counters: ClassCounters) -> ClassName:
    return counters.kind


def _class(counters: ClassCounters) -> dict[str, Any]:
    rows = sorted(counters.fired.items(), key=lambda counted: json.dumps(counted[0]))
    rules = {
        name: {outcome: counters.rules[name, outcome] for outcome in Outcome} for name, _ in sorted(counters.rules)
    }
    return {
        "class": counters.kind.name,
        "bases": list(counters.kind.bases),
        "rows": [{"source": key.source, "trigger": key.trigger, "target": key.target, "count": n} for key, n in rows],
        "refused": [{"state": a.state, "trigger": a.trigger, "count": n} for a, n in sorted(counters.refused.items())],
        "rules": [{"code": name.code, "function": name.function} | counts for name, counts in rules.items()],
    }


def read_counters(data: str | bytes) -> list[ClassCounters]:
    """Return the counters in *data*, the JSON text of what `to_document` returns.

    Raises:
        WireError: *data* is not JSON, not a recording, or of another version.
    """
    document = _object(parse(data, most_bytes=None), "")
    if document.get("format") != FORMAT:
        raise _problem("/format", f"this is no {FORMAT}")
    if document.get("version") != VERSION:
        raise _problem(
            "/version", f"{json.dumps(document.get('version'), default=str)} is not {VERSION}, the supported version"
        )
    return [_read_class(members, pointer) for members, pointer in _objects(document, "classes", "")]


def _read_class(members: dict[str, Any], pointer: str) -> ClassCounters:
    bases = _list(members, "bases", pointer)
    for place, base in enumerate(bases):
        _text(base, f"{pointer}/bases/{place}")
    counters = ClassCounters(ClassName(_text(members.get("class"), f"{pointer}/class"), tuple(bases)))
    for row, at in _objects(members, "rows", pointer):
        source = None if row.get("source") is None else _text(row["source"], f"{at}/source")
        key = TransitionKey(
            source, _text(row.get("trigger"), f"{at}/trigger"), _text(row.get("target"), f"{at}/target")
        )
        counters.fired[key] += _count(row, "count", at)
    for cell, at in _objects(members, "refused", pointer):
        missing = MissingTransition(
            _text(cell.get("state"), f"{at}/state"), _text(cell.get("trigger"), f"{at}/trigger")
        )
        counters.refused[missing] += _count(cell, "count", at)
    for rule, at in _objects(members, "rules", pointer):
        name = RuleName(_text(rule.get("code"), f"{at}/code"), _text(rule.get("function"), f"{at}/function"))
        for outcome in Outcome:
            counters.rules[name, outcome] += _count(rule, outcome, at)
    return counters


def _problem(pointer: str, text: str) -> WireError:
    return WireError([Problem(pointer, text)])


def _object(value: Any, pointer: str) -> dict[str, Any]:
    if not is_object(value):
        raise _problem(pointer, f"{kind_of(value)} is not an object")
    return dict(value)


def _list(members: dict[str, Any], name: str, pointer: str) -> list[Any]:
    value = members.get(name)
    if not is_list(value):
        raise _problem(f"{pointer}/{name}", f"{kind_of(value)} is not a list")
    return list(value)


def _objects(members: dict[str, Any], name: str, pointer: str) -> Iterator[tuple[dict[str, Any], str]]:
    for place, value in enumerate(_list(members, name, pointer)):
        at = f"{pointer}/{name}/{place}"
        yield _object(value, at), at


def _text(value: Any, pointer: str) -> str:
    if not isinstance(value, str):
        raise _problem(pointer, f"{kind_of(value)} is not text")
    return value


def _count(members: dict[str, Any], name: str, pointer: str) -> int:
    value = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _problem(f"{pointer}/{name}", f"{json.dumps(value, default=str):.40} is not a count")
    return value
