"""The types of the columns: text that may hold NUL, times, and amounts. None of these columns may be NULL."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

from sqlalchemy import Dialect, Float, Numeric, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import BigInteger, Integer, TypeDecorator, TypeEngine

from session_fsm.store.keys import escaped, unescaped

__all__ = ["Amount", "EscapedText", "Number", "Time"]

Number: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number of 64 bits. SQLite numbers the rows of a table only by a column whose type is INTEGER."""

_ROUNDED = Context(prec=1000)
"""PostgreSQL stores at most 131,072 digits before the decimal point and 16,383 after it."""


class EscapedText(TypeDecorator[str]):
    """A text that may hold NUL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002 - of SQLAlchemy
        return escaped(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002 - of SQLAlchemy
        return unescaped(value)


class Time(TypeDecorator[datetime]):
    """An aware time: with a time zone on PostgreSQL, and as text in UTC, which sorts as the times do, on SQLite."""

    impl = TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        native = dialect.name == "postgresql"
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if native else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else f"{value:%Y-%m-%dT%H:%M:%S.%fZ}".rjust(27, "0")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime:
        return value.astimezone(UTC) if dialect.name == "postgresql" else datetime.fromisoformat(value)


class Amount(TypeDecorator[Decimal]):
    """An amount to query by: exact on PostgreSQL, and a binary float on SQLite, which has no exact type.

    The document has the exact amount.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        native = dialect.name == "postgresql"
        return dialect.type_descriptor(Numeric() if native else Float())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return _ROUNDED.plus(value) if dialect.name == "postgresql" else float(value)
