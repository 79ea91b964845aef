"""The members of collections. A mirror of a log that has a collection is emptied: the next sync
fills it, and then knows which of its entries are collections."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
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
    "headers",
    "position",
    "tiles",
    "search",
)


def upgrade() -> None:
    if _has_a_collection():
        for table in _ALL:
            op.execute(sa.delete(sa.table(table)))
    op.create_table(
        "collections",
        sa.Column("id", _key(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("nodes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("root"),
    )
    op.create_table(
        "members",
        sa.Column("id", _key(), autoincrement=False, nullable=False),
        sa.Column("collection", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "member_files",
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("member", sa.BigInteger(), nullable=False),
        sa.Column("role", _text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "member"),
        sqlite_with_rowid=False,
    )
    op.create_index("member_files_by_member", "member_files", ["member"], unique=False)
    op.create_index(
        "documents_of_collections",
        "documents",
        ["entry"],
        unique=False,
        sqlite_where=sa.text("role = 'collection'"),
        postgresql_where=sa.text("role = 'collection'"),
    )


def downgrade() -> None:
    op.drop_index("documents_of_collections", "documents")
    op.execute(sa.delete(sa.table("search", sa.column("rowid"))).where(sa.column("rowid") < 0))
    op.execute(
        sa.delete(sa.table("documents", sa.column("role"))).where(sa.column("role") == "collection")
    )
    for table in ("member_files", "members", "collections"):
        op.drop_table(table)


def _has_a_collection() -> bool:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    contains = "position(:word in content)" if on_postgres else "instr(content, :word)"
    found = sa.text(f"SELECT 1 FROM manifests WHERE {contains} > 0 LIMIT 1")  # noqa: S608
    given = found.bindparams(sa.bindparam("word", b'"collection"', type_=sa.LargeBinary()))
    return op.get_bind().execute(given).first() is not None


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
