"""What every connector that reads over HTTP must do, whatever a server answers: one table of them, one of the answers.

A connector is in the table by its configuration and the questions that it may ask. What it makes of good answers is for
its own tests; here no answer is good, and none may pass for an empty source, be told as something else than it is, or
be repeated in a message. A login of its own is asked once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from collector.assembly import connector_names, find_connector
from collector.contract.connector import Batch, Want
from collector.contract.door import Pages
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer
from collector.transports import Run, http
from tests.transports.web import Reply, Server, raw, reply, serving

BEGAN = 1_772_326_800  # 2026-03-01T08:00:00+07:00
SECRET = "canary-secret-77c1"
CANARY = "Nguyễn Văn Chim Hoàng Yến"


@dataclass(frozen=True, slots=True)
class Case:
    """A connector as a source configures it, and the verbs and paths that it may ask."""

    connector: str
    config: dict[str, Any]
    may_ask: frozenset[tuple[str, str]]


REGISTER = {"id": "no", "agency": "office", "status": "state", "received": "in", "due": "due", "ended": "out"}
TRUNK = {"system_id": "system", "secret_key": SECRET, "inside": ["H44."]}
CASES = {
    "dvcqg": Case("onestop.dvcqg", {"pages": {"path": "/dossiers"}}, frozenset({("GET", "/dossiers")})),
    "dvcqg asked by POST": Case(
        "onestop.dvcqg", {"pages": {"path": "/dossiers", "method": "POST"}}, frozenset({("POST", "/dossiers")})
    ),
    "opencps": Case(
        "onestop.opencps", {"group_id": 55301, "agencies": ["A"]}, frozenset({("GET", "/o/rest/v2/dossiers")})
    ),
    "rest_register": Case(
        "onestop.rest_register",
        {
            "pages": {"path": "/list", "changed_from": {"since": "{since}"}},
            "fields": REGISTER | {"changed": "at"},
        },
        frozenset({("GET", "/list")}),
    ),
    "rest_register read whole": Case(
        "onestop.rest_register", {"pages": {"path": "/list"}, "fields": REGISTER}, frozenset({("GET", "/list")})
    ),
    "trunk of the province": Case(
        "docmgmt.trunk",
        {"received": {}, "login": {"user": "u", "password": SECRET, "application": "a"}, **TRUNK},
        frozenset({("POST", "/v1/auth/login"), ("GET", "/v1/syncReceivedEdocList"), ("GET", "/v1/getEdoc")}),
    ),
    "trunk of the province with a token": Case(
        "docmgmt.trunk",
        {"received": {}, **TRUNK},
        frozenset({("GET", "/v1/syncReceivedEdocList"), ("GET", "/v1/getEdoc")}),
    ),
    "trunk of VXP": Case("docmgmt.trunk", {"sent": {}, **TRUNK}, frozenset({("POST", "/getSentEdocList")})),
    "dovecot": Case("email.dovecot", {}, frozenset({("POST", "/doveadm/v1")})),
    "zimbra": Case(
        "email.zimbra", {"account": "admin", "password": SECRET}, frozenset({("POST", "/service/admin/soap/")})
    ),
}

PAGE = f"<html><title>{CANARY}</title></html>".encode()
TEXT = f'"{CANARY}"'.encode()
CUT = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"data": ['
ANSWERS: dict[str, tuple[Reply, type[CollectorError]]] = {
    "401": (reply(401, TEXT), AccessDenied),
    "403": (reply(403, TEXT), AccessDenied),
    "404": (reply(404, TEXT), UnexpectedAnswer),
    "429": (reply(429, TEXT, {"Retry-After": "7"}), TryAgain),
    "500": (reply(500, TEXT), TryAgain),
    "502 with a page": (reply(502, PAGE, kind="text/html"), TryAgain),
    "503": (reply(503, b""), TryAgain),
    "hung up in the middle": (raw(CUT), TryAgain),
    "nothing at all": (raw(), TryAgain),
    "204": (reply(204, b""), UnexpectedAnswer),
    "302 to another host": (reply(302, b"", {"Location": "http://127.0.0.2/login"}), UnexpectedAnswer),
    "a login page": (reply(200, PAGE, kind="text/html"), UnexpectedAnswer),
    "an empty body": (reply(200, b""), UnexpectedAnswer),
    "an empty object": (reply(200, b"{}"), UnexpectedAnswer),
    "an empty list": (reply(200, b"[]"), UnexpectedAnswer),
    "null": (reply(200, b"null"), UnexpectedAnswer),
    "a text": (reply(200, TEXT), UnexpectedAnswer),
    "a number": (reply(200, b"0"), UnexpectedAnswer),
    "half of an object": (reply(200, b'{"data": [{"'), UnexpectedAnswer),
    "two documents": (reply(200, b"{}{}"), UnexpectedAnswer),
    "no number": (reply(200, b'{"data": [], "total": NaN}'), UnexpectedAnswer),
    "endless depth": (reply(200, b"[" * 200_000), UnexpectedAnswer),
    "another charset": (reply(200, '{"x": "đ"}'.encode("utf-16")), UnexpectedAnswer),
    "an envelope of something else": (reply(200, b'{"items": [], "page": 1}'), UnexpectedAnswer),
}


class Same(dict[str, list[Reply]]):
    """The same answer for every path."""

    def __init__(self, one: Reply) -> None:
        super().__init__()
        self._one = one

    def __missing__(self, path: str) -> list[Reply]:
        return [self._one]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


def nobody(address: str, day: int) -> str:
    raise AssertionError(f"no answer names anybody, but {address} on {day}")


@contextmanager
def door(server: Server) -> Iterator[Pages]:
    options = http.Options(base_url=server.url, tries=1, timeout=10)
    with http.open_door(options, Run("source", BEGAN, 60.0, 1_000_000, nobody)) as opened:
        yield opened


def test_every_connector_that_reads_over_http_is_in_the_table() -> None:
    over_http = {name for name in connector_names() if "http" in find_connector(name).DOORS}
    assert over_http == {case.connector for case in CASES.values()}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("case", CASES)
def test_no_bad_answer_passes_for_an_empty_source(server: Server, case: str, answer: str) -> None:
    told, (replied, expected) = CASES[case], ANSWERS[answer]
    server.replies = Same(replied)
    server.asked.clear()
    connector = find_connector(told.connector)
    config = connector.Config.model_validate(told.config)
    batches: list[Batch] = []
    with door(server) as opened, pytest.raises(CollectorError) as raised:
        batches.extend(connector.fetch(config, opened, Want(None, 20260101, 20260101, 20260228)))
    assert type(raised.value) is expected, str(raised.value)
    assert raised.value.source == "source"
    assert raised.value.mend
    if answer == "429":
        assert isinstance(raised.value, TryAgain)
        assert raised.value.after == 7
    assert not [batch for batch in batches if batch.covers or any(batch.rows.values())], "nothing was read"
    asked = {(verb, path.partition("?")[0]) for verb, path, *_ in server.asked}
    assert asked <= told.may_ask
    assert len(server.asked) == 1, "it was refused, and asks no more"
    for secret in (CANARY, SECRET, "127.0.0.2/login"):
        assert secret not in str(raised.value)


@pytest.mark.parametrize("case", CASES)
def test_a_look_at_it_writes_nothing_and_fails_in_words(server: Server, case: str) -> None:
    told = CASES[case]
    connector = find_connector(told.connector)
    server.replies = Same(reply(403, TEXT))
    server.asked.clear()
    with door(server) as opened, pytest.raises(AccessDenied) as raised:
        list(connector.probe(connector.Config.model_validate(told.config), opened))
    assert {(verb, path.partition("?")[0]) for verb, path, *_ in server.asked} <= told.may_ask
    assert CANARY not in str(raised.value)
