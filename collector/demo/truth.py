"""The true readings of the sample province, counted from its event ledger alone.

This is the second, independent count: it shares no line with the store, the readings, the calendar or the
indicators, and imports none of them (a test keeps that door shut). What they compute must equal what stands here.
It is written to be checked by an official with a pencil: it walks over days, it keeps sets, it is in no hurry.

Days are local `yyyymmdd` (+07:00), instants epoch seconds UTC. Only `value` and `through` are text.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from collector.demo.ledger import Document, Dossier, Ledger, Mailbox, Procedure, Recipient, Session

LOCAL = timezone(timedelta(hours=7))

INDICATORS = (
    "mailboxes.provisioned",
    "mailboxes.daily_use",
    "mailboxes.daily_use_of_staff",
    "mailboxes.regular_use",
    "mailboxes.free_mail",
    "mailboxes.quota_full",
    "documents.exchanged_internal",
    "documents.exchanged_external",
    "documents.exchanged_internal_any",
    "documents.exchanged_external_any",
    "documents.parallel_paper",
    "documents.signed",
    "documents.acknowledged",
    "documents.on_time",
    "documents.connected",
    "dossiers.on_time",
    "dossiers.on_time_due",
    "dossiers.online",
    "dossiers.on_time_766",
    "dossiers.on_time_opencps",
    "dossiers.resolved",
    "dossiers.online_full",
    "dossiers.online_partial",
    "dossiers.digitised",
    "dossiers.electronic_result",
    "dossiers.paid_online",
    "procedures.online_full",
    "procedures.online_partial",
    "systems.available",
)

NEEDS = {
    "mailboxes.provisioned": ["mailbox"],
    "mailboxes.daily_use": ["mailbox", "mailbox_day"],
    "mailboxes.daily_use_of_staff": ["mailbox", "mailbox_day"],
    "mailboxes.regular_use": ["mailbox", "mailbox_day"],
    "mailboxes.free_mail": ["mailbox", "mailbox_day"],
    "mailboxes.quota_full": ["mailbox"],
    "documents.exchanged_internal": ["document"],
    "documents.exchanged_external": ["document"],
    "documents.exchanged_internal_any": ["document"],
    "documents.exchanged_external_any": ["document"],
    "documents.parallel_paper": ["document"],
    "documents.signed": ["document"],
    "documents.acknowledged": ["delivery"],
    "documents.on_time": ["document"],
    "documents.connected": ["document"],
    "dossiers.on_time": ["dossier", "dossier_event"],
    "dossiers.on_time_due": ["dossier", "dossier_event"],
    "dossiers.online": ["dossier", "procedure"],
    "dossiers.on_time_766": ["dossier"],
    "dossiers.on_time_opencps": ["dossier"],
    "dossiers.resolved": ["dossier"],
    "dossiers.online_full": ["dossier", "procedure"],
    "dossiers.online_partial": ["dossier", "procedure"],
    "dossiers.digitised": ["dossier"],
    "dossiers.electronic_result": ["dossier"],
    "dossiers.paid_online": ["dossier"],
    "procedures.online_full": ["procedure"],
    "procedures.online_partial": ["procedure"],
    "systems.available": ["probe"],
}
"""The records that each figure rests on: at least one source that serves the agency must offer each."""

NEEDS_IF_OFFERED = {indicator: ["delivery"] for indicator in INDICATORS if indicator.startswith("documents.")}
"""Records that a figure also rests on where a source that serves the agency offers them."""

AT_THE_END = ("mailboxes.provisioned", "mailboxes.quota_full", "procedures.online_full", "procedures.online_partial")
"""Figures of the period's last proved day alone."""

MONTH_SO_FAR = ("mailboxes.regular_use",)
"""Figures whose cell of a day says how the month stands at its end: a month's figure is that of its last proved day."""

LEFT_OVER = ("dossiers.resolved",)
"""Figures of what was done on the period's days, and of what is left over at the end of the last one proved."""

SMALLEST_GROUP = 5
"""Of fewer mailboxes than this nobody is told what is done with them."""

LONGEST_SESSION = 7 * 24 * 3600
"""A session that is told to have lasted longer than this counts on its first day only."""

STALE_AFTER = 2 * 24 * 3600
"""How far an open period may lag behind now. The ledger does not say; this is what the demo's sources are given."""

HIT, MISS, UNKNOWN, NOT_COUNTED = "hit", "miss", "unknown", "not counted"

Class = tuple[str, int | None]
"""What an indicator says about one item, and the local day on which it says so (None: it says nothing)."""


