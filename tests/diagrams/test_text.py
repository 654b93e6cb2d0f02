"""The text renderers: complete, safe, stable, and accepted by the tools that read the formats."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import pytest
from builders import session_in
from diagram_cases import CASES, PLAIN, SHOP, Case, ShopSession, with_edges
from hostile_diagrams import HOSTILE_MARKUP, hostile_diagram
from hypothesis import given
from hypothesis import strategies as st
from tools import missing, program

from session_fsm import CustomerSession, InvalidValue, State, rule
from session_fsm.diagrams import formats, model, register_format, render
from session_fsm.diagrams.model import Diagram, Overlay
from session_fsm.diagrams.renderers import dot, markdown, mermaid, plantuml, scxml
from session_fsm.diagrams.renderers import json as json_format
from session_fsm.diagrams.svg import picture

RENDERERS: dict[str, Callable[..., str]] = {
    "mmd": mermaid.render,
    "dot": dot.render,
    "puml": plantuml.render,
    "md": markdown.render,
    "json": json_format.render,
    "scxml": scxml.render,
}
NAMES = ("mermaid", "dot", "plantuml", "markdown", "json", "scxml", "svg", "html")
SCXML = "{http://www.w3.org/2005/07/scxml}"


def plain(text: str) -> str:
    """Return *text* without the escapes of hyphens, underscores and no-break spaces."""
    return text.replace("\xa0", " ").replace("<U+002D>", "-").replace("\\_", "_").replace("\\-", "-")


def draw(ending: str, diagram: Diagram = PLAIN, overlay: Overlay | None = None, detail: str = "full") -> str:
    return RENDERERS[ending](diagram, overlay or Overlay(), detail=detail)


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
        for ending in RENDERERS:
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
        for ending in RENDERERS:
            text = draw(ending, detail="simple")
            assert "talon_session" not in text.replace("\\", "")
            assert "too_many_units" not in text.replace("\\", "")
            for state in State:
                assert state in text.replace("\\", "")


class TestSafe:
    """Titles, codes and rule texts are escaped."""

    @pytest.mark.parametrize("ending", RENDERERS)
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


class TestMarks:
    """Arrows that the session allows, refuses or has taken differ, and the legend says how."""

    ARROWS = re.compile(r"^ *(?:\[\*\]|\w+) (-.*?>) \w+ : (T-\d\d)", re.MULTILINE)

    def arrows(self, case: Case) -> dict[str, str]:
        found = self.ARROWS.findall(plain(draw("puml", *case)))
        return {number: arrow for arrow, number in found}

    def test_plantuml_draws_allowed_and_travelled_arrows_differently(self) -> None:
        arrows = self.arrows(CASES["travelled"])
        travelled, allowed = "-[thickness=4]->", "-[#0072b2]->"
        assert arrows == {
            "T-01": travelled,
            "T-02": "-->",
            "T-04": travelled,
            "T-05": "-->",
            "T-06": "-->",
            "T-07": travelled,
            "T-08": travelled,
            "T-09": allowed,
        }

    def test_an_arrow_can_be_allowed_or_refused_and_travelled(self) -> None:
        known = Overlay(allowed=frozenset({"T-04"}), refused={"T-05": ("No.",)}, steps=(("T-04",), ("T-05",)))
        arrows = self.arrows(Case(PLAIN, known))
        assert arrows["T-04"] == "-[#0072b2,thickness=4]->"
        assert arrows["T-05"] == "-[#b34e00,dashed,thickness=4]->"
        lines = draw("dot", PLAIN, known).splitlines()
        (close,) = [line for line in lines if "open -> closed [" in line]
        (cancel,) = [line for line in lines if "open -> cancelled [" in line]
        assert 'color="#0072b2"' in close
        assert 'style="dashed"' in cancel
        assert all("penwidth=3," in f"{line[:-1]}," for line in (close, cancel))

    @pytest.mark.parametrize("detail", ["full", "simple"])
    @pytest.mark.parametrize("ending", ["mmd", "puml", "dot", "md"])
    def test_every_label_has_its_marks_and_the_legend_explains_them(self, ending: str, detail: str) -> None:
        text = unescaped(draw(ending, *CASES["travelled"][:2], detail))
        for mark in (
            "✓ ALLOWED NOW",
            "travelled in step 1",
            "travelled in steps 6, 9",
            "travelled in steps 2, 3, 4, 5, 8",
        ):
            assert mark in text
        marks = text.partition("Marks")[2].partition("History")[0]
        assert "the session allows this transition" in marks
        assert "the session has taken this transition" in marks
        assert "refuses" not in marks
        assert ("blue arrow" in marks) is ("thick arrow" in marks) is (ending in ("puml", "dot"))

    def test_many_steps_are_counted(self) -> None:
        often = Overlay(steps=(("T-03",),) * 3000)
        assert "travelled in steps 1, 2, 3, 4, 5 … (3000 times)" in unescaped(draw("puml", PLAIN, often))

    @pytest.mark.parametrize("ending", ["mmd", "puml", "dot", "md"])
    def test_the_legend_explains_only_the_marks_that_are_used(self, ending: str) -> None:
        def marks(name: str) -> str:
            return unescaped(draw(ending, *CASES[name])).partition("Marks")[2].partition("Rules, by")[0]

        assert marks("plain") == ""
        assert "no test has taken this transition" in marks("tested")
        assert "allows" not in marks("tested")
        assert "a rule refuses this transition" in marks("refused")


def unescaped(text: str) -> str:
    """Return the text of a diagram without the escapes of punctuation."""
    text = re.sub(r"<U\+([0-9A-F]{4})>", lambda found: chr(int(found[1], 16)), text.replace("\xa0", " "))
    return re.sub(r"(?:#92;)?&?#(\d+);", lambda found: chr(int(found[1])), text)


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


class TestRender:
    def test_the_formats_are_these(self) -> None:
        assert formats()[: len(NAMES)] == NAMES

    @pytest.mark.parametrize("name", NAMES)
    def test_a_class_and_a_session_can_be_formatted(self, name: str) -> None:
        session = session_in("closed")
        assert f"{CustomerSession:{name}}" == render(CustomerSession, name)
        assert f"{session:{name}}" == render(CustomerSession, name, session=session)
        assert render(session=session, format=name) == render(CustomerSession, name, session=session)

    def test_an_empty_format_is_the_string(self) -> None:
        session = session_in("open")
        assert f"{session}" == str(session)
        assert f"{CustomerSession}" == str(CustomerSession)

    def test_without_tests_every_row_and_rule_is_untested(self) -> None:
        text = " ".join(plain(render(CustomerSession, "plantuml", coverage={})).split())  # joins wrapped lines
        in_legend = 1
        assert text.count("NEVER TESTED") == len(PLAIN.edges) + len(PLAIN.rules) + in_legend

    def test_a_subclass_shows_its_own_rules(self) -> None:
        assert "coupon_code_required" in render(ShopSession)
        assert "coupon_code_required" not in render(CustomerSession)

    def test_a_notebook_shows_a_picture_and_text(self) -> None:
        for shown in (CustomerSession, session_in("open")):
            bundle = shown._repr_mimebundle_()
            assert bundle["image/svg+xml"].startswith("<svg")
            assert bundle["text/plain"] == repr(shown)
            assert set(shown._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
            assert set(shown._repr_mimebundle_(exclude=["text/plain"])) == {"image/svg+xml"}

    def test_a_notebook_shows_mermaid_if_the_picture_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> str:
            raise RuntimeError("no picture")

        monkeypatch.setattr(picture, "render", fail)
        bundle = session_in("open")._repr_mimebundle_()
        assert "stateDiagram-v2" in bundle["text/vnd.mermaid"]

    @pytest.mark.parametrize(
        ("settings", "pointer"),
        [
            ({"format": "gif"}, "/format"),
            ({"detail": "some"}, "/detail"),
            ({"kind": int}, ""),
            ({"kind": ShopSession, "session": session_in("open")}, "/session"),
            ({"events": [5]}, "/events"),
        ],
    )
    def test_invalid_arguments_are_refused(self, settings: dict[str, Any], pointer: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            render(**settings)
        assert refusal.value.pointer == pointer

    def test_an_allowed_decision_is_not_a_history_entry(self) -> None:
        with pytest.raises(InvalidValue):
            render(events=[session_in("open").evaluate("close")])

    def test_a_registered_format_is_rendered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("session_fsm.diagrams._registered", {})  # undoes the registration after the test
        register_format("names", lambda diagram, overlay, *, detail: f"{diagram.title} {detail} {overlay.current}")
        assert render(format="names", detail="simple", title="Life") == "Life simple None"
        assert "names" in formats()
        for name in ("Bad Name", "svg"):
            with pytest.raises(InvalidValue):
                register_format(name, lambda *_, **__: "")

    def test_the_model_contains_the_rules_of_the_class(self) -> None:
        @rule("too_late", on=["close"])
        def it_is_early(now: Any) -> bool:
            """It is early."""
            return now.hour < 20

        class EarlySession(CustomerSession):
            rules = (*CustomerSession.rules, it_is_early)

        (edge,) = [edge for edge in model(EarlySession).edges if edge.id == "T-04"]
        assert edge.rules[-1] == "too_late"
        assert model(EarlySession).rules[-1].text == "It is early."


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_output_is_the_same_for_every_hash_seed(seed: str) -> None:
    code = (
        "from session_fsm.diagrams import formats, render\n"
        "import hashlib\n"
        "print(hashlib.sha256(''.join(render(format=name) for name in formats()).encode()).hexdigest())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    here = hashlib.sha256("".join(render(format=name) for name in NAMES).encode()).hexdigest()
    assert result.stdout.strip() == here


@rule("unchecked", on=["close"])
def stock_is_reserved(total: Any) -> bool:
    """The stock must be reserved."""
    raise ConnectionError("postgresql://shop:secret@db/stock")


class StockSession(CustomerSession):
    """Has a rule that raises."""

    rules = (*CustomerSession.rules, stock_is_reserved)


@pytest.mark.parametrize("name", NAMES)
def test_no_format_shows_what_a_failed_rule_raised(name: str) -> None:
    session = StockSession.create("order-1")
    shown = render(StockSession, name, session=session, events=[session.evaluate("close")])
    assert "secret" not in shown
    assert "ConnectionError" not in shown
    assert "could not be judged" in shown.replace("\xa0", " ") or name == "scxml"
