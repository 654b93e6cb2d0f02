"""`StoreContract`: the tests that every store of sessions must pass, whatever it stores them in.

A store of another kind than `SessionStore` is tested in a few lines, which pytest collects:

>>> from typing import Any
>>> from session_fsm import CustomerSession
>>> from session_fsm.store import SessionStore
>>> from session_fsm.testing import StoreContract
>>> class TestMyStore(StoreContract):
...     def open(self, kind: type[CustomerSession] = CustomerSession, **options: Any) -> Any:
...         store = SessionStore("sqlite://", kind, **options)
...         store.create_schema()
...         return store
...
...     def reopen(self, store: Any, **options: Any) -> Any:
...         return SessionStore(store.engine, **options)

`StoreContract.open` may return an asynchronous store too, or be asynchronous; the tests then run an event loop. For
``python -m unittest``, add the base class `unittest.TestCase`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from session_fsm.session import CustomerSession
from session_fsm.testing.store_contract.changes import ChangeTests, IdempotencyTests
from session_fsm.testing.store_contract.outbox import OutboxTests, UpkeepTests
from session_fsm.testing.store_contract.sessions import QueryTests, SessionTests
from session_fsm.testing.test_classes import AsTestCase

__all__ = ["StoreContract"]


class StoreContract(SessionTests, ChangeTests, IdempotencyTests, QueryTests, OutboxTests, UpkeepTests):
    """The tests of a store: subclass it and write `open`."""

    TestCase: ClassVar[Any] = AsTestCase()
    """The class as a `unittest.TestCase`."""

    def open(self, kind: type[CustomerSession] = CustomerSession, **options: Any) -> Any:
        """Return a new and empty store of *kind*, with the *options* of `SessionStore`."""
        raise NotImplementedError

    def reopen(self, store: Any, **options: Any) -> Any:
        """Return another store, with other *options*, on the database of *store*, which `open` returned."""
        raise NotImplementedError

    def shut(self, store: Any) -> Any:
        """Close what `open` returned. It may be asynchronous if the store is."""
        return store.close()
