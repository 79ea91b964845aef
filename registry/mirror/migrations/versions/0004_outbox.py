"""What a registrar has to record, and the transactions that carry it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("id", _key(), nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("policy_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("authority", _text(), nullable=False),
        sa.Column("number_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=False),
        sa.Column("effective_on", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.LargeBinary(length=32), nullable=True),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("called", _text(), nullable=False),
        sa.Column("source", _text(), nullable=True),
        sa.Column("stage", _text(), nullable=False),
        sa.Column("reason", _text(), nullable=True),
        sa.Column("transaction", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("entry", sa.BigInteger(), nullable=True),
        sa.Column("staged_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("acts_by_stage", "acts", ["account", "stage", "id"], unique=False)
    op.create_index("acts_by_transaction", "acts", ["transaction", "place"], unique=False)
    op.create_index(
        "acts_once",
        "acts",
        ["policy_id", "sequence"],
        unique=True,
        sqlite_where=sa.text("stage != 'rejected'"),
        postgresql_where=sa.text("stage != 'rejected'"),
    )
    op.create_table(
        "transactions",
        sa.Column("id", _key(), nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("to", sa.LargeBinary(length=20), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("most_fee", sa.BigInteger(), nullable=False),
        sa.Column("priority_fee", sa.BigInteger(), nullable=False),
        sa.Column("about", _text(), nullable=False),
        sa.Column("stage", _text(), nullable=False),
        sa.Column("reason", _text(), nullable=True),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("transactions_by_nonce", "transactions", ["account", "nonce"], unique=False)
    op.create_index("transactions_by_stage", "transactions", ["account", "stage"], unique=False)


def downgrade() -> None:
    op.drop_table("transactions")
    op.drop_table("acts")


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
