"""The sample province's one-stop service: it wants its token, caps its pages, and tells the ledger's dossiers."""

import http.client
import json
import socket
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from collector.contract import period
from collector.contract.errors import WrongUse
from collector.demo import onestop_service
from collector.demo.ledger import Ledger

LOCAL = timezone(timedelta(hours=7))


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    """The service of the small province, running."""
    with onestop_service.serve(folder) as port:
        yield port


def _ask(port: int, path: str, token: str | None = None) -> tuple[int, dict[str, Any], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.getheader("Date", "")
    finally:
        connection.close()


@pytest.fixture(scope="module")
def token(folder: Path) -> str:
    """The token that the service was given."""
    return (folder / onestop_service.KEY_FILE).read_text(encoding="ascii").strip()


@pytest.fixture(scope="module")
def versions(port: int, token: str) -> list[dict[str, Any]]:
    """All versions of all dossiers, in the order in which they are served."""
    found: list[dict[str, Any]] = []
    number, total = 1, 1
    while len(found) < total:
        _, body, _ = _ask(port, f"/onestop/dossiers?trang={number}&soDong=500", token)
        total, number = body["total"], number + 1
        assert body["data"], "a page is empty before the total is reached"
        found += body["data"]
    assert len(found) == total
    return found


@pytest.mark.parametrize("wrong", [None, "wrong", ""])
def test_without_its_token_it_tells_nothing(port: int, wrong: str | None) -> None:
    status, body, _ = _ask(port, "/onestop/dossiers", wrong)
    assert status == 401
    assert "data" not in body


def test_a_page_is_never_longer_than_the_cap(port: int, token: str) -> None:
    _, body, _ = _ask(port, "/onestop/dossiers?trang=1&soDong=5000", token)
    assert body["error_code"] == 0
    assert len(body["data"]) == onestop_service.PAGE_CAP < body["total"]


def test_a_path_that_there_is_not_is_not_found(port: int, token: str) -> None:
    assert _ask(port, "/onestop/people", token)[0] == 404


def test_it_tells_the_demo_s_time(port: int, token: str) -> None:
    assert _ask(port, "/onestop/procedures", token)[2] == "Sun, 01 Mar 2026 01:00:00 GMT"


def test_a_question_for_changes_gets_those_and_no_others(port: int, token: str, versions: list[dict[str, Any]]) -> None:
    _, body, _ = _ask(port, "/onestop/dossiers?trang=1&soDong=1&tuNgayCapNhat=20260227000000", token)
    assert body["total"] == sum(item["NgayCapNhat"] >= "20260227000000" for item in versions) > 0


def test_a_question_for_days_of_receipt_gets_those_and_no_others(
    port: int, token: str, versions: list[dict[str, Any]]
) -> None:
    _, body, _ = _ask(port, "/onestop/dossiers?soDong=1&tuNgay=20260105000000&denNgay=20260105235959", token)
    assert body["total"] == sum(item["NgayTiepNhan"][:8] == "20260105" for item in versions) > 0


def _newest(versions: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in versions:
        found[item["MaHoSo"]] = max(item, found.get(item["MaHoSo"], item), key=lambda one: str(one["NgayCapNhat"]))
    return found


def test_older_versions_come_after_newer_ones(versions: list[dict[str, Any]]) -> None:
    newest: dict[str, str] = {}
    late = 0
    for item in versions:
        late += item["NgayCapNhat"] < newest.get(item["MaHoSo"], "")
        newest[item["MaHoSo"]] = max(item["NgayCapNhat"], newest.get(item["MaHoSo"], ""))
    assert late > 50


def test_no_two_versions_of_a_dossier_have_the_same_stamp(versions: list[dict[str, Any]]) -> None:
    assert len({(item["MaHoSo"], item["NgayCapNhat"]) for item in versions}) == len(versions)
    assert max(item["NgayCapNhat"] for item in versions) < "20260301080000"


def _day(text: str) -> int | None:
    return int(text[:8]) if text else None


def test_the_newest_version_of_each_dossier_says_what_the_ledger_says(
    versions: list[dict[str, Any]], small: Ledger
) -> None:
    newest = _newest(versions)
    mine = [one for one in small.dossiers if one.source == "onestop"]
    assert set(newest) == {one.id for one in mine}
    channels = {"1": "counter", "2": "online", "3": "post"}
    for one in mine:
        item = newest[one.id]
        assert item["DonViXuLy"] == one.agency_written
        assert item["MaTTHC"][:8] == one.procedure
        assert channels.get(item["KenhThucHien"]) == one.channel
        assert _day(item["NgayTiepNhan"]) == one.received_day
        assert (item["DaXoa"] == "1") == one.deleted
        status = item["TrangThaiHoSo"]
        if one.outcome == "open":
            assert status in ("2", "4", "5"), one
            assert item["NgayKetThucXuLy"] == ""
        elif one.outcome == "refused_at_intake":
            assert (status, _day(item["NgayTuChoi"])) == ("3", one.ended_day)
        elif one.outcome in ("withdrawn", "stopped"):
            assert (status, _day(item["NgayKetThucXuLy"])) == (
                {"withdrawn": "7", "stopped": "8"}[one.outcome],
                one.ended_day,
            )
        else:
            assert status in ("9", "10")
            assert _day(item["NgayKetThucXuLy"]) == one.completed_day
            assert bool(item["NgayTuChoi"]) == (one.outcome == "refused_after")
        if one.received_day is not None:
            assert _day(item["NgayHenTra"]) == (one.promises[-1].day if one.promises else None)
        pauses = [
            (_day(entry["NgayBoSung"]), _day(entry["NgayTiepNhanBoSung"])) for entry in item["DanhSachHoSoBoSung"]
        ]
        assert pauses == [(pause.begun_day, pause.ended_day) for pause in one.pauses]


def test_the_first_promise_can_be_told_from_what_is_served(versions: list[dict[str, Any]], small: Ledger) -> None:
    told: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for item in versions:
        if item["NgayHenTra"]:
            told[item["MaHoSo"]].append((item["NgayCapNhat"], 1, int(item["NgayHenTra"][:8])))
        for entry in item["DanhSachHoSoBoSung"]:
            if entry["NgayHenTraTruoc"]:
                told[item["MaHoSo"]].append((entry["NgayBoSung"], 0, int(entry["NgayHenTraTruoc"][:8])))
    moved = [one for one in small.dossiers if one.source == "onestop" and len(one.promises) > 1]
    assert len(moved) > 20
    for one in moved:
        assert min(told[one.id])[2] == one.promises[0].day, one


def test_completions_keep_their_second(versions: list[dict[str, Any]], small: Ledger) -> None:
    newest = _newest(versions)
    asked = {one.id: one.completed for one in small.dossiers if one.completed is not None and one.source == "onestop"}
    assert len(asked) > 100
    for identity, instant in asked.items():
        told = datetime.strptime(newest[identity]["NgayKetThucXuLy"], "%Y%m%d%H%M%S").replace(tzinfo=LOCAL)
        assert told.timestamp() == instant
    assert {"235959", "000000"} <= {item["NgayKetThucXuLy"][8:] for item in newest.values()}


def test_personal_fields_are_there_to_be_left_alone(versions: list[dict[str, Any]]) -> None:
    assert all(item["ChuHoSo"] and item["SoGiayToChuHoSo"] and item["SoDienThoai"] for item in versions)


def test_the_catalogue_is_the_ledger_s_and_one_system_has_none(
    port: int, token: str, small: Ledger, folder: Path
) -> None:
    _, body, _ = _ask(port, "/onestop/procedures?soDong=500", token)
    levels = {"2": "information", "3": "partial", "4": "full", "": None}
    told = {
        (
            item["MaTTHC"][:8],
            item["MaCoQuan"],
            levels[item["MucDo"]],
            _day(item["HieuLucTu"]),
            _day(item["HieuLucDen"]),
        )
        for item in body["data"]
    }
    assert told == {(one.code, one.agency_written, one.level, one.from_day, one.to_day) for one in small.procedures}
    assert {one.agency_written for one in small.procedures} > {""}, "some agencies have lines of their own"
    assert not (folder / "onestop-thanhson" / "procedures.jsonl").exists()


def test_the_port_is_chosen_once_and_used_again(folder: Path, port: int) -> None:
    assert onestop_service.reserve(folder) == port
    with onestop_service.serve(folder) as again:
        assert again == port


def test_a_port_that_something_else_holds_is_said_so(folder: Path, tmp_path: Path) -> None:
    for name in (onestop_service.KEY_FILE, onestop_service.SERVICE):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.01)
        held = other.getsockname()[1]
        (tmp_path / onestop_service.PORTS).write_text(json.dumps({"onestop": held}), encoding="ascii")
        other.close()
    with (
        socket.create_server(("127.0.0.1", held)),
        pytest.raises(WrongUse, match=f"port {held}"),
        onestop_service.serve(tmp_path),
    ):
        pass


def test_the_service_ends_with_its_block(small: Ledger, tmp_path: Path) -> None:
    source = next(source for source in small.sources if source.name == "onestop")
    onestop_service.write(small, source, tmp_path / "onestop")
    with onestop_service.serve(tmp_path) as port:
        assert _ask(port, "/identity")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        _ask(port, "/identity")


def test_days_of_the_service_are_local(versions: list[dict[str, Any]], small: Ledger) -> None:
    newest = _newest(versions)
    one = next(d for d in small.dossiers if d.promises and d.source == "onestop" and not d.expected)
    assert newest[one.id]["NgayTiepNhan"][:8] == str(period.local_day(one.promises[0].at))
