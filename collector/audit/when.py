"""Years and periods as reports write them: `2017`, `quý III/2018`, `tháng 5/2019`, `2011-2015`, `đến 17/5/2019`."""

import re
from dataclasses import dataclass

from collector.audit.cell import Cell, clean, folded
from collector.contract.period import Period, day_start, parse_period

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_YEAR = r"(?P<year>[12][0-9]{3})"
_NAM = r"(?: nam|/| /| -|-)? ?"
_QUARTER = re.compile(rf"^(?:quy|q|quarter) ?(?P<quarter>iv|i{{1,3}}|[1-4]){_NAM}{_YEAR}$")
_MONTH = re.compile(rf"^(?:thang ?)?(?P<month>0?[1-9]|1[0-2]){_NAM}{_YEAR}$")
_RANGE = re.compile(rf"^{_YEAR} ?(?:-|den|to) ?(?P<last>[12][0-9]{{3}})$")
_MONTHS = re.compile(rf"^(?P<count>[1-9]|1[0-2]) thang(?: dau)?{_NAM}{_YEAR}$")
_SECOND_HALF = re.compile(rf"^6 thang cuoi{_NAM}{_YEAR}$")
_DAY = re.compile(rf"^(?P<day>[0-3]?[0-9])[/.-](?P<month>[01]?[0-9])[/.-]{_YEAR}$")
_ISO = re.compile(r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$")
_BEFORE = re.compile(r"^(?:tinh )?(?:den|toi|as of|until) (?:het )?(?:ngay )?")
_WORDS = re.compile(r"^(?:ky|nam|giai doan|ngay|year) ")


@dataclass(frozen=True, slots=True)
class When:
    """The local days (yyyymmdd) that a figure is said to be about, both included, and as it was written.

    `period` is set where it is a month, quarter or year, which our own figures have too.
    """

    first: int
    last: int
    written: str
    period: Period | None = None

    def meets(self, other: "When") -> bool:
        """Tell whether the two have a day in common."""
        return self.first <= other.last and other.first <= self.last


def parse(cell: Cell) -> When:
    """Return the period of a cell; ValueError, in Vietnamese and English, if it is none."""
    written = clean(cell.text)
    if cell.day is not None:
        return When(cell.day, cell.day, written)
    plain = folded(written)
    if as_of := _BEFORE.match(plain):
        plain = plain[as_of.end() :]
    plain = _WORDS.sub("", plain)
    try:
        if _ISO.match(plain) or _DAY.match(plain):
            day = parse_day(Cell(plain))
            return When(day, day, written)
        if found := _RANGE.match(plain):
            first, last = parse_period(found["year"]), parse_period(found["last"])
            if last.first < first.first:
                raise _unreadable(cell)
            return When(first.first, last.last, written)
        if found := _SECOND_HALF.match(plain):
            return When(int(found["year"]) * 10_000 + 701, int(found["year"]) * 10_000 + 1231, written)
        if found := _MONTHS.match(plain):
            last = parse_period(f"{found['year']}-{int(found['count']):02d}")
            return When(parse_period(found["year"]).first, last.last, written)
        if found := _QUARTER.match(plain):
            quarter = _ROMAN.get(found["quarter"]) or int(found["quarter"])
            plain = f"{found['year']}-Q{quarter}"
        elif found := _MONTH.match(plain):
            plain = f"{found['year']}-{int(found['month']):02d}"
        period = parse_period(plain.replace("-q", "-Q"))
    except ValueError:
        raise _unreadable(cell) from None
    # "until May 2019" counts from a day that it does not tell
    return When(period.first, period.last, written, None if as_of else period)


def parse_day(cell: Cell) -> int:
    """Return the day (yyyymmdd) of `17/5/2019` or `2019-05-17`; ValueError if a cell is none."""
    if cell.day is not None:
        return cell.day
    plain = _WORDS.sub("", folded(cell.text))
    if _ISO.match(plain):
        day = int(plain.replace("-", ""))
    elif found := _DAY.match(plain):
        day = int(found["year"]) * 10_000 + int(found["month"]) * 100 + int(found["day"])
    else:
        raise _unreadable(cell)
    try:
        day_start(day)
    except ValueError:
        raise _unreadable(cell) from None
    return day


def _unreadable(cell: Cell) -> ValueError:
    return ValueError(f"{cell.text!r} không phải năm, kỳ hoặc ngày / is no year, period or day")
