"""The options ``--own`` and ``--context`` of the commands: JSON objects for the sessions that a command creates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from session_fsm.errors import WireError
from session_fsm.session import CustomerSession
from session_fsm.validators import is_object
from session_fsm.wire import make_converter
from session_fsm.wire.own_fields import own_reader
from session_fsm.wire.text import parse

__all__ = ["context_option", "own_option", "own_values"]

F = TypeVar("F", bound=Callable[..., Any])
_EXAMPLES = {"own": '{"tenant": "acme"}', "context": '{"reason": "ordered twice"}'}


def own_option() -> Callable[[F], F]:
    """Return the option ``--own``. The command receives a dictionary."""
    return click.option(
        "--own",
        metavar="JSON",
        callback=_object,
        help="Values, as JSON, of the fields that the class adds; needed if these are required, such as "
        f"'{_EXAMPLES['own']}'.",
    )


def own_values(given: dict[str, Any], kind: type[CustomerSession]) -> dict[str, Any]:
    """Return the values of ``--own``, read as the types of the fields of *kind*, such as a time from its text.

    Raises:
        InvalidValue: a value is not of its field's type.
    """
    own_fields, converter = kind.machine.own_fields.by_alias, make_converter()
    return {
        name: own_reader(converter, own_fields[name])(value, None) if name in own_fields else value
        for name, value in given.items()
    }


def context_option() -> Callable[[F], F]:
    """Return the option ``--context``, which may be repeated. The command receives a list of dictionaries."""
    return click.option(
        "--context",
        metavar="JSON",
        multiple=True,
        callback=_objects,
        help="The context of the calls, for rules that read it, such as "
        f"'{_EXAMPLES['context']}'. May be repeated; calls without a context are tried too.",
    )


def _object(_ctx: click.Context, option: click.Parameter, given: str | None) -> dict[str, Any]:
    example = f"write it as {_EXAMPLES[str(option.name)]}"
    try:
        value = parse(given or "{}")
    except WireError as error:
        raise click.BadParameter(f"{error}; {example}") from None
    if not is_object(value):
        raise click.BadParameter(f"'{given}' is not a JSON object; {example}")
    return dict(value)


def _objects(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_object(ctx, option, one) for one in given]
