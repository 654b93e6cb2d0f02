"""Judge the rules that guard one transition.

The trigger, the dry run and the creation call `Judge.judge` with the values that the fields would have. It calls every
rule once, with what the rule's parameters ask for, and returns what the rules that did not pass came to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from session_fsm.decisions import SEEN_BY_RULES, Failures, Rule
from session_fsm.reentrancy import BUSY, judged_copy
from session_fsm.states import Trigger

__all__ = ["Judge"]


class _Seen(dict[str, Any]):
    """What rules may ask for, by name. What is not in it yet is computed when the first rule asks for it."""

    __slots__ = ("origin", "values_after")

    origin: Any
    """The entity whose fields change."""
    values_after: dict[str, Any]
    """The fields that would change, with their new values."""

    def __missing__(self, name: str) -> Any:
        if name != "after":  # a field that does not change
            return getattr(self.origin, name)
        after = self["after"] = judged_copy(self.origin, self.values_after)
        return after


class Judge:
    """Judges *rules* when *trigger* is pulled."""

    __slots__ = ("_calls", "_trigger")

    def __init__(self, rules: Iterable[Rule], trigger: Trigger, fields: Collection[str]) -> None:
        """Find out what each rule asks for; *fields* are the names of the session's fields."""
        self._trigger = trigger
        names = {*SEEN_BY_RULES, *fields}
        self._calls = tuple([(one, *_parameters(one, names)) for one in rules])

    def judge(
        self, session: Any, origin: Any, change: Any, now: datetime, values: dict[str, Any], context: Any
    ) -> Failures | None:
        """Return what the rules that did not pass came to, or None. What a rule raises is its own failure.

        Args:
            session: the session as it is; None at creation.
            origin: the entity whose fields change: the session, or the one that is being created.
            change: the trigger's argument.
            now: the time of the transition.
            values: the fields that would change, with their new values.
            context: what the caller gave as ``context=``.
        """
        calls = self._calls
        if not calls:
            return None
        seen = _Seen(values)
        seen.origin, seen.values_after = origin, values
        seen["session"], seen["change"], seen["trigger"] = session, change, self._trigger
        seen["now"], seen["context"] = now, context
        look = seen.__getitem__
        failures: Failures | None = None
        try:
            for rule, positional, keywords in calls:
                try:
                    if keywords:
                        answer = rule.function(*map(look, positional), **{name: look(name) for name in keywords})
                    else:
                        answer = rule.function(*map(look, positional))
                    if answer is None or answer is True:
                        continue
                    found: Any = rule.violations_in(answer)
                except Exception as error:  # noqa: BLE001 - whatever it is, the rule has no answer
                    found = error
                if found:
                    failures = failures or {}
                    failures[rule.code] = found
        finally:
            if "after" in seen:  # it was guarded while rules looked at it
                del BUSY[id(seen["after"])]
        return failures


def _parameters(rule: Rule, names: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of what *rule* is given by position, and by keyword."""
    arguments = rule.arguments(names)
    keywords = tuple(name for name, keyword in arguments.items() if keyword)
    return tuple(name for name, keyword in arguments.items() if not keyword), keywords
