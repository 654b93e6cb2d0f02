"""Functions that parse SVG pictures for tests: groups, texts, boxes, lines."""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET

from diagram_cases import NOTHING, Case

from session_fsm.diagrams.model import Diagram, Overlay
from session_fsm.diagrams.svg.picture import render
from session_fsm.diagrams.svg.text import length

SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]


class Area(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Area") -> bool:
        """Whether the two areas overlap by more than a border."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Area") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def borders(self, point: Point, within: float = 1) -> bool:
        """Whether *point* lies on the border."""
        x, y = point
        inside = self.left - within <= x <= self.right + within and self.top - within <= y <= self.bottom + within
        near = min(abs(x - self.left), abs(x - self.right), abs(y - self.top), abs(y - self.bottom))
        return inside and near <= within


def read(picture: str) -> ET.Element:
    """Parse a picture as XML."""
    return ET.fromstring(picture)


def groups(root: ET.Element, name: str) -> list[ET.Element]:
    """Return the ``<g>`` elements of the class *name*."""
    return [group for group in root.iter(f"{SVG}g") if group.get("class") == name]


def title_of(element: ET.Element) -> str:
    return element.findtext(f"{SVG}title") or ""


def texts(element: ET.Element) -> list[str]:
    """Return the texts in *element*, line by line."""
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def area_of_text(text: ET.Element) -> Area:
    """Return the estimated area of *text*: as wide as in a wide font, as high as its letters."""
    size = int(text.attrib["font-size"])
    width = length(text.text or "", size, mono="mono" in text.get("font-family", ""), bold="font-weight" in text.attrib)
    x, y = int(text.attrib["x"]), int(text.attrib["y"])
    left = x - {"middle": width / 2, "end": width}.get(text.get("text-anchor", ""), 0)
    return Area(left, y - 0.75 * size, left + width, y + 0.2 * size)


def area_of_box(element: ET.Element) -> Area:
    """Return the area of the first rectangle of *element*."""
    rect = element.find(f"{SVG}rect")
    assert rect is not None
    return area_of_rect(rect)


def area_of_rect(rect: ET.Element) -> Area:
    x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return Area(x, y, x + width, y + height)


def lines_of(edge: ET.Element) -> list[list[Point]]:
    """Return the lines of an edge in order, each as its corner points."""
    path = next(path for path in edge.iter(f"{SVG}path") if path.get("fill") == "none")
    lines: list[list[Point]] = []
    for command, numbers in re.findall(r"([MLQ])([\d. -]+)", path.attrib["d"]):
        values = [float(number) for number in numbers.split()]
        points = list(zip(values[::2], values[1::2], strict=True))
        if command == "M":
            lines.append([])
        lines[-1] += points
    return lines


def tip_of(edge: ET.Element) -> Point:
    """Return the tip of the arrowhead."""
    head = next(path for path in edge.iter(f"{SVG}path") if path.attrib["d"].endswith("Z"))
    x, y = re.match(r"M([\d.]+) ([\d.]+)L", head.attrib["d"]).groups()  # type: ignore[union-attr]  # a mismatch fails the test
    return float(x), float(y)


def strokes(lines: list[list[Point]]) -> Iterator[Area]:
    """Yield the straight parts of lines as rectangles of 1 pixel."""
    for line in lines:
        for (x0, y0), (x1, y1) in itertools.pairwise(line):
            yield Area(min(x0, x1) - 0.5, min(y0, y1) - 0.5, max(x0, x1) + 0.5, max(y0, y1) + 0.5)


def draw(diagram: Diagram, overlay: Overlay = NOTHING, detail: str = "full") -> ET.Element:
    return read(render(diagram, overlay, detail=detail))


def of_case(case: Case) -> ET.Element:
    return draw(case.diagram, case.overlay, case.detail)


def overlapping(root: ET.Element) -> list[tuple[str, str]]:
    """Return the pairs of texts that overlap, and the texts that leave the picture or their box."""
    found: list[tuple[str, str]] = []
    shown = [(text.text or "", area_of_text(text)) for text in root.iter(f"{SVG}text")]
    for (one, area), (other, other_area) in itertools.combinations(shown, 2):
        if area.meets(other_area):
            found.append((one, other))
    paper = area_of_box(root)
    found += [(text, "the paper") for text, area in shown if not paper.holds(area)]
    for group in (*groups(root, "edge"), *groups(root, "state")):
        box = area_of_box(group)
        for text in group.iter(f"{SVG}text"):
            if text.text != "here now" and not box.holds(area_of_text(text)):
                found.append((text.text or "", "its box"))
    return found
