import imaplib
import re
import smtplib
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.servers import mail
from tests.servers.clock import SHARED_MEMORY, ZONE, at
from tests.servers.mail import MailServers
from tests.servers.process import answers
from tests.servers.traces import processes_of

AN, BINH, CHI = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn", "chi@syt.example.gov.vn"
ALL = "all@syt.example.gov.vn"
MailServersFrom = Callable[..., MailServers]


def lines(log: Path, *parts: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if all(part in line for part in parts)]


def days(log: Path, *parts: str) -> list[str]:
    return [line[:6] for line in lines(log, *parts)]


def test_what_is_done_leaves_lines_of_the_day_on_the_servers_clock(mail_servers: MailServersFrom) -> None:
    servers = mail_servers([AN, BINH], at(20260109, 16, 30))
    servers.send(AN, [BINH, "someone@gmail.com"])
    servers.settle()
    assert servers.login(BINH) == 1
    servers.move_clock(at(20260110, 8))
    servers.send(BINH, [AN])
    servers.settle()
    assert servers.login(AN) == 1
    servers.settle()

    postfix, dovecot = servers.postfix.log, servers.dovecot.log
    assert {path.name for path in servers.logs.iterdir()} == {"mail.log", "dovecot.log"}
    assert days(postfix, "submission/smtpd", f"sasl_username={AN}") == ["Jan 09"]
    assert days(postfix, "/lmtp[", f"to=<{BINH}>", "status=sent") == ["Jan 09"]
    assert days(postfix, "/smtp[", "to=<someone@gmail.com>", "status=sent") == ["Jan 09"]
    assert days(postfix, "submission/smtpd", f"sasl_username={BINH}") == ["Jan 10"]
    assert days(postfix, "/lmtp[", f"to=<{AN}>", "status=sent") == ["Jan 10"]
    assert days(dovecot, f"imap-login: Info: Login: user=<{BINH}>") == ["Jan 09"]
    assert days(dovecot, f"imap({BINH})<", "Disconnected: Logged out") == ["Jan 09"]
    assert days(dovecot, f"imap-login: Info: Login: user=<{AN}>") == ["Jan 10"]
    # Not one line of the machine's own clock.
    assert {line[:6] for line in [*lines(postfix), *lines(dovecot)]} == {"Jan 09", "Jan 10"}
    for log in (postfix, dovecot):
        assert datetime.fromtimestamp(log.stat().st_mtime, ZONE).strftime("%Y-%m-%d %H") == "2026-01-10 08"


def test_a_session_may_last_over_midnight(mail_servers: MailServersFrom) -> None:
    servers = mail_servers([AN], at(20260109, 23, 50))
    session = servers.open_session(AN)
    servers.move_clock(at(20260110, 0, 5))
    servers.close_session(session)
    servers.settle()
    begin = lines(servers.dovecot.log, "Login: user=")
    end = lines(servers.dovecot.log, "Disconnected: Logged out")
    assert [line[:12] for line in begin] == ["Jan 09 23:50"]
    assert [line[:12] for line in end] == ["Jan 10 00:05"]
    found = re.search(r"session=<(.+?)>", begin[0])
    assert found
    assert f"<{found[1]}>" in end[0]


def test_who_may_not_is_refused_and_leaves_no_login(mail_servers: MailServersFrom) -> None:
    servers = mail_servers([AN, BINH], at(20260109, 8), locked=[BINH])
    with pytest.raises(imaplib.IMAP4.error):
        servers.login(BINH)
    with (
        imaplib.IMAP4(servers.dovecot.host, servers.dovecot.imap_port, timeout=10) as session,
        pytest.raises(imaplib.IMAP4.error, match="Authentication failed"),
    ):
        session.login(AN, "wrong")
    with (
        smtplib.SMTP(servers.postfix.host, servers.postfix.submission_port, timeout=10) as connection,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        connection.login(AN, "wrong")
    servers.settle()
    assert lines(servers.dovecot.log, "Login: user=") == []
    assert days(servers.dovecot.log, "auth failed, 1 attempts", f"user=<{AN}>") == ["Jan 09"]
    assert days(servers.dovecot.log, "internal failure, 1 successful auths", f"user=<{BINH}>") == ["Jan 09"]


def test_mail_comes_in_from_outside_to_lists_and_mailboxes_only(mail_servers: MailServersFrom) -> None:
    servers = mail_servers([AN, BINH, CHI], at(20260109, 8), lists={ALL: [BINH, CHI]})
    servers.receive("someone@gmail.com", [ALL])
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="User unknown"):
        servers.receive("someone@gmail.com", ["nobody@syt.example.gov.vn"])
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="Relay access denied"):
        servers.receive("someone@gmail.com", ["other@gmail.com"])
    servers.settle()
    assert [servers.login(address) for address in (AN, BINH, CHI)] == [0, 1, 1]
    assert len(lines(servers.postfix.log, f"orig_to=<{ALL}>", "status=sent")) == 2


@pytest.mark.server("postfix")
@pytest.mark.server("dovecot")
@pytest.mark.server("faketime")
def test_they_stop_while_a_client_is_connected_and_leave_no_process_and_no_shared_memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with mail.start(Path(folder), [AN], at(20260109, 8)) as servers:
            session = servers.open_session(AN)
            servers.send(AN, [AN])
            processes = processes_of(Path(folder))
            assert any((SHARED_MEMORY / f"faketime_shm_{process.pid}").exists() for process in processes)
        session.shutdown()
        ports = (servers.postfix.smtp_port, servers.postfix.submission_port, servers.dovecot.imap_port)
        assert [answers(port) for port in ports] == [False, False, False]
        assert processes_of(Path(folder)) == []
    assert not Path(folder).exists()
    assert [process for process in processes if list(SHARED_MEMORY.glob(f"*faketime_*_{process.pid}"))] == []
