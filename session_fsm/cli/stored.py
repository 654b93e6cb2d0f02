"""What the commands of ``session-fsm store`` share: the database that they open, and names of Python objects."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from session_fsm.cli.definition import class_option
from session_fsm.session import CustomerSession

if TYPE_CHECKING:
    from session_fsm.store import SessionStore

__all__ = ["application_option", "json_option", "object_option", "store_command"]

F = TypeVar("F", bound=Callable[..., Any])
_VARIABLE = "SESSION_FSM_STORE"


def store_command(*, session: bool = False, migrations: bool = False) -> Callable[[F], F]:
    """Return a decorator that gives a command its store, as ``store``, and with *session* an ID, as ``session_id``.

    The URL is the first argument, or else that of the variable SESSION_FSM_STORE.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def call(
            *, words: tuple[str, ...], kind: type[CustomerSession], prefix: str, schema: str | None, **given: Any
        ) -> Any:
            url, rest = _url(list(words), 1 if session else 0)
            options = {"migrate": given.pop("migrations")} if migrations else {}
            with _opened(url, kind, prefix=prefix, schema=schema, **options) as store:
                return function(store=store, **given, **({"session_id": rest[0]} if session else {}))

        decorated: Any = call
        for option in (
            click.option("--schema", help="The schema (namespace) of the tables in the database."),
            click.option("--prefix", default="", help="A prefix of the names of the tables."),
            class_option(),
            click.argument("words", metavar="[URL] ID" if session else "[URL]", nargs=-1),
        ):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]  # what click makes of it

    return decorate


def _url(words: list[str], others: int) -> tuple[str, list[str]]:
    """Return the URL, and the *others* that follow it."""
    if len(words) == others and (url := os.environ.get(_VARIABLE)):
        return url, words
    if len(words) != others + 1:
        wanted = "a URL and an ID" if others else "a URL"
        raise click.UsageError(f"give {wanted}, or set {_VARIABLE} to the URL", click.get_current_context())
    return words[0], words[1:]


def _opened(url: str, kind: type[CustomerSession], **options: Any) -> SessionStore[CustomerSession]:
    try:
        from session_fsm.store import SessionStore  # noqa: PLC0415 - an extra of its own
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from None
    return SessionStore(url, kind, **options)


def application_option() -> Callable[[F], F]:
    """Return the option ``--application``. The command receives ``application_id``."""
    return click.option("--application", "application_id", type=int, metavar="ID", help="The ID of the Application.")


def json_option(what: str) -> Callable[[F], F]:
    """Return the option ``--json``. The command receives ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help=f"Write {what}.")


def object_option(name: str, parameter: str, text: str) -> Callable[[F], F]:
    """Return an option that names a Python object. The command receives the object, or None."""
    return click.option(name, parameter, callback=_imported, metavar="MODULE:NAME", help=text)


def _imported(_ctx: click.Context, _option: click.Parameter, given: str | None) -> Any:
    if given is None:
        return None
    module, _, name = given.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return attrgetter(name)(import_module(module))
    except Exception as error:  # noqa: BLE001 - the module of the user may raise anything
        raise click.BadParameter(f"'{given}' cannot be imported: {type(error).__name__}: {error}") from None
