"""Reads a chain of log files piece by piece, from where the last run stopped, and says what each piece told.

A piece is a range of bytes of one file that ends with a complete line. A range that was read before is read again as
exactly the same range, so that its rows replace themselves; what has never been read is cut at 8 MiB.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import repeat
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from collector.contract.connector import BadRow, Row, Span
from collector.contract.door import Files
from collector.contract.errors import TryAgain, UnexpectedAnswer
from collector.contract.period import day_start, days, local_day, plus_days
from collector.contract.records import MailboxDay
from connectors.email import pending, zimbra_lines
from connectors.email.domains import Domains
from connectors.email.lines import Name, Reader, Use, without_cycles
from connectors.email.pending import DAYS, Pending
from connectors.email.rotation import Folder, Member, not_whole, read
from connectors.email.stamps import DAY, Calendar, has_time
from connectors.email.understood import stretches

BLOCK = 8 << 20
LONGEST = 1 << 20

# The C library gives what it frees back to the system and asks for it again with each block, a page fault for every
# 4 KiB of it, unless it has once seen something larger come and go. This much is asked for, and never touched.
_LARGER = 31 << 20

# Clocks of two processes, and the hour that summer time takes back, may put a new file's first line a little early.
_DISORDER = 3600
_ATTEMPTS = 5

# Whoever copies a file writes to it now and then.
_PATIENCE = 3600

# A mail server that is in use is never still for so long just when its log is rotated: a file is missing.
_SILENCE = 12 * 3600
_NUMBER = re.compile(r"\.(\d{1,4})(?:\.gz)?")
_ROTATED = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})[-_.T]?(\d{2})(\d{2})(\d{2})")
_OF_DAY = re.compile(r"\.(\d{4})-(\d{2})-(\d{2})(?:\.gz)?$")

# A log of another program, or in a form that is not known, shows itself by then.
_STRANGE = 100


@dataclass(slots=True)
class Place:
    """How far a chain has been read: the part of the cursor that belongs to it.

    `file` and `offset` say where, `first` is the instant of that file's first line, `last` of the last line read;
    `seen` is the begin of the last run that came to the end of the newest file. From `unbroken_from` on no line is
    missing; `proven` are the earlier stretches (from, to: instants) of which the same is true. `heard` is the instant
    of the last line of a mail server, and `strange` counts the lines before the first of these; None once there was
    one. `reached` is True once this run has come to the end of the newest file. Of this run alone: what is pending is
    known where lines were read since `whole_from` for long enough (0: since ever); it began with the file `began_with`.
    """

    file: str = ""
    offset: int = 0
    first: int = 0
    last: int = 0
    seen: int = 0
    unbroken_from: int = 0
    proven: list[tuple[int, int]] = field(default_factory=list)
    pending: Pending = field(default_factory=Pending)
    heard: int = 0
    strange: int | None = 0
    reached: bool = False
    whole_from: int = 0
    began_with: str = ""

    def enter(self, member: Member) -> None:
        """Go to the beginning of a file."""
        self.file, self.offset, self.first = member.file, 0, member.first
        self.last = max(self.last, member.first)

    def begin(self, first: int) -> None:
        """Begin a stretch without a gap at an instant."""
        self.unbroken_from = self.heard = first

    def break_off(self, end: int, first: int) -> None:
        """Note that between two instants lines may be missing, or that no mail server wrote any."""
        self.proven.append((self.unbroken_from, end))
        self.begin(first)

    def hear(self, told: Sequence[tuple[int, int]], lines: int, began: int, longest: int) -> None:
        """Note when a block of so many lines tells of a mail server; a silence of over `longest` seconds is a gap."""
        if told:
            self.strange = None
        elif self.strange is not None:
            self.strange += lines
        for first, last in told:
            if first > self.heard + longest:
                self.break_off(self.heard, first)
            # A clock that once ran ahead must not make what follows look old.
            self.heard = max(self.heard, min(last, began))

    def days(self, through: int) -> set[int]:
        """Return the local days, up to `through`, of which no line is missing from before their start to their end.

        A day is over in the log once a mail server writes a later line: a log that nobody copies any more, or into
        which only others write, must not look like one in which nobody logs in.
        """
        unbroken = [*self.proven, (self.unbroken_from, self.heard)] if self.reached else self.proven
        return {
            day
            for begin, end in unbroken
            for day in days(plus_days(local_day(begin), 1), min(through, plus_days(local_day(end), -1)))
        }

    def as_json(self) -> dict[str, Any]:
        """Return what the cursor holds."""
        return {
            "file": self.file,
            "offset": self.offset,
            "first": self.first,
            "last": self.last,
            "seen": self.seen,
            "unbroken_from": self.unbroken_from,
            "proven": [list(stretch) for stretch in self.proven],
            "pending": self.pending.as_json(),
            "heard": self.heard,
            "strange": self.strange,
        }


def place_from_json(document: Mapping[str, Any]) -> Place:
    """Read what `as_json` wrote; also what it wrote before silence was a gap."""
    strange = document.get("strange")
    return Place(
        str(document["file"]),
        int(document["offset"]),
        int(document["first"]),
        int(document["last"]),
        int(document["seen"]),
        int(document["unbroken_from"]),
        [(int(begin), int(end)) for begin, end in document["proven"]],
        pending.from_json(document["pending"]),
        int(document.get("heard", document["last"])),
        None if strange is None else int(strange),
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """What one range of bytes told. `first_day..last_day` are the local days of its first and last line.

    `replaces`: it was read before, and tells all that it ever can: what was pending before it is known.
    """

    span: Span
    rows: Sequence[Row]
    bad: Sequence[BadRow]
    read: int
    first_day: int
    last_day: int
    replaces: bool

    @property
    def name(self) -> str:
        """The range as its rows name it."""
        return _name(self.span)


@dataclass(frozen=True, slots=True)
class Chain:
    """What it takes to read a chain. `spans` are the ranges read before, by file identity.

    `since` is the first local day whose rows are kept, `from_day` the first one that this run needs. `silence` are the
    seconds for which a mail server may write nothing without a gap. `nothing_before` tells whether all that was ever
    read is there still, and begins with a file.
    """

    door: Files
    pattern: str
    zone: ZoneInfo
    name: Name
    webmail: frozenset[bytes]
    domains: Domains
    spans: Mapping[str, Sequence[Span]]
    since: int
    from_day: int
    silence: int
    nothing_before: Callable[[str], bool]


def pieces(chain: Chain, place: Place) -> Iterator[Piece]:
    """Read the chain to the end of its newest file, moving `place` along; each piece is true once it is yielded.

    Raises TryAgain for a file that is shorter than before, or packed only in part, and UnexpectedAnswer for saved
    ranges that do not fit, for files that overlap in time, and for times that are not understood.
    """
    bytes(_LARGER)
    folder = Folder(chain.door, chain.pattern, chain.zone)
    reader = Reader(place.pending, chain.name, chain.webmail, Calendar(chain.zone, place.first), chain.domains)
    read_to: dict[str, int] = {}
    attempts = 0
    while True:
        members = folder.members(_modified_from(chain, place))
        at = _find(chain, place, members)
        if at is None:
            return
        member = members[at]
        if read_to.get(member.file) != member.size:
            if not member.whole:
                raise not_whole(chain.door.source, member.name)
            was_cut = _was_cut(chain, members, at)
            if member.size < place.offset and not was_cut:
                raise _shorter(chain, member)
            reader.calendar = Calendar(chain.zone, place.first)
            if not (yield from _pieces_of(chain, folder, member, place, reader, was_cut=was_cut)):
                attempts += 1
                if attempts == _ATTEMPTS:
                    raise TryAgain(
                        f"the files of {chain.pattern} were renamed again and again while they were read",
                        source=chain.door.source,
                        stage="read",
                    )
                continue
            # Looked at once more before it is left: the next file was seen, so no more lines land in this one.
            read_to[member.file] = member.size
        elif at + 1 < len(members):
            _follow(chain, place, member, members[at + 1])
            continue
        if at + 1 == len(members):
            place.reached, place.seen = True, chain.door.began
            return


def _modified_from(chain: Chain, place: Place) -> int:
    if place.file:
        return place.last - 2 * DAY
    return day_start(plus_days(chain.from_day, -DAYS - 1))


def _find(chain: Chain, place: Place, members: Sequence[Member]) -> int | None:
    """Return where in the chain to read on; None if there is nothing to read."""
    if not members:
        return None
    if not place.file:
        place.enter(members[0])
        place.begin(members[0].first)
        place.whole_from, place.began_with = members[0].first, members[0].file
        return 0
    for at, member in enumerate(members):
        if member.file == place.file:
            return at
    # The file was taken away before it was read to its end: the next one begins a new chain.
    for at, member in enumerate(members):
        if member.file in chain.spans:
            continue
        if member.first >= place.last - _DISORDER:
            _break_off(chain, place, max(place.last, place.seen), member)
            place.enter(member)
            return at
        if member.last > place.last + DAY:
            raise UnexpectedAnswer(
                f"{member.name} begins before what was read already, but with another first line than any file read",
                source=chain.door.source,
                stage="answer",
                field="file",
                mend="Its lines would count twice: give back its first lines, or begin a new log file",
            )
    return None


def _follow(chain: Chain, place: Place, left: Member, member: Member) -> None:
    """Go on to the next file, and note whether one may be missing between."""
    if member.first < place.last - DAY:
        raise UnexpectedAnswer(
            f"{member.name} begins before {left.name} has ended",
            source=chain.door.source,
            stage="answer",
            field="logs",
            mend="Two logs lie side by side: give each a pattern of its own in `logs`",
        )
    ended = max(place.last, place.seen, _rotated_at(chain, left, member))
    numbers = _number(chain, left), _number(chain, member)
    hole = left.size < place.offset or (None not in numbers and numbers[0] != (numbers[1] or 0) + 1)
    adjacent = (None not in numbers and not hole) or _is_day_after(chain, left, member)
    if not adjacent and member.first > ended + (_DISORDER if hole else _SILENCE):
        _break_off(chain, place, ended, member)
    place.enter(member)


def _break_off(chain: Chain, place: Place, end: int, member: Member) -> None:
    """Note that lines may be missing between an instant, up to which the log was seen, and a file's first line."""
    place.break_off(end if end <= place.heard + chain.silence else place.heard, member.first)
    place.whole_from = member.first


