"""Session classes, diagrams and overlays for the tests of diagrams.

Run as a program, it regenerates the files in `tests/diagrams/expected`; review the changes afterwards.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import attrs
from builders import CREATED, ONE_UNIT, at_minute, cart, session_in

from session_fsm import CustomerSession, EventName, ReturnedCartItem, RuleViolated, State, Trigger, WrongState
from session_fsm.diagrams.html import page
from session_fsm.diagrams.model import Diagram, Edge, Overlay, model, overlay
from session_fsm.diagrams.renderers import dot, json, markdown, mermaid, plantuml, scxml
from session_fsm.diagrams.svg import picture
from session_fsm.lifecycle import Authority
from session_fsm.rules import (
    additional_costs_are_declared,
    attributes_are_declared,
    attributes_have_declared_types,
    coupon_code_required,
    identifier_required,
    prices_are_known,
    referral_code_required,
)
from session_fsm.states import Operation

TEXTS: dict[str, Any] = {
    "mmd": mermaid,
    "dot": dot,
    "puml": plantuml,
    "md": markdown,
    "json": json,
    "scxml": scxml,
}
EXPECTED = Path(__file__).parent.parent / "diagrams" / "expected"
PLAIN = model(CustomerSession)
NOTHING = Overlay()


class ShopSession(CustomerSession):
    """A session class with every optional rule."""

    rules = (
        *CustomerSession.rules,
        coupon_code_required,
        referral_code_required,
        identifier_required,
        attributes_are_declared(session=["ShippingCity"], cart_item=["colour"]),
        attributes_have_declared_types(session={"ShippingCity": "string"}),
        additional_costs_are_declared(session=["shipping"]),
        prices_are_known(),
    )


SHOP = model(ShopSession, title="The sessions of a shop")


def session_with_history() -> tuple[CustomerSession, list[Any]]:
    """Return a session after many operations, and its history: events and refused decisions."""
    session = CustomerSession.create("order-1042", cart_items=cart(3, 1), now=CREATED)
    history: list[Any] = []

    def refused(trigger: str, *arguments: Any) -> None:
        history.extend(session.take_events())
        try:
            getattr(session, trigger)(*arguments, now=at_minute(60))
        except (RuleViolated, WrongState) as refusal:
            history.append(refusal.decision)

    for minute in range(1, 5):
        session.update(coupon_codes=[f"CODE-{minute}"], now=at_minute(minute))
    session.close(now=at_minute(6))
    refused("close")
    session.reopen(now=at_minute(7))
    session.update(now=at_minute(8))
    session.close(now=at_minute(9))
    refused("return_items", [ReturnedCartItem(sku="Z"), ReturnedCartItem(position=0, quantity=9)])
    session.return_items(ONE_UNIT, now=at_minute(10))
    refused("reopen")
    session.return_items(ONE_UNIT, now=at_minute(11))
    history.extend(session.take_events())
    return session, history


def counts(diagram: Diagram) -> dict[str, int]:
    """Return coverage counts for everything except T-05 and the refusals of the first rule."""
    edges = {edge.id: 3 * index + 1 for index, edge in enumerate(diagram.edges) if edge.id != "T-05"}
    passed = {f"{rule.code}:passed": index + 1 for index, rule in enumerate(diagram.rules)}
    violated = {f"{rule.code}:violated": index for index, rule in enumerate(diagram.rules)}
    return edges | passed | violated


class Case(NamedTuple):
    """A diagram, its overlay, and the level of detail."""

    diagram: Diagram
    overlay: Overlay
    detail: str = "full"


def _cases() -> Iterator[tuple[str, Case]]:
    session, events = session_with_history()
    empty = ShopSession.create("order-7", now=CREATED)
    yield "plain", Case(PLAIN, NOTHING)
    yield "plain-simple", Case(PLAIN, NOTHING, "simple")
    yield "shop", Case(SHOP, NOTHING)
    yield "closed", Case(PLAIN, overlay(PLAIN, session=session_in("closed")))
    yield "refused", Case(SHOP, overlay(SHOP, session=empty))
    yield "refused-simple", Case(SHOP, overlay(SHOP, session=empty), "simple")
    yield "travelled", Case(PLAIN, overlay(PLAIN, session=session, events=events))
    yield "travelled-simple", Case(PLAIN, overlay(PLAIN, events=events), "simple")
    yield "tested", Case(PLAIN, overlay(PLAIN, coverage=counts(PLAIN)))
    yield "tested-simple", Case(PLAIN, overlay(PLAIN, coverage=counts(PLAIN)), "simple")


CASES = dict(_cases())


def edge(number: int, source: State | None, target: State, **more: Any) -> Edge:
    """Return an edge that the table does not have."""
    defaults: dict[str, Any] = {
        "id": f"X-{number:02}",
        "source": source,
        "trigger": Trigger.UPDATE,
        "target": target,
        "operation": Operation.UPDATE,
        "event_name": EventName.UPDATED,
        "authority": Authority.CHOSEN,
        "rules": (),
    }
    return Edge(**(defaults | more))


def with_edges(*edges: Edge, base: Diagram = PLAIN, **more: Any) -> Diagram:
    """Return the diagram *base* with only these edges."""
    return attrs.evolve(base, edges=edges, **more)


EVERY_PAIR = [(source, target) for source in (None, *State) for target in State]
"""Every possible source and target, including creations and loops."""


def expected_files() -> Iterator[tuple[Path, str]]:
    """Yield each file of `EXPECTED` with its expected content."""
    for name, case in CASES.items():
        yield EXPECTED / f"{name}.svg", picture.render(case.diagram, case.overlay, detail=case.detail)
        for extension, renderer in TEXTS.items():
            yield EXPECTED / f"{name}.{extension}", renderer.render(case.diagram, case.overlay, detail=case.detail)
    for name in ("plain", "travelled"):
        case = CASES[name]
        yield EXPECTED / f"{name}.html", page.render(case.diagram, case.overlay, detail=case.detail)


if __name__ == "__main__":
    EXPECTED.mkdir(exist_ok=True)
    for file, content in expected_files():
        file.write_text(content, encoding="utf-8", newline="\n")
