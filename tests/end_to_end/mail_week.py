"""A province's mail from 29 December 2025 to 5 January 2026, lived through real servers, and what is true of it.

A random plan says who does what at which hour; each deed is done on the servers and told to the ledger in the same
breath. The servers' logs are rotated meanwhile, each in four ways.
"""

import imaplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from collector.demo.ledger import Agency, Mail, Mailbox, MailTo, Session, Size
from tests.servers.clock import at
from tests.servers.dovecot import Api
from tests.servers.mail import MailServers

SOURCE = "mail"
OFFICE, SCIENCE, RECEPTION = "H44.01", "H44.02", "H44.05"
OFFICE_DOMAIN, SCIENCE_DOMAIN = "vpubnd.example.gov.vn", "skhcn.example.gov.vn"
PATTERN = f"*.bantiepdan@{OFFICE_DOMAIN}"
"""The mailboxes of the third agency, which has no domain of its own."""

DAYS = (20251229, 20251230, 20251231, 20260101, 20260102, 20260103, 20260104, 20260105)
LISTED = (20251229, 20251231, 20260103, 20260105)
BEGIN = at(20251228, 23, 40)
CREATED, LOCKED = 20260103, 20260103
EVERYBODY = f"tatca@{OFFICE_DOMAIN}"
LATER, NEVER = "cham.example", "khongco.example"
"""Domains outside: the mails for one are taken at the second attempt only, those for the other never."""

HOURS = ((0, 10), (8, 0), (11, 0), (15, 30), (23, 50))
GIB = 1 << 30


@dataclass
class Week:
    """The people, the random plan, and what the ledger knows of the deeds done so far."""

    mailboxes: list[Mailbox]
    random: Random
    busy: float = 1.0  # how much of what the plan has in mind is done
    sessions: list[Session] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    open: list[tuple[imaplib.IMAP4, Session]] = field(default_factory=list)
    deferred: int = 0
    bounced: int = 0
    refused: int = 0
    forged: int = 0
    overnight: int = 0

    @property
    def addresses(self) -> list[str]:
        return [one.address for one in self.mailboxes]

    @property
    def lists(self) -> dict[str, list[str]]:
        """The list of everybody: three of the office, one of the science department, one at home."""
        members = [one.address for one in self.mailboxes if one.agency == OFFICE][:3]
        return {EVERYBODY: [*members, self.addresses[-1], "cu.nhan.vien@gmail.com"]}


def people(count: int, random: Random) -> list[Mailbox]:
    """So many mailboxes of three agencies: mostly personal; one locked and one created within the week."""
    mailboxes = []
    for number in range(count):
        agency = (OFFICE, SCIENCE, RECEPTION)[number % 3]
        name = f"nguoi{number:03d}" + (".bantiepdan" if agency == RECEPTION else "")
        address = f"{name}@{SCIENCE_DOMAIN if agency == SCIENCE else OFFICE_DOMAIN}"
        kind = "shared" if number % 11 == 5 else "personal"
        sizes = []
        quota = random.choice([None, 0, 2 * GIB, 5 * GIB])
        for day in LISTED:
            used = (
                None
                if random.random() < 0.1
                else random.randrange(int((quota or GIB) * 0.8), int((quota or GIB) * 1.1))
            )
            sizes.append(Size(day, quota, used))
        mailboxes.append(Mailbox(SOURCE, address, agency, kind, 20200302, None, sizes))
    mailboxes[1] = replace(mailboxes[1], kind="personal", locked_day=LOCKED)
    born = replace(mailboxes[4], kind="personal", created_day=CREATED)
    mailboxes[4] = replace(born, sizes=[one for one in born.sizes if one.from_day >= CREATED])
    return mailboxes


def agencies(mailboxes: list[Mailbox]) -> list[Agency]:
    """The register, with more officials than mailboxes in one agency and fewer in another."""

    def personal(code: str) -> int:
        return sum(one.agency == code and one.kind == "personal" for one in mailboxes)

    return [
        Agency(OFFICE, "000.00.01.H44", "Văn phòng UBND tỉnh", "departments", personal(OFFICE) + 2, OFFICE_DOMAIN),
        Agency(
            SCIENCE, "000.00.02.H44", "Sở Khoa học và Công nghệ", "departments", personal(SCIENCE) - 2, SCIENCE_DOMAIN
        ),
        Agency(RECEPTION, "000.00.05.H44", "Ban Tiếp công dân", "departments", personal(RECEPTION), ""),
    ]


