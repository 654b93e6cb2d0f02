"""The marks of transitions in the text formats: allowed, refused, travelled, never tested."""

import re

import pytest
from diagram_cases import CASES, PLAIN, Case
from text_diagrams import draw, plain, unescaped

from session_fsm.diagrams.model import Overlay


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
