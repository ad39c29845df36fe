"""A dossier as the store has it, and as it was when a source made its report."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from collector.contract.connector import Days
from collector.contract.period import local_day
from collector.contract.records import Dossier
from collector.contract.tables import dossier, dossier_event
from collector.store.schema import vanished

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A dossier as the store has it, or as it was when the source counted. Days local, instants as stored."""

    key: str
    agency: str | None
    changed: int
    removed: int
    noticed: int | None  # when it was noticed to have vanished
    channel: str | None
    received_day: int | None
    completed_day: int | None
    returned_day: int | None
    outcome: str | None
    ended_day: int | None
    status: str | None
    completed: int | None
    due: int | None
    due_day: int | None
    effective_due_day: int | None
    due_basis: str | None
    promises: tuple[tuple[int, int], ...]  # (at, day), in order
    pauses: tuple[tuple[int, int | None], ...]  # (begun, ended), in order


def as_of(one: Seen, moment: int) -> Seen | None:
    """A dossier as it was at a moment (epoch seconds), as far as the store can tell; None: it was not there.

    What is dated after the moment was not there yet. If the dossier was changed after it although nothing of it is
    dated so, then its deletion, else its end, else the dossier itself was entered later than it is dated.
    """
    today = local_day(moment)
    changed = one.changed if one.noticed is None else one.noticed * _MILLION
    if changed <= moment * _MILLION:
        return one
    if one.removed:
        return replace(one, removed=0)
    ends = (one.completed_day, one.returned_day, one.ended_day)
    asked = tuple(day for pause in one.pauses for day in pause)
    # The first promise was made at receipt, whenever it was first seen.
    known = [told for told in one.promises if told[0] <= moment * _MILLION] or one.promises[:1]
    later = [day for day in (one.received_day, *ends, *asked) if day is not None and day >= today]
    if not later and len(known) == len(one.promises):
        if all(day is None for day in ends):
            return None
        return _reopened(one)
    if one.received_day is not None and one.received_day >= today:
        return None
    if len(known) < len(one.promises):
        # `due` tells an hour, which is not known of the day before.
        one = replace(one, due_day=known[-1][1] if known else None, due=None)
    if one.returned_day is not None and one.returned_day >= today:
        one = replace(one, returned_day=None)
    if any(day is not None and day >= today for day in (one.completed_day, one.ended_day)):
        one = _reopened(one)
    pauses = tuple(
        (begun, ended if ended is None or ended < today else None) for begun, ended in one.pauses if begun < today
    )
    return one if pauses == one.pauses else replace(one, pauses=pauses, status=None)


def _reopened(one: Seen) -> Seen:
    return replace(
        one, completed_day=None, returned_day=None, ended_day=None, completed=None, outcome="open", status=None
    )


def load(connection: Connection, source: str, days: Days) -> Iterator[Seen]:
    """Yield the dossiers of a source that may be counted in a span of days, deleted ones too, by their keys."""
    c, e, first, last = dossier.c, dossier_event.c, days.first, days.last
    over = func.coalesce(c.completed_day, c.ended_day)
    was_there = and_(
        c.source == source,
        or_(
            *(day.between(first, last) for day in (c.received_day, c.completed_day, c.ended_day, c.returned_day)),
            and_(c.received_day <= last, or_(over.is_(None), over > last)),
        ),
    )
    events = groupby(
        connection.execute(
            select(e.dossier, e.kind, e.ref, e.at, e.day)
            .join_from(dossier, dossier_event, and_(e.source == c.source, e.dossier == c.key))
            .where(was_there, e.removed == 0)
            .order_by(e.dossier, e.at)
        ),
        key=itemgetter(0),
    )
    gone = and_(vanished.c.source == c.source, vanished.c.record == Dossier.NAME, vanished.c.key == c.key)
    statement = (
        select(
            c.key,
            c.agency,
            c.changed,
            c.removed,
            vanished.c.noticed,
            c.channel,
            c.received_day,
            c.completed_day,
            c.returned_day,
            c.outcome,
            c.ended_day,
            c.source_status.label("status"),
            c.completed,
            c.due,
            c.due_day,
            c.effective_due_day,
            c.due_basis,
        )
        .join_from(dossier, vanished, gone, isouter=True)
        .where(was_there)
        .order_by(c.key)
    )
    # Both in the order of the key: side by side, so that a year of dossiers need not be held at once.
    whose, group = next(events, ("", iter(())))
    for row in connection.execute(statement):
        while whose and whose < row.key:
            whose, group = next(events, ("", iter(())))
        own = list(group) if whose == row.key else []
        ended = {one.ref: one.day for one in own if one.kind == "pause_ended"}
        promises = tuple((one.at, one.day) for one in own if one.kind == "due_promised")
        pauses = tuple((one.day, ended.get(one.ref)) for one in own if one.kind == "pause_begun")
        told: dict[str, Any] = dict(row._mapping)
        yield Seen(**told, promises=promises, pauses=pauses)
