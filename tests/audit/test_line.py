"""What a line says of itself is recomputed with the precision that is printed. Expected values are made by hand."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.audit.sheets import audited, rules

Line = Mapping[str, str]


def of(folder: Path, **line: str) -> list[tuple[str, str, str]]:
    """The findings of one line: rule, claimed, recomputed."""
    return [(one.rule, one.claimed, one.recomputed) for one in audited(folder, line).findings]


@pytest.mark.parametrize(
    ("part", "whole", "printed", "found"),
    [
        ("2.368", "2.537", "93,1%", [("percentage", "93,1%", "93.34%")]),
        ("2.368", "2.537", "93,3%", []),
        ("2.368", "2.537", "93%", []),
        ("2.368", "2.537", "93,34%", []),
        ("2,368", "2,537", "93.34 %", []),
        ("2.368", "2.537", "93,4%", [("percentage", "93,4%", "93.34%")]),
        ("120", "129", "75%", [("percentage", "75%", "93.02%")]),
        ("498", "1.781", "28%", []),
        ("498", "1.781", "27%", [("cut_off", "27%", "27.96%")]),
        ("1", "8", "12,5%", []),
        ("1", "8", "13%", []),  # half up
        ("1", "8", "12%", [("cut_off", "12%", "12.50%")]),
        ("2", "3", "66,667%", []),
        ("2", "3", "66,666%", [("cut_off", "66,666%", "66.667%")]),
        ("12", "12", "100%", []),
        ("0", "12", "0%", []),
        ("0", "0", "100%", [("of_nothing", "100%", "")]),
        ("13", "12", "108,3%", [("part_over_whole", "13/12", "")]),
        ("69", "100", "gần 70%", []),
        ("71", "100", "gần 70%", [("bound", "gần 70%", "71.00%")]),
        ("60", "100", "gần 70%", [("stretched", "gần 70%", "60.00%")]),
        ("91", "100", "trên 90%", []),
        ("89", "100", "trên 90%", [("bound", "trên 90%", "89.00%")]),
        ("55", "100", "khoảng 50%", []),
        ("56", "100", "khoảng 50%", [("stretched", "khoảng 50%", "56.00%")]),
        ("gần 70", "100", "70%", [("inexact", "70%", "")]),
    ],
)
def test_a_percentage_is_held_against_its_counts(
    tmp_path: Path, part: str, whole: str, printed: str, found: list[tuple[str, str, str]]
) -> None:
    assert of(tmp_path, part=part, whole=whole, percentage=printed) == found
    assert of(tmp_path, part=part, whole=whole, value=printed) == found


def test_a_value_may_be_the_part_or_a_fraction(tmp_path: Path) -> None:
    assert of(tmp_path, value="2.368", unit="hồ sơ", whole="2.537", percentage="93,1%")[0][0] == "percentage"
    assert of(tmp_path, value="33/39", percentage="84,6%") == []
    assert of(tmp_path, value="33/39", percentage="85,6%") == [("percentage", "85,6%", "84.62%")]


def test_money_may_have_decimals(tmp_path: Path) -> None:
    line = {"unit": "tỷ đồng", "part": "50,350", "whole": "111,970"}
    assert of(tmp_path, **line, percentage="45%") == []
    assert of(tmp_path, **line, percentage="46%") == [("percentage", "46%", "44.97%")]


def test_the_sentence_names_the_counts_that_would_give_what_is_printed(tmp_path: Path) -> None:
    (one,) = audited(tmp_path, {"part": "2.368", "whole": "2.537", "value": "93,1%"}).findings
    assert one.vi == "2.368/2.537 = 93,34%, không phải 93,1%; 93,1% là 2.362/2.537, hoặc 2.368/2.544."
    assert one.en == "2,368 of 2,537 is 93.34%, not 93.1%; that would be 2,362 of 2,537, or 2,368 of 2,544."


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"value": "93,1%"}, "no_counts"),
        ({"value": "gần 70%"}, "no_counts"),
        ({"value": "100%"}, "no_counts"),
        ({"value": "70%"}, "round_number"),
        ({"value": "75%"}, "no_counts"),
        ({"value": "105%"}, "over_100"),
        ({"value": "547", "unit": "thủ tục"}, "alone"),
        ({"value": "70%", "nature": "kế hoạch"}, "plan"),
        ({"value": "2,368"}, "ambiguous"),
    ],
)
def test_a_figure_without_counts_cannot_be_verified(tmp_path: Path, line: Line, found: str) -> None:
    assert rules(audited(tmp_path, line)) == [(2, found)]


def test_growth_may_be_over_100_and_a_plan_may_be_round(tmp_path: Path) -> None:
    assert rules(audited(tmp_path, {"value": "120%", "nature": "mức tăng"})) == [(2, "no_counts")]
    assert audited(tmp_path, {"part": "13", "whole": "12", "value": "108,3%", "nature": "mức tăng"}).is_clean


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"period": "2017", "labelled": "2018"}, [("year", "2018", "2017")]),
        ({"period": "2017", "labelled": "năm 2017"}, []),
        ({"period": "quý III/2017", "labelled": "2017"}, []),
        ({"period": "2018", "labelled": "2018", "date": "18/12/2017"}, [("not_yet", "2018", "")]),
        ({"period": "2017", "labelled": "2017", "date": "18/12/2017"}, []),
        ({"period": "2016-2020", "labelled": "2016", "date": "15/04/2016"}, []),
    ],
)
def test_years_agree_and_have_begun(tmp_path: Path, line: Line, found: list[tuple[str, str, str]]) -> None:
    assert of(tmp_path, **line) == found


def test_a_plan_may_be_of_a_year_to_come(tmp_path: Path) -> None:
    line = {"value": "70%", "period": "2020", "date": "15/04/2016"}
    assert [one[0] for one in of(tmp_path, **line)] == ["not_yet", "round_number"]
    assert [one[0] for one in of(tmp_path, **line, nature="mục tiêu")] == ["plan"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"value": "626", "unit": "thủ tục", "change": "+375"}, [("alone", "626", "")]),
        ({"value": "626", "unit": "thủ tục", "change": "+375", "previous": "251"}, []),
        ({"value": "626", "unit": "thủ tục", "change": "+375", "previous": "261"}, [("change", "+375", "365")]),
        ({"value": "300", "unit": "thủ tục", "change": "+375"}, [("change", "+375", "-75")]),
        ({"value": "93,1%", "change": "tăng 5%", "previous": "88,1%"}, []),
        ({"value": "93,1%", "change": "tăng 5,1%", "previous": "88,1%"}, []),  # three were rounded
        ({"value": "93,1%", "change": "tăng 5,2%", "previous": "88,1%"}, [("change", "tăng 5,2%", "5.0")]),
        ({"value": "93,1%", "change": "tăng 6%", "previous": "88,1%"}, [("change", "tăng 6%", "5.0")]),
        ({"value": "110", "unit": "hồ sơ", "change": "tăng 10%", "previous": "100"}, []),
        (
            {"value": "110", "unit": "hồ sơ", "change": "tăng 12%", "previous": "100"},
            [("change", "tăng 12%", "10.00%")],
        ),
        (
            {"value": "110", "unit": "hồ sơ", "change": "tăng 10,4%", "previous": "100"},
            [("change", "tăng 10,4%", "10.00%")],
        ),
        ({"value": "90", "unit": "hồ sơ", "change": "giảm 10", "previous": "100"}, []),
    ],
)
def test_a_change_is_the_difference(tmp_path: Path, line: Line, found: list[tuple[str, str, str]]) -> None:
    assert of(tmp_path, **line) == found


@pytest.mark.parametrize("more", [{"labelled": "2019"}, {"change": "+5"}])
def test_a_year_or_a_change_that_agrees_verifies_no_value(tmp_path: Path, more: Line) -> None:
    found = audited(tmp_path, {"value": "71%", "period": "2019", **more})
    assert rules(found) == [(2, "no_counts")]
    assert found.verdicts == {2: "not_verifiable"}


@pytest.mark.parametrize(
    ("now", "before", "unit", "found"),
    [
        ("68%", "68%", "", "repeated"),
        ("trên 68%", "68%", "", "repeated"),
        ("68,0%", "68%", "", "no_counts"),  # told to another digit
        ("100%", "100%", "", "no_counts"),
        ("0%", "0%", "", "no_counts"),
        ("547", "547", "thủ tục", "repeated"),
        ("12", "12", "cơ quan", "alone"),  # few, and of what does not change
        ("34%", "68%", "", "no_counts"),
        ("33,9%", "68%", "", "halved"),
        ("7", "95", "dịch vụ", "halved"),
        ("7", "20", "dịch vụ", "alone"),
        ("68%", "68", "", "repeated"),  # of last year's the sign is often left out
    ],
)
def test_what_equals_last_year_or_fell_by_half_is_doubted(
    tmp_path: Path, now: str, before: str, unit: str, found: str
) -> None:
    assert rules(audited(tmp_path, {"value": now, "previous": before, "unit": unit})) == [(2, found)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"rank": "3", "rank_before": "8", "move": "tăng 5"}, []),
        ({"rank": "8", "rank_before": "3", "move": "giảm 5"}, []),
        ({"rank": "3", "rank_before": "8", "move": "giảm 5"}, [("move", "-5", "+5")]),
        ({"rank": "3", "rank_before": "3", "move": "giữ nguyên"}, []),
        ({"rank": "3", "rank_before": "4", "move": "0"}, [("move", "+0", "+1")]),
    ],
)
def test_a_move_is_the_difference_of_two_ranks(tmp_path: Path, line: Line, found: list[tuple[str, str, str]]) -> None:
    assert of(tmp_path, **line) == found