@dataclass(slots=True)
class Cell:
    """The count of one indicator for one agency and day."""

    hits: int = 0
    judged: int = 0
    unknown: int = 0

    def add(self, verdict: str) -> None:
        """Count one item."""
        if verdict == UNKNOWN:
            self.unknown += 1
        elif verdict in (HIT, MISS):
            self.judged += 1
            self.hits += verdict == HIT


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days off of whole years, weekends among them; every other day of those years is a working day."""

    days_off: frozenset[int]
    years: frozenset[int]

    def is_working(self, day: int) -> bool:
        """Return whether a day is worked; ValueError if it lies outside the years that the ledger tells."""
        if day // 10_000 not in self.years:
            raise ValueError(f"the ledger's days off do not reach {_date(day).isoformat()}")
        return day not in self.days_off

    def working_days_after(self, first: int, last: int) -> int:
        """Return how many working days lie after `first`, up to and including `last`."""
        return sum(self.is_working(day) for day in _days(first, last) if day != first)

    def next_working_day(self, day: int) -> int:
        """Return the first working day after a day."""
        while True:
            day = _day(_date(day) + timedelta(days=1))
            if self.is_working(day):
                return day


Cells = dict[tuple[str, int], Cell]
"""By agency code and local day."""

Catalogue = dict[tuple[str, str | None], list[Procedure]]
"""By source and procedure code."""


def count(ledger: Ledger) -> list[dict[str, Any]]:
    """Return the true readings of every agency, for each month that the ledger's days touch.

    Keys: indicator, scope ("agency"), agency, period ("2026-01"), state, through (ISO day or None), hits, judged,
    unknown, value (text of 6 places, half up; None unless measured), suppressed (then all four are None). Ordered by
    period, indicator and agency.
    """
    months = sorted({day // 100 for day in _days(ledger.first_day, ledger.last_day)})
    cells = _cells(ledger, months)
    covered = _covered(ledger)
    untold = {day: _untold(ledger, day) for month in months for day in _days_of_month(month)}
    return [
        _without_what_may_not_be_told(
            _reading(ledger, covered, cells[indicator], indicator, agency.code, month), untold
        )
        for month in months
        for indicator in INDICATORS
        for agency in sorted(ledger.agencies, key=lambda agency: agency.code)
    ]


def write(ledger: Ledger, path: Path) -> None:
    """Write `count(ledger)` as a JSON array, one reading per line."""
    lines = [json.dumps(reading, ensure_ascii=False) for reading in count(ledger)]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def dossier_classes(ledger: Ledger) -> dict[str, dict[str, Class]]:
    """Return, for each dossier id, what each dossier indicator says about it; `resolved` speaks of days, not of one.

    A deleted dossier, or one of an agency that is in no register, is not counted by any of them.
    """
    calendar = _calendar(ledger)
    catalogue: Catalogue = defaultdict(list)
    for procedure in ledger.procedures:
        catalogue[procedure.source, procedure.code].append(procedure)

    classes: dict[str, dict[str, Class]] = {}
    for dossier in ledger.dossiers:
        if dossier.id in classes:
            raise ValueError(f"the ledger has dossier {dossier.id} twice")
        classes[dossier.id] = {
            "dossiers.on_time": _on_time(calendar, dossier),
            "dossiers.on_time_due": _on_time_due(calendar, dossier),
            "dossiers.online": _online(catalogue, dossier, ("partial", "full")),
            "dossiers.online_full": _online(catalogue, dossier, ("full",)),
            "dossiers.online_partial": _online(catalogue, dossier, ("partial",)),
            "dossiers.on_time_766": _on_time_766(dossier),
            "dossiers.on_time_opencps": _on_time_opencps(dossier),
            "dossiers.digitised": _flagged(dossier, dossier.received_day, dossier.digitised),
            "dossiers.electronic_result": _flagged(dossier, dossier.completed_day, dossier.electronic_result),
            "dossiers.paid_online": _paid_online(dossier),
        }
    return classes


# --- a reading and its state -----------------------------------------------------------------------------------------


def _reading(
    ledger: Ledger,
    covered: Mapping[tuple[str, str], set[int]],
    cells: Cells,
    indicator: str,
    agency: str,
    month: int,
) -> dict[str, Any]:
    days = _days_of_month(month)
    proofs = _proofs(ledger, covered, indicator, agency)
    last_days = [max((day for day in days if day in proof), default=None) for proof in proofs or []]
    told = [day for day in last_days if day is not None]

    if not told or len(told) < len(last_days):
        # No source for a record that the figure needs, or one of them proves no day of the month.
        return _row(indicator, agency, month, "missing", None, Cell())

    through = min(told)
    summed = Cell()
    for day in [through] if indicator in AT_THE_END + MONTH_SO_FAR else [day for day in days if day <= through]:
        cell = cells.get((agency, day), Cell())
        summed.hits += cell.hits
        summed.judged += cell.judged
        summed.unknown += cell.unknown

    if indicator in LEFT_OVER:
        last = cells.get((agency, through), Cell())
        summed.judged = summed.hits + last.judged - last.hits
        summed.unknown = last.unknown

    if indicator == "documents.connected":
        # The agency itself is judged: one document is enough.
        summed = Cell(1, 1, 0) if summed.hits else Cell(0, 0, 1) if summed.unknown else Cell(0, 1, 0)

    has_gap = any(day not in proof for proof in proofs or [] for day in days if day <= through)
    is_closed = days[-1] < _local_day(ledger.now)
    is_short = through < days[-1] if is_closed else ledger.now - _end_of(through) > STALE_AFTER
    # More than 5 of 100: exactly 5 of 100 is still a figure.
    is_unsure = summed.unknown * 100 > (summed.judged + summed.unknown) * 5

    if summed.judged == 0 and summed.unknown > 0:
        state = "missing"
    elif has_gap or is_short or is_unsure:
        state = "partial"
    elif summed.judged == 0:
        state = "not_applicable"
    else:
        state = "measured"
    return _row(indicator, agency, month, state, through, summed)


def _row(indicator: str, agency: str, month: int, state: str, through: int | None, cell: Cell) -> dict[str, Any]:
    value = None
    if state == "measured":
        value = str((Decimal(cell.hits) / Decimal(cell.judged)).quantize(Decimal("0.000001"), ROUND_HALF_UP))
    return {
        "indicator": indicator,
        "scope": "agency",
        "agency": agency,
        "period": f"{month // 100}-{month % 100:02d}",
        "state": state,
        "through": None if through is None else _date(through).isoformat(),
        "hits": cell.hits,
        "judged": cell.judged,
        "unknown": cell.unknown,
        "value": value,
        "suppressed": False,
    }


def _without_what_may_not_be_told(row: dict[str, Any], untold: Mapping[int, set[str]]) -> dict[str, Any]:
    """A figure about mailboxes is told only if it may be told of each of its days."""
    if not row["indicator"].startswith("mailboxes.") or row["through"] is None:
        return row
    through = int(row["through"].replace("-", ""))
    days = [day for day in untold if day // 100 == through // 100 and day <= through]
    if row["indicator"] in AT_THE_END:
        days = [through]
    if not any(row["agency"] in untold[day] for day in days):
        return row
    return {**row, "hits": None, "judged": None, "unknown": None, "value": None, "suppressed": True}


def _untold(ledger: Ledger, day: int) -> set[str]:
    """Return the agencies of whose mailboxes nothing may be told on a day.

    Those with too few, and in each block so many more, the smallest first, that they are at least two and have enough
    mailboxes together; where a block cannot do that, with the help of the block that has the fewest mailboxes.
    """
    active: dict[str, set[str]] = defaultdict(set)
    for mailbox in ledger.mailboxes:
        if mailbox.agency is not None and _is_active(mailbox, day):
            active[mailbox.agency].add(mailbox.address.lower())
    number = {agency.code: len(active[agency.code]) for agency in ledger.agencies if active[agency.code]}
    inside = [agency for agency in ledger.agencies if not agency.outside and agency.code in number]
    blocks: dict[str, list[str]] = defaultdict(list)
    for agency in sorted(inside, key=lambda agency: (number[agency.code], agency.code)):
        blocks[agency.block].append(agency.code)

    untold = {code for code, mailboxes in number.items() if mailboxes < SMALLEST_GROUP}
    open_to_view: list[str] = []
    for block, codes in blocks.items():
        few = [code for code in codes if code in untold]
        if few and not _hide_each_other(few, number):
            few = codes[: len(few) + 1]
        if few and not _hide_each_other(few, number):
            open_to_view.append(block)
        untold |= set(few)

    exposed = [code for block in open_to_view for code in blocks[block]]
    rest = [block for block in blocks if block not in open_to_view]
    if exposed and rest and not _hide_each_other(exposed, number):
        smallest = min(rest, key=lambda block: (sum(number[code] for code in blocks[block]), block))
        if not untold & set(blocks[smallest]):
            untold.add(blocks[smallest][0])
    return untold


def _hide_each_other(codes: list[str], number: Mapping[str, int]) -> bool:
    return len(codes) >= 2 and sum(number[code] for code in codes) >= SMALLEST_GROUP


def _covered(ledger: Ledger) -> dict[tuple[str, str], set[int]]:
    """Return, by source and record, the days that the source can prove."""
    return {
        (source.name, record): set(_days(source.since, ledger.last_day)) - set(source.lost.get(record, []))
        for source in ledger.sources
        for record in source.records
    }


def _proofs(
    ledger: Ledger, covered: Mapping[tuple[str, str], set[int]], indicator: str, agency: str
) -> list[set[int]] | None:
    """Return the proved days of each source and record that a figure rests on; None if a needed record has none."""
    serving = [source for source in ledger.sources if agency in source.serves]

    def of(record: str) -> list[set[int]]:
        return [covered[source.name, record] for source in serving if record in source.records]

    proofs: list[set[int]] = []
    for record in NEEDS[indicator]:
        if not of(record):
            return None
        proofs += of(record)
    for record in NEEDS_IF_OFFERED.get(indicator, []):
        proofs += of(record)
    return proofs


# --- what is counted -------------------------------------------------------------------------------------------------


def _cells(ledger: Ledger, months: list[int]) -> dict[str, Cells]:
    """Return the cells of all indicators. A row counts for an agency that its source serves; others prove nothing."""
    cells: dict[str, Cells] = {indicator: defaultdict(Cell) for indicator in INDICATORS}
    serves = {source.name: set(source.serves) for source in ledger.sources}

    days = [day for month in months for day in _days_of_month(month)]
    mailboxes = _mailboxes_by_agency(ledger, serves)
    _count_mailboxes(ledger, mailboxes, days, cells)
    _count_regular_use(ledger, mailboxes, months, cells["mailboxes.regular_use"])
    _count_free_mail(ledger, mailboxes, cells["mailboxes.free_mail"])
    _count_full_mailboxes(mailboxes, days, cells["mailboxes.quota_full"])

    _count_procedures(ledger, days, cells)
    _count_probes(ledger, serves, cells["systems.available"])

    for document in ledger.documents:
        if document.agency is None or document.agency not in serves[document.source]:
            continue
        for indicator, (verdict, day) in _document_classes(document).items():
            if day is not None:
                cells[indicator][document.agency, day].add(verdict)

    calendar = _calendar(ledger)
    for document in ledger.documents:
        for recipient in document.recipients:
            verdict, day = _acknowledged(calendar, document, recipient)
            if day is not None and recipient.code in serves[document.source]:
                cells["documents.acknowledged"][recipient.code, day].add(verdict)

    classes = dossier_classes(ledger)
    for dossier in ledger.dossiers:
        if dossier.agency is None or dossier.agency not in serves[dossier.source]:
            continue
        for indicator, (verdict, day) in classes[dossier.id].items():
            if day is not None:
                cells[indicator][dossier.agency, day].add(verdict)
    _count_resolved(ledger, serves, days, cells["dossiers.resolved"])
    return cells


def _mailboxes_by_agency(ledger: Ledger, serves: Mapping[str, set[str]]) -> Mapping[str, list[Mailbox]]:
    mailboxes: dict[str, list[Mailbox]] = defaultdict(list)
    for mailbox in ledger.mailboxes:
        if mailbox.agency is not None and mailbox.agency in serves[mailbox.source]:
            mailboxes[mailbox.agency].append(mailbox)
    return mailboxes


def _count_mailboxes(
    ledger: Ledger, mailboxes: Mapping[str, list[Mailbox]], days: list[int], cells: dict[str, Cells]
) -> None:
    used = _used(ledger)
    calendar = _calendar(ledger)
    for agency in ledger.agencies:
        for day in days:
            active = [mailbox for mailbox in mailboxes[agency.code] if _is_active(mailbox, day)]
            personal = {mailbox.address.lower() for mailbox in active if mailbox.kind == "personal"}
            of_unknown_kind = {mailbox.address.lower() for mailbox in active if mailbox.kind is None}

            provisioned = cells["mailboxes.provisioned"][agency.code, day]
            if agency.headcount is None:
                provisioned.unknown = 1
            else:
                provisioned.judged = agency.headcount
                provisioned.hits = min(len(personal), agency.headcount)

            if calendar.is_working(day):
                daily_use = cells["mailboxes.daily_use"][agency.code, day]
                daily_use.judged = len(personal)
                daily_use.hits = len(personal & used[day])
                daily_use.unknown = len(of_unknown_kind)

                of_staff = cells["mailboxes.daily_use_of_staff"][agency.code, day]
                if agency.headcount is None:
                    of_staff.unknown = 1
                else:
                    of_staff.hits = min(len(personal & used[day]), agency.headcount)
                    # A used mailbox of unknown kind may be that of one of the others.
                    of_staff.unknown = min(len(of_unknown_kind & used[day]), agency.headcount - of_staff.hits)
                    of_staff.judged = agency.headcount - of_staff.unknown


def _count_regular_use(ledger: Ledger, mailboxes: Mapping[str, list[Mailbox]], months: list[int], cells: Cells) -> None:
    """Keep, for each mailbox and month, the working days that it was active, and on how many of them it was used."""
    used = _used(ledger)
    calendar = _calendar(ledger)
    for agency, theirs in mailboxes.items():
        for month in months:
            active_days: dict[str, int] = defaultdict(int)
            used_days: dict[str, int] = defaultdict(int)
            kinds: dict[str, str | None] = {}
            for day in _days_of_month(month):
                if calendar.is_working(day):
                    for mailbox in theirs:
                        if mailbox.kind != "shared" and _is_active(mailbox, day):
                            address = mailbox.address.lower()
                            kinds[address] = mailbox.kind
                            active_days[address] += 1
                            used_days[address] += address in used[day]
                for address, kind in kinds.items():
                    if kind is None:
                        cells[agency, day].add(UNKNOWN)
                    else:
                        is_regular = used_days[address] * 100 >= active_days[address] * 80
                        cells[agency, day].add(HIT if is_regular else MISS)


def _count_free_mail(ledger: Ledger, mailboxes: Mapping[str, list[Mailbox]], cells: Cells) -> None:
    """Count each recipient outside the state who got an official's mail, on the day on which the mail was accepted."""
    since = {source.name: source.since for source in ledger.sources}
    read_from = {
        mailbox.address.lower(): (agency, since[mailbox.source])
        for agency, theirs in mailboxes.items()
        for mailbox in theirs
    }
    for mail in ledger.mails:
        if mail.address.lower() not in read_from:
            continue
        (agency, first), day = read_from[mail.address.lower()], _local_day(mail.accepted)
        for recipient in mail.to if day >= first else []:
            if recipient.arrived and recipient.domain != "government":
                cells[agency, day].add(HIT if recipient.domain == "free" else MISS)


