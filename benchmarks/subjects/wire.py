"""S-6 and S-7: the cost of reading and writing JSON, compared with the official client and `msgspec`.

The document is a session as the API returns it, with every field that a session in use has. The official client uses
binary floats and only checks types. `msgspec` uses exact decimals and only checks types; it is the lower bound.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from benchmarks.plan import Comparison, Ratio, Timed

__all__ = ["COMPARISONS"]


def _item(position: int) -> dict[str, Any]:
    return {
        "name": f"Green tea {position}",
        "sku": f"TEA-{position}",
        "quantity": 1 + position % 3,
        "returnedQuantity": 0,
        "remainingQuantity": 1 + position % 3,
        "price": 9.75 + position,
        "category": "tea",
        "position": position,
        "attributes": {"organic": True, "origin": "Assam"},
        "additionalCosts": {"deposit": {"price": 0.25}},
    }


def _document(items: int) -> dict[str, Any]:
    cart = [_item(position) for position in range(items)]
    goods = sum(item["price"] * item["quantity"] for item in cart)
    deposits = sum(0.25 * item["quantity"] for item in cart)
    return {
        "id": 90210,
        "created": "2026-02-03T04:05:06Z",
        "integrationId": "order-1042",
        "applicationId": 41,
        "profileId": "cust-7",
        "storeIntegrationId": "store-9",
        "couponCodes": ["LENT-10"],
        "referralCode": "PAL-4",
        "loyaltyCards": ["card-12"],
        "state": "open",
        "cartItems": cart,
        "additionalCosts": {"shipping": {"price": 4.5}},
        "identifiers": ["91b4d1"],
        "attributes": {"City": "Gent", "vip": True},
        "firstSession": False,
        "total": goods + deposits + 4.5,
        "cartItemTotal": goods,
        "additionalCostTotal": 4.5,
        "cartItemAdditionalCostTotal": deposits,
        "updated": "2026-02-04T00:00:00Z",
        "updateCount": 4,
    }


def _text(items: int) -> str:
    return json.dumps(_document(items), separators=(",", ":"))


def _summary(session: Any, items: list[Any]) -> list[Any]:
    """Return the values of a session that all contenders can provide."""
    first = items[0]
    return [
        session.updated.isoformat(),
        float(session.total),
        len(items),
        [first.sku, first.quantity, float(first.price), float(items[-1].price)],
    ]


def _read_with_session_fsm(items: int) -> Timed:
    from session_fsm import wire

    text = _text(items)

    def work(repeats: range) -> None:
        for _ in repeats:
            wire.loads(text)

    def result() -> list[Any]:
        session = wire.loads(text)
        return _summary(session, list(session.cart_items))

    return Timed(work, result=result)


def _read_with_client(items: int) -> Timed:
    from talon_one.models import CustomerSessionV2

    text = _text(items)

    def work(repeats: range) -> None:
        for _ in repeats:
            CustomerSessionV2.from_json(text)

    def result() -> list[Any]:
        session: Any = CustomerSessionV2.from_json(text)
        return _summary(session, session.cart_items)

    return Timed(work, result=result)


def _read_with_pydantic(items: int) -> Timed:
    """Read with pydantic, on which the client is built, without the client's own methods."""
    from talon_one.models import CustomerSessionV2

    text = _text(items)
    read = CustomerSessionV2.model_validate_json

    def work(repeats: range) -> None:
        for _ in repeats:
            read(text)

    def result() -> list[Any]:
        session: Any = read(text)
        return _summary(session, session.cart_items)

    return Timed(work, result=result)


def _structs() -> Any:
    """Return the classes for `msgspec`."""
    import msgspec

    cost = msgspec.defstruct("Cost", [("price", Decimal)])
    item = msgspec.defstruct(
        "Item",
        [
            *(("sku", str), ("quantity", int), ("name", str | None, None), ("price", Decimal | None, None)),
            *(("category", str | None, None), ("position", int | None, None)),
            *(("returned_quantity", int, 0), ("remaining_quantity", int, 0)),
            *(("attributes", dict[str, Any], {}), ("additional_costs", dict[str, cost], {})),
        ],
        rename="camel",
    )
    return msgspec.defstruct(
        "Session",
        [
            *(("id", int), ("created", datetime), ("integration_id", str), ("application_id", int)),
            *(("profile_id", str), ("store_integration_id", str), ("coupon_codes", list[str]), ("referral_code", str)),
            *(("loyalty_cards", list[str]), ("state", str), ("cart_items", list[item])),
            *(("additional_costs", dict[str, cost]), ("identifiers", list[str]), ("attributes", dict[str, Any])),
            *(("first_session", bool), ("total", Decimal), ("cart_item_total", Decimal)),
            *(("additional_cost_total", Decimal), ("cart_item_additional_cost_total", Decimal)),
            *(("updated", datetime), ("update_count", int)),
        ],
        rename="camel",
    )


