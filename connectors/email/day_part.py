"""The lines that matter in a part of a log that holds one local day and known envelopes, found without a look at each.

A pattern begins with the literal that only such lines have, so that the search for it runs in C over the whole part;
right behind the literal it looks back: does this line begin with a time of this very day and an envelope (host, tag,
program) that the line-by-line reader has already understood? A hit that does not - of another day, of a program not
yet seen, words that a client put into its HELO - makes the part odd, and an odd part is read line by line instead.
So speed rests on what is usual, and correctness does not.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.email.stamps import Calendar, cut_of

# Around a change of the day lines of two days lie among each other.
_MIXED = 32 << 10
_SMALL = 512 << 10
_ENVELOPES = 32

_PROTOCOLS = (b"imap", b"pop3", b"managesieve")

LOGIN = b"Login: user=<"
POSTFIX = b"["
"""What stands before the process id: all lines of Postfix about a message are found in one go."""

DELIVERED = (
    rb"\d++\]: (\w++): to=<(?:[^>\n]*@([^>\n@]*+)|[^>\n@]*+)>, (?:orig_to=<[^>\n]*+>, )?"
    rb"relay=(?:[^,\n\[]*+\[(127\.|::1\]))?"
    rb"(?:[^,\n]*+, (?:conn_use=\d++, )?delay=[^,\n]*+, delays=[^,\n]*+, dsn=[^,\n]*+, |[^\n]*, )"
    rb"status=sent (\([^\n]*+)"
)
"""Behind the `[` of a delivering process: queue id, recipient's domain, whether over the loopback, and the answer."""

_SESSION = (
    rb"(?:-login: (?:Info: )?Login: user=<([^>\n]++)>(?:[^\n]* session=<([^>\n]++)>)?"
    rb"|\((?:[^)\n]*+\))+?<\d++><([^>\n]++)>: (?:Info: )?(?:Disconnected|Connection closed|Logged out))"
)
_SAID = (
    rb"\d++\]: (?!NOQUEUE)(\w++): (?:"
    rb"client=[^\n,]*+(?:(?:, [^\n,]*+)*?, sasl_username=([^,\n]++))?"
    rb"|(from=<>?|removed$|uid=)"
    rb"|" + DELIVERED.partition(b"(\\w++): ")[2] + rb")"
)
_CAPTURING = re.compile(rb"(?<!\\)\((?!\?)")
_STARTS = b"starting up"


@dataclass(frozen=True, slots=True)
class Part:
    """A range of a block. `stamp` is a pattern for the times of all its lines, b"" if nothing is known of it."""

    start: int
    end: int
    day: int = 0
    stamp: bytes = b""

    def cut(self, block: bytes) -> Iterator["Part"]:
        """Yield smaller parts, so that what is odd in one of them does not slow down the others."""
        start = self.start
        while start < self.end:
            stop = _line_after(block, min(start + _SMALL, self.end))
            yield Part(start, stop, self.day, self.stamp)
            start = stop


@dataclass(frozen=True, slots=True)
class Hits:
    """The lines that matter; what a line does not say is empty.

    `sessions` are user and session of a login, or the session that ends. `mails` are queue id, authenticated user, what
    the queue manager or pickup says (`from=<`, `from=<>`, `removed`, `uid=`), and domain, loopback, answer of a
    delivery. A line whose envelope or day is another one has nothing but empty values.
    """

    sessions: list[tuple[bytes, bytes, bytes]]
    mails: list[tuple[bytes, bytes, bytes, bytes, bytes, bytes]]


