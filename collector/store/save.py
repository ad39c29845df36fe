"""Saves batches: rows, derived columns, tallies, spans, coverage and cursor in one transaction.

Repeating a save, permuting its rows or cutting it anyhow ends in the same store.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Select, Table, Text, delete, func, select, union
from sqlalchemy.dialects import sqlite

from collector.agencies import Register
from collector.contract.connector import BadRow, Batch, Replaced, Row, Span
from collector.contract.period import days, month_of
from collector.contract.records import (
    Delivery,
    Document,
    Dossier,
    DossierEvent,
    Mailbox,
    MailboxDay,
    Procedure,
    Record,
    columns,
)
from collector.contract.tables import document, dossier, mailbox_day
from collector.store import derive, destruction, merge, tallies
from collector.store.schema import coverage, cursor, quarantine, span, vanished

_FAR_FUTURE = 99991231
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of the items of a save: read = inserted + updated + unchanged + quarantined + destroyed.

    `destroyed` are rows of months whose records of persons are destroyed: they are not kept.
    """

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    destroyed: int = 0

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(
            self.read + other.read,
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.quarantined + other.quarantined,
            self.destroyed + other.destroyed,
        )


def _touched(name: str) -> Table:
    return Table(f"touched_{name}", MetaData(), Column("source", Text), Column("key", Text), prefixes=["TEMPORARY"])


_TOUCHED = {document: _touched("document"), dossier: _touched("dossier")}


def save(
    connection: Connection, source: str, batches: Sequence[Batch], register: Register, plan: tallies.Tallies
) -> Saved:
    """Save some batches of one source, in the order in which they were read. The caller commits.

    They are all `live`, or none is.
    """
    rows: dict[type[Record], list[Row]] = {}
    bad: list[BadRow] = []
    for batch in batches:
        bad.extend(batch.bad)
        for record, some in batch.rows.items():
            if some:
                good, unstorable = merge.storable(record, some)
                rows.setdefault(record, []).extend(good)
                bad.extend(unstorable)
    destroyed = destruction.without_destroyed(connection, rows)
    live = any(batch.live for batch in batches)
    dropped = _drop(connection, source, [one for batch in batches for one in batch.replaces], rows.get(MailboxDay, ()))
    given = sum(len(some) for some in rows.values())
    staged: dict[type[Record], int] = {}
    for record, some in rows.items():
        own = _assigned(record, source, merge.newest(record, some, live=live), register)
        staged[record] = merge.stage(connection, record, source, own, live=live)
    inserted, updated = _apply(connection, list(staged), plan, dropped)
    _returned(connection, source, rows)
    _forget(connection, source, {place for batch in batches for place in batch.looked_at})
    _quarantine(connection, source, bad, rows)
    _cover(connection, source, batches)
    _spans(connection, source, [one for batch in batches for one in batch.spans])
    last = next((batch.cursor for batch in reversed(batches) if batch.cursor is not None), None)
    if last is not None:
        save_cursor(connection, source, last)
    read = given + len(bad) + destroyed
    return Saved(read, inserted, updated, given - inserted - updated, len(bad), destroyed)


def _assigned(record: type[Record], source: str, rows: list[Row], register: Register) -> list[Row]:
    """Append to each row the agency that the register knows for its code on the day of the event."""
    if record.AGENCY_DAY is None:
        return [(*row, None) for row in rows]
    names = columns(record)
    code_at, day_at = names.index("agency_code"), names.index(record.AGENCY_DAY)
    known: dict[tuple[str, int], str | None] = {}
    assigned = []
    for row in rows:
        event = (row[code_at], row[day_at] or _FAR_FUTURE)
        if event not in known:
            known[event] = register.resolve(source, *event)
        assigned.append((*row, known[event]))
    return assigned


