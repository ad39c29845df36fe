"""Make the event ledger of the sample province: what happened there, decided by a seed and nothing else.

Each agency draws from streams of its own (`seed`, agency, subject), so that fewer agencies give the same events
for those that remain. The ledger says only what the systems can prove: on a day whose log is lost it has nothing.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from collector.contract import period
from collector.demo import awkward, correspondence, declared, phu_tho, quotas
from collector.demo.days_off import days_off
from collector.demo.ledger import (
    Agency,
    Document,
    Dossier,
    Ledger,
    Mail,
    Mailbox,
    OwnReport,
    Pause,
    Procedure,
    Promise,
    Recipient,
    Session,
    Source,
    Stretch,
    Watch,
)

LAST_DAY = 20260228
NOW = period.day_start(20260301) + 8 * 3600  # 2026-03-01 08:00 local
RESTART = period.day_start(20260118) + 3 * 3600  # the mail server's start: every open session ends unseen before it

LOST_LOG_DAY = 20260211  # of mail-viettri: that day's log was never copied
LAST_LIST_VIETTRI = 20260224  # its mailbox lists stop here
THANHSON_SINCE = 20260112  # its one-stop system opened its interface on this day
THANHSON_WATCHED = 20260114  # and was asked whether it answers from 10:00 on this one on: no whole day

REPORT_MADE = period.day_start(20260301) + 90 * 60  # the province's one-stop system counts itself at night

ADDED_BY_HAND = {"H44.31.03": 2}
TYPED_BY_HAND = {"H44.31.04": "93.1"}
"""An agency whose clerk adds what is in no system, and one that prints last year's percentage."""

CLOSES_AT_THE_END = frozenset({"H44.31.05"})
"""An agency that closes what it can on the month's last working day."""

DAY, HOUR, MINUTE = 86_400, 3600, 60


def stream(seed: int, *names: str | int) -> random.Random:
    """Return a source of chance of its own for a seed and a name: the same on every machine."""
    return random.Random(":".join(str(name) for name in (seed, *names)))  # noqa: S311 - a sample, no secret


# -- who there is ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Temper:
    """How an agency behaves: shares between 0 and 1, volumes per working day."""

    provided: float  # officials who have a mailbox
    uses_mail: float  # a mailbox opened on a working day
    electronic: float  # a recipient inside the province reached electronically
    electronic_outside: float
    paper_too: float
    documents: float  # per working day
    dossiers: float
    punctual: float
    online: float


@dataclass(frozen=True, slots=True)
class Quirk:
    """What is special about one agency, so that every state of every figure occurs."""

    why: str
    headcount: int | None = -1  # -1: nothing special
    only_shared: bool = False
    unknown_kinds: float = 0.0
    documents: bool = True
    only_internal: bool = False
    paper_unknown: float = 0.0015
    signature_unknown: float = 0.0015
    answer_unknown: float = 0.0015
    recall_unknown: float = 0.0015
    recipient_unknown: float = 0.0015
    dossiers: bool = True
    without_due: float = 0.004
    channel_unknown: float = 0.002
    procedures: str = ""  # information | unknown
    old_codes: float = 0.05
    ticks_unknown: float = 0.002
    due_times: bool = True


QUIRKS: dict[str, Quirk] = {
    "H44.17": Quirk(
        "neither sends nor gets documents, and handles no dossiers: nothing to judge", documents=False, dossiers=False
    ),
    "H44.18": Quirk("writes to agencies of the province only: no external documents", only_internal=True),
    "H44.20": Quirk("its officials are on another payroll: headcount 0", headcount=0),
    "H44.08": Quirk("its clerks leave the paper flag empty too often", paper_unknown=0.2),
    "H44.09": Quirk("its clerks leave the due date empty too often", without_due=0.2),
    "H44.19": Quirk("all its procedures are described online, none can be filed there", procedures="information"),
    "H44.31.01": Quirk("a third of its mailboxes have no kind", unknown_kinds=0.33),
    "H44.32": Quirk("one mailbox in five has no kind", unknown_kinds=0.2),
    "H44.35.06": Quirk("every tenth recall is neither confirmed nor refused", recall_unknown=0.1),
    "H44.37.05": Quirk("its headcount was never reported", headcount=None),
    "H44.38": Quirk(
        "one recipient in eight is reached in a way that the register does not know", recipient_unknown=0.12
    ),
    "H44.39": Quirk(
        "one channel code in eight is unknown, and as many ticks of papers, results and fees are left out",
        channel_unknown=0.12,
        ticks_unknown=0.12,
    ),
    "H44.41.02": Quirk("never promises a due date", without_due=1.0),
    "H44.41.03": Quirk(
        "never fills the flags of paper and signature", paper_unknown=1.0, signature_unknown=1.0, recipient_unknown=0.0
    ),
    "H44.42.06": Quirk("has only shared mailboxes", only_shared=True),
    "H44.41.05": Quirk("answers with codes that the register cannot explain", answer_unknown=1.0),
    "H44.43.03": Quirk(
        "uses procedure codes of its own, and tells nothing of papers, results and fees",
        procedures="unknown",
        ticks_unknown=1.0,
    ),
    "H44.43.04": Quirk(
        "neither sends nor gets documents, and handles no dossiers: nothing to judge", documents=False, dossiers=False
    ),
    "H44.36": Quirk(
        "still writes the old organ codes, and due dates without a time of day", old_codes=1.0, due_times=False
    ),
}
_PLAIN = Quirk("")

FEW_MAILBOXES = {"H44.18": (4, 0), "H44.32.01": (2, 1)}
"""Agencies of so few mailboxes (personal, shared) that a figure would be about persons."""

