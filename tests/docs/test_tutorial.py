"""Runs the tutorial: writes each file, runs each command, and compares the outputs."""

from pathlib import Path

import pages
import pytest

_FILES = {"shop.py", "try_it.py", "test_shop.py", "test_definition.py", "conftest.py"}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[pages.CommandRun]]:
    """Follow the tutorial; return the directory, and the commands that were run."""
    folder = tmp_path_factory.mktemp("tea")
    return folder, pages.run_page(pages.DOCS / "tutorial.md", folder, pages.runnable_part("docs/tutorial.md"))


def test_every_file_is_written(followed: tuple[Path, list[pages.CommandRun]]) -> None:
    assert {path.name for path in followed[0].glob("*.py")} == _FILES


def test_every_command_prints_the_shown_output(followed: tuple[Path, list[pages.CommandRun]]) -> None:
    for ran in followed[1]:
        ran.check()
    assert len(followed[1]) >= 7


def test_the_diagrams_are_written(followed: tuple[Path, list[pages.CommandRun]]) -> None:
    folder = followed[0]
    assert "minimum_order_missed" in (folder / "tea.svg").read_text(encoding="utf-8")
    assert "tested" in (folder / "tested.svg").read_text(encoding="utf-8")


def test_mutants_survive_without_one_of_the_tests(
    followed: tuple[Path, list[pages.CommandRun]], tmp_path: Path
) -> None:
    """The mutants that the deleted test kills survive."""
    for path in followed[0].glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    strong = (tmp_path / "test_shop.py").read_text(encoding="utf-8")
    weak = strong[: strong.index("def test_a_smaller_order")]
    (tmp_path / "test_shop.py").write_text(weak, encoding="utf-8")
    printed, status = pages.run(
        "session-fsm mutants --class shop:TeaSession --added -- python -m pytest -q test_shop.py", tmp_path
    )
    assert status == 1
    assert "nothing is refused for minimum_order_missed" in printed
    assert "the limit 10 of minimum_order_missed is 9" in printed
