"""The session class of this shop, with its own rule and field, which Talon.One does not know."""

from decimal import Decimal

import attrs

from session_fsm import CustomerSession, State, Trigger, rule

__all__ = ["ShopSession", "order_is_worth_ten"]


@rule("minimum_order_missed", on=[Trigger.CREATE, Trigger.CLOSE], target=State.CLOSED)
def order_is_worth_ten(total: Decimal) -> bool:
    """An order must be worth at least 10."""
    return total >= 10


@attrs.define(kw_only=True, eq=False, repr=False)
class ShopSession(CustomerSession):
    """A session of the shop."""

    rules = (*CustomerSession.rules, order_is_worth_ten)
    branch: str = "main"
    """The branch that packs the order."""
