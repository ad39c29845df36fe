"""A double of OpenCPS v2.1: a real HTTP server on loopback, moved by a ledger of deeds on a simulated clock.

S1 is VietOpenCPS/opencps-v2; numbers are sections of facts/source-systems.md.

| fact                                                                  | test in test_opencps_double.py              |
|-----------------------------------------------------------------------|---------------------------------------------|
| 1.1 base: callers use /o/rest/v2, the annotation says /secure/rest/v2 | test_it_answers_below_its_base_alone        |
| 1.1 auth: Basic, or header Token, or userId + groupId + accessToken   | test_it_knows_three_ways_to_log_in          |
| 1.1 format: errors 401, 403, 404 declared                             | test_it_refuses_by_status                   |
| 1.1 required header groupId; missing: 0, so no data of this site      | test_it_without_a_site_has_no_data          |
| 1.1 paging: start, end; end absent or 0: the whole result | test_it_without_an_end_answers_with_everything |
| 1.1 paging: end is exclusive (unverified)                             | test_it_cuts_rows_with_an_exclusive_end     |
| 1.1 envelope total, data; 1.2 types: online a string, ids numbers     | test_its_items_have_the_types_of_the_facts  |
| 1.1 order: createDate, order true descending                          | test_it_lists_in_the_order_of_creation      |
| 1.1 silent scope: agency absent or `all` becomes the employee's scope | test_it_narrows_to_the_accounts_scope       |
| S1 DossierLocalServiceImpl: agency and status are lists with commas   | test_it_takes_lists_of_agencies_and_statuses |
| 1.1 date filters: d/M/yyyy too; anything else no filter, silently     | test_it_drops_a_date_that_it_cannot_read    |
| 1.2 traps: writing Asia/Ho_Chi_Minh, parsing in the server's zone     | test_it_reads_filter_days_in_its_own_zone   |
| S1 DossierLocalServiceImpl: both days of a window belong to it        | test_its_windows_hold_both_of_their_days    |
| 1.1 no modified-since                                                 | test_it_has_no_filter_for_changes           |
| 7 paging by rows over a moving set loses rows                         | test_its_rows_shift_when_a_dossier_leaves   |
| 1.2 dates "" when unset; sentences about deadlines; personal data     | test_its_unset_dates_are_empty_text         |
| 1.2 traps: sent back, releaseDate and finishDate are cleared          | test_it_clears_dates_when_sent_back         |
| 1.2 traps: dueDate moves after a wait, by a reset, and is nulled      | test_it_overwrites_due_dates                |
| 1.2 lockState PAUSE, PAUSE_OVERDUE                                    | test_it_tells_a_pause_only_while_it_lasts   |
| 1.4 dates set by status                                               | test_it_sets_dates_by_status                |
| 1.4 the counters of the statistics engine, dossier by dossier         | test_its_counters_are_those_of_the_facts    |
| 1.4 integer division; 100 when nothing was released                   | test_its_percentage_is_cut |
| 1.4 12:xx is read as 00:xx of the same day                            | test_it_reads_noon_as_midnight              |
| 1.4 rows for all agencies, domains and systems beside their parts     | test_it_stores_sums_beside_their_parts      |
| 1.5 month and year: rows stored at the last run                       | test_it_answers_with_what_was_stored        |
| 1.4 from and to: counted live, by another routine                     | test_it_counts_days_in_another_way          |
| 1.5 reCalculate=1 rewrites stored rows                                | test_it_rewrites_statistics_when_asked      |

Tests file deeds and accounts, move the clock, and take requests out; they never set an answer.
"""

import base64
import bisect
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from collector.demo.days_off import days_off
from tests.connectors.onestop.opencps_statistics import Counted, Statistics, by_days

GROUP, BASE = 55301, "/o/rest/v2"
STATISTICS = "/o/rest/statistics"
USER, PASSWORD = "collector", "canary-password-77"
CANARIES = ("CANARY", "Bí Mật", "0999888777", "persons.example", "025099999999", PASSWORD)

_LOCAL = timezone(timedelta(hours=7))
_OFF = frozenset(days_off())
STAMPS = (
    "createDate",
    "modifiedDate",
    "submitDate",
    "receiveDate",
    "dueDate",
    "extendDate",
    "releaseDate",
    "finishDate",
    "cancellingDate",
    "correctingDate",
)
_FILTERED = {
    "ReceiveDate": "receiveDate",
    "ReleaseDate": "releaseDate",
    "FinishDate": "finishDate",
    "DueDate": "dueDate",
    "SubmitDate": "submitDate",
}

