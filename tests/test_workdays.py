from itertools import pairwise
from pathlib import Path

import holidays
import pytest

from collector import workdays
from collector.contract.errors import WrongUse
from collector.contract.period import as_date, days

CONFIG = Path(__file__).parent.parent / "config" / "workdays"


def table(first: int = 2026, last: int = 2026, folder: Path = CONFIG) -> dict[int, workdays.Workday]:
    return {one.day: one for one in workdays.calendar(folder, first, last)}


def test_the_tenth_of_january_2026_is_worked_and_the_second_is_off() -> None:
    # 1-4 January off; 5-9 are the first five working days; Saturday 10 is the sixth; Monday 12 the seventh.
    known = table()
    assert [known[20260100 + day].is_working for day in range(1, 13)] == [False] * 4 + [True] * 6 + [False, True]
    assert [known[20260100 + day].working_ordinal for day in range(1, 13)] == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 7]


def test_the_library_does_not_know_the_tenth_of_january_but_the_file_does(tmp_path: Path) -> None:
    drafted = table(folder=tmp_path)
    assert not drafted[20260110].is_working  # a Saturday to the library
    assert drafted[20260102].is_working  # the exchange is not in it either
    assert drafted[20260110].provisional
    assert as_date(20260110) not in holidays.country_holidays("VN", years=2026)
    decided = table()
    assert decided[20260110].is_working
    assert not decided[20260110].provisional
    differing = {day for day in decided if decided[day].is_working != drafted[day].is_working}
    assert differing == {20260102, 20260110}


def test_tet_2026_is_nine_days_in_a_row_between_two_working_days() -> None:
    # By hand: January has 5-10, 12-16, 19-23, 26-30 (6+5+5+5 = 21), February 2-6 and 9-13 (10): 31 by Friday 13.
    known = table()
    assert known[20260213].working_ordinal == 31
    assert {known[day].working_ordinal for day in days(20260214, 20260222)} == {31}
    assert not any(known[day].is_working for day in days(20260214, 20260222))
    assert (known[20260223].is_working, known[20260223].working_ordinal) == (True, 32)
    assert known[20260227].working_ordinal == 36
    assert known[20260228].working_ordinal == 36  # a Saturday
    assert known[20260223].ordinal - known[20260213].ordinal == 10


def test_ordinals_go_on_over_the_turn_of_the_year() -> None:
    known = table(2025, 2026)
    assert (known[20250101].ordinal, known[20250101].working_ordinal) == (0, 0)
    assert known[20251231].ordinal == 364
    # 2025 has 261 weekdays, 12 of them off (11 holidays and 2 May), and 26 April worked: 250.
    assert known[20251231].working_ordinal == 250
    assert [known[day].working_ordinal for day in (20260101, 20260104, 20260105)] == [250, 250, 251]
    assert known[20260101].ordinal == 365


def test_the_days_off_of_2026_are_those_decided() -> None:
    known = table()
    off = [day for day in known if as_date(day).weekday() < 5 and not known[day].is_working]
    worked = [day for day in known if as_date(day).weekday() >= 5 and known[day].is_working]
    january_to_may = [
        20260101,
        20260102,
        20260216,
        20260217,
        20260218,
        20260219,
        20260220,
        20260427,
        20260430,
        20260501,
    ]
    assert off == [*january_to_may, 20260831, 20260901, 20260902, 20261124]
    assert worked == [20260110, 20260822]


def test_only_the_day_whose_law_is_not_known_is_provisional_in_2026() -> None:
    assert [one.day for one in table(2024, 2026).values() if one.provisional] == [20261124]


def test_a_year_without_a_file_is_drafted_and_provisional() -> None:
    known = table(2026, 2029)
    assert all(known[day].provisional for day in days(20290101, 20291231))
    assert not known[20290101].is_working
    assert known[20290103].is_working


def test_the_days_off_of_2024_are_those_decided() -> None:
    # 8662/VPCP-KGVX: Tết from 8 to 14 February, National Day from 31 August to 3 September; 2450/VPCP-KGVX: 27 April to
    # 1 May, and Saturday 4 May worked. Besides those: 1 January, and the tenth of the third lunar month, 18 April.
    known = table(2024, 2024)
    off = {day for day in known if not known[day].is_working}
    for first, last in ((20240208, 20240214), (20240427, 20240501), (20240831, 20240903)):
        assert off.issuperset(days(first, last))
    assert {day for day in off if as_date(day).weekday() < 5} == {
        20240101,
        *(20240208, 20240209, 20240212, 20240213, 20240214),
        *(20240418, 20240429, 20240430, 20240501, 20240902, 20240903),
    }
    assert [day for day in known if as_date(day).weekday() >= 5 and day not in off] == [20240504]


