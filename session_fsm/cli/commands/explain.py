"""``session-fsm explain``: describe the table and its rules in words."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.cli.json_lines import json_line
from session_fsm.cli.terminal import Cell, Screen
from session_fsm.errors import counted
from session_fsm.guards import Rule
from session_fsm.lifecycle import FINAL, Authority, Row
from session_fsm.session import CustomerSession
from session_fsm.states import MEANING_OF_STATE, MEANING_OF_TRIGGER, State, Trigger

__all__ = ["command"]

_NEW = "new"
"""The name of the state before creation, in options and output."""
_AUTHORITY = {
    Authority.DOCUMENTED: "documented by Talon.One",
    Authority.OBSERVED: "observed: public code that talks to the API depends on it",
    Authority.CHOSEN: "chosen by this library, because nothing public says",
}


class _TriggerChoice(click.Choice[str]):
    """The names of triggers. The error about another name says what was probably meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of a trigger, or fail."""
        name = str(value)
        if name in set(State):
            self.fail(f"{name} is a state; write --state {name}", param, ctx)
        similar = get_close_matches(name, list(Trigger), 1)
        if similar and name not in set(Trigger):
            self.fail(f"'{name}' is no trigger; did you mean {similar[0]}?", param, ctx)
        return super().convert(value, param, ctx)


@click.command(
    short_help="Describe a trigger: its transitions and the rules that guard them.",
    epilog="""\b
