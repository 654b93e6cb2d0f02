"""Inject a mutant into every Python process that a test command starts; called by the runner.

The runner puts a directory with a ``sitecustomize`` module in front of ``PYTHONPATH``. Python imports that module at
every start, also in workers of pytest-xdist and in processes that tests start. It waits until the session class is
defined and replaces its definition at once, so that every importer of the class gets the mutant, whatever name its
module has. A ``sitecustomize`` that existed before is run too.

The process stays otherwise as it was: no further module remains imported, and no option is set.
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

__all__ = ["Injection", "inject"]

_SITECUSTOMIZE = '''\
"""Injects a mutant of a session class; written by session-fsm for one run of a test command."""

import importlib.machinery
import importlib.util
import os
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = "session_fsm.session"
PACKAGE = "session_fsm.testing"


def inject(module):
    """Import the injection without the rest of its package, run it, and remove it from sys.modules."""
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if (name + ".").startswith(PACKAGE + ".")}
    package = sys.modules[PACKAGE] = types.ModuleType(PACKAGE)
    package.__path__ = [os.path.join(os.path.dirname(module.__file__), "testing")]
    try:
        from session_fsm.testing.mutation.injection import inject
    finally:
        for name in list(sys.modules):
            if (name + ".").startswith(PACKAGE + "."):
                del sys.modules[name]
        sys.modules.update(saved)
    inject(module.CustomerSession, HERE)


class Finder:
    """Finds the module of CustomerSession as usual, and injects the mutant after it is executed."""

    searching = False

    def find_spec(self, name, path=None, target=None):
        if name != MODULE or self.searching:
            return None
        self.searching = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.searching = False
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            if module.__name__ == MODULE:
                inject(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())

# The sitecustomize module that this one shadows.
elsewhere = [place for place in sys.path if os.path.abspath(place) != HERE]
spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
if spec is not None:
    other = sys.modules["sitecustomize"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
'''


class Injection:
    """A directory from which processes inject a mutant, and in which they note the result.

    Args:
        folder: an empty directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._request = folder / "mutant.json"
        self._injected = folder / "injected"
        self._problem = folder / "problem"

    def prepare(self, kind: type[CustomerSession], mutant: Mutant | None) -> None:
        """Write the files that inject *mutant* into *kind*; with None, processes only note that the class was defined."""
        place: dict[str, Any] = {"class": kind.__qualname__, "module": kind.__module__, "file": _file_of(kind)}
        place["id"] = mutant.id if mutant else None
        self._request.write_text(json.dumps(place), encoding="utf-8")
        (self.folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")

    def is_for(self, kind: type[CustomerSession]) -> bool:
        """Whether *kind* is the class to mutate, by its name and its module or file."""
        request = self._read()
        if kind.__qualname__ != request["class"]:
            return False
        if kind.__module__ == request["module"]:
            return True
        file = _file_of(kind)
        return file is not None and file == request["file"]

    def apply(self, kind: type[CustomerSession]) -> None:
        """Apply the mutant to *kind*. An error is noted and not raised, because it must not look like a failing test."""
        wanted = self._read()["id"]
        try:
            found = None if wanted is None else [mutant for mutant in mutants(kind) if mutant.id == wanted]
            for mutant in found or ():
                mutant.apply()
        except Exception as error:  # noqa: BLE001 - on any error the tests go on with the original class
            self._note("".join(traceback.format_exception_only(error)))
            return
        if found == []:
            self._note(f"where the tests run, the class has no mutant {wanted}")
        else:
            self._injected.touch()

    def _note(self, problem: str) -> None:
        self._problem.write_text(problem, encoding="utf-8")

    def _read(self) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(self._request.read_text(encoding="utf-8"))
        return request

    @property
    def injected(self) -> bool:
        """Whether a process injected the mutant."""
        return self._injected.exists()

    @property
    def problem(self) -> str:
        """Why the mutant could not be injected; empty if there was no problem."""
        return self._problem.read_text(encoding="utf-8").strip() if self._problem.exists() else ""


def _file_of(kind: type[CustomerSession]) -> str | None:
    file: str | None = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return None if file is None else str(Path(file).resolve())


def inject(base: type[CustomerSession], folder: str) -> None:
    """Apply the mutant of *folder* to its class: to *base* at once, or to a subclass when it is defined."""
    injection = Injection(Path(folder))
    if injection.is_for(base):
        injection.apply(base)
        return
    # Replaces both hooks of the base class, so that a subclass is a mutant before any code can use it.
    init_subclass: Any = base.__init_subclass__
    attrs_init_subclass: Any = base.__attrs_init_subclass__
    done: list[type] = []
    definitions: dict[str, tuple[Any, Any]] = {}

    def after_init_subclass(cls: type[CustomerSession], /, **keywords: Any) -> None:
        init_subclass.__func__(cls, **keywords)
        # A class with own fields is complete only after its attrs decorator, which may create it a second time.
        if not is_undecorated(cls) and "__attrs_attrs__" not in vars(cls) and injection.is_for(cls):
            done.append(cls)
            definitions[cls.__qualname__] = cls.machine.rules, cls.machine.table
            injection.apply(cls)

    def after_attrs_init_subclass(cls: type[CustomerSession], /) -> None:
        attrs_init_subclass.__func__(cls)
        if cls not in done and injection.is_for(cls):
            # attrs may create the class again from the mutated one: restore the definition first.
            if cls.__qualname__ in definitions:
                with_definition(cls, *definitions[cls.__qualname__])
            injection.apply(cls)

    after_init_subclass.__name__ = init_subclass.__name__
    after_attrs_init_subclass.__name__ = attrs_init_subclass.__name__
    base.__init_subclass__ = classmethod(after_init_subclass)  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # replaced on purpose
    base.__attrs_init_subclass__ = classmethod(after_attrs_init_subclass)  # type: ignore[assignment,method-assign]  # pyright: ignore[reportAttributeAccessIssue]  # as above
