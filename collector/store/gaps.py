"""Days of a source that are lost for ever, accepted as lost by name: figures do without them, and say so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import sqlite

from collector.contract.period import iso, plus_days
from collector.store.schema import gap


@dataclass(frozen=True, slots=True)
class Lost:
    """Days of a source (local, both included) that were accepted as lost: why, and when (epoch seconds)."""

    source: str
    first_day: int
    last_day: int
    reason: str
    accepted: int

    def __str__(self) -> str:
        return f"{stretch(self.first_day, self.last_day)} of {self.source} accepted as lost: {self.reason}"


def stretch(first_day: int, last_day: int) -> str:
    """Return days as they are written on the command line: `2026-01-05..2026-01-07`, or one day alone."""
    return iso(first_day) if first_day == last_day else f"{iso(first_day)}..{iso(last_day)}"


def accept(connection: Connection, source: str, days: Iterable[int], reason: str, now: int) -> None:
    """Note days of a source as lost; one that is already noted keeps the new reason."""
    for day in days:
        statement = sqlite.insert(gap).values(source=source, day=day, reason=reason, accepted=now)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["source", "day"], set_={"reason": reason, "accepted": now})
        )


def withdraw(connection: Connection, source: str, days: Iterable[int]) -> int:
    """Take back what was accepted; returns how many of the days had been."""
    found = connection.execute(delete(gap).where(gap.c.source == source, gap.c.day.in_(list(days))))
    return found.rowcount


def accepted(connection: Connection, first_day: int, last_day: int) -> Mapping[str, Mapping[int, str]]:
    """The days that are accepted as lost within some days: by source, each day's reason."""
    found: dict[str, dict[int, str]] = {}
    for source, day, reason in connection.execute(
        select(gap.c.source, gap.c.day, gap.c.reason)
        .where(gap.c.day.between(first_day, last_day))
        .order_by(gap.c.source, gap.c.day)
    ):
        found.setdefault(source, {})[day] = reason
    return found


def listed(connection: Connection, first_day: int = 0, last_day: int = 99991231) -> list[Lost]:
    """All that is accepted as lost within some days, by source and day; days in a row with one reason are one."""
    found: list[Lost] = []
    for one in connection.execute(
        select(gap).where(gap.c.day.between(first_day, last_day)).order_by(gap.c.source, gap.c.day)
    ):
        last = found[-1] if found else None
        goes_on = last is not None and (last.source, last.reason, last.accepted, plus_days(last.last_day, 1)) == (
            one.source,
            one.reason,
            one.accepted,
            one.day,
        )
        if last is not None and goes_on:
            found[-1] = replace(last, last_day=one.day)
        else:
            found.append(Lost(one.source, one.day, one.day, one.reason, one.accepted))
    return found


def in_words(source: str, days: Mapping[int, str]) -> Sequence[str]:
    """Say which days of a source were accepted as lost, and why; days in a row with one reason are one."""
    runs: list[tuple[int, int, str]] = []
    for day, reason in sorted(days.items()):
        if runs and runs[-1][2] == reason and plus_days(runs[-1][1], 1) == day:
            runs[-1] = runs[-1][0], day, reason
        else:
            runs.append((day, day, reason))
    return [str(Lost(source, first, last, reason, 0)) for first, last, reason in runs]
