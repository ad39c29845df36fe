"""The one-stop systems of the sample province: an HTTP service on loopback, in the national format.

Each source has a folder with `dossiers.jsonl` (one version of one dossier per line, in no order of time) and, if it
keeps one, `procedures.jsonl`; its lists are asked under `/<source>/dossiers` and `/<source>/procedures`. As real ones
do, the service wants a token, caps the page size and tells more about people than anybody should read.
"""

import errno
import hashlib
import http.client
import json
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from collector.contract import period
from collector.contract.errors import WrongUse
from collector.demo import own_report
from collector.demo.ledger import Dossier, Ledger, OwnReport, Promise, Source

PAGE_CAP = 500
KEY_FILE = "onestop-token"
PORTS = "ports.json"
SERVICE = "service.json"

MINUTE, HOUR, DAY = 60, 3600, 86_400

_STATUS = {
    "completed": "9",
    "refused_after": "9",
    "withdrawn": "7",
    "stopped": "8",
    "refused_at_intake": "3",
}
_CHANNELS = {"counter": "1", "online": "2", "post": "3", None: "9"}
_LEVELS = {"information": "2", "partial": "3", "full": "4"}
_PEOPLE = ("Nguyễn Thị Hòa", "Trần Văn Bình", "Lê Thị Mai", "Phạm Quốc Toản", "Hà Văn Sơn", "Đinh Thị Thu")
_STAMP_AT = len('{"NgayCapNhat":"')
_RECEIVED_AT = len('{"NgayCapNhat":"20260101000000","NgayTiepNhan":"')


# -- what the systems tell ---------------------------------------------------------------------------------------


def write(ledger: Ledger, source: Source, folder: Path) -> None:
    """Write the lists of one one-stop system, and beside its folder the token and the service's clock."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(f"{ledger.seed}:{source.name}:service")  # noqa: S311 - a sample, no secret
    report = next((one for one in ledger.reports if one.source == source.name), None)
    versions, rows = [], []
    for dossier in ledger.dossiers:
        if dossier.source != source.name:
            continue
        items = list(_versions(dossier, ledger, chance))
        versions += [json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items]
        if report is not None and (row := own_report.row(dossier, items[-1], report)):
            rows.append(row)
    if report is not None:
        own_report.write(rows, report, source.serves, folder)
    chance.shuffle(versions)  # an older version often comes after the newer
    (folder / "dossiers.jsonl").write_text("\n".join(versions) + "\n", encoding="utf-8")
    procedures = [one for one in ledger.procedures if one.source == source.name]
    if "procedure" in source.records:
        lines = [
            json.dumps(
                {
                    "NgayCapNhat": f"{min(one.from_day, ledger.last_day)}080000",
                    "MaTTHC": f"{one.code}.000.00.00.H44" if place % 3 == 0 else one.code,
                    "TenTTHC": f"Thủ tục {one.code}",
                    "MaCoQuan": one.agency_written,
                    "MucDo": _LEVELS.get(one.level or "", ""),
                    "HieuLucTu": f"{one.from_day}000000",
                    "HieuLucDen": f"{one.to_day}235959" if one.to_day else "",
                },
                ensure_ascii=False,
            )
            for place, one in enumerate(procedures)
        ]
        (folder / "procedures.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    token = folder.parent / KEY_FILE
    token.write_text(hashlib.sha256(f"demo {ledger.seed}".encode()).hexdigest()[:32] + "\n", encoding="ascii")
    token.chmod(0o600)
    (folder.parent / SERVICE).write_text(json.dumps({"now": ledger.now}) + "\n", encoding="ascii")


def _text(instant: int) -> str:
    return f"{period.local_day(instant)}{_clock((instant + period.OFFSET) % DAY)}"


@cache
def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"


def _versions(dossier: Dossier, ledger: Ledger, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Yield what the service tells of a dossier, one object for each version kept; the last tells all.

    A system may send a dossier only once it is finished; but whoever moves a due date without a supplement has told
    the first one before.
    """
    came = _came(dossier, chance)
    steps = _steps(dossier, came, chance)
    silent = len(dossier.promises) > 1 and not _moved_by_supplement(dossier)
    stamp = 0
    for place, (at, status, shown) in enumerate(steps):
        last = place == len(steps) - 1
        stamp = min(max(at, stamp + 1), ledger.now - 2 * HOUR + place)
        if last or silent or chance.random() < 0.45:
            yield _object(dossier, stamp, status, shown, came)


def _came(dossier: Dossier, chance: random.Random) -> int:
    """Return the instant of receipt (of filing, if it was never received)."""
    if dossier.promises:
        return dossier.promises[0].at
    day = dossier.received_day or dossier.ended_day or 0
    return period.day_start(day) + 8 * HOUR + int(chance.random() * 6 * HOUR)