def _count_full_mailboxes(mailboxes: Mapping[str, list[Mailbox]], days: list[int], cells: Cells) -> None:
    """Count the mailboxes that have a limit, of any kind, and those that have used 90 % of it or more."""
    for agency, theirs in mailboxes.items():
        for day in days:
            for mailbox in theirs:
                if _is_active(mailbox, day):
                    verdict = _full(mailbox, day)
                    cells[agency, day].add(verdict)


def _full(mailbox: Mailbox, day: int) -> str:
    told = [size for size in mailbox.sizes if size.from_day <= day]
    if not told:
        return UNKNOWN
    quota, used = told[-1].quota, told[-1].used
    if quota == 0:
        return NOT_COUNTED
    if quota is None or used is None:
        return UNKNOWN
    return HIT if used * 100 >= quota * 90 else MISS


def _is_active(mailbox: Mailbox, day: int) -> bool:
    return mailbox.created_day <= day and (mailbox.locked_day is None or day < mailbox.locked_day)


def _used(ledger: Ledger) -> dict[int, set[str]]:
    """Return, by local day, the addresses with a session present or a mail sent.

    Nothing is kept of the days before a source is read from: a session of the evening before counts from then on.
    """
    since = {source.name: source.since for source in ledger.sources}
    read_from = {mailbox.address.lower(): since[mailbox.source] for mailbox in ledger.mailboxes}
    used: dict[int, set[str]] = defaultdict(set)
    for session in ledger.sessions:
        for day in _days_of_session(session, ledger.now):
            used[day].add(session.address.lower())
    for mail in ledger.mails:
        used[_local_day(mail.accepted)].add(mail.address.lower())
    return defaultdict(
        set,
        {day: {one for one in addresses if day >= read_from.get(one, day)} for day, addresses in used.items()},
    )


