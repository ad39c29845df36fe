"""A run over a server that tells only who is there now: asked once a day, compared with the run before.

What several connectors of mail servers do alike: when to ask, which days a run tells, when an answer is not believed,
and what becomes of single mailboxes that cannot be used.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from collector.contract.connector import BadRow, Batch, Covered, Finding, Row, Want
from collector.contract.door import Door
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import as_date, local_day, month_of, plus_days
from collector.contract.records import Mailbox, Record
from connectors.email.standing import Entry, Memory, look, memory_from_json, memory_from_rows

LAST_LOGIN = "last_login"
"""The key under which it is told that last logins cannot be used."""

_ROWS = 10_000
_FEW = 10
_SKEW = 300


class Rules(Protocol):
    """The settings that decide when a server is asked and believed."""

    @property
    def once_a_day(self) -> bool:
        """Ask the server once on each local day, however often the source is run."""

    @property
    def longest_gap(self) -> int:
        """Days between two runs up to which the days between them count as told."""

    @property
    def may_vanish(self) -> float:
        """Share of the active mailboxes that may be gone or locked at the next run; 1 believes anything."""


def batches(
    rules: Rules,
    door: Door,
    want: Want,
    take: Callable[[], tuple[Mapping[str, Entry], list[BadRow]]],
    field: str,
) -> Iterator[Batch]:
    """Yield the mailboxes of today's month, then which days they tell.

    `take` asks the server: it returns the mailboxes listed now, by address in lower case, and what cannot be used.
    `field` names the list in the server's answer. Raises UnexpectedAnswer if too many mailboxes are suddenly gone.
    """
    today = local_day(door.began)
    before = None if want.window else _before(door, want)
    # Without a cursor nobody knows whether a look of today came to its end.
    asked_today = (
        want.cursor is not None
        and before is not None
        and (before.day > today or (rules.once_a_day and before.day == today))
    )
    if want.window or today < want.since or asked_today:
        yield Batch({}, None if want.window else want.cursor)
        return
    entries, bad = take()
    found = look(door, before, entries, today)
    # What is bad now is told anew below.
    looked_at = [(Mailbox, f"{month_of(today).first // 100}:"), (Mailbox, LAST_LOGIN)]
    if not entries and not found.active_before:
        yield Batch({}, want.cursor, (), bad, (), len(bad), looked_at=looked_at)
        return
    _believe(rules, door, found.active_before, found.lost, len(entries), field)
    for at in range(0, max(1, len(found.rows)), _ROWS):
        some: dict[type[Record], Sequence[Row]] = {Mailbox: found.rows[at : at + _ROWS]}
        # Until all are saved, the run before is the last one that is whole.
        yield Batch(some, want.cursor, read=len(some[Mailbox]), looked_at=looked_at if at == 0 else ())
    yield Batch({}, found.memory.as_json(), _covered(rules, want, before, today), bad, (), len(bad))


def _before(door: Door, want: Want) -> Memory | None:
    """Return what the run before left: in the cursor or, if that is lost, in what was stored."""
    if want.cursor is not None:
        return memory_from_json(want.cursor, door.source)
    return memory_from_rows(want.mailboxes(None))


def _covered(rules: Rules, want: Want, before: Memory | None, today: int) -> list[Covered]:
    """Return the days since the run before, which this one ends; only that run's own day if it is too long ago."""
    if before is None:
        return []
    near = (as_date(today) - as_date(before.day)).days <= rules.longest_gap
    first, last = max(before.day, want.since), min(plus_days(today, -1), want.last_day)
    last = last if near else min(before.day, last)
    return [Covered(Mailbox, first, last)] if first <= last else []


def _believe(rules: Rules, door: Door, active_before: int, lost: int, listed: int, field: str) -> None:
    if rules.may_vanish == 1 or not lost:
        return
    share_is_too_large = active_before >= _FEW and lost > active_before * rules.may_vanish
    if listed and not share_is_too_large:
        return
    raise UnexpectedAnswer(
        f"{lost} of {active_before} active mailboxes are suddenly gone or locked",
        source=door.source,
        stage="answer",
        field=field,
        mend="Ask the server's operator whether a user database is missing; if it is true, set `may_vanish: 1` for a"
        " run",
    )


class Bad:
    """What cannot be used of the mailboxes listed: by pseudonym, never by name."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._month = month_of(local_day(door.began)).first
        self.rows: list[BadRow] = []

    def add(self, name: str, field: str, reason: str) -> None:
        """Set one mailbox aside; the reason quotes nothing of it."""
        key = f"{self._month // 100}:{self._door.pseudonym(name, self._month)}"
        self.rows.append(BadRow(Mailbox, key, field, reason))

    def refuse_if_many(self, read: int, mend: str) -> None:
        """Raise UnexpectedAnswer if over 1 % (and more than one of at least 10) of what was read is bad."""
        count = len({row.key for row in self.rows})
        if read >= _FEW and count > 1 and count * 100 > read:
            field, _ = Counter(row.field for row in self.rows).most_common(1)[0]
            raise UnexpectedAnswer(
                f"{count} of {read} mailboxes cannot be used",
                source=self._door.source,
                stage="answer",
                field=field,
                mend=mend,
            )


def clock_skew(clock: int | None, began: int) -> Finding:
    """Return what a probe says of the server's clock (epoch seconds)."""
    if clock is None:
        return Finding("clock skew", "unproved", "the answer does not tell the server's time")
    says = f"the server's clock differs from ours by {abs(clock - began)} seconds"
    if abs(clock - began) <= _SKEW:
        return Finding("clock skew", "ok", says)
    return Finding("clock skew", "failed", says, "Set the clocks by NTP")
