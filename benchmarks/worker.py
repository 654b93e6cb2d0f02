"""The worker process of one contender. `measuring` starts it.

It sets the contender up and writes its result; then it runs a round for each line of standard input and writes the
figure. Both are lines of JSON on standard output; what the contender prints goes to standard error.
"""

from __future__ import annotations

import json
import sys

from benchmarks.plan import find


def main(code: str, name: str, seconds: str) -> None:
    """Run a round for each line of standard input."""
    answers, sys.stdout = sys.stdout, sys.stderr
    comparison, contender = find(code, name)
    subject = contender.set_up()
    print(json.dumps(subject.result()), file=answers, flush=True)
    repeats = subject.warm_up(float(seconds))
    for _ in sys.stdin:
        print(json.dumps(subject.value(repeats) * comparison.scale), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