def _days_of_session(session: Session, now: int) -> Iterator[int]:
    """Yield each local day on which a session was present; only its first if its end is untold or cannot be true."""
    begun = _local_day(session.begin)
    if session.end is None or session.end > now or not 0 <= session.end - session.begin <= LONGEST_SESSION:
        return iter([begun])
    return _days(begun, _local_day(session.end))


def _document_classes(document: Document) -> dict[str, Class]:
    """Return what each indicator of documents says about one of them."""
    return {
        "documents.exchanged_internal": _exchanged(document, "internal", _without_paper(document)),
        "documents.exchanged_external": _exchanged(document, "external", _without_paper(document)),
        "documents.exchanged_internal_any": _exchanged(document, "internal", _went_electronically(document)),
        "documents.exchanged_external_any": _exchanged(document, "external", _went_electronically(document)),
        "documents.parallel_paper": _of_electronic(document, document.paper_too),
        "documents.signed": _of_electronic(document, document.signed),
        "documents.on_time": _dealt_with(document),
        "documents.connected": _of_electronic(document, 1),
    }


def _is_issued(document: Document) -> bool:
    """Return whether it went out, was issued, and was not certainly taken back."""
    kept = not document.deleted and document.recalled != 1
    return kept and document.direction == "out" and document.issued_day is not None


