"""The JSON documents in the answers of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from session_fsm.converters import timestamp
from session_fsm.decisions import Decision
from session_fsm.sandbox.faults import FaultState
from session_fsm.sandbox.journal import Exchange
from session_fsm.session import CustomerSession

__all__ = ["decision_document", "exchange_summary", "fault_document", "session_summary"]


def session_summary(session: CustomerSession) -> dict[str, Any]:
    """Return the line of a session in the list of sessions."""
    return {
        "id": session.integration_id,
        "state": session.state.value,
        "profileId": session.profile_id,
        "total": session.total,
        "items": len(session.cart_items),
        "created": timestamp(session.created),
        "updated": timestamp(session.updated),
        "updateCount": session.update_count,
    }


def decision_document(decision: Decision[Any]) -> dict[str, Any]:
    """Return a decision with the outcome of every rule."""
    return {
        "trigger": decision.trigger.value,
        "allowed": bool(decision),
        "from": decision.source,
        "to": decision.target,
        "event": decision.event_name,
        "already": decision.already,
        "checks": [
            {"code": check.rule.code, "text": check.rule.text, "outcome": str(check.outcome)}
            for check in decision.checks
        ],
        "violations": [
            {"code": violation.code, "message": violation.message, "pointer": violation.pointer}
            for violation in decision.violations
        ],
    }


def exchange_summary(exchange: Exchange) -> dict[str, Any]:
    """Return the line of a request in the list of requests."""
    return {
        "number": exchange.number,
        "at": timestamp(exchange.at),
        "method": exchange.method,
        "target": exchange.target,
        "operation": exchange.operation,
        "sessionId": exchange.session_id,
        "dry": exchange.dry,
        "repeated": exchange.repeated,
        "fault": None if exchange.fault is None else _written(exchange.fault),
        "status": exchange.status,
        "milliseconds": Decimal(str(exchange.milliseconds)),
    }


def fault_document(state: FaultState) -> dict[str, Any]:
    """Return a fault and how often it has been seen and done."""
    return {"number": state.number, "seen": state.seen, "done": state.done, "fault": _written(state.fault.to_json())}


def _written(fault: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in fault.items()}