def _number(chain: Chain, member: Member) -> int | None:
    """Return the number of a file in `mail.log`, `mail.log.1`, `mail.log.2.gz`; None if it has none."""
    rest = member.name.removeprefix(chain.pattern.rstrip("*"))
    found = _NUMBER.fullmatch(rest)
    return 0 if rest == "" else int(found[1]) if found else None


def _day_of(member: Member) -> date | None:
    """Return the day of a file of Zimbra's in the server's zone: `audit.log.2026-11-09`, or the one it now writes."""
    if not member.zimbra:
        return None
    found = _OF_DAY.search(member.name)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def _is_day_after(chain: Chain, left: Member, member: Member) -> bool:
    """Tell whether two files of Zimbra's are of one day and the next: nothing can lie between."""
    day = _day_of(left)
    after = _day_of(member) or datetime.fromtimestamp(member.first, chain.zone).date()
    return day is not None and after == day + timedelta(days=1)


def _rotated_at(chain: Chain, left: Member, member: Member) -> int:
    """Return the instant at which a file was closed, if its name has it and it can be; else 0."""
    if (content := _day_of(left)) is not None:
        midnight = datetime.combine(content + timedelta(days=1), time(), chain.zone)
        return min(int(midnight.timestamp()), member.first)
    found = _ROTATED.search(left.name)
    if found is None:
        return 0
    try:
        year, month, day, hour, minute, second = (int(part) for part in found.groups())
        closed = int(datetime(year, month, day, hour, minute, second, tzinfo=chain.zone).timestamp())
    except ValueError:
        return 0
    return closed if left.last - _DISORDER <= closed <= member.first + _DISORDER else 0


