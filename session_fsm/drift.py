"""Compare a description of the API (OpenAPI 3) with what a session class knows of its documents.

`drift` looks at the body of Update customer session, at the session that its response holds, at the body of Return cart
items, and at the errors. It reports members, types, limits, enumerations and required members that differ. What the
class knows is its JSON Schema (`session_fsm.wire.json_schema`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from attrs import field, frozen

from session_fsm.errors import ErrorResponse, InvalidValue, pointer_token
from session_fsm.session import CustomerSession
from session_fsm.validators import is_list, is_object
from session_fsm.values import SessionUpdate
from session_fsm.wire import ReturnRequest, json_schema
from session_fsm.wire.kinds import member_name, own_fields_of

__all__ = ["KNOWN", "Difference", "DifferenceKind", "drift"]

_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")
_INT64 = (-(2**63), 2**63 - 1)

_PUT, _RETURNS = "/customer_sessions/{}", "/customer_sessions/{}/returns"
# Where a description has each document: a path, a method, an answer or None for the request, and a member.
_PLACES: Mapping[str, tuple[str, str, str | None, str | None]] = {
    "session": (_PUT, "put", "2", "customerSession"),
    "update": (_PUT, "put", None, "customerSession"),
    "return": (_RETURNS, "post", None, "return"),
    "error": (_PUT, "put", "4", None),
}


_COUNT = "a count or a position is not negative"
_CAUSE = "the library writes the place of a fault as a pointer"
KNOWN: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("session/id", "required"): "a session that Talon.One has not seen has none",
        ("session/applicationId", "required"): "a session that Talon.One has not seen may have none",
        ("session/integrationId", "minLength"): "an empty ID cannot be in a URL",
        ("session/closurePrediction", "member"): "it was described for a few months of 2025 only",
        ("session/updateCount", "minimum"): "the creation counts",
        ("return/returnedCartItems/*/quantity", "minimum"): "nothing comes back of no units",
        ("error/StatusCode", "member"): "it is in the errors of status 409",
        **{(f"error/errors/*/source/{name}", "member"): _CAUSE for name in ("parameter", "line", "resource")},
        **{
            (f"{items}/{name}", "minimum"): _COUNT
            for items in ("session/cartItems/*", "update/cartItems/*", "return/returnedCartItems/*")
            for name in ("position", "returnedQuantity", "remainingQuantity")
        },
        **{
            (f"{document}/cartItems/*/position", "type"): "it is an index, though the description calls it a number"
            for document in ("session", "update")
        },
    }
)
"""The differences, by place and fact, that the class has on purpose from the description of August 2026, with reasons."""


class DifferenceKind(StrEnum):
    """How a description and a class differ."""

    NEW = "new"
    """The description has it, and the class does not."""
    GONE = "gone"
    """The class has it, and the description does not."""
    DIFFERENT = "different"
    """Both have it, and differ."""


@frozen
class Difference:
    """One difference between a description and a class."""

    place: str
    """The kind of document and the member, such as ``update/cartItems/*/sku``."""
    kind: DifferenceKind
    """How they differ."""
    fact: str
    """What differs: ``member``, ``type``, ``format``, ``enum``, ``required``, or a limit such as ``maxLength``."""
    text: str
    """The difference in words."""
    pointer: str
    """A JSON pointer into the description."""


def drift(description: Mapping[str, Any], kind: type[CustomerSession] = CustomerSession) -> list[Difference]:
    """Return how *description*, which is parsed already, differs from what *kind* knows.

    Fields that *kind* adds of its own are not expected in the description.

    Raises:
        InvalidValue: *description* is no description of the Integration API.
    """
    if not is_object(description) or not is_object(description.get("paths")):
        raise InvalidValue("", "this is no OpenAPI description: it has no paths")
    classes = {"session": kind, "update": SessionUpdate, "return": ReturnRequest, "error": ErrorResponse}
    own = frozenset(member_name(one.attribute) for one in own_fields_of(kind).values())
    found: list[Difference] = []
    documents = 0
    for name, place in _PLACES.items():
        there = _document(description, *place)
        if there is None:
            path, method, *_ = place
            text = f"{method.upper()} ...{path.format('{id}')} does not describe it"
            found.append(Difference(name, DifferenceKind.GONE, "document", text, ""))
            continue
        documents += 1
        schemas = [json_schema(classes[name], written=written) for written in (False, True)]
        comparison = _Comparison(own if name == "session" else frozenset())
        found += comparison.compare(name, there, *(_Node(schema, schema, "") for schema in schemas))
    if not documents:
        raise InvalidValue("/paths", "no path describes customer sessions")
    return found


# --- Finding the documents -------------------------------------------------------------------------------------------


@frozen
class _Node:
    """A schema within a document."""

    root: Any
    held: Any
    pointer: str

    def at(self, *steps: Any) -> _Node | None:
        """Return what is at the end of *steps*, or None where there is nothing."""
        held, pointer = self.held, self.pointer
        for step in steps:
            if not is_object(held) or step not in held:
                return None
            held, pointer = held[step], pointer + pointer_token(str(step))
        return _Node(self.root, held, pointer).resolved()

    def resolved(self) -> _Node:
        """Return what a reference leads to, or the node itself.

        Raises:
            InvalidValue: the reference leads nowhere.
        """
        seen: list[str] = []
        node = self
        while is_object(node.held) and isinstance(target := node.held.get("$ref"), str):
            there = _Node(self.root, self.root, "")
            steps = [step.replace("~1", "/").replace("~0", "~") for step in target.split("/")[1:]]
            for step in steps:
                if not is_object(there.held) or step not in there.held or target in seen:
                    raise InvalidValue(node.pointer, f"the reference {target:.100} leads nowhere in the description")
                there = _Node(self.root, there.held[step], there.pointer + pointer_token(step))
            seen.append(target)
            node = there
        return node


def _object(value: Any) -> Mapping[Any, Any]:
    """Return *value* if it is an object, otherwise an empty one: a description may hold anything."""
    return value if is_object(value) else {}


def _list(value: Any) -> list[Any]:
    return [*value] if is_list(value) else []


def _document(description: Any, path: str, method: str, answer: str | None, member: str | None) -> _Node | None:
    """Return the schema of a request or of the first answer whose status begins with *answer*."""
    root = _Node(description, description, "")
    for name in description["paths"]:
        if not _is_path(str(name), path):
            continue
        holder = root.at("paths", name, method, *(("requestBody",) if answer is None else ("responses",)))
        if holder is not None and answer is not None:
            statuses = sorted((status for status in _object(holder.held) if str(status).startswith(answer)), key=str)
            found = (holder.at(status, "content", "application/json", "schema") for status in statuses)
            holder = next((one for one in found if one is not None), None)
        elif holder is not None:
            holder = holder.at("content", "application/json", "schema")
        if holder is not None and member is not None:
            holder = _Shape(holder).members.get(member)
        if holder is not None:
            return holder.resolved()
    return None


def _is_path(name: str, wanted: str) -> bool:
    """Whether *name* ends with *wanted*, whatever its parameter is called."""
    steps, asked = name.strip("/").split("/"), wanted.strip("/").split("/")
    return len(steps) >= len(asked) and all(
        step.startswith("{") if one == "{}" else step == one
        for step, one in zip(steps[-len(asked) :], asked, strict=True)
    )


# --- Comparing -------------------------------------------------------------------------------------------------------


class _Shape:
    """What a schema says, with the parts of its ``allOf`` merged, and without null."""

    def __init__(self, node: _Node) -> None:
        self.node = node
        self.facts: dict[str, Any] = {}
        self.members: dict[str, _Node] = {}
        self.required: set[str] = set()
        self.items: _Node | None = None
        self.values: _Node | None = None
        self._add(node.resolved(), 0)

    def _add(self, node: _Node, depth: int) -> None:
        if not is_object(node.held) or depth > 20:
            return
        held: Any = node.held
        for name in ("allOf", "anyOf", "oneOf"):
            parts = enumerate(_list(held.get(name)))
            nodes = [_Node(node.root, part, f"{node.pointer}/{name}/{i}").resolved() for i, part in parts]
            nodes = [one for one in nodes if not is_object(one.held) or one.held.get("type") != "null"]
            if name == "allOf" or len(nodes) == 1:  # of other alternatives nothing is known
                for one in nodes:
                    self._add(one, depth + 1)
        for name in ("type", "format", "enum", *_LIMITS):
            if name in held:
                self.facts[name] = held[name]
        if is_list(self.facts.get("type")):  # OpenAPI 3.1 writes null as one of several types
            types = [one for one in self.facts["type"] if one != "null"]
            self.facts["type"] = types[0] if len(types) == 1 else None
        for name, member in _object(held.get("properties")).items():
            pointer = f"{node.pointer}/properties{pointer_token(str(name))}"
            self.members[str(name)] = _Node(node.root, member, pointer)
        self.required |= {str(name) for name in _list(held.get("required"))}
        if "items" in held:
            self.items = node.at("items")
        if is_object(held.get("additionalProperties")):
            self.values = node.at("additionalProperties")


Pair: TypeAlias = "tuple[str, str]"


@frozen
class _Comparison:
    """Compares the schemas of one kind of document."""

    own: frozenset[str]
    """The names of the members that the class adds of its own."""
    _open: set[Pair] = field(factory=set[Pair], init=False)

    def compare(self, place: str, there: _Node, here: _Node, written: _Node) -> Iterator[Difference]:
        """Yield the differences between the description *there* and the class *here*, as it reads and as it writes."""
        there, here, written = there.resolved(), here.resolved(), written.resolved()
        pair = (there.pointer, here.pointer)
        if not here.held or pair in self._open:  # any JSON value; or a schema that holds itself
            return
        self._open.add(pair)
        described, known, wrote = _Shape(there), _Shape(here), _Shape(written)
        yield from self._facts(place, there.pointer, described.facts, known.facts)
        if known.members:
            yield from self._members(place, described, known, wrote)
        for step, inner, ours, ours_written in (
            ("*", described.items, known.items, wrote.items),
            ("*", described.values, known.values, wrote.values),
        ):
            if inner is not None and ours is not None and ours_written is not None:
                yield from self.compare(f"{place}/{step}", inner, ours, ours_written)
        self._open.discard(pair)

    def _facts(self, place: str, pointer: str, there: dict[str, Any], here: dict[str, Any]) -> Iterator[Difference]:
        for fact in ("type", "format"):
            if there.get(fact) and here.get(fact) and there[fact] != here[fact]:
                text = f"the {fact} is {there[fact]}, and the class has {here[fact]}"
                yield Difference(place, DifferenceKind.DIFFERENT, fact, text, pointer)
        described, known = _list(there.get("enum")), _list(here.get("enum"))
        if described and known:
            more = [word for word in described if word not in known]
            fewer = [word for word in known if word not in described]
        else:
            more, fewer = described, known
        if more:
            text = f"values that the class does not have: {', '.join(map(str, more))}"
            yield Difference(place, DifferenceKind.NEW, "enum", text, pointer)
        if fewer:
            text = f"values that the description does not have: {', '.join(map(str, fewer))}"
            yield Difference(place, DifferenceKind.GONE, "enum", text, pointer)
        yield from self._limits(place, pointer, there, here)

    def _limits(self, place: str, pointer: str, there: dict[str, Any], here: dict[str, Any]) -> Iterator[Difference]:
        for limit in _LIMITS:
            described, known = there.get(limit), here.get(limit)
            known = None if known in _INT64 and described is None else known
            if described == known:
                continue
            if known is None:
                yield Difference(place, DifferenceKind.NEW, limit, f"{limit} is {described}", pointer)
            elif described is None:
                text = f"there is no {limit}, and the class has {known}"
                yield Difference(place, DifferenceKind.GONE, limit, text, pointer)
            else:
                text = f"{limit} is {described}, and the class has {known}"
                yield Difference(place, DifferenceKind.DIFFERENT, limit, text, pointer)

    def _members(self, place: str, there: _Shape, here: _Shape, written: _Shape) -> Iterator[Difference]:
        for name, member in there.members.items():
            inner = place + pointer_token(name)
            if name not in here.members:
                yield Difference(inner, DifferenceKind.NEW, "member", "the class has no such member", member.pointer)
                continue
            yield from self.compare(inner, member, here.members[name], written.members[name])
            if name in there.required and name not in written.required:
                text = "it is required, and the class may omit it"
                yield Difference(inner, DifferenceKind.NEW, "required", text, member.pointer)
            elif name in here.required and name not in there.required:
                text = "it is not required, and the class requires it"
                yield Difference(inner, DifferenceKind.GONE, "required", text, member.pointer)
        for name in here.members:
            if name not in there.members and name not in self.own:
                inner = place + pointer_token(name)
                yield Difference(
                    inner, DifferenceKind.GONE, "member", "the description has no such member", there.node.pointer
                )
