"""How often each session class did what: plain counts by name, which travel between processes as JSON.

The format is versioned and described in ``docs/testing/coverage.md``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from attrs import field, frozen

from session_fsm.decisions import Outcome, Rule
from session_fsm.errors import Problem, WireError
from session_fsm.session import CustomerSession
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.wire.text import parse

__all__ = ["Asked", "ClassName", "RuleName", "Tally", "Way", "document_of", "read"]

FORMAT = "session-fsm recording"
VERSION = 1


class ClassName(NamedTuple):
    """A session class by its name, and those that it inherits from by theirs, so that other processes know them."""

    name: str
    """The module and the qualified name, as ``shop.sessions:ShopSession``."""
    bases: tuple[str, ...]

    @classmethod
    def of(cls, kind: type[Any]) -> ClassName:
        """Return the name of *kind*."""
        name, *bases = (f"{base.__module__}:{base.__qualname__}" for base in kind.__mro__ if _is_session(base))
        return cls(name, tuple(bases))


def _is_session(kind: type[Any]) -> bool:
    return issubclass(kind, CustomerSession)


class RuleName(NamedTuple):
    """A rule by the code of its fault and by its function: another rule against the same fault is another rule."""

    code: str
    function: str

    @classmethod
    def of(cls, rule: Rule) -> RuleName:
        """Return the name of *rule*."""
        function: Any = rule.function
        name = getattr(function, "__qualname__", type(function).__qualname__)
        return cls(rule.code, f"{getattr(function, '__module__', '')}:{name}")


class Way(NamedTuple):
    """What a row of the table says: where from (None where a session is created), by what, where to."""

    source: str | None
    trigger: str
    target: str


class Asked(NamedTuple):
    """A trigger that the table does not have from a state."""

    state: str
    trigger: str


@frozen
class Tally:
    """The counts of one class."""

    kind: ClassName
    fired: Counter[Way] = field(factory=Counter[Way])
    refused: Counter[Asked] = field(factory=Counter[Asked])
    rules: Counter[tuple[RuleName, str]] = field(factory=Counter["tuple[RuleName, str]"])
    """By rule and outcome."""

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """Return the counts of several classes together, as those of none."""
        total = cls(ClassName("", ()))
        for tally in tallies:
            total.add(tally)
        return total

    def add(self, other: Tally) -> None:
        """Count what *other* counted too."""
        self.fired.update(other.fired)
        self.refused.update(other.refused)
        self.rules.update(other.rules)


def document_of(tallies: Iterable[Tally]) -> dict[str, Any]:
    """Return *tallies* as a JSON document, whatever order they came in."""
    return {"format": FORMAT, "version": VERSION, "classes": [_class(t) for t in sorted(tallies, key=_by_name)]}


def _by_name(tally: Tally) -> ClassName:
    return tally.kind


def _class(tally: Tally) -> dict[str, Any]:
    ways = sorted(tally.fired.items(), key=lambda counted: json.dumps(counted[0]))
    rules = {name: {outcome: tally.rules[name, outcome] for outcome in Outcome} for name, _ in sorted(tally.rules)}
    return {
        "class": tally.kind.name,
        "bases": list(tally.kind.bases),
        "rows": [{"source": w.source, "trigger": w.trigger, "target": w.target, "count": n} for w, n in ways],
        "refused": [{"state": a.state, "trigger": a.trigger, "count": n} for a, n in sorted(tally.refused.items())],
        "rules": [{"code": name.code, "function": name.function} | counts for name, counts in rules.items()],
    }


def read(data: str | bytes) -> list[Tally]:
    """Read what `document_of` returned, written as JSON.

    Raises:
        WireError: it is no JSON, no recording, or one of a later version.
    """
    document = _object(parse(data, most_bytes=None), "")
    if document.get("format") != FORMAT:
        raise _problem("/format", f"this is no {FORMAT}")
    if document.get("version") != VERSION:
        raise _problem(
            "/version", f"{json.dumps(document.get('version'), default=str)} is not {VERSION}, the one that is known"
        )
    return [_tally(members, pointer) for members, pointer in _objects(document, "classes", "")]


def _tally(members: dict[str, Any], pointer: str) -> Tally:
    bases = _list(members, "bases", pointer)
    for place, base in enumerate(bases):
        _text(base, f"{pointer}/bases/{place}")
    tally = Tally(ClassName(_text(members.get("class"), f"{pointer}/class"), tuple(bases)))
    for row, at in _objects(members, "rows", pointer):
        source = None if row.get("source") is None else _text(row["source"], f"{at}/source")
        way = Way(source, _text(row.get("trigger"), f"{at}/trigger"), _text(row.get("target"), f"{at}/target"))
        tally.fired[way] += _count(row, "count", at)
    for cell, at in _objects(members, "refused", pointer):
        asked = Asked(_text(cell.get("state"), f"{at}/state"), _text(cell.get("trigger"), f"{at}/trigger"))
        tally.refused[asked] += _count(cell, "count", at)
    for rule, at in _objects(members, "rules", pointer):
        name = RuleName(_text(rule.get("code"), f"{at}/code"), _text(rule.get("function"), f"{at}/function"))
        for outcome in Outcome:
            tally.rules[name, outcome] += _count(rule, outcome, at)
    return tally


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
