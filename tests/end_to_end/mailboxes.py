"""Ten days of a province's mail, lived through a real Postfix and a real Dovecot, and what is true of them.

`live` does each deed on the servers and says in the same breath what the ledger knows of it: a session, a mail, or
nothing, where somebody only seems to have been there.
"""

import imaplib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collector.demo.ledger import Mail, Mailbox, MailTo, Session
from tests.servers.clock import at
from tests.servers.mail import MailServers
from tests.servers.process import give, needed, program, run

SOURCE = "mail"

OFFICE, SCIENCE, HEALTH = "H44.01", "H44.02", "H44.03"
DOMAINS = {OFFICE: "vpubnd.example.gov.vn", SCIENCE: "skhcn.example.gov.vn", HEALTH: "syt.example.gov.vn"}

AN, BINH = "nguyenvanan@vpubnd.example.gov.vn", "tranthibinh@vpubnd.example.gov.vn"
CLERKS, LEFT = "vanthuchung@vpubnd.example.gov.vn", "lehongcu@vpubnd.example.gov.vn"
CHI, DUNG = "phamquynhchi@skhcn.example.gov.vn", "hoangtiendung@skhcn.example.gov.vn"
EM, NGHI = "dothiem@skhcn.example.gov.vn", "vuvannghi@skhcn.example.gov.vn"
HA, GIANG = "buithuha@syt.example.gov.vn", "kiemtragiang@syt.example.gov.vn"
STRANGER = "maivanla@donvicu.example.gov.vn"  # of a domain that is in no register

EVERYBODY = "tatca@vpubnd.example.gov.vn"
GONE = "khongcon@vpubnd.example.gov.vn"  # on the list of everybody, but without a mailbox

MAILBOXES = [
    Mailbox(SOURCE, AN, OFFICE, "personal", 20200302, None),
    Mailbox(SOURCE, BINH, OFFICE, "personal", 20200302, None),
    Mailbox(SOURCE, CLERKS, OFFICE, "shared", 20200302, None),
    Mailbox(SOURCE, LEFT, OFFICE, "personal", 20200302, 20251231),
    Mailbox(SOURCE, CHI, SCIENCE, "personal", 20210104, None),
    Mailbox(SOURCE, DUNG, SCIENCE, "personal", 20210104, None),
    Mailbox(SOURCE, EM, SCIENCE, "personal", 20260110, None),
    Mailbox(SOURCE, NGHI, SCIENCE, "personal", 20210104, 20260110),
    Mailbox(SOURCE, HA, HEALTH, "personal", 20220506, None),
    Mailbox(SOURCE, GIANG, HEALTH, None, 20220506, None),
    Mailbox(SOURCE, STRANGER, None, "personal", 20190101, None),
]
ADDRESSES = [mailbox.address for mailbox in MAILBOXES]
LOCKED = [LEFT]
LISTS = {EVERYBODY: [AN, HA, GONE]}

_KINDS = {"personal": "Cá nhân", "shared": "Dùng chung", None: "Thử nghiệm"}


@dataclass(slots=True)
class Deeds:
    """What the ledger knows of the deeds done so far."""

    sessions: list[Session] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    still_open: list[imaplib.IMAP4] = field(default_factory=list)


def live_until_friday_night(servers: MailServers, deeds: Deeds) -> None:
    """From the evening of 31 December to Friday 9 January, ten to midnight, when a session is open."""
    _export(servers.logs, 20251231)
    _visit(servers, deeds, at(20260105, 8), AN)

    _visit(servers, deeds, at(20260109, 0, 20), AN)  # still Thursday by UTC

    servers.move_clock(at(20260109, 8))
    written_with_capitals = BINH.replace("tran", "Tran").replace("vpubnd", "VPUBND")
    servers.send(written_with_capitals, [DUNG, "ai.do@gmail.com"])
    reached = [MailTo(DUNG, "government", arrived=True), MailTo("ai.do@gmail.com", "free", arrived=True)]
    deeds.mails.append(Mail(BINH, servers.clock.now, 1, reached))
    _visit(servers, deeds, at(20260109, 8, 5), CLERKS)
    _visit(servers, deeds, at(20260109, 8, 6), NGHI)
    _visit(servers, deeds, at(20260109, 8, 7), STRANGER)
    _refused(servers, LEFT, servers.dovecot.passwords[LEFT])
    with _nothing_can_be_delivered(servers):
        servers.send(DUNG, [HA])
        servers.settle()
    assert len(servers.postfix.put_off()) == 1
    deeds.mails.append(Mail(DUNG, servers.clock.now, 2))  # once, whatever Postfix does about it tomorrow

    _export(servers.logs, 20260109)
    servers.move_clock(at(20260109, 23, 50))
    deeds.still_open.append(servers.open_session(CHI))
    deeds.sessions.append(Session(CHI, servers.clock.now, None))


