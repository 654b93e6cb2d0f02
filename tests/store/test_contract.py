"""Every backend passes the public contract of stores, synchronous and asynchronous."""

from pathlib import Path
from typing import Any

import pytest
from databases import Database

from session_fsm import CustomerSession
from session_fsm.testing import StoreContract


class _OnDatabase(StoreContract):
    backend = ""
    driver = ""

    @pytest.fixture(autouse=True)
    def _database(self, tmp_path: Path) -> Any:
        self.database = Database(self.backend, tmp_path)
        yield
        self.database.drop()

    def open(self, kind: type[CustomerSession] = CustomerSession, **options: Any) -> Any:
        return self.database.store(kind, **options)

    def reopen(self, store: Any, **options: Any) -> Any:
        return type(store)(store.engine, **{"schema": self.database.schema} | options)


class _OnDatabaseAsync(_OnDatabase):
    def open(self, kind: type[CustomerSession] = CustomerSession, **options: Any) -> Any:
        return self.database.async_store(kind, driver=self.driver, **options)


class TestSQLiteFile(_OnDatabase):
    backend = "sqlite"


class TestSQLiteInMemory(_OnDatabase):
    backend = "memory"


class TestPostgreSQL(_OnDatabase):
    backend = "postgresql"


class TestAsyncSQLiteFile(_OnDatabaseAsync):
    backend = "sqlite"


class TestAsyncSQLiteInMemory(_OnDatabaseAsync):
    backend = "memory"


class TestAsyncPostgreSQLWithPsycopg(_OnDatabaseAsync):
    backend = "postgresql"


class TestAsyncPostgreSQLWithAsyncpg(_OnDatabaseAsync):
    backend = "postgresql"
    driver = "asyncpg"
