"""Promises held against the time allowed for them, and the arithmetic of working days against walks day by day."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from collector import workdays
from collector.contract.connector import Row
from collector.contract.period import as_date, as_day, days, parse_period
from collector.contract.records import Dossier, DossierEvent, Record
from collector.promises import Disagreement, TimeLimit, Unit, disagreements, due_by, time_limit
from collector.store.derive import Ordinals, ordinals
from collector.store.engine import reading, writing
from collector.store.reference import refresh
from tests.store.small import PLAN, put, row, store

CONFIG = Path(__file__).parent.parent / "config" / "workdays"


def calendar_of(table: list[workdays.Workday]) -> Ordinals:
    return Ordinals(
        {one.day: one.working_ordinal for one in table},
        {one.working_ordinal: one.day for one in table if one.is_working},
    )


DECIDED = calendar_of(workdays.calendar(CONFIG, 2024, 2026))
FIVE = TimeLimit(Decimal(5), "working_days")


# -- by hand -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "limit", "last"),
    [
        (20260105, "5 working_days", 20260110),  # Monday; Saturday 10 January is worked in exchange for 2 January
        (20260105, "6 working_days", 20260112),
        (20260110, "1 working_days", 20260112),
        (20251231, "1 working_days", 20260105),  # 1 to 4 January are off
        (20260213, "1 working_days", 20260223),  # Tết
        (20250425, "1 working_days", 20250426),  # a Friday before a worked Saturday
        (20250426, "3 working_days", 20250505),  # 28 and 29 April; then 30 April to 4 May are off
        (20260214, "2 working_days", 20260224),  # received on a day off: it begins with the next working day
        (20260105, "30 days", 20260204),
        (20260105, "5 days", 20260110),  # a Saturday that is worked
        (20260106, "5 days", 20260112),  # a Sunday: the next working day
        (20260209, "5 days", 20260223),  # ends within Tết
        (20260105, "8 working_hours", 20260106),
        (20260105, "4 working_hours", 20260106),
        (20260105, "12 working_hours", 20260107),
        (20260105, "0.5 working_days", 20260106),
        (20260105, "2.5 working_days", 20260108),
    ],
)
def test_the_last_day_of_a_time(received: int, limit: str, last: int) -> None:
    known = time_limit(limit)
    assert known is not None
    assert due_by(received, known, DECIDED) == last


NO_TIMES = ("", "20260112", "5", "5 weeks", "-1 days", "0 working_days", "5  days", "1234567 days")


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    assert time_limit(text) is None


def test_beyond_the_calendar_nothing_is_said() -> None:
    assert due_by(20261230, TimeLimit(Decimal(9), "working_days"), DECIDED) is None
    assert due_by(20261230, TimeLimit(Decimal(9), "days"), DECIDED) is None
    assert due_by(20231230, TimeLimit(Decimal(9), "working_days"), DECIDED) is None


# -- day by day --------------------------------------------------------------------------------------------------------

IN_2026 = st.dates(as_date(20260101), as_date(20261231))


@st.composite
def years(draw: st.DrawFn) -> workdays.Year:
    """A year with any days off and any working Saturdays and Sundays."""
    chosen = draw(st.sets(IN_2026, max_size=60))
    off = {as_day(one): "x" for one in chosen if one.weekday() < 5}
    worked = {as_day(one): "x" for one in chosen if one.weekday() >= 5}
    assume(off)
    return workdays.Year(2026, "made up", False, off, worked)


def is_worked(one: workdays.Year, day: int) -> bool:
    if as_date(day).weekday() >= 5:
        return day in one.worked
    return day not in one.off


def walk(one: workdays.Year, received: int, count: int, unit: Unit) -> int:
    """The last day, found by going from day to day with a count in the hand."""
    day = as_date(received)
    left = count
    while left:
        day += timedelta(days=1)
        left -= unit == "days" or is_worked(one, as_day(day))
    while not is_worked(one, as_day(day)) and (unit == "days" or count):
        day += timedelta(days=1)
    return as_day(day)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("years")


@given(years(), IN_2026, st.integers(1, 90), st.sampled_from(("working_days", "days")))
def test_a_sum_of_ordinals_is_a_walk_from_day_to_day(
    folder: Path, one: workdays.Year, received: Any, count: int, unit: Unit
) -> None:
    (folder / "2026.yaml").write_text(workdays.written(one).replace("provisional: true\n", ""), encoding="utf-8")
    table = workdays.calendar(folder, 2026, 2026)
    assert [day.is_working for day in table] == [is_worked(one, day) for day in days(20260101, 20261231)]
    counted = 0
    for day in table:
        counted += is_worked(one, day.day)
        assert day.working_ordinal == counted
    last = due_by(as_day(received), TimeLimit(Decimal(count), unit), calendar_of(table))
    if last is None:  # it lies in the next year
        year_end = [day for day in days(as_day(received), 20261231) if is_worked(one, day)]
        assert len([day for day in year_end if day > as_day(received)]) < count or unit == "days"
    else:
        assert last == walk(one, as_day(received), count, unit)


# -- of what is stored ------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., list[Disagreement]]:
    """Stores dossiers beside the decided working days, and tells what disagrees in a period."""
    engine, known = store(tmp_path)
    with writing(engine) as connection:
        refresh(connection, known, workdays.calendar(CONFIG, 2025, 2027), PLAN)

    def found(period: str, *dossiers: Iterator[tuple[type[Record], Row]]) -> list[Disagreement]:
        rows: dict[type[Record], list[Row]] = {Dossier: [], DossierEvent: []}
        for one in dossiers:
            for record, values in one:
                rows[record].append(values)
        put(engine, known, rows)
        with reading(engine) as connection:
            return list(disagreements(connection, parse_period(period), ordinals(connection)))

    return found


def promised(key: str, received: int, *promises: tuple[int, str, str]) -> Iterator[tuple[type[Record], Row]]:
    """A dossier and its promises (day, time allowed, basis), in order."""
    yield Dossier, row(Dossier, key=key, agency_code="H44.01", received_day=received, outcome="open")
    for place, (due, allowed, basis) in enumerate(promises):
        named = {"key": f"{key}|due|{due}", "dossier": key, "kind": "due_promised", "ref": allowed, "basis": basis}
        yield DossierEvent, row(DossierEvent, **named, at=place, day=due)


def test_a_promise_that_is_not_the_last_day_allowed_is_told_with_both(
    stored: Callable[..., list[Disagreement]],
) -> None:
    five = "5 working_days"
    # Monday 2 March 2026: five working days end on Monday 9 March.
    found = stored(
        "2026-03",
        promised("kept", 20260302, (20260309, five, "first")),
        promised("late", 20260302, (20260311, five, "first")),
        promised("early", 20260302, (20260306, five, "first"), (20260309, five, "first")),
        promised("on a day off that means the next", 20260302, (20260307, five, "first")),
        promised("on the last day off", 20260303, (20260308, "4 working_days", "first")),
        promised("may have moved", 20260302, (20260311, five, "current")),
        promised("no time allowed", 20260302, (20260311, "", "first")),
        promised("of April", 20260402, (20260402, five, "first")),
        promised("no promise", 20260302),
    )
    assert [(one.dossier, one.last_day, one.working_days) for one in found] == [
        ("early", 20260309, -1),
        ("late", 20260309, 2),
    ]
    assert found[1] == Disagreement("H44.01", "s", "late", 20260302, 20260311, 20260309, FIVE, 2)
    assert found[1].says == (
        "received on 2026-03-02 and promised for 2026-03-11: 2 working days after 2026-03-09, "
        "the last of the 5 working days that are allowed"
    )
    assert found[0].says.startswith("received on 2026-03-02 and promised for 2026-03-06: 1 working day before ")


def test_a_system_that_does_not_know_the_years_exchanged_days_is_seen(
    stored: Callable[..., list[Disagreement]],
) -> None:
    # It takes 2 January for a working day and Saturday the tenth for one off.
    found = stored(
        "2026-01",
        promised("over the tenth", 20260109, (20260112, "1 working_days", "first")),
        promised("over none", 20260112, (20260113, "1 working_days", "first")),
    ) + stored("2025-12", promised("over the second", 20251231, (20260102, "1 working_days", "first")))
    assert [(one.dossier, one.last_day, one.working_days) for one in found] == [("over the tenth", 20260110, 1)]


def test_a_time_over_a_day_that_is_not_decided_is_compared_with_nothing(
    stored: Callable[..., list[Disagreement]],
) -> None:
    found = stored(
        "2026-11",
        promised("over it", 20261123, (20261130, "3 working_days", "first")),
        promised("after it", 20261125, (20261130, "1 working_days", "first")),
    )
    assert [one.dossier for one in found] == ["after it"], "24 November 2026"
