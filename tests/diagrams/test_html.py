"""The HTML renderer: complete without scripts, valid, without network access, and safe for any text."""

import itertools
import json
import re
import subprocess
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import pytest
from diagram_cases import CASES, NOTHING, PLAIN, SHOP, Case, edge, with_edges
from hostile_diagrams import HOSTILE, hostile_cases
from html_pages import HTML, SVG, by_id, data_of, of_case, page_of, panel, parsed, rows, visible_text
from hypothesis import given
from tools import node_module, program

from session_fsm import State, Trigger
from session_fsm.diagrams.drawable import drawable
from session_fsm.diagrams.html.page import render
from session_fsm.diagrams.model import Diagram, Edge, Overlay
from session_fsm.states import MEANING_OF_TRIGGER


class TestComplete:
    """The page shows every row of the table with its details."""

    @pytest.mark.parametrize("diagram", [PLAIN, SHOP], ids=["CustomerSession", "ShopSession"])
    def test_the_html_table_has_every_row(self, diagram: Diagram) -> None:
        assert rows(page_of(diagram), "table") == rows_in(diagram)

    @pytest.mark.parametrize("place", range(len(PLAIN.edges)), ids=[edge.id for edge in PLAIN.edges])
    def test_a_missing_row_is_detected(self, place: int) -> None:
        root = page_of(with_edges(*(edge for other, edge in enumerate(PLAIN.edges) if other != place)))
        assert rows(root, "table") != rows_in(PLAIN)
        assert transitions_on_page(root) != transitions_of(PLAIN)

    @pytest.mark.parametrize("detail", ["full", "simple"])
    def test_every_transition_is_in_the_panel_of_its_source(self, detail: str) -> None:
        assert transitions_on_page(page_of(PLAIN, detail=detail)) == transitions_of(PLAIN)

    def test_a_transition_shows_its_meaning_operation_event_and_rules(self) -> None:
        root = page_of(SHOP)
        for one in SHOP.edges:
            (link,) = [e for e in root.iter() if e.get("data-follow") == one.id]
            items = [item for item in root.iter(f"{HTML}li") if link in list(item)]
            text = visible_text(items[0])
            assert MEANING_OF_TRIGGER[one.trigger] in text
            assert f"{one.operation}; records {one.event_name}; row {one.id}" in text
            for rule in SHOP.rules:
                assert (f"{rule.code}: {rule.text}" in text) is (rule.code in one.rules)

    def test_refused_triggers_are_listed_with_the_reason(self) -> None:
        text = visible_text(panel(page_of(PLAIN), "closed"))
        assert "update: the table allows it only from open." in text
        assert "close: the table allows it only from open." in text
        assert "cancel: the table" not in text
        assert "No transition leaves this state." in visible_text(panel(page_of(PLAIN), "cancelled"))
        assert "What may not" not in visible_text(panel(page_of(PLAIN), "new"))

    def test_a_trigger_without_a_row_is_reported(self) -> None:
        alone = with_edges(edge(1, State.OPEN, State.CLOSED, trigger=Trigger.CLOSE))
        assert "reopen: the table allows it from no state." in visible_text(panel(page_of(alone), "open"))

    def test_every_rule_is_listed_with_its_text_and_triggers(self) -> None:
        section = by_id(page_of(SHOP), "rules")
        entries = [visible_text(entry) for entry in section.iter(f"{HTML}div")]
        assert entries == [
            f"{rule.code} {', '.join(dict.fromkeys(one.trigger for one in SHOP.edges if rule.code in one.rules))} {rule.text}"
            for rule in SHOP.rules
        ]

    def test_every_state_shows_its_meaning(self) -> None:
        root = page_of(PLAIN)
        for node in PLAIN.nodes:
            assert node.meaning in visible_text(panel(root, node.state))

    def test_the_picture_is_part_of_the_page(self) -> None:
        root = page_of(PLAIN)
        assert [g.get("data-edge") for g in root.iter(f"{SVG}g") if g.get("class") == "edge"] == [
            one.id for one in PLAIN.edges
        ]

    def test_simple_detail_shows_only_states_and_triggers(self) -> None:
        text = render(PLAIN, NOTHING, detail="simple")
        assert rows(parsed(text), "table") == [row[:4] for row in rows_in(PLAIN)]
        body = text.partition("<desc>")[0] + text.partition("</desc>")[2].partition("<style>")[2]
        assert "too_many_units</" not in body
        assert 'id="rules"' not in body

    def test_a_code_without_a_rule_is_shown_without_a_link(self) -> None:
        root = page_of(with_edges(edge(1, State.OPEN, State.OPEN, rules=("lost",)), rules=()))
        assert rows(root, "table")[0][-1] == "lost"
        assert "one rule may refuse it" in visible_text(panel(root, "open"))


def faults(diagram: Diagram, one: Edge) -> str:
    listed = diagram.listed_at(one)
    return ", ".join(one.rules) or "nothing" if listed is one else f"same rules as {listed.id}"


def rows_in(diagram: Diagram) -> list[list[str]]:
    return [
        [
            one.id,
            one.source or "(new)",
            one.trigger,
            one.target,
            one.operation,
            one.event_name,
            faults(diagram, one),
        ]
        for one in diagram.edges
    ]


def transitions_on_page(root: ET.Element) -> list[tuple[str, str, str, str]]:
    found: list[tuple[str, str, str, str]] = []
    for name in ("new", *State):
        for link in panel(root, name).iter(f"{HTML}a"):
            if "data-follow" in link.attrib:
                trigger, _, target = visible_text(link).partition(" → ")
                assert link.attrib["href"] == f"#state-{target}"
                found.append((link.attrib["data-follow"], name, trigger, target))
    return sorted(found)


