"""`Job` describes a backtest in values that travel to another process or machine; classes travel by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from session_fsm.backtest.errors import BacktestError
from session_fsm.class_loader import class_at
from session_fsm.errors import InvalidValue
from session_fsm.session import CustomerSession

__all__ = ["Job", "Kinds", "place_of"]

Kinds: TypeAlias = "tuple[type[CustomerSession], type[CustomerSession] | None]"
"""The class to test, and the class to compare it with."""

MEMBERS = ("operation", "sessionId", "body", "time", "dry", "note")
"""The members of a line of a recording."""


def place_of(kind: type[CustomerSession]) -> str:
    """Return the place of *kind*, such as ``shop.sessions:ShopSession``."""
    return f"{kind.__module__}:{kind.__qualname__}"


@frozen(kw_only=True)
class Job:
    """What every worker of a backtest needs to know."""

    kind: str
    """The place of the class to test, such as ``shop.sessions:ShopSession``."""
    against: str | None = None
    """The place of the class to compare it with."""
    files: tuple[str, ...] = ()
    """The names of the sources. A row of input names its source by its index here."""
    named: frozenset[int] = frozenset()
    """The indexes of the sources whose lines have the names of `columns`; the others have the names of a recording."""
    columns: Mapping[str, str] = field(factory=dict[str, str])
    """The names of columns that are not those of a recording: ``{"sessionId": "order_id"}``."""
    every: bool = False
    """Whether all verdicts are wanted, not only the refused and the changed ones."""
    strict: bool = False
    """Whether unknown members make a line unreadable."""
    path: tuple[str, ...] = ()
    """Directories to import from, beside those of the worker."""

    def kinds(self) -> Kinds:
        """Import the classes.

        Raises:
            BacktestError: a class cannot be imported here.
        """
        sys.path += [entry for entry in self.path if entry not in sys.path]
        try:
            return class_at(self.kind), class_at(self.against) if self.against else None
        except InvalidValue as error:
            message = f"a worker cannot import the session class: {error.problem}"
            raise BacktestError(message) from None

    def can_travel(self, kinds: Kinds) -> None:
        """Check that the names lead back to *kinds*, so that another process can import them.

        Raises:
            BacktestError: a class is defined in a function, or in a script.
        """
        for place, kind in zip((self.kind, self.against), kinds, strict=True):
            if place is None:
                continue
            problem = "is defined in the script that runs" if place.startswith("__main__:") else ""
            if not problem:
                try:
                    problem = "" if class_at(place) is kind else "names another class"
                except InvalidValue as error:
                    problem = f"cannot be imported: {error.problem}"
            if problem:
                message = f"{place} {problem}; workers import the class by name, so define it in a module of its own"
                raise BacktestError(message)
