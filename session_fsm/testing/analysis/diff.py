"""Compare two definitions: rows, rules, behaviour, and stored sessions that would reach a dead end.

Each definition is a session class or a `Diagram`, such as `read_definition` reads from a file. Two classes are also
compared by playing the same stories, so that a rule with a rewritten function is reported as tightened or loosened,
with an example.

>>> from session_fsm import CustomerSession
>>> from session_fsm.rules import coupon_code_required
>>> class ShopSession(CustomerSession):
...     rules = (*CustomerSession.rules, coupon_code_required)
>>> found = diff(CustomerSession, ShopSession)
>>> for change in found.changes:
...     print(change)
coupon_code_required: added: A session must hold a coupon code by the time it closes. It guards T-02, T-04.
coupon_code_required: tightened: it refuses what was allowed before, such as create.
>>> print(found.changes[1].witness)
session = CustomerSession.create("order-1", state="closed")
assert session.state == "closed"
assert session.pending_events[-1].name == "talon_session_created"
>>> found.stuck
()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from session_fsm.decisions import Decision, Outcome
from session_fsm.diagrams.model import Diagram, Edge, model
from session_fsm.guards import Rule
from session_fsm.session import CustomerSession
from session_fsm.states import State
from session_fsm.testing.analysis.dead_ends import dead_ends
from session_fsm.testing.analysis.equivalence import TRIES, compare
from session_fsm.testing.analysis.lint import states_without_end
from session_fsm.testing.steps import Contexts
from session_fsm.testing.wording import SESSION_IN

__all__ = ["Change", "ChangeKind", "Differences", "Stuck", "diff"]


class ChangeKind(StrEnum):
    """How a part of a definition changed."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    """A row has another target, event, operation or ID; a rule has another text."""
    TIGHTENED = "tightened"
    """A rule guards more rows, or refuses what it passed before."""
    LOOSENED = "loosened"
    """A rule guards fewer rows, or passes what it refused before."""


@frozen
class Change:
    """One changed row or rule."""

    part: str
    """``row`` or ``rule``."""
    name: str
    """The ID of the row, or the code of the rule."""
    kind: ChangeKind
    text: str
    """The change as text."""
    witness: str = ""
    """Python that passes for the old class and fails for the new one; empty if none was found or they are no classes."""

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}: {self.text}"


@frozen
class Stuck:
    """A state whose stored sessions may be unable to reach a final state."""

    state: State
    text: str
    """The reason as text."""
    witness: str = ""
    """Python that creates such a session with the old class."""

    def __str__(self) -> str:
        return f"{self.state}: {self.text}"


@frozen
class Differences:
    """The result of `diff`."""

    changes: tuple[Change, ...]
    """Rows, then rules, each in the order of the old definition, with additions at the end."""
    stuck: tuple[Stuck, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.stuck)


def diff(
    old: type[CustomerSession] | Diagram,
    new: type[CustomerSession] | Diagram,
    *,
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    tries: int = TRIES,
) -> Differences:
    """Return the differences of *new* from *old*.

    Args:
        old: the old session class, or its diagram.
        new: the new session class, or its diagram.
        own: what a creation gives to the fields that the classes add.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        tries: how many stories to try at most for each rule that may have changed, in each direction.
    """
    before, after = (each if isinstance(each, Diagram) else model(each) for each in (old, new))
    changes = [*_of_rows(before, after), *_of_rules(before, after)]
    stuck = list(_of_states(before, after))
    if isinstance(old, type) and isinstance(new, type):
        changes += _of_behaviour(old, new, own, context, tries)
        known = {each.state for each in stuck}
        stuck += [Stuck(s, text, code) for s, text, code in dead_ends(old, new, own, context) if s not in known]
    return Differences(tuple(changes), tuple(stuck))


def _key(edge: Edge) -> tuple[Any, ...]:
    """Return the key by which a row is the same in both definitions."""
    return edge.source, edge.trigger, edge.target if edge.source is None else None


def _of_rows(before: Diagram, after: Diagram) -> Iterator[Change]:
    others = {_key(edge): edge for edge in after.edges}
    for edge in before.edges:
        other = others.get(_key(edge))
        if other is None:
            yield Change("row", edge.id, ChangeKind.REMOVED, f"{_name(edge)} is no longer possible")
            continue
        pairs = {
            "it leads to": (edge.target, other.target),
            "it records": (edge.event_name, other.event_name),
            "it is carried by": (edge.operation, other.operation),
            "its number is": (edge.id, other.id),
        }
        if differing := [f"{what} {now} instead of {was}" for what, (was, now) in pairs.items() if was != now]:
            yield Change("row", edge.id, ChangeKind.CHANGED, f"{_name(edge)}: {'; '.join(differing)}")
    known = {_key(edge) for edge in before.edges}
    for edge in after.edges:
        if _key(edge) not in known:
            yield Change("row", edge.id, ChangeKind.ADDED, f"{_name(edge)} is possible, and leads to {edge.target}")


def _name(edge: Edge) -> str:
    return f"{edge.trigger} of {SESSION_IN[edge.source]}" if edge.source else f"{edge.trigger} as {edge.target}"


def _of_rules(before: Diagram, after: Diagram) -> Iterator[Change]:
    was, now = ({rule.code: rule.text for rule in diagram.rules} for diagram in (before, after))
    for code, text in was.items():
        if code not in now:
            yield Change("rule", code, ChangeKind.REMOVED, f"{text} It guarded {_listed(_guarded(before, code))}.")
            continue
        if text != now[code]:
            yield Change("rule", code, ChangeKind.CHANGED, f'it says "{now[code]}" instead of "{text}"')
        # Rows of one definition only are no change of the rule.
        common = _guarded(before, code).keys() | _guarded(after, code).keys()
        common &= {_key(edge) for edge in before.edges} & {_key(edge) for edge in after.edges}
        more = {
            key: name for key, name in _guarded(after, code).items() if key in common - _guarded(before, code).keys()
        }
        less = {
            key: name for key, name in _guarded(before, code).items() if key in common - _guarded(after, code).keys()
        }
        if more:
            yield Change("rule", code, ChangeKind.TIGHTENED, f"it guards {_listed(more)} too")
        if less:
            yield Change("rule", code, ChangeKind.LOOSENED, f"it no longer guards {_listed(less)}")
    for code, text in now.items():
        if code not in was:
            yield Change("rule", code, ChangeKind.ADDED, f"{text} It guards {_listed(_guarded(after, code))}.")


def _guarded(diagram: Diagram, code: str) -> dict[tuple[Any, ...], str]:
    return {_key(edge): edge.id for edge in diagram.edges if code in edge.rules}


def _listed(rows: Mapping[Any, str]) -> str:
    return ", ".join(rows.values()) or "nothing"


def _of_states(before: Diagram, after: Diagram) -> Iterator[Stuck]:
    lost = set(states_without_end(after.edges)) - set(states_without_end(before.edges))
    for state in State:
        reachable = any(edge.target is state for edge in before.edges)
        if reachable and not any(state in (edge.source, edge.target) for edge in after.edges):
            yield Stuck(state, "the state is gone: nothing leads into it or out of it any more")
        elif reachable and state in lost:
            yield Stuck(state, "no way leads from here to a final state any more")


def _of_behaviour(
    old: type[CustomerSession],
    new: type[CustomerSession],
    own: Mapping[str, Any] | None,
    context: Contexts,
    tries: int,
) -> Iterator[Change]:
    """Compare the behaviour of both classes for each rule that may have changed."""
    was, now = ({rule.code: rule for rule in kind.machine.rules} for kind in (old, new))
    for code in dict.fromkeys((*was, *now)):
        if not _same(was.get(code), now.get(code)):
            forms = [rules[code] for rules in (was, now) if code in rules]
            for kind, rules, words in (
                (ChangeKind.TIGHTENED, now, "it refuses what was allowed before"),
                (ChangeKind.LOOSENED, was, "what it refused is allowed now"),
            ):
                if code not in rules:
                    continue
                sought = _Predicate(code, kind)
                found = compare(old, new, sought=sought, rules=forms, own=own, context=context, tries=tries).difference
                if found is not None:
                    yield Change("rule", code, kind, f"{words}, such as {found.step.trigger}.", found.code())


def _same(rule: Rule | None, other: Rule | None) -> bool:
    return rule is not None and rule == other and other is not None and rule.function is other.function


@frozen
class _Predicate:
    """Whether a step was allowed and the rule *code* refuses it now, or for LOOSENED the reverse."""

    code: str
    kind: ChangeKind

    def __call__(self, before: Decision[Any], after: Decision[Any]) -> bool:
        first, second = (before, after) if self.kind is ChangeKind.TIGHTENED else (after, before)
        failing = (check.rule.code for check in second.checks if check.outcome is not Outcome.PASSED)
        return first.allowed and self.code in failing
