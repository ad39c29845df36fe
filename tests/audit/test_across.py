"""What lines tell together: sums, one figure over years, and a block whose places are given and taken."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.audit.sheets import audited, rules

Line = Mapping[str, str]


@pytest.mark.parametrize(
    ("total", "addends", "unit", "found"),
    [
        ("114", "109 + 15", "thủ tục", [(2, "sum")]),
        ("124", "109 + 15", "thủ tục", []),
        ("20", "4 + 15 + 1", "cơ quan", []),
        ("2.537", "2.368 + 169", "hồ sơ", []),
        ("2,537", "2,368 + 169", "hồ sơ", []),
        ("166,5", "86 + 70 + 10,5", "tỷ đồng", []),
        ("167,5", "86 + 70 + 10,5", "tỷ đồng", [(2, "sum")]),
        ("111,970", "50,350 + 61,620", "tỷ đồng", []),
        ("100%", "48,6 + 40 + 7,7", "", [(2, "sum")]),
        ("100%", "48,6 + 43,4 + 8,1", "", []),  # each was rounded
        ("trên 120", "109 + 15", "thủ tục", []),
        ("trên 130", "109 + 15", "thủ tục", [(2, "sum")]),
        ("114", "gần 109 + 15", "thủ tục", []),
        ("130", "gần 109 + 15", "thủ tục", [(2, "sum")]),
    ],
)
def test_addends_make_their_total(
    tmp_path: Path, total: str, addends: str, unit: str, found: list[tuple[int, str]]
) -> None:
    assert rules(audited(tmp_path, {"value": total, "unit": unit, "sum_of": addends})) == found


def test_addends_may_be_lines_of_their_own(tmp_path: Path) -> None:
    total = {"value": "114", "unit": "thủ tục", "sum_of": "Theo mức"}
    lines = [total, {"value": "109", "group": "theo  mức"}, {"value": "15", "group": "Theo mức"}]
    found = audited(tmp_path, *lines)
    (one,) = found.findings
    assert (one.line, one.rule, one.lines, one.recomputed) == (2, "sum", (3, 4), "124")
    assert one.vi == "109 + 15 = 124, không phải 114: lệch 10."
    assert one.en == "109 + 15 = 124, not 114: off by 10."
    assert dict(found.verdicts) == {2: "error", 3: "error", 4: "error"}, "none can tell which of them is wrong"
    mended = audited(tmp_path, total | {"value": "124"}, *lines[1:])
    assert set(mended.verdicts.values()) == {"consistent"}


def test_a_group_is_one_documents(tmp_path: Path) -> None:
    lines = [
        {"value": "124", "unit": "thủ tục", "sum_of": "A"},
        {"value": "109", "group": "A"},
        {"value": "15", "group": "A"},
        {"document": "Báo cáo khác", "value": "7", "unit": "thủ tục", "group": "A"},
    ]
    assert rules(audited(tmp_path, *lines)) == [(5, "alone")]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([{"value": "124", "sum_of": "A"}, {"value": "109", "group": "A"}, {"rank": "3", "group": "A"}], "open_sum"),
        (
            [
                {"value": "124", "unit": "hồ sơ", "sum_of": "A"},
                {"value": "109", "unit": "hồ sơ", "group": "A"},
                {"value": "15", "unit": "thủ tục", "group": "A"},
            ],
            "open_sum",
        ),
    ],
)
def test_what_cannot_be_added_up_is_not_judged(tmp_path: Path, lines: list[Line], found: str) -> None:
    assert (2, found) in rules(audited(tmp_path, *lines))
    assert audited(tmp_path, *lines).is_clean


# -- one figure in several years ------------------------------------------------------------------------------------


def year(period: str, value: str, **more: str) -> Line:
    return {"period": period, "value": value, "figure": "Nội bộ", "agency": "Tỉnh Phú Thọ"} | more


def test_lines_of_one_series_are_compared_in_the_order_of_their_years(tmp_path: Path) -> None:
    lines = [year("2019", "68%"), year("2016", "20%"), year("2017", "trên 68%")]
    (found,) = [one for one in audited(tmp_path, *lines).findings if one.rule == "repeated"]
    assert (found.line, found.lines) == (2, (4,))
    assert "“68%” giống hệt số của 2017 (“trên 68%”) đến chữ số cuối." in found.vi


@pytest.mark.parametrize("other", [{"agency": "Tỉnh Lâm Đồng"}, {"figure": "Ra ngoài"}, {"block": "Cấp xã"}])
def test_another_agency_block_or_series_is_another_figure(tmp_path: Path, other: Line) -> None:
    assert rules(audited(tmp_path, year("2017", "68%"), year("2019", "68%", **other))) == [
        (2, "no_counts"),
        (3, "no_counts"),
    ]


def test_one_figure_has_one_value_in_a_period(tmp_path: Path) -> None:
    assert (3, "two_values") in rules(audited(tmp_path, year("2017", "68%"), year("năm 2017", "58%")))
    assert audited(tmp_path, year("2017", "68%"), year("2017", "68,4%")).is_clean, "both round to 68"
    assert audited(tmp_path, year("2017", "68%"), year("2017", "trên 60%")).is_clean
    assert not audited(tmp_path, year("2017", "58%"), year("2017", "trên 60%")).is_clean
    assert audited(tmp_path, year("2017", "58%"), year("quý IV/2017", "70%")).is_clean, (
        "another period, of the same end"
    )


def test_a_period_told_three_times_is_compared_throughout(tmp_path: Path) -> None:
    lines = [year("2016", "90%"), year("2017", "trên 60%"), year("2017", "61%"), year("2017", "90%")]
    assert rules(audited(tmp_path, *lines)) == [
        (2, "round_number"),
        (3, "no_counts"),
        (5, "two_values"),  # 61 and 90, both "over 60"
        (5, "repeated"),
        (5, "round_number"),
    ]


def test_what_is_said_in_other_words_may_have_another_base(tmp_path: Path) -> None:
    lines = [year("2018", "100%", what="Cơ quan dùng thư"), year("2018", "58,5%", what="Cán bộ dùng thư")]
    found = audited(tmp_path, *lines)
    assert (3, "two_bases") in rules(found)
    assert found.is_clean
    assert found.verdicts == {2: "doubt", 3: "doubt"}


def test_a_figure_that_equals_an_earlier_total_is_doubted(tmp_path: Path) -> None:
    def line(document: str, period: str, value: str, figure: str) -> Line:
        more = {"document": document, "period": period, "value": value, "figure": figure}
        return more | {"unit": "thủ tục", "group": "Mức 3, 4"}

    before = [line("Kế hoạch", "2016", "498", "Mức 3"), line("Kế hoạch", "2016", "95", "Mức 4")]
    found = audited(tmp_path, *before, line("Bài báo", "2019", "593", "Mức 3"), line("Bài báo", "2019", "7", "Mức 4"))
    assert [one for one in rules(found) if one[0] >= 4] == [(4, "earlier_total"), (5, "halved")]
    assert found.is_clean, "a suspicion is no proof"
    other = audited(tmp_path, *before, line("Bài báo", "2019", "594", "Mức 3"), line("Bài báo", "2019", "90", "Mức 4"))
    assert "earlier_total" not in [rule for _, rule in rules(other)]


def test_a_share_of_those_provisioned_is_less_of_all(tmp_path: Path) -> None:
    base = {"value": "90%", "period": "2017", "figure": "Cấp hộp thư"}
    used = {"value": "67%", "period": "2017", "base": "cấp hộp thư"}
    (found,) = [one for one in audited(tmp_path, base, used).findings if one.line == 3]
    assert (found.rule, found.recomputed, found.lines) == ("share_of_part", "60.3%", (2,))
    all_of_them = audited(tmp_path, base | {"value": "100%"}, used)
    assert rules(all_of_them) == [(2, "no_counts"), (3, "no_counts")]


# -- ranks ------------------------------------------------------------------------------------------------------------


def block(*moves: str, **more: str) -> list[Line]:
    return [{"block": "Huyện", "agency": f"Huyện {at}", "move": move} | more for at, move in enumerate(moves)]


@pytest.mark.parametrize(
    ("moves", "claimed"),
    [
        (("+5", "+3", "+1", "+1", "+1", "+1", "-6", "-5"), "+1"),
        (("+5", "+3", "+1", "+1", "+1", "-6", "-5"), None),
        (("tăng 4", "tăng 2", "giảm 6"), None),
        (("tăng 4", "tăng 2", "giảm 5"), "+1"),
        (("0", "giữ nguyên"), None),
        (("giảm 1", "0"), "-1"),
    ],
)
def test_in_a_closed_block_moves_make_up_for_each_other(
    tmp_path: Path, moves: tuple[str, ...], claimed: str | None
) -> None:
    found = audited(tmp_path, *block(*moves))
    assert [(one.rule, one.claimed) for one in found.findings] == ([("moves", claimed)] if claimed else [])
    assert set(found.verdicts.values()) == {"error" if claimed else "consistent"}


def test_blocks_documents_and_years_are_closed_each_for_itself(tmp_path: Path) -> None:
    for key, other in (("block", "Sở"), ("document", "Báo cáo khác"), ("period", "2018")):
        lines = [*block("+1", "-1"), *block("+1", "-2", **{key: other})]
        assert rules(audited(tmp_path, *lines)) == [(4, "moves")]


def ranked(*ranks: tuple[str, str]) -> list[Line]:
    return [
        {"block": "Huyện", "agency": f"Huyện {at}", "rank": now, "rank_before": before}
        for at, (now, before) in enumerate(ranks)
    ]


def test_a_shared_place_is_reckoned_with_where_the_ranks_show_it(tmp_path: Path) -> None:
    """1, 2, 3, 4 became 1, 2, 2, 4: one is a place up and nobody is down."""
    assert rules(audited(tmp_path, *ranked(("1", "1"), ("2", "2"), ("2", "3"), ("4", "4")))) == []
    assert rules(audited(tmp_path, *ranked(("1", "1"), ("2", "2"), ("3", "2"), ("4", "4")))) == []
    assert rules(audited(tmp_path, *ranked(("1", "1"), ("2", "2"), ("2", "4"), ("4", "4")))) == [(2, "moves")]
    three_shared = ranked(("1", "1"), ("1", "2"), ("1", "3"))
    assert rules(audited(tmp_path, *three_shared)) == []


def test_ranks_without_ties_are_places_given_and_taken(tmp_path: Path) -> None:
    assert rules(audited(tmp_path, *ranked(("1", "3"), ("2", "1"), ("3", "2")))) == []
    assert rules(audited(tmp_path, *ranked(("1", "3"), ("2", "1"), ("3", "4")))) == [(2, "moves")]


@pytest.mark.parametrize("word", ["mới", "không xếp hạng"])
def test_a_block_that_somebody_entered_or_left_is_not_closed(tmp_path: Path, word: str) -> None:
    found = audited(tmp_path, *ranked(("1", "2"), ("2", word), ("3", "1")))
    assert rules(found) == [(2, "open_block")]
    assert found.is_clean
