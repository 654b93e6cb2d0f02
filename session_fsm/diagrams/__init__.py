"""State diagrams of a session class: `render` draws its table and rules in one of `formats`.

>>> from session_fsm import CustomerSession
>>> from session_fsm.diagrams import formats, render
>>> formats()
('mermaid', 'dot', 'plantuml', 'markdown', 'json', 'scxml', 'svg', 'html')
>>> print(render(CustomerSession, "markdown", detail="simple"))
# CustomerSession
...
| `closed` | `reopen` | `open` |
...

Every renderer draws a `model`: states, creations, transitions, rules. With ``session`` it also shows the current state,
the allowed triggers and why the others are refused; with ``events`` the history; with ``coverage`` what tests have
exercised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any, Literal, NewType, Protocol, TypeAlias

from session_fsm.decisions import Decision
from session_fsm.diagrams.model import Diagram, Edge, Node, Overlay, RuleText, model, overlay
from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession

__all__ = [
    "DETAILS",
    "Detail",
    "Diagram",
    "Edge",
    "Format",
    "FormatLike",
    "Node",
    "Overlay",
    "Renderer",
    "RuleText",
    "formats",
    "model",
    "overlay",
    "register_format",
    "render",
]

DETAILS = ("full", "simple")
"""How much to draw: everything, or only states and triggers."""


Detail: TypeAlias = Literal["full", "simple"]
"""One of `DETAILS`."""
Format = NewType("Format", str)
"""The name of a format, as `formats` and `register_format` return it. ``Format(text)`` converts any string."""
FormatLike: TypeAlias = Format | Literal["mermaid", "dot", "plantuml", "markdown", "json", "scxml", "svg", "html"]
"""The name of a format. A type checker reports a misspelt built-in name."""


class Renderer(Protocol):
    """A callable that draws a diagram in one format."""

    def __call__(self, diagram: Diagram, overlay: Overlay, /, *, detail: str) -> str:
        """Return *diagram* with *overlay* as text. The same arguments must always give the same text."""
        ...


# The module that renders each built-in format. `render` imports it on first use.
_BUILT_IN = {
    "mermaid": "renderers.mermaid",
    "dot": "renderers.dot",
    "plantuml": "renderers.plantuml",
    "markdown": "renderers.markdown",
    "json": "renderers.json",
    "scxml": "renderers.scxml",
    "svg": "svg.picture",
    "html": "html.page",
}
_registered: dict[str, Renderer] = {}


def formats() -> tuple[Format, ...]:
    """Return the names of the formats: the built-in ones, then the registered ones."""
    return tuple(map(Format, (*_BUILT_IN, *_registered)))


def register_format(name: str, renderer: Renderer) -> Format:
    """Add a format, or replace a registered one, and return its name, typed for `render`.

    Args:
        name: lower-case letters, digits, ``-`` and ``_``; the command also uses it as the file extension.
        renderer: called with a `Diagram` and an `Overlay`, and with ``detail``, which is ``"full"`` or ``"simple"``.

    Raises:
        InvalidValue: the name is not of this form, or is the name of a built-in format.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise InvalidValue("/name", f"{name!r} is no name for a format; use lower-case letters, digits, - and _")
    if name in _BUILT_IN:
        raise InvalidValue("/name", f"the format {name} is built in and cannot be replaced")
    _registered[name] = renderer
    return Format(name)


def render(
    kind: type[CustomerSession] = CustomerSession,
    format: FormatLike = "mermaid",  # noqa: A002 - the usual name of this parameter
    *,
    session: CustomerSession | None = None,
    events: Iterable[SessionEvent | Decision[Any]] = (),
    coverage: Mapping[str, int] | None = None,
    now: datetime | None = None,
    detail: Detail = "full",
    title: str | None = None,
) -> str:
    """Return the state diagram of a session class as text.

    The same arguments always give the same text. With rules that depend on the time, a *session* also needs *now*.

    Args:
        kind: the session class; with *session*, the class of that session is drawn.
        format: one of `formats()`.
        session: the session whose state is marked, and whose transitions are marked as allowed or refused.
        events: the history, oldest first: a `SessionEvent` for each event, a `Decision` for each refusal.
        coverage: how often tests exercised each part: counts by the ID of a row (``T-04``) and by the outcomes of
            a rule (``too_many_units:passed``, ``too_many_units:violated``).
        now: when the rules judge *session*, with a time zone; it is shown. By default the current time, not shown.
        detail: ``"full"``, or ``"simple"`` for only states and triggers.
        title: the title; by default the name of the class.

    Raises:
        InvalidValue: there is no such format or detail, *kind* is not a session class, *session* is not an instance
            of it, or an element of *events* is neither an event nor a refused decision.
    """
    renderer = renderer_of(format)
    if detail not in DETAILS:
        raise InvalidValue("/detail", f"{detail!r} is none of: {', '.join(DETAILS)}")
    diagram = model(_kind_of(kind, session), title=title)
    shown = overlay(diagram, session=session, events=events, coverage=coverage, now=now)
    return renderer(diagram, shown, detail=detail)


def renderer_of(name: str) -> Renderer:
    """Return the renderer of the format *name*, or raise `InvalidValue`."""
    if name in _registered:
        return _registered[name]
    if name not in _BUILT_IN:
        raise InvalidValue("/format", f"{name!r} is none of: {', '.join(formats())}")
    renderer: Renderer = import_module(f"session_fsm.diagrams.{_BUILT_IN[name]}").render
    return renderer


def _kind_of(kind: type[CustomerSession], session: CustomerSession | None) -> type[CustomerSession]:
    if session is None:
        return kind
    if not isinstance(session, kind):
        raise InvalidValue("/session", f"the session is a {type(session).__name__}, and no {kind.__name__}")
    return type(session)