What = Literal[
    "file", "receive", "deny", "pause", "resume", "reset", "no_due", "release", "done", "unresolve", "cancel", "back",
    "correct", "touch",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did to a dossier at an instant (epoch seconds UTC).

    file: `facts` of the new dossier. receive, reset: `due` (None: without a due date). pause: `lock`. receive, release:
    `dated`, the instant that was written down, where it is not that of the deed.
    """

    at: int
    dossier: int
    what: What
    due: int | None = None
    lock: str = "PAUSE"
    dated: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Account:
    """Who may log in. `scope` None: the whole site. `token` for either of the two headers."""

    password: str
    scope: list[str] | None = None
    may_list: bool = True
    token: str = ""
    token_lasts: int | None = None  # requests
    user_id: int = 20_199


@dataclass(slots=True)
class _Dossier:
    """A row of opencps_dossier, as far as it matters. Instants, None: unset."""

    number: int
    agency: str
    service: str
    level: int
    online: bool
    by_post: int
    group: int
    status: str = "new"
    lock: str = ""
    number_written: str = ""
    paused_at: int | None = None
    when: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(STAMPS))
    rendered: bytes | None = None

    def item(self) -> bytes:
        if self.rendered is None:
            self.rendered = json.dumps(self._fields(), ensure_ascii=False).encode()
        return self.rendered

    def _fields(self) -> dict[str, Any]:
        return {
            "dossierId": self.number,
            "groupId": self.group,
            "referenceUid": f"uid-{self.number}",
            "counter": 0,
            "dossierNo": self.number_written,
            "serviceCode": self.service,
            "serviceName": "Cấp giấy phép",
            "domainCode": "LV01",
            "govAgencyCode": self.agency,
            "govAgencyName": "Sở",
            "dossierStatus": self.status,
            "dossierStatusText": "Đang xử lý",
            "dossierSubStatus": "",
            "lockState": self.lock,
            **{name: _rendered(instant) for name, instant in self.when.items()},
            "online": "true" if self.online else "false",
            "viaPostal": "0",
            "fromViaPostal": self.by_post,
            "originality": 1 if self.online else 3,
            "serviceLevel": self.level,
            "durationCount": 5.0,
            "durationUnit": 0,
            "dossierOverdue": "Quá hạn 2 ngày",
            "applicantName": "CANARY Nguyễn Thị Bí Mật",
            "applicantIdNo": "025099999999",
            "contactTelNo": "0999888777",
            "contactEmail": "canary@persons.example",
            "applicantNote": "CANARY note",
        }


class OpenCPS:
    """The server's state, and what it was asked.

    `base` is where it lists; `zone` the offset in hours of the zone in which it reads filters. `moves` maps the number
    of a request (from 1) to the instant that its clock reaches right after that request.
    """

    def __init__(self, deeds: Iterable[Deed] = ()) -> None:
        self.deeds = sorted(deeds, key=lambda deed: deed.at)
        self.now = 0
        self.base = BASE
        self.zone = 0
        self.accounts = {USER: Account(PASSWORD)}
        self.moves: dict[int, int] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.rewritten = 0
        self.statistics = Statistics()
        self.address = ""
        self._done = 0
        self._dossiers: dict[int, _Dossier] = {}
        self._by: dict[tuple[Any, ...], set[int]] = defaultdict(set)
        self._found: tuple[Any, list[int]] | None = None

    # The ledger

    def happen(self, *deeds: Deed) -> None:
        """Enter further deeds; they happen when the clock reaches them."""
        for deed in deeds:
            bisect.insort(self.deeds, deed, lo=self._done, key=lambda one: one.at)

    def move_clock(self, to: int) -> None:
        """Let everything happen up to an instant."""
        self.now = max(self.now, to)
        while self._done < len(self.deeds) and self.deeds[self._done].at <= self.now:
            self._do(self.deeds[self._done])
            self._done += 1
        self._found = None

    def _do(self, deed: Deed) -> None:
        if deed.what == "file":
            facts: dict[str, Any] = {
                "service": "1.002835.000.00.00.H44",
                "level": 4,
                "online": True,
                "by_post": 0,
                "group": GROUP,
            }
            facts |= deed.facts
            self._dossiers[deed.dossier] = one = _Dossier(deed.dossier, **facts)
            one.when["createDate"] = deed.at
            one.when["submitDate"] = deed.at if one.online else None
        else:
            one = self._dossiers[deed.dossier]
            self._unindex(one)
            self._change(one, deed)
        one.when["modifiedDate"] = deed.at
        one.rendered = None
        self._index(one)

    def _change(self, one: _Dossier, deed: Deed) -> None:
        when = one.when
        match deed.what:
            case "receive":
                one.status, when["receiveDate"], when["dueDate"] = "processing", deed.dated or deed.at, deed.due
                one.number_written = f"H44-{one.number:06d}"
            case "pause":
                one.status, one.lock, one.paused_at = "waiting", deed.lock, deed.at
                when["releaseDate"] = when["finishDate"] = None
            case "resume":
                due, paused = when["dueDate"], one.paused_at
                if due is not None and paused is not None:
                    when["dueDate"] = pushed(due, paused, deed.at)
                one.status, one.lock, one.paused_at = "processing", "", None
            case "reset" | "no_due":
                when["dueDate"] = deed.due
            case "release":
                one.status, one.lock, when["releaseDate"] = "releasing", "", deed.dated or deed.at
            case "done" | "deny":
                one.status, one.lock = ("done" if deed.what == "done" else "denied"), ""
                when["releaseDate"] = when["releaseDate"] or deed.at
                when["finishDate"] = deed.at
            case "unresolve" | "cancel":
                one.status, one.lock = ("unresolved" if deed.what == "unresolve" else "cancelled"), ""
                when["releaseDate"] = when["finishDate"] = deed.at
            case "back":
                one.status, when["releaseDate"], when["finishDate"] = "processing", None, None
            case "correct":
                one.status, when["correctingDate"] = "correcting", deed.at
            case "touch":
                pass

    def rows_changed_since(self, instant: int) -> Iterator[dict[str, Any]]:
        """Yield the rows of its table opencps_dossier that were changed after an instant: epoch seconds for times."""
        for one in self._dossiers.values():
            if (one.when["modifiedDate"] or 0) > instant:
                yield {
                    "dossierId": one.number,
                    "groupId": one.group,
                    "govAgencyCode": one.agency,
                    "serviceCode": one.service,
                    "serviceLevel": one.level,
                    "dossierStatus": one.status,
                    "lockState": one.lock,
                    "online_": int(one.online),
                    "fromViaPostal": one.by_post,
                    "originDossierId": 0,
                    **one.when,
                }

    # What it answers

    def answer(self, path: str, asked: dict[str, str], headers: Any) -> tuple[int, bytes]:
        """Answer one request as the facts say."""
        self.requests.append(("GET", path, asked))
        account = self._account(headers)
        if account is None:
            return 401, b"{}"
        if path == STATISTICS:
            return self._statistics(asked, headers.get("groupId", ""))
        if path != f"{self.base}/dossiers":
            return 404, b"{}"
        if not account.may_list:
            return 403, b"{}"
        group = headers.get("groupId", "")
        found = self._search(asked, account, int(group) if group.isdigit() else 0)
        start, end = (_whole(asked.get(name, "")) for name in ("start", "end"))
        rows = found if end == 0 else found[start:end]
        return 200, b'{"total": %d, "data": [%s]}' % (
            len(found),
            b", ".join(self._dossiers[number].item() for number in rows),
        )

    def count_month(self, year: int, month: int) -> None:
        """The nightly run of its statistics for one month, with what it has at this moment."""
        self.statistics.count(year, month, self._counted(), self.now)

    def _counted(self) -> Iterator[Counted]:
        for one in self._dossiers.values():
            when = one.when
            times = (when[name] for name in ("receiveDate", "dueDate", "extendDate", "releaseDate", "finishDate"))
            yield Counted(one.agency, "LV01", "0", one.status, one.online, *times)

    def _statistics(self, asked: dict[str, str], group: str) -> tuple[int, bytes]:
        if asked.get("reCalculate") == "1":
            self.rewritten += 1
            self.count_month(int(asked.get("year", "2026")), int(asked["month"]))
        if _day_of(asked.get("fromStatisticDate", "")) is not None:
            first, last = (_day_of(asked.get(f"{name}StatisticDate", "")) or 0 for name in ("from", "to"))
            span = first * 86_400 - 7 * 3600, (last + 1) * 86_400 - 7 * 3600 - 1
            rows: list[dict[str, Any]] = [by_days(self._counted(), *span)]
        else:
            rows = self.statistics.answer(asked)
        if group != str(GROUP):
            rows = []
        start, end = (_whole(asked.get(name, "")) for name in ("start", "end"))
        shown = rows if end == 0 else rows[start:end]
        body = {"total": len(rows), "agency": asked.get("agency", ""), "data": shown}
        return 200, json.dumps(body, ensure_ascii=False).encode()

    def _account(self, headers: Any) -> Account | None:
        scheme, _, word = headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            user, _, password = base64.b64decode(word).decode().partition(":")
            known = self.accounts.get(user)
            return known if known is not None and known.password == password else None
        token, user_id = headers.get("Token", ""), ""
        if not token and headers.get("groupId"):
            token, user_id = headers.get("accessToken", ""), headers.get("userId", "")
        for one in self.accounts.values():
            if token and one.token == token and user_id in ("", str(one.user_id)):
                if one.token_lasts is not None:
                    one.token_lasts -= 1
                return one if one.token_lasts is None or one.token_lasts >= 0 else None
        return None

    def _search(self, asked: dict[str, str], account: Account, group: int) -> list[int]:
        agency = asked.get("agency", "")
        agencies = [code for code in ("" if agency == "all" else agency).split(",") if code]
        if not agencies and account.scope is not None:
            agencies = account.scope
        statuses = [status for status in asked.get("status", "").split(",") if status]
        days = {}
        for name, stamp in _FILTERED.items():
            bounds = _day_of(asked.get(f"from{name}", "")), _day_of(asked.get(f"to{name}", ""))
            if bounds != (None, None):
                days[stamp] = bounds[0] or 0, bounds[1] or 10**6
        question = (group, tuple(agencies), tuple(statuses), tuple(days.items()), asked.get("order") == "true")
        if self._found is None or self._found[0] != question:
            found = self._matching(group, agencies, statuses, days)
            order = sorted(found, key=lambda number: (self._dossiers[number].when["createDate"], number))
            self._found = question, order[::-1] if question[-1] else order
        return self._found[1]

    def _matching(
        self, group: int, agencies: list[str], statuses: list[str], days: dict[str, tuple[int, int]]
    ) -> set[int]:
        parts: list[set[int]] = [self._by["group", group]]
        if agencies:
            parts.append(set().union(*(self._by["agency", code] for code in agencies)))
        if statuses:
            parts.append(set().union(*(self._by["status", status] for status in statuses)))
        for stamp, (first, last) in days.items():
            known = self._by["days", stamp]
            inside = [day for day in known if first <= day <= last]
            parts.append(set().union(*(self._by[stamp, day] for day in inside)))
        parts.sort(key=len)
        return set.intersection(*parts) if len(parts) > 1 else set(parts[0])

    def _places(self, one: _Dossier) -> Iterator[tuple[Any, ...]]:
        yield "group", one.group
        yield "agency", one.agency
        yield "status", one.status
        for stamp in _FILTERED.values():
            instant = one.when[stamp]
            if instant is not None:
                day = (instant + self.zone * 3600) // 86_400
                self._by["days", stamp].add(day)
                yield stamp, day

    def _index(self, one: _Dossier) -> None:
        for place in self._places(one):
            self._by[place].add(one.number)

    def _unindex(self, one: _Dossier) -> None:
        for place in self._places(one):
            self._by[place].discard(one.number)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Return the instant of a local day (yyyymmdd) and time: epoch seconds."""
    local = datetime(day // 10_000, day // 100 % 100, day % 100, hour, minute, second, tzinfo=_LOCAL)
    return int(local.timestamp())


def _rendered(instant: int | None) -> str:
    return "" if instant is None else datetime.fromtimestamp(instant, _LOCAL).strftime("%d/%m/%Y %H:%M:%S")


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _day_of(text: str) -> int | None:
    """A filter's day as a number of days since 1970; None for whatever it cannot read."""
    if not re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", text):
        return None
    day, month, year = map(int, text.split("/"))
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp()) // 86_400
    except ValueError:
        return None


def _is_off(when: datetime) -> bool:
    return when.year * 10_000 + when.month * 100 + when.day in _OFF


def pushed(due: int, paused: int, resumed: int) -> int:
    """The due time later by the working days that were waited."""
    first, last = (datetime.fromtimestamp(instant, _LOCAL) for instant in (paused, resumed))
    moved, one = datetime.fromtimestamp(due, _LOCAL), timedelta(days=1)
    while first.date() < last.date():
        first += one
        if not _is_off(first):
            moved += one
            while _is_off(moved):
                moved += one
    return int(moved.timestamp())


@contextmanager
def serving(deeds: Iterable[Deed] = (), now: int = 0) -> Iterator[OpenCPS]:
    """Serve on a free loopback port until the block is left."""
    double = OpenCPS(deeds)
    double.move_clock(now)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            status, body = double.answer(address.path, dict(parse_qsl(address.query)), self.headers)
            self.send_response_only(status)
            self.send_header("Date", self.date_time_string(double.now))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            reached = double.moves.get(len(double.requests))
            if reached is not None:
                double.move_clock(reached)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        double.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()
