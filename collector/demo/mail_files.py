"""The mail servers of the sample province as they look from outside: log files and lists of mailboxes.

Two servers. `mail` writes the traditional syslog form (no year, no zone), rotated each Sunday by renaming, old ones
compressed. `mail-viettri` writes RFC 3339, rotated each night into files named by the time of rotation; one of them
was never copied, and its lists of mailboxes stop on a day. What the ledger tells is in there, and so is everything
else that a mail server writes and that must not be counted: probes, failed logins, deliveries, bounces, a content
filter's second hop, mail from outside under a forged sender, doveadm.
"""

import gzip
import os
import random
from base64 import b64encode
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from collector.contract import period
from collector.demo import correspondence, quotas
from collector.demo.ledger import Ledger, Mail, Mailbox, MailTo, Session, Source
from collector.demo.province import LISTS_WITHOUT_SIZES, RESTART

MINUTE, HOUR, DAY = 60, 3600, 86_400

LIST_HEADER = "email,loai,trang_thai,ngay_tao"
SIZES_HEADER = "han_muc,da_dung"
KINDS = {"personal": "ca_nhan", "shared": "dung_chung", None: "khac"}
OPEN, LOCKED = "hoat_dong", "khoa"

CONFIG: dict[str, Any] = {
    "logs": ["mail.log*"],
    "lists": "mailboxes-*.csv",
    "columns": {"address": "email", "kind": "loai", "state": "trang_thai", "created": "ngay_tao"},
    "kinds": {"ca_nhan": "personal", "dung_chung": "shared"},
    "states": {"hoat_dong": "active", "khoa": "locked"},
    "government_domains": list(correspondence.GOVERNMENT_DOMAINS),
    "free_mail_domains": list(correspondence.FREE_MAIL_DOMAINS),
}
"""The `config:` block with which `email.mail_log` reads either server."""

_Event = tuple[int, str]
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_QUEUE_REUSED_AFTER = 2000
_PROBE_EVERY = 10 * MINUTE
_ROTATED_AT = 6 * HOUR + 25 * MINUTE + 3  # of a Sunday, on the traditional server
_CUT_AT = 40  # seconds after midnight, on the other one
_CUT_BY_HAND = 23 * HOUR + 58 * MINUTE + 20  # on the evening of the lost day


def write(ledger: Ledger, source: Source, folder: Path) -> None:
    """Write the logs and lists of one mail server into a folder, with the times of change that they would have."""
    folder.mkdir(parents=True, exist_ok=True)
    boxes = [box for box in ledger.mailboxes if box.source == source.name]
    _write_lists(ledger, source, boxes, folder)
    events = sorted(_events(ledger, source, boxes), key=itemgetter(0))
    if source.name == "mail":
        _write_traditional(events, ledger, folder)
    else:
        _write_rfc3339(events, ledger, source, folder)


# -- lists of mailboxes ------------------------------------------------------------------------------------------


def _write_lists(ledger: Ledger, source: Source, boxes: Sequence[Mailbox], folder: Path) -> None:
    lost = set(source.lost.get("mailbox", ()))
    for day in period.days(ledger.first_day, ledger.last_day):
        if day in lost or not (
            _is_list_day(day, ledger) or _changes_on(day, boxes) or period.plus_days(day, 1) in lost
        ):
            continue
        sized = source.name != LISTS_WITHOUT_SIZES
        lines = [f"{LIST_HEADER},{SIZES_HEADER}" if sized else LIST_HEADER]
        for place, box in enumerate(boxes):
            if box.created_day > day and box.created_day >= ledger.first_day:
                continue
            locked = box.locked_day is not None and box.locked_day <= day
            if locked and place % 3 == 0:
                continue  # deleted rather than locked: gone from the list
            # Every second one of the later ones, and all of the first day, without a date: the list that first
            # has it must do.
            untold = box.created_day == ledger.first_day or (box.created_day > ledger.first_day and place % 2)
            created = "" if untold else period.iso(box.created_day)
            line = f"{box.address},{KINDS[box.kind]},{LOCKED if locked else OPEN},{created}"
            sizes = [size for size in box.sizes if size.from_day <= day]
            if sized:
                line = ",".join((line, *(quotas.written(sizes[-1], place) if sizes else ("", ""))))
            lines.append(line)
        path = folder / f"mailboxes-{day}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        _touch(path, min(ledger.now - HOUR, period.day_start(period.plus_days(day, 1)) + 5 * MINUTE))