@pytest.mark.parametrize("year", [2024, 2027])
def test_a_draft_that_is_written_is_read_back_and_stays_provisional(year: int, tmp_path: Path) -> None:
    drafted = workdays.draft(year)
    (tmp_path / f"{year}.yaml").write_text(workdays.written(drafted), encoding="utf-8")
    read = workdays.of_year(tmp_path, year)
    assert read == drafted
    assert read.off
    assert bool(read.worked) == (year == 2024)
    assert all(one.provisional for one in workdays.calendar(tmp_path, year, year))


def test_where_the_file_exists_it_alone_counts(tmp_path: Path) -> None:
    (tmp_path / "2026.yaml").write_text("year: 2026\nsource: s\ndays_off: [{day: 2026-03-03, name: x}]\n")
    known = table(folder=tmp_path)
    assert known[20260101].is_working  # a Thursday that the file does not list
    assert [day for day in known if as_date(day).weekday() < 5 and not known[day].is_working] == [20260303]


def test_a_file_may_be_a_draft_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "2026.yaml").write_text("year: 2026\nprovisional: true\ndays_off: [{day: 2026-03-03, name: x}]\n")
    assert all(one.provisional for one in table(folder=tmp_path).values())


def test_ordinals_are_calendar_days_and_working_ordinals_count_working_days() -> None:
    for place, one in enumerate(workdays.calendar(CONFIG, 2025, 2027)):
        assert one.ordinal == place
    known = list(table(2025, 2027).values())
    assert all(b.working_ordinal - a.working_ordinal == b.is_working for a, b in pairwise(known))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: year: the file's name says 2026. Write `year: 2026`, or rename the file"),
        (
            "year: 2025\nsource: s\ndays_off: [{day: 2026-01-01, name: x}]",
            "1: year: the file's name says 2026. Write `year: 2026`, or rename the file",
        ),
        (
            "year: 2026\ndays_off: [{day: 2026-01-01, name: x}]",
            "1: source: must be given. Write it like `source: the number and date of the decision`",
        ),
        (
            "year: 2026\nsource: s\ndays_off:\n  - {day: 2026-04-26, name: x}",
            "4: days_off[0].day: 2026-04-26 is a Sunday, off anyway."
            " List the weekday that is off in its place, or delete the line",
        ),
        (
            "year: 2026\nsource: s\ndays_off: [{day: 2026-01-01, name: x}]\n"
            "working_days:\n  - {day: 2026-01-09, name: x}",
            "5: working_days[0].day: 2026-01-09 is a Friday, a working day anyway."
            " List only Saturdays and Sundays that are worked",
        ),
        (
            "year: 2026\nsource: s\ndays_off: [{day: 2025-01-01, name: x}]",
            "3: days_off[0].day: 2025-01-01 is not in 2026. Move it to 2025.yaml",
        ),
        (
            "year: 2026\nsource: s\ndays_off:\n  - {day: 2026-01-01, name: x}\n  - {day: 2026-01-01, name: y}",
            "5: days_off[1].day: 2026-01-01 is listed twice. Keep one of them",
        ),
        (
            "year: 2026\nsource: s\ndays_off:\n  - 2026-01-01",
            "4: days_off[0]: must be a mapping, but is a text. Write `key: value` lines below it",
        ),
        (
            "year: 2026\nsource: s\nprovisional: maybe\ndays_off: [{day: 2026-01-01, name: x}]",
            "3: provisional: maybe is neither true nor false. Write true or false",
        ),
        (
            "year: 2026\nsource: s\ndays_off: [{day: 2026-01-01, name: x}]\n"
            "working_days: [{day: 2026-01-10, name: x, instead_of: 2026-01-02}]",
            "4: working_days[0].instead_of: 2026-01-02 is not among days_off. Add it there, or correct the day",
        ),
        (
            "year: 2026\nsource: s\nday_off: [{day: 2026-01-01, name: x}]",
            "3: day_off: the key is not known. Did you mean days_off?",
        ),
    ],
)
def test_a_broken_year_is_told_by_file_line_key_and_mend(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "2026.yaml"
    path.write_text(text)
    with pytest.raises(WrongUse) as found:
        workdays.calendar(tmp_path, 2026, 2026)
    assert f"{path}:{told}" in str(found.value).splitlines()
