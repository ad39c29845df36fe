from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.register import values
from connectors.register.values import Clock, Unusable, pack, unpack

HANOI = "Asia/Ho_Chi_Minh"


def local(*parts: int) -> datetime:
    """A time as registers write it: without a zone."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - that is the point of it


@pytest.mark.parametrize(
    ("told", "zone", "pattern", "day"),
    [
        (date(2026, 2, 28), "UTC", None, 20260228),
        (local(2026, 2, 28, 23, 59, 59), HANOI, None, 20260228),
        (local(2026, 2, 28, 17, 0, 0), "UTC", None, 20260301),
        (local(2026, 2, 28, 16, 59, 59), "UTC", None, 20260228),
        (datetime(2026, 2, 28, 17, 0, tzinfo=UTC), HANOI, None, 20260301),
        (datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=8))), HANOI, None, 20260228),
        ("2026-02-28", "UTC", None, 20260228),
        ("2026-02-28 23:59:59.999", HANOI, None, 20260228),
        ("2026-02-28T16:59:59Z", HANOI, None, 20260228),
        ("2026-02-28T17:00:00Z", HANOI, None, 20260301),
        ("28/02/2026", HANOI, "dd/MM/yyyy", 20260228),
        ("28/02/2026", "UTC", "dd/MM/yyyy", 20260228),
        ("1/3/2026 00:10:00", HANOI, "dd/MM/yyyy HH:mm:ss", 20260301),
        (20260228, HANOI, "yyyyMMdd", 20260228),
        (1772298000, HANOI, None, 20260301),  # 2026-02-28T17:00:00Z
        (1772297999, HANOI, None, 20260228),
        (1772298000_000, HANOI, "epoch_milliseconds", 20260301),
        (Decimal("1772297999.999999"), HANOI, "epoch_seconds", 20260228),
        (None, HANOI, None, None),
        ("  ", HANOI, None, None),
    ],
)
def test_a_day_is_cut_on_the_local_clock(told: Any, zone: str, pattern: str | None, day: int | None) -> None:
    assert Clock(zone, pattern).days([told, told]) == [day, day]


@pytest.mark.parametrize(
    ("told", "pattern"),
    [
        ("2026-02-30", None),
        ("28/02/2026", None),
        ("02/28/2026", "dd/MM/yyyy"),
        ("0000-00-00 00:00:00", None),
        ("20260228", None),
        (20260228, None),  # a day written as a number is no number of seconds
        (1772298000_000, None),
        (date(1, 1, 1), None),
        (local(9999, 12, 31), None),
        (True, None),
        (float("nan"), None),
        ([2026], None),
    ],
)
def test_what_is_no_day_is_unusable_and_spoils_no_other(told: Any, pattern: str | None) -> None:
    clock = Clock(HANOI, pattern)
    good: Any = "27/02/2026" if pattern else local(2026, 2, 27) if isinstance(told, datetime) else date(2026, 2, 27)
    made = clock.days([good, told, None])
    assert made[0] == 20260227
    assert isinstance(made[1], Unusable)
    assert str(told) not in made[1].reason
    assert made[2] is None


@given(st.datetimes(local(1980, 1, 1), local(2099, 1, 1)), st.sampled_from([HANOI, "UTC", "Asia/Tokyo"]))
def test_days_and_versions_agree_with_the_time_zone_database(told: datetime, zone: str) -> None:
    aware = told.replace(tzinfo=ZoneInfo(zone))
    there = aware.astimezone(ZoneInfo(HANOI))
    day = there.year * 10_000 + there.month * 100 + there.day
    version = round(aware.astimezone(UTC).timestamp()) if told.microsecond == 0 else None
    clock = Clock(zone, None)
    for one in (told, told.isoformat(" "), aware, aware.astimezone(UTC).isoformat()):
        assert clock.days([one, None, one]) == [day, None, day]
        (made,) = clock.versions([one], 0)
        assert version is None or made == version * 1_000_000
        assert made % 1_000_000 == told.microsecond


def test_two_versions_of_one_day_do_not_look_the_same() -> None:
    clock, day = Clock(HANOI, None), date(2026, 2, 28)
    midnight = 1772211600  # 2026-02-28 00:00 in Vietnam
    at_nine, at_ten, next_day = (clock.versions([day], midnight + 3600 * hour)[0] for hour in (9, 10, 30))
    assert midnight * 1_000_000 < at_nine < at_ten < next_day
    assert next_day == (midnight + 86_400) * 1_000_000 - 1


@pytest.mark.parametrize(
    ("told", "pattern", "earlier"),
    [
        (local(2026, 3, 1, 0, 5, 0, 7), None, local(2026, 2, 28, 23, 55, 0, 7)),
        (date(2026, 3, 1), None, date(2026, 2, 28)),
        ("2026-03-01 00:05:00.000007", None, "2026-02-28 23:55:00"),
        ("2026-03-01T00:05:00+07:00", None, "2026-02-28T23:55:00"),
        ("2026-03-01 00:05", None, "2026-02-28 23:55"),
        ("2026-03-01", None, "2026-02-28"),
        ("2026/03/01 00:05", "yyyy/MM/dd HH:mm", "2026/02/28 23:55"),
        (20260301, "yyyyMMdd", 20260228),
        (1772298000, None, 1772297400),
        (1772298000_000, "epoch_milliseconds", 1772297400_000),
        (Decimal("1772298000.5"), "epoch_seconds", Decimal("1772297400.5")),
    ],
)
def test_a_start_is_written_as_the_source_writes(told: Any, pattern: str | None, earlier: Any) -> None:
    made = Clock(HANOI, pattern).earlier(told, 600)
    assert made == earlier
    assert type(made) is type(earlier)


@pytest.mark.parametrize(
    "told",
    [
        7,
        2**63,
        "Số 1/QĐ",
        1772298000.123456,
        Decimal("1.50"),
        UUID(int=5),
        b"\x00\xff",
        date(2026, 2, 28),
        local(2026, 2, 28, 1, 2, 3, 4),
        datetime(2026, 2, 28, 1, 2, 3, 4, tzinfo=ZoneInfo(HANOI)),
        None,
    ],
)
def test_a_value_comes_back_from_a_cursor_as_it_was(told: Any) -> None:
    made = unpack(pack(told))
    assert made == told
    assert type(made) is type(told)


@pytest.mark.parametrize(
    ("told", "flag"),
    [(1, 1), (0, 0), (True, 1), (False, 0), ("1", 1), (b"\x01", 1), (b"\x00", 0), (Decimal("1.0"), 1), ("yes", None)],
)
def test_a_flag_without_a_map_understands_what_databases_call_true(told: Any, flag: int | None) -> None:
    assert values.meanings({"1": 1, "0": 0, "true": 1, "false": 0}).column([told]) == [flag]


def test_nothing_is_remembered_without_end() -> None:
    remembered = values.texts()
    for start in range(0, 200_000, 10_000):
        assert remembered.column([str(n) for n in range(start, start + 10_000)])[0] == str(start)
    assert len(remembered) <= 60_000
