"""The renderer for JSON: the model itself, for programs that draw it on their own."""

from __future__ import annotations

import json
import re
from typing import Any

from session_fsm.diagrams.model import Diagram, Edge, Overlay

__all__ = ["render"]


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return *diagram* as one JSON object; it has a member ``overlay`` unless *overlay* is empty."""
    full = detail == "full"
    document: dict[str, Any] = {
        "title": diagram.title,
        "class": diagram.class_name,
        "states": [
            {"name": node.state, "final": node.final} | ({"meaning": node.meaning} if full else {})
            for node in diagram.nodes
        ],
        "transitions": [_transition(edge, full=full) for edge in diagram.edges],
    }
    if full:
        document["rules"] = [{"code": rule.code, "text": rule.text} for rule in diagram.rules]
    if overlay != Overlay():
        document["overlay"] = _overlay(diagram, overlay)
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # Escaped, so that a page can embed the document in a <script> element.
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _transition(edge: Edge, *, full: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"id": edge.id} if full else {}
    document |= {"source": edge.source, "trigger": edge.trigger, "target": edge.target, "internal": edge.internal}
    if full:
        document |= {
            "operation": edge.operation,
            "event": edge.event_name,
            "rules": list(edge.rules),
            "authority": edge.authority,
            "note": edge.note,
        }
    return document


def _overlay(diagram: Diagram, overlay: Overlay) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if overlay.current:
        document["session"] = {
            "id": overlay.subject,
            "state": overlay.current,
            "now": overlay.now or None,
            "allowed": [edge.id for edge in diagram.edges if edge.id in overlay.allowed],
            "refused": {
                edge.id: list(overlay.refused[edge.id]) for edge in diagram.edges if edge.id in overlay.refused
            },
            "board": [
                {"trigger": entry.trigger, "target": entry.target, "reasons": list(entry.reasons)}
                for entry in overlay.board
            ],
        }
    if overlay.history:
        document["history"] = [
            {
                "text": entry.text,
                "transitions": list(entry.tried if entry.refused else entry.edges),
                "refused": entry.refused,
                "state": entry.state,
                "at": entry.at or None,
            }
            for entry in overlay.history
        ]
    if overlay.counts is not None:
        document["coverage"] = {
            "transitions": {edge.id: overlay.counts.get(edge.id, 0) for edge in diagram.edges},
            "rules": {
                rule.code: {
                    outcome: overlay.counts.get(f"{rule.code}:{outcome}", 0) for outcome in ("passed", "violated")
                }
                for rule in diagram.rules
            },
        }
    return document
