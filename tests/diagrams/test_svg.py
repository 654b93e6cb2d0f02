"""The SVG renderer: completeness, legibility, escaping, stable output."""

import itertools
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
    NOTHING,
    PLAIN,
    SHOP,
    Case,
    counts,
    edge,
    expected_files,
    with_edges,
)
from hostile_diagrams import HOSTILE, hostile_cases
from hypothesis import given
from pictures import (
    SVG,
    Area,
    area_of_box,
    area_of_rect,
    area_of_text,
    groups,
    lines_of,
    read,
    strokes,
    texts,
    tip_of,
    title_of,
)
from tools import node_module, program

from session_fsm import State
from session_fsm.diagrams.drawable import drawable
from session_fsm.diagrams.model import Diagram, HistoryEntry, Overlay, RuleText
from session_fsm.diagrams.svg.paint import COLOURS, STYLE
from session_fsm.diagrams.svg.picture import render
from session_fsm.diagrams.svg.text import length, wrap


def draw(diagram: Diagram, overlay: Overlay = NOTHING, detail: str = "full") -> ET.Element:
    return read(render(diagram, overlay, detail=detail))


def of_case(case: Case) -> ET.Element:
    return draw(case.diagram, case.overlay, case.detail)


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


def crowded(root: ET.Element) -> list[str]:
    """Return the texts that are too near to the innermost frame of their card (6 pixels) or their state (8 pixels)."""
    found: list[str] = []
    for name, margin in (("edge", 6), ("state", 8)):
        for group in groups(root, name):
            *_, frame = filter(is_frame, group.findall(f"{SVG}rect"))
            left, top, right, bottom = area_of_rect(frame)
            room = Area(left + margin, top + margin, right - margin, bottom - margin)
            shown = [text for text in group.iter(f"{SVG}text") if text.text != "here now"]
            found += [text.text or "" for text in shown if not room.holds(area_of_text(text))]
    return found


def is_frame(rect: ET.Element) -> bool:
    """Whether *rect* is no badge, which is as high as its text."""
    return float(rect.attrib["height"]) > 20


def overlapping(root: ET.Element) -> list[tuple[str, str]]:
    """Return the pairs of texts that overlap, and the texts that leave the picture or their box."""
    found: list[tuple[str, str]] = []
    shown = [(text.text or "", area_of_text(text)) for text in root.iter(f"{SVG}text")]
    for (one, area), (other, other_area) in itertools.combinations(shown, 2):
        if area.meets(other_area):
            found.append((one, other))
    paper = area_of_box(root)
    found += [(text, "the paper") for text, area in shown if not paper.holds(area)]
    for group in (*groups(root, "edge"), *groups(root, "state")):
        box = area_of_box(group)
        for text in group.iter(f"{SVG}text"):
            if text.text != "here now" and not box.holds(area_of_text(text)):
                found.append((text.text or "", "its box"))
    return found


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


