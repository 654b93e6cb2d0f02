"""The directive ``figure-of``, which draws the layers of the library, or the path of one ``close()``, as SVG.

Both are a column of cards. The layers are those of ``[tool.importlinter]`` in ``pyproject.toml``, so the figure cannot be
out of date; ``tests/docs/test_figures.py`` runs a ``close()`` and compares its calls with `CLOSE`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from session_fsm.diagrams.svg.paint import SANS, STYLE, path, rect, text, title
from session_fsm.diagrams.svg.text import attributes, escape, wrap

__all__ = ["CLOSE", "FIGURES", "Card", "Step", "column", "layers", "setup"]

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_WIDTH, _EDGE, _LINE, _GAP = 360, 10, 17, 12
"""The widths of the picture and of its margin, and the heights of a line and between two cards, in pixels."""


class Card(NamedTuple):
    """One card of a column."""

    heading: str
    aside: str = ""
    """A few words at the right of the heading."""
    content: str = ""
    warning: str = ""


class Step(NamedTuple):
    """One step of a trigger."""

    module: str
    function: str
    effect: str
    raises: str = ""
    """The error that it may raise."""


CLOSE = (
    Step("session", "CustomerSession.close", "Hands its keywords to the trigger of the machine."),
    Step("machine.triggers", "LifecycleEvent.argument", "Makes the argument of the trigger."),
    Step("changes", "as_update", "Makes one SessionUpdate of the keywords.", "InvalidValue"),
    Step("machine.triggers", "LifecycleEvent.fire", "Finds the transition from the session's state.", "WrongState"),
    Step("transition", "Transition.run", "Takes the next steps, without callbacks in between."),
    Step("changes", "updated", "Computes the new values. The session is not changed."),
    Step("totals", "totals", "Computes the totals of the new cart."),
    Step("judging", "Judge.judge", "Calls every rule that guards the transition.", "RuleViolated"),
    Step("entities", "assign", "Sets all fields, the event included, in one step."),
)
"""What ``session.close(cart_items=[...])`` calls, in this order. Whatever raises before the last step changes nothing."""


def layers() -> Iterator[Card]:
    """Yield a card for each layer, the highest first, with the third parties that it may import."""
    contracts = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    allowed = [one.split(" -> ") for contract in contracts for one in contract.get("ignore_imports", ())]
    for layer in next(contract["layers"] for contract in contracts if contract["type"] == "layers"):
        modules = layer.split(" : ")
        places = {f"session_fsm.{module}" for module in modules}
        parties = {party for place, party in allowed if ".".join(place.split(".")[:2]) in places}
        yield Card(", ".join(modules), ", ".join(sorted(parties)))


def close() -> Iterator[Card]:
    """Yield a card for each step of a ``close()``."""
    for number, step in enumerate(CLOSE, 1):
        warning = f"May raise {step.raises}" if step.raises else ""
        yield Card(f"{number}. {step.function}", f"{step.module}.py", step.effect, warning)


def column(name: str, cards: Sequence[Card]) -> str:
    """Return the picture *name* of *cards* below one another, each with an arrow to the next."""
    parts: list[str] = []
    y = _EDGE
    for card in cards:
        if parts:
            middle = _WIDTH // 2
            parts.append(path(f"M{middle} {y - _GAP}v{_GAP - 4}", stroke="muted", stroke_width=1))
            parts.append(path(f"M{middle - 4} {y - 5}h8l-4 5z", fill="muted"))
        card_parts, y = _drawn(card, y)
        parts += card_parts
    height = y - _GAP + _EDGE
    root = attributes(
        xmlns="http://www.w3.org/2000/svg",
        class_="fsm",
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_label=name,
        font_family=SANS,
    )
    described = " ".join(" ".join(filter(None, card)) + "." for card in cards)
    paper = rect(0, 0, _WIDTH, height, rx=8, fill="paper")
    head = (f"<svg{root}>", title(name), f"<desc>{escape(described)}</desc>", f"<style>{STYLE}</style>", paper)
    return "\n".join([*head, *parts, "</svg>"])


def _drawn(card: Card, top: int) -> tuple[list[str], int]:
    """Return the parts of a card that begins at *top*, and where the next one begins."""
    left, right = _EDGE + 8, _WIDTH - _EDGE - 8
    lines = wrap(card.content, right - left, 12, most=3) if card.content else ()
    y = top + 16
    parts = [text(left, y, card.heading, size=12, bold=True, mono=True)]
    if card.aside:
        parts.append(text(right, y, card.aside, size=11, fill="muted", anchor="end"))
    for line in lines:
        y += _LINE
        parts.append(text(left, y, line, size=12))
    if card.warning:
        y += _LINE
        parts.append(text(left, y, card.warning, size=12, fill="no"))
    bottom = y + 8
    frame = rect(_EDGE, top, _WIDTH - 2 * _EDGE, bottom - top, rx=5, fill="card", stroke="edge")
    return [frame, *parts], bottom + _GAP


FIGURES: Mapping[str, tuple[str, Callable[[], Iterator[Card]]]] = {
    "layers": ("The layers of the library: a module imports only from layers below its own", layers),
    "close": ("The path of one close()", close),
}
"""The title and the cards of each figure."""


class FigureOf(SphinxDirective):
    """``figure-of`` with the name of one of `FIGURES`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        if self.arguments[0] not in FIGURES:
            raise self.error(f"there is no figure {self.arguments[0]}; there are {', '.join(FIGURES)}")
        self.env.note_dependency(str(_PROJECT))
        name, cards = FIGURES[self.arguments[0]]
        container = nodes.container("", nodes.raw("", column(name, list(cards())), format="html"))
        container["classes"] += ["picture", "column"]
        return [container]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("figure-of", FigureOf)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
