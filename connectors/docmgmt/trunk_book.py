"""What messages about documents add up to, in whatever order, and however often, they come.

A document's row depends on several messages: its envelope, updates, a recall, the status packets of each recipient. The
book keeps of each document only what decides its rows: newest contents, earliest and latest instants. All of these are
greatest or least values, so that any order and repetition of messages ends in the same book, and the same book in the
same rows.

What each status proves (facts: standards 1.2): 01 that the message arrived, 02 that it was refused, 03 to 06 that it
was accepted and registered (06 also that the work is done), 13 that the sender asks for it back, 15 and 16 that the
recipient agreed to that, or to an update, or declined. Codes beyond the nine are a vendor's own and prove nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.contract.connector import Row
from collector.contract.period import local_day
from connectors.docmgmt.edxml import STATUSES, Message

_CLOCKS_DIFFER = 3_600
"""Seconds that an answer may seem earlier than its question: two systems, two clocks."""

_RECEIVED = ("03", "04", "05", "06")
Outside = Callable[[str], int | None]
"""Whether an organ is outside the province: 1, 0, or None where that is not known."""


@dataclass(slots=True)
class Recipient:
    """What is known of one recipient of a document; instants in epoch seconds, None: never."""

    added: int | None = None  # the latest message that lists it; -1 if that one has no time
    removed: int | None = None  # the latest update that takes it out
    got: int | None = None  # the earliest 03 or later
    done: int | None = None  # the earliest 06
    refused: int | None = None
    asked: int | None = None  # the latest recall sent to it
    agreed: int | None = None
    declined: int | None = None
    latest: tuple[int, str] = (-1, "")  # the latest status of all


@dataclass(slots=True)
class Known:
    """What is known of one document. `contents` is the newest envelope's, None before any came."""

    contents: list[Any] | None = None  # [version, sender, issued, due, paper, envelope signed, attachment signed]
    sent: int | None = None  # when its first envelope was sent
    asked: int | None = None  # the latest 13: to all recipients
    updated: bool = False
    replaced: bool = False
    touched: int = 0  # the local day on which anything was last added
    recipients: dict[str, Recipient] = field(default_factory=dict)


def _latest(old: int | None, new: int | None) -> int | None:
    return new if old is None else old if new is None else max(old, new)


def _earliest(old: int | None, new: int | None) -> int | None:
    return new if old is None else old if new is None else min(old, new)


class Book:
    """All documents that messages told of."""

    def __init__(self, told: Mapping[str, Any] | None = None) -> None:
        """Open a book as `document` closed it."""
        self.documents: dict[str, Known] = {key: _unpacked(one) for key, one in (told or {}).items()}
        self.changed: set[str] = set()

    def add(self, message: Message, today: int) -> None:
        """Add a message that was read on a local day."""
        if message.kind == "status":
            self._status(message, today)
            return
        known = self._touch(message.document_id, today)
        at = -1 if message.at is None else message.at
        if message.kind == "recall":
            for code in message.recipients:
                one = known.recipients.setdefault(code, Recipient())
                one.asked = _latest(one.asked, at)
            if not message.recipients:
                known.asked = _latest(known.asked, at)
            return
        known.updated = known.updated or message.kind == "update"
        contents = [
            at,
            message.sender,
            message.issued_day,
            message.due_day,
            message.paper,
            message.envelope_signed,
            message.attachment_signed,
        ]
        if known.contents is None or _order(contents) > _order(known.contents):
            known.contents = contents
        known.sent = _earliest(known.sent, message.at)
        for code in message.recipients:
            one = known.recipients.setdefault(code, Recipient())
            one.added = _latest(one.added, at)
        for code in message.removed:
            one = known.recipients.setdefault(code, Recipient())
            one.removed = _latest(one.removed, at)
        for replaced in message.replaces:
            if replaced != message.document_id:
                self._touch(replaced, today).replaced = True

    def add_recipient(self, document_id: str, code: str, today: int) -> None:
        """Note that one more recipient has a document whose envelope is known."""
        known = self._touch(document_id, today)
        one = known.recipients.setdefault(code, Recipient())
        one.added = _latest(one.added, -1 if known.contents is None else known.contents[0])

    def _status(self, message: Message, today: int) -> None:
        if message.status not in STATUSES or message.at is None:
            return
        known = self._touch(message.document_id, today)
        if message.status == "13":
            known.asked = _latest(known.asked, message.at)
            return
        one = known.recipients.setdefault(message.sender, Recipient())
        one.latest = max(one.latest, (message.at, message.status))
        match message.status:
            case "02":
                one.refused = _earliest(one.refused, message.at)
            case "15":
                one.agreed = _latest(one.agreed, message.at)
            case "16":
                one.declined = _latest(one.declined, message.at)
            case status if status in _RECEIVED:
                one.got = _earliest(one.got, message.at)
                if status == "06":
                    one.done = _earliest(one.done, message.at)

    def _touch(self, document_id: str, today: int) -> Known:
        known = self.documents.setdefault(document_id, Known())
        known.touched = max(known.touched, today)
        self.changed.add(document_id)
        return known

    def document(self, kept_since: int) -> dict[str, Any]:
        """Return the book as JSON, without the documents of which nothing was heard since a local day."""
        return {key: _packed(one) for key, one in sorted(self.documents.items()) if one.touched >= kept_since}


