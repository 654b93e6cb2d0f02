"""Import the optional packages of the backtest, or say which extra installs them.

They are typed as `Any`, because PyArrow has no types.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["needed"]


def needed(name: str, extra: str = "backtest") -> Any:
    """Import and return the module *name*.

    Raises:
        ModuleNotFoundError: the package is not installed; the message names the *extra* that installs it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).partition(".")[0]
        if missing != name.partition(".")[0]:
            raise
        message = f'session_fsm.backtest needs {missing}; run: pip install "session-fsm[{extra}]"'
        raise ModuleNotFoundError(message, name=missing) from None
