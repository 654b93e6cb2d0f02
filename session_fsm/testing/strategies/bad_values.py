"""Bad values for each field, with the pointer and the text of the expected problem; used by the invalid strategies.

The texts repeat those of the library on purpose, so that a changed message fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

from session_fsm.errors import pointer_token
from session_fsm.states import EventName, State, Trigger
from session_fsm.validators import wire_name

__all__ = [
    "BadValue",
    "bad_creation_values",
    "bad_event_values",
    "bad_item_values",
    "bad_return_values",
    "bad_session_values",
    "bad_update_values",
]

BadValue: TypeAlias = "tuple[Any, str, str]"
"""A bad value of a field, the pointer to the problem within it, and the text of the problem."""
BadValues: TypeAlias = "list[BadValue]"

_SURROGATE = "holds half of a surrogate pair, which is no character"
_NOT_A_NAME = "is not the name of an attribute: a letter, then letters, digits and _"


def _kinds(what: str, *but: str) -> BadValues:
    """Return a value of every JSON type except *but*, each with the problem that it is not *what*."""
    values: dict[str, Any] = {
        "a number": 5,
        "a boolean": True,
        "a string": "no",
        "a list": ["A"],
        "an object": {"a": 1},
    }
    return [(value, "", f"{kind} is not {what}") for kind, value in values.items() if kind not in but]


def _texts(at_least: int = 0, at_most: int | None = None) -> BadValues:
    bad = [*_kinds("a string", "a string"), ("half \ud800", "", _SURROGATE)]
    if at_least:
        bad.append(("", "", "is empty"))
    if at_most is not None:
        bad += [
            ("x" * n, "", f"has {n} characters; at most {at_most} {_is_or_are(at_most)} allowed")
            for n in (at_most + 1, 3 * at_most)
        ]
    return bad


def _is_or_are(number: int) -> str:
    return "is" if number == 1 else "are"


def _integers(at_least: int | None = None) -> BadValues:
    bad = _kinds("an integer", "a number")
    bad += [(Decimal("1.5"), "", "a number (1.5) is not an integer")]
    bad += [
        (2**63, "", "the integer does not fit into 64 bits"),
        (-(2**63) - 1, "", "the integer does not fit into 64 bits"),
    ]
    if at_least is not None:
        bad += [(at_least - n, "", f"{at_least - n} is less than {at_least}") for n in (1, 5)]
    return bad


def _amounts(*, json: bool, total: bool = False, fraction: bool = False) -> BadValues:
    too_large, too_small = (309 if total else 289), -325
    out_of_range = "is out of the range of a JSON number"
    bad: BadValues = [(Decimal(f"1E{power}"), "", out_of_range) for power in (too_large, too_small)]
    if json:
        bad += _kinds("a number", "a number")
    else:
        bad += _kinds("a number", "a number", "a string")
        bad += [("ten", "", "'ten' is not a number")]
        bad += [(Decimal("NaN"), "", "NaN is not finite"), ("1e999999999999999999999", "", "Infinity is not finite")]
        bad += [(0.1, "", '0.1 is a binary float and so is not exact; give the string "0.1" or a Decimal')]
    if fraction:
        bad += [(Decimal(value), "", f"{value} is not between 0 and 1") for value in ("1.5", "-1")]
    return bad


def _times(*, json: bool) -> BadValues:
    if json:
        texts = ["yesterday", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z"]
        return [*_kinds("a time", "a string"), *((t, "", f'"{t}" is not a time as RFC 3339 writes it') for t in texts)]
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the missing time zone is the problem
    first = datetime.fromisoformat("0001-01-01T00:00:00+01:00")
    return [
        *_kinds("a time"),
        (naive, "", "2026-01-01T00:00:00 has no time zone"),
        (first, "", "0001-01-01T00:00:00+01:00 has no equal in UTC between the years 1 and 9999"),
    ]


def _members(words: Sequence[str]) -> BadValues:
    names = ", ".join(f'"{word}"' for word in words)
    values = [*(value for value, _, _ in _kinds("", "a string")), "paid"]
    return [(value, "", f"must be one of the following: {names}") for value in values]


def _instances(name: str, *, json: bool, members: Mapping[str, BadValues] | None = None) -> BadValues:
    """Return values that are no instance of the class *name*; for JSON, also objects with one bad member."""
    if not json:
        return _kinds(f"a {name}")
    return [*_kinds("an object", "an object"), *_within(members or {})]


def _within(members: Mapping[str, BadValues]) -> BadValues:
    """Return objects with one bad member and no other; required members may be missing."""
    return [
        ({name: value}, pointer_token(name) + place, text)
        for name, bad in members.items()
        for value, place, text in bad
    ]


def _lists(of: BadValues, *, at_most: int | None = None, one: Any = None) -> BadValues:
    bad = [(value, "", text) for value, _, text in _kinds("a list", "a list")]
    bad += [([value], f"/0{place}", text) for value, place, text in of]
    if at_most is not None:
        text = f"has {at_most + 1} entries; at most {at_most} {_is_or_are(at_most)} allowed"
        bad.append(([one] * (at_most + 1), "", text))
    return bad


def _maps(of: BadValues, *, json: bool) -> BadValues:
    bad = _kinds("an object", "an object")
    bad += [({"fee": value}, f"/fee{place}", text) for value, place, text in of]
    bad.append(({"half \ud800": {"price": 1}}, "", f"a name in it {_SURROGATE}"))
    if not json:
        bad.append(({5: 1}, "", "a name in it is not a string"))
    return bad


def _deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


def _attributes(*, json: bool, named: bool = True) -> BadValues:
    values: BadValues = [("half \ud800", "", _SURROGATE)]
    values += [(Decimal("1E-400"), "", "is out of the range of a JSON number")]
    values += [(_deep(32), "/0" * 32, "is nested deeper than 32 levels")]
    if not json:
        values += [(2**63, "", "the integer does not fit into 64 bits")]
        values += [(0.5, "", '0.5 is a binary float and so is not exact; give the string "0.5" or a Decimal')]
        values += [(b"x", "", "a value of type bytes cannot be written as JSON")]
        values += [(datetime(2026, 1, 1), "", "2026-01-01T00:00:00 has no time zone")]  # noqa: DTZ001 - the missing time zone is the problem
    bad = _maps(values, json=json)
    return [*bad, ({"1st": 1}, "/1st", _NOT_A_NAME), ({"a/b": 1}, "/a~1b", _NOT_A_NAME)] if named else bad


def _costs(*, json: bool) -> BadValues:
    of_one = _instances("AdditionalCost", json=json, members={"price": _amounts(json=True)})
    if json:
        of_one.append(({}, "/price", "is missing"))
    return _maps(of_one, json=json)


@cache
def bad_item_values(*, json: bool = False, request: bool = False) -> dict[str, BadValues]:
    """Return the bad values of a cart item's fields.

    Args:
        json: whether the values are members of a JSON document.
        request: whether the document is a request, in which read-only fields are ignored.
    """
    amounts, times = _amounts(json=json), _times(json=json)
    problem = "is missing" if json else "null is not a string"
    fields: dict[str, BadValues] = {
        "sku": [*_texts(1), (None, "", problem)],
        "quantity": [*_integers(1), (None, "", "is missing" if json else "null is not an integer")],
        **dict.fromkeys(["name", "category"], _texts()),
        **dict.fromkeys(["price", "weight", "height", "width", "length"], amounts),
        "product": _instances("Product", json=json, members={"name": _texts()}),
        "attributes": _attributes(json=json),
        "additional_costs": _costs(json=json),
    }
    if not request:
        fields |= {
            "position": _integers(0),
            "returned_quantity": [*_integers(0), (100, "", "100 units cannot come back of 1")],
            "catalog_item_id": _integers(),
            "selected_price_type": _texts(),
            "adjustment_reference_id": [
                *_kinds("a UUID", "a string"),
                ("no", "", '"no" is not a UUID' if json else "a string is not a UUID"),
            ],
            **dict.fromkeys(["adjustment_effective_from", "adjustment_effective_until"], times),
            "prices": _attributes(json=json, named=False),
        }
        if json:
            fields["remaining_quantity"] = [
                *_integers(0),
                (5, "", "0 returned and 5 remaining units are not 1"),
            ]
    return fields


@cache
def bad_update_values(*, json: bool = False) -> dict[str, BadValues]:
    """Return the bad values of an update's fields."""
    variants = _instances("ExperimentVariantAllocation", json=json, members={})
    if json:
        of_variant = {"experimentID": _integers(), "variantID": _integers()}
        whole = {"experimentID": 1, "variantID": 1}
        variants += [({**whole, **value}, place, text) for value, place, text in _within(of_variant)]
        items = [*_kinds("an object", "an object"), *_items(request=True)]
    else:
        items = _kinds("a CartItem")
    return {
        "profile_id": _texts(),
        "store_integration_id": _texts(1, 1000),
        "evaluable_campaign_ids": _lists(_integers()),
        "coupon_codes": _lists(_texts(at_most=100)),
        "referral_code": _texts(at_most=100),
        "loyalty_cards": _lists(_texts(), at_most=1, one="card"),
        "state": _members([State.OPEN, State.CLOSED, State.CANCELLED]),
        "cart_items": _lists(items),
        "additional_costs": _costs(json=json),
        "identifiers": _lists(_texts(), at_most=5, one="hash"),
        "attributes": _attributes(json=json),
        "experiment_variant_allocations": _lists(variants),
    }


