"""Days and periods on the local clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.contract import period
from collector.contract.period import Period, parse_period

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
# Vietnam's last change of offset was on 1975-06-13.
SINCE_1976 = st.integers(int(datetime(1976, 1, 1, tzinfo=UTC).timestamp()), 4_000_000_000)


@given(SINCE_1976)
def test_a_day_is_cut_where_the_tz_database_cuts_it(instant: int) -> None:
    local = datetime.fromtimestamp(instant, LOCAL)
    day = local.year * 10_000 + local.month * 100 + local.day
    assert period.local_day(instant) == day
    assert period.day_start(day) == int(local.replace(hour=0, minute=0, second=0).timestamp())


def test_the_first_second_of_a_local_day_is_still_yesterday_in_utc() -> None:
    assert period.local_day(int(datetime(2026, 1, 9, 16, 59, 59, tzinfo=UTC).timestamp())) == 20260109
    assert period.local_day(int(datetime(2026, 1, 9, 17, 0, 0, tzinfo=UTC).timestamp())) == 20260110


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-02", 20260201, 20260228),
        ("2024-02", 20240201, 20240229),
        ("2026-12", 20261201, 20261231),
        ("2026-Q1", 20260101, 20260331),
        ("2026-Q4", 20261001, 20261231),
        ("2026", 20260101, 20261231),
        ("2026-02-28", 20260228, 20260228),
    ],
)
def test_a_period_is_named_as_it_is_read(text: str, first: int, last: int) -> None:
    parsed = parse_period(text)
    assert (parsed.first, parsed.last, parsed.name) == (first, last, text)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-Q5", "26", "2026-02-30", "", "2026-1", "thang 10", "0000", "9999"]
)
def test_what_is_no_period_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_period(text)


def test_days_are_counted_over_the_end_of_a_year() -> None:
    assert list(period.days(20251230, 20260102)) == [20251230, 20251231, 20260101, 20260102]
    assert list(period.days(20260102, 20260101)) == []
    assert period.plus_days(20260301, -1) == 20260228


def test_periods_sort_by_time() -> None:
    assert sorted([parse_period("2026-02"), parse_period("2025-12")])[0] == Period(20251201, 20260101, "month")


def test_an_instant_is_written_with_its_offset() -> None:
    assert period.rfc3339(int(datetime(2026, 3, 1, 1, tzinfo=UTC).timestamp())) == "2026-03-01T08:00:00+07:00"


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2026-01", "2025-12"),
        ("2026-03", "2026-02"),
        ("2026-Q1", "2025-Q4"),
        ("2026-Q3", "2026-Q2"),
        ("2026", "2025"),
        ("2026-03-01", "2026-02-28"),
    ],
)
def test_the_period_before_is_of_the_same_kind_and_ends_where_it_begins(text: str, before: str) -> None:
    assert period.period_before(parse_period(text)) == parse_period(before)


def test_the_last_day_of_each_month_of_some_days_and_of_the_last_month_the_last_of_them() -> None:
    assert period.month_ends(20251215, 20260302) == [20251231, 20260131, 20260228, 20260302]
    assert period.month_ends(20260101, 20260131) == [20260131]
    assert period.month_ends(20260105, 20260105) == [20260105]
    assert period.month_ends(20260105, 20260104) == []
