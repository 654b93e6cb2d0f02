"""Tests of `matrix` and `matrix_table`."""

from functools import cache

import pytest
from builders import EveryRuleSession, TenantSession

from session_fsm import CustomerSession, InvalidValue, SessionFSMError, State, Trigger, rule
from session_fsm.testing import recording
from session_fsm.testing.matrix import Cell, CellOutcome, matrix, matrix_table

ALLOWED = {
    "new-create-open": "open (talon_session_created)",
    "new-create-closed": "closed (talon_session_created)",
    "open-update": "open (talon_session_updated)",
    "open-close": "closed (talon_session_closed)",
    "open-cancel": "cancelled (talon_session_cancelled)",
    "closed-cancel": "cancelled (talon_session_revoked)",
    "closed-return_items": "partially_returned (talon_session_partially_returned)",
    "closed-reopen": "open (talon_session_reopened)",
    "partially_returned-cancel": "cancelled (talon_session_revoked)",
    "partially_returned-return_items": "partially_returned (talon_session_partially_returned)",
}
"""The expected outcome of every cell, independent of the table."""


@rule("nothing_comes_back", on=[Trigger.RETURN_ITEMS])
def nothing_comes_back():
    """Nothing comes back."""
    return False


@rule("cart_comes_late", on=[Trigger.CREATE], target=State.OPEN)
def carts_are_filled_later(cart_items):
    """An open session begins with an empty cart."""
    return not cart_items


@rule("starts_as_an_order", on=[Trigger.CREATE], target=State.OPEN)
def sessions_start_as_orders():
    """A session starts as an order."""
    return False


class NoReturns(CustomerSession):
    rules = (*CustomerSession.rules, nothing_comes_back)


class LateCart(CustomerSession):
    rules = (*CustomerSession.rules, carts_are_filled_later)


class OrdersOnly(CustomerSession):
    rules = (*CustomerSession.rules, sessions_start_as_orders)


@cache
def cells_of(kind, **options):
    """Return the cells by their names; cached."""
    return {str(cell): cell for cell in matrix(kind, **options)}


def cell_of(kind, name, **options):
    return cells_of(kind, **options)[name]


@pytest.mark.parametrize("cell", [*cells_of(CustomerSession).values(), *cells_of(EveryRuleSession).values()], ids=str)
def test_the_outcome_of_a_cell_follows_the_domain(cell: Cell):
    """T-01 to T-10; everything else is refused: creations by L-09, other triggers by the table."""
    code = "state_not_creatable" if cell.state is None else "wrong_state"
    assert str(cell.run()) == ALLOWED.get(str(cell), f"refused: {code}")
    assert cell.infeasible == ""


@pytest.mark.parametrize("cell", cells_of(EveryRuleSession).values(), ids=str)
def test_the_session_of_a_cell_is_new_and_in_its_state(cell: Cell):
    session = cell.session()
    if cell.state is None:
        assert session is None
    else:
        assert session.state is cell.state
        assert session is not cell.session()
        assert isinstance(session, EveryRuleSession)


def test_every_state_and_trigger_has_one_cell():
    names = list(cells_of(CustomerSession))
    moving = ["update", "close", "cancel", "return_items", "reopen"]
    assert names == [
        *(f"new-create-{state}" for state in State),
        *(f"{state}-{trigger}" for state in State for trigger in moving),
    ]


def test_a_cell_has_its_row():
    rows = {name: cell.row.id for name, cell in cells_of(CustomerSession).items() if cell.row}
    assert list(rows) == list(ALLOWED)
    assert list(rows.values()) == [f"T-{number:02}" for number in range(1, 11)]


def test_a_forbidden_return_has_a_cart_to_return_from():
    for name in ("open-return_items", "cancelled-return_items"):
        cell = cell_of(CustomerSession, name)
        assert cell.session().cart_items[cell.step.argument[0].position].remaining_quantity > 0


def test_a_forbidden_close_has_arguments_that_fire_in_another_state():
    given = cell_of(EveryRuleSession, "closed-close").step.argument.given()
    assert set(given) == {"coupon_codes", "referral_code", "identifiers"}


def test_allowed():
    assert cell_of(CustomerSession, "open-close").run().allowed
    outcome = cell_of(CustomerSession, "closed-close").run()
    assert not outcome.allowed
    assert outcome == CellOutcome(codes=("wrong_state",))