def _went_electronically(document: Document) -> str:
    ways = [recipient.electronic for recipient in document.recipients]
    return MISS if 0 in ways else UNKNOWN if None in ways or not ways else HIT


def _without_paper(document: Document) -> str:
    """One recipient without it, or one sheet of paper, is a miss whatever the register leaves open."""
    sent = _went_electronically(document)
    if sent == MISS or document.paper_too == 1:
        return MISS
    return UNKNOWN if document.paper_too is None else sent


def _exchanged(document: Document, scope: str, verdict: str) -> Class:
    """Return the verdict if the document is of that scope, UNKNOWN if it may be or may have been recalled."""
    if not _is_issued(document):
        return NOT_COUNTED, None
    outside = [recipient.outside for recipient in document.recipients]
    if 1 in outside:
        scope_of_document = "external"
    elif None in outside or not outside:
        scope_of_document = "unknown"
    else:
        scope_of_document = "internal"

    if scope_of_document not in (scope, "unknown"):
        return NOT_COUNTED, None
    if scope_of_document == "unknown" or document.recalled is None:
        return UNKNOWN, document.issued_day
    return verdict, document.issued_day


def _of_electronic(document: Document, flag: int | None) -> Class:
    """Return what is said of a document that went out electronically: whether it has a mark."""
    sent = _went_electronically(document)
    if not _is_issued(document) or sent == MISS:
        return NOT_COUNTED, None
    if sent == UNKNOWN or document.recalled is None or flag is None:
        return UNKNOWN, document.issued_day
    return (HIT if flag else MISS), document.issued_day


