"""Files made to exhaust, mislead or break what opens them: each is refused in words, soon, or read for what it is."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl import Workbook

from collector.audit import audit, document, read, rows, shown
from collector.audit.columns import COLUMNS
from collector.contract.errors import WrongUse

HEADER = ["Văn bản", "Nội dung", "Giá trị"]
SHEET = "xl/worksheets/sheet1.xml"


SHARED = "xl/sharedStrings.xml"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
STRINGS = (
    '<?xml version="1.0" encoding="UTF-8"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<si><r><t>93,</t></r><r><t>1%</t></r></si></sst>"
)


def made() -> bytes:
    """A small honest workbook, one of its texts among those that cells share, as Excel has them all."""
    book, plain, file = Workbook(), io.BytesIO(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append(["Báo cáo", "Hồ sơ", "93,1%"])
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == SHEET:
                data = data.replace(b't="inlineStr"><is><t>93,1%</t></is>', b't="s"><v>0</v>')
            if name == "[Content_Types].xml":
                data = data.replace(
                    b"</Types>", f'<Override PartName="/{SHARED}" ContentType="{TYPE}"/></Types>'.encode()
                )
            new.writestr(name, data)
        new.writestr(SHARED, STRINGS)
    return file.getvalue()


HONEST = made()


def changed(folder: Path, change: Callable[[str, bytes], bytes], *, compressed: bool = True) -> Path:
    """The honest workbook with its members changed."""
    file = folder / "sheet.xlsx"
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(HONEST)) as old, zipfile.ZipFile(file, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return file


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    def change(name: str, data: bytes) -> bytes:
        assert name != SHEET or old in data
        return data.replace(old, new) if name == SHEET else data

    return change


def test_openpyxl_reads_xml_with_defusedxml() -> None:
    assert openpyxl.DEFUSEDXML


def test_the_honest_one_is_read(tmp_path: Path) -> None:
    (claim,) = read(changed(tmp_path, lambda _, data: data))
    assert claim.value is not None
    assert (claim.line, claim.value.written) == (2, "93,1%")


def test_entities_that_grow_are_refused(tmp_path: Path) -> None:
    lol = b'<!DOCTYPE x [<!ENTITY a "' + b"ha" * 100 + b'">'
    lol += b"".join(b'<!ENTITY %c "%s">' % (97 + at, b"&%c;" % (96 + at) * 50) for at in range(1, 9)) + b"]>"
    for member in (SHEET, "xl/workbook.xml", SHARED, "[Content_Types].xml", "xl/styles.xml"):

        def bomb(name: str, data: bytes, member: str = member) -> bytes:
            start = data.index(b"?>") + 2 if data.startswith(b"<?xml") else 0
            return data[:start] + lol + data[start:].replace(b"</", b"&i;</", 1) if name == member else data

        with pytest.raises(WrongUse, match="no workbook that can be read"):
            read(changed(tmp_path, bomb))


def test_a_workbook_without_its_parts_is_refused(tmp_path: Path) -> None:
    for member in ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET, "xl/styles.xml"):

        def emptied(name: str, data: bytes, member: str = member) -> bytes:
            return b"" if name == member else data

        with pytest.raises(WrongUse, match="no workbook that can be read"):
            read(changed(tmp_path, emptied))
    other = changed(tmp_path, lambda _, data: data.replace(b"sheet.main+xml", b"sheet.mein+xml"))
    with pytest.raises(WrongUse, match="no workbook that can be read"):
        read(other)


def test_a_file_outside_is_never_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("93,1%", encoding="utf-8")
    outside = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{secret}">]>'.encode()
    with pytest.raises(WrongUse, match="no workbook that can be read"):
        read(changed(tmp_path, lambda name, data: outside + data if name == SHEET else data))


def test_what_unpacks_to_far_more_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = changed(tmp_path, lambda name, data: data + b" " * (60 << 20) if name == SHEET else data)
    assert bomb.stat().st_size < 200_000
    with pytest.raises(WrongUse, match="unpacks to far more"):
        read(bomb)
    many = tmp_path / "many.xlsx"
    with zipfile.ZipFile(many, "w") as archive:
        for at in range(2_001):
            archive.writestr(str(at), b"")
    with pytest.raises(WrongUse, match="unpacks to far more"):
        read(many)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    """It declares 1,000 bytes and holds 30 MiB: no more than it declares is ever unpacked."""
    file = changed(tmp_path, lambda _, data: data.replace(b"</sheetData>", b"</sheetData>" + b" " * (30 << 20)))
    data = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        size = archive.getinfo(SHEET).file_size
    for at in range(len(data) - 4):
        if int.from_bytes(data[at : at + 4], "little") == size:
            data[at : at + 4] = (1_000).to_bytes(4, "little")
    file.write_bytes(data)
    with pytest.raises(WrongUse, match="no workbook that can be read"):
        read(file)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'<row r="2"', b'<row r="999999999999"', "1048577: over"),
        (b'<row r="2"', b'<row r="1048577"', "1048577: over"),
        (b'<dimension ref="A1:C2"', b'<dimension ref="A1:XFD1048576"', ""),
        (b'<c r="C2"', b'<c r="XFD2"', "dòng không có số liệu|the line has no figure"),
        (b'<c r="C2"', b'<c r="C2" s="9999"', "no workbook that can be read"),
        (b"<sheetData>", b"<sheetData><broken>", "no workbook that can be read"),
    ],
    ids=["row of a million million", "row past the end", "dimension", "column past all", "style", "broken"],
)
def test_places_that_a_sheet_invents_cost_nothing(old: bytes, new: bytes, told: str, tmp_path: Path) -> None:
    file = changed(tmp_path, in_sheet(old, new))
    if not told:
        assert [one.line for one in read(file)] == [2]
        return
    with pytest.raises(WrongUse, match=told):
        read(file)


def test_too_many_rows_or_cells_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text("Văn bản;Nội dung;Giá trị\n" + "A;x;5\n" * 20_001, encoding="utf-8")
    with pytest.raises(WrongUse, match="20,000 rows"):
        read(file)
    monkeypatch.setattr(rows, "CELLS", 10_000)
    file.write_text("Văn bản;Nội dung;Giá trị\n" + (";" * 5_000 + "\n") * 2, encoding="utf-8")
    with pytest.raises(WrongUse, match="10,000 cells"):
        read(file)
    with file.open("wb") as large:
        large.truncate((16 << 20) + 1)
    with pytest.raises(WrongUse, match="over 16 MiB"):
        read(file)


def test_a_cut_or_changed_workbook_is_refused_or_read(tmp_path: Path) -> None:
    """300 workbooks with bytes changed at random, or cut: nothing but WrongUse ever comes out."""
    file = tmp_path / "sheet.xlsx"
    dice = random.Random(20261122)
    refused = 0
    for _ in range(300):
        data = bytearray(HONEST)
        for _ in range(dice.choice((1, 3, 30))):
            data[dice.randrange(2, len(data))] = dice.randrange(256)
        file.write_bytes(data[: dice.choice((len(data), len(data), dice.randrange(4, len(data))))])
        refused += _refused(file)
    assert 100 < refused < 300


def test_members_changed_within_a_whole_archive_are_refused_or_read(tmp_path: Path) -> None:
    """As above, with the archive's own check sums right, so that the reader of XML sees the change."""
    dice = random.Random(20261123)
    for _ in range(150):
        wanted = dice.choice([SHEET, "xl/workbook.xml", "xl/styles.xml", SHARED, "[Content_Types].xml"])
        numbers = [dice.random() for _ in range(6)]

        def change(name: str, data: bytes, wanted: str = wanted, numbers: list[float] = numbers) -> bytes:
            if name != wanted:
                return data
            kept = bytearray(data)
            for where, what in zip(numbers[::2], numbers[1::2], strict=True):
                kept[int(where * len(kept))] = int(what * 256)
            return bytes(kept)

        _refused(changed(tmp_path, change, compressed=False))


