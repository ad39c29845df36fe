"""A declared figure beside a measured one: within the tolerance, by its bound, and only where ours may be told."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from collector import agencies, init
from collector.agencies import Register
from collector.audit import beside, read, wanted
from collector.audit.measured import Measured, Wanted
from collector.contract.reading import Reading
from tests.audit.sheets import csv_of

PROVINCE = {"H44": "Tỉnh Phú Thọ"}
OURS = Reading("dossiers.on_time", 1, "agency", "H44.02", "2026-02", "measured", 20260228, 900, 1000, 0)
"""90 %."""


@pytest.fixture(scope="module")
def register() -> Register:
    return agencies.read(init.samples() / "agencies.yaml")


def asked(folder: Path, register: Register, line: Mapping[str, str]) -> Wanted:
    whole = {"indicator": "dossiers.on_time", "period": "2026-02", "agency": "H44.02", "value": "90%", **line}
    (folder / "sheet.csv").write_text(csv_of(whole), encoding="utf-8")
    (one,) = wanted(read(folder / "sheet.csv"), register, PROVINCE)
    return one


def compared(folder: Path, register: Register, line: Mapping[str, str], ours: Reading, points: str = "1") -> Measured:
    (one,) = beside([asked(folder, register, line)], [ours], Decimal(points))
    return one


@pytest.mark.parametrize(
    ("declared", "points", "within"),
    [
        ("90%", "0", True),
        ("91%", "1", True),
        ("91,1%", "1", False),
        ("89%", "1", True),
        ("88,9%", "1", False),
        ("trên 90%", "1", True),
        ("trên 91%", "1", True),
        ("trên 92%", "1", False),
        ("trên 50%", "1", True),
        ("gần 95%", "1", True),
        ("gần 89%", "1", True),
        ("gần 88%", "1", False),
        ("khoảng 85%", "1", True),
        ("khoảng 83%", "1", False),
        ("900/1.000", "0", True),
        ("92%", "2", True),
    ],
)
def test_what_is_declared_may_be_a_tolerance_away(
    declared: str, points: str, within: bool, register: Register, tmp_path: Path
) -> None:
    one = compared(tmp_path, register, {"value": declared}, OURS, points)
    assert one.within is within
    finding = one.finding()
    assert (finding is None) is within
    if finding is not None:
        assert finding.recomputed == "90.00%"
        assert "90,00% (900/1.000)" in finding.vi
        assert "90.00% (900 of 1,000)" in finding.en


@pytest.mark.parametrize(
    "ours",
    [
        replace(OURS, state="partial", why="the days 1 to 3 are not covered"),
        replace(OURS, state="missing", hits=0, judged=0, why="no source"),
        replace(OURS, state="not_applicable", hits=0, judged=0),
        replace(OURS, suppressed=True, hits=None, judged=None, unknown=None, why="too few stand behind it"),
        replace(OURS, agency="H44.09"),
        replace(OURS, period="2026-01"),
        replace(OURS, scope="block"),
        replace(OURS, indicator="dossiers.on_time_due"),
    ],
    ids=["partial", "missing", "nothing", "suppressed", "agency", "period", "scope", "indicator"],
)
def test_what_is_not_measured_or_not_told_is_not_compared(ours: Reading, register: Register, tmp_path: Path) -> None:
    one = compared(tmp_path, register, {"value": "10%"}, ours)
    assert (one.within, one.difference, one.finding()) == (None, None, None)
    assert one.why is not None
    assert all(one.why)
    if ours.suppressed:
        assert one.why == ("số đo không được công bố", "too few stand behind it")


@pytest.mark.parametrize(
    ("line", "scope", "code"),
    [
        ({}, "agency", "H44.02"),
        ({"agency": "000.00.02.H44"}, "agency", "H44.02"),
        ({"agency": "sở khoa học và công nghệ"}, "agency", "H44.02"),
        ({"agency": "Sở KH&CN"}, "agency", "H44.02"),
        ({"agency": "UBND tỉnh Phú Thọ"}, "province", "H44"),
        ({"agency": "Phú Thọ"}, "province", "H44"),
        ({"agency": "H44"}, "province", "H44"),
        ({"agency": ""}, "province", "H44"),
        ({"agency": "", "block": "departments"}, "block", "departments"),
        ({"agency": "", "block": "Sở, ban, ngành"}, "block", "departments"),
    ],
)
def test_who_is_meant_is_found_by_code_alias_or_name(
    line: Mapping[str, str], scope: str, code: str, register: Register, tmp_path: Path
) -> None:
    one = asked(tmp_path, register, line)
    assert (one.scope, one.agency, one.why) == (scope, code, None)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"agency": "Sở Lạ"}, "no agency is called Sở Lạ in the register"),
        ({"agency": "", "block": "Khối lạ"}, "the register has no block Khối lạ"),
        ({"period": ""}, "the line names no month, quarter or year"),
        ({"period": "2011-2015"}, "the line names no month, quarter or year"),
        ({"nature": "kế hoạch"}, "it is no result"),
    ],
)
def test_who_is_not_found_is_told(line: Mapping[str, str], why: str, register: Register, tmp_path: Path) -> None:
    one = asked(tmp_path, register, line)
    assert one.why is not None
    assert one.why[1] == why


def test_a_difference_is_declared_less_measured(register: Register, tmp_path: Path) -> None:
    assert compared(tmp_path, register, {"value": "93,1%"}, OURS).difference == Decimal("3.10")
    assert compared(tmp_path, register, {"value": "88%"}, OURS).difference == Decimal("-2.00")
