"""Opens the store's database.

SQLite: WAL with synchronous NORMAL, so facts and cursor roll back together after a power cut; secure_delete on, so
that destroyed pseudonyms leave no trace in free pages. Transactions that write begin IMMEDIATE: one that begins by
reading gets "database is locked" at once when it comes to write, in spite of the time-out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from collector.contract.errors import WrongUse
from collector.contract.tables import METADATA
from collector.store import schema  # registers the store's own tables

PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "busy_timeout = 30000",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cache_size = -8192",
    "foreign_keys = ON",
)
"""The settings of each connection."""


def open_engine(url: str) -> Engine:
    """Open the store and create what is missing of its tables; WrongUse for a database that is not supported."""
    engine = create_engine(url)
    if engine.dialect.name != "sqlite":
        raise WrongUse(
            f"{engine.dialect.name} is not supported as the store yet",
            stage="configuration",
            field="store",
            mend="Leave `store` out to keep the figures in SQLite",
        )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below decides when a transaction starts
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        writes = options.get("writes", False)
        if writes:  # it cannot change inside a transaction
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options.get('durable') else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    with writing(engine) as connection:
        schema.check_version(connection)
        METADATA.create_all(connection)
    return engine


@contextmanager
def writing(engine: Engine, *, durable: bool = False) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back if anything is raised.

    A `durable` one outlives a power cut once it is committed: a seal, a delivery that was acknowledged. What others
    are told must not be forgotten here; facts may, they are read again.
    """
    with engine.connect().execution_options(writes=True, durable=durable) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one consistent state."""
    with engine.connect() as connection, connection.begin():
        yield connection
