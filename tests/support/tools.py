"""The tools of others that some tests need: where they are, and what happens without them."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

_ROOT = Path(__file__).parents[2]


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where ``SESSION_FSM_REQUIRE_TOOLS=1`` says that all tools have to be there."""
    if os.environ.get("SESSION_FSM_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{what} is missing, and SESSION_FSM_REQUIRE_TOOLS is set")
    pytest.skip(f"{what} is missing")


def program(name: str) -> str:
    """Return the path of a program."""
    return shutil.which(name) or missing(f"the program {name}")


def node_module(path: str) -> Path:
    """Return a file of an npm package: below SESSION_FSM_NODE_MODULES, or below node_modules beside the tests."""
    file = Path(os.environ.get("SESSION_FSM_NODE_MODULES", _ROOT / "node_modules")) / path
    return file if file.exists() else missing(f"the npm file {path}")
