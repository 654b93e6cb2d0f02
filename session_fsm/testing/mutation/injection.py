"""Plant a mutant in every Python process that a test command starts.

A directory in front of ``PYTHONPATH`` holds a ``sitecustomize`` module, which Python imports when it starts, whoever
starts it: ``python -m pytest``, ``uv run``, a worker of pytest-xdist, a test. It waits until the session class is made
and gives it the mutant's definition at once, so that whoever imports the class, from wherever and under whatever name
its module has there, gets the mutant. Another ``sitecustomize`` that there was before is run too.

Nothing of a process is touched but the class: neither are further modules imported for good nor options set.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

from session_fsm.session import CustomerSession
from session_fsm.subclasses.checks import is_undecorated
from session_fsm.testing.mutation.modified_classes import with_definition
from session_fsm.testing.mutation.mutants import Mutant, mutants

__all__ = ["Plot", "plant"]

_SITECUSTOMIZE = '''\
"""Plants a mutant of a session class; made by session-fsm for one run of a test command."""

import importlib.machinery
import importlib.util
import os
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = "session_fsm.session"
PACKAGE = "session_fsm.testing"


def plant(module):
    """Import what plants, without what the package imports besides, and leave no trace of it."""
    held = {name: sys.modules.pop(name) for name in list(sys.modules) if (name + ".").startswith(PACKAGE + ".")}
    package = sys.modules[PACKAGE] = types.ModuleType(PACKAGE)
    package.__path__ = [os.path.join(os.path.dirname(module.__file__), "testing")]
    try:
        from session_fsm.testing.mutation.injection import plant
    finally:
        for name in list(sys.modules):
            if (name + ".").startswith(PACKAGE + "."):
                del sys.modules[name]
        sys.modules.update(held)
    plant(module.CustomerSession, HERE)


class Finder:
    """Finds the module of CustomerSession where it is, and lets it be planted when it has been executed."""

    asked = False

    def find_spec(self, name, path=None, target=None):
        if name != MODULE or self.asked:
            return None
        self.asked = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.asked = False
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            if module.__name__ == MODULE:
                plant(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())

# The one that would have been imported but for this one.
elsewhere = [place for place in sys.path if os.path.abspath(place) != HERE]
spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
if spec is not None:
    other = sys.modules["sitecustomize"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
'''


class Plot:
    """A directory from which a mutant is planted, and what came of it.

    Args:
        folder: an empty directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seed = folder / "mutant.json"
        self._planted = folder / "planted"
        self._problem = folder / "problem"

    def prepare(self, kind: type[CustomerSession], mutant: Mutant | None) -> None:
        """Write what it takes to plant a *mutant* of *kind*; None leaves the class as it is, and notes that it was seen."""
        place: dict[str, Any] = {"class": kind.__qualname__, "module": kind.__module__, "file": _file_of(kind)}
        place["id"] = mutant.id if mutant else None
        self._seed.write_text(json.dumps(place), encoding="utf-8")
        (self.folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")

    def holds(self, kind: type[CustomerSession]) -> bool:
        """Whether it is for *kind* that the mutant is meant."""
        seed = self._read()
        if kind.__qualname__ != seed["class"]:
            return False
        if kind.__module__ == seed["module"]:
            return True
        file = _file_of(kind)
        return file is not None and file == seed["file"]

    def apply(self, kind: type[CustomerSession]) -> None:
        """Let *kind* be the mutant. What goes wrong is noted; it must not look as if a test had failed."""
        wanted = self._read()["id"]
        try:
            found = None if wanted is None else [mutant for mutant in mutants(kind) if mutant.id == wanted]
            for mutant in found or ():
                mutant.apply()
        except Exception as error:  # noqa: BLE001 - whatever it is, the tests go on with the class as it was
            self._note("".join(traceback.format_exception_only(error)))
            return
        if found == []:
            self._note(f"where the tests run, the class has no mutant {wanted}")
        else:
            self._planted.touch()

    def _note(self, problem: str) -> None:
        self._problem.write_text(problem, encoding="utf-8")

    def _read(self) -> dict[str, Any]:
        seed: dict[str, Any] = json.loads(self._seed.read_text(encoding="utf-8"))
        return seed

    @property
    def planted(self) -> bool:
        """Whether a process has had the mutant."""
        return self._planted.exists()

    @property
    def problem(self) -> str:
        """Why the mutant could not be planted, where that is known."""
        return self._problem.read_text(encoding="utf-8").strip() if self._problem.exists() else ""


def _file_of(kind: type[CustomerSession]) -> str | None:
    file: str | None = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return None if file is None else str(Path(file).resolve())


def plant(base: type[CustomerSession], folder: str) -> None:
    """Let the mutant of *folder* be planted when its class is made: at once if that is *base*, or when it is derived."""
    plot = Plot(Path(folder))
    if plot.holds(base):
        plot.apply(base)
        return
    made: Any = base.__init_subclass__
    decorated: Any = base.__attrs_init_subclass__
    planted: list[type] = []
    definitions: dict[str, tuple[Any, Any]] = {}

    def derived(cls: type[CustomerSession], /, **keywords: Any) -> None:
        made.__func__(cls, **keywords)
        # A class with fields waits for its decorator, which may make it anew.
        if not is_undecorated(cls) and "__attrs_attrs__" not in vars(cls) and plot.holds(cls):
            planted.append(cls)
            definitions[cls.__qualname__] = cls.machine.rules, cls.machine.table
            plot.apply(cls)

    def attrs_derived(cls: type[CustomerSession], /) -> None:
        decorated.__func__(cls)
        if cls not in planted and plot.holds(cls):
            if cls.__qualname__ in definitions:  # attrs has made the class anew, of what the mutant has left of it
                with_definition(cls, *definitions[cls.__qualname__])
            plot.apply(cls)

    derived.__name__, attrs_derived.__name__ = made.__name__, decorated.__name__
    base.__init_subclass__ = classmethod(derived)  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # it is planted
    base.__attrs_init_subclass__ = classmethod(attrs_derived)  # type: ignore[assignment,method-assign]  # pyright: ignore[reportAttributeAccessIssue]  # as above
