"""The renderer for the W3C's SCXML, for tools that read state machines. It ignores the overlay.

A session that does not exist yet is the state ``new``. Each creation has its own event, ``create.open`` and
``create.closed``: SCXML's event descriptor ``create`` matches both, and the two rows need no condition to differ. An
internal transition has no target, as the standard says.

Rules are Python functions and are not translated. Their codes, the recorded event and the ID of the row are attributes,
and the texts of the rules are elements, in a namespace that SCXML processors ignore.
"""

from __future__ import annotations

import re

from session_fsm.diagrams.model import Diagram, Edge, Node, Overlay

__all__ = ["render"]

_SCXML = "http://www.w3.org/2005/07/scxml"
_OWN = "urn:session-fsm:diagram"
_NOT_IN_NAMES = re.compile(r"[^\w.-]", re.ASCII)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:  # noqa: ARG001 - the signature of every renderer
    """Return *diagram* in SCXML."""
    full = detail == "full"
    name = _NOT_IN_NAMES.sub("_", diagram.class_name)
    creations = [edge for edge in diagram.edges if edge.source is None]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            (
                f'<scxml xmlns="{_SCXML}" xmlns:fsm="{_OWN}" version="1.0" datamodel="null"'
                f"{_attributes(name=name, initial='new', fsm__title=diagram.title)}>"
            ),
            *_rules(diagram, full=full),
            *_element("state", "new", [_transition(edge, full=full) for edge in creations]),
            *(line for node in diagram.nodes for line in _state(node, diagram, full=full)),
            "</scxml>",
            "",
        ]
    )


def _rules(diagram: Diagram, *, full: bool) -> list[str]:
    if not full:
        return []
    return [f"  <fsm:rule{_attributes(code=rule.code)}>{_escape(rule.text)}</fsm:rule>" for rule in diagram.rules]


def _state(node: Node, diagram: Diagram, *, full: bool) -> list[str]:
    leaving = [_transition(edge, full=full) for edge in diagram.edges if edge.source is node.state]
    return _element("final" if node.final else "state", node.state, leaving)


def _element(tag: str, name: str, transitions: list[str]) -> list[str]:
    if not transitions:
        return [f"  <{tag}{_attributes(id=name)}/>"]
    return [f"  <{tag}{_attributes(id=name)}>", *transitions, f"  </{tag}>"]


def _transition(edge: Edge, *, full: bool) -> str:
    values: dict[str, str] = {"event": edge.trigger if edge.source else f"{edge.trigger}.{edge.target}"}
    if not edge.internal:
        values["target"] = edge.target
    if full:
        values |= {"fsm__row": edge.id, "fsm__records": edge.event_name}
        if edge.rules:
            values["fsm__refused-as"] = " ".join(code.replace("%", "%25").replace(" ", "%20") for code in edge.rules)
    return f"    <transition{_attributes(**values)}/>"


def _attributes(**values: str) -> str:
    """Return *values* as attributes; the prefix ``fsm__`` of a name becomes the namespace ``fsm:``."""
    return "".join(f' {name.replace("__", ":")}="{_escape(value)}"' for name, value in values.items())


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)
