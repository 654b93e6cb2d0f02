"""The Mermaid source, parsed by Mermaid's own parser in a browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import Browser, chromium
from diagram_cases import CASES
from hostile_diagrams import HOSTILE_MARKUP, hostile_diagram
from tools import node_module

from session_fsm.diagrams.model import Overlay
from session_fsm.diagrams.renderers import mermaid

INJECTION = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'> ]]> & \" '"


@pytest.fixture(scope="module")
def library() -> Iterator[Browser]:
    """A browser that has loaded Mermaid."""
    path = node_module("mermaid/dist/mermaid.min.js")
    with chromium() as browser:
        browser.open(f'<!DOCTYPE html><meta charset="utf-8"><body><script src="{path.as_uri()}"></script>')
        yield browser


@pytest.fixture
def parse(library: Browser) -> Callable[[str], str]:
    """Return a function that parses a text and returns the type of the diagram, or the parser's error."""
    script = (
        "const [text, done] = arguments;"
        "mermaid.parse(text).then((found) => done(found.diagramType), (error) => done(`${error}`));"
    )
    return lambda text: library.driver.execute_async_script(script, text)


_MARGINS = """
const [text, done] = arguments;
mermaid.render("drawing", text).then(({ svg }) => {
  document.body.innerHTML = svg;
  const found = [];
  for (const state of document.querySelectorAll(".node")) {
    const frame = state.getBoundingClientRect();
    const walker = document.createTreeWalker(state, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const words = node.textContent.replace(/^\\s+/u, "");
      const end = words.trimEnd().length + node.textContent.length - words.length;
      if (!words) continue;
      const range = document.createRange();
      range.setStart(node, node.textContent.length - words.length);
      range.setEnd(node, end);
      const box = range.getBoundingClientRect();
      found.push([words.trimEnd(), box.left - frame.left, frame.right - box.right]);
    }
  }
  done(found);
});
"""


class TestMermaid:
    """Mermaid's own parser accepts the source."""

    @pytest.mark.parametrize("name", CASES)
    def test_every_diagram_is_accepted(self, parse: Any, name: str) -> None:
        case = CASES[name]
        assert parse(mermaid.render(case.diagram, case.overlay, detail=case.detail)) == "stateDiagram"

    @pytest.mark.parametrize(
        "text", [HOSTILE_MARKUP, INJECTION, " ", "\x00\x07", "\ud800", "a" * 300, "%%{init: {}}%%", "---"]
    )
    def test_hostile_text_is_accepted(self, parse: Any, text: str) -> None:
        assert parse(mermaid.render(hostile_diagram(text), Overlay(), detail="full")) == "stateDiagram"

    @pytest.mark.parametrize("name", ["plain", "travelled", "travelled-simple"])
    def test_no_text_touches_the_frame_of_its_state(self, library: Browser, name: str) -> None:
        case = CASES[name]
        text = mermaid.render(case.diagram, case.overlay, detail=case.detail)
        margins = library.driver.execute_async_script(_MARGINS, text)
        assert {"open", "closed", "cancelled"} <= {shown for shown, *_ in margins}
        assert [shown for shown, left, right in margins if min(left, right) < 6] == []

    def test_an_invalid_diagram_is_refused(self, parse: Any) -> None:
        assert parse("stateDiagram-v2\n    --> : x").startswith("Error: Parse error")