def _refused(file: Path) -> bool:
    try:
        audit(read(file))
    except WrongUse:
        return True
    return False


PIECES = [
    *[column.vi for column in COLUMNS],
    *["93,1%", "2.537", "2,368", "33/39", "gần 70%", "trên 90%", "109 + 15", "+", "tăng 5", "giảm 6", "mới", "-1"],
    *[
        "2017",
        "quý III/2018",
        "2011-2015",
        "31/2/2019",
        "18/12/2017",
        "kế hoạch",
        "%",
        "tỷ đồng",
        "hồ sơ",
        "A",
        "a",
        "",
    ],
    *["=SUM(A1)", "\ufeff", "\u00a0", "９３％", "\u202e", "\ud7ff", "1e999", "[red]x[/]", "[/]", "0", "0/0", "\t", "|"],
]


@pytest.mark.long
def test_two_thousand_sheets_of_pieces_never_break_it(tmp_path: Path, scale: Callable[[int], int]) -> None:
    """Whatever is put together is audited whole, told in both ways, or refused by line."""
    file = tmp_path / "sheet.csv"
    dice = random.Random(20261124)
    count_of_sheets = scale(2_000)
    told = refused = 0
    for _ in range(count_of_sheets):
        some = dice.sample([one.vi for one in COLUMNS], dice.randrange(1, 9))
        columns = list(dict.fromkeys(["Văn bản", "Nội dung", *some]))
        count = dice.randrange(1, 6)
        lines = [[dice.choice(PIECES) for _ in columns] for _ in range(count)]
        if dice.random() < 0.7:  # mostly of the right kind
            lines = [[_likely(dice, name) for name in columns] for _ in range(count)]
        separator = dice.choice(";,\t")
        quote = dice.choice(['"', ""])
        text = "\r\n".join(separator.join(quote + cell + quote for cell in row) for row in [columns, *lines])
        file.write_bytes(text.encode(dice.choice(("utf-8", "utf-8-sig", "utf-16")), "replace"))
        try:
            found = audit(read(file, indicators=["dossiers.on_time"]))
        except WrongUse as error:
            refused += str(file) in str(error)
            continue
        told += 1
        known = {one.line for one in found.claims}
        assert set(found.verdicts) == known
        assert all(one.line in known and known.issuperset(one.lines) and one.vi and one.en for one in found.findings)
        assert document(found)["lines"]
        assert shown(found, {}, every=True)
    assert told + refused == count_of_sheets, "each refusal names the file"
    assert min(told, refused) > count_of_sheets // 8


