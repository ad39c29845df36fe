"""A sheet is read as offices save it; what cannot be read is refused by line and column, all faults at once."""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart
from openpyxl.utils import get_column_letter

from collector import init
from collector.audit import COLUMNS, audit, blank, read
from collector.contract.errors import WrongUse
from tests.audit.sheets import csv_of
from tests.servers.libreoffice import convert

HEADER = ["Văn bản", "Năm", "Nội dung", "Giá trị", "Đơn vị tính", "Mẫu số", "Tỷ lệ in"]
LINE = ["Báo cáo 12", "2019", "Hồ sơ đã giải quyết", "2.368", "hồ sơ", "2.537", "93,1%"]
TEXT = "".join(";".join(row) + "\n" for row in (HEADER, LINE))


def found(file: Path, sheet: str | None = None) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.rule, one.claimed, one.recomputed) for one in audit(read(file, sheet)).findings]


THE_ERROR = [(2, "percentage", "93,1%", "93.34%")]


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(";", "\t").encode(),
        TEXT.replace(";", "|").encode(),
        ("sep=;\n" + TEXT).encode(),
        '"{}"\n"{}"\n'.format('","'.join(HEADER), '","'.join(LINE)).encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-le", "utf-16-be", "crlf", "cr", "tab", "bar", "sep", "comma and quotes"],
)
def test_a_csv_is_read_whoever_saved_it(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_bytes(data)
    expected = THE_ERROR if not data.startswith(b"sep") else [(3, *THE_ERROR[0][1:])]
    assert found(file) == expected


def test_the_vietnamese_code_page_has_tones_apart_from_vowels(tmp_path: Path) -> None:
    """Windows-1258 writes ệ as ê and a dot below: here by hand, as Python cannot encode composed letters."""
    apart = {"ă": "ă", "ả": "a\u0309", "ộ": "ô\u0323", "á": "a\u0301", "ị": "i\u0323", "ố": "ô\u0301", "ỷ": "y\u0309"}
    apart |= {"ệ": "ê\u0323", "ồ": "ô\u0300", "ơ": "ơ", "ẫ": "â\u0303", "ã": "a\u0303", "ả": "a\u0309", "ế": "ê\u0301"}
    text = "".join(apart.get(one, one) for one in TEXT)
    file = tmp_path / "sheet.csv"
    file.write_bytes(text.encode("cp1258"))
    assert found(file) == THE_ERROR
    assert read(file)[0].what == "Hồ sơ đã giải quyết"


def test_titles_may_stand_above_the_header_and_the_line_is_that_of_the_spreadsheet(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text("BÁO CÁO;;;;;;\n;;;;;;\n" + TEXT.replace("Tỷ lệ in", "TỶ LỆ (%) *"), encoding="utf-8")
    assert found(file) == [(4, *THE_ERROR[0][1:])]


def test_a_quoted_cell_may_hold_line_ends_and_separators(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text(TEXT.replace("Hồ sơ đã giải quyết", '"Hồ sơ;\n“đã” ""giải quyết"""'), encoding="utf-8")
    assert found(file) == THE_ERROR
    assert read(file)[0].what == 'Hồ sơ; “đã” "giải quyết"'


def test_english_headers_do_too(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    header = ["Document", "Period", "What", "Value", "Unit", "Whole", "Printed percentage"]
    file.write_text("".join(";".join(row) + "\n" for row in (header, LINE)), encoding="utf-8")
    assert found(file) == THE_ERROR


def test_a_document_left_empty_is_that_of_the_line_above(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text(
        "Văn bản;Ngày văn bản;Nội dung;Giá trị\nA;18/12/2017;x;5\n;;y;6\n;1/2/2018;y;6\nB;;z;7\n", encoding="utf-8"
    )
    assert [(one.document, one.date) for one in read(file)] == [
        ("A", 20171218),
        ("A", 20171218),
        ("A", 20180201),
        ("B", None),
    ]


def test_all_faults_are_told_at_once_by_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text(
        csv_of(
            {"value": "khá tốt", "period": "2019"},
            {"value": "5", "period": "năm ngoái", "rank": "1,5"},
            {"what": "", "value": "5", "sum_of": "Nhóm lạ", "date": "31/2/2019"},
            {"value": "", "nature": "mong muốn"},
            {"value": "33/39", "whole": "40", "part": "-5"},
            {"value": "93%", "percentage": "94%", "move": "lên hạng"},
            {"value": "2.386", "part": "2.368", "whole": "2.537"},
        ),
        encoding="utf-8",
    )
    with pytest.raises(WrongUse) as refused:
        read(file)
    told = [line.removeprefix(f"{file}:").split(": ")[:2] for line in str(refused.value).splitlines()]
    assert told == [
        ["2", "Giá trị"],
        ["3", "Hạng"],
        ["3", "Năm"],
        ["4", "Ngày văn bản"],
        ["4", "Nội dung"],
        ["5", "Loại"],
        ["5", "Giá trị"],
        ["6", "Tử số"],
        ["6", "Giá trị"],
        ["7", "Tỷ lệ in"],
        ["7", "Tăng giảm bậc"],
        ["8", "Giá trị"],
    ]


@pytest.mark.parametrize(
    ("line", "column", "mend"),
    [
        ({"value": "5", "sum_of": "Theo múc"}, "Là tổng của", "Did you mean Theo mức?"),
        ({"value": "5", "sum_of": "Theo mức", "group": "theo mức"}, "Là tổng của", "Empty the one or the other cell"),
        ({"value": "5%", "base": "Cấp thư"}, "Tính trên", "Did you mean Cấp hộp thư?"),
        ({"value": "5%", "indicator": "dossiers.ontime"}, "Mã chỉ số", "Did you mean dossiers.on_time?"),
    ],
)
def test_a_name_that_means_nothing_is_refused(line: dict[str, str], column: str, mend: str, tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text(csv_of(line, {"value": "5", "group": "Theo mức", "figure": "Cấp hộp thư"}), encoding="utf-8")
    with pytest.raises(WrongUse) as refused:
        read(file, indicators=["dossiers.on_time", "mailboxes.provisioned"])
    assert f"{file}:2: {column}: " in str(refused.value)
    assert str(refused.value).endswith(mend)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no header"),
        ("a;b\n1;2\n", "there is no header"),
        ("Nội dung;Giá trị\n", "the sheet has no line"),
        ("Văn bản;Giá trị\nA;5\n", "this column is missing"),
        ("Nội dung;Giá trị;Gia tri\nx;5;6\n", "the same as Giá trị"),
        ("Nội dung;Giá trị;Giá tiền\nx;5;6\n", "there is no such column"),
        ("Nội dung;Giá trị\nx;5\n", "no document is named"),
        ('Nội dung;Giá trị\nx;"5\n', "the row cannot be read"),
        ("Nội dung;Giá trị\nx;\x005\n", "no text"),
        ("Nội dung;Giá trị\n" + "x" * 5_000 + ";5\n", "over 4,000 letters"),
    ],
    ids=[
        "empty",
        "other columns",
        "no line",
        "no what",
        "twice",
        "unknown column",
        "no document",
        "open quote",
        "nul",
        "long",
    ],
)
def test_what_is_no_sheet_of_figures_is_refused(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WrongUse, match=told):
        read(file)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "not there.csv", Path("/dev/zero")):
        with pytest.raises(WrongUse, match="is no file"):
            read(path)


# -- workbooks ------------------------------------------------------------------------------------------------------


def workbook(folder: Path, *rows: Sequence[object]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    file = folder / "sheet.xlsx"
    book.save(file)
    return file


def test_a_workbook_says_the_same(tmp_path: Path) -> None:
    assert found(workbook(tmp_path, HEADER, LINE)) == THE_ERROR


def test_numbers_of_a_workbook_are_read_as_they_are_shown(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append(["Báo cáo", 2019, "Hồ sơ", 2368, "hồ sơ", 2537, 0.931])
    sheet["G2"].number_format = "0.0%"
    sheet.append(["Báo cáo", 2019, "Hồ sơ", 2368, "hồ sơ", 2537, 0.9334])
    sheet["G3"].number_format = "0.00%"
    sheet.append(["Báo cáo", datetime(2019, 5, 1), "Hồ sơ", 2368, "hồ sơ", 2537, 93.3])  # noqa: DTZ001 - as in a cell
    sheet["B4"].number_format = "mm/yyyy"
    sheet["D4"].number_format = "#,##0"
    sheet.append(["Báo cáo", datetime(2019, 5, 17), "Hồ sơ", 2368.0, "hồ sơ", 2537, 93.34251])  # noqa: DTZ001
    sheet["G5"].number_format = "0.0"
    sheet.append(["Báo cáo", None, "Hồ sơ", 0.5, "tỷ đồng", 1, 50])
    file = tmp_path / "sheet.xlsx"
    book.save(file)
    assert found(file) == [(2, "percentage", "93,1%", "93.34%")]
    claims = read(file)
    assert [one.percentage.written for one in claims if one.percentage] == ["93,1%", "93,34%", "93,3%", "93,3%", "50%"]
    assert [one.period.period.name if one.period and one.period.period else None for one in claims] == [
        "2019",
        "2019",
        "2019-05",
        None,
        None,
    ]


def test_a_quotient_that_a_spreadsheet_computed_is_no_error(tmp_path: Path) -> None:
    """Of its sixteen digits the last are those of the machine."""
    lines = [["Báo cáo", 2019, "Hồ sơ", part, "hồ sơ", 2537, 100 * part / 2537] for part in range(1, 2537, 23)]
    assert any(len(str(line[-1])) > 17 for line in lines)
    assert found(workbook(tmp_path, HEADER, *lines)) == []


def test_a_formula_is_read_by_its_value_and_refused_without_one(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append([*LINE[:6], "=D2/F2"])
    file = tmp_path / "sheet.xlsx"
    book.save(file)
    with pytest.raises(WrongUse, match=r":2: Tỷ lệ in: .*a formula that nobody computed"):
        read(file)
    computed = tmp_path / "computed.xlsx"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(computed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert b"<v></v>" in data or b"<v />" in data
                data = data.replace(b"<v></v>", b"<v>93.1</v>").replace(b"<v />", b"<v>93.1</v>")
            new.writestr(name, data)
    assert found(computed) == [(2, "percentage", "93,1%", "93.34%")]


@pytest.mark.parametrize(
    ("value", "told"),
    [(True, "'TRUE'"), ("#DIV/0!", "'#DIV/0!'"), (datetime(2026, 12, 5), "a date made of a number")],  # noqa: DTZ001
    ids=["bool", "error", "date"],
)
def test_what_a_spreadsheet_made_of_a_figure_is_refused(value: object, told: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=told):
        read(workbook(tmp_path, HEADER, [*LINE[:3], value, "", "", ""]))


def test_the_sheet_with_our_columns_is_taken_and_of_several_one_must_be_named(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.append(["Hướng dẫn"])
    for name, printed in (("Năm 2018", "93,3%"), ("Năm 2019", "93,1%")):
        sheet = book.create_sheet(name)
        sheet.append(HEADER)
        sheet.append([*LINE[:6], printed])
    file = tmp_path / "sheet.xlsx"
    book.save(file)
    with pytest.raises(WrongUse, match="several sheets have our columns: Năm 2018, Năm 2019"):
        read(file)
    assert found(file, "Năm 2018") == []
    assert found(file, "Năm 2019") == THE_ERROR
    with pytest.raises(WrongUse, match="there is no sheet Năm 2020"):
        read(file, "Năm 2020")
    del book["Năm 2018"]
    book.create_chartsheet("Biểu đồ").add_chart(BarChart())
    book.save(file)
    assert found(file) == THE_ERROR


def test_a_csv_has_no_sheets(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text(TEXT, encoding="utf-8")
    with pytest.raises(WrongUse, match="has no sheets"):
        read(file, "Năm 2019")


def test_what_it_is_called_does_not_matter(tmp_path: Path) -> None:
    file = workbook(tmp_path, HEADER, LINE)
    assert found(file.rename(tmp_path / "sheet.csv")) == THE_ERROR
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    (tmp_path / "sheet.xlsx").write_bytes(book.getvalue())
    with pytest.raises(WrongUse, match="no workbook that can be read"):
        read(tmp_path / "sheet.xlsx")
    (tmp_path / "sheet.xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512))
    with pytest.raises(WrongUse, match="an old workbook"):
        read(tmp_path / "sheet.xls")


@pytest.mark.server("libreoffice")
def test_a_workbook_that_libreoffice_wrote_says_the_same_as_the_csv(
    tmp_path: Path, server_folder: Callable[[str], Path]
) -> None:
    published = init.samples() / "audit" / "published-2016-2019.csv"
    rows = csv.reader(published.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    ours = workbook(tmp_path, *rows)
    written = tmp_path / "written"
    convert([ours], "xlsx", written, server_folder("libreoffice"))
    with zipfile.ZipFile(written / ours.name) as archive:
        assert b"LibreOffice" in archive.read("docProps/app.xml")
        assert "xl/sharedStrings.xml" in archive.namelist()
    assert audit(read(written / ours.name)).findings == audit(read(published)).findings


def test_an_empty_sheet_is_filled_in_as_text_and_audited(tmp_path: Path) -> None:
    file = tmp_path / "new.xlsx"
    blank.write(file)
    with pytest.raises(WrongUse, match="is there already"):
        blank.write(file)
    with pytest.raises(WrongUse, match="the sheet has no line"):
        read(file)
    book = load_workbook(file)
    sheet = book.active
    assert sheet is not None
    headers = [cell.value for cell in sheet[1]]
    assert headers == [column.vi for column in COLUMNS]
    for place in range(1, len(headers) + 1):
        assert sheet.column_dimensions[get_column_letter(place)].number_format == "@"
        assert sheet.cell(1, place).comment is not None
    for name, text in zip(HEADER, LINE, strict=True):
        sheet.cell(2, headers.index(name) + 1, text)
    book.save(file)
    assert found(file) == THE_ERROR


def test_thousands_that_a_spreadsheet_took_for_decimals_are_named(tmp_path: Path) -> None:
    """2.537 in a spreadsheet with English settings is two and a half."""
    with pytest.raises(WrongUse) as refused:
        read(workbook(tmp_path, HEADER, [*LINE[:3], 2.368, "hồ sơ", 2.537, "93,1%"]))
    told = str(refused.value).splitlines()
    assert [line.removeprefix(f"{tmp_path / 'sheet.xlsx'}:").split(": ")[:2] for line in told] == [
        ["2", "Mẫu số"],
        ["2", "Giá trị"],
    ]
    assert all("is no whole number. Did the spreadsheet take 2.537 for 2,537?" in line for line in told)
    money = [*LINE[:3], 50.35, "tỷ đồng", 111.97, "45%"]
    assert found(workbook(tmp_path, HEADER, money)) == []
    mean = [*LINE[:3], "2,5", "hồ sơ/ngày", "", ""]
    assert [one[1] for one in found(workbook(tmp_path, HEADER, mean))] == ["alone"]
