"""How requests are read: the ID in the path, the query, and the members of the body (W-02, W-03, W-08, W-11, W-24)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from session_fsm.converters import is_timestamp, to_time
from session_fsm.errors import Problem, WireError, pointer_token
from session_fsm.sandbox.errors import Refused
from session_fsm.sandbox.faults import OperationName
from session_fsm.sandbox.settings import ApiRequest
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.wire.text import parse

__all__ = ["LONGEST_KEY", "RESPONSE_CONTENT", "member_of", "read_request", "segments_of", "text_of"]

LONGEST_KEY = 255
"""The greatest number of characters of an idempotency key (W-22)."""

_OF_RETURN = ("customerSession", "customerProfile", "coupons", "triggeredCampaigns", "referral", "loyalty", "event")
RESPONSE_CONTENT: Mapping[str, Sequence[str]] = {
    "update": (
        *_OF_RETURN,
        *("awardedGiveaways", "ruleFailureReasons", "previousReturns", "campaignEligibility", "achievements"),
    ),
    "return": (*_OF_RETURN, "previousReturns"),
    "profile": ("customerProfile", "triggeredCampaigns", "loyalty", "event", "awardedGiveaways", "ruleFailureReasons"),
}
"""What ``responseContent`` may name, by the operation (W-11)."""
_NOT_WITH_ELIGIBILITY = ("triggeredCampaigns", "ruleFailureReasons")
_BOOLEANS: Mapping[str, Sequence[str]] = {
    "update": ("dry",),
    "return": ("dry", "runRuleEngine"),
    "profile": ("dry", "runRuleEngine"),
}
_OFFSET_WITHOUT_COLON = re.compile(r"([+-][0-9]{2})([0-9]{2})$")
_INVALID = "The submitted data was invalid"


def text_of(segment: bytes) -> str:
    """Return a segment of a path percent-decoded; a plus stays a plus (W-24).

    Raises:
        Refused: it is not UTF-8.
    """
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise Refused(400, _INVALID, title="Invalid value", details="the path is not UTF-8") from None


def segments_of(raw_path: bytes) -> list[bytes]:
    """Return the segments of a path, split before they are percent-decoded (W-24)."""
    return raw_path.split(b"/")[1:]


def read_request(operation: OperationName, session_id: str, query: bytes, body: bytes, time: datetime) -> ApiRequest:
    """Read a request; *time* is that of the clock.

    Raises:
        Refused: the query is wrong.
        WireError: the body is.
    """
    parameters = _parameters(query)
    flags = {name: _flag(parameters, name) for name in _BOOLEANS.get(operation, ())}
    dry = flags.get("dry", False)
    now = _now(parameters, time, dry=dry) if operation == "update" else None
    if operation not in RESPONSE_CONTENT:
        return ApiRequest(operation=operation, session_id=session_id, time=time)
    document = parse(body)
    if not is_object(document):
        raise WireError([Problem("", f"{kind_of(document)} is not an object")])
    return ApiRequest(
        operation=operation,
        session_id=session_id,
        time=time,
        body=document,
        dry=dry,
        now=now,
        response_content=_content(document.get("responseContent"), operation, dry=dry),
    )


def _parameters(query: bytes) -> dict[str, str]:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace")
    return dict(pairs)


def _flag(parameters: Mapping[str, str], name: str) -> bool:
    given = parameters.get(name, "false")
    if given not in ("true", "false"):
        raise _wrong_parameter(name, "is neither true nor false")
    return given == "true"


def _now(parameters: Mapping[str, str], time: datetime, *, dry: bool) -> datetime | None:
    """Return the time that a dry run is to be judged at (W-08)."""
    given = parameters.get("now")
    if given is None:
        return None
    text = _OFFSET_WITHOUT_COLON.sub(r"\1:\2", given.replace(" ", "+"))  # a plus that was not percent-encoded
    now = to_time(text) if is_timestamp(text) else None
    if now is None:
        raise _wrong_parameter("now", "is not a time with its time zone, such as 2026-09-14T09:12:00Z")
    if not dry:
        raise _wrong_parameter("now", "is only allowed with dry=true")
    if now <= time:
        raise _wrong_parameter("now", "is not in the future")
    return now


def _wrong_parameter(name: str, problem: str) -> Refused:
    details, source = f"{name} {problem}", {"parameter": name}
    return Refused(400, _INVALID, title="Invalid value", details=details, source=source)


def _content(given: Any, operation: str, *, dry: bool) -> tuple[str, ...]:
    """Return what the answer is to hold (W-11)."""
    if given is None:
        return ()
    if not is_list(given):
        raise WireError([Problem("/responseContent", f"{kind_of(given)} is not a list")])
    allowed = RESPONSE_CONTENT[operation]
    named = ", ".join(f'"{name}"' for name in allowed)
    problems = [
        Problem(f"/responseContent/{place}", f"responseContent must be one of the following: {named}", "enum")
        for place, name in enumerate(given)
        if not (isinstance(name, str) and name in allowed)
    ]
    if not problems and "campaignEligibility" in given:
        if not dry:
            problems.append(Problem("/responseContent", "campaignEligibility is only allowed with dry=true"))
        if any(name in given for name in _NOT_WITH_ELIGIBILITY):
            others = " or ".join(_NOT_WITH_ELIGIBILITY)
            problems.append(Problem("/responseContent", f"campaignEligibility is not allowed with {others}"))
    if problems:
        raise WireError(problems)
    return tuple(given)


def member_of(body: Mapping[str, Any], name: str) -> Any:
    """Return a member that the body needs.

    Raises:
        WireError: it is missing.
    """
    if body.get(name) is None:
        raise WireError([Problem(pointer_token(name), "is missing")])
    return body[name]
