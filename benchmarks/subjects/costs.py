"""S-5, S-8, S-9 and S-11: scaling, and the costs of dry runs, refusals and threads."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from benchmarks.plan import Comparison, Ratio, Timed

__all__ = ["COMPARISONS"]


def _items(number: int) -> list[Any]:
    from session_fsm import CartItem

    return [CartItem(sku=f"SKU-{index}", quantity=2, price="19.99") for index in range(number)]


def _sessions(number: int, kind: Any = None, **fields: Any) -> list[Any]:
    from session_fsm import CustomerSession

    sessions, items = [], _items(5)
    for index in range(number):
        session = (kind or CustomerSession).create(f"order-{index}", cart_items=items, **fields)
        session.take_events()
        sessions.append(session)
    return sessions


LIVE = Comparison(
    "S-5a",
    "close and reopen while many sessions are in memory",
    area="triggers",
    unit="us per trigger",
    ratios=[
        Ratio(name, "1 session", at_most=1.1) for name in ("1,000 sessions", "100,000 sessions", "1,000,000 sessions")
    ],
)


def _with_sessions_in_memory(number: int) -> Timed:
    in_memory = _sessions(number)
    gc.freeze()  # the collection before each round takes seconds for a million sessions

    def work(sessions: list[Any]) -> None:
        for session in sessions:
            session.close()
            session.reopen()

    return Timed(work, _sessions, lambda: len(in_memory) >= 1, pieces=2)


for _number in (1, 1_000, 100_000, 1_000_000):
    LIVE.contender(f"{_number:,} session{'s' * (_number > 1)}", slow=_number == 1_000_000)(
        partial(_with_sessions_in_memory, _number)
    )

CART = Comparison(
    "S-5b",
    "update with a cart of many items, for each item",
    area="triggers",
    unit="us per item",
    ratios=[Ratio(f"{number:,} items", at_most=1) for number in (10, 100, 1000)] + [Ratio("1 item")],
)


def _updating(number: int) -> Timed:
    from session_fsm import SessionUpdate

    change = SessionUpdate(cart_items=_items(number))

    def work(sessions: list[Any]) -> None:
        for session in sessions:
            session.update(change)

    return Timed(work, _sessions, lambda: None, pieces=number)


for _number in (1, 10, 100, 1000):
    CART.contender(f"{_number:,} item{'s' * (_number > 1)}")(partial(_updating, _number))


DRY_RUNS = Comparison(
    "S-8",
    "close, its dry run, and the dry run of all triggers",
    area="triggers",
    unit="us per call",
    ratios=[
        Ratio("evaluate, a dry run", "close", at_most=1.5),
        Ratio("board, five dry runs", "evaluate, a dry run", at_most=5),
    ],
)


def _calling(verb: str, *arguments: str) -> Timed:
    def work(sessions: list[Any]) -> None:
        for session in sessions:
            getattr(session, verb)(*arguments)

    def result() -> bool:
        answer = getattr(_sessions(1)[0], verb)(*arguments)
        return bool(answer["close"] if verb == "board" else answer)

    return Timed(work, _sessions, result)


DRY_RUNS.contender("close")(partial(_calling, "close"))
DRY_RUNS.contender("evaluate, a dry run")(partial(_calling, "evaluate", "close"))
DRY_RUNS.contender("board, five dry runs")(partial(_calling, "board"))


REFUSALS = Comparison(
    "S-9",
    "close with two rules of one's own: allowed, or refused with both reasons",
    area="triggers",
    unit="us per trigger",
    ratios=[Ratio("refused", "allowed", at_most=3)],
)


def _closing(**fields: Any) -> Timed:
    from session_fsm import CustomerSession, RuleViolated
    from session_fsm.rules import coupon_code_required, referral_code_required

    class Strict(CustomerSession):
        rules = (*CustomerSession.rules, coupon_code_required, referral_code_required)

    def work(sessions: list[Any]) -> None:
        for session in sessions:
            try:
                session.close()
            except RuleViolated as refusal:
                refusal.violations  # noqa: B018 - computes the reasons, as a handler would

    def result() -> int:
        return len(Strict.create("order-1042", cart_items=_items(5)).evaluate("close").violations)

    return Timed(work, partial(_sessions, kind=Strict, **fields), result)


REFUSALS.contender("allowed")(partial(_closing, coupon_codes=["XMAS"], referral_code="FRIEND"))
REFUSALS.contender("refused")(_closing)


THREADS = Comparison(
    "S-11",
    "eight threads, each on its own sessions, against one thread; relative to plain Python",
    area="triggers",
    unit="us per trigger",
    drawn=False,
    ratios=[
        Ratio("8 threads", "1 thread", at_most=1.1, baseline=("plain Python, 8 threads", "plain Python, 1 thread"))
    ],
)


def _close_all(sessions: list[Any]) -> int:
    for session in sessions:
        session.close()
        session.reopen()
    return sum(session.update_count for session in sessions)


def _count(numbers: list[int]) -> int:
    """Do about the same amount of work in plain Python."""
    return sum(len([other for other in range(40) if other != number]) and 3 for number in numbers)


def _threaded(threads: int, *, plain: bool) -> Timed:
    do: Any = _count if plain else _close_all
    pool = ThreadPoolExecutor(threads)

    def prepare(repeats: int) -> list[Any]:
        return [list(range(repeats)) if plain else _sessions(repeats) for _ in range(8)]

    return Timed(
        lambda parts: list(pool.map(do, parts)),
        prepare,
        lambda: list(pool.map(do, prepare(10))),
        pieces=16,
        repeats=1000,  # enough to make the cost of handing work to a thread negligible
    )


for _threads, _name in ((1, "1 thread"), (8, "8 threads")):
    THREADS.contender(_name)(partial(_threaded, _threads, plain=False))
    THREADS.contender(f"plain Python, {_name}")(partial(_threaded, _threads, plain=True))

COMPARISONS = [LIVE, CART, DRY_RUNS, REFUSALS, THREADS]
