"""What happens when a session class is made: it is checked, and gets its machine and its methods.

``CustomerSession.__init_subclass__`` calls `prepare` on every new class, and attrs calls `finish` after it has found the
fields of a decorated one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import wraps
from typing import Any

from attrs import fields

from session_fsm.completion import completing
from session_fsm.entities import assign, find_cached
from session_fsm.errors import InvalidValue
from session_fsm.generated import reader
from session_fsm.guards import SEEN_BY_RULES
from session_fsm.machine import LifecycleMachine
from session_fsm.states import State
from session_fsm.subclasses.checks import (
    check_body,
    check_rules_listed,
    is_generated,
    is_undecorated,
    own_fields_of,
    parents_of,
)
from session_fsm.user_functions import is_async
from session_fsm.validators import is_list, kind_of

__all__ = ["finish", "machine_of", "prepare"]

_STATES = [state.value for state in State]


def prepare(cls: Any, root: Any) -> None:
    """Check the body of *cls*, a new subclass of *root*, and give it its machine. attrs has not seen it yet."""
    undecorated = check_body(cls, root)
    if is_list(cls.rules):
        if not isinstance(cls.rules, tuple):
            type.__setattr__(cls, "rules", tuple(cls.rules))  # a list could change, and has no hash
        # attrs creates a class a second time, which may be a mutant by then.
        if "__attrs_attrs__" not in vars(cls):
            check_rules_listed(cls)
    type.__setattr__(cls, "__cached__", find_cached(cls))
    type.__setattr__(cls, "__judged__", cls)
    written = cls.__attrs_post_init__
    if not hasattr(written, "completes"):
        if "__attrs_post_init__" in vars(cls):
            # attrs replaces a slotted class by a new one, and fixes `super()` in the functions of the class body.
            type.__setattr__(cls, "__written_post_init__", written)
        type.__setattr__(cls, "__attrs_post_init__", completing(written))
    type.__setattr__(cls, "machine", undecorated or machine_of(cls, root))


def finish(cls: Any, root: Any) -> None:
    """Check the fields that `attrs.define` found in *cls*, and remove the methods that it adds without being asked."""
    held: dict[str, Any] = cls.__dict__
    own_fields = own_fields_of(cls, root)
    if is_undecorated(cls):  # attrs does not replace a class without slots
        type.__setattr__(cls, "machine", machine_of(cls, root))
    vars(cls.machine)["own_fields"] = own_fields  # set past `__setattr__`, which would look for callbacks
    cls.__contents__ = reader(cls)
    if is_generated(held.get("__eq__")) or is_generated(held.get("__hash__")):
        cls.__hash__ = root.__hash__  # attrs took it away
    for name in ("__eq__", "__ne__", "__repr__"):
        if is_generated(held.get(name)):
            setattr(cls, name, getattr(root, name))
    del cls.__setattr__
    cls.__attrs_own_setattr__ = False  # attrs looks at it in the bases of a class
    for name in ("__getstate__", "__setstate__"):
        if getattr(held.get(name), "__name__", "").startswith("slots_"):
            delattr(cls, name)
    if own_fields and is_generated(held.get("__init__")):
        cls.__init__ = _constructor(held["__init__"], root.__init__)


def _constructor(generated: Callable[..., None], of_root: Callable[..., None]) -> Callable[..., None]:
    """Return the ``__init__`` of a class with fields of its own, in place of the one that attrs has *generated*.

    The generated one would let exceptions of the class's converters and validators through as they are.
    """

    @wraps(generated)
    def construct(self: Any, *args: Any, **given: Any) -> None:
        own_fields = self.machine.own_fields
        names = [one.alias for one in own_fields.by_alias.values() if not one.attribute.kw_only]
        if len(args) > len(names):
            raise TypeError(
                f"{type(self).__name__}() takes {len(names)} positional arguments but {len(args)} were given"
            )
        given |= dict(zip(names, args, strict=False))
        own = {alias: given.pop(alias) for alias in own_fields.by_alias if alias in given}
        assign(self, own_fields.values(own, type(self).__name__))
        of_root(self, **given)

    return construct


def machine_of(cls: Any, root: Any) -> LifecycleMachine:
    """Build the machine of *cls*, a subclass of *root*, with its ``on_enter_...`` and ``on_exit_...`` methods as callbacks."""
    if not is_list(cls.rules):
        raise InvalidValue("/rules", f"{kind_of(cls.rules)} is not a list of rules")
    bases: tuple[Any, ...] = cls.__mro__[1:]
    parent: LifecycleMachine | None = next((base.machine for base in bases if "machine" in vars(base)), None)
    inherited: Any = {} if parent is None else {"table": parent.table, "unchecked": parent.unchecked}
    machine = LifecycleMachine(cls.rules, name=cls.__name__, kind=cls, **inherited)
    if parent is not None and "__attrs_attrs__" not in vars(cls):  # otherwise its fields are checked later
        vars(machine)["own_fields"] = parent.own_fields  # set past `__setattr__`, which would look for callbacks
    annotated = {name for base in cls.__mro__ for name in getattr(base, "__annotations__", {})}
    seen = annotated.union(SEEN_BY_RULES, (attribute.name for attribute in fields(cls)))
    for place, one in enumerate(machine.rules):
        if unknown := [name for name in one.parameters if name not in seen]:
            problem = f"the rule {one.code} asks for {unknown[0]}, which is no field of {cls.__name__}"
            if unknown[0] == "self":
                problem += "; a rule is a function, so name session or after instead"
            raise InvalidValue(f"/rules/{place}", problem)
        if is_async(one.function):
            raise InvalidValue(f"/rules/{place}", f"the rule {one.code} is asynchronous; a rule answers at once")
    for base in parents_of(cls, root) if parent is not None else ():
        machine.inherit_callbacks(base.machine)
    for name in _callback_methods(cls):
        when, state = name.removeprefix("on_").split("_", 1)
        callbacks = getattr(machine.get_state(state), f"on_{when}")
        if name not in callbacks:
            callbacks.append(name)
    return machine


def _callback_methods(cls: type[Any]) -> Iterator[str]:
    """Return the names of the methods of *cls* that are callbacks of entering or leaving a state.

    Raises:
        InvalidValue: a method is named like one, but no state has its name.
    """
    for name in dir(cls):
        if not name.startswith(("on_enter_", "on_exit_")) or not callable(getattr(cls, name, None)):
            continue
        on, when, state = name.split("_", 2)
        if state in _STATES:
            yield name
            continue
        near = get_close_matches(state.lower(), _STATES, 1)
        meant = f"{on}_{when}_{near[0]} is" if near else f"the states are {', '.join(_STATES)}"
        raise InvalidValue("", f"{cls.__name__}.{name} is never called, for no state has that name; {meant}")
