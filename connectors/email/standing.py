"""How each mailbox stands from one look at a server to the next: listed since when, and closed since when.

A server tells only who is there now. What is remembered is of the current month alone, by pseudonym; into the next
month it is carried while the address is in hand, since then both months' pseudonyms can be made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from collector.contract.connector import Row
from collector.contract.door import Door
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import as_date, local_day, month_of
from collector.contract.records import Mailbox, columns


@dataclass(frozen=True, slots=True)
class Entry:
    """A mailbox as the server lists it. `active` None: its state cannot be told. Sizes in bytes."""

    agency_code: str
    kind: str | None
    active: bool | None
    quota: int | None = None
    used: int | None = None
    created_day: int | None = None
    last_login_day: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a mailbox: the days first listed and closed, and what its row needs once it is gone.

    `active_from_day` is the day of creation where it was active when it was first seen, and never before a look that
    saw it closed: a mailbox that is found locked has not been active since its creation as far as anybody knows.
    """

    first_listed_day: int
    closed_day: int | None
    agency_code: str
    kind: str | None
    active_from_day: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What the last look left: its local day, and the mailboxes of its month by that month's pseudonyms."""

    day: int
    mailboxes: Mapping[str, Known]

    def as_json(self) -> dict[str, Any]:
        """Return it as a cursor: codes once, and each mailbox as [first listed, closed or null, code, kind].

        The day from which it is active follows where it is known.
        """
        codes = {code: place for place, code in enumerate(sorted({one.agency_code for one in self.mailboxes.values()}))}
        return {
            "day": self.day,
            "codes": list(codes),
            "mailboxes": {
                pseudonym: [
                    *(one.first_listed_day, one.closed_day, codes[one.agency_code], one.kind),
                    *(() if one.active_from_day is None else (one.active_from_day,)),
                ]
                for pseudonym, one in sorted(self.mailboxes.items())
            },
        }


def memory_from_json(cursor: Mapping[str, Any], source: str) -> Memory:
    """Return what a cursor remembers; UnexpectedAnswer if it is not one of ours."""
    try:
        as_date(cursor["day"])
        codes = list(cursor["codes"])
        return Memory(
            cursor["day"],
            {
                pseudonym: Known(int(first), closed, codes[code], kind, *active_from)
                for pseudonym, (first, closed, code, kind, *active_from) in cursor["mailboxes"].items()
            },
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise UnexpectedAnswer(
            "the saved cursor is not one of this connector",
            source=source,
            stage="configuration",
            field="cursor",
            mend="Delete the cursor: what is stored of the mailboxes takes its place",
        ) from None


def memory_from_rows(rows: Sequence[Row]) -> Memory | None:
    """Return what the stored rows of the last month remember, for a cursor that was lost; None if there are none.

    The last look was the one that gave the newest of them: each look gives a row of every mailbox that it lists.
    """
    at = {name: place for place, name in enumerate(columns(Mailbox))}
    kept = [row for row in rows if not row[at["removed"]]]
    month = max((row[at["month_day"]] for row in kept), default=None)
    if month is None:
        return None
    kept = [row for row in kept if row[at["month_day"]] == month]
    known = {
        row[at["pseudonym"]]: Known(
            row[at["first_listed_day"]],
            row[at["closed_day"]],
            row[at["agency_code"]],
            row[at["kind"]],
            row[at["active_from_day"]],
        )
        for row in kept
    }
    return Memory(local_day(max(row[at["changed"]] for row in kept) // 1_000_000), known)


def forget(cursor: Mapping[str, Any], month_day: int) -> dict[str, Any]:
    """Return a cursor without anything under the key of a month, given its first day.

    A month is destroyed long after it ended: what is remembered of it is carried over to no other month any more.
    """
    if month_of(cursor["day"]).first != month_day:
        return dict(cursor)
    return {**cursor, "codes": [], "mailboxes": {}}


@dataclass(frozen=True, slots=True)
class Look:
    """What one look gives: rows by key, what to remember, and how many of those active before are so no longer."""

    rows: list[Row]
    memory: Memory
    active_before: int
    lost: int


def look(door: Door, before: Memory | None, entries: Mapping[str, Entry], today: int) -> Look:
    """Return the rows of today's month for the mailboxes that are listed now (by address, in lower case).

    A mailbox that is listed for the first time is so from today on; one that is locked or gone is closed from today
    on; one that is back has no closed day. In a month's first look what was known is carried over from the month
    before, except of those gone meanwhile, which end with that month; one that was closed then and is active again
    begins today.
    """
    month = month_of(today)
    first_look = before is None or before.day < month.first
    known = before.mailboxes if before is not None and month_of(before.day).end >= month.first else {}
    # The day whose month's pseudonyms are remembered.
    then = before.day if before is not None and known else today
    now: dict[str, Known] = {}
    rows: list[Row] = []
    seen: set[str] = set()
    still = 0
    for address, entry in entries.items():
        pseudonym = door.pseudonym(address, month.first)
        was_named = door.pseudonym(address, then)
        was = known.get(was_named)
        seen.add(was_named)
        if was is None:
            stands = _new(entry, today)
        else:
            stands = _after(was, entry, today, first_look=first_look)
            still += was.closed_day is None and stands.closed_day is None
        now[pseudonym] = stands
        rows.append(_row(door, pseudonym, stands, month.first, entry))
    if not first_look:
        for pseudonym in known.keys() - seen:
            was = known[pseudonym]
            now[pseudonym] = replace(was, closed_day=was.closed_day or today)
            if was.closed_day is None:
                rows.append(_row(door, pseudonym, now[pseudonym], month.first, None))
    active_before = sum(one.closed_day is None for one in known.values())
    return Look(sorted(rows), Memory(today, now), active_before, active_before - still)


def _new(entry: Entry, today: int) -> Known:
    if entry.active is False:
        return Known(today, today, entry.agency_code, entry.kind, None if entry.created_day is None else today)
    return Known(today, None, entry.agency_code, entry.kind, entry.created_day)


def _after(was: Known, entry: Entry, today: int, *, first_look: bool) -> Known:
    first, closed, active_from = was.first_listed_day, was.closed_day, was.active_from_day
    if active_from is None:
        active_from = entry.created_day
    if entry.active is False:
        closed = closed or today
    elif entry.active:
        if first_look and closed is not None:
            first = today
            active_from = None if active_from is None else today
        closed = None
    return Known(first, closed, entry.agency_code, entry.kind, active_from)


def _row(door: Door, pseudonym: str, stands: Known, month_day: int, entry: Entry | None) -> Row:
    return (
        f"{month_day // 100}:{pseudonym}",
        stands.agency_code,
        door.began * 1_000_000,
        0,
        month_day,
        pseudonym,
        stands.kind,
        stands.active_from_day,
        stands.first_listed_day,
        stands.closed_day,
        entry.quota if entry else None,
        entry.used if entry else None,
        # Of another month the mailbox has another pseudonym, under which the logs know it.
        entry.last_login_day if entry and (entry.last_login_day or 0) // 100 == month_day // 100 else None,
    )
