"""The text renderers: complete, safe, and accepted by the tools that read the formats."""

import json
import re
import subprocess
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from xml.etree import ElementTree as ET

import attrs
import pytest
from diagram_cases import CASES, PLAIN, SHOP, TEXTS, with_edges
from hostile_diagrams import HOSTILE_MARKUP, hostile_diagram
from hypothesis import given
from hypothesis import strategies as st
from text_diagrams import draw, plain
from tools import missing, program

from session_fsm import State
from session_fsm.diagrams.model import Overlay
from session_fsm.diagrams.renderers import dot, mermaid, plantuml

SCXML = "{http://www.w3.org/2005/07/scxml}"


class TestComplete:
    """Every format contains every row of the table, and nothing else."""

    def test_mermaid_has_each_row_with_its_trigger_event_and_rules(self) -> None:
        self.check(mermaid.render)

    def test_plantuml_has_each_row_with_its_trigger_event_and_rules(self) -> None:
        self.check(plantuml.render)

    def test_dot_has_each_row_with_its_trigger_event_and_rules(self) -> None:
        self.check(dot.render)

    @staticmethod
    def check(render_one: Callable[..., str]) -> None:
        for diagram in (PLAIN, SHOP):
            text = plain(render_one(diagram, Overlay(), detail="full"))
            for edge in diagram.edges:
                # The label of an edge begins with its ID and is contiguous.
                start = text.index(f"{edge.id} {edge.trigger}")
                rest = text[start:]
                rules = (
                    edge.rules if diagram.listed_at(edge) is edge else [f"same rules as {diagram.listed_at(edge).id}"]
                )
                for part in (edge.event_name, *rules):
                    assert part in rest
                assert text.count(f"{edge.id} {edge.trigger}") == 1
            without = with_edges(*diagram.edges[1:], base=diagram)
            assert diagram.edges[0].id not in plain(render_one(without, Overlay(), detail="full"))

    def test_arrows_of_mermaid_and_plantuml_match_the_rows(self) -> None:
        for ending in ("mmd", "puml"):
            found = re.findall(r"^ *(\[\*\]|\w+) -.*?> (\w+) : (T-\d\d)", plain(draw(ending)), flags=re.MULTILINE)
            rows = {edge.id: (edge.source or "[*]", edge.target) for edge in PLAIN.edges if not edge.internal}
            assert {number: (source, target) for source, target, number in found} == rows

    def test_two_rows_between_the_same_states_are_drawn_separately(self) -> None:
        first, *_ = [edge for edge in PLAIN.edges if edge.id == "T-05"]
        both = with_edges(first, attrs.evolve(first, id="X-01"))
        for ending in TEXTS:
            text = plain(draw(ending, both))
            assert "T-05" in text
            assert "X-01" in text

    def test_json_contains_the_model(self) -> None:
        document = json.loads(draw("json"))
        rows = [(edge["id"], edge["source"], edge["trigger"], edge["target"]) for edge in document["transitions"]]
        assert rows == [(edge.id, edge.source, edge.trigger, edge.target) for edge in PLAIN.edges]
        assert [edge["rules"] for edge in document["transitions"]] == [list(edge.rules) for edge in PLAIN.edges]
        assert [found["code"] for found in document["rules"]] == [found.code for found in PLAIN.rules]

    def test_scxml_has_each_row_as_a_transition_and_cancelled_as_final(self) -> None:
        root = ET.fromstring(draw("scxml"))
        found = [
            (state.get("id"), transition.get("event"), transition.get("target"))
            for state in root
            for transition in state.iter(f"{SCXML}transition")
        ]
        for edge in PLAIN.edges:
            source = edge.source.value if edge.source else "new"
            event = edge.trigger if edge.source else f"create.{edge.target}"
            assert (source, event, None if edge.internal else edge.target) in found, edge.id
        assert len(found) == len(PLAIN.edges)
        assert [state.get("id") for state in root.iter(f"{SCXML}final")] == ["cancelled"]

    def test_markdown_has_a_line_for_each_row(self) -> None:
        lines = [line for line in draw("md").splitlines() if line.startswith("| T-")]
        assert [line.split("|")[1].strip() for line in lines] == [edge.id for edge in PLAIN.edges]
        for line, edge in zip(lines, PLAIN.edges, strict=True):
            listed = PLAIN.listed_at(edge)
            rules = edge.rules if listed is edge else [f"same rules as {listed.id}"]
            for part in (edge.trigger, edge.target, edge.event_name, edge.operation, *rules):
                assert part.replace("_", "") in line.replace("\\", "").replace("_", "")

    @pytest.mark.parametrize("ending", ["mmd", "puml", "dot", "md"])
    def test_rules_of_several_rows_are_listed_once(self, ending: str) -> None:
        text = plain(draw(ending))
        labels = text.partition("cluster_states")[2] if ending == "dot" else text.partition("Rules, by the fault")[0]
        assert labels.count("returns_more_than_remaining") == 1
        assert labels.count("state_not_creatable") == 1
        assert labels.count("same rules as T-07") == labels.count("same rules as T-01") == 1

    def test_the_model_names_the_row_that_lists_the_rules(self) -> None:
        listed = {edge.id: PLAIN.listed_at(edge).id for edge in PLAIN.edges if PLAIN.listed_at(edge) is not edge}
        assert listed == {"T-02": "T-01", "T-10": "T-07"}
        without = with_edges(*(edge for edge in PLAIN.edges if edge.id != "T-07"))
        assert without.listed_at(without.edges[-1]) is without.edges[-1]

    def test_simple_detail_shows_only_states_and_triggers(self) -> None:
        for ending in TEXTS:
            text = draw(ending, detail="simple")
            assert "talon_session" not in text.replace("\\", "")
            assert "too_many_units" not in text.replace("\\", "")
            for state in State:
                assert state in text.replace("\\", "")


