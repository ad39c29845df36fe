"""The report as people open it: printed by a real browser, opened by a real LibreOffice.

The pages that a person should look at are left in build/artefacts.
"""

import csv
import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from collector.report import WRITERS
from tests.report.contents import CONTENT, EVIDENCE, FORMULA, READINGS, SCRIPT, SEALED
from tests.servers import chromium, libreoffice, poppler

pytestmark = pytest.mark.server("chromium", "libreoffice", "poppler")


def one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Printed:
    """The pages of a report as they were printed, as text; and what is written across each."""

    pages: list[str]
    across: list[str]

    @property
    def text(self) -> str:
        return one_line(" ".join(self.pages))


@pytest.fixture(scope="module")
def printed(server_folder: Callable[[str], Path], artefacts: Path) -> Callable[[str], Printed]:
    """Print a report in a browser, each once: `open`, `sealed` (an agency's evidence)."""
    contents = {"open": CONTENT, "sealed": replace(EVIDENCE, seal=SEALED.seal)}
    done: dict[str, Printed] = {}

    def print_(name: str) -> Printed:
        if name not in done:
            folder = server_folder(f"report-{name}")
            page, pdf = folder / "report.html", folder / "report.pdf"
            page.write_bytes(WRITERS["html"](contents[name]))
            chromium.print_page(page.as_uri(), folder / "browser", pdf)
            poppler.pictures(pdf, artefacts / f"report-{name}", 1, 4)
            raw = poppler.pages(pdf, laid_out=False)
            done[name] = Printed(poppler.pages(pdf), [" ".join(page.split()[-4:]) for page in raw])
        return done[name]

    return print_


def test_a_browser_shows_what_is_written_and_runs_nothing(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(WRITERS["html"](CONTENT))
    opened = chromium.open_page(page.as_uri(), tmp_path / "browser")
    assert opened.asked == ()
    body = opened.dom[opened.dom.index("<body>") :]
    text = one_line(html.unescape(re.sub(r"<[^>]+>", " ", body)))
    assert f"{SCRIPT} H44.31" in text
    assert "<title>Phú Thọ: kết quả xếp hạng ứng dụng CNTT, tháng 2 năm 2026 (số liệu chưa chốt)</title>" in opened.dom
    assert f"1 {FORMULA} 812,34 1 Khá 100 % 80 % +2" in text


def test_each_agency_begins_a_page_and_every_page_says_that_nothing_is_sealed(
    printed: Callable[[str], Printed],
) -> None:
    found = printed("open")
    for code in ("H44.01", "H44.02", "H44.31", "H44.32"):
        own = [page for page in found.pages if re.search(rf"\b{re.escape(code)}$", page.strip().splitlines()[0])]
        assert len(own) == 1, code
    for number, page in enumerate(found.pages, 1):
        assert "Phú Thọ, tháng 2 năm 2026 (số liệu chưa chốt / not sealed)" in page
        assert f"{number} / {len(found.pages)}" in page
    assert set(found.across) == {"CHƯA CHỐT NOT SEALED"}


def test_what_is_printed_are_the_figures_and_words_of_the_report(printed: Callable[[str], Printed]) -> None:
    told = printed("open").text
    for part in (
        "812,34",
        "100,00–700,00",
        "93,34 %",
        "2.368",
        "2.537",
        "không áp dụng",
        "thiếu",
        "không nêu",
        "+2",
        "−1",
    ):
        assert part in told, part


def test_a_sealed_report_bears_its_edition_and_no_mark(printed: Callable[[str], Printed]) -> None:
    found = printed("sealed")
    assert not any("SEALED" in across for across in found.across)
    assert all("Sở Nội vụ, tháng 2 năm 2026, ấn bản 2" in page for page in found.pages)
    assert "ab" * 32 in found.text.replace(" ", "")


def test_the_evidence_of_an_agency_prints_its_records(printed: Callable[[str], Printed]) -> None:
    told = printed("sealed").text
    assert "Sở Nội vụ, tháng 2 năm 2026" in told
    assert "=1+1" in told
    assert "khớp với số trên" in told


@pytest.fixture(scope="module")
def opened(server_folder: Callable[[str], Path], artefacts: Path) -> Path:
    """A folder with what LibreOffice made of the spreadsheet (`report-<sheet>.csv`, `report.pdf`) and of the CSV."""
    folder = server_folder("libreoffice")
    (folder / "report.xlsx").write_bytes(WRITERS["xlsx"](CONTENT))
    (folder / "lines.csv").write_bytes(WRITERS["csv"](CONTENT))
    profile = folder / "profile"
    profile.mkdir()
    libreoffice.convert([folder / "report.xlsx"], libreoffice.ALL_SHEETS, folder, profile)
    libreoffice.convert([folder / "report.xlsx", folder / "lines.csv"], "pdf", folder, profile)
    poppler.pictures(folder / "report.pdf", artefacts / "report-xlsx", 1, 5)
    return folder


def sheet(folder: Path, name: str) -> list[dict[str, str]]:
    """The lines of a sheet below its head, by the Vietnamese titles."""
    with (folder / f"report-{name}.csv").open(encoding="utf-8", newline="") as file:
        head, *lines = list(csv.reader(file))[3:]
    return [dict(zip((title.splitlines()[0] for title in head), line, strict=True)) for line in lines]


def test_libreoffice_shows_the_same_figures(opened: Path) -> None:
    found = sheet(opened, "Số liệu")
    assert len(found) == len(READINGS)
    for line, one in zip(found, READINGS, strict=True):
        assert line["Tỷ lệ"] == ("" if one.percentage is None else f"{one.percentage}%")
        if one.state != "missing":
            told = [line[name].replace(",", "") for name in ("Đạt", "Xét", "Không xét được")]
            assert told == ["" if count is None else str(count) for count in (one.hits, one.judged, one.unknown)]
    assert found[0]["Đến ngày"] == "28/02/2026"
    ranked = sheet(opened, "Sở, ban, ngành")
    assert [(one["Điểm"], one["Xếp hạng"], one["Thay đổi"]) for one in ranked] == [
        ("812.34", "1", "+2"),
        ("100.00", "2", "-1"),
    ]


def test_libreoffice_computes_nothing_of_a_name(opened: Path) -> None:
    assert sheet(opened, "Sở, ban, ngành")[0]["Cơ quan"] == FORMULA
    assert sheet(opened, "Huyện, thành phố   A B")[1]["Cơ quan"] == "@UBND huyện"
    told = one_line(" ".join(poppler.pages(opened / "lines.pdf")))
    assert "'=HYPERLINK" in told, "as text, with its apostrophe"
    assert "#NAME?" not in told
    assert "Err:" not in told


def test_libreoffice_prints_the_mark_and_the_head_on_every_page(opened: Path) -> None:
    pages = poppler.pages(opened / "report.pdf")
    for page in pages:
        assert "Phú Thọ, tháng 2 năm 2026 / 2026-02 (số liệu chưa chốt)" in one_line(page)
    assert sum("STT" in page for page in pages) == 2
    assert "SỐ LIỆU CHƯA CHỐT / not sealed" in one_line(pages[0])
