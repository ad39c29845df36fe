"""A double of the document trunks: a real HTTP server on loopback that enforces what the facts say.

The province's trunk answers below `/v1`, VXP at its own paths. S3 and S6 are the sources named in the facts' head.

| fact                                                                     | test of the double                      |
|--------------------------------------------------------------------------|-----------------------------------------|
| source-systems 3.2: Bearer and X-SystemId and X-SecretKey                | test_the_province_wants_all_three       |
| 3.2, auth: a token ends, then 401; S6: log-in gives data.token           | test_its_token_ends                     |
| S6, log-in: a wrong password is refused, and too many lock the account   | test_wrong_passwords_lock_the_account   |
| 3.2, list: a window of days, `yyyy/MM/dd`, both included                 | test_its_window_is_of_whole_days        |
| 3.2, list: docId, from, to, status; times `yyyy-MM-dd HH:mm:ss`          | test_its_entries_are_as_told            |
| 3.2: `success` is not reliable, failures come with HTTP 200              | test_it_fails_under_http_200            |
| 3.2, error codes 15 wrong id or secret, 20 trunk error                   | test_it_fails_under_http_200            |
| 3.2, getEdoc: data.data is base64 of the whole edXML                     | test_it_gives_a_message_packed          |
| 7, rule 3: an answer that is cut says nothing but its count              | test_it_cuts_long_windows_in_silence    |
| section 7, rule 2: pages by number over a list that moves                | test_a_new_document_moves_its_pages     |
| 3.2, writes: sendEdoc, updateStatus change it                            | test_writing_changes_it                 |
| section 7, limit signals: 429 with Retry-After                           | test_it_asks_for_patience               |
| 3.1: every input a header, signed by HMAC-SHA256 of their JSON           | test_vxp_wants_signed_headers           |
| 3.1, getSentEdocList: POST, an entry per recipient, two ids              | test_vxp_lists_what_was_sent            |
| 3.1, counters: GET, of the queue                                         | test_vxp_counts_its_queue               |
| 3.1, updateStatus acknowledges: the queue gets shorter                   | test_acknowledging_shortens_the_queue   |
| 3.1, S4: listening to fromDate, toDate, pageIndex is not sure            | test_vxp_may_not_listen_to_days         |
| standards 1.3, reply: HTTP 200 with FAIL and ErrorCode                   | test_vxp_wants_signed_headers           |

Connector tests put documents in and take requests out; they never set an answer.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.connectors.docmgmt.edxml_samples import envelope

USER, PASSWORD, APPLICATION = "reader", "quite-secret-trunk", "QLVB"
SYSTEM, SECRET = "H44.02", "quite-secret-key"
LOGIN, RECEIVED, MESSAGE = "/v1/auth/login", "/v1/syncReceivedEdocList", "/v1/getEdoc"
SENT, COUNT_DOCUMENTS, COUNT_STATUSES = "/getSentEdocList", "/countReceiveEdoc", "/countReceiveStatus"
READING = {("POST", LOGIN), ("GET", RECEIVED), ("GET", MESSAGE)}
READING_VXP = {("POST", SENT), ("GET", COUNT_DOCUMENTS), ("GET", COUNT_STATUSES)}


@dataclass
class Passed:
    """One document on its way to one recipient. Times are local, as the trunk writes them."""

    document_id: str
    sender: str
    recipient: str
    created: str
    status: str = "initial"
    updated: str = ""
    kind: str = "edoc"
    message: bytes | Callable[[], Iterator[bytes]] = b""
    copy_id: str = ""
    send_status: str = "done"
    receive_status: str = "initial"


def passed(number: int | str, recipient: str = SYSTEM, *, sender: str = "H44.01", **others: Any) -> Passed:
    """A document with an envelope of its own, created on a day of January."""
    name = number if isinstance(number, str) else f"doc-{number}"
    day = 1 if isinstance(number, str) else 1 + number % 28
    created = others.pop("created", f"2026-01-{day:02d} 09:00:00")
    message = others.pop("message", None)
    if message is None:
        message = envelope(name, sender, [recipient, "H44.77"], issued=created[:10], sent=created)
    return Passed(name, sender, recipient, created, message=message, **others)


@dataclass
class Trunk:
    """What the server knows, and what it was asked.

    `after` maps the number of a request (from 1) to what happens right after it was answered. `largest` is the most
    entries that it gives at once, which it does not say. `busy` is how many requests it first answers with 429.
    """

    documents: list[Passed] = field(default_factory=list)
    always: list[Passed] = field(default_factory=list)  # listed whatever the days
    waiting: dict[str, int] = field(default_factory=lambda: {COUNT_DOCUMENTS: 3, COUNT_STATUSES: 1})
    token_lasts: int = 1_000_000
    token_ends_in_the_body: bool = False
    largest: int = 1_000
    longest_window: int = 31
    busy: int = 0
    broken: int = 0
    says_when_broken: int = 20
    listens: bool = True
    refuses_the_future: bool = False
    pages: bool = False
    clock: int | None = None
    after: dict[int, Callable[[], None]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)  # documents whose message it cannot give, by the code it says
    renamed: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    logins: int = 0
    wrong_passwords: int = 0
    written: int = 0
    address: str = ""
    _token: str = ""
    _uses: int = 0

    def answer(
        self, method: str, path: str, question: dict[str, str], headers: Mapping[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Answer one request as the facts say (headers by names in lower case): status, body and headers."""
        self.requests.append((method, path, question))
        if self.busy:
            self.busy -= 1
            return 429, {"message": "CANARY slowly"}, {"Retry-After": "1"}
        if path.startswith("/v1/"):
            return self._province(method, path, question, headers, body)
        return 200, self._vxp(method, path, headers), {}

    # The province's trunk

    def _province(
        self, method: str, path: str, question: dict[str, str], headers: Mapping[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if (method, path) == ("POST", LOGIN):
            return 200, self._log_in(question, body), {}
        self._uses += 1
        if not self._token or headers.get("authorization") != f"Bearer {self._token}" or self._uses > self.token_lasts:
            if self.token_ends_in_the_body and self._token:
                return 200, self._failed(401, "CANARY licenseInfo:invalid"), {}
            return 401, {"message": "CANARY licenseInfo:invalid"}, {}
        if (headers.get("x-systemid"), headers.get("x-secretkey")) != (SYSTEM, SECRET):
            return 200, self._failed(15, "CANARY wrong secret of Nguyễn Thị Bí Mật"), {}
        if self.broken:
            self.broken -= 1
            return 200, self._failed(self.says_when_broken, "CANARY trunk error"), {}
        match method, path:
            case "GET", "/v1/syncReceivedEdocList":
                return 200, self._received(question), {}
            case "GET", "/v1/getEdoc":
                return 200, self._message(question.get("docId", "")), {}
            case "POST", "/v1/updateStatus" | "/v1/sendEdoc":
                self.written += 1
                return 200, {"code": 200, "message": "Success", "data": {"status": "OK"}}, {}
        return 404, {}, {}

    def _log_in(self, question: dict[str, str], body: Any) -> Any:
        if question.get("allow_anonymous") != "true" or not isinstance(body, dict):
            return self._failed(500, "CANARY no body")
        if self.wrong_passwords >= 3:
            return self._failed(403, "CANARY the account is locked")
        known = {"username": USER, "password": PASSWORD, "applicationCode": APPLICATION, "typeObjs": [0, 1]}
        if any(body.get(name) != value for name, value in known.items()):
            self.wrong_passwords += 1
            return self._failed(401, "CANARY wrong password")
        self.logins += 1
        self._token, self._uses = f"canary-token-{self.logins}", 0
        return {"code": 200, "message": "Success", "data": {"id": "1", "name": "CANARY", "token": self._token}}

    def _failed(self, code: int, why: str) -> dict[str, Any]:
        return {"code": code, "message": why, "success": True, "errorDetail": [{"exception": why}], "data": None}

    def _received(self, question: dict[str, str]) -> Any:
        first, last = question.get("fromDate", ""), question.get("toDate", "")
        if not all(len(day) == 10 and day[4] == day[7] == "/" for day in (first, last)):
            return self._failed(22, "CANARY no dates")
        first, last = first.replace("/", "-"), last.replace("/", "-")
        if self.listens and _days_between(first, last) > self.longest_window:
            return self._failed(22, "CANARY the window is too long")
        if self.refuses_the_future and first > "2027":
            return self._failed(22, "CANARY not yet")
        chosen = [
            one
            for one in self.documents
            if one.recipient.startswith("H44") and (not self.listens or first <= one.created[:10] <= last)
        ]
        chosen = [*self.always, *chosen]
        some = self._page(chosen, question)
        entries = [
            {
                "docId": one.document_id,
                "serviceType": "eDoc",
                "messageType": one.kind,
                "from": one.sender,
                "to": one.recipient,
                "status": one.status,
                "statusDesc": "CANARY",
                "createdTime": one.created,
                "updatedTime": one.updated or one.created,
            }
            for one in some
        ]
        count = len(some) if self.pages else len(chosen)
        return {
            "code": 0,
            "success": False,
            "message": "CANARY",
            "count": count,
            "data": list(map(self._rename, entries)),
            "errorDetail": [],
        }

    def _message(self, document_id: str) -> Any:
        one = next((one for one in self.documents if one.document_id == document_id), None)
        if one is None or document_id in self.lost:
            return self._failed(self.lost.get(document_id, 10), "CANARY no such document")
        return one.message

    def _page(self, chosen: list[Passed], question: Mapping[str, str]) -> list[Passed]:
        if not self.pages:
            return chosen[: self.largest]
        size = min(int(question.get("pageSize", "10")), self.largest)
        start = (int(question.get("pageIndex", "1")) - 1) * size
        return chosen[start : start + size]

    def _rename(self, entry: dict[str, str]) -> dict[str, str]:
        return {self.renamed.get(name, name): value for name, value in entry.items()}

    # VXP

    def _vxp(self, method: str, path: str, headers: Mapping[str, str]) -> Any:
        told = {name: value for name, value in headers.items() if name.startswith("xroadvnpt-")}
        fault = _fault_of_signature(told)
        if fault:
            return {"status": "FAIL", "ErrorCode": fault, "ErrorDesc": "CANARY signature", "data": []}
        inputs = {name.removeprefix("xroadvnpt-"): value for name, value in told.items()}
        match method, path:
            case "POST", "/getSentEdocList":
                return self._fine(data=self._sent(inputs))
            case "GET", "/countReceiveEdoc" | "/countReceiveStatus":
                return self._fine(count=self.waiting[path])
            case "POST", "/updateStatus":
                self.waiting[COUNT_DOCUMENTS] -= 1
                self.written += 1
                return self._fine()
        return {"status": "FAIL", "ErrorCode": "404", "ErrorDesc": "CANARY", "data": []}

    def _fine(self, **more: Any) -> Any:
        if self.broken:
            self.broken -= 1
            return {"status": "FAIL", "ErrorCode": "20", "ErrorDesc": "CANARY trunk error"}
        return {"status": "OK", "ErrorCode": "0", "ErrorDesc": "CANARY", **more}

    def _sent(self, inputs: Mapping[str, str]) -> Any:
        first, last = (inputs.get(name, "").replace("/", "-") for name in ("fromdate", "todate"))
        chosen = [
            one
            for one in sorted(self.documents, key=lambda one: one.created, reverse=True)
            if not self.listens or not first or first <= one.created[:10] <= last
        ]
        question = {"pageSize": inputs.get("pagesize", "10"), "pageIndex": inputs.get("pageindex", "1")}
        return [
            self._rename(
                {
                    "serviceType": "eDoc",
                    "messageType": one.kind,
                    "senderDocId": one.document_id,
                    "receiverDocId": one.copy_id,
                    "fromCode": one.sender,
                    "toCode": one.recipient,
                    "notation": "CANARY 12/UBND",
                    "title": "CANARY trích yếu",
                    "sentTime": one.created,
                    "receivedTime": "",
                    "sendStatus": one.send_status,
                    "sendStatusDesc": "CANARY",
                    "receiveStatus": one.receive_status,
                    "receiveStatusDesc": "CANARY",
                }
            )
            for one in self._page(chosen, question)
        ]


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days + 1


def _fault_of_signature(told: Mapping[str, str]) -> str:
    """Return the error code of a request whose headers are not signed as they should be, "" if they are."""
    signed = told.get("xroadvnpt-sign-header", "")
    names = told.get("xroadvnpt-sign-header-key", "").split(";")
    mark = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if told.get("xroadvnpt-hash-header") != mark or told.get("xroadvnpt-systemid") != SYSTEM:
        return "15"
    inside = json.loads(signed)
    if list(inside) != [f"XroadVnpt-{name}" for name in names]:
        return "15"
    if any(told.get(name.lower()) != value for name, value in inside.items()):
        return "15"
    # What is not signed could have been changed on the way.
    free = {"xroadvnpt-sign-header", "xroadvnpt-sign-header-key", "xroadvnpt-hash-header", "xroadvnpt-version"}
    return "15" if set(told) - free - {name.lower() for name in inside} else ""


@contextmanager
def serving() -> Iterator[Trunk]:
    """Serve on a free loopback port until the block is left."""
    trunk = Trunk()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            self._reply("GET", None)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._reply("POST", json.loads(data) if data else None)

        def _reply(self, method: str, body: Any) -> None:
            parts = urlsplit(self.path)
            status, answer, headers = trunk.answer(
                method, parts.path, dict(parse_qsl(parts.query)), {k.lower(): v for k, v in self.headers.items()}, body
            )
            happening = trunk.after.get(len(trunk.requests))
            self.send_response_only(status)
            if trunk.clock is not None:
                self.send_header("Date", self.date_time_string(trunk.clock))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            try:
                self._write(answer)
            except OSError:  # the client had enough
                self.close_connection = True
            if happening is not None:
                happening()

        def _write(self, answer: Any) -> None:
            if callable(answer):
                # Larger than the memory: ended by hanging up.
                self.close_connection = True
                self.end_headers()
                self.wfile.write(b'{"code": 0, "data": {"data": "')
                for block in answer():
                    self.wfile.write(base64.b64encode(block))
                self.wfile.write(b'"}}')
                return
            if isinstance(answer, bytes):
                packed = base64.b64encode(answer).decode().replace("/", "\\/")
                data = f'{{"code": 0, "message": "CANARY", "data": {{"data": "{packed}"}}, "count": 1}}'.encode()
            else:
                data = json.dumps(answer, ensure_ascii=False).encode()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        trunk.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield trunk
        finally:
            server.shutdown()
            thread.join()
