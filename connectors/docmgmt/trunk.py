"""Documents and deliveries that passed through a document trunk: its lists over HTTP, or a folder of its messages.

System:  one of three. The province's trunk (`received`: its `/v1` list of received documents, and each message by its
         id). VXP, the national trunk's adapter (`sent`: the sent list and the counters). Or a folder of edXML messages
         of QCVN 102:2016/BTTTT (`messages`; door `folder` or `ssh`), as gateways keep them.
Account: a system id and its secret, registered with the trunk to read; for the province's trunk also a log-in, if it
         gives out tokens. For a folder: the right to read. Secrets stand in `config`, by reference.
Reads:   GET of `received.path` and `received.envelope_path`, and POST of the log-in; POST of `sent.path` and GET of the
         counters; or the files that match `messages.pattern`. Of a message only ids, organ codes, days, the flags of
         paper and signatures, and status codes.
Never:   acknowledges, updates, sends or confirms anything, and never reads VXP's receiving queue, whose length is no
         volume. Attachments pass by, undecoded. No subject, text, person, address or telephone number is kept.
Limits:  a trunk knows only what passed through it. Its documents are `sent` and `received` rather than `out` and `in`,
         and no share of all documents is computed from them, unless `messages.all_documents` says that the agencies
         issue nothing else. The lists alone tell neither paper, signature, recall nor the business statuses; VXP's list
         has the transport's word only, which proves no receipt. A folder proves nothing about the day of its newest
         file, nor later ones. A document's messages are put together for `follow_days` after the last of them; a cursor
         that was deleted, or a run by hand, puts together only what is still in the folder. A status that comes for a
         document whose envelope is not there makes no row. Where an id names no day of issue and the envelope is not
         read, the day of sending counts as it.
Quality: statuses 03 to 06 alone prove receipt; 01 is arrival. A recall counts once the recipient agreed (15), not if it
         declined (16), and is unknown until then. A replaced document counts as recalled; an update is no new document.
         A signature of the envelope is none of the document (`signature`). Signatures inside a PDF are not looked for:
         without one told beside the attachment, whether a document is signed is unknown. Messages that cannot be used
         are set aside by name; over 1 % of them stop the source.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.contract.connector import BadRow, Batch, Covered, Days, Finding, Row, Want
from collector.contract.door import FileEntry, Files, Pages, wrong_door
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import Period, local_day, plus_days
from collector.contract.records import Delivery, Document, Record
from collector.contract.reported import Report, Total
from connectors.docmgmt.edxml import Limits, Message, Refused, read
from connectors.docmgmt.organ_codes import outside
from connectors.docmgmt.trunk_book import Book, Known, Writer
from connectors.docmgmt.trunk_config import Config, Messages, Received, Sent
from connectors.docmgmt.trunk_lists import (
    ReceivedItem,
    SentItem,
    count_waiting,
    issued_day,
    key_of,
    pages,
    read_message,
    read_received,
    read_sent,
    received_question,
    sent_question,
    windows,
)
from connectors.docmgmt.trunk_session import Province, Said, Vxp

__all__ = ["DOORS", "RECORDS", "Config", "fetch", "offers", "probe", "publishes", "reported"]

DOORS = ("http", "folder", "ssh")
RECORDS: tuple[type[Record], ...] = (Document, Delivery)

_BATCH = 10_000
_FILES = 5_000
_REMEMBERED = 1_000
_ENOUGH = 10
_SKEW = 300
_OTHERS = "another of messages, received and sent"
_WAITING = "documents"
"""Which of VXP's counters counts documents."""

_MILLION = 1_000_000
_GOT = {"done": 1, "processing": 1, "acceptance": 1, "inbox": 1, "fail": 0}
"""What the transport's word says of whether a recipient's system got a document; `initial` says nothing yet."""


def offers(config: Config) -> Sequence[type[Record]]:
    """Return the records that figures may wait for: none for documents that are no register, nor without statuses."""
    if config.messages is None:
        return ()
    told = (Delivery,) if config.messages.statuses else ()
    return (Document, *told) if config.messages.all_documents else told


