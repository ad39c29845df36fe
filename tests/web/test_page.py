"""The page for people, as text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from collector.collect import Result
from collector.web.page import _RESULTS
from tests.web.province import HOSTILE, rendered


class _Page(HTMLParser):
    """Gathers tables as rows of cell texts, the addresses that the page names, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._cell = False
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "srcset", "data")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            self.tables[-1][-1][-1] = f"{self.tables[-1][-1][-1]} {data}".strip()


@pytest.fixture
def html(tmp_path: Path) -> str:
    return rendered(tmp_path)


@pytest.fixture
def page(html: str) -> _Page:
    return _Page(html)


def cells(row: list[str]) -> list[str]:
    return [" ".join(cell.split()) for cell in row]


def test_each_agency_has_its_rank_points_and_figures_with_counts_or_the_state_as_a_word(page: _Page) -> None:
    header, *rows = page.tables[0]
    assert header[:3] == ["Hạng", "Cơ quan", "Điểm"]
    assert header[3].startswith("Tỷ lệ hồ sơ")
    assert [cells(row) for row in rows] == [
        ["1", "Sở Nội vụ", "933,39", "93,34% 2.368/2.537", "không áp dụng"],
        ["2 1–2", "Sở Y tế", "62,50 62,50–562,50", "chưa đủ", "12,50% 1/8"],
        [
            "–",
            f"{HOSTILE} only 0.0 % of its points are measured",
            "0,00 0,00–1000,00",
            "chưa đủ",
            "thiếu",
        ],
    ]


def test_figures_that_give_no_points_stand_apart_under_the_ranking(tmp_path: Path) -> None:
    ranking, others, _ = _Page(rendered(tmp_path, scored={"dossiers.on_time"})).tables
    assert [cells(row)[1:] for row in ranking[1:3]] == [
        ["Sở Nội vụ", "933,39", "93,34% 2.368/2.537"],
        ["Sở Y tế", "62,50 62,50–562,50", "chưa đủ"],
    ]
    assert others[0][1].startswith("Tỷ lệ hộp thư")
    assert [cells(row) for row in others[1:]] == [
        ["Sở Nội vụ", "không áp dụng"],
        ["Sở Y tế", "12,50% 1/8"],
        [HOSTILE, "thiếu"],
    ]


def test_where_criteria_stand_in_groups_the_ranking_has_their_points_and_the_figures_stand_under_it(
    tmp_path: Path,
) -> None:
    html = rendered(tmp_path, grouped=True)
    ranking, figures, _ = _Page(html).tables
    assert ranking[0] == ["Hạng", "Cơ quan", "Điểm", "Một cửa", "Hạ tầng"]
    assert cells(ranking[2]) == ["=2 1–2", "Sở Y tế", "62,50 62,50–562,50", "62,50 / 600", "33,30 –299,97 / 400"]
    assert figures[0][1].startswith("Tỷ lệ hồ sơ")
    assert cells(figures[1]) == ["Sở Nội vụ", "93,34% 2.368/2.537", "không áp dụng"]
    assert html.count("<details>") == 2, "the figures, and why some have none"


def test_it_says_what_the_points_rest_on(tmp_path: Path) -> None:
    says = "điểm: 600.00 điểm đo từ bản ghi (trong đó 600.00 điểm do máy tự ghi), 400.00 điểm kê khai kèm minh chứng."
    assert f"Trong 1000.00 {says}".replace(".00", ",00") in _Page(rendered(tmp_path, grouped=True)).text
    assert "kê khai kèm minh chứng." not in _Page(rendered(tmp_path)).text.replace("thì kê khai kèm minh chứng", "")


def test_a_figure_that_is_not_measured_shows_no_number(page: _Page) -> None:
    assert "75,00" not in page.text
    assert "3/4" not in page.text


def test_it_says_why_a_cell_has_no_figure_and_of_whom(page: _Page) -> None:
    assert re.search(r"Tỷ lệ hồ sơ [^:]*: chưa đủ, 1 of 5 cannot be judged \(Sở Y tế, <script>", page.text)
    assert re.search(r": thiếu, no source that serves it offers: mailbox_day \(<script>", page.text)
    assert "nothing to judge" not in page.text


def test_a_block_without_agencies_is_left_out(page: _Page) -> None:
    assert "Không có ai" not in page.text
    assert len(page.tables) == 2


def test_each_source_shows_how_its_last_run_ended(page: _Page) -> None:
    assert [cells(row) for row in page.tables[1][1:]] == [
        ["onestop", "08:00 ngày 01/03/2026", "tốt", "27/02/2026", "12.345"],
        [
            "mail",
            "08:00 ngày 01/03/2026",
            "tạm thời không đọc được mail, reach: <it> did not answer",
            "27/02/2026",
            "12.345",
        ],
        ["quiet", "08:00 ngày 01/03/2026", "đọc được, nhưng không có gì mới đã quá lâu", "27/02/2026", "12.345"],
        ["new", "–", "chưa đọc lần nào", "–", "0"],
    ]


def test_every_way_that_a_run_can_end_has_a_word() -> None:
    results: tuple[str, ...] = Result.__args__  # type: ignore[attr-defined]
    assert set(_RESULTS) == {*results, "never", "running", "cut_off", "bug"}


def test_names_are_text_and_never_a_program(html: str, page: _Page) -> None:
    assert "script" not in page.tags
    assert "&lt;script&gt;" in html
    assert HOSTILE in page.text


def test_it_names_no_address_but_its_own(page: _Page) -> None:
    assert page.addresses == ["data:,", "#block-departments", "#sources", "/metrics"]


def test_it_says_which_month_in_which_language_and_when(html: str, page: _Page) -> None:
    assert '<html lang="vi">' in html
    assert "Tháng 2 năm 2026, đếm từ bản ghi của hệ thống nguồn" in page.text
    assert '<time datetime="2026-03-01T08:00:00+07:00">08:00 ngày 01/03/2026</time>' in html
    for foreign in re.findall(r"<(\w+)([^>]*)>(?:Departments|use of IT|only 0)", html):
        assert 'lang="en"' in foreign[1]


def test_wide_tables_can_be_scrolled_by_the_keyboard_and_say_what_they_are(html: str) -> None:
    assert html.count("<table") == 2
    regions = re.findall(r'<div class="scroll" tabindex="0" role="region" aria-labelledby="([\w-]+)">\s*<table', html)
    assert regions == ["block-departments", "sources"]
    assert all(f'id="{one}"' in html for one in regions)
