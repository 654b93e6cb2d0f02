"""The results of the tests of mutants, and the mutation score."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from session_fsm.testing.mutation.mutants import Mutant

__all__ = ["Result", "Score", "Verdict"]


class Verdict(StrEnum):
    """The result of the tests of a mutant."""

    KILLED = "killed"
    """A test failed."""
    TIMED_OUT = "timed out"
    """The tests did not finish in time; this counts as killed."""
    SURVIVED = "survived"
    """No test failed."""
    EQUIVALENT = "equivalent"
    """No test failed, and a search found no difference in behaviour."""
    NOT_TESTED = "not tested"
    """The tests ran without the mutant, so there is no result."""


@frozen
class Result:
    """A mutant and the result of its tests."""

    mutant: Mutant
    verdict: Verdict
    reason: str = ""
    """Why the mutant was not tested, why it counts as equivalent, or why a survivor has no witness."""
    witness: str = ""
    """For a survivor: Python that behaves differently under the mutant, to turn into a test."""


@frozen
class Score:
    """The results of all mutants that were tested, in the order of the mutants."""

    results: tuple[Result, ...]
    planned: int
    """How many mutants there were to test."""
    interrupted: bool = field(default=False, kw_only=True)

    def of(self, *verdicts: Verdict) -> tuple[Result, ...]:
        """Return the results with one of these verdicts."""
        return tuple(result for result in self.results if result.verdict in verdicts)

    @property
    def killed(self) -> tuple[Result, ...]:
        """The mutants that the tests detected."""
        return self.of(Verdict.KILLED, Verdict.TIMED_OUT)

    @property
    def survivors(self) -> tuple[Result, ...]:
        """The mutants that no test detected, without the equivalent ones."""
        return self.of(Verdict.SURVIVED)

    @property
    def percent(self) -> float:
        """The mutation score: killed mutants as a percentage of killed and surviving ones; 100 if there are none."""
        judged = len(self.killed) + len(self.survivors)
        return 100.0 * len(self.killed) / judged if judged else 100.0