def _moved_by_supplement(dossier: Dossier) -> bool:
    """Whether the second promise came with the return of the last supplement."""
    if len(dossier.promises) != 2 or not dossier.pauses:
        return False
    return dossier.pauses[-1].ended_day == period.local_day(dossier.promises[1].at)


_Shown = tuple[int, int, bool, bool]
"""What a version shows: up to which instant promises and pauses, whether the end, and whether it is deleted."""


def _steps(dossier: Dossier, came: int, chance: random.Random) -> list[tuple[int, str, _Shown]]:
    steps: list[tuple[int, str, _Shown]] = []
    if dossier.received_day is not None:
        if dossier.channel == "online" and chance.random() < 0.2:
            steps.append((came - 2 * MINUTE, "1", (0, 0, False, False)))
        steps.append((came, "2", (came, came, False, False)))
    supplement = _moved_by_supplement(dossier)
    if not supplement:
        steps += [(one.at, "4", (one.at, one.at, False, False)) for one in dossier.promises[1:]]
    for pause in dossier.pauses:
        asked, back = _asked(pause.begun_day), pause.ended_day and _back(pause.ended_day)
        steps.append((asked, "5", (asked, asked, False, False)))
        if back:
            steps.append((back, "4", (back, back, False, False)))
    steps.sort(key=lambda step: step[0])
    end = 1 << 40
    if dossier.outcome != "open":
        ended = dossier.ended_day if dossier.completed_day is None else dossier.completed_day
        over = period.day_start(ended or 0) + 16 * HOUR if dossier.completed is None else dossier.completed
        steps.append((dossier.entered or over, _STATUS[dossier.outcome], (end, end, True, False)))
        if dossier.returned_day is not None:
            steps.append((period.day_start(dossier.returned_day) + 9 * HOUR, "10", (end, end, True, False)))
    elif not steps:
        steps.append((came, "2", (end, end, False, False)))
    if dossier.deleted:
        at, status, _ = steps[-1]
        steps.append((at + HOUR, status, (end, end, dossier.outcome != "open", True)))
    # Whatever came last tells everything, be it stamped earlier than something that it knows of.
    at, status, (_, _, over_, deleted) = steps[-1]
    steps[-1] = (max(step[0] for step in steps), status, (end, end, over_, deleted))
    return steps


def _asked(day: int) -> int:
    return period.day_start(day) + 16 * HOUR + 45 * MINUTE


def _back(day: int) -> int:
    return period.day_start(day) + 16 * HOUR + 50 * MINUTE


def _object(dossier: Dossier, stamp: int, status: str, shown: _Shown, came: int) -> dict[str, Any]:
    promises_until, pauses_until, over, deleted = shown
    promised = [one for one in dossier.promises if one.at <= promises_until]
    supplement = _moved_by_supplement(dossier)
    supplements = []
    for pause in dossier.pauses:
        if _asked(pause.begun_day) > pauses_until:
            continue
        back = pause.ended_day is not None and _back(pause.ended_day) <= pauses_until
        moved = supplement and back and pause is dossier.pauses[-1]
        supplements.append(
            {
                "HoSoBoSungId": f"{dossier.id}/{pause.ref}",
                "NguoiYeuCauBoSung": "Cán bộ một cửa",
                "NoiDungBoSung": "Bổ sung bản sao có chứng thực",
                "NgayBoSung": _text(_asked(pause.begun_day)),
                "NgayTiepNhanBoSung": _text(_back(pause.ended_day)) if back and pause.ended_day else "",
                "NgayHenTraTruoc": f"{dossier.promises[0].day}170000" if moved else "",
                "NgayHenTraMoi": f"{dossier.promises[1].day}170000" if moved else "",
            }
        )
    if supplement and len(promised) > 1 and not any(one["NgayHenTraMoi"] for one in supplements):
        promised = promised[:1]  # the new date comes with the returned supplement, not before it
    received = dossier.received_day is not None and status not in ("1", "3")
    person = int(hashlib.sha256(dossier.id.encode()).hexdigest()[:8], 16)
    final = over and status in ("7", "8", "9", "10")
    finished = _finished(dossier) if final else ""
    refused = ""
    if dossier.outcome == "refused_at_intake" and over:
        refused = f"{dossier.ended_day}160000"
    elif dossier.outcome == "refused_after" and over:
        refused = finished
    return {
        "NgayCapNhat": _text(stamp),
        "NgayTiepNhan": _text(came) if received else "",
        "MaHoSo": dossier.id,
        "MaTTHC": f"{dossier.procedure}.000.00.00.H44" if person % 9 == 0 else dossier.procedure,
        "TenTTHC": f"Thủ tục {dossier.procedure}",
        "KenhThucHien": _CHANNELS[dossier.channel],
        "ChuHoSo": _PEOPLE[person % len(_PEOPLE)],
        "LoaiDoiTuong": "1",
        "SoGiayToChuHoSo": f"0250{person % 100_000_000:08d}",
        "Email": f"nguoidan{person % 10_000}@thu.example",
        "SoDienThoai": f"09{person % 100_000_000:08d}",
        "TrichYeuHoSo": "Đề nghị giải quyết thủ tục hành chính",
        "NgayNopHoSo": _text(came - 5 * MINUTE),
        "NgayHenTra": _due(promised[-1]) if received and promised else "",
        "TrangThaiHoSo": status,
        "NgayTra": f"{dossier.returned_day}090000" if status == "10" and dossier.returned_day else "",
        "HinhThuc": "0",
        "NgayKetThucXuLy": finished,
        "NgayTuChoi": refused,
        "DonViXuLy": dossier.agency_written,
        "DanhSachHoSoBoSung": supplements,
        "DanhSachTienDo": [{"NguoiXuLy": "Chuyên viên", "ThoiDiemXuLy": _text(stamp), "TrangThai": status}],
        "DaXoa": "1" if deleted else "0",
        **_ticked(dossier, final=final),
    }


