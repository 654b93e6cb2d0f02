"""Tests of `Coverage`: goals, gaps, percentage and text report."""

from typing import Any

import pytest
from builders import CREATED, EveryRuleSession, TenantSession, fresh

from session_fsm import CustomerSession, InvalidValue, rule
from session_fsm.decisions import Outcome
from session_fsm.testing import Coverage, Recorder, recording
from session_fsm.testing.generation.witnesses import NoWitness, Why


@rule("closed_for_good", on=["close", "create"], target="closed")
def nothing_is_ever_closed(total: Any) -> bool:
    """Nothing is ever closed."""
    return False


class NeverClosed(CustomerSession):
    rules = (nothing_is_ever_closed,)


def fail(*_: Any, **__: Any) -> Any:
    """Replace a search by one that fails."""
    raise RuntimeError("no\x1bway")


def coverage_of(kind: type[CustomerSession]) -> Coverage:
    return Recorder().of(kind)


class TestGoals:
    """The goals are every row and both outcomes of every rule."""

    def test_goals_are_the_rows_and_both_outcomes_of_every_rule(self) -> None:
        coverage = coverage_of(NeverClosed)
        keys = [goal.key for goal in coverage.goals]
        assert keys == [*(f"T-{n:02}" for n in range(1, 11)), "closed_for_good:passed", "closed_for_good:violated"]
        assert set(keys) <= coverage.counts.keys()
        assert len(coverage_of(CustomerSession).goals) == 10 + 2 * 9

    def test_a_goal_prints_what_never_happened(self) -> None:
        said = [str(goal) for goal in coverage_of(NeverClosed).goals]
        assert said[0] == "T-01 (new) -> create -> open never took place"
        assert said[-3:] == [
            "T-10 partially_returned -> return_items -> partially_returned never took place",
            "closed_for_good never passed",
            "closed_for_good never refused",
        ]

    def test_missing_transitions_are_counted_but_are_no_goals(self) -> None:
        coverage = coverage_of(CustomerSession)
        assert len(coverage.refusals) == 12
        assert ("open", "close") not in coverage.refusals
        assert not any("reopen from open" in str(goal) for goal in coverage.goals)

    def test_reached_goals_are_not_missing(self) -> None:
        with recording() as recorder:
            CustomerSession.create("x", now=CREATED)
        coverage = recorder.of(CustomerSession)
        missing = [goal.key for goal in coverage.missing]
        assert "T-01" not in missing
        assert "too_many_units:passed" not in missing
        assert {"T-02", "too_many_units:violated"} <= set(missing)
        assert coverage.reached == len(coverage.goals) - len(missing) == 4


class TestGaps:
    """Each missing goal has a witness or a reason."""

    @pytest.mark.parametrize("kind", [CustomerSession, EveryRuleSession])
    def test_the_example_of_every_gap_reaches_its_goal(self, kind: type[CustomerSession]) -> None:
        gaps = coverage_of(kind).gaps
        assert len(gaps) == len(kind.machine.table) + 2 * len(kind.machine.rules)
        for gap in gaps:
            assert gap.witness is not None
            with recording() as recorder:
                exec(gap.witness.code(imports=True), {})
            assert gap.goal not in recorder.of(kind).missing

    def test_excused_gaps_are_not_counted(self) -> None:
        coverage = coverage_of(NeverClosed)
        excused = [gap.goal.key for gap in coverage.gaps if gap.excused]
        assert excused == ["T-02", "T-04", "T-06", "T-07", "T-08", "T-09", "T-10", "closed_for_good:passed"]
        assert coverage.possible == 12 - 8
        report = Recorder().report(NeverClosed)
        assert "  T-04  open -> close -> closed" in report
        assert report.index("\nMissing\n") < report.index("\nExcused, and not counted\n")
        assert "  closed_for_good never passed\n  because " in report.split("\nExcused, and not counted\n")[1]

    def test_a_failed_search_does_not_excuse_a_gap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("session_fsm.testing.coverage.result.witness", fail)
        coverage = coverage_of(NeverClosed)
        assert {gap.reason for gap in coverage.gaps} == {"no example was found: RuntimeError: no\x1bway"}
        assert coverage.possible == 12
        report = Recorder().report(NeverClosed)
        assert "  closed_for_good never refused\n  because no example was found: RuntimeError: no\\x1bway\n" in report

    def test_own_fields_are_passed_to_the_search(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given: list[Any] = []
        monkeypatch.setattr("session_fsm.testing.coverage.result.witness", lambda *_, own, **__: given.append(own))
        kind: type[CustomerSession] = type("RuledTenant", (TenantSession,), {"rules": ()})
        assert len(Recorder().of(kind, own={"tenant": "acme"}).gaps) == 10
        assert given == [{"tenant": "acme"}] * 10

    def test_a_class_that_cannot_be_created_is_reported(self) -> None:
        kind: type[CustomerSession] = type("RuledTenant", (TenantSession,), {"rules": CustomerSession.rules[:1]})
        without = Recorder().of(kind)
        assert all("tenant" in gap.reason for gap in without.gaps)
        assert without.possible == len(without.goals)


class TestPercent:
    """The percentage is never rounded up."""

    @pytest.mark.parametrize(
        ("reached", "percent"), [(0, 0.0), (1, 3.5), (27, 96.4), (28, 100.0)]
    )  # of 28: 3.57 and 96.43
    def test_the_percentage_is_rounded_down(
        self, reached: int, percent: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("session_fsm.testing.coverage.result.witness", fail)
        empty = coverage_of(CustomerSession)
        counts = {goal.key: int(place < reached) for place, goal in enumerate(empty.goals)}
        coverage = Coverage(
            kind=CustomerSession,
            rows={name: counts[name] for name in empty.rows},
            rules={code: {outcome: counts.get(f"{code}:{outcome}", 0) for outcome in Outcome} for code in empty.rules},
            refusals=empty.refusals,
        )
        assert (coverage.reached, coverage.percent) == (reached, percent)

    def test_without_possible_goals_coverage_is_complete(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def contradict(*_: Any, **__: Any) -> Any:
            raise NoWitness("anything", Why.CONTRADICTORY, (), 1, "nothing goes")

        monkeypatch.setattr("session_fsm.testing.coverage.result.witness", contradict)
        coverage = coverage_of(NeverClosed)
        assert (coverage.reached, coverage.possible, coverage.percent) == (0, 0, 100.0)


def test_the_report_of_a_class_without_rules_has_no_rule_table() -> None:
    report = Recorder().report(fresh(rules=()))
    assert ": 0.0 %, 0 of 10 rows and rule outcomes exercised\n" in report
    assert "errored" not in report


def test_gaps_with_the_same_example_share_it() -> None:
    report = Recorder().report(fresh(rules=CustomerSession.rules[:2]))
    alike = "  state_not_creatable never passed\n  too_many_cart_items never passed\n"
    assert f"  T-01 (new) -> create -> open never took place\n{alike}  for example:\n\n" in report


def test_an_unknown_report_format_is_refused() -> None:
    with pytest.raises(InvalidValue, match="gif"):
        Recorder().report(format="gif")