def fetch(config: Config, door: Any, want: Want) -> Iterator[Batch]:
    """Yield documents and deliveries. Days are local days; the last batch carries the cursor and the days covered.

    Raises what the door raises, and UnexpectedAnswer, naming the field, for another shape or too much that is unusable.
    """
    if config.messages is not None:
        yield from _from_folder(config, config.messages, _folder(door), want)
    elif config.received is not None:
        yield from _from_received(config, config.received, _service(door), want)
    elif config.sent is not None:
        yield from _from_sent(config, config.sent, _service(door), want)


@dataclass(slots=True)
class _Intake:
    """Rows on their way into batches, what could not be used, and whether that is too much."""

    source: str
    wanted: frozenset[str] | None
    set_aside: set[str] = field(default_factory=set)  # what could not be used, also in earlier runs
    mended: list[tuple[type[Record], str]] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    read: int = 0
    read_since_batch: int = 0
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, count: int = 1) -> None:
        """Note what the source gave."""
        self.read += count
        self.read_since_batch += count

    def refuse(self, key: str, fault: Refused) -> None:
        """Set something aside."""
        name = fault.field or "message"
        self.faults[name, fault.reason] += 1
        self.mend(key)  # it may have been set aside for another field
        self.set_aside.add(key)
        self.bad.append(BadRow(Document, key, name, fault.reason))

    def mend(self, key: str) -> None:
        """Note that nothing is wrong any more with what may have been set aside."""
        if key in self.set_aside:
            self.set_aside.discard(key)
            self.mended.append((Document, key))

    def remembered(self) -> list[str]:
        """Return what is set aside, for a later run to mend."""
        return sorted(self.set_aside)[:_REMEMBERED]

    def take(self, documents: Sequence[Row], deliveries: Sequence[Row]) -> None:
        """Take the rows of a document, as far as its agencies are wanted."""
        if self.wanted is None:
            self.documents += documents
            self.deliveries += deliveries
            return
        chosen = [row for row in documents if row[1] in self.wanted]
        keys = {row[0] for row in chosen}
        self.documents += chosen
        self.deliveries += [row for row in deliveries if row[4] in keys]

    def full(self) -> bool:
        """Say whether there is enough for a batch."""
        return len(self.documents) + len(self.deliveries) + len(self.bad) >= _BATCH

    def batch(
        self, cursor: Mapping[str, Any] | None = None, covers: Sequence[Covered] = (), *, last: bool = False
    ) -> Batch:
        """Return what was taken since the last batch; UnexpectedAnswer if too much could not be used."""
        self._judge(last)
        rows: dict[type[Record], Sequence[Row]] = {
            Document: tuple(self.documents),
            Delivery: tuple(self.deliveries),
        }
        made = Batch(rows, cursor, covers, tuple(self.bad), read=self.read_since_batch, looked_at=tuple(self.mended))
        self.documents, self.deliveries, self.bad, self.mended, self.read_since_batch = [], [], [], [], 0
        return made

    def _judge(self, last: bool) -> None:
        bad = self.faults.total()
        # One alone never stops a source; of a few, all must be bad, and only at the end are they known to be few.
        many = self.read >= _ENOUGH and bad * 100 > self.read
        if bad < 2 or not (many or (last and bad == self.read)):
            return
        (name, reason), count = min(self.faults.items(), key=lambda fault: (-fault[1], fault[0]))
        raise UnexpectedAnswer(
            f"{bad} of {self.read} entries or messages cannot be used; {count} times this field {reason}",
            source=self.source,
            stage="answer",
            field=name,
            mend="The trunk writes in another way than before; show its operator one of those set aside",
        )


def _covers(records: Sequence[type[Record]], want: Want, last_day: int) -> list[Covered]:
    last = min(last_day, want.last_day)
    if want.agencies is not None or last < want.first_day:
        return []
    return [Covered(record, want.first_day, last) for record in records]


def _writer(config: Config, want: Want) -> Writer:
    flags = outside(config.inside)
    messages = config.messages
    register = messages is not None and messages.all_documents
    return Writer(
        since=want.since,
        outside=(lambda code: flags[code]) if config.inside else (lambda _: None),
        copies_only=config.received is not None,
        sent="out" if register else "sent",
        received="in" if register else "received",
        signature=config.signature,
        statuses=messages is not None and messages.statuses,
    )


