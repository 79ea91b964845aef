"""Tiles, checksums and snapshot lines. The mirror is emptied: the next sync fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHECKED = ("entries", "blocks", "position")
_ALL = (
    "documents",
    "intervals",
    "policies",
    "authorities",
    "grants",
    "compromises",
    "manifests",
    *_CHECKED,
    "search",
)


def upgrade() -> None:
    _empty()
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number"),
    )
    for table in _CHECKED:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("checksum", sa.LargeBinary(length=8), nullable=False))
    with op.batch_alter_table("policies") as batch:
        batch.add_column(sa.Column("document", sa.BigInteger(), nullable=False))
        batch.add_column(sa.Column("snapshot_line", sa.LargeBinary(), nullable=False))


def downgrade() -> None:
    _empty()
    op.drop_table("tiles")
    for table in _CHECKED:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("checksum")
    with op.batch_alter_table("policies") as batch:
        batch.drop_column("snapshot_line")
        batch.drop_column("document")


def _empty() -> None:
    for table in _ALL:
        op.execute(sa.delete(sa.table(table)))
