"""From a block of log lines to the use of mailboxes: sessions, mails sent and deliveries, by mailbox and local day.

Two readers give the same. The first one here looks at each line that matters by itself: a pattern that begins with a
literal finds it in the block, then its head is looked at, which must be a known envelope: the same words inside a
line, as any client may put into its HELO, are not taken for a login. It decides what is what, and is the oracle. The
second one takes the lines of a whole day at once (`day_part`) and joins them as sets; it is several times as fast, and
leaves whatever is unusual to the first.

A session is use on each local day from its login to its end line; the later days count when the end is read. A mail
counts on the day of the first `from=` line of its queue id after an authenticated `client=` line: that line takes
the waiting entry away, so that the `from=` of each later retry finds none. A bounce has `from=<>` and does not count.
From then to its `removed` each final `status=sent` is a delivery, counted on the day of the mail's acceptance. What a
content filter takes over the loopback and queues again as another id is no delivery: that id inherits the sender,
whether its own lines come before or after the line that tells so. To a recipient a mail is delivered once, however
often a relay of the log repeats the line.
"""

import gc
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from collector.contract.period import days, plus_days
from connectors.email import day_part
from connectors.email.day_part import DELIVERED, LOGIN, POSTFIX, Envelopes, Hits, Part, user_of
from connectors.email.domains import FREE, Domains
from connectors.email.pending import DAYS, Entry, Pending, Queue, hashed, pseudonym_on
from connectors.email.stamps import Calendar, cut_of

_LOGIN = re.compile(rb"-login: (?:Info: )?Login: user=<([^>\n]+)>(?:[^\n]* session=<([^>\n]+)>)?")
_END = re.compile(rb"\)<\d+><([^>\n]+)>: (?:Info: )?(?:Disconnected|Connection closed|Logged out)")
_START = re.compile(rb"master: (?:Info: )?Dovecot v[^\n]* starting up")
_CLIENT = re.compile(rb"smtpd\[\d+\]: (?!NOQUEUE)(\w+): client=([^\n]*)")
_PICKUP = re.compile(rb"/pickup\[\d+\]: (\w+): uid=")
_FROM = re.compile(rb"/qmgr\[\d+\]: (\w+): from=<([^>\n]*)>")
_REMOVED = re.compile(rb"/qmgr\[\d+\]: (\w+): removed$", re.MULTILINE)
# The ends of smtp and lmtp, local and virtual, and pipe: which of them it is does not matter.
_DELIVERIES = {re.compile(program + rb"\[\d++\]: " + DELIVERED): program for program in (b"mtp", b"al", b"pipe")}
_DELIVERED = re.compile(DELIVERED)
_QUEUED = re.compile(rb"queued as (\w+)\)?$")

_HOST_AND_TAG = rb" (\S*[^\s:]) [\w.@-]+(?:\[\d+\])?:"
_PROTOCOL = rb"(?:imap|pop3|managesieve)"
_DOVECOT = re.compile(rb"(?:" + _HOST_AND_TAG + rb")? " + _PROTOCOL)
_MASTER = re.compile(rb"(?:" + _HOST_AND_TAG + rb")? ")
_POSTFIX = re.compile(rb" (\S*[^\s:]) postfix[\w.-]*(?:/[\w.-]+)*/?")

_SASL_USER = re.compile(rb", sasl_username=([^,\n]+)")
_CLIENT_ADDRESS = re.compile(rb"[^\s\[,]*\[([^\]\s]+)\]")

_ENVELOPES = 10_000
_MARK = 12
_NAMES = 200_000

Name = Callable[[bytes, int], str]
"""From a user name and a local day to the mailbox' pseudonym under that month's key; "" if it is not counted."""


# What stands before the `[` of a process: the second reader looks for all of them at once.
_PROGRAMS = {_CLIENT: b"smtpd", _PICKUP: b"/pickup", _FROM: b"/qmgr", _REMOVED: b"/qmgr", **_DELIVERIES}