@dataclass(frozen=True, slots=True)
class Writer:
    """Turns documents of a book into rows. `sent` and `received` are the directions that the rows carry.

    `signature` says whose signature counts as the document's own. `statuses`: whether recipients' status packets are
    told at all; where they are not, no recipient's silence means anything. `copies_only`: only what recipients got is
    seen, so that nothing is said of what the sender sent.
    """

    since: int
    outside: Outside
    copies_only: bool = False
    sent: str = "sent"
    received: str = "received"
    signature: str = "attachment"
    statuses: bool = True

    def rows(self, document_id: str, known: Known, version: int) -> tuple[list[Row], list[Row]]:
        """Return the Document and the Delivery rows of one document; none of one whose envelope never came.

        `version` (microseconds) must be greater for rows that are made of more messages.
        """
        if known.contents is None:
            return [], []
        _, sender, issued, due, paper, envelope, attachment = known.contents
        if issued is not None and issued < self.since:
            return [], []
        listed = {code: one for code, one in sorted(known.recipients.items()) if one.added is not None}
        recalls = {code: self._recalled(known, one) for code, one in listed.items()}
        signed = envelope if self.signature == "envelope" else attachment
        documents: list[Row] = []
        deliveries: list[Row] = []
        if not self.copies_only and self.outside(sender) != 1:
            standing = [recalls[code] for code, one in listed.items() if not _out(one)]
            recalled = 1 if known.replaced else _all(standing)
            head = (document_id, sender, version, 0, self.sent, None, issued, 1, paper, signed, recalled)
            documents.append((*head, None, None, document_id, None, None))
            for code, one in listed.items():
                deliveries.append(self._delivery(document_id, known, code, one, recalls[code], version))
        for code, one in listed.items():
            if self.outside(code) == 1:
                continue
            done = None if one.done is None else local_day(one.done)
            recalled = 1 if known.replaced else recalls[code]
            copy = (f"{document_id}|{code}", code, version, int(_out(one)), self.received, None, issued, 1, paper)
            documents.append((*copy, signed, recalled, due, done, document_id, sender, one.latest[1] or None))
        return documents, deliveries

    def _delivery(
        self, document_id: str, known: Known, code: str, one: Recipient, recalled: int | None, version: int
    ) -> Row:
        got = int(one.got is not None) if self.statuses else (1 if one.got is not None else None)
        refused = int(one.refused is not None and one.got is None)
        return (
            f"{document_id}|{code}",
            "",
            version,
            int(_out(one)),
            document_id,
            code,
            self.outside(code),
            1,
            None if known.sent is None else local_day(known.sent),
            got,
            None if one.got is None else local_day(one.got),
            refused if refused or self.statuses else None,
            1 if known.replaced else recalled,
            document_id,
            int(self.statuses),
        )

    def _recalled(self, known: Known, one: Recipient) -> int | None:
        """Whether a recipient gave the document back: 1, 0, or None while it has not answered."""
        asked = _latest(known.asked, one.asked)
        if asked is None:
            # An agreement to what we never saw asked: to an update, if there was one.
            return 0 if one.agreed is None or known.updated else None
        answers = [
            (at, answer)
            for at, answer in ((one.agreed, 1), (one.declined, 0))
            if at is not None and at >= asked - _CLOCKS_DIFFER
        ]
        return max(answers)[1] if answers else None


def _out(one: Recipient) -> bool:
    return one.removed is not None and one.removed >= (-1 if one.added is None else one.added)


def _all(recalls: Sequence[int | None]) -> int | None:
    """Of a whole document: 1 if every recipient gave it back, 0 if it stands for one at least."""
    if 0 in recalls or not recalls:
        return 0
    return None if None in recalls else 1


def _order(contents: Sequence[Any]) -> tuple[Any, ...]:
    return tuple((value is not None, value if isinstance(value, int) else 0, str(value)) for value in contents)


_RECIPIENT = ("added", "removed", "got", "done", "refused", "asked", "agreed", "declined")


def _packed(known: Known) -> list[Any]:
    recipients = {}
    for code, one in sorted(known.recipients.items()):
        packed: list[Any] = [getattr(one, name) for name in _RECIPIENT]
        packed += one.latest if one.latest[1] else (None, None)
        while packed and packed[-1] is None:
            packed.pop()
        recipients[code] = packed
    flags = int(known.updated) + 2 * int(known.replaced)
    return [known.contents, known.sent, known.asked, flags, known.touched, recipients]


def _unpacked(told: Sequence[Any]) -> Known:
    contents, sent, asked, flags, touched, recipients = told
    known = Known(contents, sent, asked, bool(flags & 1), bool(flags & 2), touched)
    for code, packed in recipients.items():
        values = [*packed, *[None] * (10 - len(packed))]
        one = Recipient(*values[:8])
        if values[8] is not None:
            one.latest = (values[8], values[9] or "")
        known.recipients[code] = one
    return known