def _drop(
    connection: Connection, source: str, replaced: Sequence[Replaced], rows: Sequence[Row]
) -> tuple[int, int] | None:
    """Delete the rows of some ranges of a log that are not among the new ones; return their first and last day."""
    if not replaced:
        return None
    spans = {one.span for one in replaced}
    # Keys begin with the day: a range of the primary key.
    first, last = min(one.first_day for one in replaced), max(one.last_day for one in replaced)
    within = (mailbox_day.c.source == source, mailbox_day.c.key >= f"{first}:", mailbox_day.c.key < f"{last};")
    kept = {row[0] for row in rows}
    gone = [
        (key, day)
        for key, day, span_ in connection.execute(
            select(mailbox_day.c.key, mailbox_day.c.day, mailbox_day.c.span).where(*within)
        )
        if span_ in spans and key not in kept
    ]
    for at in range(0, len(gone), _AT_ONCE):
        keys = [key for key, _ in gone[at : at + _AT_ONCE]]
        connection.execute(delete(mailbox_day).where(mailbox_day.c.source == source, mailbox_day.c.key.in_(keys)))
    days_ = [day for _, day in gone]
    return (min(days_), max(days_)) if days_ else None


def _apply(
    connection: Connection,
    records: Sequence[type[Record]],
    plan: tallies.Tallies,
    dropped: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """Merge what is staged, derive what depends on it, and bring the tallies along.

    `dropped` are the first and last day of rows of MailboxDay that are there no more.
    """
    inserted = updated = 0

    def merge_all() -> None:
        nonlocal inserted, updated
        for record in records:
            new, changed = merge.merge(connection, record)
            inserted += new
            updated += changed

    cell_days: dict[type[Record], tuple[int, int]] = {}
    for record in records:
        if record in (Mailbox, MailboxDay) and (some := _cell_days(connection, record)) is not None:
            cell_days[record] = some
    if dropped is not None:
        first, last = cell_days.get(MailboxDay, dropped)
        cell_days[MailboxDay] = min(first, dropped[0]), max(last, dropped[1])
    changed = _fill_touched(connection, records)
    signed = [facts for facts in changed if not tallies.worth_rebuilding(connection, facts, _TOUCHED[facts])]
    for facts in signed:
        tallies.add(connection, plan, facts, _TOUCHED[facts], -1)
    merge_all()
    if document in changed:
        derive.documents(connection, _TOUCHED[document])
    if dossier in changed:
        derive.dossiers(connection, _TOUCHED[dossier], derive.ordinals(connection))
    for facts in changed:
        if facts in signed:
            tallies.add(connection, plan, facts, _TOUCHED[facts], +1)
            tallies.sweep(connection, plan, facts)
        else:
            tallies.rebuild(connection, plan, facts)
    tallies.recompute_cells(connection, plan, cell_days)
    return inserted, updated


def _cell_days(connection: Connection, record: type[Record]) -> tuple[int, int] | None:
    """The days whose cells the staged rows touch, and no day outside a month with an inventory."""
    staged = merge.stage_of(record)
    if record is Mailbox:
        first, last = connection.execute(select(func.min(staged.c.month_day), func.max(staged.c.month_day))).one()
        return None if first is None else (first, month_of(last).last)
    first, last = connection.execute(select(func.min(staged.c.day), func.max(staged.c.day))).one()
    return None if first is None else (first, last)


def _fill_touched(connection: Connection, records: Sequence[type[Record]]) -> list[Table]:
    """Collect the keys of the parents that the staged rows change; returns the tables that have any."""
    queries: dict[Table, list[Select[Any]]] = {document: [], dossier: []}
    for record in records:
        staged = merge.stage_of(record)
        if record is Document:
            queries[document].append(select(staged.c.source, staged.c.key))
        elif record is Delivery:
            queries[document].append(select(staged.c.source, staged.c.document))
        elif record is Dossier:
            queries[dossier].append(select(staged.c.source, staged.c.key))
        elif record is DossierEvent:
            queries[dossier].append(select(staged.c.source, staged.c.dossier))
        elif record is Procedure:
            # A catalogue may speak for another source's dossiers too.
            codes = select(staged.c.code)
            queries[dossier].append(select(dossier.c.source, dossier.c.key).where(dossier.c.procedure.in_(codes)))
    changed = []
    for facts, parts in queries.items():
        if not parts:
            continue
        touched = _TOUCHED[facts]
        touched.create(connection, checkfirst=True)
        connection.execute(delete(touched))
        # Each key once: a parent that is touched twice would be taken away twice.
        keys = union(*(part.distinct() for part in parts))
        connection.execute(touched.insert().from_select(["source", "key"], keys))
        if connection.scalar(select(func.count()).select_from(touched)):
            changed.append(facts)
    return changed


def _forget(connection: Connection, source: str, places: Collection[tuple[type[Record], str]]) -> None:
    """Empty the quarantine of what was read again from its beginning."""
    for record, beginning in places:
        connection.execute(
            delete(quarantine).where(
                quarantine.c.source == source,
                quarantine.c.record == record.NAME,
                quarantine.c.key.startswith(beginning, autoescape=True),
            )
        )


def _quarantine(
    connection: Connection, source: str, bad: Sequence[BadRow], good: Mapping[type[Record], Sequence[Row]]
) -> None:
    """Keep what could not be used, by name; a record that has come in good shape leaves the quarantine."""
    held = set(connection.execute(select(quarantine.c.record, quarantine.c.key).where(quarantine.c.source == source)))
    if held:
        for record, rows in good.items():
            for row in rows:
                if (record.NAME, row[0]) in held:
                    connection.execute(
                        delete(quarantine).where(
                            quarantine.c.source == source,
                            quarantine.c.record == record.NAME,
                            quarantine.c.key == row[0],
                        )
                    )
    for one in bad:
        statement = sqlite.insert(quarantine).values(
            source=source, record=one.record.NAME, key=one.key, field=one.field, reason=one.reason
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["source", "record", "key", "field"], set_={"reason": one.reason}
            )
        )


