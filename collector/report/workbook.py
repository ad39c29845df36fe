"""The report as a spreadsheet: a sheet for each block, then points, figures, flags, evidence, definitions, legend.

Numbers are numbers, days are days and percentages are shares with a format for them; what is not measured is an empty
cell with its state in words beside it. Text is always text: a name that begins with = is marked as quoted. The zip
holds no time but that of the figures, so that the same report is the same file.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from collector import vietnamese
from collector.contract.period import as_date, rfc3339
from collector.contract.records import INSTANTS, is_day
from collector.flags import FLAGS
from collector.report import words
from collector.report.content import Block, Content, counts

Kind = Literal["text", "count", "points", "share", "day", "change", "place"]
Cell = str | int | Decimal | date | None

_FORMATS: dict[Kind, str] = {
    "text": "@",
    "count": "#,##0",
    "points": "#,##0.00",
    "share": "0.00%",
    "day": "dd/mm/yyyy",
    "change": "+0;-0;0",
    "place": "0",
}
_FONT = "Times New Roman"
_LINE = Side(style="thin", color="C3CBD5")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEADER_ROW = 4
_LINE_HEIGHT = 15.0  # points


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title in both languages, what its cells are, and how wide it is (in characters)."""

    vi: str
    en: str
    kind: Kind = "text"
    wide: int = 12


