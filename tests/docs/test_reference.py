"""Tests of the reference as it stands in the Markdown files: it is what the code says, and reads well without the site."""

import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pages
import pytest

for needed in ("sphinx", "click", "sqlalchemy", "duckdb", "starlette", "django"):
    pytest.importorskip(needed, reason="the reference describes every extra")

PAGES = sorted(path for path in pages.DOCS.rglob("*.md") if "<!-- generated: " in path.read_text(encoding="utf-8"))


def test_the_pages_are_found() -> None:
    assert {page.name for page in PAGES} >= {
        "command-line.md",
        "errors.md",
        "events.md",
        "fields.md",
        "rules.md",
        "sources.md",
        "transitions.md",
    }


@pytest.fixture(scope="module")
def sync_reference() -> Iterator[ModuleType]:
    path = sys.path.copy()
    sys.path.insert(0, str(pages.DOCS))
    yield import_module("sync_reference")
    sys.path[:] = path


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_is_what_the_code_says(sync_reference: ModuleType, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert sync_reference.generated(text) == text, f"{page} differs from the code; run {sync_reference.COMMAND}"


def test_every_part_stands_in_a_page(sync_reference: ModuleType) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert sorted(re.findall(r"<!-- generated: (.*) -->", text)) == sorted(sync_reference.PARTS)


def test_the_command_writes_what_differs(
    sync_reference: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sync_reference, "DOCS", tmp_path)
    page = tmp_path / "events.md"
    page.write_text("# Events\n\n<!-- generated: events -->\n| old |\n<!-- end -->\n\nMore.\n", encoding="utf-8")
    assert sync_reference.main(["--check"]) == 1
    assert "| old |" in page.read_text(encoding="utf-8")
    assert "differs from the code; run python docs/sync_reference.py" in capsys.readouterr().err
    assert sync_reference.main([]) == 0
    text = page.read_text(encoding="utf-8")
    assert "| old |" not in text
    assert "| `talon_session_reopened` | A closed order became a cart again. | T-08 |" in text
    assert text.endswith("\n\n<!-- end -->\n\nMore.\n")
    assert sync_reference.main(["--check"]) == 0


def test_the_command_in_the_failure_message_runs(sync_reference: ModuleType) -> None:
    command = [sys.executable, *sync_reference.COMMAND.split()[1:], "--check"]
    done = subprocess.run(command, cwd=pages.ROOT, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_that_a_page_of_the_api_names_shows_its_docstrings() -> None:
    pages_of_api = sorted((pages.DOCS / "reference/api").glob("*.md"))
    named = {
        page.stem: re.findall(r"`python -m pydoc (\S+)`", page.read_text(encoding="utf-8")) for page in pages_of_api
    }
    assert {stem for stem, modules in named.items() if not modules} == {"django"}  # it needs settings
    for (module,) in filter(None, named.values()):
        assert f" {module} - " in pydoc.render_doc(module, renderer=pydoc.plaintext)


@pytest.mark.parametrize("page", [*PAGES, pages.DOCS / "index.md"], ids=lambda path: path.stem)
def test_a_page_has_no_markup_that_only_the_site_shows(page: Path) -> None:
    """In a clone, GitHub or an editor shows the page. The tables of contents at the end of the first page are hidden."""
    text = page.read_text(encoding="utf-8").partition("```{toctree}")[0]
    assert re.findall(r"^```\{.*|\{[\w:]+\}`|(?<!`)``\w|`~\w|:\w+:`", text, flags=re.MULTILINE) == []
