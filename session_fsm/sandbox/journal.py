"""`Journal`: the requests and answers of a sandbox, as they were sent; and the recording that is made of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from session_fsm.converters import timestamp
from session_fsm.wire.encoding import encode_value
from session_fsm.wire.text import parse

__all__ = ["Exchange", "Journal"]

MOST_EXCHANGES = 10_000
"""How many requests are kept."""
MOST_BYTES = 64 * 1024 * 1024
"""How many bytes of bodies and answers are kept; the newest request is kept in any case."""
_LONGEST_ID = 1000
_RECORDED = ("update", "return", "reopen")


@frozen(kw_only=True, repr=False)
class Exchange:
    """A request to one of the API's operations, or to an unknown path, and its answer."""

    number: int
    """Counts the requests, from 1."""
    at: datetime
    """When the request was performed or refused, by the clock of the sandbox."""
    method: str
    """The method, such as ``PUT``."""
    target: str
    """The path with its query, as sent."""
    headers: Mapping[str, str] = field(factory=dict[str, str])
    """The headers of the request; their names are in lower case."""
    body: bytes = b""
    """The body of the request."""
    operation: str | None = None
    """The operation: update, get, return, reopen or profile; None if the path is that of none."""
    session_id: str | None = None
    """The ID of the session, or of the profile; None if the path has none."""
    dry: bool = False
    """Whether it was a dry run."""
    now: datetime | None = None
    """The time that the request asked to be used."""
    performed: bool = False
    """Whether the session judged the request; it may have refused it."""
    repeated: bool = False
    """Whether the answer is that of an earlier request with the same idempotency key."""
    fault: Mapping[str, Any] | None = None
    """The fault that happened to the request, or None."""
    status: int | None = None
    """The status of the answer; None if the connection was dropped."""
    answer: bytes = b""
    """The body of the answer."""
    answer_headers: Mapping[str, str] = field(factory=dict[str, str])
    """The headers of the answer."""
    milliseconds: float = 0.0
    """How long it took, by the wall's clock."""

    @property
    def path(self) -> str:
        """The path without its query, as sent."""
        return self.target.partition("?")[0]

    def json(self) -> Any:
        """Return the body of the request, parsed. Numbers with a fraction are exact decimals.

        Raises:
            WireError: it is no JSON.
        """
        return parse(self.body)

    def answer_json(self) -> Any:
        """Return the body of the answer, parsed. Numbers with a fraction are exact decimals.

        Raises:
            WireError: it is no JSON.
        """
        return parse(self.answer)

    def __repr__(self) -> str:
        return f"<{self.method} {self.target}: {'dropped' if self.status is None else self.status}>"

    @property
    def size(self) -> int:
        """How many bytes its body and its answer have."""
        return len(self.body) + len(self.answer)


class Journal:
    """The newest requests, each with its answer."""

    def __init__(
        self,
        changed: Callable[[], object],
        most: int = MOST_EXCHANGES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._changed = changed
        self._most, self._most_bytes = most, most_bytes
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0
        self._number = 0

    def next_number(self) -> int:
        """Return the number of a new request."""
        self._number += 1
        return self._number

    def add(self, exchange: Exchange) -> None:
        """Keep a request with its answer, and drop the oldest ones if there are too many."""
        self._exchanges.append(exchange)
        self._bytes += exchange.size
        while len(self._exchanges) > self._most or (self._bytes > self._most_bytes and len(self._exchanges) > 1):
            self._bytes -= self._exchanges.popleft().size
        self._changed()

    def all(self) -> list[Exchange]:
        """Return the requests that are kept, in the order in which they were answered."""
        return list(self._exchanges)

    def find(self, number: int) -> Exchange | None:
        """Return the request with a number, or None if it is not kept."""
        return next((one for one in self.all() if one.number == number), None)

    def clear(self) -> None:
        """Forget all requests. Numbers begin at 1 again."""
        self._exchanges.clear()
        self._bytes = self._number = 0
        self._changed()

    def recording(self) -> bytes:
        """Return the requests that sessions have judged, as ``session-fsm replay`` reads them (JSON Lines)."""
        return b"".join(map(_line, _recorded(self.all())))


def _recorded(exchanges: Sequence[Exchange]) -> list[Exchange]:
    return [
        one
        for one in exchanges
        if one.performed and one.operation in _RECORDED and 1 <= len(one.session_id or "") <= _LONGEST_ID
    ]


def _line(exchange: Exchange) -> bytes:
    line: dict[str, Any] = {"operation": exchange.operation, "sessionId": exchange.session_id}
    wrapper = {"update": "customerSession", "return": "return"}.get(exchange.operation or "")
    if wrapper is not None:
        line["body"] = {wrapper: _body(exchange, wrapper)}
    line["time"] = timestamp(exchange.now or exchange.at)
    if exchange.dry:
        line["dry"] = True
    if exchange.status != 200:
        line["note"] = "dropped" if exchange.status is None else f"answered with {exchange.status}"
    return encode_value(line) + b"\n"


def _body(exchange: Exchange, wrapper: str) -> Any:
    """Return what the session was given: the body without what is only about the answer."""
    return exchange.json()[wrapper]  # it was read before the session judged it
