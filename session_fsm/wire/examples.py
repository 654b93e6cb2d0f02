"""The example of each kind of document, for `session_fsm.wire.schema`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from session_fsm.errors import ErrorResponse
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.values import (
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
)
from session_fsm.wire.kinds import ReturnRequest

__all__ = ["EXAMPLES"]

_COST = {"price": 4.9}
_VARIANT = {"experimentID": 3, "variantID": 7}
_RETURNED = {"position": 0, "quantity": 1, "sku": "TEA-250"}
_ITEM = {"sku": "TEA-250", "quantity": 2, "name": "Assam, 250 g", "price": 9.75, "category": "tea"}
_CHANGE = {
    "profileId": "customer-7",
    "couponCodes": ["XMAS"],
    "cartItems": [_ITEM],
    "additionalCosts": {"shipping": _COST},
    "attributes": {"ShippingCity": "Berlin"},
}

EXAMPLES: Mapping[type[Any], dict[str, Any]] = MappingProxyType(
    {
        CustomerSession: {
            "id": 1042,
            "created": "2026-03-01T09:00:00Z",
            "integrationId": "order-1042",
            "applicationId": 322,
            "state": "closed",
            "firstSession": False,
            "updated": "2026-03-01T09:05:00Z",
            "updateCount": 2,
            **_CHANGE,
        },
        SessionUpdate: {"state": "closed", **_CHANGE},
        ReturnRequest: {"returnedCartItems": [_RETURNED]},
        SessionEvent: {
            "name": "talon_session_closed",
            "sessionId": "order-1042",
            "trigger": "close",
            "source": "open",
            "target": "closed",
            "at": "2026-03-01T09:05:00Z",
            "updateCount": 2,
            "change": {"couponCodes": ["XMAS"]},
        },
        CartItem: _ITEM,
        ReturnedCartItem: _RETURNED,
        AdditionalCost: _COST,
        Product: {"name": "Assam"},
        ExperimentVariantAllocation: _VARIANT,
        ErrorResponse: {
            "message": "The submitted data was invalid",
            "errors": [
                {
                    "title": "returns_more_than_remaining",
                    "details": "3 units of the item at position 0 cannot come back; 2 remain",
                    "source": {"pointer": "/returnedCartItems/0/quantity"},
                }
            ],
        },
    }
)
"""By class; documents as a parser of JSON returns them."""
