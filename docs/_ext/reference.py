"""The generated parts of the pages: transitions, states, rules, errors, fields, events, the command line, and sources.

They are Markdown, made from the package itself. ``docs/sync_reference.py`` writes them into the pages.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import session_fsm.rules
from _ext.api import comments, homes
from _ext.command_line import subcommands
from _ext.domain import CITATION, numbered_rules
from _ext.fields import all_fields
from _ext.writing import code, comment, first_line, plain, table
from session_fsm.errors import SessionFSMError
from session_fsm.guards import Rule
from session_fsm.lifecycle import TABLE
from session_fsm.rules import BUILT_IN
from session_fsm.states import MEANING_OF_STATE, MEANING_OF_TRIGGER, EventName, Operation

__all__ = ["PARTS", "optional_rules"]

_DOMAIN = Path(__file__).parents[1] / "domain.md"


# --- Transitions, states, triggers, operations, events ------------------------------------------------------------


def _transitions() -> Iterator[str]:
    rows = [
        (
            row.id,
            code(row.trigger),
            f"{code(row.source) if row.source else '(new)'} → {code(row.target)}",
            row.operation.name.title(),
            code(row.event_name),
            row.authority,
        )
        for row in TABLE
    ]
    yield from table(("number", "trigger", "from → to", "operation", "event", "source"), rows)
    for row in TABLE:
        if row.note:
            yield from (f"{row.id}: {row.note}", "")


def _states() -> Iterator[str]:
    rows = [
        (
            code(state),
            meaning,
            ", ".join(f"{code(row.trigger)} ({row.id})" for row in TABLE if row.source is state) or "none",
        )
        for state, meaning in MEANING_OF_STATE.items()
    ]
    yield from table(("state", "meaning", "triggers that the table allows"), rows)


def _triggers() -> Iterator[str]:
    rows = [
        (
            code(trigger),
            meaning,
            ", ".join(f"{row.source or '(new)'} → {row.target} ({row.id})" for row in TABLE if row.trigger is trigger),
        )
        for trigger, meaning in MEANING_OF_TRIGGER.items()
    ]
    yield from table(("trigger", "meaning", "transitions"), rows)


def _operations() -> Iterator[str]:
    rows = [
        (
            operation.name.title(),
            str(operation),
            comment(Operation, operation.name),
            ", ".join(r.id for r in TABLE if r.operation is operation),
        )
        for operation in Operation
    ]
    yield from table(("operation", "in the API", "request", "transitions"), rows)


def _events() -> Iterator[str]:
    rows = [
        (code(name), comment(EventName, name.name), ", ".join(row.id for row in TABLE if row.event_name is name))
        for name in EventName
    ]
    yield from table(("event", "meaning", "recorded by"), rows)


# --- Rules --------------------------------------------------------------------------------------------------------


def optional_rules() -> dict[str, tuple[Rule, Any]]:
    """Return the optional rules by their import names, each with the function whose docstring documents it.

    A rule with settings comes from a factory function, which is called without arguments here.
    """
    found: dict[str, tuple[Rule, Any]] = {}
    for name in session_fsm.rules.__all__:
        value = getattr(session_fsm.rules, name)
        if isinstance(value, Rule) and value not in BUILT_IN:
            found[name] = value, value.function
        elif inspect.isfunction(value) and typing.get_type_hints(value).get("return") is Rule:
            found[name] = value(), value
    return found


def _rule(one: Rule, documented: Any, name: str | None) -> Iterator[str]:
    """Describe a rule; *documented* is the function whose docstring has its number, *name* the import name."""
    number, *_ = CITATION.findall(inspect.getdoc(documented) or "") or [""]
    more = (inspect.getdoc(one.function) or "").partition("\n")[2].strip().removeprefix(f"Rule {number}.").strip()
    yield from (f"### `{one.code}`", "", one.text, "")
    if more:
        yield from (plain(" ".join(more.split())), "")
    guarded = ", ".join(code(trigger) for trigger in one.on)
    into = f", into {code(one.target)} only" if one.target else ""
    facts = [f"Guards {guarded}{into}. Looks at {', '.join(map(code, one.parameters))}."]
    if name is not None:
        facts.append(f"Switched on with `session_fsm.rules.{name}`.")
    if number:
        facts.append(f"{number}: {_sources(numbered_rules(_DOMAIN)[number].source)}.")
    yield from (" ".join(facts), "")


def _sources(letters: str) -> str:
    words = {"D": "documented by Talon.One", "O": "observed", "C": "chosen here"}
    return "; ".join(", ".join(words.get(part, part) for part in half.split(", ")) for half in letters.split("; "))


def _built_in_rules() -> Iterator[str]:
    for one in BUILT_IN:
        yield from _rule(one, one.function, None)


def _optional_rules() -> Iterator[str]:
    for name, (one, documented) in optional_rules().items():
        yield from _rule(one, documented, name)


def _from_source(letter: str) -> Iterator[str]:
    """Yield the tables of ``domain.md``, with only the rules that have this source."""
    tables: dict[str, list[str]] = {}
    for numbered in numbered_rules(_DOMAIN).values():
        if re.search(rf"\b{letter}\b", numbered.source):
            tables.setdefault(numbered.header, []).append(numbered.line)
    for header, lines in tables.items():
        yield from (header, *lines, "")


# --- Errors -------------------------------------------------------------------------------------------------------


def _errors() -> Iterator[str]:
    """Describe every public error in a list; its subclasses are a list within its entry."""
    public = [getattr(import_module(module), name) for module, names in homes().items() for name in names]
    errors = [kind for kind in public if inspect.isclass(kind) and issubclass(kind, SessionFSMError)]
    yield from _error(SessionFSMError, errors, "")
    yield ""


def _error(kind: type[SessionFSMError], errors: list[type[SessionFSMError]], indent: str) -> Iterator[str]:
    also = [code(base.__name__) for base in kind.__bases__ if base not in (_parent(kind), Exception)]
    name = f"`{kind.__name__}`" + (f", also a {also[0]}" if also else "")
    ours = [base for base in kind.__mro__ if issubclass(base, SessionFSMError)]
    held = {name for base in ours for of, name in comments(base.__module__) if of == base.__name__}
    held |= {name for name, value in inspect.getmembers(kind) if isinstance(value, property)}
    public = ", ".join(code(name) for name in sorted(held) if not name.startswith("_"))
    attributes = f" It has {public}." if public else ""
    yield f"{indent}- {name}: {first_line(kind)}{attributes}"
    for finer in errors:
        if _parent(finer) is kind:
            yield from _error(finer, errors, f"{indent}  ")


def _parent(kind: type[SessionFSMError]) -> type | None:
    return next((base for base in kind.__bases__ if issubclass(base, SessionFSMError)), None)


# ------------------------------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "transitions": _transitions,
    "states": _states,
    "triggers": _triggers,
    "operations": _operations,
    "events": _events,
    "built-in rules": _built_in_rules,
    "optional rules": _optional_rules,
    "errors": _errors,
    "fields": all_fields,
    "command line": subcommands,
    "observed": partial(_from_source, "O"),
    "chosen": partial(_from_source, "C"),
}
"""The function that yields the lines of each part."""
