"""External tools that some tests need. A test is skipped if its tool is missing."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

_ROOT = Path(__file__).parents[2]


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it if ``SESSION_FSM_REQUIRE_TOOLS=1`` is set."""
    if os.environ.get("SESSION_FSM_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{what} is missing, and SESSION_FSM_REQUIRE_TOOLS is set")
    pytest.skip(f"{what} is missing")


def unmeasured() -> dict[str, str]:
    """Return the environment for a program whose lines coverage need not count, which takes twice the time."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def program(name: str) -> str:
    """Return the path of a program."""
    return shutil.which(name) or missing(f"the program {name}")


def node_module(path: str) -> Path:
    """Return a file of an npm package, below SESSION_FSM_NODE_MODULES or the project's node_modules."""
    file = Path(os.environ.get("SESSION_FSM_NODE_MODULES", _ROOT / "node_modules")) / path
    return file if file.exists() else missing(f"the npm file {path}")
