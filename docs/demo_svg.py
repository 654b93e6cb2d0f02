# ruff: noqa: INP001 - a script beside the pages
"""The picture of ``session-fsm demo``, as an animated terminal: ``python docs/demo_svg.py`` writes it anew.

The script runs the command and turns its output, colours included, into ``docs/demo.svg``. The output appears one
paragraph after the other, and the animation ends at the last one. A reader who prefers reduced motion, and a program
that does not animate, sees the end at once.

``--check`` writes nothing, and exits with 1 where the picture differs from the output.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path

__all__ = ["main", "output_of_demo", "picture"]

DEMO = Path(__file__).with_name("demo.svg")

COLUMNS, ROWS = 92, 24
"""The size of the terminal, in characters."""
CELL, LINE = 7.8, 18
"""The width of a character and the height of a line, in pixels."""
MARGIN, BAR = 18, 30
"""The space around the text and the height of the title bar, in pixels."""
PAUSE = 1.4
"""The time between two paragraphs, in seconds."""

_STYLES = {"": "plain", "0": "plain", "1": "title", "2": "quiet", "31": "refused", "32": "done", "33": "already"}
"""The class of each ANSI code that the command writes."""

_SHEET = """
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.plain { fill: #d5dbe3 } .title { fill: #fff; font-weight: bold } .quiet { fill: #8f9bab }
.done { fill: #6fcf7c } .already { fill: #e3b341 } .refused { fill: #ff8a80 }
@media (prefers-reduced-motion: no-preference) {
  .paragraph { animation: appear 1ms backwards }
  @keyframes appear { from { opacity: 0 } }
"""


def output_of_demo() -> str:
    """Run the command as on a terminal of ``COLUMNS`` characters, and return what it writes."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    result = subprocess.run(
        [sys.executable, "-m", "session_fsm", "demo"],
        env=environment | {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return "$ session-fsm demo\n\n" + result.stdout.rstrip("\n")


def picture(output: str) -> str:
    """Return *output*, the text of a terminal with ANSI codes, as an animated SVG."""
    paragraphs = output.split("\n\n")
    body, scrolls, row, hidden = [], [], 0, 0
    for number, paragraph in enumerate(paragraphs):
        lines = paragraph.split("\n")
        body.append(f'<g class="paragraph" style="animation-delay: {number * PAUSE:.1f}s">')
        body += [line for place, text in enumerate(lines, row) for line in _line(text, place)]
        body.append("</g>")
        row += len(lines)
        hidden = max(0, row - ROWS)
        scrolls.append(hidden)
        row += 1  # the empty line between two paragraphs
    frames = [
        f"    {100 * number / len(scrolls):.2f}% {{ transform: translateY({-LINE * rows}px) }}"
        for number, rows in enumerate(scrolls)
    ]
    width, height = round(COLUMNS * CELL + 2 * MARGIN), BAR + ROWS * LINE + 2 * MARGIN - 8
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
                ' role="img" aria-labelledby="title">'
            ),
            '<title id="title">The output of session-fsm demo: the steps of one order</title>',
            (
                f"<style>{_SHEET}"
                f"  .screen {{ animation: scroll {len(scrolls) * PAUSE:.1f}s step-end backwards }}\n"
                "  @keyframes scroll {"
            ),
            *frames,
            "  }\n}\n</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
            *(
                f'<circle cx="{20 + 18 * place}" cy="{BAR / 2 + 3:g}" r="5.5" fill="{colour}"/>'
                for place, colour in enumerate(("#ff6b60", "#e3b341", "#6fcf7c"))
            ),
            f'<svg y="{BAR}" width="{width}" height="{height - BAR}">',
            f'<g class="screen" transform="translate(0 {-LINE * hidden})">',
            *body,
            "</g>\n</svg>\n</svg>\n",
        ]
    )


def _line(text: str, row: int) -> list[str]:
    """Return the SVG elements of one line. Each run of characters starts at its own column, in every font."""
    elements, column = [], 0
    for place, part in enumerate(re.split(r"\x1b\[(\d*)m", text)):
        if place % 2:
            style = _STYLES[part]
            continue
        if not place:
            style = "plain"
        for run in re.finditer(r"\S+(?: \S+)*", part):
            x = MARGIN + CELL * (column + run.start())
            length = CELL * len(run[0])
            elements.append(
                f'<text class="{style}" x="{x:.1f}" y="{MARGIN + LINE * row:g}" textLength="{length:.1f}"'
                f' lengthAdjust="spacingAndGlyphs">{escape(run[0], quote=False)}</text>'
            )
        column += len(part)
    return elements


def main(arguments: list[str]) -> int:
    """Write the picture, or compare it with ``--check``."""
    current = picture(output_of_demo())
    if "--check" not in arguments:
        DEMO.write_text(current, encoding="utf-8")
    elif DEMO.read_text(encoding="utf-8") != current:
        print(f"{DEMO.name} is not current; run: python docs/demo_svg.py", file=sys.stderr)  # noqa: T201 - a command
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
