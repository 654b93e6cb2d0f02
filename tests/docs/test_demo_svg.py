"""The animated picture of ``session-fsm demo`` is made of the command's output."""

import re
from html import unescape

import pytest

from docs import demo_svg


def test_the_committed_picture_is_current() -> None:
    assert demo_svg.main(["--check"]) == 0


def test_the_picture_has_every_word_of_the_output_in_its_order() -> None:
    output = re.sub(r"\x1b\[\d*m", "", demo_svg.output_of_demo())
    runs = re.findall(r"<text [^>]*>([^<]*)</text>", demo_svg.DEMO.read_text(encoding="utf-8"))
    assert unescape(" ".join(runs)).split() == output.split()


def test_no_line_is_wider_than_the_terminal() -> None:
    output = re.sub(r"\x1b\[\d*m", "", demo_svg.output_of_demo())
    assert max(len(line) for line in output.split("\n")) <= demo_svg.COLUMNS


def test_the_picture_loads_nothing_and_stands_still_for_readers_who_prefer_that() -> None:
    drawn = demo_svg.DEMO.read_text(encoding="utf-8")
    assert "url(" not in drawn
    assert re.findall(r"https?://[^\"]*", drawn) == ["http://www.w3.org/2000/svg"]
    still, moving = drawn.split("@media (prefers-reduced-motion: no-preference) {")
    assert "animation:" not in still
    assert moving.count("animation:") == 2


def test_a_picture_that_is_not_current_is_reported_and_written_anew(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(demo_svg, "DEMO", tmp_path / "demo.svg")
    demo_svg.DEMO.write_text("an old picture", encoding="utf-8")
    assert demo_svg.main(["--check"]) == 1
    assert capsys.readouterr().err == "demo.svg is not current; run: python docs/demo_svg.py\n"
    assert demo_svg.main([]) == 0
    assert demo_svg.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("", []),
        (
            "a < b",
            ['<text class="plain" x="18.0" y="18" textLength="39.0" lengthAdjust="spacingAndGlyphs">a &lt; b</text>'],
        ),
        (
            "  \x1b[31mno\x1b[0m",
            ['<text class="refused" x="33.6" y="18" textLength="15.6" lengthAdjust="spacingAndGlyphs">no</text>'],
        ),
    ],
)
def test_each_run_of_characters_stands_in_its_column(text, elements) -> None:
    assert re.findall(r"<text .*</text>", demo_svg.picture(text)) == elements
