"""The lines that matter in a part of a log that holds one local day and known envelopes, found without a look at each.

One pattern goes from line to line in C. A line that begins with a time of this very day and an envelope (host, tag,
program) that the line-by-line reader has already understood is known: what matters of it is taken, and of the rest
of it nothing can matter. A line that is not known - of another day, of a program not yet seen - is looked at further
only as far as it takes to say that no line that begins so can matter; if it may, the part is odd, and an odd part is
read line by line instead. So speed rests on what is usual, and correctness does not.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from connectors.email.domains import Domains
from connectors.email.stamps import Calendar, cut_of

# Around a change of the day lines of two days lie among each other.
_MIXED = 32 << 10
_SMALL = 512 << 10
_ENVELOPES = 32
_PIECE = 256 << 10

LOGIN, POSTFIX = "login", "postfix"
"""The two kinds of envelopes: up to the protocol of a Dovecot session, and up to the `[` of a program of Postfix."""

DELIVERED = (
    rb"(\w++): to=<([^>\n]*@([^>\n@]*+)|[^>\n@]*+)>, (?:orig_to=<[^>\n]*+>, )?"
    rb"relay=(?:[^,\n\[]*+\[(127\.|::1\]))?"
    rb"(?:[^,\n]*+, (?:conn_use=\d++, )?delay=[^,\n]*+, delays=[^,\n]*+, dsn=[^,\n]*+, |[^\n]*, )"
    rb"status=sent (\([^\n]*+)"
)
"""Behind the process id of a delivering program: queue id, recipient, its domain, whether over the loopback, answer."""

_OVER = rb"(?:Disconnected|Connection closed|Logged out)"

# What matters of a line whose envelope is known; its first byte tells which of these it is. Of the queue manager:
_SAID = rb" \w++: (?:from=<(?=[^\n]*>)>?|removed$)"
# of smtpd and pickup, and of what delivers:
_MAIL = rb"\w++: (?:client=(?<!NOQUEUE: client=)[^\n]*+|to=<%b[^\n]*, status=sent \([^\n]*+|uid=)"
# of a login, up to the end of its session's id; of an end, up to the end of that.
_BEGUN = rb"-login: (?:Login|Info: Login): user=<[^>\n]++>(?:[^\n]* session=<[^>\n]++(?=>)|)"
_ENDED = (
    rb"\([^)\n]*+\)(?:<\d++><[^>\n]++|(?:[^)\n]*+\))+?<\d++><[^>\n]++)(?=>: (?:" + _OVER + rb"|Info: " + _OVER + rb"))"
)
_MATTERS = b"|".join((_SAID, _MAIL, _BEGUN, _ENDED))
# What is delivered within the government, and not to a filter, does not.
_DOES_NOT = rb"(?![^>\n]*+>(?:%b)(?![^\n]*queued as ))"

# What the line-by-line reader might take for a line that matters, whatever its envelope: never less than it takes.
_HOST = rb" \S++(?<!:)"
_OF_MAILS = (rb"smtpd\[", rb"/pickup\[", rb"/qmgr\[", rb"mtp\[", rb"al\[", rb"pipe\[")
_MAY_MATTER = (
    _HOST + rb" postfix[\w./-]*+\[(?=\d++\]: \w++: (?:client=|uid=|from=<|removed$|to=<[^\n]* status=sent \())"
    rb"(?:" + b"|".join(rb"(?<=%b)" % program for program in _OF_MAILS) + rb")"
    rb"|(?:" + _HOST + rb" [\w.@-]++(?:\[\d++\])?+:)?+ "
    rb"(?:(?:imap|pop3|managesieve)(?:-login: (?:Info: )?Login: user=<|\([^\n]*\)<\d)|master: (?:Info: )?Dovecot v)"
)

# Heads of lines that can never matter. To know the usual ones by their letters spares to look into their lines.
_HARMLESS = re.compile(
    rb"^(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8}|\d{4}-\S++)("
    + _HOST
    + rb" (?:postfix/[\w/-]++\["
    + b"".join(rb"(?<!%b)" % program for program in _OF_MAILS)
    + rb"|(?!postfix)[\w.@-]++: (?!imap|pop3|managesieve|master)[\w-]++[(:]))",
    re.MULTILINE,
)
_SAMPLE = 32 << 10


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


@dataclass(slots=True)
class Hits:
    """The lines that matter: what they say of sessions and queue ids.

    `logins` up to the end of the user's name, one by one, and by the ids of those that have one: `with_id` so many,
    in `sessions`; `ended` ids. `said` by the queue manager (b" A1: from=<", b" A1: from=<>", b" A1: removed"); `begun`
    queue ids, and the authenticated users of those that are `official`; `delivered` lines of what may have been
    delivered outside the government, or to a filter.
    """

    logins: list[bytes] = field(default_factory=list)
    sessions: dict[bytes, bytes] = field(default_factory=dict)
    with_id: int = 0
    ended: set[bytes] = field(default_factory=set)
    said: list[bytes] = field(default_factory=list)
    begun: list[bytes] = field(default_factory=list)
    official: dict[bytes, bytes] = field(default_factory=dict)
    delivered: list[bytes] = field(default_factory=list)
    count: int = 0

    def add(self, found: list[bytes], domains: Domains) -> None:
        """Add what the pattern found."""
        begun, ended, mails = list[bytes](), list[bytes](), list[bytes]()
        by_first = [mails.append] * 256
        by_first[_SAYS], by_first[_BEGINS], by_first[_ENDS] = self.said.append, begun.append, ended.append
        for line in found:
            by_first[line[0]](line)
        self.count += len(found)
        self.ended.update([line.rpartition(b"><")[2] for line in ended])
        logins = [line.partition(b">") for line in begun]
        self.logins += [who for who, _, _ in logins]
        with_id = [(how.rpartition(b" session=<")[2], who) for who, _, how in logins if how]
        self.sessions.update(with_id)
        self.with_id += len(with_id)
        for line in mails:
            queue, _, says = line.partition(b": ")
            if says[0] == _TO:
                end = line.find(b">")
                _, has_domain, domain = line[:end].rpartition(b"@")
                # What is delivered within the government, and not to a filter, needs no second look.
                if (has_domain and domains[domain]) or line.find(b"queued as ", end) >= 0:
                    self.delivered.append(line)
                continue
            self.begun.append(queue)
            _, official, user = says.partition(b", sasl_username=")
            if official:
                self.official[queue] = user.partition(b",")[0]

    def users(self) -> Iterator[tuple[bytes, int]]:
        """Yield the users of the logins, and how many there are of each."""
        for who, count in Counter(self.logins).items():
            yield user_of(who), count


def user_of(who: bytes) -> bytes:
    """Return the user at the end of what a login says."""
    return who.partition(b"<")[2]


_SAYS, _BEGINS, _ENDS, _TO = b" -(t"


@dataclass(slots=True)
class Envelopes:
    """What stands between the time and what a program says in the lines that were understood, and the host in it."""

    known: dict[str, dict[bytes, str]] = field(default_factory=dict)
    _harmless: set[bytes] = field(default_factory=set)
    _patterns: dict[bytes, re.Pattern[bytes]] = field(default_factory=dict)

    def learn(self, kind: str, envelope: bytes, host: str) -> None:
        """Note an envelope that was understood."""
        known = self.known.setdefault(kind, {})
        if envelope not in known:
            known[envelope] = host
            self._patterns.clear()

    def host_of(self, kind: str) -> str | None:
        """Return the one host that writes such lines; None if there are several, or too many envelopes."""
        known = self.known.get(kind, {})
        hosts = set(known.values())
        if len(known) > _ENVELOPES or len(hosts) > 1:
            return None
        return hosts.pop() if hosts else "-"

    def find(self, block: bytes, part: Part, domains: Domains) -> Hits | None:
        """Return the lines that matter; None if there is one that is not known and may matter.

        `domains` tells of a recipient's domain whether it is outside the government; it is the same in every call.
        """
        pattern = self._patterns.get(part.stamp)
        if pattern is None:
            pattern = self._patterns[part.stamp] = self._made(part.stamp, domains.inside)
        hits = Hits()
        for text, start, end in _pieces(block, part):
            found = pattern.findall(text, start, end)
            if b"" in found:
                return None
            hits.add(found, domains)
        self._learn_harmless(block, part)
        return hits

    def _learn_harmless(self, block: bytes, part: Part) -> None:
        heads = set(_HARMLESS.findall(block, part.start, min(part.end, part.start + _SAMPLE)))
        if not heads <= self._harmless and len(self._harmless) < _ENVELOPES:
            self._harmless |= heads
            self._patterns.clear()

    def _made(self, stamp: bytes, inside: bytes) -> re.Pattern[bytes]:
        heads = dict.fromkeys((*self.known.get(LOGIN, ()), *self._harmless), b"")
        for head in self.known.get(POSTFIX, ()):
            # What the queue manager says begins with the blank, that of others behind it.
            heads[head] = rb"\[\d++\]:" if head.endswith(b"/qmgr") else rb"\[\d++\]: "
        known = b"%b(?:%b)|" % (stamp, _one_of(heads)) if heads else b""
        odd = b"(?!\n|" + stamp + b"(?!" + _MAY_MATTER + b"))[^\n]*+"
        # Behind a known head is what matters, or the line does not; what is odd is found by its end, and is empty.
        matters = _MATTERS % (_DOES_NOT % inside if inside else b"")
        return re.compile(b"\n(?>" + known + odd + b")(" + matters + b"|$)", re.MULTILINE)


def _one_of(heads: Mapping[bytes, bytes]) -> bytes:
    """Return a pattern for one of some heads, each with what follows it: what several share is looked at once."""
    shared = _shared(heads)
    groups: dict[bytes, dict[bytes, bytes]] = {}
    for head, follows in heads.items():
        rest = head[len(shared) :]
        groups.setdefault(rest[:1], {})[rest] = follows
    ways = []
    for group in groups.values():
        alike = _shared(group)
        rests = b"|".join(re.escape(head[len(alike) :]) + follows for head, follows in group.items())
        ways.append(re.escape(alike) + b"(?:" + rests + b")")
    return re.escape(shared) + b"(?:" + b"|".join(ways) + b")"


def _shared(heads: Iterable[bytes]) -> bytes:
    """Return with which letters all of some heads begin."""
    columns = zip(*heads, strict=False)
    return bytes(letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1, columns))


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


def _pieces(block: bytes, part: Part) -> Iterator[tuple[bytes, int, int]]:
    """Cut a part into texts, each as large as is soon used up, in which a line feed is before every line."""
    start, last = part.start - 1, part.end - 1
    if start < 0:
        start = block.find(b"\n", 0, last)
        start = last if start < 0 else start
        yield b"\n" + block[:start], 0, start + 1
    while start < last:
        end = block.find(b"\n", min(start + _PIECE, last), last)
        end = last if end < 0 else end
        yield block, start, end
        start = end


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
    return day, re.escape(stamp[:at]) + every + b"." * (len(stamp) - at - 2 - len(zone)) + re.escape(zone)


def _whole(stamp: bytes, at: int, hour: bytes, day: int, calendar: Calendar) -> bool:
    """Tell whether an hour of the stamp's own day lies in a local day from its first minute to its last."""
    return all(
        calendar.day(stamp[:at] + hour + b":" + minute + stamp[at + 5 :]) == day for minute in (b"00", b"29", b"59")
    )
