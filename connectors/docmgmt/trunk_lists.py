"""The trunks' lists: windows of days, pages, entries; and whether a list was given whole.

A window is asked for by day, both days included. What a list must never do is end early unseen: where the answer counts
itself, the count must be what came, or the window is cut in halves; pages are read to an empty one; pages that come
again and again show that the number is not listened to; entries from outside the window, that the days may not be.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from collector.contract.door import Pages
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import as_date, local_day, plus_days
from connectors.docmgmt.edxml import Limits, Message, Refused, read
from connectors.docmgmt.edxml_values import code_of, day_in_id, day_of, id_of, instant_of
from connectors.docmgmt.trunk_answer import Packed
from connectors.docmgmt.trunk_config import Received, Sent
from connectors.docmgmt.trunk_session import OF_THE_MESSAGE, Province, Said, Vxp, unexpected

T = TypeVar("T")

_MOST_PAGES = 100_000
_IDLE_PAGES = 3
_FAR = 20991231
_MANY = 10


@dataclass(frozen=True, slots=True)
class ReceivedItem:
    """An entry of the province trunk's list. `changed` is epoch seconds UTC."""

    document_id: str
    sender: str
    recipient: str
    status: str
    created_day: int
    changed: int


@dataclass(frozen=True, slots=True)
class SentItem:
    """An entry of VXP's sent list: one recipient of one document. `sent` is epoch seconds UTC."""

    document_id: str
    copy_id: str | None
    sender: str
    recipient: str
    sent: int
    send_status: str
    receive_status: str


Ask = Callable[[int, int, int], Said]
"""Asks for the days from, to (local, both included) and the page with a number."""


