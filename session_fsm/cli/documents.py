"""`check` recognises a JSON document and finds all its problems, for ``session-fsm check``.

A document is a session, a request (update or return), an event of this library, a response of the API, or an error
envelope. Its members say which. A document that `session_fsm.wire.loads` refuses is never valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from attrs import fields, frozen

from session_fsm.errors import Problem, WireError, pointer_token
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.values import (
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
)
from session_fsm.wire import ReturnRequest, structure
from session_fsm.wire.kinds import member_name

__all__ = ["KINDS", "Report", "check"]

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "session": "session",
        "update": "update",
        "return": "return",
        "event": "event",
        "response": "response",
        "error": "error envelope",
    }
)
"""The kinds of documents: the value of the option ``--kind``, and the words that are printed."""

# The titles of problems that do not make a document invalid.
_UNKNOWN, _REMARK = "is not known", "remark"
_MOST_UNKNOWN = 100
"""The greatest number of unknown members reported for one object."""
_SIMILARITY = 0.7
"""The least similarity of two names, from 0 to 1, to suggest one for the other, as ``couponCodes`` for ``coupon``."""
_OF_REQUESTS = {"responseContent"}
_OF_RESPONSES = {
    *("effects", "createdCoupons", "createdReferrals", "customerProfile", "loyalty", "triggeredCampaigns"),
    *("campaignEligibility", "ruleFailureReasons", "awardedGiveaways", "achievements", "referral", "coupons"),
    *("event", "advancedEvent", "customerSession", "return", "previousReturns"),
}
_OF_RETURNS = {
    *("id", "created", "applicationId", "accountId", "eventId", "sessionId", "sessionIntegrationId"),
    *("profileId", "profileIntegrationId", "createdBy"),
}
_LISTS_OF_RESPONSES = ("effects", "createdCoupons", "createdReferrals")
# The class of the objects below a member, at any depth.
_CLASS_OF_MEMBER = {
    "cartItems": CartItem,
    "returnedCartItems": ReturnedCartItem,
    "additionalCosts": AdditionalCost,
    "product": Product,
    "experimentVariantAllocations": ExperimentVariantAllocation,
}


@frozen
class Report:
    """The kind of a document, and its problems."""

    name: str
    """One of `KINDS`; empty if the document is not recognised."""
    problems: tuple[Problem, ...]
    """Why the document is invalid; empty if it is valid."""
    unknown: tuple[Problem, ...] = ()
    """The unknown members."""
    remarks: tuple[Problem, ...] = ()
    """Notes about a valid document."""


def check(document: Any, kind: type[CustomerSession], name: str | None = None) -> Report:
    """Recognise a document and return all its problems.

    Args:
        document: what `session_fsm.wire.text.parse` returned.
        kind: the class of sessions.
        name: the kind of the document, one of `KINDS`; by default its members decide.
    """
    found = name or _recognise(document)
    reported = list(_CHECKS[found or "update"](document, kind))
    problems = [problem for problem in reported if problem.title not in (_UNKNOWN, _REMARK)]
    unknown, remarks = (tuple(p for p in reported if p.title == title) for title in (_UNKNOWN, _REMARK))
    if not found and not problems:
        *others, last = KINDS.values()
        problems = [Problem("", f"no member of it is known: it is no {', '.join(others)} or {last}")]
    return Report(found, tuple(problems), unknown, remarks)


def _recognise(document: Any) -> str:
    """Return the kind of *document* by its members, or an empty string if none of them is known."""
    if not is_object(document):
        return "update"
    names, nested = document.keys(), document.get("customerSession")
    holds_session = is_object(nested) and not nested.keys().isdisjoint({"integrationId", "created"})
    if {"trigger", "sessionId"} <= names:
        return "event"
    if "returnedCartItems" in names:
        return "return"
    if "customerSession" not in names and not names.isdisjoint({"integrationId", "created", "updated"}):
        return "session"
    has_lists = not names.isdisjoint({*_LISTS_OF_RESPONSES, "previousReturns"})
    if "responseContent" not in names and (holds_session or has_lists):
        return "response"
    if "return" in names:
        return "return"
    known = {"customerSession", *_members_of(SessionUpdate), *_members_of(CustomerSession)}
    if not names or not names.isdisjoint(known):
        return "update"
    return "error" if not names.isdisjoint({"message", "errors", "StatusCode"}) else ""


# --- One function for each kind of document. It yields problems; notes have the title _UNKNOWN or _REMARK ------------


def _request(wrapper: str, of: type, document: Any, _: type[CustomerSession]) -> Iterator[Problem]:
    yield from _read(document, of)
    yield from _unknown_beside(wrapper, document, {wrapper, *_OF_REQUESTS})


def _session(document: Any, kind: type[CustomerSession]) -> Iterator[Problem]:
    yield from _read(document, kind)
    yield from _unknown_beside("customerSession", document, _OF_RESPONSES)


def _event(document: Any, kind: type[CustomerSession]) -> Iterator[Problem]:
    # CustomerSession has no own fields, so its events are read without a session class.
    session_class = None if kind is CustomerSession else kind
    yield from _read(document, SessionEvent, session_class=session_class)


def _response(document: Any, kind: type[CustomerSession]) -> Iterator[Problem]:
    if not is_object(document):
        yield Problem("", f"{kind_of(document)} is not an object")
        return
    if document and document.keys().isdisjoint(_OF_RESPONSES):
        yield Problem("", "no member of it is one of a response")
    members = {name: value for name, value in document.items() if value is not None}
    if "customerSession" in members:
        yield from _under("/customerSession", _read(members["customerSession"], kind))
    else:
        yield Problem(
            "", 'it holds no session; a request asks for it by "responseContent": ["customerSession"]', _REMARK
        )
    if "return" in members:
        yield from _under("/return", _read(members["return"], ReturnRequest, also=_OF_RETURNS))
    for pointer, element in _elements(members.get("previousReturns", [])):
        yield from _under(f"/previousReturns{pointer}", _read(element, ReturnRequest, also=_OF_RETURNS))
    event = members.get("event")
    if is_object(event) and {"trigger", "sessionId"} <= event.keys():  # an event of this library, not of the API
        yield from _under("/event", _event(event, kind))
    for name in (*_LISTS_OF_RESPONSES, "previousReturns"):
        if name in members and not is_list(members[name]):
            yield Problem(f"/{name}", f"{kind_of(members[name])} is not a list")
    yield from _unknown(document, _OF_RESPONSES)


def _error(document: Any, _: type[CustomerSession]) -> Iterator[Problem]:
    if not is_object(document):
        yield Problem("", f"{kind_of(document)} is not an object")
        return
    yield from _members(document, {"message": "a string"}, needed=["message"])
    entries = document.get("errors")
    if entries is not None and not is_list(entries):
        yield Problem("/errors", f"{kind_of(entries)} is not a list")
    for pointer, entry in _elements(entries):
        types = {"title": "a string", "details": "a string", "source": "an object"}
        if is_object(entry):
            yield from _under(f"/errors{pointer}", _members(entry, types, needed=["source"]))
            yield from _under(f"/errors{pointer}", _unknown(entry, types))
        else:
            yield Problem(f"/errors{pointer}", f"{kind_of(entry)} is not an object")
    yield from _members(document, {"StatusCode": "an integer"})
    yield from _unknown(document, {"message", "errors", "StatusCode"})


_CHECKS: Mapping[str, Callable[[Any, type[CustomerSession]], Iterable[Problem]]] = {
    "session": _session,
    "update": lambda document, kind: _request("customerSession", SessionUpdate, document, kind),
    "return": lambda document, kind: _request("return", ReturnRequest, document, kind),
    "event": _event,
    "response": _response,
    "error": _error,
}


# --- Shared functions ------------------------------------------------------------------------------------------------


def _read(
    document: Any,
    of: type,
    *,
    also: Iterable[str] = (),
    session_class: type[CustomerSession] | None = None,
) -> Iterator[Problem]:
    """Read *document* and yield its problems and its unknown members, except for those in *also*."""
    problems = _problems(document, of, strict=False, session_class=session_class)
    yield from problems
    strictly = _problems(document, of, strict=True, session_class=session_class)
    for problem in [one for one in strictly if one.text == _UNKNOWN and one not in problems][:_MOST_UNKNOWN]:
        holder, _, token = problem.pointer.rpartition("/")
        name = token.replace("~1", "/").replace("~0", "~")
        if not holder and name in also:
            continue
        known = _members_of(_holder(holder, of)).union(() if holder else also)
        yield Problem(problem.pointer, _UNKNOWN + _suggestion(name, known), _UNKNOWN)


def _problems(
    document: Any, of: type, *, strict: bool, session_class: type[CustomerSession] | None
) -> tuple[Problem, ...]:
    try:
        structure(document, of, strict=strict, session_class=session_class)
    except WireError as error:
        return error.problems
    return ()


def _unknown(document: Mapping[str, Any], known: Iterable[str]) -> Iterator[Problem]:
    """Yield the members of *document* that are not among those *known*."""
    for name in sorted(document.keys() - set(known))[:_MOST_UNKNOWN]:
        yield Problem(pointer_token(name), _UNKNOWN + _suggestion(name, known), _UNKNOWN)


def _unknown_beside(wrapper: str, document: Any, known: Iterable[str]) -> Iterator[Problem]:
    """Yield the members beside a wrapper that are not *known*, without a pointer: pointers start inside the wrapper."""
    if is_object(document) and wrapper in document:
        for problem in _unknown(document, known):
            yield Problem("", f"beside {wrapper}, {problem.pointer[1:]} {problem.text}", _UNKNOWN)


def _suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` if *name* resembles a known member, else an empty string."""
    by_lower = {member.lower(): member for member in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=_SIMILARITY)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