def test_an_outcome_shows_exceptions_of_rules():
    raised = []

    @rule("stock", on=["close"])
    def stock_is_counted():
        """The stock must be counted."""
        if raised:
            raise raised[0]

    kind = type("Broken", (CustomerSession,), {"rules": (*CustomerSession.rules, stock_is_counted)})
    cell = cell_of(kind, "open-close")
    raised.append(OSError("the stock is down"))
    outcome = cell.run()
    assert outcome.codes == ("rule_failed",)
    assert str(outcome) == "refused: rule_failed (stock raised OSError: the stock is down)"
    assert outcome == CellOutcome(codes=("rule_failed",))


def test_a_row_that_cannot_fire_is_infeasible():
    cell = cell_of(NoReturns, "closed-return_items", budget=200)
    assert cell.row.id == "T-07"
    assert "T-07 fires: no witness" in cell.infeasible
    assert "nothing_comes_back" in cell.infeasible
    assert "nothing_comes_back" in cell.run().codes


def test_an_unreachable_state_is_infeasible():
    cell = cell_of(NoReturns, "partially_returned-cancel", budget=200)
    assert cell.story is None
    assert cell.infeasible.startswith("no session reaches partially_returned: T-07 fires: no witness")
    with pytest.raises(SessionFSMError, match="partially_returned-cancel: no session reaches"):
        cell.run()


def test_a_forbidden_return_has_arguments_where_no_return_fires():
    step = cell_of(NoReturns, "open-return_items", budget=200).step
    assert step.code() == "session.return_items([ReturnedCartItem(position=0)])"


def test_a_creation_that_is_always_refused_is_infeasible():
    cell = cell_of(OrdersOnly, "new-create-open", budget=200)
    assert "starts_as_an_order" in cell.infeasible
    assert cell.session() is None
    assert cell.run().codes == ("starts_as_an_order",)
    assert cell_of(OrdersOnly, "open-close", budget=200).run().allowed


def test_a_cart_that_the_rules_refuse_is_left_out():
    cell = cell_of(LateCart, "open-return_items")
    assert cell.session().cart_items == ()
    assert cell.run().codes == ("wrong_state",)


def test_own_fields_are_passed_to_every_creation():
    for cell in matrix(TenantSession, own={"tenant": "acme"}):
        assert cell.story.own["tenant"] == "acme"
        assert str(cell.run()) == ALLOWED.get(str(cell), str(cell.run()))
        if session := cell.session():
            assert session.tenant == "acme"


def test_the_table_shows_the_outcome_of_every_cell():
    refused = "refused: wrong_state"
    lines = matrix_table(CustomerSession).splitlines()
    assert lines[0] == "| state | create | update | close | cancel | return_items | reopen |"
    assert lines[2] == (
        "| new | open: open (talon_session_created)<br>closed: closed (talon_session_created)"
        "<br>partially_returned: refused: state_not_creatable<br>cancelled: refused: state_not_creatable |  |  |  |  |  |"
    )
    assert lines[4] == (
        f"| closed |  | {refused} | {refused} | {ALLOWED['closed-cancel']} | {ALLOWED['closed-return_items']}"
        f" | {ALLOWED['closed-reopen']} |"
    )
    assert len(lines) == 7


def test_the_table_shows_given_outcomes():
    cells = cells_of(CustomerSession)
    by_name = matrix_table(CustomerSession, {"open-close": "yes", "new-create-open": "too"})
    assert by_name == matrix_table(CustomerSession, [(cells["open-close"], "yes"), (cells["new-create-open"], "too")])
    assert "| new | open: too |  |  |  |  |  |" in by_name
    assert "| open |  |  | yes |  |  |  |" in by_name


def test_the_table_shows_infeasible_cells():
    assert "| partially_returned |  | infeasible |" in matrix_table(NoReturns, budget=200)


def test_the_table_refuses_a_cell_that_does_not_exist():
    with pytest.raises(InvalidValue, match="no cell open-explode"):
        matrix_table(CustomerSession, {"open-explode": "yes"})


def test_only_running_a_cell_is_recorded():
    with recording(CustomerSession) as recorder:
        cells = matrix(CustomerSession)
        matrix_table(CustomerSession)
        assert not any(recorder.of(CustomerSession).rows.values())
        cells[0].run()
    assert recorder.of(CustomerSession).rows["T-01"] == 1
