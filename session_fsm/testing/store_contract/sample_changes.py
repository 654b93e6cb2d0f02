"""What the tests of the contract do with a session, and the errors that they expect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.testing.steps import BEGINNING
from session_fsm.values import CartItem, ReturnedCartItem

__all__ = [
    "Raised",
    "answering",
    "cancel_session",
    "close_at_till",
    "close_session",
    "fail",
    "ignore",
    "itself",
    "never_called",
    "new",
    "raised",
    "redeem",
    "reopen_session",
    "return_one",
    "total_of",
]


def new(session_id: str = "order-1", **given: Any) -> CustomerSession:
    """Return a new session with an item."""
    defaults: dict[str, Any] = {"cart_items": [CartItem(sku="MUG", quantity=3, price="12.50")], "now": BEGINNING}
    return CustomerSession.create(session_id, **defaults | given)


def close_session(session: CustomerSession) -> SessionEvent:
    """Close *session* a minute after its last update."""
    return session.close(now=session.updated + timedelta(minutes=1))


def redeem(code: str) -> Callable[[CustomerSession], SessionEvent]:
    """Return a function that replaces the coupon codes of a session by *code*."""
    return lambda session: session.update(coupon_codes=[code], now=session.updated + timedelta(minutes=1))


def cancel_session(session: CustomerSession) -> SessionEvent:
    """Cancel *session*."""
    return session.cancel(now=BEGINNING)


def reopen_session(session: CustomerSession) -> SessionEvent:
    """Reopen *session*."""
    return session.reopen(now=BEGINNING)


def return_one(session: CustomerSession) -> SessionEvent:
    """Return one mug of *session*."""
    return session.return_items([ReturnedCartItem(sku="MUG", quantity=1)], now=BEGINNING)


def close_at_till(session: CustomerSession) -> SessionEvent:
    """Close *session* with a context."""
    return session.close(context={"by": "till 4"}, now=BEGINNING)


def total_of(session: CustomerSession) -> Decimal:
    """Return an amount, and change nothing."""
    return session.total


def itself(session: CustomerSession) -> CustomerSession:
    """Return *session*, and change nothing."""
    return session


def answering(value: object) -> Callable[[CustomerSession], object]:
    """Return a function that changes nothing and returns *value*."""
    return lambda _: value


class Raised(Exception):
    """What a block raises in these tests."""


def never_called(_: CustomerSession) -> Any:
    """Raise an error: the test expects no call."""
    raise AssertionError("the function is not to be called")  # pragma: no cover - a store is wrong that calls it


def ignore(_: object) -> None:
    """Publish a message nowhere."""


def fail(_: object) -> None:
    """Publish no message, but raise."""
    raise Raised


def raised(kind: Any, function: Any, *args: Any, **keywords: Any) -> Any:
    """Return the error of *kind* that the call raises."""
    __tracebackhide__ = True
    try:
        function(*args, **keywords)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} is not raised")  # pragma: no cover - by a store that is wrong
