"""Runs the tests of each example project with the command in its README."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import tools

_EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
_NEEDED = {
    "django_shop": ["django"],
    "fastapi_shop": ["fastapi", "httpx2"],
    "talon_client": ["talon_one", "starlette", "uvicorn"],
    "worker": [],
}
"""The packages that each example requires."""
_INSTALLED = re.compile(
    r"python3 -m venv \.venv && \.venv/bin/pip install -q -e ('\.\./\.\./\.\.\[sandbox\]'|\.\./\.\./\.\.) "
)


def commands_of(readme: str) -> list[str]:
    """Return the start command and the test command of a README."""
    return re.findall(r"```sh\n(.*?)```", readme, flags=re.DOTALL)[0].splitlines()


def test_every_example_is_listed() -> None:
    assert {path.parent.name for path in _EXAMPLES.glob("*/README.md")} == set(_NEEDED)


@pytest.mark.parametrize("name", _NEEDED)
def test_the_test_command_of_the_readme_passes(name: str) -> None:
    for module in _NEEDED[name]:
        if find_spec(module) is None:
            tools.missing(f"the package {module}")
    start, test = commands_of((_EXAMPLES / name / "README.md").read_text(encoding="utf-8"))
    assert _INSTALLED.match(start)
    assert _INSTALLED.match(test)
    program, *arguments = test.rpartition(" && ")[2].split()
    assert program == ".venv/bin/python"
    # Isolate the example's tests from the settings of this run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DJANGO_"))}
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=_EXAMPLES / name,
        env=environment | {"PYTEST_ADDOPTS": "-p no:cacheprovider", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    output = ran.stdout + ran.stderr
    assert ran.returncode == 0, output
    assert re.search(r"[1-9]\d* passed|Ran [1-9]\d* tests", output), output
    assert not re.search(r"skipped|deselected", output), output
