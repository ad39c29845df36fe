"""What a formula needs of related records, derived at save into the parent's columns: one function each.

The effective due date (DESIGN section 5): the first due date promised, moved by each pause that began on or before
the due date then in force and has ended, by the working days between its begin and its end. A pause that began
later cures nothing, nor does a date that was promised anew.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, Table, and_, case, func, null, or_, select, true

from collector.agencies import Register
from collector.contract.records import Document, Record
from collector.contract.tables import delivery, document, dossier, dossier_event, procedure, workday
from collector.store import offers

STATED: Mapping[type[Record], Mapping[str, str]] = {
    Document: {"scope": "scope_stated", "sent_electronically": "electronic_stated"}
}
"""The columns that derived ones are taken from as long as no related record says otherwise."""


@dataclass(frozen=True, slots=True)
class Ordinals:
    """The calendar in two dictionaries: day -> working ordinal, working ordinal -> that working day."""

    of_day: Mapping[int, int]
    day_of: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Due:
    """`day` None: not known. `basis` as in DossierEvent, None without any promise; `current`: `day` may have moved."""

    day: int | None
    basis: str | None
    paused: int | None


def ordinals(connection: Connection) -> Ordinals:
    """Read the calendar of working days."""
    of_day: dict[int, int] = {}
    day_of: dict[int, int] = {}
    for day, number, working in connection.execute(
        select(workday.c.day, workday.c.working_ordinal, workday.c.is_working)
    ):
        of_day[day] = number
        if working:
            day_of[number] = day
    return Ordinals(of_day, day_of)


def effective_due(
    promises: Iterable[tuple[int, int, str]], pauses: Iterable[tuple[int, int | None]], calendar: Ordinals
) -> Due:
    """Return the effective due day of one dossier.

    `promises` are (at, day, basis), in any order; `pauses` are (begun day, ended day or None), in any order. Days
    outside the calendar make the due day unknown: no working day is ever guessed.
    """
    first = min(promises, default=None)
    if first is None:
        return Due(None, None, None)
    _, due, basis = first
    if basis == "current":
        # On this day it can be counted, but not judged: what was promised first may have been another day.
        return Due(due, basis, None)
    for begun, ended in _merged(pauses):
        if begun > due:
            continue
        if ended is None:
            return Due(due, basis, 1)
        try:
            waited = calendar.of_day[ended] - calendar.of_day[begun]
            if waited > 0:
                due = calendar.day_of[calendar.of_day[due] + waited]
        except KeyError:
            return Due(None, basis, None)
    return Due(due, basis, 0)


def _merged(pauses: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Merge overlapping and touching pauses; an open one swallows every later one."""
    merged: list[tuple[int, int | None]] = []
    for begun, ended in sorted(pauses, key=lambda pause: (pause[0], pause[1] is None, pause[1] or 0)):
        if merged:
            last_begun, last_ended = merged[-1]
            if last_ended is None:
                break
            if begun <= last_ended:
                merged[-1] = (last_begun, None if ended is None else max(ended, last_ended))
                continue
        merged.append((begun, ended))
    return merged


def dossiers(connection: Connection, touched: Table, calendar: Ordinals, register: Register) -> None:
    """Derive effective_due_day, due_basis, paused_on_due, offered_level and left_day of the touched dossiers."""
    joined = and_(dossier.c.source == touched.c.source, dossier.c.key == touched.c.key)
    events: dict[tuple[str, str], Sequence[tuple[str, str, int, int, str]]] = {
        key: [row[2:] for row in rows]
        for key, rows in groupby(
            connection.execute(
                select(
                    dossier_event.c.source,
                    dossier_event.c.dossier,
                    dossier_event.c.kind,
                    dossier_event.c.ref,
                    dossier_event.c.at,
                    dossier_event.c.day,
                    dossier_event.c.basis,
                )
                .join_from(
                    touched,
                    dossier_event,
                    and_(dossier_event.c.source == touched.c.source, dossier_event.c.dossier == touched.c.key),
                )
                .where(dossier_event.c.removed == 0)
                .order_by(dossier_event.c.source, dossier_event.c.dossier)
            ),
            key=itemgetter(0, 1),
        )
    }
    catalogue = _catalogue(connection, register)
    changes = []
    for row in connection.execute(
        select(
            dossier.c.source,
            dossier.c.key,
            dossier.c.agency_code,
            dossier.c.procedure,
            dossier.c.received_day,
            dossier.c.effective_due_day,
            dossier.c.due_basis,
            dossier.c.paused_on_due,
            dossier.c.offered_level,
            dossier.c.left_day,
            dossier.c.completed_day,
            dossier.c.ended_day,
            dossier.c.agency,
        ).join_from(touched, dossier, joined)
    ):
        own = events.get((row.source, row.key), ())
        ended = {ref: day for kind, ref, _, day, _ in own if kind == "pause_ended"}
        due = effective_due(
            ((at, day, basis) for kind, _, at, day, basis in own if kind == "due_promised"),
            ((day, ended.get(ref)) for kind, ref, _, day, _ in own if kind == "pause_begun"),
            calendar,
        )
        level = None
        if row.procedure and row.received_day is not None:
            lines = catalogue.lines(row.procedure, row.agency_code, row.agency, row.received_day)
            level = _level(lines, row.source, row.received_day)
        left = row.ended_day if row.completed_day is None else row.completed_day
        derived = (due.day, due.basis, due.paused, level, left)
        if derived != tuple(row[5:10]):
            changes.append((*derived, row.source, row.key))
    if changes:
        connection.exec_driver_sql(
            f"UPDATE {dossier.name} SET effective_due_day = ?, due_basis = ?, paused_on_due = ?, offered_level = ?,"
            " left_day = ? WHERE source = ? AND key = ?",
            changes,
        )


