"""How the tests of the contract open a store, and the clock of such a store."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from attrs import define, field

from session_fsm.session import CustomerSession
from session_fsm.testing.steps import BEGINNING
from session_fsm.testing.store_contract.blocking import Blocking, waited_for

__all__ = ["ContractClock", "OpensStores"]


@define
class ContractClock:
    """The clock of the stores under test."""

    now: datetime = field(default=BEGINNING)
    """The current time."""

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        """Let time pass, as the arguments of `datetime.timedelta` say."""
        self.now += timedelta(**amount)


class OpensStores:
    """What the parts of the contract share. The three functions are methods of `StoreContract`."""

    open: Callable[..., Any]
    reopen: Callable[..., Any]
    shut: Callable[..., Any]

    @contextmanager
    def _store(self, kind: type[CustomerSession] = CustomerSession, **options: Any) -> Generator[Any]:
        with asyncio.Runner() as runner:

            def run(made: Any) -> Any:
                return runner.run(waited_for(made)) if inspect.isawaitable(made) else made

            store = run(self.open(kind, **options))
            is_async = inspect.iscoroutinefunction(store.get)
            try:
                yield Blocking(store, runner) if is_async else store
            finally:
                run(self.shut(store))

    def _again(self, store: Any, **options: Any) -> Any:
        """Return another store on the same tables."""
        if isinstance(store, Blocking):
            return store.again(partial(self.reopen, **options))
        return self.reopen(store, **options)