class TestSafe:
    """Titles, codes and rule texts are escaped."""

    @pytest.mark.parametrize("ending", TEXTS)
    def test_hostile_text_cannot_end_a_line_of_the_source(self, ending: str) -> None:
        lines = draw(ending, hostile_diagram(HOSTILE_MARKUP)).splitlines()
        starts = ("@enduml end", "end note", "%%")
        assert [line for line in lines if line.strip().startswith(starts)] in ([], ["    end note"], ["end note"])
        if ending in ("md", "mmd", "scxml"):  # formats that are embedded in markup
            assert "<script>" not in "\n".join(lines)

    @given(st.text(max_size=40))
    def test_xml_and_json_are_valid_with_any_text(self, text: str) -> None:
        diagram = hostile_diagram(text)
        ET.fromstring(draw("scxml", diagram))
        json.loads(draw("json", diagram))

    @pytest.mark.parametrize("text", [HOSTILE_MARKUP, "", " ", "\x00\x07", "\ud800", "a" * 500])
    def test_the_tools_accept_hostile_text(self, text: str) -> None:
        for ending in ("dot", "puml"):
            accepted(ending, draw(ending, hostile_diagram(text)))


def accepted(ending: str, text: str) -> None:
    """Fail unless the format's tool accepts *text*."""
    command = [program("dot"), "-Tsvg"] if ending == "dot" else [program("plantuml"), "-charset", "UTF-8", "-syntax"]
    result = subprocess.run(
        command, input=text.encode("utf-8", "replace"), capture_output=True, check=False, timeout=120
    )
    said = (result.stdout + result.stderr).decode(errors="replace")
    assert result.returncode == 0, said[-600:]
    assert not said.startswith("ERROR"), said
    if ending == "dot":
        assert b"syntax error" not in result.stderr
        assert b"<svg" in result.stdout


@pytest.mark.parametrize("name", CASES)
def test_graphviz_accepts_every_diagram(name: str) -> None:
    accepted("dot", draw("dot", *CASES[name]))


@pytest.mark.parametrize("name", ["plain", "travelled", "tested"])
def test_plantuml_accepts_the_diagrams(name: str) -> None:
    accepted("puml", draw("puml", *CASES[name]))


def test_python_statemachine_executes_the_scxml() -> None:
    """`python-statemachine` loads the SCXML, and its machine reaches the same states."""
    if not find_spec("statemachine"):
        missing("python-statemachine")
    processor = import_module("statemachine.io.scxml.processor").SCXMLProcessor()
    for ending, diagram in (("full", SHOP), ("simple", PLAIN)):
        processor.parse_scxml(ending, draw("scxml", diagram, detail=ending))
        machine = processor.start()
        for event in ("create.open", "update", "close", "reopen", "close", "return_items", "return_items"):
            machine.send(event)
        assert [state.id for state in machine.configuration] == ["partially_returned"]
        machine.send("cancel")
        assert [(state.id, state.final) for state in machine.configuration] == [("cancelled", True)]
