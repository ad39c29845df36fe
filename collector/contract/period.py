"""Days and periods on the local clock of Vietnam, half-open.

An instant is an integer, epoch seconds UTC. A local day is an integer `yyyymmdd` in Asia/Ho_Chi_Minh.
Vietnam has kept +07:00 without daylight saving since 1975-06-13 (tz database), so a day is cut by arithmetic;
a test compares this with the tz database.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

OFFSET = 7 * 3600
"""Seconds that the local clock is ahead of UTC."""

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=65_536)
def _day_of_number(number: int) -> int:
    day = date.fromordinal(_EPOCH_ORDINAL + number)
    return day.year * 10_000 + day.month * 100 + day.day


def local_day(instant: int) -> int:
    """Return the local day (`yyyymmdd`) of an instant (epoch seconds UTC)."""
    return _day_of_number((instant + OFFSET) // 86_400)


def day_start(day: int) -> int:
    """Return the instant (epoch seconds UTC) at which a local day begins."""
    return (as_date(day).toordinal() - _EPOCH_ORDINAL) * 86_400 - OFFSET


def as_date(day: int) -> date:
    """Return `yyyymmdd` as a date; ValueError if there is no such day."""
    return date(day // 10_000, day // 100 % 100, day % 100)


def as_day(when: date) -> int:
    """Return a date as `yyyymmdd`."""
    return when.year * 10_000 + when.month * 100 + when.day


def plus_days(day: int, count: int) -> int:
    """Return the local day `count` calendar days later (earlier if negative)."""
    return as_day(as_date(day) + timedelta(days=count))


def days(first: int, last: int) -> Iterator[int]:
    """Yield each local day from `first` to `last`, both included; none if `last` is before `first`."""
    for number in range(as_date(first).toordinal(), as_date(last).toordinal() + 1):
        yield _day_of_number(number - _EPOCH_ORDINAL)


def iso(day: int) -> str:
    """Return a local day as people write it at the edges: `2026-02-28`."""
    return as_date(day).isoformat()


def rfc3339(instant: int) -> str:
    """Return an instant as people read it at the edges: `2026-03-01T08:00:00+07:00`."""
    return datetime.fromtimestamp(instant, timezone(timedelta(seconds=OFFSET))).isoformat()


def parse_day(text: str) -> int:
    """Return `2026-02-28` as `20260228`; ValueError, in words, if it is no day."""
    try:
        return as_day(date.fromisoformat(text))
    except ValueError:
        raise ValueError(f"{text!r} is no day; write it like 2026-02-28") from None


Kind = Literal["day", "month", "quarter", "year"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A day, month, quarter or year: the local days `first <= d < end`."""

    first: int
    end: int
    kind: Kind

    @property
    def last(self) -> int:
        """The last local day of the period."""
        return plus_days(self.end, -1)

    @property
    def name(self) -> str:
        """`2026-02-28`, `2026-02`, `2026-Q1` or `2026`."""
        year, month = divmod(self.first // 100, 100)
        match self.kind:
            case "day":
                return iso(self.first)
            case "month":
                return f"{year}-{month:02d}"
            case "quarter":
                return f"{year}-Q{(month + 2) // 3}"
            case "year":
                return str(year)

    def __str__(self) -> str:
        return self.name


def month_of(day: int) -> Period:
    """Return the calendar month that holds a local day."""
    first = day // 100 * 100 + 1
    return Period(first, _months_on(first, 1), "month")


def month_ends(first: int, last: int) -> list[int]:
    """Return the last day of each calendar month of the days `first..last`: of the last month, `last` itself."""
    ends = []
    while first <= last:
        month = month_of(first)
        ends.append(min(month.last, last))
        first = month.end
    return ends


def period_before(period: Period) -> Period:
    """Return the period of the same kind that ends where this one begins."""
    last = plus_days(period.first, -1)
    months = {"day": 0, "month": 1, "quarter": 3, "year": 12}[period.kind]
    first = _months_on(period.first, -months) if months else last
    return Period(first, period.first, period.kind)


def _months_on(first: int, count: int) -> int:
    months = first // 10_000 * 12 + first // 100 % 100 - 1 + count
    return months // 12 * 10_000 + (months % 12 + 1) * 100 + 1


def parse_period(text: str) -> Period:
    """Return `2026-10`, `2026-Q3`, `2026` or `2026-10-05` as a period; ValueError, in words, otherwise."""
    if found := re.fullmatch(r"([12]\d{3})-Q([1-4])", text):
        first = int(found[1]) * 10_000 + (int(found[2]) * 3 - 2) * 100 + 1
        return Period(first, _months_on(first, 3), "quarter")
    if found := re.fullmatch(r"([12]\d{3})-(0[1-9]|1[0-2])", text):
        return month_of(int(found[1]) * 10_000 + int(found[2]) * 100 + 1)
    if found := re.fullmatch(r"([12]\d{3})", text):
        first = int(found[1]) * 10_000 + 101
        return Period(first, _months_on(first, 12), "year")
    if re.fullmatch(r"[12]\d{3}-\d{2}-\d{2}", text):
        day = parse_day(text)
        return Period(day, plus_days(day, 1), "day")
    raise ValueError(f"{text!r} is no period; write 2026-10, 2026-Q3, 2026 or 2026-10-05")
