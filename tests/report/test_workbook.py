"""The report as a spreadsheet, as openpyxl reads it: types, safety, print layout, and the same bytes again."""

import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from collector.report import Block
from collector.report.workbook import written
from tests.report.contents import CONTENT, EVIDENCE, FORMULA, READINGS, SEALED, A, agency


@pytest.fixture(scope="module")
def book() -> Workbook:
    return load_workbook(io.BytesIO(written(CONTENT)))


def rows(sheet: Worksheet) -> Iterator[dict[str, object]]:
    """The lines below the head, by the Vietnamese titles."""
    head, *others = sheet.iter_rows(min_row=4)
    titles = [str(cell.value).splitlines()[0] for cell in head]
    for row in others:
        values = (cell.value.date() if isinstance(cell.value, datetime) else cell.value for cell in row)
        yield dict(zip(titles, values, strict=True))


def test_there_is_a_sheet_for_each_block_then_points_figures_flags_and_the_legend(book: Workbook) -> None:
    assert book.sheetnames == [
        "Sở, ban, ngành",
        "Huyện, thành phố   A B",
        "Điểm theo tiêu chí",
        "Số liệu",
        "Cờ kiểm tra",
        "Định nghĩa",
        "Chú giải",
    ]


def test_numbers_are_numbers_percentages_are_shares_and_days_are_days(book: Workbook) -> None:
    first = next(rows(book["Sở, ban, ngành"]))
    assert first["Điểm"] == 812.34
    assert (first["Xếp hạng"], first["Thay đổi"], first["Tỷ lệ đo bằng máy"]) == (1, 2, 0.8)
    sheet = book["Số liệu"]
    figure = next(rows(sheet))
    assert (figure["Tỷ lệ"], figure["Đạt"], figure["Xét"], figure["Không xét được"]) == (0.9334, 2368, 2537, 3)
    assert figure["Đến ngày"] == date(2026, 2, 28)
    formats = {
        str(cell.value).splitlines()[0]: below.number_format for cell, below in zip(sheet[4], sheet[5], strict=True)
    }
    assert (formats["Tỷ lệ"], formats["Đạt"], formats["Đến ngày"]) == ("0.00%", "#,##0", "dd/mm/yyyy")


def test_what_is_not_measured_is_an_empty_cell_with_its_state_beside_it(book: Workbook) -> None:
    found = list(rows(book["Số liệu"]))
    assert len(found) == len(READINGS)
    states = [(one["Trạng thái"], one["Tỷ lệ"], one["Đạt"], one["Xét"]) for one in found]
    assert states[3] == ("thiếu / missing", None, None, None)
    assert states[7] == ("chưa đủ / partial", None, 31, 40)
    assert states[8] == ("không nêu / suppressed", None, None, None)
    assert states[1] == ("đo đủ / measured", 0, 0, 12)


def test_text_is_never_a_formula_whatever_it_begins_with(book: Workbook) -> None:
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert "f" not in {cell.data_type for cell in cells}
    hostile = [cell for cell in cells if isinstance(cell.value, str) and cell.value[0] in "=@+-"]
    assert {cell.value for cell in hostile} == {FORMULA, "@UBND huyện"}
    assert all(cell.quotePrefix for cell in hostile)
    with zipfile.ZipFile(io.BytesIO(written(EVIDENCE))) as file:
        sheets = [file.read(name) for name in file.namelist() if name.startswith("xl/worksheets/")]
    assert not any(b"<f>" in sheet for sheet in sheets)


def test_evidence_has_a_line_for_each_record(book: Workbook) -> None:
    found = list(rows(load_workbook(io.BytesIO(written(EVIDENCE)))["Bản ghi"]))
    assert [one["mã bản ghi"] for one in found] == ["=1+1", "-2", "3", None]
    assert [one["kết luận"] for one in found] == ["đạt / hit", "không đạt / miss", "không xét được / unknown", None]
    assert found[0]["ngày tính"] == date(2026, 2, 3)
    assert (found[3]["đạt"], found[3]["xét"]) == (31, 40)


def test_every_sheet_prints_on_a4_with_its_head_on_each_page_and_says_whether_it_is_sealed(book: Workbook) -> None:
    for sheet in book:
        assert sheet.freeze_panes == "A5"
        assert sheet.print_title_rows == "$4:$4"
        assert (sheet.page_setup.paperSize, sheet.page_setup.fitToWidth) == (9, 1)
        assert str(sheet["A3"].value).startswith("SỐ LIỆU CHƯA CHỐT / not sealed")
    sealed = load_workbook(io.BytesIO(written(SEALED)))
    assert {str(sheet["A3"].value)[:24] for sheet in sealed} == {"Ấn bản 2, chốt lúc 08:00"}


def test_the_same_report_is_the_same_file_whenever_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(CONTENT)
    later = time.time() + 86_400
    monkeypatch.setattr("time.time", lambda: later)
    assert written(CONTENT) == first
    with zipfile.ZipFile(io.BytesIO(first)) as file:
        assert {one.date_time for one in file.infolist()} == {(2026, 3, 1, 8, 0, 0)}
        core = file.read("docProps/core.xml").decode()
    assert core.count("2026-03-01T01:00:00Z") == 2


def test_blocks_of_one_long_name_have_sheets_of_their_own() -> None:
    long = "Các cơ quan chuyên môn thuộc Ủy ban nhân dân tỉnh"
    blocks = tuple(Block(id_, long, "", (agency(A),)) for id_ in ("a", "b"))
    names = load_workbook(io.BytesIO(written(replace(CONTENT, blocks=blocks)))).sheetnames
    assert names[:2] == ["Các cơ quan chuyên môn thuộc Ủy", "Các cơ quan chuyên môn thuộ (2)"]


def test_signs_that_no_spreadsheet_can_hold_are_told_apart() -> None:
    odd = replace(agency(A), name="A\x0bB")
    blocks = (Block("a", "A", "", (odd,)),)
    sheet = load_workbook(io.BytesIO(written(replace(CONTENT, blocks=blocks))))["A"]
    assert sheet["C5"].value == "A\ufffdB"