def _told(config: Config, want: Want) -> Mapping[str, Any]:
    """The cursor, if it was made under this configuration and this run goes on from it; else an empty one."""
    cursor = want.cursor
    if cursor is None or want.window or cursor.get("config") != config.fingerprint():
        return {}
    return cursor


def _keeps_cursor(want: Want) -> bool:
    return not want.window and want.agencies is None


def _in_window(known: Known, want: Want) -> bool:
    if not want.window or known.contents is None:
        return True
    day = known.contents[2]
    if day is None and known.sent is not None:
        day = local_day(known.sent)
    return day is None or want.first_day <= day <= want.last_day


# --- a folder --------------------------------------------------------------------------------------------------------


def _folder(door: Any) -> Files:
    if not hasattr(door, "list"):
        raise wrong_door(door, "messages", "folder or ssh", _OTHERS)
    folder: Files = door
    return folder


def _from_folder(config: Config, messages: Messages, door: Files, want: Want) -> Iterator[Batch]:
    told = _told(config, want)
    today = local_day(door.began)
    shelf = _Shelf(config, door, want, told, messages.follow_days)
    limits = Limits(size=config.largest_bytes)
    before = told.get("files") or {}
    entries = door.list(messages.pattern)
    # Only names that are still there: a file that was taken away needs no remembering.
    files = {one.name: before[one.name] for one in entries if before.get(one.name) == [one.size, one.modified]}
    # A file written on a day tells of the days before it; that nothing was written since proves nothing.
    through = max((plus_days(local_day(entry.modified), -1) for entry in entries), default=0)
    for gone in shelf.intake.set_aside - {entry.name for entry in entries}:
        shelf.intake.mend(gone)
    for entry in entries:
        if entry.name in files:
            continue
        try:
            message = read(door.read(entry.name, 0, entry.size), limits)
        except Refused as fault:
            if not fault.field and entry.modified > door.began - messages.settle_minutes * 60:
                # Somebody may still be writing it: the next run reads it.
                through = min(through, plus_days(local_day(entry.modified), -1))
                continue
            shelf.intake.refuse(entry.name, fault)
        else:
            shelf.intake.mend(entry.name)
            shelf.book.add(message, today)
        shelf.intake.note()
        files[entry.name] = [entry.size, entry.modified]
        if shelf.intake.read_since_batch >= _FILES:
            yield from shelf.batches({"files": dict(files)})
    yield from shelf.batches({"files": files}, _covers(RECORDS, want, through), last=True)


class _Shelf:
    """The book of a run, and its way into batches: the rows of what has changed, with a cursor that is then true."""

    def __init__(
        self, config: Config, door: Files | Pages, want: Want, told: Mapping[str, Any], follow_days: int
    ) -> None:
        self.book = Book(told.get("documents"))
        self.intake = _Intake(door.source, want.agencies, set(told.get("set_aside", ())))
        self._config = config
        self._writer = _writer(config, want)
        self._want = want
        self._began = door.began
        self._kept_since = plus_days(local_day(door.began), -follow_days)
        self._times = 0

    def batches(
        self, cursor: Mapping[str, Any], covers: Sequence[Covered] = (), *, last: bool = False
    ) -> Iterator[Batch]:
        """Yield the rows of the documents that changed since the last time; the last batch carries the cursor."""
        # A document that comes again in the same run comes with more of its messages.
        version = self._began * _MILLION + self._times
        self._times += 1
        for document_id in sorted(self.book.changed):
            known = self.book.documents[document_id]
            if self._config.received is not None or _in_window(known, self._want):
                self.intake.take(*self._writer.rows(document_id, known, version))
            if self.intake.full():
                yield self.intake.batch()
        self.book.changed.clear()
        whole = {
            "config": self._config.fingerprint(),
            "documents": self.book.document(self._kept_since),
            "set_aside": self.intake.remembered(),
            **cursor,
        }
        yield self.intake.batch(whole if _keeps_cursor(self._want) else None, covers, last=last)


