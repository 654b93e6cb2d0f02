"""Mutants of a definition: the table and the rules of a session class with one thing wrong.

Each is a mistake that somebody might make in the definition, and that tests of it should notice. They are made of the
definition itself, not of its source; `session_fsm.testing.mutation.runner` runs tests on them.

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

from session_fsm.decisions import Answer, Rule
from session_fsm.errors import InvalidValue
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import EventName, State, Trigger
from session_fsm.testing.mutation.limits import limits_of, with_limit
from session_fsm.testing.mutation.modified_classes import twin_of, with_definition
from session_fsm.testing.phrases import CAN_BE, DOING, SOMETHING_OF, TRIGGERING
from session_fsm.validators import to_member

__all__ = ["Mutant", "MutantKind", "mutants"]


class MutantKind(StrEnum):
    """What may be wrong with a definition."""

    DROP_RULE = "drop-rule"
    """A rule is missing."""
    NEGATE_RULE = "negate-rule"
    """A rule refuses what it should let pass, and lets pass what it should refuse."""
    NARROW_RULE = "narrow-rule"
    """A rule guards one trigger less."""
    WIDEN_RULE = "widen-rule"
    """A rule that guards the ways into one state guards those into every state, or one that guards the closing alone
    guards the creation of a session as closed too."""
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
    """The definition of a session class with one thing wrong."""

    id: str
    """Stable and legible, such as ``narrow-rule:too_many_units:close``."""
    change: MutantKind
    text: str
    """What is wrong, as a clause: ``nothing refuses a closing for too_many_units``."""
    kind: type[CustomerSession] = field(repr=False)
    rules: tuple[Rule, ...] = field(repr=False)
    """All rules of the mutant."""
    table: tuple[Row, ...] = field(repr=False)
    """The whole table of the mutant."""

    def twin(self) -> type[CustomerSession]:
        """Return a class like the original one, of the same name, that has the mutant's definition."""
        return twin_of(self.kind, self.rules, self.table)

    def apply(self) -> type[CustomerSession]:
        """Give the original class itself the mutant's definition, for good, and return it.

        Classes that are derived from it afterwards inherit the definition. Who calls a rule directly, without a
        session, gets the mutant's too.
        """
        for rule, other in zip(self.kind.machine.rules, self.rules, strict=False):
            if rule.code == other.code:
                object.__setattr__(rule, "function", other.function)
        return with_definition(self.kind, self.rules, self.table)


def mutants(
    kind: type[CustomerSession], changes: Iterable[MutantKind | str] = tuple(MutantKind), *, added: bool = False
) -> list[Mutant]:
    """Return every mutant of the definition of *kind*, in the order of `MutantKind` and of the definition.

    Args:
        kind: the session class.
        changes: what may be wrong with them; everything, unless given.
        added: whether to leave out what *kind* has from the class that it is derived from: only something about the
            rules that it adds is wrong then.

    Raises:
        InvalidValue: there is no such change.
    """
    wanted = [to_member(MutantKind, change) for change in changes]
    if unknown := [change for change in wanted if not isinstance(change, MutantKind)]:
        raise InvalidValue("/changes", f"{unknown[0]!r} is none of: {', '.join(MutantKind)}")
    rules, table = kind.machine.rules, kind.machine.table
    inherited: tuple[Rule, ...] = getattr(super(kind, kind), "rules", ()) if added else ()
    found: list[Mutant] = []
    for change in MutantKind:
        if change in wanted:
            for name, text, other_rules, other_table in _MAKERS[change](rules, table):
                if added and (table is not other_table or any(_changed(rules, other_rules, one) for one in inherited)):
                    continue
                found.append(
                    Mutant(
                        id=f"{change}:{name}", change=change, text=text, kind=kind, rules=other_rules, table=other_table
                    )
                )
    return found


def _changed(rules: tuple[Rule, ...], others: tuple[Rule, ...], rule: Rule) -> bool:
    """Whether *rule*, if it is one of *rules*, is none of *others*."""
    return any(one is rule for one in rules) and not any(other is rule for other in others)


_Rules = tuple[Rule, ...]
_Table = tuple[Row, ...]
_Made = Iterator[tuple[str, str, _Rules, _Table]]


def _drop_rule(rules: _Rules, table: _Table) -> _Made:
    for rule in rules:
        yield rule.code, f"nothing is refused for {rule.code}", _replaced(rules, rule, ()), table


def _negate_rule(rules: _Rules, table: _Table) -> _Made:
    for rule in rules:
        text = f"{rule.code} refuses what it should let pass, and lets pass what it should refuse"
        yield rule.code, text, _replaced(rules, rule, [evolve(rule, function=_negated(rule))]), table


def _negated(rule: Rule) -> Callable[..., Answer]:
    @wraps(rule.function)
    def negated(*args: Any, **kwargs: Any) -> bool:
        answer = rule.function(*args, **kwargs)
        return answer is not None and answer is not True and bool(rule.violations_in(answer))

    return negated