def _was_cut(chain: Chain, members: Sequence[Member], at: int) -> bool:
    """Tell whether a file that is shorter than before will stay so: its log goes on in the next, and nobody copies it.

    So it is after copytruncate where lines were read that came between the copy and the cut.
    """
    return at + 1 < len(members) and members[at].listed.modified + _PATIENCE < chain.door.began


def _shorter(chain: Chain, member: Member) -> TryAgain:
    # Its bytes are those that were read already: from 0 they would count twice.
    return TryAgain(
        f"{member.name} is shorter than what was read of it before",
        source=chain.door.source,
        stage="read",
        field="file",
        mend="If it is being copied, wait; if it was cut, it is left for the next one an hour after it last changed",
    )


@dataclass(slots=True)
class _Reel:
    """A stream of bytes of which one can look ahead; what was looked at is copied once, when it is taken."""

    stream: Iterator[bytes]
    parts: deque[bytes] = field(default_factory=deque)
    have: int = 0

    def look(self, count: int) -> int:
        """Return how many of so many next bytes there are: fewer only at the end."""
        while self.have < count and (more := next(self.stream, None)) is not None:
            self.parts.append(more)
            self.have += len(more)
        return min(count, self.have)

    def lines(self, count: int) -> int:
        """Return how many of so many next bytes, which were looked at, are whole lines."""
        begin = self.have
        for part in reversed(self.parts):
            begin -= len(part)
            if begin < count and (end := part.rfind(b"\n", 0, count - begin)) >= 0:
                return begin + end + 1
        return 0

    def take(self, count: int) -> bytes:
        """Return so many bytes that were looked at, and go on behind them."""
        taken: list[bytes] = []
        left = count
        while left:
            part = self.parts.popleft()
            if len(part) > left:
                self.parts.appendleft(part[left:])
                part = part[:left]
            taken.append(part)
            left -= len(part)
        self.have -= count
        return b"".join(taken)

    def skip_line(self) -> int | None:
        """Go on behind the next line feed; return by how many bytes, or None if there is none."""
        skipped = 0
        while self.look(1):
            part = self.parts[0]
            end = part.find(b"\n") + 1
            skipped += len(self.take(end or len(part)))
            if end:
                return skipped
        return None


