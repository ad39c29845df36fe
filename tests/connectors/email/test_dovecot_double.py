"""The double and a real Dovecot answer alike: what the facts say, and what was seen since."""

import imaplib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.email.dovecot_double import KEY, LOGINS, PATH, User, serving
from tests.servers import dovecot as dovecot_server
from tests.servers.dovecot import Api

AN, BINH = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn"
CAPITALS = "Chi@syt.example.gov.vn"
MIB = 1 << 20
KEY_IN_BASE64 = "Y2FuYXJ5LWtleS04YTFm"


@dataclass(frozen=True, slots=True)
class Server:
    """Either of the two; `login` opens a mailbox by IMAP as its user does."""

    address: str
    login: Callable[[str], None]
    break_mail: Callable[[str], None]

    def post(self, question: Any, headers: Mapping[str, str] | None = None, path: str = PATH) -> httpx.Response:
        key = {"Authorization": f"x-dovecot-api {KEY_IN_BASE64}"} if headers is None else headers
        return httpx.post(self.address + path, json=question, headers=key, timeout=10)

    def ask(self, *question: Any) -> Any:
        return self.post(list(question)).json()


FIELDS = {AN: {"quota_rule": f"*:bytes={5 * MIB}", "ou": "H44.05"}, BINH: {"nologin": "y"}}


@contextmanager
def double(**settings: Any) -> Iterator[Server]:
    with serving() as dovecot:
        dovecot.users = {AN: User(FIELDS[AN], limit=5 * MIB), BINH: User(FIELDS[BINH]), CAPITALS: User()}
        dovecot.allowed = frozenset(settings.get("allowed", ()))
        dovecot.touches_logins = settings.get("last_login") == "everything"
        dovecot.clock = int(time.time())

        def login(address: str) -> None:
            dovecot.logins[address] = int(time.time())

        def break_mail(address: str) -> None:
            dovecot.users[address].broken = True

        yield Server(dovecot.address, login, break_mail)


@contextmanager
def real(**settings: Any) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="ict-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        passwords = dict.fromkeys((AN, BINH, CAPITALS), "sesame")
        api = Api(KEY, FIELDS, **settings)
        with dovecot_server.start(folder, folder / "dovecot.log", passwords, api=api) as server:

            def login(address: str) -> None:
                with imaplib.IMAP4(server.host, server.imap_port, timeout=10) as session:
                    session.login(address, "sesame")

            def break_mail(address: str) -> None:
                # A file where its folder should be.
                (server.mail / address).touch()

            yield Server(f"http://{server.host}:{server.doveadm_port}", login, break_mail)


BOTH = [pytest.param(double, id="double"), pytest.param(real, id="real", marks=pytest.mark.server("dovecot"))]


@pytest.fixture(params=BOTH, scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param() as started:
        yield started


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": f"X-Dovecot-API {KEY}"}, {"Authorization": f"Bearer {KEY_IN_BASE64}"}],
    ids=["none", "not in base64", "another scheme"],
)
def test_a_wrong_key_is_refused(server: Server, headers: dict[str, str]) -> None:
    answer = server.post([["user", {"userMask": ["*"]}, "a"]], headers)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == "X-Dovecot-API"


def test_it_never_answers_who_is_wrong_and_wants_to_hang_up(server: Server) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(server.address + PATH, json=[], headers={"Connection": "close"}, timeout=0.5)


def test_what_is_no_question_is_refused_in_plain_text(server: Server) -> None:
    for question, path, status, text in (
        ([], "/doveadm/v2", 404, "Path Not Found\r\n"),
        ({"a": 1}, PATH, 400, "Request must be a JSON array\r\n"),
        ([["user", {"userMask": ["*"]}]], PATH, 400, "Command ID must be a string\r\n"),
    ):
        answer = server.post(question, path=path)
        assert (answer.status_code, answer.text) == (status, text)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_each_answer_ends_the_connection_and_tells_the_servers_time(server: Server) -> None:
    answer = server.post([["user", {"userMask": ["*"]}, "a"]])
    assert answer.headers["Connection"] == "close"
    assert answer.headers["Date"].endswith("GMT")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("command", "kind"), [(["noSuchThing", {}], "unknownMethod"), (["quotaGet", {"userMask": ["*"]}], "invalidRequest")]
)
def test_a_command_or_parameter_that_is_unknown_breaks_the_answer(
    server: Server, command: list[Any], kind: str
) -> None:
    assert server.ask([*command, "a"]) == [["error", {"type": kind, "exitCode": 0}, "a"]]
    text = server.post([[*command, "a"], ["user", {"userMask": ["an@*"]}, "b"]]).text
    assert '"a"]["doveadmResponse"' in text


