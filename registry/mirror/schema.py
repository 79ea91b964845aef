"""The mirror's tables.

`entries` and `manifests` are the log; `blocks` and `position` say where it was read;
all the others are derived from those and can be computed again, but for the members of
collections and the clauses of texts, which come from whoever has them, and the outbox. A
policy's `id` is the index of its first entry, so that a rebuilt mirror has the same rows.
Days are days from 1970-01-01, moments Unix seconds, hashes raw bytes.

What neither the log's root nor a manifest's digest vouches for (the place of an entry,
a block, the position) carries a `checksum`, so that every damaged row can be found.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata = MetaData()

# In SQLite only an INTEGER primary key is the row's own number and needs no second index.
_Key = BigInteger().with_variant(Integer, "sqlite")

# Compared by code points everywhere, as SQLite does: a range of authorities or the order of
# a page is no matter of a server's language.
_Text = Text().with_variant(Text(collation="C"), "postgresql")

entries = Table(
    "entries",
    metadata,
    Column("entry", _Key, primary_key=True, autoincrement=False),
    Column("previous", BigInteger),
    Column("authority", _Text, nullable=False),
    Column("number", LargeBinary(32), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("action", SmallInteger, nullable=False),
    Column("effective_on", BigInteger),
    Column("document", LargeBinary(32)),
    Column("manifest", LargeBinary(32)),
    Column("registrar", LargeBinary(20), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("transaction", LargeBinary(32), nullable=False),
    # the policy's id; NULL for acts on an authority
    Column("policy", BigInteger),
    # of entry, block, transaction, and whether the log holds its manifest: the leaf vouches
    # for the others
    Column("checksum", LargeBinary(8), nullable=False),
    Index("entries_by_policy", "policy", "entry"),
    Index("entries_by_block", "block"),
)

# The bytes that came into the log with an entry, and with no other: were they found by
# digest, a later entry's bytes would change what an earlier snapshot says.
manifests = Table(
    "manifests",
    metadata,
    Column("entry", _Key, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

# C2SP tlog-tiles: up to 256 hashes of 32 bytes each; after those of a full tile, the nodes
# above them (core.tiles.with_nodes).
tiles = Table(
    "tiles",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("policy_id", LargeBinary(32), nullable=False, unique=True),
    Column("authority", _Text, nullable=False),
    Column("number_hash", LargeBinary(32), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("versions", Integer, nullable=False),
    # of the latest document's manifest, NULL where it is absent, unreadable or mismatched
    Column("number", _Text),
    Column("title_zh", _Text),
    Column("title_en", _Text),
    Column("type", _Text),
    Column("jurisdiction", _Text),
    # of the latest version that states it
    Column("issued", BigInteger),
    Column("issued_year", Integer),
    # the policy_id that this one endorses as a co-issuing authority
    Column("endorses", _Text),
    # the entry that brought the latest document, and the line that shows it in a snapshot
    # of the whole log
    Column("document", BigInteger, nullable=False),
    Column("snapshot_line", LargeBinary, nullable=False),
    Index("policies_by_authority", "authority", "id"),
    Index(
        "policies_by_endorsed",
        "endorses",
        sqlite_where=text("endorses IS NOT NULL"),
        postgresql_where=text("endorses IS NOT NULL"),
    ),
)

intervals = Table(
    "intervals",
    metadata,
    Column("policy", BigInteger, ForeignKey("policies.id", deferrable=True), primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("standing", _Text, nullable=False),
    Column("document", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    sqlite_with_rowid=False,
)

documents = Table(
    "documents",
    metadata,
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("entry", BigInteger, primary_key=True),
    Column("role", _Text, primary_key=True),
    Column("policy", BigInteger, ForeignKey("policies.id", deferrable=True), nullable=False),
    Column("version", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("name", _Text),
    Column("media_type", _Text),
    Column("size", BigInteger),
    Column("language", _Text),
    Index("documents_by_policy", "policy"),
    # the few that are no file's (mirror.rows)
    Index(
        "documents_of_collections",
        "entry",
        sqlite_where=text("role = 'collection'"),
        postgresql_where=text("role = 'collection'"),
    ),
    sqlite_with_rowid=False,
)

# What an entry's manifest says of its document's text (core.text). The document is the entry's.
texts = Table(
    "texts",
    metadata,
    Column("entry", _Key, primary_key=True, autoincrement=False),
    Column("policy", BigInteger, ForeignKey("policies.id", deferrable=True), nullable=False),
    # of the whole text's normal form
    Column("sha256", LargeBinary(32), nullable=False),
    # over the clauses, and how many they are
    Column("root", LargeBinary(32), nullable=False),
    Column("clauses", Integer, nullable=False),
    # 1 where each clause's hash has a salt
    Column("salted", SmallInteger, nullable=False),
    Column("extractor", _Text),
    Index("texts_by_policy", "policy"),
    Index("texts_by_sha256", "sha256"),
    Index("texts_by_root", "root"),
)

authorities = Table(
    "authorities",
    metadata,
    Column("code", _Text, primary_key=True),
    Column("opened", BigInteger, nullable=False),
    Column("profile", BigInteger, nullable=False),
    Column("name_zh", _Text),
    Column("name_en", _Text),
)

grants = Table(
    "grants",
    metadata,
    Column("appointed", _Key, primary_key=True, autoincrement=False),
    Column("authority", _Text, nullable=False),
    Column("account", LargeBinary(20), nullable=False),
    Column("role", SmallInteger, nullable=False),
    # the entry that ended it, NULL while it stands
    Column("dismissed", BigInteger),
    Index("grants_by_authority", "authority"),
)

compromises = Table(
    "compromises",
    metadata,
    Column("entry", _Key, primary_key=True, autoincrement=False),
    Column("authority", _Text, nullable=False),
    Column("account", LargeBinary(20), nullable=False),
    Column("since", BigInteger, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", _Key, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    # size of the log after this block
    Column("size", BigInteger, nullable=False),
    Column("checksum", LargeBinary(8), nullable=False),
)

# The headers of the window that may still be replaced: from the newest finalised block, which
# is kept, to the last block read. Each one's parent is the one before it.
headers = Table(
    "headers",
    metadata,
    Column("number", _Key, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("parent", LargeBinary(32), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("checksum", LargeBinary(8), nullable=False),
)

position = Table(
    "position",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("contract", LargeBinary(20), nullable=False),
    Column("first_block", BigInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("block_time", BigInteger, nullable=False),
    Column("safe_block", BigInteger, nullable=False),
    Column("finalized_block", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    # the tree's peaks, 32 bytes each, from the largest to the smallest
    Column("peaks", LargeBinary, nullable=False),
    # when it last held all that its node had; NULL before the first time
    Column("synced_at", BigInteger),
    # the last block at which the contract itself was seen to have the mirror's root: what was
    # read after it rests on events alone, and is not to be answered from
    Column("proven_block", BigInteger, nullable=False),
    Column("checksum", LargeBinary(8), nullable=False),
)

# Collections whose members are known here. Only the root of one is in the log: its members are
# kept by it, whether or not an entry with that root is in the log just now. The derived row that
# says that one is there is that of `documents` with the role of a collection (mirror.rows).
collections = Table(
    "collections",
    metadata,
    # that of its first member: the others follow it without a gap
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    # the roots of its groups of 256 leaves, 32 bytes each
    Column("nodes", LargeBinary, nullable=False),
)

members = Table(
    "members",
    metadata,
    # its texts have a row of their own in the index (mirror.member_rows)
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("collection", BigInteger, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("manifest", LargeBinary, nullable=False),
)

# The files that a member's manifest names: derived from it.
member_files = Table(
    "member_files",
    metadata,
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("member", BigInteger, primary_key=True),
    # member or rendition
    Column("role", _Text, nullable=False),
    Index("member_files_by_member", "member"),
    sqlite_with_rowid=False,
)

# What a member's manifest says of its text: derived from it, as `texts` is from an entry's.
member_texts = Table(
    "member_texts",
    metadata,
    Column("member", _Key, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("clauses", Integer, nullable=False),
    Column("salted", SmallInteger, nullable=False),
    Column("extractor", _Text),
    Index("member_texts_by_sha256", "sha256"),
    Index("member_texts_by_root", "root"),
)

# Clauses that are known here. Only their root is in the log: a list is kept by it, whether or not
# a manifest with that root is in the log just now.
clause_lists = Table(
    "clause_lists",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False, unique=True),
    Column("size", Integer, nullable=False),
)

clauses = Table(
    "clauses",
    metadata,
    Column("list", BigInteger, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("label", _Text, nullable=False),
    Column("text_hash", LargeBinary(32), nullable=False),
    # the first 8 bytes of it, as a signed number: by this one clauses are looked for
    Column("hash_key", BigInteger, nullable=False),
    Index("clauses_by_hash", "hash_key", "list"),
    sqlite_with_rowid=False,
)

# What the clauses say, where the document was kept: all of a list's, or none.
clause_texts = Table(
    "clause_texts",
    metadata,
    Column("list", BigInteger, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("text", _Text, nullable=False),
    sqlite_with_rowid=False,
)

MEMBERS = frozenset({collections.name, members.name, member_files.name, member_texts.name})
CLAUSES = frozenset({clause_lists.name, clauses.name, clause_texts.name})
SIDE_DATA = MEMBERS | CLAUSES

# How the following goes, for whoever operates it. No answer about a policy rests on these two.
follower = Table(
    "follower",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # core.following.State
    Column("state", _Text, nullable=False),
    # when this state began, and when it was last written
    Column("since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    # the chain's head as the node told it, and its time
    Column("head", BigInteger),
    Column("head_time", BigInteger),
    Column("entries_per_second", Float),
    # how often the node was asked for what is new, failures included
    Column("polls", BigInteger, nullable=False),
    # why it stopped and what to do, until a poll succeeds again
    Column("alarm", _Text),
)

faults = Table(
    "faults",
    metadata,
    # core.following.Fault
    Column("kind", _Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("detail", _Text, nullable=False),
)

# What a registrar has to record, and the transactions that carry it (core.outbox). The chain
# does not have it: this is all that is lost with the mirror.
acts = Table(
    "acts",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("account", LargeBinary(20), nullable=False),
    Column("policy_id", LargeBinary(32), nullable=False),
    Column("authority", _Text, nullable=False),
    Column("number_hash", LargeBinary(32), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("action", SmallInteger, nullable=False),
    Column("effective_on", BigInteger),
    Column("document", LargeBinary(32)),
    Column("manifest", LargeBinary(32), nullable=False),
    # the manifest's bytes, empty where the digest alone is recorded
    Column("content", LargeBinary, nullable=False),
    # the policy in words, and where the act was asked for: a file, a row of an index
    Column("called", _Text, nullable=False),
    Column("source", _Text),
    # core.outbox.Stage
    Column("stage", _Text, nullable=False),
    Column("reason", _Text),
    # the transaction that carries it, and its place there
    Column("transaction", BigInteger),
    Column("place", Integer),
    # its entry in the log, while it is in a block
    Column("entry", BigInteger),
    Column("staged_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("acts_by_stage", "account", "stage", "id"),
    Index("acts_by_transaction", "transaction", "place"),
    # Two that are to be the same act of a policy can not both be on their way.
    Index(
        "acts_once",
        "policy_id",
        "sequence",
        unique=True,
        sqlite_where=text("stage != 'rejected'"),
        postgresql_where=text("stage != 'rejected'"),
    ),
)

transactions = Table(
    "transactions",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("account", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    # as it is sent, and what it calls
    Column("raw", LargeBinary, nullable=False),
    Column("to", LargeBinary(20), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", BigInteger, nullable=False),
    # wei a unit of gas
    Column("most_fee", BigInteger, nullable=False),
    Column("priority_fee", BigInteger, nullable=False),
    # what it is for, in words
    Column("about", _Text, nullable=False),
    Column("stage", _Text, nullable=False),
    Column("reason", _Text),
    Column("signed_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("block", BigInteger),
    Column("gas_used", BigInteger),
    Index("transactions_by_nonce", "account", "nonce"),
    Index("transactions_by_stage", "account", "stage"),
)

# Signed acts of others that this machine sends and pays for; their acts are in no other table.
relayed = Table(
    "relayed",
    metadata,
    # the EIP-712 digest of what is signed
    Column("id", LargeBinary(32), primary_key=True),
    # the one that pays, and the one that signed
    Column("account", LargeBinary(20), nullable=False),
    Column("registrar", LargeBinary(20), nullable=False),
    # the file, as core.signed_act writes it
    Column("content", LargeBinary, nullable=False),
    # staged, signed (then its transaction tells), finalized or rejected
    Column("stage", _Text, nullable=False),
    Column("reason", _Text),
    Column("transaction", BigInteger),
    Column("received_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("relayed_by_stage", "account", "stage"),
    Index("relayed_by_registrar", "registrar", "received_at"),
)
OPERATIONAL = frozenset({follower.name, faults.name, acts.name, transactions.name, relayed.name})
