"""The checks of a subclass when it is made. They refuse what would be lost or wrong later.

`check_body` looks at a class as it stands in the source, `own_fields_of` at the fields that `attrs.define` made of it.
Every refusal is an `InvalidValue` that names the class, the attribute, and what would work instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import NOTHING, Attribute, fields

from session_fsm.appearance import ShownType
from session_fsm.errors import InvalidValue
from session_fsm.guards import SEEN_BY_RULES, Rule
from session_fsm.subclasses.annotations import annotations_of, is_class_variable, resolved_type
from session_fsm.subclasses.field_types import FieldType
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS, OwnField, OwnFields
from session_fsm.subclasses.supported_types import UnfitType, type_of
from session_fsm.validators import wire_name

__all__ = [
    "SessionType",
    "Undecorated",
    "check_body",
    "check_rules_listed",
    "is_generated",
    "is_undecorated",
    "own_fields_of",
    "parents_of",
]

DECORATOR = "@attrs.define(kw_only=True, eq=False, repr=False)"
_KEYWORDS = {"context", "now", "own", "payload_only", "returned_cart_items", "self"}
_WRAPPER = "customerSession"


class SessionType(ShownType):
    """The type of session classes: the definition of a class is fixed once the class is made."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **keywords: Any) -> None:  # noqa: N805 - it is a metaclass
        super().__init__(name, bases, namespace, **keywords)
        if any(isinstance(base, SessionType) for base in bases) and vars(cls).get("__judged__") is not cls:
            raise _refusal(cls, "has an __init_subclass__ above it that does not call super().__init_subclass__()")

    if not TYPE_CHECKING:  # pragma: no branch - type checkers use the signature of ``__init__``

        def __call__(cls, *args: Any, **given: Any) -> Any:  # noqa: N805 - it is a metaclass
            """Call the constructor. Its error about a missing argument names ``create``, which makes new sessions."""
            try:
                return super().__call__(*args, **given)
            except TypeError as error:
                if {"integration_id", "created", "updated"} <= given.keys():
                    raise
                raise TypeError(f"{error}; {cls.__name__}.create(...) makes a new session") from None

    def __setattr__(cls, name: str, value: object) -> None:  # noqa: N805 - it is a metaclass
        if name in {"rules", "machine"}:
            problem = f"{name} of {cls.__name__} is fixed when the class is made; make a subclass with other rules"
            raise AttributeError(problem)
        if name.startswith("__dataclass_"):
            raise TypeError(f"a session class is no dataclass; decorate {cls.__name__} with {DECORATOR}")
        if name in _names_of_fields(cls):
            raise AttributeError(f"{name} of {cls.__name__} is a field of sessions and cannot be replaced")
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:  # noqa: N805 - it is a metaclass
        if name in {"rules", "machine"}:
            raise AttributeError(f"{name} of {cls.__name__} is fixed when the class is made")
        super().__delattr__(name)


class Undecorated:
    """The machine of a class with undecorated fields; every use raises an error that says so.

    Every class is in that state for a moment, until its decorator runs.
    """

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python looks these up when it makes a class
            raise AttributeError(name)
        raise InvalidValue("", self._problem)


def is_undecorated(kind: type) -> bool:
    """Whether *kind* has annotated fields without `attrs.define`."""
    return isinstance(vars(kind).get("machine"), Undecorated)


def parents_of(kind: type, base: type) -> list[Any]:
    """Return the session classes among the direct bases of *kind*."""
    return [parent for parent in kind.__bases__ if issubclass(parent, base)]


# --- The body of a class -------------------------------------------------------------------------------------------


