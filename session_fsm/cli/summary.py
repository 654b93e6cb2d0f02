"""`Summary` counts the requests of a replay and is printed at its end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import define, field

from session_fsm.cli.terminal import Cell
from session_fsm.recording import Recording, Result
from session_fsm.states import State

__all__ = ["Summary"]


@define
class Summary:
    """Counters of a replay."""

    operations: Counter[str] = field(factory=Counter[str])
    """Requests by the short name of their operation."""
    applied: int = 0
    allowed: int = 0
    """Dry runs that were not refused."""
    refused: int = 0
    already: int = 0
    """Refused requests whose session was already in the wanted state."""
    codes: Counter[str] = field(factory=Counter[str])
    """Refusals by code; a refusal with two codes counts under both."""
    unreadable: int = 0
    snapshots: int = 0
    interrupted: bool = False
    """Whether Ctrl-C ended the run."""

    def count(self, result: Result) -> None:
        """Count one request."""
        self.operations[result.request.name] += 1
        if result.violations:
            self.refused += 1
            self.already += result.already
            self.codes.update({violation.code for violation in result.violations})
        elif result.request.dry:
            self.allowed += 1
        else:
            self.applied += 1

    @property
    def requests(self) -> int:
        """The number of lines, including those that cannot be read."""
        return self.applied + self.allowed + self.refused + self.unreadable

    def document(self, recording: Recording) -> dict[str, Any]:
        """Return the summary as a JSON document."""
        return (
            {
                "requests": self.requests,
                "operations": dict(self.operations.most_common()),
                "applied": self.applied,
                "allowedDryRuns": self.allowed,
                "refused": self.refused,
                "alreadyThere": self.already,
                "refusedByCode": _sorted(self.codes),
                "unreadable": self.unreadable,
                "sessions": _states(recording),
            }
            | ({"snapshots": self.snapshots} if self.snapshots else {})
            | ({"interrupted": True} if self.interrupted else {})
        )

    def rows(self, recording: Recording) -> list[tuple[str | Cell, ...]]:
        """Return the summary as rows of a table."""
        already = f"{self.already} already in the wanted state" if self.already else ""
        lines = [
            ("requests", self.requests, "", _listed(self.operations)),
            ("applied", self.applied, "", ""),
            ("dry runs", self.allowed, "", "allowed, and nothing changed"),
            ("refused", self.refused, "refused", "; ".join(filter(None, [_listed(_sorted(self.codes)), already]))),
            ("unreadable", self.unreadable, "refused", ""),
            ("snapshots", self.snapshots, "", "sessions to go on from"),
            ("sessions", len(recording.sessions), "", _listed(_states(recording))),
        ]
        width = max(len(str(number)) for _, number, _, _ in lines)
        return [
            (Cell(name, "quiet"), Cell(f"{number:>{width}}", style if number else ""), text)
            for name, number, style, text in lines
            if number or name not in ("dry runs", "snapshots")
        ]


def _sorted(codes: Counter[str]) -> dict[str, int]:
    """Return *codes*, the most frequent first; equally frequent ones are sorted by name."""
    return dict(sorted(codes.items(), key=lambda item: (-item[1], item[0])))


def _states(recording: Recording) -> dict[str, int]:
    counts = Counter(session.state for session in recording.sessions.values())
    return {state.value: counts[state] for state in State}


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items() if number)
