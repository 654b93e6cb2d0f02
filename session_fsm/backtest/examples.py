"""`Shown` is a session that shows a refusal or a change: as a recording for ``session-fsm replay``, and as a test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, frozen

from session_fsm.backtest.counters import Example, Group
from session_fsm.backtest.job import place_of
from session_fsm.errors import WireError
from session_fsm.recording import Recording, Request, Result, Snapshot, read_line
from session_fsm.session import CustomerSession
from session_fsm.states import Operation
from session_fsm.testing.steps import code_of
from session_fsm.wire.encoding import encode_value

__all__ = ["Shown", "shown", "test_module"]

_NO_TEST = {"unknown_session", "own_fields_missing", "failed", "unreadable"}
"""Codes of refusals that no verb of the class raises, so that a test cannot show them."""
_VALUES = (
    *("AdditionalCost", "CartItem", "ExperimentVariantAllocation", "Product", "ReturnedCartItem", "SessionUpdate"),
    *("TransitionRefused", "wire"),
)
"""The names of the package that a test may need."""


@frozen
class Shown:
    """A session that shows a refusal or a change; the shortest of its kind."""

    change: str
    """How the verdict changed, or ``refused`` if there is nothing to compare with."""
    trigger: str
    """The trigger of the last request."""
    codes: tuple[str, ...]
    """The codes of the refusal; those of the former refusal if the request is allowed now."""
    session: str
    """The integration ID of the session."""
    length: int
    """The number of its lines."""
    recording: str
    """The lines up to the request that changed, in the format of ``docs/replay-format.md``."""
    test: str
    """The same as a test function; empty if no test of the class can show it, such as that of an unknown session."""

    @property
    def name(self) -> str:
        """A name for files: ``newly_refused-close-order_too_small``."""
        return _word("-".join([self.change, self.trigger, *self.codes]))[:100]


def shown(group: Group, example: Example, kind: type[CustomerSession]) -> Shown:
    """Return *example* with its test of *kind*."""
    name = _word("_".join([group.trigger, "is", group.change, *group.codes]).replace("-", "_"))
    return Shown(
        change=group.change,
        trigger=group.trigger,
        codes=group.codes,
        session=example.session,
        length=example.length,
        recording="".join(f"{line}\n" for line in example.lines),
        test=_test(name[:100], example, kind),
    )


def test_module(examples: list[Shown], kind: type[CustomerSession]) -> str:
    """Return a module with the tests of *examples*."""
    tests = [example.test for example in examples if example.test]
    code = "\n\n".join(_numbered(tests))
    place, _, name = place_of(kind).partition(":")
    standard = [line for word, line in _STANDARD if re.search(rf"\b{word}\b", code)]
    used = [value for value in _VALUES if re.search(rf"\b{value}\b", code)]
    own = f"from {place} import {name.partition('.')[0]}"
    third = ["import pytest", ""] if "pytest." in code else []
    package = [f"from session_fsm import {', '.join(used)}"] if used else []
    return "\n".join([*standard, "", *third, *package, own, "", "", code]).lstrip()


_STANDARD = (("datetime", "from datetime import UTC, datetime"), ("Decimal", "from decimal import Decimal"))


def _numbered(tests: list[str]) -> Iterator[str]:
    """Yield *tests* with names that stand once."""
    seen: dict[str, int] = {}
    for test in tests:
        name = test.partition("(")[0]
        seen[name] = seen.get(name, 0) + 1
        yield test if seen[name] == 1 else test.replace("(", f"_{seen[name]}(", 1)


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text)


def _test(name: str, example: Example, kind: type[CustomerSession]) -> str:
    """Return the test function, or an empty text if the last request cannot be tested."""
    recording, lines = Recording(kind), [f"def test_{name}() -> None:"]
    kind_name = kind.__qualname__
    for place, text in enumerate(example.lines, start=1):
        step = _read(text)
        last = place == len(example.lines)
        if isinstance(step, Snapshot):
            recording.restore(step)
            lines.append(f"    session = wire.loads({encode_value(step.body).decode()!r}, {kind_name})")
            continue
        exists = step.session_id in recording.sessions
        result = _played(recording, step)
        call = _call(step, kind_name, exists=exists)
        if last and (result is None or step.dry or not _NO_TEST.isdisjoint(v.code for v in result.violations)):
            return ""
        if last and result is not None and result.violations:
            codes = ", ".join(sorted({f'"{violation.code}"' for violation in result.violations}))
            lines.append("    with pytest.raises(TransitionRefused) as refusal:")
            lines.append(f"        {call}")
            lines.append(f"    assert {{violation.code for violation in refusal.value.violations}} == {{{codes}}}")
        elif result is not None and result.event is not None:
            lines.append(f"    {'' if exists else 'session = '}{call}")
            if last:
                lines.append(f'    assert session.state == "{result.state}"')
    return "\n".join(lines) + "\n"


def _read(text: str) -> Request | Snapshot:
    step = read_line(text.encode())
    if isinstance(step, Request) and step.time is None:
        return evolve(step, time=datetime(1970, 1, 1, tzinfo=UTC))
    return step


def _played(recording: Recording, request: Request) -> Result | None:
    """Apply *request*, and return the result, or None if the class cannot read a value of it."""
    try:
        return recording.play(request)
    except WireError:
        return None


def _call(request: Request, kind: str, *, exists: bool) -> str:
    """Return the call of the verb that *request* is."""
    body: Any = request.body
    time = code_of(None if request.time is None else request.time.astimezone(UTC))
    match request.operation:
        case Operation.UPDATE if exists:
            return f"session.put({code_of(body)}, now={time})"
        case Operation.UPDATE:
            return f"{kind}.create({code_of(request.session_id)}, {code_of(body)}, now={time})"
        case Operation.RETURN:
            return f"session.return_items({code_of(list(body.returned_cart_items))}, now={time})"
        case _:
            return f"session.reopen(now={time})"
