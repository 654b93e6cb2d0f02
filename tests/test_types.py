"""What type checkers say of code that uses the library: nothing where it is right, and where it is wrong the line."""

import inspect
import textwrap
import typing
from pathlib import Path

import attrs
import pytest
from type_checkers import CHECKERS, Complaint, complaints

from session_fsm import CustomerSession, SessionUpdate, diagrams, signatures
from session_fsm.decisions import Outcome, OutcomeLike
from session_fsm.states import EventName, EventNameLike, State, StateLike, Trigger, TriggerLike
from session_fsm.values import FIELDS_OF_UPDATE

HEAD = """
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_type

import attrs

from session_fsm import (
    AdditionalCost, CartItem, CustomerSession, Decision, EventName, ExperimentVariantAllocation, ReturnedCartItem, Rule,
    SessionEvent, SessionUpdate, State, Trigger, Violation, rule, wire,
)
from session_fsm.diagrams import Format, formats, register_format, render
from session_fsm.testing import Scenario, given, witness

NOW = datetime.now(UTC)
TEXTS: list[str] = ["XMAS"]


class PlainSession(CustomerSession):
    pass


@attrs.define(kw_only=True, eq=False, repr=False)
class BranchSession(CustomerSession):
    branch: str = "main"


session = CustomerSession.create("order-1")
plain = PlainSession.create("order-1")
branch = BranchSession.create("order-1")
"""

