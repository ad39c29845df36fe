"""Who is let in: TLS, client certificates and users by a web.yml, over real sockets, read again when it changes."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import httpx
import pytest
import uvicorn

from collector.contract.errors import WrongUse
from collector.exposition import END, Exposition
from collector.web.access import Access, guarded, read
from collector.web.application import Shown, application
from tests.servers.process import needed, program
from tests.servers.prometheus import start
from tests.web.certificates import Authority

RIGHT, WRONG = ("scraper", "đúng rồi"), ("scraper", "sai rồi")
HASH = bcrypt.hashpw(RIGHT[1].encode(), bcrypt.gensalt(4)).decode()
TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
MUTUAL = TLS.replace("}", ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.crt}")
USERS = f"basic_auth_users:\n  scraper: {HASH}\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path)
    made.sign("server")
    made.sign("client")
    return made


@contextmanager
def serving(access: Access) -> Iterator[int]:
    """Serve the pages on a loopback port, as the daemon does."""
    tls = access.tls()
    leads = Exposition(b"ict_leader 1\n", b"ict_leader 1.0\n# EOF\n")
    pages = application(lambda: Shown(leads, "<!doctype html><title>x</title>"), lambda: Exposition(b"", END))
    server = uvicorn.Server(
        uvicorn.Config(
            guarded(pages, access),
            ssl_context_factory=None if tls is None else lambda *_: tls,
            log_level="critical",
            lifespan="off",
            ws="none",
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def trusting(authority: Authority, *, certificate: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.path)
    if certificate:
        context.load_cert_chain(authority.folder / f"{certificate}.crt", authority.folder / f"{certificate}.key")
    return context


def web(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text, encoding="utf-8")
    return path


def shown(port: int, context: ssl.SSLContext | bool, auth: tuple[str, str] | None = None) -> int:
    scheme = "http" if context is False else "https"
    return httpx.get(f"{scheme}://127.0.0.1:{port}/metrics", auth=auth, verify=context, timeout=10).status_code


def test_without_a_file_anybody_is_let_in() -> None:
    with serving(Access(None, pytest.fail)) as port:
        assert shown(port, False) == 200


def test_only_users_with_the_right_password_are_let_in_everywhere(tmp_path: Path) -> None:
    with serving(Access(web(tmp_path, USERS), pytest.fail)) as port:
        assert [shown(port, False, auth) for auth in (RIGHT, WRONG, None, RIGHT, ("nobody", RIGHT[1]))] == [
            200, 401, 401, 200, 401
        ]  # fmt: skip
        for path in ("/", "/metrics", "/-/healthy", "/nowhere"):
            refused = httpx.get(f"http://127.0.0.1:{port}{path}", verify=False)
            assert (refused.status_code, refused.text) == (401, "Unauthorized\n")
            assert refused.headers["www-authenticate"].startswith("Basic realm=")
        for header in ("Basic", "Basic !!!", "Bearer abc", "Basic " + "QQ" * 80, "Basic //79"):
            told = httpx.get(f"http://127.0.0.1:{port}/", headers={"Authorization": header}, verify=False)
            assert told.status_code == 401


def test_a_client_needs_a_certificate_of_the_authority_if_the_file_says_so(
    tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    stranger.sign("client")
    with serving(Access(web(tmp_path, MUTUAL + USERS), pytest.fail)) as port:
        assert shown(port, trusting(authority, certificate="client"), RIGHT) == 200
        assert shown(port, trusting(authority, certificate="client"), WRONG) == 401
        unknown = trusting(authority)
        unknown.load_cert_chain(stranger.folder / "client.crt", stranger.folder / "client.key")
        for context in (trusting(authority), unknown):
            with pytest.raises(httpx.TransportError):
                shown(port, context, RIGHT)
        with pytest.raises(httpx.TransportError):
            shown(port, False, RIGHT)


def certificate_of(port: int, context: ssl.SSLContext) -> bytes | None:
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as there,
    ):
        return there.getpeercert(binary_form=True)


def test_a_renewed_certificate_and_a_new_user_count_at_once_and_a_wrong_file_changes_nothing(
    tmp_path: Path, authority: Authority
) -> None:
    said: list[str] = []
    path = web(tmp_path, TLS + USERS)
    with serving(Access(path, said.append)) as port:
        context = trusting(authority)
        before = certificate_of(port, context)
        authority.sign("server")
        after = certificate_of(port, context)
        assert (before == after, before is None) == (False, False)

        web(tmp_path, MUTUAL + USERS.replace("scraper", "other"))
        assert shown(port, trusting(authority, certificate="client"), ("other", RIGHT[1])) == 200
        assert shown(port, trusting(authority, certificate="client"), RIGHT) == 401
        with pytest.raises(httpx.TransportError):
            shown(port, context, ("other", RIGHT[1]))
        assert said == []

        web(tmp_path, MUTUAL + "basic_auth_users: {other: abc}\n")
        for _ in range(2):
            assert shown(port, trusting(authority, certificate="client"), ("other", RIGHT[1])) == 200
        assert said == [
            f"{path}:2: basic_auth_users.other: is no bcrypt hash of a password."
            " Write what `htpasswd -nBC 10 USER` prints after the colon. The rules of before go on"
        ]
        web(tmp_path, USERS)
        assert shown(port, trusting(authority, certificate="client"), ("other", RIGHT[1])) == 200
        assert "to begin or to end with TLS needs a restart" in said[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tls_server_config: {cert_file: gone.crt, key_file: gone.key}", "tls_server_config: .* cannot be used: No"),
        (TLS.replace("server.key", "client.key"), "cannot be used: .*KEY_VALUES_MISMATCH|cannot be used: .*mismatch"),
        (MUTUAL.replace(", client_ca_file: authority.crt", ""), "RequireAndVerifyClientCert needs an authority"),
        (MUTUAL.replace("authority.crt", "gone.crt"), "client_ca_file: .* cannot be used: No such file"),
        (TLS.replace("}", ", min_version: TLS10}"), "min_version"),
        (TLS.replace("}", ", client_auth_type: RequestClientCert}"), "client_auth_type"),
        (TLS.replace("}", ", cipher_suites: [x]}"), "cipher_suites: the key is not known"),
        ("rate_limit: {burst: 20}", "rate_limit: the key is not known"),
        ("basic_auth_users: {u: secret}", "basic_auth_users.u: is no bcrypt hash"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_not_offered_is_told_at_the_start(
    text: str, told: str, tmp_path: Path, authority: Authority
) -> None:
    with pytest.raises(WrongUse, match=told) as caught:
        read(web(tmp_path, text))
    assert "secret" not in str(caught.value).replace("secrets", "")


@pytest.mark.server("prometheus")
def test_the_file_is_one_that_prometheus_own_tool_accepts_and_a_real_one_comes_in(
    tmp_path: Path, authority: Authority
) -> None:
    path = web(tmp_path, MUTUAL + USERS)
    promtool = needed(program("promtool"), "prometheus")
    checked = subprocess.run(
        [promtool, "check", "web-config", path], capture_output=True, text=True, check=False, timeout=60
    )
    assert (checked.returncode, "SUCCESS" in checked.stderr) == (0, True), checked
    client = (
        f"  scheme: https\n  basic_auth: {{username: scraper, password: '{RIGHT[1]}'}}\n"
        f"  tls_config: {{ca_file: {authority.path}, cert_file: {tmp_path / 'client.crt'},"
        f" key_file: {tmp_path / 'client.key'}}}\n"
    )
    (tmp_path / "prometheus").mkdir()
    with (
        serving(Access(path, pytest.fail)) as port,
        start(tmp_path / "prometheus", port, interval="500ms", client=client) as server,
    ):
        server.wait_for_scrapes()
        assert list(server.query("ict_leader").values()) == [1]
