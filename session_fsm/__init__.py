"""A finite-state machine for Talon.One's customer session: a cart that becomes an order.

>>> from session_fsm import CartItem, CustomerSession
>>> session = CustomerSession.create("order-1042", cart_items=[CartItem(sku="A-1", quantity=2, price="19.99")])
>>> session.close()
SessionEvent(name=<EventName.CLOSED: 'talon_session_closed'>, ...)
>>> session.state, session.total
(<State.CLOSED: 'closed'>, Decimal('39.98'))

`session_fsm.rules` has rules that a service may switch on, `session_fsm.wire` reads and writes Talon.One's JSON.
"""

from typing import TYPE_CHECKING, Any

from session_fsm.appearance import render_with
from session_fsm.decisions import Decision
from session_fsm.errors import (
    ConcurrentChange,
    InvalidValue,
    RuleViolated,
    SessionFSMError,
    TransitionRefused,
    Violation,
    WireError,
    WrongState,
)
from session_fsm.events import SessionEvent
from session_fsm.guards import Rule, rule
from session_fsm.session import CustomerSession
from session_fsm.states import EventName, State, Trigger
from session_fsm.values import (
    UNSET,
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
)

__all__ = [
    "UNSET",
    "AdditionalCost",
    "CartItem",
    "ConcurrentChange",
    "CustomerSession",
    "Decision",
    "EventName",
    "ExperimentVariantAllocation",
    "InvalidValue",
    "Product",
    "ReturnedCartItem",
    "Rule",
    "RuleViolated",
    "SessionEvent",
    "SessionFSMError",
    "SessionUpdate",
    "State",
    "TransitionRefused",
    "Trigger",
    "Violation",
    "WireError",
    "WrongState",
    "rule",
]


def _render(*args: Any, **keywords: Any) -> str:
    from session_fsm.diagrams import render  # noqa: PLC0415 - few programs draw diagrams

    return render(*args, **keywords)


# Sessions and their classes format themselves as diagrams, whose modules import the session.
render_with(_render)


if TYPE_CHECKING:
    __version__: str
else:
    # Type checkers would take any misspelt name for an attribute of the module.
    def __getattr__(name: str) -> str:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 - it would double the time of the import

            return version("session-fsm")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
