"""Reads one edXML message (QCVN 102:2016/BTTTT): an envelope with a document, or a status packet.

What is met in the wild (facts: standards 1.1, source-systems 3.4) is all read: both namespaces, by local names alone
and whatever their letters' case, since samples declare a prefix on one element and use it on its siblings; `Bussiness`
and `Business`; both orders of date.

The message comes from strangers. It is parsed as it streams by (expat, behind defusedxml's incremental SAX reader): any
DTD is refused, and with it every entity and external reference; size, depth, number of elements and of recipients,
length of one tag, comment or reference, and length of one value have limits. Attachments are neither kept nor decoded:
their base64 passes by in blocks. Nothing of a message but the fields of `Message` is ever kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from connectors.docmgmt.edxml_values import code_of, day_of, flag_of, id_of, instant_of

T = TypeVar("T")

Kind = Literal["new", "recall", "update", "replace", "status"]

KINDS: Mapping[str, Kind] = {"0": "new", "1": "recall", "2": "update", "3": "replace"}
STATUSES = frozenset({"01", "02", "03", "04", "05", "06", "13", "15", "16"})
"""The nine business statuses of QĐ 28/2018/QĐ-TTg. Anything else is a vendor's own and proves nothing."""

_PIECE = 1 << 16
_ROOTS = frozenset({"edxml", "edxmlenvelope"})
_SIGNATURE_NAMES = (".p7s", ".p7m", ".sig")
_SIGNATURE_TYPES = ("pkcs7-signature", "x-pkcs7-signature", "pkcs7-mime")


