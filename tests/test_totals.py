"""The totals: exact, gross, and computed when cart or costs change."""

from decimal import Decimal, getcontext, localcontext
from fractions import Fraction
from typing import Any

import attrs
from builders import CREATED, LATER, cart, session_in
from hypothesis import given
from hypothesis import strategies as st

from session_fsm import AdditionalCost, CartItem, CustomerSession, ReturnedCartItem
from session_fsm.testing import carts
from session_fsm.testing.strategies.values import additional_costs


def totals(session: CustomerSession) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return (
        session.cart_item_total,
        session.additional_cost_total,
        session.cart_item_additional_cost_total,
        session.total,
    )


def session_with(items: Any = (), costs: Any = ()) -> CustomerSession:
    return CustomerSession.create("order-1042", cart_items=items, additional_costs=dict(costs))


class TestSums:
    """M-01 to M-04: what is added up, and what is multiplied by the quantity."""

    def test_the_published_example(self) -> None:
        """M-04: 99.99 + 20 + 15 = 134.99."""
        session = session_with(
            [CartItem(sku="A", quantity=1, price="99.99", additional_costs={"wrap": AdditionalCost("15")})],
            {"shipping": AdditionalCost("20")},
        )
        assert totals(session) == (Decimal("99.99"), Decimal(20), Decimal(15), Decimal("134.99"))

    def test_an_empty_session_is_worth_nothing(self) -> None:
        assert totals(session_with()) == (0, 0, 0, 0)

    def test_prices_count_once_per_unit(self) -> None:
        """M-01."""
        items = [CartItem(sku="A", quantity=3, price="1.10"), CartItem(sku="B", quantity=2, price="0.05")]
        assert session_with(items).cart_item_total == Decimal("3.40")

    def test_an_item_without_price_counts_nothing(self) -> None:
        """M-01."""
        items = [CartItem(sku="A", quantity=3), CartItem(sku="B", quantity=1, price="2.50")]
        assert session_with(items).cart_item_total == Decimal("2.50")

    def test_costs_of_the_session_count_once(self) -> None:
        """M-02."""
        session = session_with(
            [CartItem(sku="A", quantity=3)], {"shipping": AdditionalCost("4.90"), "deposit": AdditionalCost(1)}
        )
        assert totals(session) == (0, Decimal("5.90"), 0, Decimal("5.90"))

    def test_costs_of_an_item_count_once_per_unit(self) -> None:
        """M-03."""
        wraps = {"wrap": AdditionalCost("1.25"), "card": AdditionalCost("0.75")}
        session = session_with([CartItem(sku="A", quantity=3, additional_costs=wraps)])
        assert totals(session) == (0, 0, Decimal("6.00"), Decimal("6.00"))

    def test_prices_may_be_zero_or_negative(self) -> None:
        items = [CartItem(sku="A", quantity=2, price="-3.50"), CartItem(sku="B", quantity=1, price=0)]
        session = session_with(items, {"discount": AdditionalCost("-1")})
        assert totals(session) == (Decimal("-7.00"), Decimal(-1), 0, Decimal("-8.00"))


