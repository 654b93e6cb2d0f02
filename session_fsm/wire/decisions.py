"""The JSON of decisions, violations and boards, for clients of a service. It is written, and not read."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from session_fsm.converters import timestamp
from session_fsm.decisions import Decision
from session_fsm.errors import Violation, shortened
from session_fsm.json_values import DEEPEST
from session_fsm.validators import is_list, is_object

__all__ = ["document_of"]


def document_of(value: Any) -> dict[str, Any] | None:
    """Return the document of a decision, a violation or a board, or None if *value* is something else."""
    if isinstance(value, Decision):
        return _of_decision(value)  # pyright: ignore[reportUnknownArgumentType]  # of any session class
    if isinstance(value, Violation):
        return _of_violation(value)
    if is_object(value) and value and all(isinstance(decision, Decision) for decision in value.values()):
        return {str(trigger): _of_decision(decision) for trigger, decision in value.items()}
    return None


def _of_decision(decision: Decision[Any]) -> dict[str, Any]:
    return {
        "trigger": decision.trigger.value,
        "allowed": decision.allowed,
        "source": None if decision.source is None else decision.source.value,
        "target": None if decision.target is None else decision.target.value,
        "eventName": None if decision.event_name is None else decision.event_name.value,
        "violations": [_of_violation(violation) for violation in decision.violations],
    }


def _of_violation(violation: Violation) -> dict[str, Any]:
    return {
        "code": violation.code,
        "message": violation.message,
        "details": {str(name): _json_value(value, DEEPEST) for name, value in violation.details.items()},
        "pointer": violation.pointer,
    }


def _json_value(value: Any, levels: int) -> Any:
    """Return a value that a rule has put into the details, at most *levels* deep; what JSON lacks becomes text."""
    match value:
        case Enum():
            return _json_value(value.value, levels)
        case None | bool() | int() | str():
            return value
        case float():
            return _json_value(Decimal(repr(value)), levels)
        case Decimal() if value.is_finite():
            return value
        case datetime() if value.tzinfo is not None:
            return timestamp(value)
        case date():
            return value.isoformat()
        case _ if levels and is_object(value):
            return {str(name): _json_value(member, levels - 1) for name, member in value.items()}
        case _ if levels and is_list(value):
            return [_json_value(element, levels - 1) for element in value]
        case _:
            return shortened(str(value))