class Refused(Exception):
    """A message that cannot be used: the field at fault ("" for the whole) and why, without any of its content."""

    def __init__(self, field_: str, reason: str) -> None:
        super().__init__(f"{field_}: {reason}" if field_ else reason)
        self.field = field_
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message may cost. An honest one stays far below all but `size`."""

    size: int = 1 << 30  # bytes of the whole, attachments included
    depth: int = 40
    elements: int = 50_000
    tag: int = 1 << 17  # bytes of one tag with its attributes, comment, reference or instruction
    value: int = 4_096  # characters of one field that is kept
    recipients: int = 2_000


@dataclass(frozen=True, slots=True)
class Message:
    """What one message says. Days are local days, instants epoch seconds UTC; organ codes are as written.

    `document_id` is the document that the message is about: of a recall or update the one that it names, of a status
    packet the one that it answers. `at` is when the sender's own system sent it, by its own clock.
    """

    kind: Kind
    document_id: str
    sender: str
    recipients: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()  # recipients that an update takes out
    at: int | None = None
    issued_day: int | None = None
    due_day: int | None = None
    paper: int | None = None  # 1: a paper copy follows
    envelope_signed: int = 0  # 1: the header carries a signature (of the transport, not of the document)
    attachment_signed: int | None = None  # 1: a signature is told beside an attachment; None: none is told
    replaces: tuple[str, ...] = ()
    status: str = ""


def read(blocks: Iterable[bytes], limits: Limits | None = None) -> Message:
    """Read one message from blocks of its bytes, each of any size. Raises Refused, and what the blocks raise."""
    limits = limits or Limits()
    collected = _Collector(limits)
    parser = _Parser(collected)
    size = 0
    try:
        for piece in _pieces(blocks):
            size += len(piece)
            if size > limits.size:
                raise Refused("", f"is larger than {limits.size} bytes")
            parser.feed(piece)
            # What expat holds back is one token that has not ended: it would be kept, and read again with each piece.
            if size - parser.position > limits.tag:
                raise Refused("", f"holds a tag, comment or reference of more than {limits.tag} bytes")
        if not size:
            raise Refused("", "is empty")
        parser.close()
    except DefusedXmlException:
        raise Refused("", "has a DTD; DTDs and entities are never read") from None
    except (SAXException, ValueError, LookupError, OverflowError):
        # ValueError and LookupError: an encoding that Python does not have, or that is no text encoding.
        raise Refused("", "is no well-formed XML") from None
    return _message(collected.found)


class _Parser:
    """defusedxml's incremental reader, with the place that it has come to."""

    def __init__(self, handler: ContentHandler) -> None:
        # Without namespaces: a prefix that is declared elsewhere is an error to a parser that knows of them.
        self._reader: Any = DefusedExpatParser(namespaceHandling=0)
        self._reader.forbid_dtd = True  # before the first feed, which makes the expat parser
        self._reader.setContentHandler(handler)
        self.feed: Callable[[bytes], None] = self._reader.feed
        self.close: Callable[[], None] = self._reader.close

    @property
    def position(self) -> int:
        """How many bytes are before the token that is being read."""
        return int(self._reader._parser.CurrentByteIndex)


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut anew: large enough that a token is not read again too often, small enough that its limit is seen in time."""
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) >= _PIECE:
            whole = bytes(held)
            held.clear()
            for start in range(0, len(whole), _PIECE):
                yield whole[start : start + _PIECE]
    if held:
        yield bytes(held)


@dataclass(slots=True)
class _Found:
    """The texts of the fields that are kept, as written."""

    document_id: str | None = None
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    issued: str | None = None
    due: str | None = None
    timestamp: str | None = None
    status: str | None = None
    answers: list[str] = field(default_factory=list)
    hops: list[str] = field(default_factory=list)
    business_kind: str | None = None
    business_id: str | None = None
    paper: str | None = None
    replaces: list[str] = field(default_factory=list)
    receivers: list[list[str]] = field(default_factory=list)  # each with organ code and type, as far as they came
    is_status: bool = False
    envelope_signed: bool = False
    attachment_signed: bool = False


class _Collector(ContentHandler):
    """Keeps the fields of `_Found` while the message streams by, and its limits."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.found = _Found()
        self._limits = limits
        self._path: list[str] = []
        self._elements = 0
        self._text: list[str] | None = None
        self._length = 0

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - the name in the standard library
        local = _local(name)
        if not self._path and local not in _ROOTS:
            raise Refused("edXML", "is not the root of the message")
        self._elements += 1
        if self._elements > self._limits.elements:
            raise Refused("", f"has more than {self._limits.elements} elements")
        self._path.append(local)
        if len(self._path) > self._limits.depth:
            raise Refused("", f"is nested deeper than {self._limits.depth} elements")
        self._text = [] if local in _KEPT else None
        self._length = 0
        if local == "signature":
            self._signature()
        elif local == "receiver":
            self.found.receivers.append(["", ""])
        elif local == "reference" and len(attrs):
            self._reference([str(value) for value in attrs.values()])

    def characters(self, content: str) -> None:
        if self._text is None:
            return
        self._length += len(content)
        if self._length > self._limits.value:
            raise Refused(_KEPT[self._path[-1]], f"is longer than {self._limits.value} characters")
        self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 - as above
        if self._text is not None:
            self._keep("".join(self._text).strip())
        self._text = None
        self._path.pop()

    def _signature(self) -> None:
        inside = self._path[:-1]
        if "messageheader" in inside or inside[-1:] == ["edxmlheader"] or inside[-1:] == ["edxmlenvelope"]:
            self.found.envelope_signed = True
        elif "attachment" in inside or "attachmentencoded" in inside:
            self.found.attachment_signed = True

    def _reference(self, values: list[str]) -> None:
        # A vendor's manifest points to its attachments by xlink attributes; a signature, by URI, to what it signs.
        if "signature" in self._path:
            if any(value.strip().lower().startswith("cid:") for value in values):
                self.found.attachment_signed = True
        elif any(_tells_signature(value) for value in values):
            self.found.attachment_signed = True

    def _keep(self, text: str) -> None:
        found, path = self.found, self._path
        local = path[-1]
        parent = path[-2] if len(path) > 1 else ""
        if local in ("attachmentname", "contenttype"):
            # The manifest and the attachment itself; never their content.
            if parent in ("reference", "attachment") and _tells_signature(text):
                found.attachment_signed = True
            return
        if "attachmentencoded" in path or "signature" in path:
            return
        match parent, local:
            case "messageheader", "documentid":
                found.document_id = text
            case "from", "organid":
                found.sender = text
            case "to", "organid":
                self._add(found.recipients, text)
            case "promulgationinfo", "promulgationdate":
                found.issued = text
            case "messageheader", "duedate":
                found.due = text
            case "messageheader", "timestamp":
                found.timestamp = text
            case _, "statuscode" if "messageheader" in path:
                found.status, found.is_status = text, True
            case "responsefor", "documentid":
                self._add(found.answers, text)
            case "traceheader", "timestamp":
                self._add(found.hops, text)
            case "business", "businessdoctype":
                found.business_kind = text
            case "business", "documentid":
                found.business_id = text
            case "business", "paper":
                found.paper = text
            case _, "documentid" if "replacementinfolist" in path:
                self._add(found.replaces, text)
            case "receiver", "organid":
                found.receivers[-1][0] = text
            case "receiver", "receivertype":
                found.receivers[-1][1] = text

    def _add(self, values: list[str], text: str) -> None:
        values.append(text)
        if len(values) > self._limits.recipients:
            raise Refused(_KEPT[self._path[-1]], f"comes more than {self._limits.recipients} times")