def shared(week: Week) -> list[str]:
    """The addresses of the mailboxes that are nobody's own."""
    return [one.address for one in week.mailboxes if one.kind == "shared"]


def api(week: Week, key: str) -> Api:
    """Doveadm's HTTP API for these mailboxes, with room enough for every mail."""
    return Api(key, {address: {"quota_rule": f"*:bytes={GIB}"} for address in week.addresses})


def _let_in(servers: MailServers, week: Week, day: int) -> None:
    """Let the server know the mailboxes of a day, and who may not log in."""
    there = {one.address for one in week.mailboxes if one.created_day <= day}
    locked = [one.address for one in week.mailboxes if one.locked_day is not None and one.locked_day <= day]
    servers.have_users(sorted(there), locked)


def live(servers: MailServers, week: Week, at_day: Callable[[int], None]) -> None:
    """Live the days; `at_day` is called on each morning with the day that begins."""
    assert servers.outside is not None
    servers.outside.recipient = _as_the_world_answers
    for day in DAYS:
        for hour, minute in HOURS:
            servers.move_clock(at(day, hour, minute))
            if (hour, minute) == (0, 10):
                _close_those_of_the_night(servers, week)
                _rotate(servers, day)
                _let_in(servers, week, day)
            _export(servers, week, day, hour)
            _an_hour(servers, week, day, night=hour == 23)
            if hour == 11:
                _try_again(servers)
            if hour == 8:
                at_day(day)
    servers.move_clock(at(20260106, 0, 10))
    _close_those_of_the_night(servers, week)
    _try_again(servers)
    servers.settle()


def _an_hour(servers: MailServers, week: Week, day: int, *, night: bool) -> None:
    random = week.random
    for one in week.mailboxes:
        is_there = one.created_day <= day and (one.locked_day is None or day < one.locked_day)
        what = random.random() / week.busy
        if not is_there:
            if one.locked_day is not None and what < 0.4:
                _refused(servers, week, one.address, servers.dovecot.passwords[one.address])
        elif what < 0.10:
            begun = servers.clock.now
            servers.login(_in_some_case(random, one.address))
            week.sessions.append(Session(one.address, begun, servers.clock.now))
        elif what < 0.16:
            _send(servers, week, one.address)
        elif what < 0.18:
            _refused(servers, week, one.address, "sai mật khẩu".encode().hex())
        elif what < 0.19:
            servers.receive(one.address, [random.choice(week.addresses)])  # from outside, in an official's name
            week.forged += 1
        elif what < 0.20:
            servers.receive("nguoi.dan@ngoai.example", [EVERYBODY])
        elif night and what < 0.27:
            session = servers.open_session(one.address)
            week.open.append((session, Session(one.address, servers.clock.now, None)))


def _send(servers: MailServers, week: Week, sender: str) -> None:
    """Submit a mail to one to three recipients of every sort."""
    random = week.random
    government = [MailTo(address, "government", arrived=True) for address in random.sample(week.addresses, 2)]
    sorts = [
        *government,
        MailTo("lanh.dao@chinhphu.vn", "government", arrived=True),
        MailTo("ai.do@gmail.com", "free", arrived=True),
        MailTo("Ai.Khac@Yahoo.com.VN", "free", arrived=True),
        MailTo("doanh.nghiep@congty.example", "other", arrived=True),
        MailTo(f"lau@{LATER}", "other", arrived=True),
        MailTo(f"sai@{NEVER}", "other", arrived=False),
        MailTo(EVERYBODY, "government", arrived=True),
    ]
    to = random.sample(sorts, random.randrange(1, 4))
    servers.send(_in_some_case(random, sender), [one.address for one in to])
    reached = [one for one in to if one.address != EVERYBODY]
    if len(reached) < len(to):  # a list is its members, one of whom is at home
        reached += [
            MailTo(one, "free" if "gmail" in one else "government", arrived=True) for one in week.lists[EVERYBODY]
        ]
    late = any(LATER in one.address for one in to)
    week.deferred += late
    week.bounced += any(not one.arrived for one in to)
    week.mails.append(Mail(sender, servers.clock.now, 1 + late, reached))


