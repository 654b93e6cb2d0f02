"""What `SessionMachine` checks after each step; each check raises an AssertionError that says what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from session_fsm.entities import contents
from session_fsm.session import CustomerSession
from session_fsm.testing.model.reference import Verdict
from session_fsm.testing.test_classes import check

__all__ = ["check_codes", "check_no_differences", "check_unchanged", "reasons_of"]


def check_unchanged(before: Mapping[str, Any], session: CustomerSession, otherwise: str) -> None:
    """Check that *session* still has the contents *before*."""
    names = [name.lstrip("_") for name, value in contents(session).items() if before.get(name) != value]
    check(not names, f"{otherwise} {', '.join(names)}")


def check_no_differences(differences: list[str]) -> None:
    """Check that there are no *differences* between the session and the reference."""
    check(not differences, "the session differs from the reference: " + "; ".join(differences))


def reasons_of(decision: Any) -> Any:
    """Return the parts in which two decisions on one call must agree; messages of `put` differ."""
    violations = [(v.code, v.pointer, v.details) for v in decision.violations]
    return decision.trigger, decision.source, decision.target, decision.event_name, decision.checks, violations


def check_codes(verdict: Verdict, decision: Any) -> None:
    """Check that the violations of built-in rules are those of the reference."""
    found = frozenset((v.code, v.pointer) for v in decision.violations if Verdict.knows(v.code))
    check(
        found == verdict.faults,
        f"{verdict.trigger} is refused for {sorted(map(str, found))}; expected {sorted(map(str, verdict.faults))}",
    )
