"""The Sphinx directive ``session-fsm-diagram``."""

from pathlib import Path

import pytest

from session_fsm import CustomerSession
from session_fsm.diagrams import render

application = pytest.importorskip("sphinx.application", reason="Sphinx is an extra of its own")

PAGE = """Sessions
========

.. session-fsm-diagram:: session_fsm:CustomerSession

.. session-fsm-diagram:: diagram_cases:ShopSession
   :format: json
   :detail: simple
   :title: Orders of the shop
"""


def build(folder: Path, page: str, builder: str = "html") -> str:
    """Build a page and return the output."""
    source, target = folder / "source", folder / builder
    source.mkdir(exist_ok=True)
    (source / "conf.py").write_text('extensions = ["session_fsm.diagrams.sphinx"]\n', encoding="utf-8")
    (source / "index.rst").write_text(page, encoding="utf-8")
    app = application.Sphinx(
        str(source),
        str(source),
        str(target),
        str(folder / "doctrees"),
        builder,
        status=None,
        warning=None,
        warningiserror=False,
        freshenv=True,
    )
    app.build()
    found = next(target.glob("index.*"))
    return found.read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore")  # Sphinx and docutils deprecate parts of each other
class TestDirective:
    def test_an_svg_becomes_part_of_the_page(self, tmp_path: Path) -> None:
        page = build(tmp_path, PAGE)
        assert render(CustomerSession, "svg").strip() in page
        assert "Orders of the shop" in page

    def test_a_builder_without_html_gets_the_mermaid(self, tmp_path: Path) -> None:
        page = build(tmp_path, PAGE, "text")
        assert "stateDiagram-v2" in page
        assert "<svg" not in page

    @pytest.mark.parametrize("argument", ["nowhere:Session", "session_fsm:Nothing", "session_fsm:State", "session_fsm"])
    def test_an_invalid_class_is_an_error_on_the_page(self, tmp_path: Path, argument: str) -> None:
        page = build(tmp_path, f"Sessions\n========\n\n.. session-fsm-diagram:: {argument}\n")
        assert "<svg" not in page

    def test_an_unknown_detail_is_an_error_on_the_page(self, tmp_path: Path) -> None:
        directive = ".. session-fsm-diagram:: session_fsm:CustomerSession\n   :detail: some\n"
        assert "<svg" not in build(tmp_path, f"Sessions\n========\n\n{directive}")
