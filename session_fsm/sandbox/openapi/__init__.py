"""The OpenAPI description of what a sandbox serves: the API's operations, and the control API.

It is written from the facts in ``docs/domain.md``, and describes what the sandbox answers, not everything that
Talon.One does. ``/sandbox/openapi.json`` serves it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from session_fsm.sandbox.openapi.paths import TAGS, api_paths, control_paths
from session_fsm.sandbox.openapi.schemas import schemas

__all__ = ["description"]


@cache
def description() -> dict[str, Any]:
    """Return the description."""
    key = {"type": "apiKey", "in": "header", "name": "Authorization", "description": "ApiKey-v1 and any key"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "session-fsm sandbox",
            "version": "1",
            "description": "A local server of Talon.One's customer-session operations, for tests. Not made by Talon.One.",
        },
        "tags": [{"name": name} for name in TAGS],
        "paths": {**api_paths(), **control_paths()},
        "components": {"schemas": schemas(), "securitySchemes": {"apiKey": key}},
    }