Counts = defaultdict[tuple[int, str], int]


@dataclass(slots=True)
class Use:
    """What one block told: sessions, mails and deliveries by (local day, pseudonym).

    `outside` are deliveries outside government domains, `free` those of them to a free-mail domain. `hits` are the
    lines that were used, `bad` the offsets (in the block) of lines that should have been, but begin with no known time.
    """

    sessions: Counts = field(default_factory=lambda: defaultdict(int))
    sent: Counts = field(default_factory=lambda: defaultdict(int))
    outside: Counts = field(default_factory=lambda: defaultdict(int))
    free: Counts = field(default_factory=lambda: defaultdict(int))
    hits: int = 0
    bad: list[int] = field(default_factory=list)

    def deliver(self, mail: tuple[int, str], outside: int, free: int) -> None:
        """Count deliveries of a mail; one that counts nowhere has no pseudonym."""
        if mail[1]:
            self.outside[mail] += outside
            if free:
                self.free[mail] += free


@contextmanager
def without_cycles() -> Iterator[None]:
    """Do something that makes many small tuples in which no cycle can be: to look for one takes a tenth of all time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@dataclass(slots=True)
class Reader:
    """Reads the blocks of a chain of files in order, and carries what is pending from one to the next.

    `webmail` are network addresses of webmail hosts that are trusted for the sender. `calendar` dates the lines of
    the file that is being read. `by_lines` True: only the first reader is used.
    """

    pending: Pending
    name: Name
    webmail: frozenset[bytes]
    calendar: Calendar
    domains: Domains = field(default_factory=Domains)
    by_lines: bool = False
    _opened: dict[tuple[str, bytes], Entry] = field(default_factory=dict)
    _told: dict[Queue, dict[bytes, int]] = field(default_factory=dict)
    _envelopes: Envelopes = field(default_factory=Envelopes)
    _hosts: dict[tuple[re.Pattern[bytes], bytes], str | None] = field(default_factory=dict)
    _horizons: dict[int, int] = field(default_factory=dict)
    _names: "_Names" = field(init=False)

    def __post_init__(self) -> None:
        self._names = _Names(self.name, 0)

    def read(self, block: bytes) -> Use:
        """Return the use that a block of whole lines tells."""
        use = Use()
        with without_cycles():
            if self.by_lines or self.webmail:
                self._read_lines(block, Part(0, len(block)), use)
            else:
                for part in day_part.parts(block, self.calendar):
                    self._read_part(block, part, use)
        # The hash of a session's id is needed only for those that stay open beyond the block.
        for (host, session), entry in self._opened.items():
            self.pending.sessions[host, hashed(session)] = entry
        self._opened.clear()
        self._keep_told()
        use.bad.sort()
        return use

    def _read_part(self, block: bytes, part: Part, use: Use) -> None:
        if self._read_at_once(block, part, use):
            return
        for smaller in part.cut(block) if part.stamp else (part,):
            if not self._read_at_once(block, smaller, use):
                self._read_lines(block, smaller, use)

    def _read_at_once(self, block: bytes, part: Part, use: Use) -> bool:
        hits = self._envelopes.find(block, part, self.domains) if part.stamp else None
        return hits is not None and self._take(hits, part.day, use)

    def _read_lines(self, block: bytes, part: Part, use: Use) -> None:
        self._read_sessions(block, part, use)
        self._read_mails(block, part, use)

    # -- line by line ------------------------------------------------------------------------------------------------

    def _read_sessions(self, block: bytes, part: Part, use: Use) -> None:
        for found in _in_order(block, part, _LOGIN, _END, _START):
            if found.re is _LOGIN:
                if (head := self._head(block, found, _DOVECOT, use)) is None:
                    continue
                day, host = head
                user, session = found.groups()
                entry = self._entry(user, day)
                if entry[1]:
                    use.sessions[day, entry[1]] += 1
                if session is not None and (entry[1] or entry[2]):
                    self._opened[host, session] = entry
            elif found.re is _END:
                if (head := self._head(block, found, _DOVECOT, use)) is not None:
                    self._end(head[1], found[1], head[0], use)
            else:
                if (head := self._head(block, found, _MASTER, use)) is None:
                    continue
                # A server that starts has no sessions: those without an end line count on their first day alone.
                for key in [key for key in self._opened if key[0] == head[1]]:
                    del self._opened[key]
                for name in [name for name in self.pending.sessions if name[0] == head[1]]:
                    del self.pending.sessions[name]

    def _end(self, host: str, session: bytes, day: int, use: Use) -> None:
        """Count the days of a session after its first one, up to its end."""
        ended = self._opened.pop((host, session), None)
        if ended is None and self.pending.sessions:
            ended = self.pending.sessions.pop((host, hashed(session)), None)
        if ended is not None and ended[0] < day <= self._horizon(ended[0]):
            for later in days(plus_days(ended[0], 1), day):
                if pseudonym := pseudonym_on(ended, later):
                    use.sessions[later, pseudonym] += 1

    def _read_mails(self, block: bytes, part: Part, use: Use) -> None:
        pending = self.pending
        removed: set[Queue] = set()
        for found in _in_order(block, part, _CLIENT, _PICKUP, _FROM, _REMOVED, *_DELIVERIES):
            if (head := self._head(block, found, _POSTFIX, use)) is None:
                continue
            day, host = head
            key = host, found[1].decode()
            if found.re is _FROM:
                self._accept(key, day, found[2], use)
            elif found.re is _REMOVED:
                removed.add(key)
                pending.close(key)
                self._told.pop(key, None)
            elif found.re in _DELIVERIES:
                if queued := _QUEUED.search(found[5]) if found[4] else None:
                    again = host, queued[1].decode()
                    self._link(key, again, day, use)
                    if again in removed:
                        pending.accepted.pop(again, None)
                        pending.linked.pop(again, None)
                else:
                    self._deliver(key, day, found[2], self.domains[found[3] or b""], use)
            else:
                opened = self._client(found, day)
                if opened is None and day <= plus_days(pending.linked.get(key, 19_700_101), 1):
                    continue  # a filter's answer that names the id was written first: it is the same message
                # A queue id that comes again is another message.
                pending.close(key)
                pending.unlinked.pop(key, None)
                self._told.pop(key, None)
                if opened is not None:
                    pending.mails[key] = opened

    def _accept(self, key: Queue, day: int, sender: bytes, use: Use) -> None:
        """Count a mail at the first `from=` of its queue id's life; the life goes on until it is removed."""
        entry = self.pending.mails.pop(key, None)
        if entry is None or not entry[0] <= day <= self._horizon(entry[0]):
            if not sender:  # a bounce, under an id that came again
                self.pending.accepted.pop(key, None)
            return
        pseudonym = ""
        if sender:
            trusted = not entry[1] and not entry[2]
            pseudonym = self.name(sender, day) if trusted else pseudonym_on(entry, day)
        if pseudonym:
            use.sent[day, pseudonym] += 1
        self.pending.accepted[key] = day, pseudonym

    def _link(self, key: Queue, queued: Queue, on_day: int, use: Use) -> None:
        """Let the queue id under which a content filter handed a mail back inherit the sender of the mail."""
        mail = self.pending.accepted.get(key)
        if mail is not None:
            self.pending.accepted[queued] = mail
            self.pending.linked[queued] = on_day
            day, outside, free = self.pending.unlinked.pop(queued, (mail[0], 0, 0))
            if mail[0] <= day <= self._horizon(mail[0]):
                use.deliver(mail, outside, free)

    def _deliver(self, key: Queue, day: int, recipient: bytes, kind: int, use: Use) -> None:
        """Count a delivery outside government domains, at once or, if the sender is not known yet, once it is.

        A line that comes again, as a syslog relay may write it, is the same delivery.
        """
        told = self._told.setdefault(key, {}) if kind else {}
        if not kind or recipient.lower() in told or self._was_told(key, day, recipient.lower()):
            return
        told[recipient.lower()] = day
        mail = self.pending.accepted.get(key)
        if mail is None:
            _, outside, free = self.pending.unlinked.get(key, (day, 0, 0))
            self.pending.unlinked[key] = day, outside + 1, free + (kind == FREE)
        elif mail[0] <= day <= self._horizon(mail[0]):
            use.deliver(mail, 1, int(kind == FREE))

    def _was_told(self, key: Queue, day: int, recipient: bytes) -> bool:
        began, marks = self.pending.told.get(key, (day, frozenset[str]()))
        return began // 100 == day // 100 and bool(marks) and self._mark(key, day, recipient) in marks

    def _mark(self, key: Queue, day: int, recipient: bytes) -> str:
        """Return what a recipient of a mail is known by: it tells nothing without the month's key."""
        return self.name(b"%b/%b" % (key[1].encode(), recipient), day)[:_MARK]

    def _keep_told(self) -> None:
        """Keep marks of the recipients that this block told of mails that are open still."""
        kept = self.pending.told
        for key, recipients in self._told.items():
            if key in self.pending.accepted or key in self.pending.unlinked:
                for recipient, day in recipients.items():
                    began, marks = kept.get(key, (day, frozenset[str]()))
                    mark = frozenset((self._mark(key, day, recipient),)) - {""}
                    kept[key] = (began, marks | mark) if began // 100 == day // 100 else (day, mark)
        self._told.clear()

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

    # -- a day at once -----------------------------------------------------------------------------------------------

    def _take(self, hits: Hits, day: int, use: Use) -> bool:
        """Count what a part of one day told; return False, and count nothing, if its order counts."""
        host, mail_host = self._envelopes.host_of(LOGIN), self._envelopes.host_of(POSTFIX)
        if host is None or mail_host is None or len(hits.sessions) < hits.with_id:
            return False
        pending = self.pending
        queues = (pending.mails, pending.accepted, pending.unlinked, pending.linked)
        mails = _sorted(hits, self.domains, {name.encode() for kept in queues for at, name in kept})
        if mails is None:
            return False
        names = self._names_on(day)
        for user, count in hits.users():
            if pseudonym := names[user]:
                use.sessions[day, pseudonym] += count
        self._take_sessions(hits.sessions, hits.ended, day, host, use)
        self._take_mails(mails, day, mail_host, use)
        use.hits += hits.count
        return True

    def _names_on(self, day: int) -> "_Names":
        if self._names.day // 100 != day // 100 or len(self._names) > _NAMES:
            self._names = _Names(self.name, day)
        return self._names

    def _take_sessions(self, begun: dict[bytes, bytes], ended: set[bytes], day: int, host: str, use: Use) -> None:
        for session in ended - begun.keys():
            self._end(host, session, day, use)
        for session in begun.keys() - ended:
            entry = self._entry(user_of(begun[session]), day)
            if entry[1] or entry[2]:
                self._opened[host, session] = entry

    def _take_mails(self, mails: "_Mails", day: int, host: str, use: Use) -> None:
        pending, official, said = self.pending, mails.official, mails.said
        names = self._names_on(day)
        accepted: dict[bytes, str] = {}
        for queue, user in official.items():
            if b" %b: from=<" % queue in said:
                accepted[queue] = names[user]
            elif b" %b: from=<>" % queue in said:
                accepted[queue] = ""
            elif (entry := self._entry(user, day))[1] or entry[2]:
                pending.mails[host, queue.decode()] = entry
        for key in [key for key in pending.mails if key[0] == host]:
            if (queue := key[1].encode()) not in official:
                if b" %b: from=<" % queue in said:
                    self._accept(key, day, b"?", use)
                elif b" %b: from=<>" % queue in said:
                    self._accept(key, day, b"", use)
        for pseudonym, count in Counter(accepted.values()).items():
            if pseudonym:
                use.sent[day, pseudonym] += count

        handed_on = {queue for queue, _ in mails.handed_on}
        still_open = {queue for queue in accepted if b" %b: removed" % queue not in said}
        for queue in still_open | handed_on & accepted.keys():
            pending.accepted[host, queue.decode()] = day, accepted[queue]
        for queue, queued in mails.handed_on:
            self._link((host, queue.decode()), (host, queued.decode()), day, use)
        for (queue, recipient), kind in mails.delivered.items():
            if queue in still_open or queue not in accepted:
                self._deliver((host, queue.decode()), day, recipient, kind, use)
            else:
                use.deliver((day, accepted[queue]), 1, int(kind == FREE))
        for kept in (pending.mails, pending.accepted, pending.linked, pending.told, self._told):
            for key in [key for key in kept if key[0] == host and b" %b: removed" % key[1].encode() in said]:
                del kept[key]

    # -- both --------------------------------------------------------------------------------------------------------

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
        cut = cut_of(head)
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
        if found.re is _LOGIN:
            self._envelopes.learn(LOGIN, rest, host)
        elif (program := _PROGRAMS.get(found.re)) is not None:
            self._envelopes.learn(POSTFIX, rest + program, host)
        return day, host


