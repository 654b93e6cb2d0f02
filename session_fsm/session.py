"""The customer session: an entity with its data, its verbs, and the dry run.

>>> session = CustomerSession.create("order-1042", profile_id="cust-7", cart_items=[CartItem(sku="A", quantity=2)])
>>> session.close().name
<EventName.CLOSED: 'talon_session_closed'>
>>> session.update(coupon_codes=["XMAS"])
Traceback (most recent call last):
session_fsm.errors.WrongState: session 'order-1042': update is refused: Only open sessions can be updated \
[wrong_state]; from closed the table allows cancel, return_items, reopen, if no rule forbids it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from attrs import Attribute, define, evolve, field, fields, setters

from session_fsm import signatures
from session_fsm.appearance import Shown
from session_fsm.changes import argument_of, as_returned_items, as_time, as_update
from session_fsm.completion import COMPUTED, complete, complete_unpickled
from session_fsm.converters import to_amount, to_member, to_optional_amount, to_tuple
from session_fsm.decisions import Decision
from session_fsm.entities import assign, cached_names, contents, copy_with, drop_cached
from session_fsm.errors import ConcurrentChange, InvalidValue, counted
from session_fsm.events import SessionEvent, as_pending, events_in
from session_fsm.generated import maker, reader
from session_fsm.guards import Rule
from session_fsm.json_values import EMPTY, AttributeValue, as_context, attribute_map, to_attributes
from session_fsm.lifecycle import WANTED
from session_fsm.machine import LifecycleMachine
from session_fsm.pydantic_hook import PydanticType
from session_fsm.read_only import delete_field, set_field
from session_fsm.reentrancy import held_by, put_back, refuse_if_busy, under_judgement
from session_fsm.rules import BUILT_IN
from session_fsm.session_class import finish, machine_of, prepare
from session_fsm.signatures import HoldsReturnedItems, takes
from session_fsm.states import State, StateLike, Trigger
from session_fsm.subclasses.checks import SessionType
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS
from session_fsm.totals import returned_total, subtract, totals
from session_fsm.validators import (
    amount,
    boolean,
    instance_of,
    integer,
    kind_of,
    list_of,
    member_of,
    text,
    time,
    validate,
)
from session_fsm.values import (
    CHECKS,
    FIELDS_OF_UPDATE,
    NO_CHANGE,
    UNSET,
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    ReturnedCartItem,
    SessionUpdate,
    cart_of,
    to_allocations,
    to_attribute_map,
    to_cost_map,
    to_integers,
    to_texts,
)

__all__ = ["CustomerSession"]

C = TypeVar("C", bound="CustomerSession")

_total = amount(total=True)


def _total_or_computed(value: object) -> Any:
    return None if value is COMPUTED else _total(value)


_events = list_of(instance_of(SessionEvent))


def _pending(value: Any) -> Any:
    held: Any = value
    return _events(tuple(events_in(held)) if type(value) is tuple else value)


def _to_state(value: StateLike) -> State:
    member: State = to_member(State, value)
    return member


if TYPE_CHECKING:  # as in `session_fsm.values`

    def to_items(value: Iterable[CartItem]) -> tuple[CartItem, ...]:
        """Convert items to a tuple."""
        ...

    def _to_events(value: Iterable[SessionEvent]) -> tuple[SessionEvent, ...]: ...
else:
    to_items, _to_events = to_tuple, as_pending


# A global is looked up faster than the member of an enumeration.
_CREATE, _UPDATE, _CLOSE, _CANCEL, _RETURN_ITEMS, _REOPEN = Trigger
_TRIGGERS = {str(trigger): trigger for trigger in Trigger}
_MOVING = (_UPDATE, _CLOSE, _CANCEL, _RETURN_ITEMS, _REOPEN)


if TYPE_CHECKING:
    # Type checkers refuse to assign what is final. (pyright lets a field be assigned that has a converter.)
    from typing import Final as ReadOnly
else:

    class ReadOnly:
        """Stands in the annotations of fields, and leaves their types as they are."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return kind


def _all_read_only(_: type, attributes: list[Attribute[Any]]) -> list[Attribute[Any]]:
    """Make all fields read-only for attrs. Its constructors then bypass `__setattr__`.

    The state gets its converter here, where pyright does not see it, so that pyright refuses to assign the state.
    """
    changes: dict[str, dict[str, Any]] = {"state": {"converter": _to_state}}
    return [one.evolve(on_setattr=setters.frozen, **changes.get(one.name, {})) for one in attributes]