_KEPT = {
    name.lower(): name
    for name in (
        "AttachmentName",
        "BusinessDocType",
        "ContentType",
        "DocumentId",
        "DueDate",
        "OrganId",
        "Paper",
        "PromulgationDate",
        "ReceiverType",
        "StatusCode",
        "Timestamp",
    )
}
"""The leaves whose text is looked at."""


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower().replace("bussiness", "business")


def _tells_signature(value: str) -> bool:
    told = value.strip().lower()
    return told.endswith(_SIGNATURE_NAMES) or any(one in told for one in _SIGNATURE_TYPES)


def _message(found: _Found) -> Message:
    sender = _needed("From/OrganId", found.sender, code_of)
    if found.is_status:
        told = (found.status or "").strip()
        status = told.zfill(2)
        if not (status.isascii() and status.isdigit() and len(status) <= 3):
            raise Refused("StatusCode", "is no status code")
        if not found.answers:
            raise Refused("ResponseFor/DocumentId", "is missing")
        at = _needed("Timestamp", found.timestamp or (found.hops[0] if found.hops else None), instant_of)
        return Message(
            "status", _needed("ResponseFor/DocumentId", found.answers[0], id_of), sender, at=at, status=status
        )
    kind = KINDS.get((found.business_kind or "0").strip())
    if kind is None:
        raise Refused("BussinessDocType", "is none of 0, 1, 2, 3")
    own = _needed("DocumentId", found.document_id, id_of)
    # In new documents this field is met with an id of something else, so that it is believed only where it has a use.
    named = _optional("Bussiness/DocumentId", found.business_id, id_of) if kind in ("recall", "update") else None
    recipients = [_needed("To/OrganId", one, code_of) for one in found.recipients]
    receivers = [(_needed("Receiver/OrganId", code, code_of), flag_of(way)) for code, way in found.receivers]
    if any(way is None for _, way in receivers):
        raise Refused("ReceiverType", "is neither 0 (removed) nor 1 (added)")
    removed = [code for code, way in receivers if way == 0]
    recipients += [code for code, way in receivers if way == 1]
    if not recipients and kind == "new":
        raise Refused("To/OrganId", "is missing")
    hops = [_needed("TraceHeader/Timestamp", one, instant_of) for one in found.hops if one]
    return Message(
        kind,
        named or own,
        sender,
        tuple(dict.fromkeys(code for code in recipients if code not in removed)),
        tuple(dict.fromkeys(removed)),
        at=min(hops, default=None),
        issued_day=_optional("PromulgationDate", found.issued, day_of),
        due_day=_optional("DueDate", found.due, day_of),
        paper=flag_of(found.paper),
        envelope_signed=int(found.envelope_signed),
        attachment_signed=1 if found.attachment_signed else None,
        replaces=tuple(_needed("ReplacementInfo/DocumentId", one, id_of) for one in found.replaces)
        if kind == "replace"
        else (),
    )


def _needed(name: str, text: str | None, convert: Callable[[str], T]) -> T:
    if not text:
        raise Refused(name, "is missing")
    try:
        return convert(text)
    except ValueError as error:
        raise Refused(name, str(error)) from None


def _optional(name: str, text: str | None, convert: Callable[[str], T]) -> T | None:
    return _needed(name, text, convert) if text else None
