"""Compute the fewest paths that cover all transitions, all pairs of transitions, or all rule outcomes.

Each path is played with the real rules and real arguments before it is returned.

>>> from session_fsm import CustomerSession
>>> found = paths(CustomerSession)
>>> print(found.paths[0].code())
session = CustomerSession.create("order-1")
assert session.state == "open"
...
>>> found.missing
()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from session_fsm.converters import to_member
from session_fsm.errors import InvalidValue
from session_fsm.session import CustomerSession
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.path import Cover, Paths
from session_fsm.testing.generation.rule_paths import rule_paths
from session_fsm.testing.generation.search import BUDGET
from session_fsm.testing.generation.transition_paths import transition_paths
from session_fsm.testing.steps import Contexts

__all__ = ["paths"]


@unrecorded()
def paths(
    kind: type[CustomerSession],
    cover: Cover | str = Cover.TRANSITIONS,
    own: Mapping[str, Any] | None = None,
    *,
    context: Contexts = None,
    budget: int = BUDGET,
) -> Paths:
    """Return the fewest paths that reach every feasible goal; deterministic.

    Each path was played with the real rules.

    Transitions and pairs: if the number of paths equals `Paths.least`, it is minimal, and the number of steps is
    minimal for that many paths. There are more only if a rule forbids a sequence although it allows every two
    successive steps of it; then the remaining goals have separate paths.

    Rules: a rule that only a creation can violate needs a separate path, because nothing follows a refused creation;
    the other goals are merged into as few paths as the search finds, which is minimal if it equals `Paths.least`. No
    step can be dropped without losing a goal.

    Args:
        kind: the session class.
        cover: the goals.
        own: what a creation gives to the fields that *kind* adds.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        budget: how many stories to judge at most in each search.

    Raises:
        InvalidValue: *cover* does not exist.
    """
    wanted = to_member(Cover, cover)
    if not isinstance(wanted, Cover):
        raise InvalidValue("/cover", f"{cover!r} is none of: {', '.join(Cover)}")
    if wanted is Cover.RULES:
        return rule_paths(kind, own or {}, context, budget)
    return transition_paths(kind, wanted, own or {}, context, budget)
