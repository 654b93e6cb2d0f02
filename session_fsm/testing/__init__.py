"""The testing kit: for the tests of those who write rules of their own, and of this library itself."""

from session_fsm.testing.comparison import Comparison, Difference, compare
from session_fsm.testing.coverage import Coverage, Gap, Goal
from session_fsm.testing.differences import Differences, diff
from session_fsm.testing.lint import Finding, lint, lint_definition
from session_fsm.testing.mutants import Change, Mutant, mutants
from session_fsm.testing.mutation import CannotRun, Result, Score, Verdict, examined, run_tests
from session_fsm.testing.recording import Recorder, recording
from session_fsm.testing.saved import read_definition
from session_fsm.testing.seam import unrecorded
from session_fsm.testing.steps import BEGINNING, Step, Story, code_of
from session_fsm.testing.witnesses import NoWitness, Why, Witness, find_witness, witness

__all__ = [
    "BEGINNING",
    "CannotRun",
    "Change",
    "Comparison",
    "Coverage",
    "Difference",
    "Differences",
    "Finding",
    "Gap",
    "Goal",
    "Mutant",
    "NoWitness",
    "Recorder",
    "Result",
    "Score",
    "Step",
    "Story",
    "Verdict",
    "Why",
    "Witness",
    "code_of",
    "compare",
    "diff",
    "examined",
    "find_witness",
    "lint",
    "lint_definition",
    "mutants",
    "read_definition",
    "recording",
    "run_tests",
    "unrecorded",
    "witness",
]