@cache
def bad_creation_values() -> dict[str, BadValues]:
    """Return the bad values of the arguments of `CustomerSession.create`, without its changes."""
    return {
        "integration_id": [*_texts(1, 1000), (None, "", "null is not a string")],
        "id": _integers(),
        "application_id": _integers(),
        "first_session": _kinds("a boolean", "a boolean"),
        "now": _times(json=False),
    }


@cache
def bad_session_values() -> dict[str, BadValues]:
    """Return the bad values in the JSON document of a session, by field name."""
    totals = ["total", "cart_item_total", "additional_cost_total", "cart_item_additional_cost_total"]
    missing: BadValues = [(None, "", "is missing")]
    times = [*_times(json=True), *missing]
    update = bad_update_values(json=True)
    return {
        **update,
        "state": _members(list(State)),
        "cart_items": _lists([*_kinds("an object", "an object"), *_items(request=False)]),
        "integration_id": [*_texts(1, 1000), *missing],
        **dict.fromkeys(["created", "updated"], times),
        **dict.fromkeys(["id", "application_id"], _integers()),
        "first_session": _kinds("a boolean", "a boolean"),
        "update_count": _integers(1),
        "closure_prediction": _amounts(json=True, fraction=True),
        **dict.fromkeys(totals, _amounts(json=True, total=True)),
    }