_LIKELY = {
    "Năm": ["2017", "2018", "quý III/2018", "2011-2015"],
    "Năm ghi ở tiêu đề": ["2017", "2018"],
    "Ngày văn bản": ["18/12/2017", ""],
    "Loại": ["", "kết quả", "kế hoạch", "mức tăng"],
    "Giá trị": ["93,1%", "2.537", "33/39", "gần 70%", "0", "0/0", "105%"],
    "Tử số": ["2.368", "0", "gần 5"],
    "Mẫu số": ["2.537", "0", "trên 5"],
    "Tỷ lệ in": ["93,1%", "100%", "0"],
    "Là tổng của": ["109 + 15", "A", ""],
    "Nhóm": ["A", "a", ""],
    "Chuỗi": ["A", "B", ""],
    "Kỳ trước": ["93,1%", "2.537", "0", ""],
    "Tăng giảm": ["+375", "giảm 5%", "tăng 0", ""],
    "Tính trên": ["", "", "A"],
    "Hạng": ["1", "2", "mới", ""],
    "Hạng kỳ trước": ["1", "2", "mới", ""],
    "Tăng giảm bậc": ["tăng 5", "-6", "0", ""],
    "Mã chỉ số": ["", "dossiers.on_time"],
}


def _likely(dice: random.Random, column: str) -> str:
    return dice.choice(_LIKELY.get(column, ["A", "B", "hồ sơ", "[red]x[/]"]))


def test_markup_in_a_cell_is_text(tmp_path: Path) -> None:
    from rich.console import Console

    file = tmp_path / "sheet.csv"
    file.write_text(
        "Văn bản;Nội dung;Giá trị;Cơ quan\nA;[red]x[/red] [/];70%;[link=http://x]y[/link]\n", encoding="utf-8"
    )
    console = Console(width=200, highlight=False)
    with console.capture() as captured:
        for part in shown(audit(read(file)), {}, every=True):
            console.print(part)
    assert "[link=http://x]y[/link]: [red]x[/red] [/]" in captured.get()


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text("Văn bản;Nội dung;Giá trị\nA\x1b[2J;x\x07\u202ey\x9b;70%\n", encoding="utf-8")
    (claim,) = read(file)
    assert (claim.document, claim.what) == ("A[2J", "xy")


def test_the_archive_is_not_trusted_about_its_compression(tmp_path: Path) -> None:
    file = changed(tmp_path, lambda _, data: data)
    data = bytearray(file.read_bytes())
    body = zlib.compress(b"x")
    at = data.index(b"PK\x03\x04") + 8
    data[at : at + 2] = (99).to_bytes(2, "little")
    file.write_bytes(bytes(data) + body)
    assert _refused(file) in (True, False)
