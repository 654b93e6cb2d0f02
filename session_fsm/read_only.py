"""Refuse to assign and to delete the fields of a session: its ``__setattr__`` and ``__delattr__``."""

from __future__ import annotations

from typing import Any

from session_fsm.entities import cached_names, drop_cached
from session_fsm.values import FIELDS_OF_UPDATE

__all__ = ["delete_field", "set_field"]


def set_field(self: Any, name: str, value: object) -> None:
    """Refuse to assign a field. Fields of a subclass with ``init=False`` can be assigned."""
    own_fields = self.machine.own_fields
    if name in self.__fixed__ or name in own_fields.by_name:
        raise AttributeError(f"{name} cannot be assigned; {_what_changes(name, self)}")
    if name in own_fields.loose:
        value = own_fields.assigned(name, value, self)
    object.__setattr__(self, name, value)


def delete_field(self: Any, name: str) -> None:
    """Refuse to delete a field."""
    if name in self.__fixed__ or name in self.machine.own_fields.by_name:
        raise AttributeError(f"{name} cannot be deleted")
    if name in cached_names(type(self)):  # `mock.patch.object` deletes it, and a verb may have dropped it before
        drop_cached(self, [name])
    else:
        object.__delattr__(self, name)


def _what_changes(name: str, session: Any) -> str:
    """Say what changes the field *name*."""
    own_fields = session.machine.own_fields
    if name in own_fields.by_name:
        return f"update({own_fields.by_name[name].alias}=...) or close() changes it"
    if name in FIELDS_OF_UPDATE and name != "state":
        return f"update({name}=...) or close() changes it"
    return "the verbs of the session change it"
