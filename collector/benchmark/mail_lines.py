"""A mail server's log, made up: Postfix and Dovecot through syslog in one file, with traditional stamps.

Of its lines 23 % are logins, acceptances and deliveries, about as many as on a real server. Days of 137,000 lines
from 3 November 2025 on. The same count gives the same bytes; addresses are made up under example domains.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

LINES_A_DAY = 137_000
MAILBOXES = 15_000
AGENCIES = 150
FIRST = datetime(2025, 11, 3, tzinfo=UTC)

_OUTSIDE = ["gmail.com", "Yahoo.com.vn", "vnpt.example.vn", "dnsg.example.com", "outlook.com"]


def address(number: int) -> str:
    """A made-up mailbox of one of 150 agencies."""
    return f"u{number:05d}@a{number % AGENCIES:03d}.example.gov.vn"


def lines(count: int, seed: int = 1, a_day: int = LINES_A_DAY) -> Iterator[str]:
    """Yield `count` lines, each with its line feed, in order of time."""
    random = Random(seed)  # noqa: S311 - made-up data
    made, day = 0, 0
    while made < count:
        today = min(a_day, count - made)
        yield from _day(random, FIRST + timedelta(days=day), today, day)
        made, day = made + today, day + 1


def _day(random: Random, midnight: datetime, count: int, day: int) -> Iterator[str]:
    events: list[tuple[float, str]] = []
    serial = 0
    while len(events) < count:
        serial += 1
        when = random.random() * 86_000
        kind = random.random()
        if kind < 0.185:
            events += _message(random, when, f"{day:X}{serial:06X}{random.randrange(4096):03X}", official=kind < 0.07)
        elif kind < 0.345:
            events += _session(random, when, f"{day}x{serial}q{random.randrange(1 << 30):x}")
        else:
            events.append((when, _noise(random)))
    events.sort()
    for when, text in events[:count]:
        yield f"{midnight + timedelta(seconds=when):%b %d %H:%M:%S} mx1 {text}\n"


def _message(random: Random, when: float, queue: str, *, official: bool) -> list[tuple[float, str]]:
    pid = random.randrange(1000, 30_000)
    user = address(int(MAILBOXES * random.random() ** 2))
    if official:
        smtpd, client, sasl = "submission/smtpd", f"unknown[{_ip(pid)}]", f", sasl_method=PLAIN, sasl_username={user}"
    else:
        smtpd, client, sasl = "smtpd", f"mail{pid % 500}.example.com[203.0.113.{pid % 250}]", ""
    sender = user if official else f"x{pid}@{random.choice(_OUTSIDE)}"
    if official and random.random() < 0.5:
        to, agent = f"y{pid}@{random.choice(_OUTSIDE)}", "smtp"
        relay, answer = f"mx.example.com[198.51.100.{pid % 250}]:25", f"250 2.0.0 OK  {pid} d9443c01a7336-gsmtp"
    else:
        to, agent = address(random.randrange(MAILBOXES)), "lmtp"
        relay, answer = "127.0.0.1[127.0.0.1]:24", f"250 2.0.0 <{to}> IoDl{pid}AAA Saved"
    ended = "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8"
    status = f"delay=0.16, delays=0.02/0/0.04/0.1, dsn=2.0.0, status=sent ({answer})"
    text = [
        (0.0, f"postfix/{smtpd}[{pid}]: connect from {client}"),
        (0.1, f"postfix/{smtpd}[{pid}]: {queue}: client={client}{sasl}"),
        (0.2, f"postfix/cleanup[{pid + 1}]: {queue}: message-id=<{queue}.{pid}@mx.example.gov.vn>"),
        (0.3, f"postfix/qmgr[812]: {queue}: from=<{sender}>, size={pid * 7}, nrcpt=1 (queue active)"),
        (0.4, f"postfix/{smtpd}[{pid}]: disconnect from {client} {ended}"),
        (1.5, f"postfix/{agent}[{pid + 2}]: {queue}: to=<{to}>, relay={relay}, {status}"),
        (1.6, f"postfix/qmgr[812]: {queue}: removed"),
    ]
    return [(when + later, line) for later, line in text]


def _session(random: Random, when: float, session: str) -> list[tuple[float, str]]:
    user = address(int(MAILBOXES * random.random() ** 1.5))
    pid = random.randrange(1000, 30_000)
    lasts = 30 + random.expovariate(1 / 1500)
    where = f"method=PLAIN, rip={_ip(pid)}, lip=10.0.0.1, mpid={pid}, TLS, session=<{session}>"
    counts = "deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0"
    how = f"Disconnected: Logged out in={pid} out={pid * 3} {counts}"
    return [
        (when, f"dovecot: imap-login: Login: user=<{user}>, {where}"),
        (when + lasts, f"dovecot: imap({user})<{pid}><{session}>: {how}"),
    ]


def _noise(random: Random) -> str:
    pid = random.randrange(1000, 30_000)
    outside = f"203.0.113.{pid % 250}"
    match random.randrange(6):
        case 0:
            rate = f"max connection rate 1/60s for (smtp:{outside}) at Nov  9 08:05:00"
            return f"postfix/anvil[{pid}]: statistics: {rate}"
        case 1:
            return f"postfix/smtpd[{pid}]: lost connection after AUTH from unknown[{outside}]"
        case 2:
            nobody = f"khongco{pid}@a001.example.gov.vn"
            why = f"550 5.1.1 <{nobody}>: Recipient address rejected: User unknown in virtual mailbox table"
            what = f"from=<x{pid}@example.com> to=<{nobody}> proto=ESMTP helo=<mail.example.com>"
            return f"postfix/smtpd[{pid}]: NOQUEUE: reject: RCPT from unknown[{outside}]: {why}; {what}"
        case 3:
            who = (
                f"user=<u{pid}@a001.example.gov.vn>, method=PLAIN, rip={outside}, lip=10.0.0.1, TLS, session=<{pid}zz>"
            )
            how = "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs)"
            return f"dovecot: imap-login: {how}: {who}"
        case 4:
            whose = f"u{pid % MAILBOXES:05d}@a001.example.gov.vn"
            return f"dovecot: lmtp({whose})<{pid}><s{pid}Q>: msgid=<m{pid}@mx.example.com>: saved mail to INBOX"
        case _:
            what = f"user=u{pid} method=PLAIN service=imap rip=10.0.0.9"
            return f"dovecot: auth: Debug: client passdb out: OK#0111#011{what}"


def _ip(number: int) -> str:
    return f"10.{number % 200}.{number % 100}.9"
