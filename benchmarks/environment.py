"""The virtual environment in which everything is measured: the library, and what it is compared with."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["described", "prepared"]

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
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - our own words


def prepared(python: str) -> str:
    """Return the interpreter of an environment with everything in it, made with *python* if it is not there yet."""
    tag = _run(python, "-c", "import sys; print(sys.implementation.cache_tag)").strip()
    place = ROOT / f".venv-benchmarks-{tag}"
    inside = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = place / "installed"
    what = [REQUIREMENTS, ROOT / "pyproject.toml", Path(__file__)]
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in what)).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Installing what is compared into {place.name} ...", file=sys.stderr, flush=True)
        _run(python, "-m", "venv", str(place))
        _run(str(inside), "-m", "pip", "install", "--quiet", "--editable", ".[cli]", "--requirement", str(REQUIREMENTS))
        stamp.write_text(wanted)
    return str(inside)


def described(python: str) -> dict[str, Any]:
    """Return what a reader of the results has to know: the machine, Python, and the versions compared."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    compared = [line for line in lines if line and not line.startswith("#")]
    names = ["session-fsm", "transitions", "attrs", "cattrs", *compared]
    found: dict[str, Any] = json.loads(_run(python, "-c", _DESCRIBE, json.dumps(names)))
    return {"machine": f"{platform.system()} {platform.machine()}"} | found
