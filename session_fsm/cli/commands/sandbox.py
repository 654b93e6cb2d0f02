"""``session-fsm sandbox``: a local server of Talon.One's four customer-session operations, with a page to watch it."""

from __future__ import annotations

import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.now import now_option
from session_fsm.cli.own import own_option, own_values
from session_fsm.cli.stored import object_option
from session_fsm.cli.terminal import Cell, Screen
from session_fsm.errors import InvalidValue, WireError
from session_fsm.session import CustomerSession
from session_fsm.validators import is_list
from session_fsm.wire.text import parse

if TYPE_CHECKING:
    from session_fsm.sandbox import Fault

__all__ = ["command"]


def _sandbox(module: str = "") -> Any:
    try:
        return import_module(f"session_fsm.sandbox{module}")
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from None


def _faults(_ctx: click.Context, _option: click.Parameter, given: Path | None) -> list[Fault]:
    """Read a file of faults: one, or a list of them."""
    if given is None:
        return []
    try:
        document: Any = parse(given.read_bytes())
        return [_sandbox().Fault.from_json(one) for one in (document if is_list(document) else [document])]
    except (InvalidValue, WireError) as error:
        raise click.BadParameter(f"{given}: {error}") from None


@click.command(
    "sandbox",
    short_help="Run a local server of Talon.One's customer-session operations.",
    epilog="""\b
Examples:
  session-fsm sandbox                                     on http://127.0.0.1:8080, in memory
  session-fsm sandbox --class shop:ShopSession --port 0   your own rules, on a free port
  session-fsm sandbox --store sqlite:///sandbox.db        keep the sessions""",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 selects a free port."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@class_option()
@own_option()
@click.option(
    "--store",
    metavar="URL",
    help="Store the sessions in this database, such as sqlite:///sandbox.db; by default in memory.",
)
@object_option(
    "--effects", "effects", "A function that takes session, event and request and returns a list of effects."
)
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_faults,
    help='A JSON file with one fault or a list of faults that are injected from the start, such as {"status": 503, "times": '
    "2}. POST /sandbox/faults takes the same; /sandbox/openapi.json describes it.",
)
@now_option("The time at which the clock starts, such as 2026-09-14T09:12:00Z; by default the current time.")
@click.option(
    "--standing",
    is_flag=True,
    help="Stop the clock; it advances only by PUT /sandbox/clock, which /sandbox/openapi.json describes.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="Accept only this API key. May be repeated; by default every key is accepted.",
)
@click.option(
    "--application", "application_id", type=int, default=1, show_default=True, help="The ID of the Application."
)
@click.option(
    "--unknown-session",
    type=click.Choice(["404", "400"]),
    default="404",
    show_default=True,
    help="The status of responses about a session that does not exist.",
)
@click.option(
    "--always-session", is_flag=True, help="Include the session in responses even if the request did not ask for it."
)
@click.option(
    "--api-version",
    metavar="MONTH",
    help="Leave out members of sessions that Talon.One added after this month, such as 2026-02.",
)
def command(
    *,
    port: int,
    host: str,
    kind: type[CustomerSession],
    own: dict[str, Any],
    store: str | None,
    faults: list[Fault],
    now: datetime | None,
    standing: bool,
    unknown_session: str,
    **settings: Any,
) -> None:
    """Run a local server of Talon.One's four customer-session operations, to test order services.

    Official clients work with it unchanged. The page at / shows the sessions live. The server has no access control:
    it listens on 127.0.0.1 unless you give another --host. Ctrl-C stops it.
    """
    server = _sandbox(".server")
    app = _sandbox().create_app(
        kind,
        store=store,
        own=own_values(own, kind),
        now=now,
        running=not standing,
        unknown_session=int(unknown_session),
        **settings,
    )
    for fault in faults:
        app.add_fault(fault)
    try:
        listening = server.listening_socket(host, port)
    except OSError as error:
        app.close()
        raise click.ClickException(f"{host}:{port}: {error.strerror}; --port 0 takes a free port") from None
    found = listening.getsockname()[1]
    url = f"http://{f'[{host}]' if ':' in host else host}:{found}"
    server.serve(app, listening, lambda: _announce(url, host, kind, store))


def _announce(url: str, host: str, kind: type[CustomerSession], store: str | None) -> None:
    screen = Screen()
    screen.write(Cell(f"The sandbox listens on {url}", "title"))
    reach = "this machine only" if host in ("127.0.0.1", "::1", "localhost") else f"whoever reaches {host}"
    rows = [
        ("page", f"{url}/"),
        ("control API", f"{url}/sandbox/openapi.json"),
        ("class", f"{kind.__module__}:{kind.__qualname__}"),
        ("sessions", "in memory" if store is None else "in the store"),
        ("open to", reach),
    ]
    screen.table([(Cell(name, "quiet"), text) for name, text in rows], indent=2)
    screen.write(Cell("Ctrl+C ends it.", "quiet"))
    sys.stdout.flush()
