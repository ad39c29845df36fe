"""A mail log in which many lines are broken in every way that logs are, and what the others must still count for.

Each mailbox does one thing, a session or a mail, under a name that no flipped bit turns into another's: so it can be
told of each whether it was counted. `python -m tests.proof.fuzzed_mail FOLDER` reads the logs of a folder as the
connector does, kills itself if one piece of it takes over 2 seconds of the processor, and prints what was counted.
"""

import json
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from collector.contract.errors import CollectorError
from collector.contract.period import days, local_day
from connectors.email.mail_log import Config, fetch
from tests.connectors.email.mail_lines import at, client, delivered, login, logout, postfix, removed, stamp, taken
from tests.connectors.email.reading import Door, Kept, want

BEGIN = at("2025-12-30 00:00:00")
SECONDS = 3 * 86_400
SINCE = 20251230
NOW = at("2026-01-03 08:00:00")
FORMS = ("syslog", "rfc3339", "utc")
PATIENCE = 2.0
"""Seconds of the processor that a piece of at most 8 MiB may take."""

# How "Nguyễn Thị Ánh" was written before Unicode.
TCVN3, CP1258 = b"Nguy\xd4n Th\xde \xb8nh", "Nguyê\u0303n Thi\u0323 A\u0301nh".encode("cp1258")
DATES = (
    *(b"Feb 30 08:00:00", b"Xyz  1 08:00:00", b"Jan 32 08:00:00", b"Jan  1 25:61:61", b"Jan  1 8:00:00", b""),
    *(b"2026-13-01T08:00:00+07:00", b"2026-02-30T08:00:00Z", b"9999-12-31T23:59:59+07:00", b"0000-00-00T00:00:00Z"),
    *(b"2026-01-01T08:00:00", b"2026-01-01 08:00:00", b"1767225600", b"01/01/2026 08:00", b"2026-01-01T08:00:00+99:99"),
)
TORTURES = (b"session=<", b", relay=", b"@", b"((((", b")<1><", b"to=<", b"user=<", b": ", b"queued as ", b", , ")

Cell = tuple[int, str]
Counts = tuple[int, int, int, int]


@dataclass
class Deed:
    """What one mailbox did: its lines with their instants, and what they count for on each local day."""

    user: str
    lines: list[tuple[int, str]]
    counts: dict[int, Counts]


@dataclass
class Fuzzed:
    """A log as it is read, by lines. `touched`: how often at most the lines of a mailbox may stand there, if not once.

    `broken` are the lines that were changed.
    """

    deeds: Sequence[Deed]
    lines: list[bytes] = field(default_factory=list)
    touched: Counter[str] = field(default_factory=Counter)
    broken: int = 0

    @property
    def content(self) -> bytes:
        return b"".join(self.lines)


def deeds(random: Random, count: int) -> Iterator[Deed]:
    """Sessions, some over midnight, and mails inside, outside and to free mail."""
    for _ in range(count):
        when, form = BEGIN + random.randrange(SECONDS), random.choice(FORMS)
        user = f"{random.getrandbits(64):016x}@a.example"
        today = local_day(when)
        if random.random() < 0.5:
            session, end = f"{random.getrandbits(96):024x}", when + random.choice([30, 4000, 50_000])
            lines = [(when, login(when, user, session, form)), (end, logout(end, user, session, form))]
            yield Deed(user, lines, dict.fromkeys(days(today, local_day(end)), (1, 0, 0, 0)))
        else:
            queue = f"{random.getrandbits(48):012X}"
            to, outside, free = random.choice([("x@gmail.com", 1, 1), ("x@ctv.example", 1, 0), ("x@s.gov.vn", 0, 0)])
            sent = delivered(when, queue, to).replace(stamp(when, "syslog"), stamp(when, form), 1)
            lines = [
                (when, client(when, queue, user, form)),
                (when, postfix(when, "cleanup", f"{queue}: message-id=<{queue}@mx.test>", form)),
                (when, taken(when, queue, user, form)),
                (when, sent),
                (when, removed(when, queue, form)),
            ]
            yield Deed(user, lines, {today: (0, 1, outside, free)})


