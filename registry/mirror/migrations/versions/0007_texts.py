"""What manifests say of texts, and lists of clauses. A mirror with a manifest that does is emptied:
the next sync fills it, and then has these rows. A collection with such a member is forgotten, to
be imported again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
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
)
_FIRST_TEXT = -(2**62)  # the row of the index of texts that has those of member 0


def upgrade() -> None:
    if _found("SELECT 1 FROM manifests WHERE {} LIMIT 1"):
        for table in _ALL:
            op.execute(sa.delete(sa.table(table)))
        op.execute("DELETE FROM search WHERE rowid >= 0")
    for collection in _found("SELECT DISTINCT collection FROM members WHERE {}", "manifest"):
        _forget(collection)
    op.create_table(
        "texts",
        sa.Column("entry", _key(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.BigInteger(), nullable=False),
        *_record(),
        sa.PrimaryKeyConstraint("entry"),
        sa.ForeignKeyConstraint(["policy"], ["policies.id"], deferrable=True),
    )
    op.create_index("texts_by_policy", "texts", ["policy"], unique=False)
    op.create_table(
        "member_texts",
        sa.Column("member", _key(), autoincrement=False, nullable=False),
        *_record(),
        sa.PrimaryKeyConstraint("member"),
    )
    for table in ("texts", "member_texts"):
        op.create_index(f"{table}_by_sha256", table, ["sha256"], unique=False)
        op.create_index(f"{table}_by_root", table, ["root"], unique=False)
    op.create_table(
        "clause_lists",
        sa.Column("id", _key(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("root"),
    )
    op.create_table(
        "clauses",
        *_place(),
        sa.Column("label", _text(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash_key", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("list", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("clauses_by_hash", "clauses", ["hash_key", "list"], unique=False)
    op.create_table(
        "clause_texts",
        *_place(),
        sa.Column("text", _text(), nullable=False),
        sa.PrimaryKeyConstraint("list", "position"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("clause_texts", "clauses", "clause_lists", "member_texts", "texts"):
        op.drop_table(table)


def _record() -> list[sa.Column[object]]:
    return [
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("clauses", sa.Integer(), nullable=False),
        sa.Column("salted", sa.SmallInteger(), nullable=False),
        sa.Column("extractor", _text(), nullable=True),
    ]


def _place() -> list[sa.Column[object]]:
    return [
        sa.Column("list", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
    ]


def _found(source: str, column: str = "content") -> list[int]:
    """Of the rows that may tell of a text."""
    on_postgres = op.get_bind().dialect.name == "postgresql"
    contains = f"position(:word in {column})" if on_postgres else f"instr({column}, :word)"
    found = sa.text(source.format(f"{contains} > 0"))
    given = found.bindparams(sa.bindparam("word", b'"clauses_root"', type_=sa.LargeBinary()))
    return list(op.get_bind().execute(given).scalars())


def _forget(collection: int) -> None:
    of_it = "SELECT id FROM members WHERE collection = :id"
    for source in (
        f"DELETE FROM search WHERE rowid IN (SELECT id + ({_FIRST_TEXT}) FROM members "  # noqa: S608
        "WHERE collection = :id)",
        f"DELETE FROM member_files WHERE member IN ({of_it})",  # noqa: S608
        "DELETE FROM members WHERE collection = :id",
        "DELETE FROM collections WHERE id = :id",
    ):
        op.get_bind().execute(sa.text(source), {"id": collection})


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
