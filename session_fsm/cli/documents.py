"""What a JSON document is, and everything that is wrong with it: what ``session-fsm check`` says, without its output.

A document is a session, a request (update or return), an event of this library, an answer of the API, or an error
envelope. It is recognised by its members; what `session_fsm.wire.loads` refuses is never valid.
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

__all__ = ["KINDS", "Judgement", "judge"]

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "session": "session",
        "update": "update",
        "return": "return",
        "event": "event",
        "answer": "answer",
        "error": "error envelope",
    }
)
"""What a document may be: the name that the option takes, and the words that are printed."""

# The titles of what is no fault.
_UNKNOWN, _REMARK = "is not known", "remark"
_MOST_UNKNOWN = 100
"""So many unknown members of one object are looked at; others are passed over."""
_ALIKE = 0.7
"""How alike two names must be, from 0 to 1, for one to be taken for the other: ``coupon`` and ``couponCodes`` are."""
_OF_REQUESTS = {"responseContent"}
_OF_ANSWERS = {
    *("effects", "createdCoupons", "createdReferrals", "customerProfile", "loyalty", "triggeredCampaigns"),
    *("campaignEligibility", "ruleFailureReasons", "awardedGiveaways", "achievements", "referral", "coupons"),
    *("event", "advancedEvent", "customerSession", "return", "previousReturns"),
}
_OF_RETURNS = {
    *("id", "created", "applicationId", "accountId", "eventId", "sessionId", "sessionIntegrationId"),
    *("profileId", "profileIntegrationId", "createdBy"),
}
_LISTS_OF_ANSWERS = ("effects", "createdCoupons", "createdReferrals")
# The class of the objects below a member, wherever it stands.
_BELOW = {
    "cartItems": CartItem,
    "returnedCartItems": ReturnedCartItem,
    "additionalCosts": AdditionalCost,
    "product": Product,
    "experimentVariantAllocations": ExperimentVariantAllocation,
}


@frozen
class Judgement:
    """What a document is and what is wrong with it."""

    name: str
    """One of `KINDS`; empty where nothing says what it is."""
    problems: tuple[Problem, ...]
    """Why it is not valid; empty where it is."""
    unknown: tuple[Problem, ...] = ()
    """The members that nobody knows."""
    remarks: tuple[Problem, ...] = ()
    """What else is no fault of it, but may surprise."""


def judge(document: Any, kind: type[CustomerSession], name: str | None = None) -> Judgement:
    """Recognise a document and find everything that is wrong with it.

    Args:
        document: what `session_fsm.wire.text.parse` returned.
        kind: the class of sessions.
        name: what the document is, one of `KINDS`; without it, its members decide.
    """
    found = name or _recognised(document)
    judged = list(_JUDGES[found or "update"](document, kind))
    problems = [problem for problem in judged if problem.title not in (_UNKNOWN, _REMARK)]
    unknown, remarks = (tuple(p for p in judged if p.title == title) for title in (_UNKNOWN, _REMARK))
    if not found and not problems:
        *others, last = KINDS.values()
        problems = [Problem("", f"no member of it is known: it is no {', '.join(others)} or {last}")]
    return Judgement(found, tuple(problems), unknown, remarks)


def _recognised(document: Any) -> str:
    """Return the name of what *document* is, by its members; empty where none of them is known."""
    if not is_object(document):
        return "update"
    names, inside = document.keys(), document.get("customerSession")
    whole = is_object(inside) and not inside.keys().isdisjoint({"integrationId", "created"})
    if {"trigger", "sessionId"} <= names:
        return "event"
    if "returnedCartItems" in names:
        return "return"
    if "customerSession" not in names and not names.isdisjoint({"integrationId", "created", "updated"}):
        return "session"
    if "responseContent" not in names and (whole or not names.isdisjoint({*_LISTS_OF_ANSWERS, "previousReturns"})):
        return "answer"
    if "return" in names:
        return "return"
    known = {"customerSession", *_members_of(SessionUpdate), *_members_of(CustomerSession)}
    if not names or not names.isdisjoint(known):
        return "update"
    return "error" if not names.isdisjoint({"message", "errors", "StatusCode"}) else ""


# --- One function for each kind of document: it yields the problems, and the notes as problems of their own title ----


def _request(wrapper: str, of: type, document: Any, _: type[CustomerSession]) -> Iterator[Problem]:
    yield from _read(document, of)
    yield from _beside(wrapper, document, {wrapper, *_OF_REQUESTS})


def _session(document: Any, kind: type[CustomerSession]) -> Iterator[Problem]:
    yield from _read(document, kind)
    yield from _beside("customerSession", document, _OF_ANSWERS)


def _event(document: Any, kind: type[CustomerSession]) -> Iterator[Problem]:
    # The plain session has no fields of its own, so that whose event it is does not matter.
    of = None if kind is CustomerSession else kind
    yield from _read(document, SessionEvent, session_class=of)


def _answer(document: Any, kind: type[CustomerSession]) -> Iterator[Problem]:
    if not is_object(document):
        yield Problem("", f"{kind_of(document)} is not an object")
        return
    if document and document.keys().isdisjoint(_OF_ANSWERS):
        yield Problem("", "no member of it is one of an answer")
    held = {name: value for name, value in document.items() if value is not None}
    if "customerSession" in held:
        yield from _under("/customerSession", _read(held["customerSession"], kind))
    else:
        yield Problem(
            "", 'it holds no session; a request asks for it by "responseContent": ["customerSession"]', _REMARK
        )
    if "return" in held:
        yield from _under("/return", _read(held["return"], ReturnRequest, also=_OF_RETURNS))
    for place, each in _elements(held.get("previousReturns", [])):
        yield from _under(f"/previousReturns{place}", _read(each, ReturnRequest, also=_OF_RETURNS))
    event = held.get("event")
    if is_object(event) and {"trigger", "sessionId"} <= event.keys():  # one of ours; those of the API are not read
        yield from _under("/event", _event(event, kind))
    for name in (*_LISTS_OF_ANSWERS, "previousReturns"):
        if name in held and not is_list(held[name]):
            yield Problem(f"/{name}", f"{kind_of(held[name])} is not a list")
    yield from _unknown(document, _OF_ANSWERS)


def _error(document: Any, _: type[CustomerSession]) -> Iterator[Problem]:
    if not is_object(document):
        yield Problem("", f"{kind_of(document)} is not an object")
        return
    yield from _members(document, {"message": "a string"}, needed=["message"])
    entries = document.get("errors")
    if entries is not None and not is_list(entries):
        yield Problem("/errors", f"{kind_of(entries)} is not a list")
    for place, entry in _elements(entries):
        needed = {"title": "a string", "details": "a string", "source": "an object"}
        if is_object(entry):
            yield from _under(f"/errors{place}", _members(entry, needed, needed=["source"]))
            yield from _under(f"/errors{place}", _unknown(entry, needed))
        else:
            yield Problem(f"/errors{place}", f"{kind_of(entry)} is not an object")
    yield from _members(document, {"StatusCode": "an integer"})
    yield from _unknown(document, {"message", "errors", "StatusCode"})


_JUDGES: Mapping[str, Callable[[Any, type[CustomerSession]], Iterable[Problem]]] = {
    "session": _session,
    "update": lambda document, kind: _request("customerSession", SessionUpdate, document, kind),
    "return": lambda document, kind: _request("return", ReturnRequest, document, kind),
    "event": _event,
    "answer": _answer,
    "error": _error,
}


# --- What they share -------------------------------------------------------------------------------------------------


def _read(
    document: Any,
    of: type,
    *,
    also: Iterable[str] = (),
    session_class: type[CustomerSession] | None = None,
) -> Iterator[Problem]:
    """Read *document* and yield what is wrong with it, and its members that nobody knows, but for those in *also*."""
    problems = _problems(document, of, strict=False, session_class=session_class)
    yield from problems
    strictly = _problems(document, of, strict=True, session_class=session_class)
    for problem in [one for one in strictly if one.text == _UNKNOWN and one not in problems][:_MOST_UNKNOWN]:
        holder, _, token = problem.pointer.rpartition("/")
        name = token.replace("~1", "/").replace("~0", "~")
        if not holder and name in also:
            continue
        known = _members_of(_holder(holder, of)).union(() if holder else also)
        yield Problem(problem.pointer, _UNKNOWN + _meant(name, known), _UNKNOWN)


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
        yield Problem(pointer_token(name), _UNKNOWN + _meant(name, known), _UNKNOWN)


def _beside(wrapper: str, document: Any, known: Iterable[str]) -> Iterator[Problem]:
    """Yield the members beside a wrapper that are not *known*. Pointers begin within the wrapper, so they have none."""
    if is_object(document) and wrapper in document:
        for problem in _unknown(document, known):
            yield Problem("", f"beside {wrapper}, {problem.pointer[1:]} {problem.text}", _UNKNOWN)


def _meant(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence: which member was meant by *name*, where one resembles it."""
    by_lower = {one.lower(): one for one in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=_ALIKE)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


def _holder(pointer: str, of: type) -> type:
    """Return the class of the object at *pointer* in a document that is read as *of*."""
    for name in reversed(re.findall(r"/([^/]+)", pointer)):
        if name in _BELOW:
            return _BELOW[name]
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
    """Yield what is wrong with the members of *document* whose types are given."""
    for name, what in types.items():
        value = document.get(name)
        if value is None:
            if name in needed:
                yield Problem(f"/{name}", "is missing")
        elif not _IS[what](value):
            yield Problem(f"/{name}", f"{kind_of(value)} is not {what}")


def _elements(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the elements of a list, each with its place; none where there is no list."""
    if is_list(value):
        yield from ((f"/{place}", element) for place, element in enumerate(value))


def _under(prefix: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    return (problem.under(prefix) for problem in problems)
