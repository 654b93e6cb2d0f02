"""``session-fsm store``: set up a store, look into it, and run what operators run over it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from session_fsm import wire
from session_fsm.cli.json_lines import json_line
from session_fsm.cli.progress import ProgressBar
from session_fsm.cli.stored import application_option, json_option, object_option, store_command
from session_fsm.cli.terminal import Cell, Screen, write_error
from session_fsm.converters import timestamp
from session_fsm.diagrams import Format, formats, render
from session_fsm.errors import counted
from session_fsm.session import CustomerSession
from session_fsm.states import State

if TYPE_CHECKING:
    from session_fsm.store import Message, SessionStore, StoredEvent

__all__ = ["command"]

_STATES = [state.value for state in State]
_FAILED = 1


@click.group(
    "store",
    short_help="Create, inspect and maintain a store of sessions.",
    epilog="""\b
Examples:
  session-fsm store init sqlite:///orders.db
  session-fsm store find sqlite:///orders.db --state closed
  session-fsm store show sqlite:///orders.db order-1042 --board
  session-fsm store verify postgresql://shop@db/orders --class shop.sessions:ShopSession""",
)
def command() -> None:
    """Create, inspect and maintain a store of sessions.

    URL is the URL of the database, such as sqlite:///orders.db or postgresql://shop@db/orders; by default it is the
    value of the environment variable SESSION_FSM_STORE. --class is the class of the sessions, such as
    shop.sessions:ShopSession.

    Exit status: 0 on success, 1 if a command found a problem, 2 if the store cannot be used.
    """


@command.command()
@store_command()
def init(*, store: SessionStore[CustomerSession]) -> None:
    """Create the tables if they do not exist."""
    before = store.schema_version()
    store.create_schema()
    _say(f"The tables {'exist already' if before else 'were created'}, version {store.schema_version()}.")


@command.command()
@store_command()
def upgrade(*, store: SessionStore[CustomerSession]) -> None:
    """Upgrade the tables to the version of this library."""
    before = store.schema_version()
    if before is None:
        raise click.ClickException("the store has no tables; session-fsm store init creates them")
    store.create_schema()
    now = store.schema_version()
    _say(f"The tables have version {now}{' already' if now == before else f'; it was {before}'}.")


@command.command(
    epilog="""\b
Examples:
  session-fsm store show sqlite:///orders.db order-1042 --board
  session-fsm store show sqlite:///orders.db order-1042 --diagram svg > order.svg"""
)
@store_command(session=True)
@application_option()
@click.option("--board", is_flag=True, help="Show which triggers are allowed, and why the others are refused.")
@click.option(
    "--diagram",
    "diagram",
    metavar="FORMAT",
    help=f"Write the diagram of the session in this format: {', '.join(formats())}.",
)
@json_option("the session as Talon.One's JSON, and with --board the board beside it")
def show(
    *,
    store: SessionStore[CustomerSession],
    session_id: str,
    application_id: int | None,
    board: bool,
    diagram: str | None,
    as_json: bool,
) -> None:
    """Show the session with this ID."""
    session = store.get(session_id, application_id=application_id)
    if diagram is not None:
        if diagram not in formats():
            raise click.BadParameter(f"there is no format '{diagram}'; there are {', '.join(formats())}")
        events = [stored.event for stored in store.history(session_id, application_id=application_id)]
        sys.stdout.write(render(store.kind, Format(diagram), session=session, events=events))
    elif as_json:
        document: dict[str, Any] = wire.unstructure(session)
        sys.stdout.write(
            json_line({"session": document, "board": wire.unstructure(session.board())} if board else document)
        )
    else:
        _show(Screen(), session, board=board)