def _probe_folder(config: Config, messages: Messages, door: Files) -> Iterator[Finding]:
    found = door.list(messages.pattern)
    yield Finding("reach", "ok", f"{len(found)} files match {messages.pattern}")
    if not found:
        yield Finding("read", "unproved", f"no file matches {messages.pattern}", "Check the pattern and the folder")
    newest = sorted(found, key=lambda entry: (entry.modified, entry.name))[-_ENOUGH:]
    kinds: Counter[str] = Counter()
    for entry in newest:
        try:
            kinds[read(door.read(entry.name, 0, entry.size), Limits(size=config.largest_bytes)).kind] += 1
        except Refused as fault:
            yield Finding("page", "failed", f"{entry.name}: {fault}", "Look at this file; it will be set aside")
    if kinds:
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        yield Finding("page", "ok", f"the newest messages can be read ({told})")
    yield _folder_clock(newest, door.began)
    yield Finding(
        "read-only",
        "unproved",
        "files are only ever listed and read; nothing shows that the account cannot write",
        "Give the account no right but to read",
    )


def _folder_clock(newest: Sequence[FileEntry], began: int) -> Finding:
    ahead = max((entry.modified - began for entry in newest), default=0)
    if ahead > _SKEW:
        return Finding("clock", "failed", f"the newest file is dated {ahead} s after now", "Set both clocks by NTP")
    return Finding("clock", "ok" if newest else "unproved", "no file is dated after now")


# --- the province's trunk --------------------------------------------------------------------------------------------


def _service(door: Any) -> Pages:
    if not hasattr(door, "get"):
        raise wrong_door(door, "received` or `sent", "http", _OTHERS)
    service: Pages = door
    return service


def _days(want: Want, told: Mapping[str, Any], overlap_days: int, today: int) -> tuple[int, int]:
    """The first and the last day to ask for: a window's own, else from the overlap before the last run to today."""
    if want.window:
        return want.first_day, want.last_day
    through = told.get("through")
    return (want.since if through is None else max(want.since, plus_days(through, -overlap_days))), today


def _from_received(config: Config, received: Received, door: Pages, want: Want) -> Iterator[Batch]:
    told = _told(config, want)
    today = local_day(door.began)
    province = Province(door, config)
    first, last = _days(want, told, received.overlap_days, today)
    shelf = _Shelf(config, door, want, told, received.follow_days)
    writer = _writer(config, want)
    envelopes = _Envelopes(config, province, shelf.book, told.get("fetched") or {}, today)

    def ask(since: int, until: int, number: int) -> Said:
        return province.ask(received.path, received_question(received, since, until, number))

    days = list(windows(first, last, received.window_days))
    for page in pages(door, ask, received.path, received.page, days):
        for item in page.entries:
            shelf.intake.note()
            try:
                entry = read_received(item)
                if entry is None or entry.created_day < want.since or writer.outside(entry.recipient) == 1:
                    continue
                if received.envelope_path is None:
                    shelf.intake.take([_listed(entry)], ())
                else:
                    envelopes.take(received.envelope_path, entry)
                shelf.intake.mend(key_of(item))
            except Refused as fault:
                shelf.intake.refuse(key_of(item), fault)
        if page.through is not None:
            fetched = envelopes.fetched(plus_days(page.through, -received.overlap_days - 1))
            ended = page.through == last
            covers = _covers((Document,), want, want.last_day) if ended else ()
            yield from shelf.batches({"through": page.through, "fetched": fetched}, covers, last=ended)


def _listed(entry: ReceivedItem) -> Row:
    """The row of an entry whose message is not read: of paper, signature and the rest it tells nothing."""
    key = f"{entry.document_id}|{entry.recipient}"
    issued = issued_day(entry.document_id, entry.created_day)
    head = (key, entry.recipient, entry.changed * _MILLION, 0, "received", None, issued, 1, None, None, None)
    return (*head, None, None, entry.document_id, entry.sender, entry.status or None)