class _Names(dict[bytes, str]):
    """Pseudonyms of user names in the month of a local day."""

    def __init__(self, name: Name, day: int) -> None:
        super().__init__()
        self.day = day
        self._name = name

    def __missing__(self, user: bytes) -> str:
        pseudonym = self[user] = self._name(user, self.day)
        return pseudonym


@dataclass(frozen=True, slots=True)
class _Mails:
    """What the lines of a part say of its queue ids.

    `said` as in Hits, `official` the authenticated users, `delivered` what is outside or to free mail, by recipient,
    and `handed_on` what a content filter took, and under which id it came back.
    """

    said: set[bytes]
    official: dict[bytes, bytes]
    delivered: dict[tuple[bytes, bytes], int]
    handed_on: list[tuple[bytes, bytes]]


def _sorted(hits: Hits, domains: Domains, before: set[bytes]) -> _Mails | None:
    """Sort lines by what they say; None if an id, as one of those `before`, may have two lives: then order counts."""
    said, begun = set(hits.said), set(hits.begun)
    if len(begun) < len(hits.begun) or not begun.isdisjoint(before) or b"" in hits.official.values():
        return None
    if len(said) < len(hits.said):  # a retry says the same again, an end does not
        removed = [line for line in hits.said if line[-1:] == b"d"]
        if len(set(removed)) < len(removed):
            return None
    if any(b" %b: from=<>" % queue in said for queue in before):
        return None
    if any(b" %b: from=<>" % queue in said and b" %b: from=<" % queue in said for queue in hits.official):
        return None
    mails = _Mails(said, hits.official, {}, [])
    for line in hits.delivered:
        if (found := _DELIVERED.match(line)) is not None:
            queue, recipient, domain, loopback, answer = found.groups()
            if loopback and (queued := _QUEUED.search(answer)):
                mails.handed_on.append((queue, queued[1]))
            elif kind := domains[domain or b""]:
                mails.delivered[queue, recipient.lower()] = kind
    return mails


def _in_order(block: bytes, part: Part, *patterns: re.Pattern[bytes]) -> Iterable[re.Match[bytes]]:
    found = [(match.start(), match) for pattern in patterns for match in pattern.finditer(block, part.start, part.end)]
    found.sort(key=_place)
    return (match for _, match in found)


def _place(found: tuple[int, re.Match[bytes]]) -> int:
    return found[0]
