"""Stores whose methods are asynchronous, called as those whose methods are not, so that both pass the same tests."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["Blocking", "after_that", "waited_for"]


class Blocking:
    """A store whose methods are asynchronous, as one whose methods are not."""

    def __init__(self, inside: Any, runner: asyncio.Runner) -> None:
        self._inside, self._runner = inside, runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inside, name)
        if name == "outbox":
            return Blocking(found, self._runner)
        if not callable(found):
            return found

        def call(*args: Any, **keywords: Any) -> Any:
            return self._done(found(*args, **keywords))

        return call

    def again(self, reopen: Any) -> Blocking:
        """Return what *reopen* makes of the store, as this one."""
        return Blocking(reopen(self._inside), self._runner)

    def _done(self, result: Any) -> Any:
        """Return what *result* comes to. A function that the store calls gets *result* itself, for `after_that`."""
        if hasattr(result, "__aenter__"):
            return self._entered(result)
        if not inspect.isawaitable(result):
            return self._runner.run(_all(result))
        if _is_running():
            return result
        done: Any = self._runner.run(waited_for(result))
        if not isinstance(done, list):
            return done
        found: list[Any] = done  # pyright: ignore[reportUnknownVariableType]  # of any type
        return [Blocking(one, self._runner) if hasattr(one, "acknowledge") else one for one in found]

    @contextmanager
    def _entered(self, manager: Any) -> Generator[Any]:
        value = self._runner.run(manager.__aenter__())
        try:
            yield value
        except BaseException as error:
            self._runner.run(manager.__aexit__(type(error), error, error.__traceback__))
            raise
        else:
            self._runner.run(manager.__aexit__(None, None, None))


def _is_running() -> bool:
    """Whether the caller is called by the event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def waited_for(awaitable: Any) -> Any:
    """Return what *awaitable* comes to."""
    return await awaitable


def after_that(first: Any, function: Any) -> Any:
    """Return what *function* returns, once *first* is done, which is awaitable if the store is asynchronous."""
    if not inspect.isawaitable(first):
        return function()

    async def wait() -> Any:
        """Wait for *first*, and call *function*."""
        await first
        return function()

    return wait()


async def _all(iterator: Any) -> list[Any]:
    return [one async for one in iterator]
