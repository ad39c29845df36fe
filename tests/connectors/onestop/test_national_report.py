"""The report that a platform makes of its own dossiers (QĐ 766): what is asked, what is understood, what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from collector.contract.connector import Days
from collector.contract.door import Answer
from collector.contract.errors import AccessDenied, UnexpectedAnswer
from collector.contract.period import day_start, parse_period
from collector.contract.records import Dossier
from collector.contract.reported import Report, Share, Total
from connectors.onestop import dvcqg

A, B = "H44.02", "H44.03"
FEBRUARY = parse_period("2026-02")
ROW = {
    "MaDinhDanh": A,
    "TiepNhanQuaMang": 30,
    "TiepNhanTrucTiep": 12,
    "TiepNhanBCCI": 3,
    "TongDaXuLy": 40,
    "DaXuLyTruocHan": 20,
    "DaXuLyDungHan": 17,
    "DaXuLyQuaHan": 3,
    "TongDangXuLy": 9,
}


class Service:
    """A door that answers one question and keeps it."""

    source, began = "onestop", 0

    def __init__(self, *rows: Any, code: Any = 0) -> None:
        self._body: Any = {"error_code": code, "data": list(rows)}
        self.asked: list[tuple[str, str, Any]] = []
        self.allowed: list[tuple[str, str]] = []

    def allow(self, method: str, path: str) -> None:
        self.allowed.append((method, path))

    def get(self, path: str, parameters: Any) -> Answer:
        self.asked.append(("GET", path, parameters))
        return Answer(self._body, None)

    def post(self, path: str, question: Any) -> Answer:
        self.asked.append(("POST", path, question))
        return Answer(self._body, None)


def config(**report: Any) -> dvcqg.Config:
    told = {"path": "/QuyetDinh766s/ChiTieuTienDo"} | report
    return dvcqg.Config.model_validate({"pages": {"path": "/dossiers"}, "report": told})


def told(service: Service, **report: Any) -> Report:
    (one,) = dvcqg.reported(config(**report), service, FEBRUARY)
    return one


def test_it_is_asked_for_the_days_of_the_period_and_never_from_its_cache() -> None:
    service = Service(ROW)
    told(service, fixed={"maDinhDanhCha": "H44", "cache": False})
    path = "/QuyetDinh766s/ChiTieuTienDo"
    days = {"tuNgay": "2026-02-01", "denNgay": "2026-02-28"}
    assert service.asked == [("POST", path, {"maDinhDanhCha": "H44", "cache": False, **days})]
    assert service.allowed == [("POST", path)]
    assert told(Service(ROW), method="GET", day_format="dd/MM/yyyy").days == Days(20260201, 20260228)


def test_its_columns_become_totals_by_their_names() -> None:
    one = told(Service(ROW))
    assert one.record is Dossier
    assert list(one.totals) == [
        Total(A, "received", 45),
        Total(A, "completed", 40),
        Total(A, "on_time", 37),
        Total(A, "late", 3),
        Total(A, "open", 9),
    ]
    assert (one.shares, one.made) == ([], None)
    assert one.rules is not None
    assert (one.rules.withdrawn, one.rules.without_due, one.rules.due) == ("on_time", "on_time", "current")


def test_what_a_row_leaves_empty_is_not_told_of_its_agency_and_no_zero() -> None:
    one = told(Service(ROW, {**ROW, "MaDinhDanh": B, "TiepNhanBCCI": None, "TongDaXuLy": None}))
    assert [total.name for total in one.totals if total.agency_code == B] == ["on_time", "late", "open"]


def test_a_printed_percentage_and_the_time_of_the_count_are_read_where_they_are_configured() -> None:
    rows = [
        {**ROW, "TyLe": "92,5 %", "Luc": "20260301010000"},
        {**ROW, "MaDinhDanh": B, "TyLe": 92.5, "Luc": "20260301013000"},
        {**ROW, "MaDinhDanh": "H44.04", "TyLe": None, "Luc": "20260301013000"},
    ]
    one = told(Service(*rows), percentage="TyLe", made="Luc")
    assert one.shares == [Share(A, "on_time", "completed", "92,5"), Share(B, "on_time", "completed", "92.5")]
    assert one.made == day_start(20260301) + 3_600


def test_a_platform_that_leaves_a_channel_out_says_so() -> None:
    rules = told(Service(ROW), channels=["counter", "online"], withdrawn="out", ended="returned").rules
    assert rules is not None
    assert (rules.channels, rules.withdrawn, rules.ended) == (frozenset({"counter", "online"}), "out", "returned")


def test_a_report_without_rows_tells_nothing() -> None:
    assert told(Service()).totals == []


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({**ROW, "TongDaXuLy": "40"}, "TongDaXuLy"),
        ({**ROW, "TongDaXuLy": True}, "TongDaXuLy"),
        ({**ROW, "TongDaXuLy": -1}, "TongDaXuLy"),
        ({**ROW, "MaDinhDanh": " "}, "MaDinhDanh"),
        ({name: value for name, value in ROW.items() if name != "DaXuLyQuaHan"}, "DaXuLyQuaHan"),
        ({**ROW, "TyLe": ["9"]}, "TyLe"),
        ({**ROW, "Luc": "1/3/2026"}, "Luc"),
        ("a row", "data"),
    ],
    ids=["text", "flag", "below zero", "no agency", "renamed", "percentage", "time", "no object"],
)
def test_another_shape_is_refused_by_the_field(row: Any, field: str) -> None:
    full = {**row, "TyLe": row.get("TyLe", "1"), "Luc": row.get("Luc", "20260301")} if isinstance(row, dict) else row
    with pytest.raises(UnexpectedAnswer) as caught:
        told(Service(full), percentage="TyLe", made="Luc")
    assert caught.value.field == field


def test_the_services_own_refusal_is_no_report() -> None:
    with pytest.raises(AccessDenied):
        told(Service(code=-1))


def test_a_source_without_a_report_publishes_nothing() -> None:
    without = dvcqg.Config.model_validate({"pages": {"path": "/dossiers"}})
    assert not dvcqg.publishes(without)
    assert dvcqg.publishes(config())
    assert list(dvcqg.reported(without, Service(ROW), FEBRUARY)) == []
    with pytest.raises(ValidationError, match="report is asked of the service"):
        dvcqg.Config.model_validate({"files": {"pattern": "*.json"}, "report": {"path": "/x"}})
