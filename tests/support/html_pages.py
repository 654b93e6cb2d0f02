"""Functions that render and parse HTML pages for tests."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
from diagram_cases import NOTHING, Case

from session_fsm.diagrams.html.page import render
from session_fsm.diagrams.model import Diagram, Overlay

HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


def parsed(page: str) -> ET.Element:
    """Parse a page as browsers do, but fail on invalid HTML."""
    return html5lib.HTMLParser(strict=True).parse(page)


def page_of(diagram: Diagram, overlay: Overlay = NOTHING, detail: str = "full") -> ET.Element:
    return parsed(render(diagram, overlay, detail=detail))


def of_case(case: Case) -> ET.Element:
    return page_of(case.diagram, case.overlay, case.detail)


def by_id(root: ET.Element, name: str) -> ET.Element:
    (found,) = [element for element in root.iter() if element.get("id") == name]
    return found


def visible_text(element: ET.Element) -> str:
    """Return the text of an element on one line."""
    return " ".join("".join(element.itertext()).split())


def rows(root: ET.Element, name: str) -> list[list[str]]:
    """Return the cells of the table in one section."""
    return [
        [visible_text(cell) for cell in row.findall(f"{HTML}td")]
        for row in by_id(root, name).iter(f"{HTML}tr")
        if row.findall(f"{HTML}td")
    ]


def panel(root: ET.Element, state: str) -> ET.Element:
    (found,) = [element for element in root.iter() if element.get("data-panel") == state]
    return found


def data_of(root: ET.Element) -> Any:
    return json.loads(by_id(root, "data").text or "")
