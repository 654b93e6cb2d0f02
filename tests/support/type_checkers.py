"""`complaints` runs mypy and pyright in strict mode over many modules and returns their errors."""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tools import unmeasured

__all__ = ["CHECKERS", "Complaint", "complaints"]

CHECKERS = ("mypy", "pyright")


class Complaint(NamedTuple):
    """An error of a type checker."""

    checker: str
    module: str
    line: int
    text: str
    rule: str


def complaints(folder: Path, modules: Mapping[str, str]) -> list[Complaint]:
    """Write the *modules*, source by name, to *folder*, and return the errors that the type checkers report."""
    for name, text in modules.items():
        path = folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with ThreadPoolExecutor() as pool:
        return [error for errors in pool.map(lambda check: check(folder), (_mypy, _pyright)) for error in errors]


def _mypy(folder: Path) -> list[Complaint]:
    options = [
        "--strict",
        "--output=json",
        "--allow-redefinition",
        "--cache-dir=.mypy_cache",
        "--explicit-package-bases",
        "--config-file=",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "."],
        cwd=folder,
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = map(json.loads, done.stdout.splitlines())
    return [
        Complaint("mypy", _module(Path(one["file"])), one["line"], one["message"], one["code"] or "")
        for one in found
        if one["severity"] == "error"
    ]


def _pyright(folder: Path) -> list[Complaint]:
    config = {"typeCheckingMode": "strict", "include": ["."]}
    folder.joinpath("pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=folder,
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [
        Complaint(
            "pyright",
            _module(Path(one["file"]).resolve().relative_to(folder.resolve())),
            one["range"]["start"]["line"] + 1,
            one["message"],
            one.get("rule", ""),
        )
        for one in json.loads(done.stdout)["generalDiagnostics"]
        if one["severity"] == "error"
    ]


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)
