"""The testing kit: for the tests of those who write rules of their own, and of this library itself."""

from session_fsm.testing.coverage import Coverage, Gap, Goal
from session_fsm.testing.matrix import Cell, CellOutcome, matrix, matrix_table
from session_fsm.testing.paths import Cover, Path, Paths, PathStep, paths
from session_fsm.testing.recording import Recorder, recording
from session_fsm.testing.seam import unrecorded
from session_fsm.testing.steps import BEGINNING, Step, Story, code_of
from session_fsm.testing.witnesses import NoWitness, Why, Witness, find_witness, witness

__all__ = [
    "BEGINNING",
    "Cell",
    "CellOutcome",
    "Cover",
    "Coverage",
    "Gap",
    "Goal",
    "NoWitness",
    "Path",
    "PathStep",
    "Paths",
    "Recorder",
    "Step",
    "Story",
    "Why",
    "Witness",
    "code_of",
    "find_witness",
    "matrix",
    "matrix_table",
    "paths",
    "recording",
    "unrecorded",
    "witness",
]
