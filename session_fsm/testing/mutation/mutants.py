"""Mutants of a session class: its table and rules with one fault each.

Each fault is a plausible mistake that tests should detect. Mutants are made from the table and the rules, not from
source code; `session_fsm.testing.mutation.runner` runs tests on them.

>>> from session_fsm import CartItem, CustomerSession, ReturnedCartItem
>>> mutant = next(each for each in mutants(CustomerSession) if each.id == "add-row:partially_returned:reopen")
>>> mutant.text
'a partially returned session can be reopened'
>>> session = mutant.twin().create("order-1", cart_items=[CartItem(sku="A", quantity=2)], state="closed")
>>> _ = session.return_items([ReturnedCartItem(position=0, quantity=1)])
>>> session.reopen().target
<State.OPEN: 'open'>
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import wraps
from typing import Any

from attrs import evolve, field, frozen

from session_fsm.converters import to_member
from session_fsm.errors import InvalidValue
from session_fsm.guards import Answer, Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import EventName, State, Trigger
from session_fsm.testing.mutation.limits import limits_of, with_limit
from session_fsm.testing.mutation.modified_classes import modified_copy, with_definition
from session_fsm.testing.wording import GERUND, INFINITIVE, NOUN, SESSION_IN

__all__ = ["Mutant", "MutantKind", "mutants"]


class MutantKind(StrEnum):
    """The kinds of faults that a mutant can have."""

    DROP_RULE = "drop-rule"
    """A rule is missing."""
    NEGATE_RULE = "negate-rule"
    """A rule passes where it should refuse, and refuses where it should pass."""
    NARROW_RULE = "narrow-rule"
    """A rule guards one trigger less."""
    WIDEN_RULE = "widen-rule"
    """A rule for transitions into one state guards those into every state, or a rule for closing only also guards
    the creation of a closed session."""
    CHANGE_LIMIT = "change-limit"
    """A number that a rule compares with is one more, or one less."""
    DELETE_ROW = "delete-row"
    """A transition is missing."""
    RETARGET_ROW = "retarget-row"
    """A transition leads into another state."""
    SWAP_EVENT = "swap-event"
    """A transition records another event."""
    ADD_ROW = "add-row"
    """There is a transition that there should not be."""


@frozen(kw_only=True)
class Mutant:
    """A session class definition with one fault."""

    id: str
    """Stable and readable, such as ``narrow-rule:too_many_units:close``."""
    change: MutantKind
    text: str
    """The fault as a clause: ``nothing refuses a closing for too_many_units``."""
    kind: type[CustomerSession] = field(repr=False)
    rules: tuple[Rule, ...] = field(repr=False)
    """All rules of the mutant."""
    table: tuple[Row, ...] = field(repr=False)
    """The whole table of the mutant."""

    def twin(self) -> type[CustomerSession]:
        """Return a subclass of the original class, with the same name and the mutant's definition."""
        return modified_copy(self.kind, self.rules, self.table)

    def apply(self) -> type[CustomerSession]:
        """Replace the definition of the original class by the mutant's, permanently, and return the class.

        Classes that are derived from it afterwards inherit the definition. A direct call of a rule, without a
        session, runs the mutant's function too.
        """
        for rule, other in zip(self.kind.machine.rules, self.rules, strict=False):
            if rule.code == other.code:
                # Rules are frozen; tests may call the existing objects, so these get the mutant's function.
                object.__setattr__(rule, "function", other.function)
        return with_definition(self.kind, self.rules, self.table)