class TestLegible:
    """Everything is legible at the width of a README."""

    @pytest.mark.parametrize("name", CASES)
    def test_no_text_overlaps_another_or_leaves_its_box(self, name: str) -> None:
        assert overlapping(of_case(CASES[name])) == []

    @pytest.mark.parametrize("name", CASES)
    def test_no_text_touches_a_frame(self, name: str) -> None:
        assert crowded(of_case(CASES[name])) == []

    def test_the_simple_picture_fits_the_top_of_a_readme(self) -> None:
        assert int(draw(PLAIN, detail="simple").attrib["height"]) <= 420

    def test_below_the_title_stands_only_what_the_title_does_not_say(self) -> None:
        plain, session = (texts(of_case(CASES[name])) for name in ("plain", "closed"))
        assert plain[:2] == ["CustomerSession", "new"]
        assert session[:2] == ["CustomerSession", "order-1042 is closed now"]
        titled = attrs.evolve(PLAIN, title="Orders")
        assert texts(draw(titled))[:2] == ["Orders", "CustomerSession"]
        assert texts(draw(titled, Overlay(current=State.OPEN)))[1] == "CustomerSession: the session is open now"

    @pytest.mark.parametrize("name", CASES)
    def test_no_text_is_smaller_than_11_pixels_at_830(self, name: str) -> None:
        root = of_case(CASES[name])
        assert root.attrib["width"] == "830"
        assert root.attrib["viewBox"] == f"0 0 830 {root.attrib['height']}"
        assert min(int(text.attrib["font-size"]) for text in root.iter(f"{SVG}text")) >= 11

    @pytest.mark.parametrize("name", CASES)
    def test_no_line_crosses_another_line_or_text(self, name: str) -> None:
        root = of_case(CASES[name])
        lines = {group.attrib["data-edge"]: list(strokes(lines_of(group))) for group in groups(root, "edge")}
        for one, other in itertools.combinations(lines, 2):
            begins = {"T-01", "T-02"} == {one, other}  # these two share the initial dot
            assert begins or not any(a.meets(b) for a, b in itertools.product(lines[one], lines[other])), (one, other)
        for area in (area_of_text(text) for text in root.iter(f"{SVG}text")):
            assert not any(stroke.meets(area) for stroke in itertools.chain(*lines.values()))

    @pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
    def test_contrast_is_sufficient_for_small_text_and_lines(self, scheme: int) -> None:
        colours = {name: pair[scheme] for name, pair in COLOURS.items()}
        for name in ("ink", "muted", "yes", "no", "way"):
            for ground in ("paper", "card"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for state in State:
            assert contrast(colours["ink"], colours[f"tint-{state}"]) >= 7
            assert contrast(colours[state], colours["paper"]) >= 3
            assert contrast(colours[state], colours["card"]) >= 3
        assert contrast(colours["paper"], colours["ink"]) >= 7

    def test_every_colour_is_a_light_attribute_and_a_class_for_dark_mode(self) -> None:
        for case in CASES.values():
            for element in of_case(case).iter():
                if element.tag in (f"{SVG}text", f"{SVG}rect", f"{SVG}path"):
                    wanted = [(kind, element.attrib[kind]) for kind in ("fill", "stroke") if kind in element.attrib]
                    named = dict(name.split("-", 1) for name in element.get("class", "").split())
                    assert [(kind, COLOURS[named[kind[0]]][0]) for kind, value in wanted if value != "none"] == [
                        pair for pair in wanted if pair[1] != "none"
                    ]
                    assert all(f".{kind}-{name}{{" in STYLE for kind, name in named.items())

    def test_the_picture_has_a_label_and_a_description_for_screen_readers(self) -> None:
        root = draw(PLAIN)
        assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", "CustomerSession")
        assert title_of(root) == "CustomerSession"
        described = root.findtext(f"{SVG}desc") or ""
        for one, group in zip(PLAIN.edges, groups(root, "edge"), strict=True):
            assert group.attrib["aria-label"] in described
            assert f"{one.trigger}: {one.source or 'new'} → {one.target}" in group.attrib["aria-label"]
            assert title_of(group).startswith(group.attrib["aria-label"])

    def test_shortened_text_is_complete_in_the_tooltip(self) -> None:
        code, said = "c" * 300, "word " * 60
        diagram = with_edges(edge(1, State.OPEN, State.OPEN, rules=(code,)), rules=(RuleText(code=code, text=said),))
        root = draw(diagram)
        (rule,) = groups(root, "rule")
        assert texts(rule)[0].endswith("…")
        assert title_of(rule) == f"{code}: {said.strip()}"
        assert code in title_of(groups(root, "edge")[0])
        assert overlapping(root) == []

    def test_the_note_of_a_row_is_in_its_tooltip(self) -> None:
        noted = next(one for one in PLAIN.edges if one.note)
        group = next(group for group in groups(draw(PLAIN), "edge") if group.attrib["data-edge"] == noted.id)
        assert noted.note in title_of(group)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


class TestOverlays:
    """Overlays are shown by marks and in words."""

    def test_the_current_state_is_marked_and_its_transitions_are_allowed(self) -> None:
        root = of_case(CASES["closed"])
        here = {group.attrib["data-state"]: "here now" in texts(group) for group in groups(root, "state")}
        assert here == {"open": False, "closed": True, "partially_returned": False, "cancelled": False}
        marked = [group.attrib["data-edge"] for group in groups(root, "edge") if "allowed now" in texts(group)]
        assert marked == ["T-06", "T-07", "T-08"]
        assert "“order-1042” is closed. What is allowed now, and why the rest is refused" in texts(root)
        assert "refused: Only open sessions can be updated" in texts(root)

    def test_a_refused_transition_shows_the_reason(self) -> None:
        case = CASES["refused"]
        refused = {group.attrib["data-edge"]: group for group in groups(of_case(case), "edge")}["T-04"]
        assert "refused now" in texts(refused)
        reason = "A session must hold a coupon code by the time it closes."
        assert reason in " ".join(texts(refused))
        assert reason in title_of(refused)
        assert reason in refused.attrib["aria-label"]
        assert any("stroke-dasharray" in element.attrib for element in refused.iter(f"{SVG}path"))

    def test_without_a_board_the_marked_edges_are_listed(self) -> None:
        known = Overlay(current=State.OPEN, allowed=frozenset({"T-03"}), refused={"T-04": ("It is Sunday.",)})
        shown = texts(draw(PLAIN, known))
        assert "The session is open. What is allowed now, and why the rest is refused" in shown
        assert "refused: It is Sunday." in shown
        assert "allowed: leads to open" in shown

    def test_the_history_is_numbered_and_counted(self) -> None:
        case = CASES["travelled"]
        root = of_case(case)
        found = {group.attrib["data-edge"]: texts(group) for group in groups(root, "edge")}
        assert found["T-03"][-2:] == ["2 · 3 · 4 · 5 …", "5 times"]
        assert found["T-04"][-2:] == ["6 · 9", "2 times"]
        assert found["T-07"][-2:] == ["10", "refused once"]
        assert "In its history as step 2, 3, 4, 5, 8." in render(*case[:2], detail="full")
        assert "History: 11 steps, 3 refused" in texts(root)
        assert any(line.startswith("after step 6: close is refused") for line in texts(root))

    def test_a_step_without_a_matching_row_is_marked(self) -> None:
        shown = texts(draw(PLAIN, Overlay(steps=(("T-01",), ()))))
        assert "History: 2 steps" in shown
        assert "no row of this table" in shown

    def test_one_step_is_written_in_the_singular(self) -> None:
        assert "History: 1 step" in texts(draw(PLAIN, Overlay(steps=(("T-01",),))))

    def test_a_long_history_is_shortened_and_the_rest_is_counted(self) -> None:
        refusals = tuple(f"No. {index}" for index in range(20))
        root = draw(PLAIN, Overlay(steps=(("T-03",),) * 12_345, refusals=refusals), "simple")
        assert "and 12286 more" in texts(root)
        assert "and 12 more" in texts(root)
        assert overlapping(root) == []

    def test_refusals_without_steps_are_listed(self) -> None:
        assert "No." in texts(draw(PLAIN, Overlay(refusals=("No.",))))

    def test_a_refusal_before_the_first_step_is_after_step_0(self) -> None:
        entries = (
            HistoryEntry(text="create is refused", state=None, refused=True),
            HistoryEntry(text="create", state=State.OPEN),
        )
        assert "after step 0: create is refused" in texts(
            draw(PLAIN, Overlay(steps=((),), refusals=("create is refused",), history=entries))
        )

    def test_untested_edges_and_outcomes_are_marked(self) -> None:
        root = of_case(CASES["tested"])
        found = {group.attrib["data-edge"]: texts(group)[-1] for group in groups(root, "edge")}
        assert [number for number, said in found.items() if said == "never tested"] == ["T-05"]
        assert found["T-01"] == "tested once"
        assert found["T-02"] == "tested 4 times"
        assert "Tested: 9 of 10 transitions, 17 of 18 rule outcomes" in texts(root)
        assert "Never tested: cancel from open (T-05)" in texts(root)
        assert texts(groups(root, "legend")[0])[-1] == "passed once, never refused"
        assert texts(groups(root, "legend")[1])[-1] == "passed 2 times, refused once"

    def test_simple_detail_lists_untested_outcomes(self) -> None:
        assert "Never seen: state_not_creatable violated" in texts(of_case(CASES["tested-simple"]))

    def test_with_full_coverage_nothing_is_marked_as_untested(self) -> None:
        full = Overlay(counts=dict.fromkeys([*counts(PLAIN), "T-05"], 1))
        for detail in ("full", "simple"):
            shown = texts(draw(PLAIN, full, detail))
            assert "Tested: 10 of 10 transitions, 18 of 18 rule outcomes" in shown
            assert not any("never" in line.lower() for line in shown if line != "never tested")

    def test_several_overlays_can_be_combined(self) -> None:
        session, history = CASES["closed"].overlay, CASES["travelled"].overlay
        both = attrs.evolve(
            session, steps=history.steps, refusals=history.refusals, history=history.history, counts={"T-06": 2}
        )
        root = draw(PLAIN, both)
        assert overlapping(root) == []
        found = {group.attrib["data-edge"]: texts(group) for group in groups(root, "edge")}
        assert found["T-06"][-2:] == ["allowed now", "tested 2 times"]


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