def live_until_saturday_night(servers: MailServers, deeds: Deeds) -> None:
    """The working Saturday, 10 January, to its end; one session stays open."""
    servers.move_clock(at(20260110, 0, 10))
    servers.close_session(deeds.still_open.pop())
    opened = deeds.sessions.pop()
    deeds.sessions.append(Session(opened.address, opened.begin, servers.clock.now))

    servers.move_clock(at(20260110, 8))
    _try_deliveries_again(servers)
    # What BINH seems to have done today: a password that was not hers, a sender that was forged, a bounce for her.
    _refused(servers, BINH, "sai mật khẩu".encode().hex())
    servers.receive(BINH, [EVERYBODY])
    servers.settle()

    _visit(servers, deeds, at(20260110, 23, 40), AN)
    deeds.still_open.append(servers.open_session(EM))
    deeds.sessions.append(Session(EM, servers.clock.now, None))
    _export(servers.logs, 20260110)


def go_on(servers: MailServers) -> None:
    """A line in each log after the last day, of nothing that counts: only so can the logs show that it is over."""
    _refused(servers, BINH, "sai mật khẩu".encode().hex())
    servers.receive("nguoi.ngoai@canary.example", [EVERYBODY])


def _visit(servers: MailServers, deeds: Deeds, begin: int, address: str) -> None:
    servers.move_clock(begin)
    servers.login(address)
    deeds.sessions.append(Session(address, begin, servers.clock.now))


def _refused(servers: MailServers, address: str, password: str) -> None:
    session = imaplib.IMAP4(servers.dovecot.host, servers.dovecot.imap_port, timeout=10)
    with pytest.raises(imaplib.IMAP4.error):
        session.login(address, password)
    session.shutdown()


@contextmanager
def _nothing_can_be_delivered(servers: MailServers) -> Iterator[None]:
    folder = servers.dovecot.auth.parent / "mail"
    owner = folder.owner()
    os.chown(folder, 0, 0)
    folder.chmod(0o500)
    try:
        yield
    finally:
        give(folder, owner)
        folder.chmod(0o755)


def _try_deliveries_again(servers: MailServers) -> None:
    settings = servers.postfix.queue.parent / "settings"
    run([needed(program("postqueue"), "postfix"), "-c", settings, "-f"], environment={**os.environ})
    deadline = time.monotonic() + 20
    while servers.postfix.put_off() or servers.postfix.on_their_way():
        assert time.monotonic() < deadline, servers.postfix.log.read_text()
        time.sleep(0.05)


def _export(folder: Path, day: int) -> None:
    """Put the mailbox list of a day beside the logs, as an administrator exports it from a spreadsheet."""
    lines = ["Địa chỉ;Loại;Trạng thái;Ngày tạo;Họ tên"]
    for one in MAILBOXES:
        if one.created_day <= day:
            created = f"{one.created_day % 100:02d}/{one.created_day // 100 % 100:02d}/{one.created_day // 10_000}"
            state = "Hoạt động" if one.locked_day is None or day < one.locked_day else "Đã khoá"
            lines.append(f"{one.address};{_KINDS[one.kind]};{state};{created};Nguyễn Thị Bí Mật")
    (folder / f"mailboxes-{day}.csv").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig")
