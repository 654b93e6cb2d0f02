"""Pages show the code of the tested example projects: a page that differs from the file that it names fails here."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pages
import pytest


def _tool() -> Any:
    spec = spec_from_file_location("sync_code", pages.DOCS / "sync_code.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["sync_code"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


sync_code = _tool()

_SHOW_EXAMPLES = [
    "call-talon-one.md",
    "embed-in-django.md",
    "embed-in-fastapi.md",
    "keep-sessions-in-a-database.md",
    "worker.md",
]
"""The pages whose services people copy."""

_PAGES_OWN = {
    "keep-sessions-in-a-database.md": {"BranchSession", "ShopSession", "close", "read"},
    "embed-in-fastapi.md": {"put"},
}
"""What a page defines for its examples alone: nobody's service is made of it."""


@pytest.mark.parametrize("page", sync_code.pages(), ids=lambda path: path.stem)
def test_a_page_shows_the_code_of_the_file_that_it_names(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert sync_code.synchronised(text) == text, f"{page} differs from the code that it shows; run {sync_code.COMMAND}"


@pytest.mark.parametrize("page", _SHOW_EXAMPLES)
def test_a_page_about_a_service_defines_nothing_that_no_file_has(page: str) -> None:
    """A definition that stands in the page alone would be a copy of what the example project does."""
    text = (pages.DOCS / "howto" / page).read_text(encoding="utf-8")
    assert sync_code.own_definitions(text) == _PAGES_OWN.get(page, set())
    assert "<!-- from: " in text


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sync_code, "DOCS", tmp_path)
    code = '"""A module."""\n\nimport os\n\n__all__ = ["f"]\n\n\ndef f(kind: type = Shop) -> str:\n    return "new"\n'
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    return tmp_path


class TestTheCommand:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (
                "<!-- from: code.py -->\n```python\nanything\n```\n",
                (
                    "<!-- from: code.py -->\n```python\nimport os\n\n\n"
                    'def f(kind: type = Shop) -> str:\n    return "new"\n```\n'
                ),
            ),
            (
                "<!-- from: code.py: f -->\n```python\nimport re\nf = None\nf()\n```\n",
                (
                    "<!-- from: code.py: f -->\n```python\nimport re\n"
                    'def f(kind: type = Shop) -> str:\n    return "new"\nf()\n```\n'
                ),
            ),
            (
                "<!-- from: code.py: f, with Mine for Shop -->\n```python\ndef f():\n    return 1\n```\n",
                (
                    "<!-- from: code.py: f, with Mine for Shop -->\n```python\n"
                    'def f(kind: type = Mine) -> str:\n    return "new"\n```\n'
                ),
            ),
            (
                "<!-- from: code.py: f -->\n```python\n>>> def f():\n...     pass\n>>> f()\n'new'\n\n```\n",
                (
                    "<!-- from: code.py: f -->\n```python\n>>> def f(kind: type = Shop) -> str:\n"
                    "...     return \"new\"\n>>> f()\n'new'\n\n```\n"
                ),
            ),
        ],
    )
    def test_writes_what_the_file_has(self, docs: Path, before: str, after: str) -> None:
        page = docs / "page.md"
        page.write_text("Words.\n\n" + before + "\nMore.\n", encoding="utf-8")
        assert sync_code.main(["--check"]) == 1
        assert page.read_text(encoding="utf-8") == "Words.\n\n" + before + "\nMore.\n"
        assert sync_code.main([]) == 0
        assert page.read_text(encoding="utf-8") == "Words.\n\n" + after + "\nMore.\n"
        assert sync_code.main(["--check"]) == 0

    @pytest.mark.parametrize(
        "comment", ["code.py: g", "code.py: f, with Mine", "nothing.py", "code.py: f -->\n<!-- from: code.py"]
    )
    def test_says_what_it_cannot_follow(self, docs: Path, comment: str, capsys: pytest.CaptureFixture[str]) -> None:
        (docs / "page.md").write_text(f"<!-- from: {comment} -->\n```python\nf = 1\ng = 2\n```\n", encoding="utf-8")
        assert sync_code.main([]) == 2
        assert "page.md: " in capsys.readouterr().err

    def test_is_the_one_that_the_failure_names(self) -> None:
        command = [sys.executable, *sync_code.COMMAND.split()[1:], "--check"]
        assert subprocess.run(command, cwd=pages.ROOT, check=False, capture_output=True).returncode == 0


def test_a_definition_of_the_page_alone_is_noticed() -> None:
    page = "```python\ndef copied():\n    pass\n```\n\n```python\n>>> class Copied:\n...     pass\n\n```\n"
    assert sync_code.own_definitions(page) == {"copied", "Copied"}
