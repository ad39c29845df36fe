"""The store's own tables, beside the records: what is covered, how far each source was read, who is reading it.

Derived tables (tallies) are not here: they are made from the indicators' declarations in `tallies.py`.
"""

from hashlib import blake2b

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
)

from collector.contract.errors import WrongUse
from collector.contract.tables import METADATA

VERSION = 5
"""Raised with each change of a table; a newer program migrates, an older one refuses."""

about = Table(
    "about",
    METADATA,
    Column("name", Text, primary_key=True),  # schema version, digests of register, calendar, declarations
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

cursor = Table(
    "cursor",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("document", Text, nullable=False),  # the connector's JSON
    sqlite_with_rowid=False,
)

coverage = Table(
    "coverage",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

span = Table(
    "span",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("end", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

run = Table(
    "run",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("result", Text, nullable=False),  # running | done | try_again | access_denied | unexpected_answer | bug
    Column("message", Text, nullable=False),
    Column("read", Integer, nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("destroyed", Integer, nullable=False),  # of months whose records of persons are destroyed: not kept
)

lock = Table(
    "lock",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("token", Integer, nullable=False),  # only ever rises: a writer with an older token is refused
    Column("holder", Text, nullable=False),  # "" when free
    Column("until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

cell = Table(
    "cell",
    METADATA,
    Column("indicator", Text, primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("hits", Integer, nullable=False),
    Column("judged", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    sqlite_with_rowid=False,
)

group_size = Table(
    "group_size",
    METADATA,
    Column("group", Text, primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),  # how many persons' things stand behind the figures of that day
    sqlite_with_rowid=False,
)

edition = Table(
    "edition",
    METADATA,
    Column("period", Text, primary_key=True),  # 2026-01, 2026-Q1, 2026
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What was sealed, byte for byte: all editions of a store are one chain, each naming the digest of the one before.
edition_body = Table(
    "edition_body",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=False),  # in the chain, from 1
    Column("period", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the body
    Column("public_key", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("period", "number"),
)

# The rows behind the figures of editions, each list once: an edition names its digest.
edition_rows = Table(
    "edition_rows",
    METADATA,
    Column("digest", Text, primary_key=True),  # SHA-256 of the rows as they are stored
    Column("rows", LargeBinary, nullable=False),  # zlib: canonical JSON, a list of rows
)

# Days of a source that are lost for ever and were accepted as lost, by name.
gap = Table(
    "gap",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What of the open readings of a period had changed since it was last noted, by the instant of the note.
reading_log = Table(
    "reading_log",
    METADATA,
    Column("period", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("changed", LargeBinary, nullable=False),  # zlib: canonical JSON
)

destroyed_month = Table(
    "destroyed_month",
    METADATA,
    Column("month_day", Integer, primary_key=True, autoincrement=False),  # its first day
    Column("at", BigInteger, nullable=False),
    Column("finished", Integer, nullable=False),  # 1: the database's files hold nothing of it any more
    sqlite_with_rowid=False,
)

# By which version each indicator had counted a month when what it rests on was destroyed: no other ever will.
destroyed_cells = Table(
    "destroyed_cells",
    METADATA,
    Column("month_day", Integer, primary_key=True, autoincrement=False),
    Column("indicator", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    sqlite_with_rowid=False,
)

vanished = Table(
    "vanished",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("noticed", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The last reconciliation of each source, and what the last one that came to its end found.
reconciliation = Table(
    "reconciliation",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("began", BigInteger, nullable=False),
    Column("result", Text, nullable=False),  # as of a run
    Column("message", Text, nullable=False),
    Column("last_success", BigInteger),
    Column("first_day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
    sqlite_with_rowid=False,
)

difference = Table(
    "difference",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # see collector/reconcile.py
    Column("records", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What is told to the services that score, in the order in which it became so; see collector/store/outbox.py.
outbox = Table(
    "outbox",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # edition | open
    Column("period", Text, nullable=False),
    Column("edition", Integer),
    Column("digest", Text, nullable=False),  # SHA-256 of the body
    Column("body", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("superseded", Integer, nullable=False),  # 1: an open one that a later one replaces; its body is let go
)

# What became of a message at one receiver; without a row it was never tried there.
delivery_state = Table(
    "delivery_state",
    METADATA,
    Column("receiver", Text, primary_key=True),
    Column("sequence", Integer, ForeignKey("outbox.sequence"), primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),  # pending | acknowledged | dead
    Column("attempts", Integer, nullable=False),
    Column("unproved", Integer, nullable=False),  # of them, those answered well, but not with what was applied
    Column("next_attempt", BigInteger, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


def tables_digest() -> str:
    """A digest of all tables and columns: it changes when somebody forgets to raise VERSION."""
    columns = (
        f"{table.name}.{column.name} {column.type} {column.nullable} {column.primary_key}"
        for table in METADATA.sorted_tables
        for column in table.c
    )
    return blake2b("\n".join(sorted(columns)).encode(), digest_size=8).hexdigest()


def check_version(connection: Connection) -> None:
    """Note the schema's version in a new store; WrongUse if the store was written by another one."""
    about.create(connection, checkfirst=True)
    now = f"{VERSION} ({tables_digest()})"
    found = connection.scalar(select(about.c.value).where(about.c.name == "schema"))
    if found is None:
        connection.execute(insert(about).values(name="schema", value=now))
    elif found != now:
        raise WrongUse(
            f"the store has schema {found}, this program writes schema {now}",
            stage="configuration",
            field="store",
            mend="Use the program that wrote it, or point `state` to a new folder and collect again",
        )
