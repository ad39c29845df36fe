"""Mailboxes of a real Dovecot, as the connector reads them."""

import imaplib
import smtplib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.contract.connector import Batch, Want
from collector.contract.errors import AccessDenied, UnexpectedAnswer
from collector.contract.period import local_day, plus_days
from connectors.email import dovecot, dovecot_doveadm
from connectors.email.dovecot import Config
from connectors.email.mail_log import Config as LogConfig
from tests.connectors.email.dovecot_double import KEY
from tests.connectors.email.dovecot_runs import open_door, row_of, told
from tests.connectors.email.reading import Door, Kept, pseudonym
from tests.connectors.email.reading import run as read_log
from tests.servers import dovecot as dovecot_server
from tests.servers.dovecot import Api, Dovecot, user_file

pytestmark = pytest.mark.server("dovecot")

AN, BINH, CHI = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn", "vanthu@syt.example.gov.vn"
MIB = 1 << 20
FIELDS = {
    AN: {"quota_rule": f"*:bytes={5 * MIB}"},
    BINH: {"nologin": "y"},
    CHI: {"ou": "H44.05"},
}
CONFIG = Config(
    kinds={"vanthu@*": "shared", "*": "personal"},
    state_field="nologin",
    agency_field="ou",
    last_login_dict="proxy::lastlogin",
)
DAY = 20260115


@pytest.fixture(scope="module")
def begin() -> Iterator[Callable[..., Dovecot]]:
    """`begin(passwords, quota=..., ...)` starts a server with these mailboxes and these settings of its API."""
    with ExitStack() as running:

        def start(addresses: Sequence[str], **settings: Any) -> Dovecot:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="ict-")))
            folder.chmod(0o755)
            passwords = dict.fromkeys(addresses, "sesame")
            api = Api(KEY, **{"fields": FIELDS} | settings)
            log, zone = folder / "dovecot.log", {"TZ": "Asia/Ho_Chi_Minh"}
            return running.enter_context(
                dovecot_server.start(folder, log, passwords, locked=frozenset([BINH]), environment=zone, api=api)
            )

        yield start


def address(server: Dovecot) -> str:
    return f"http://{server.host}:{server.doveadm_port}"


def run(server: Dovecot, kept: Kept, day: int = DAY, config: Config = CONFIG, **options: Any) -> list[Batch]:
    batches = []
    with open_door(address(server), day, **options) as door:
        for batch in dovecot.fetch(config, door, Want(kept.cursor, 20260101, 20260101, plus_days(day, -1))):
            kept.save(batch)
            batches.append(batch)
    return batches