SNIPPETS = {
    "values": """
        SessionUpdate(coupon_codes=["XMAS"], loyalty_cards=("card",), identifiers={"hash"}, evaluable_campaign_ids=[7])
        SessionUpdate(coupon_codes=TEXTS)
        SessionUpdate(profile_id="cust-7", referral_code=None, store_integration_id="s", state="closed")
        SessionUpdate(state=State.CLOSED, attributes={"gift": True, "codes": ["A"]}, additional_costs={"wrap": AdditionalCost(1)})
        SessionUpdate(cart_items=[CartItem(sku="A", quantity=1)], own={"branch": "Ghent"})
        SessionUpdate(experiment_variant_allocations=[ExperimentVariantAllocation(experiment_id=1, variant_id=2)])
        CartItem(sku="A", quantity=1, attributes={"gift": True}, price="1.50", weight=3, height=Decimal(2))
        CartItem(sku="A", quantity=1, additional_costs={"wrap": AdditionalCost("0.50")}, prices={"a": {"b": 1}})
        wire.ReturnRequest(returned_cart_items=[ReturnedCartItem(position=0)])
        CustomerSession(
            created=NOW, updated=NOW, integration_id="order-1", coupon_codes=["XMAS"], state=State.OPEN, total="1.50",
            cart_items=[CartItem(sku="A", quantity=1)], attributes={"a": 1}, additional_costs={"wrap": AdditionalCost(1)},
        )
        BranchSession(created=NOW, updated=NOW, integration_id="order-1", branch="Ghent", identifiers=["hash"])
        attrs.evolve(session, coupon_codes=["XMAS"])
        """,
    "wrong values": """
        SessionUpdate(coupon_codes=5)  # error
        SessionUpdate(coupon_codes=[5])  # error
        SessionUpdate(profile_id=7)  # error
        SessionUpdate(state="clsed")  # error
        SessionUpdate(attributes=["gift"])  # error
        SessionUpdate(cart_items=["A"])  # error
        CartItem(sku="A", quantity="1")  # error
        CartItem(sku="A", quantity=1, price=1.5)  # error
        CartItem(sku="A", quantity=1, additional_costs={"wrap": 1})  # error
        wire.ReturnRequest(returned_cart_items=[0])  # error
        CustomerSession(created=NOW, updated=NOW, integration_id="order-1", coupon_codes=5)  # error
        CustomerSession(created=NOW, updated=NOW, integration_id="order-1", state="clsed")  # error
        """,
    "verbs": """
        assert_type(CustomerSession.create("order-1", state="closed", coupon_codes=["XMAS"], now=NOW), CustomerSession)
        assert_type(CustomerSession.create("order-1", SessionUpdate(), context={"actor": "me"}), CustomerSession)
        assert_type(session.update(coupon_codes=TEXTS, context={"actor": "me"}), SessionEvent)
        assert_type(session.close(SessionUpdate(state="closed"), now=NOW), SessionEvent)
        assert_type(session.put(state="closed", profile_id="cust-7"), SessionEvent)
        assert_type(session.put(SessionUpdate(state=State.CANCELLED)), SessionEvent)
        assert_type(session.cancel(), SessionEvent)
        assert_type(session.return_items([ReturnedCartItem(position=0)]), SessionEvent)
        assert_type(session.return_items(wire.ReturnRequest(returned_cart_items=())), SessionEvent)
        assert_type(session.evaluate("close", coupon_codes=["XMAS"], payload_only=True), Decision[CustomerSession])
        assert_type(session.evaluate("put", state="closed").after, CustomerSession | None)
        assert_type(session.evaluate(Trigger("close")), Decision[CustomerSession])
        assert_type(session.evaluate("return_items", returned_cart_items=[ReturnedCartItem(position=0)]), Decision[CustomerSession])
        assert_type(session.board(state="closed", coupon_codes=["XMAS"]), Mapping[Trigger, Decision[CustomerSession]])
        """,
    "wrong verbs": """
        CustomerSession.create(7)  # error
        CustomerSession.create("order-1", state="clsed")  # error
        CustomerSession.create("order-1", coupon_codes=5)  # error
        session.update(coupon_codes=5)  # error
        session.update(profile_id=7)  # error
        session.update(now="today")  # error
        session.update(context=["me"])  # error
        session.update(state="closed")  # error
        session.close(cart_items=CartItem(sku="A", quantity=1))  # error
        session.put(state="clsed")  # error
        session.evaluate("clsoe")  # error
        session.evaluate(str(Trigger.CLOSE))  # error
        session.evaluate("put", state="clsed")  # error
        session.board(coupon_codes=5)  # error
        session.clsoe()  # error
        session.update(["XMAS"])  # error
        """,
    "fields of a subclass": """
        assert_type(PlainSession.create("order-1"), PlainSession)
        assert_type(BranchSession.create("order-1", branch="Ghent", coupon_codes=["XMAS"]), BranchSession)
        assert_type(branch.update(branch="Ghent"), SessionEvent)
        assert_type(branch.close(branch="Ghent", now=NOW), SessionEvent)
        assert_type(branch.put(state="closed", branch="Ghent"), SessionEvent)
        assert_type(branch.evaluate("close", branch="Ghent"), Decision[BranchSession])
        assert_type(branch.board(branch="Ghent"), Mapping[Trigger, Decision[BranchSession]])
        assert_type(branch.evaluate("close", branch="Ghent").raise_if_refused().after, BranchSession | None)
        assert_type(branch.branch, str)
        BranchSession.create("order-1", branch="Ghent", coupon_codes=5)  # error
        branch.update(branch="Ghent", profile_id=7)  # error
        """,
    "verbs written anew": """
        class Loud(BranchSession):
            def close(
                self, change: SessionUpdate | None = None, /, *, now: datetime | None = None, **changes: Any
            ) -> SessionEvent:
                return super().close(change, now=now, **changes)

            def update(self, *args: Any, **changes: Any) -> SessionEvent:
                return super().update(*args, **changes)

            def cancel(self, **given: Any) -> SessionEvent:
                return super().cancel(**given)

            @classmethod
            def at(cls, integration_id: str, *, branch: str, **changes: Any) -> Loud:
                return cls.create(integration_id, branch=branch, **changes)


        assert_type(Loud.create("order-1", branch="Ghent"), Loud)
        assert_type(Loud.at("order-1", branch="Ghent", coupon_codes=["XMAS"]), Loud)
        Loud.at("order-1", branch=7)  # error
        """,
    "fields are read-only": """
        session.state = State.CLOSED  # error
        plain.state = State.CLOSED  # error
        branch.state = State.CLOSED  # error
        session.state = "closed"  # error
        session.update_count = 1  # error
        session.profile_id = "cust-7"  # error
        session.integration_id = "order-2"  # error
        session.updated = NOW  # error
        session.coupon_codes = 5  # error
        session.coupon_codes = ()  # error: mypy
        session.total = Decimal(1)  # error: mypy
        session.cart_items = ()  # error: mypy
        """,
    "reading JSON": """
        text, document = "{}", {"state": "open"}
        assert_type(wire.loads(text), CustomerSession)
        assert_type(wire.loads(text, strict=True), CustomerSession)
        assert_type(wire.loads(text, BranchSession), BranchSession)
        assert_type(wire.loads(text, kind=SessionUpdate, most_bytes=None), SessionUpdate)
        assert_type(wire.loads(text, SessionEvent, session_class=BranchSession), SessionEvent)
        assert_type(wire.structure(document), CustomerSession)
        assert_type(wire.structure(document, BranchSession), BranchSession)
        assert_type(wire.dumps(session), bytes)
        wire.loads(text).clsoe()  # error
        wire.loads(5)  # error
        wire.loads(text, SessionEvent, session_class=SessionUpdate)  # error
        """,
    "rules": """
        @rule("too_small", on=["close", Trigger.CREATE], target="closed")
        def order_is_large(total: Decimal, cart_items: tuple[CartItem, ...]) -> bool:
            '''An order must be large.'''
            return total > 10 and len(cart_items) > 1


        @rule("yielding", on=Trigger)
        def yields(session: BranchSession | None, change: SessionUpdate, context: Mapping[str, Any]) -> Iterable[Violation]:
            '''One must yield.'''
            yield Violation(message="no", details={"branch": session.branch if session else ""})


        class RuledSession(CustomerSession):
            rules = (*CustomerSession.rules, order_is_large, yields)


        assert_type(order_is_large, Rule)
        assert_type(order_is_large.text, str)
        rule("wrong", on=["clsoe"])  # error
        rule("wrong", on=["close"], target="clsed")  # error
        rule("wrong", on=["close"])(len)  # error


        @rule("wrong", on=["close"])  # error
        def answers_text(total: Decimal) -> int:
            '''A rule answers otherwise.'''
            return 1
        """,
    "the testing kit": """
        assert_type(given(CustomerSession).when("create", state="closed").then(state="closed"), Scenario)
        given(session).when("put", state="closed").then(event="talon_session_closed", total="1.50")
        given(session).when(Trigger.CLOSE).then(state=State.CLOSED, event=EventName.CLOSED).unchanged()
        given(session).when("clsoe")  # error
        given(session).when("close").then(state="clsed")  # error
        given(session).when("close").then(event="talon_session_clsed")  # error
        witness(CustomerSession, "too_many_units", "violated", on="close")
        witness(CustomerSession, "too_many_units", "voilated")  # error
        witness(CustomerSession, "too_many_units", on="clsoe")  # error
        """,
    "fields of Django": """
        from session_fsm.django import EventField, SessionField


        class Row:
            session = SessionField(BranchSession)
            event = EventField(BranchSession)


        assert_type(Row().session, BranchSession)
        assert_type(Row().event, SessionEvent)
        Row().session.clsoe()  # error
        Row().session = session  # error
        Row().session = branch
        """,
    "the store": """
        from session_fsm.store import AsyncSessionStore, SessionStore

        store = SessionStore("sqlite://", BranchSession)
        assert_type(store.get("order-1"), BranchSession)
        assert_type(store.change("order-1", lambda session: session.update_count), int)
        created = store.change("order-1", lambda session: session.update_count, create=lambda: branch)
        assert_type(created, int | SessionEvent)
        assert_type(store.change("order-1", lambda session: session.close(), create=lambda: branch), SessionEvent)
        store.change("order-1", lambda session: session.close(), create=lambda: session)  # error


        async def change(store: AsyncSessionStore[BranchSession]) -> None:
            assert_type(await store.change("order-1", lambda session: session.update_count), int)
            created = await store.change("order-1", lambda session: session.update_count, create=lambda: branch)
            assert_type(created, int | SessionEvent)
        """,
    "the package": """
        import session_fsm

        assert_type(session_fsm.__version__, str)
        print(session_fsm.CustomerSesion)  # error
        """,
    "diagrams": """
        assert_type(render(CustomerSession, "mermaid", detail="simple"), str)
        for name in formats():
            render(CustomerSession, name)
        render(CustomerSession, Format("mermiad"))
        render(CustomerSession, "mermiad")  # error
        render(CustomerSession, "svg", detail="smple")  # error


        def draw(diagram: Any, overlay: Any, /, *, detail: str) -> str:
            return detail


        render(CustomerSession, register_format("ascii", draw))
        """,
}


