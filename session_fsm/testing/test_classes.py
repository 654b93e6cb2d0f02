"""Common parts of `SessionMachine` and `RuleContract`, so that both run under pytest and unittest and with ``-O``."""

from __future__ import annotations

from typing import Any
from unittest import TestCase

from hypothesis import HealthCheck, Phase, settings

__all__ = ["AsTestCase", "check", "relaxed_settings"]

_any_health: Any = list(HealthCheck)
_RELAXED: dict[str, Any] = {
    "deadline": None,
    "phases": [phase for phase in Phase if phase is not Phase.explain],
    "report_multiple_bugs": False,
}


class _RelaxedSettings:
    """A descriptor that returns the settings of the loaded Hypothesis profile, with relaxed limits.

    There is no deadline and no health check, because the time of a test and the number of filtered examples depend on
    the rules of the class. The explain phase is off: it takes minutes and adds little to the shrunk steps. A setting
    that the profile changes from the default of Hypothesis has priority.
    """

    def __init__(self, **preferred: Any) -> None:
        """Store further defaults, for settings that the profile does not change."""
        self._preferred = _RELAXED | preferred

    def __get__(self, instance: object, owner: type | None = None) -> settings:
        loaded: Any = settings.default
        default = settings.get_profile("default")
        chosen = {n: value for n, value in self._preferred.items() if getattr(loaded, n) == getattr(default, n)}
        return settings(loaded, suppress_health_check=_any_health, **chosen)


def relaxed_settings(**preferred: Any) -> Any:
    """Return a descriptor for the settings of the loaded profile, with *preferred* as further defaults."""
    return _RelaxedSettings(**preferred)


class AsTestCase:
    """A descriptor that returns the class as a `unittest.TestCase`, for runners that collect nothing else."""

    def __get__(self, instance: object, owner: type[Any]) -> type[Any]:
        if issubclass(owner, TestCase):
            return owner
        if "_as_test_case" not in vars(owner):
            names = {name: getattr(owner, name) for name in ("__module__", "__qualname__", "__doc__")}
            made = type(owner.__name__, (owner, TestCase), names)
            # Cached, so that its settings can be assigned; in a tuple, because pytest collects every TestCase attribute.
            setattr(owner, "_as_test_case", (made,))  # noqa: B010 - the class does not declare it
        case: type[Any]
        (case,) = vars(owner)["_as_test_case"]
        return case


def check(condition: object, otherwise: str) -> None:
    """Raise an AssertionError with the text *otherwise* if *condition* is false; unlike ``assert``, also with ``-O``."""
    __tracebackhide__ = True
    if not condition:
        raise AssertionError(otherwise)
