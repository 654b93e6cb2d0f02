"""The virtual environment for the measurements, with the library and its peers. The command calls `prepare`."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["describe", "prepare"]

ROOT = Path(__file__).parent.parent
REQUIREMENTS = Path(__file__).parent / "requirements.txt"

_DESCRIBE = """
import json, platform, sys, sysconfig
from importlib.metadata import version
names = json.loads(sys.argv[1])
free = sysconfig.get_config_var("Py_GIL_DISABLED")
print(json.dumps({
    "python": platform.python_implementation() + " " + platform.python_version() + (", free-threaded" if free else ""),
    "versions": {name: version(name) for name in names},
}))
"""


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - fixed commands


def prepare(python: str) -> str:
    """Return the interpreter of the environment. *python* creates it, if it does not exist or is out of date."""
    tag = _run(python, "-c", "import sys; print(sys.implementation.cache_tag)").strip()
    folder = ROOT / f".venv-benchmarks-{tag}"
    interpreter = str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    stamp = folder / "installed"
    inputs = [REQUIREMENTS, ROOT / "pyproject.toml", Path(__file__)]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in inputs)).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"Installing the compared packages into {folder.name} ...", file=sys.stderr, flush=True)
        _run(python, "-m", "venv", str(folder))
        _run(
            interpreter,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--editable",
            ".[cli,sandbox,spark]",
            "--requirement",
            str(REQUIREMENTS),
        )
        stamp.write_text(digest)
    return interpreter


def describe(python: str) -> dict[str, Any]:
    """Return the machine, the Python version and the versions of the compared packages.

    The library itself is the one of this repository, so it has no version here.
    """
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    compared = [line.partition("[")[0] for line in lines if line and not line.startswith("#")]
    names = ["transitions", "attrs", "cattrs", "sqlalchemy", *compared]
    found: dict[str, Any] = json.loads(_run(python, "-c", _DESCRIBE, json.dumps(names)))
    return {"machine": f"{platform.system()} {platform.machine()}"} | found
