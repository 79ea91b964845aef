"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# As SQLite compares: a range of codes or a page's order is no matter of a server's language.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "authorities",
        sa.Column("code", TEXT, nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.BigInteger(), nullable=False),
        sa.Column("name_zh", TEXT, nullable=True),
        sa.Column("name_en", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "blocks",
        sa.Column("number", KEY, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "compromises",
        sa.Column("entry", KEY, autoincrement=False, nullable=False),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_table(
        "entries",
        sa.Column("entry", KEY, autoincrement=False, nullable=False),
        sa.Column("previous", sa.BigInteger(), nullable=True),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("number", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=False),
        sa.Column("effective_on", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.LargeBinary(length=32), nullable=True),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("registrar", sa.LargeBinary(length=20), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(length=32), nullable=False),
        sa.Column("policy", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_index("entries_by_block", "entries", ["block"], unique=False)
    op.create_index("entries_by_policy", "entries", ["policy", "entry"], unique=False)
    op.create_table(
        "grants",
        sa.Column("appointed", KEY, autoincrement=False, nullable=False),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("dismissed", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("appointed"),
    )
    op.create_index("grants_by_authority", "grants", ["authority"], unique=False)
    op.create_table(
        "manifests",
        sa.Column("entry", KEY, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_table(
        "policies",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("policy_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("number_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("versions", sa.Integer(), nullable=False),
        sa.Column("number", TEXT, nullable=True),
        sa.Column("title_zh", TEXT, nullable=True),
        sa.Column("title_en", TEXT, nullable=True),
        sa.Column("type", TEXT, nullable=True),
        sa.Column("jurisdiction", TEXT, nullable=True),
        sa.Column("issued", sa.BigInteger(), nullable=True),
        sa.Column("issued_year", sa.Integer(), nullable=True),
        sa.Column("endorses", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("policy_id"),
    )
    op.create_index("policies_by_authority", "policies", ["authority", "id"], unique=False)
    op.create_index(
        "policies_by_endorsed",
        "policies",
        ["endorses"],
        unique=False,
        sqlite_where=sa.text("endorses IS NOT NULL"),
        postgresql_where=sa.text("endorses IS NOT NULL"),
    )
    op.create_table(
        "position",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.LargeBinary(length=20), nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_time", sa.BigInteger(), nullable=False),
        sa.Column("safe_block", sa.BigInteger(), nullable=False),
        sa.Column("finalized_block", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "documents",
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("policy", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("media_type", TEXT, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("language", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["policy"], ["policies.id"], deferrable=True),
        sa.PrimaryKeyConstraint("sha256", "entry", "role"),
        sqlite_with_rowid=False,
    )
    op.create_index("documents_by_policy", "documents", ["policy"], unique=False)
    op.create_table(
        "intervals",
        sa.Column("policy", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("standing", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["policies.id"], deferrable=True),
        sa.PrimaryKeyConstraint("policy", "since"),
        sqlite_with_rowid=False,
    )
    # ### end Alembic commands ###
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search USING fts5(title_zh, title_en, number, tokenize='trigram')"
        )
        return
    # No extension is needed, which a managed server may not let one create: pairs of
    # characters as numbers, in the index that PostgreSQL has for arrays.
    op.create_table(
        "search",
        sa.Column("rowid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title_zh", TEXT, nullable=True),
        sa.Column("title_en", TEXT, nullable=True),
        sa.Column("number", TEXT, nullable=True),
        sa.Column("grams", sa.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("rowid"),
    )
    op.create_index("search_by_grams", "search", ["grams"], postgresql_using="gin")


def downgrade() -> None:
    op.execute("DROP TABLE search")
    for table in (
        "intervals",
        "documents",
        "policies",
        "position",
        "manifests",
        "grants",
        "entries",
        "compromises",
        "blocks",
        "authorities",
    ):
        op.drop_table(table)
