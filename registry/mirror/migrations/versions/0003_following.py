"""The window of headers, what the contract confirmed, and how the following goes. The mirror is
emptied: the next sync fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ALL = (
    "documents",
    "intervals",
    "policies",
    "authorities",
    "grants",
    "compromises",
    "manifests",
    "entries",
    "blocks",
    "position",
    "tiles",
    "search",
)


def upgrade() -> None:
    _empty()
    with op.batch_alter_table("position") as batch:
        batch.add_column(sa.Column("proven_block", sa.BigInteger(), nullable=False))
    op.create_table(
        "headers",
        sa.Column("number", _key(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "follower",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", _text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=True),
        sa.Column("head_time", sa.BigInteger(), nullable=True),
        sa.Column("entries_per_second", sa.Float(), nullable=True),
        sa.Column("polls", sa.BigInteger(), nullable=False),
        sa.Column("alarm", _text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "faults",
        sa.Column("kind", _text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("detail", _text(), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )


def downgrade() -> None:
    _empty()
    for table in ("headers", "follower", "faults"):
        op.drop_table(table)
    with op.batch_alter_table("position") as batch:
        batch.drop_column("proven_block")


def _empty() -> None:
    for table in _ALL:
        op.execute(sa.delete(sa.table(table)))


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
