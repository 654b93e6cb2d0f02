"""What each of several libraries for state machines does, found out by running it.

Each library gets the same small order, in its own idiom: open, and closed by a trigger with two guards that both
fail. Each of the questions is answered by a method of its class, with a fresh order. ``python docs/comparison/peers.py``
prints the answers as the table of ``docs/comparison.md``; with ``--json`` they are printed for the test that compares
the two.
"""

# ruff: noqa: INP001, T201 - a script that prints, beside the page that it proves

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

from asking import QUESTIONS
from builders import Automat, DjangoFSM2, XStateStateMachine
from classes import PythonStateMachine, SessionFSM, Transitions

PEERS: tuple[type[Any], ...] = (SessionFSM, Transitions, PythonStateMachine, Automat, XStateStateMachine, DjangoFSM2)


def main() -> None:
    """Print the answers."""
    answers = {
        peer.distribution: {sentence: getattr(peer(), question)() for question, sentence in QUESTIONS.items()}
        for peer in PEERS
    }
    if "--json" in sys.argv[1:]:
        print(json.dumps(answers))
        return
    print("| |", " | ".join(f"{name} {version(name)}" for name in answers), "|")
    print("| --- " * (len(answers) + 1) + "|")
    for sentence in QUESTIONS.values():
        print(f"| {sentence} |", " | ".join(answer[sentence] for answer in answers.values()), "|")


if __name__ == "__main__":
    main()
