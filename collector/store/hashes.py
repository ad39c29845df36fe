"""Content hashes of the store: two stores with the same facts, tallies or coverage have the same hash.

Read times are left out (`changed`, runs, locks): reading anything again must end in the same hash.
"""

from hashlib import blake2b

from sqlalchemy import Connection, Table, inspect, select

from collector.contract.records import RECORDS
from collector.contract.tables import table_of
from collector.store.schema import cell, coverage, group_size, quarantine


def facts(connection: Connection) -> str:
    """Hash every record, coverage and quarantine."""
    return _hash(connection, [*(table_of(record) for record in RECORDS), coverage, quarantine])


def tallies(connection: Connection) -> str:
    """Hash every derived table."""
    names = sorted(name for name in inspect(connection).get_table_names() if name.startswith("tally_"))
    derived = [Table(name, cell.metadata.__class__(), autoload_with=connection) for name in names]
    return _hash(connection, [*derived, cell, group_size])


def _hash(connection: Connection, tables: list[Table]) -> str:
    digest = blake2b(digest_size=16)
    for table in tables:
        digest.update(table.name.encode())
        kept = [column for column in table.c if column.name != "changed"]
        for row in connection.execute(select(*kept).order_by(*table.primary_key)):
            digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()