def _is_list_day(day: int, ledger: Ledger) -> bool:
    """Mondays, the first and the last of a month, and the ends of the demo."""
    when = period.as_date(day)
    return (
        when.weekday() == 0
        or when.day == 1
        or period.month_of(day).last == day
        or day in (ledger.first_day, ledger.last_day)
    )


def _changes_on(day: int, boxes: Sequence[Mailbox]) -> bool:
    return any(day in (box.created_day, box.locked_day) for box in boxes)


# -- what the servers did ----------------------------------------------------------------------------------------


def _events(ledger: Ledger, source: Source, boxes: Sequence[Mailbox]) -> Iterator[_Event]:
    """Yield the lines of a server without their heads, not in order of time; lines of one second stay in order."""
    chance = random.Random(f"{ledger.seed}:{source.name}:log")  # noqa: S311 - a sample, no secret
    addresses = {box.address for box in boxes}
    begin = period.day_start(ledger.first_day) - 6 * HOUR
    host = "mx1" if source.name == "mail" else "mx-viettri"
    yield from _sessions([one for one in ledger.sessions if one.address in addresses])
    mails = sorted(
        (one for one in ledger.mails if one.address in addresses), key=lambda one: (one.accepted, one.address)
    )
    yield from _mails(mails, chance, host, ledger.now)
    yield from _noise(boxes, chance, host, begin, ledger.now)
    if source.name == "mail":
        yield from _restart(ledger)


def _sessions(sessions: Sequence[Session]) -> Iterator[_Event]:
    for number, one in enumerate(sessions):
        protocol = "pop3" if number % 13 == 5 else "imap"
        identity = b64encode((number * 0x9E3779B97F4A7C15 % (1 << 96)).to_bytes(12, "big")).decode("ascii")
        process = 1000 + number * 7 % 31_000
        yield (
            one.begin,
            f"dovecot: {protocol}-login: Login: user=<{one.address}>, method=PLAIN, rip=10.44.{number % 97}."
            f"{number % 251}, lip=10.44.0.2, mpid={process}, TLS, session=<{identity}>",
        )
        if one.end is not None:
            how = (
                "Disconnected: Logged out"
                if number % 3
                else f"Connection closed (IDLE running for 0.001 + waiting {number % 600}.{number % 1000:03d} secs)"
            )
            yield (
                one.end,
                f"dovecot: {protocol}({one.address})<{process}><{identity}>: {how} in={40 + number % 900} "
                f"out={700 + number % 90_000} deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0",
            )


def _mails(mails: Sequence[Mail], chance: random.Random, host: str, now: int) -> Iterator[_Event]:
    identities = [f"{0xA00000000 + number * 48_271 % 0x5FFFFFFFF:X}" for number in range(2 * len(mails))]
    for number, mail in enumerate(mails):
        queue = identities[number]
        if number >= _QUEUE_REUSED_AFTER and number % 300 == 0:
            before = mails[number - _QUEUE_REUSED_AFTER]
            if before.attempts == 1 and mail.accepted - before.accepted > 2 * DAY:
                queue = identities[number - _QUEUE_REUSED_AFTER]  # short queue ids come again after some days
        yield from _mail(mail, number, queue, identities[len(mails) + number], chance, host, now)


