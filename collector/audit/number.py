"""Numbers as reports print them in Vietnam: `93,1%`, `2.537`, `gần 70 %`, `33/39`.

A dot groups thousands and a comma begins the decimals. Because many reports are typed in the English way, a separator
is read by what it can be: two kinds in one number, the last one begins the decimals; followed by anything but three
digits, it begins them. Where three digits follow, the Vietnamese rule holds, except that a count of whole things has no
decimals (`2,368 hồ sơ`) and a percentage no thousands (`93.105 %`). What can still be read in two ways says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from collector.audit.cell import Cell, clean, folded

Bound = Literal["", "most", "least", "about"]
Kind = Literal["count", "share", "measure", ""]

DIGITS = 15
"""Longer numbers are no figures of a report."""

_MOST = ("gan", "gan dat", "gan bang", "duoi", "chua den", "chua toi", "chua dat", "khong qua", "toi da", "nhieu nhat")
_LEAST = ("tren", "hon", "qua", "vuot", "tu", "it nhat", "toi thieu", "khong duoi")
_ABOUT = ("khoang", "xap xi", "uoc", "uoc dat", "uoc khoang", "tren duoi", "~", "≈", "about", "around", "approximately")
_BOUNDS: Mapping[str, Bound] = {
    **dict.fromkeys((*_MOST, "<", "<=", "≤", "nearly", "almost", "under", "below", "less than", "at most"), "most"),
    **dict.fromkeys((*_LEAST, ">", ">=", "≥", "over", "above", "more than", "at least"), "least"),
    **dict.fromkeys(_ABOUT, "about"),
}
"""Words before a number that make it a bound, without marks."""

_NEUTRAL = re.compile(r"^(?:dat|chiem|la|bang|duoc|ty le|co|gom|exactly|dung|ca thay|tong so|tong)\b")
_MEASURES = frozenset(
    [
        "ty",
        "trieu",
        "nghin",
        "ngan",
        "dong",
        "vnd",
        "usd",
        "diem",
        "km",
        "m",
        "m2",
        "mbps",
        "gbps",
        "kbps",
        "mb",
        "gb",
        "tb",
        "gio",
        "phut",
        "giay",
        "lan",
        "point",
        "points",
        "hour",
        "hours",
        "day",
        "days",
        "ngay",
        "billion",
        "million",
    ]
)
_NUMBER = re.compile(r"^(?P<before>[^0-9+]*?)(?P<sign>[+-]?)(?P<digits>[0-9]+(?:[., ][0-9]+)*)(?P<after>[^0-9]*)$")
_FRACTION = re.compile(r"^(?P<part>[0-9][0-9. ,]*?) ?/ ?(?P<whole>[0-9][0-9. ,]*)(?P<after>[^0-9]*)$")
_AFTER = re.compile(r"[^=*<>+]*")
_PERCENT = re.compile(r"^(?:%|phan tram|diem phan tram|percent|per cent|pct)")
_ONWARDS = re.compile(r"(?:tro len|and over|or more)$")
_DOWNWARDS = re.compile(r"(?:tro xuong|or less)$")


@dataclass(frozen=True, slots=True)
class Number:
    """A printed number. `places` are its decimals as printed, `written` its text.

    A `bound` (`most`, `least`, `about`) is no value. `other` is what the same signs mean read the other way, if that
    cannot be told from them.
    """

    value: Decimal
    written: str
    places: int = 0
    percent: bool = False
    bound: Bound = ""
    other: Decimal | None = None

    @property
    def half(self) -> Decimal:
        """How far the exact figure may be from it: half its last place if it was rounded, and nothing of a count."""
        return Decimal(5).scaleb(-self.places - 1) if self.percent or self.places else Decimal(0)

    @property
    def low(self) -> Decimal | None:
        """The least that it can stand for; None if it sets no lower bound."""
        if self.bound in ("most", "about"):
            return None
        return self.value if self.bound else self.value - self.half

    @property
    def high(self) -> Decimal | None:
        """The most that it can stand for; None if it sets no upper bound."""
        if self.bound in ("least", "about"):
            return None
        return self.value if self.bound else self.value + self.half


def kind_of(unit: str) -> Kind:
    """Return what a unit counts: shares, what can be divided (money, points, time), else whole things; "" if none."""
    plain = folded(unit)
    if not plain:
        return ""
    if _PERCENT.match(plain):
        return "share"
    return "measure" if "/" in plain or plain.split()[0] in _MEASURES else "count"  # a mean may have decimals


def parse(cell: Cell, kind: Kind = "") -> Number:
    """Return the number of a cell; ValueError, in Vietnamese and English, if it is none."""
    if cell.day is not None:
        raise ValueError(f"{cell.text} là ngày: bảng tính đã đổi số thành ngày / is a date made of a number")
    if cell.number is not None:
        percent = cell.percent or kind == "share"
        return Number(cell.number, _signed(cell.text, percent=percent), places(cell.number), percent)
    found = _NUMBER.match(folded(cell.text))
    if found is None or not _AFTER.fullmatch(found["after"]):
        raise _unreadable(cell)
    bound, after = _bound(found["before"], found["after"].strip(), cell)
    percent = kind == "share" or bool(_PERCENT.match(after))
    if not kind:
        kind = "share" if percent else kind_of(after)
    value, decimals, other = _decimal(found["digits"], "share" if percent else kind, cell)
    if found["sign"] == "-":
        value, other = -value, other and -other
    return Number(value, _signed(clean(cell.text), percent=percent), decimals, percent, bound, other)


def _signed(text: str, *, percent: bool) -> str:
    """A percentage with its sign, which a column of percentages leaves to its header."""
    return f"{text}%" if percent and text[-1:].isdigit() else text


def parse_fraction(cell: Cell) -> tuple[Number, Number] | None:
    """Return part and whole of `33/39 đơn vị`, None if a cell is no such thing."""
    found = None if cell.number is not None else _FRACTION.match(folded(cell.text))
    if found is None or not _AFTER.fullmatch(found["after"]):
        return None
    return parse(Cell(found["part"]), "count"), parse(Cell(found["whole"]), "count")


def parse_move(cell: Cell) -> Decimal:
    """Return by how much something went up (down: negative): `tăng 5 bậc`, `-6`, `giữ nguyên`; else ValueError."""
    plain = folded(cell.text)
    if plain in ("giu nguyen", "khong doi", "khong thay doi", "=", "unchanged", "same"):
        return Decimal(0)
    down = re.match(r"^(?:giam|tut|xuong|down|fell|↓)\b ?", plain)
    up = re.match(r"^(?:tang|len|up|rose|↑)\b ?", plain)
    word = down or up or re.match(r"^[↓↑] ?", plain)
    if word and cell.number is None:
        if not re.match("[0-9]", plain[word.end() :]):
            raise _unreadable(cell)
        number = parse(Cell(plain[word.end() :]))
    else:
        number = parse(cell)
    if number.bound or (word and number.value < 0):
        raise _unreadable(cell)
    return -number.value if word and (down or plain[0] == "↓") else number.value


def parse_sum(cell: Cell, kind: Kind) -> list[Number] | None:
    """Return the addends of `109 + 15`, None if a cell is no such thing."""
    parts = clean(cell.text).split("+")
    if len(parts) < 2 or not all(re.search("[0-9]", part) for part in parts):
        return None
    return [parse(Cell(part.strip()), kind) for part in parts]


def _bound(before: str, after: str, cell: Cell) -> tuple[Bound, str]:
    """Return the bound of the words around a number, and what else follows it."""
    words, last = before.strip(), ""
    while words != last:
        last, words = words, _NEUTRAL.sub("", words).strip(" :")
    bound: Bound = ""
    if words:
        if words not in _BOUNDS:
            raise _unreadable(cell)
        bound = _BOUNDS[words]
    if _ONWARDS.search(after):
        return "least", _ONWARDS.sub("", after).strip()
    if _DOWNWARDS.search(after):
        return "most", _DOWNWARDS.sub("", after).strip()
    return bound, after


def _decimal(digits: str, kind: Kind, cell: Cell) -> tuple[Decimal, int, Decimal | None]:
    """Return what digits and separators stand for, its places, and what they mean read the other way (else None)."""
    groups, separators = re.split("[., ]", digits), re.findall("[., ]", digits)
    if sum(map(len, groups)) > DIGITS:
        raise _unreadable(cell)
    marks = [one for one in separators if one != " "]
    whole, other = len(groups), None
    if marks and (len(set(marks)) == 2 or (len(marks) == 1 and not _thousands(groups))):
        whole = len(groups) - 1
    elif len(groups) == 2 and marks:
        as_decimal = kind == "share" or (marks[0] == "," and kind != "count")
        unsure = kind in ("", "measure") if marks[0] == "." else kind == ""
        whole = 1 if as_decimal else 2
        if unsure and (kind or as_decimal):
            other = Decimal("".join(groups)) if as_decimal else Decimal(".".join(groups))
    elif len(marks) == 1 and len(groups) > 2:  # 2 537,125: the last one is of another kind than the spaces
        whole = len(groups) - 1 if separators[-1] != " " and kind != "count" else whole
    ends_right = separators[-1:] != [" "] or whole == len(groups)
    if not _thousands(groups[:whole]) or len(groups) - whole > 1 or not ends_right:
        raise _unreadable(cell)
    if len(set(separators[: whole - 1])) > 1 and whole > 1:
        raise _unreadable(cell)
    decimals = groups[whole] if whole < len(groups) else ""
    return Decimal("".join(groups[:whole]) + ("." + decimals if decimals else "")), len(decimals), other


def _thousands(groups: list[str]) -> bool:
    """Tell whether groups of digits are those of one whole number."""
    if len(groups) == 1:
        return True
    first = groups[0]
    return 1 <= len(first) <= 3 and first[0] != "0" and all(len(one) == 3 for one in groups[1:])


def places(value: Decimal) -> int:
    """Return how many decimals a number has."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _unreadable(cell: Cell) -> ValueError:
    return ValueError(f"{cell.text!r} không đọc được thành số / is no number")
