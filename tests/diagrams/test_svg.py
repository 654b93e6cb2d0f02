"""The SVG renderer: completeness, escaping, stable output."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import diagram_cases
import pytest
from diagram_cases import (
    CASES,
    EVERY_PAIR,
    EXPECTED,
    PLAIN,
    SHOP,
    Case,
    edge,
    expected_files,
    with_edges,
)
from hostile_diagrams import HOSTILE, hostile_cases
from hypothesis import given
from pictures import (
    SVG,
    area_of_box,
    draw,
    groups,
    lines_of,
    of_case,
    overlapping,
    texts,
    tip_of,
    title_of,
)
from tools import node_module, program

from session_fsm import State
from session_fsm.diagrams.drawable import drawable
from session_fsm.diagrams.model import Diagram, Overlay, RuleText
from session_fsm.diagrams.svg.picture import render
from session_fsm.diagrams.svg.text import length, wrap


def edges_of(root: ET.Element) -> list[tuple[Any, ...]]:
    """Parse the edges of a picture: source and target from their lines, the rest from the texts of their cards."""
    states = {group.attrib["data-state"]: area_of_box(group) for group in groups(root, "state")}
    found: list[tuple[Any, ...]] = []
    for group in groups(root, "edge"):
        begin = lines_of(group)[0][0]
        source = [name for name, box in states.items() if box.borders(begin)]
        (target,) = [name for name, box in states.items() if box.borders(tip_of(group))]
        trigger, number, event, *_ = texts(group)
        codes = tuple(text for rule in groups(group, "rule") for text in texts(rule))
        found.append((number, *(source or [None]), trigger, target, event, codes))
    return found


def edges_in(diagram: Diagram) -> list[tuple[Any, ...]]:
    return [
        (
            f"{edge.operation.name.capitalize()} · {edge.id}",
            edge.source,
            edge.trigger,
            edge.target,
            edge.event_name,
            edge.rules if diagram.listed_at(edge) is edge else (),
        )
        for edge in diagram.edges
    ]


def is_loop(group: ET.Element) -> bool:
    return group.attrib["data-source"] == group.attrib["data-target"]


def spanned(line: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the leftmost and the rightmost x of a line."""
    across = [x for x, _ in line]
    return min(across), max(across)


class TestComplete:
    """The picture shows every row of the table with its details, and nothing else."""

    @pytest.mark.parametrize("diagram", [PLAIN, SHOP], ids=["CustomerSession", "ShopSession"])
    def test_the_edges_of_the_picture_are_those_of_the_table_in_order(self, diagram: Diagram) -> None:
        assert edges_of(draw(diagram)) == edges_in(diagram)

    @pytest.mark.parametrize("index", range(len(PLAIN.edges)), ids=[edge.id for edge in PLAIN.edges])
    def test_a_missing_row_is_detected(self, index: int) -> None:
        fewer = with_edges(*(edge for other, edge in enumerate(PLAIN.edges) if other != index))
        assert edges_of(draw(fewer)) == edges_in(fewer)
        assert edges_of(draw(fewer)) != edges_in(PLAIN)

    @pytest.mark.parametrize(("source", "target"), EVERY_PAIR)
    def test_a_row_between_any_two_states_is_drawn(self, source: State | None, target: State) -> None:
        alone = with_edges(edge(1, source, target))
        added = with_edges(*PLAIN.edges, edge(1, source, target), edge(2, source, target))
        for diagram in (alone, added):
            root = draw(diagram)
            assert edges_of(root) == edges_in(diagram)
            assert overlapping(root) == []

    def test_all_possible_rows_fit_into_one_picture(self) -> None:
        every = with_edges(*(edge(index, *pair) for index, pair in enumerate(EVERY_PAIR)))
        root = draw(every)
        assert edges_of(root) == edges_in(every)
        assert overlapping(root) == []

    def test_two_rows_between_the_same_states_are_drawn_separately(self) -> None:
        root = draw(with_edges(edge(1, State.OPEN, State.CANCELLED), edge(2, State.OPEN, State.CANCELLED)))
        first, second = (lines_of(group) for group in groups(root, "edge"))
        assert first != second

    def test_a_table_without_rows_shows_its_states(self) -> None:
        root = draw(with_edges(rules=()))
        assert [group.attrib["data-state"] for group in groups(root, "state")] == list(State)
        assert "new" not in texts(root)

    def test_simple_detail_shows_only_states_and_triggers(self) -> None:
        root = draw(PLAIN, detail="simple")
        assert [texts(group) for group in groups(root, "edge")] == [[edge.trigger] for edge in PLAIN.edges]
        assert [texts(group) for group in groups(root, "state")] == [[state] for state in State]
        assert groups(root, "legend") == []

    def test_only_cancelled_has_a_double_border(self) -> None:
        root = draw(PLAIN)
        assert [len(group.findall(f"{SVG}rect")) for group in groups(root, "state")] == [1, 1, 1, 2]

    def test_rules_that_an_earlier_card_lists_are_not_repeated(self) -> None:
        cards = {group.attrib["data-edge"]: group for group in groups(draw(PLAIN), "edge")}
        repeated = {number: texts(card)[-1] for number, card in cards.items() if "same rules" in texts(card)[-1]}
        assert repeated == {"T-02": "same rules as T-01", "T-10": "same rules as T-07"}
        assert len(groups(cards["T-07"], "rule")) == 6
        assert groups(cards["T-10"], "rule") == []
        assert "returns_more_than_remaining: A return must not" in title_of(cards["T-10"])

    def test_a_loop_is_one_line_that_touches_its_card(self) -> None:
        for detail in ("full", "simple"):
            loops = [group for group in groups(draw(PLAIN, detail=detail), "edge") if is_loop(group)]
            assert [loop.attrib["data-edge"] for loop in loops] == ["T-03", "T-10"]
            for loop in loops:
                (line,) = lines_of(loop)
                card = area_of_box(loop)
                assert any(abs(x - side) <= 1 for x, _ in line for side in (card.left, card.right))

    def test_every_loop_of_a_state_is_drawn_around_the_others(self) -> None:
        for state in State:
            root = draw(with_edges(*(edge(number, state, state) for number in range(3))))
            outer, middle, inner = sorted(spanned(lines_of(group)[0]) for group in groups(root, "edge"))
            assert outer[0] < middle[0] < inner[0]
            assert inner[1] < middle[1] < outer[1]

    def test_the_creations_share_the_initial_dot(self) -> None:
        begins = [lines_of(group)[0][0] for group in groups(draw(PLAIN), "edge")]
        assert begins[0] == begins[1]
        assert begins.count(begins[0]) == 2

    def test_every_rule_is_explained_in_the_legend(self) -> None:
        legend = groups(draw(SHOP), "legend")
        assert [texts(entry)[0] for entry in legend] == [rule.code for rule in SHOP.rules]
        for entry, rule in zip(legend, SHOP.rules, strict=True):
            assert " ".join(texts(entry)[2:]) == rule.text
            assert title_of(entry) == f"{rule.code}: {rule.text}"

    def test_every_state_shows_its_meaning(self) -> None:
        for group, node in zip(groups(draw(PLAIN), "state"), PLAIN.nodes, strict=True):
            assert texts(group)[0] == node.state
            assert " ".join(texts(group)[1:]) == node.meaning

    def test_a_rule_that_guards_no_edge_is_only_in_the_legend(self) -> None:
        odd = attrs.evolve(PLAIN, rules=(*PLAIN.rules, RuleText(code="idle", text="It guards nothing.")))
        assert texts(groups(draw(odd), "legend")[-1]) == ["idle", "It guards nothing."]


