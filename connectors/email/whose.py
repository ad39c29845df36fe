"""Whose a mailbox is: the agency's code by a file of addresses and days, else by patterns, unit, or mail domain.

The file is a CSV with a header and the columns `address` (one address, or a pattern such as `*.phong1@x.gov.vn`),
`agency` (a code, as the register of agencies knows it) and, where they are needed, `from` and `to`: the first and the
last day on which the mailbox is that agency's (2026-02-28 or 28/02/2026; empty: always so).

A mailbox is one agency's in a calendar month: whose it is on the month's first day, or, if nobody's then, whose it
first becomes in that month. So one that moves counts for its new agency from the next month on, as its row, its
officials and the register's own changes do.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import translate
from hashlib import sha256
from itertools import pairwise
from typing import Any

from pydantic import Field

from collector.contract.beside import Beside
from collector.contract.period import as_day, iso, month_of
from connectors.email.address_patterns import Patterns, patterns

AGENCY_OF: Any = Field(
    default=None,
    description="A CSV file, beside this one, that tells whose mailboxes are: columns address (or a pattern), agency,"
    " and the first and last day from, to; it comes before agency_codes. A mailbox is in each month the agency's whose"
    " it is on the month's first day",
    examples=["agency-of.csv"],
)
"""The setting `agency_of` of the connectors that tell which mailboxes there are."""

_COLUMNS = {
    "address": ("address", "email", "địa chỉ", "dia chi", "hộp thư"),
    "agency": ("agency", "cơ quan", "co quan", "mã cơ quan", "ma co quan"),
    "from": ("from", "từ ngày", "tu ngay"),
    "to": ("to", "đến ngày", "den ngay"),
}
_FIRST, _LAST = 0, 99991231
_TOLD = 5


@dataclass(frozen=True, slots=True)
class Term:
    """An agency and the days, first and last, on which a mailbox is that agency's; `line` of the file."""

    agency: str
    first_day: int
    last_day: int
    line: int


@dataclass(frozen=True, slots=True)
class Whose:
    """Who has which mailbox. `digest` is "" where nothing but unit and domain tell it, and else changes with it."""

    exact: Mapping[str, tuple[Term, ...]]
    masks: tuple[tuple[re.Pattern[str], Term], ...]
    codes: Patterns
    digest: str

    def code(self, address: str, month_day: int, unit: str = "") -> str:
        """Return the agency's code for an address (in lower case) in the month that begins on a day.

        `unit` is what the source itself says of the mailbox, if anything.
        """
        return (
            _in_month(self.exact.get(address, ()), month_day)
            or _in_month((term for mask, term in self.masks if mask.match(address)), month_day)
            or self.codes.first(address)
            or unit
            or address.rpartition("@")[2]
        )


def whose(agency_of: Beside | None, agency_codes: Mapping[str, str]) -> Whose:
    """Return who has which mailbox, by a file and by patterns. ValueError if the file cannot be understood."""
    terms = [] if agency_of is None else _terms(agency_of)
    exact: dict[str, list[Term]] = {}
    masks: list[tuple[re.Pattern[str], Term]] = []
    for address, term in terms:
        if {"*", "?", "["} & set(address):
            masks.append((re.compile(translate(address)), term))
        else:
            exact.setdefault(address, []).append(term)
    told = repr(
        ([(address, term.agency, term.first_day, term.last_day) for address, term in terms], dict(agency_codes))
    )
    digest = sha256(told.encode()).hexdigest()[:16] if terms or agency_codes else ""
    return Whose(
        {address: tuple(some) for address, some in exact.items()}, tuple(masks), patterns(agency_codes), digest
    )


def checked(agency_of: Beside | None) -> Beside | None:
    """Return the file of the setting `agency_of`, once it is understood. ValueError, naming the lines, otherwise."""
    if agency_of is not None:
        _terms(agency_of)
    return agency_of


def _in_month(terms: Iterable[Term], month_day: int) -> str:
    """Return the agency of the first term in force on a month's first day, else of the first to begin in the month."""
    later: Term | None = None
    for term in terms:
        if term.first_day <= month_day <= term.last_day:
            return term.agency
        if month_day < term.first_day <= month_of(month_day).last and (
            later is None or term.first_day < later.first_day
        ):
            later = term
    return "" if later is None else later.agency


def _terms(file: Beside) -> list[tuple[str, Term]]:
    """Return the addresses and patterns of the file, in lower case and in order, each with its term."""
    faults: list[str] = []
    terms: list[tuple[str, Term]] = []
    first_line = file.text.partition("\n")[0]
    rows = csv.reader(io.StringIO(file.text, newline=""), delimiter=max(",;\t", key=first_line.count))
    try:
        header = [title.strip().lower() for title in next(rows, [])]
        places = {
            name: place for name, usual in _COLUMNS.items() for place, title in enumerate(header) if title in usual
        }
        for name in ("address", "agency"):
            if name not in places:
                raise ValueError(f"{file.name}:1: there is no column {name} in its header")
        for row in rows:
            cells = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
            if not any(cells.values()):
                continue
            try:
                terms.append(_term(cells, rows.line_num))
            except ValueError as error:
                faults.append(f"{file.name}:{rows.line_num}: {error}")
    except csv.Error:
        faults.append(f"{file.name}:{rows.line_num}: it is no CSV")
    faults += _overlaps(file, terms)
    if faults:
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        raise ValueError("; ".join(faults[:_TOLD]) + more)
    return terms


def _term(cells: Mapping[str, str], line: int) -> tuple[str, Term]:
    address = cells["address"].lower()
    if "@" not in address or re.search(r"\s", address):
        raise ValueError("the address is no mail address and no pattern of one")
    if not cells["agency"]:
        raise ValueError("no agency is named")
    first, last = (_day(cells.get(name, ""), name, other) for name, other in (("from", _FIRST), ("to", _LAST)))
    if first > last:
        raise ValueError("`to` is before `from`")
    return address, Term(cells["agency"], first, last, line)


def _day(text: str, name: str, otherwise: int) -> int:
    if not text:
        return otherwise
    try:
        if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
            return as_day(date(int(found[3]), int(found[2]), int(found[1])))
        return as_day(date.fromisoformat(text))
    except ValueError:
        raise ValueError(f"`{name}` is no day; write it like 2026-02-28") from None


def _overlaps(file: Beside, terms: Iterable[tuple[str, Term]]) -> list[str]:
    """Say where one address or pattern is two agencies' on one day."""
    by_address: dict[str, list[Term]] = {}
    for address, term in terms:
        by_address.setdefault(address, []).append(term)
    told = []
    for some in by_address.values():
        some.sort(key=lambda term: (term.first_day, term.line))
        for before, after in pairwise(some):
            if after.first_day <= before.last_day:
                day = iso(after.first_day) if after.first_day else "all days"
                told.append(f"{file.name}:{after.line}: the same address is in line {before.line} too, also on {day}")
    return told
