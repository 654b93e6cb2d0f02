"""What a request to the control API holds: the parameters of its query, and its body."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from session_fsm.errors import Problem, WireError, pointer_token
from session_fsm.sandbox.errors import Refused
from session_fsm.validators import is_object, kind_of
from session_fsm.wire.text import MOST_BYTES, parse

__all__ = ["body_of", "is_number", "number_of", "parameters_of", "session_id_of"]


def parameters_of(request: Request) -> dict[str, str]:
    """Return the parameters of the query; a plus sign is one, not a space."""
    query = request.scope.get("query_string", b"").decode("latin-1")
    return dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True, errors="replace"))


def session_id_of(request: Request) -> str:
    """Return the ID of the session in the query.

    Raises:
        Refused: there is none.
    """
    found = parameters_of(request).get("id")
    if found is None:
        raise Refused(400, "The query needs the ID of a session: id=order-1042")
    return found


def number_of(request: Request, name: str, default: int, most: int) -> int:
    """Return a number in the query.

    Raises:
        Refused: it is none, or is greater than *most*.
    """
    given = parameters_of(request).get(name, str(default))
    if not (given.isascii() and given.isdigit() and len(given) <= len(str(most)) and int(given) <= most):
        raise Refused(400, f"{name} is a number up to {most:,}")
    return int(given)


async def body_of(request: Request, *known: str) -> Mapping[str, Any]:
    """Read the body of a request, which is an object.

    Raises:
        Refused: it is too large, or of another type.
        WireError: it is no object, or has other members than those that are known.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "The body is JSON: send Content-Type: application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Refused(413, "The body of the request is too large", headers={"connection": "close"})
    document: Any = parse(body)
    if not is_object(document):
        raise WireError([Problem("", f"{kind_of(document)} is not an object")])
    unknown = [name for name in document if known and name not in known]
    if unknown:
        raise WireError(Problem(pointer_token(name), f"is not known; {', '.join(known)} are") for name in unknown)
    return document


def is_number(value: object) -> bool:
    """Whether a value of JSON is a number."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