def deliver(server: Dovecot, to: str, size: int) -> None:
    with smtplib.LMTP(server.host, server.lmtp_port) as connection:
        connection.sendmail("someone@x.test", [to], "Subject: x\r\n\r\n" + ("x" * 78 + "\r\n") * (size // 80))


def rewrite(server: Dovecot, addresses: Sequence[str], new: str) -> None:
    """Let the server have these mailboxes from now on, and wait until it knows the new one: it looks once a second."""
    fresh = server.users.with_suffix(".fresh")
    fresh.write_text(user_file(dict.fromkeys(addresses, "sesame"), [], FIELDS))
    fresh.chmod(0o644)
    fresh.replace(server.users)
    deadline = time.monotonic() + 10
    with open_door(address(server)) as door:
        while new not in dovecot_doveadm.fields(door, [new], ["uid"]):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_month_of_a_real_server(begin: Callable[..., Dovecot]) -> None:
    server = begin([AN, BINH, CHI])
    deliver(server, AN, 3 * MIB)
    kept = Kept()
    run(server, kept)
    an, binh, chi = (row_of(kept, one, 20260101) for one in (AN, BINH, CHI))
    assert an[1:2] + an[6:11] == ("skhcn.example.gov.vn", "personal", None, DAY, None, 5 * MIB)
    # 39,321 lines of 79 bytes, as they lie in a maildir, and a header.
    assert 39_321 * 79 < an[11] < 39_321 * 79 + 4096
    assert an[11] % 1024 == 0
    assert binh[1:2] + binh[6:12] == ("syt.example.gov.vn", "personal", None, DAY, DAY, 0, 0)
    assert chi[1:2] + chi[6:12] == ("H44.05", "shared", None, DAY, None, 0, 0)
    new = "moi@syt.example.gov.vn"
    rewrite(server, [AN, BINH, new], new)
    run(server, kept, 20260118)
    assert told(kept, CHI, 20260101) == (DAY, 20260118)
    assert told(kept, new, 20260101) == (20260118, None)
    assert kept.covered["mailbox"] == {20260115, 20260116, 20260117}
    assert kept.bad == []


def test_a_mailbox_that_is_broken_and_one_in_capitals_spoil_no_other(begin: Callable[..., Dovecot]) -> None:
    capitals = "Dung@syt.example.gov.vn"
    server = begin([AN, BINH, CHI, capitals])
    (server.mail / CHI).touch()
    kept = Kept()
    run(server, kept)
    assert row_of(kept, AN, 20260101)[10:12] == (5 * MIB, 0)
    assert sorted((row.key, row.field) for row in kept.bad) == sorted(
        [
            (f"202601:{pseudonym(CHI, 20260101)}", "quota"),
            (f"202601:{pseudonym(capitals, 20260101)}", "userMask"),
        ]
    )


def test_last_logins_of_people_are_told_from_those_of_questions(begin: Callable[..., Dovecot]) -> None:
    people = begin([AN, CHI])
    for user in (AN, CHI):
        with imaplib.IMAP4(people.host, people.imap_port, timeout=10) as session:
            session.login(user, "sesame")
    # The server's own time decides, whole seconds of it: the logins must lie before the run.
    time.sleep(1.1)
    kept = Kept()
    run(people, kept)
    assert kept.bad == []
    # Its day is told, to be held against the log.
    today = local_day(int(time.time()))
    run(people, now := Kept(), today)
    assert {row[-1] for row in now.mailboxes.values()} == {today}
    touched = begin([AN, CHI], last_login="everything")
    run(touched, kept := Kept())
    assert [row.key for row in kept.bad] == ["last_login"]
    assert "the last logins of 2 of 2 mailboxes stood at that run's moment" in kept.bad[0].reason
    for server, result in ((people, "ok"), (touched, "failed")):
        time.sleep(1.1)
        with open_door(address(server), today) as door:
            found = list(dovecot.probe(CONFIG, door))
        assert [one.result for one in found if one.stage == "last login"] == [result]
        assert [one.result for one in found if one.stage == "reach"] == ["ok"]


def test_the_lines_that_questions_leave_in_the_log_are_no_use(begin: Callable[..., Dovecot]) -> None:
    server = begin([AN, BINH, CHI])
    now = int(time.time())
    with imaplib.IMAP4(server.host, server.imap_port, timeout=10) as session:
        session.login(AN, "sesame")
    # Asked of each alone, everybody's name is in the log.
    run(server, Kept(), config=Config(quota="each"))
    assert f"'quota get' as '{CHI}'" in server.log.read_text()
    door = Door(server.log.parent, now + 86_400)
    use = read_log(Kept(), door, local_day(now), LogConfig(logs=["dovecot.log"], lists="")).use()
    assert {who for _, who in use} == {pseudonym(AN, local_day(now))}


def test_what_a_real_server_refuses_is_named(begin: Callable[..., Dovecot]) -> None:
    server = begin([AN, BINH], allowed=["user"], quota=[])
    with pytest.raises(AccessDenied) as wrong:
        run(server, Kept(), key="wrong")
    assert "token_base64" in wrong.value.mend
    with pytest.raises(AccessDenied) as narrowed:
        run(server, Kept())
    assert (narrowed.value.field, narrowed.value.stage) == ("quotaGet", "answer")
    assert run(server, Kept(), config=Config(quota="none"))
    without_quota = begin([AN, BINH], quota=[])
    with pytest.raises(UnexpectedAnswer, match="exit code 68") as missing:
        run(without_quota, Kept())
    assert "quota: none" in missing.value.mend
    several = begin([AN, BINH], quota=["maildir:User quota", "maildir:Archive:ns="])
    with pytest.raises(UnexpectedAnswer, match="2 quotas"):
        run(several, Kept())
    kept = Kept()
    run(several, kept, config=Config(quota_root="User quota"))
    assert row_of(kept, AN, 20260101)[10:12] == (5 * MIB, 0)


@pytest.mark.long
def test_ten_thousand_real_mailboxes_are_read_within_a_minute(
    begin: Callable[..., Dovecot], scale: Callable[[int], int]
) -> None:
    count = scale(10_000)
    every = [f"u{number:05d}@syt.example.gov.vn" for number in range(count)]
    server = begin(every)
    kept = Kept()
    # The door's deadline of 120 seconds is the budget; one answer takes about 5.
    run(server, kept, config=CONFIG)
    assert len(kept.mailboxes) == count
    assert kept.bad == []
    log = server.log.read_text()
    assert log.count("Executing command 'quota get'") == 1
    assert log.count('"POST /doveadm/v1 HTTP/1.1" 200') == 3 + 2 * -(-count // 100)
