"""The testing kit, for services with their own rules and for this library.

The names that need Hypothesis or the extra ``store`` are imported on first access, so that the others work without them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from session_fsm.testing.analysis.diff import Change, ChangeKind, Differences, Stuck, diff
from session_fsm.testing.analysis.equivalence import Comparison, Difference, compare
from session_fsm.testing.analysis.lint import Fault, Finding, lint, lint_definition
from session_fsm.testing.analysis.saved_definition import read_definition
from session_fsm.testing.clock import Clock
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.coverage.recorder import Recorder, recording
from session_fsm.testing.coverage.result import Coverage, Gap, Goal
from session_fsm.testing.failure_report import Taken
from session_fsm.testing.generation.path import Cover, Path, Paths, PathStep
from session_fsm.testing.generation.paths import paths
from session_fsm.testing.generation.witnesses import NoWitness, Why, Witness, find_witness, witness
from session_fsm.testing.matrix import Cell, CellOutcome, matrix, matrix_table
from session_fsm.testing.mutation.mutants import Mutant, MutantKind, mutants
from session_fsm.testing.mutation.runner import CannotRun, Result, Score, Verdict, examined, run_tests
from session_fsm.testing.scenario import Scenario, given
from session_fsm.testing.steps import BEGINNING, Step, Story, code_of

if TYPE_CHECKING:
    from session_fsm.testing.contracts import RuleContract
    from session_fsm.testing.model.state_machine import SessionMachine
    from session_fsm.testing.store_contract import StoreContract
    from session_fsm.testing.strategies.documents import json_documents
    from session_fsm.testing.strategies.invalid import (
        Planted,
        invalid_cart_items,
        invalid_json_documents,
        invalid_operations,
        invalid_returns,
        invalid_sessions,
        invalid_updates,
    )
    from session_fsm.testing.strategies.sessions import operations, sessions, stories
    from session_fsm.testing.strategies.values import cart_items, carts, returns, updates

__all__ = [
    "BEGINNING",
    "CannotRun",
    "Cell",
    "CellOutcome",
    "Change",
    "ChangeKind",
    "Clock",
    "Comparison",
    "Cover",
    "Coverage",
    "Difference",
    "Differences",
    "Fault",
    "Finding",
    "Gap",
    "Goal",
    "Mutant",
    "MutantKind",
    "NoWitness",
    "Path",
    "PathStep",
    "Paths",
    "Planted",
    "Recorder",
    "Result",
    "RuleContract",
    "Scenario",
    "Score",
    "SessionMachine",
    "Step",
    "StoreContract",
    "Story",
    "Stuck",
    "Taken",
    "Verdict",
    "Why",
    "Witness",
    "cart_items",
    "carts",
    "code_of",
    "compare",
    "diff",
    "examined",
    "find_witness",
    "given",
    "invalid_cart_items",
    "invalid_json_documents",
    "invalid_operations",
    "invalid_returns",
    "invalid_sessions",
    "invalid_updates",
    "json_documents",
    "lint",
    "lint_definition",
    "matrix",
    "matrix_table",
    "mutants",
    "operations",
    "paths",
    "read_definition",
    "recording",
    "returns",
    "run_tests",
    "sessions",
    "stories",
    "unrecorded",
    "updates",
    "witness",
]

_NEED_HYPOTHESIS = {
    **dict.fromkeys(["cart_items", "carts", "returns", "updates"], "strategies.values"),
    **dict.fromkeys(["operations", "sessions", "stories"], "strategies.sessions"),
    "json_documents": "strategies.documents",
    **dict.fromkeys(["Planted", *(name for name in __all__ if name.startswith("invalid_"))], "strategies.invalid"),
    "SessionMachine": "model.state_machine",
    "RuleContract": "contracts",
}
"""The names that need Hypothesis, with their modules."""
_NEED_STORE = {"StoreContract": "store_contract"}
"""The names that need the extra ``store`` and Hypothesis, with their modules."""

# `from session_fsm.testing import *` takes only what can be imported here. Type checkers see the whole list above.
_needs = {"hypothesis": {*_NEED_HYPOTHESIS, *_NEED_STORE}, "sqlalchemy": {*_NEED_STORE}}
_missing = {name for package, names in _needs.items() if find_spec(package) is None for name in names}
_importable = __all__
_importable[:] = [name for name in _importable if name not in _missing]


def __getattr__(name: str) -> Any:
    if name in _NEED_STORE:
        return getattr(import_module(f"{__name__}.{_NEED_STORE[name]}"), name)
    if name not in _NEED_HYPOTHESIS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_NEED_HYPOTHESIS[name]}")
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        text = f'session_fsm.testing.{name} needs Hypothesis; run: pip install "session-fsm[testing]"'
        raise ModuleNotFoundError(text, name=error.name) from None
    return getattr(module, name)
