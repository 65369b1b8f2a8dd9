"""When records expire, with indexes to find those that have; allowances, for rate limits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("records", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_records_created_at", "records", ["created_at"])
    op.create_index(
        "ix_records_expires_at",
        "records",
        ["expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL"),
        sqlite_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "allowances",
        sa.Column("party", sa.String(100), nullable=False),
        sa.Column("restored_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("party", name="pk_allowances"),
    )
    op.create_index("ix_allowances_restored_at", "allowances", ["restored_at"])
