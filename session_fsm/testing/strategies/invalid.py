"""Hypothesis strategies for invalid values, documents and operations, each with exactly one fault.

>>> from hypothesis import find
>>> planted = find(invalid_cart_items(), lambda planted: planted.pointer == "/quantity" and "less" in planted.problem)
>>> planted.value, planted.problem
({'sku': 'A', 'quantity': 0}, '0 is less than 1')
>>> planted.prove()
InvalidValue('/quantity', '0 is less than 1', ())

Together they cover every problem of the library's values, every built-in rule (L-01 to L-09), and every transition
that the table lacks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, TypeAlias

from attrs import evolve, field, frozen
from hypothesis import strategies as st

from session_fsm.errors import InvalidValue, Problem, SessionFSMError, TransitionRefused, WireError, pointer_token
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.subclasses.own_fields import nearest
from session_fsm.testing.model.reference import Verdict
from session_fsm.testing.strategies.bad_values import (
    BadValue,
    bad_creation_values,
    bad_event_values,
    bad_item_values,
    bad_return_values,
    bad_session_values,
    bad_update_values,
)
from session_fsm.testing.strategies.documents import written_values
from session_fsm.testing.strategies.values import amounts, attributes, returns, updates, words
from session_fsm.validators import wire_name
from session_fsm.values import FIELDS_OF_UPDATE, CartItem, ReturnedCartItem, SessionUpdate
from session_fsm.wire import ReturnRequest, loads, unstructure
from session_fsm.wire.encoding import encode_value

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
    """Return the `repr` of *value*, cut to 400 characters."""
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}..."


@frozen
class Planted:
    """An invalid value or operation, and its one fault."""

    value: Any = field(repr=_short)
    """The invalid part: keyword arguments, the argument of a verb, a call, or a document."""
    pointer: str | None
    """The JSON pointer of the fault; None if the refusal has none."""
    problem: str
    """The text of the problem; empty if the table or a rule refuses."""
    code: str
    """The code of the refusal by the table or a rule; empty for an invalid value or document."""
    call: Callable[[], object] = field(eq=False, repr=False)
    """Builds the value, reads the document or calls the verb, which raises."""

    def prove(self) -> SessionFSMError:
        """Run `call`, check that it reports the fault and no other, and return the error.

        Violations of rules that the service adds are ignored.

        Raises:
            AssertionError: nothing was raised, or another problem.
        """
        __tracebackhide__ = True
        try:
            self.call()
        except TransitionRefused as error:
            found = {(v.code, v.pointer) for v in error.violations if Verdict.knows(v.code)}
            if found == {(self.code, self.pointer)}:
                return error
            raise AssertionError(f"{self} was refused otherwise: {error}") from error
        except (InvalidValue, WireError) as error:
            if not self.code and error.problems == (Problem(self.pointer or "", self.problem),):
                return error
            raise AssertionError(f"{self} was refused otherwise: {error}") from error
        raise AssertionError(f"{self} was not refused")

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 - the signature is that of IPython
        printer.text(repr(self))


Fault: TypeAlias = "tuple[str, Any, str, str]"
"""The name of a field, a bad value for it, the pointer and the text of the problem."""


def _faults(table: Mapping[str, list[BadValue]]) -> st.SearchStrategy[Fault]:
    """Draw one fault of the fields in *table*."""
    return st.sampled_from(
        [
            (name, value, pointer_token(wire_name(name)) + place, text)
            for name, bad_values in table.items()
            for value, place, text in bad_values
        ]
    )


@st.composite
def invalid_cart_items(draw: st.DrawFn) -> Planted:
    """Draw keyword arguments of `CartItem` of which one is invalid."""
    name, bad, pointer, text = draw(_faults(bad_item_values()))
    others: dict[str, Any] = draw(
        st.fixed_dictionaries({}, optional={"price": amounts(), "attributes": attributes(), "name": words()})
    )
    value: dict[str, Any] = {"sku": "A", "quantity": 1, **others, name: bad}
    return Planted(value, pointer, text, "", lambda: CartItem(**value))


@st.composite
def invalid_updates(draw: st.DrawFn) -> Planted:
    """Draw keyword arguments of `SessionUpdate` of which one is invalid."""
    name, bad, pointer, text = draw(_faults(bad_update_values()))
    value: dict[str, Any] = {**draw(updates()).given(), name: bad}
    return Planted(value, pointer, text, "", lambda: SessionUpdate(**value))


_TOO_MANY = {
    "too_many_cart_items": [CartItem(sku="A", quantity=1)] * 1001,
    "too_many_units": [CartItem(sku="A", quantity=9_999), CartItem(sku="B", quantity=2)],
}


@st.composite
def invalid_sessions(
    draw: st.DrawFn, kind: type[CustomerSession] = CustomerSession, *, own: Mapping[str, Any] | None = None
) -> Planted:
    """Draw keyword arguments of a creation, ``integration_id`` included, of which one is invalid or refused.

    Args:
        draw: given by Hypothesis.
        kind: the class of the session.
        own: what a creation gives to the fields that the class adds.
    """
    code = draw(st.sampled_from(["", "state_not_creatable", *_TOO_MANY]))
    if code in _TOO_MANY:
        name, bad, pointer, text = "cart_items", _TOO_MANY[code], "/cartItems", ""
    elif code:
        name, pointer, text = "state", "/state", ""
        bad = draw(st.sampled_from([State.PARTIALLY_RETURNED, State.CANCELLED]))
    else:
        name, bad, pointer, text = draw(_faults(bad_creation_values() | bad_update_values()))
    value: dict[str, Any] = {"integration_id": "order-1", **(own or {}), name: bad}
    keywords = {key: given for key, given in value.items() if key != "integration_id"}
    return Planted(value, pointer, text, code, lambda: kind.create(value["integration_id"], **keywords))


@st.composite
def invalid_returns(draw: st.DrawFn, session: CustomerSession) -> Planted:
    """Draw entries of a return of which one is invalid or refused, for a *session* that allows returns.

    Rules that need a certain cart are violated only if the session has one: two SKUs for L-05, one SKU on two items
    for L-06, an item for L-07. The verb is called on a copy of the session.
    """
    cart = session.cart_items
    skus = Counter(item.sku for item in cart)
    returnable = [item for item in cart if item.remaining_quantity]
    mismatched = [(item.position, other.sku) for item in returnable for other in cart if item.sku != other.sku]
    ambiguous = [sku for sku, count in skus.items() if count > 1]
    codes = ["", "nothing_to_return", "return_item_unnamed", "unknown_cart_item"]
    # Such a cart is rare, so its faults are drawn more often.
    codes += ["sku_position_mismatch"] * bool(mismatched) + ["ambiguous_sku"] * 2 * bool(ambiguous)
    codes += ["returns_more_than_remaining"] * bool(cart)
    code = draw(st.sampled_from(codes))
    before = draw(returns(session)) if returnable and code in ("return_item_unnamed", "unknown_cart_item") else []
    text, place = "", f"/{len(before)}"
    value: Any = []
    bad: Any = None
    match code:
        case "nothing_to_return":
            place = ""
        case "return_item_unnamed":
            bad = ReturnedCartItem(quantity=draw(st.none() | st.integers(1, 9)))
        case "unknown_cart_item":
            beyond = st.integers(len(cart), len(cart) + 5)
            unknown_sku = words("Z", at_least=1).filter(lambda sku: sku not in skus)
            name = draw(st.sampled_from(["position", "sku"]))
            named: dict[str, Any] = {name: draw(beyond if name == "position" else unknown_sku)}
            bad, place = ReturnedCartItem(**named), f"{place}/{name}"
        case "sku_position_mismatch":
            position, sku = draw(st.sampled_from(mismatched))
            bad, place = ReturnedCartItem(position=position, sku=sku, quantity=1), f"{place}/sku"
        case "ambiguous_sku":
            bad, place = ReturnedCartItem(sku=draw(st.sampled_from(ambiguous))), f"{place}/sku"
        case "returns_more_than_remaining":
            before, bad = _too_many_units(draw, draw(st.sampled_from(cart)))
            place = f"/{len(before)}/quantity"
        case _:
            value, place, text = draw(
                st.sampled_from(
                    [("A", "", "a string is not a list"), (["A"], "/0", "a string is not a ReturnedCartItem")]
                )
            )
    entries = value if bad is None else [*before, bad]
    return Planted(entries, f"/returnedCartItems{place}", text, code, lambda: deepcopy(session).return_items(entries))


def _too_many_units(draw: st.DrawFn, item: CartItem) -> tuple[list[ReturnedCartItem], ReturnedCartItem]:
    """Draw entries for more units of *item* than remain, in one entry or in the sum of two."""
    units = item.remaining_quantity + draw(st.integers(1, 9))
    parts = [1, units - 1] if units > 1 and draw(st.booleans()) else [units]
    *before, last = (ReturnedCartItem(position=item.position, quantity=part) for part in parts)
    return before, last


_CHANGING = st.sampled_from([Trigger.UPDATE, Trigger.CLOSE])
_MOVING = [trigger for trigger in Trigger if trigger is not Trigger.CREATE]
_REQUIRED_ARGUMENTS: dict[str, tuple[Any, ...]] = {Trigger.RETURN_ITEMS: ([ReturnedCartItem(position=0)],)}
"""The arguments that verbs require."""


@st.composite
def invalid_operations(
    draw: st.DrawFn, subject: CustomerSession | type[CustomerSession], *, own: Mapping[str, Any] | None = None
) -> Planted:
    """Draw a call that *subject* refuses in its present state: a verb, its positional and its keyword arguments.

    For a class, draw a creation as `invalid_sessions` does. For a session, the verb is called on a copy.

    Args:
        draw: given by Hypothesis.
        subject: the session or the class.
        own: what a creation gives to the fields that the class adds.
    """
    if isinstance(subject, type):
        planted = draw(invalid_sessions(subject, own=own))
        keywords = dict(planted.value)
        return evolve(planted, value=("create", (keywords.pop("integration_id"),), keywords))
    allowed = subject.machine.allowed_from(subject.state)
    refused = [trigger for trigger in _MOVING if trigger not in allowed]
    faults = ["value", "time", "unknown", "wanted", "put"] + ["transition"] * bool(refused)
    # Rules have several faults each, so they are drawn more often.
    faults += ["cart"] * 3 * (Trigger.UPDATE in allowed) + ["return"] * 6 * (Trigger.RETURN_ITEMS in allowed)
    fault = draw(st.sampled_from(faults))
    verb: str = draw(_CHANGING | st.just("put"))
    arguments: tuple[Any, ...] = ()
    given: dict[str, Any] = {}
    pointer: str | None = None
    text = code = ""
    match fault:
        case "value":
            name, bad, pointer, text = draw(_faults(bad_update_values()))
            given = {name: bad}
        case "time":
            verb = draw(st.sampled_from(_MOVING))
            _, bad, pointer, text = draw(_faults({"now": bad_creation_values()["now"]}))
            arguments, given = _REQUIRED_ARGUMENTS.get(verb, ()), {"now": bad}
        case "unknown":
            given, pointer = {"voucher": "XMAS"}, "/voucher"
            known = (*FIELDS_OF_UPDATE, *subject.machine.own_fields.by_alias)
            text = f"there is no such field; {nearest('voucher', known)}the fields are {', '.join(known)}"
        case "wanted":
            verb = draw(_CHANGING)
            wanted = draw(st.sampled_from([state for state in State if state != _TARGET[verb]]))
            given, pointer = {"state": wanted}, "/state"
            text = f"{verb}() does not lead to {wanted}; put() obeys a wanted state"
        case "put":
            verb, given, code = "put", {"state": "partially_returned"}, "wrong_state"
        case "transition":
            verb, code = draw(st.sampled_from(refused)), "wrong_state"
            arguments = _REQUIRED_ARGUMENTS.get(verb, ())
        case "cart":
            code = draw(st.sampled_from(sorted(_TOO_MANY)))
            given, pointer = {"cart_items": _TOO_MANY[code]}, "/cartItems"
        case _:
            planted = draw(invalid_returns(subject))
            verb, arguments = "return_items", (planted.value,)
            pointer, text, code = planted.pointer, planted.problem, planted.code
    return Planted(
        (str(verb), arguments, given),
        pointer,
        text,
        code,
        lambda: getattr(deepcopy(subject), verb)(*arguments, **given),
    )


_TARGET: dict[str, State] = {Trigger.UPDATE: State.OPEN, Trigger.CLOSE: State.CLOSED}

_NOT_DOCUMENTS = [
    ("", "the document is empty"),
    ("[]", "a list is not an object"),
    ("5", "a number is not an object"),
    ('{"total": NaN}', "the document is not JSON: NaN is not a number"),
    ('{"a": 1, "a": 2}', 'the document names "a" twice in one object'),
    ('{"a": 1e9999999999999999999999}', "the document holds a number whose exponent is beyond all bounds"),
]
"""Texts that are not a valid document of any kind, with their problems."""
_BAD_VALUES: dict[type[Any], Callable[[], Mapping[str, list[BadValue]]]] = {
    SessionUpdate: partial(bad_update_values, json=True),
    ReturnRequest: bad_return_values,
    SessionEvent: bad_event_values,
}


def invalid_json_documents(
    kind: type[Any] = CustomerSession, *, own: Mapping[str, Any] | None = None
) -> st.SearchStrategy[Planted]:
    """Draw JSON text that cannot be read as *kind* because of one fault.

    Args:
        kind: `CustomerSession` or a subclass, `SessionUpdate`, `session_fsm.wire.ReturnRequest` or `SessionEvent`.
        own: what a creation gives to the fields that a subclass adds.

    Raises:
        InvalidValue: *kind* is none of these.
    """
    if issubclass(kind, CustomerSession):
        table: Mapping[str, list[BadValue]] = bad_session_values()
        whole = written_values(kind, own=own)
    elif kind in _BAD_VALUES:
        table, whole = _BAD_VALUES[kind](), written_values(kind)
    else:
        raise InvalidValue("/kind", f"{kind!r:.60} is not a supported kind of document")

    @st.composite
    def draw_text(draw: st.DrawFn) -> Planted:
        text, problem = draw(st.sampled_from([*_NOT_DOCUMENTS, ("member", "")]))
        pointer = ""
        if not problem:
            name, bad, pointer, problem = draw(_faults(table))
            document = {**unstructure(draw(whole)), wire_name(name): bad}
            if bad is None:
                del document[wire_name(name)]
            text = "{" + ",".join(f'"{member}":{_json(value)}' for member, value in document.items()) + "}"
        return Planted(text, pointer, problem, "", lambda: loads(text, kind))

    return draw_text()


def _json(value: Any) -> str:
    try:
        return encode_value(value).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape sequence can write
        return json.dumps(value)
