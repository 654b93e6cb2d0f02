"""What each of several libraries for state machines does, found out by running it.

Each library gets the same small order, in its own idiom: open, and closed by a trigger with two guards that both
fail. Each of the questions is answered by a method of its class, with a fresh order. ``python docs/comparison/peers.py``
prints the answers as the tables of ``docs/comparison.md``, without the column of XState; with ``--json`` they are printed
for the test that compares the two.
"""

# ruff: noqa: INP001, T201 - a script that prints, beside the page that it proves

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

from asking import QUESTIONS, TOOLS
from builders import Automat, DjangoFSM2, Sismic, XStateStateMachine
from classes import PythonStateMachine, SessionFSM, Transitions

PEERS: tuple[type[Any], ...] = (
    SessionFSM,
    Transitions,
    PythonStateMachine,
    Automat,
    Sismic,
    XStateStateMachine,
    DjangoFSM2,
)


def main() -> None:
    """Print the answers."""
    answers = {
        peer.distribution: {sentence: getattr(peer(), question)() for question, sentence in (QUESTIONS | TOOLS).items()}
        for peer in PEERS
    }
    if "--json" in sys.argv[1:]:
        print(json.dumps(answers))
        return
    # The page is of the version of session-fsm that it comes with.
    names = [name if name == SessionFSM.distribution else f"{name} {version(name)}" for name in answers]
    for questions in (QUESTIONS, TOOLS):
        print("| |", " | ".join(names), "|")
        print("| --- " * (len(answers) + 1) + "|")
        for sentence in questions.values():
            print(f"| {sentence} |", " | ".join(answer[sentence] for answer in answers.values()), "|")
        print()


if __name__ == "__main__":
    main()