def module_of(name: str) -> str:
    return name.replace(" ", "_").replace("-", "_")


TEXTS = {module_of(name): HEAD + textwrap.dedent(snippet) for name, snippet in SNIPPETS.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Complaint]:
    unused = ["reportUnusedImport", "reportUnusedVariable", "reportUnusedFunction"]
    everything = complaints(tmp_path_factory.mktemp("snippets"), TEXTS)
    return [one for one in everything if one.rule not in unused]


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("name", SNIPPETS)
def test_a_checker_finds_each_error_and_nothing_else(name: str, checker: str, found: list[Complaint]) -> None:
    module = module_of(name)
    lines = TEXTS[module].splitlines()
    expected = {
        place: line
        for place, line in enumerate(lines, 1)
        if "# error" in line and line.partition("# error: ")[2] in ("", checker)
    }
    said = {
        one.line: f"{lines[one.line - 1].strip()}  <- {one.text}"
        for one in found
        if (one.checker, one.module) == (checker, module)
    }
    assert [said[line] for line in said.keys() - expected.keys()] == []
    assert [expected[line] for line in expected.keys() - said.keys()] == []


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        (StateLike, State),
        (TriggerLike, Trigger),
        (EventNameLike, EventName),
        (OutcomeLike, Outcome),
    ],
)
def test_the_words_of_an_alias_are_those_of_its_enumeration(alias: typing.Any, words: typing.Any) -> None:
    kind, literal = typing.get_args(alias)
    assert kind is words
    assert typing.get_args(literal) == tuple(map(str, words))


