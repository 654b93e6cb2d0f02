"""Texts that could break a diagram, and diagrams that contain them in every position."""

import inspect
from typing import Any

import attrs
from diagram_cases import PLAIN, Case
from hypothesis import strategies as st

from session_fsm import CustomerSession, State, rule
from session_fsm.diagrams import Diagram, Overlay, RuleText, model
from session_fsm.diagrams.drawable import drawable

HOSTILE = (
    "a<script>alert(1)</script>]]> & \"q\" 'p' &amp; \u202eevil\u2066 😀😀 שלום مرحبا\r\n\x00\x0b\x85\ufffe\ud800 "
    + "x" * 300
)
"""Characters that could break a picture or a page."""
HOSTILE_MARKUP = 'a"; b: c]]> <script>alert(1)</script> & `tick` | pipe \\ back -->\n%% {{x}} [*] #35; \u202e rtl 🎉 @enduml end note'
"""The markup of every text format."""


def hostile_diagram(text: str) -> Diagram:
    """Return the diagram of a class whose title, one rule's code and that rule's text are *text*."""

    def anything(total: Any) -> bool:
        return total is not None

    anything.__doc__ = text
    described = inspect.getdoc(anything)
    rules = (*CustomerSession.rules, rule(text, on=["close", "update"])(anything)) if described else ()
    kind = type(CustomerSession)("HostileSession", (CustomerSession,), {"rules": rules})
    return model(kind, title=text)


hostile_texts = st.one_of(
    st.text(max_size=60),
    st.text(max_size=300, alphabet=st.characters(exclude_categories=())),
    st.sampled_from([HOSTILE, "", " ", "x" * 300, "W" * 300, "😀" * 120, "שלום " * 40, "]]>", "</svg>", "a\n" * 20]),
)


@st.composite
def hostile_cases(draw: Any) -> Case:
    """Generate diagrams and overlays in which every text is hostile."""
    codes = draw(st.lists(hostile_texts.map(drawable), max_size=3, unique=True))
    texts = draw(st.lists(hostile_texts.map(drawable), min_size=6, max_size=6))
    rules = tuple(RuleText(code=code, text=texts[0]) for code in codes)
    edges = tuple(attrs.evolve(edge, rules=tuple(codes)) for edge in PLAIN.edges)
    diagram = attrs.evolve(PLAIN, title=texts[1], class_name=texts[2], rules=rules, edges=edges)
    overlay = Overlay(
        current=State.OPEN,
        allowed=frozenset({"T-03"}),
        refused={"T-04": (texts[3], texts[4])},
        steps=(("T-01",), ("T-03",)),
        refusals=(texts[4],),
        subject=texts[5],
        counts={"T-01": 10**4} | {f"{code}:passed": 1 for code in codes},
    )
    return Case(diagram, overlay, draw(st.sampled_from(["full", "simple"])))
