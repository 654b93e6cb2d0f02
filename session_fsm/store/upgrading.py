"""The version of the tables: `check_version` compares it, and `upgrade` runs the migrations of Alembic."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect, select, text

from session_fsm.store.errors import SchemaOutdated
from session_fsm.store.schema import REVISION, Schema

__all__ = ["check_version", "found_version", "upgrade"]

_LOCK = 7_236_051_944_120_334_113
"""The advisory lock of PostgreSQL that upgrades of any store take; a number that nobody else is likely to use."""


def found_version(connection: Connection, schema: Schema) -> str | None:
    """Return the version of the tables; None if there are none."""
    if not inspect(connection).has_table(schema.version_table, schema.schema):
        return None
    found: str | None = connection.scalar(select(schema.version.c.version_num))
    return found


def check_version(connection: Connection, schema: Schema) -> None:
    """Check that the tables are those that this library works with.

    Raises:
        SchemaOutdated: they are missing, older or newer.
    """
    found = found_version(connection, schema)
    if found != REVISION:
        raise SchemaOutdated(found, REVISION, shown_url(connection))


def shown_url(connection: Connection) -> str:
    """Return the URL of the database without its password."""
    return connection.engine.url.render_as_string(hide_password=True)


def upgrade(connection: Connection, schema: Schema) -> str | None:
    """Create or upgrade the tables within the transaction of *connection*; return the version that there was.

    Raises:
        SchemaOutdated: the tables are newer than this library.
    """
    from alembic.config import Config  # noqa: PLC0415 - takes 0.2 s, and only an upgrade needs it
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = found_version(connection, schema)
    if found is not None and found > REVISION:
        raise SchemaOutdated(found, REVISION, shown_url(connection))
    config = Config(attributes={"prefix": schema.prefix, "schema": schema.schema})
    config.set_main_option("script_location", "session_fsm.store:migrations")
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def revisions(found: Any, _: Any) -> Any:
        return script._upgrade_revs("head", found)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # what `alembic.command.upgrade` calls

    with EnvironmentContext(config, script, fn=revisions) as migration:
        migration.configure(
            connection=connection,
            version_table=schema.version_table,
            version_table_schema=schema.schema,
            transactional_ddl=True,
        )
        with migration.begin_transaction():
            migration.run_migrations()
    return found
