"""Whether a system answers: asked over real sockets, without ever logging in."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collector.transports import folder, http, reach, sql, ssh
from tests.transports.test_http import certificate
from tests.transports.web import raw, reply, serving

SECONDS = 0.4


@contextmanager
def talking(say: Callable[[socket.socket], None]) -> Iterator[int]:
    """A service on a free port that does this with each connection; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as open_lines:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                open_lines.enter_context(line)
                try:
                    say(line)
                except OSError:  # who asked has gone
                    continue

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def drip(line: socket.socket) -> None:
    for letter in b"HTTP/1.1 200":
        line.sendall(bytes([letter]))
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("status", "answers"),
    [(status, status < 500) for status in (200, 204, 302, 401, 403, 404, 499, 500, 502, 503)],
)
def test_any_answer_below_500_shows_that_a_service_runs(status: int, answers: bool) -> None:
    with serving() as server:
        server.says("/", reply(status))
        assert reach.address(server.url).answers(SECONDS) is answers


def test_no_secret_is_sent_and_one_request_is_made(tmp_path: Path) -> None:
    with serving() as server:
        server.says("/api", reply(401))
        options = http.Options(base_url=f"{server.url}/api", token=SecretStr("canary"), headers={"X-Unit": "canary"})
        target = reach.of_door(options)
        assert target is not None
        assert target.answers(SECONDS)
        ((verb, path, headers, body, _),) = server.asked
    assert (verb, path, body) == ("GET", "/api", b"")
    assert "canary" not in str(headers)
    assert "Authorization" not in headers


def test_an_accepted_connection_is_no_answer() -> None:
    with talking(lambda _: None) as port:
        for scheme in ("http", "tcp"):
            assert reach.address(f"{scheme}://127.0.0.1:{port}").answers(SECONDS) is False, scheme
        assert reach.Target("postgresql", "127.0.0.1", port).answers(SECONDS) is False


def test_an_answer_that_comes_too_slowly_is_none() -> None:
    with talking(drip) as port:
        began = time.monotonic()
        assert reach.address(f"http://127.0.0.1:{port}").answers(SECONDS) is False
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("said", [b"", b"\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 two hundred\r\n", b"HTTP/1.1 99 x\r\n"])
def test_what_is_no_http_is_no_answer_of_a_web_service(said: bytes) -> None:
    with serving() as server:
        server.says("/", raw(said))
        assert reach.address(server.url).answers(SECONDS) is False


def test_a_service_that_speaks_first_is_known_by_its_greeting() -> None:
    with talking(lambda line: line.sendall(b"220 mail.example ESMTP\r\n")) as port:
        assert reach.address(f"tcp://127.0.0.1:{port}").answers(SECONDS) is True


def test_a_closed_port_is_silent() -> None:
    with talking(lambda _: None) as port:
        pass
    assert reach.address(f"tcp://127.0.0.1:{port}").answers(SECONDS) is False


def test_a_name_that_nobody_resolves_is_no_silence_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert reach.address("https://motcua.example.gov.vn").answers(SECONDS) is None


@pytest.mark.parametrize(
    ("number", "answers"), [(101, None), (24, None), (113, False), (111, False), (104, False)]
)  # no network, too many files; no way to the host, refused, reset
def test_what_keeps_this_host_from_asking_is_no_silence(
    number: int, answers: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError(number, "")

    monkeypatch.setattr(socket, "create_connection", fails)
    assert reach.address("tcp://mail.example:25").answers(SECONDS) is answers


@pytest.mark.parametrize(
    "text",
    [
        "mail.example:25",
        "ftp://mail.example",
        "tcp://mail.example",
        "tcp://mail.example:99999",
        "https://user:secret@motcua.example/",
        "https://motcua.example/?key=secret",
        "https://motcua.example/a b",
        "https://",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_a_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        reach.address(text)
    assert "user:secret" not in str(caught.value)


def test_what_shows_that_the_system_behind_a_door_answers() -> None:
    host: dict[str, Any] = {"host": "mail.example", "user": "collector", "password": SecretStr("x"), "path": "/var/log"}
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
    doors: list[tuple[Any, reach.Target | None]] = [
        (http.Options(base_url="https://x.example/api"), reach.Target("https", "x.example", 443, "/api")),
        (ssh.Options(**host, host_key=key), reach.Target("tcp", "mail.example", 22)),
        (sql.Options(url="postgresql://reader@db.example/x"), reach.Target("postgresql", "db.example", 5432)),
        (sql.Options(url="mysql://reader@db.example/x"), None),
        (sql.Options(url="sqlite:////srv/x.db"), None),
        (folder.Options(path=Path("/var/log")), None),
    ]
    for options, target in doors:
        assert reach.of_door(options) == target
    assert [str(target) for _, target in doors if target] == [
        "https://x.example:443/api",
        "tcp://mail.example:22",
        "postgresql://db.example:5432",
    ]


@pytest.mark.server("postgresql")
def test_a_real_postgresql_answers_and_nobody_logs_in(postgresql: Any) -> None:
    before = postgresql.log.read_text()
    assert reach.Target("postgresql", postgresql.host, postgresql.port).answers(5) is True
    told = postgresql.log.read_text().removeprefix(before)
    assert "FATAL" not in told
    assert "authentication" not in told


def test_a_certificate_that_is_trusted_is_needed_and_one_that_is_not_is_no_silence(tmp_path: Path) -> None:
    public, context = certificate(tmp_path, "ours")
    with serving(context) as server:
        server.says("/", reply())
        port = reach.address(server.url).port
        assert reach.Target("https", "127.0.0.1", port, "/", public).answers(2) is True
        assert reach.Target("https", "127.0.0.1", port, "/").answers(2) is None
        assert reach.Target("https", "127.0.0.1", port, "/", tmp_path / "no.pem").answers(2) is None