class _Envelopes:
    """The messages of the list, each fetched once in a run, and who got them."""

    def __init__(self, config: Config, province: Province, book: Book, fetched: Mapping[str, Any], today: int) -> None:
        self._limits = Limits(size=config.largest_bytes)
        self._province = province
        self._book = book
        self._messages: dict[str, Message] = {}
        # By the trunk's id: the day it was created, then its recipients.
        self._fetched: dict[str, list[Any]] = {key: list(one) for key, one in fetched.items()}
        self._today = today

    def take(self, path: str, entry: ReceivedItem) -> None:
        """Fetch the message of an entry, unless it was, and note that its recipient has it. Raises Refused."""
        known = self._fetched.get(entry.document_id, [entry.created_day])
        if entry.recipient in known[1:]:
            return
        message = self._messages.get(entry.document_id)
        if message is None:
            message = read_message(self._province, path, entry.document_id, self._limits)
            self._messages[entry.document_id] = message
        self._book.add(_of_recipient(message, entry.recipient), self._today)
        self._fetched[entry.document_id] = [*known, entry.recipient]

    def fetched(self, kept_since: int) -> dict[str, list[Any]]:
        """Return what was fetched, as far as the list may name it again; forget the messages themselves."""
        self._messages.clear()
        return {key: one for key, one in sorted(self._fetched.items()) if one[0] >= kept_since}


def _of_recipient(message: Message, recipient: str) -> Message:
    """The message as far as its recipient proves it: what others were sent, their own lists tell."""
    removed = tuple(code for code in message.removed if code == recipient)
    return Message(
        message.kind,
        message.document_id,
        message.sender,
        () if removed or message.kind == "status" else (recipient,),
        removed,
        message.at,
        message.issued_day,
        message.due_day,
        message.paper,
        message.envelope_signed,
        message.attachment_signed,
        message.replaces,
        message.status,
    )


def _probe_received(config: Config, received: Received, door: Pages) -> Iterator[Finding]:
    province = Province(door, config)
    if config.login is not None:
        province.log_in()
        yield Finding("log in", "ok", "the trunk gives out a token")
    today = local_day(door.began)
    question = received_question(received, plus_days(today, -1), today, 1)
    said = province.ask(received.path, question)
    yield Finding("reach", "ok", f"{received.path} answered")
    items = said.data if isinstance(said.data, list) else None
    if items is None:
        yield Finding("page", "failed", f"{received.path} has no list of entries in data", "Check the path")
        return
    yield from _shape(items, received.path, read_received)
    entry = next((one for one in map(_readable, items) if one is not None), None)
    if received.envelope_path is not None and entry is not None:
        try:
            message = read_message(province, received.envelope_path, entry.document_id, Limits(config.largest_bytes))
            yield Finding("message", "ok", f"{received.envelope_path} gives messages that can be read ({message.kind})")
        except Refused as fault:
            yield Finding("message", "failed", f"{received.envelope_path}: {fault}", "Show the trunk's operator this")
    yield _clock(said.server_time, door.began)
    yield _read_only()


def _readable(item: Any) -> ReceivedItem | None:
    try:
        return read_received(item)
    except Refused:
        return None


# --- VXP -------------------------------------------------------------------------------------------------------------


def _from_sent(config: Config, sent: Sent, door: Pages, want: Want) -> Iterator[Batch]:
    told = _told(config, want)
    today = local_day(door.began)
    vxp = Vxp(door, config)
    first, last = _days(want, told, sent.overlap_days, today)
    intake = _Intake(door.source, want.agencies, set(told.get("set_aside", ())))
    writer = _writer(config, want)

    def ask(since: int, until: int, number: int) -> Said:
        return vxp.ask("POST", sent.path, sent_question(sent, since, until, number))

    size = sent.window_days if sent.from_day is not None else 1_000_000
    days = list(windows(first, last, size))
    for page in pages(door, ask, sent.path, sent.page, days):
        for item in page.entries:
            intake.note()
            try:
                entry = read_sent(item)
            except Refused as fault:
                intake.refuse(key_of(item), fault)
                continue
            intake.mend(key_of(item))
            if entry is not None and local_day(entry.sent) >= want.since and writer.outside(entry.sender) != 1:
                intake.take([_sent_document(entry)], [_sent_delivery(entry, writer, door.began)])
        if intake.full() or page.through is not None:
            through = {
                "config": config.fingerprint(),
                "through": page.through,
                "set_aside": intake.remembered(),
            }
            ended = page.through == last
            covers = _covers(RECORDS, want, want.last_day) if ended else ()
            keeps = page.through is not None and _keeps_cursor(want)
            yield intake.batch(through if keeps else None, covers, last=ended)


def _sent_document(entry: SentItem) -> Row:
    issued = issued_day(entry.document_id, local_day(entry.sent))
    # All entries of a document tell the same of it but the time: the first sending stands, however pages are cut.
    version = -entry.sent * _MILLION
    head = (entry.document_id, entry.sender, version, 0, "sent", None, issued, 1, None, None, None)
    return (*head, None, None, entry.document_id, None, None)


