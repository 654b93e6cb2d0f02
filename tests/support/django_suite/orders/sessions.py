"""The session class of the suite."""

from datetime import datetime
from decimal import Decimal

import attrs

from session_fsm import CustomerSession, Trigger, rule


@rule("out_of_stock", on=[Trigger.CANCEL])
def stock_is_known() -> bool:
    """The stock must be known."""
    raise ConnectionError("postgresql://shop:secret-word@db.internal is not there")


@attrs.define(kw_only=True, eq=False, repr=False)
class ShopSession(CustomerSession):
    rules = (*CustomerSession.rules, stock_is_known)

    deposit: Decimal = Decimal(0)
    note: str = "<none>"
    due: datetime | None = None
