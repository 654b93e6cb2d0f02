"""The session class of the worker: the built-in rules and one rule of the shops."""

from session_fsm import CustomerSession, State, Trigger, rule

__all__ = ["ShopSession", "order_names_its_store"]


@rule("store_missing", on=[Trigger.CREATE, Trigger.CLOSE], target=State.CLOSED)
def order_names_its_store(store_integration_id: str | None) -> bool:
    """An order must name the store that it was placed in."""
    return bool(store_integration_id)


class ShopSession(CustomerSession):
    """A session of one of the shops."""

    rules = (*CustomerSession.rules, order_names_its_store)