def written(content: Content) -> bytes:
    """Return the whole file."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for style in _styles():
        book.add_named_style(style)
    book.properties.creator = "collector"
    book.properties.title = _title(content)
    titles: set[str] = set()
    for block in content.blocks:
        rows = _ranked(content, block)
        if rows:
            _sheet(book, titles, content, block.title_vi, f"Xếp hạng khối {block.title_vi}", _RANKING, rows)
    _sheet(
        book,
        titles,
        content,
        "Điểm theo tiêu chí",
        "Điểm theo tiêu chí / points by criterion",
        _POINTS,
        _points(content),
    )
    _sheet(book, titles, content, "Số liệu", "Số liệu / figures", _FIGURES, _figures(content))
    if content.raised():
        _sheet(book, titles, content, "Cờ kiểm tra", "Cờ kiểm tra / integrity flags", _FLAGS, _flags(content))
    if content.evidence:
        columns, rows = _records(content)
        _sheet(book, titles, content, "Bản ghi", "Bản ghi đứng sau từng số / records behind each figure", columns, rows)
    _sheet(book, titles, content, "Định nghĩa", "Định nghĩa / definitions", _DEFINITIONS, _definitions(content))
    legend = [(*name, *says) for name, says in words.LEGEND]
    _sheet(book, titles, content, "Chú giải", "Chú giải / legend", _LEGEND, legend)
    return _packed(book, content.made)


def _title(content: Content) -> str:
    return f"{content.province}, {vietnamese.period(content.period)} / {content.period.name}"


def _status(content: Content) -> str:
    """Whether the figures may still change."""
    if (seal := content.seal) is None:
        vi, en = words.NOT_SEALED
        return f"{vi.upper()} / {en}: {vietnamese.moment(content.made)} / {rfc3339(content.made)}"
    at = f"{vietnamese.moment(seal.sealed)} / {rfc3339(seal.sealed)}"
    later = f" (đã có ấn bản {seal.later} / see edition {seal.later})" if seal.later else ""
    return f"Ấn bản {seal.number}{later}, chốt lúc {at}; SHA-256 {seal.digest}"


# -- sheets --------------------------------------------------------------------------------------------------------


def _sheet(
    book: Workbook,
    titles: set[str],
    content: Content,
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
) -> None:
    sheet: Worksheet = book.create_sheet(_unique(name, titles))
    _put(sheet, 1, 1, title, "title")
    _put(sheet, 2, 1, _title(content), "told")
    _put(sheet, 3, 1, _status(content), "told" if content.seal else "warned")
    for place, column in enumerate(columns, 1):
        _put(sheet, _HEADER_ROW, place, f"{column.vi}\n{column.en}" if column.en else column.vi, "head")
        sheet.column_dimensions[get_column_letter(place)].width = column.wide
    for at, values in enumerate(rows, _HEADER_ROW + 1):
        lines = 1
        for place, (column, value) in enumerate(zip(columns, values, strict=True), 1):
            _put(sheet, at, place, value, column.kind)
            if isinstance(value, str):
                lines = max(lines, _lines(value, column.wide))
        sheet.row_dimensions[at].height = lines * _LINE_HEIGHT
    headings = (part for column in columns for part in ((column.vi, column.wide), (column.en, column.wide)))
    sheet.row_dimensions[_HEADER_ROW].height = 2 * _LINE_HEIGHT * max(_lines(text, wide) for text, wide in headings)
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    if sheet.max_row > _HEADER_ROW:
        sheet.auto_filter.ref = f"A{_HEADER_ROW}:{get_column_letter(len(columns))}{sheet.max_row}"
    _printed(sheet, content)


def _lines(text: str, wide: int) -> int:
    """How many lines a text takes in a column: programs that open the file do not all work it out."""
    lines, left = 1, wide
    for word in text.split():
        if len(word) > left and left < wide:
            lines, left = lines + 1, wide
        left -= len(word) + 1
    return lines


def _printed(sheet: Worksheet, content: Content) -> None:
    sheet.print_title_rows = f"{_HEADER_ROW}:{_HEADER_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    footer = sheet.oddFooter
    assert footer is not None
    footer.left.text = _escaped(_title(content) + ("" if content.seal else f" ({words.NOT_SEALED[0]})"))
    footer.right.text = "&P / &N"


def _escaped(text: str) -> str:
    """Text as it stands in a footer, where & begins a code."""
    return text.replace("&", "&&")


def _unique(name: str, taken: set[str]) -> str:
    """A name that a sheet may have: without some signs, of 31 characters at most, and not there yet."""
    name = re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:31] or "–"
    place = 1
    found = name
    while found.lower() in taken:
        place += 1
        found = f"{name[:27]} ({place})"
    taken.add(found.lower())
    return found


def _put(sheet: Worksheet, row: int, column: int, value: Cell, style: str) -> None:
    """Write a cell in a style of `_styles`. Text stays text, whatever it begins with."""
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
        cell.data_type = "s"
        cell.style = "text" if style in _FORMATS else style
        if value.startswith(words.LIKE_FORMULAS):
            cell.quotePrefix = True
    else:
        cell.value = value
        cell.style = style


def _styles() -> Iterator[NamedStyle]:
    """The looks of cells, by name: one for each kind of value, and those of titles."""
    plain, bold = Font(name=_FONT, size=11), Font(name=_FONT, size=11, bold=True)
    for kind, number_format in _FORMATS.items():
        to = {"text": "left", "count": "right", "points": "right", "share": "right"}.get(kind, "center")
        aligned = Alignment(horizontal=to, vertical="top", wrap_text=kind == "text")
        yield NamedStyle(kind, font=plain, border=_BORDER, alignment=aligned, number_format=number_format)
    yield NamedStyle(
        "head",
        font=bold,
        border=_BORDER,
        fill=PatternFill("solid", fgColor="EEF2F6"),
        alignment=Alignment(wrap_text=True, vertical="center", horizontal="center"),
        number_format="@",
    )
    yield NamedStyle("title", font=Font(name=_FONT, size=13, bold=True), number_format="@")
    yield NamedStyle("told", font=bold, number_format="@")
    yield NamedStyle("warned", font=Font(name=_FONT, size=11, bold=True, color="98141B"), number_format="@")


# -- ranking -------------------------------------------------------------------------------------------------------

_RANKING = (
    Column("STT", "no.", "place", 6),
    Column("Mã", "code", wide=13),
    Column("Cơ quan", "agency", wide=38),
    Column("Điểm", "points", "points"),
    Column("Điểm thấp nhất", "lowest", "points"),
    Column("Điểm cao nhất", "highest", "points"),
    Column("Xếp hạng", "rank", "place", 9),
    Column("Hạng tốt nhất", "best rank", "place", 10),
    Column("Hạng kém nhất", "worst rank", "place", 10),
    Column("Xếp loại", "grade", wide=13),
    Column("Tỷ lệ đo được", "measured", "share", 11),
    Column("Tỷ lệ đo bằng máy", "by machine", "share", 11),
    Column("Thay đổi", "change", "change", 9),
    Column("Ghi chú", "note", wide=40),
)


def _ranked(content: Content, block: Block) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = []
    for one in block.agencies:
        if one.score is None or content.only not in (None, one.code):
            continue
        score = one.score
        rows.append(
            (
                len(rows) + 1,
                one.code,
                one.name,
                score.points,
                score.points_low,
                score.points_high,
                score.rank,
                score.rank_best,
                score.rank_worst,
                score.band,
                score.measured_share,
                score.machine_share,
                score.change,
                _both(vietnamese.reason(score.why), score.why),
            )
        )
    return rows


def _both(vi: str, en: str) -> str | None:
    """Both languages in one cell; once where they are the same."""
    return None if not vi else vi if vi == en else f"{vi} / {en}"


_POINTS = (
    Column("Mã", "code", wide=13),
    Column("Cơ quan", "agency", wide=34),
    Column("Tiêu chí", "criterion", wide=10),
    Column("Tên tiêu chí", "title", wide=48),
    Column("Chỉ số", "figure", wide=28),
    Column("Dựa trên", "rests on", wide=24),
    Column("Tối đa", "maximum", "points", 10),
    Column("Sau phân bổ", "worth", "points", 10),
    Column("Điểm thấp nhất", "lowest", "points", 10),
    Column("Điểm cao nhất", "highest", "points", 10),
    Column("Trạng thái", "state", wide=24),
    Column("Minh chứng", "evidence", wide=40),
)


def _points(content: Content) -> list[Sequence[Cell]]:
    return [
        (
            agency.code,
            agency.name,
            line.criterion,
            _both(line.title_vi, line.title_en) if line.title_en else line.title_vi,
            line.indicator,
            _both(*words.SOURCES[line.source]),
            line.maximum,
            line.worth,
            line.points_low,
            line.points_high,
            _both(*words.STATES[line.state]),
            line.evidence,
        )
        for block in content.blocks
        for agency in block.agencies
        if agency.score is not None and content.only in (None, agency.code)
        for line in agency.score.lines
    ]


# -- figures -------------------------------------------------------------------------------------------------------

_FIGURES = (
    Column("Khối", "block", wide=16),
    Column("Mã", "code", wide=11),
    Column("Cơ quan", "agency", wide=28),
    Column("Chỉ số", "figure", wide=31),
    Column("Phiên bản", "version", "place", 8),
    Column("Tên chỉ số", "title", wide=40),
    Column("Tỷ lệ", "share", "share", 10),
    Column("Đạt", "hits", "count", 9),
    Column("Xét", "judged", "count", 9),
    Column("Không xét được", "unknown", "count", 9),
    Column("Trạng thái", "state", wide=17),
    Column("Đến ngày", "through", "day", 12),
    Column("Ấn bản", "edition", "place", 8),
    Column("Vì sao, lưu ý", "why, note", wide=50),
)


def _figures(content: Content) -> list[Sequence[Cell]]:
    names = {agency.code: agency.name for block in content.blocks for agency in block.agencies}
    block_of = {agency.code: block.title_vi for block in content.blocks for agency in block.agencies}
    blocks = {block.id: block.title_vi for block in content.blocks}
    rows: list[Sequence[Cell]] = []
    for one in content.told():
        definition = content.definition(one.indicator)
        name = {"agency": names.get(one.agency, ""), "block": "Cả khối / block", "province": "Toàn tỉnh / province"}
        rows.append(
            (
                block_of.get(one.agency, blocks.get(one.agency, "")),
                one.agency,
                name[one.scope],
                one.indicator,
                one.version,
                definition.title_vi,
                # As it is shown everywhere: rounded once, from its counts.
                None if one.percentage is None else one.percentage / 100,
                *counts(one),
                _both(*words.STATES[words.look(one)]),
                None if one.through is None else as_date(one.through),
                one.edition,
                _both(vietnamese.reason(one.why), one.why),
            )
        )
    return rows


_DEFINITIONS = (
    Column("Chỉ số", "figure", wide=31),
    Column("Phiên bản", "version", "place", 8),
    Column("Tên chỉ số", "", wide=32),
    Column("Title", "", wide=32),
    Column("Tính", "", wide=34),
    Column("Counted", "", wide=34),
    Column("Đạt", "", wide=30),
    Column("Hit", "", wide=30),
    Column("Chiều tốt", "better", wide=16),
    Column("Dựa trên", "rests on", wide=18),
    Column("Căn cứ", "legal source", wide=44),
)


def _definitions(content: Content) -> list[Sequence[Cell]]:
    return [
        (
            one.id,
            one.version,
            one.title_vi,
            one.title_en,
            one.counted_vi,
            one.counted_en,
            one.hit_vi,
            one.hit_en,
            _both(*words.BETTER[one.better]),
            _both(*words.SOURCES[one.measured_from]),
            one.legal,
        )
        for one in content.definitions
    ]


# -- flags, evidence, legend ---------------------------------------------------------------------------------------

_FLAGS = (
    Column("Mã", "code", wide=13),
    Column("Cơ quan", "agency", wide=34),
    Column("Số", "no.", "place", 6),
    Column("Cờ", "flag", wide=70),
    Column("Bản ghi", "records", "count", 10),
)


def _flags(content: Content) -> list[Sequence[Cell]]:
    raised = Counter((one.agency, one.flag) for one in content.raised())
    return [
        (agency.code, agency.name, place, f"{flag.title_vi} / {flag.title_en}", raised[agency.code, flag.id])
        for block in content.blocks
        for agency in block.agencies
        for place, flag in enumerate(FLAGS, 1)
        if raised[agency.code, flag.id]
    ]


_KINDS: dict[str, Kind] = {
    "hits": "count",
    "judged": "count",
    "unknown": "count",
    "planned": "count",
    "excused": "count",
}


def _records(content: Content) -> tuple[list[Column], list[Sequence[Cell]]]:
    names = content.columns()
    columns = [Column("Chỉ số", "figure", wide=30), *(_record_column(name) for name in names)]
    rows: list[Sequence[Cell]] = []
    for told in content.evidence:
        for row in told.rows:
            own = dict(zip(told.columns, row, strict=True))
            rows.append((told.reading.indicator, *(_record_cell(name, own.get(name)) for name in names)))
    return columns, rows


def _record_column(name: str) -> Column:
    vi, en = words.COLUMNS.get(name, (name.replace("_", " "), ""))
    if is_day(name):
        return Column(vi, en, "day", 12)
    return Column(vi, en, _KINDS.get(name, "place"), 30 if name == "key" else 16)


def _record_cell(name: str, value: Any) -> Cell:
    if value is None:
        return None
    if name == "verdict":
        return _both(*words.VERDICTS[value])
    if name in words.YES_OR_NO and value in (0, 1):
        return ("không", "có")[value]
    if name in words.VALUES:
        return words.VALUES[name].get(value, str(value))
    if isinstance(value, int) and is_day(name):
        return as_date(value)
    if isinstance(value, int) and name in INSTANTS:
        return rfc3339(value)[:19].replace("T", " ")
    return value if isinstance(value, int) else str(value)


_LEGEND = (
    Column("Mục", "", wide=28),
    Column("Item", "", wide=28),
    Column("Ý nghĩa", "", wide=70),
    Column("Meaning", "", wide=70),
)


# -- the file ------------------------------------------------------------------------------------------------------


def _packed(book: Workbook, made: int) -> bytes:
    """Return the file of a workbook, with the time of `made` (epoch seconds) in the place of the writing's.

    A zip tells the local time, the document's properties tell UTC.
    """
    raw, whole = io.BytesIO(), io.BytesIO()
    book.save(raw)
    when = datetime.fromisoformat(rfc3339(made)[:19])
    stamp = datetime.fromtimestamp(made, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            content = old.read(one)
            if one.filename == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp.encode(), content)
            entry = zipfile.ZipInfo(one.filename, when.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, content)
    return whole.getvalue()