def _holder(pointer: str, of: type) -> type:
    """Return the class of the object at *pointer* in a document of class *of*."""
    for name in reversed(re.findall(r"/([^/]+)", pointer)):
        if name in _CLASS_OF_MEMBER:
            return _CLASS_OF_MEMBER[name]
    return of


def _members_of(kind: Any) -> frozenset[str]:
    """Return the names that the fields of *kind* have in JSON."""
    names = {member_name(a) for a in fields(kind) if a.metadata.get("of_talon_one", True)}
    return frozenset(names | ({"remainingQuantity"} if kind is CartItem else set()))


_IS: Mapping[str, Callable[[Any], bool]] = {
    "a string": lambda value: isinstance(value, str),
    "an integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "an object": is_object,
}


def _members(document: Mapping[str, Any], types: Mapping[str, str], needed: Iterable[str] = ()) -> Iterator[Problem]:
    """Yield the problems of the members of *document* that are not of the given *types*, or *needed* and missing."""
    for name, what in types.items():
        value = document.get(name)
        if value is None:
            if name in needed:
                yield Problem(f"/{name}", "is missing")
        elif not _IS[what](value):
            yield Problem(f"/{name}", f"{kind_of(value)} is not {what}")


def _elements(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each element of a list with its pointer; nothing if *value* is not a list."""
    if is_list(value):
        yield from ((f"/{index}", element) for index, element in enumerate(value))


def _under(prefix: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    return (problem.under(prefix) for problem in problems)
