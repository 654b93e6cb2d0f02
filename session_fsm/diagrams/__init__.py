"""State diagrams: the table of a session class, drawn faithfully in whatever format a reader needs.

>>> from session_fsm import CustomerSession
>>> from session_fsm.diagrams import formats, render
>>> formats()
('mermaid', 'dot', 'plantuml', 'markdown', 'json', 'scxml', 'svg', 'html')
>>> print(render(CustomerSession, "markdown", detail="simple"))
# CustomerSession
...
| `closed` | `reopen` | `open` |
...

`model` is what every format is drawn from: states, creations, transitions, rules. A picture of a ``session``
also shows its state, which triggers are allowed and why the others are refused; with ``events`` its history; with
``coverage`` what tests have exercised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
"""How much to draw: everything, or states and triggers alone."""


Detail: TypeAlias = Literal["full", "simple"]
"""One of `DETAILS`."""
Format = NewType("Format", str)
"""The name of a format, as `formats` and `register_format` return it. ``Format(text)`` makes one of any text."""
FormatLike: TypeAlias = Format | Literal["mermaid", "dot", "plantuml", "markdown", "json", "scxml", "svg", "html"]
"""The name of a format: a type checker finds a misspelt one among those of this package."""


class Renderer(Protocol):
    """What draws a diagram in one format."""

    def __call__(self, diagram: Diagram, overlay: Overlay, /, *, detail: str) -> str:
        """Return *diagram*, with *overlay* upon it, as text that is the same for the same arguments, always."""
        ...


# The formats of this package, by the modules that draw them; each is imported when it is first asked for.
_MODULES = {
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
    """Return the names of the formats: those of this package, then the registered ones."""
    return tuple(map(Format, (*_MODULES, *_registered)))


def register_format(name: str, renderer: Renderer) -> Format:
    """Add a format, or replace one that was added before; return its name as `render` takes it in typed code.

    Args:
        name: lower-case letters, digits, ``-`` and ``_``; the command uses it as the ending of files too.
        renderer: called with a `Diagram` and an `Overlay`, and with ``detail``, which is ``"full"`` or ``"simple"``.

    Raises:
        InvalidValue: the name is not of this form, or belongs to a format of this package.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise InvalidValue("/name", f"{name!r} is no name for a format; use lower-case letters, digits, - and _")
    if name in _MODULES:
        raise InvalidValue("/name", f"the format {name} is built in and cannot be replaced")
    _registered[name] = renderer
    return Format(name)


def render(
    kind: type[CustomerSession] = CustomerSession,
    format: FormatLike = "mermaid",  # noqa: A002 - the word that everybody looks for
    *,
    session: CustomerSession | None = None,
    events: Iterable[SessionEvent | Decision[Any]] = (),
    coverage: Mapping[str, int] | None = None,
    detail: Detail = "full",
    title: str | None = None,
) -> str:
    """Draw the life of a session class, the same text for the same arguments.

    Args:
        kind: the class; that of *session*, if one is given.
        format: one of `formats()`.
        session: the session whose state is marked, and whose transitions are marked as allowed or refused.
        events: the history, oldest first: each a `SessionEvent`, or the `Decision` of what was refused.
        coverage: how often tests exercised what: counts by the number of a row (``T-04``) and by the outcomes of
            a rule (``too_many_units:passed``, ``too_many_units:violated``).
        detail: ``"full"``, or ``"simple"`` for states and triggers alone.
        title: what stands above; the name of the class unless given.

    Raises:
        InvalidValue: there is no such format or detail, *kind* is no session class, *session* is none of its
            sessions, or among *events* is something that is neither an event nor a refused decision.
    """
    renderer = _renderer(format)
    if detail not in DETAILS:
        raise InvalidValue("/detail", f"{detail!r} is none of: {', '.join(DETAILS)}")
    diagram = model(_kind_of(kind, session), title=title)
    return renderer(diagram, overlay(diagram, session=session, events=events, coverage=coverage), detail=detail)


def _renderer(name: str) -> Renderer:
    if name in _registered:
        return _registered[name]
    if name not in _MODULES:
        raise InvalidValue("/format", f"{name!r} is none of: {', '.join(formats())}")
    renderer: Renderer = import_module(f"session_fsm.diagrams.{_MODULES[name]}").render
    return renderer


def _kind_of(kind: type[CustomerSession], session: CustomerSession | None) -> type[CustomerSession]:
    if session is None:
        return kind
    if not isinstance(session, kind):
        raise InvalidValue("/session", f"the session is a {type(session).__name__}, and no {kind.__name__}")
    return type(session)