def mutants(
    kind: type[CustomerSession], changes: Iterable[MutantKind | str] = tuple(MutantKind), *, added: bool = False
) -> list[Mutant]:
    """Return every mutant of the definition of *kind*, in the order of `MutantKind` and of the definition.

    Args:
        kind: the session class.
        changes: the kinds of faults; default: all.
        added: whether to mutate only the rules that *kind* adds to its base class.

    Raises:
        InvalidValue: a kind of fault does not exist.
    """
    wanted = [to_member(MutantKind, change) for change in changes]
    if unknown := [change for change in wanted if not isinstance(change, MutantKind)]:
        raise InvalidValue("/changes", f"{unknown[0]!r} is none of: {', '.join(MutantKind)}")
    rules, table = kind.machine.rules, kind.machine.table
    inherited: tuple[Rule, ...] = getattr(super(kind, kind), "rules", ()) if added else ()
    found: list[Mutant] = []
    for change in MutantKind:
        if change in wanted:
            for name, text, other_rules, other_table in _MUTATIONS[change](rules, table):
                if added and (table is not other_table or any(_changed(rules, other_rules, one) for one in inherited)):
                    continue
                found.append(
                    Mutant(
                        id=f"{change}:{name}", change=change, text=text, kind=kind, rules=other_rules, table=other_table
                    )
                )
    return found


def _changed(rules: tuple[Rule, ...], others: tuple[Rule, ...], rule: Rule) -> bool:
    """Whether *rule* is one of *rules* and not one of *others*."""
    return any(one is rule for one in rules) and not any(other is rule for other in others)


_Rules = tuple[Rule, ...]
_Table = tuple[Row, ...]
_Mutations = Iterator[tuple[str, str, _Rules, _Table]]


def _drop_rule(rules: _Rules, table: _Table) -> _Mutations:
    for rule in rules:
        yield rule.code, f"nothing is refused for {rule.code}", _replaced(rules, rule, ()), table


def _negate_rule(rules: _Rules, table: _Table) -> _Mutations:
    for rule in rules:
        text = f"{rule.code} passes where it should refuse, and refuses where it should pass"
        yield rule.code, text, _replaced(rules, rule, [evolve(rule, function=_negated(rule))]), table


def _negated(rule: Rule) -> Callable[..., Answer]:
    @wraps(rule.function)
    def negated(*args: Any, **kwargs: Any) -> bool:
        answer = rule.function(*args, **kwargs)
        return answer is not None and answer is not True and bool(rule.violations_in(answer))

    return negated


def _narrow_rule(rules: _Rules, table: _Table) -> _Mutations:
    for rule in rules:
        for trigger in rule.on:
            narrowed = evolve(rule, on=tuple(other for other in rule.on if other is not trigger))
            if _guarded(narrowed, table) not in ([], _guarded(rule, table)):
                into = f" as {rule.target}" if rule.target and trigger is Trigger.CREATE else ""
                text = f"nothing refuses {NOUN[trigger]}{into} for {rule.code}"
                yield f"{rule.code}:{trigger}", text, _replaced(rules, rule, [narrowed]), table


def _widen_rule(rules: _Rules, table: _Table) -> _Mutations:
    for rule in rules:
        widened = evolve(rule, target=None)
        more = [row for row in _guarded(widened, table) if row not in _guarded(rule, table)]
        if more:
            text = f"{rule.code} also guards {', '.join(_noun(row) for row in more)}"
            yield rule.code, text, _replaced(rules, rule, [widened]), table
        yield from _widen_to_creations(rule, rules, table)


def _widen_to_creations(rule: Rule, rules: _Rules, table: _Table) -> _Mutations:
    """Yield the mutants in which a rule for closing only also guards the creation of a closed session.

    Tests that never create a closed session cannot detect the difference.
    """
    if rule.on == (Trigger.CLOSE,):
        closed = {row.target for row in _guarded(rule, table)}
        for row in table:
            if row.source is None and row.target in closed:
                widened = evolve(rule, on=(Trigger.CREATE, Trigger.CLOSE), target=row.target)
                text = f"{rule.code} also guards {_noun(row)}"
                yield f"{rule.code}:{Trigger.CREATE}", text, _replaced(rules, rule, [widened]), table


