"""``session-fsm demo``: replay one order from the cart to the cancellation, step by step."""

from __future__ import annotations

from importlib.resources import files

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.summary import Summary
from session_fsm.cli.terminal import Cell, Screen
from session_fsm.events import SessionEvent
from session_fsm.recording import Recording, Result, lines_of, read_request
from session_fsm.rules import coupon_code_required
from session_fsm.session import CustomerSession
from session_fsm.values import SessionUpdate

__all__ = ["DemoSession", "command"]


class DemoSession(CustomerSession):
    """The sessions of a shop whose campaigns have a coupon budget."""

    rules = (*CustomerSession.rules, coupon_code_required)


@click.command(
    short_help="Print the steps of one order, from the cart to its cancellation.",
    epilog="""\b
Example:
  session-fsm demo""",
)
@class_option("session_fsm.cli.commands.demo:DemoSession")
def command(kind: type[CustomerSession]) -> None:
    """Print the steps of one order: every request, its result, and why it was refused.

    The order comes with the package, in the format of session-fsm replay. The shop of this example has enabled an
    optional rule, which Talon.One recommends: a session must hold a coupon code when it closes. With --class, the order
    is judged by the rules of your class.
    """
    screen = Screen()
    recording, summary = Recording(kind), Summary()
    own = [rule.code for rule in kind.rules if rule not in CustomerSession.rules]
    rules = f"the rules of CustomerSession and {', '.join(own)}" if own else "the rules of CustomerSession"
    screen.write(Cell("One order, from the cart to its cancellation", "title"))
    screen.write(Cell(f"{kind.__name__}, with {rules}", "quiet"))
    day = ""
    with files("session_fsm").joinpath("data", "demo_order.jsonl").open("rb") as stream:
        for _, line in lines_of(stream):
            request = read_request(line, strict=True)
            result = recording.play(request)
            summary.count(result)
            date, _, time = request.time.isoformat().partition("T") if request.time else ("", "", "")
            if date != day:
                screen.gap()
                screen.write(Cell(date, "title"))
                day = date
            screen.gap()
            screen.table([(time[:5], request.note)], indent=2)
            _show(screen, result)
    screen.gap()
    screen.table(summary.rows(recording))
    screen.gap()
    screen.write(Cell("Replay your own requests with: session-fsm replay FILE", "quiet"))


def _show(screen: Screen, result: Result) -> None:
    """Write the result of a request below its note."""
    state = result.state or "no session"
    if result.already:
        outcome = Cell(f"refused, already {state}", "already")
    elif result.violations:
        outcome = Cell(f"refused, still {state}", "refused")
    else:
        changed = result.source is not result.state
        outcome = Cell(f"{result.source or 'new'} -> {state}" if changed else state, "done")
    padded = outcome._replace(text=f"{outcome.text:<34}")
    total = "" if result.total is None else f"total {result.total:f}"
    screen.table([(f"{result.trigger:<12}", padded, total)], indent=9)
    for violation in result.violations:
        screen.write(str(violation), indent=9)
    if result.event:
        screen.write(Cell(", ".join([result.event.name, *_changes(result.event)]), "quiet"), indent=9)


def _changes(event: SessionEvent) -> list[str]:
    """Describe the changes of an event, limited to the fields that the demo order changes."""
    match event.change:
        case SessionUpdate(cart_items=items, additional_costs=costs, coupon_codes=codes):
            lists = (
                [f"{item.quantity} x {item.sku}" for item in items or ()],
                [f"{name} {cost.price:f}" for name, cost in (costs or {}).items()],
                [f"coupon {code}" for code in codes or ()],
            )
            return [text for texts in lists for text in texts]
        case None:
            return []
        case returned:
            return [f"{item.quantity} x {item.sku} returned" for item in returned]
