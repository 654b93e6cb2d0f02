"""The values that a Hypothesis strategy of the user gives to a search for a witness."""

from __future__ import annotations

from typing import Any

from session_fsm.errors import InvalidValue, SessionFSMError
from session_fsm.states import Trigger
from session_fsm.testing.steps import Step, Story
from session_fsm.values import SessionUpdate

__all__ = ["drawn_from"]

_DRAWN = 100
"""How many values to draw from a strategy."""


def drawn_from(strategy: Any) -> tuple[tuple[Story, ...], tuple[Step, ...]]:
    """Return the stories and the steps that *strategy* draws.

    Raises:
        InvalidValue: it draws something else than a `Story`, a `Step` or a `SessionUpdate`.
        SessionFSMError: Hypothesis is not installed.
    """
    stories: list[Story] = []
    steps: list[Step] = []
    for example in () if strategy is None else _examples(strategy):
        match example:
            case Story():
                stories.append(example)
            case Step():
                steps.append(example)
            case SessionUpdate():
                steps += [Step(trigger, example) for trigger in (Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE)]
            case _:
                problem = f"the strategy drew {example!r:.80}, which is neither a Story nor a Step nor a SessionUpdate"
                raise InvalidValue("/strategy", problem)
    return tuple(stories), tuple(steps)


def _examples(strategy: Any) -> list[Any]:
    try:
        from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - only a strategy needs it
    except ImportError as error:
        raise SessionFSMError("a strategy needs Hypothesis; install session-fsm[testing]") from error
    examples: list[Any] = []

    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=_DRAWN,
        phases=[Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
            HealthCheck.large_base_example,
        ],
    )
    @given(strategy)
    def collect(example: Any) -> None:
        examples.append(example)

    collect()
    return examples
