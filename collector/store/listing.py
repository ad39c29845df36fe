"""What the store has of some local days, as a reconciliation compares it with what the source lists.

The days of a record without days of its own are those of its parent. Rows of which the source itself says that they
are deleted are not expected at the source, nor are the children of a parent that is gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, null, select

from collector.contract.connector import Days, Key, fingerprint
from collector.contract.period import plus_days
from collector.contract.records import Delivery, Dossier, DossierEvent, Mailbox, MailboxDay, Record, columns
from collector.contract.records import Document as DocumentRecord
from collector.contract.tables import document, dossier, table_of
from collector.store.schema import vanished

AT_ONCE = 500
"""Keys that are asked in one statement."""

_DAYS: Mapping[type[Record], str] = {
    DocumentRecord: "issued_day",
    Dossier: "received_day",
    Mailbox: "month_day",
    MailboxDay: "day",
}
_PARENTS: Mapping[type[Record], tuple[str, Table, str]] = {
    Delivery: ("document", document, "issued_day"),
    DossierEvent: ("dossier", dossier, "received_day"),
}


@dataclass(frozen=True, slots=True)
class State:
    """How a record is stored. `row` in the order of the record's columns; `gone`: it was found to have vanished."""

    row: tuple[Any, ...]
    changed: int
    gone: bool

    def agrees(self, record: type[Record], listed: Key) -> bool:
        """Say whether the source lists a record as it is stored."""
        if self.gone or listed.mark is None:
            return False
        if isinstance(listed.mark, str):
            return listed.mark == fingerprint(record, self.row)
        day = None if record not in _DAYS else self.row[columns(record).index(_DAYS[record])]
        # What was read by its key may be stored with a version one above the source's.
        return listed.day == day and self.changed - 1 <= listed.mark <= self.changed


def expected(
    connection: Connection, source: str, record: type[Record], days: Days
) -> dict[str, tuple[int | None, str]]:
    """Return what the source should list on some days: the day and the agency code by key."""
    table = table_of(record)
    found = select(table.c.key, _day(record), table.c.agency_code).where(table.c.source == source, table.c.removed == 0)
    if record in _PARENTS:
        name, parent, _ = _PARENTS[record]
        found = found.join(
            parent, and_(parent.c.source == table.c.source, parent.c.key == table.c[name], parent.c.removed == 0)
        )
    if record in _DAYS or record in _PARENTS:
        found = found.where(_day(record).between(days.first, days.last))
    shared: dict[tuple[int | None, str], tuple[int | None, str]] = {}  # one for all records of an agency and day
    return {key: shared.setdefault((day, code), (day, code)) for key, day, code in connection.execute(found)}


def _day(record: type[Record]) -> ColumnElement[Any]:
    if record in _PARENTS:
        _, parent, day = _PARENTS[record]
        return parent.c[day]
    return table_of(record).c[_DAYS[record]] if record in _DAYS else null()


def states(connection: Connection, source: str, record: type[Record], keys: Sequence[str]) -> dict[str, State]:
    """Look up how some records are stored; those that are not are left out."""
    table = table_of(record)
    names = columns(record)
    at = names.index("changed")
    gone = and_(vanished.c.source == table.c.source, vanished.c.record == record.NAME, vanished.c.key == table.c.key)
    found: dict[str, State] = {}
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first : first + AT_ONCE]
        for key, *row in connection.execute(
            select(vanished.c.key, *(table.c[name] for name in names))
            .join_from(table, vanished, gone, isouter=True)
            .where(table.c.source == source, table.c.key.in_(some))
        ):
            found[row[0]] = State(tuple(row), row[at], key is not None)
    return found


def windows(
    connection: Connection, source: str, records: Sequence[type[Record]], days: Days, most: int
) -> Iterator[Days]:
    """Part days into stretches of which the store has at most so many rows of one record class (but at least a day)."""
    counts: dict[int, int] = {}
    for record in records:
        if record not in _DAYS and record not in _PARENTS:
            continue
        table, day = table_of(record), _day(record)
        found = select(day, func.count()).where(table.c.source == source, day.between(days.first, days.last))
        if record in _PARENTS:
            name, parent, _ = _PARENTS[record]
            found = found.join(parent, and_(parent.c.source == table.c.source, parent.c.key == table.c[name]))
        for one, count in connection.execute(found.group_by(day)):
            counts[one] = max(counts.get(one, 0), count)
    first, held = days.first, 0
    for day_, count in sorted(counts.items()):
        if held and held + count > most:
            yield Days(first, plus_days(day_, -1))
            first, held = day_, 0
        held += count
    yield Days(first, days.last)