def check_body(kind: type[Any], base: type[Any]) -> Undecorated | None:
    """Check a new class, made by attrs or written by its author.

    Returns what stands for its machine where it has fields that nobody has decorated, and None otherwise.

    Raises:
        InvalidValue: see the module.
    """
    for parent in parents_of(kind, base):
        if is_undecorated(parent):
            _ = parent.machine.table  # raises the error
    if getattr(kind, "__parameters__", ()):
        raise _refusal(kind, "is generic; a session class has no type parameters")
    parents = parents_of(kind, base)
    if len({parent.rules for parent in parents}) > 1 and "rules" not in vars(kind):
        names = " and ".join(parent.__name__ for parent in parents)
        raise _refusal(
            kind, f"has two session classes for bases, {names}; give it `rules` that say which of theirs hold"
        )
    decorated = "__attrs_attrs__" in vars(kind)
    declared = [one.name for one in fields(kind) if not one.inherited] if decorated else [*_declared(kind)]
    _judge_names(kind, base, declared)
    mixins = [mixin for mixin in kind.__mro__ if not issubclass(mixin, base) and mixin not in base.__mro__]
    for mixin in mixins:
        _judge_mixin(kind, mixin, base)
    _judge_constructor(kind, kind)
    if decorated:
        return None
    inherited = next(one for one in kind.__mro__ if "__attrs_attrs__" in vars(one))
    foreign = [] if issubclass(inherited, base) else [attribute.name for attribute in fields(inherited)]
    if lost := [*declared, *foreign]:
        listed = ", ".join(lost)
        return Undecorated(
            f"{kind.__name__} has fields ({listed}) that would be lost; decorate the class with {DECORATOR}"
        )
    return None


def check_rules_listed(kind: type[Any]) -> None:
    """Check that every rule in the body of *kind* is among its rules.

    Raises:
        InvalidValue: one is not, and would never be called.
    """
    for name, value in vars(kind).items():
        if isinstance(value, Rule) and not any(one is value for one in kind.rules):
            problem = f"{kind.__name__}.{name} is a rule, but is not in {kind.__name__}.rules; list it there"
            raise InvalidValue("/rules", problem)


def _refusal(kind: type, problem: str) -> InvalidValue:
    return InvalidValue("", f"{kind.__name__} {problem}")


def _declared(kind: type) -> Iterator[str]:
    """Return the names that `attrs.define` would take for fields."""
    annotations = annotations_of(kind)
    for name, annotation in annotations.items():
        # An annotation of ``rules`` does not make it a field.
        if not is_class_variable(annotation) and name != "rules":
            yield name
    for name, value in vars(kind).items():
        if type(value).__name__ == "_CountingAttr" and name not in annotations:
            yield name


def _judge_names(kind: type, base: type[Any], declared: Iterable[str]) -> None:
    held, known = vars(kind), _names_of_fields(base)
    for name in (*declared, *held):
        if name in known:
            problem = f"defines {name} anew, which is a field of every session; keep it under another name"
            raise _refusal(kind, f"{problem}, or guard it with a rule")
    for name in declared:
        _judge_name(kind, base, name)
    for name, value in held.items():
        member = _member(base, name)
        if name.startswith("_") or member is None or name in {"rules", "machine"} or _is_method(value):
            continue
        if _is_method(member) or not _is_descriptor(value):
            raise _refusal(kind, f"hides {name} of CustomerSession behind {_article(value)}; give it another name")
    if "machine" in held and "__attrs_attrs__" not in held:
        raise _refusal(kind, "has a machine of its own; it is made of the class's rules")


def _member(base: type, name: str) -> Any:
    """Return the definition of *name* in *base* or a parent of it, or None."""
    return next((vars(one)[name] for one in base.__mro__ if name in vars(one)), None)


def _is_method(value: object) -> bool:
    return callable(value) or isinstance(value, (classmethod, staticmethod))


def _is_descriptor(value: object) -> bool:
    kind: Any = type(value)
    return hasattr(kind, "__get__")


def _article(value: object) -> str:
    return "a property" if _is_descriptor(value) else f"a value of type {type(value).__name__}"


def _judge_name(kind: type, base: type, name: str) -> None:
    """Refuse a field that would hide another attribute of that name."""
    if name in SEEN_BY_RULES or name in _KEYWORDS:
        raise _refusal(kind, f"has a field {name}, which means something else to rules and verbs; give it another name")
    if _member(base, name) is not None:
        hint = "annotate it as ClassVar" if name == "rules" else "give it another name"
        raise _refusal(kind, f"has a field {name}, which hides that of CustomerSession; {hint}")


