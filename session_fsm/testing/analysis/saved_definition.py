"""Read a definition from the output of ``session-fsm diagram --format json``; used by `diff` and the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from session_fsm.diagrams.model import Diagram, Edge, Node, RuleText
from session_fsm.errors import Problem, WireError
from session_fsm.lifecycle import Authority
from session_fsm.states import EventName, Operation, State, Trigger
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.wire.text import parse

__all__ = ["read_definition"]

W = TypeVar("W", State, Trigger, Operation, EventName, Authority)


def read_definition(data: str | bytes) -> Diagram:
    """Return the diagram in *data*.

    Raises:
        WireError: *data* is not JSON, or not in the format ``json`` with full detail.
    """
    document = _object(parse(data), "")
    states = [(place, _object(each, place)) for place, each in _elements(document, "", "states")]
    rules = [(place, _object(each, place)) for place, each in _elements(document, "", "rules")]
    transitions = [(place, _object(each, place)) for place, each in _elements(document, "", "transitions")]
    return Diagram(
        title=_text(document, "", "title"),
        class_name=_text(document, "", "class"),
        nodes=tuple(Node(state=_word(State, e, p, "name"), final=bool(e.get("final"))) for p, e in states),
        edges=tuple(_edge(element, place) for place, element in transitions),
        rules=tuple(RuleText(code=_text(e, p, "code"), text=_text(e, p, "text")) for p, e in rules),
    )


def _edge(element: Mapping[str, Any], place: str) -> Edge:
    codes = _elements(element, place, "rules")
    return Edge(
        id=_text(element, place, "id"),
        source=None if element.get("source") is None else _word(State, element, place, "source"),
        trigger=_word(Trigger, element, place, "trigger"),
        target=_word(State, element, place, "target"),
        operation=_word(Operation, element, place, "operation"),
        event_name=_word(EventName, element, place, "event"),
        authority=_word(Authority, element, place, "authority"),
        rules=tuple(_as_text(code, at) for at, code in codes),
    )


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not is_object(value):
        raise WireError([Problem(place, f"{kind_of(value)} is not an object")])
    return value


def _member(element: Mapping[str, Any], place: str, name: str) -> Any:
    if name not in element:
        raise WireError([Problem(f"{place}/{name}", "is missing; save with: session-fsm diagram --format json")])
    return element[name]


def _elements(element: Mapping[str, Any], place: str, name: str) -> list[tuple[str, Any]]:
    value = _member(element, place, name)
    if not is_list(value):
        raise WireError([Problem(f"{place}/{name}", f"{kind_of(value)} is not a list")])
    return [(f"{place}/{name}/{index}", each) for index, each in enumerate(value)]


def _text(element: Mapping[str, Any], place: str, name: str) -> str:
    return _as_text(_member(element, place, name), f"{place}/{name}")


def _as_text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise WireError([Problem(place, f"{kind_of(value)} is not a string")])
    return value


def _word(words: type[W], element: Mapping[str, Any], place: str, name: str) -> W:
    value = _text(element, place, name)
    if value not in set(words):
        raise WireError([Problem(f"{place}/{name}", f'"{value:.40}" is none of: {", ".join(words)}')])
    return words(value)