def _change_limit(rules: _Rules, table: _Table) -> _Mutations:
    for rule in rules:
        limits = limits_of(rule.function)
        for limit in limits:
            same = [other for other in limits if other.value == limit.value]
            which = f"#{same.index(limit) + 1}" if len(same) > 1 else ""
            for value in limit.neighbours:
                other = evolve(rule, function=with_limit(rule.function, limit, value))
                text = f"the limit {limit.value}{which} of {rule.code} is {value}"
                yield f"{rule.code}:{limit.value}{which}:{value}", text, _replaced(rules, rule, [other]), table


def _delete_row(rules: _Rules, table: _Table) -> _Mutations:
    for row in table:
        if row.source is None:
            text = f"no session can be created as {row.target}"
        else:
            text = f"{SESSION_IN[row.source]} cannot {INFINITIVE[row.trigger]}"
        yield row.id, text, rules, _replaced(table, row, ())


def _retarget_row(rules: _Rules, table: _Table) -> _Mutations:
    for row in table:
        for state in State if row.source else ():  # the target of a creation is its argument
            if state is not row.target:
                text = f"{_gerund(row)} leads to {state} instead of {row.target}"
                yield f"{row.id}:{state}", text, rules, _replaced(table, row, [evolve(row, target=state)])


def _swap_event(rules: _Rules, table: _Table) -> _Mutations:
    """Yield the mutants in which a row records the event of another row with its trigger, or else the next event name."""
    for row in table:
        same_trigger = [r.event_name for r in table if r.trigger is row.trigger and r.event_name is not row.event_name]
        names = list(EventName)
        name = same_trigger[0] if same_trigger else names[(names.index(row.event_name) + 1) % len(names)]
        text = f"{_gerund(row)} records {name} instead of {row.event_name}"
        yield f"{row.id}:{name}", text, rules, _replaced(table, row, [evolve(row, event_name=name)])


def _add_row(rules: _Rules, table: _Table) -> _Mutations:
    for trigger in Trigger:
        sample = next((row for row in table if row.trigger is trigger), None)
        if sample is None:
            continue
        for state in State:
            source, target = (None, state) if trigger is Trigger.CREATE else (state, sample.target)
            if sample.internal:
                target = state
            if not any(
                (row.source, row.trigger) == (source, trigger) and (source or row.target is target) for row in table
            ):
                name = f"{source or 'new'}:{trigger}" + ("" if source else f":{target}")
                added = evolve(sample, id=f"{source or 'new'} {trigger}", source=source, target=target)
                text = (
                    f"{SESSION_IN[source]} can {INFINITIVE[trigger]}"
                    if source
                    else f"a session can be created as {target}"
                )
                yield name, text, rules, (*table, added)


_MUTATIONS: dict[MutantKind, Callable[[_Rules, _Table], _Mutations]] = {
    MutantKind.DROP_RULE: _drop_rule,
    MutantKind.NEGATE_RULE: _negate_rule,
    MutantKind.NARROW_RULE: _narrow_rule,
    MutantKind.WIDEN_RULE: _widen_rule,
    MutantKind.CHANGE_LIMIT: _change_limit,
    MutantKind.DELETE_ROW: _delete_row,
    MutantKind.RETARGET_ROW: _retarget_row,
    MutantKind.SWAP_EVENT: _swap_event,
    MutantKind.ADD_ROW: _add_row,
}


def _replaced(parts: Sequence[Any], part: Any, others: Collection[Any]) -> tuple[Any, ...]:
    """Return *parts* with *part* replaced by *others*."""
    place = next(place for place, other in enumerate(parts) if other is part)
    return (*parts[:place], *others, *parts[place + 1 :])


def _guarded(rule: Rule, table: _Table) -> list[Row]:
    return [row for row in table if rule.guards(row.trigger, row.target)]


def _gerund(row: Row) -> str:
    return f"{GERUND[row.trigger]} {SESSION_IN[row.source] if row.source else f'a session as {row.target}'}"


def _noun(row: Row) -> str:
    return f"{NOUN[row.trigger]} into {row.target}"
