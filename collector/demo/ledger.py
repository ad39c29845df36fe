"""The event ledger of the sample province: what happened there, and what its systems can prove.

`province.py` writes it, `systems.py` shows it to the collector as log files, a database and an HTTP service, and
`truth.py` counts the true readings from it alone. Instants are epoch seconds UTC, days local `yyyymmdd`. The
ledger is kept as `ledger.json` (one object with the fields of `Ledger`) in the demo's folder.

It says what can be proved: on a lost day of a log no session and no mail is told. Sessions may begin on the evening
before `first_day`. A document without recipients says nothing about its scope nor how it was sent. Dossiers
received before `first_day` were still open when their system began to tell of them.
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency of the register."""

    code: str  # H44.02
    old_code: str  # 000.00.02.H44
    name: str
    block: str  # departments | vertical | districts | communes
    headcount: int | None
    mail_domain: str
    outside: str = ""  # why it is not part of the wider figures; "" if it is


@dataclass(frozen=True, slots=True)
class Source:
    """A system that the collector reads. `serves` are agency codes. `lost` are days that it cannot prove.

    `records` are the record names that it offers (mailbox, mailbox_day, document, delivery, dossier, dossier_event,
    procedure; probe: what the collector itself found out about it). It can prove each day from `since` to the ledger's
    last day, less the days in `lost[record]`.
    """

    name: str
    system: str  # mail | documents | dossiers
    since: int
    serves: list[str]
    records: list[str]
    lost: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Size:
    """How full a mailbox is from a day on, in bytes. `quota` 0: no limit. None: the list does not say."""

    from_day: int
    quota: int | None
    used: int | None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`agency` None: its domain is in no register. `kind` None: the list says something unknown.

    Active on each day d with created_day <= d and (locked_day is None or d < locked_day). `sizes` in the order of their
    days, each one told by the list of its day; none if the server's lists say nothing of sizes.
    """

    source: str
    address: str
    agency: str | None
    kind: str | None  # personal | shared
    created_day: int
    locked_day: int | None
    sizes: list[Size] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Session:
    """A mailbox opened by a client. `end` None: the log never tells an end, so it counts on its first day only."""

    address: str
    begin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class MailTo:
    """A recipient of a mail: whose `domain` it is (government | free | other), and whether it got the mail."""

    address: str
    domain: str
    arrived: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail accepted from an authenticated official; `attempts` deliveries were tried, it counts once."""

    address: str
    accepted: int
    attempts: int
    to: list[MailTo] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of a document. None: the register does not say, or says something unknown."""

    code: str | None
    outside: int | None  # 1: outside the province
    electronic: int | None
    received: int | None = None  # 1: accepted and registered (status 03 or later)
    received_day: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """`agency` None: `agency_written` is in no register. Scope: external if any recipient is outside."""

    source: str
    id: str
    agency: str | None
    agency_written: str
    direction: str  # out | in
    issued_day: int | None
    recipients: list[Recipient]
    paper_too: int | None
    recalled: int | None
    deleted: bool
    note: str = ""  # what is awkward about it
    signed: int | None = None  # with the organisation's signature
    due_day: int | None = None  # an incoming one: to be dealt with by then
    completed_day: int | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A due day promised to the applicant at an instant, by a full hour of it; None: its system tells no hour."""

    at: int
    day: int
    hour: int | None = 17


