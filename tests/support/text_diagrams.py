"""Functions that draw diagrams in the text formats, and remove escapes from them."""

import re

from diagram_cases import PLAIN, TEXTS

from session_fsm.diagrams.model import Diagram, Overlay


def plain(text: str) -> str:
    """Return *text* without the escapes of hyphens, underscores and no-break spaces."""
    return text.replace("\xa0", " ").replace("<U+002D>", "-").replace("\\_", "_").replace("\\-", "-")


def draw(ending: str, diagram: Diagram = PLAIN, overlay: Overlay | None = None, detail: str = "full") -> str:
    return TEXTS[ending].render(diagram, overlay or Overlay(), detail=detail)


def unescaped(text: str) -> str:
    """Return the text of a diagram without the escapes of punctuation."""
    text = re.sub(r"<U\+([0-9A-F]{4})>", lambda found: chr(int(found[1], 16)), text.replace("\xa0", " "))
    return re.sub(r"(?:#92;)?&?#(\d+);", lambda found: chr(int(found[1])), text)
