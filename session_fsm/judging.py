"""Judge the rules that guard one transition.

The trigger, the dry run and the creation call `Judge.judge` with the values that the fields would have. It calls every
rule once, with what the rule's parameters ask for, and returns what the rules that did not pass came to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from session_fsm.decisions import Failures
from session_fsm.guards import SEEN_BY_RULES, Rule
from session_fsm.reentrancy import BUSY, judged_copy
from session_fsm.states import Trigger

__all__ = ["Judge"]


class Judge:
    """Judges *rules* when *trigger* is pulled."""

    __slots__ = ("_after", "_calls", "_fields", "_trigger")

    def __init__(self, rules: Iterable[Rule], trigger: Trigger, fields: Collection[str]) -> None:
        """Find out what each rule asks for; *fields* are the names of the session's fields."""
        self._trigger = trigger
        names = {*SEEN_BY_RULES, *fields}
        asked = [(one, one.arguments(names)) for one in rules]
        self._fields = tuple(dict.fromkeys(name for _, names in asked for name in names if name not in SEEN_BY_RULES))
        self._after = any("after" in names for _, names in asked)
        places = {name: place for place, name in enumerate((*SEEN_BY_RULES, *self._fields))}
        calls: list[tuple[Rule, Any, int | None, list[int], dict[str, int]]] = []
        for one, arguments in asked:
            positional = [places[name] for name, keyword in arguments.items() if not keyword]
            keywords = {name: places[name] for name, keyword in arguments.items() if keyword}
            only = positional[0] if len(positional) == len(arguments) == 1 else None
            calls.append((one, one.function, only, positional, keywords))
        self._calls = tuple(calls)

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
        after = judged_copy(origin, values) if self._after else None
        failures: Failures | None = None
        try:
            # In the order of SEEN_BY_RULES, then the fields.
            seen = [session, after, change, self._trigger, now, context]
            for name in self._fields:
                seen.append(values[name] if name in values else getattr(origin, name))  # noqa: PERF401 - faster in 3.11
            for rule, function, only, positional, keywords in self._calls:
                try:
                    if only is not None:  # most rules ask for one thing
                        answer = function(seen[only])
                    elif not keywords:
                        answer = function(*[seen[place] for place in positional])
                    else:
                        by_keyword = {name: seen[place] for name, place in keywords.items()}
                        answer = function(*[seen[place] for place in positional], **by_keyword)
                    if answer is None or answer is True or (answer.__class__ is list and not answer):
                        continue
                    found: Any = rule.violations_in(answer)
                except Exception as error:  # noqa: BLE001 - whatever it is, the rule has no answer
                    found = error
                if found:
                    failures = failures or {}
                    failures[rule.code] = found
        finally:
            if after is not None:  # it was guarded while rules looked at it
                del BUSY[id(after)]
        return failures