def _pieces_of(
    chain: Chain, folder: Folder, member: Member, place: Place, reader: Reader, *, was_cut: bool
) -> Generator[Piece, None, bool]:
    """Read a member on to its end; return False if its name came to stand for another file.

    Of a saved range whose end `was_cut` away the rows stay; what is left of it is read for what it leaves pending.
    """
    if member.size < place.offset:
        return True
    reel = _Reel(read(chain.door, member, place.offset))
    saved = sorted(chain.spans.get(member.file, ()), key=lambda span: span.start)
    while True:
        start = place.offset
        again, edge = _edges(chain, member, saved, start)
        count = again.end - start if again else min(BLOCK, edge - start) if edge else BLOCK
        have = reel.look(min(count, 2 * BLOCK))
        length = have if again else reel.lines(have)
        long: list[int] = []
        if again and count > have and have < 2 * BLOCK:
            if not was_cut:
                raise _shorter(chain, member)
            left = reel.take(reel.lines(have))
            reader.read(left)
            place.offset += len(left)
            return True
        if count > 2 * BLOCK or (length == 0 and have == BLOCK):
            skipped = reel.skip_line()
            if skipped is None:
                return True
            block, length, long = b"", skipped, [0]
        elif length == 0 and edge is None:
            return True
        else:
            block, long = _without_long_lines(reel.take(length))
        if length == 0 or (again and again.end != start + length):
            raise _overlap(chain, member)
        if not folder.still(member):
            return False
        use = (
            zimbra_lines.read(block, reader.calendar, chain.name, place.pending)
            if member.zimbra
            else reader.read(block)
        )
        _hear(chain, member, place, block, reader.calendar)
        first_day, last_day = _days_of(block, reader.calendar, place, chain.door.began)
        place.offset += length
        place.pending.forget_before(local_day(place.last))
        span = Span(member.file, start, start + length)
        replaces = again is not None and _knows_all(chain, place, first_day, last_day)
        # What was read while all that was pending was known is not replaced by what is read while it is not.
        with without_cycles():
            rows = _rows(use, span, chain.since, 0 if again is None or replaces else -1)
        bad, hits = _bad(use, long, span), use.hits + len(long)
        block, use = b"", Use()  # neither is needed while the rows are saved and the next ones looked at
        yield Piece(span, rows, bad, hits, first_day, last_day, replaces)


