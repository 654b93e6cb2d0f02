"""Tests of the search: rule references, candidates, long stories, shrinking."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial, wraps
from itertools import islice
from typing import Any

import attrs
import pytest
from builders import TenantSession
from hypothesis import strategies

from session_fsm import CartItem, CustomerSession, ReturnedCartItem, Rule, SessionUpdate, rule
from session_fsm.rules.optional import AttributeType
from session_fsm.testing import BEGINNING, NoWitness, Step, Story, Why, find_witness, witness
from session_fsm.testing.generation.candidates import Candidates
from session_fsm.testing.generation.rule_references import RuleReferences, references_of
from session_fsm.testing.generation.shrinking import shrink

MINUTE = timedelta(minutes=1)


def rule_that_holds(*held: Any) -> Rule:
    """Return a rule with *held* in a closure cell."""

    @rule("holds", on=["update"])
    def holds(profile_id: str) -> bool:
        """It holds something."""
        return profile_id not in held

    return holds


class TestRuleReferences:
    @pytest.mark.parametrize(
        ("held", "field", "values"),
        [
            (1.5, "numbers", (Decimal("1.5"),)),
            (float("inf"), "numbers", ()),
            ("25", "numbers", (Decimal(25),)),
            ("2026-05-01T00:00:00", "moments", (datetime(2026, 5, 1),)),
            (datetime(2026, 5, 1, tzinfo=UTC), "moments", (datetime(2026, 5, 1, tzinfo=UTC),)),
            (date(2026, 5, 1), "days", (date(2026, 5, 1),)),
            (time(18), "clock_times", (time(18),)),
            (timedelta(days=3), "spans", (timedelta(days=3),)),
            ({"Size": AttributeType.NUMBER, "Other": 1}, "types", (("Size", AttributeType.NUMBER),)),
            (partial(pow, 7), "numbers", (Decimal(7),)),
            (re.compile("NL-[0-9]"), "texts", ("NL-[0-9]",)),
        ],
    )
    def test_constants_are_collected_by_type(self, held: Any, field: str, values: tuple[Any, ...]) -> None:
        assert getattr(references_of([rule_that_holds(held)]), field) == values

    def test_a_class_has_no_references(self) -> None:
        assert references_of([rule_that_holds(CustomerSession)]).numbers == ()

    def test_methods_and_callable_objects_of_the_package_are_read(self) -> None:
        class Limit:
            def __init__(self, most: int) -> None:
                self.most = most

            def allows(self, units: int) -> bool:
                return units < 77

        class CallableLimit(Limit):
            def __call__(self, units: int) -> bool:
                return units < 88

        assert references_of([rule_that_holds(Limit(66).allows)]).numbers == (Decimal(66), Decimal(77))
        assert references_of([rule_that_holds(CallableLimit(66))]).numbers == (Decimal(66), Decimal(88))
        assert references_of([rule_that_holds(Limit(66))]).numbers == (Decimal(66),)

    def test_a_wrapped_function_is_read(self) -> None:
        def announced(function: Callable[[int], bool]) -> Callable[[int], bool]:
            @wraps(function)
            def wrapper(*arguments: Any) -> bool:
                return function(*arguments)

            return wrapper

        @announced
        def few(units: int) -> bool:
            return units < 55

        assert references_of([rule_that_holds(few)]).numbers == (Decimal(55),)

    def test_an_empty_closure_cell_is_ignored(self) -> None:
        @rule("early", on=["update"])
        def early(profile_id: str) -> bool:
            """It refers to an empty cell."""
            return profile_id != later and profile_id != "never"

        assert references_of([early]).texts == ("never",)
        later = "soon"
        assert references_of([early]).texts == ("soon", "never")

    def test_a_rule_that_another_rule_calls_is_read(self) -> None:
        @rule("calls", on=["update"])
        def calls(profile_id: str) -> bool:
            """It calls another rule."""
            return bool(called(profile_id))

        assert references_of([calls]).texts == ("called",)

    def test_own_methods_and_properties_of_the_session_are_read(self) -> None:
        @attrs.define
        class GoldSession(CustomerSession):
            """Has a property."""

            @property
            def is_gold(self) -> bool:
                return self.profile_id == "gold"

        @rule("gold", on=["update"])
        def gold(session: Any) -> bool:
            """It is gold."""
            return bool(session.is_gold)

        assert references_of([gold], GoldSession).texts == ("gold",)
        assert references_of([gold]).texts == ()


@rule("called", on=["update"])
def called(profile_id: str) -> bool:
    """It is called by another."""
    return profile_id != "called"


def candidates(*names: str, kind: type[CustomerSession] = CustomerSession, **values: Any) -> Candidates:
    return Candidates(kind, RuleReferences(names=frozenset(names), **values))


class TestCandidates:
    @pytest.mark.parametrize(
        ("held", "tried"),
        [
            (True, [True, False]),
            (3, [1, 0, 2]),
            (Decimal(3), [Decimal(1), Decimal(0), Decimal(2)]),
            ("acme", ["A", "B"]),
            (None, [None, "A", "B", 1]),
        ],
    )
    def test_candidates_of_an_own_field_have_its_type(self, held: Any, tried: list[Any]) -> None:
        found = candidates("tenant", kind=TenantSession).own_fields({"tenant": held})
        assert [own["tenant"] for own in islice(found, len(tried))] == tried

    @pytest.mark.parametrize("kind", [CartItem, type("OwnItem", (CartItem,), {})])
    def test_items_of_a_long_cart_differ_only_in_their_skus(self, kind: type[CartItem]) -> None:
        like = kind(sku="A", quantity=1, price=2)
        tried = candidates("cart_items", "len", numbers=(Decimal(50),))
        for _ in range(2):
            (cart,) = (c for c in tried.of_cart((like,)) if len(c) == 50 and len({item.sku for item in c}) == 50)
            assert cart == tuple(kind(sku=f"A{n}", quantity=1, price=2) for n in range(50))
            assert {type(item) for item in cart} == {kind}

    def test_fields_of_a_creation_are_varied(self) -> None:
        found = list(candidates("id", "first_session").own_fields({}))
        assert found[:2] == [{"id": 1}, {"id": 0}]
        assert found[-2:] == [{"first_session": True}, {"first_session": False}]

    def test_a_return_names_no_sku_if_no_rule_reads_it(self) -> None:
        cart = (CartItem(sku="A", quantity=2),)
        entries = [entry for entries in candidates("quantity").of_return((), cart) for entry in entries]
        assert ReturnedCartItem(position=0, quantity=3) in entries
        assert not any(entry.sku for entry in entries)
        named = [entry for entries in candidates("sku").of_return((), cart) for entry in entries]
        assert ReturnedCartItem(position=0, sku="A") in named
        assert not any(entry.quantity for entry in named)

    def test_every_field_of_an_item_that_a_rule_reads_is_varied(self) -> None:
        cart = (CartItem(sku="A", quantity=1),)
        carts = list(candidates("cart_items", "name", "weight", "attributes", texts=("Size",)).of_cart(cart))
        items = [item for (item, *_) in filter(None, carts)]
        assert {"Size"} <= {item.name for item in items}
        assert {Decimal(2)} <= {item.weight for item in items}
        assert {"Size": False} in [dict(item.attributes) for item in items]

    def test_times_are_near_the_constants_of_the_rule(self) -> None:
        moment, day = datetime(2026, 5, 1, 12, tzinfo=UTC), date(2026, 6, 1)
        found = set(
            candidates("now", moments=(moment,), days=(day,), clock_times=(time(18),)).values.moments(None, BEGINNING)
        )
        evening = BEGINNING.replace(hour=18)
        for each in (moment, datetime(2026, 6, 1, tzinfo=UTC), evening, evening + timedelta(days=1)):
            assert {each - timedelta(seconds=1), each, each + timedelta(seconds=1)} <= found

    def test_numbers_are_timedeltas_only_if_the_rule_uses_timedeltas(self) -> None:
        then = BEGINNING + timedelta(days=14)
        at_once = candidates("now", numbers=(Decimal(14),)).values.moments(None, BEGINNING)
        assert then + timedelta(seconds=1) not in set(at_once)
        session = Story.of(Step("create")).play(CustomerSession)
        spans = set(candidates("now", "days", numbers=(Decimal(14),)).values.moments(session, BEGINNING + MINUTE))
        assert then + timedelta(seconds=1) in spans
        assert min(spans) > BEGINNING + MINUTE

    def test_without_a_rule_about_time_no_time_is_varied(self) -> None:
        assert list(candidates("profile_id").values.moments(None, BEGINNING)) == []


class TestSearch:
    @pytest.mark.parametrize(("trigger", "depth"), [("update", 2), ("cancel", 2), ("reopen", 3)])
    def test_a_rule_that_counts_updates_is_reached_by_a_long_story(self, trigger: str, depth: int) -> None:
        @rule("worn_out", on=["create", trigger])
        def session_is_fresh(session: Any) -> bool:
            """A session is not updated too often."""
            return session is None or bool(session.update_count < 8)

        kind = type("WornSession", (CustomerSession,), {"rules": (*CustomerSession.rules, session_is_fresh)})
        shown = witness(kind, "worn_out", "violated", depth=depth, budget=3000)
        session = shown.session()
        assert session is not None
        assert session.update_count >= 8

    def test_another_target_is_no_witness(self) -> None:
        elsewhere = strategies.just(Story.of(Step("create")))
        missing = find_witness(CustomerSession, "T-05", strategy=elsewhere, depth=0, budget=20)
        assert isinstance(missing, NoWitness)
        assert (missing.why, missing.text) == (Why.NOT_FOUND, "nothing of the kind was seen")


class TestShrinking:
    def test_a_price_shrinks_to_the_relevant_digits(self) -> None:
        def priced(price: str) -> Story:
            return Story.of(Step("create", SessionUpdate(cart_items=[CartItem(sku="A", quantity=1, price=price)])))

        def price_of(story: Story) -> Decimal | None:
            items = story.steps[0].argument.given().get("cart_items") if story.steps else ()
            price: Decimal | None = items[0].price if items else None
            return price

        def shows(story: Story) -> bool:
            price = price_of(story)
            return price is not None and price != price.to_integral_value()

        assert price_of(shrink(priced("12.345"), shows)) == Decimal("12.3")
        assert price_of(shrink(priced(f"{'7' * 40}.25"), shows)) == Decimal(f"{'7' * 40}.2")

    def test_a_time_is_rounded_as_far_as_the_step_before_allows(self) -> None:
        story = Story.of(Step("create"), Step("close", at=BEGINNING + timedelta(hours=5, minutes=6, seconds=7.5)))
        early = Story.of(Step("create"), Step("close", at=BEGINNING + timedelta(minutes=1, seconds=7.5)))

        def shows(other: Story) -> bool:
            return len(other.steps) == 2 and other.steps[1].at is not None

        assert shrink(story, lambda s: shows(s) and s.end.hour == 5).steps[1].at == BEGINNING + timedelta(hours=5)
        assert shrink(early, shows).steps[1].at == BEGINNING + MINUTE

    def test_given_own_values_stay_and_others_shrink(self) -> None:
        at = datetime(2026, 5, 1, tzinfo=UTC)
        own = {"tenant": "acme", "note": "long", "at": at}
        story = Story.of(Step("create"), own=own)
        assert shrink(story, lambda s: {*s.own} == {*own} and bool(s.steps), kept=("tenant",)).own == {
            "tenant": "acme",
            "note": "A",
            "at": at,
        }
        assert shrink(story, lambda s: bool(s.steps), kept=("tenant",)).own == {"tenant": "acme"}
        assert shrink(story, lambda s: bool(s.steps)).own == {}
