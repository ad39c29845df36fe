import gzip
import json
import socket
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr, ValidationError

from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer, WrongUse
from collector.transports import http
from collector.transports.budget import Budget
from collector.transports.http import Options, Service
from collector.transports.run import Run
from tests.transports.runs import BEGAN, make_run
from tests.transports.web import Server, raw, reply, serving

SECRET = "quite-secret-4711"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the door rested: it only says so, and its clock moves on by that much."""
    rested: list[float] = []

    def budget(run: Run) -> Budget:
        return Budget(run, lambda: time.monotonic() + sum(rested), rested.append)

    monkeypatch.setattr(http, "Budget", budget)
    return rested


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def door(server: Server, opened: ExitStack, rests: list[float]) -> Service:
    return a_door(opened, server)


def a_door(opened: ExitStack, server: Server, run: Run | None = None, **options: Any) -> Service:
    settings = {"base_url": server.url, "timeout": 5, **options}
    service = opened.enter_context(http.open_door(Options.model_validate(settings), run or make_run()))
    for method in ("GET", "POST"):
        service.allow(method, "/page")
    return service


@pytest.mark.parametrize("broken", ["key\n", "khoá"])
def test_a_token_that_is_sent_packed_is_checked_before(server: Server, opened: ExitStack, broken: str) -> None:
    server.says("/page", reply())
    options: dict[str, Any] = {"token_prefix": "X-Dovecot-API ", "token_base64": True}
    a_door(opened, server, token=SecretStr("key"), **options).get("/page", {})
    assert server.asked[0][2]["Authorization"] == "X-Dovecot-API a2V5"
    with pytest.raises(WrongUse, match="printable"):
        a_door(opened, server, token=SecretStr(broken), **options)


def test_a_page_is_asked_with_its_parameters_and_decoded(server: Server, door: Service) -> None:
    server.says("/page", reply(body='{"data": [1, 2.5, null, "hồ sơ"]}'.encode()))
    answer = door.get("/page", {"from": "2026-01-01", "q": "a&b"})
    assert answer.body == {"data": [1, 2.5, None, "hồ sơ"]}
    assert server.asked[0][:2] == ("GET", "/page?from=2026-01-01&q=a%26b")


def test_a_question_is_posted_as_json(server: Server, door: Service) -> None:
    server.says("/page", reply(body=b"[]"))
    assert door.post("/page", {"trang": 1, "mã": ["đ"]}).body == []
    verb, _, headers, body, _ = server.asked[0]
    assert (verb, headers["Content-Type"], json.loads(body)) == ("POST", "application/json", {"trang": 1, "mã": ["đ"]})


def test_the_connection_is_kept_alive(server: Server, door: Service) -> None:
    server.says("/page", reply())
    for _ in range(3):
        door.get("/page", {})
    assert len({port for *_, port in server.asked}) == 1
    assert all(headers.get("Connection", "").lower() != "close" for _, _, headers, _, _ in server.asked)


def test_the_path_of_the_address_stays_before_the_path_asked(server: Server, opened: ExitStack) -> None:
    server.says("/api/v1/page", reply())
    a_door(opened, server, base_url=server.url + "/api/v1/").get("/page", {})
    assert server.asked[0][1] == "/api/v1/page"


def test_the_servers_clock_is_handed_on(server: Server, door: Service) -> None:
    server.says(
        "/page",
        reply(headers={"Date": "Sun, 01 Mar 2026 01:00:00 GMT"}),
        reply(headers={"Date": "Sun, 01 Mar 2026 08:00:00 +0700"}),
        reply(headers={"Date": "yesterday"}),
        reply(headers={"Date": "Sun, 99 Foo 2026 99:00:00 GMT"}),
        reply(),
    )
    assert [door.get("/page", {}).server_time for _ in range(5)] == [1_772_326_800, 1_772_326_800, None, None, None]


# --- what may be asked


def test_only_what_the_connector_allowed_is_asked(server: Server, opened: ExitStack) -> None:
    with http.open_door(Options(base_url=server.url), make_run()) as door:
        door.allow("GET", "/page")
        with pytest.raises(ValueError, match="not allowed"):
            door.get("/other", {})
        with pytest.raises(ValueError, match="not allowed"):
            door.post("/page", {})
    assert server.asked == []


def test_headers_of_a_path_go_with_its_questions_alone(server: Server, opened: ExitStack) -> None:
    server.says("/page", reply())
    server.says("/site", reply())
    door = a_door(opened, server, headers={"X-Unit": "H44"})
    door.allow("GET", "/site", headers={"groupId": "55301"})
    door.get("/site", {})
    door.get("/page", {})
    (_, _, first, _, _), (_, _, second, _, _) = server.asked
    assert (first["groupId"], first["X-Unit"]) == ("55301", "H44")
    assert "groupId" not in second
    with pytest.raises(WrongUse, match="printable"):
        door.allow("GET", "/site", headers={"groupId": "1\r\nX: 2"})


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "get"])
def test_no_verb_but_get_and_post_can_be_allowed(door: Service, method: str) -> None:
    with pytest.raises(ValueError, match="never asked"):
        door.allow(method, "/page")


@pytest.mark.parametrize(
    "path",
    ["page", "", "http://elsewhere.example/", "/../admin", "/a/%2e%2E/b", "/a?b=c", "/a#b", "/a\r\nX: y", "/a b"],
)
def test_no_path_that_leads_elsewhere_can_be_allowed(door: Service, path: str) -> None:
    with pytest.raises(ValueError, match="no path below the address"):
        door.allow("GET", path)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host/",
        "host/api",
        "https://",
        "https://user:pass@host/",
        "https://host/?key=1",
        "https://host/#x",
        "http://[",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Options(base_url=address)
    assert "pass" not in str(caught.value).replace("password", "")
    assert "base_url" in str(caught.value)


# --- answers larger than the memory


def test_an_answer_is_handed_on_as_it_comes_and_left_when_enough_was_had(server: Server, door: Service) -> None:
    sent: list[int] = []

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.end_headers()
        for _ in range(2_000):
            request.wfile.write(b"x" * 65_536)
            sent.append(65_536)
        request.close_connection = True

    server.says("/page", endless)
    blocks = door.blocks("/page", {"docId": "a&b"})
    assert next(blocks)[:1] == b"x"
    blocks.close()
    assert server.asked[0][:2] == ("GET", "/page?docId=a%26b")
    server.says("/page", reply(body=b"[1]"))
    assert door.get("/page", {}).body == [1]
    assert sum(sent) < 2_000 * 65_536


def test_what_streams_is_unpacked_and_as_long_as_it_likes(server: Server, opened: ExitStack) -> None:
    body = b"0123456789" * 10_000
    server.says("/page", reply(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}))
    assert b"".join(a_door(opened, server, max_answer_bytes=10).blocks("/page", {})) == body


def test_a_stream_is_refused_tried_again_and_broken_off_like_a_page(
    server: Server, door: Service, rests: list[float]
) -> None:
    server.says("/page", reply(status=503, headers={"Retry-After": "7"}), reply(body=b"late"))
    assert b"".join(door.blocks("/page", {})) == b"late"
    assert len(rests) == 1
    assert rests[0] >= 7
    server.says("/page", reply(status=401))
    with pytest.raises(AccessDenied):
        list(door.blocks("/page", {}))
    server.says("/page", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
    with pytest.raises(TryAgain):
        list(door.blocks("/page", {}))
    with pytest.raises(ValueError, match="not allowed"):
        list(door.blocks("/other", {}))


def test_a_question_may_have_no_body_and_parameters_beside_it(server: Server, door: Service) -> None:
    server.says("/page", reply())
    door.post("/page", None)
    door.post("/page", {"a": 1}, parameters={"allow_anonymous": "true"})
    assert server.asked[0][3] == b""
    assert server.asked[1][1] == "/page?allow_anonymous=true"
    assert json.loads(server.asked[1][3]) == {"a": 1}


# --- logging in


def test_token_and_further_headers_are_sent(server: Server, opened: ExitStack) -> None:
    server.says("/page", reply())
    a_door(opened, server, token=SECRET, headers={"X-Unit": "H44"}).get("/page", {})
    a_door(opened, server, token=SecretStr(SECRET), token_header="X-Api-Key", token_prefix="").get("/page", {})
    assert server.asked[0][2]["Authorization"] == f"Bearer {SECRET}"
    assert server.asked[0][2]["X-Unit"] == "H44"
    assert server.asked[1][2]["X-Api-Key"] == SECRET


def test_user_and_password_are_sent_as_basic_authentication(server: Server, opened: ExitStack) -> None:
    server.says("/page", reply())
    a_door(opened, server, user="reader", password=SECRET).get("/page", {})
    # printf 'reader:quite-secret-4711' | base64
    assert server.asked[0][2]["Authorization"] == "Basic cmVhZGVyOnF1aXRlLXNlY3JldC00NzEx"


def test_no_proxy_and_no_login_comes_from_the_environment(
    server: Server, opened: ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.says("/page", reply())
    a_door(opened, server).get("/page", {})
    assert "Authorization" not in server.asked[0][2]


@pytest.mark.parametrize(
    "options",
    [
        {"user": "reader"},
        {"password": SECRET},
        {"user": "reader", "password": SECRET, "token": SECRET},
        {"tokn": SECRET},
    ],
)
def test_an_incomplete_login_is_refused_without_repeating_it(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Options.model_validate({"base_url": "https://host.example", **options})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("bad", [SECRET + "\n", "bí mật", "a\r\nX-Evil: 1"])
def test_a_token_that_no_header_can_hold_is_refused_without_repeating_it(server: Server, bad: str) -> None:
    options = Options(base_url=server.url, token=SecretStr(bad))
    with pytest.raises(WrongUse) as caught, http.open_door(options, make_run()):
        pass
    assert caught.value.field == "token"
    assert bad.strip() not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_is_never_retried(server: Server, opened: ExitStack, rests: list[float], status: int) -> None:
    server.says("/page", reply(status, SECRET.encode()))
    with pytest.raises(AccessDenied, match=f"GET /page was answered with {status}") as caught:
        a_door(opened, server, token=SECRET).get("/page", {"key": SECRET})
    assert len(server.asked) == 1
    assert SECRET not in str(caught.value)
    assert (caught.value.source, caught.value.stage) == ("a-source", "log in")


# --- patience


def _names_a_fault(body: Any) -> bool:
    if isinstance(body, dict) and body.get("later"):
        raise TryAgain("later, as it says itself", source="a-source", stage="answer")
    return isinstance(body, dict) and "fault" in body


def test_a_500_whose_body_the_connector_knows_is_an_answer_and_is_not_asked_again(
    server: Server, door: Service, rests: list[float]
) -> None:
    server.says("/page", reply(500, b'{"fault": 1}', {"Date": "Sun, 01 Mar 2026 01:00:00 GMT"}, "text/javascript"))
    door.allow("POST", "/page", _names_a_fault)
    answer = door.post("/page", {})
    assert (answer.body, answer.server_time) == ({"fault": 1}, 1_772_326_800)
    assert (len(server.asked), rests) == (1, [])
    with pytest.raises(TryAgain, match="500"):
        door.get("/page", {})
    assert len(server.asked) == 1 + 4, "it was allowed for one verb and path alone"


@pytest.mark.parametrize(
    "other",
    [
        reply(500, b'{"error": "overloaded"}'),
        reply(500, b"<html>Internal error</html>", kind="text/html"),
        reply(500, b""),
        reply(500, b'{"fault": NaN}'),
        reply(500, b"null"),
        reply(500, b"[" + b"1," * 1000 + b"1]"),
        reply(500, b'{"fault": 1, "later": 1}'),
        reply(503, b'{"fault": 1}'),
        raw(b'HTTP/1.1 500 no\r\nContent-Length: 99\r\n\r\n{"fault": 1}'),
    ],
)
def test_any_other_failure_is_asked_again_as_ever(
    server: Server, opened: ExitStack, rests: list[float], other: Any
) -> None:
    server.says("/page", other, other, reply(500, b'{"fault": 1}'))
    door = a_door(opened, server, max_answer_bytes=1000)
    door.allow("POST", "/page", _names_a_fault)
    assert door.post("/page", {}).body == {"fault": 1}
    assert (len(server.asked), len(rests)) == (3, 2)


def test_what_the_connector_itself_calls_a_failure_for_now_is_told_in_its_words(server: Server, door: Service) -> None:
    server.says("/page", reply(500, b'{"later": 1}'))
    door.allow("POST", "/page", _names_a_fault)
    with pytest.raises(TryAgain, match="later, as it says itself"):
        door.post("/page", {})
    assert len(server.asked) == 4


@pytest.mark.parametrize("lost", [reply(503), reply(500, b'{"fault": 1}'), raw(b""), raw(b"HTTP/1.1 200 OK\r\n")])
def test_a_question_that_must_be_asked_once_is_never_repeated(
    server: Server, door: Service, rests: list[float], lost: Any
) -> None:
    server.says("/page", lost, reply())
    with pytest.raises(TryAgain):
        door.post("/page", {}, once=True)
    assert (len(server.asked), rests) == (1, [])
    assert door.post("/page", {}, once=True).body == {}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_service_that_asks_for_patience_is_asked_again(
    server: Server, door: Service, rests: list[float], status: int
) -> None:
    server.says("/page", reply(status), reply(status), reply(body=b"[7]"))
    assert door.get("/page", {}).body == [7]
    assert len(server.asked) == 3
    assert 0.5 <= rests[0] <= 1.0
    assert 1.0 <= rests[1] <= 1.5


def test_patience_ends_after_the_tries(server: Server, opened: ExitStack, rests: list[float]) -> None:
    server.says("/page", reply(503))
    with pytest.raises(TryAgain, match="503"):
        a_door(opened, server, tries=3).get("/page", {})
    assert len(server.asked) == 3
    assert len(rests) == 2


def test_a_wished_rest_is_kept(server: Server, door: Service, rests: list[float]) -> None:
    server.says(
        "/page",
        reply(429, headers={"Retry-After": "7"}),
        reply(503, headers={"Retry-After": "Sun, 01 Mar 2026 01:00:30 GMT", "Date": "Sun, 01 Mar 2026 01:00:19 GMT"}),
        reply(),
    )
    door.get("/page", {})
    assert rests == [7.0, 11.0]


def test_a_wished_date_counts_from_the_run_if_the_server_shows_no_clock(
    server: Server, opened: ExitStack, rests: list[float]
) -> None:
    until = datetime.fromtimestamp(BEGAN + 40, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server.says("/page", reply(503, headers={"Retry-After": until}), reply())
    a_door(opened, server).get("/page", {})
    assert 35 <= rests[0] <= 40


@pytest.mark.parametrize("wish", ["-5", "soon", "", "Sun, 01 Mar 2020 01:00:00 GMT", "1e3"])
def test_a_wish_that_is_none_is_an_ordinary_rest(server: Server, door: Service, rests: list[float], wish: str) -> None:
    server.says("/page", reply(503, headers={"Retry-After": wish}), reply())
    door.get("/page", {})
    assert 0.5 <= rests[0] <= 1.0


def test_a_wish_beyond_the_deadline_gives_up_at_once_and_hands_it_on(
    server: Server, opened: ExitStack, rests: list[float]
) -> None:
    server.says("/page", reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(TryAgain) as caught:
        a_door(opened, server, make_run(deadline=60)).get("/page", {})
    assert (rests, len(server.asked), caught.value.after) == ([], 1, 3600.0)


def test_retries_count_against_the_request_budget(server: Server, opened: ExitStack, rests: list[float]) -> None:
    server.says("/page", reply(503), reply())
    a_door(opened, server, make_run(deadline=600, requests_per_minute=1)).get("/page", {})
    assert sum(rests) == pytest.approx(60, abs=1)


def test_a_refused_connection_is_tried_again(opened: ExitStack, rests: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        service = a_door(opened, Server("http", taken.getsockname()[1]), tries=3)
        with pytest.raises(TryAgain, match="ConnectError") as caught:
            service.get("/page", {})
    assert caught.value.stage == "reach"
    assert len(rests) == 2


def test_half_a_page_is_tried_again(server: Server, door: Service, rests: list[float]) -> None:
    server.says("/page", raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"data": [1'), reply(body=b"[1]"))
    assert door.get("/page", {}).body == [1]
    assert len(rests) == 1


def test_half_a_page_of_a_server_that_ends_by_hanging_up_is_tried_again(
    server: Server, door: Service, rests: list[float]
) -> None:
    server.says("/page", raw(b'HTTP/1.0 200 OK\r\n\r\n{"data": [1, 2'), raw(b"HTTP/1.0 200 OK\r\n\r\n[1]"))
    assert door.get("/page", {}).body == [1]
    assert len(rests) == 1


def test_half_a_packed_page_is_tried_again(server: Server, door: Service, rests: list[float]) -> None:
    packed = gzip.compress(json.dumps(list(range(1000))).encode())
    cut = reply(body=packed[:-20], headers={"Content-Encoding": "gzip"})
    server.says("/page", cut, reply(body=packed, headers={"Content-Encoding": "gzip"}))
    assert door.get("/page", {}).body == list(range(1000))
    assert len(rests) == 1


def test_a_server_that_never_answers_is_given_up(server: Server, opened: ExitStack, rests: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        service = a_door(opened, Server("http", mute.getsockname()[1]), timeout=0.1, tries=2)
        with pytest.raises(TryAgain, match="did not answer in time") as caught:
            service.get("/page", {})
    assert caught.value.stage == "read"


def test_a_page_that_drips_forever_ends_at_the_deadline(server: Server, opened: ExitStack) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(3000):
            request.wfile.write(b" ")
            time.sleep(0.01)

    server.says("/page", drip)
    with pytest.raises(TryAgain, match="deadline"):
        a_door(opened, server, make_run(deadline=0.3)).get("/page", {})
    assert len(server.asked) == 1


# --- answers that are not believed


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_only_its_host_is_named(server: Server, door: Service, status: int) -> None:
    there = "https://someone:pass@login.example:8443/sso?ticket=" + SECRET
    server.says("/page", reply(status, headers={"Location": there}))
    with pytest.raises(UnexpectedAnswer, match=r"points to https://login\.example:8443,") as caught:
        door.get("/page", {})
    assert not {"someone", "ticket", SECRET} & set(str(caught.value).replace("/", " ").replace("=", " ").split())
    assert SECRET not in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 404, 405, 410, 418])
def test_any_other_status_is_unexpected_and_not_retried(
    server: Server, door: Service, rests: list[float], status: int
) -> None:
    server.says("/page", reply(status, body=b""))
    with pytest.raises(UnexpectedAnswer, match=f"answered with {status}"):
        door.get("/page", {})
    assert (len(server.asked), rests) == (1, [])


@pytest.mark.parametrize("body", [b"", b"  \r\n", b"\n"])
def test_an_empty_body_is_no_answer(server: Server, door: Service, body: bytes) -> None:
    server.says("/page", reply(body=body))
    with pytest.raises(UnexpectedAnswer, match="empty"):
        door.get("/page", {})


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>login</html>", b"\xef\xbb\xbf\r\n <?xml version='1.0'?>"])
def test_a_login_page_with_status_200_is_called_one(server: Server, door: Service, body: bytes) -> None:
    server.says("/page", reply(body=body, kind="text/html"))
    with pytest.raises(UnexpectedAnswer, match="login or error page"):
        door.get("/page", {})


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": NaN}', "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e999]", "oversized"),
        (b"[" + b"9" * 5000 + b"]", "oversized"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": 1', "at character"),
        (b"[1] [2]", "at character"),
        (b'["\xff\xfe"]', "UTF-8"),
        (b"token=" + SECRET.encode(), "at character"),
    ],
)
def test_what_is_not_well_formed_is_refused_without_repeating_it(
    server: Server, door: Service, body: bytes, why: str
) -> None:
    server.says("/page", reply(body=body))
    with pytest.raises(UnexpectedAnswer, match=why) as caught:
        door.get("/page", {})
    assert (caught.value.source, caught.value.stage) == ("a-source", "answer")
    assert SECRET not in str(caught.value)
    assert len(server.asked) == 1


def test_an_integer_beyond_64_bits_is_left_to_the_connector(server: Server, door: Service) -> None:
    server.says("/page", reply(body=b"[18446744073709551616]"))
    assert door.get("/page", {}).body == [2**64]


@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_that_is_too_large_is_refused(server: Server, opened: ExitStack, chunked: bool) -> None:
    body = b'"' + b"x" * 100_000 + b'"'

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:  # for ever: only a cap ends it
            request.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")

    server.says("/page", answer if chunked else reply(body=body))
    with pytest.raises(UnexpectedAnswer, match="larger than 100001 bytes"):
        a_door(opened, server, max_answer_bytes=100_001).get("/page", {})
    server.says("/page", reply(body=body))
    assert a_door(opened, server, max_answer_bytes=100_002).get("/page", {}).body == "x" * 100_000


def test_a_packed_answer_is_unpacked(server: Server, door: Service) -> None:
    body = json.dumps(["văn bản"] * 200_000).encode()
    server.says("/page", reply(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}))
    assert door.get("/page", {}).body == ["văn bản"] * 200_000
    assert server.asked[0][2]["Accept-Encoding"] == "gzip"


def test_a_bomb_is_refused_before_it_unfolds(server: Server, opened: ExitStack) -> None:
    bomb = gzip.compress(b" " * (64 << 20), 9)
    server.says("/page", reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    service = a_door(opened, server, max_answer_bytes=4 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedAnswer, match="larger than"):
            service.get("/page", {})
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_a_packing_that_was_not_asked_for_is_refused(server: Server, door: Service, encoding: str) -> None:
    server.says("/page", reply(body=b"\x0b\x02\x80", headers={"Content-Encoding": encoding}))
    with pytest.raises(UnexpectedAnswer, match="not asked for"):
        door.get("/page", {})


def test_a_damaged_packing_is_refused(server: Server, door: Service) -> None:
    server.says("/page", reply(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UnexpectedAnswer, match="packed wrongly"):
        door.get("/page", {})


# --- TLS


def certificate(folder: Path, name: str, address: str = "127.0.0.1", days: int = 1) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def test_a_certificate_of_the_named_authority_is_trusted(tmp_path: Path, opened: ExitStack) -> None:
    public, context = certificate(tmp_path, "ours")
    with serving(context) as server:
        server.says("/page", reply(body=b"[1]"))
        assert a_door(opened, server, ca_file=public).get("/page", {}).body == [1]


@pytest.mark.parametrize("fault", ["unknown authority", "another host's", "expired"])
def test_a_certificate_that_proves_nothing_is_denied_once_with_the_mend(
    tmp_path: Path, opened: ExitStack, rests: list[float], fault: str
) -> None:
    address, days = ("127.0.0.2" if "host" in fault else "127.0.0.1"), (-1 if fault == "expired" else 1)
    public, context = certificate(tmp_path, "theirs", address, days)
    with serving(context) as server:
        server.says("/page", reply())
        service = a_door(opened, server, ca_file=None if fault == "unknown authority" else public, token=SECRET)
        with pytest.raises(AccessDenied, match="not trusted") as caught:
            service.get("/page", {})
    assert caught.value.field == "ca_file"
    assert "ca_file" in caught.value.mend
    assert (server.asked, rests) == ([], [])


def test_https_to_a_port_without_tls_is_denied_with_the_mend(server: Server, opened: ExitStack) -> None:
    service = a_door(opened, server, base_url=server.url.replace("http:", "https:"))
    with pytest.raises(AccessDenied, match="no TLS connection") as caught:
        service.get("/page", {})
    assert "https" in caught.value.mend


def test_an_authority_that_cannot_be_read_is_wrong_use(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "none.pem"):
        options = Options(base_url="https://host.example", ca_file=path)
        with pytest.raises(WrongUse, match=r"\.pem cannot be used") as caught, http.open_door(options, make_run()):
            pass
        assert caught.value.field == "ca_file"
