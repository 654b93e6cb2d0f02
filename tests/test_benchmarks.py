"""The benchmarks count, compare and draw rightly. Nothing here measures time."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import main
from benchmarks.chart import chart
from benchmarks.measuring import summary
from benchmarks.plan import Comparison, Ratio, Timed, all_comparisons
from benchmarks.report import figure, table


def compared(**limits: float) -> Comparison:
    return Comparison("S-2", "close <and> reopen", unit="us per trigger", ratios=[Ratio("peer", "ours", **limits)])


def results(*comparisons: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": "Linux x86_64",
        "python": "CPython 3.11.0",
        "versions": {"attrs": "1"},
        "quick": True,
        "comparisons": list(comparisons),
    }


ROUNDS = [{"peer": 8.0, "ours": 2.0}, {"peer": 10.0, "ours": 2.0}, {"peer": 12.0, "ours": 2.0}]
MET = summary(compared(at_least=4, aim=6), ROUNDS)
MISSED = summary(compared(at_most=4), ROUNDS)


class TestRatios:
    def test_the_median_of_the_rounds_counts(self) -> None:
        assert MET["ratios"][0]["median"] == 5
        assert (MET["ratios"][0]["low"], MET["ratios"][0]["high"]) == (4, 6)
        assert MET["figures"]["peer"]["median"] == 10

    @pytest.mark.parametrize(
        ("limits", "met"),
        [({"at_least": 5}, True), ({"at_least": 5.1}, False), ({"at_most": 5}, True), ({"at_most": 4.9}, False)],
    )
    def test_a_goal_is_met_at_its_limit(self, limits: dict[str, float], met: bool) -> None:
        assert summary(compared(**limits), ROUNDS)["ratios"][0]["met"] is met

    def test_a_contender_that_did_not_take_part_leaves_the_ratio_unmeasured(self) -> None:
        assert summary(compared(at_least=4), [{"ours": 2.0}])["ratios"][0]["met"] is None

    def test_a_ratio_is_divided_by_its_baseline(self) -> None:
        ratio = Ratio("8", "1", baseline=("plain 8", "plain 1"))
        assert ratio.of_round({"8": 6.0, "1": 2.0, "plain 8": 3.0, "plain 1": 2.0}) == 2
        assert ratio.name == "(8 / 1) / (plain 8 / plain 1)"


class TestTable:
    def test_it_is_markdown_with_the_versions_above(self) -> None:
        lines = table(results(MET, MISSED)).splitlines()
        assert lines[0] == "Linux x86_64, CPython 3.11.0; attrs 1."
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
        assert cells[2] == ["S-2", "close <and> reopen", "peer / ours", "5", "4 to 6", "at least 4, aim 6", "yes"]
        assert cells[3][-2:] == ["at most 4", "no"]
        assert len({len(line) for line in lines[2:]}) == 1

    def test_a_missing_measurement_is_reported(self) -> None:
        assert "not measured" in table(results(summary(compared(at_least=4), [{"ours": 2.0}])))

    @pytest.mark.parametrize(("value", "written"), [(12345.6, "12,346"), (5.0, "5"), (1.2345, "1.23"), (0.0, "0")])
    def test_figures_have_three_significant_digits(self, value: float, written: str) -> None:
        assert figure(value) == written


class TestChart:
    def test_the_chart_has_a_bar_for_each_goal(self) -> None:
        drawn = ET.fromstring(chart(results(MET, MISSED)))
        said = [element.text for element in drawn.iter() if element.tag.endswith("text")]
        assert "5, at least 4, aim 6: met" in said
        assert "5, at most 4: missed" in said
        assert "S-2 close <and> reopen" in said

    def test_the_chart_supports_dark_mode(self) -> None:
        assert "prefers-color-scheme:dark" in chart(results(MET))

    def test_a_missing_measurement_has_no_bar(self) -> None:
        assert "S-2" not in chart(results(summary(compared(at_least=4), [{"ours": 2.0}])))


class TestTimed:
    def test_preparation_is_not_timed(self) -> None:
        clock, done = iter([10.0, 16.0]), []
        timed = Timed(done.append, lambda repeats: f"{repeats} things", pieces=2, clock=lambda: next(clock))
        assert timed.value(3) == 1
        assert done == ["3 things"]

    def test_warm_up_doubles_the_repeats(self) -> None:
        class Clock:
            seconds = 0.0

        def work(repeats: range) -> None:
            Clock.seconds += len(repeats)

        assert Timed(work, clock=lambda: Clock.seconds).warm_up(5) == 8


class TestCommand:
    def test_every_goal_is_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["--list"])
        listed = capsys.readouterr().out
        assert [f"S-{goal}" for goal in (*range(1, 13), *range(17, 22)) if f"S-{goal}" not in listed] == []

    def test_results_are_shown_again_from_their_file(self, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
        held, again, drawn = (tmp_path / name for name in ("results.json", "again.json", "speed.svg"))
        held.write_text(json.dumps(results(MET)), encoding="utf-8")
        main(["--from", str(held), "--json", str(again), "--svg", str(drawn)])
        assert capsys.readouterr().out == table(results(MET))
        assert json.loads(again.read_text(encoding="utf-8")) == results(MET)
        assert drawn.read_text(encoding="utf-8") == chart(results(MET))


def test_every_ratio_names_existing_contenders() -> None:
    for comparison in all_comparisons():
        names = {one.name for one in comparison.contenders}
        for ratio in comparison.ratios:
            assert {ratio.of, *filter(None, [ratio.over]), *(ratio.baseline or ())} <= names
