"""Signed acts that this machine relays."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relayed",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("registrar", sa.LargeBinary(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stage", _text(), nullable=False),
        sa.Column("reason", _text(), nullable=True),
        sa.Column("transaction", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("relayed_by_stage", "relayed", ["account", "stage"], unique=False)
    op.create_index("relayed_by_registrar", "relayed", ["registrar", "received_at"], unique=False)


def downgrade() -> None:
    op.drop_table("relayed")


def _text() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
