"""The report as CSV: a golden file whose lines were checked by hand, and what a spreadsheet must not run."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.report import Block
from collector.report.table import safe, written
from tests.report.contents import CONTENT, EVIDENCE, FORMULA, READINGS, SEALED, B, agency

GOLDEN = Path(__file__).parents[1] / "golden" / "report"


def lines(written_: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written_.decode("utf-8-sig"), newline="")))


def test_the_figures_are_those_of_the_golden_file() -> None:
    assert written(CONTENT) == (GOLDEN / "figures.csv").read_bytes()


def test_the_evidence_is_that_of_the_golden_file() -> None:
    assert written(EVIDENCE) == (GOLDEN / "evidence.csv").read_bytes()


def test_excel_is_told_that_the_letters_are_utf_8_and_lines_end_as_the_rfc_says() -> None:
    assert written(CONTENT).startswith(b"\xef\xbb\xbfk\xe1\xbb\xb3")
    assert written(CONTENT).count(b"\r\n") == len(READINGS) + 1
    assert b"\n" not in written(CONTENT).replace(b"\r\n", b"")


def test_there_is_a_line_for_each_figure_with_its_counts_as_numbers() -> None:
    found = lines(written(SEALED))
    assert len(found) == len(READINGS)
    first = found[0]
    assert [first[name] for name in ("đạt (hits)", "xét (judged)", "không xét được (unknown)", "tỷ lệ (value)")] == [
        "2368",
        "2537",
        "3",
        "0.933386",
    ]
    assert {one["ấn bản (edition)"] for one in found} == {"2"}
    assert {one["ấn bản (edition)"] for one in lines(written(CONTENT))} == {""}


def test_missing_is_not_zero() -> None:
    for one in lines(written(CONTENT)):
        if one["state"] != "measured" or one["không nêu (suppressed)"] == "1":
            assert one["tỷ lệ (value)"] == ""
        if one["state"] == "missing" and one["phạm vi (scope)"] == "agency":
            assert one["đạt (hits)"] == one["xét (judged)"] == ""


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "－"])
def test_text_that_begins_like_a_formula_is_quoted(begin: str) -> None:
    assert safe(f"{begin}1") == f"'{begin}1"


@pytest.mark.parametrize("text", ["", "Sở Y tế", "1-2", "a=b", " =1", "'=1", "−2"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_numbers_are_never_quoted_and_names_are() -> None:
    found = lines(written(CONTENT))
    assert found[0]["cơ quan (name)"] == f"'{FORMULA}"
    first, *_ = EVIDENCE.evidence
    negative = replace(first, columns=("key", "day", "verdict", "number"), rows=(("-1", 20260203, "hit", -5),))
    told = lines(written(replace(EVIDENCE, evidence=(negative,))))
    assert (told[0]["mã bản ghi (key)"], told[0]["number"]) == ("'-1", "-5")


@pytest.mark.long
def test_whatever_a_name_is_the_same_name_is_read_again_and_no_formula(scale: Callable[[int], int]) -> None:
    """Also by who reads no apostrophe as a sign: then the name is one sign longer, and is still no formula."""

    @settings(max_examples=scale(2_000), deadline=None, derandomize=True)
    @given(st.text(st.characters(codec="utf-8"), max_size=20))
    def holds(name: str) -> None:
        blocks = (Block("departments", name, "", (replace(agency(B), name=name),)),)
        only = tuple(one for one in READINGS if one.agency == B)
        found = lines(written(replace(CONTENT, blocks=blocks, readings=only)))
        assert len(found) == len(only)
        for one in found:
            told = one["cơ quan (name)"]
            assert told in (name, f"'{name}")
            assert not told.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0"))

    holds()


def test_a_report_on_one_agency_has_no_line_of_another() -> None:
    found = lines(written(replace(CONTENT, only=B)))
    assert {one["mã cơ quan (agency)"] for one in found} == {B}
    assert len(found) == 3
