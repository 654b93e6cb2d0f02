"""Tests that pages show the current code of the example projects."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pages
import pytest

from session_fsm.errors import http_status


def _module(path: str) -> Any:
    """Import a file in docs, which is not a package."""
    name = Path(path).stem
    spec = spec_from_file_location(name, pages.DOCS / path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


sync_code = _module("sync_code.py")
sessions_in_sqlite = _module("examples/sessions_in_sqlite.py")

_SERVICE_PAGES = [
    "call-talon-one.md",
    "embed-in-django.md",
    "embed-in-fastapi.md",
    "keep-sessions-in-a-database.md",
    "worker.md",
]
"""The pages about services."""

_PAGE_DEFINITIONS = {
    "keep-sessions-in-a-database.md": {"BranchSession", "close", "read"},
    "embed-in-django.md": {"OrderField", "StoredSessionAdmin", "update"},
    "embed-in-fastapi.md": {"put"},
}
"""Definitions that only a page has, for its examples."""


@pytest.mark.parametrize("page", sync_code.pages(), ids=lambda path: path.stem)
def test_a_page_shows_the_current_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert sync_code.synchronised(text) == text, f"{page} differs from the code that it shows; run {sync_code.COMMAND}"


@pytest.mark.parametrize("page", _SERVICE_PAGES)
def test_a_service_page_defines_only_names_of_example_files(page: str) -> None:
    """Other definitions would be untested copies of the example project."""
    text = (pages.DOCS / "howto" / page).read_text(encoding="utf-8")
    assert sync_code.own_definitions(text) == _PAGE_DEFINITIONS.get(page, set())
    assert "<!-- from: " in text


class TestSessionsInSqlite:
    """The store that the database page shows (D-13)."""

    @pytest.fixture
    def store(self) -> Iterator[Any]:
        yield sessions_in_sqlite
        sessions_in_sqlite.database.execute("DELETE FROM sessions")

    def test_the_second_save_is_refused(self, store: Any) -> None:
        store.save(store.ShopSession.create("o"))
        first, second = store.find("o"), store.find("o")
        first.update(coupon_codes=["FIRST"])
        second.update(coupon_codes=["SECOND"])
        store.save(first)
        for late in (second, store.ShopSession.create("o")):
            with pytest.raises(store.ParallelWrite) as refused:
                store.save(late)
            assert http_status(refused.value) == 409
        assert store.find("o").coupon_codes == ("FIRST",)

    def test_change_retries_up_to_attempts(self, store: Any) -> None:
        store.save(store.ShopSession.create("o"))

        def late(session: Any) -> None:
            other = store.find("o")
            other.update()
            store.save(other)
            session.update(coupon_codes=["LATE"])

        with pytest.raises(store.ParallelWrite):
            store.change("o", late, attempts=2)
        assert (store.find("o").update_count, store.find("o").coupon_codes) == (3, ())
        assert store.change("o", lambda session: session.close()).state == "closed"
        with pytest.raises(LookupError):
            store.change("p", late)
        with pytest.raises(ValueError, match="at least one"):
            store.change("o", late, attempts=0)


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sync_code, "DOCS", tmp_path)
    code = '"""A module."""\n\nimport os\n\n__all__ = ["f"]\n\n\ndef f(kind: type = Shop) -> str:\n    return "new"\n'
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    return tmp_path


class TestSyncCommand:
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
    def test_writes_the_code_of_the_file(self, docs: Path, before: str, after: str) -> None:
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
    def test_reports_an_invalid_comment(self, docs: Path, comment: str, capsys: pytest.CaptureFixture[str]) -> None:
        (docs / "page.md").write_text(f"<!-- from: {comment} -->\n```python\nf = 1\ng = 2\n```\n", encoding="utf-8")
        assert sync_code.main([]) == 2
        assert "page.md: " in capsys.readouterr().err

    def test_the_command_in_the_failure_message_runs(self) -> None:
        command = [sys.executable, *sync_code.COMMAND.split()[1:], "--check"]
        assert subprocess.run(command, cwd=pages.ROOT, check=False, capture_output=True).returncode == 0


def test_own_definitions_finds_definitions_of_the_page() -> None:
    page = "```python\ndef copied():\n    pass\n```\n\n```python\n>>> class Copied:\n...     pass\n\n```\n"
    assert sync_code.own_definitions(page) == {"copied", "Copied"}
