"""What a sandbox refuses before a session is asked, and how answers of errors are written (W-17 to W-22)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from session_fsm.errors import SessionFSMError, TransitionRefused, http_status, shortened, to_error_response

__all__ = ["Refused", "envelope", "status_and_envelope"]

_WITH_STATUS = (401, 409)
"""The statuses whose envelope repeats them (W-18)."""


class Refused(Exception):
    """A request that ends with an error status, without asking a session."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        title: str = "",
        details: str = "",
        source: Mapping[str, str] = MappingProxyType({}),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message
        self.title, self.details, self.source = title, details, source
        self.headers = headers

    def body(self) -> bytes:
        """Return the envelope."""
        document: dict[str, Any] = {"message": shortened(self.message)}
        if self.title:
            entry = {"title": self.title, "details": shortened(self.details), "source": dict(self.source)}
            document["errors"] = [entry]
        return envelope(self.status, document)


def envelope(status: int, document: Mapping[str, Any]) -> bytes:
    """Write an envelope. 401 and 409 repeat the status in it (W-18)."""
    repeated = {"StatusCode": status} if status in _WITH_STATUS else {}
    return json.dumps({**document, **repeated}, separators=(",", ":")).encode()


def status_and_envelope(error: SessionFSMError) -> tuple[int, bytes]:
    """Return the status and the envelope for an error of the library.

    A sandbox is for developers, so it says what failed, such as the store, where a service does not.
    """
    status = http_status(error)
    if status >= 500 and not isinstance(error, TransitionRefused):
        return status, envelope(status, {"message": shortened(str(error)), "errors": []})
    return status, envelope(status, to_error_response(error))
