"""Saves batches: rows, derived columns, tallies, spans, coverage and cursor in one transaction.

Repeating a save, permuting its rows or cutting it anyhow ends in the same store.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import sqlite

from collector.agencies import Register
from collector.contract.connector import BadRow, Batch, Columnar, Replaced, Row, Span
from collector.contract.period import as_date, days, month_of
from collector.contract.records import (
    Delivery,
    Document,
    Dossier,
    DossierEvent,
    Mailbox,
    MailboxDay,
    Probe,
    Procedure,
    Record,
    columns,
)
from collector.contract.tables import ALWAYS, FOREVER, delivery, document, dossier, mailbox_day, procedure, table_of
from collector.store import derive, destruction, merge, offers, tallies
from collector.store.listing import AT_ONCE
from collector.store.schema import coverage, cursor, quarantine, span, vanished

_FAR_FUTURE = 99991231


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
    return Table(
        f"touched_{name}",
        MetaData(),
        Column("source", Text),
        Column("key", Text),
        Column("fresh", Integer),  # 1: inserted by this save, and in no tally yet
        prefixes=["TEMPORARY"],
    )


# A parent that is touched twice would be taken away twice: each key is there once. Without an index, so that it is the
# touched rows that are gone through, and never all that are stored.
_TOUCHED = {document: _touched("document"), delivery: _touched("delivery"), dossier: _touched("dossier")}
_ANSWERED = select(literal(1)).where(delivery.c.source == bindparam("of")).limit(1)
_PARENTS: Mapping[type[Record], Sequence[Table]] = {
    Document: (document,),
    Delivery: (document, delivery),
    Dossier: (dossier,),
    DossierEvent: (dossier,),
    Procedure: (dossier,),
}


def save(
    connection: Connection, source: str, batches: Sequence[Batch], register: Register, plan: tallies.Tallies
) -> Saved:
    """Save some batches of one source, in the order in which they were read. The caller commits.

    They are all `live`, or none is.
    """
    given_rows: dict[type[Record], list[Sequence[Row]]] = {}
    bad: list[BadRow] = []
    for batch in batches:
        bad.extend(batch.bad)
        for record, some in batch.rows.items():
            if some:
                given_rows.setdefault(record, []).append(some)
    rows: dict[type[Record], Columnar] = {}
    for record, parts in given_rows.items():
        rows[record], unstorable = merge.storable(record, merge.joined(record, parts))
        bad.extend(unstorable)
    destroyed = destruction.without_destroyed(connection, rows, bad)
    live = any(batch.live for batch in batches)
    dropped = _drop(connection, source, [one for batch in batches for one in batch.replaces], rows.get(MailboxDay, ()))
    given = sum(len(some) for some in rows.values())
    arrived = []
    for record, kept in rows.items():
        own = _completed(record, source, merge.newest(record, kept, live=live), register)
        arrived.append(merge.add(connection, record, source, own, live=live))
    inserted, updated = _apply(connection, source, arrived, register, plan, dropped)
    for told in (vanished, quarantine):
        _came_again(connection, source, rows, told)
    _forget(connection, source, {place for batch in batches for place in batch.looked_at})
    _forget_ranges(connection, source, [one for batch in batches for one in batch.replaces])
    _quarantine(connection, source, bad)
    _cover(connection, source, batches)
    _spans(connection, source, [one for batch in batches for one in batch.spans])
    last = next((batch.cursor for batch in reversed(batches) if batch.cursor is not None), None)
    if last is not None:
        save_cursor(connection, source, last)
    read = given + len(bad) + destroyed
    return Saved(read, inserted, updated, given - inserted - updated, len(bad), destroyed)


class _Agencies(dict[tuple[str | None, int | None], str | None]):
    """The agency that the register knows for a code on a local day."""

    def __init__(self, source: str, register: Register) -> None:
        super().__init__()
        self._source, self._register = source, register

    def __missing__(self, event: tuple[str | None, int | None]) -> str | None:
        code, day = event
        agency = self[event] = self._register.resolve(self._source, code or "", day or _FAR_FUTURE)
        return agency


def _completed(record: type[Record], source: str, rows: Sequence[Row], register: Register) -> Columnar:
    """Make the rows those of the table: the source, the fields, the agency of its code on the day of the event.

    Behind them what is derived, as long as nothing else is known.
    """
    # By columns: a loop over rows would cost as much as inserting them.
    laid = Columnar.of(rows, len(columns(record)))
    given = dict(zip(columns(record), laid.columns, strict=True))
    nothing = [None] * len(laid)
    agencies: Sequence[str | None] = nothing
    if record.AGENCY_DAY is not None:
        known = _Agencies(source, register)
        agencies = list(map(known.__getitem__, zip(given[record.AGENCY_CODE], given[record.AGENCY_DAY], strict=True)))
    stated = derive.STATED.get(record, {})
    derived = (given[stated[name]] if name in stated else nothing for name in record.DERIVED)
    return Columnar(([source] * len(laid), *laid.columns, agencies, *derived))


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
    for at in range(0, len(gone), AT_ONCE):
        keys = [key for key, _ in gone[at : at + AT_ONCE]]
        connection.execute(delete(mailbox_day).where(mailbox_day.c.source == source, mailbox_day.c.key.in_(keys)))
    days_ = [day for _, day in gone]
    return (min(days_), max(days_)) if days_ else None


def _apply(
    connection: Connection,
    source: str,
    arrived: Sequence[merge.Arrived],
    register: Register,
    plan: tallies.Tallies,
    dropped: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """Merge what is staged, derive what depends on it, and bring the tallies along.

    `dropped` are the first and last day of rows of MailboxDay that are there no more.
    """
    cell_days: dict[type[Record], tuple[int, int]] = {
        one.record: some
        for one in arrived
        if one.record in (Mailbox, MailboxDay, Probe) and (some := _cell_days(connection, one)) is not None
    }
    if dropped is not None:
        first, last = cell_days.get(MailboxDay, dropped)
        cell_days[MailboxDay] = min(first, dropped[0]), max(last, dropped[1])
    codes = _codes(connection, arrived)
    answered = connection.scalar(_ANSWERED, {"of": source}) is not None
    # What nothing else decides is counted as it came.
    as_it_came = {document: merge.fresh_of(Document)} if not answered else {}
    changed = _fill_touched(connection, source, arrived, as_it_came, answered=answered)
    counted = [facts for facts, stored in changed.items() if stored]
    anew = [facts for facts in counted if tallies.worth_rebuilding(connection, facts, _TOUCHED[facts])]
    for facts in counted:
        if facts not in anew:
            tallies.add(connection, plan, facts, _TOUCHED[facts], -1)
    updated = sum(merge.merge(connection, one.record) for one in arrived)
    if document in changed:
        derive.documents(connection, _TOUCHED[document], fresh_too=answered)
    if delivery in changed or dossier in changed:
        calendar = derive.ordinals(connection)
        if delivery in changed:
            derive.deliveries(connection, _TOUCHED[delivery], calendar)
        if dossier in changed:
            derive.dossiers(connection, _TOUCHED[dossier], calendar, register)
    if codes:
        offers.make(connection, register, codes)
        cell_days[Procedure] = ALWAYS, FOREVER
    for one in arrived:
        if one.new and (facts := table_of(one.record)) in as_it_came and facts not in anew:
            tallies.add_new(connection, plan, facts, as_it_came[facts])
    for facts in changed:
        if facts in anew:
            tallies.rebuild(connection, plan, facts)
            continue
        tallies.add(connection, plan, facts, _TOUCHED[facts], +1)
        if facts in counted:
            tallies.sweep(connection, plan, facts)
    tallies.recompute_cells(connection, plan, cell_days)
    return sum(len(one.new) for one in arrived), updated


def _codes(connection: Connection, arrived: Sequence[merge.Arrived]) -> set[str]:
    """The codes of the procedures whose lines arrived, changed or not said before."""
    codes: set[str] = set()
    at = procedure.c.keys().index("code")
    for one in arrived:
        if one.record is Procedure:
            staged = merge.stage_of(Procedure)
            same = and_(procedure.c.source == staged.c.source, procedure.c.key == staged.c.key)
            codes |= set(one.new.columns[at]) | set(connection.scalars(select(staged.c.code)))
            codes |= set(connection.scalars(select(procedure.c.code).join_from(staged, procedure, same)))
    return codes


def _cell_days(connection: Connection, arrived: merge.Arrived) -> tuple[int, int] | None:
    """The days whose cells the rows touch, and no day outside a month with an inventory."""
    name = "month_day" if arrived.record is Mailbox else "day"
    day = merge.stage_of(arrived.record).c[name]
    ends = [end for end in connection.execute(select(func.min(day), func.max(day))).one() if end is not None]
    at = table_of(arrived.record).c.keys().index(name)
    ends += set(arrived.new.columns[at])
    if not ends:
        return None
    return min(ends), month_of(max(ends)).last if arrived.record is Mailbox else max(ends)


def _fill_touched(
    connection: Connection,
    source: str,
    arrived: Sequence[merge.Arrived],
    as_it_came: Collection[Table],
    *,
    answered: bool,
) -> dict[Table, bool]:
    """Collect the keys of the parents that the rows change; returns the tables that have any, and if stored ones are.

    New rows of those tables that are counted as they came are left out. `answered`: there are deliveries of this
    source, which follow what becomes of their documents.
    """
    fresh: dict[Table, merge.Arrived] = {}
    others: dict[Table, set[tuple[str, str]]] = {facts: set() for facts in _TOUCHED}
    for one in arrived:
        if (facts := table_of(one.record)) in _TOUCHED and facts not in as_it_came and one.new:
            fresh[facts] = one
        for parent in _PARENTS.get(one.record, ()):
            others[parent] |= _parents(connection, parent, one)
        if one.record is Document and answered:
            others[delivery] |= _deliveries_of(connection, source, one)
    changed = {}
    for facts, touched in _TOUCHED.items():
        new, old = fresh.get(facts), others[facts]
        if new is None and not old:
            continue
        merge.emptied(connection, touched)
        if new is not None:
            came = merge.fresh_of(new.record).name
            connection.exec_driver_sql(f"INSERT INTO {touched.name} SELECT source, key, 1 FROM {came}")
        known_as_new = set(new.new.columns[1]) if new is not None and old else ()
        again = [(where, key, 0) for where, key in old if where != source or key not in known_as_new]
        if again:
            connection.exec_driver_sql(f"INSERT INTO {touched.name} VALUES (?, ?, ?)", again)
        changed[facts] = bool(again)
    return changed


def _parents(connection: Connection, facts: Table, arrived: merge.Arrived) -> set[tuple[str, str]]:
    """The keys (source, key) of the stored parents that the rows of one record class change."""
    table, staged = table_of(arrived.record), merge.stage_of(arrived.record)
    if table is facts:
        return {(source, key) for source, key in connection.execute(select(staged.c.source, staged.c.key))}
    if arrived.record is Procedure:
        # A catalogue may speak for another source's dossiers too.
        at = table.c.keys().index("code")
        codes = set(arrived.new.columns[at]) | set(connection.scalars(select(staged.c.code)))
        asked = func.json_each(json.dumps(sorted(codes))).table_valued("value")
        named = facts.c.procedure.in_(select(asked.c.value))
        return {(source, key) for source, key in connection.execute(select(facts.c.source, facts.c.key).where(named))}
    at = table.c.keys().index(facts.name)
    stored = connection.execute(select(staged.c.source, staged.c[facts.name]).distinct())
    own = set(zip(arrived.new.columns[0], arrived.new.columns[at], strict=True))
    return own | {(source, key) for source, key in stored}


def _deliveries_of(connection: Connection, source: str, arrived: merge.Arrived) -> set[tuple[str, str]]:
    """The keys of the stored deliveries of the documents that arrived: they follow what becomes of these."""
    documents = [*arrived.new.columns[1], *(key for _, key in _parents(connection, document, arrived))]
    of = func.json_each(json.dumps(documents)).table_valued("value")
    question = select(delivery.c.key).where(delivery.c.source == source, delivery.c.document.in_(select(of.c.value)))
    return {(source, key) for key in connection.scalars(question)}


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


def _forget_ranges(connection: Connection, source: str, replaced: Sequence[Replaced]) -> None:
    """Empty the quarantine of lines (`<file>:<offset>`) in ranges (`<file>:<from>-<to>`) that were read again."""
    within: dict[str, list[tuple[int, int]]] = {}
    for one in replaced:
        file, _, bounds = one.span.rpartition(":")
        start, _, end = bounds.partition("-")
        within.setdefault(file, []).append((int(start), int(end)))
    own = (quarantine.c.source == source, quarantine.c.record == MailboxDay.NAME)
    for key in connection.scalars(select(quarantine.c.key).where(*own).distinct()).all() if within else ():
        file, _, offset = key.rpartition(":")
        if any(start <= int(offset) < end for start, end in within.get(file, ())):
            connection.execute(delete(quarantine).where(*own, quarantine.c.key == key))


def _quarantine(connection: Connection, source: str, bad: Sequence[BadRow]) -> None:
    """Keep what could not be used, by name."""
    for one in bad:
        statement = sqlite.insert(quarantine).values(
            source=source, record=one.record.NAME, key=one.key, field=one.field, reason=one.reason
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["source", "record", "key", "field"], set_={"reason": one.reason}
            )
        )


def _came_again(connection: Connection, source: str, rows: Mapping[type[Record], Sequence[Row]], of: Table) -> None:
    """Forget that records were in quarantine, or had vanished, now that the source has given them in good shape."""
    told = set(connection.execute(select(of.c.record, of.c.key).where(of.c.source == source)))
    for record, some in rows.items() if told else ():
        for key in {row[0] for row in some if (record.NAME, row[0]) in told}:
            connection.execute(delete(of).where(of.c.source == source, of.c.record == record.NAME, of.c.key == key))


def _cover(connection: Connection, source: str, batches: Sequence[Batch]) -> None:
    ranges = {(one.record.NAME, one.first_day, one.last_day) for batch in batches for one in batch.covers}
    for record, first, last in sorted(ranges):
        of_range = (coverage.c.source == source, coverage.c.record == record, coverage.c.day.between(first, last))
        stored = connection.scalar(select(func.count()).select_from(coverage).where(*of_range)) or 0
        # A source that is read by change covers all its days each time.
        if first <= last and stored <= (as_date(last) - as_date(first)).days:
            connection.exec_driver_sql(
                f"INSERT INTO {coverage.name} (source, record, day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(source, record, day) for day in days(first, last)],
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
