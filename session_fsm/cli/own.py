"""The option ``--own`` of the commands: values for the fields that a session class adds, for creating sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from session_fsm.errors import WireError
from session_fsm.validators import is_object
from session_fsm.wire.text import parse

__all__ = ["own_option"]

F = TypeVar("F", bound=Callable[..., Any])
_EXAMPLE = 'write it as {"tenant": "acme"}'


def own_option() -> Callable[[F], F]:
    """Return the option ``--own``. The command receives a dictionary."""
    return click.option(
        "--own",
        metavar="JSON",
        callback=_fields,
        help="Values, as JSON, of the fields that the class adds; needed if these are required, such as "
        '\'{"tenant": "acme"}\'.',
    )


def _fields(_ctx: click.Context, _option: click.Parameter, given: str | None) -> dict[str, Any]:
    try:
        own = parse(given or "{}")
    except WireError as error:
        raise click.BadParameter(f"{error}; {_EXAMPLE}") from None
    if not is_object(own):
        raise click.BadParameter(f"'{given}' is not a JSON object; {_EXAMPLE}")
    return dict(own)
