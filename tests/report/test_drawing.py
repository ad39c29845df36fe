"""Pictures of shares: what they show, and what they do not show."""

import re
from decimal import Decimal
from xml.etree import ElementTree

from collector.contract.period import parse_period
from collector.report.content import last_twelve_months
from collector.report.drawing import bar, line

MONTHS = last_twelve_months(parse_period("2026-02"))
SVG = ElementTree.Element


def read(svg: str) -> SVG:
    return ElementTree.fromstring(svg)


def test_a_bar_is_as_long_as_its_share_within_an_outline_of_the_whole() -> None:
    track, filled = read(bar(Decimal("0.933386"), "93,34 %")).findall("rect")
    assert float(filled.attrib["width"]) == 93.3
    assert float(track.attrib["width"]) == 101
    assert read(bar(Decimal(0), "0,00 %")).findall("rect")[1].attrib["width"] == "0"
    assert read(bar(Decimal(1), "100,00 %")).findall("rect")[1].attrib["width"] == "100"


def test_the_months_are_the_twelve_that_end_with_the_period() -> None:
    assert (MONTHS[0].name, MONTHS[-1].name, len(MONTHS)) == ("2025-03", "2026-02", 12)
    assert last_twelve_months(parse_period("2026-Q1"))[-1].name == "2026-03"
    assert last_twelve_months(parse_period("2025"))[0].name == "2025-01"


def test_a_month_without_a_share_is_a_cross_at_the_foot_and_no_dot_at_zero() -> None:
    shares = [None, None, *[Decimal("0.5")] * 3, None, *[Decimal(0)] * 2, *[Decimal(1)] * 4]
    drawn = read(line(MONTHS, shares, "Mười hai tháng"))
    dots = drawn.findall("circle")
    assert [float(dot.attrib["cy"]) for dot in dots] == [13, 13, 13, 22, 22, 4, 4, 4, 4]
    paths = {path.attrib["class"]: path.attrib["d"] for path in drawn.findall("path")}
    assert paths["none"].count("M") == 3
    # Two steps among the first three, then five among the six after the hole: the line is broken there.
    assert paths["line"].count("M") == 2 + 5
    assert len({dot.attrib["cx"] for dot in dots}) == 9


def test_a_line_says_each_month_in_words() -> None:
    drawn = read(line(MONTHS, [None] * 10 + [Decimal(0), Decimal("0.933386")], "Mười hai tháng"))
    told = drawn.findtext("desc") or ""
    assert told.startswith("03/2025: không có; 04/2025: không có;")
    assert told.endswith("01/2026: 0,0 %; 02/2026: 93,3 %")
    assert drawn.findtext("title") == "Mười hai tháng"
    assert drawn.attrib["role"] == "img"


def test_a_single_known_month_has_a_dot_and_no_line() -> None:
    drawn = read(line(MONTHS, [None] * 11 + [Decimal("0.25")], "Mười hai tháng"))
    assert len(drawn.findall("circle")) == 1
    assert "line" not in {path.attrib["class"] for path in drawn.findall("path")}


def test_words_in_a_picture_are_no_markup() -> None:
    assert re.findall("<script", bar(Decimal(1), "<script>")) == []
