"""Build the machine of a session class when the class is made: check its rules, and find its callback methods."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from attrs import fields

from session_fsm.decisions import SEEN_BY_RULES, is_async
from session_fsm.errors import InvalidValue
from session_fsm.machine import LifecycleMachine
from session_fsm.states import State
from session_fsm.subclasses.checks import parents_of
from session_fsm.validators import is_list, kind_of

__all__ = ["machine_of"]

_STATES = [state.value for state in State]


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