def _returned(connection: Connection, source: str, rows: Mapping[type[Record], Sequence[Row]]) -> None:
    """Forget that records had vanished, now that the source has given them again."""
    gone = set(connection.execute(select(vanished.c.record, vanished.c.key).where(vanished.c.source == source)))
    for record, some in rows.items() if gone else ():
        for row in some:
            if (record.NAME, row[0]) in gone:
                connection.execute(
                    delete(vanished).where(
                        vanished.c.source == source, vanished.c.record == record.NAME, vanished.c.key == row[0]
                    )
                )


def _cover(connection: Connection, source: str, batches: Sequence[Batch]) -> None:
    covered = {
        (one.record.NAME, day)
        for batch in batches
        for one in batch.covers
        if one.first_day <= one.last_day
        for day in days(one.first_day, one.last_day)
    }
    if covered:
        connection.execute(
            sqlite.insert(coverage).on_conflict_do_nothing(),
            [{"source": source, "record": record, "day": day} for record, day in sorted(covered)],
        )


def _spans(connection: Connection, source: str, spans: Sequence[Span]) -> None:
    if spans:
        connection.execute(
            sqlite.insert(span).on_conflict_do_nothing(),
            [{"source": source, "file": one.file, "start": one.start, "end": one.end} for one in spans],
        )


def save_cursor(connection: Connection, source: str, document_: Mapping[str, Any]) -> None:
    """Store how far a source was read."""
    statement = sqlite.insert(cursor).values(source=source, document=json.dumps(document_, sort_keys=True))
    connection.execute(
        statement.on_conflict_do_update(index_elements=["source"], set_={"document": statement.excluded.document})
    )


def read_cursor(connection: Connection, source: str) -> Mapping[str, Any] | None:
    """Return how far a source was read; None before the first save."""
    text = connection.scalar(select(cursor.c.document).where(cursor.c.source == source))
    return None if text is None else json.loads(text)


def read_spans(connection: Connection, source: str) -> dict[str, list[Span]]:
    """Return the saved ranges of each log of a source, in order."""
    found: dict[str, list[Span]] = {}
    for file, start, end in connection.execute(
        select(span.c.file, span.c.start, span.c.end).where(span.c.source == source).order_by(span.c.file, span.c.start)
    ):
        found.setdefault(file, []).append(Span(file, start, end))
    return found
