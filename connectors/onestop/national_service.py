"""A list service that answers `{error_code, total, data: [...]}`, read page by page to a proven end.

Pages by number over a list that moves lose rows in silence. So a pass over all pages is believed only if the total
stayed the same, was reached exactly, and no entry came twice in a way that only a moving list explains; otherwise the
list is read again, a limited number of times. What such a pass gave is true all the same, and is not thrown away.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field

from collector.contract.door import JSON, Answer, Pages
from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer

_CLOCKS_DIFFER = 60
"""Seconds by which a service's update stamps may lag behind the clock of its answers."""

Witness = Callable[[Any], tuple[str, int] | None]
"""An entry's number and version in epoch seconds (0 without one); None if it has no number."""


class Envelope(BaseModel):
    """What stands around the list."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    error: str | None = Field(
        default="error_code",
        description="Field with the service's own code; null if it has none, and an HTTP status says it all",
        examples=["error_code"],
    )
    ok: tuple[str, ...] = Field(default=("0",), description="Codes that mean success", examples=[["0"]])
    denied: tuple[str, ...] = Field(
        default=("-1", "-2", "401"),
        description="Codes that mean that account or token is refused",
        examples=[["-1", "-2", "401"]],
    )
    busy: tuple[str, ...] = Field(
        default=(), description="Codes that mean that the service asks for patience", examples=[["503"]]
    )
    total: str = Field(default="total", description="Field with the number of all entries", examples=["total"])
    data: str = Field(
        default="data",
        description="Field with the list of this page; dots lead to a field within another, in `total` too",
        examples=["data", "data.collection"],
    )


class Paging(BaseModel):
    """How a list is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    method: Literal["GET", "POST"] = Field(
        default="GET", description="POST where the question is asked as a JSON body", examples=["GET"]
    )
    page: str | None = Field(
        default="page",
        description="Parameter with the page number; null if one answer holds everything",
        examples=["page"],
    )
    size: str | None = Field(
        default="size", description="Parameter with the page size; null if fixed", examples=["size"]
    )
    page_size: int = Field(default=200, ge=1, description="Entries asked for in one answer", examples=[200])
    first_page: int = Field(default=1, ge=0, description="Number of the first page", examples=[1])
    fixed: dict[str, str] = Field(
        default_factory=dict,
        description="Further parameters of every question, such as an order that does not move",
        examples=[{"sort": "MaHoSo"}],
    )
    rereads: int = Field(
        default=3, ge=0, description="How often a list that moved while it was read is read again", examples=[3]
    )


@dataclass(slots=True)
class _Pass:
    """What one pass over all pages has seen."""

    newest: dict[str, int] = field(default_factory=dict)
    digest: int = 0
    read: int = 0
    moved: bool = False  # an entry came twice as if the list had moved
    broken_off: bool = False  # it certainly moved


def listed(envelope: Envelope, body: JSON, source: str, where: str) -> tuple[list[Any], JSON]:
    """Return the list of an envelope and its `total`, unchecked.

    Raises AccessDenied, TryAgain or UnexpectedAnswer for the service's own code, UnexpectedAnswer, by field, for any
    other shape. The message that stands beside a code is never repeated: it may name people.
    """
    if not isinstance(body, dict):
        named = ", ".join(name for name in (envelope.error, envelope.data) if name is not None)
        _unexpected(source, envelope.data, f"{where} is no envelope with {named}")
    if envelope.error is not None:
        _judge(envelope, envelope.error, body, source, where)
    items = at(body, envelope.data)
    if not isinstance(items, list):
        _unexpected(source, envelope.data, f"{where} has no list {envelope.data}")
    return items, at(body, envelope.total)


def at(body: JSON, path: str) -> JSON:
    """Return what stands at a field of an object, or (by dots) of an object within it; None where there is nothing."""
    if not isinstance(body, dict):
        return None
    if path in body:
        found: JSON = body[path]
        return found
    outer, dot, inner = path.partition(".")
    return at(body.get(outer), inner) if dot else None


def _judge(envelope: Envelope, field_: str, body: Mapping[str, JSON], source: str, where: str) -> None:
    code = body.get(field_)
    if isinstance(code, bool) or not isinstance(code, str | int):
        _unexpected(source, field_, f"{where} has no {field_}")
    text = str(code)
    shown = text if re.fullmatch(r"-?[A-Za-z0-9_]{1,20}", text) else "that is no code"
    said = f"{where} says {field_} {shown}"
    if text in envelope.denied:
        raise AccessDenied(
            said,
            source=source,
            stage="log in",
            field=field_,
            mend="Check token and account, and that the account may list dossiers",
        )
    if text in envelope.busy:
        raise TryAgain(said, source=source, stage="answer", field=field_, mend="Ask its operator if it stays so")
    if text not in envelope.ok:
        _unexpected(source, field_, said, "Look the code up in the service's manual; `ok` lists those of success")


