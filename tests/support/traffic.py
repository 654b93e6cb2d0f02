"""Recorded traffic for the tests of the backtest, session classes to play it through, and the plain loop over a replay."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from attrs import evolve

from session_fsm import CustomerSession, State, Trigger, WireError, rule
from session_fsm.recording import Recording, Snapshot, read_line
from session_fsm.rules import coupon_code_required


@rule("order_too_small", on=[Trigger.CREATE, Trigger.CLOSE], target=State.CLOSED)
def order_is_worth_thirty(total: Decimal) -> bool:
    """An order must be worth at least 30."""
    return total >= 30


@rule("too_many_returns", on=[Trigger.RETURN_ITEMS])
def at_most_two_units_come_back(session: CustomerSession) -> bool:
    """At most two units of an order come back."""
    return sum(item.returned_quantity or 0 for item in session.cart_items) < 2


class OldShop(CustomerSession):
    """The class in production: it requires a coupon code."""

    rules = (*CustomerSession.rules, coupon_code_required)


class NewShop(CustomerSession):
    """The next class: it requires a total instead, and limits returns."""

    rules = (*CustomerSession.rules, order_is_worth_thirty, at_most_two_units_come_back)


HOSTILE = (
    b"nonsense",
    b"{",
    b"\xff\xfe\x00",
    b'{"operation": "update", "sessionId": "order-1", "body": {"couponCodes": ["\xff"]}}',
    b"\xef\xbb\xbf",
    b"[1, 2]",
    b'"text"',
    b"null",
    b'{"operation": "update", "sessionId": "order-1", "sessionId": "order-2", "body": {}}',
    b'{"operation": "update", "sessionId": "order-1", "body": {"cartItems": [{"sku": "A", "quantity": 1, "price": NaN}]}}',
    b'{"operation": "update", "sessionId": "order-1", "body": {},}',
    b'{"operation": "update", "body": {"attributes": {"sessionId": "order-1"}}}',
    b'{"operation": "update", "sessionId": 5, "body": {}}',
    b'{"operation": "update", "sessionId": "", "body": {}}',
    b'{"operation": "update", "sessionId": "\\ud800", "body": {}}',
    b'{"operation": "update", "sessionId": "order-1", "time": "yesterday", "body": {}}',
    b'{"operation": "dance", "sessionId": "order-1", "body": {}}',
    b'{"operation": "update", "sessionId": "order-1", "body": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"operation": "update", "sessionId": "order-1", "body": {"attributes": {"n": ' + b"9" * 5000 + b"}}}",
    b'{"operation": "snapshot", "sessionId": "order-1", "body": {"state": "lost"}}',
)
"""Lines that cannot be read, each for another reason."""

ODD = (
    b'{"body": {"sessionId": "order-2", "attributes": {"sessionId": "order-3"}}, "operation": "update", "sessionId": "order-1"}',
    b'{"operation": "update", "sessionId": "order\\u002d1", "body": {}}',
    b'{"operation": "update", "sessionId": "a\\u0000b", "body": {}}',
    b'{"operation": "update", "sessionId": "q\\"uote\\\\", "body": {}}',
    b'\xef\xbb\xbf{"operation": "update", "sessionId": "bom", "body": {}}',
    b'{"operation": "update", "sessionId": "\xe6\x9c\xa8\xf0\x9f\x8c\xb3", "body": {}, "time": "2026-02-30T00:00:00Z"}',
    b'\t{"operation":\r"update", "sessionId": "order-1", "body": {}} \r',
    b'{"operation": "update", "sessionId": "\xe6\x9c\xa8", "body": {"cartItems": [{"sku": "A", "quantity": 3, "price": 0.1000000000000000055511}]}}',
)
"""Lines that are odd; all but one can be read."""


def _body(step: str, random: Random) -> dict[str, Any] | None:
    items = [
        {"sku": f"SKU-{random.randrange(5)}", "quantity": random.randrange(1, 4), "price": random.randrange(2000) / 100}
        for _ in range(random.randrange(1, 4))
    ]
    match step:
        case "cart":
            return {"cartItems": items}
        case "coupon":
            return {"couponCodes": random.choice([["XMAS"], []])}
        case "close":
            return {"state": "closed"}
        case "order":
            return {"state": "closed", "cartItems": items, "couponCodes": ["XMAS"]}
        case "cancel":
            return {"state": "cancelled"}
        case "return":
            return {"returnedCartItems": [{"position": random.randrange(3), "quantity": random.randrange(1, 3)}]}
        case _:
            return None


_STEPS = ("cart", "cart", "coupon", "close", "order", "return", "return", "reopen", "cancel")
_ZONES = (UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=5, minutes=30)))


def session_lines(session_id: str, random: Random, most: int = 9) -> list[bytes]:
    """Return the lines of a session: any operations, with times in several zones, some equal and some missing."""
    time = datetime(2025, 12, 30, tzinfo=UTC) + timedelta(hours=random.randrange(2000))
    lines: list[bytes] = []
    for number in range(random.randrange(1, most)):
        step = random.choice(_STEPS) if number else random.choice(("cart", "order", "return"))
        body = _body(step, random)
        line: dict[str, Any] = {
            "operation": step if step in ("return", "reopen") else "update",
            "sessionId": session_id,
        } | ({} if body is None else {"body": body})
        if random.randrange(10):
            time += timedelta(minutes=random.choice((0, 0, 7, 90)))
            line["time"] = time.astimezone(random.choice(_ZONES)).isoformat()
        if not random.randrange(15):
            line["dry"] = True
        lines.append(json.dumps(line).encode())
    return lines


def traffic(sessions: int, *, seed: int = 1, hostile: bool = True) -> list[bytes]:
    """Return the lines of *sessions*, mixed, with lines that cannot be read among them."""
    random = Random(seed)
    lines = [line for number in range(sessions) for line in session_lines(f"order-{number}", random)]
    if hostile:
        lines += [random.choice((*HOSTILE, *ODD, b"", b"   ")) for _ in range(sessions // 5)]
        lines += [*HOSTILE, *ODD]
    random.shuffle(lines)
    return lines


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    """Write *lines* into the file *path*."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def write_in_files(folder: Path, lines: list[bytes], files: int = 3) -> list[Path]:
    """Write *lines* into several files, so that the lines of a session are in all of them."""
    size = -(-len(lines) // files)
    return [
        write_lines(folder / f"day-{number}.jsonl", lines[number * size : (number + 1) * size])
        for number in range(files)
    ]


_NONE = datetime(1970, 1, 1, tzinfo=UTC)


def plain_loop(files: Iterable[Path], kind: type[CustomerSession]) -> Iterator[tuple[Any, ...]]:
    """Yield what a loop over the replay says: session, number, trigger, outcome, codes, state, total, for each request.

    The requests of a session are ordered by time first, as a backtest does it.
    """
    sessions: dict[str, list[tuple[datetime | None, Any]]] = {}
    for file in files:
        for line in file.read_bytes().split(b"\n"):
            if not line or line.isspace():
                continue
            try:
                request = read_line(line)
            except WireError:
                continue
            known = sessions.setdefault(request.session_id, [])
            known.append((request.time or (known[-1][0] if known else None), request))
    for session_id, timed in sorted(sessions.items()):
        recording, number = Recording(kind), 0
        for time, request in sorted(timed, key=lambda pair: pair[0] or datetime.min.replace(tzinfo=UTC)):
            try:
                if isinstance(request, Snapshot):
                    recording.restore(request)
                    continue
                result = recording.play(evolve(request, time=time or _NONE))
            except WireError:
                continue
            number += 1
            codes = sorted({violation.code for violation in result.violations})
            outcome = "refused" if codes else "allowed" if request.dry else "applied"
            total = None if result.total is None else f"{result.total:f}"
            yield session_id, number, str(result.trigger), outcome, codes, result.state and str(result.state), total


def as_rows(verdicts: Any) -> list[tuple[Any, ...]]:
    """Return a table of verdicts in the form of `plain_loop`, sorted as Python sorts text."""
    names = ("session", "number", "trigger", "outcome", "codes", "state", "total")
    return sorted(zip(*(verdicts.column(name).to_pylist() for name in names), strict=True), key=lambda row: row[:2])
