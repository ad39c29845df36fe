"""Working days of Vietnam's public bodies, a year a file.

Saturdays and Sundays are off (Decision 188/1999/QĐ-TTg); public holidays and the days exchanged with a Saturday or
Sunday are decided for each year (Labour Code 45/2019/QH14, article 112; the Prime Minister's yearly approval). The
decision is kept in `config/workdays/YEAR.yaml`: where that file exists it alone counts. A year without one is
drafted by the `holidays` library, which knows the days exchanged only of years that were decided before it was
released (and not all of those), and is marked provisional.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from collector import yaml_file
from collector.contract.errors import WrongUse
from collector.contract.period import as_date, as_day, days, iso
from collector.yaml_file import Faults, Section, section


@dataclass(frozen=True, slots=True)
class Workday:
    """A local day (yyyymmdd) of the calendar.

    `ordinal` counts calendar days from 0 at the table's first day. `working_ordinal` counts working days, the day
    itself included; a day off has that of the last working day before it (0 if there is none in the table).
    `provisional`: whether the day is off was not decided, or not yet told to this program.
    """

    day: int
    ordinal: int
    is_working: bool
    working_ordinal: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Year:
    """What differs from Monday to Friday in one year. `off` and `worked` tell each day's name.

    `provisional`: the whole year is a draft; `unsure`: these days alone are.
    """

    year: int
    source: str
    provisional: bool
    off: Mapping[int, str]
    worked: Mapping[int, str] = field(default_factory=dict)
    unsure: frozenset[int] = frozenset()


def calendar(folder: Path, first_year: int, last_year: int) -> list[Workday]:
    """Return every day from 1 January of `first_year` to 31 December of `last_year`, in order.

    Reads `folder/YEAR.yaml` where it exists, drafts the year otherwise. Raises WrongUse, naming file, line, key and
    the mend, if a file is wrong.
    """
    table: list[Workday] = []
    working = 0
    for year in range(first_year, last_year + 1):
        known = of_year(folder, year)
        for day in days(year * 10_000 + 101, year * 10_000 + 1231):
            weekend = as_date(day).weekday() >= 5
            is_working = day in known.worked if weekend else day not in known.off
            working += is_working
            unsure = known.provisional or day in known.unsure
            table.append(Workday(day, len(table), is_working, working, unsure))
    return table


def draft(year: int) -> Year:
    """Return a year as the `holidays` library expects it, provisional."""
    import holidays  # here: most years have their file, and it is slow to load

    expected = holidays.country_holidays("VN", years=year, language="vi")
    off = {as_day(when): name for when, name in sorted(expected.items()) if when.weekday() < 5}
    worked = {as_day(when): "Làm bù" for when in sorted(expected.weekend_workdays) if when.year == year}
    return Year(year, f"drafted by holidays {version('holidays')}", True, off, worked)


def of_year(folder: Path, year: int) -> Year:
    """Return a year as its file tells it, else as it is drafted. Raises WrongUse if the file is wrong."""
    path = folder / f"{year}.yaml"
    return read_year(path, year) if path.exists() else draft(year)


def written(one: Year) -> str:
    """Return a draft as the text of its file, for a person to correct after the year's decision."""

    def listed(days_: Mapping[int, str]) -> str:
        return "".join(
            f"  - {{day: {iso(day)}, name: {json.dumps(days_[day], ensure_ascii=False)}}}\n" for day in days_
        )

    return f"""\
# Days of {one.year} on which public bodies of Vietnam differ from Monday to Friday.
# Where this file exists it alone counts; nothing is added from anywhere else.
year: {one.year}

# Figures that need working days are partial while this is true. Once the year's decision is out, correct the days
# below, write its number under `source`, and delete this line.
provisional: true

# The decisions that the list rests on, with number and date.
source: >-
  {one.source}

# Weekdays that are off. Saturdays and Sundays are off anyway and are not listed.
days_off:
{listed(one.off)}
# Saturdays or Sundays that are worked (làm bù), and the day off that each was exchanged for, like
#   - {{day: 2026-01-10, name: Làm bù, instead_of: 2026-01-02}}
working_days:{"" if one.worked else " []"}
{listed(one.worked)}"""


