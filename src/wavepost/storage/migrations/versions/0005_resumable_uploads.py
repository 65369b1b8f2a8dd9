"""Uploads that come in several requests; the hash of a record's WAV, to look for it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SHA256 = {
    "postgresql": "receipt -> 'source' ->> 'sha256'",
    # fsck tells of a receipt that is no JSON; it is no reason not to start.
    "sqlite": "CASE WHEN json_valid(receipt) THEN json_extract(receipt, '$.source.sha256') END",
}


def upgrade() -> None:
    op.add_column("records", sa.Column("source_sha256", sa.String(64), nullable=True))
    sha256 = _SHA256[op.get_context().dialect.name]
    op.execute(f"UPDATE records SET source_sha256 = {sha256}")  # noqa: S608 - our own constant
    op.create_index("ix_records_user_id_source_sha256", "records", ["user_id", "source_sha256"])
    op.create_table(
        "resumable_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(32), nullable=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("bitrate", sa.Integer(), nullable=True),
        sa.Column("quality", sa.Integer(), nullable=True),
        sa.Column("expires_in", sa.BigInteger(), nullable=True),
        sa.Column("length", sa.BigInteger(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("converting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_resumable_uploads"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_resumable_uploads_user_id_users",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["records.id"],
            name="fk_resumable_uploads_record_id_records",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "user_id", "key_sha256", name="uq_resumable_uploads_user_id_key_sha256"
        ),
    )
    op.create_index("ix_resumable_uploads_touched_at", "resumable_uploads", ["touched_at"])
    op.create_index("ix_resumable_uploads_record_id", "resumable_uploads", ["record_id"])
    op.create_table(
        "pieces",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "start", name="pk_pieces"),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["resumable_uploads.id"],
            name="fk_pieces_upload_id_resumable_uploads",
            ondelete="CASCADE",
        ),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE pieces ALTER COLUMN data SET STORAGE EXTERNAL")
