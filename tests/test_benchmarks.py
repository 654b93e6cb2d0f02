"""The benchmarks count, compare and draw rightly. Nothing here measures time."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import __main__ as command
from benchmarks.chart import chart, description
from benchmarks.measuring import summary
from benchmarks.pages import RESULTS, written
from benchmarks.plan import AREAS, Comparison, Measured, Ratio, Timed, all_comparisons
from benchmarks.report import amount, costs, environment, faster, figure, goals, times


def nothing() -> Measured:
    return Measured(lambda: 0.0)


def compared(*names: str, drawn: bool = True, **limits: float) -> Comparison:
    comparison = Comparison(
        "S-2",
        "close <and> reopen",
        area="triggers",
        unit="us per trigger",
        drawn=drawn,
        ratios=[Ratio("peer", "session-fsm", **limits)],
    )
    for name in names or ("peer", "session-fsm"):
        comparison.contender(name)(nothing)
    return comparison


def results(*comparisons: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": "Linux x86_64",
        "python": "CPython 3.11.0",
        "versions": {"attrs": "1"},
        "comparisons": list(comparisons),
    }


ROUNDS = [{"peer": 8.0, "session-fsm": 2.0}, {"peer": 10.0, "session-fsm": 2.0}, {"peer": 12.0, "session-fsm": 2.0}]
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
        assert summary(compared(at_least=4), [{"session-fsm": 2.0}])["ratios"][0]["met"] is None

    def test_a_ratio_is_divided_by_its_baseline(self) -> None:
        ratio = Ratio("8", "1", baseline=("plain 8", "plain 1"))
        assert ratio.of_round({"8": 6.0, "1": 2.0, "plain 8": 3.0, "plain 1": 2.0}) == 2
        assert ratio.name == "(8 / 1) / (plain 8 / plain 1)"


class TestGoals:
    def test_the_table_is_aligned_markdown(self) -> None:
        lines = goals(results(MET, MISSED)).splitlines()
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        what = ["S-2", "close <and> reopen", "peer / session-fsm"]
        assert cells[2] == [*what, "5", "4 to 6", "at least 4, aim 6", "yes"]
        assert cells[3][-2:] == ["at most 4", "no"]
        assert len({len(line) for line in lines}) == 1

    def test_a_missing_measurement_is_reported(self) -> None:
        assert "not measured" in goals(results(summary(compared(at_least=4), [{"session-fsm": 2.0}])))

    def test_a_ratio_without_a_goal_is_neither_met_nor_missed(self) -> None:
        last = goals(results(summary(compared(), ROUNDS))).splitlines()[-1]
        assert last.strip("| ").endswith("4 to 6")


class TestFigures:
    @pytest.mark.parametrize(("value", "text"), [(12345.6, "12,346"), (5.0, "5"), (1.2345, "1.23"), (0.0, "0")])
    def test_figures_have_three_significant_digits(self, value: float, text: str) -> None:
        assert figure(value) == text

    @pytest.mark.parametrize(
        ("value", "unit", "text"),
        [
            (999.4, "us per call", "999 µs"),
            (1000.0, "us per call", "1 ms"),
            (2e6, "us per call", "2 s"),
            (1500.0, "ns per call", "1.5 µs"),
            (5000.0, "s", "5,000 s"),
            (1647.0, "bytes per session", "1,647 bytes"),
        ],
    )
    def test_long_times_have_a_longer_unit(self, value: float, unit: str, text: str) -> None:
        assert amount(value, unit) == text

    @pytest.mark.parametrize(("value", "text"), [(0.2345, "0.23x"), (3.45, "3.5x"), (12.4, "12x"), (1234.5, "1,234x")])
    def test_a_share_has_two_significant_digits(self, value: float, text: str) -> None:
        assert times(value) == text


class TestFaster:
    """What is faster than the library is listed, and only that."""

    def test_a_faster_contender_is_listed_with_its_share(self) -> None:
        found = summary(compared(), [{"peer": 1.0, "session-fsm": 4.0}])
        assert faster(results(found)).splitlines()[2:] == [
            "| Close <and> reopen | peer                        | 0.25x    |"
        ]

    def test_a_slower_contender_is_not_listed(self) -> None:
        assert len(faster(results(MET)).splitlines()) == 2

    def test_a_comparison_of_the_library_with_itself_is_not_listed(self) -> None:
        found = summary(compared("jobs=1", "jobs=2"), [{"jobs=1": 4.0, "jobs=2": 2.0}])
        assert len(faster(results(found)).splitlines()) == 2

    def test_a_comparison_that_is_not_drawn_is_not_listed(self) -> None:
        found = summary(compared(drawn=False), [{"peer": 1.0, "session-fsm": 4.0}])
        assert len(faster(results(found)).splitlines()) == 2


class TestChart:
    def bars(self, comparison: dict[str, Any]) -> tuple[list[str | None], list[float]]:
        """Return the texts, and the lengths of the bars."""
        drawn = ET.fromstring(chart(results(comparison), "triggers"))
        texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
        rectangles = [element for element in drawn.iter() if element.tag.endswith("rect")]
        return texts, [float(element.get("width", "")) for element in rectangles[1:]]

    def test_each_contender_has_a_bar_and_the_shortest_comes_first(self) -> None:
        texts, lengths = self.bars(MET)
        assert texts == ["Close <and> reopen", "session-fsm", "2 µs", "peer", "10 µs, 5x"]
        assert lengths == [80, 400]

    def test_the_library_has_a_colour_of_its_own(self) -> None:
        drawn = chart(results(MET), "triggers")
        assert re.findall(r'<rect class="(\w+)"', drawn) == ["paper", "library", "other"]

    def test_a_bar_of_nothing_can_be_seen(self) -> None:
        assert self.bars(summary(compared(), [{"peer": 1000.0, "session-fsm": 0.001}]))[1] == [2, 400]

    def test_the_chart_supports_dark_mode(self) -> None:
        assert "prefers-color-scheme:dark" in chart(results(MET), "triggers")

    def test_other_areas_single_figures_and_what_is_not_drawn_are_left_out(self) -> None:
        alone = summary(compared("session-fsm"), [{"session-fsm": 2.0}])
        assert self.bars(alone) == ([], [])
        assert self.bars(summary(compared(drawn=False), ROUNDS)) == ([], [])
        assert 'rect class="library"' not in chart(results(MET), "json")

    def test_the_description_has_every_figure(self) -> None:
        assert description(results(MET), "triggers") == "Close <and> reopen: peer 10 µs; session-fsm 2 µs."


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
        command.main(["--list"])
        listed = {line.partition(":")[0].rstrip("abcdef") for line in capsys.readouterr().out.splitlines()}
        assert listed == {f"S-{goal}" for goal in range(1, 24)}

    def test_only_the_given_goals_are_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        command.main(["--list", "S-22", "S-13a"])
        codes = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
        assert codes == ["S-13a", "S-22a", "S-22b"]

    def test_results_without_postgresql_are_not_written(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("SESSION_FSM_POSTGRES_URL", raising=False)
        with pytest.raises(SystemExit):
            command.main(["--write", "S-13"])
        assert "SESSION_FSM_POSTGRES_URL must be set" in capsys.readouterr().err


class TestMerging:
    def test_a_new_result_replaces_that_of_the_same_comparison(self) -> None:
        other = MET | {"code": "S-1"}
        kept = results(other, MET)
        assert command.merged(kept, results(MISSED), whole=False) == results(other, MISSED)

    def test_the_results_stand_in_the_order_of_the_goals(self) -> None:
        other = MET | {"code": "S-1"}
        assert command.merged(results(MET), results(other), whole=False) == results(other, MET)

    def test_a_comparison_that_is_gone_has_no_results(self) -> None:
        gone = MET | {"code": "S-99"}
        assert command.merged(results(gone), results(MET), whole=False) == results(MET)

    def test_results_of_other_versions_are_not_mixed(self) -> None:
        newer = results(MET) | {"versions": {"attrs": "2"}}
        with pytest.raises(SystemExit, match="of other versions"):
            command.merged(results(MISSED), newer, whole=False)

    def test_a_whole_run_replaces_results_of_other_versions(self) -> None:
        newer = results(MET) | {"versions": {"attrs": "2"}}
        assert command.merged(results(MISSED), newer, whole=True) == newer

    def test_the_first_result_is_kept(self) -> None:
        assert command.merged(None, results(MET), whole=False) == results(MET)


KEPT = json.loads(RESULTS.read_text(encoding="utf-8"))


class TestPages:
    """The pages and pictures show the results that are kept."""

    @pytest.mark.parametrize("path", written(KEPT), ids=lambda path: path.name)
    def test_a_page_has_the_kept_results(self, path: Path) -> None:
        """``python -m benchmarks --render`` writes them."""
        assert path.read_text(encoding="utf-8") == written(KEPT)[path]

    def test_every_comparison_has_results(self) -> None:
        named = {comparison.code: {one.name for one in comparison.contenders} for comparison in all_comparisons()}
        assert {comparison["code"]: set(comparison["figures"]) for comparison in KEPT["comparisons"]} == named

    def test_titles_units_and_goals_are_those_of_the_comparisons(self) -> None:
        for comparison, kept in zip(all_comparisons(), KEPT["comparisons"], strict=True):
            again = summary(comparison, [{one.name: 1.0 for one in comparison.contenders}])
            for key in ("code", "title", "area", "drawn", "unit"):
                assert kept[key] == again[key]
            bounds = [[ratio[key] for key in ("name", "at_least", "at_most", "aim")] for ratio in again["ratios"]]
            assert [
                [ratio[key] for key in ("name", "at_least", "at_most", "aim")] for ratio in kept["ratios"]
            ] == bounds

    def test_the_table_of_costs_has_a_figure_for_each_of_its_rows(self) -> None:
        assert len(costs(KEPT).splitlines()) == 2 + 21
        assert costs(results()).splitlines()[2:] == []

    def test_a_section_shows_the_picture_of_each_area(self) -> None:
        page = next(path for path in written(KEPT) if path.name == "speed.md").read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)\n\n<!-- results: chart (\w+) -->", page, re.MULTILINE) == [
            (title, area) for area, title in AREAS.items()
        ]

    def test_the_page_names_the_versions(self) -> None:
        assert environment(results()) == "Linux x86_64, CPython 3.11.0; attrs 1.\n"


def test_every_ratio_names_existing_contenders() -> None:
    for comparison in all_comparisons():
        names = {one.name for one in comparison.contenders}
        assert comparison.area in AREAS
        for ratio in comparison.ratios:
            assert {ratio.of, *filter(None, [ratio.over]), *(ratio.baseline or ())} <= names