def _mail(
    mail: Mail, number: int, queue: str, second: str, chance: random.Random, host: str, now: int
) -> Iterator[_Event]:
    """Yield the life of one mail: one queue id, or two where a content filter stands between."""
    at, process = mail.accepted, 2000 + number % 20_000
    who = mail.address if number % 29 else mail.address.upper()
    service = "submission" if number % 5 else "smtps"
    size = 400 + int(chance.random() ** 4 * 3_000_000)
    identity = f"<{number:x}.{at}@{host}.phutho.example>"
    yield (
        at,
        f"postfix/{service}/smtpd[{process}]: {queue}: client=unknown[10.44.{number % 97}.{number % 251}], "
        f"sasl_method=PLAIN, sasl_username={who}",
    )
    yield at, f"postfix/cleanup[{process + 1}]: {queue}: message-id={identity}"

    def active() -> str:
        return f"postfix/qmgr[911]: {queue}: from=<{mail.address}>, size={size}, nrcpt={len(mail.to)} (queue active)"

    yield at, active()
    if number % 10 == 3 and mail.attempts == 1:
        # The filter hands the mail back before it says so of the first id.
        first, queue = queue, second
        yield at + 1, f"postfix/smtpd[{process + 3}]: {queue}: client=localhost[127.0.0.1]"
        yield at + 1, f"postfix/cleanup[{process + 4}]: {queue}: message-id={identity}"
        yield at + 1, active()
        for one in mail.to:
            yield (
                at + 1,
                f"postfix/smtp[{process + 2}]: {first}: to=<{one.address}>, relay=127.0.0.1[127.0.0.1]:10024, "
                f"delay=0.9, delays=0.1/0/0/0.8, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): "
                f"250 2.0.0 Ok: queued as {queue})",
            )
        yield at + 1, f"postfix/qmgr[911]: {first}: removed"
    when = at + 2
    for one in mail.to[1:]:
        yield from _handed_over(mail, one, number, queue, when, identity, host)
    for wait in correspondence.WAITS[: mail.attempts - 1]:
        if when > now:
            return
        yield (
            when,
            f"postfix/smtp[{process + 5}]: {queue}: to=<{_written(mail.to[0], number)}>, relay=none, "
            f"delay={when - at}, delays=0.1/0/30/0, dsn=4.4.1, status=deferred (connect to "
            f"mx.vanphong.example[203.0.113.9]:25: Connection timed out)",
        )
        when += wait
        if when <= now:
            yield when, active()
            when += 2
    if when > now:
        return
    for one in mail.to[:1]:
        yield from _handed_over(mail, one, number, queue, when, identity, host)
    yield when, f"postfix/qmgr[911]: {queue}: removed"


def _written(one: MailTo, number: int) -> str:
    """The address as the log has it: as it was typed, now and then with its domain in capitals."""
    local, _, domain = one.address.partition("@")
    return f"{local}@{domain.upper()}" if number % 31 == 7 else one.address


def _handed_over(
    mail: Mail, one: MailTo, number: int, queue: str, when: int, identity: str, host: str
) -> Iterator[_Event]:
    """Yield the end of a mail for one of its recipients: it arrived, or the sender is told that it did not."""
    process, to = 2005 + number % 20_000, _written(one, number)
    delay = when - mail.accepted
    inside = one.address.endswith(".phutho.example")
    program = f"postfix/{'lmtp' if inside else 'smtp'}[{process}]"
    relay = f"{host}.phutho.example[private/dovecot-lmtp]" if inside else "mx.vanphong.example[203.0.113.9]:25"
    if one.arrived:
        yield (
            when,
            f"{program}: {queue}: to=<{to}>, relay={relay}, delay={delay}.2, delays=0.1/0/0.2/0.1, "
            f"dsn=2.0.0, status=sent (250 2.0.0 <{to}> {queue[:6]} Saved)",
        )
        if inside and number % 4 == 0:
            yield when, f"dovecot: lmtp({to})<{process + 4}><{queue}AAB>: msgid={identity}: saved mail to INBOX"
        return
    yield (
        when,
        f"{program}: {queue}: to=<{to}>, relay={relay}, delay={delay}, delays=0.1/0/0.2/0.1, dsn=5.1.1, "
        f"status=bounced (host mx.vanphong.example[203.0.113.9] said: 550 5.1.1 <{to}>: User unknown (in reply "
        f"to RCPT TO command))",
    )
    notice = f"B{number:09X}"
    yield when, f"postfix/cleanup[{process + 1}]: {notice}: message-id=<{notice}@{host}.phutho.example>"
    yield when, f"postfix/bounce[{process + 2}]: {queue}: sender non-delivery notification: {notice}"
    yield when, f"postfix/qmgr[911]: {notice}: from=<>, size=2911, nrcpt=1 (queue active)"
    yield (
        when + 1,
        f"postfix/lmtp[{process + 3}]: {notice}: to=<{mail.address}>, relay={host}.phutho.example"
        f"[private/dovecot-lmtp], delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Saved)",
    )
    yield when + 1, f"postfix/qmgr[911]: {notice}: removed"