def _in_some_case(random: Random, address: str) -> str:
    return address.title() if random.random() < 0.2 else address


def _as_the_world_answers(address: str) -> str:
    if address.endswith(NEVER):
        return "550 5.1.1 no such user"
    if address.endswith(LATER):
        return "451 4.7.1 greylisted, come again"
    return "250 2.1.5 Ok"


def _try_again(servers: MailServers) -> None:
    """Let the mails that were put off be tried again, and be taken now."""
    assert servers.outside is not None
    servers.settle()
    servers.outside.recipient = lambda address: "550 5.1.1 no such user" if NEVER in address else "250 2.1.5 Ok"
    servers.try_again()
    servers.outside.recipient = _as_the_world_answers


def _refused(servers: MailServers, week: Week, address: str, password: str) -> None:
    session = imaplib.IMAP4(servers.dovecot.host, servers.dovecot.imap_port, timeout=30)
    with pytest.raises(imaplib.IMAP4.error):
        session.login(address, password)
    session.shutdown()
    week.refused += 1


def _close_those_of_the_night(servers: MailServers, week: Week) -> None:
    for session, opened in week.open:
        servers.close_session(session)
        week.sessions.append(replace(opened, end=servers.clock.now))
        week.overnight += 1
    week.open.clear()


def _rotate(servers: MailServers, day: int) -> None:
    """Rotate the two logs, each on a night of its own and in another way each time."""
    match day:
        case 20251230:
            servers.copy_and_cut_dovecot_log("dovecot.log.1")
        case 20251231:
            servers.rename_mail_log("mail.log.1")
        case 20260101:
            servers.rename_and_pack_dovecot_log("dovecot.log-20260101")
        case 20260102:
            servers.rotate_mail_log()
        case 20260103:
            (servers.logs / "mail.log.1").rename(servers.logs / "mail.log.2")
            servers.rename_mail_log("mail.log.1")
        case 20260104:
            (servers.logs / "dovecot.log.1").rename(servers.logs / "dovecot.log.2")
            servers.copy_and_cut_dovecot_log("dovecot.log.1")


def _export(servers: MailServers, week: Week, day: int, hour: int) -> None:
    """Put the mailbox list of some days beside the logs, as an administrator exports it."""
    if day not in LISTED or hour != 8:
        return
    lines = ["Địa chỉ;Loại;Trạng thái;Ngày tạo;Hạn mức;Đã dùng"]
    for one in week.mailboxes:
        if one.created_day <= day:
            created = f"{one.created_day % 100:02d}/{one.created_day // 100 % 100:02d}/{one.created_day // 10_000}"
            state = "Hoạt động" if one.locked_day is None or day < one.locked_day else "Đã khoá"
            size = next(size for size in reversed(one.sizes) if size.from_day <= day)
            quota = "Không giới hạn" if size.quota == 0 else "" if size.quota is None else str(size.quota)
            kind = {"personal": "Cá nhân", "shared": "Dùng chung"}[str(one.kind)]
            lines.append(f"{one.address};{kind};{state};{created};{quota};{'' if size.used is None else size.used}")
    text = "\r\n".join(lines) + "\r\n"
    (servers.logs / f"mailboxes-{day}.csv").write_text(text, encoding="utf-8-sig")
    servers.stamp(servers.logs / f"mailboxes-{day}.csv")


def days_used(week: Week) -> Iterator[tuple[str, int]]:
    """Yield each address and local day of use, by a reckoning of its own: for a look at days rather than months."""
    for session in week.sessions:
        assert session.end is not None
        for day in DAYS:
            if session.begin < at(day, 0) + 86_400 and session.end >= at(day, 0):
                yield session.address, day
    for mail in week.mails:
        yield mail.address, next(day for day in reversed(DAYS) if mail.accepted >= at(day, 0))