@dataclass(slots=True)
class Envelopes:
    """What stands between time and LOGIN or POSTFIX in the lines that were understood, and the host in it."""

    known: dict[bytes, dict[bytes, str]] = field(default_factory=dict)
    _patterns: dict[tuple[bytes, bytes], re.Pattern[bytes]] = field(default_factory=dict)

    def learn(self, literal: bytes, envelope: bytes, host: str) -> None:
        """Note an envelope that was understood."""
        known = self.known.setdefault(literal, {})
        if envelope not in known:
            known[envelope] = host
            self._patterns.clear()

    def host_of(self, literal: bytes) -> str | None:
        """Return the one host that writes such lines; None if there are several, or too many envelopes."""
        known = self.known.get(literal, {})
        hosts = set(known.values())
        if len(known) > _ENVELOPES or len(hosts) > 1:
            return None
        return hosts.pop() if hosts else "-"

    def find(self, block: bytes, part: Part) -> Hits | None:
        """Return the lines that matter; None if a server starts, or a session is of a kind whose login was not seen."""
        where = part.start, part.end
        if block.find(_STARTS, *where) >= 0:
            return None
        sessions: list[tuple[bytes, bytes, bytes]] = []
        protocols = {envelope.rpartition(b" ")[2] for envelope in self.known.get(LOGIN, ())}
        if any(block.find(protocol + b"(", *where) >= 0 for protocol in _PROTOCOLS if protocol not in protocols):
            return None  # an end, whose login was read before this reader was made
        for protocol in sorted(protocols):
            sessions += self._pattern(protocol, part.stamp).findall(block, *where)
        if block.count(LOGIN, *where) != sum(1 for user, _, _ in sessions if user):
            return None
        return Hits(sessions, self._pattern(POSTFIX, part.stamp).findall(block, *where))

    def _pattern(self, literal: bytes, stamp: bytes) -> re.Pattern[bytes]:
        pattern = self._patterns.get((literal, stamp))
        if pattern is None:
            pattern = self._patterns[literal, stamp] = self._made(literal, stamp)
        return pattern

    def _made(self, literal: bytes, stamp: bytes) -> re.Pattern[bytes]:
        if literal == POSTFIX:
            # Away with what tells of connections before anything else is looked at.
            heads, ahead, rest = list(self.known.get(POSTFIX, ())), rb"(?=\d++\]: \w++: [cfrtu])", _SAID
        else:  # a protocol, which the envelopes of its logins end with
            known = [one for one in self.known.get(LOGIN, ()) if one.rpartition(b" ")[2] == literal]
            heads, ahead, rest = [one.removesuffix(literal) for one in known], b"", _SESSION
        behind = b"|".join(_behind(stamp, heads, literal))
        odd = _CAPTURING.sub(b"(?:", rest)
        strict = b"(?:" + behind + b")" + rest + b"|" if behind else b""
        groups = b"" if behind else b"(?:" + rest + b"){0}"  # so that what is found has the same shape
        return re.compile(re.escape(literal) + ahead + b"(?:" + strict + odd + b")" + groups, re.MULTILINE)


def _behind(stamp: bytes, heads: Iterable[bytes], literal: bytes) -> Iterator[bytes]:
    """Yield what looks back from behind the literal to the line's begin: one pattern for the heads of each length."""
    by_length: dict[int, list[bytes]] = {}
    for head in sorted(heads):
        by_length.setdefault(len(head), []).append(head)
    for same in by_length.values():
        shared = same[0][
            : next((at for at, letters in enumerate(zip(*same, strict=True)) if len(set(letters)) > 1), None)
        ]
        rests = b"|".join(re.escape(head[len(shared) :]) for head in same)
        yield b"(?<=^" + stamp + re.escape(shared) + b"(?:" + rests + b")" + re.escape(literal) + b")"


def parts(block: bytes, calendar: Calendar) -> Iterator[Part]:
    """Cut a block of whole lines where the local day or the form of the times changes; around a cut all is mixed."""
    start, end = 0, len(block)
    while start < end:
        first = _stamp(block, start, calendar)
        if first is None:
            stop = _line_after(block, min(start + _MIXED, end))
            yield Part(start, stop)
            start = stop
            continue
        day, stamp = first
        last_line = block.rfind(b"\n", start, end - 1) + 1
        if _stamp(block, max(start, last_line), calendar) == first:
            yield Part(start, end, day, stamp)
            return
        low, high = start, last_line  # of the lines at `low` and `high` the first is of this day and form, not the last
        while high - low > _MIXED:
            middle = _line_after(block, (low + high) // 2)
            if middle >= high:
                break
            low, high = (middle, high) if _stamp(block, middle, calendar) == first else (low, middle)
        stop = block.rfind(b"\n", start, max(start, low - _MIXED)) + 1
        if stop > start:
            yield Part(start, stop, day, stamp)
        start = max(start, stop)
        stop = _line_after(block, min(high + _MIXED, end))
        yield Part(start, stop)
        start = stop


def _line_after(block: bytes, at: int) -> int:
    """Return where the first line begins that begins at or after a byte."""
    if at == 0:
        return 0
    found = block.find(b"\n", at - 1)
    return len(block) if found < 0 else found + 1


def _stamp(block: bytes, start: int, calendar: Calendar) -> tuple[int, bytes] | None:
    """Return the local day of the line at a byte, and a pattern for its time and all of that day in the same form."""
    line = block[start : start + 64]
    stamp = line[: cut_of(line)]
    day = calendar.day(stamp)
    if not day:
        return None
    at = 7 if stamp[3:4] == b" " else 11
    hours = [hour for hour in (b"%02d" % number for number in range(24)) if _whole(stamp, at, hour, day, calendar)]
    if not hours:
        return None
    every = b".." if len(hours) == 24 else b"(?:" + b"|".join(hours) + b")"
    zone = b"" if at == 7 else stamp[-1:] if stamp[-1:] == b"Z" else stamp[-6:] if stamp[-3:-2] == b":" else stamp[-5:]
    return day, re.escape(stamp[:at]) + every + b".{%d}" % (len(stamp) - at - 2 - len(zone)) + re.escape(zone)


def _whole(stamp: bytes, at: int, hour: bytes, day: int, calendar: Calendar) -> bool:
    """Tell whether an hour of the stamp's own day lies in a local day from its first minute to its last."""
    return all(
        calendar.day(stamp[:at] + hour + b":" + minute + stamp[at + 5 :]) == day for minute in (b"00", b"29", b"59")
    )