def _read_with_msgspec(items: int) -> Timed:
    import msgspec

    text = _text(items)
    decode = msgspec.json.Decoder(_structs()).decode

    def work(repeats: range) -> None:
        for _ in repeats:
            decode(text)

    def result() -> list[Any]:
        session = decode(text)
        return _summary(session, session.cart_items)

    return Timed(work, result=result)


def _parse_only(items: int) -> Timed:
    """Parse the text with exact decimals and nothing else: the lower bound for the standard library."""
    text = _text(items)
    decode = json.JSONDecoder(parse_float=Decimal).decode

    def work(repeats: range) -> None:
        for _ in repeats:
            decode(text)

    def result() -> list[Any]:
        session = decode(text)
        first, last = session["cartItems"][0], session["cartItems"][-1]
        first_item = [first["sku"], first["quantity"], float(first["price"]), float(last["price"])]
        updated = datetime.fromisoformat(session["updated"]).isoformat()
        return [updated, float(session["total"]), len(session["cartItems"]), first_item]

    return Timed(work, result=result)


def _written(text: str | bytes, items: int) -> list[Any]:
    """Return the values of a written session that all contenders must agree on, independent of their notation."""
    session, expected = json.loads(text), _document(items)
    for name in ("created", "updated"):
        session[name] = datetime.fromisoformat(session[name]).isoformat()
    return [session[name] for name in ("created", "updated")] + [
        [{name: item[name] for name in expected["cartItems"][0]} for item in session["cartItems"]],
        session["total"],
        session["attributes"],
        session["additionalCosts"],
    ]


def _write(write: Any, items: int) -> Timed:
    def work(repeats: range) -> None:
        for _ in repeats:
            write()

    return Timed(work, result=lambda: _written(write(), items))


def _write_with_session_fsm(items: int) -> Timed:
    from session_fsm import wire

    return _write(partial(wire.dumps, wire.loads(_text(items))), items)


def _write_with_client(items: int) -> Timed:
    """Write as `to_json` does, with ``json.dumps(self.to_dict())``, plus an encoder for times, which it lacks."""
    from talon_one.models import CustomerSessionV2

    session: Any = CustomerSessionV2.from_json(_text(items))
    return _write(lambda: json.dumps(session.to_dict(), default=datetime.isoformat), items)


def _write_with_pydantic(items: int) -> Timed:
    """Write with pydantic, on which the client is built, without the client's own methods."""
    from talon_one.models import CustomerSessionV2

    session: Any = CustomerSessionV2.from_json(_text(items))
    return _write(partial(session.model_dump_json, by_alias=True, exclude_none=True), items)


def _reading(letter: str, items: int, client: float, pydantic: float, limit: float) -> Comparison:
    comparison = Comparison(
        f"S-6{letter}",
        f"read and validate a session of {items:,} item{'s' * (items > 1)}",
        area="json",
        unit="us per document",
        ratios=[
            Ratio("talon-one-sdk, from_json", "session-fsm", at_least=client),
            Ratio("talon-one-sdk, model_validate_json", "session-fsm", at_least=pydantic),
            Ratio("session-fsm", "msgspec, types only", at_most=limit),
            Ratio("session-fsm", "json module, parsing only"),
        ],
    )
    comparison.contender("session-fsm")(partial(_read_with_session_fsm, items))
    comparison.contender("talon-one-sdk, from_json")(partial(_read_with_client, items))
    comparison.contender("talon-one-sdk, model_validate_json")(partial(_read_with_pydantic, items))
    comparison.contender("msgspec, types only")(partial(_read_with_msgspec, items))
    comparison.contender("json module, parsing only")(partial(_parse_only, items))
    return comparison


def _writing(letter: str, items: int, pydantic: float) -> Comparison:
    comparison = Comparison(
        f"S-7{letter}",
        f"write a session of {items:,} item{'s' * (items > 1)}",
        area="json",
        unit="us per document",
        ratios=[
            Ratio("talon-one-sdk, to_dict", "session-fsm", at_least=6),
            Ratio("talon-one-sdk, model_dump_json", "session-fsm", at_least=pydantic),
        ],
    )
    comparison.contender("session-fsm")(partial(_write_with_session_fsm, items))
    comparison.contender("talon-one-sdk, to_dict")(partial(_write_with_client, items))
    comparison.contender("talon-one-sdk, model_dump_json")(partial(_write_with_pydantic, items))
    return comparison


COMPARISONS = [
    _reading("a", 1, 2.2, 1, 3.5),
    _reading("b", 10, 3, 1.2, 3),
    _reading("c", 1000, 4.5, 1.5, 2.8),
    _writing("a", 1, 1.2),
    _writing("b", 10, 1.4),
    _writing("c", 1000, 1.5),
]
