"""A sandbox: a local server of Talon.One's four customer-session operations, for tests of order services.

The official clients talk to it unchanged. `Sandbox` listens on a free port in a thread, `create_app` is an ASGI
application for clients in the same process, and ``session-fsm sandbox`` is the command. It is the extra ``sandbox``.
"""

from __future__ import annotations

from importlib.util import find_spec

if _missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
    raise ModuleNotFoundError(
        f'session_fsm.sandbox needs {_missing[0]}; run: pip install "session-fsm[sandbox]"', name=_missing[0]
    )

from session_fsm.sandbox.app import SandboxApp, create_app
from session_fsm.sandbox.clock import SandboxClock
from session_fsm.sandbox.connection import ConnectionDropped
from session_fsm.sandbox.faults import Fault, FaultState
from session_fsm.sandbox.journal import Exchange
from session_fsm.sandbox.server import Sandbox
from session_fsm.sandbox.settings import ApiRequest, Effects
from session_fsm.sandbox.world import Hold, SessionUnknown

__all__ = [
    "ApiRequest",
    "ConnectionDropped",
    "Effects",
    "Exchange",
    "Fault",
    "FaultState",
    "Hold",
    "Sandbox",
    "SandboxApp",
    "SandboxClock",
    "SessionUnknown",
    "create_app",
]
