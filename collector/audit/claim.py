"""A claim: one line of a sheet of declared figures, read and typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from collector.audit import number, when
from collector.audit.cell import EMPTY, FORMULA, Cell, clean, folded, named
from collector.audit.columns import BY_ID, COLUMNS, column_of
from collector.audit.number import Kind, Number
from collector.audit.rows import HEADER_WITHIN, Row, header
from collector.audit.when import When
from collector.contract.errors import WrongUse
from collector.yaml_file import Faults, nearest

Nature = Literal["result", "plan", "growth"]

_NATURES: Mapping[str, Nature] = {
    **dict.fromkeys(("", "ket qua", "thuc hien", "result", "actual"), "result"),
    **dict.fromkeys(("ke hoach", "muc tieu", "du kien", "chi tieu", "plan", "target"), "plan"),
    **dict.fromkeys(("muc tang", "tang truong", "tang giam", "growth", "change"), "growth"),
}

NEW, UNRANKED = "new", "unranked"
_NO_RANK: Mapping[str, str] = {
    **dict.fromkeys(("moi", "moi vao", "moi thanh lap", "new"), NEW),
    **dict.fromkeys(("khong xep hang", "chua xep hang", "khong xep", "unranked", "not ranked"), UNRANKED),
}

_ANYTHING = ("value", "part", "percentage", "change", "labelled", "rank", "rank_before", "move", "sum_of")
"""A line says something if one of these is filled."""

_AS_PRINTED = "Write it as printed: 93,1%; 2.537; gần 70%; trên 90%; 33/39"

_TEXTS = ("page", "block", "agency", "group", "figure", "base", "indicator", "note")


@dataclass(frozen=True, slots=True)
class Claim:
    """One line: what was said where, about whom and when; None and "" where nothing is given.

    `part` and `whole` are the two counts of a percentage, wherever they stand in the line; `percentage` is the one
    that was printed, be it in Value or in a column of its own. `addends` are those printed in the line, `sum_of` the
    group whose lines add up to it. `left` tells that the agency entered (`new`) or left (`unranked`) the ranking.
    """

    line: int
    document: str
    what: str
    page: str = ""
    date: int | None = None
    period: When | None = None
    labelled: When | None = None
    nature: Nature = "result"
    block: str = ""
    agency: str = ""
    value: Number | None = None
    unit: str = ""
    part: Number | None = None
    whole: Number | None = None
    percentage: Number | None = None
    addends: Sequence[Number] = ()
    sum_of: str = ""
    group: str = ""
    figure: str = ""
    previous: Number | None = None
    change: Number | None = None
    base: str = ""
    rank: int | None = None
    rank_before: int | None = None
    move: int | None = None
    left: str = ""
    indicator: str = ""
    note: str = ""

    @property
    def stated(self) -> Number | None:
        """The figure itself: the value that was printed, else the percentage."""
        return self.value or self.percentage

    @property
    def series(self) -> str:
        """What makes lines speak of one figure: their series, else their indicator; "" if neither is given."""
        return named(self.figure or self.indicator)


@dataclass(slots=True)
class _Reader:
    """Reads the cells of one line; every fault is noted with line and column."""

    row: Row
    places: Mapping[str, int]
    headers: Mapping[str, str]
    faults: Faults
    faulty: bool = field(default=False)

    def raw(self, column: str) -> Cell:
        at = self.places.get(column)
        return self.row.cells[at] if at is not None and at < len(self.row.cells) else EMPTY

    def cell(self, column: str) -> Cell:
        found = self.raw(column)
        if found.text == FORMULA:
            self.fault(
                column,
                "công thức chưa được tính / a formula that nobody computed",
                "Open and save the file in a spreadsheet, or paste values",
            )
            return EMPTY
        return found

    def text(self, column: str) -> str:
        return clean(self.cell(column).text)

    def fault(self, column: str, wrong: str, mend: str) -> None:
        self.faulty = True
        name = self.headers.get(column, BY_ID[column].vi)
        self.faults.add(self.row.line, name, wrong, mend)

    def number(self, column: str, kind: Kind = "") -> Number | None:
        cell = self.cell(column)
        if not cell.text:
            return None
        try:
            return number.parse(cell, kind)
        except ValueError as error:
            as_text = "Format the column as text, and write it again" if cell.day is not None else _AS_PRINTED
            self.fault(column, str(error), as_text)
            return None

    def count(self, column: str, kind: Kind) -> Number | None:
        found = self.number(column, kind)
        if found is not None and (found.value < 0 or found.percent):
            self.fault(column, f"{found.written!r} không phải số đếm / is no count", "Write the count that was printed")
            return None
        return self.entire(column, found, kind)

    def entire(self, column: str, found: Number | None, kind: Kind) -> Number | None:
        """A count of whole things, refused if it has decimals."""
        if found is None or kind != "count" or found.percent or found.value == int(found.value):
            return found
        wrong = f"{found.written!r} không phải số nguyên / is no whole number"
        self.fault(column, wrong, "Did the spreadsheet take 2.537 for 2,537? Format the column as text")
        return None

    def whole(self, column: str) -> int | None:
        found = self.count(column, "count")
        if found is None:
            return None
        if found.bound or found.value != int(found.value) or not 1 <= found.value <= 10_000:
            self.fault(column, f"{found.written!r} không phải thứ hạng / is no rank", "Write 1, 2, 3…")
            return None
        return int(found.value)

    def when(self, column: str) -> When | None:
        cell = self.cell(column)
        if not cell.text:
            return None
        try:
            return when.parse(cell)
        except ValueError as error:
            self.fault(column, str(error), "Write 2017, quý III/2018, tháng 5/2019, 2011-2015 or 17/5/2019")
            return None

    def day(self, column: str) -> int | None:
        cell = self.cell(column)
        if not cell.text:
            return None
        try:
            return when.parse_day(cell)
        except ValueError as error:
            self.fault(column, str(error), "Write a day: 18/12/2017")
            return None


def claims(rows: Sequence[Row], path: Path, indicators: Sequence[str] = ()) -> list[Claim]:
    """Return the claims of a sheet in its order; WrongUse with every fault found, by line and column."""
    faults = Faults(path)
    places, headers, first = _columns(rows, path, faults)
    found: list[Claim] = []
    for row in rows[first:]:
        reader = _Reader(row, places, headers, faults)
        claim = _claim(reader, found[-1] if found else None)
        if claim is not None:
            found.append(claim)
    _names(found, headers, indicators, faults)
    faults.finish()
    if not found:
        raise WrongUse(f"{path}: không có dòng số liệu nào / the sheet has no line", mend="Write a line per figure")
    return found


def _names(found: Sequence[Claim], headers: Mapping[str, str], indicators: Sequence[str], faults: Faults) -> None:
    """Note what names no group, no series or no indicator that there is."""
    groups = {(one.document, named(one.group)) for one in found if one.group}
    series = {one.series for one in found}
    for one in found:
        if one.sum_of and (one.document, named(one.sum_of)) not in groups:
            wrong = (
                f"{one.sum_of!r} không phải phép cộng, cũng không phải Nhóm của văn bản này / is no sum and no group"
            )
            known = dict.fromkeys(each.group for each in found if each.group and each.document == one.document)
            faults.add(one.line, headers["sum_of"], wrong, nearest(one.sum_of, known))
        if one.sum_of and named(one.sum_of) == named(one.group):
            wrong = "một tổng không là số hạng của chính nó / a total is no addend of itself"
            faults.add(one.line, headers["sum_of"], wrong, "Empty the one or the other cell")
        if one.base and named(one.base) not in series:
            wrong = f"{one.base!r} không phải Chuỗi nào / is no series of this sheet"
            known = dict.fromkeys(each.figure for each in found if each.figure)
            faults.add(one.line, headers["base"], wrong, nearest(one.base, known))
        if one.indicator and indicators and one.indicator not in indicators:
            wrong = f"{one.indicator!r} không phải mã chỉ số / is no indicator"
            faults.add(one.line, headers["indicator"], wrong, nearest(one.indicator, indicators))


def _columns(rows: Sequence[Row], path: Path, faults: Faults) -> tuple[dict[str, int], dict[str, str], int]:
    """The places of the columns, their headers as written, and the place of the first row behind the header."""
    at = header(rows[:HEADER_WITHIN])
    if at is None:
        names = ", ".join(one.vi for one in COLUMNS)
        raise WrongUse(f"{path}: không thấy dòng tiêu đề cột / there is no header", mend=f"Its columns may be: {names}")
    places: dict[str, int] = {}
    headers: dict[str, str] = {}
    for place, cell in enumerate(rows[at].cells):
        id_ = column_of(cell)
        if id_ is None:
            if cell.text:
                wrong = "không biết cột này / there is no such column"
                faults.add(rows[at].line, clean(cell.text), wrong, nearest(cell.text, [one.vi for one in COLUMNS]))
        elif id_ in places:
            wrong = f"cột này đã có: {headers[id_]} / the same as {headers[id_]}"
            faults.add(rows[at].line, clean(cell.text), wrong, "Leave one of the two")
        else:
            places[id_], headers[id_] = place, clean(cell.text)
    if "what" not in places:
        faults.add(rows[at].line, BY_ID["what"].vi, "thiếu cột này / this column is missing", "Add it")
    faults.finish()
    return places, headers, at + 1


def _claim(read: _Reader, above: Claim | None) -> Claim | None:
    """The claim of a line, None if a fault was noted."""
    document, date = read.text("document"), read.day("date")
    if not document:
        if above is None and not read.faulty:
            read.fault("document", "chưa ghi văn bản / no document is named", "Say where the figure was published")
        document = above.document if above else ""
        date = date or (above.date if above else None)
    what = read.text("what")
    if not what:
        read.fault("what", "chưa ghi nội dung / nothing is said of what it is", "Say what the figure is about")
    nature = _NATURES.get(folded(read.text("nature")))
    if nature is None:
        read.fault("nature", "không biết loại này / there is no such kind", "Write kết quả, kế hoạch or mức tăng")
    if not any(read.raw(one).text for one in _ANYTHING):
        read.fault(
            "value", "dòng không có số liệu nào / the line has no figure", "Write the figure, or delete the line"
        )
    typed = _figures(read) | _ranks(read)
    period, labelled = read.when("period"), read.when("labelled")
    typed |= {column: read.text(column) for column in _TEXTS}
    if read.faulty or nature is None:
        return None
    return Claim(
        line=read.row.line,
        document=document,
        what=what,
        date=date,
        period=period,
        labelled=labelled,
        nature=nature,
        **typed,
    )


def _figures(read: _Reader) -> dict[str, Any]:
    """The numbers of a line, each in its place."""
    unit = read.text("unit")
    kind = number.kind_of(unit)
    counted: Kind = "measure" if kind == "measure" else "count"
    part, whole = read.count("part", counted), read.count("whole", counted)
    percentage = read.number("percentage", "share")
    value: Number | None = None
    try:
        fraction = number.parse_fraction(read.cell("value"))
    except ValueError as error:
        read.fault("value", str(error), "Write it as printed: 33/39")
        fraction = None
    if fraction is not None:
        given = [(part, fraction[0]), (whole, fraction[1])]
        if any(one is not None and one.value != its.value for one, its in given):
            read.fault("value", "khác với Tử số, Mẫu số / differs from part and whole", "Leave one of the two")
        part, whole = fraction
    elif part is not None and whole is not None and not kind:
        value = read.number("value", "" if "%" in clean(read.cell("value").text) else "count")
    else:
        value = read.entire("value", read.number("value", kind), kind)
    if value is not None and value.percent:
        if percentage is not None and percentage.value != value.value:
            read.fault("percentage", "khác với Giá trị / differs from the value", "A line has one percentage")
        percentage = percentage or value
    elif value is not None and part is None and whole is not None:
        part = value  # 498 procedures of 1,781
    if part is not None and whole is None and percentage is not None and value is not None and not value.percent:
        whole = value if value.value >= part.value else None
    sum_kind: Kind = "share" if percentage is not None and value is percentage else counted
    try:
        addends = number.parse_sum(read.cell("sum_of"), sum_kind) or []
    except ValueError as error:
        read.fault("sum_of", str(error), "Write 109 + 15")
        addends = []
    counts = [one.value for one in (part, whole) if one is not None]
    if len(counts) == 2 and value is not None and not value.percent and value.value not in counts:
        read.fault("value", "khác cả Tử số lẫn Mẫu số / is neither part nor whole", "Write the count that it is")
    like: Kind = "share" if value is not None and value.percent else kind
    return {
        "unit": unit,
        "value": value,
        "part": part,
        "whole": whole,
        "percentage": percentage,
        "addends": tuple(addends),
        "sum_of": "" if addends else read.text("sum_of"),
        "previous": read.number("previous", like),
        "change": _change(read, like),
    }


def _change(read: _Reader, kind: Kind) -> Number | None:
    """How much more (less: negative) than before; a percentage of a count is a growth rate."""
    cell = read.cell("change")
    if not cell.text:
        return None
    try:
        moved = number.parse_move(cell)
        plain = folded(cell.text)
        of_count = "%" in plain and kind != "share"
        return Number(moved, clean(cell.text), number.places(moved), percent=of_count or kind == "share")
    except ValueError as error:
        read.fault("change", str(error), "Write +375, tăng 375, giảm 5")
        return None


def _ranks(read: _Reader) -> dict[str, Any]:
    left = ""
    ranks: dict[str, int | None] = {}
    for column in ("rank", "rank_before"):
        if word := _NO_RANK.get(folded(read.text(column))):
            left, ranks[column] = word, None
        else:
            ranks[column] = read.whole(column)
    move: int | None = None
    cell = read.cell("move")
    if word := _NO_RANK.get(folded(cell.text)):
        left = word
    elif cell.text:
        try:
            moved = number.parse_move(cell)
            if moved != int(moved) or abs(moved) > 10_000:
                raise ValueError(f"{cell.text!r} không phải số bậc / is no number of places")
            move = int(moved)
        except ValueError as error:
            read.fault("move", str(error), "Write tăng 5, giảm 6, giữ nguyên; or +5, -6, 0")
    return {"rank": ranks["rank"], "rank_before": ranks["rank_before"], "move": move, "left": left}
