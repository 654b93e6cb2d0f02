"""The lists of callbacks of a machine, its states and its transitions: they check what is added, and report changes.

Only transitions without callbacks take the fast path, so the machine must know at once when a list changes. `observe`
puts a `CallbackList` in place of each list that `transitions` has made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any

from session_fsm.errors import InvalidValue
from session_fsm.user_functions import is_async, name_of
from session_fsm.validators import is_list, kind_of

if TYPE_CHECKING:
    from session_fsm.machine import LifecycleMachine

__all__ = ["CallbackList", "HoldsCallbacks", "all_empty", "copy_callbacks", "lists_of", "observe"]

_LISTS = {
    *("_prepare_event", "_before_state_change", "_after_state_change"),
    *("_finalize_event", "_on_exception", "_on_final"),
    *("prepare", "before", "after", "on_enter", "on_exit"),
}
"""The names of the lists of callbacks that a machine, a transition and a state have."""


class HoldsCallbacks:
    """A machine, a state or a transition: it reports when an attribute, such as a list of callbacks, is replaced."""

    machine: LifecycleMachine | None = None
    """The machine; None while it is being built."""

    def __setattr__(self, name: str, value: object) -> None:
        if self.machine is not None and name in _LISTS:
            _check(value, self.machine.kind)
        super().__setattr__(name, value)
        if self.machine is not None:
            self.machine.find_transitions_without_callbacks()


class CallbackList(list[Any]):
    """A list of callbacks that tells the machine when it changes. A change that the machine refuses is undone."""

    machine: LifecycleMachine


def _notifying(change: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(change)
    def change_and_notify(self: CallbackList, *args: Any, **kwargs: Any) -> Any:
        held: list[Any] = list(self)
        answer = change(self, *args, **kwargs)
        try:
            _check(self, self.machine.kind)
        except InvalidValue:
            list[Any].__setitem__(self, slice(None), held)
            raise
        self.machine.find_transitions_without_callbacks()
        return answer

    return change_and_notify


for _name in (
    *("append", "extend", "insert", "remove", "pop", "clear"),
    *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
):
    setattr(CallbackList, _name, _notifying(getattr(list, _name)))


def observe(holder: HoldsCallbacks, machine: LifecycleMachine) -> None:
    """Let *holder* and its lists of callbacks report every change to *machine* from now on."""
    for name in _LISTS.intersection(vars(holder)):
        callbacks = CallbackList(getattr(holder, name))
        callbacks.machine = machine
        setattr(holder, name, callbacks)
    vars(holder)["machine"] = machine


def lists_of(holder: HoldsCallbacks) -> list[Any]:
    """Return all lists of callbacks of *holder*."""
    held = vars(holder)
    return [held[name] for name in _LISTS.intersection(held)]


def all_empty(lists: Iterable[Any]) -> bool:
    """Whether all these lists of callbacks are empty, and each would notify the machine of an addition."""
    return all(isinstance(one, CallbackList) and not one for one in lists)


def copy_callbacks(holder: HoldsCallbacks, other: HoldsCallbacks, kind: type | None) -> None:
    """Add to *holder* the callbacks of *other* that it lacks, except names of methods that the class *kind* sets to None."""
    for name in sorted(_LISTS.intersection(vars(other))):
        callbacks: list[Any] = getattr(holder, name)
        given: list[Any] = getattr(other, name)
        if wanted := [one for one in given if one not in callbacks and not _is_unset(one, kind)]:
            callbacks.extend(wanted)


def _is_unset(callback: Any, kind: type | None) -> bool:
    """Whether *callback* is the name of a method that the class has set to None."""
    return isinstance(callback, str) and getattr(kind, callback, callback) is None


def _check(callbacks: Any, kind: type | None) -> None:
    """Check callbacks when they are added, so that none fails, or does nothing, when it is called.

    Raises:
        InvalidValue: one is asynchronous, is a name that the session class *kind* does not have, or cannot be called.
    """
    given: list[Any] = list(callbacks) if is_list(callbacks) else [callbacks]
    for callback in given:
        function: Any = callback
        if isinstance(callback, str):
            if kind is None or "." in callback:  # the path of a function, which may not be there yet
                continue
            function = getattr(kind, callback, None)
            if not callable(function):
                raise InvalidValue("", f"{kind.__name__} has no method {callback:.80} to be called back")
        elif not callable(callback):
            raise InvalidValue("", f"{kind_of(callback)} cannot be called back")
        if is_async(function):
            name = callback if isinstance(callback, str) else name_of(callback)
            raise InvalidValue("", f"the callback {name:.80} is asynchronous, and would never run")
