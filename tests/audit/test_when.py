"""Periods are read as reports write them, and days that there are not are refused."""

import pytest

from collector.audit.cell import Cell
from collector.audit.when import parse, parse_day


@pytest.mark.parametrize(
    ("text", "first", "last", "period"),
    [
        ("2017", 20170101, 20171231, "2017"),
        ("năm 2017", 20170101, 20171231, "2017"),
        ("2017-Q3", 20170701, 20170930, "2017-Q3"),
        ("quý III/2018", 20180701, 20180930, "2018-Q3"),
        ("Quý 4 năm 2018", 20181001, 20181231, "2018-Q4"),
        ("tháng 5/2019", 20190501, 20190531, "2019-05"),
        ("Tháng 2 năm 2024", 20240201, 20240229, "2024-02"),
        ("05/2019", 20190501, 20190531, "2019-05"),
        ("2019-05", 20190501, 20190531, "2019-05"),
        ("2011-2015", 20110101, 20151231, None),
        ("giai đoạn 2011 – 2015", 20110101, 20151231, None),
        ("6 tháng đầu năm 2019", 20190101, 20190630, None),
        ("6 tháng cuối năm 2019", 20190701, 20191231, None),
        ("9 tháng năm 2019", 20190101, 20190930, None),
        ("17/5/2019", 20190517, 20190517, None),
        ("đến hết ngày 17/5/2019", 20190517, 20190517, None),
        ("2019-05-17", 20190517, 20190517, None),
        ("đến tháng 5/2019", 20190501, 20190531, None),
    ],
)
def test_a_period_is_read(text: str, first: int, last: int, period: str | None) -> None:
    found = parse(Cell(text))
    assert (found.first, found.last, found.period and found.period.name) == (first, last, period)


@pytest.mark.parametrize(
    "text",
    [
        "17",
        "20177",
        "tháng 13/2019",
        "quý V/2019",
        "2015-2011",
        "31/2/2019",
        "2019-02-30",
        "năm nay",
        "0/2019",
        "2019-13",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no year, period or day"):
        parse(Cell(text))


def test_a_day_is_written_in_either_way() -> None:
    assert (
        parse_day(Cell("18/12/2017")) == parse_day(Cell("2017-12-18")) == parse_day(Cell("ngày 18-12-2017")) == 20171218
    )
    assert parse_day(Cell("x", day=20171218)) == 20171218
    with pytest.raises(ValueError, match="is no year, period or day"):
        parse_day(Cell("12/18/2017"))
