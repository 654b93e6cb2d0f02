"""The option ``--now`` of the commands: a time in RFC 3339."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from session_fsm.converters import to_time

__all__ = ["now_option"]

F = TypeVar("F", bound=Callable[..., Any])


def now_option(text: str) -> Callable[[F], F]:
    """Return the option ``--now`` with the help *text*. The command receives an aware time, or None."""
    return click.option("--now", metavar="TIME", callback=_time, help=text)


def _time(_ctx: click.Context, _option: click.Parameter, given: str | None) -> datetime | None:
    if given is None:
        return None
    time = to_time(given)
    if time is None:
        raise click.BadParameter(f"'{given}' is not a time with its time zone, such as 2026-09-14T09:12:00Z")
    return time
