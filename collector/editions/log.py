"""What was shown: the open readings of every night, and the editions.

The daemon notes each night which open readings changed since the last note (the same note twice is one). A reading as
of an instant is the edition's if one was sealed by then, else the last one noted by then.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select

from collector import readings as figures
from collector.contract.period import Period, day_start, local_day, month_of, parse_period, plus_days
from collector.contract.reading import Reading, Scope
from collector.editions.body import canonical
from collector.editions.freeze import SCOPES, Counting
from collector.editions.read import edition_of, edition_readings, sealed_periods
from collector.store.engine import reading, writing
from collector.store.outbox import Message, enqueue
from collector.store.schema import reading_log

_READINGS = TypeAdapter(list[Reading])

_NEVER = 2**62
"""An instant after all others."""

Place = tuple[str, str, str]
"""Indicator, scope and code: whose figure it is."""


Tell = Callable[[Sequence[Reading], Period, int], Message]
"""Makes what the services that score are told of open readings."""


def note(counting: Counting, first_day: int, tell: Tell | None = None) -> int:
    """Note what changed of all open readings since the last note, of periods from `first_day` on.

    Returns how many readings were noted. What differs in words alone, or in how far it reaches, is no change. With
    `tell` a current or last month that changed is told to the services that score, in the same transaction, with all
    its readings and the instant of the note.
    """
    now = counting.clock()
    return sum(_note(counting, period, now, tell) for period in open_periods(counting, first_day, now))


def open_periods(counting: Counting, first_day: int, now: int) -> list[Period]:
    """The months, quarters and years since some day that have begun and are not sealed."""
    with reading(counting.engine) as connection:
        closed = {name for name, _ in sealed_periods(connection)}
    today = local_day(now)
    names: dict[str, None] = {}
    month = month_of(first_day)
    while month.first <= today:
        year, number = month.name.split("-")
        names |= dict.fromkeys((month.name, f"{year}-Q{(int(number) + 2) // 3}", year))
        month = month_of(month.end)
    return [parse_period(name) for name in names if name not in closed]


def _note(counting: Counting, period: Period, now: int, tell: Tell | None) -> int:
    with reading(counting.engine) as connection:
        last = last_noted(connection, period, _NEVER)
        before = _as_noted(connection, period, _NEVER)
        world = counting.world(period)
        taken = figures.take(connection, counting.indicators, counting.tallies, world, period, SCOPES)
    current = {_place(one): one for one in taken}
    changed = [one for place, one in current.items() if place not in before or _said(before[place]) != _said(one)]
    gone = sorted(before.keys() - current.keys())
    if not changed and not gone:
        return 0
    content = canonical({"readings": _READINGS.dump_python(changed, mode="json"), "gone": gone})
    at = now if last is None else max(now, last + 1)  # a clock that was set back hides nothing
    with writing(counting.engine) as connection:
        if last_noted(connection, period, _NEVER) != last:
            return 0  # another program noted it meanwhile
        connection.execute(insert(reading_log).values(period=period.name, at=at, changed=zlib.compress(content, 9)))
        if tell is not None and period in _recent(now):
            enqueue(connection, tell(taken, period, at), now)
    return len(changed) + len(gone)


def _recent(now: int) -> tuple[Period, Period]:
    current = month_of(local_day(now))
    return month_of(plus_days(current.first, -1)), current


def _place(one: Reading) -> Place:
    return one.indicator, one.scope, one.agency


def _said(one: Reading) -> tuple[object, ...]:
    return one.version, one.state, one.hits, one.judged, one.unknown, one.suppressed, one.merged


def _as_noted(connection: Connection, period: Period, until: int) -> dict[Place, Reading]:
    found: dict[Place, Reading] = {}
    for content in connection.scalars(
        select(reading_log.c.changed)
        .where(reading_log.c.period == period.name, reading_log.c.at <= until)
        .order_by(reading_log.c.at)
    ):
        told: Mapping[str, list[list[str]]] = json.loads(zlib.decompress(content))
        for indicator, scope, code in told["gone"]:
            found.pop((indicator, scope, code), None)
        found |= {_place(one): one for one in _READINGS.validate_python(told["readings"])}
    return found


def as_of(
    connection: Connection, period: Period, until: int, scopes: Sequence[Scope], indicators: Sequence[str]
) -> list[Reading]:
    """Return the readings of a period as they were shown at an instant (epoch seconds): by indicator, scope and code.

    None at all before the first note of the period.
    """
    sealed = edition_of(connection, period, until=until)
    if sealed is not None:
        wanted = set(indicators)
        return [one for one in edition_readings(sealed, scopes) if one.indicator in wanted]
    noted = _as_noted(connection, period, until)
    by_place: dict[tuple[str, str], list[Reading]] = {}
    for place in sorted(noted):
        by_place.setdefault(place[:2], []).append(noted[place])
    return [one for id_ in indicators for scope in scopes for one in by_place.get((id_, scope), ())]


def last_noted(connection: Connection, period: Period, until: int) -> int | None:
    """When the open readings of a period were last noted by an instant; None if never."""
    found: int | None = connection.scalar(
        select(reading_log.c.at)
        .where(reading_log.c.period == period.name, reading_log.c.at <= until)
        .order_by(reading_log.c.at.desc())
        .limit(1)
    )
    return found


def end_of(day: int) -> int:
    """The last second of a local day: what is asked as of a day is asked as of its end."""
    return day_start(plus_days(day, 1)) - 1