def _show(screen: Screen, session: CustomerSession, *, board: bool) -> None:
    screen.write(Cell(f"session {session.integration_id}", "title"))
    facts = [
        ("state", session.state.value),
        ("version", str(session.update_count)),
        ("application", "" if session.application_id is None else str(session.application_id)),
        ("profile", session.profile_id or "(anonymous)"),
        ("total", f"{session.total:f}"),
        ("created", timestamp(session.created)),
        ("updated", timestamp(session.updated)),
        ("coupons", ", ".join(session.coupon_codes)),
    ]
    screen.table([(Cell(name, "quiet"), text) for name, text in facts if text], indent=2)
    if session.cart_items:
        screen.gap()
        screen.write(Cell(counted(len(session.cart_items), "item"), "title"))
        rows = [
            (
                str(item.position),
                item.sku,
                str(item.quantity),
                "" if item.price is None else f"{item.price:f}",
                f"{item.returned_quantity} returned" if item.returned_quantity else "",
            )
            for item in session.cart_items
        ]
        screen.table(rows, indent=2)
    if board:
        screen.gap()
        screen.write(Cell("board", "title"))
        rows_of_board = [
            (
                Cell(trigger.value, "done" if decision else "refused"),
                f"-> {decision.target}" if decision else "refused",
                "; ".join(map(str, decision.violations)),
            )
            for trigger, decision in session.board().items()
        ]
        screen.table(rows_of_board, indent=2)


@command.command()
@store_command(session=True)
@application_option()
@json_option("one JSON object per line, each with the event")
def history(
    *, store: SessionStore[CustomerSession], session_id: str, application_id: int | None, as_json: bool
) -> None:
    """List the events of the session with this ID, the oldest first."""
    events = store.history(session_id, application_id=application_id)
    if as_json:
        for stored in events:
            line = {"sequence": stored.sequence, "position": stored.position, "event": wire.unstructure(stored.event)}
            sys.stdout.write(json_line(line))
        return
    screen = Screen()
    screen.write(Cell(f"session {session_id}: {counted(len(events), 'event')}", "title"))
    screen.table(map(_event_row, events), indent=2)


def _event_row(stored: StoredEvent) -> tuple[str | Cell, ...]:
    event = stored.event
    source = "(new)" if event.source is None else event.source.value
    about = wire.unstructure(event)
    change: Any = about.get("change") or ()
    names = ", ".join(change)
    way = f"{source} -> {event.target.value}"
    return str(stored.sequence), timestamp(event.at), Cell(event.trigger.value, "done"), way, names