def fuzzed(random: Random, count: int, share: float, ways: Sequence["Way"]) -> Fuzzed:
    """A log of about so many lines, of which a share is broken; the first one never is: it dates the file."""
    some = list(deeds(random, count * 2 // 7))
    log = Fuzzed(some)
    placed = sorted((when, at, line, one.user) for one in some for at, (when, line) in enumerate(one.lines))
    first = stamp(BEGIN - 86_400, "syslog") + " mx1 postfix/anvil[9]: statistics: max cache size 1\n"
    log.lines.append(first.encode())
    joined = False
    for _, _, text, user in placed:
        line = text.encode()
        if joined:
            log.touched[user] = max(1, log.touched[user])
        joined = False
        if random.random() < share:
            way = random.choice(ways)
            changed = way(random, line)
            log.broken += 1
            log.touched[user] = max(log.touched[user], 1 + changed.count(b"\n"))
            joined = way is _joined
            line = changed
        log.lines.append(line if joined else line + b"\n")
    last = stamp(NOW - 60, "rfc3339") + " mx1 postfix/anvil[9]: statistics: max cache size 1\n"
    log.lines.append((b"\n" if joined else b"") + last.encode())
    return log


# -- ways to break a line -------------------------------------------------------------------------------------------

Way = Callable[[Random, bytes], bytes]


def _insert(random: Random, line: bytes, what: bytes) -> bytes:
    place = random.randrange(len(line) + 1)
    return line[:place] + what + line[place:]


def _flipped(random: Random, line: bytes) -> bytes:
    changed = bytearray(line)
    for _ in range(random.randrange(1, 8)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    # A line that falls apart has one half more, and no other line twice.
    return bytes(changed).replace(b"\n", b" ")


def _cut(random: Random, line: bytes) -> bytes:
    return line[: random.randrange(len(line))]


def _beheaded(random: Random, line: bytes) -> bytes:
    return line[random.randrange(1, len(line)) :]


def _doubled(_random: Random, line: bytes) -> bytes:
    return line + b"\n" + line


def _joined(_random: Random, line: bytes) -> bytes:
    return line


def _with_zeroes(random: Random, line: bytes) -> bytes:
    zeroes = bytes(random.choice([1, 9, 5000]))
    return zeroes + line if random.random() < 0.5 else _insert(random, line, zeroes)


def _in_legacy_encoding(random: Random, line: bytes) -> bytes:
    name = random.choice([TCVN3, CP1258])
    return line.replace(b"@a.example", b"." + name + b"@a.example") if random.random() < 0.5 else name + line


def _no_utf8(random: Random, line: bytes) -> bytes:
    return _insert(random, line, random.choice([b"\xc3\x28", b"\xf0\x9f", b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\xaf"]))


def _coloured(random: Random, line: bytes) -> bytes:
    return b"\x1b[31m" + line + b"\x1b[0m" if random.random() < 0.5 else _insert(random, line, b"\x1b[1;33m")


def _misdated(random: Random, line: bytes) -> bytes:
    cut = 15 if line[3:4] == b" " else line.find(b" ")
    return random.choice(DATES) + line[cut:]


def _tortured(random: Random, line: bytes) -> bytes:
    return _insert(random, line, random.choice(TORTURES) * random.choice([10, 3000]))


def _carriage_return(_random: Random, line: bytes) -> bytes:
    return line + b"\r"


WAYS: tuple[Way, ...] = (
    *(_flipped, _cut, _beheaded, _doubled, _joined, _with_zeroes, _in_legacy_encoding, _no_utf8, _coloured),
    *(_tortured, _carriage_return),
)
ALL_WAYS = (*WAYS, _misdated)


def giant(line: bytes, filling: bytes, size: int = 10 << 20) -> bytes:
    """A line of 10 MB, in which another one stands."""
    cut = line.find(b" mx1 ") + 5
    return line[:cut] + filling * (size // len(filling)) + line[cut:] + b"\n"


# -- reading ----------------------------------------------------------------------------------------------------------


def counted(kept: Kept) -> dict[Cell, Counts]:
    """Sessions, mails, deliveries outside and to free mail by (day, pseudonym)."""
    found: dict[Cell, Counts] = {}
    for row in kept.mailbox_days.values():
        before = found.get((row[5], row[4]), (0, 0, 0, 0))
        sessions, sent, outside, free = (was + more for was, more in zip(before, row[7:11], strict=True))
        found[row[5], row[4]] = (sessions, sent, outside, free)
    return found


def main(folder: str) -> None:
    """Read a folder's logs, and print a JSON object: what was counted, the failure, quarantined lines, memory in MB."""
    kept, door = Kept(), Door(Path(folder), NOW)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)  # the kernel's end, also of a pattern that never comes back
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failure = ""
    batches = fetch(Config(lists=""), door, want(kept, door, SINCE))
    try:
        while True:
            signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
            batch = next(batches, None)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            if batch is None:
                break
            kept.save(batch)
    except CollectorError as error:
        failure = f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    told = [[day, who, *counts] for (day, who), counts in sorted(counted(kept).items())]
    json.dump({"counted": told, "failure": failure, "bad": len(kept.bad), "memory": memory}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