@dataclass(frozen=True, slots=True)
class Pause:
    """A request for a supplement. `ended_day` None: not come back yet."""

    ref: str
    begun_day: int
    ended_day: int | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a clerk says by hand about one awkward dossier: hit | miss | unknown | not counted, and the day of it."""

    reason: str
    on_time: str
    on_time_day: int | None
    on_time_due: str
    on_time_due_day: int | None
    online: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """`promises` in the order in which they were made; the first one counts. `outcome` is where it stands at the end.

    open | completed | refused_at_intake | refused_after | withdrawn | stopped. `completed_day` only for completed and
    refused_after, and `completed` the instant on it (None: its system tells the day alone); `ended_day` for withdrawn,
    stopped and refused_at_intake.

    `digitised`: at least one of its papers; `electronic_result`: the result is a file; `payment` of its fee: none |
    online | otherwise. None: its system does not say.
    """

    source: str
    id: str
    agency: str | None
    agency_written: str
    procedure: str | None
    channel: str | None  # counter | online | post; None: an unknown channel code
    received_day: int | None
    promises: list[Promise]
    pauses: list[Pause]
    outcome: str
    completed_day: int | None
    returned_day: int | None
    ended_day: int | None
    deleted: bool = False
    expected: Expected | None = None
    entered: int | None = None
    completed: int | None = None
    digitised: int | None = None
    electronic_result: int | None = None
    payment: str | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """A line of the catalogue: `level` information | partial | full from `from_day` to `to_day` (included).

    `agency` None: a common one, of all that the source serves; else it is its own, and goes before the common one.
    """

    source: str
    code: str
    level: str | None
    from_day: int
    to_day: int | None
    agency: str | None = None
    agency_written: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Instants from `begin` to before `end`."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Watch:
    """How a system was asked whether it answers: each `every` seconds from `since` on, day and night.

    It is silent in `outages`. In `maintenance`, told beforehand, it is not asked; in `missed` the program that asks
    stood still, and in `untried` it could not ask. `address` is asked instead of the one that is read.
    """

    source: str
    every: int
    since: int
    address: str | None = None
    outages: list[Stretch] = field(default_factory=list)
    maintenance: list[Stretch] = field(default_factory=list)
    missed: list[Stretch] = field(default_factory=list)
    untried: list[Stretch] = field(default_factory=list)

    def holds(self, stretches: list[Stretch], instant: int) -> bool:
        """Tell whether an instant lies in one of some stretches."""
        return any(one.begin <= instant < one.end for one in stretches)


@dataclass(frozen=True, slots=True)
class OwnReport:
    """How a one-stop system counts and prints its own totals, beside the rules that all of them have (`own_report`).

    `made` is the instant at which it counts (None: it does not say, and counts what it has now), `made_text` the same
    on the local clock. It counts the dossiers of `channels` alone. `ended`: completed (at the desk) or returned (to the
    citizen). Its percentage has `places`, rounded or `cut`. `added` are dossiers that a clerk added to those completed
    early, `typed` percentages that somebody typed.
    """

    source: str
    made: int | None
    made_text: str
    channels: list[str]
    ended: str
    places: int
    cut: bool
    added: dict[str, int] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """What an agency declares of a criterion: `hits` of `judged`, both None where the form's line is empty."""

    criterion: str
    hits: int | None
    judged: int | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A form that an agency handed in on a day: it holds for a `period`, or `from_day` on until there is a newer."""

    agency: str
    by: str
    on: int
    period: str
    from_day: int | None
    items: list[Item]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything. The demo's clock stands at `now`; its days are `first_day..last_day`."""

    seed: int
    province: str  # its code, H44
    now: int
    first_day: int
    last_day: int
    days_off: list[int]  # of the demo's years, weekends included; every other day is a working day
    agencies: list[Agency]
    sources: list[Source]
    mailboxes: list[Mailbox]
    sessions: list[Session]
    mails: list[Mail]
    documents: list[Document]
    dossiers: list[Dossier]
    procedures: list[Procedure]
    reports: list[OwnReport] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the ledger as JSON."""
        path.write_text(json.dumps(self, ensure_ascii=False, default=fields_of), encoding="utf-8")


def fields_of(row: Any) -> dict[str, Any]:
    """Return the fields of one of these rows, as JSON has them."""
    return {name: getattr(row, name) for name in row.__slots__}


def watch(row: dict[str, Any]) -> Watch:
    """Make a watch of its fields as JSON has them."""
    stretches = ("outages", "maintenance", "missed", "untried")
    return Watch(**row | {name: [Stretch(**one) for one in row[name]] for name in stretches})


def read(path: Path) -> Ledger:
    """Read a ledger that `Ledger.write` wrote."""
    return _ledger(json.loads(path.read_text(encoding="utf-8")))


def _ledger(document: dict[str, Any]) -> Ledger:
    def rows(kind: type[Any], name: str) -> list[Any]:
        return [kind(**row) for row in document[name]]

    def document_of(row: dict[str, Any]) -> Document:
        return Document(**row | {"recipients": [Recipient(**one) for one in row["recipients"]]})

    def dossier_of(row: dict[str, Any]) -> Dossier:
        return Dossier(
            **row
            | {
                "promises": [Promise(**one) for one in row["promises"]],
                "pauses": [Pause(**one) for one in row["pauses"]],
                "expected": Expected(**row["expected"]) if row["expected"] else None,
            }
        )

    def mailbox_of(row: dict[str, Any]) -> Mailbox:
        return Mailbox(**row | {"sizes": [Size(**one) for one in row["sizes"]]})

    def mail_of(row: dict[str, Any]) -> Mail:
        return Mail(**row | {"to": [MailTo(**one) for one in row["to"]]})

    def statement_of(row: dict[str, Any]) -> Statement:
        return Statement(**row | {"items": [Item(**one) for one in row["items"]]})

    plain = {f.name: document[f.name] for f in fields(Ledger)}
    return Ledger(
        **plain
        | {
            "agencies": rows(Agency, "agencies"),
            "sources": rows(Source, "sources"),
            "mailboxes": [mailbox_of(row) for row in document["mailboxes"]],
            "sessions": rows(Session, "sessions"),
            "mails": [mail_of(row) for row in document["mails"]],
            "documents": [document_of(row) for row in document["documents"]],
            "dossiers": [dossier_of(row) for row in document["dossiers"]],
            "procedures": rows(Procedure, "procedures"),
            "watches": [watch(row) for row in document["watches"]],
            "reports": rows(OwnReport, "reports"),
            "statements": [statement_of(row) for row in document["statements"]],
        }
    )