def read(
    door: Pages, path: str, paging: Paging, envelope: Envelope, filters: Mapping[str, str], witness: Witness
) -> Iterator[list[Any]]:
    """Yield the entries of each page; the end of the iteration proves that the list was read to its end.

    Raises UnexpectedAnswer (shape, `total` never true, pages that repeat), TryAgain (the list never stood still).
    """
    door.allow(paging.method, path)
    before: int | None = None
    for _ in range(1 + paging.rereads):
        this = _Pass()
        yield from _pass(door, path, paging, envelope, filters, witness, this)
        # Twice the same set: then nothing moved, and the service really lists an entry twice.
        if not this.broken_off and (not this.moved or this.digest == before):
            return
        before = this.digest
    raise TryAgain(
        f"the list moved each time while it was read ({1 + paging.rereads} times)",
        source=door.source,
        stage="read",
        field=envelope.total,
        mend="Read this source in a quiet hour, or ask for an order that does not move (see `fixed`)",
    )


def ask(
    door: Pages, path: str, paging: Paging, filters: Mapping[str, str], number: int, size: int | None = None
) -> Answer:
    """Ask for one page."""
    numbers = {}
    if paging.page is not None:
        numbers[paging.page] = number
    if paging.size is not None:
        numbers[paging.size] = size or paging.page_size
    if paging.method == "POST":
        return door.post(path, {**paging.fixed, **filters, **numbers})
    return door.get(path, {**paging.fixed, **filters, **{name: str(value) for name, value in numbers.items()}})


def count_of(total: JSON, envelope: Envelope, source: str, where: str) -> int:
    """Return `total` as a number; UnexpectedAnswer if it is none."""
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) < 12:
        return int(total)
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        _unexpected(source, envelope.total, f"{where} has no number {envelope.total}")
    return total


def _pass(
    door: Pages,
    path: str,
    paging: Paging,
    envelope: Envelope,
    filters: Mapping[str, str],
    witness: Witness,
    this: _Pass,
) -> Iterator[list[Any]]:
    number, full, total, since = paging.first_page, paging.page_size, -1, 0
    previous: list[Any] = []
    while True:
        where = f"page {number} of {path}"
        answer = ask(door, path, paging, filters, number)
        items, stated = listed(envelope, answer.body, door.source, where)
        count = count_of(stated, envelope, door.source, where)
        if total < 0:
            total = count
            since = (door.began if answer.server_time is None else answer.server_time) - _CLOCKS_DIFFER
        elif count != total:
            this.broken_off = True
            return
        if items and items == previous:
            _unexpected(
                door.source,
                paging.page or "",
                f"{where} repeats the page before",
                "Check the name of the page parameter; leave it null if one answer holds everything",
            )
        for item in items:
            _note(this, witness(item), since)
        yield items
        this.read += len(items)
        ended = not items or paging.page is None or (this.read == total and len(items) < full)
        if ended or this.read > total:
            break
        # A service with a smaller limit of its own gives shorter pages than were asked for.
        full = min(full, len(items))
        previous, number = items, number + 1
    if this.read == total:
        return
    if this.moved:
        this.broken_off = True
        return
    how = "more" if this.read > total else f"only {this.read}"
    _unexpected(
        door.source,
        envelope.total,
        f"{path} gave {how} entries although its {envelope.total} is {total}",
        "Ask the service's operator whether there is a limit of depth, or which entries the total counts",
    )


def _note(this: _Pass, seen: tuple[str, int] | None, since: int) -> None:
    """Note an entry. It came twice in the same version, or anew since the pass began: the list may have moved."""
    if seen is None:
        return
    this.digest = (this.digest + hash(seen)) & 0xFFFF_FFFF_FFFF_FFFF
    key, version = seen
    known = this.newest.get(key)
    if known is None:
        this.newest[key] = version
        return
    if known == version or max(known, version) >= since:
        this.moved = True
    this.newest[key] = max(known, version)


def _unexpected(source: str, field_: str, reason: str, mend: str = "") -> NoReturn:
    raise UnexpectedAnswer(
        reason,
        source=source,
        stage="answer",
        field=field_,
        mend=mend or "Compare `envelope` and the path with the service's manual",
    )
