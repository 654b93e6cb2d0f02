"""Sessions and session classes for tests, and functions that compare sessions and fire their triggers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from session_fsm import (
    AdditionalCost,
    CartItem,
    CustomerSession,
    EventName,
    ExperimentVariantAllocation,
    ReturnedCartItem,
    SessionEvent,
    State,
    Trigger,
)
from session_fsm.rules import (
    additional_costs_are_declared,
    attributes_are_declared,
    attributes_have_declared_types,
    coupon_code_required,
    identifier_required,
    prices_are_known,
    referral_code_required,
)

CREATED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
"""The creation time of the sessions of `session_in`; each further operation is a minute later."""
LATER = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)

ONE_UNIT = (ReturnedCartItem(position=0, quantity=1),)
MACHINE_WIDE = [
    "prepare_event",
    "before_state_change",
    "after_state_change",
    "on_final",
    "on_exception",
    "finalize_event",
]
MOVING = (Trigger.UPDATE, Trigger.CLOSE, Trigger.CANCEL, Trigger.RETURN_ITEMS, Trigger.REOPEN)


@attrs.define(kw_only=True, eq=False, repr=False)
class TenantSession(CustomerSession):
    """A decorated class with two own fields, one of which is required."""

    tenant: str
    note: str = "none"


@attrs.define
class SlottedSession(CustomerSession):
    """A decorated class without own fields."""


class PlainSession(CustomerSession):
    """A class that is not decorated, so its sessions have a `__dict__`."""


class EveryRuleSession(CustomerSession):
    """A class with every rule: L-01 to L-09 and O-01 to O-07."""

    rules = (
        *CustomerSession.rules,
        coupon_code_required,
        referral_code_required,
        identifier_required,
        attributes_are_declared(session=["ShippingCity"], cart_item=["colour"]),
        attributes_have_declared_types(session={"ShippingCity": "string"}, cart_item={"colour": "string"}),
        additional_costs_are_declared(session=["shipping"], cart_item=["gift_wrap"]),
        prices_are_known(catalog=["IN-CATALOG"]),
    )


def at_minute(minute: int) -> datetime:
    """Return the time *minute* minutes after `CREATED`."""
    return CREATED + timedelta(minutes=minute)


def cart(*quantities: int) -> list[CartItem]:
    """Return items with these quantities, the SKUs A, B, C, ... and the prices 1.50, 2.50, 3.50, ..."""
    return [
        CartItem(sku=chr(ord("A") + index), quantity=quantity, price=f"{index + 1}.50")
        for index, quantity in enumerate(quantities)
    ]


def cart_session(*quantities: int, cls: type[CustomerSession] = CustomerSession) -> CustomerSession:
    """Return a closed session whose cart has items with these quantities."""
    return cls.create("order-1042", cart_items=cart(*quantities), state="closed", now=CREATED)


def session_in(state: State | str, cls: Any = CustomerSession, **changes: Any) -> Any:
    """Return a session that its methods have brought to *state*, with a value in every field that a request may set."""
    content: dict[str, Any] = {
        "profile_id": "customer-7",
        "store_integration_id": "store-3",
        "evaluable_campaign_ids": [11],
        "coupon_codes": ["XMAS"],
        "referral_code": "FRIEND",
        "loyalty_cards": ["card-1"],
        "cart_items": [
            CartItem(sku="A", quantity=3, price="19.99", attributes={"colour": "red"}),
            CartItem(sku="B", quantity=1, price="5", additional_costs={"gift_wrap": AdditionalCost("1.25")}),
        ],
        "additional_costs": {"shipping": AdditionalCost("4.90")},
        "identifiers": ["ip-hash"],
        "attributes": {"ShippingCity": "Berlin"},
    }
    session = cls.create("order-1042", id=5, application_id=322, now=CREATED, **(content | changes))
    if state in ("closed", "partially_returned"):
        session.close(now=at_minute(1))
    if state == "partially_returned":
        session.return_items(ONE_UNIT, now=at_minute(2))
    if state == "cancelled":
        session.cancel(now=at_minute(1))
    assert session.state == state
    return session


def snapshot(session: CustomerSession) -> dict[str, Any]:
    """Return a snapshot of all values of a session, to compare it with a later one."""
    names = [a.name for a in attrs.fields(type(session)) if not a.name.startswith("_")]
    values: dict[str, Any] = {name: getattr(session, name) for name in names}
    return values | {"pending_events": session.pending_events} | dict(getattr(session, "__dict__", {}))


def fire(session: Any, trigger: Trigger | str, now: datetime | None = None) -> SessionEvent:
    """Fire *trigger* with the fewest arguments; a return returns one unit of the first item."""
    arguments = (ONE_UNIT,) if trigger == "return_items" else ()
    event: SessionEvent = getattr(session, trigger)(*arguments, now=now)
    return event


def judged(session: Any, trigger: Trigger | str, now: datetime | None = None) -> Any:
    """Evaluate *trigger* with the same arguments as `fire`."""
    arguments = (ONE_UNIT,) if trigger == "return_items" else ()
    return session.evaluate(trigger, *arguments, now=now)


def item(**fields: Any) -> CartItem:
    """Return a cart item with these fields and defaults for required ones; so do the next three functions."""
    return CartItem(**({"sku": "A", "quantity": 1} | fields))


def event(**fields: Any) -> SessionEvent:
    defaults: dict[str, Any] = {
        "name": EventName.CLOSED,
        "session_id": "x",
        "trigger": Trigger.CLOSE,
        "target": State.CLOSED,
        "at": CREATED,
        "update_count": 1,
    }
    return SessionEvent(**(defaults | fields))


def session_of(**fields: Any) -> CustomerSession:
    return CustomerSession(**({"integration_id": "x", "created": CREATED, "updated": CREATED} | fields))


def variant(**fields: Any) -> ExperimentVariantAllocation:
    return ExperimentVariantAllocation(**({"experiment_id": 1, "variant_id": 2} | fields))


def fresh(**members: Any) -> type[CustomerSession]:
    """Return a new session class with its own machine, which a test may modify."""
    return type("FreshSession", (CustomerSession,), members)


def add_callback(cls: type[CustomerSession], moment: str, callback: Any) -> None:
    """Register *callback* for *moment* on the machine, or on all its events or states."""
    machine = cls.machine
    if moment in MACHINE_WIDE:
        setattr(machine, moment, [*getattr(machine, moment), callback])
    elif moment in ("prepare", "before", "after"):
        for event in machine.events.values():
            event.add_callback(moment, callback)
    else:
        for state in machine.states.values():
            state.add_callback(moment.removeprefix("on_"), callback)
