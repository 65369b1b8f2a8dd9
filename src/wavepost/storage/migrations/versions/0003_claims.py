"""Claims: idempotency keys and the records that came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("wanted", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "key_sha256", name="pk_claims"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_claims_user_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name="fk_claims_record_id_records", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_claims_record_id", "claims", ["record_id"])
    op.create_index("ix_claims_created_at", "claims", ["created_at"])