def test_users_are_listed_by_masks_and_told_one_by_one(server: Server) -> None:
    def user(masks: list[str], **more: str) -> Any:
        return server.ask(["user", {"userMask": masks, **more}, "a"])[0][:2]

    assert user(["*"]) == ["doveadmResponse", {"userList": [AN, BINH, CAPITALS]}]
    assert user(["*@SKHCN*", "binh@*"]) == ["doveadmResponse", {"userList": [AN, BINH]}]
    assert user(["nobody*"]) == ["doveadmResponse", {"userList": []}]
    assert user(["*"], field="nologin") == ["doveadmResponse", {"userList": [AN, BINH, CAPITALS]}]
    assert user([AN, BINH], field="nologin") == ["doveadmResponse", {AN: {}, BINH: {"nologin": "y"}}]
    assert user([AN.upper()], field="ou") == ["doveadmResponse", {AN.upper(): {"ou": "H44.05"}}]
    assert user([AN, "nobody@x.test"], field="ou") == ["error", {"type": "exitCode", "exitCode": 67}]
    assert user([CAPITALS], field="ou") == ["error", {"type": "exitCode", "exitCode": 67}]


def test_quota_is_told_in_kib_as_text(server: Server) -> None:
    limited = {"root": "User quota", "type": "STORAGE", "value": "0", "limit": "5120", "percent": "0"}
    unlimited = limited | {"limit": "-"}
    said = server.ask(
        ["quotaGet", {"user": AN}, "a"], ["quotaGet", {"user": "nobody@x.test"}, "b"], ["quotaGet", {"user": BINH}, "c"]
    )
    assert [row[2] for row in said] == ["a", "b", "c"]
    assert said[0][1][0] == limited
    assert said[0][1][1]["type"] == "MESSAGE"
    assert said[1] == ["error", {"type": "exitCode", "exitCode": 67}, "b"]
    assert said[2][1][0] == unlimited
    of_all = server.ask(["quotaGet", {"allUsers": True}, "a"])[0][1]
    assert [row for row in of_all if row["type"] == "STORAGE"] == [
        {"username": AN, **limited},
        {"username": BINH, **unlimited},
    ]


def test_who_has_become_a_user_can_no_longer_list(server: Server) -> None:
    assert server.ask(["who", {}, "a"])[0][0] == "doveadmResponse"
    with pytest.raises(httpx.RemoteProtocolError):
        server.ask(["quotaGet", {"user": AN}, "a"], ["who", {}, "b"])
    said = server.ask(["quotaGet", {"user": AN}, "a"], ["user", {"userMask": ["*"]}, "b"])
    assert said[1] == ["error", {"type": "exitCode", "exitCode": 65}, "b"]


def test_last_logins_are_listed_by_prefix_or_told_for_one(server: Server) -> None:
    def one(name: str, uri: str = "proxy::lastlogin") -> Any:
        return server.ask(["dictGet", {"user": name, "dictUri": uri, "key": LOGINS + name}, "a"])[0]

    before = int(time.time())
    server.login(AN)
    # The session's process writes it a moment later.
    deadline = time.monotonic() + 10
    every: Any = []
    while not every and time.monotonic() < deadline:
        every = server.ask(["dictIter", {"user": "", "dictUri": "proxy::lastlogin", "prefix": LOGINS}, "a"])[0][1]
    assert [row["key"] for row in every] == [LOGINS + AN]
    assert before <= int(every[0]["value"]) <= before + 15
    assert one(AN) == ["doveadmResponse", [{"value": every[0]["value"]}], "a"]
    assert one(BINH) == ["error", {"type": "exitCode", "exitCode": 68}, "a"]
    assert one(AN, "proxy::other") == ["error", {"type": "exitCode", "exitCode": 75}, "a"]


@pytest.mark.parametrize("begin", BOTH)
def test_a_broken_mailbox_spoils_the_quota_of_all(begin: Callable[..., Any]) -> None:
    with begin() as server:
        server.break_mail(BINH)
        assert server.ask(["quotaGet", {"allUsers": True}, "a"]) == [
            ["error", {"type": "exitCode", "exitCode": 75}, "a"]
        ]
        said = server.ask(["quotaGet", {"user": BINH}, "a"], ["quotaGet", {"user": AN}, "b"])
        assert said[0] == ["error", {"type": "exitCode", "exitCode": 75}, "a"]
        assert said[1][1][0]["limit"] == "5120"


@pytest.mark.parametrize("begin", BOTH)
def test_a_command_that_is_not_allowed_is_refused(begin: Callable[..., Any]) -> None:
    with begin(allowed=("user", "quota get")) as server:
        assert server.ask(["who", {}, "a"]) == [["error", {"type": "unAuthorized", "exitCode": 0}, "a"]]
        assert server.ask(["quotaGet", {"user": AN}, "a"])[0][0] == "doveadmResponse"


@pytest.mark.parametrize("begin", BOTH)
def test_a_question_moves_the_last_logins_where_every_opening_does(begin: Callable[..., Any]) -> None:
    with begin(last_login="everything") as server:
        before = int(time.time())
        server.ask(["quotaGet", {"allUsers": True}, "a"])
        rows = server.ask(["dictIter", {"user": "", "dictUri": "proxy::lastlogin", "prefix": LOGINS}, "a"])[0][1]
        assert sorted(row["key"] for row in rows) == [LOGINS + AN, LOGINS + BINH]
        assert all(int(row["value"]) >= before for row in rows)