@define(kw_only=True, eq=False, repr=False, field_transformer=_all_read_only)
class CustomerSession(Shown, PydanticType, metaclass=SessionType):
    """A finite container of customer activity inside one Application: a cart, then an order.

    >>> session = CustomerSession.create("order-1042", cart_items=[CartItem(sku="MUG", quantity=2, price="12.50")])
    >>> session.close(coupon_codes=["XMAS"]).target
    <State.CLOSED: 'closed'>
    >>> session
    <CustomerSession 'order-1042': closed, 1 item, total 25.00>

    Sessions are made by `create`, or read from JSON by `session_fsm.wire`. From then on nothing but the verbs changes
    them: `update`, `close`, `cancel`, `return_items`, `reopen`, and `put`, which is the Update operation of the API. A
    verb is atomic: it returns its `SessionEvent`, or raises and the session is unchanged. `evaluate` is the dry run of
    one trigger, and `board` that of all.

    Two sessions are equal only if they are the same object. A copy (`copy.copy`, `copy.deepcopy`, `pickle`,
    `attrs.evolve`) is a session of its own; `attrs.evolve` keeps the pending events and the totals unless it is given
    others.

    A service adds rules in a subclass:

    >>> from session_fsm import CustomerSession
    >>> from session_fsm.rules import coupon_code_required
    >>> class ShopSession(CustomerSession):
    ...     rules = (*CustomerSession.rules, coupon_code_required)

    and fields, which `create`, `update`, `close` and `put` take as keywords:

    >>> import attrs
    >>> @attrs.define(kw_only=True, eq=False, repr=False)
    ... class BranchSession(CustomerSession):
    ...     branch: str = "main"
    >>> BranchSession.create("order-1042").update(branch="Ghent").change
    SessionUpdate(own={'branch': 'Ghent'})

    A subclass is checked when it is made: `InvalidValue` says what would be lost or wrong later, and what works instead.

    Every verb takes ``now=``, an aware time, and uses the current time in UTC without it.
    Every verb raises:

        WrongState: the session's state does not allow it; `WrongState.already` tells whether it is there already.
        RuleViolated: one or more rules forbid it; `RuleViolated.violations` are the reasons.
        InvalidValue: what the verb was given breaks its own type, length or range.
        ConcurrentChange: a rule, a callback or another thread moves the session meanwhile.
    """

    rules: ClassVar[tuple[Rule, ...]] = BUILT_IN
    """The rules that guard the transitions, in the order in which they are judged."""
    machine: ClassVar[LifecycleMachine]
    """The machine of this class; it belongs to the class alone, not to its subclasses."""

    __contents__: ClassVar[Callable[[Any], tuple[Any, ...]]]
    """Returns what all fields hold, in their order."""
    __fixed__: ClassVar[frozenset[str]]
    """The names of the fields that every session has."""

    id: ReadOnly[int | None] = field(default=None, validator=validate(integer(), optional=True))
    """Talon.One's internal ID, or None."""
    created: ReadOnly[datetime] = field(validator=validate(time))
    """When the session was created, with a time zone."""
    integration_id: ReadOnly[str] = field(validator=validate(text(at_least=1, at_most=1000)))
    """The identifier that the order service chose, 1 to 1000 characters; unique within an Application."""
    application_id: ReadOnly[int | None] = field(default=None, validator=validate(integer(), optional=True))
    """The Application that owns the session and fixes its currency."""
    profile_id: ReadOnly[str] = field(default="", validator=validate(CHECKS["profile_id"]))
    """The customer, by the service's own profile ID; ``""`` is an anonymous session."""
    store_integration_id: ReadOnly[str | None] = field(
        default=None, validator=validate(CHECKS["store_integration_id"], optional=True)
    )
    """The store, if any."""
    evaluable_campaign_ids: ReadOnly[tuple[int, ...]] = field(
        default=(), converter=to_integers, validator=validate(CHECKS["evaluable_campaign_ids"])
    )
    """The campaigns that a dry run evaluates."""
    coupon_codes: ReadOnly[tuple[str, ...]] = field(
        default=(), converter=to_texts, validator=validate(CHECKS["coupon_codes"])
    )
    """Any number of codes, each up to 100 characters."""
    referral_code: ReadOnly[str] = field(default="", validator=validate(CHECKS["referral_code"]))
    """``""`` where there is none."""
    loyalty_cards: ReadOnly[tuple[str, ...]] = field(
        default=(), converter=to_texts, validator=validate(CHECKS["loyalty_cards"])
    )
    """The customer's loyalty card, one at most."""
    state: ReadOnly[State] = field(default=State.OPEN, validator=validate(member_of(State)))
    """The state; only the verbs change it."""
    cart_items: ReadOnly[tuple[CartItem, ...]] = field(
        default=(), converter=to_items, validator=validate(CHECKS["cart_items"])
    )
    """The cart, each item with its position."""
    additional_costs: ReadOnly[Mapping[str, AdditionalCost]] = field(
        default=EMPTY, converter=to_cost_map, validator=validate(CHECKS["additional_costs"])
    )
    """The session's own costs by name."""
    identifiers: ReadOnly[tuple[str, ...]] = field(
        default=(), converter=to_texts, validator=validate(CHECKS["identifiers"])
    )
    """Up to five, such as the hash of an IP address; budgets per customer use them."""
    attributes: ReadOnly[Mapping[str, AttributeValue]] = field(
        default=EMPTY, converter=to_attribute_map, validator=validate(attribute_map)
    )
    """The session's own attributes by name."""
    first_session: ReadOnly[bool] = field(default=True, validator=validate(boolean))
    """Whether it is the customer's first; always true of an anonymous session."""
    total: ReadOnly[Decimal] = field(default=COMPUTED, converter=to_amount, validator=validate(_total_or_computed))
    """All items and costs, before any discount, in the currency of the Application (M-04)."""
    cart_item_total: ReadOnly[Decimal] = field(
        default=COMPUTED, converter=to_amount, validator=validate(_total_or_computed)
    )
    """Price times quantity of all items (M-01)."""
    additional_cost_total: ReadOnly[Decimal] = field(
        default=COMPUTED, converter=to_amount, validator=validate(_total_or_computed)
    )
    """The session's own additional costs (M-02)."""
    updated: ReadOnly[datetime] = field(validator=validate(time))
    """When the most recent event happened, with a time zone."""
    closure_prediction: ReadOnly[Decimal | None] = field(
        default=None, converter=to_optional_amount, validator=validate(amount(at_least=0, at_most=1), optional=True)
    )
    """How likely the session is to be closed, from 0 to 1; published for a few months of 2025 only."""
    update_count: ReadOnly[int] = field(default=1, validator=validate(integer(at_least=1)))
    """1 at creation, and 1 more with every trigger that succeeds."""
    cart_item_additional_cost_total: ReadOnly[Decimal] = field(
        default=COMPUTED, converter=to_amount, validator=validate(_total_or_computed)
    )
    """The additional costs of all items, for every unit (M-03)."""
    experiment_variant_allocations: ReadOnly[tuple[ExperimentVariantAllocation, ...]] = field(
        default=(), converter=to_allocations, validator=validate(CHECKS["experiment_variant_allocations"])
    )
    """The variants of experiments that the session was allocated to."""
    _pending_events: ReadOnly[tuple[SessionEvent, ...]] = field(
        default=(),
        alias="pending_events",
        converter=_to_events,
        validator=validate(_pending),
        metadata={"of_talon_one": False},
    )

    def __attrs_post_init__(self) -> None:
        complete(self)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        prepare(cls, CustomerSession)

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        finish(cls, CustomerSession)

    def __getstate__(self) -> dict[str, Any]:
        held = contents(self)
        return held | {"_pending_events": tuple(self.pending_events)} if "_pending_events" in held else held

    def __setstate__(self, state: dict[str, Any]) -> None:
        assign(self, state | {"_pending_events": as_pending(state.get("_pending_events", ()))})
        names = [attribute.name for attribute in fields(type(self))]
        if any(name not in state for name in names):
            complete_unpickled(self, state)

    def __repr__(self) -> str:
        items = counted(len(self.cart_items), "item")
        return f"<{type(self).__name__} {self.integration_id!r}: {self.state}, {items}, total {self.total}>"

    @classmethod
    @takes(signatures.create)
    def create(
        cls,
        integration_id: str,
        change: SessionUpdate | None = None,
        /,
        *,
        state: StateLike | None = None,
        id: int | None = None,  # noqa: A002 - the API's own name
        application_id: int | None = None,
        first_session: bool = True,
        now: datetime | None = None,
        context: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Self:
        """Create a session, open unless *state* or *change* says closed. Its creation event is pending.

        Args:
            integration_id: the session's identifier, 1 to 1000 characters.
            change: the data of the session, as one `SessionUpdate`, or
            changes: as keywords. A subclass's own fields are keywords too.
            state: open or closed.
            id: Talon.One's internal ID.
            application_id: the Application that owns the session.
            first_session: whether it is the customer's first.
            now: when, with a time zone.
            context: who asks and why, as JSON values; rules see it, and the event holds it.
        """
        at, asked_by = as_time(now), as_context(context)
        update = as_update(change, changes, cls.machine.own_fields)
        if state is not None:
            wanted = evolve(update, state=state)
            if update.state is not UNSET and update.state is not wanted.state:
                raise InvalidValue("/state", f"two states are wanted: {update.state} and {wanted.state}")
            update = wanted
        given: dict[str, Any] = {} if update is NO_CHANGE else update.given()
        if "cart_items" in given:
            given["cart_items"] = cart_of(given["cart_items"])
        known: dict[str, Any] = {"integration_id": integration_id, "id": id, "application_id": application_id}
        known |= {"first_session": first_session, "created": at, "updated": at}
        session = _new(cls, given, known, update.own)
        cls.machine.create(session, update, at, asked_by)
        return session

    @takes(signatures.update)
    def update(
        self,
        change: SessionUpdate | None = None,
        /,
        *,
        now: datetime | None = None,
        context: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> SessionEvent:
        """Modify an open session, by keywords or one `SessionUpdate`: omitted keeps, empty discards, a value replaces."""
        event = self.machine.events["update"]
        return event.fire(self, event.argument(change, changes), now, context)

    @takes(signatures.update)
    def close(
        self,
        change: SessionUpdate | None = None,
        /,
        *,
        now: datetime | None = None,
        context: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> SessionEvent:
        """Turn the cart into an order, after the same changes as `update` takes. Without any it closes as it stands."""
        event = self.machine.events["close"]
        return event.fire(self, event.argument(change, changes), now, context)

    def cancel(self, *, now: datetime | None = None, context: Mapping[str, Any] | None = None) -> SessionEvent:
        """Cancel the cart or the order. Cancelled is final."""
        return self.machine.events["cancel"].fire(self, None, now, context)

    def return_items(
        self,
        returned_cart_items: Iterable[ReturnedCartItem] | HoldsReturnedItems,
        /,
        *,
        now: datetime | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> SessionEvent:
        """Take units of an order back: a list of `ReturnedCartItem`, or a `session_fsm.wire.ReturnRequest`.

        ``session.return_items(session.remaining_items())`` takes back everything that remains.
        """
        entries = as_returned_items(returned_cart_items)
        return self.machine.events["return_items"].fire(self, entries, now, context)

    def reopen(self, *, now: datetime | None = None, context: Mapping[str, Any] | None = None) -> SessionEvent:
        """Turn a closed order, of which nothing came back, into a cart again."""
        return self.machine.events["reopen"].fire(self, None, now, context)

    @takes(signatures.put)
    def put(
        self,
        change: SessionUpdate | None = None,
        /,
        *,
        now: datetime | None = None,
        context: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> SessionEvent:
        """Do what the Update operation does: the wanted `SessionUpdate.state` picks the trigger (D-07).

        Without a state, or with open, it updates; with closed it closes, with cancelled it cancels, and then
        whatever else the request holds is not applied. A wanted partially_returned is refused everywhere.
        """
        update = as_update(change, changes, self.machine.own_fields)
        trigger = self._put_trigger(update)
        if trigger is None:
            self.machine.refuse(WANTED.get(update.state, _UPDATE), self, update)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a state that is not omitted
        # Only what is given is passed on, so that overridden verbs of a subclass need not accept all keywords.
        given: dict[str, Any] = {"now": now, "context": context}
        given = {name: value for name, value in given.items() if value is not None}
        match trigger:
            case Trigger.CANCEL:
                return self.cancel(**given)
            case Trigger.CLOSE:
                return self.close(update, **given)
            case _:
                return self.update(update, **given)

    def _put_trigger(self, update: SessionUpdate) -> Trigger | None:
        """Return the trigger that an Update operation means, or None where it is refused whatever the rules say."""
        trigger = _UPDATE if update.state is UNSET else WANTED.get(update.state)
        return None if self.state is update.state is State.CANCELLED else trigger

    @takes(signatures.evaluate)
    def evaluate(
        self,
        trigger: Trigger | str,
        change: SessionUpdate | Iterable[ReturnedCartItem] | HoldsReturnedItems | None = None,
        /,
        *,
        returned_cart_items: Iterable[ReturnedCartItem] | HoldsReturnedItems | None = None,
        now: datetime | None = None,
        context: Mapping[str, Any] | None = None,
        payload_only: bool = False,
        **changes: Any,
    ) -> Decision[Self]:
        """Judge *trigger* without calling its verb; nothing changes and nothing is recorded.

        Takes what the verb takes: ``evaluate("close", coupon_codes=["XMAS"])``. Every rule is judged. The answer
        is that of the verb, and `Decision.after` is the session as the verb would leave it. ``evaluate("put", ...)``
        judges the trigger that `put` would call.

        Talon.One's own dry run of a closing looks at the request alone and not at what the session holds (U-11);
        ``payload_only=True`` judges a closing in that way.

        Raises:
            InvalidValue: there is no such trigger, or what it was given breaks its own type, length or range.
        """
        given: Any = change
        if returned_cart_items is not None:
            if change is not None:
                raise InvalidValue("", "give what comes back once")
            given = returned_cart_items
        at, asked_by = as_time(now), as_context(context)
        if isinstance(trigger, str) and trigger == "put":  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            given, changes = as_update(given, changes, self.machine.own_fields), {}
            asked = self._put_trigger(given)
            if asked is None:
                return self.machine.not_in_table(WANTED.get(given.state, _UPDATE), self, given)
            given = None if asked is _CANCEL else given
        else:
            asked = _TRIGGERS.get(trigger) if isinstance(trigger, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]  # as above
        if asked is None:
            text = f'"{trigger:.40}"' if isinstance(trigger, str) else kind_of(trigger)  # pyright: ignore[reportUnnecessaryIsInstance]  # as above
            raise InvalidValue("", f"{text} is not a trigger; the triggers are {', '.join(_MOVING)}, or put")
        if asked is _CREATE:
            return self.machine.not_in_table(asked, self, argument_of(asked, given, changes, self.machine.own_fields))
        event = self.machine.events[asked]
        argument = event.argument(given, changes)
        if payload_only and asked is _CLOSE:
            # Rules get a copy. They may hold a reference to the session, which they must not change either.
            with under_judgement(self) as guarding:
                held = held_by(self)
                decision = event.decide(copy_with(self, _EMPTY), argument, at, asked_by)
                if guarding and held_by(self) != held:
                    put_back(self, held)
                    raise ConcurrentChange(f"session {self.integration_id!r}: a rule assigned to a field of it")
                return decision
        return event.decide(self, argument, at, asked_by)

    @takes(signatures.board)
    def board(
        self,
        change: SessionUpdate | None = None,
        /,
        *,
        returned_cart_items: Iterable[ReturnedCartItem] | HoldsReturnedItems | None = None,
        now: datetime | None = None,
        context: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Mapping[Trigger, Decision[Self]]:
        """Judge all five triggers: which are allowed now, which are not, and why.

        Args:
            change: what an update and a closing would be given, as one `SessionUpdate`, whatever state it
                wants, or
            changes: as keywords.
            returned_cart_items: what a return would be given; without it, everything that remains.
            now: when, with a time zone.
            context: who asks and why.
        """
        asked_by = as_context(context)
        at, update, events = as_time(now), as_update(change, changes, self.machine.own_fields), self.machine.events
        if update.state is not UNSET:
            update = evolve(update, state=UNSET)
        if returned_cart_items is None and events[_RETURN_ITEMS].transition(self.state):
            returned_cart_items = self.remaining_items()
        entries = events[_RETURN_ITEMS].argument(returned_cart_items)
        arguments = {_UPDATE: update, _CLOSE: update, _CANCEL: None, _RETURN_ITEMS: entries, _REOPEN: None}
        return MappingProxyType(
            {one: events[one].decide(self, change, at, asked_by) for one, change in arguments.items()}
        )

    @property
    def allowed_triggers(self) -> tuple[Trigger, ...]:
        """The triggers that the table and the rules allow now: those whose decision on the `board` is allowed."""
        return tuple(trigger for trigger, decision in self.board().items() if decision)

    def remaining_items(self) -> tuple[ReturnedCartItem, ...]:
        """Return what can still be returned: for each item its position, its SKU and the units that remain."""
        return tuple(
            ReturnedCartItem(position=item.position, quantity=item.remaining_quantity, sku=item.sku)
            for item in self.cart_items
            if item.remaining_quantity
        )

    @property
    def returned_item_total(self) -> Decimal:
        """What the returned units cost: the sum of price times returned quantity, before any discount (M-08)."""
        return returned_total(self.cart_items)

    @property
    def remaining_item_total(self) -> Decimal:
        """What the units that remain cost: `cart_item_total` less `returned_item_total` (M-08)."""
        return subtract(self.cart_item_total, self.returned_item_total)

    @property
    def pending_events(self) -> list[SessionEvent]:
        """A list of the events that were not taken yet, oldest first."""
        return events_in(self._pending_events)

    def take_events(self) -> list[SessionEvent]:
        """Return the pending events, oldest first, and clear them."""
        refuse_if_busy(self)
        events = self.pending_events
        assign(self, {"_pending_events": ()})
        drop_cached(self, cached_names(type(self)))
        return events


_DEFAULTS: dict[str, Any] = {attribute.name: attribute.default for attribute in fields(CustomerSession)}
_GIVEN_AT_CREATION: Any = [
    attribute
    for attribute in fields(CustomerSession)
    if attribute.name in {"id", "integration_id", "application_id", "first_session"}
]
_make = maker(CustomerSession)


def _new(cls: type[C], given: Mapping[str, Any], known: Mapping[str, Any], own: Mapping[str, Any]) -> C:
    """Return ``cls(**given, **known, **own)``, in less time.

    *given*, and the class's *own* fields by name, come from a `SessionUpdate`, which has converted and validated them
    already. `tests/test_fast_creation.py` compares the two.
    """
    for attribute in _GIVEN_AT_CREATION:
        value = known[attribute.name]
        if value is not attribute.default:
            attribute.validator(None, attribute, value)
    values: dict[str, Any] = {**_DEFAULTS, **given, **known}
    if "attributes" in given:
        values["attributes"] = to_attributes(given["attributes"])
    # What `complete` computes, which runs for `cls(...)` alone, or for a subclass once more:
    if not values["profile_id"]:
        values["first_session"] = True  # F-16
    values |= totals(values["cart_items"], values["additional_costs"])
    if cls is CustomerSession:
        session: Any = _make(*values.values())
    else:
        own_fields = cls.machine.own_fields
        if own_fields is not NO_OWN_FIELDS:
            values |= own_fields.values(own, cls.__name__, accepted=True)
        session = cls.__new__(cls)
        assign(session, values)
        session.__attrs_post_init__()  # a subclass may have its own
    return session  # type: ignore[no-any-return]  # it is a cls


type.__setattr__(CustomerSession, "machine", machine_of(CustomerSession, CustomerSession))
CustomerSession.__contents__ = reader(CustomerSession)
CustomerSession.__fixed__ = frozenset(attribute.name for attribute in fields(CustomerSession))
setattr(CustomerSession.__attrs_post_init__, "completes", True)  # noqa: B010 - see `completing`
# They are set here, and not defined in the class: type checkers would then allow the assignment of unknown attributes,
# and attrs would not let the fields be frozen.
setattr(CustomerSession, "__setattr__", set_field)  # noqa: B010 - see above
setattr(CustomerSession, "__delattr__", delete_field)  # noqa: B010 - see above
setattr(CustomerSession, "__attrs_own_setattr__", False)  # noqa: B010 - attrs would give subclasses that of `object`
_REPLACEABLE = [attribute for attribute in fields(CustomerSession) if attribute.name in {*FIELDS_OF_UPDATE} - {"state"}]
_EMPTY: dict[str, Any] = {attribute.name: attribute.default for attribute in _REPLACEABLE} | totals((), EMPTY)