def _judge_mixin(kind: type, mixin: type, base: type[Any]) -> None:
    held = vars(mixin)
    known = _names_of_fields(base)
    own = {attribute.name for attribute in held.get("__attrs_attrs__", ())}
    for name in (*held, *own):
        if name in known:
            raise _refusal(kind, f"inherits {name} from {mixin.__name__}, which is a field of every session")
    if "__attrs_attrs__" not in held:
        values = [name for name, one in annotations_of(mixin).items() if name in held and not is_class_variable(one)]
        if values:
            problem = f"inherits {values[0]} from {mixin.__name__}, where it is annotated but no field"
            raise _refusal(kind, f"{problem}; decorate {mixin.__name__} with @attrs.define too")
    _judge_constructor(kind, mixin)


def _judge_constructor(kind: type, owner: type) -> None:
    """Refuse a constructor that `create` and the reading of JSON would not call."""
    if "__attrs_init_subclass__" in vars(owner):
        raise _refusal(
            kind, "has an __attrs_init_subclass__, with which attrs would go past ours; use __init_subclass__"
        )
    for article, name in (("an", "__init__"), ("a", "__new__")):
        written: Any = vars(owner).get(name)
        if written is None or is_generated(written):
            continue
        whose = "of its own" if owner is kind else f"from {owner.__name__}"
        raise _refusal(
            kind, f"has {article} {name} {whose}, which reading JSON would go past; use a field or __attrs_post_init__"
        )


def is_generated(method: Any) -> bool:
    """Whether attrs has made *method*."""
    code = getattr(method, "__code__", None)
    return code is not None and code.co_filename.startswith("<attrs generated")


def _names_of_fields(kind: Any) -> frozenset[str]:
    found: frozenset[str] = getattr(kind, "__fixed__", frozenset())
    return found


# --- The fields that attrs has made --------------------------------------------------------------------------------


def own_fields_of(kind: type[Any], base: type[Any]) -> OwnFields:
    """Check the fields that a decorated class and its parents add, and return them.

    Raises:
        InvalidValue: see the module.
    """
    known = _names_of_fields(base)
    added: list[Any] = [attribute for attribute in fields(kind) if attribute.name not in known]
    if not added:
        return NO_OWN_FIELDS
    members = {wire_name(attribute.name): attribute.name for attribute in fields(base)} | {_WRAPPER: _WRAPPER}
    inherited = {
        name: one for parent in parents_of(kind, base) for name, one in parent.machine.own_fields.by_name.items()
    }
    held: list[OwnField] = []
    fresh = False
    for attribute in added:
        alias = attribute.alias or attribute.name
        for name in {attribute.name, alias}:
            _judge_name(kind, base, name)
        if not attribute.init:
            continue
        member = wire_name(alias)
        if member in members:
            other = members[member]
            raise _refusal(kind, f"has a field {attribute.name}, whose name in JSON, {member}, is that of {other}")
        members[member] = attribute.name
        parent = inherited.get(attribute.name) if attribute.inherited else None
        held_type = parent.type if parent else _type(kind, attribute)
        if parent:
            _set_type(attribute, parent.attribute.type)
        held.append(OwnField(attribute, held_type))
        fresh = fresh or not attribute.inherited
    if fresh and "__init__" not in vars(kind):
        raise _refusal(kind, "has fields, but no constructor that takes them; do not give attrs init=False")
    return OwnFields(held, [attribute for attribute in added if not attribute.init])


def _type(kind: type, attribute: Any) -> FieldType:
    name = f"{kind.__name__}.{attribute.name}"
    owner = next((one for one in kind.__mro__ if attribute.name in annotations_of(one)), kind)
    annotation = resolved_type(owner, attribute)
    try:
        held = type_of(annotation)
    except UnfitType as error:
        raise InvalidValue("", f"{name}: {error}") from None
    _set_type(attribute, annotation)
    default: Any = attribute.default
    if default is not NOTHING and attribute.converter is None and not hasattr(default, "takes_self"):
        problem = held.check(held.convert(default))
        if problem:
            text = problem if isinstance(problem, str) else "; ".join(map(str, problem))
            hint = "; add `| None` to its type" if default is None else ""
            raise InvalidValue("", f"{name}: its default is none of its type: {text}{hint}")
    return held


def _set_type(attribute: Attribute[Any], annotation: Any) -> None:
    object.__setattr__(attribute, "type", annotation)  # as `attrs.resolve_types` does
