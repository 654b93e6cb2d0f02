"""Hypothesis strategies for what is refused: the twins of those in `strategies` and `lives`, each with one fault planted.

>>> from hypothesis import find
>>> planted = find(invalid_cart_items(), lambda planted: planted.pointer == "/quantity" and "less" in planted.problem)
>>> planted.value, planted.problem
({'sku': 'A', 'quantity': 0}, '0 is less than 1')
>>> planted.prove()
InvalidValue('/quantity', '0 is less than 1', ())

Every problem that a value of the library's own can have is planted by one of them, and so is every rule that always
holds (L-01 to L-09) and every transition that the table does not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from attrs import field, frozen
from hypothesis import strategies as st

from session_fsm.errors import InvalidValue, Problem, SessionFSMError, TransitionRefused, WireError, pointer_token
from session_fsm.events import SessionEvent
from session_fsm.scalars import wire_name
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.faults import (
    faults_of_creation,
    faults_of_event,
    faults_of_item,
    faults_of_return,
    faults_of_session,
    faults_of_update,
)
from session_fsm.testing.lives import sessions
from session_fsm.testing.reference import Verdict
from session_fsm.testing.strategies import cart_items, returns, updates, words
from session_fsm.values import CartItem, ReturnedCartItem, SessionUpdate
from session_fsm.wire import ReturnRequest, loads, unstructure
from session_fsm.wire.text import write

__all__ = [
    "Planted",
    "invalid_cart_items",
    "invalid_json_documents",
    "invalid_operations",
    "invalid_returns",
    "invalid_sessions",
    "invalid_updates",
]


def _short(value: object) -> str:
    """Show a value that may hold a thousand items."""
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}..."


@frozen
class Planted:
    """Something with one fault, and the fault."""

    value: Any = field(repr=_short)
    """What is refused: keyword arguments, the argument of a verb, a call, or a document."""
    pointer: str | None
    """Where the fault lies, as a JSON pointer into the value; None where a refusal has no place."""
    problem: str = ""
    """The text of the problem with a value or a document; empty where the table or a rule refuses."""
    code: str = ""
    """The code with which the table or a rule refuses; empty where a value or a document has a problem."""
    _attempt: Callable[[], object] = field(kw_only=True, eq=False, repr=False)

    def attempt(self) -> object:
        """Build, read or call what was planted, which raises."""
        return self._attempt()

    def prove(self) -> SessionFSMError:
        """Attempt it, and return the error, which tells of the planted fault and of no other.

        Further violations of rules that the service has added are no concern of this one's.

        Raises:
            AssertionError: it was not refused, or otherwise.
        """
        __tracebackhide__ = True
        try:
            self.attempt()
        except TransitionRefused as error:
            found = {(v.code, v.pointer) for v in error.violations if Verdict.knows(v.code)}
            if self.code and found == {(self.code, self.pointer)}:
                return error
            raise AssertionError(f"{self} was refused otherwise: {error}") from error
        except (InvalidValue, WireError) as error:
            if not self.code and error.problems == (Problem(self.pointer or "", self.problem),):
                return error
            raise AssertionError(f"{self} was refused otherwise: {error}") from error
        raise AssertionError(f"{self} was not refused")


def _faults(table: Mapping[str, Any]) -> st.SearchStrategy[tuple[str, Any, str, str]]:
    """Draw one of all faults: the field, the bad value, the pointer and the text."""
    return st.sampled_from(
        [
            (name, value, pointer_token(wire_name(name)) + place, text)
            for name, faults in table.items()
            for value, place, text in faults
        ]
    )


def invalid_cart_items() -> st.SearchStrategy[Planted]:
    """Draw keyword arguments of which one keeps a `CartItem` from being built."""
    return built(_item, st.tuples(_faults(faults_of_item()), cart_items()))


def _item(drawn: tuple[tuple[str, Any, str, str], CartItem]) -> Planted:
    (name, bad, pointer, text), item = drawn
    value = {"sku": "A", "quantity": 1, "name": item.name, "price": item.price, name: bad}
    value = {key: given for key, given in value.items() if given is not None or key == name}
    return Planted(value, pointer, text, attempt=lambda: CartItem(**value))


def invalid_updates() -> st.SearchStrategy[Planted]:
    """Draw keyword arguments of which one keeps a `SessionUpdate` from being built."""
    return built(_update, st.tuples(_faults(faults_of_update()), updates()))


def _update(drawn: tuple[tuple[str, Any, str, str], SessionUpdate]) -> Planted:
    (name, bad, pointer, text), update = drawn
    value: dict[str, Any] = {**update.given(), name: bad}
    return Planted(value, pointer, text, attempt=lambda: SessionUpdate(**value))


# --- Creations -----------------------------------------------------------------------------------------------------

_TOO_MANY = {
    "too_many_cart_items": [CartItem(sku="A", quantity=1)] * 1001,
    "too_many_units": [CartItem(sku="A", quantity=9_999), CartItem(sku="B", quantity=2)],
}


def invalid_sessions(
    kind: type[CustomerSession] = CustomerSession, *, own: Mapping[str, Any] | None = None
) -> st.SearchStrategy[Planted]:
    """Draw keyword arguments, ``integration_id`` among them, of which one keeps a session from being created.

    Args:
        kind: the class of the session.
        own: what a creation gives to the fields that the class adds.
    """

    def plant(name: str, bad: Any, pointer: str, text: str = "", code: str = "") -> Planted:
        value = {"integration_id": "order-1", **(own or {}), name: bad}
        rest = {key: given for key, given in value.items() if key != "integration_id"}
        return Planted(value, pointer, text, code, attempt=lambda: kind.create(value["integration_id"], **rest))

    values = _faults({name: faults for name, faults in (faults_of_creation() | faults_of_update()).items()})
    return st.one_of(
        values.map(lambda fault: plant(*fault)),
        st.sampled_from([State.PARTIALLY_RETURNED, State.CANCELLED]).map(
            lambda state: plant("state", state, "/state", code="state_not_creatable")
        ),
        st.sampled_from(sorted(_TOO_MANY)).map(lambda code: plant("cart_items", _TOO_MANY[code], "/cartItems", code=code)),
    )


# --- Operations ----------------------------------------------------------------------------------------------------


def invalid_returns(session: CustomerSession) -> st.SearchStrategy[Planted]:
    """Draw entries of which one keeps *session*, which could have items returned, from having them returned.

    The rules that need a certain cart are broken where the session has one: two items for L-05, two of one SKU for L-06.
    """

    def plant(value: Any, place: str, code: str = "", text: str = "") -> Planted:
        def attempt() -> object:
            return deepcopy(session).return_items(value)

        return Planted(value, f"/returnedCartItems{place}", text, code, attempt=attempt)

    cart = session.cart_items
    skus = Counter(item.sku for item in cart)
    beyond = st.integers(len(cart), len(cart) + 5)
    strange = words("Z", at_least=1).filter(lambda sku: sku not in skus)
    faulty = [
        st.just(plant([], "", "nothing_to_return")),
        st.builds(lambda units: plant([ReturnedCartItem(quantity=units)], "/0", "return_item_unnamed"), st.integers(1, 9)),
        beyond.map(lambda place: plant([ReturnedCartItem(position=place)], "/0/position", "unknown_cart_item")),
        strange.map(lambda sku: plant([ReturnedCartItem(sku=sku)], "/0/sku", "unknown_cart_item")),
        st.just(plant(["A"], "/0", text="a string is not a ReturnedCartItem")),
        st.just(plant("A", "", text="a string is not a list")),
    ]
    whole = [item for item in cart if item.remaining_quantity]
    mismatches = [(item, other) for item in whole for other in cart if item.sku != other.sku]
    if mismatches:
        faulty.append(
            st.sampled_from(mismatches).map(
                lambda pair: plant(
                    [ReturnedCartItem(position=pair[0].position, sku=pair[1].sku, quantity=1)],
                    "/0/sku",
                    "sku_position_mismatch",
                )
            )
        )
    if namesakes := [sku for sku, count in skus.items() if count > 1]:
        faulty.append(
            st.sampled_from(namesakes).map(lambda sku: plant([ReturnedCartItem(sku=sku)], "/0/sku", "ambiguous_sku"))
        )
    if cart:
        faulty.append(st.builds(_too_many_units, st.sampled_from(cart), st.integers(1, 9), st.booleans(), st.just(plant)))
    if whole:
        faulty.append(
            returns(session).map(
                lambda entries: plant([*entries, ReturnedCartItem()], f"/{len(entries)}", "return_item_unnamed")
            )
        )
    return st.one_of(faulty)


def _too_many_units(item: CartItem, beyond: int, split: bool, plant: Callable[..., Planted]) -> Planted:  # noqa: FBT001 - drawn
    """Ask for more units of *item* than remain, in one entry or in two."""
    units = item.remaining_quantity + beyond
    parts = [1, units - 1] if split and units > 1 else [units]
    entries = [ReturnedCartItem(position=item.position, quantity=part) for part in parts]
    return plant(entries, f"/{len(entries) - 1}/quantity", "returns_more_than_remaining")


def invalid_operations(
    subject: CustomerSession | type[CustomerSession], *, own: Mapping[str, Any] | None = None
) -> st.SearchStrategy[Planted]:
    """Draw a call that *subject* refuses as it is now: a verb, its positional and its keyword arguments.

    For a class the calls are creations, as in `invalid_sessions`. A session is not moved: a copy is called.
    """
    if isinstance(subject, type):
        return invalid_sessions(subject, own=own).map(_creation)

    def plant(
        verb: str, pointer: str | None, text: str = "", code: str = "", arguments: tuple[Any, ...] = (), **keywords: Any
    ) -> Planted:
        def attempt() -> object:
            return getattr(deepcopy(subject), verb)(*arguments, **keywords)

        return Planted((verb, arguments, keywords), pointer, text, code, attempt=attempt)

    open_ways = subject.machine.allowed_from(subject.state)
    filling = st.sampled_from(["update", "close", "put"])
    times = _faults({"now": faults_of_creation()["now"]})
    verbs = [trigger for trigger in Trigger if trigger is not Trigger.CREATE]
    needed: dict[str, tuple[Any, ...]] = {"return_items": ([ReturnedCartItem(position=0)],)}
    faulty = [
        st.builds(
            lambda verb, fault: plant(verb, fault[2], fault[3], **{fault[0]: fault[1]}), filling, _faults(faults_of_update())
        ),
        st.builds(
            lambda verb, fault: plant(verb, fault[2], fault[3], arguments=needed.get(verb, ()), now=fault[1]),
            st.sampled_from(verbs),
            times,
        ),
        st.sampled_from(
            [
                plant("update", "/state", f"update() does not lead to closed; put() obeys a wanted state", state="closed"),
                plant("close", "/state", f"close() does not lead to open; put() obeys a wanted state", state="open"),
                plant("put", None, code="wrong_state", state="partially_returned"),
            ]
        ),
    ]
    if shut := [verb for verb in verbs if verb not in open_ways]:
        faulty.append(
            st.sampled_from(shut).map(lambda verb: plant(verb, None, code="wrong_state", arguments=needed.get(verb, ())))
        )
    if Trigger.UPDATE in open_ways:
        faulty.append(
            st.builds(
                lambda verb, code: plant(verb, "/cartItems", code=code, cart_items=_TOO_MANY[code]),
                filling,
                st.sampled_from(sorted(_TOO_MANY)),
            )
        )
    if Trigger.RETURN_ITEMS in open_ways:
        faulty.append(
            invalid_returns(subject).map(
                lambda p: plant("return_items", p.pointer, p.problem, p.code, arguments=(p.value,))
            )
        )
    return st.one_of(faulty)


def _creation(planted: Planted) -> Planted:
    keywords = dict(planted.value)
    call = ("create", (keywords.pop("integration_id"),), keywords)
    return Planted(call, planted.pointer, planted.problem, planted.code, attempt=planted.attempt)


# --- Documents -----------------------------------------------------------------------------------------------------


def invalid_json_documents(
    kind: type[Any] = CustomerSession, *, own: Mapping[str, Any] | None = None
) -> st.SearchStrategy[Planted]:
    """Draw JSON text that cannot be read as *kind*, because of one fault.

    Args:
        kind: `CustomerSession` or a subclass, `SessionUpdate`, `session_fsm.wire.ReturnRequest` or `SessionEvent`.
        own: what a creation gives to the fields that a subclass adds.

    Raises:
        InvalidValue: *kind* is none of these.
    """
    tables: dict[type[Any], tuple[Callable[[], Mapping[str, Any]], st.SearchStrategy[Any]]] = {
        CustomerSession: (faults_of_session, sessions(kind, own=own) if issubclass(kind, CustomerSession) else st.none()),
        SessionUpdate: (lambda: faults_of_update(json=True), updates()),
        ReturnRequest: (faults_of_return, returns().map(lambda entries: ReturnRequest(returned_cart_items=entries))),
        SessionEvent: (faults_of_event, sessions().map(lambda session: session.pending_events[-1])),
    }
    found = next((entry for base, entry in tables.items() if issubclass(kind, base)), None)
    if found is None:
        raise InvalidValue("/kind", f"{kind.__name__} is no kind of document that faults are planted in")
    table, valid = found

    def plant(text: str, pointer: str, problem: str) -> Planted:
        return Planted(text, pointer, problem, attempt=lambda: loads(text, kind))

    def member(fault: tuple[str, Any, str, str], whole: Any) -> Planted:
        name, bad, pointer, problem = fault
        document = {**unstructure(whole), wire_name(name): bad}
        if bad is None:
            del document[wire_name(name)]
        return plant(write(document), pointer, problem)

    texts = [
        ("", "the document is empty"),
        ("[]", "a list is not an object"),
        ("5", "a number is not an object"),
        ('{"total": NaN}', "the document is not JSON: NaN is not a number"),
        ('{"a": 1, "a": 2}', 'the document names "a" twice in one object'),
        ('{"a": 1e9999999999999999999999}', "the document holds a number whose exponent is beyond all bounds"),
    ]
    return st.sampled_from([plant(text, "", problem) for text, problem in texts]) | st.builds(
        member, _faults(table()), valid
    )