UNLIMITED_MAILBOXES = frozenset({"H44.33.03"})
QUOTA_UNTOLD = {"H44.04": 0.25}
ONLY_INSIDE = frozenset({"H44.33.02"})
"""An agency whose mailboxes have no limit, one whose limits are told of three in four, one that writes to the state."""

IN_ANOTHERS_DOMAIN = {"H44.32.02": ("hungvuong", f"txphutho.{phu_tho.MAIL}")}
"""An agency without a mail domain: its mailboxes are `*.<label>@` the domain of another one."""

LISTS_WITHOUT_SIZES = "mail-viettri"

NOT_ON_MAIL = frozenset({"H44.25"})
NOT_ON_DOCUMENTS = frozenset({"H44.24", "H44.26", "H44.43.05"})
VIETTRI = "H44.31"
THANHSON = "H44.42"

UNKNOWN_CODES = ("H44.77", "000.00.88.H44", "H28.05")
UNKNOWN_DOMAIN = f"phongtruyenthong.{phu_tho.MAIL}"


def _district_of(code: str) -> str:
    return code[:6]


def all_agencies() -> list[Agency]:
    """Return every agency of the register, block by block."""

    def agency(code: str, name: str, block: str, label: str, low: int, high: int) -> Agency:
        quirk = QUIRKS.get(code, _PLAIN)
        headcount = stream(0, code, "headcount").randint(low, high) if quirk.headcount == -1 else quirk.headcount
        numbers = code.split(".")[1:]
        old = f"000.00.{numbers[0]}.H44" if len(numbers) == 1 else f"000.{numbers[1]}.{numbers[0]}.H44"
        return Agency(code, old, name, block, headcount, f"{label}.{phu_tho.MAIL}")

    found = []
    for number, (label, name) in enumerate(phu_tho.DEPARTMENTS, 1):
        found.append(agency(f"H44.{number:02d}", name, "departments", label, 38, 95))
    for number, (label, name) in enumerate(phu_tho.VERTICAL, 21):
        found.append(agency(f"H44.{number:02d}", name, "vertical", label, 45, 140))
    communes = []
    for number, (label, name, below) in enumerate(phu_tho.DISTRICTS, 31):
        found.append(agency(f"H44.{number:02d}", name, "districts", label, 85, 140))
        for place, (commune_label, commune_name) in enumerate(below, 1):
            code = f"H44.{number:02d}.{place:02d}"
            communes.append(agency(code, commune_name, "communes", f"{commune_label}.{label}", 13, 22))
    return found + communes


def fair_share(agencies: list[Agency], count: int | None) -> list[Agency]:
    """Return `count` agencies, each block in proportion, in the order of their codes; all if `count` is None."""
    if count is None or count >= len(agencies):
        return sorted(agencies, key=lambda one: one.code)
    places: list[tuple[float, int, Agency]] = []
    for block in ("departments", "vertical", "districts", "communes"):
        members = [one for one in agencies if one.block == block]
        places += [((place + 0.5) / len(members), place, one) for place, one in enumerate(members)]
    chosen = sorted(places, key=lambda entry: (entry[0], entry[2].code))[:count]
    return sorted((one for _, _, one in chosen), key=lambda one: one.code)


def _temper(seed: int, agency: Agency) -> Temper:
    chance = stream(seed, agency.code, "temper")
    diligence = chance.betavariate(5, 2.2)  # one character shows in everything that an agency does

    def near(low: float, high: float) -> float:
        return min(0.995, max(0.02, low + (high - low) * (0.65 * diligence + 0.35 * chance.random())))

    size = {
        "departments": (12.0, 7.5),
        "vertical": (8.0, 0.0),
        "districts": (15.0, 10.5),
        "communes": (4.2, 3.1),
    }[agency.block]
    commune = agency.block == "communes"
    return Temper(
        provided=near(0.55, 1.0) if commune else near(0.82, 1.0),
        uses_mail=near(0.25, 0.8) if commune else near(0.5, 0.97),
        electronic=near(0.75, 0.995),
        electronic_outside=near(0.55, 0.97),
        paper_too=0.4 - near(0.02, 0.38),
        documents=size[0] * chance.uniform(0.6, 1.4),
        dossiers=size[1] * chance.uniform(0.6, 1.4),
        punctual=near(0.8, 0.998),
        online=near(0.3, 0.95),
    )


# -- the calendar ------------------------------------------------------------------------------------------------


class Calendar:
    """Working days as positions in a list: the day that is so many working days later."""

    def __init__(self, off: list[int]) -> None:
        away = set(off)
        year = off[0] // 10_000
        end = off[-1] // 10_000
        self.working = [day for day in period.days(year * 10_000 + 101, end * 10_000 + 1231) if day not in away]

    def plus(self, day: int, count: int) -> int:
        """Return the working day `count` working days after `day` (which may be a day off)."""
        return self.working[bisect_right(self.working, day) - 1 + count]

    def between(self, first: int, last: int) -> list[int]:
        """Return the working days from `first` to `last`, both included."""
        return self.working[bisect_left(self.working, first) : bisect_right(self.working, last)]


# -- mail -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Post:
    mailboxes: list[Mailbox] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)


