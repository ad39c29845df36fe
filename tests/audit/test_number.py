"""Numbers mean what a Vietnamese reader takes them for, and never silently something else."""

from decimal import Decimal

import pytest

from collector.audit.cell import Cell
from collector.audit.number import Bound, Kind, kind_of, parse, parse_fraction, parse_move, parse_sum

NBSP, NARROW = "\u00a0", "\u202f"

READ: list[tuple[str, Kind, str, int, bool]] = [
    ("93,1%", "", "93.1", 1, True),
    (f"93,1{NBSP}%", "", "93.1", 1, True),
    ("93.1 %", "", "93.1", 1, True),
    ("９３，１％", "", "93.1", 1, True),
    ("93,34", "share", "93.34", 2, True),
    ("93,105%", "", "93.105", 3, True),
    ("93.105%", "", "93.105", 3, True),  # thousands of per cent there are not
    ("70 phần trăm", "", "70", 0, True),
    ("2.537", "", "2537", 0, False),
    ("2.537", "count", "2537", 0, False),
    ("2,368", "count", "2368", 0, False),  # half a dossier there is not
    ("2,368 hồ sơ", "", "2368", 0, False),
    ("111,970", "measure", "111.970", 3, False),
    ("111,970 tỷ đồng", "", "111.970", 3, False),
    (f"2{NBSP}537", "", "2537", 0, False),
    (f"1{NARROW}234{NARROW}567,5", "", "1234567.5", 1, False),
    ("1.234.567", "", "1234567", 0, False),
    ("1,234,567", "count", "1234567", 0, False),
    ("1.234,5", "", "1234.5", 1, False),
    ("1,234.5", "", "1234.5", 1, False),
    ("0,537", "", "0.537", 3, False),
    ("0.537", "", "0.537", 3, False),
    ("01 máy chủ", "", "1", 0, False),
    ("923 điểm", "", "923", 0, False),
    ("đạt tỷ lệ 93,1%", "", "93.1", 1, True),
    ("2.537²", "", "2537", 0, False),  # a footnote is no digit
    ("-5,5%", "", "-5.5", 1, True),
    ("−5", "", "-5", 0, False),
]


@pytest.mark.parametrize(("text", "kind", "value", "places", "percent"), READ)
def test_a_printed_number_is_read(text: str, kind: Kind, value: str, places: int, percent: bool) -> None:
    number = parse(Cell(text), kind)
    assert (number.value, number.places, number.percent, number.bound) == (Decimal(value), places, percent, "")


@pytest.mark.parametrize(
    ("text", "bound", "value"),
    [
        ("gần 70%", "most", 70),
        ("Gần 4.000 hộp thư", "most", 4000),
        ("gan 70%", "most", 70),
        ("dưới 5%", "most", 5),
        ("không quá 5 ngày", "most", 5),
        ("≤ 5", "most", 5),
        ("trên 90%", "least", 90),
        ("đạt trên 90 %", "least", 90),
        ("Hơn 1.620 tin bài", "least", 1620),
        ("90% trở lên", "least", 90),
        ("từ 90% trở lên", "least", 90),
        (">= 90%", "least", 90),
        ("khoảng 50%", "about", 50),
        ("~50%", "about", 50),
        ("over 90%", "least", 90),
    ],
)
def test_nearly_over_and_about_are_bounds_and_no_values(text: str, bound: Bound, value: int) -> None:
    number = parse(Cell(text))
    assert (number.bound, int(number.value)) == (bound, value)
    assert (number.low is None, number.high is None) == {
        "most": (True, False),
        "least": (False, True),
        "about": (True, True),
    }[bound]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%",
        "abc",
        "- 70%",
        "12.34.56",
        "1 2345",
        "5 6",
        "93,1%1",
        "12%5",
        "1e5",
        "=1+2",
        "17/5/2019",
        "٣",
        "NaN",
        "tăng 5",
        "hai mươi",
        "1'000",
        "9999999999999999",
        "2,368.5,1",
        "1 234.567 890",
        "2..5",
        ",5",
        "70-80%",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        parse(Cell(text))


@pytest.mark.parametrize(
    ("text", "kind", "value", "other"),
    [("2,368", "", "2.368", "2368"), ("111.970", "measure", "111970", "111.970")],
)
def test_a_number_that_reads_two_ways_says_so(text: str, kind: Kind, value: str, other: str) -> None:
    number = parse(Cell(text), kind)
    assert (number.value, number.other) == (Decimal(value), Decimal(other))


@pytest.mark.parametrize("text", ["2.537", "93,1%", "2.537 hồ sơ", "1.234,5", "111,970 tỷ đồng"])
def test_the_usual_ones_read_one_way(text: str) -> None:
    assert parse(Cell(text)).other is None


def test_a_percentage_stands_for_all_that_round_to_it_and_a_count_for_itself() -> None:
    assert (parse(Cell("93,1%")).low, parse(Cell("93,1%")).high) == (Decimal("93.05"), Decimal("93.15"))
    assert (parse(Cell("75%")).low, parse(Cell("75%")).high) == (Decimal("74.5"), Decimal("75.5"))
    assert (parse(Cell("114")).low, parse(Cell("114")).high) == (Decimal(114), Decimal(114))


def test_a_date_that_a_spreadsheet_made_of_a_fraction_is_named() -> None:
    with pytest.raises(ValueError, match="is a date made of a number"):
        parse(Cell("2026-12-05", day=20261205))


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [("33/39", 33, 39), ("33 / 39 đơn vị", 33, 39), ("2.368/2.537", 2368, 2537), ("2,368/2,537", 2368, 2537)],
)
def test_a_fraction_is_part_and_whole(text: str, part: int, whole: int) -> None:
    found = parse_fraction(Cell(text))
    assert found is not None
    assert [int(one.value) for one in found] == [part, whole]


@pytest.mark.parametrize("text", ["1/2/2019", "33", "a/b", "/39", ""])
def test_what_is_no_fraction_is_none(text: str) -> None:
    assert parse_fraction(Cell(text)) is None


@pytest.mark.parametrize(
    ("text", "moved"),
    [("tăng 5 bậc", 5), ("Giảm 6", -6), ("giữ nguyên", 0), ("+5", 5), ("-6", -6), ("0", 0), ("↑ 2", 2), ("↓2", -2)],
)
def test_a_move_is_up_or_down(text: str, moved: int) -> None:
    assert parse_move(Cell(text)) == moved


@pytest.mark.parametrize("text", ["tăng", "tăng -5", "giảm gần 5", "trên 5", "lên hạng"])
def test_what_is_no_move_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        parse_move(Cell(text))


def test_a_sum_is_its_addends() -> None:
    assert [one.value for one in parse_sum(Cell("86 + 70 + 10,5"), "measure") or ()] == [86, 70, Decimal("10.5")]
    assert parse_sum(Cell("Kinh phí 2016"), "count") is None
    assert parse_sum(Cell("+375"), "count") is None


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("", ""), ("%", "share"), ("hồ sơ", "count"), ("tỷ đồng", "measure"), ("điểm", "measure"), ("Thủ tục", "count")],
)
def test_a_unit_tells_what_can_be_divided(unit: str, kind: Kind) -> None:
    assert kind_of(unit) == kind
