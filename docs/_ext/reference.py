"""The directive ``reference``, which generates the reference of transitions, states, rules, errors, fields and events.

It reads the package itself, so that a new row, rule, error or field appears automatically.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import session_fsm.rules
from _ext.api import comments
from _ext.domain import CITATION, numbered_rules
from _ext.fields import all_fields
from _ext.writing import code, comment, first_line, table, within
from session_fsm.errors import SessionFSMError
from session_fsm.guards import Rule
from session_fsm.lifecycle import TABLE
from session_fsm.rules import BUILT_IN
from session_fsm.states import MEANING_OF_STATE, MEANING_OF_TRIGGER, EventName, Operation

__all__ = ["optional_rules", "setup"]

_DOMAIN = Path(__file__).parents[1] / "domain.md"


# --- Transitions, states, triggers, operations, events ------------------------------------------------------------


def _transitions() -> Iterator[str]:
    rows = [
        (
            row.id,
            code(row.trigger),
            f"{code(row.source or '(new)')} → {code(row.target)}",
            row.operation.name.title(),
            code(row.event_name),
            row.authority,
        )
        for row in TABLE
    ]
    yield from table(("", "trigger", "from → to", "operation", "event", "source"), rows)
    for row in TABLE:
        if row.note:
            yield from (f"{row.id}: {row.note}", "")


def _states() -> Iterator[str]:
    for state, meaning in MEANING_OF_STATE.items():
        exits = ", ".join(f"{code(row.trigger)} ({row.id})" for row in TABLE if row.source is state)
        yield from (code(state), f"   {meaning}", "", f"   Transitions: {exits or 'none'}.", "")


def _triggers() -> Iterator[str]:
    for trigger, meaning in MEANING_OF_TRIGGER.items():
        rows = [row for row in TABLE if row.trigger is trigger]
        arrows = ", ".join(f"{row.source or '(new)'} → {row.target} ({row.id})" for row in rows)
        yield from (f"`~session_fsm.CustomerSession.{trigger}`", f"   {meaning}", "", f"   {arrows}", "")


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
    yield from table(("operation", "in the API", "", "rows"), rows)


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
    yield from (f".. fault-code:: {one.code}", "", f"   {one.text}", "")
    if more:
        yield from (f"   {' '.join(more.split())}", "")
    guarded = ", ".join(code(trigger) for trigger in one.on)
    into = f", into {code(one.target)} only" if one.target else ""
    yield f"   Guards {guarded}{into}. Looks at {', '.join(map(code, one.parameters))}."
    if name is not None:
        yield f"   Switched on with `session_fsm.rules.{name}`."
    if number:
        yield f"   {number}: {_sources(numbered_rules(_DOMAIN)[number].source)}."
    yield ""


def _sources(letters: str) -> str:
    words = {"D": "documented by Talon.One", "O": "observed", "C": "chosen here"}
    return "; ".join(", ".join(words.get(part, part) for part in half.split(", ")) for half in letters.split("; "))


def _built_in_rules() -> Iterator[str]:
    for one in BUILT_IN:
        yield from _rule(one, one.function, None)


def _optional_rules() -> Iterator[str]:
    for name, (one, documented) in optional_rules().items():
        yield from _rule(one, documented, name)


# --- Errors -------------------------------------------------------------------------------------------------------


def _errors(kind: type[SessionFSMError] = SessionFSMError, depth: int = 0) -> Iterator[str]:
    """Describe an error and, nested in it, its subclasses."""
    indent = "   " * depth
    also = [base.__name__ for base in kind.__bases__ if not issubclass(base, SessionFSMError) and base is not Exception]
    name = f"`{kind.__name__}`" + (f", also a `{also[0]}`" if also else "")
    yield from (f"{indent}{name}", f"{indent}   {within(kind, first_line(kind))}", "")
    ours = [base for base in kind.__mro__ if issubclass(base, SessionFSMError)]
    held = {name for base in ours for of, name in comments(base.__module__) if of == base.__name__}
    held |= {name for name, value in inspect.getmembers(kind) if isinstance(value, property)}
    if held:
        yield from (f"{indent}   It has {', '.join(f'`~{kind.__name__}.{name}`' for name in sorted(held))}.", "")
    for finer in kind.__subclasses__():
        yield from _errors(finer, depth + 1)


# ------------------------------------------------------------------------------------------------------------------

_PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "transitions": _transitions,
    "states": _states,
    "triggers": _triggers,
    "operations": _operations,
    "events": _events,
    "built-in-rules": _built_in_rules,
    "optional-rules": _optional_rules,
    "errors": _errors,
    "fields": all_fields,
}


class Reference(SphinxDirective):
    """``reference`` with the name of a part: that part of the reference."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the part."""
        if self.arguments[0] not in _PARTS:
            raise self.error(f"the reference has no part {self.arguments[0]}; it has {', '.join(_PARTS)}")
        self.env.note_dependency(str(_DOMAIN))
        for module in ("lifecycle", "rules.built_in", "rules.optional", "errors", "values", "session", "states"):
            self.env.note_dependency(inspect.getfile(import_module(f"session_fsm.{module}")))
        return self.parse_text_to_nodes("\n".join(_PARTS[self.arguments[0]]()), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive, and an object type for the codes of violations, which makes them linkable and searchable."""
    app.add_directive("reference", Reference)
    app.add_object_type("fault-code", "fault", "code of a fault; %s")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
