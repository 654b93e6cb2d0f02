"""The SVG picture is legible: distances, sizes, colours, lines that do not cross."""

import itertools
from xml.etree import ElementTree as ET

import attrs
import pytest
from diagram_cases import (
    CASES,
    PLAIN,
    edge,
    with_edges,
)
from pictures import (
    SVG,
    Area,
    area_of_rect,
    area_of_text,
    draw,
    groups,
    lines_of,
    of_case,
    overlapping,
    strokes,
    texts,
    title_of,
)

from session_fsm import State
from session_fsm.diagrams.model import Overlay, RuleText
from session_fsm.diagrams.svg.paint import COLOURS, STYLE


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
