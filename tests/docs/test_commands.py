"""Every block of code in the documentation runs, in a page that has the files that it shows, and prints what it says.

Blocks of ``python`` are Sybil's (``conftest.py``). Here a block ``py`` or ``js`` is a file, which the words before it name; ``sh``
and ``console`` are commands, and what the latter print is compared. What is not run is listed in ``pages.NOT_RUN``.
"""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import databases
import pages
import pytest
import tools

from session_fsm import CustomerSession, SessionUpdate
from session_fsm.wire import loads

_PAGES = pages.pages()

_GIVEN = {
    "docs/howto/draw-diagrams.md": ["docs/examples/fastapi_shop/shop"],
    "CONTRIBUTING.md": ["pyproject.toml", "CHANGELOG.md", "changelog.d"],
}
"""What a page takes for granted, beside the files that it shows."""

_ELSEWHERE = {
    ("docs/tutorial.md", "py"): "tests/docs/test_tutorial.py",
    ("docs/tutorial.md", "sh"): "tests/docs/test_tutorial.py",
    ("docs/tutorial.md", "console"): "tests/docs/test_tutorial.py",
    # Their first block by the former, and the requests and outputs by their own tests, which it runs.
    ("docs/examples/django_shop/README.md", "sh"): "tests/docs/test_examples.py",
    ("docs/examples/fastapi_shop/README.md", "sh"): "tests/docs/test_examples.py",
    ("docs/examples/talon_client/README.md", "sh"): "tests/docs/test_examples.py",
    ("docs/examples/talon_client/README.md", "text"): "docs/examples/talon_client/tests/test_calls.py",
    ("docs/examples/worker/README.md", "sh"): "tests/docs/test_examples.py",
    ("docs/examples/worker/README.md", "text"): "docs/examples/worker/tests/test_worker.py",
    ("docs/howto/check-in-ci.md", "yaml"): "tests/test_automation.py",
    # Help of the commands, which is generated; their tests run them.
    ("docs/reference/command-line.md", "text"): "tests/docs/test_reference.py",
}
"""The blocks that another test runs."""


def _blocks(page: str) -> list[pages.Block]:
    return list(pages.blocks(_PAGES[page].read_text(encoding="utf-8")))


def _with(*languages: str) -> list[str]:
    """Return the pages that have a block in one of *languages* which nothing else runs."""
    return [
        page
        for page in _PAGES
        if any(block.language in languages and (page, block.language) not in _ELSEWHERE for block in _blocks(page))
    ]


def _runs(page: str, language: str) -> bool:
    """Whether something runs the blocks of *page* in *language*."""
    if (page, language) in _ELSEWHERE:
        return True
    if language == "python":  # Sybil looks for them in the folders of the tests, and not in the example projects
        return page == "README.md" or (page.startswith("docs/") and not page.startswith("docs/examples/"))
    if language.startswith("{"):  # a directive, which the build of the site runs
        return page.startswith("docs/")
    return language in {"py", "js", "sh", "console", "json", "rst"}


@pytest.mark.parametrize("page", _PAGES)
def test_every_block_is_in_a_language_that_something_runs(page: str) -> None:
    assert [(block.line, block.language) for block in _blocks(page) if not _runs(page, block.language)] == []


def test_a_block_that_nothing_runs_fails() -> None:
    for text in (
        "```yaml\na: 1\n```\n",
        "~~~\nno language\n~~~\n",
        "Words:\n\n    indented\n",
        "- ```text\n  x\n  ```\n",
    ):
        (block,) = pages.blocks(text)
        assert not _runs("docs/index.md", block.language), text


def give(page: str, folder: Path) -> None:
    """Put into *folder* what the page takes for granted."""
    for name in _GIVEN.get(page, []):
        source = pages.ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)


@pytest.fixture
def database_url() -> Iterator[str]:
    """The URL of an empty database of the PostgreSQL server."""
    with databases.own_database() as url:
        yield url