def _sent_delivery(entry: SentItem, writer: Writer, began: int) -> Row:
    word = entry.receive_status.lower() or entry.send_status.lower()
    got = _GOT.get(word)
    if entry.send_status.lower() == "fail":
        got = 0
    return (
        f"{entry.document_id}|{entry.recipient}",
        "",
        began * _MILLION,
        0,
        entry.document_id,
        entry.recipient,
        writer.outside(entry.recipient),
        got,
        local_day(entry.sent),
        None,
        None,
        1 if word == "rejection" else None,
        None,
        entry.copy_id,
    )


def _probe_sent(config: Config, sent: Sent, door: Pages) -> Iterator[Finding]:
    vxp = Vxp(door, config)
    today = local_day(door.began)
    said = vxp.ask("POST", sent.path, sent_question(sent, plus_days(today, -1), today, 1))
    yield Finding("reach", "ok", f"{sent.path} answered")
    yield Finding("log in", "ok", "system id and signature are taken")
    if not isinstance(said.data, list):
        yield Finding("page", "failed", f"{sent.path} has no list of entries in data", "Check the path")
        return
    yield from _shape(said.data, sent.path, read_sent)
    for what, path in sent.counts.items():
        yield Finding("counts", "ok", f"{count_waiting(vxp, path)} {what} wait to be fetched")
    yield _clock(said.server_time, door.began)
    yield _read_only()


# --- both ------------------------------------------------------------------------------------------------------------


def publishes(config: Config) -> bool:
    """Return whether such a trunk counts anything itself: VXP does, what waits to be fetched."""
    return config.sent is not None and _WAITING in config.sent.counts


def reported(config: Config, door: Any, period: Period) -> Iterator[Report]:
    """Yield how many documents wait for the system that asks: the length of a queue at this moment, no period's volume.

    Nothing where the trunk has no counters.
    """
    if config.sent is None or _WAITING not in config.sent.counts:
        return
    waiting = count_waiting(Vxp(_service(door), config), config.sent.counts[_WAITING])
    totals = [Total(config.system_id, "waiting", waiting)]
    yield Report(Document, Days(period.first, period.last), totals, made=door.began)


def probe(config: Config, door: Any) -> Iterator[Finding]:
    """Yield what one small page, or the newest files, show. Raises what the door raises; nothing is ever written."""
    if config.messages is not None:
        yield from _probe_folder(config, config.messages, _folder(door))
    elif config.received is not None:
        yield from _probe_received(config, config.received, _service(door))
    elif config.sent is not None:
        yield from _probe_sent(config, config.sent, _service(door))


def _shape(items: Sequence[Any], path: str, read_one: Any) -> Iterator[Finding]:
    if not items:
        yield Finding(
            "page",
            "unproved",
            f"{path} lists nothing since yesterday: there may be nothing, or this system may see nothing",
            "Ask the trunk's operator whose documents this system may list",
        )
        return
    lacking: Counter[str] = Counter()
    for item in items[:_ENOUGH]:
        try:
            read_one(item)
        except Refused as fault:
            lacking[fault.field] += 1
    if lacking:
        names = ", ".join(sorted(lacking))
        yield Finding(
            "page", "failed", f"first entries of {path}: missing or unreadable: {names}", "Check these fields"
        )
    else:
        yield Finding("page", "ok", f"{path} lists {len(items)} entries since yesterday that can be read")


def _clock(server_time: int | None, began: int) -> Finding:
    if server_time is None:
        return Finding("clock", "unproved", "the trunk does not tell its clock")
    skew = server_time - began
    if abs(skew) <= _SKEW:
        return Finding("clock", "ok", f"the trunk's clock is {skew:+d} s from ours")
    return Finding("clock", "failed", f"the trunk's clock is {skew:+d} s from ours", "Set both clocks by NTP")


def _read_only() -> Finding:
    return Finding(
        "read-only",
        "unproved",
        "only reading verbs are ever asked; a trunk gives every registered system the right to send and acknowledge",
        "Register a system of its own for this program, in no agency's name, if the trunk can do so",
    )