class TestStable:
    """The same diagram always gives the same bytes."""

    @pytest.mark.parametrize(("file", "content"), [pytest.param(*pair, id=pair[0].name) for pair in expected_files()])
    def test_the_output_equals_the_expected_file(self, file: Any, content: str) -> None:
        assert content == file.read_text(encoding="utf-8"), (
            "review the change, then run python tests/support/diagram_cases.py"
        )

    def test_there_are_no_other_expected_files(self) -> None:
        ours = {file.name for file, _ in expected_files()}
        assert ours == {file.name for file in EXPECTED.iterdir()}

    @pytest.mark.parametrize("seed", ["0", "1", "31337"])
    def test_the_output_does_not_depend_on_the_hash_seed(self, seed: str) -> None:
        program = "import diagram_cases as c; assert all(f.read_text(encoding='utf-8') == text for f, text in c.expected_files())"
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(diagram_cases.__file__).parent)}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)


class TestSafe:
    """No text breaks the picture or adds elements to it."""

    @given(hostile_cases())
    def test_any_text_keeps_the_picture_well_formed_and_legible(self, case: Case) -> None:
        root = of_case(case)
        assert {element.tag for element in root.iter()} <= {
            f"{SVG}{tag}" for tag in ("svg", "title", "desc", "style", "rect", "path", "text", "g")
        }
        assert overlapping(root) == []
        assert title_of(root).split() == case.diagram.title.split()
        shown = {title_of(rule) for rule in groups(root, "rule")}
        assert case.detail == "simple" or len(shown) == len(case.diagram.rules)

    def test_text_that_bypasses_the_model_is_cleaned(self) -> None:
        diagram = attrs.evolve(PLAIN, title=HOSTILE, class_name=HOSTILE)
        root = draw(diagram, Overlay(current=State.OPEN, subject=HOSTILE, refusals=(HOSTILE,)))
        assert title_of(root) == drawable(HOSTILE)
        assert overlapping(root) == []

    @pytest.mark.parametrize("name", CASES)
    def test_the_picture_has_no_scripts_links_or_ids(self, name: str) -> None:
        picture = render(*CASES[name][:2], detail=CASES[name].detail)
        assert not re.search(r"<script|<image|<use|<foreignObject|\son\w+=|href|url\(|@import|\sid=|\sstyle=", picture)

    def test_the_w3c_validator_accepts_the_pictures(self, tmp_path: Any) -> None:
        java, jar = program("java"), node_module("vnu-jar/build/dist/vnu.jar")
        for name, case in CASES.items():
            (tmp_path / f"{name}.svg").write_text(render(case.diagram, case.overlay, detail=case.detail))
        command = [java, "-jar", str(jar), "--svg", "--errors-only", *map(str, sorted(tmp_path.iterdir()))]
        found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert (found.returncode, found.stderr) == (0, "")


class TestWrapping:
    """Text is broken between words if possible."""

    def test_words_that_fit_are_not_broken(self) -> None:
        assert wrap("one two three", 60, 12, most=5) == ("one two", "three")

    def test_a_long_word_is_broken(self) -> None:
        lines = wrap("a " + "m" * 10, 40, 10, most=9)
        assert "".join(lines) == "a" + "m" * 10
        assert all(length(line, 10) <= 40 for line in lines)

    def test_text_that_does_not_fit_ends_with_an_ellipsis(self) -> None:
        lines = wrap("word " * 100, 60, 12, most=2)
        assert len(lines) == 2
        assert lines[1].endswith("…")

    def test_an_empty_text_is_one_empty_line(self) -> None:
        assert wrap("", 60, 12, most=2) == ("",)
