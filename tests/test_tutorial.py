"""The tutorial, followed to the letter: each file is written, each command is run, each output is as printed."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_TUTORIAL = _ROOT / "docs" / "tutorial.md"
_FILES = {"shop.py", "try_it.py", "test_shop.py", "test_definition.py", "conftest.py"}


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield the blocks of the tutorial: the language, the text, and the last file that the words before it name."""
    text = _TUTORIAL.read_text(encoding="utf-8")
    for found in re.finditer(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL):
        named = re.findall(r"`(\w+\.py)`", text[: found.start()])
        yield found[1], found[2], named[-1] if named else ""


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run *command* as in the reader's own virtual environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80"}
    if _checkout_is_used():
        environment["PYTHONPATH"] = str(_ROOT)
    return subprocess.run(
        shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def _checkout_is_used() -> bool:
    import session_fsm  # noqa: PLC0415 - only where it lies is asked

    return Path(session_fsm.__file__).is_relative_to(_ROOT)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str, str, int]]]:
    """Follow the tutorial; return the directory, and each command with what it should print, what it did, and its status."""
    folder = tmp_path_factory.mktemp("tea")
    ran: list[tuple[str, str, str, int]] = []
    for language, text, file in blocks():
        if language == "py":
            (folder / file).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, expected in commands(text):
                result = run(command, folder)
                ran.append((command, expected, result.stdout + result.stderr, result.returncode))
    return folder, ran


def test_every_file_has_its_place(followed: tuple[Path, list[tuple[str, str, str, int]]]) -> None:
    assert {path.name for path in followed[0].glob("*.py")} == _FILES


def test_every_command_prints_what_the_reader_was_told(followed: tuple[Path, list[tuple[str, str, str, int]]]) -> None:
    checker = doctest.OutputChecker()
    for command, expected, printed, status in followed[1]:
        assert status == 0, f"$ {command}\n{printed}"
        assert checker.check_output(expected, printed, doctest.ELLIPSIS), (
            f"$ {command}\nexpected\n{expected}\nprinted\n{printed}"
        )
    assert len(followed[1]) >= 7


def test_the_pictures_are_there(followed: tuple[Path, list[tuple[str, str, str, int]]]) -> None:
    folder = followed[0]
    assert "order_too_small" in (folder / "tea.svg").read_text(encoding="utf-8")
    assert "tested" in (folder / "tested.svg").read_text(encoding="utf-8")


def test_without_one_of_the_tests_the_mistakes_that_it_noticed_survive(
    followed: tuple[Path, list[tuple[str, str, str, int]]], tmp_path: Path
) -> None:
    """The weak suite gets the survivors that it deserves."""
    for path in followed[0].glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    strong = (tmp_path / "test_shop.py").read_text(encoding="utf-8")
    weak = strong[: strong.index("def test_a_smaller_order")]
    (tmp_path / "test_shop.py").write_text(weak, encoding="utf-8")
    result = run("session-fsm mutants --class shop:TeaSession --added -- python -m pytest -q test_shop.py", tmp_path)
    assert result.returncode == 1
    assert "nothing is refused for order_too_small" in result.stdout
    assert "the limit 10 of order_too_small is 9" in result.stdout
