"""What lets the test classes of the kit run as they are: under pytest and unittest, every profile of Hypothesis, ``-O``.

`SessionMachine` and `RuleContract` have these parts in common.
"""

from __future__ import annotations

from typing import Any
from unittest import TestCase

from hypothesis import HealthCheck, Phase, settings

__all__ = ["AsTestCase", "hold", "patient"]

_any_health: Any = list(HealthCheck)
_PATIENT: dict[str, Any] = {
    "deadline": None,
    "phases": [phase for phase in Phase if phase is not Phase.explain],
    "report_multiple_bugs": False,
}


class _Patient:
    """Class attribute: the settings of the profile that is loaded when they are looked at, with patience.

    How long a test takes that draws sessions with a history, and how much is filtered, depends on the rules of the
    class. One failure is shown, the simplest; to explain it by running variants of it would take minutes, and tell less
    than its steps do. Where the profile says something else than Hypothesis does by itself, the profile is obeyed.
    """

    def __init__(self, **preferred: Any) -> None:
        """Prefer these settings too, where the profile says nothing."""
        self._preferred = _PATIENT | preferred

    def __get__(self, instance: object, owner: type | None = None) -> settings:
        loaded: Any = settings.default
        usual = settings.get_profile("default")
        chosen = {n: value for n, value in self._preferred.items() if getattr(loaded, n) == getattr(usual, n)}
        return settings(loaded, suppress_health_check=_any_health, **chosen)


def patient(**preferred: Any) -> Any:
    """Return a class attribute that is the settings of the loaded profile, and *preferred* where it says nothing."""
    return _Patient(**preferred)


class AsTestCase:
    """Class attribute: the class as a `unittest.TestCase`, for whoever collects nothing else."""

    def __get__(self, instance: object, owner: type[Any]) -> type[Any]:
        if issubclass(owner, TestCase):
            return owner
        if "_as_test_case" not in vars(owner):
            names = {name: getattr(owner, name) for name in ("__module__", "__qualname__", "__doc__")}
            made = type(owner.__name__, (owner, TestCase), names)
            # Kept, so that its settings can be assigned; and in a tuple, because pytest collects every TestCase it sees.
            setattr(owner, "_as_test_case", (made,))  # noqa: B010 - the class does not declare it
        case: type[Any]
        (case,) = vars(owner)["_as_test_case"]
        return case


def hold(condition: object, otherwise: str) -> None:
    """Raise an AssertionError that says what is so *otherwise*; unlike ``assert``, under ``python -O`` too."""
    __tracebackhide__ = True
    if not condition:
        raise AssertionError(otherwise)
