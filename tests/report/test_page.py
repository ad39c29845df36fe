"""The report as HTML: what it says of each figure, and what it must never say."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from collector.contract.indicator import Cells, Counted, Flow
from collector.report import Content, words
from collector.report.page import in_css, render
from tests.report.contents import CONTENT, EVIDENCE, FORMULA, SCRIPT, SEALED, A, B, C, D
from tests.store.small import INDICATORS


def text(html: str) -> str:
    """What a reader sees, in one line; pictures by their words."""
    body = re.sub(r"(?s)<style>.*?</style>", "", html)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("&#34;", '"').replace("&#39;", "'").split())


def section(html: str, code: str) -> str:
    """An agency's own page."""
    start = html.index(f'id="cq-{code}"')
    return html[start : html.index("</section>", start)]


def row(html: str, title: str) -> str:
    """What stands in an agency's page of one figure, without its definition."""
    start = html.index(title)
    return text(html[start : html.index('<tr class="meaning">', start)])


def test_nothing_is_asked_of_anybody_and_nothing_runs() -> None:
    html = render(replace(CONTENT, evidence=EVIDENCE.evidence, only=B))
    for whole in (html, render(CONTENT), render(SEALED)):
        assert not re.findall(r"<(?:script|link(?! rel=\"icon\" href=\"data:,\")|img|iframe|object|form)\b", whole)
        assert not re.findall(r"(?:src|href)=\"(?!#|data:,)", whole)
        assert not re.findall(r"\son\w+=|url\(|@import", whole)


def test_a_name_that_would_like_to_be_a_program_is_text() -> None:
    html = render(CONTENT)
    assert SCRIPT not in html
    assert "&lt;script&gt;document.title = &#39;stolen&#39;&lt;/script&gt;" in html
    assert FORMULA in text(html)


def test_a_province_cannot_leave_the_style_sheet() -> None:
    assert in_css('A";} </style>') == r"A\000022\00003b\00007d \00003c\00002fstyle\00003e"
    html = render(replace(CONTENT, province='"}</style><b>'))
    assert html.count("</style>") == 1
    assert in_css("Phú Thọ") == "Phú Thọ"


def test_the_annex_has_a_line_for_each_agency_in_the_order_of_ranks() -> None:
    told = text(render(CONTENT))
    assert f"1 {FORMULA} 812,34 1 Khá 100 % 80 % +2" in told
    assert "2 Sở Nội vụ 100,00 100,00–700,00 2 Khá–Tốt 99 % 0 % −1" in told
    assert "@UBND huyện 0,00 0,00–1000,00 – 99 % 0 %" in told
    assert "@UBND huyện: mới đo được 0,0 % số điểm only 0.0 % of its points are measured" in told


def test_99_99_percent_measured_is_not_called_100() -> None:
    assert "99 %" in text(section(render(CONTENT), B))
    assert "100 %" not in text(section(render(CONTENT), B)).split("Điểm theo tiêu chí")[0]


@pytest.mark.parametrize(
    ("code", "title", "told"),
    [
        (A, "trên hồ sơ đã giải quyết", "93,34 % 93,34 % 2.368 2.537 3 28/02/2026"),
        (B, "trên hồ sơ đã giải quyết", "0,00 % 0,00 % 0 12 0 28/02/2026 –"),
        (C, "trên hồ sơ đã giải quyết", "không áp dụng not applicable 0 0 0 28/02/2026 –"),
        (D, "trên hồ sơ đã giải quyết", "thiếu missing – – – – –"),
        (B, "Tỷ lệ hộp thư công vụ", "chưa đủ partial 31 40 0 20/02/2026 –"),
        (C, "Tỷ lệ hộp thư công vụ", "không nêu suppressed – – – 28/02/2026 –"),
    ],
)
def test_a_figure_is_told_by_its_counts_or_by_its_state(code: str, title: str, told: str) -> None:
    assert told in row(section(render(CONTENT), code), title)


def test_what_is_not_measured_has_no_bar_and_no_zero() -> None:
    html = render(CONTENT)
    for code, bars in ((A, 3), (B, 2), (C, 0), (D, 0)):
        assert section(html, code).count('<svg class="bar"') == bars, code
    assert text(section(html, D)).count("0,00 %") == 0


def test_every_figure_says_what_it_counts_by_which_law_and_version_and_why_it_is_none() -> None:
    own = text(section(render(CONTENT), D))
    for part in (
        "dossiers.on_time, v1",
        "hồ sơ có kết quả trong kỳ",
        "ngày kết thúc xử lý không sau hạn trả có hiệu lực",
        "NĐ 61/2018/NĐ-CP",
        "Vì sao: không có nguồn nào của cơ quan cung cấp: hồ sơ, hẹn trả và tạm dừng hồ sơ.",
        "no source that serves it offers: dossier, dossier_event.",
    ):
        assert part in own, part
    assert "Càng thấp càng tốt" in own


def test_wider_figures_say_how_many_agencies_are_measured() -> None:
    told = text(render(CONTENT))
    assert "Cả khối block 92,90 % 92,90 % 2.368 2.549 3 28/02/2026" in told
    assert "Toàn tỉnh province 2/3 cơ quan đo đủ thiếu missing 2.368 2.549 3 28/02/2026" in told


def test_a_measured_figure_that_does_without_lost_days_says_so() -> None:
    html = render(CONTENT)
    assert "Lưu ý: chấp nhận mất dữ liệu ngày 11/02/2026 của nguồn mail: hỏng đĩa." in text(section(html, A))
    assert f"đo đủ ({A}): chấp nhận mất dữ liệu ngày 11/02/2026" in text(html)


