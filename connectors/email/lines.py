"""From a block of log lines to the use of mailboxes: sessions per mailbox and local day, and mails sent.

Works on blocks of bytes, not line by line: a pattern that begins with a literal finds the few lines that matter,
and only then is the head of that line looked at (facts: literal-prefixed patterns over blocks read nine times as
fast as pflogsumm, a look at every line four times). The head must be a known envelope: the same words inside a
line, as any client may put into its HELO, are not taken for a login.

A session is use on each local day from its login to its end line; the later days count when the end is read. A mail
counts on the day of the first `from=` line of its queue id after an authenticated `client=` line: that line takes
the waiting entry away, so that the `from=` of each later retry finds none. A bounce has `from=<>` and does not count.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from collector.contract.period import days, plus_days
from connectors.email.pending import DAYS, Entry, Pending, hashed, pseudonym_on
from connectors.email.stamps import Calendar

_LOGIN = re.compile(rb"-login: (?:Info: )?Login: user=<([^>\n]+)>(?:[^\n]* session=<([^>\n]+)>)?")
_END = re.compile(rb"\)<\d+><([^>\n]+)>: (?:Info: )?(?:Disconnected|Connection closed|Logged out)")
_START = re.compile(rb"master: (?:Info: )?Dovecot v[^\n]* starting up")
_CLIENT = re.compile(rb"smtpd\[\d+\]: (\w+): client=([^\n]*)")
_PICKUP = re.compile(rb"/pickup\[\d+\]: (\w+): uid=")
_FROM = re.compile(rb"/qmgr\[\d+\]: (\w+): from=<([^>\n]*)>")

_HOST_AND_TAG = rb" (\S*[^\s:]) [\w.@-]+(?:\[\d+\])?:"
_PROTOCOL = rb"(?:imap|pop3|managesieve)"
_DOVECOT = re.compile(rb"(?:" + _HOST_AND_TAG + rb")? " + _PROTOCOL)
_MASTER = re.compile(rb"(?:" + _HOST_AND_TAG + rb")? ")
_POSTFIX = re.compile(rb" (\S*[^\s:]) postfix[\w.-]*(?:/[\w.-]+)*/?")

_SASL_USER = re.compile(rb", sasl_username=([^,\n]+)")
_CLIENT_ADDRESS = re.compile(rb"[^\s\[,]*\[([^\]\s]+)\]")

_ENVELOPES = 10_000

Name = Callable[[bytes, int], str]
"""From a user name and a local day to the mailbox' pseudonym under that month's key; "" if it is not counted."""


@dataclass(slots=True)
class Use:
    """What one block told: sessions and mails by (local day, pseudonym).

    `hits` are the lines that were used, `bad` the offsets (in the block) of lines that should have been, but begin
    with no known time.
    """

    sessions: Counter[tuple[int, str]] = field(default_factory=Counter)
    sent: Counter[tuple[int, str]] = field(default_factory=Counter)
    hits: int = 0
    bad: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Reader:
    """Reads the blocks of a chain of files in order, and carries what is pending from one to the next.

    `webmail` are network addresses of webmail hosts that are trusted for the sender. `calendar` dates the lines of
    the file that is being read.
    """

    pending: Pending
    name: Name
    webmail: frozenset[bytes]
    calendar: Calendar
    _hosts: dict[tuple[re.Pattern[bytes], bytes], str | None] = field(default_factory=dict)
    _horizons: dict[int, int] = field(default_factory=dict)

    def read(self, block: bytes) -> Use:
        """Return the use that a block of whole lines tells."""
        use = Use()
        self._read_sessions(block, use)
        self._read_mails(block, use)
        use.bad.sort()
        return use

    def _read_sessions(self, block: bytes, use: Use) -> None:
        # The hash of a session's id is needed only for those that stay open beyond the block.
        opened: dict[tuple[str, bytes], Entry] = {}
        for found in _in_order(block, _LOGIN, _END, _START):
            if found.re is _LOGIN:
                if (head := self._head(block, found, _DOVECOT, use)) is None:
                    continue
                day, host = head
                user, session = found.groups()
                entry = self._entry(user, day)
                if entry[1]:
                    use.sessions[day, entry[1]] += 1
                if session is not None and (entry[1] or entry[2]):
                    opened[host, session] = entry
            elif found.re is _END:
                if (head := self._head(block, found, _DOVECOT, use)) is None:
                    continue
                day, host = head
                session = found[1]
                ended = opened.pop((host, session), None)
                if ended is None and self.pending.sessions:
                    ended = self.pending.sessions.pop((host, hashed(session)), None)
                if ended is not None and ended[0] < day <= self._horizon(ended[0]):
                    for later in days(plus_days(ended[0], 1), day):
                        if pseudonym := pseudonym_on(ended, later):
                            use.sessions[later, pseudonym] += 1
            else:
                if (head := self._head(block, found, _MASTER, use)) is None:
                    continue
                # A server that starts has no sessions: those without an end line count on their first day alone.
                for key in [key for key in opened if key[0] == head[1]]:
                    del opened[key]
                for name in [name for name in self.pending.sessions if name[0] == head[1]]:
                    del self.pending.sessions[name]
        for (host, session), entry in opened.items():
            self.pending.sessions[host, hashed(session)] = entry

    def _read_mails(self, block: bytes, use: Use) -> None:
        waiting = self.pending.mails
        clients = list(_CLIENT.finditer(block))
        ids = {found[1] for found in clients}
        ids.update(name.encode() for _, name in waiting)
        rest = (found for pattern in (_FROM, _PICKUP) for found in pattern.finditer(block) if found[1] in ids)
        for _, found in sorted([(found.start(), found) for found in (*clients, *rest)], key=_place):
            if (head := self._head(block, found, _POSTFIX, use)) is None:
                continue
            day, host = head
            key = host, found[1].decode()
            if found.re is _FROM:
                entry = waiting.pop(key, None)
                sender = found[2]
                if entry is None or not sender or not entry[0] <= day <= self._horizon(entry[0]):
                    continue
                trusted = not entry[1] and not entry[2]
                if pseudonym := self.name(sender, day) if trusted else pseudonym_on(entry, day):
                    use.sent[day, pseudonym] += 1
            elif (opened := self._client(found, day)) is not None:
                waiting[key] = opened
            else:  # a queue id that came again, without a sender who was authenticated
                waiting.pop(key, None)

    def _client(self, found: re.Match[bytes], day: int) -> Entry | None:
        if found.re is _PICKUP:
            return None
        if user := _SASL_USER.search(found[2]):
            entry = self._entry(user[1], day)
            return entry if entry[1] or entry[2] else None
        # With orig_client= it is a content filter that hands a message back, not the webmail itself.
        address = _CLIENT_ADDRESS.match(found[2])
        if address is not None and address[1] in self.webmail and b", orig_client=" not in found[2]:
            return day, "", ""
        return None

    def _entry(self, user: bytes, day: int) -> Entry:
        horizon = self._horizon(day)
        later = self.name(user, horizon) if horizon // 100 != day // 100 else ""
        return day, self.name(user, day), later

    def _horizon(self, day: int) -> int:
        last = self._horizons.get(day)
        if last is None:
            last = self._horizons[day] = plus_days(day, DAYS)
        return last

    def _head(
        self, block: bytes, found: re.Match[bytes], envelope: re.Pattern[bytes], use: Use
    ) -> tuple[int, str] | None:
        """Return local day and host of the line around a match; None if the line is not what it seems."""
        end = found.start()
        begin = block.rfind(b"\n", 0, end) + 1
        head = block[begin:end]
        if head[:1] == b"\0":  # a crash leaves zeroes before the next line
            head = head.lstrip(b"\0")
        cut = 15 if head[3:4] == b" " else head.find(b" ")
        rest = head[cut:]
        if found.re is _END:
            rest = rest.partition(b"(")[0]
        host = self._hosts.get((envelope, rest), "")
        if host == "":
            match = envelope.fullmatch(rest)
            host = None if match is None else (match[1] or b"-").decode("latin-1")
            if len(self._hosts) < _ENVELOPES:
                self._hosts[envelope, rest] = host
        if host is None:
            return None
        use.hits += 1
        day = self.calendar.day(head[:cut])
        if not day:
            use.bad.append(begin)
            return None
        return day, host


def _in_order(block: bytes, *patterns: re.Pattern[bytes]) -> Iterable[re.Match[bytes]]:
    found = [(match.start(), match) for pattern in patterns for match in pattern.finditer(block)]
    found.sort(key=_place)
    return (match for _, match in found)


def _place(found: tuple[int, re.Match[bytes]]) -> int:
    return found[0]