@cache
def bad_return_values() -> dict[str, BadValues]:
    """Return the bad values in the JSON document of a return."""
    return {"returned_cart_items": [*_returned_items(), (None, "", "is missing")]}


def _returned_items() -> BadValues:
    entry = {"position": _integers(0), "quantity": _integers(1), "sku": _texts(1)}
    return _lists([*_kinds("an object", "an object"), *_within(entry)])


@cache
def bad_event_values() -> dict[str, BadValues]:
    """Return the bad values in the JSON document of an event."""
    missing: BadValues = [(None, "", "is missing")]
    return {
        "name": [*_members(list(EventName)), *missing],
        "session_id": [*_texts(1, 1000), *missing],
        "trigger": [*_members(list(Trigger)), *missing],
        "source": _members(list(State)),
        "target": [*_members(list(State)), *missing],
        "at": [*_times(json=True), *missing],
        "update_count": [*_integers(1), *missing],
        "returned_items": _returned_items(),
        "context": _attributes(json=True, named=False),
    }


def _items(*, request: bool) -> BadValues:
    """Return JSON documents of items with one bad value each."""
    found: BadValues = []
    for name, bad in bad_item_values(json=True, request=request).items():
        for value, place, text in bad:
            item = {"sku": "A", "quantity": 1, wire_name(name): value}
            found.append(
                ({k: v for k, v in item.items() if v is not None}, pointer_token(wire_name(name)) + place, text)
            )
    return found
