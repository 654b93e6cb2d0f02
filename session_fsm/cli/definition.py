"""The option ``--class`` of the commands: the session class that a command uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from session_fsm.class_loader import class_at
from session_fsm.errors import InvalidValue

__all__ = ["class_option"]

F = TypeVar("F", bound=Callable[..., Any])
_PLAIN = "session_fsm:CustomerSession"


def class_option(default: str = _PLAIN, *, multiple: bool = False) -> Callable[[F], F]:
    """Return the option ``--class``. The command receives the imported class as ``kind``, or with *multiple* ``kinds``."""
    return click.option(
        "--class",
        "kinds" if multiple else "kind",
        callback=_imported,
        default=[default] if multiple else default,
        multiple=multiple,
        show_default=True,
        metavar="MODULE:CLASS",
        help="The session class to use, such as shop.sessions:ShopSession. Modules in the current directory are found "
        "too.",
    )


def _imported(_ctx: click.Context, _option: click.Parameter, given: str | tuple[str, ...]) -> Any:
    """Import the class or classes that *given* names as ``package.module:ShopSession``."""
    try:
        return tuple(map(class_at, given)) if isinstance(given, tuple) else class_at(given)
    except InvalidValue as error:
        raise click.BadParameter(error.problem) from None
