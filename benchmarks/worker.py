"""The process of one contender: sets it up, tells its result, and does a round whenever it is asked to.

It speaks JSON, a line at a time; whatever a contender prints goes to the error stream.
"""

from __future__ import annotations

import json
import sys

from benchmarks.plan import find


def main(code: str, name: str, seconds: str) -> None:
    """Serve rounds until the command closes the connection."""
    answers, sys.stdout = sys.stdout, sys.stderr
    comparison, contender = find(code, name)
    subject = contender.set_up()
    print(json.dumps(subject.result()), file=answers, flush=True)
    repeats = subject.rehearse(float(seconds))
    for _ in sys.stdin:
        print(json.dumps(subject.value(repeats) * comparison.scale), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