def transitions_of(diagram: Diagram) -> list[tuple[str, str, str, str]]:
    return sorted((one.id, one.source or "new", one.trigger, one.target) for one in diagram.edges)


class TestStructure:
    """Headings, landmarks and links are well-formed."""

    @pytest.mark.parametrize("name", CASES)
    def test_there_is_one_main_heading_and_no_level_is_skipped(self, name: str) -> None:
        root = of_case(CASES[name])
        levels = [int(e.tag[-1]) for e in root.iter() if re.fullmatch(r"\{.*xhtml\}h[1-6]", str(e.tag))]
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        tags = Counter(str(element.tag).removeprefix(HTML) for element in root.iter())
        assert tags["main"] == tags["header"] == tags["footer"] == 1

    @pytest.mark.parametrize("name", CASES)
    def test_every_link_has_a_target_on_the_page(self, name: str) -> None:
        root = of_case(CASES[name])
        ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        assert len(ids) == len(set(ids))
        links = [element.attrib["href"] for element in root.iter(f"{HTML}a")]
        assert {link.removeprefix("#") for link in links} <= set(ids)
        labelled = [e.attrib["aria-labelledby"] for e in root.iter() if "aria-labelledby" in e.attrib]
        assert set(labelled) <= set(ids)

    def test_the_w3c_validator_accepts_the_pages(self, tmp_path: Any) -> None:
        java, jar = program("java"), node_module("vnu-jar/build/dist/vnu.jar")
        hostile = Case(attrs.evolve(PLAIN, title=HOSTILE, class_name=HOSTILE), Overlay(steps=(("T-01",),)))
        for name, case in {**CASES, "hostile": hostile}.items():
            page = render(case.diagram, case.overlay, detail=case.detail)
            (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
        command = [java, "-jar", str(jar), "--errors-only", *map(str, sorted(tmp_path.iterdir()))]
        found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert (found.returncode, found.stderr) == (0, "")


class TestSafe:
    """Every text is escaped, and the page makes no requests."""

    @pytest.mark.parametrize("name", CASES)
    def test_the_policy_allows_only_the_scripts_and_styles_of_the_page(self, name: str) -> None:
        root = of_case(CASES[name])
        (policy,) = [e.attrib["content"] for e in root.iter(f"{HTML}meta") if "http-equiv" in e.attrib]
        rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        scripts = [e.text or "" for e in root.iter(f"{HTML}script") if e.get("type") != "application/json"]
        styles = [e.text or "" for tag in (HTML, SVG) for e in root.iter(f"{tag}style")]
        assert rules.pop("script-src").split() == list(map(hash_of, scripts))
        assert sorted(rules.pop("style-src").split()) == sorted(map(hash_of, styles))
        assert rules == {
            "default-src": "'none'",
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'none'",
        }

    @pytest.mark.parametrize("name", CASES)
    def test_the_page_has_no_external_references(self, name: str) -> None:
        root = of_case(CASES[name])
        for element in root.iter():
            for attribute, value in element.attrib.items():
                assert not attribute.startswith("on")
                assert attribute != "style"
                if attribute in ("href", "src", "action", "data", "poster", "srcset"):
                    assert value.startswith("#") or value == "data:,"
        assert "url(" not in render(*CASES[name][:2], detail=CASES[name].detail)

    @given(hostile_cases())
    def test_no_text_adds_an_element_an_attribute_or_breaks_the_data(self, case: Case) -> None:
        page = render(case.diagram, case.overlay, detail=case.detail)
        root = parsed(page)
        assert shape(root) == shape(of_case(harmless(case)))
        heading = next(root.iter(f"{HTML}h1"))
        assert visible_text(heading).split() == case.diagram.title.split()
        assert [moment["text"] for moment in data_of(root)["history"]][-1] == case.overlay.refusals[-1]

    def test_text_that_bypasses_the_model_is_cleaned(self) -> None:
        root = page_of(attrs.evolve(PLAIN, title=HOSTILE, class_name=HOSTILE), Overlay(refusals=(HOSTILE,)))
        assert visible_text(next(root.iter(f"{HTML}h1"))) == drawable(HOSTILE)

    def test_text_cannot_end_the_data_element(self) -> None:
        page = render(PLAIN, Overlay(refusals=("</script><script>alert(1)</script>\u2028&amp;",)), detail="full")
        (written,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
        assert written.isascii()
        assert not set("<>&") & set(written)
        assert json.loads(written)["history"][0]["text"] == "</script><script>alert(1)</script>\u2028&amp;"


def hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def shape(root: ET.Element) -> Counter[tuple[str, tuple[str, ...]]]:
    """Count the elements of the page, without the text lines of the picture, whose number depends on the texts."""
    return Counter(
        (str(element.tag), tuple(sorted(map(str, element.attrib))))
        for element in root.iter()
        if not str(element.tag).startswith(SVG) or str(element.tag).endswith(("}svg", "}style", "}desc"))
    )


def harmless(case: Case) -> Case:
    """Return the case with harmless texts; empty texts stay empty."""
    diagram, overlay = case.diagram, case.overlay
    codes = {rule.code: f"code{place}" if rule.code else "" for place, rule in enumerate(diagram.rules)}
    return Case(
        attrs.evolve(
            diagram,
            title="T",
            class_name="C",
            rules=tuple(attrs.evolve(rule, code=codes[rule.code], text="text") for rule in diagram.rules),
            edges=tuple(attrs.evolve(one, rules=tuple(codes.values())) for one in diagram.edges),
        ),
        attrs.evolve(
            overlay,
            refused={"T-04": ("a", "b")},
            refusals=("r",),
            subject="s" if overlay.subject else "",
            counts={"T-01": 1} | {f"{code}:passed": 1 for code in codes.values()},
        ),
        case.detail,
    )
