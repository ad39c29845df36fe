"""Destroys what is stored of persons in a month; what was counted of it stays.

Gone are the month's rows of records of persons, the ranges of logs that told of that month alone, what stands in
quarantine under a pseudonym, and what the cursors hold under the month's key. `group_size`, the cells and coverage
stay, and no later save, register or declaration counts the month anew (see `tallies`).
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, delete, exists, func, insert, not_, or_, select, update

from collector.contract.connector import BadRow, Columnar, Forget
from collector.contract.errors import TryAgain
from collector.contract.indicator import OF_PERSONS
from collector.contract.period import Period, month_of
from collector.contract.records import Mailbox, MailboxDay, Record, columns
from collector.contract.tables import mailbox, mailbox_day
from collector.store.schema import cursor, destroyed_cells, destroyed_month, edition, quarantine, span, vanished
from collector.store.tallies import Tallies

_PSEUDONYM = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of persons in a month (its first day), and what became of it. Instants in epoch seconds."""

    month_day: int
    mailboxes: int
    mailbox_days: int
    destroyed: int | None
    finished: bool


def kept(connection: Connection) -> list[Kept]:
    """What is stored of persons, by month; destroyed months too."""
    boxes = {
        row[0]: row[1]
        for row in connection.execute(select(mailbox.c.month_day, func.count()).group_by(mailbox.c.month_day))
    }
    days: dict[int, int] = {}
    for day, count in connection.execute(select(mailbox_day.c.day, func.count()).group_by(mailbox_day.c.day)):
        days[month_of(day).first] = days.get(month_of(day).first, 0) + count
    gone = {one.month_day: one for one in connection.execute(select(destroyed_month))}
    return [
        Kept(
            first,
            boxes.get(first, 0),
            days.get(first, 0),
            gone[first].at if first in gone else None,
            bool(gone[first].finished) if first in gone else False,
        )
        for first in sorted(boxes.keys() | days.keys() | gone.keys())
    ]


def sealed(connection: Connection, month: Period) -> int | None:
    """When the newest edition of a month was sealed (epoch seconds); None if there is none."""
    newest: int | None = connection.scalar(select(func.max(edition.c.sealed)).where(edition.c.period == month.name))
    return newest


def pending(connection: Connection, forget: Mapping[str, Forget], month_day: int) -> dict[str, int]:
    """How many pseudonyms under a month's key the cursor of each source holds, of those sources that hold any."""
    found = {}
    for source, document in connection.execute(select(cursor.c.source, cursor.c.document)):
        if source in forget:
            left = json.dumps(forget[source](json.loads(document), month_day))
            held = len(set(_PSEUDONYM.findall(document)) - set(_PSEUDONYM.findall(left)))
            if held:
                found[source] = held
    return found


def destroyed(connection: Connection) -> set[int]:
    """The first days of the destroyed months."""
    return set(connection.scalars(select(destroyed_month.c.month_day)))


