"""The columns of a sheet of declared figures: their headers in Vietnamese and English, and what stands in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.audit.cell import Cell, folded


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `also` are other headers that mean it; case and marks do not matter, nor what stands in brackets."""

    id: str
    vi: str
    en: str
    says_vi: str
    says_en: str
    also: tuple[str, ...] = ()


COLUMNS: tuple[Column, ...] = (
    Column(
        "document",
        "Văn bản",
        "Document",
        "nơi số liệu được công bố: tên và ngày của văn bản, bài báo; để trống là như dòng trên",
        "where it was said: title and date; left empty, it is that of the line above",
        ("tài liệu", "nguồn", "source", "nơi công bố"),
    ),
    Column(
        "date",
        "Ngày văn bản",
        "Document date",
        "ngày của văn bản, như 18/12/2017; để trống cùng cột Văn bản là như dòng trên",
        "the day of the document, as 18/12/2017; left empty with Document, it is that of the line above",
        ("ngày", "ngày công bố", "ngày ban hành", "date"),
    ),
    Column("page", "Trang", "Page", "trang, mục, phụ lục", "page, section, annex", ("mục", "trang, mục", "section")),
    Column(
        "period",
        "Năm",
        "Period",
        "năm hoặc kỳ của số liệu: 2017, quý III/2018, tháng 5/2019, 2011-2015, đến 17/5/2019",
        "the year or period that the figure is about: 2017, 2018-Q3, 2019-05, 2011-2015, 17/5/2019",
        ("kỳ", "kỳ số liệu", "năm số liệu", "kỳ báo cáo", "year"),
    ),
    Column(
        "labelled",
        "Năm ghi ở tiêu đề",
        "Labelled year",
        "năm mà tiêu đề hoặc nhãn của chính số liệu đó ghi, nếu có",
        "the year that the title or a label gives for the same figure, if any",
        ("năm tiêu đề", "nhãn năm", "label", "labelled"),
    ),
    Column(
        "nature",
        "Loại",
        "Kind",
        "kết quả (để trống cũng vậy), kế hoạch, hoặc mức tăng",
        "result (also if left empty), plan, or growth",
        ("loại số liệu", "tính chất", "kind"),
    ),
    Column("block", "Khối", "Block", "khối được xếp hạng cùng nhau, hoặc cấp", "the block that is ranked together"),
    Column(
        "agency",
        "Cơ quan",
        "Agency",
        "cơ quan, đơn vị, địa phương: tên hoặc mã định danh",
        "the agency: its name or its identification code",
        ("đơn vị", "địa phương", "cơ quan, đơn vị", "unit ranked"),
    ),
    Column(
        "what",
        "Nội dung",
        "What",
        "số liệu nói về điều gì (bắt buộc)",
        "what the figure is about (always needed)",
        ("chỉ tiêu", "tiêu chí", "số liệu", "diễn giải", "figure of"),
    ),
    Column(
        "value",
        "Giá trị",
        "Value",
        "con số như đã in: 93,1%; 2.537; gần 70%; trên 90%; 33/39",
        "the number as printed: 93,1%; 2.537; gần 70%; 33/39",
        ("số công bố", "con số", "kết quả"),
    ),
    Column(
        "unit", "Đơn vị tính", "Unit", "hồ sơ, thủ tục, %, tỷ đồng…", "dossiers, procedures, %…", ("ĐVT", "đv tính")
    ),
    Column(
        "part", "Tử số", "Part", "số đạt, nếu có in", "the count that was reached", ("phần", "số đạt", "đạt", "hits")
    ),
    Column("whole", "Mẫu số", "Whole", "tổng số, nếu có in", "out of how many", ("tổng số", "tổng", "trên tổng số")),
    Column(
        "percentage",
        "Tỷ lệ in",
        "Printed percentage",
        "tỷ lệ phần trăm đã in, khi Giá trị là số đếm",
        "the percentage as printed, where the value is a count",
        ("tỷ lệ", "tỷ lệ %", "phần trăm", "percentage", "percent"),
    ),
    Column(
        "sum_of",
        "Là tổng của",
        "Sum of",
        "các số hạng đã in (109 + 15), hoặc tên nhóm của các dòng cộng lại",
        "the addends as printed (109 + 15), or the group of the lines that add up to it",
        ("tổng của", "bằng tổng", "total of"),
    ),
    Column(
        "group",
        "Nhóm",
        "Group",
        "tên nhóm của các dòng cộng lại với nhau",
        "the name of the lines that are added up",
        ("thuộc nhóm", "số hạng của", "nhóm số hạng", "addend of"),
    ),
    Column(
        "figure",
        "Chuỗi",
        "Series",
        "một tên chung cho cùng một số liệu ở nhiều năm, nhiều văn bản",
        "one name for the same figure in several years or documents",
        ("chuỗi số liệu", "cùng số liệu", "figure"),
    ),
    Column(
        "previous",
        "Kỳ trước",
        "Previous",
        "cùng số liệu ấy của năm (kỳ) trước, như đã in",
        "the same figure of last year, as printed",
        ("năm trước", "số kỳ trước", "cùng kỳ", "last year"),
    ),
    Column(
        "change",
        "Tăng giảm",
        "Change",
        "mức tăng (giảm) so với kỳ trước, như đã in: +375, giảm 5",
        "how much more (less) than before, as printed: +375",
        ("tăng/giảm", "mức tăng giảm", "chênh lệch", "so với kỳ trước"),
    ),
    Column(
        "base",
        "Tính trên",
        "Share of",
        "tỷ lệ này chỉ tính trên những người, việc của Chuỗi nào (67% số đã được cấp hộp thư)",
        "the series that this percentage is a share of (67 % of those who have a mailbox)",
        ("tính trên chuỗi", "trên cơ sở", "base"),
    ),
    Column(
        "rank", "Hạng", "Rank", "thứ hạng kỳ này", "the rank now", ("hạng năm nay", "thứ hạng", "xếp hạng", "rank now")
    ),
    Column(
        "rank_before",
        "Hạng kỳ trước",
        "Rank before",
        "thứ hạng kỳ trước; mới nếu chưa có, không xếp hạng nếu đã thôi",
        "the rank before; new if there was none",
        ("hạng năm trước", "hạng trước", "previous rank"),
    ),
    Column(
        "move",
        "Tăng giảm bậc",
        "Move",
        "tăng 5, giảm 6, giữ nguyên; hoặc +5, -6, 0",
        "up 5, down 6, unchanged; or +5, -6, 0",
        ("thay đổi hạng", "tăng/giảm bậc", "số bậc", "thay đổi bậc"),
    ),
    Column(
        "indicator",
        "Mã chỉ số",
        "Indicator",
        "mã ở `collector indicators`, để so với số đo được",
        "an id of `collector indicators`, to be compared with what was measured",
        ("mã chỉ tiêu", "indicator id"),
    ),
    Column("note", "Ghi chú", "Note", "không được kiểm tra", "not checked", ("lời văn", "trích", "remark", "quote")),
    Column("id", "STT", "No", "không được kiểm tra", "not checked", ("tt", "số thứ tự", "no.", "#")),
)

BY_ID: Mapping[str, Column] = {one.id: one for one in COLUMNS}


def _names(column: Column) -> set[str]:
    return {_plain(name) for name in (column.id, column.vi, column.en, *column.also)}


def _plain(header: str) -> str:
    """A header as it is compared: without case, marks, dots, stars and what stands in brackets."""
    plain = folded(header)
    while (start := plain.find("(")) >= 0 and (end := plain.find(")", start)) >= 0:
        plain = plain[:start] + plain[end + 1 :]
    return " ".join(plain.replace("_", " ").strip(" *:.").split())


_BY_NAME: Mapping[str, str] = {name: one.id for one in COLUMNS for name in _names(one)}


def column_of(header: Cell) -> str | None:
    """Return the id of the column that a header means, None if it means none."""
    return _BY_NAME.get(_plain(header.text))


def recognised(row: Sequence[Cell]) -> int:
    """Return how many headers of a row mean a column."""
    return sum(column_of(one) is not None for one in row)
