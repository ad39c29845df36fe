"""A double of a service in the national format: a real HTTP server on loopback that enforces what the facts say.

| fact (facts/standards.md 2, facts/source-systems.md 2 and 7)                | test of the double                     |
|-----------------------------------------------------------------------------|----------------------------------------|
| failures come as codes in the body, under HTTP 200                          | test_it_refuses_in_the_body            |
| a token expires in the middle of paging                                     | test_its_token_expires                 |
| a service has a largest page of its own, and says nothing when it cuts      | test_it_cuts_large_pages_in_silence    |
| pages go by number over a list ordered by change: a change moves the list   | test_a_change_moves_its_list           |
| times are yyyyMMddHHmmss local; a filter that it cannot read is an error    | test_it_wants_its_own_time_format      |
| an absent time is an empty string, its field is there                       | test_it_names_every_field              |

Connector tests put dossiers in and take requests out; they never set an answer.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DOSSIERS = "/api/dossiers"
PROCEDURES = "/api/procedures"
TOKEN = "canary-token-5f1e"

BLANK: dict[str, Any] = {
    "MaHoSo": "",
    "MaTTHC": "1.002835.000.00.00.H44",
    "TenTTHC": "",
    "KenhThucHien": "1",
    "DonViXuLy": "H44.02",
    "TrangThaiHoSo": "4",
    "NgayNopHoSo": "",
    "NgayTiepNhan": "20260105080000",
    "NgayHenTra": "20260115170000",
    "NgayKetThucXuLy": "",
    "NgayTra": "",
    "NgayTuChoi": "",
    "NgayCapNhat": "20260105080000",
    "ChuHoSo": "CANARY Nguyễn Thị Bí Mật",
    "SoDienThoai": "0999888777",
    "Email": "canary@persons.example",
    "SoGiayToChuHoSo": "025099999999",
    "TrichYeuHoSo": "CANARY subject",
    "GhiChu": "CANARY note",
    "DanhSachHoSoBoSung": [],
    "DanhSachTienDo": [],
}
"""A dossier of which nothing special is known. The last fields are of persons and must never be seen again."""

FILTERS = {
    "updatedFrom": ("NgayCapNhat", True),
    "updatedTo": ("NgayCapNhat", False),
    "receivedFrom": ("NgayTiepNhan", True),
    "receivedTo": ("NgayTiepNhan", False),
}
"""Parameters that narrow the list: the field, and whether it must be at or after the value."""

CANARIES = ("CANARY", "Bí Mật", "0999888777", "persons.example", "025099999999", TOKEN)


def dossier(number: int | str, **fields: Any) -> dict[str, Any]:
    """A dossier as the service lists it."""
    key = number if isinstance(number, str) else f"H44.02-260105-{number:04d}"
    return {**BLANK, "MaHoSo": key, **fields}


def procedure(code: str, level: str, **fields: Any) -> dict[str, Any]:
    """A line of the catalogue as the service lists it."""
    return {
        "MaTTHC": code,
        "TenTTHC": "CANARY title",
        "MucDo": level,
        "HieuLucTu": "20200101",
        "HieuLucDen": "",
        **fields,
    }


class Service:
    """What the server knows, and what it was asked.

    `order` sorts the dossiers as they are listed. `after` maps the number of a request (from 1) to what happens right
    after it was answered. `clock` is the server's, None: it tells none.
    """

    def __init__(self) -> None:
        self.dossiers: list[dict[str, Any]] = []
        self.procedures: list[dict[str, Any]] = []
        self.largest_page = 1000
        self.expires_after: int | None = None
        self.total_of: Callable[[int], Any] = lambda count: count
        self.order: Callable[[dict[str, Any]], Any] = lambda item: str(item.get("NgayCapNhat"))
        self.after: dict[int, Callable[[], None]] = {}
        self.clock: int | None = None
        self.envelope = ("error_code", "total", "data")
        self.pages_work = True
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.address = ""

    def answer(self, method: str, path: str, question: dict[str, str], token: str) -> tuple[int, Any]:
        """Answer one request as the facts say."""
        self.requests.append((method, path, question))
        if token != f"Bearer {TOKEN}":
            return 401, {}
        if self.expires_after is not None and len(self.requests) > self.expires_after:
            return 200, self._failure(-2, "CANARY token of Nguyễn Thị Bí Mật has expired")
        if path == PROCEDURES:
            return 200, self._page(self.procedures, question)
        if path != DOSSIERS:
            return 404, {}
        chosen = self.dossiers
        for name, (field, later) in FILTERS.items():
            if name in question:
                value = question[name]
                if len(value) != 14 or not value.isdigit():
                    return 200, self._failure(17, "CANARY wrong time")
                chosen = [item for item in chosen if (item[field] >= value if later else item[field] <= value)]
        return 200, self._page(sorted(chosen, key=self.order), question)

    def _failure(self, code: int, message: str) -> dict[str, Any]:
        return {self.envelope[0]: code, "message": message}

    def _page(self, items: list[dict[str, Any]], question: dict[str, str]) -> dict[str, Any]:
        error, total, data = self.envelope
        size = min(int(question.get("size", "10")), self.largest_page)
        start = (int(question.get("page", "1")) - 1) * size if self.pages_work else 0
        return {error: 0, total: self.total_of(len(items)), data: items[start : start + size]}


@contextmanager
def serving() -> Iterator[Service]:
    """Serve on a free loopback port until the block is left."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go out together; without this each answer waits for the client's late acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            self._reply("GET", dict(parse_qsl(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply("POST", {name: str(value) for name, value in body.items()})

        def _reply(self, method: str, question: dict[str, str]) -> None:
            path = urlsplit(self.path).path
            status, body = service.answer(method, path, question, self.headers.get("Authorization", ""))
            data = json.dumps(body, ensure_ascii=False).encode()
            self.send_response_only(status)
            if service.clock is not None:
                self.send_header("Date", self.date_time_string(service.clock))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            happening = service.after.get(len(service.requests))
            self.wfile.write(data)
            if happening is not None:
                happening()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