Examples:
  session-fsm explain
  session-fsm explain return_items
  session-fsm explain --state closed
  session-fsm explain reopen --state partially_returned""",
)
@click.argument(
    "trigger", metavar="[TRIGGER]", required=False, type=_TriggerChoice([trigger.value for trigger in Trigger])
)
@click.option(
    "--state",
    type=click.Choice([_NEW, *(state.value for state in State)]),
    help="Show which triggers the table allows in this state, and which it refuses.",
)
@class_option()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(*, trigger: str | None, state: str | None, kind: type[CustomerSession], as_json: bool) -> None:
    """Describe TRIGGER: its transitions, the rules that guard them, and what it means to Talon.One.

    TRIGGER is create, update, close, cancel, return_items or reopen. Without arguments, the command shows all
    transitions and all rules.

    A transition that the table allows can still be refused by a rule.
    """
    asked = [Trigger(trigger)] if trigger else list(Trigger)
    all_sources: list[State | None] = [None, *State]
    sources = [None if state == _NEW else State(state)] if state else all_sources
    rows = [row for row in kind.machine.table if row.trigger in asked and row.source in sources]
    if as_json:
        sys.stdout.write(json_line(_document(kind, rows, asked, sources)))
        return
    explanation = _Explanation(Screen(), kind)
    if state:
        explanation.state(sources[0], rows, asked)
    elif trigger:
        explanation.trigger(asked[0], rows)
    else:
        explanation.table(rows)


class _Explanation:
    """Writes the explanation as text."""

    def __init__(self, screen: Screen, kind: type[CustomerSession]) -> None:
        self._screen = screen
        self._kind = kind
        self._machine = kind.machine

    def table(self, rows: list[Row]) -> None:
        """Write all transitions, grouped by the state that they leave, and all rules."""
        self._screen.write(
            Cell(f"{self._kind.__name__}: {counted(len(rows), 'transition')} between {len(State)} states", "title")
        )
        for source in dict.fromkeys(row.source for row in rows):
            self._screen.gap()
            self._screen.write(Cell(f"from {_name(source)}", "title"))
            for row in rows:
                if row.source is source:
                    start = (Cell(f"{row.trigger:<12}", "done"), f"-> {row.target:<18}")
                    self._screen.table([(*start, row.event_name.value)], indent=2)
                    codes = ", ".join(rule.code for rule in self._machine.rules_of(row)) or "no rules"
                    self._screen.table([[row.operation.value]], indent=16)
                    self._screen.table([[Cell(codes, "quiet")]], indent=16)
        for state in [state for state in State if not self._machine.allowed_from(state)]:
            self._screen.gap()
            self._screen.write(Cell(f"from {state}", "title"))
            self._screen.write("no transition: a final state" if state in FINAL else "no transition", indent=2)
        self._rules(rows)

    def trigger(self, trigger: Trigger, rows: list[Row]) -> None:
        """Write what *trigger* does from every state that it leaves."""
        self._screen.write(Cell(trigger, "title"))
        self._screen.write(MEANING_OF_TRIGGER[trigger], indent=2)
        for row in rows:
            self._row(row)
        refusing = [state for state in State if state not in [row.source for row in rows]]
        if trigger is not Trigger.CREATE and refusing:
            self._screen.gap()
            self._screen.write(Cell("refused from other states", "title"))
            self._screen.table([(state.value, self._refusal(trigger, state)) for state in refusing], indent=2)
        self._rules(rows)

    def state(self, state: State | None, rows: list[Row], asked: list[Trigger]) -> None:
        """Write which of the triggers *asked* the table allows from *state*, and which it refuses."""
        self._screen.write(Cell(_name(state), "title"))
        meaning = MEANING_OF_STATE[state] if state else "A session that does not exist yet."
        self._screen.write(meaning, indent=2)
        if len(asked) == 1:
            self._screen.gap()
            self._screen.write(Cell(asked[0], "title"))
            self._screen.write(MEANING_OF_TRIGGER[asked[0]], indent=2)
        for row in rows:
            self._row(row)
        possible = {row.trigger for row in rows}
        refused = [trigger for trigger in asked if trigger not in possible]
        if refused:
            self._screen.gap()
            self._screen.write(Cell("refused", "title"))
            reasons = [(Cell(trigger, "refused"), self._refusal(trigger, state)) for trigger in refused]
            self._screen.table(reasons, indent=2)
        self._rules(rows)

    def _row(self, row: Row) -> None:
        codes = ", ".join(rule.code for rule in self._machine.rules_of(row))
        lines = [
            ("operation", row.operation.value),
            ("event", row.event_name.value),
            ("rules", codes or "none"),
            ("basis", _AUTHORITY[row.authority] + (f". {row.note}" if row.note else "")),
            ("leads to", f"{row.target}: {MEANING_OF_STATE[row.target]}"),
        ]
        self._screen.gap()
        self._screen.write(Cell(f"{row.trigger}: {_name(row.source)} -> {row.target}", "done"))
        self._screen.table([(Cell(name, "quiet"), text) for name, text in lines], indent=2)

    def _refusal(self, trigger: Trigger, state: State | None) -> str:
        return _refusal(self._kind, trigger, state)

    def _rules(self, rows: list[Row]) -> None:
        rules = _rules_of(self._kind, rows)
        if rules:
            self._screen.gap()
            self._screen.write(Cell("rules", "title"))
            self._screen.table([(rule.code, rule.text) for rule in rules], indent=2)


def _name(state: State | None) -> str:
    return state.value if state else "(new)"


def _rules_of(kind: type[CustomerSession], rows: Iterable[Row]) -> list[Rule]:
    """Return the rules that guard any of *rows*, in the order of the class."""
    guarding = {rule.code for row in rows for rule in kind.machine.rules_of(row)}
    return [rule for rule in kind.machine.rules if rule.code in guarding]


def _refusal(kind: type[CustomerSession], trigger: Trigger, state: State | None) -> str:
    """Return the message with which a session in *state* refuses *trigger*."""
    if state is None:
        return "There is no session yet; an update creates one."
    # The message depends only on the state, so a stand-in for a session is enough.
    decision = kind.machine.not_in_table(trigger, SimpleNamespace(state=state, integration_id=""), None)
    return decision.violations[0].message


def _document(
    kind: type[CustomerSession], rows: list[Row], asked: list[Trigger], sources: list[State | None]
) -> dict[str, Any]:
    """Return the explanation as a JSON document."""
    possible = {(row.trigger, row.source) for row in rows}
    return {
        "class": f"{kind.__module__}:{kind.__qualname__}",
        "transitions": [
            {
                "id": row.id,
                "from": row.source,
                "trigger": row.trigger,
                "to": row.target,
                "operation": row.operation,
                "event": row.event_name,
                "rules": [rule.code for rule in kind.machine.rules_of(row)],
                "authority": row.authority,
                "note": row.note,
            }
            for row in rows
        ],
        "refused": [
            {"from": source, "trigger": trigger, "reason": _refusal(kind, trigger, source)}
            for source in sources
            for trigger in asked
            if (trigger, source) not in possible
        ],
        "rules": [
            {"code": rule.code, "text": rule.text, "on": rule.on, "target": rule.target}
            for rule in _rules_of(kind, rows)
        ],
        "triggers": {trigger.value: MEANING_OF_TRIGGER[trigger] for trigger in asked},
        "states": {state.value: MEANING_OF_STATE[state] for state in State},
    }