def _knows_all(chain: Chain, place: Place, first_day: int, last_day: int) -> bool:
    """Tell whether what was pending before a range of lines is known, if this run needs the range at all."""
    if not place.whole_from or first_day >= plus_days(local_day(place.whole_from), DAYS + 1):
        return True
    return last_day >= chain.from_day and bool(place.began_with) and chain.nothing_before(place.began_with)


def _hear(chain: Chain, member: Member, place: Place, block: bytes, calendar: Calendar) -> None:
    """Note when a block tells of a mail server. UnexpectedAnswer if a log has told of none from its beginning."""
    lines = 0 if place.strange is None else block.count(b"\n")
    place.hear(stretches(block, calendar, chain.silence), lines, chain.door.began, chain.silence)
    if place.strange is not None and place.strange >= _STRANGE:
        raise UnexpectedAnswer(
            f"none of the first {place.strange} lines of {member.name} is one of Postfix, Dovecot or Zimbra",
            source=chain.door.source,
            stage="answer",
            field="logs",
            mend="Name in `logs` the log that the mail server itself writes; leave older files of another program out,"
            " or let the source begin (`from`) with the first day of the mail server",
        )


def _edges(chain: Chain, member: Member, saved: Sequence[Span], start: int) -> tuple[Span | None, int | None]:
    """Return the saved span that begins at a byte, else the beginning of the next one."""
    for span in saved:
        if span.start == start:
            return span, None
        if span.start < start < span.end:
            raise _overlap(chain, member)
        if span.start > start:
            return None, span.start
    return None, None


def _overlap(chain: Chain, member: Member) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"the ranges of {member.name} that were saved do not fit what is to be read",
        source=chain.door.source,
        stage="answer",
        field="span",
        mend="Collect the days of this file again with --from and --to",
    )


def _without_long_lines(block: bytes) -> tuple[bytes, list[int]]:
    """Blank out lines over 1 MiB; return the block, of the same length, and where they began."""
    step = LONGEST // 2
    # Such a line fills at least one of the half mebibytes wholly.
    if all(block.find(b"\n", at, at + step) >= 0 for at in range(0, len(block) - step, step)):
        return block, []
    lines, long, at = [], [], 0
    for line in block.split(b"\n"):
        if len(line) > LONGEST:
            long.append(at)
        lines.append(line if len(line) <= LONGEST else bytes(len(line)))
        at += len(line) + 1
    return b"\n".join(lines), long


def _days_of(block: bytes, calendar: Calendar, place: Place, began: int) -> tuple[int, int]:
    first_line = next((line for line in block[: 1 << 16].split(b"\n") if has_time(line)), b"")
    last_line = next((line for line in reversed(block[-(1 << 16) :].split(b"\n")) if has_time(line)), b"")
    first = calendar.instant(first_line.lstrip(b"\0"))
    last = calendar.instant(last_line.lstrip(b"\0"))
    begun = local_day(place.last if first is None else first)
    # A clock that once ran ahead must not make what follows look old.
    place.last = max(place.last, place.last if last is None else min(last, began))
    return begun, local_day(place.last)


def _name(span: Span) -> str:
    return f"{span.file[:16]}:{span.start}-{span.end}"


def _rows(use: Use, span: Span, since: int, version: int) -> list[Row]:
    name = _name(span)
    told = (use.sessions, use.sent, use.outside, use.free)
    by_day: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for seen in set().union(*told):
        by_day[seen[0]].append(seen)
    rows: list[Row] = []
    for day in sorted(by_day):
        if day >= since:
            seen_then = sorted(by_day[day], key=itemgetter(1))
            counts = zip(*(map(one.get, seen_then, repeat(0)) for one in told), strict=True)
            rows += [
                (f"{day}:{mailbox}:{name}", "", version, 0, mailbox, day, name, *some)
                for (_, mailbox), some in zip(seen_then, counts, strict=True)
            ]
    return rows


def _bad(use: Use, long: Sequence[int], span: Span) -> list[BadRow]:
    def bad(offset: int, field_name: str, reason: str) -> BadRow:
        return BadRow(MailboxDay, f"{span.file[:16]}:{span.start + offset}", field_name, reason)

    return [
        *(bad(offset, "line", "the line is longer than 1 MiB") for offset in long),
        *(bad(offset, "time", "the line begins with no time that is known") for offset in use.bad),
    ]
