"""The testing kit: for the tests of those who write rules of their own, and of this library itself."""

from session_fsm.testing.steps import BEGINNING, Step, Story, code_of

__all__ = ["BEGINNING", "Step", "Story", "code_of"]
