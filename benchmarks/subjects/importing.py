"""S-10: the cost of importing the library, compared with importing the two libraries that it is built on.

Each round starts a new interpreter, which measures only the import, in CPU time. All modules are compiled before.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.plan import Comparison, Measured, Ratio

__all__ = ["COMPARISONS"]

_MEASURE = "from time import process_time as t; start = t(); import {}; end = t(); print(end - start)"


def _seconds(modules: str) -> float:
    command = [sys.executable, "-c", _MEASURE.format(modules)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)  # noqa: S603 - fixed code


def _importing(modules: str) -> Measured:
    import compileall
    from importlib.util import find_spec
    from pathlib import Path

    found = find_spec("session_fsm")
    if found is None or found.origin is None:
        raise SystemExit("the library is not installed")
    compileall.compile_dir(Path(found.origin).parent, quiet=2)
    return Measured(lambda: min(_seconds(modules) for _ in range(3)))


IMPORT = Comparison(
    "S-10",
    "import session_fsm; import only transitions and attrs, on which it is built",
    area="memory",
    unit="ms per import",
    ratios=[Ratio("session-fsm", "transitions and attrs", at_most=1.5, aim=1.2)],
)


@IMPORT.contender("transitions and attrs")
def theirs() -> Measured:
    """Import the dependencies of the library."""
    return _importing("transitions, attrs")


@IMPORT.contender("session-fsm")
def ours() -> Measured:
    """Import the library."""
    return _importing("session_fsm")


COMPARISONS = [IMPORT]
