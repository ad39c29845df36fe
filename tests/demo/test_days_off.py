"""The demo's own list of days off, against the calendar that the program ships."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from collector.contract import period
from collector.demo.days_off import YEARS, days_off

_WORKDAYS = Path(__file__).parents[2] / "config" / "workdays"


@pytest.mark.parametrize("year", YEARS)
def test_the_demo_and_the_program_know_the_same_days_off(year: int) -> None:
    told = yaml.safe_load((_WORKDAYS / f"{year}.yaml").read_text(encoding="utf-8"))

    def listed(name: str) -> set[int]:
        days = [entry["day"] for entry in told[name]]
        return {period.as_day(day if isinstance(day, date) else date.fromisoformat(day)) for day in days}

    weekends = {
        day for day in period.days(year * 10_000 + 101, year * 10_000 + 1231) if period.as_date(day).weekday() > 4
    }
    expected = (weekends - listed("working_days")) | listed("days_off")
    assert {day for day in days_off() if day // 10_000 == year} == expected


def test_tet_the_worked_saturday_and_the_exchanged_friday_are_as_decided() -> None:
    off = set(days_off())
    assert {*range(20260214, 20260223), 20260101, 20260102, 20250502, 20250407} <= off
    assert not {20260110, 20250426, 20260105, 20260223, 20260213} & off
