"""What is read from a source: keyed facts without personal data.

A record class is a schema, not a per-row object: connectors yield rows as tuples in the order of its fields.
Field types say how a column is stored:

  str         text, never NULL          str | None  text
  int         integer, never NULL       int | None  integer
  Flag        0, 1 or None (None: the source does not say, or says something that we do not know)

An instant (epoch seconds UTC) has a plain name, a local day (`yyyymmdd`, Asia/Ho_Chi_Minh, cut once by the
connector) ends in `_day`. Every record begins with the same four fields:

  key           unique within its source and record class
  agency_code   the agency as the source wrote it ("" where the parent record carries it); the register maps it
  changed       the source's own version in microseconds, else the start of the read in microseconds
  removed       1 once the source says that the record is deleted; such a row counts nowhere

`AGENCY_DAY` names the column by whose day the register resolves the code; None where a parent carries it.
`AGENCY_CODE` names the column of that code: `agency_code`, but a delivery belongs to the agency that gets it.
`DERIVED` lists columns that the store computes from related records (see `collector/store/derive.py`).
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

Flag = int | None


class Record(Protocol):
    """Any of the record classes below."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    NAME: ClassVar[str]
    AGENCY_DAY: ClassVar[str | None]
    AGENCY_CODE: ClassVar[str]
    DERIVED: ClassVar[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox of an inventory, one row per calendar month. key = `<yyyymm>:<pseudonym>`.

    `pseudonym` is `door.pseudonym(address, month_day)`. `active_from_day` is the day of creation if the list tells
    it; `first_listed_day` the first list of the month (or before, carried over) that has it. `closed_day` is the
    first day on which it was no longer active (locked, or gone from the list): it counts on the days before.
    `quota` and `used` are bytes, as the month's last list tells them. `quota` 0: there is no limit; None: not told.
    `last_login_day` is the last day of the month on which the server itself remembers a login: nothing counts by it, it
    is held against the logs.
    """

    NAME: ClassVar[str] = "mailbox"
    AGENCY_DAY: ClassVar[str | None] = "month_day"
    AGENCY_CODE: ClassVar[str] = "agency_code"
    DERIVED: ClassVar[dict[str, object]] = {}

    key: str
    agency_code: str
    changed: int
    removed: int
    month_day: int  # the first day of the calendar month, yyyymm01
    pseudonym: str
    kind: str | None  # personal | shared; None: the list does not say, or says something unknown
    active_from_day: int | None
    first_listed_day: int
    closed_day: int | None
    quota: int | None
    used: int | None
    last_login_day: int | None


@dataclass(frozen=True, slots=True)
class MailboxDay:
    """Use of a mailbox on a local day, as far as one span of one log tells. key = `<day>:<pseudonym>:<span>`.

    Additive: a day's count is the sum over spans. `span` is `<file identity>:<from>-<to>` in bytes.
    A session counts on each local day that it touches, a mail on the day of its acceptance. `sent_outside` are
    deliveries (recipients, not mails) finally sent, of mails by an authenticated official, to addresses outside
    government domains, `sent_free` those of them to a free-mail domain; on the day of the mail's acceptance.
    """

    NAME: ClassVar[str] = "mailbox_day"
    AGENCY_DAY: ClassVar[str | None] = None
    AGENCY_CODE: ClassVar[str] = "agency_code"
    DERIVED: ClassVar[dict[str, object]] = {}

    key: str
    agency_code: str
    changed: int
    removed: int
    pseudonym: str
    day: int
    span: str
    sessions: int
    sent: int
    sent_outside: int
    sent_free: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a register. key = the register's own id.

    `scope_stated` and `electronic_stated` are what the register itself says, None where it does not say; where
    Delivery rows exist they decide instead (derived `scope`, `sent_electronically`).

    A register tells all documents that an agency issued (`out`) and got (`in`). A document trunk tells only those that
    passed through it: they are `sent` and `received`, and are no part of what was issued.
    """

    NAME: ClassVar[str] = "document"
    AGENCY_DAY: ClassVar[str | None] = "issued_day"
    AGENCY_CODE: ClassVar[str] = "agency_code"
    DERIVED: ClassVar[dict[str, object]] = {"scope": str | None, "sent_electronically": Flag}

    key: str
    agency_code: str
    changed: int
    removed: int
    direction: str  # out | in: of a register; sent | received: of a trunk
    scope_stated: str | None  # internal | external
    issued_day: int | None
    electronic_stated: Flag
    paper_too: Flag
    signed: Flag
    recalled: Flag
    due_day: int | None
    completed_day: int | None
    document_id: str | None  # travels with it (edXML DocumentId, docId of the trunk), the same on both sides
    counterpart: str | None  # of an incoming one: the sender's organ code as the source wrote it
    source_status: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient of an outgoing document. key = `<document>|<recipient or row id>`. Its agency is the recipient's.

    `received` is 1 once the recipient sent status 03 (accepted and registered) or a later one, 0 while it has not, None
    where the source does not tell statuses; `received_day` is the day of the first such status. Arrival (01), or that
    the recipient's system fetched it, proves no receipt. `refused`: status 02, and none of 03 or later. `recalled`: 1
    once the recipient agreed to give it back, 0 if nobody asked or it declined, None while it has not answered.
    `status_told` is 1 if the source tells what became of deliveries, 0 if it never does: then all of these are None.
    """

    NAME: ClassVar[str] = "delivery"
    AGENCY_DAY: ClassVar[str | None] = "sent_day"
    AGENCY_CODE: ClassVar[str] = "counterpart"
    DERIVED: ClassVar[dict[str, object]] = {
        "answer_day": int | None,  # the next working day after sending
        "document_recalled": Flag,  # what its document says
    }

    key: str
    agency_code: str
    changed: int
    removed: int
    document: str  # Document.key
    counterpart: str | None  # organ code as the source wrote it
    outside: Flag  # 1: outside the province
    electronic: Flag  # 1: it got the document electronically
    sent_day: int | None
    received: Flag
    received_day: int | None
    refused: Flag
    recalled: Flag
    document_id: str | None  # the id under which this recipient's own list has it; None: as the document's
    status_told: int


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier of the one-stop system. key = its number. `agency_code` is the agency that resolves it.

    `completed_day`: the result handed to the one-stop desk (NgayKetThucXuLy), not collected by the citizen
    (`returned_day`, NgayTra). `ended_day`: the day of withdrawal, refusal or stop; `completed_day` is then None.

    `completed` and `due` are instants, None where the source tells no time of day. `due_day` is the due date that the
    source shows now, None without any: what other systems judge by; ours are the promises of DossierEvent.
    `digitised`: at least one of its papers was. `electronic_result`: its result is there as a file. `payment`: none
    (no fee was paid), online or otherwise.
    """

    NAME: ClassVar[str] = "dossier"
    AGENCY_DAY: ClassVar[str | None] = "received_day"
    AGENCY_CODE: ClassVar[str] = "agency_code"
    DERIVED: ClassVar[dict[str, object]] = {
        "effective_due_day": int | None,
        "due_basis": str | None,  # first | history | current (the day may have moved); None without any due date
        "paused_on_due": Flag,
        "offered_level": str | None,  # information | partial | full; None: not in the catalogue
        "left_day": int | None,  # completed_day, else ended_day
    }

    key: str
    agency_code: str
    changed: int
    removed: int
    procedure: str | None
    channel: str | None  # counter | online | post
    submitted_day: int | None
    received_day: int | None
    completed_day: int | None
    returned_day: int | None
    outcome: str | None  # open | completed | refused_at_intake | refused_after | withdrawn | stopped
    ended_day: int | None
    source_status: str | None
    completed: int | None
    due: int | None
    due_day: int | None
    digitised: Flag
    electronic_result: Flag
    payment: str | None  # none | online | otherwise


@dataclass(frozen=True, slots=True)
class DossierEvent:
    """A due date promised or a pause ever observed. No agency of its own; it belongs to `dossier`.

    kind          day                              key
    due_promised  the due day promised             `<dossier>|due|<day>`; `at` when it was promised
    pause_begun   the day the pause began          `<dossier>|begun|<ref>`
    pause_ended   the day the supplement came back `<dossier>|ended|<ref>`

    The `ref` of a promise is the time that was allowed with it where the source tells one: `5 working_days`,
    `30 days` or `16 working_hours` (collector/promises.py); anything else says nothing.

    `at` orders promises: microseconds, as `changed`; the smallest is the first promise. A promise seen again
    with a smaller `at` lowers it (the connector gives the event `changed` = -`at`, so that the earliest wins).
    `basis` says how sure a promise is: `first` (read when it was made, or the source never overwrites it in
    silence), `history` (the source's own list of moved due dates names it), `current` (only today's due date could
    be read from a source that overwrites it: if no surer promise is earlier, the dossier is counted on that day and
    cannot be judged).
    """

    NAME: ClassVar[str] = "dossier_event"
    AGENCY_DAY: ClassVar[str | None] = None
    AGENCY_CODE: ClassVar[str] = "agency_code"
    DERIVED: ClassVar[dict[str, object]] = {}

    key: str
    agency_code: str
    changed: int
    removed: int
    dossier: str  # Dossier.key
    kind: str
    ref: str
    at: int
    day: int
    basis: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure of the catalogue. key = `<code>@<agency_code>` (or the code, if offered by every agency).

    `level` is how far it is offered online: information | partial | full (NĐ 42/2022; one level per procedure).
    `agency_code` "" means: the same for all agencies. `listed` 1: a line of a catalogue, which has all procedures in
    force; 0: a dossier showed that there is such a procedure, and says nothing of those without dossiers.
    """

    NAME: ClassVar[str] = "procedure"
    AGENCY_DAY: ClassVar[str | None] = None
    AGENCY_CODE: ClassVar[str] = "agency_code"
    DERIVED: ClassVar[dict[str, object]] = {}

    key: str
    agency_code: str
    changed: int
    removed: int
    code: str
    level: str | None
    from_day: int | None
    to_day: int | None  # the last day in force; None: still in force
    listed: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a system answered on a local day, as this program itself found out. key = the day, `yyyymmdd`.

    Counts of small questions on a plan (collector/probing.py): `planned` for the day as far as it is settled; of them
    `answered` in time, `silent` (asked, and no answer in time), `excused` (in a maintenance window, not asked). The
    rest was planned and not carried out: nobody knows what the answer would have been. Additive: no other row counts
    the same. `begun` is the instant from which the day's plan was watched (its start, but for the first day of all),
    `settled` the last planned instant that is counted. No agency of its own: it belongs to all that the source serves.
    """

    NAME: ClassVar[str] = "probe"
    AGENCY_DAY: ClassVar[str | None] = None
    AGENCY_CODE: ClassVar[str] = "agency_code"
    DERIVED: ClassVar[dict[str, object]] = {}

    key: str
    agency_code: str
    changed: int
    removed: int
    day: int
    planned: int
    answered: int
    silent: int
    excused: int
    begun: int
    settled: int


RECORDS: tuple[type[Record], ...] = (
    Mailbox,
    MailboxDay,
    Document,
    Delivery,
    Dossier,
    DossierEvent,
    Procedure,
    Probe,
)


INSTANTS = frozenset({"completed", "due"})
"""Fields that hold an instant, epoch seconds UTC."""


def is_day(name: str) -> bool:
    """Tell whether a column of this name holds a local day."""
    return name == "day" or name.endswith("_day")


def columns(record: type[Record]) -> tuple[str, ...]:
    """Return the field names of a record class: the order of a row's values."""
    return tuple(field.name for field in fields(record))