def _acknowledged(calendar: Calendar, document: Document, recipient: Recipient) -> Class:
    """Return what is said of one recipient: whether it had registered the document by the next working day's end."""
    if document.deleted or document.recalled == 1 or document.issued_day is None or recipient.electronic == 0:
        return NOT_COUNTED, None
    day = calendar.next_working_day(document.issued_day)  # a register sends on the day of issue
    if document.recalled is None or recipient.electronic is None or recipient.received is None:
        return UNKNOWN, day
    return (HIT if recipient.received_day is not None and recipient.received_day <= day else MISS), day


def _dealt_with(document: Document) -> Class:
    """Return what documents.on_time says of one that came in and is to be dealt with by a day."""
    if document.deleted or document.direction != "in" or document.due_day is None or document.recalled == 1:
        return NOT_COUNTED, None
    if document.recalled is None:
        return UNKNOWN, document.due_day
    done = document.completed_day
    return (HIT if done is not None and done <= document.due_day else MISS), document.due_day


# --- dossiers --------------------------------------------------------------------------------------------------------


def _counts_nowhere(dossier: Dossier) -> bool:
    return dossier.deleted or dossier.agency is None


def _on_time(calendar: Calendar, dossier: Dossier) -> Class:
    """Return what dossiers.on_time says: of what was completed on a day, how much was completed by its due day."""
    if _counts_nowhere(dossier) or dossier.completed_day is None:
        return NOT_COUNTED, None
    if dossier.outcome not in ("completed", "refused_after"):
        return NOT_COUNTED, None
    due, _ = _effective_due(calendar, dossier)
    if due is None:
        return UNKNOWN, dossier.completed_day
    return (HIT if dossier.completed_day <= due else MISS), dossier.completed_day


