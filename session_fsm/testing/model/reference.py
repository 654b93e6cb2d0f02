"""What a customer session does, restated in the plainest way, to hold a session class against.

It is slow, it repeats itself, and it uses none of the library's table, rules or arithmetic: where it and the library
agree, they agree about ``docs/domain.md``, whose numbers stand beside each fact. Only the frozen values that
verbs take, and the words for states and triggers, are the library's.
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
_MOVES: dict[tuple[str | None, str], tuple[str, str]] = {
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
_GOAL = {
    "update": "open",
    "close": "closed",
    "cancel": "cancelled",
    "return_items": "partially_returned",
    "reopen": "open",
}
"""Where a caller of each verb wants the session to be (D-06)."""
_OPERATION = {None: "update", "open": "update", "closed": "close", "cancelled": "cancel"}
"""What the Update operation does by the state that it wants (D-07). A wanted partially_returned is always refused."""
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
    """What must come of a verb."""

    trigger: str
    target: str | None = None
    """The state that it leads to; None where the table has no such transition."""
    event_name: str | None = None
    faults: frozenset[tuple[str, str | None]] = frozenset()
    """Every code with which it must be refused, and where the fault lies."""
    already: bool = False
    """Whether a session that is in the wrong state already is where the caller wanted it."""

    @property
    def allowed(self) -> bool:
        """Whether no rule of the API refuses it; rules of a service may still do so."""
        return not self.faults

    @staticmethod
    def knows(code: str) -> bool:
        """Whether the code is one that this reference judges; the others are those of a service."""
        return code in _KNOWN_CODES


@define
class _Line:
    """One item of the cart, and how many of its units came back."""

    item: CartItem
    returned: int = 0

    @property
    def remaining(self) -> int:
        return self.item.quantity - self.returned


@define(kw_only=True)
class Reference:
    """What a session must hold, and what must come of each verb."""

    session_id: str
    state: str
    created: datetime
    updated: datetime
    first_session: bool
    held: dict[str, Any]
    """What updates set, but the cart; and what a creation gave to the fields of the class's own."""
    lines: list[_Line]
    facts: list[tuple[Any, ...]]
    """The pending events, each as name, trigger, source, target, time, count, change, and what came back."""
    update_count: int = 1

    @classmethod
    def create(
        cls, session_id: str, change: SessionUpdate, now: datetime, own: Mapping[str, Any] | None = None
    ) -> Reference:
        """Begin a life (T-01, T-02). A creation that must be refused has none; ask `judge_creation` first."""
        given = dict(own or {})
        known: dict[str, Any] = {
            name: given.pop(name) for name in ("id", "application_id", "first_session") if name in given
        }
        change = evolve(change, own={**given, **change.own})
        state = "open" if change.state is UNSET else str(change.state)
        reference = cls(
            session_id=session_id,
            state=state,
            created=now,
            updated=now,
            first_session=known.pop("first_session", True),
            held={"id": None, "application_id": None, **_EMPTY, **known},
            lines=[],
            facts=[("talon_session_created", "create", None, state, now, 1, change, [])],
        )
        reference._take_over(change)
        if not reference.held["profile_id"]:  # F-16
            reference.first_session = True
        return reference

    @staticmethod
    def judge_creation(change: SessionUpdate) -> Verdict:
        """Judge a creation with *change*: D-01, L-01, L-02, L-09."""
        state = "open" if change.state is UNSET else str(change.state)
        faults = _faults_of_cart(() if change.cart_items is UNSET else change.cart_items)
        if state not in ("open", "closed"):
            faults.add(("state_not_creatable", "/state"))
        return Verdict(trigger="create", target=state, event_name="talon_session_created", faults=frozenset(faults))

    def allowed(self) -> set[str]:
        """Return the triggers that the table allows from the present state."""
        return {trigger for source, trigger in _MOVES if source == self.state}

    def judge(self, trigger: str, change: Any) -> Verdict:
        """Judge one of the five verbs."""
        if (self.state, trigger) not in _MOVES:
            return Verdict(trigger=trigger, faults=_WRONG_STATE, already=self.state == _GOAL[trigger])
        target, event_name = _MOVES[self.state, trigger]
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
        """Judge the Update operation, whose wanted state picks the trigger (D-07)."""
        wanted = None if change.state is UNSET else str(change.state)
        if wanted == "partially_returned":
            return Verdict(trigger="update", faults=_WRONG_STATE, already=self.state == wanted)
        trigger = _OPERATION[wanted]
        verdict = self.judge(trigger, None if trigger == "cancel" else change)
        return evolve(verdict, already=verdict.target is None and self.state == (wanted or "open"))

    def _faults_of_return(self, entries: Iterable[ReturnedCartItem]) -> set[tuple[str, str | None]]:
        faults: set[tuple[str, str | None]] = set()
        asked: dict[int, tuple[int, int]] = {}
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
            place = self._named(entry)
            if place is not None:
                everything = max(self.lines[place].remaining, 1)
                _, before = asked.get(place, (0, 0))
                asked[place] = (index, before + (everything if entry.quantity is None else entry.quantity))
        for place, (index, units) in asked.items():
            if units > self.lines[place].remaining:
                faults.add(("returns_more_than_remaining", f"/returnedCartItems/{index}/quantity"))  # L-07
        return faults

    def _named(self, entry: ReturnedCartItem) -> int | None:
        """Return the place of the one item that the entry names, if it names one."""
        if entry.position is not None:
            return entry.position if entry.position < len(self.lines) else None
        places = [place for place, line in enumerate(self.lines) if line.item.sku == entry.sku]
        return places[0] if len(places) == 1 else None

    def apply(self, verdict: Verdict, change: Any, now: datetime) -> None:
        """Do what an allowed verb does: D-09, D-10, U-01 to U-08."""
        source, self.state = self.state, str(verdict.target)
        before = [line.returned for line in self.lines]
        if verdict.trigger in ("update", "close"):
            self._take_over(change)
        elif verdict.trigger == "return_items":
            left = [line.remaining for line in self.lines]
            for entry in change:
                place = self._named(entry)
                if place is not None:
                    self.lines[place].returned += left[place] if entry.quantity is None else entry.quantity
        self.updated = now
        self.update_count += 1
        fact = (verdict.event_name, verdict.trigger, source, self.state, now, self.update_count, change)
        back = self._came_back(before) if verdict.trigger == "return_items" else []
        self.facts.append((*fact, back))

    def _came_back(self, before: list[int]) -> list[tuple[int, str, int]]:
        """Return position, SKU and units of each item of which more came back than *before*."""
        return [
            (place, line.item.sku, line.returned - units)
            for place, (line, units) in enumerate(zip(self.lines, before, strict=True))
            if line.returned > units
        ]

    def _take_over(self, change: SessionUpdate) -> None:
        """Let what *change* gives replace what is held; attributes alone are merged (U-05)."""
        for name in _EMPTY:
            value = getattr(change, name)
            if value is UNSET:
                continue
            if name == "attributes":
                merged = {**self.held["attributes"], **value}
                value = {key: element for key, element in merged.items() if element is not None}
            self.held[name] = value
        self.held |= change.own
        if change.profile_id is not UNSET and change.profile_id == "":
            self.first_session = True  # F-16
        if change.cart_items is not UNSET:
            self.lines = [_Line(item) for item in change.cart_items]

    def totals(self) -> dict[str, Fraction]:
        """Add up what the session is worth, gross (M-01 to M-06), and how much of it came back (M-08)."""
        items = sum((Fraction(line.item.price or 0) * line.item.quantity for line in self.lines), Fraction())
        own = sum((Fraction(cost.price) for cost in self.held["additional_costs"].values()), Fraction())
        of_items = Fraction()
        for line in self.lines:
            for cost in line.item.additional_costs.values():
                of_items += Fraction(cost.price) * line.item.quantity
        back = sum((Fraction(line.item.price or 0) * line.returned for line in self.lines), Fraction())
        return {
            "returned_item_total": back,
            "remaining_item_total": items - back,
            "cart_item_total": items,
            "additional_cost_total": own,
            "cart_item_additional_cost_total": of_items,
            "total": items + own + of_items,
        }

    def differences(self, session: CustomerSession) -> list[str]:
        """Say in words where *session* holds something else than it must."""
        expected: dict[str, Any] = {
            **{name: getattr(self, name) for name in ("state", "created", "updated", "first_session", "update_count")},
            "integration_id": self.session_id,
            **self.held,
            "cart_items": tuple(
                evolve(line.item, position=place, returned_quantity=line.returned)
                for place, line in enumerate(self.lines)
            ),
        }
        found = {name: (value, getattr(session, name)) for name, value in expected.items()}
        found |= {name: (value, Fraction(getattr(session, name))) for name, value in self.totals().items()}
        facts = [
            (
                *(event.name, event.trigger, event.source, event.target, event.at, event.update_count, event.change),
                [(item.position, item.sku, item.quantity) for item in event.returned_items],
            )
            for event in session.pending_events
        ]
        found["pending_events"] = (self.facts, facts)
        texts = [f"{name} is {held!r}; expected {wanted!r}" for name, (wanted, held) in found.items() if wanted != held]
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
