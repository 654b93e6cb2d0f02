"""The methods by which pydantic asks a class of this library for its schema.

`session_fsm.pydantic_types` answers. It is imported when pydantic asks, and pydantic is not imported otherwise.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["PydanticType"]


class PydanticType:
    """A class that pydantic accepts as the type of a field, a request body or a response."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return import_module("session_fsm.pydantic_types").core_schema_of(source)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        return import_module("session_fsm.pydantic_types").json_schema_of(cls, handler)