def _on_time_due(calendar: Calendar, dossier: Dossier) -> Class:
    """Return what dossiers.on_time_due says: of what fell due on a day, how much was completed by it."""
    due, paused_on_due = _effective_due(calendar, dossier)
    if _counts_nowhere(dossier) or due is None or paused_on_due:
        return NOT_COUNTED, None
    if dossier.ended_day is not None and dossier.ended_day <= due:
        return NOT_COUNTED, None
    in_time = dossier.completed_day is not None and dossier.completed_day <= due
    return (HIT if in_time else MISS), due


def _count_resolved(ledger: Ledger, serves: Mapping[str, set[str]], days: list[int], cells: Cells) -> None:
    """Count, for each day, the dossiers completed on it, and those that are open at its end.

    A dossier is open from the day of its receipt to the day before it is completed, withdrawn, stopped or refused.
    """
    for dossier in ledger.dossiers:
        if dossier.deleted or dossier.agency is None or dossier.agency not in serves[dossier.source]:
            continue
        over = dossier.ended_day if dossier.completed_day is None else dossier.completed_day
        if over is None and dossier.outcome != "open":
            raise ValueError(f"the ledger does not say when dossier {dossier.id} ended")
        for day in days:
            if day == dossier.completed_day:
                cells[dossier.agency, day].add(HIT)
            elif dossier.received_day is not None and dossier.received_day <= day and (over is None or day < over):
                cells[dossier.agency, day].add(MISS)


def _on_time_766(dossier: Dossier) -> Class:
    """Return what a provincial system says: days, against the date shown last; withdrawn or without a date: on time."""
    if _counts_nowhere(dossier):
        return NOT_COUNTED, None
    if dossier.outcome == "withdrawn":
        return HIT, dossier.ended_day
    if dossier.completed_day is None:
        return NOT_COUNTED, None
    late = bool(dossier.promises) and dossier.completed_day > dossier.promises[-1].day
    return (MISS if late else HIT), dossier.completed_day


def _on_time_opencps(dossier: Dossier) -> Class:
    """Return what OpenCPS says: to the second, against the date shown last; without a date: on time."""
    if _counts_nowhere(dossier) or dossier.completed_day is None:
        return NOT_COUNTED, None
    if not dossier.promises:
        return HIT, dossier.completed_day
    shown = dossier.promises[-1]
    if dossier.completed is not None and shown.hour is not None:
        due = datetime.combine(_date(shown.day), time(shown.hour), LOCAL)
        late = datetime.fromtimestamp(dossier.completed, LOCAL) > due
    elif dossier.completed_day == shown.day:
        return UNKNOWN, dossier.completed_day
    else:
        late = dossier.completed_day > shown.day
    return (MISS if late else HIT), dossier.completed_day


def _flagged(dossier: Dossier, day: int | None, flag: int | None) -> Class:
    """Return what a tick says about a dossier on the day on which it is looked for."""
    if _counts_nowhere(dossier) or day is None:
        return NOT_COUNTED, None
    return (UNKNOWN if flag is None else HIT if flag else MISS), day


def _paid_online(dossier: Dossier) -> Class:
    """Return what dossiers.paid_online says: of what was received and paid for, how much was paid online."""
    if dossier.payment == "none":
        return NOT_COUNTED, None
    return _flagged(
        dossier, dossier.received_day, None if dossier.payment is None else int(dossier.payment == "online")
    )


def _online(catalogue: Catalogue, dossier: Dossier, levels: tuple[str, ...]) -> Class:
    """Return what is said of what was received of procedures offered at some levels: how much came online."""
    if _counts_nowhere(dossier) or dossier.received_day is None:
        return NOT_COUNTED, None
    level = _level(catalogue[dossier.source, dossier.procedure], dossier.agency, dossier.received_day)
    if level is not None and level not in levels:
        return NOT_COUNTED, None
    if level is None or dossier.channel is None:
        return UNKNOWN, dossier.received_day
    return (HIT if dossier.channel == "online" else MISS), dossier.received_day


def _level(lines: list[Procedure], agency: str | None, day: int) -> str | None:
    """Return the level at which an agency offers a procedure on a day; None if the catalogue does not say."""
    speaking = _speaking(lines, agency, day)
    return speaking[0].level if speaking else None