def write_draft(folder: Path, year: int) -> Path:
    """Write a year's draft into its file. WrongUse if there is one already: a decision is never overwritten."""
    path = folder / f"{year}.yaml"
    text = written(draft(year))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        mend = "Edit it; or move it away if it is to be drafted anew"
        raise WrongUse(f"{path} is there already", field="--draft", mend=mend) from None
    except OSError as error:
        mend = "Make the folder, or let this account write into it"
        raise WrongUse(f"{path} cannot be written ({error.strerror})", field="--draft", mend=mend) from error
    return path


def read_year(path: Path, year: int) -> Year:
    """Read one year's file. Raises WrongUse if it is wrong."""
    faults = Faults(path)
    top = Section(faults, "", yaml_file.read(path, faults)).only(
        "year", "source", "provisional", "days_off", "working_days"
    )
    if top.number("year", year) != year:
        top.fault("year", f"the file's name says {year}", f"Write `year: {year}`, or rename the file")
    provisional = top.flag("provisional")
    source = top.text("source", "the number and date of the decision", needed=not provisional)
    off, unsure_off = _days_off(top, year)
    worked, unsure_worked = _working_days(top, year, off)
    if not off:
        top.fault("days_off", "names no day", "List the weekdays that are off, or delete the file to use a draft")
    faults.finish()
    return Year(year, source or "", provisional, off, worked, unsure_off | unsure_worked)


def _days_off(top: Section, year: int) -> tuple[dict[int, str], frozenset[int]]:
    found: dict[int, str] = {}
    unsure: set[int] = set()
    for entry in _entries(top, "days_off"):
        entry.only("day", "name", "provisional")
        day = _listed_day(entry, year, found, unsure)
        if day and as_date(day).weekday() >= 5:
            wrong = f"{iso(day)} is a {as_date(day):%A}, off anyway"
            entry.fault("day", wrong, "List the weekday that is off in its place, or delete the line")
    return found, frozenset(unsure)


def _working_days(top: Section, year: int, off: Mapping[int, str]) -> tuple[dict[int, str], frozenset[int]]:
    found: dict[int, str] = {}
    unsure: set[int] = set()
    for entry in _entries(top, "working_days"):
        entry.only("day", "name", "instead_of", "provisional")
        day = _listed_day(entry, year, found, unsure)
        if day and as_date(day).weekday() < 5:
            wrong = f"{iso(day)} is a {as_date(day):%A}, a working day anyway"
            entry.fault("day", wrong, "List only Saturdays and Sundays that are worked")
        exchanged = entry.day("instead_of")
        if exchanged and exchanged // 10_000 == year and exchanged not in off:
            entry.fault("instead_of", f"{iso(exchanged)} is not among days_off", "Add it there, or correct the day")
    return found, frozenset(unsure)


def _entries(top: Section, name: str) -> list[Section]:
    read_ones = [section(node, key, top.faults) for key, node in top.many(name)]
    return [one for one in read_ones if one is not None]


def _listed_day(entry: Section, year: int, found: dict[int, str], unsure: set[int]) -> int | None:
    day = entry.day("day", needed=True)
    name = entry.text("name", "Tết Dương lịch", needed=True)
    provisional = entry.flag("provisional")
    if day is None:
        return None
    if day // 10_000 != year:
        entry.fault("day", f"{iso(day)} is not in {year}", f"Move it to {day // 10_000}.yaml")
        return None
    if day in found:
        entry.fault("day", f"{iso(day)} is listed twice", "Keep one of them")
    found[day] = name or ""
    if provisional:
        unsure.add(day)
    return day
