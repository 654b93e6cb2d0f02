"""The SVG picture in Chromium."""

import attrs
import pytest
from browser import Browser
from diagram_cases import CASES, EVERY_PAIR, NOTHING, PLAIN, Case, edge, with_edges
from hostile_diagrams import HOSTILE

from session_fsm import EventName, State
from session_fsm.diagrams.model import Overlay
from session_fsm.diagrams.svg import picture as svg
from session_fsm.diagrams.svg.text import length

_OVERLAPS = """
const shown = [...document.querySelectorAll("text")].map((text) => [text, text.getBBox()]);
const found = [];
const paper = document.querySelector("svg > rect").getBBox();
for (const [text, box] of shown) {
  const owner = text.closest(".edge, .state");
  const room = owner ? owner.querySelector("rect").getBBox() : paper;
  const label = text.textContent === "here now";
  if (!label && (box.x < room.x || box.x + box.width > room.x + room.width)) found.push(["out", text.textContent]);
}
shown.forEach(([one, a], place) => shown.slice(place + 1).forEach(([other, b]) => {
  const across = a.x < b.x + b.width && b.x < a.x + a.width;
  const down = a.y + 3 < b.y + b.height - 3 && b.y + 3 < a.y + a.height - 3;
  if (across && down) found.push([one.textContent, other.textContent]);
}));
return found;
"""

_WIDTHS = """
return [...document.querySelectorAll("text")].map((text) => [
  text.textContent,
  Number(text.getAttribute("font-size")),
  (text.getAttribute("font-family") || "").includes("mono"),
  text.hasAttribute("font-weight"),
  text.getBBox().width,
]);
"""
_MARGINS = """
return [...document.querySelectorAll(".edge text")].filter((text) => text.textContent === arguments[0]).map((text) => {
  const [box, room] = [text.getBBox(), text.closest(".edge").querySelector("rect").getBBox()];
  return [box.x - room.x, room.x + room.width - box.x - box.width];
});
"""


class TestPicture:
    """In the installed fonts, no text of the picture overlaps another or leaves its box."""

    @pytest.mark.parametrize("font", ["DejaVu Sans", "Liberation Sans", "sans-serif"])
    @pytest.mark.parametrize("name", [*CASES, "every pair", "hostile"])
    def test_no_text_overlaps(self, browser: Browser, name: str, font: str) -> None:
        odd = {
            "every pair": Case(with_edges(*(edge(place, *pair) for place, pair in enumerate(EVERY_PAIR))), NOTHING),
            "hostile": Case(attrs.evolve(PLAIN, title=HOSTILE), Overlay(current=State.OPEN, refusals=(HOSTILE,) * 3)),
        }
        case = CASES.get(name) or odd[name]
        browser.open(svg.render(case.diagram, case.overlay, detail=case.detail), "picture.svg")
        browser.run("document.documentElement.setAttribute('font-family', arguments[0])", font)
        assert browser.run(_OVERLAPS) == []

    @pytest.mark.parametrize("name", CASES)
    def test_the_estimated_widths_are_those_of_a_wide_font(self, browser: Browser, name: str) -> None:
        """The estimate of `length` is never too small, and at most a tenth too large, in DejaVu Sans and its mono."""
        case = CASES[name]
        browser.open(svg.render(case.diagram, case.overlay, detail=case.detail), "picture.svg")
        browser.run("document.documentElement.setAttribute('font-family', 'DejaVu Sans')")
        shown = browser.run(_WIDTHS)
        assert len(shown) > 10
        for text, size, mono, bold, width in shown:
            estimate = length(text, size, mono=mono, bold=bold)
            assert 0.9 * estimate - 3 <= width <= estimate, text

    def test_the_card_of_the_longest_event_fits_its_text(self, browser: Browser) -> None:
        browser.open(svg.render(PLAIN, NOTHING, detail="full"), "picture.svg")
        for left, right in browser.run(_MARGINS, EventName.PARTIALLY_RETURNED):
            assert 10 <= left <= 14
            assert 10 <= right <= 16