class TestExactness:
    """M-05: exact decimal arithmetic; nothing is ever rounded."""

    def test_three_decimal_places_stay(self) -> None:
        session = session_with([CartItem(sku="A", quantity=1, price="9.999")])
        assert str(session.total) == "9.999"

    def test_tenths_add_up(self) -> None:
        items = [CartItem(sku="A", quantity=1, price="0.1"), CartItem(sku="B", quantity=1, price="0.2")]
        assert session_with(items).total == Decimal("0.3")

    def test_prices_of_sixty_digits_are_not_rounded(self) -> None:
        long = "1234567890" * 6
        items = [CartItem(sku="A", quantity=7, price=long), CartItem(sku="B", quantity=1, price="0." + "0" * 59 + "1")]
        total = session_with(items).total
        assert Fraction(total) == Fraction(long) * 7 + Fraction(1, 10**60)
        assert len(total.as_tuple().digits) == 120

    def test_the_largest_and_the_smallest_amount_add_up(self) -> None:
        items = [CartItem(sku="A", quantity=9_999, price="9e288"), CartItem(sku="B", quantity=1, price="1e-324")]
        assert Fraction(session_with(items).total) == 9_999 * 9 * Fraction(10) ** 288 + Fraction(1, 10**324)

    def test_the_context_of_the_thread_has_no_say(self) -> None:
        with localcontext() as context:
            context.prec = 3
            session = session_with([CartItem(sku="A", quantity=3, price="1234.5678")])
            evolved = session.evaluate("close", additional_costs={"a": AdditionalCost("0.00001")})
        assert session.total == Decimal("3703.7034")
        assert evolved.after is not None
        assert evolved.after.total == Decimal("3703.70341")
        assert getcontext().prec > 3

    @given(carts(), additional_costs())
    def test_totals_equal_an_independent_formula(self, items: list[CartItem], own: dict[str, AdditionalCost]) -> None:
        session = session_with(items, own)
        units = [(item, unit) for item in items for unit in range(item.quantity)]
        of_items = sum((Fraction(item.price) for item, _ in units if item.price is not None), Fraction())
        of_session = sum((Fraction(cost.price) for cost in own.values()), Fraction())
        of_units = sum((Fraction(c.price) for item, _ in units for c in item.additional_costs.values()), Fraction())
        expected = (of_items, of_session, of_units, of_items + of_session + of_units)
        assert tuple(map(Fraction, totals(session))) == expected

    @given(carts(), carts(), additional_costs())
    def test_it_makes_no_difference_how_the_content_came_in(
        self, first: list[CartItem], items: list[CartItem], own: dict[str, AdditionalCost]
    ) -> None:
        session = session_with(first)
        session.update(additional_costs=own)
        session.update(cart_items=items)
        assert totals(session) == totals(session_with(items, own))


class TestGrossTotals:
    """M-06: a return does not lower the totals."""

    def test_after_a_return_of_everything(self) -> None:
        session = session_in("closed")
        before = totals(session)
        session.return_items([ReturnedCartItem(position=0), ReturnedCartItem(position=1)])
        assert totals(session) == before
        session.cancel()
        assert totals(session) == before


def session_read(**given: Any) -> CustomerSession:
    """Make a session in the way in which one is read: its content is given, and so may be its totals."""
    return CustomerSession(integration_id="order-1042", created=CREATED, updated=CREATED, cart_items=cart(2), **given)


class TestGivenTotals:
    """M-07: totals that were given are kept as they stand until the cart or the costs change."""

    given_totals = {
        "cart_item_total": "100",
        "additional_cost_total": Decimal("20.5"),
        "cart_item_additional_cost_total": 3,
        "total": "123.50",
    }
    held = (Decimal(100), Decimal("20.5"), Decimal(3), Decimal("123.50"))

    def test_they_are_held_as_given(self) -> None:
        assert totals(session_read(**self.given_totals)) == self.held

    def test_missing_ones_are_computed(self) -> None:
        assert totals(session_read()) == (Decimal("3.00"), 0, 0, Decimal("3.00"))
        assert totals(session_read(total="99")) == (Decimal("3.00"), 0, 0, Decimal(99))

    def test_they_survive_what_does_not_touch_cart_or_costs(self) -> None:
        session = session_read(**self.given_totals)
        session.update(coupon_codes=["A"], attributes={"a": 1})
        session.close(referral_code="B")
        session.reopen()
        session.close()
        session.return_items([ReturnedCartItem(position=0, quantity=1)])
        assert totals(session) == self.held

    def test_a_new_cart_computes_all_of_them_anew(self) -> None:
        session = session_read(**self.given_totals)
        session.update(cart_items=cart(4))
        assert totals(session) == (Decimal("6.00"), 0, 0, Decimal("6.00"))

    def test_new_costs_compute_all_of_them_anew(self) -> None:
        session = session_read(**self.given_totals)
        session.close(additional_costs={"shipping": AdditionalCost(1)})
        assert totals(session) == (Decimal("3.00"), 1, 0, Decimal("4.00"))

    def test_a_copy_keeps_them(self) -> None:
        session = session_read(**self.given_totals)
        assert totals(attrs.evolve(session)) == self.held
        assert totals(session.evaluate("close", now=LATER).after) == self.held  # type: ignore[arg-type]  # it is allowed, so not None


@given(st.integers(-(10**40), 10**40))
def test_whole_numbers_are_taken_as_they_are(number: int) -> None:
    assert AdditionalCost(number).price == number
    assert AdditionalCost(str(number)).price == number
