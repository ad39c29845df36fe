"""The report that a one-stop system of the sample province makes of its own dossiers, by rules that are not ours.

As platforms in use do (facts: source-systems 2.3): it judges by the due date that stands now, takes what was withdrawn
or has no due date for on time, counts paused and stopped dossiers apart, and may leave channels out. What stands in it
is decided by the ledger (`OwnReport`); it is counted when it is asked for, from the system's own rows.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from collector.demo.ledger import Dossier, OwnReport

PATH = "QuyetDinh766s/ChiTieuTienDo"
FILE = "own-report.json"

_COUNTED = ("TiepNhanQuaMang", "TiepNhanTrucTiep", "TiepNhanBCCI", "TongDaXuLy", "DaXuLyTruocHan", "DaXuLyDungHan")
_COLUMNS = (*_COUNTED, "DaXuLyQuaHan", "TongDangXuLy", "TongTamDungXuLy")
_RECEIVED = {"2": "TiepNhanQuaMang", "1": "TiepNhanTrucTiep", "3": "TiepNhanBCCI"}
_CODES = {"counter": "1", "online": "2", "post": "3"}


def row(dossier: Dossier, item: Mapping[str, Any], report: OwnReport) -> dict[str, Any] | None:
    """What the system knows of a dossier when it counts, given the latest version that it lists; None: nothing.

    An end that was entered after the count was not there yet.
    """
    if dossier.agency is None or item["DaXoa"] == "1" or item["TrangThaiHoSo"] in ("1", "3"):
        return None
    waiting = [one["NgayBoSung"][:8] for one in item["DanhSachHoSoBoSung"] if not one["NgayTiepNhanBoSung"]]
    known = {
        "unit": dossier.agency,
        "channel": item["KenhThucHien"],
        "received": item["NgayTiepNhan"][:8],
        "due": item["NgayHenTra"][:8],
        "finished": item["NgayKetThucXuLy"][:8],
        "collected": item["NgayTra"][:8],
        "status": item["TrangThaiHoSo"],
        "asked": waiting[-1] if waiting else "",
    }
    if report.made is not None and dossier.entered is not None and dossier.entered > report.made:
        known |= {"finished": "", "collected": "", "status": "4"}
    return known


def write(rows: Iterable[Mapping[str, Any]], report: OwnReport, units: Iterable[str], folder: Path) -> None:
    """Write what the system counts from beside its lists."""
    content = {"report": asdict(report), "units": list(units), "rows": list(rows)}
    (folder / FILE).write_text(json.dumps(content), encoding="utf-8")


class Counter766:
    """The system's own count, ready for any days."""

    def __init__(self, folder: Path) -> None:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        self._report = OwnReport(**content["report"])
        self._units: list[str] = content["units"]
        self._rows: list[dict[str, str]] = content["rows"]

    def answer(self, question: Mapping[str, Any]) -> bytes:
        """Return the body of an answer: a row for each unit."""
        first, last = (str(question.get(name, "")).replace("-", "") for name in ("tuNgay", "denNgay"))
        units: dict[str, Counter[str]] = defaultdict(Counter)
        for one in self._rows:
            self._count(one, first, last, units[one["unit"]])
        data = [self._shown(unit, units[unit]) for unit in self._units]
        return json.dumps({"error_code": 0, "total": len(data), "data": data}).encode()

    def _count(self, one: Mapping[str, str], first: str, last: str, counts: Counter[str]) -> None:
        if one["channel"] not in {_CODES[name] for name in self._report.channels}:
            return
        if first <= one["received"] <= last:
            counts[_RECEIVED[one["channel"]]] += 1
        ended, withdrawn = one["finished"], one["status"] == "7"
        done = one["collected"] if self._report.ended == "returned" and not withdrawn else ended
        if one["status"] in ("7", "9", "10") and first <= done <= last:
            counts["TongDaXuLy"] += 1
            if withdrawn or not one["due"] or done == one["due"]:
                counts["DaXuLyDungHan"] += 1
            else:
                counts["DaXuLyTruocHan" if done < one["due"] else "DaXuLyQuaHan"] += 1
        if one["received"] <= last:
            if one["status"] in ("2", "4") or ended > last or (one["status"] == "5" and one["asked"] > last):
                counts["TongDangXuLy"] += 1
            elif one["status"] in ("5", "6", "8"):
                counts["TongTamDungXuLy"] += 1

    def _shown(self, unit: str, counts: Counter[str]) -> dict[str, Any]:
        by_hand = self._report.added.get(unit, 0)
        counts["TongDaXuLy"] += by_hand
        counts["DaXuLyTruocHan"] += by_hand
        shown: dict[str, Any] = {"MaDinhDanh": unit, **{column: counts[column] for column in _COLUMNS}}
        if self._report.made is not None:
            shown["NgayTongHop"] = self._report.made_text
        shown["TyLeDungHan"] = self._report.typed.get(unit, self._percentage(counts))
        return shown

    def _percentage(self, counts: Counter[str]) -> str:
        if not counts["TongDaXuLy"]:
            return "100"
        exact = Decimal(100 * (counts["DaXuLyTruocHan"] + counts["DaXuLyDungHan"])) / counts["TongDaXuLy"]
        step = Decimal(1).scaleb(-self._report.places)
        return str(exact.quantize(step, ROUND_DOWN if self._report.cut else ROUND_HALF_UP))