def _speaking(lines: list[Procedure], agency: str | None, day: int) -> list[Procedure]:
    """Return the line of one procedure that speaks for an agency on a day: its own, else the common one, if any."""
    in_force = [line for line in lines if line.from_day <= day and (line.to_day is None or day <= line.to_day)]
    own = [line for line in in_force if line.agency is not None and line.agency == agency]
    speaking = own or [line for line in in_force if line.agency is None]
    if len({line.level for line in speaking}) > 1:
        raise ValueError(f"the catalogue offers {lines[0].code} at two levels on {_date(day).isoformat()}")
    return speaking[:1]


# --- procedures and systems ------------------------------------------------------------------------------------------


def _count_procedures(ledger: Ledger, days: list[int], cells: dict[str, Cells]) -> None:
    """Look up, for each agency and day, each procedure that a system which serves it lists."""
    for source in ledger.sources:
        lines: Catalogue = defaultdict(list)
        for procedure in ledger.procedures:
            if procedure.source == source.name:
                lines[source.name, procedure.code].append(procedure)
        for agency in source.serves:
            for day in days:
                for some in lines.values():
                    for line in _speaking(some, agency, day):
                        for level in ("full", "partial"):
                            verdict = UNKNOWN if line.level is None else HIT if line.level == level else MISS
                            cells[f"procedures.online_{level}"][agency, day].add(verdict)


def _count_probes(ledger: Ledger, serves: Mapping[str, set[str]], cells: Cells) -> None:
    """Go through every instant at which a system was to be asked; each agency that it serves has them all."""
    for watch in ledger.watches:
        own: dict[int, Cell] = defaultdict(Cell)
        for instant in range(watch.since, _end_of(ledger.last_day), watch.every):
            if watch.holds(watch.maintenance, instant):
                verdict = NOT_COUNTED
            elif watch.holds(watch.missed + watch.untried, instant):
                verdict = UNKNOWN
            else:
                verdict = MISS if watch.holds(watch.outages, instant) else HIT
            own[_local_day(instant)].add(verdict)
        for agency in serves[watch.source]:
            for day, cell in own.items():
                cells[agency, day].hits += cell.hits
                cells[agency, day].judged += cell.judged
                cells[agency, day].unknown += cell.unknown


def _effective_due(calendar: Calendar, dossier: Dossier) -> tuple[int | None, bool]:
    """Return the due day that counts (None: none was ever promised) and whether the dossier still waits on it.

    The first day promised, moved by each pause that began by the due day then in force and has come back: by as
    many working days as lie after its first day up to its last. A later promise cures nothing.
    """
    if not dossier.promises:
        return None, False
    due = min(dossier.promises, key=lambda promise: promise.at).day
    for begun, ended in _merged_pauses(dossier):
        if begun > due:
            continue
        if ended is None:
            return due, True
        for _ in range(calendar.working_days_after(begun, ended)):
            due = calendar.next_working_day(due)
    return due, False


def _merged_pauses(dossier: Dossier) -> list[tuple[int, int | None]]:
    """Return the pauses in order, those that overlap or touch as one; an open one swallows all later ones."""
    merged: list[tuple[int, int | None]] = []
    for pause in sorted(dossier.pauses, key=lambda pause: pause.begun_day):
        begun, ended = pause.begun_day, pause.ended_day
        if merged:
            last_begun, last_ended = merged[-1]
            if last_ended is None:
                break
            if begun <= last_ended:
                merged[-1] = last_begun, None if ended is None else max(last_ended, ended)
                continue
        merged.append((begun, ended))
    return merged


# --- the calendar ----------------------------------------------------------------------------------------------------


def _calendar(ledger: Ledger) -> Calendar:
    return Calendar(frozenset(ledger.days_off), frozenset(day // 10_000 for day in ledger.days_off))


def _date(day: int) -> date:
    return date(day // 10_000, day // 100 % 100, day % 100)


def _day(when: date) -> int:
    return when.year * 10_000 + when.month * 100 + when.day


def _days(first: int, last: int) -> Iterator[int]:
    """Yield each day from `first` to `last`, both included; none if `last` is earlier."""
    when, end = _date(first), _date(last)
    while when <= end:
        yield _day(when)
        when += timedelta(days=1)


def _days_of_month(month: int) -> list[int]:
    first = date(month // 100, month % 100, 1)
    return [_day(when) for number in range(31) if (when := first + timedelta(days=number)).month == first.month]


def _local_day(instant: int) -> int:
    return _day(datetime.fromtimestamp(instant, LOCAL).date())


def _end_of(day: int) -> int:
    """Return the instant at which a local day is over."""
    return int(datetime.combine(_date(day) + timedelta(days=1), time(), LOCAL).timestamp())