def _finished(dossier: Dossier) -> str:
    if dossier.completed_day is None:
        return f"{dossier.ended_day}160000"
    return str(dossier.completed_day) if dossier.completed is None else _text(dossier.completed)


def _due(promise: Promise) -> str:
    return str(promise.day) if promise.hour is None else f"{promise.day}{promise.hour:02d}0000"


def _ticked(dossier: Dossier, *, final: bool) -> dict[str, Any]:
    """What clerks ticked of papers, result and fee; a list that is not kept is not sent."""
    fee = [{"TenPhiLePhi": "Lệ phí", "HinhThucThu": "1", "Gia": 50_000 if dossier.payment != "none" else 0}]
    told: dict[str, Any] = {
        "HoSoCoThanhPhanSoHoa": {None: "", 0: "0", 1: "1"}[dossier.digitised],
        "DuocThanhToanTrucTuyen": {None: "", "none": "3", "online": "1", "otherwise": "0"}[dossier.payment],
        "DanhSachLePhi": fee,
    }
    if dossier.electronic_result is not None:
        file = (
            f"/ketqua/{hashlib.sha256(dossier.id.encode()).hexdigest()[:12]}.pdf" if dossier.electronic_result else ""
        )
        told["DanhSachGiayToKetQua"] = [{"TenGiayTo": "Kết quả", "DuongDanTepTinKetQua": file}] if final else []
    return told


def config(source: Source, report: OwnReport | None = None) -> dict[str, Any]:
    """Return the `config:` block with which `onestop.dvcqg` reads such a system, and its own report."""
    paging = {"page": "trang", "size": "soDong", "page_size": PAGE_CAP}
    dossiers = {"changed_from": "tuNgayCapNhat", "received_from": "tuNgay", "received_to": "denNgay"}
    made: dict[str, Any] = {
        "deleted": "DaXoa",
        "payment_flag": "online",
        "pages": {"path": "/dossiers", **paging, **dossiers},
    }
    if "procedure" in source.records:
        made["catalogue"] = {"path": "/procedures", **paging}
    if report is not None:
        told: dict[str, Any] = {"path": f"/{own_report.PATH}", "percentage": "TyLeDungHan"}
        told |= {"made": "NgayTongHop"} if report.made is not None else {}
        told |= {"channels": list(report.channels)}
        told |= {"ended": "returned"} if report.ended == "returned" else {}
        made["report"] = told
    return made


# -- the service -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _List:
    """A list as bytes: lines, and of each the stamp and the time of receipt (of a catalogue: empty)."""

    lines: Sequence[bytes]
    stamps: Sequence[str]
    received: Sequence[str]

    def page(self, question: dict[str, str]) -> bytes:
        """Return one page as the body of an answer."""
        chosen: Sequence[bytes] = self.lines
        changed = question.get("tuNgayCapNhat", ""), question.get("denNgayCapNhat", "")
        came = question.get("tuNgay", ""), question.get("denNgay", "")
        if any(changed) or any(came):
            chosen = [
                line
                for line, stamp, received in zip(self.lines, self.stamps, self.received, strict=True)
                if _within(stamp, changed) and _within(received, came)
            ]
        number, size = _number(question.get("trang"), 1), min(PAGE_CAP, _number(question.get("soDong"), 100))
        start = (number - 1) * size
        data = b",".join(chosen[start : start + size])
        return b'{"error_code":0,"total":%d,"data":[%s]}' % (len(chosen), data)