def _noise(boxes: Sequence[Mailbox], chance: random.Random, host: str, begin: int, end: int) -> Iterator[_Event]:
    """Yield what a server writes without any official doing anything."""
    addresses = [box.address for box in boxes]
    for number, at in enumerate(range(begin, end, _PROBE_EVERY), 1):
        yield (
            at + 20,  # a monitor that knocks and leaves
            "dovecot: imap-login: Disconnected: Connection closed (disconnected before auth was ready, waited 0 secs): "
            "user=<>, rip=10.44.0.9, lip=10.44.0.2, session=<PrObE+/AAAB>",
        )
        who = chance.choice(addresses)
        queue = f"D{number:09X}"
        match number % 12:
            case 1:
                yield (
                    at + 70,
                    f"dovecot: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): "
                    f"user=<{who}>, method=PLAIN, rip=198.51.100.{number % 250}, lip=10.44.0.2, session=<f{number}>",
                )
            case 3:
                yield (
                    at + 75,
                    f"dovecot: imap-login: Disconnected: Connection closed (internal failure, 1 successful auths): "
                    f"user=<{who}>, method=PLAIN, rip=10.44.7.7, lip=10.44.0.2, TLS, session=<n{number}>",
                )
            case 5:
                yield (
                    at + 80,
                    f"dovecot: doveadm({who})<{number}><dV{number}>: expunge: box=Trash, uid={number}, "
                    f"msgid=<old{number}@{host}.phutho.example>, size=2200",
                )
            case 7:  # from outside, under an official's name: no sasl_username
                yield at + 90, f"postfix/smtpd[{number}]: {queue}: client=unknown[203.0.113.{number % 250}]"
                yield at + 90, f"postfix/cleanup[{number}]: {queue}: message-id=<spam{number}@gia-mao.example>"
                yield at + 90, f"postfix/qmgr[911]: {queue}: from=<{who}>, size=5120, nrcpt=1 (queue active)"
                yield (
                    at + 91,
                    f"postfix/lmtp[{number}]: {queue}: to=<{chance.choice(addresses)}>, relay={host}.phutho.example"
                    f"[private/dovecot-lmtp], delay=0.3, delays=0.2/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Saved)",
                )
                if number % 24 == 7:  # the same mail goes on to where that mailbox forwards
                    yield (
                        at + 91,
                        f"postfix/smtp[{number}]: {queue}: to=<nguoidan{number % 400}@thumienphi.example>, "
                        f"relay=mx.thumienphi.example[203.0.113.8]:25, delay=0.3, delays=0.2/0/0/0.1, dsn=2.0.0, "
                        f"status=sent (250 OK)",
                    )
                yield at + 91, f"postfix/qmgr[911]: {queue}: removed"
            case 9:
                yield (
                    at + 95,
                    f"postfix/smtpd[{number}]: NOQUEUE: reject: RCPT from unknown[203.0.113.4]: 550 5.1.1 "
                    f"<khongco@phutho.example>: Recipient address rejected: User unknown; from=<{who}> "
                    f"to=<khongco@phutho.example> proto=ESMTP helo=<mail>",
                )
            case 11:
                yield at + 99, "postfix/anvil[733]: statistics: max connection rate 3/60s for (smtp:203.0.113.4)"


def _restart(ledger: Ledger) -> Iterator[_Event]:
    """Yield the lines of a server's start: whatever was open before it has no end."""
    if ledger.first_day <= period.local_day(RESTART) <= ledger.last_day:
        yield RESTART - 2, "dovecot: master: Warning: Killed with signal 15 (by pid=1 uid=0 code=kill)"
        yield (
            RESTART,
            "dovecot: master: Dovecot v2.3.19.1 (9b53102964) starting up for imap, lmtp, pop3 (core dumps disabled)",
        )


# -- files -------------------------------------------------------------------------------------------------------


def _touch(path: Path, when: int) -> None:
    os.utime(path, (when, when))