def _narrow_rule(rules: _Rules, table: _Table) -> _Made:
    for rule in rules:
        for trigger in rule.on:
            narrow = evolve(rule, on=tuple(other for other in rule.on if other is not trigger))
            if _guarded(narrow, table) not in ([], _guarded(rule, table)):
                into = f" as {rule.target}" if rule.target and trigger is Trigger.CREATE else ""
                text = f"nothing refuses {TRIGGERING[trigger]}{into} for {rule.code}"
                yield f"{rule.code}:{trigger}", text, _replaced(rules, rule, [narrow]), table


def _widen_rule(rules: _Rules, table: _Table) -> _Made:
    for rule in rules:
        wide = evolve(rule, target=None)
        more = [row for row in _guarded(wide, table) if row not in _guarded(rule, table)]
        if more:
            text = f"{rule.code} is asked of {', '.join(_triggering(row) for row in more)} too"
            yield rule.code, text, _replaced(rules, rule, [wide]), table
        yield from _asked_of_creations(rule, rules, table)


def _asked_of_creations(rule: Rule, rules: _Rules, table: _Table) -> _Made:
    """Let a rule that guards the closing alone guard the creation of a session as closed too.

    Tests that never create such a session cannot tell whether the rule should have guarded that from the beginning.
    """
    if rule.on == (Trigger.CLOSE,):
        closed = {row.target for row in _guarded(rule, table)}
        for row in table:
            if row.source is None and row.target in closed:
                wide = evolve(rule, on=(Trigger.CREATE, Trigger.CLOSE), target=row.target)
                text = f"{rule.code} is asked of {_triggering(row)} too"
                yield f"{rule.code}:{Trigger.CREATE}", text, _replaced(rules, rule, [wide]), table


def _change_limit(rules: _Rules, table: _Table) -> _Made:
    for rule in rules:
        limits = limits_of(rule.function)
        for limit in limits:
            same = [other for other in limits if other.value == limit.value]
            which = f"#{same.index(limit) + 1}" if len(same) > 1 else ""
            for value in limit.neighbours:
                other = evolve(rule, function=with_limit(rule.function, limit, value))
                text = f"the limit {limit.value}{which} of {rule.code} is {value}"
                yield f"{rule.code}:{limit.value}{which}:{value}", text, _replaced(rules, rule, [other]), table


def _delete_row(rules: _Rules, table: _Table) -> _Made:
    for row in table:
        if row.source is None:
            text = f"no session can be created as {row.target}"
        else:
            text = f"{SOMETHING_OF[row.source]} cannot {CAN_BE[row.trigger]}"
        yield row.id, text, rules, _replaced(table, row, ())


def _retarget_row(rules: _Rules, table: _Table) -> _Made:
    for row in table:
        for state in State if row.source else ():  # a creation is asked for by its state
            if state is not row.target:
                text = f"{_doing(row)} leads to {state} instead of {row.target}"
                yield f"{row.id}:{state}", text, rules, _replaced(table, row, [evolve(row, target=state)])


def _swap_event(rules: _Rules, table: _Table) -> _Made:
    """Let each row record what the same trigger records elsewhere, or, failing that, the next event there is."""
    for row in table:
        kin = [r.event_name for r in table if r.trigger is row.trigger and r.event_name is not row.event_name]
        names = list(EventName)
        name = kin[0] if kin else names[(names.index(row.event_name) + 1) % len(names)]
        text = f"{_doing(row)} records {name} instead of {row.event_name}"
        yield f"{row.id}:{name}", text, rules, _replaced(table, row, [evolve(row, event_name=name)])


def _add_row(rules: _Rules, table: _Table) -> _Made:
    for trigger in Trigger:
        usual = next((row for row in table if row.trigger is trigger), None)
        if usual is None:
            continue
        for state in State:
            source, target = (None, state) if trigger is Trigger.CREATE else (state, usual.target)
            if usual.internal:
                target = state
            if not any(
                (row.source, row.trigger) == (source, trigger) and (source or row.target is target) for row in table
            ):
                name = f"{source or 'new'}:{trigger}" + ("" if source else f":{target}")
                added = evolve(usual, id=f"{source or 'new'} {trigger}", source=source, target=target)
                text = (
                    f"{SOMETHING_OF[source]} can {CAN_BE[trigger]}"
                    if source
                    else f"a session can be created as {target}"
                )
                yield name, text, rules, (*table, added)


_MAKERS: dict[MutantKind, Callable[[_Rules, _Table], _Made]] = {
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
    """Return *parts* with *others* in the place of *part*."""
    place = next(place for place, other in enumerate(parts) if other is part)
    return (*parts[:place], *others, *parts[place + 1 :])


def _guarded(rule: Rule, table: _Table) -> list[Row]:
    return [row for row in table if rule.guards(row.trigger, row.target)]


def _doing(row: Row) -> str:
    return f"{DOING[row.trigger]} {SOMETHING_OF[row.source] if row.source else f'a session as {row.target}'}"


def _triggering(row: Row) -> str:
    return f"{TRIGGERING[row.trigger]} into {row.target}"
