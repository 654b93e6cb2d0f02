"""The testing kit: for the tests of those who write rules of their own, and of this library itself."""

from session_fsm.testing.steps import BEGINNING, Step, Story, code_of
from session_fsm.testing.witnesses import NoWitness, Why, Witness, find_witness, witness

__all__ = ["BEGINNING", "NoWitness", "Step", "Story", "Why", "Witness", "code_of", "find_witness", "witness"]
