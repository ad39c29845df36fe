"""The report that the sample province's one-stop systems make of themselves: who may ask, and what must add up."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.demo import onestop_service, own_report
from collector.demo.ledger import Ledger
from collector.demo.ledger import read as read_ledger

FEBRUARY = {"tuNgay": "2026-02-01", "denNgay": "2026-02-28", "cache": False}


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    """The service of the small province, running."""
    with onestop_service.serve(folder) as port:
        yield port


def ask(port: int, folder: Path, path: str, question: Any, *, token: bool = True) -> tuple[int, dict[str, Any]]:
    key = (folder / onestop_service.KEY_FILE).read_text(encoding="ascii").strip()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {key}"} if token else {}
        connection.request("POST", path, json.dumps(question), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_without_its_token_and_at_another_path_it_tells_nothing(port: int, folder: Path) -> None:
    path = f"/onestop/{own_report.PATH}"
    assert ask(port, folder, path, FEBRUARY, token=False)[0] == 401
    assert ask(port, folder, "/onestop/dossiers", FEBRUARY)[0] == 404


def test_there_is_a_row_for_each_of_its_units_and_its_classes_add_up(port: int, folder: Path, small: Ledger) -> None:
    status, body = ask(port, folder, f"/onestop/{own_report.PATH}", FEBRUARY)
    assert status == 200
    (source,) = [one for one in small.sources if one.name == "onestop"]
    assert [row["MaDinhDanh"] for row in body["data"]] == source.serves
    for row in body["data"]:
        assert row["TongDaXuLy"] == row["DaXuLyTruocHan"] + row["DaXuLyDungHan"] + row["DaXuLyQuaHan"]
        assert row["TiepNhanBCCI"] == 0, "it leaves out what came by post"
        assert row["NgayTongHop"] == "20260301013000"
    assert sum(row["TongDaXuLy"] for row in body["data"]) > 100


def test_an_end_that_was_entered_after_it_counted_is_not_in_it(small: Ledger) -> None:
    (report,) = [one for one in small.reports if one.source == "onestop"]
    made = report.made or 0
    late = [one for one in small.dossiers if one.entered is not None and one.entered > made and one.agency]
    assert late, "the small province has such dossiers"
    item = {
        "DaXoa": "0", "TrangThaiHoSo": "9", "DanhSachHoSoBoSung": [], "KenhThucHien": "2",
        "NgayTiepNhan": "20260202080000", "NgayHenTra": "20260227170000", "NgayKetThucXuLy": "20260226170000",
        "NgayTra": "",
    }  # fmt: skip
    known = own_report.row(late[0], item, report)
    assert known is not None
    assert (known["finished"], known["status"]) == ("", "4")
    early = next(one for one in small.dossiers if one.entered is None and one.agency)
    known = own_report.row(early, item, report)
    assert known is not None
    assert known["finished"] == "20260226"
    assert own_report.row(early, item | {"DaXoa": "1"}, report) is None


def test_what_the_systems_report_is_kept_in_the_ledger(small: Ledger, tmp_path: Path) -> None:
    small.write(tmp_path / "ledger.json")
    assert read_ledger(tmp_path / "ledger.json").reports == small.reports