def windows(first_day: int, last_day: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the days `first_day..last_day` in stretches of at most `size` days, oldest first."""
    while first_day <= last_day:
        end = min(plus_days(first_day, size - 1), last_day)
        yield first_day, end
        first_day = plus_days(end, 1)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries; `through` is the last day before whose end everything has now been given, None in between."""

    entries: Sequence[Any]
    through: int | None = None


def pages(door: Pages, ask: Ask, path: str, paged: str | None, days: Sequence[tuple[int, int]]) -> Iterator[Page]:
    """Yield the entries of some windows, oldest first, page by page; what is given `through` a day is proven whole."""
    waiting = list(reversed(days))
    listens = False  # not known yet
    while waiting:
        first, last = waiting.pop()
        window = _Window(first, last)
        whole = True
        for items in _pages(door, ask, path, paged, window):
            if items is None:
                whole = False
                break
            yield Page(items)
        if not whole:
            if first == last:
                unexpected(
                    door,
                    "count",
                    f"{path} gives fewer entries of {as_date(first)} than it counts",
                    "Set `page` and `size` if the trunk has pages; else ask its operator for its limit",
                )
            middle = plus_days(first, (as_date(last) - as_date(first)).days // 2)
            waiting += [(plus_days(middle, 1), last), (first, middle)]
        elif waiting and not listens and window.outside and _deaf(ask, window):
            yield Page((), days[-1][1])
            return
        else:
            listens = listens or bool(window.outside and window.inside)
            yield Page((), last)


@dataclass(slots=True)
class _Window:
    """What one window gave: marks of its entries, and of those that belong into it or certainly do not."""

    first: int
    last: int
    seen: set[int] = field(default_factory=set)
    inside: set[int] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)

    def add(self, items: Sequence[Any]) -> bool:
        """Note a page; return whether anything of it is new."""
        before = len(self.seen)
        # A day on either side: the trunk may cut its days on another clock.
        early, late = plus_days(self.first, -1), plus_days(self.last, 1)
        for item in items:
            mark = hash(repr(item))
            self.seen.add(mark)
            told = days_of(item)
            if told:
                (self.inside if any(early <= day <= late for day in told) else self.outside).add(mark)
        return len(self.seen) > before


def _deaf(ask: Ask, window: _Window) -> bool:
    """Whether a trunk does not listen to days, so that one window gave everything there is.

    One entry with a broken time proves nothing. But asked for a day in the far future, a trunk that listens gives
    nothing that belongs into this window.
    """
    again = _Window(_FAR, _FAR)
    try:
        said = ask(_FAR, _FAR, 1)
    except UnexpectedAnswer:  # it has an opinion about the day
        return False
    again.add(said.data if isinstance(said.data, list) else ())
    return bool(again.seen & window.inside) or len(again.seen & window.outside) >= _MANY


def _pages(door: Pages, ask: Ask, path: str, paged: str | None, window: _Window) -> Iterator[list[Any] | None]:
    """Yield the pages of one window; None if it was cut in silence."""
    read = idle = 0
    for number in range(1, _MOST_PAGES):
        said = ask(window.first, window.last, number)
        items = said.data
        if not isinstance(items, list):
            unexpected(door, "data", f"{path} has no list of entries in data")
        read += len(items)
        new = window.add(items)
        yield items
        if paged is None:
            if said.count is not None and said.count != read:
                yield None
            return
        if not items:
            return
        # Entries may come twice; page after page without a new one shows that the number is not listened to.
        idle = 0 if new else idle + 1
        if idle == _IDLE_PAGES:
            unexpected(
                door,
                paged,
                f"page {number} of {path} repeats those before",
                "Check the names of page and size; set both to null if one answer holds a window whole",
            )


def received_question(config: Received, first: int, last: int, number: int) -> dict[str, str]:
    """Return the parameters of a window: days as `yyyy/MM/dd`."""
    asked = {**config.fixed, config.from_day: _slashes(first), config.to_day: _slashes(last)}
    if config.page is not None and config.size is not None:
        asked |= {config.page: str(number), config.size: str(config.page_size)}
    return asked


def sent_question(config: Sent, first: int, last: int, number: int) -> dict[str, str]:
    """Return the inputs of a window of VXP's sent list."""
    asked = {"servicetype": "eDoc", "messagetype": "edoc"}
    if config.from_day is not None and config.to_day is not None:
        asked |= {config.from_day: _slashes(first), config.to_day: _slashes(last)}
    if config.page is not None and config.size is not None:
        asked |= {config.page: str(number), config.size: str(config.page_size)}
    return asked


def _slashes(day: int) -> str:
    return as_date(day).strftime("%Y/%m/%d")


# --- entries ---------------------------------------------------------------------------------------------------------


def read_received(item: Any) -> ReceivedItem | None:
    """Return an entry; None of one that is no document. Raises Refused by field."""
    told = _fields(item)
    if _kind(told) != "edoc":
        return None
    created = _converted("createdTime", _first(told, "createdTime", "created_time"), instant_of)
    updated = _first(told, "updatedTime", "updated_time")
    return ReceivedItem(
        document_id=_converted("docId", told.get("docId"), id_of),
        sender=_converted("from", told.get("from"), code_of),
        recipient=_converted("to", told.get("to"), code_of),
        status=_text(told.get("status")),
        created_day=local_day(created),
        changed=_converted("updatedTime", updated, instant_of) if _text(updated) else created,
    )


def read_sent(item: Any) -> SentItem | None:
    """Return an entry of the sent list; None of one that is no document. Raises Refused by field."""
    told = _fields(item)
    if _kind(told) != "edoc":
        return None
    copy = told.get("receiverDocId")
    return SentItem(
        document_id=_converted("senderDocId", told.get("senderDocId"), id_of),
        copy_id=_converted("receiverDocId", copy, id_of) if _text(copy) else None,
        sender=_converted("fromCode", _first(told, "fromCode", "from"), code_of),
        recipient=_converted("toCode", _first(told, "toCode", "to"), code_of),
        sent=_converted("sentTime", _first(told, "sentTime", "created_time"), instant_of),
        send_status=_text(told.get("sendStatus")),
        receive_status=_text(told.get("receiveStatus")),
    )


def days_of(item: Any) -> list[int]:
    """Return the days by which a list may have chosen an entry."""
    days = []
    if isinstance(item, dict):
        for name in ("createdTime", "created_time", "updatedTime", "updated_time", "sentTime", "receivedTime"):
            try:
                days.append(day_of(_text(item.get(name))))
            except ValueError:
                continue
    return days


def issued_day(document_id: str, otherwise: int) -> int:
    """Return the day of issue that an id names; of an id that names none, the day of sending."""
    return day_in_id(document_id) or otherwise


def key_of(item: Any) -> str:
    """Return what an entry is called in the quarantine."""
    if isinstance(item, dict):
        for name in ("docId", "senderDocId"):
            if told := _text(item.get(name)):
                return told[:200]
    return "?"


def _fields(item: Any) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise Refused("data", "is no entry with fields")
    return item


def _kind(told: Mapping[str, Any]) -> str:
    # Lists of one kind may leave the kind out.
    return _text(told.get("messageType")).lower() or "edoc"


def _first(told: Mapping[str, Any], *names: str) -> Any:
    return next((told[name] for name in names if name in told), None)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _converted(name: str, value: Any, convert: Callable[[str], T]) -> T:
    if not isinstance(value, str):
        raise Refused(name, "is missing" if value is None else "is no text")
    try:
        return convert(value)
    except ValueError as error:
        raise Refused(name, str(error)) from None


# --- messages --------------------------------------------------------------------------------------------------------


def read_message(province: Province, path: str, document_id: str, limits: Limits) -> Message:
    """Fetch one message and read it as it streams by. Raises Refused, and the trunk's refusals by code."""

    def take(blocks: Iterator[bytes]) -> Message:
        packed = Packed(blocks)
        refused: Refused | None = None
        message: Message | None = None
        try:
            message = read(packed.message(), limits)
        except Refused as fault:
            refused = fault
        if packed.ended:
            # An answer without a message is first of all a refusal of the trunk's.
            code = province.fault(packed.frame, path)
            if code in OF_THE_MESSAGE:
                raise Refused("code", f"is {code}: the trunk does not give this message")
            province.judge(packed.frame, path)
        if refused is not None or message is None:
            raise refused or Refused("", "is empty")
        if not packed.in_place:
            raise Refused("data", "is not where the message is")
        return message

    return province.stream(path, {"docId": document_id}, take)


def count_waiting(vxp: Vxp, path: str) -> int:
    """Return what one of VXP's counters says; UnexpectedAnswer if that is no number."""
    said = vxp.ask("GET", path, {"servicetype": "eDoc"})
    if said.count is None:
        unexpected(vxp.door, "count", f"{path} has no number count")
    return said.count
