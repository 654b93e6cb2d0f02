"""The first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_AMOUNT = sa.Float().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    prefix = context.config.attributes["prefix"]
    schema = context.config.attributes["schema"]
    sessions = f"{schema}.{prefix}sessions.number" if schema else f"{prefix}sessions.number"

    def index(table: str, name: str, *columns: str) -> None:
        op.create_index(f"{prefix}{table}_{name}", f"{prefix}{table}", list(columns), schema=schema)

    op.create_table(
        f"{prefix}sessions",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("application_id", _NUMBER),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("total", _AMOUNT, nullable=False),
        sa.Column("cart_item_total", _AMOUNT, nullable=False),
        sa.Column("additional_cost_total", _AMOUNT, nullable=False),
        sa.Column("cart_item_additional_cost_total", _AMOUNT, nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("updated", _TIME, nullable=False),
        sa.Column("class_name", sa.Text, nullable=False),
        sa.Column("class_version", sa.Integer, nullable=False),
        sa.Column("library_version", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.UniqueConstraint("key", name=f"{prefix}sessions_key"),
        schema=schema,
    )
    index("sessions", "updated", "updated", "number")
    index("sessions", "state", "state", "updated", "number")
    index("sessions", "profile", "profile_id", "updated", "number")
    op.create_table(
        f"{prefix}snapshots",
        sa.Column("session", _NUMBER, sa.ForeignKey(sessions), primary_key=True, autoincrement=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        schema=schema,
    )
    op.create_table(
        f"{prefix}events",
        sa.Column("position", _NUMBER, primary_key=True),
        sa.Column("session", _NUMBER, sa.ForeignKey(sessions), nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.UniqueConstraint("session", "sequence", name=f"{prefix}events_session"),
        schema=schema,
    )
    op.create_table(
        f"{prefix}outbox",
        sa.Column("position", _NUMBER, primary_key=True),
        sa.Column("session", _NUMBER, sa.ForeignKey(sessions), nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", _TIME, nullable=False),
        schema=schema,
    )
    index("outbox", "session", "session", "position")
    op.create_table(
        f"{prefix}failed_messages",
        sa.Column("position", _NUMBER, primary_key=True),
        sa.Column("session", _NUMBER, sa.ForeignKey(sessions), nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failed", _TIME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        schema=schema,
    )
    index("failed_messages", "session", "session")
    index("failed_messages", "failed", "failed")
    op.create_table(
        f"{prefix}requests",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        schema=schema,
    )
    index("requests", "expires", "expires")