_Line = tuple[str, str, str | None, int | None, int | None]
"""Source, agency code, level, first and last day."""


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """The lines by procedure: the common ones, and those of one agency, as they name it and as the register does."""

    common: Mapping[str, Sequence[_Line]]
    named: Mapping[tuple[str, str], Sequence[_Line]]
    meant: Mapping[tuple[str, str], Sequence[tuple[offers.Span, _Line]]]

    def lines(self, code: str, agency_code: str, agency: str | None, day: int) -> Iterator[_Line]:
        """The lines that speak for an agency on a day; those that name it by its very code may come twice."""
        yield from self.common.get(code, ())
        yield from self.named.get((code, agency_code), ())
        for (first, until), line in self.meant.get((code, agency or ""), ()):
            if first <= day < until:
                yield line


def _catalogue(connection: Connection, register: Register) -> _Catalogue:
    meanings = offers.Meanings(register)
    common: dict[str, list[_Line]] = {}
    named: dict[tuple[str, str], list[_Line]] = {}
    meant: dict[tuple[str, str], list[tuple[offers.Span, _Line]]] = {}
    for code, source, agency_code, *rest in connection.execute(
        select(
            procedure.c.code,
            procedure.c.source,
            procedure.c.agency_code,
            procedure.c.level,
            procedure.c.from_day,
            procedure.c.to_day,
        )
        .where(procedure.c.removed == 0)
        .order_by(procedure.c.source, procedure.c.key)
    ):
        line: _Line = (source, agency_code, rest[0], rest[1], rest[2])
        if agency_code == "":
            common.setdefault(code, []).append(line)
            continue
        named.setdefault((code, agency_code), []).append(line)
        for agency, span in meanings[source, agency_code]:
            meant.setdefault((code, agency), []).append((span, line))
    return _Catalogue(common, named, meant)


def _level(lines: Iterable[_Line], source: str, day: int) -> str | None:
    """The level at which a procedure is offered on a day; the agency's own line before the common one.

    A catalogue of the same source comes before another source's.
    """
    found = [line for line in lines if (line[3] is None or line[3] <= day) and (line[4] is None or day <= line[4])]
    return max(found, key=lambda line: (line[0] == source, line[1] != "", line[3] or 0))[2] if found else None


def documents(connection: Connection, touched: Table, *, fresh_too: bool) -> None:
    """Derive scope and sent_electronically of the touched documents from their deliveries, else as stated.

    Fresh ones are as stated already: they need it only where there are deliveries.
    """
    d = delivery.c
    judged = (
        select(
            d.source,
            d.document,
            func.max(d.outside).label("outside"),
            func.count().filter(d.outside.is_(None)).label("outside_unknown"),
            func.min(d.electronic).label("electronic"),
            func.count().filter(d.electronic.is_(None)).label("electronic_unknown"),
        )
        .join_from(touched, delivery, and_(d.source == touched.c.source, d.document == touched.c.key))
        .where(d.removed == 0)
        .group_by(d.source, d.document)
        .subquery()
    )
    nobody = judged.c.document.is_(None)
    scope = case(
        (nobody, document.c.scope_stated),
        (judged.c.outside == 1, "external"),
        (judged.c.outside_unknown > 0, null()),
        else_="internal",
    )
    sent = case(
        (nobody, document.c.electronic_stated),
        (judged.c.electronic == 0, 0),
        (judged.c.electronic_unknown > 0, null()),
        else_=1,
    )
    changes = connection.execute(
        select(scope, sent, document.c.source, document.c.key)
        .join_from(touched, document, and_(document.c.source == touched.c.source, document.c.key == touched.c.key))
        .outerjoin(judged, and_(judged.c.source == document.c.source, judged.c.document == document.c.key))
        .where(
            or_(scope.is_distinct_from(document.c.scope), sent.is_distinct_from(document.c.sent_electronically)),
            true() if fresh_too else touched.c.fresh == 0,
        )
    ).all()
    if changes:
        connection.exec_driver_sql(
            f"UPDATE {document.name} SET scope = ?, sent_electronically = ? WHERE source = ? AND key = ?",
            [tuple(change) for change in changes],
        )


def deliveries(connection: Connection, touched: Table, calendar: Ordinals) -> None:
    """Derive answer_day and document_recalled of the touched deliveries.

    A delivery is to be answered by the end of the next working day after its sending; None outside the calendar. A
    document that was deleted takes its deliveries along, as one that was recalled does.
    """
    d = delivery.c
    rows = connection.execute(
        select(d.source, d.key, d.sent_day, d.answer_day, d.document_recalled, document.c.recalled, document.c.removed)
        .join_from(touched, delivery, and_(d.source == touched.c.source, d.key == touched.c.key))
        .outerjoin(document, and_(document.c.source == d.source, document.c.key == d.document))
    )
    changes = []
    for source, key, sent, old_answer, old_recalled, recalled, removed in rows:
        ordinal = calendar.of_day.get(sent)
        answer = None if ordinal is None else calendar.day_of.get(ordinal + 1)
        gone = 1 if removed == 1 else recalled
        if (answer, gone) != (old_answer, old_recalled):
            changes.append((answer, gone, source, key))
    if changes:
        connection.exec_driver_sql(
            f"UPDATE {delivery.name} SET answer_day = ?, document_recalled = ? WHERE source = ? AND key = ?", changes
        )
