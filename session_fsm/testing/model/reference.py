"""An independent reference model of a customer session, with which `SessionMachine` compares a class.

It follows ``docs/domain.md``, whose numbers stand in the comments, and uses none of the library's table, rules or
arithmetic. It takes only the frozen values and the names of states and triggers from the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from attrs import define, evolve, frozen

from session_fsm.session import CustomerSession
from session_fsm.values import UNSET, CartItem, ReturnedCartItem, SessionUpdate

__all__ = ["Reference", "Verdict"]

# fmt: off
_TRANSITIONS: dict[tuple[str | None, str], tuple[str, str]] = {
    ("open", "update"): ("open", "talon_session_updated"),                                            # T-03
    ("open", "close"): ("closed", "talon_session_closed"),                                            # T-04
    ("open", "cancel"): ("cancelled", "talon_session_cancelled"),                                     # T-05
    ("closed", "cancel"): ("cancelled", "talon_session_revoked"),                                     # T-06
    ("closed", "return_items"): ("partially_returned", "talon_session_partially_returned"),           # T-07
    ("closed", "reopen"): ("open", "talon_session_reopened"),                                         # T-08
    ("partially_returned", "cancel"): ("cancelled", "talon_session_revoked"),                         # T-09
    ("partially_returned", "return_items"): ("partially_returned", "talon_session_partially_returned"),  # T-10
}
# fmt: on
_WANTED_STATE = {
    "update": "open",
    "close": "closed",
    "cancel": "cancelled",
    "return_items": "partially_returned",
    "reopen": "open",
}
"""The state that the caller of each verb wants (D-06)."""
_PUT_TRIGGER = {None: "update", "open": "update", "closed": "close", "cancelled": "cancel"}
"""The trigger of the Update operation for each wanted state (D-07); partially_returned is always refused."""
_EMPTY: dict[str, Any] = {
    "profile_id": "",
    "store_integration_id": None,
    "evaluable_campaign_ids": (),
    "coupon_codes": (),
    "referral_code": "",
    "loyalty_cards": (),
    "additional_costs": {},
    "identifiers": (),
    "attributes": {},
    "experiment_variant_allocations": (),
}
_WRONG_STATE: frozenset[tuple[str, str | None]] = frozenset({("wrong_state", None)})
_KNOWN_CODES = frozenset(
    {
        *("too_many_cart_items", "too_many_units", "nothing_to_return", "unknown_cart_item", "sku_position_mismatch"),
        *("ambiguous_sku", "returns_more_than_remaining", "return_item_unnamed", "state_not_creatable", "wrong_state"),
    }
)


@frozen(kw_only=True)
class Verdict:
    """The expected result of a verb."""

    trigger: str
    target: str | None = None
    """The target state; None if the table has no such transition."""
    event_name: str | None = None
    faults: frozenset[tuple[str, str | None]] = frozenset()
    """Every code and pointer with which it must be refused."""
    already: bool = False
    """For a wrong state, whether the session is already in the wanted state."""

    @property
    def allowed(self) -> bool:
        """Whether no built-in rule refuses it; rules of a service may still refuse."""
        return not self.faults

    @staticmethod
    def knows(code: str) -> bool:
        """Whether the code belongs to a built-in rule, and not to a rule of a service."""
        return code in _KNOWN_CODES


@define
class _Line:
    """An item of the cart, and how many of its units were returned."""

    item: CartItem
    returned: int = 0

    @property
    def remaining(self) -> int:
        return self.item.quantity - self.returned


@define(kw_only=True)
class Reference:
    """The expected contents of a session, and the expected result of each verb."""

    session_id: str
    state: str
    created: datetime
    updated: datetime
    first_session: bool
    values: dict[str, Any]
    """The fields that updates set, without the cart; and the fields that the class adds."""
    lines: list[_Line]
    events: list[tuple[Any, ...]]
    """The pending events, each as name, trigger, source, target, time, count, change, and returned units."""
    update_count: int = 1

    @classmethod
    def create(
        cls, session_id: str, change: SessionUpdate, now: datetime, own: Mapping[str, Any] | None = None
    ) -> Reference:
        """Return the reference of a new session (T-01, T-02). Call `judge_creation` first: a refused one has none."""
        given = dict(own or {})
        standard: dict[str, Any] = {
            name: given.pop(name) for name in ("id", "application_id", "first_session") if name in given
        }
        change = evolve(change, own={**given, **change.own})
        state = "open" if change.state is UNSET else str(change.state)
        reference = cls(
            session_id=session_id,
            state=state,
            created=now,
            updated=now,
            first_session=standard.pop("first_session", True),
            values={"id": None, "application_id": None, **_EMPTY, **standard},
            lines=[],
            events=[("talon_session_created", "create", None, state, now, 1, change, [])],
        )
        reference._apply_changes(change)
        if not reference.values["profile_id"]:  # F-16
            reference.first_session = True
        return reference

    @staticmethod
    def judge_creation(change: SessionUpdate) -> Verdict:
        """Return the expected result of a creation with *change*: D-01, L-01, L-02, L-09."""
        state = "open" if change.state is UNSET else str(change.state)
        faults = _faults_of_cart(() if change.cart_items is UNSET else change.cart_items)
        if state not in ("open", "closed"):
            faults.add(("state_not_creatable", "/state"))
        return Verdict(trigger="create", target=state, event_name="talon_session_created", faults=frozenset(faults))

    def allowed(self) -> set[str]:
        """Return the triggers with a transition from the present state."""
        return {trigger for source, trigger in _TRANSITIONS if source == self.state}

    def judge(self, trigger: str, change: Any) -> Verdict:
        """Return the expected result of one of the five verbs."""
        if (self.state, trigger) not in _TRANSITIONS:
            return Verdict(trigger=trigger, faults=_WRONG_STATE, already=self.state == _WANTED_STATE[trigger])
        target, event_name = _TRANSITIONS[self.state, trigger]
        faults: set[tuple[str, str | None]] = set()
        if trigger in ("update", "close"):
            items = self._items() if change.cart_items is UNSET else change.cart_items
            faults = _faults_of_cart(items)
        elif trigger == "return_items":
            faults = self._faults_of_return(change)
        return Verdict(trigger=trigger, target=target, event_name=event_name, faults=frozenset(faults))

    def _items(self) -> list[CartItem]:
        return [line.item for line in self.lines]

    def judge_put(self, change: SessionUpdate) -> Verdict:
        """Return the expected result of the Update operation, whose wanted state selects the trigger (D-07)."""
        wanted = None if change.state is UNSET else str(change.state)
        if wanted == "partially_returned":
            return Verdict(trigger="update", faults=_WRONG_STATE, already=self.state == wanted)
        trigger = _PUT_TRIGGER[wanted]
        verdict = self.judge(trigger, None if trigger == "cancel" else change)
        return evolve(verdict, already=verdict.target is None and self.state == (wanted or "open"))

    def _faults_of_return(self, entries: Iterable[ReturnedCartItem]) -> set[tuple[str, str | None]]:
        faults: set[tuple[str, str | None]] = set()
        totals: dict[int, tuple[int, int]] = {}
        entries = list(entries)
        if not entries:
            faults.add(("nothing_to_return", "/returnedCartItems"))  # L-03
        for index, entry in enumerate(entries):
            pointer = f"/returnedCartItems/{index}"
            at_sku = [place for place, line in enumerate(self.lines) if line.item.sku == entry.sku]
            if entry.position is None and entry.sku is None:
                faults.add(("return_item_unnamed", pointer))  # L-08
            if entry.position is not None and entry.position >= len(self.lines):
                faults.add(("unknown_cart_item", f"{pointer}/position"))  # L-04
            if entry.sku is not None and not at_sku:
                faults.add(("unknown_cart_item", f"{pointer}/sku"))  # L-04
            if entry.position is None and len(at_sku) > 1:
                faults.add(("ambiguous_sku", f"{pointer}/sku"))  # L-06
            if (
                entry.position is not None
                and entry.position < len(self.lines)
                and at_sku
                and entry.position not in at_sku
            ):
                faults.add(("sku_position_mismatch", f"{pointer}/sku"))  # L-05
            place = self._place_of(entry)
            if place is not None:
                remaining = max(self.lines[place].remaining, 1)
                _, before = totals.get(place, (0, 0))
                totals[place] = (index, before + (remaining if entry.quantity is None else entry.quantity))
        for place, (index, units) in totals.items():
            if units > self.lines[place].remaining:
                faults.add(("returns_more_than_remaining", f"/returnedCartItems/{index}/quantity"))  # L-07
        return faults

    def _place_of(self, entry: ReturnedCartItem) -> int | None:
        """Return the index of the item that the entry names unambiguously, or None."""
        if entry.position is not None:
            return entry.position if entry.position < len(self.lines) else None
        places = [place for place, line in enumerate(self.lines) if line.item.sku == entry.sku]
        return places[0] if len(places) == 1 else None

    def apply(self, verdict: Verdict, change: Any, now: datetime) -> None:
        """Apply an allowed verb: D-09, D-10, U-01 to U-08."""
        source, self.state = self.state, str(verdict.target)
        before = [line.returned for line in self.lines]
        if verdict.trigger in ("update", "close"):
            self._apply_changes(change)
        elif verdict.trigger == "return_items":
            left = [line.remaining for line in self.lines]
            for entry in change:
                place = self._place_of(entry)
                if place is not None:
                    self.lines[place].returned += left[place] if entry.quantity is None else entry.quantity
        self.updated = now
        self.update_count += 1
        event = (verdict.event_name, verdict.trigger, source, self.state, now, self.update_count, change)
        returned = self._returned_units(before) if verdict.trigger == "return_items" else []
        self.events.append((*event, returned))

    def _returned_units(self, before: list[int]) -> list[tuple[int, str, int]]:
        """Return position, SKU and units of each item with more returned units than *before*."""
        return [
            (place, line.item.sku, line.returned - units)
            for place, (line, units) in enumerate(zip(self.lines, before, strict=True))
            if line.returned > units
        ]

    def _apply_changes(self, change: SessionUpdate) -> None:
        """Replace the fields that *change* gives; attributes are merged (U-05)."""
        for name in _EMPTY:
            value = getattr(change, name)
            if value is UNSET:
                continue
            if name == "attributes":
                merged = {**self.values["attributes"], **value}
                value = {key: element for key, element in merged.items() if element is not None}
            self.values[name] = value
        self.values |= change.own
        if change.profile_id is not UNSET and change.profile_id == "":
            self.first_session = True  # F-16
        if change.cart_items is not UNSET:
            self.lines = [_Line(item) for item in change.cart_items]

    def totals(self) -> dict[str, Fraction]:
        """Return the gross totals (M-01 to M-06) and the totals of returned and remaining items (M-08)."""
        items = sum((Fraction(line.item.price or 0) * line.item.quantity for line in self.lines), Fraction())
        own = sum((Fraction(cost.price) for cost in self.values["additional_costs"].values()), Fraction())
        of_items = Fraction()
        for line in self.lines:
            for cost in line.item.additional_costs.values():
                of_items += Fraction(cost.price) * line.item.quantity
        returned = sum((Fraction(line.item.price or 0) * line.returned for line in self.lines), Fraction())
        return {
            "returned_item_total": returned,
            "remaining_item_total": items - returned,
            "cart_item_total": items,
            "additional_cost_total": own,
            "cart_item_additional_cost_total": of_items,
            "total": items + own + of_items,
        }

    def differences(self, session: CustomerSession) -> list[str]:
        """Return a text for each difference of *session* from the expected contents."""
        expected: dict[str, Any] = {
            **{name: getattr(self, name) for name in ("state", "created", "updated", "first_session", "update_count")},
            "integration_id": self.session_id,
            **self.values,
            "cart_items": tuple(
                evolve(line.item, position=place, returned_quantity=line.returned)
                for place, line in enumerate(self.lines)
            ),
        }
        pairs = {name: (value, getattr(session, name)) for name, value in expected.items()}
        pairs |= {name: (value, Fraction(getattr(session, name))) for name, value in self.totals().items()}
        events = [
            (
                *(event.name, event.trigger, event.source, event.target, event.at, event.update_count, event.change),
                [(item.position, item.sku, item.quantity) for item in event.returned_items],
            )
            for event in session.pending_events
        ]
        pairs["pending_events"] = (self.events, events)
        texts = [
            f"{name} is {actual!r}; expected {wanted!r}" for name, (wanted, actual) in pairs.items() if wanted != actual
        ]
        if len(session.cart_items) == len(self.lines):
            for line, item in zip(self.lines, session.cart_items, strict=True):
                if item.remaining_quantity != line.remaining:
                    texts.append(f"of {item.sku!r} remain {item.remaining_quantity} units; expected {line.remaining}")
        return texts


def _faults_of_cart(items: Iterable[CartItem]) -> set[tuple[str, str | None]]:
    quantities = [item.quantity for item in items]
    faults: set[tuple[str, str | None]] = set()
    if len(quantities) > 1000:
        faults.add(("too_many_cart_items", "/cartItems"))  # L-01
    if sum(quantities) > 10_000:
        faults.add(("too_many_units", "/cartItems"))  # L-02
    return faults