def _within(text: str, bounds: tuple[str, str]) -> bool:
    lower, upper = bounds
    return (not lower or text >= lower) and (not upper or text <= upper)


def _number(text: str | None, otherwise: int) -> int:
    return max(1, int(text)) if text and text.isascii() and text.isdigit() else otherwise


def _load(folder: Path) -> dict[str, _List]:
    lists = {}
    for path in sorted(folder.glob("*/*.jsonl")):
        lines = path.read_bytes().splitlines()
        dossiers = path.stem == "dossiers"
        stamps = [line[_STAMP_AT : _STAMP_AT + 14].decode("ascii") if dossiers else "" for line in lines]
        received = [
            line[_RECEIVED_AT : _RECEIVED_AT + 14].decode("ascii")
            if dossiers and line[_RECEIVED_AT : _RECEIVED_AT + 14].isdigit()
            else ""
            for line in lines
        ]
        lists[f"/{path.parent.name}/{path.stem}"] = _List(lines, stamps, received)
    return lists


def _reporting(folder: Path) -> Iterator[Path]:
    return folder.glob(f"*/{own_report.FILE}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, folder: Path) -> None:
        self.lists = _load(folder)
        self.reports = {f"/{path.parent.name}/{own_report.PATH}": path.parent for path in _reporting(folder)}
        self.token = (folder / KEY_FILE).read_text(encoding="ascii").strip()
        self.date = formatdate(json.loads((folder / SERVICE).read_text(encoding="ascii"))["now"], usegmt=True)
        self.identity = hashlib.sha256(f"{folder.resolve()} {self.token}".encode()).hexdigest()
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answer one question: 401 without the token, 404 for what there is not."""
        where = urlsplit(self.path)
        if where.path == "/identity":
            self._answer(200, json.dumps({"identity": self.server.identity}).encode())
        elif self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._answer(401, b'{"error_code":-1,"error_desc":"Token khong hop le"}')
        elif where.path not in self.server.lists:
            self._answer(404, b'{"error_code":404,"error_desc":"Khong co dich vu"}')
        else:
            question = {name: values[-1] for name, values in parse_qs(where.query).items()}
            self._answer(200, self.server.lists[where.path].page(question))

    def do_POST(self) -> None:
        """Answer the question for a report, by its JSON body; there is nothing else to be asked like this."""
        body = self.rfile.read(_number(self.headers.get("Content-Length"), 0))
        folder = self.server.reports.get(urlsplit(self.path).path)
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._answer(401, b'{"error_code":-1,"error_desc":"Token khong hop le"}')
        elif folder is None:
            self._answer(404, b'{"error_code":404,"error_desc":"Khong co dich vu"}')
        else:
            self._answer(200, own_report.Counter766(folder).answer(json.loads(body)))

    def _answer(self, status: int, body: bytes) -> None:
        # The demo's clock, not this machine's: a service tells the time at which its data were true.
        self.send_response_only(status)
        self.send_header("Date", self.server.date)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
        """Say nothing."""


def reserve(folder: Path) -> int:
    """Return the port recorded in a demo's folder; choose and record a free one if there is none yet."""
    path = folder / PORTS
    if path.is_file():
        return int(json.loads(path.read_text(encoding="ascii"))["onestop"])
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as probe:
        port = int(probe.server_address[1])
    path.write_text(json.dumps({"onestop": port}) + "\n", encoding="ascii")
    return port


@contextmanager
def serve(folder: Path) -> Iterator[int]:
    """Run the service of a demo's folder while the block lasts; yield its port.

    If another command has it running already, that one is used. Raises WrongUse if something else holds the port.
    """
    port = reserve(folder)
    try:
        server = _Server(port, folder)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not _is_ours(port, folder):
            raise WrongUse(
                f"port {port} on 127.0.0.1, on which the sample province's one-stop service listens, is taken",
                source="onestop",
                stage="reach",
                field=PORTS,
                mend=f"Stop what listens there, or delete {PORTS} and write the configuration again",
            ) from error
        yield port
        return
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _is_ours(port: int, folder: Path) -> bool:
    token = (folder / KEY_FILE).read_text(encoding="ascii").strip()
    ours = hashlib.sha256(f"{folder.resolve()} {token}".encode()).hexdigest()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/identity")
        body = connection.getresponse().read(1000)
        return bool(json.loads(body).get("identity") == ours)
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return False
    finally:
        connection.close()