@command.command()
@store_command()
@click.option("--state", type=click.Choice(_STATES), help="Only sessions in this state.")
@click.option("--profile", "profile_id", help="Only sessions of this profile; an empty text means anonymous sessions.")
@application_option()
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="The greatest number of sessions to list.",
)
@click.option("--after", metavar="CURSOR", help="Continue after the end of an earlier list.")
@json_option("the sessions as Talon.One's JSON, one per line")
def find(
    *,
    store: SessionStore[CustomerSession],
    state: str | None,
    profile_id: str | None,
    application_id: int | None,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """List sessions, the least recently updated first."""
    wanted = None if state is None else State(state)
    page = store.find(state=wanted, profile_id=profile_id, application_id=application_id, limit=limit, after=after)
    if as_json:
        for session in page:
            sys.stdout.write(json_line(wire.unstructure(session)))
    else:
        rows = [
            (one.integration_id, one.state.value, one.profile_id, f"{one.total:f}", timestamp(one.updated))
            for one in page
        ]
        screen = Screen()
        screen.table(
            [tuple(Cell(name, "quiet") for name in ("session", "state", "profile", "total", "updated")), *rows]
        )
    if page.cursor:
        write_error(f"there are more; continue with --after {page.cursor}")


@command.command()
@store_command()
@json_option("one JSON object per line for each problem, and the summary as the last")
def verify(*, store: SessionStore[CustomerSession], as_json: bool) -> int:
    """Compare each session with its events.

    The session is rebuilt from its events; it is listed if its stored document differs.
    """
    return _checked(store.verify(), store.count(), "session", "verified", as_json=as_json)


@command.command(
    epilog="""\b
Example:
  session-fsm store migrate sqlite:///orders.db --class shop:ShopSession --migrations shop:MIGRATIONS"""
)
@store_command(migrations=True)
@object_option("--migrations", "migrations", "What SessionStore takes as migrate=: a function for each class version.")
@json_option("one JSON object per line for each document that cannot be read, and the summary as the last")
def migrate(*, store: SessionStore[CustomerSession], as_json: bool) -> int:
    """Rewrite outdated documents.

    These are written by another version of the class or of the library. The command can be interrupted and started again. Documents that cannot be read are listed and not changed.
    """
    return _checked(store.migrate(), store.count_outdated(), "document", "rewritten", as_json=as_json)


def _checked(results: Iterable[Any], total: int, noun: str, done: str, *, as_json: bool) -> int:
    """Write the problems among *results*, and a summary; return the exit status."""
    seen, problems = 0, 0
    with ProgressBar(total) as bar:
        for result in results:
            seen += 1
            if result.problem:
                problems += 1
                about = {"sessionId": result.session_id, "applicationId": result.application_id}
                _say(json_line(about | {"problem": result.problem})[:-1] if as_json else _problem(result))
            bar.show(result.session_id[:40], done=1)
    if as_json:
        _say(json_line({"summary": {done: seen - problems, "problems": problems}})[:-1])
    else:
        _say(f"{counted(seen - problems, noun)} {done}, {counted(problems, 'problem')}.")
    return _FAILED if problems else 0


def _problem(result: Any) -> str:
    application = "" if result.application_id is None else f" of application {result.application_id}"
    name = f"session {result.session_id!r}{application}"
    return result.problem if result.problem.startswith("session ") else f"{name}: {result.problem}"


@command.command(
    epilog="""\b
Examples:
  session-fsm store relay sqlite:///orders.db --every 1 | publish-to-the-broker
  session-fsm store relay sqlite:///orders.db --publish shop.broker:publish"""
)
@store_command()
@object_option(
    "--publish",
    "publish",
    "A function that publishes one message; by default, messages are written to standard output.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.01),
    metavar="SECONDS",
    help="Keep running, and look for messages at this interval.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Number of attempts before a message counts as failed.",
)
@click.option(
    "--batch", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Number of messages read at once."
)
def relay(*, store: SessionStore[CustomerSession], publish: Any, every: float | None, attempts: int, batch: int) -> int:
    """Publish the messages of the outbox.

    Each is published at least once, and those of a session in order. Without --publish, messages are written to standard output, as CloudEvents in JSON, one per line.
    """
    done = store.relay(publish or _write, every=every, attempts=attempts, batch=batch)
    if done.failed or done.postponed:
        write_error(f"{counted(done.postponed, 'attempt')} failed, {counted(done.failed, 'message')} set aside")
    return _FAILED if done.failed or done.postponed else 0


def _write(message: Message) -> None:
    sys.stdout.write(message.to_json() + "\n")
    sys.stdout.flush()


@command.command()
@store_command()
@click.option(
    "--failed-days", type=click.FloatRange(0), help="Delete messages that failed for good more than this many days ago."
)
@click.option(
    "--session-days",
    type=click.FloatRange(0),
    help="Delete sessions that were last updated more than this many days ago.",
)
@click.option(
    "--state",
    "states",
    type=click.Choice(_STATES),
    multiple=True,
    help="The state of the sessions to delete. May be repeated.",
)
@json_option("the numbers as one JSON object")
def prune(
    *,
    store: SessionStore[CustomerSession],
    failed_days: float | None,
    session_days: float | None,
    states: tuple[str, ...],
    as_json: bool,
) -> None:
    """Delete old answers, messages and sessions.

    Expired answers of idempotency keys are always deleted, messages and sessions if the options select them. A session is deleted with its events if it is in a --state and has no unpublished message.
    """
    if (session_days is None) != (not states):
        raise click.UsageError("--session-days and --state go together", click.get_current_context())
    now = datetime.now(UTC)
    done = store.prune(
        failed_before=None if failed_days is None else now - timedelta(days=failed_days),
        sessions_before=None if session_days is None else now - timedelta(days=session_days),
        states=[State(state) for state in states],
    )
    if as_json:
        numbers = {"requests": done.requests, "failedMessages": done.failed_messages, "sessions": done.sessions}
        sys.stdout.write(json_line(numbers))
        return
    sessions, messages = counted(done.sessions, "session"), counted(done.failed_messages, "failed message")
    _say(f"Deleted: {counted(done.requests, 'expired answer')}, {messages}, {sessions}.")


def _say(text: str) -> None:
    Screen().write(text)
