"""Session classes with a modified table or rule list, which may be invalid; used by mutants and lint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from session_fsm.guards import Rule
from session_fsm.lifecycle import Row
from session_fsm.machine import LifecycleMachine
from session_fsm.session import CustomerSession

__all__ = ["modified_copy", "with_definition"]


def modified_copy(kind: type[CustomerSession], rules: Sequence[Rule], table: Sequence[Row]) -> type[CustomerSession]:
    """Return a subclass of *kind* with the same name and with *rules* and *table*, which may be invalid."""
    names = {"__slots__": (), "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    metaclass: Any = type(kind)
    return _set_definition(metaclass(kind.__name__, (kind,), names), rules, table, kind.machine)


def with_definition(kind: type[CustomerSession], rules: Sequence[Rule], table: Sequence[Row]) -> type[CustomerSession]:
    """Replace the rules and the table of *kind*, keep its callbacks, and return it. Both may be invalid."""
    return _set_definition(kind, rules, table, kind.machine)


def _set_definition(
    kind: type[CustomerSession], rules: Sequence[Rule], table: Sequence[Row], before: LifecycleMachine
) -> type[CustomerSession]:
    machine = LifecycleMachine(rules, table, before.name.removesuffix(": "), kind=kind, unchecked=True)
    machine.own_fields = before.own_fields
    machine.inherit_callbacks(before)
    machine.ignore_invalid_triggers = before.ignore_invalid_triggers
    for state in before.states.values():
        machine.get_state(state.name).ignore_invalid_triggers = state.ignore_invalid_triggers
    # Bypasses the metaclass, which refuses to replace rules and machine: a mutant modifies a class that exists.
    type.__setattr__(kind, "rules", tuple(rules))
    type.__setattr__(kind, "machine", machine)
    return kind
