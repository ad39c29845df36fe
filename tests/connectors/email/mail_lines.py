"""Log lines as Postfix and Dovecot write them, and a reader that looks at every line by itself: the oracle.

The lines follow facts/mail-systems.md sections 3 and 4, which were seen on real servers.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone

HANOI = timezone(timedelta(hours=7))


def at(text: str) -> int:
    """`2026-01-05 08:00:00` on the local clock, as epoch seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=HANOI).timestamp())


def stamp(when: int, form: str) -> str:
    local = datetime.fromtimestamp(when, HANOI)
    match form:
        case "dovecot":
            return local.strftime("%b %d %H:%M:%S")
        case "syslog":
            return f"{local:%b} {local.day:2d} {local:%H:%M:%S}"
        case "rfc3339":
            return local.isoformat(timespec="microseconds")
        case "no colon":
            return local.strftime("%Y-%m-%dT%H:%M:%S%z")
        case "utc":
            return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    raise ValueError(form)


def dovecot(when: int, program: str, text: str, form: str = "syslog") -> str:
    """A line of Dovecot: with `Info:` in its own file, with host and tag through syslog."""
    if form in ("dovecot", "no colon"):
        return f"{stamp(when, form)} {program}: Info: {text}"
    return f"{stamp(when, form)} mx1 dovecot: {program}: {text}"


def login(when: int, user: str, session: str, form: str = "syslog", protocol: str = "imap") -> str:
    text = f"Login: user=<{user}>, method=PLAIN, rip=10.0.0.9, lip=10.0.0.1, mpid=19501, secured, session=<{session}>"
    return dovecot(when, f"{protocol}-login", text, form)


def logout(
    when: int,
    user: str,
    session: str,
    form: str = "syslog",
    how: str = "Disconnected: Logged out",
    protocol: str = "imap",
) -> str:
    return dovecot(when, f"{protocol}({user})<19501><{session}>", f"{how} in=44 out=835 deleted=0 expunged=0", form)


def starting(when: int, form: str = "syslog") -> str:
    text = "Dovecot v2.3.19.1 (9b53102964) starting up for imap, lmtp, pop3 (core dumps disabled)"
    return dovecot(when, "master", text, form)


def postfix(when: int, program: str, text: str, form: str = "syslog", host: str = "mx1") -> str:
    return f"{stamp(when, form)} {host} postfix/{program}[19539]: {text}"


def client(
    when: int, queue: str, user: str | None, form: str = "syslog", address: str = "10.9.9.9", more: str = ""
) -> str:
    sasl = f", sasl_method=PLAIN, sasl_username={user}" if user else ""
    return postfix(when, "submission/smtpd", f"{queue}: client=unknown[{address}]{sasl}{more}", form)


def taken(when: int, queue: str, sender: str, form: str = "syslog") -> str:
    return postfix(when, "qmgr", f"{queue}: from=<{sender}>, size=445, nrcpt=1 (queue active)", form)


def delivered(
    when: int,
    queue: str,
    recipient: str,
    status: str = "sent",
    relay: str = "mx.test[198.51.100.7]:25",
    answer: str = "250 2.0.0 OK  1767 d9443c01a7336-gsmtp",
    program: str = "smtp",
    more: str = "",
) -> str:
    """One recipient's line: `to=`, relay, status."""
    times = "delay=0.16, delays=0.02/0/0.04/0.1, dsn=2.0.0"
    return postfix(
        when, program, f"{queue}: to=<{recipient}>,{more} relay={relay}, {times}, status={status} ({answer})"
    )


def removed(when: int, queue: str, form: str = "syslog") -> str:
    return postfix(when, "qmgr", f"{queue}: removed", form)


def mail(when: int, queue: str, user: str, form: str = "syslog") -> list[str]:
    """One mail from an authenticated sender, delivered at once."""
    return [
        client(when, queue, user, form),
        postfix(when, "cleanup", f"{queue}: message-id=<{queue}@mx.test>", form),
        taken(when, queue, user, form),
        postfix(
            when,
            "lmtp",
            f"{queue}: to=<x@y.test>, relay=127.0.0.1[127.0.0.1]:24, dsn=2.0.0, status=sent (250 2.0.0 OK)",
            form,
        ),
        removed(when, queue, form),
    ]


def text(lines: Iterable[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def use_by_single_lines(lines: Sequence[str], year: int) -> dict[tuple[int, str], tuple[int, int]]:
    """Sessions and mails by (local day, address), read line by line with other means than the connector's.

    Only for lines of the builders above, in order of time, of one host.
    """
    sessions: Counter[tuple[int, str]] = Counter()
    sent: Counter[tuple[int, str]] = Counter()
    open_sessions: dict[str, tuple[date, str]] = {}
    senders: dict[str, tuple[date, str]] = {}
    previous: date | None = None
    for line in lines:
        if line[:4].isdigit():
            when = datetime.fromisoformat(line.split(" ", 1)[0])
            local = when.astimezone(HANOI).date()
            words = line.split(" ")[1:]
        else:
            month, day, clock, *words = line.split()
            year = previous.year if previous else year
            local = datetime.strptime(f"{year} {month} {day} {clock} +0700", "%Y %b %d %H:%M:%S %z").date()
            if previous is not None and local.month < previous.month:
                local = local.replace(year=year + 1)
        previous = local
        rest = " ".join(words).replace("Info: ", "").removeprefix("mx1 ").removeprefix("dovecot: ")
        if found := re.match(r"\S+-login: Login: user=<(.+?)>.*session=<(.+?)>", rest):
            sessions[int(local.strftime("%Y%m%d")), found[1].lower()] += 1
            open_sessions[found[2]] = local, found[1].lower()
        elif found := re.match(r"\w+\(.+?\)<\d+><(.+?)>: (Disconnected|Connection closed|Logged out)", rest):
            begun, user = open_sessions.pop(found[1], (local, ""))
            if (local - begun).days <= 7:
                for later in range(1, (local - begun).days + 1):
                    sessions[int((begun + timedelta(later)).strftime("%Y%m%d")), user] += 1
        elif rest.startswith("master: Dovecot v"):
            open_sessions.clear()
        elif found := re.match(r"postfix/\S*smtpd\[\d+\]: (\w+): client=\S+?, .*sasl_username=(\S+)", rest):
            senders[found[1]] = local, found[2].lower()
        elif found := re.match(r"postfix/qmgr\[\d+\]: (\w+): from=<(.*)>", rest):
            begun, user = senders.pop(found[1], (local, ""))
            if user and found[2] and (local - begun).days <= 7:
                sent[int(local.strftime("%Y%m%d")), user] += 1
    return {key: (sessions[key], sent[key]) for key in sessions.keys() | sent.keys()}
