"""Shrink a story while it still fulfils a predicate; used for witnesses, differences and lint findings.

A story is simpler if it has fewer steps, then fewer explicit times, then fewer entries in lists and objects, then
shorter code. The result is minimal: no single step, item, field or entry can be dropped, and no value simplified.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import evolve, fields, has

from session_fsm.errors import InvalidValue
from session_fsm.json_values import EMPTY
from session_fsm.states import State
from session_fsm.testing.steps import Step, Story
from session_fsm.validators import is_list, is_object
from session_fsm.values import UNSET, SessionUpdate

__all__ = ["shrink"]

_MOST_WORK = 5000
"""How many stories to try; one with a long cart counts more."""
_MOST_VARIED = 10
"""How many elements of a list to simplify one by one."""


def shrink(story: Story, shows: Callable[[Story], bool], *, kept: Collection[str] = ()) -> Story:
    """Return *story* shrunk by dropping and simplifying one thing at a time.

    Args:
        story: the story to shrink; it fulfils *shows*.
        shows: the predicate.
        kept: the fields in the story's `own` that must not change, because the user gave them.
    """
    size = _size(story)
    tried, work, progress = {size}, 0, True
    while progress and work < _MOST_WORK:
        progress = False
        for other in _simpler_stories(story, kept):
            smaller = _size(other)
            work += 1 + len(smaller[-1]) // 200
            if smaller < size and smaller not in tried and work < _MOST_WORK:
                tried.add(smaller)
                if shows(other):
                    story, size, progress = other, smaller, True
                    break
    return story


def _size(story: Story) -> tuple[int, int, int, int, str]:
    code, steps = story.code(), story.steps
    return len(steps), sum(step.at is not None for step in steps), sum(map(_entries, steps)), len(code), code


def _entries(step: Step) -> int:
    """Return the number of entries in the lists and objects of the step's argument."""
    given = step.argument
    values = given.given().values() if isinstance(given, SessionUpdate) else (given,)
    return sum(len(value) for value in values if is_list(value) or is_object(value))


def _simpler_stories(story: Story, kept: Collection[str]) -> Iterator[Story]:
    steps = story.steps
    for place in range(len(steps)):
        yield evolve(story, steps=(*steps[:place], *steps[place + 1 :]))
    yield from (evolve(story, own=own) for own in _simpler_own(story.own, kept))
    for place, step in enumerate(steps):
        for other in _simpler_steps(step, evolve(story, steps=steps[:place]).end):
            yield evolve(story, steps=(*steps[:place], other, *steps[place + 1 :]))


def _simpler_own(own: Mapping[str, Any], kept: Collection[str]) -> Iterator[dict[str, Any]]:
    for name, value in own.items():
        if name not in kept:
            yield {other: own[other] for other in own if other != name}
            yield from ({**own, name: simpler} for simpler in _simpler(value))


def _simpler_steps(step: Step, earliest: datetime) -> Iterator[Step]:
    if step.context:
        yield evolve(step, context=EMPTY)
    if step.at is not None:
        yield evolve(step, at=None)
        for at in _simpler_times(step.at, earliest):
            yield evolve(step, at=at)
    for argument in _simpler(step.argument):
        yield evolve(step, argument=argument)


def _simpler_times(at: datetime, earliest: datetime) -> Iterator[datetime]:
    second = at.replace(microsecond=0)
    for rounded in (
        second.replace(hour=0, minute=0, second=0),
        second.replace(minute=0, second=0),
        second.replace(second=0),
    ):
        if rounded >= earliest:
            yield rounded


def _simpler(value: Any) -> Iterator[Any]:
    """Yield valid values that may be simpler than *value*."""
    match value:
        case bool() | None | State():
            return
        case str():
            yield from _other_texts(("A", value[: len(value) // 2], value[:-1], value[1:]), value)
        case int():
            yield from (number for number in _simpler_numbers(value) if number != value)
        case Decimal():
            if value == value.to_integral_value():
                yield from (Decimal(number) for number in _simpler_numbers(int(value)) if number != value)
            else:
                yield from map(Decimal, (0, 1, int(value), int(value) + 1))
                yield Decimal(f"{value:f}"[:-1])
        case _ if has(value.__class__):
            yield from _simpler_objects(value)
        case _ if is_object(value):
            yield from ({other: value[other] for other in value if other != name} for name in value)
            for name, member in value.items():
                others = {other: value[other] for other in value if other != name}
                yield from ({**others, simpler: member} for simpler in _simpler(name))
                yield from ({**value, name: simpler} for simpler in _simpler(member))
        case _ if is_list(value):
            yield from _simpler_lists(tuple(value))
        case _:
            return


def _simpler_numbers(number: int) -> Iterator[int]:
    """Yield 0, 1, and then numbers ever closer to *number*."""
    yield from (0, 1)
    step = abs(number) // 2
    sign = 1 if number > 0 else -1
    while step:
        yield number - sign * step
        step //= 2


def _simpler_lists(elements: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    size = len(elements)
    while size:
        shorter: tuple[Any, ...] = elements
        for start in range(0, len(elements), size):
            # Dropping either of two equal neighbours gives the same list.
            if shorter != (shorter := elements[:start] + elements[start + size :]):
                yield shorter
        size //= 2
    for place, element in enumerate(elements[:_MOST_VARIED]):
        if element not in elements[:place]:
            for simpler in _simpler(element):
                # Equal elements are simplified together first, then one alone.
                yield tuple(simpler if other == element else other for other in elements)
                yield (*elements[:place], simpler, *elements[place + 1 :])


def _simpler_objects(value: Any) -> Iterator[Any]:
    names = [a.name for a in fields(value.__class__) if a.init and not a.metadata.get("read_only")]
    values = {name: getattr(value, name) for name in names}
    empty = UNSET if isinstance(value, SessionUpdate) else None
    for name, member in values.items():
        if member is not empty and member is not UNSET:
            for simpler in (empty, *_simpler(member)):
                yield from _evolved(value, name, simpler)


def _evolved(value: Any, name: str, member: Any) -> Iterable[Any]:
    try:
        return (evolve(value, **{name: member}),)
    except InvalidValue:
        return ()


def _other_texts(texts: Iterable[str], text: str) -> Iterator[str]:
    return (other for other in dict.fromkeys(texts) if other not in ("", text))
