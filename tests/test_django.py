"""`session_fsm.django`, in a project of Django, and without Django."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import tools

_SUITE = Path(__file__).parent / "support" / "django_suite"


def test_the_suite_passes() -> None:
    """A process has one configuration of Django, so the suite has a process of its own."""
    if find_spec("django") is None:
        tools.missing("the package django")
    files = sorted(str(path) for path in _SUITE.glob("*.py") if path.name != "conftest.py")
    # The plugin of Schemathesis does not load with the lowest version of Hypothesis.
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", *files],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_SUITE), os.environ.get("PYTHONPATH", "")])},
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"[1-9]\d* passed", ran.stdout)
    assert "skipped" not in ran.stdout


def test_without_django_the_module_says_what_to_install() -> None:
    code = (
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'django' else find(name)\n"
        "try:\n    import session_fsm.django\n"
        "except ModuleNotFoundError as error:\n    print(error.name, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'django session_fsm.django needs django; run: pip install "session-fsm[django]"\n'
