"""`Settings`: what a sandbox is made with, checked; and `ApiRequest`, which a function for effects gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import NOTHING, field, fields, frozen

from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.sandbox.faults import OperationName
from session_fsm.session import CustomerSession
from session_fsm.validators import wire_name

__all__ = ["ApiRequest", "Effects", "Settings"]

C = TypeVar("C", bound=CustomerSession)


@frozen(kw_only=True)
class ApiRequest:
    """A request to one of the operations, as it was read."""

    operation: OperationName
    """The operation: update, get, return, reopen or profile."""
    session_id: str
    """The ID of the session, or of the profile."""
    time: datetime
    """When it is performed, by the clock of the sandbox."""
    body: Any = None
    """The body as JSON, with exact decimals; None if the operation has none."""
    dry: bool = False
    """Whether it is a dry run, which changes nothing."""
    now: datetime | None = None
    """The time that a dry run is to be judged at; None for `time`."""
    response_content: tuple[str, ...] = ()
    """What the answer is to hold beside its fixed members (W-11)."""

    @property
    def judged_at(self) -> datetime:
        """The time of the event that the request leads to."""
        return self.now or self.time


Effects: TypeAlias = Callable[[Any, SessionEvent, ApiRequest], Iterable[Mapping[str, Any]]]
"""Returns the effects of a request: it gets the session after the event, the event, and the request.

Each effect is a mapping; ``effectType`` and ``props`` are needed, the other members of the API's effects have defaults.
In a dry run the session and the event are what they would be.
"""

_SINCE = {"cartItemAdditionalCostTotal": "2026-05", "updateCount": "2026-03", "experimentVariantAllocations": "2026-02"}
"""Members of a session, and the month since which the description has them (W-16)."""
_ONLY_BETWEEN = {"closurePrediction": ("2025-01", "2025-05")}
"""A member, and the first and the last month in which the description had it."""
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


@frozen(kw_only=True)
class Settings(Generic[C]):
    """How a sandbox behaves."""

    kind: type[C]
    """The class of its sessions."""
    own: Mapping[str, Any] = field(factory=dict[str, Any])
    """Values for the fields that the class adds, for sessions that are created."""
    effects: Effects | None = None
    """Returns the effects of a request; None for no effects."""
    keys: Sequence[str] = ()
    """The API keys that it accepts; any if there are none (W-17)."""
    application_id: int = 1
    """The Application of its sessions."""
    unknown_session: int = 404
    """The status for a session that does not exist: 404 or 400 (W-21)."""
    always_session: bool = False
    """Whether the session is in answers that did not ask for it (W-12)."""
    api_version: str | None = None
    """The month of the API's description, such as ``2026-02``, whose members a session in an answer has (W-16)."""
    body_timeout: float = 30.0
    """How many seconds the body of a request may take to arrive."""

    def __attrs_post_init__(self) -> None:
        if not (isinstance(self.kind, type) and issubclass(self.kind, CustomerSession)):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise InvalidValue("/kind", "is not CustomerSession or a subclass of it")
        own_fields = self.kind.machine.own_fields.by_alias
        needed = [name for name, one in own_fields.items() if one.attribute.default is NOTHING]
        if missing := [name for name in needed if name not in self.own]:
            names = " and ".join(map(repr, missing))
            raise InvalidValue(
                "/own", f"has no {names}, which every new {self.kind.__name__} needs; requests have none"
            )
        if isinstance(self.keys, str) or not all(isinstance(key, str) and key for key in self.keys):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise InvalidValue("/keys", "is not a list of API keys")
        if self.unknown_session not in (400, 404):
            raise InvalidValue("/unknown_session", "is neither 400 nor 404")
        if self.api_version is not None and not _MONTH.fullmatch(self.api_version):
            raise InvalidValue("/api_version", "is not a month, such as 2026-02")

    def left_out(self) -> frozenset[str]:
        """Return the members of a session that answers do not have: those of other months, and the class's own.

        Talon.One knows no fields of the class's own, and an unknown member breaks some of its clients (W-16).
        """
        known = {wire_name(attribute.name) for attribute in fields(CustomerSession)}
        own = {wire_name(attribute.name) for attribute in fields(self.kind)} - known
        month = self.api_version
        if month is None:
            return frozenset(own)
        later = {name for name, since in _SINCE.items() if month < since}
        other = {name for name, (first, last) in _ONLY_BETWEEN.items() if not first <= month <= last}
        return frozenset(own | later | other)
