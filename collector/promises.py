"""Promised due dates beside the time that was allowed for them: a check, never a due date of our own.

Civil Code 91/2015/QH13: the day of the event is not counted (article 147, clauses 2 and 3); a time that ends on a day
off ends with the next working day (article 148, clause 5). Times of procedures are working days (NĐ 61/2018/NĐ-CP) or
plain days; a few are hours. A day is worked for eight hours, so a time in hours ends at the latest when as many whole
working days have passed after the day of receipt as hold those hours: the hour of the day needs not be known.

What was promised later than that was promised later than allowed; what was promised earlier may well be kinder, or was
worked out by a calendar without the year's exchanged days. Which of them only the agency knows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import groupby
from operator import itemgetter
from typing import Literal, get_args

from sqlalchemy import Connection, and_, select

from collector.contract.period import Period, iso, plus_days
from collector.contract.tables import dossier, dossier_event, workday
from collector.store.derive import Ordinals

Unit = Literal["working_days", "days", "working_hours"]

HOURS_OF_A_DAY = 8
"""Working hours of a working day."""

_WRITTEN = re.compile(rf"([0-9]{{1,5}}(?:\.[0-9]{{1,3}})?) ({'|'.join(get_args(Unit))})")


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The time that a procedure is allowed: ngày làm việc, ngày, or giờ làm việc."""

    count: Decimal
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count.normalize():f} {self.unit.replace('_', ' ')}"


def time_limit(text: str) -> TimeLimit | None:
    """Read `5 working_days`, `30 days` or `16 working_hours`; None if it is written in another way, or is nothing."""
    found = _WRITTEN.fullmatch(text)
    if found is None or not Decimal(found[1]):
        return None
    unit: Unit = next(one for one in get_args(Unit) if one == found[2])
    return TimeLimit(Decimal(found[1]), unit)


def due_by(received_day: int, limit: TimeLimit, calendar: Ordinals) -> int | None:
    """Return the last local day of a time limit; None outside the calendar, and for more days than it has."""
    if limit.unit == "days":
        return _open(plus_days(received_day, _whole(limit.count)), calendar)
    days = limit.count / HOURS_OF_A_DAY if limit.unit == "working_hours" else limit.count
    return _after(received_day, _whole(days), calendar)


def _whole(count: Decimal) -> int:
    return int(count.to_integral_value(ROUND_CEILING))


def _open(day: int, calendar: Ordinals) -> int | None:
    """The day itself if it is worked, else the next that is: what ends on a day off ends then."""
    ordinal = calendar.of_day.get(day)
    if ordinal is None:
        return None
    return day if calendar.day_of.get(ordinal) == day else calendar.day_of.get(ordinal + 1)


def _after(day: int, working_days: int, calendar: Ordinals) -> int | None:
    """The day on which so many working days have passed since the end of a day."""
    ordinal = calendar.of_day.get(day)
    return None if ordinal is None else calendar.day_of.get(ordinal + working_days)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A first promise that is not the last day of the time allowed. `working_days` later; earlier if negative."""

    agency: str
    source: str
    dossier: str
    received_day: int
    promised_day: int
    last_day: int
    limit: TimeLimit
    working_days: int

    @property
    def says(self) -> str:
        """What is odd, in words."""
        many = abs(self.working_days)
        apart = f"{many} working day{'' if many == 1 else 's'} {'before' if self.working_days < 0 else 'after'}"
        return (
            f"received on {iso(self.received_day)} and promised for {iso(self.promised_day)}: {apart} "
            f"{iso(self.last_day)}, the last of the {self.limit} that are allowed"
        )


def disagreements(connection: Connection, period: Period, calendar: Ordinals) -> Iterator[Disagreement]:
    """Yield the dossiers received in a period whose first promise is not what the time allowed then gives.

    Where a source tells no time allowed (`ref` of its promises), or not all days up to then are decided, there is
    nothing to compare with. Neither is there where only the current due date is known, as it may have been moved.
    """
    c, e = dossier.c, dossier_event.c
    undecided = connection.scalars(
        select(workday.c.day).where(workday.c.provisional == 1).order_by(workday.c.day)
    ).all()
    rows = connection.execute(
        select(c.agency, c.source, c.key, c.received_day, e.day, e.ref)
        .join_from(dossier, dossier_event, and_(e.source == c.source, e.dossier == c.key))
        .where(
            # Their keys begin with the dossier's. Without this SQLite goes through all events of the source for each.
            e.key > c.key + "|",
            e.key < c.key + "}",
            c.removed == 0,
            c.agency.is_not(None),
            c.received_day.between(period.first, period.last),
            e.removed == 0,
            e.kind == "due_promised",
            e.basis != "current",
        )
        .order_by(c.source, c.key, e.at)
    )
    for _, events in groupby(rows, key=itemgetter(1, 2)):
        agency, source, key, received, promised, ref = next(events)
        limit = time_limit(ref)
        if limit is None:
            continue
        last, meant = due_by(received, limit, calendar), _open(promised, calendar)
        if last is None or meant is None or any(received <= day <= max(last, meant) for day in undecided):
            continue
        apart = calendar.of_day[meant] - calendar.of_day[last]
        if apart:
            yield Disagreement(agency, source, key, received, promised, last, limit, apart)
