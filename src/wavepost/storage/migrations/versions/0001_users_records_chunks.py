"""Users, records and chunks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("token_sha256", name="uq_users_token_sha256"),
    )
    op.create_table(
        "records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration", sa.Double(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("sample_rate", sa.Integer(), nullable=False),
        sa.Column("bitrate", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("head_bytes", sa.Integer(), nullable=False),
        sa.Column("wav_bytes", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_records_user_id_users", ondelete="CASCADE"
        ),
        sa.CheckConstraint("status IN ('uploading', 'ready')", name=op.f("ck_records_status")),
    )
    op.create_index("ix_records_user_id_created_at_id", "records", ["user_id", "created_at", "id"])
    op.create_index(
        "ix_records_uploading",
        "records",
        ["touched_at"],
        postgresql_where=sa.text("status = 'uploading'"),
        sqlite_where=sa.text("status = 'uploading'"),
    )
    op.create_table(
        "chunks",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(3), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "kind", "number", name="pk_chunks"),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name="fk_chunks_record_id_records", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('mp3', 'wav')", name=op.f("ck_chunks_kind")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # MP3 does not compress: PostgreSQL need not try, and can read a part of a value.
        op.execute("ALTER TABLE chunks ALTER COLUMN data SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_table("chunks")
    op.drop_table("records")
    op.drop_table("users")
