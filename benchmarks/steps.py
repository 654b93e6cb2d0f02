"""The time of each step of the lifecycle in S-3, with the library and by hand: ``python -m benchmarks.steps``.

Each figure is the minimum of several rounds, in microseconds of CPU time. The sessions of a round are created before
the timed part, and each takes the step once.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from time import process_time
from typing import Any

from benchmarks.order import ITEMS, OTHER_ITEMS, Line, PlainOrder, Refused
from session_fsm import CartItem, CustomerSession, ReturnedCartItem, SessionUpdate, WrongState

__all__ = ["main"]

_SESSIONS, _ROUNDS = 1000, 25
_ITEMS, _OTHERS = (
    [CartItem(sku=sku, quantity=quantity, price=price) for sku, quantity, price in given]
    for given in (ITEMS, OTHER_ITEMS)
)
_LINES, _OTHER_LINES = [Line(*item) for item in ITEMS], [Line(*item) for item in OTHER_ITEMS]


def _session(_: Any = None) -> CustomerSession:
    return CustomerSession.create("order-1042", profile_id="customer-7", cart_items=_ITEMS)


def _order(_: Any = None) -> PlainOrder:
    return PlainOrder("order-1042", "customer-7", _LINES)


def _closed(make: Callable[[], Any]) -> Callable[[], Any]:
    def closed() -> Any:
        entity = make()
        entity.close()
        return entity

    return closed


def _refused(entity: Any) -> None:
    with contextlib.suppress(WrongState, Refused):
        entity.close()


_NOTHING: Callable[[], Any] = lambda: None  # noqa: E731 - the factory for a step without a session
_STEPS: dict[str, tuple[tuple[Callable[[], Any], Callable[[Any], Any]], tuple[Callable[[], Any], Callable[[Any], Any]]]]
_STEPS = {
    "create, five items": ((_NOTHING, _session), (_NOTHING, _order)),
    "update, a coupon code": (
        (_session, lambda session: session.update(coupon_codes=["XMAS"])),
        (_order, lambda order: order.update(coupon_codes=["XMAS"])),
    ),
    "update, five other items": (
        (_session, lambda session: session.update(cart_items=_OTHERS)),
        (_order, lambda order: order.update(lines=_OTHER_LINES)),
    ),
    "close": ((_session, lambda session: session.close()), (_order, lambda order: order.close())),
    "close again, refused": ((_closed(_session), _refused), (_closed(_order), _refused)),
    "return one unit": (
        (_closed(_session), lambda session: session.return_items([ReturnedCartItem(position=0, quantity=1)])),
        (_closed(_order), lambda order: order.return_items(0, 1)),
    ),
    "cancel": ((_closed(_session), lambda session: session.cancel()), (_closed(_order), lambda order: order.cancel())),
    "of an update: the SessionUpdate with five items alone": (
        (_NOTHING, lambda _: SessionUpdate(cart_items=_OTHERS)),
        (_NOTHING, lambda _: None),
    ),
}


def _fastest(make: Callable[[], Any], step: Callable[[Any], Any]) -> float:
    """Return the microseconds that *step* takes in the fastest round."""
    rounds: list[float] = []
    for _ in range(_ROUNDS):
        entities = [make() for _ in range(_SESSIONS)]
        gc.collect()
        gc.disable()
        start = process_time()
        for entity in entities:
            step(entity)
        rounds.append(process_time() - start)
        gc.enable()
    return min(rounds) / _SESSIONS * 1e6


def main() -> None:
    """Print one line for each step."""
    print(f"{'':56} session-fsm  by hand")
    sums = [0.0, 0.0]
    for name, contenders in _STEPS.items():
        figures = [_fastest(*contender) for contender in contenders]
        if not name.startswith("of "):
            sums = [total + figure for total, figure in zip(sums, figures, strict=True)]
        print(f"{name:56} {figures[0]:11.2f}  {figures[1]:7.2f}")
    print(f"{'the lifecycle':56} {sums[0]:11.2f}  {sums[1]:7.2f}")


if __name__ == "__main__":
    main()