def test_the_words_of_a_format_are_the_formats_of_the_package() -> None:
    kind, literal = typing.get_args(diagrams.FormatLike)
    assert kind is diagrams.Format
    assert typing.get_args(literal) == diagrams.formats()[: len(typing.get_args(literal))] == tuple(diagrams._BUILT_IN)
    assert typing.get_args(diagrams.Detail) == diagrams.DETAILS


KEYWORDS = [name for name in FIELDS_OF_UPDATE if name != "state"]


@pytest.mark.parametrize(
    "signature", [signatures.create, signatures.update, signatures.put, signatures.evaluate, signatures.board]
)
def test_the_signature_of_a_verb_has_the_fields_of_an_update_with_the_types_that_it_takes(
    signature: typing.Any,
) -> None:
    parameters = inspect.signature(signature, eval_str=True).parameters
    hints = typing.get_type_hints(signatures.update)
    given = [name for name in parameters if name in KEYWORDS]
    assert given == KEYWORDS
    assert {name: parameters[name].annotation for name in KEYWORDS} == {name: hints[name] for name in KEYWORDS}
    assert parameters["own"].kind is inspect.Parameter.VAR_KEYWORD
    for attribute in attrs.fields(SessionUpdate):
        if attribute.name in KEYWORDS:
            taken = set(typing.get_args(hints[attribute.name]))
            assert type(None) in taken
            assert type(attribute.default) in taken


@pytest.mark.parametrize("verb", ["create", "update", "close", "put", "evaluate", "board"])
def test_a_verb_takes_what_its_signature_for_checkers_says(verb: str) -> None:
    """At run time the known fields are among the ``**changes``; every other parameter is the same in both."""
    method = getattr(CustomerSession, verb)
    real = inspect.signature(method).parameters
    shown = inspect.signature(getattr(signatures, verb, signatures.update)).parameters
    own = {name: one for name, one in shown.items() if name not in KEYWORDS and name != "own"}
    named = {name: one for name, one in real.items() if name not in ("self", "changes")}
    assert {"now", "context"} <= named.keys()
    assert real["changes"].kind is inspect.Parameter.VAR_KEYWORD
    assert own.keys() - {"state"} == named.keys() - {"state"}
    assert {name: (one.kind, one.default) for name, one in named.items()} == {
        name: (own[name].kind, own[name].default) for name in named
    }


def test_types_of_fields_are_those_that_their_annotations_name() -> None:
    """What makes them read-only for type checkers leaves no trace at run time."""
    hints = typing.get_type_hints(CustomerSession)
    assert hints["state"] is State
    assert hints["coupon_codes"] == tuple[str, ...]
    assert Path(inspect.getfile(CustomerSession)).name == "session.py"