def _addresses(chance: random.Random, domain: str, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        family, middle, given = (
            chance.choice(phu_tho.FAMILY_NAMES),
            chance.choice("abdhklmnptv"),
            chance.choice(phu_tho.GIVEN_NAMES),
        )
        local = f"{given}.{family[0]}{middle}"
        if f"{local}@{domain}" in found:
            local += str(len(found))
        found[f"{local}@{domain}"] = None
    return list(found)


_SHARED = ("vanthu", "lanhdao", "motcua", "banbientap", "congdoan", "hop")


def _mailboxes(
    chance: random.Random, agency: Agency, source: str, temper: Temper, quirk: Quirk, span: "Span"
) -> Iterator[Mailbox]:
    """Yield an agency's mailboxes: personal ones, shared ones, a few that are created or locked on the way."""
    label, domain = IN_ANOTHERS_DOMAIN.get(agency.code, ("", agency.mail_domain))

    def own(address: str) -> str:
        return f"{address.partition('@')[0]}.{label}@{domain}" if label else address

    few = FEW_MAILBOXES.get(agency.code)
    people = few[0] if few else max(6, round((agency.headcount or 14) * temper.provided))
    if quirk.only_shared:
        people = 0
    kept = 5  # so many stay open from the first day to the last, or a figure could be about one person
    for place, address in enumerate(_addresses(chance, agency.mail_domain, people)):
        kind = None if place >= kept and chance.random() < quirk.unknown_kinds else "personal"
        created, locked = span.first, None
        if chance.random() < 0.7:
            created = period.plus_days(span.first, -chance.randint(30, 2000))
        fate = chance.random()
        if place >= kept and span.change_days and fate < 0.03:
            locked = chance.choice(span.change_days)
        elif place >= kept and span.change_days and fate < 0.06:
            created = chance.choice(span.change_days)
            if fate < 0.034 and created < span.change_days[-1]:
                locked = span.change_days[-1]
        yield Mailbox(source, own(address), agency.code, kind, created, locked)
    shared = chance.randint(2, 5)
    for name in _SHARED[: few[1] if few else shared]:
        yield Mailbox(source, own(f"{name}@{agency.mail_domain}"), agency.code, "shared", span.first, None)


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a source, and those on which its administrators change mailboxes."""

    first: int
    last: int
    lost: frozenset[int]
    days: tuple[int, ...]
    working: frozenset[int]
    change_days: tuple[int, ...]


def _use(chance: random.Random, box: Mailbox, temper: Temper, span: Span, starts: dict[int, int], post: _Post) -> None:
    """Add what a mailbox did: sessions and mails on each day on which it was open."""
    habit = min(0.99, temper.uses_mail * (0.55 + 0.9 * chance.random()))
    if box.kind == "shared":
        habit = 0.6
    mails_a_day = 0.08 + 0.3 * chance.random()
    random_ = chance.random
    for day in span.days:
        if random_() >= (habit if day in span.working else 0.04 * habit):
            continue
        if day < box.created_day or (box.locked_day is not None and day >= box.locked_day) or day in span.lost:
            continue
        start = starts[day]
        kind = random_()
        if kind < 0.02:  # a mail sent, the mailbox never opened
            post.mails.append(Mail(box.address, start + int(8 * HOUR + random_() * 8 * HOUR), 1))
            continue
        begin = start + int(7.2 * HOUR + random_() ** 1.6 * 9 * HOUR)
        if kind < 0.97:
            post.sessions.append(Session(box.address, begin, begin + int(5 * MINUTE + random_() * 3.5 * HOUR)))
            if kind < 0.08:
                again = begin + int(4 * HOUR + random_() * 2 * HOUR)
                post.sessions.append(Session(box.address, again, again + int(60 + random_() * HOUR)))
        else:
            _odd_session(kind, box.address, day, start, span, post)
        if random_() < mails_a_day:
            attempts = 1 if random_() < 0.985 else 2 + int(random_() * 4)
            accepted = start + int(8 * HOUR + random_() * 8.5 * HOUR)
            post.mails.append(Mail(box.address, accepted, attempts))


def _odd_session(kind: float, address: str, day: int, start: int, span: Span, post: _Post) -> None:
    """Add a session at night, across midnight, over three days or without an end."""
    if kind < 0.977:
        begin, end = start + 20 * MINUTE, start + 50 * MINUTE  # 00:20
    elif kind < 0.984:
        begin, end = start + 23 * HOUR + 40 * MINUTE, start + 23 * HOUR + 55 * MINUTE  # 23:40
    elif kind < 0.992:
        begin, end = start + 23 * HOUR + 40 * MINUTE, start + DAY + 20 * MINUTE  # 23:40 to 00:20
    elif kind < 0.996:
        begin, end = start + 16 * HOUR, start + 2 * DAY + 9 * HOUR  # over three days
    else:
        begin, end = start + 9 * HOUR, None
    last = period.local_day(end) if end else day
    if end is None and day > period.plus_days(span.last, -10):
        end = begin + HOUR  # too near to the log's end to know that it never ends
    if (end is not None and (begin < RESTART < end or end > NOW - HOUR)) or any(
        day <= lost <= last for lost in span.lost
    ):
        begin, end = start + 9 * HOUR, start + 10 * HOUR
    post.sessions.append(Session(address, begin, end))


def _unknown_mailboxes(chance: random.Random, source: str, span: Span) -> list[Mailbox]:
    return [
        Mailbox(source, address, None, "personal", period.plus_days(span.first, -400), None)
        for address in _addresses(chance, UNKNOWN_DOMAIN, 9)
    ]


def _early_sessions(boxes: list[Mailbox], first: int, post: _Post) -> None:
    """Add sessions that began on the evening before the first day and ended on it."""
    start = period.day_start(first)
    for place, box in enumerate(boxes[::97][:12]):
        if box.created_day < first and box.kind == "personal":
            post.sessions.append(Session(box.address, start - 20 * MINUTE, start + (10 + place) * MINUTE))


# -- documents ---------------------------------------------------------------------------------------------------

_OUTSIDE = ("G22", "G01.32", "G09", "H26.03", "H40", "H62.11", "H28.07", "000.00.00.G22", "H01.5")


def _count(chance: random.Random, mean: float) -> int:
    """Return a whole number near `mean`: its whole part plus chance, spread a little."""
    spread = mean * (0.5 + chance.random())
    return int(spread) + (chance.random() < spread % 1)


def _documents(
    chance: random.Random, agency: Agency, temper: Temper, quirk: Quirk, others: list[str], days: list[int]
) -> Iterator[Document]:
    """Yield an agency's documents of its working days, each with the id left empty."""
    random_ = chance.random
    for day in days:
        for _ in range(_count(chance, temper.documents)):
            note, deleted, issued = "", False, day
            written = agency.code
            if random_() < quirk.old_codes:
                written, note = agency.old_code, "old organ code"
            if random_() < 0.32:
                yield Document("documents", "", agency.code, written, "in", day, [], None, 0, random_() < 0.01, note)
                continue
            recipients, note = _recipients(chance, temper, quirk, others, note)
            paper: int | None = 1 if random_() < temper.paper_too else 0
            recalled: int | None = 0
            dice = random_()
            if random_() < quirk.paper_unknown:
                paper, note = None, note or "paper flag unknown"
            elif paper == 1:
                note = note or "paper too"
            if dice < 0.015:
                recalled, note = 1, "recalled"
            elif dice < 0.015 + quirk.recall_unknown:
                recalled, note = None, "recall unknown"
            elif dice > 0.99:
                deleted, note = True, "deleted"
            elif dice > 0.987:
                issued, note = 0, "not issued yet"
            yield Document(
                "documents",
                "",
                agency.code,
                written,
                "out",
                issued or None,
                recipients,
                paper,
                recalled,
                deleted,
                note,
            )


def _recipients(
    chance: random.Random, temper: Temper, quirk: Quirk, others: list[str], note: str
) -> tuple[list[Recipient], str]:
    random_ = chance.random
    found = []
    if not quirk.only_internal and random_() < 0.001:
        return [], "no recipient"
    external = not quirk.only_internal and random_() < 0.38
    for place in range(1 + int(random_() ** 3 * 4)):
        outside: int | None = int(external and (place == 0 or random_() < 0.4))
        share = temper.electronic_outside if outside else temper.electronic
        electronic: int | None = int(random_() < share)
        code: str | None = chance.choice(_OUTSIDE if outside else others)
        if random_() < quirk.recipient_unknown:
            electronic, note = None, "way of sending unknown"
        elif not quirk.only_internal and random_() < 0.0008:
            outside, code, note = None, None, "recipient unknown"
        found.append(Recipient(code, outside, electronic))
    return found, note


def _numbered(drafts: list[Document], seed: int) -> list[Document]:
    """Give each document its id in the order of the days, as a register would."""
    order = stream(seed, "document ids")
    keyed = sorted(((draft.issued_day or LAST_DAY, order.random(), draft) for draft in drafts), key=lambda e: e[:2])
    return [replace(draft, id=str(number)) for number, (_, _, draft) in enumerate(keyed, 100_001)]


def _finished(drafts: list[Document], seed: int, calendar: Calendar) -> Iterator[Document]:
    """Say how documents went on: outgoing ones signed and received, incoming ones to be done by a day and done."""
    chance = stream(seed, "signatures and due days")
    random_ = chance.random
    for draft in drafts:
        quirk = QUIRKS.get(draft.agency or "", _PLAIN)
        if draft.direction == "out":
            signed: int | None = int(random_() < 0.86)
            yield replace(
                draft,
                signed=None if random_() < quirk.signature_unknown else signed,
                recipients=[_answered(one, draft.issued_day, chance, calendar) for one in draft.recipients],
            )
        elif draft.issued_day is None or random_() < 0.55:
            yield draft
        else:
            limit = chance.choice((1, 2, 3, 5, 5, 10))
            due = calendar.plus(draft.issued_day, limit)
            done = calendar.plus(draft.issued_day, min(max(0, round(chance.gauss(limit - 1, 2))), 3 * limit))
            finished = done <= LAST_DAY and random_() > 0.05
            recalled = None if random_() < quirk.recall_unknown else int(random_() < 0.01)
            yield replace(draft, due_day=due, completed_day=done if finished else None, recalled=recalled)


def _answered(to: Recipient, sent: int | None, chance: random.Random, calendar: Calendar) -> Recipient:
    """Say whether and when a recipient registered a document, as far as its answer can be read."""
    quirk = QUIRKS.get(to.code or "", _PLAIN)
    if sent is None or to.electronic == 0 or chance.random() < quirk.answer_unknown:
        return to
    day = calendar.plus(sent, chance.choice((0, 0, 0, 1, 1, 1, 1, 2, 3, 6)))
    if day > LAST_DAY or chance.random() < 0.04:
        return replace(to, received=0)
    return replace(to, received=1, received_day=day)


# -- dossiers ----------------------------------------------------------------------------------------------------

# (code, blocks that offer it, level, working days, first day, last day in force)
_CATALOGUE: tuple[tuple[str, str, str, int, int, int | None], ...] = (
    *((f"1.00{number:04d}", "departments", level, limit, 20230101, None)
      for number, level, limit in (
          (1102, "full", 3), (1103, "full", 5), (1247, "partial", 5), (1310, "partial", 7), (1388, "full", 10),
          (1402, "information", 15), (1519, "partial", 20), (1620, "information", 7), (1733, "full", 2),
          (1740, "partial", 15))),
    *((f"2.00{number:04d}", "districts", level, limit, 20230101, None)
      for number, level, limit in (
          (2115, "full", 3), (2116, "partial", 3), (2201, "partial", 5), (2240, "full", 5), (2333, "information", 10),
          (2408, "partial", 15), (2511, "partial", 20), (2600, "full", 7))),
    *((f"3.00{number:04d}", "communes", level, limit, 20230101, None)
      for number, level, limit in (
          (3001, "full", 1), (3002, "partial", 1), (3010, "full", 2), (3044, "partial", 3), (3090, "information", 5),
          (3111, "partial", 5), (3205, "full", 8))),
    ("1.009901", "departments", "full", 5, 20230101, 20260131),  # abolished on the way
    ("2.009902", "districts", "partial", 5, 20260202, None),  # new on the way
)  # fmt: skip

# What one agency offers otherwise than the common catalogue says: code, agency, level, first and last day.
_OWN_LINES: tuple[tuple[str, str, str | None, int, int | None], ...] = (
    ("1.001402", "H44.05", "full", 20260115, None),  # tried out there
    ("1.001519", "H44.07", "information", 20230101, 20260114),
    *((code, "H44.02", None, 20230101, None) for code in ("1.001310", "1.001388", "1.001733")),  # never told
    ("2.002333", "H44.36", "partial", 20260201, None),
    ("1.001733", "H44.10", "partial", 20230101, 20260131),  # and wholly online from February on
    ("1.001733", "H44.10", "full", 20260201, None),
    ("3.003090", "H44.33.01", "partial", 20230101, None),
    ("1.009950", "H44.09", "full", 20260110, 20260220),  # nobody else has it
)

_INFORMATION_ONLY = ("1.001402", "1.001620")
_UNKNOWN_PROCEDURES = ("9.900001", "9.900002", "9.900003")
_LIMITS = {code: limit for code, _, _, limit, _, _ in _CATALOGUE} | dict.fromkeys(_UNKNOWN_PROCEDURES, 5)


@cache
def _offered(block: str, only: str) -> tuple[str, ...]:
    if only:
        return _INFORMATION_ONLY if only == "information" else _UNKNOWN_PROCEDURES
    return tuple(code for code, owner, *_ in _CATALOGUE if owner == block)


def _in_force(procedure: str, day: int) -> bool:
    return all(
        begin <= day and (end is None or day <= end) for code, _, _, _, begin, end in _CATALOGUE if code == procedure
    )


def _instant(chance: random.Random, day: int) -> int:
    """Return an instant in the office hours of a local day."""
    return period.day_start(day) + int(7.5 * HOUR + chance.random() * 9 * HOUR)


def _dossiers(
    chance: random.Random,
    agency: Agency,
    source: str,
    temper: Temper,
    quirk: Quirk,
    calendar: Calendar,
    first: int,
    last: int,
    carried_over: bool,
) -> Iterator[Dossier]:
    """Yield an agency's dossiers, those of the three weeks before the first day (still open on it) included."""
    number = 0
    begin = period.plus_days(first, -21) if carried_over else first
    for day in calendar.between(begin, last):
        for _ in range(_count(chance, temper.dossiers * (0.35 if day < first else 1.0))):
            number += 1
            made = _dossier(chance, agency, source, temper, quirk, calendar, day, last, number)
            ends = made.completed_day or made.ended_day
            if day < first and (ends is not None and ends < first):
                continue  # over before the system knew it
            yield made


def _dossier(
    chance: random.Random,
    agency: Agency,
    source: str,
    temper: Temper,
    quirk: Quirk,
    calendar: Calendar,
    day: int,
    last: int,
    number: int,
) -> Dossier:
    random_ = chance.random
    procedure = chance.choice(_offered(agency.block, quirk.procedures))
    if not _in_force(procedure, day) and random_() < 0.9:
        procedure = _offered(agency.block, quirk.procedures)[0]
    if not quirk.procedures and random_() < 0.004:
        procedure = _UNKNOWN_PROCEDURES[0]
    limit = _LIMITS[procedure]
    channel: str | None = "online" if random_() < temper.online else ("post" if random_() < 0.12 else "counter")
    if random_() < quirk.channel_unknown:
        channel = None
    written = agency.old_code if random_() < quirk.old_codes else agency.code
    identity = f"{agency.code}-{day % 1_000_000:06d}-{number:04d}"
    fate = random_()
    if fate < 0.012:
        return Dossier(
            source,
            identity,
            agency.code,
            written,
            procedure,
            channel,
            None,
            [],
            [],
            "refused_at_intake",
            None,
            None,
            day,
        )
    received = _instant(chance, day)
    due = calendar.plus(day, limit)
    promises = [] if random_() < quirk.without_due else [Promise(received, due)]
    if promises and random_() < 0.01:
        promises = [Promise(received, period.plus_days(due, 6 - period.as_date(due).weekday()))]  # a Sunday
    pauses, waited = _pauses(chance, calendar, day, limit) if random_() < 0.06 else ([], 0)
    if promises and pauses and pauses[-1].ended_day and random_() < 0.7:
        moved = calendar.plus(promises[0].day, max(1, waited))
        promises.append(Promise(_instant(chance, pauses[-1].ended_day), moved))
    elif promises and limit > 2 and random_() < 0.03:
        when = calendar.plus(day, max(1, limit - 1))
        promises.append(Promise(_instant(chance, when), calendar.plus(promises[0].day, chance.randint(2, 8))))
    # Punctual agencies finish early; the others late, some of them very late.
    if random_() < temper.punctual:
        spent = max(0, limit - int(random_() ** 2 * (limit + 1)))
    else:
        spent = limit + 1 + int(random_() ** 2 * 12)
    finished = calendar.plus(day, spent + waited)
    if pauses and pauses[-1].ended_day:
        finished = max(finished, pauses[-1].ended_day)
    if agency.code in CLOSES_AT_THE_END and finished % 100 >= 23:
        finished = max(finished, calendar.between(finished // 100 * 100 + 1, finished // 100 * 100 + 31)[-1])
    outcome = "completed"
    if fate < 0.022:
        outcome = "withdrawn"
    elif fate < 0.03:
        outcome = "stopped"
    elif fate < 0.045:
        outcome = "refused_after"
    deleted = fate > 0.993
    returned = calendar.plus(finished, chance.randint(0, 6))
    if finished > last or (pauses and pauses[-1].ended_day is None):
        outcome = "open"
    if outcome != "open":  # nothing is promised after the end
        promises = [one for one in promises if period.local_day(one.at) <= finished]
    over = outcome in ("withdrawn", "stopped")
    done = outcome in ("completed", "refused_after")
    return Dossier(
        source,
        identity,
        agency.code,
        written,
        procedure,
        channel,
        day,
        [promise for promise in promises if period.local_day(promise.at) <= last],
        [
            Pause(one.ref, one.begun_day, one.ended_day if one.ended_day and one.ended_day <= last else None)
            for one in pauses
            if one.begun_day <= last
        ],
        outcome,
        finished if done else None,
        returned if done and returned <= last and random_() < 0.8 else None,
        finished if over else None,
        deleted,
    )


def _told(chance: random.Random, quirk: Quirk, temper: Temper, dossier: Dossier) -> Dossier:
    """Say at what time a dossier was due and completed, and what clerks ticked: papers, result and fee."""
    random_ = chance.random
    hour = 11 if random_() < 0.15 else 17
    completed, done = dossier.completed, dossier.completed_day
    dice = random_()
    if done is not None and completed is None:
        start = period.day_start(done)
        if dice < 0.01:
            completed = start + DAY - 1
        elif dice < 0.02 and dossier.received_day != done:
            completed = start
        else:
            completed = start + int((8 if dice < 0.8 else 16) * HOUR + random_() * (8 if dice < 0.8 else 2) * HOUR)
    payment = "none" if random_() < 0.45 else "online" if random_() < temper.online * 0.7 else "otherwise"
    digitised, electronic = int(random_() < temper.online), int(random_() < temper.electronic * 0.9)
    return replace(
        dossier,
        promises=[replace(one, hour=hour if quirk.due_times else None) for one in dossier.promises],
        completed=completed,
        digitised=None if random_() < quirk.ticks_unknown else digitised,
        electronic_result=None if random_() < quirk.ticks_unknown else electronic,
        payment=None if random_() < quirk.ticks_unknown else payment,
    )


def _pauses(chance: random.Random, calendar: Calendar, day: int, limit: int) -> tuple[list[Pause], int]:
    """Return one or two requests for a supplement, and the working days waited for them."""
    begun = calendar.plus(day, min(limit, chance.randint(0, 4)))
    dice = chance.random()
    if dice < 0.08:
        begun = calendar.plus(day, limit + chance.randint(1, 3))  # after it was due
    elif dice < 0.14:
        begun = period.plus_days(begun, 5 - period.as_date(begun).weekday())  # a Saturday
    wait = chance.randint(1, 9)
    ended = calendar.plus(begun, wait)
    if chance.random() < 0.12:
        return [Pause("1", begun, None)], 0
    if chance.random() < 0.2:
        again = calendar.plus(ended, chance.choice((-1, 0, 1, 2)))
        longer = chance.randint(1, 5)
        return [Pause("1", begun, ended), Pause("2", again, calendar.plus(again, longer))], wait + longer
    return [Pause("1", begun, ended)], wait


# -- everything --------------------------------------------------------------------------------------------------


def sources_of(agencies: list[Agency], first: int, last: int) -> list[Source]:
    """Return the systems that serve these agencies; one that serves nobody does not exist."""
    codes = [one.code for one in agencies]
    viettri = [code for code in codes if _district_of(code) == VIETTRI]
    thanhson = [code for code in codes if _district_of(code) == THANHSON]
    vertical = {one.code for one in agencies if one.block == "vertical"}
    late = max(first, THANHSON_SINCE)

    def lost(*days: int) -> list[int]:
        return [day for day in days if first <= day <= last]

    found = [
        Source(
            "mail",
            "mail",
            first,
            [code for code in codes if code not in NOT_ON_MAIL and _district_of(code) != VIETTRI],
            ["mailbox", "mailbox_day"],
        ),
        Source(
            "mail-viettri",
            "mail",
            first,
            viettri,
            ["mailbox", "mailbox_day"],
            {
                "mailbox_day": lost(LOST_LOG_DAY),
                "mailbox": lost(*period.days(period.plus_days(LAST_LIST_VIETTRI, 1), last)),
            },
        ),
        Source(
            "documents",
            "documents",
            first,
            [c for c in codes if c not in NOT_ON_DOCUMENTS],
            ["document", "delivery", "probe"],
        ),
        Source(
            "onestop",
            "dossiers",
            first,
            [code for code in codes if code not in vertical and _district_of(code) != THANHSON],
            ["dossier", "dossier_event", "procedure", "probe"],
        ),
        Source(
            "onestop-thanhson",
            "dossiers",
            late,
            thanhson,
            ["dossier", "dossier_event", "probe"],
            {"probe": lost(*period.days(THANHSON_SINCE, THANHSON_WATCHED))},
        ),
    ]
    return [source for source in found if source.serves]


def make(agencies: int | None = None, days: int = 60, seed: int = 1) -> Ledger:
    """Return the ledger of a sample province of `agencies` agencies (None: all 109) over the `days` to 2026-02-28.

    ValueError if there would be fewer than one agency, or days before 2025-03-01 or none.
    """
    first = period.plus_days(LAST_DAY, 1 - days)
    if agencies is not None and agencies < 1:
        raise ValueError("a province has at least one agency")
    if days < 1 or first < 20250301:
        raise ValueError("the sample province has between 1 and 365 days")
    off = days_off()
    calendar = Calendar(off)
    register = fair_share(all_agencies(), agencies)
    sources = sources_of(register, first, LAST_DAY)
    post = _Post()
    _mail(seed, register, sources, calendar, first, post)
    return Ledger(
        seed=seed,
        province=phu_tho.PROVINCE,
        now=NOW,
        first_day=first,
        last_day=LAST_DAY,
        days_off=off,
        agencies=register,
        sources=sources,
        mailboxes=post.mailboxes,
        sessions=post.sessions,
        mails=post.mails,
        documents=_all_documents(seed, register, sources, calendar, first),
        dossiers=_all_dossiers(seed, register, sources, calendar, first),
        procedures=[
            Procedure("onestop", code, level, begin, end)
            for code, _, level, _, begin, end in _CATALOGUE
            if any(source.name == "onestop" for source in sources)
        ]
        + _own_lines(register, sources),
        reports=[_own_report(source) for source in sources if source.system == "dossiers"],
        watches=_watches(sources, first),
        statements=[
            form for agency in register for form in declared.statements(agency, stream(seed, "declared", agency.code))
        ],
    )


def _own_report(source: Source) -> OwnReport:
    """How a one-stop system counts itself: the province's leaves post out, Thanh Sơn's counts what was collected."""
    if source.name == "onestop-thanhson":
        return OwnReport(source.name, None, "", ["counter", "online", "post"], "returned", 0, cut=True)
    return OwnReport(
        source.name,
        REPORT_MADE,
        "20260301013000",
        ["counter", "online"],
        "completed",
        1,
        cut=False,
        added={code: count for code, count in ADDED_BY_HAND.items() if code in source.serves},
        typed={code: text for code, text in TYPED_BY_HAND.items() if code in source.serves},
    )


def _own_lines(register: list[Agency], sources: list[Source]) -> list[Procedure]:
    serves = next((set(source.serves) for source in sources if source.name == "onestop"), set())
    written = {one.code: one.old_code if QUIRKS.get(one.code, _PLAIN).old_codes == 1 else one.code for one in register}
    return [
        Procedure("onestop", code, level, begin, end, agency, written[agency])
        for code, agency, level, begin, end in _OWN_LINES
        if agency in serves
    ]


def _watches(sources: list[Source], first: int) -> list[Watch]:
    """Return how the systems were asked whether they answer: all but the mail servers, whose logs come as files."""

    def at(day: int, hour: int, minute: int = 0) -> int:
        return period.day_start(day) + hour * HOUR + minute * MINUTE

    start = period.day_start(first)
    stood_still = [Stretch(at(20260211, 13, 10), at(20260212, 8, 20))]
    watches = {
        "documents": Watch(
            "documents",
            30 * MINUTE,
            start,
            "https://vanban.phutho.example/",
            outages=[
                Stretch(at(20260120, 22), at(20260121, 6)),
                Stretch(at(20260203, 8, 30), at(20260203, 11, 40)),
                Stretch(at(20260207, 21), at(20260208, 3)),  # it was to be back an hour earlier
            ],
            maintenance=[Stretch(at(20260207, 20), at(20260208, 2))],
            missed=stood_still,
        ),
        "onestop": Watch(
            "onestop",
            15 * MINUTE,
            start,
            outages=[Stretch(at(20260106, 14, 5), at(20260106, 14, 50)), Stretch(at(20260224, 9), at(20260224, 9, 30))],
            maintenance=[Stretch(at(20260131, 22), at(20260201, 4))],
            missed=stood_still,
        ),
        "onestop-thanhson": Watch(
            "onestop-thanhson",
            HOUR,
            max(start, at(THANHSON_WATCHED, 10)),
            outages=[Stretch(at(20260215, 0), at(20260216, 0))],
            missed=stood_still,
            untried=[Stretch(at(20260203, 0), at(20260206, 0))],  # its name could not be resolved
        ),
    }
    return [_begun_by(watches[source.name], start) for source in sources if source.name in watches]


def _begun_by(watch: Watch, start: int) -> Watch:
    """Leave out what would keep a watch from beginning with its first day."""
    return replace(
        watch,
        maintenance=[one for one in watch.maintenance if one.begin > start],
        missed=[one for one in watch.missed if one.begin > start],
    )


def _mail(
    seed: int, register: list[Agency], sources: list[Source], calendar: Calendar, first: int, post: _Post
) -> None:
    served = {code: source for source in sources if source.system == "mail" for code in source.serves}
    days = tuple(period.days(first, LAST_DAY))
    working = frozenset(calendar.between(first, LAST_DAY))
    starts = {day: period.day_start(day) for day in days}
    spans = {}
    for source in sources:
        if source.system == "mail":
            lists_end = min(source.lost.get("mailbox", [99_999_999]))
            changes = [day for day in calendar.between(first, LAST_DAY)[6::6] if day < lists_end]
            # The day after a change and the days before the end stay quiet, so that each change shows by itself.
            spans[source.name] = Span(
                first, LAST_DAY, frozenset(source.lost.get("mailbox_day", ())), days, working, tuple(changes)
            )
    for agency in register:
        if agency.code not in served:
            continue
        source = served[agency.code]
        span, quirk, temper = spans[source.name], QUIRKS.get(agency.code, _PLAIN), _temper(seed, agency)
        boxes = list(_mailboxes(stream(seed, agency.code, "mailboxes"), agency, source.name, temper, quirk, span))
        if source.name != LISTS_WITHOUT_SIZES:
            boxes = _filled(stream(seed, agency.code, "sizes"), agency, boxes, span)
        chance, mine = stream(seed, agency.code, "use"), _Post()
        for box in boxes:
            _use(chance, box, temper, span, starts, mine)
        chance = stream(seed, agency.code, "recipients")
        free = -1.0 if agency.code in ONLY_INSIDE else chance.uniform(0.02, 0.4)
        names = [box.address for box in boxes]
        post.mails += correspondence.addressed(chance, mine.mails, names, free=free, lost=span.lost, now=NOW)
        post.sessions += mine.sessions
        post.mailboxes += boxes
    for name, span in spans.items():
        unknown = _unknown_mailboxes(stream(seed, name, "unknown"), name, span)
        chance, theirs = stream(seed, name, "unknown use"), _Post()
        for box in unknown:
            _use(chance, box, _temper(seed, register[0]), span, starts, theirs)
        names = [box.address for box in unknown]
        post.mails += correspondence.addressed(chance, theirs.mails, names, free=0.5, lost=span.lost, now=NOW)
        post.sessions += theirs.sessions
        if first not in span.lost:
            _early_sessions([box for box in post.mailboxes if box.source == name], first, post)
        post.mailboxes += unknown


def _filled(chance: random.Random, agency: Agency, boxes: list[Mailbox], span: Span) -> list[Mailbox]:
    """Return mailboxes with how full they are; it changes on Mondays and on the first of a month."""
    days = [day for day in span.days if day % 100 == 1 or period.as_date(day).weekday() == 0]
    unlimited = 1.0 if agency.code in UNLIMITED_MAILBOXES else 0.1
    untold = QUOTA_UNTOLD.get(agency.code, 0.002)
    return [
        replace(box, sizes=quotas.sizes(chance, box, span.first, days, unlimited=unlimited, untold=untold))
        for box in boxes
    ]


def _all_documents(
    seed: int, register: list[Agency], sources: list[Source], calendar: Calendar, first: int
) -> list[Document]:
    serves = next((set(source.serves) for source in sources if source.name == "documents"), set())
    if not serves:
        return []
    others = [one.code for one in all_agencies() if QUIRKS.get(one.code, _PLAIN).documents]
    days = calendar.between(first, LAST_DAY)
    drafts: list[Document] = []
    for agency in register:
        quirk = QUIRKS.get(agency.code, _PLAIN)
        if agency.code in serves and quirk.documents:
            chance = stream(seed, agency.code, "documents")
            drafts += _documents(chance, agency, _temper(seed, agency), quirk, others, days)
    chance = stream(seed, "unknown codes", "documents")
    for number in range(min(60, 2 * len(register)) if days else 0):
        drafts.append(
            Document(
                "documents", "", None, UNKNOWN_CODES[number % 3], "out", chance.choice(days),
                [Recipient(chance.choice(others), 0, 1)], 0, 0, False, "unknown agency code",
            )
        )  # fmt: skip
    return _numbered(list(_finished(drafts, seed, calendar)), seed)


def _all_dossiers(
    seed: int, register: list[Agency], sources: list[Source], calendar: Calendar, first: int
) -> list[Dossier]:
    found: list[Dossier] = []
    for source in sources:
        if source.system != "dossiers":
            continue
        ordinary: list[Agency] = []
        for agency in register:
            quirk = QUIRKS.get(agency.code, _PLAIN)
            if agency.code not in source.serves or not quirk.dossiers:
                continue
            if quirk == _PLAIN:
                ordinary.append(agency)
            temper, chance = _temper(seed, agency), stream(seed, agency.code, "times and ticks")
            made = _dossiers(
                stream(seed, agency.code, "dossiers"),
                agency,
                source.name,
                temper,
                quirk,
                calendar,
                source.since,
                LAST_DAY,
                carried_over=source.name == "onestop",
            )
            found += [_entered_later(seed, _told(chance, quirk, temper, one)) for one in made]
        if source.name == "onestop" and ordinary:
            chance, temper = stream(seed, "by hand", "times and ticks"), _temper(seed, ordinary[0])
            found += [_told(chance, _PLAIN, temper, one) for one in awkward.dossiers(source.name, ordinary, first)]
            unknown = _unknown_agencies(seed, source.name, calendar.between(first, LAST_DAY))
            found += [_told(chance, _PLAIN, temper, one) for one in unknown]
    return found


def _entered_later(seed: int, dossier: Dossier) -> Dossier:
    """Now and then a clerk enters the end of a dossier one to four days later, at six in the morning at the latest."""
    day = dossier.completed_day or dossier.ended_day
    chance = stream(seed, dossier.id, "entered")
    if day is None or dossier.received_day is None or dossier.returned_day or dossier.deleted or chance.random() > 0.04:
        return dossier
    entered = period.day_start(day) + (1 + int(chance.random() * 4)) * DAY + 19 * HOUR
    return replace(dossier, entered=min(entered, NOW - 2 * HOUR))


def _unknown_agencies(seed: int, source: str, days: list[int]) -> Iterator[Dossier]:
    """Yield dossiers of agencies that no register knows: kept and listed, counted for nobody."""
    chance = stream(seed, "unknown codes", "dossiers")
    for number in range(1, 1 + min(40, len(days))):
        day = days[number % len(days)]
        code = UNKNOWN_CODES[number % 3]
        yield Dossier(
            source,
            f"{code}-{day % 1_000_000:06d}-{number:04d}",
            None,
            code,
            "3.003001",
            "online",
            day,
            [Promise(_instant(chance, day), day)],
            [],
            "completed",
            day,
            None,
            None,
        )