def without_destroyed(connection: Connection, rows: dict[type[Record], Columnar], bad: list[BadRow]) -> int:
    """Take what is of destroyed months out of what is to be saved; returns how many records there were."""
    if OF_PERSONS.isdisjoint([*rows, *(one.record for one in bad)]):
        return 0
    dead = destroyed(connection)
    if not dead:
        return 0
    months = tuple(str(month // 100) for month in dead)
    usable = [one for one in bad if one.record not in OF_PERSONS or not _is_of(one, months)]
    dropped = len(bad) - len(usable)
    bad[:] = usable
    for record, name in ((Mailbox, "month_day"), (MailboxDay, "day")):
        at = columns(record).index(name)
        if record not in rows:
            continue
        left = [day // 100 * 100 + 1 not in dead for day in rows[record].columns[at]]
        if not all(left):
            dropped += left.count(False)
            rows[record] = rows[record].chosen(left)
    return dropped


def _is_of(one: BadRow, months: tuple[str, ...]) -> bool:
    """Whether a bad row has its place under a pseudonym of one of some months (yyyymm)."""
    head, _, pseudonym = one.key.partition(":")
    return head[:6] in months and _PSEUDONYM.match(pseudonym) is not None


def destroy_rows(
    connection: Connection, month_day: int, tallies: Tallies, forget: Mapping[str, Forget], at: int
) -> None:
    """Destroy a month (its first day) in one transaction, which the caller commits; `at` in epoch seconds.

    `forget` has for each source that may hold pseudonyms how to take them out of its cursor. Raises RuntimeError,
    before anything is lost, if a pseudonym of the month would be left in a cursor.
    """
    last = month_of(month_day).last
    in_month = mailbox_day.c.day.between(month_day, last)
    pseudonyms = set(connection.scalars(select(mailbox.c.pseudonym).where(mailbox.c.month_day == month_day)))
    pseudonyms |= set(connection.scalars(select(mailbox_day.c.pseudonym).where(in_month).distinct()))
    _scrub_cursors(connection, month_day, forget, pseudonyms)

    ranges = select(mailbox_day.c.source, mailbox_day.c.span)
    alone = ranges.where(in_month).except_(ranges.where(not_(in_month)))
    for source, name in connection.execute(alone).all():
        file, _, bounds = name.rpartition(":")
        start = bounds.partition("-")[0]
        if start.isdigit():
            connection.execute(
                delete(span).where(span.c.source == source, span.c.file == file, span.c.start == int(start))
            )
    connection.execute(delete(mailbox_day).where(in_month))
    connection.execute(delete(mailbox).where(mailbox.c.month_day == month_day))
    month = month_day // 100
    for table in (quarantine, vanished):
        connection.execute(
            delete(table).where(
                or_(
                    and_(table.c.record == Mailbox.NAME, table.c.key.startswith(f"{month}:")),
                    and_(table.c.record == MailboxDay.NAME, table.c.key.startswith(str(month))),
                )
            )
        )
    versions = [
        {"month_day": month_day, "indicator": one.id, "version": one.version}
        for one in tallies.celled
        if one.group is not None
    ]
    again = connection.scalar(select(func.count()).where(destroyed_month.c.month_day == month_day))
    if not again:
        connection.execute(insert(destroyed_month).values(month_day=month_day, at=at, finished=0))
        if versions:
            connection.execute(insert(destroyed_cells), versions)


def _scrub_cursors(
    connection: Connection, month_day: int, forget: Mapping[str, Forget], pseudonyms: Iterable[str]
) -> None:
    known = set(pseudonyms)
    for source, document in connection.execute(select(cursor.c.source, cursor.c.document)).all():
        if source in forget:
            left = json.dumps(forget[source](json.loads(document), month_day), sort_keys=True)
            if left != document:
                connection.execute(update(cursor).where(cursor.c.source == source).values(document=left))
            document = left
        if not known.isdisjoint(_PSEUDONYM.findall(document)):
            raise RuntimeError(f"the cursor of {source} still holds pseudonyms of {month_of(month_day)}")


def empty_the_log(engine: Engine) -> None:
    """Write all pages anew and cut the write-ahead log to nothing, so that no copy of a deleted row is left in either.

    VACUUM, because a page that was once split may hold old copies of rows where SQLite's secure_delete does not reach.
    TryAgain while another program uses the store.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        try:
            # What is written anew need not fit into memory.
            raw.execute("PRAGMA temp_store = FILE")
            raw.execute("VACUUM")
            busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            busy = 1
        finally:
            raw.execute("PRAGMA temp_store = MEMORY")
    if busy:
        raise TryAgain(
            "another program uses the store, so that old copies of rows cannot be overwritten yet",
            stage="save",
            mend="Try it again: key and rows are destroyed, their traces in the store's files are not",
        )


def finish(connection: Connection, month_day: int) -> None:
    """Note that nothing is left of a destroyed month."""
    connection.execute(update(destroyed_month).where(destroyed_month.c.month_day == month_day).values(finished=1))


def counted_otherwise(connection: Connection, indicator: str, version: int, first: int, last: int) -> Sequence[int]:
    """The destroyed months (first days) of the days `first..last` that this version of an indicator never counted."""
    own = and_(
        destroyed_cells.c.month_day == destroyed_month.c.month_day,
        destroyed_cells.c.indicator == indicator,
        destroyed_cells.c.version == version,
    )
    return connection.scalars(
        select(destroyed_month.c.month_day)
        .where(destroyed_month.c.month_day.between(first // 100 * 100 + 1, last), ~exists().where(own))
        .order_by(destroyed_month.c.month_day)
    ).all()