class _Heads:
    """The heads of lines, remembered by the hour."""

    def __init__(self, host: str, *, traditional: bool) -> None:
        self._host = host
        self._traditional = traditional
        self._hours: dict[int, str] = {}

    def of_hour(self, hour: int) -> str:
        """Return the head of an hour (hours since the epoch), up to and without minute and second."""
        found = self._hours.get(hour)
        if found is None:
            day = period.local_day(hour * HOUR)
            clock = (hour + 7) % 24
            when = period.as_date(day)
            if self._traditional:
                found = f"{_MONTHS[when.month - 1]} {when.day:2d} {clock:02d}:"
            else:
                found = f"{when.isoformat()}T{clock:02d}:"
            self._hours[hour] = found
        return found

    def lines(self, events: Sequence[_Event]) -> list[str]:
        """Return whole lines; within one second their microseconds rise."""
        made = []
        second, count = -1, 0
        tail = f" {self._host} "
        for at, text in events:
            minute, rest = divmod(at % HOUR, 60)
            head = self.of_hour(at // HOUR)
            if self._traditional:
                made.append(f"{head}{minute:02d}:{rest:02d}{tail}{text}\n")
                continue
            second, count = (at, count + 1) if at == second else (at, 1)
            made.append(f"{head}{minute:02d}:{rest:02d}.{1009 * count:06d}+07:00{tail}{text}\n")
        return made


def _rotated(cut: int) -> _Event:
    """The first line of a new file: the log daemon was told to open it."""
    return cut, 'rsyslogd: [origin software="rsyslogd" swVersion="8.2302.0" x-pid="612"] rsyslogd was HUPed'


def _pieces(events: Sequence[_Event], cuts: Sequence[int]) -> Iterator[Sequence[_Event]]:
    """Yield the events before each cut (an instant), and those after the last."""
    start = before = 0
    for cut in cuts:
        end = start
        while end < len(events) and events[end][0] < cut:
            end += 1
        yield events[start:end] if not start else [_rotated(before), *events[start:end]]
        start, before = end, cut
    yield [_rotated(before), *events[start:]] if start else events


def _write_traditional(events: Sequence[_Event], ledger: Ledger, folder: Path) -> None:
    """Write mail.log, mail.log.1, mail.log.2.gz ...: the newest has no number, the oldest the greatest one."""
    cuts = [
        period.day_start(day) + _ROTATED_AT
        for day in period.days(ledger.first_day, period.plus_days(ledger.last_day, 1))
        if period.as_date(day).weekday() == 6
    ]
    heads = _Heads("mx1", traditional=True)
    pieces = [piece for piece in _pieces(events, cuts) if piece]
    for number, piece in enumerate(reversed(pieces)):
        name = "mail.log" if number == 0 else f"mail.log.{number}"
        content = "".join(heads.lines(piece)).encode("ascii")
        if number > 1:
            name += ".gz"
            content = gzip.compress(content, compresslevel=1, mtime=piece[-1][0])
        path = folder / name
        path.write_bytes(content)
        _touch(path, piece[-1][0])


def _write_rfc3339(events: Sequence[_Event], ledger: Ledger, source: Source, folder: Path) -> None:
    """Write mail.log and mail.log-YYYYMMDD-HHMMSS, named by the time of rotation; a lost day's file is not there."""
    lost = set(source.lost.get("mailbox_day", ()))
    cuts = []
    missing = set()
    for day in period.days(ledger.first_day, period.plus_days(ledger.last_day, 1)):
        if period.plus_days(day, -1) not in lost:
            cuts.append(period.day_start(day) + _CUT_AT)
        if day in lost:
            # Cut after midnight and by hand before the next: no other day loses a line.
            cuts.append(period.day_start(day) + _CUT_BY_HAND)
            missing.add(len(cuts) - 1)
    heads = _Heads("mx-viettri", traditional=False)
    for number, piece in enumerate(_pieces(events, cuts)):
        if number in missing or not piece:
            continue
        name = "mail.log"
        if number < len(cuts):
            at = cuts[number]
            clock = at - period.day_start(period.local_day(at))
            name += f"-{period.local_day(at)}-{clock // HOUR:02d}{clock // 60 % 60:02d}{clock % 60:02d}"
        path = folder / name
        path.write_text("".join(heads.lines(piece)), encoding="ascii")
        _touch(path, piece[-1][0])
