"""Marks records that have vanished from their source, so that they count nowhere, and tells them from the source's own.

A tombstone is the stored row with `removed` 1 and a version older than any other, and its key in the table `vanished`:
whatever the source gives of that key again takes its place (see `save`).
"""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from collector.agencies import Register
from collector.contract.connector import Batch
from collector.contract.records import Record, columns
from collector.contract.tables import table_of
from collector.store.listing import AT_ONCE
from collector.store.save import save
from collector.store.schema import vanished
from collector.store.tallies import Tallies

OLDEST = -(2**62)
"""A version older than any that a source gives."""


def bury(
    connection: Connection,
    source: str,
    record: type[Record],
    keys: Sequence[str],
    register: Register,
    plan: Tallies,
    now: int,
) -> int:
    """Put tombstones in the place of some records; returns of how many. The caller commits. `now` in epoch seconds."""
    table = table_of(record)
    names = columns(record)
    at, removed = names.index("changed"), names.index("removed")
    buried = 0
    for first in range(0, len(keys), AT_ONCE):
        own = table.c.key.in_(keys[first : first + AT_ONCE])
        rows = [
            list(row)
            for row in connection.execute(
                select(*(table.c[name] for name in names)).where(table.c.source == source, own, table.c.removed == 0)
            )
        ]
        if not rows:
            continue
        for row in rows:
            row[at] += 1
            row[removed] = 1
        save(connection, source, [Batch({record: [tuple(row) for row in rows]}, None, live=True)], register, plan)
        buried_keys = [row[0] for row in rows]
        connection.execute(
            update(table).where(table.c.source == source, table.c.key.in_(buried_keys)).values(changed=OLDEST)
        )
        connection.execute(
            insert(vanished),
            [{"source": source, "record": record.NAME, "key": key, "noticed": now} for key in buried_keys],
        )
        buried += len(rows)
    return buried
