"""The Mermaid source, parsed by Mermaid's own parser in a browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import chromium
from diagram_cases import CASES
from hostile_diagrams import HOSTILE_MARKUP, hostile_diagram
from tools import node_module

from session_fsm.diagrams.model import Overlay
from session_fsm.diagrams.renderers import mermaid

INJECTION = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'> ]]> & \" '"


@pytest.fixture(scope="module")
def parse() -> Iterator[Callable[[str], str]]:
    """Return a function that parses a text and returns the type of the diagram, or the parser's error."""
    library = node_module("mermaid/dist/mermaid.min.js")
    script = (
        "const [text, done] = arguments;"
        "mermaid.parse(text).then((found) => done(found.diagramType), (error) => done(`${error}`));"
    )
    with chromium() as browser:
        browser.open(f'<!DOCTYPE html><meta charset="utf-8"><script src="{library.as_uri()}"></script>')
        yield lambda text: browser.driver.execute_async_script(script, text)


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

    def test_an_invalid_diagram_is_refused(self, parse: Any) -> None:
        assert parse("stateDiagram-v2\n    --> : x").startswith("Error: Parse error")