@pytest.mark.parametrize("page", _with("sh", "console"))
def test_the_commands_of_a_page_print_the_shown_output(
    page: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page == "docs/howto/store-sessions.md":
        monkeypatch.setenv("SESSION_FSM_STORE", request.getfixturevalue("database_url"))
    if page == "docs/howto/test-against-the-sandbox.md":
        tools.program("curl")
        tools.program("node")
        monkeypatch.setenv("SANDBOX", request.getfixturevalue("talon_one").url)
    give(page, tmp_path)
    for ran in pages.run_page(_PAGES[page], tmp_path, pages.runnable_part(page)):
        ran.check()


def test_a_wrong_output_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    shown = "`shop.py`:\n\n```py\nprint('tea')\n```\n\n```console\n$ python shop.py\n{output}```\n"
    everything = str  # a command is run as it stands
    for output, right in (("tea\n", True), ("coffee\n", False), ("tea\n$ echo $?\n1\n", False)):
        page.write_text(shown.format(output=output), encoding="utf-8")
        (ran,) = pages.run_page(page, tmp_path, everything)
        if right:
            ran.check()
        else:
            with pytest.raises(AssertionError):
                ran.check()


def test_every_exemption_exists_in_its_page() -> None:
    for page, command in pages.NOT_RUN:
        shown = [text for block in _blocks(page) if block.language != "python" for text, *_ in pages.commands(block)]
        assert [text for text in shown if text.endswith(command)], (page, command)
    for (page, language), test in _ELSEWHERE.items():
        assert language in {block.language for block in _blocks(page)}
        assert Path(page).name in (pages.ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", _with("json"))
def test_json_blocks_can_be_read(page: str, tmp_path: Path) -> None:
    for block in _blocks(page):
        if block.language == "json":
            documents = [json.loads(line) for line in block.text.splitlines()]
            if all("operation" in document for document in documents):
                (tmp_path / "recording.jsonl").write_text(block.text, encoding="utf-8")
                printed, status = pages.run("session-fsm replay --strict recording.jsonl", tmp_path)
                assert status == 0, printed
            else:
                for document in documents:
                    read(document)


_NO_CODE = {
    "session_fsm/backtest/__init__.py": "a sketch; docs/howto/backtest-a-rule.md runs",
    "session_fsm/errors.py": "the tree of the errors",
    "session_fsm/store/errors.py": "the tree of the errors",
    "session_fsm/store/database/schema.py": "the tables",
    "session_fsm/diagrams/svg/layout.py": "a sketch of the picture",
    "session_fsm/diagrams/sphinx.py": "the directive, which test_diagrams_sphinx.py builds",
}
"""The literal blocks of docstrings, and what they are."""


def test_docstrings_show_code_as_examples_that_run() -> None:
    """An example behind ``>>>`` is Sybil's; a literal block would be nobody's."""
    literal = set()
    for file in (pages.ROOT / "session_fsm").rglob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        docstrings = [
            node.value.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ]
        if any(re.search(r"(::|```.*)$", str(text), flags=re.MULTILINE) for text in docstrings):
            literal.add(file.relative_to(pages.ROOT).as_posix())
    assert literal == set(_NO_CODE)


def read(document: dict[str, Any]) -> None:
    """Read a document as a session or an update of one."""
    kind = CustomerSession if "integrationId" in document else SessionUpdate
    loads(json.dumps(document), kind, strict=True)


@pytest.mark.parametrize("page", _with("rst"))
def test_a_directive_renders_a_diagram(page: str, tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="Sphinx is an extra of its own")
    give(page, tmp_path)
    pages.run_page(_PAGES[page], tmp_path, lambda command: None)  # its files alone
    (shown,) = [block.text for block in _blocks(page) if block.language == "rst"]
    (tmp_path / "docs/index.rst").write_text(f"Page\n====\n\n{shown}", encoding="utf-8")
    printed, status = pages.run("sphinx-build -q -W docs built", tmp_path)
    assert status == 0, printed
    assert "<svg" in (tmp_path / "built/index.html").read_text(encoding="utf-8")
