"""The pages of the documentation, followed to the letter: files are written, commands run, outputs compared."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import command_line
from markdown_it import MarkdownIt

import session_fsm

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

NOT_RUN = {
    ("README.md", "pytest -n auto"): "it is the run that this is a part of",
    ("CONTRIBUTING.md", "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[dev]'"): "it installs",
    ("docs/index.md", "pip install session-fsm"): "it installs",
    ("docs/tutorial.md", "python3 -m venv .venv"): "the tests have an environment",
    ("docs/tutorial.md", ". .venv/bin/activate"): "the tests have an environment",
    ("docs/tutorial.md", "pip install 'session-fsm[all]'"): "it installs",
    ("docs/testing/mutants.md", "session-fsm mutants -- pytest tests/test_matrix.py tests/rules/test_built_in.py"): (
        "it takes a minute; .ci/run tests a sample"
    ),
}
"""The commands of the pages that no test runs, and why."""

_INSTALLING = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install [^&]* && \.venv/bin/")

_FILE = re.compile(r"`((?:\w+/)*\w+\.py)`")


@dataclass(frozen=True)
class Block:
    """A block of code."""

    language: str
    """What stands behind the fence, or nothing where nothing does or there is no fence."""
    text: str
    line: int
    file: str
    """The last file that the words before it name."""


@dataclass(frozen=True)
class Ran:
    """A command that was run, with what the page says that it prints, or None where it does not say."""

    command: str
    expected: str | None
    printed: str
    status: int
    expected_status: int

    def check(self) -> None:
        """Fail if the page says otherwise."""
        assert self.status == self.expected_status, f"$ {self.command}\n{self.printed}\nended with {self.status}"
        if self.expected is not None:
            assert doctest.OutputChecker().check_output(self.expected, self.printed, doctest.ELLIPSIS), (
                f"$ {self.command}\nexpected\n{self.expected}\nprinted\n{self.printed}"
            )


def pages() -> dict[str, Path]:
    """Return every page by its place: what the site is made of, and what stands at the root."""
    own = [path for path in DOCS.rglob("*.md") if not any(part.startswith(".") for part in path.parts)]
    return {path.relative_to(ROOT).as_posix(): path for path in sorted([*ROOT.glob("*.md"), *own])}


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of code of a page."""
    lines = text.splitlines(keepends=True)
    for token in MarkdownIt().parse(text):
        if token.type in {"fence", "code_block"} and token.map:
            named = _FILE.findall("".join(lines[: token.map[0]]))
            language = token.info.strip().partition(" ")[0]
            yield Block(language, token.content, token.map[0] + 1, named[-1] if named else "")


def commands(block: Block) -> Iterator[tuple[str, str | None, int]]:
    """Yield each command of a block with what it prints, and the status that ``echo $?`` behind it shows."""
    if block.language == "sh":
        yield from ((line, None, 0) for line in block.text.splitlines())
        return
    parts = [part.partition("\n") for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]]
    for (command, _, output), (after, _, status) in zip_longest(parts, parts[1:], fillvalue=("", "", "")):
        if command != "echo $?":
            yield command, output, int(status) if after == "echo $?" else 0


def run(command: str, folder: Path, stdin: str = "") -> tuple[str, int]:
    """Run *command* as in the reader's own virtual environment; return what it prints, and its status."""
    environment = _environment()
    hidden = [name for name in os.environ if name.startswith(("PYTEST_", "COVERAGE_"))]
    if command.startswith("session-fsm "):
        with inside(folder):
            result = command_line.run(*shlex.split(command)[1:], **dict.fromkeys(hidden), **environment)
        return result.output, result.exit_code
    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in hidden} | environment,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return ran.stdout, ran.returncode


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80"}
    checkout_is_used = Path(session_fsm.__file__).is_relative_to(ROOT)
    return environment | ({"PYTHONPATH": str(ROOT)} if checkout_is_used else {})


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Be in *folder*, and forget afterwards what was imported from there."""
    modules, places, writes_nothing = set(sys.modules), sys.path.copy(), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # a file that is written anew within a second would be taken for the old one
    try:
        with chdir(folder):
            yield
    finally:
        sys.path[:], sys.dont_write_bytecode = places, writes_nothing
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]


def what_runs(page: str) -> Callable[[str], str | None]:
    """Return what says which part of a command of *page* is run: nothing is installed."""

    def part(command: str) -> str | None:
        rest = _INSTALLING.sub("", command)
        return None if (page, rest) in NOT_RUN else rest

    return part


def follow(page: Path, folder: Path, runs: Callable[[str], str | None]) -> list[Ran]:
    """Do in *folder* what the page says, in its order; *runs* says what of a command is run, if anything is."""
    done: list[Ran] = []
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "py":
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language in {"sh", "console"}:
            for command, expected, status in commands(block):
                if part := runs(command):
                    done.append(Ran(command, expected, *run(part, folder, stdin="y\n"), status))
    return done
