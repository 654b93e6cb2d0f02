"""Execution of the documentation's pages, for the tests of the documentation.

`run_page` writes the files of a page, runs its commands, and compares their output.
"""

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
    ("README.md", "pytest -n auto"): "it would run this test again",
    ("CONTRIBUTING.md", "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[dev]'"): "it installs",
    ("CONTRIBUTING.md", "pip-audit"): "it asks PyPI",
    ("CONTRIBUTING.md", "towncrier build --yes"): "it refuses a version that the changelog has already",
    (
        "CONTRIBUTING.md",
        "cyclonedx-py environment --output-file session-fsm.cdx.json",
    ): "the workflow of a release runs it",
    ("docs/index.md", "pip install ."): "it installs",
    ("docs/install.md", "python3 -m venv .venv && . .venv/bin/activate"): "the tests have an environment",
    ("docs/install.md", "pip install ."): "it installs",
    ("docs/install.md", "pip install '.[cli,testing]'"): "it installs",
    ("docs/install.md", "python -m pip wheel --no-deps --wheel-dir dist ."): "it builds; .ci/run tests the wheel",
    ("docs/install.md", "pip install 'dist/session_fsm-0.2.0-py3-none-any.whl[cli,store]'"): "it installs",
    ("docs/tutorial.md", "python3 -m venv .venv"): "the tests have an environment",
    ("docs/tutorial.md", ". .venv/bin/activate"): "the tests have an environment",
    ("docs/tutorial.md", "pip install '../session-fsm[cli,testing]'"): "it installs",
    ("docs/howto/store-sessions.md", "export SESSION_FSM_STORE=postgresql://shop@localhost/orders"): (
        "the tests have a server of their own"
    ),
    (
        "docs/howto/backtest-on-a-cluster.md",
        "spark-submit --master yarn --py-files shop.py job.py 's3a://bucket/2026/*.jsonl'",
    ): ("it needs a cluster; tests/backtest/test_spark.py runs Spark in local mode"),
    ("docs/howto/test-against-the-sandbox.md", "session-fsm sandbox --class shop:ShopSession"): (
        "it serves until it is stopped; the tests have a sandbox of their own"
    ),
    ("docs/howto/test-against-the-sandbox.md", "export SANDBOX=http://127.0.0.1:8080"): "as above",
    ("docs/howto/test-against-the-sandbox.md", "uvx --from '.[cli,sandbox]' session-fsm sandbox"): (
        "it installs, and serves"
    ),
    ("docs/howto/test-against-the-sandbox.md", "pipx run --spec '.[cli,sandbox]' session-fsm sandbox"): ("as above"),
    ("docs/testing/mutants.md", "session-fsm mutants -- pytest tests/test_matrix.py tests/rules/test_built_in.py"): (
        "it takes a minute; .ci/run tests a sample"
    ),
}
"""The commands that no test runs, each with the reason."""

_INSTALLING = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install [^&]* && \.venv/bin/")

_FILE = re.compile(r"`((?:\w+/)*\w+\.(?:py|mjs))`")


@dataclass(frozen=True)
class Block:
    """A code block."""

    language: str
    """The language of the fence; empty if there is none."""
    text: str
    line: int
    file: str
    """The last file name before the block."""


@dataclass(frozen=True)
class CommandRun:
    """A command that was run, with its output and status, and those that the page shows."""

    command: str
    expected: str | None
    """The output on the page; None if the page shows none."""
    output: str
    status: int
    expected_status: int

    def check(self) -> None:
        """Fail if the output or the status differs from the page."""
        assert self.status == self.expected_status, f"$ {self.command}\n{self.output}\nended with {self.status}"
        if self.expected is not None:
            output = self.output if self.output.endswith("\n") or not self.output else f"{self.output}\n"
            assert doctest.OutputChecker().check_output(self.expected, output, doctest.ELLIPSIS), (
                f"$ {self.command}\nexpected\n{self.expected}\nprinted\n{self.output}"
            )


def pages() -> dict[str, Path]:
    """Return every page of the site and of the root, by its path relative to the root."""
    site = [path for path in DOCS.rglob("*.md") if not any(part.startswith(".") for part in path.parts)]
    return {path.relative_to(ROOT).as_posix(): path for path in sorted([*ROOT.glob("*.md"), *site])}


def blocks(text: str) -> Iterator[Block]:
    """Yield the code blocks of a page."""
    lines = text.splitlines(keepends=True)
    for token in MarkdownIt().parse(text):
        if token.type in {"fence", "code_block"} and token.map:
            named = _FILE.findall("".join(lines[: token.map[0]]))
            language = token.info.strip().partition(" ")[0]
            yield Block(language, token.content, token.map[0] + 1, named[-1] if named else "")


def commands(block: Block) -> Iterator[tuple[str, str | None, int]]:
    """Yield each command of a block with its output on the page, and the status that a following ``echo $?`` shows."""
    if block.language == "sh":
        yield from ((line, None, 0) for line in block.text.splitlines())
        return
    parts = [part.partition("\n") for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]]
    for (command, _, output), (after, _, status) in zip_longest(parts, parts[1:], fillvalue=("", "", "")):
        if command != "echo $?":
            yield command, output, int(status) if after == "echo $?" else 0


def run(command: str, folder: Path, stdin: str = "") -> tuple[str, int]:
    """Run *command* as in a reader's virtual environment; return its output and its status."""
    environment = _environment()
    hidden = [name for name in os.environ if name.startswith(("PYTEST_", "COVERAGE_"))]
    if command.startswith("session-fsm "):
        with inside(folder):
            called = command_line.run(*shlex.split(command)[1:], **dict.fromkeys(hidden), **environment)
        return called.output, called.exit_code
    result = subprocess.run(
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
    return result.stdout, result.returncode


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    imported = [str(Path(__file__).parent)]
    if Path(session_fsm.__file__).is_relative_to(ROOT):  # the checkout is used
        imported.append(str(ROOT))
    return {
        "PATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "80",
        "PYTHONPATH": os.pathsep.join(imported),
        "PYTEST_ADDOPTS": "-p few_examples",
    }


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Change to *folder*, and afterwards remove the modules that were imported from there."""
    modules, path, dont_write_bytecode = set(sys.modules), sys.path.copy(), sys.dont_write_bytecode
    # Bytecode is valid for a source with the same size and time stamp, so a rewritten file could use stale bytecode.
    sys.dont_write_bytecode = True
    try:
        with chdir(folder):
            yield
    finally:
        sys.path[:], sys.dont_write_bytecode = path, dont_write_bytecode
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]


def runnable_part(page: str) -> Callable[[str], str | None]:
    """Return a function that returns the part of a command of *page* to run, without installing packages, or None."""

    def part(command: str) -> str | None:
        rest = _INSTALLING.sub("", command)
        return None if (page, rest) in NOT_RUN else rest

    return part


def run_page(page: Path, folder: Path, runs: Callable[[str], str | None]) -> list[CommandRun]:
    """Write the files and run the commands of *page* in *folder*; *runs* returns the part of a command to run."""
    done: list[CommandRun] = []
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language in {"py", "js"}:
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language in {"sh", "console"}:
            for command, expected, status in commands(block):
                if part := runs(command):
                    done.append(CommandRun(command, expected, *run(part, folder, stdin="y\n"), status))
    return done