def test_points_stand_by_criterion_in_their_groups() -> None:
    own = text(section(render(CONTENT), A))
    assert "1 Ứng dụng Use 1.1 Hồ sơ đúng hạn Dossiers on time máy ghi machine 400 400,00 373,35 26,65" in own
    assert "Minh chứng: Quyết định số 12/QĐ (2026-01-05) tự khai declared 400 200,00 38,99 161,01" in own
    other = text(section(render(CONTENT), B))
    assert "Dossiers on time máy ghi machine 400 400,00 0,00 400,00 +9" in other
    assert "Mailboxes used máy ghi machine 400 400,00 0,00–400,00 chưa đủ partial" in other, "not lost yet"
    assert "500,00 500,00 không nêu suppressed" in text(section(render(CONTENT), C)), "earned with others"


def test_flags_stand_beside_the_figures_that_they_may_be_about() -> None:
    html = render(CONTENT)
    own = section(html, A)
    assert "4 Kết thúc xử lý vào ngày nghỉ completed on a day off 2" in text(own)
    assert "cờ kiểm tra flags 4" in text(own[own.index("dossiers.on_time") :])
    assert "cờ kiểm tra flags 10" in text(own[own.index("mailboxes.free_mail") :])
    assert text(own).count("cờ kiểm tra") == 2
    assert "Cờ kiểm tra integrity" not in text(section(html, B))


def test_what_is_not_sealed_says_so_and_what_is_sealed_names_its_edition() -> None:
    open_, sealed = text(render(CONTENT)), text(render(SEALED))
    assert "số liệu chưa chốt not sealed" in open_
    assert "CHƯA CHỐT NOT SEALED" in open_
    assert "Số liệu lúc 08:00 ngày 01/03/2026" in open_
    assert "CHƯA CHỐT" not in sealed
    assert "chưa chốt" not in sealed
    assert "Ấn bản 2, chốt lúc 08:00 ngày 01/03/2026 ; lập lại vì: đính chính (sửa tên =cơ quan)" in sealed
    assert "ab" * 32 in sealed


def test_an_edition_that_was_stated_anew_says_so() -> None:
    assert SEALED.seal is not None
    old = text(render(replace(SEALED, seal=replace(SEALED.seal, later=3))))
    assert "đã được thay bằng ấn bản 3 restated by edition 3" in old
    assert "restated by" not in text(render(SEALED))


def test_every_column_that_a_formula_shows_has_a_title_in_both_languages() -> None:
    for one in INDICATORS:
        match one.formula:
            case Counted():
                shown = {column.name for column in one.formula.shows}
            case Cells():
                shown = set(one.formula.items.selected_columns.keys()) if one.group is None else set()
            case Flow():
                shown = {column.name for column in one.formula.came.shows}
        assert shown <= set(words.COLUMNS), one.id


class Outline(HTMLParser):
    """The headings, the ids, the links within, and whether each table has a head."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tables = self.heads = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if (id_ := own.get("id")) is not None:
            self.ids.append(id_)
        if tag == "a" and (to := own.get("href")) is not None:
            self.links.append(to.removeprefix("#"))
        self.tables += tag == "table"
        self.heads += tag == "thead"


@pytest.mark.parametrize("content", [CONTENT, SEALED, EVIDENCE], ids=["open", "sealed", "evidence"])
def test_headings_have_an_order_links_arrive_and_tables_repeat_their_heads(content: Content) -> None:
    found = Outline()
    found.feed(render(content))
    assert found.levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(found.levels, found.levels[1:], strict=False))
    assert len(set(found.ids)) == len(found.ids)
    assert set(found.links) <= set(found.ids)
    assert found.tables == found.heads


def test_the_contents_lead_to_every_block_figure_and_agency() -> None:
    found = Outline()
    found.feed(render(CONTENT))
    for id_ in ("khoi-departments", "cs-dossiers.on_time", f"cq-{A}", f"cq-{D}", "chu-giai"):
        assert id_ in found.links


def test_the_evidence_of_an_agency_has_its_records_and_says_that_they_come_to_the_figure() -> None:
    html = render(EVIDENCE)
    told = text(html)
    assert "3 dòng rows : 1 đạt, 2 xét, 1 không xét được, khớp với số trên" in told
    assert "onestop =1+1 03/02/2026 đạt 30/01/2026 05/02/2026 hẹn lần đầu 03/02/2026 đã có kết quả" in told
    assert "onestop 3 11/02/2026 không xét được – – – 11/02/2026 đã có kết quả" in told
    assert FORMULA not in told, "another agency"
    assert "@UBND" not in told


def test_records_that_do_not_come_to_the_figure_are_called_out() -> None:
    first, *_ = EVIDENCE.evidence
    assert first.agrees
    short = replace(first, rows=first.rows[1:])
    assert not short.agrees
    assert "KHÔNG KHỚP" in text(render(replace(EVIDENCE, evidence=(short,))))


def test_a_figure_whose_item_is_the_agency_is_a_hit_by_any_record() -> None:
    first, *_ = EVIDENCE.evidence
    assert replace(first, is_one_item=True).counts == (1, 1, 0)
    assert replace(first, is_one_item=True, rows=first.rows[2:]).counts == (0, 0, 1)
    assert replace(first, is_one_item=True, rows=first.rows[1:2]).counts == (0, 1, 0)
    assert replace(first, is_one_item=True, rows=()).counts == (0, 1, 0)
