"""Accepts days of a source as lost for ever, by name, and takes that back while nothing was sealed on it."""

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, select

from collector import editions
from collector.contract.errors import WrongUse
from collector.contract.period import days, iso, local_day, parse_period
from collector.store import gaps
from collector.store.engine import reading, writing
from collector.store.gaps import Lost, stretch
from collector.store.schema import coverage


def accept(
    engine: Engine, source: str, since: int, records: Iterable[str], wanted: tuple[int, int], reason: str, now: int
) -> list[Lost]:
    """Accept the days `wanted` (both included) of a source as lost, as far as they are not covered.

    `since` is the source's first day, `records` the names of what it offers, `now` epoch seconds. WrongUse if a day
    is not over yet or before the source's first, if there is no reason, or if none of the days is uncovered.
    """
    first, last = wanted
    reason = " ".join(reason.replace(";", ",").split())  # reasons stand behind each other with semicolons
    if not reason:
        mend = "Write what happened, as it shall stand under each figure that does without those days"
        raise WrongUse("days are not lost without a reason", field="--reason", mend=mend)
    if first > last or first < since or last >= local_day(now):
        raise WrongUse(
            f"{stretch(first, last)} are no days of {source} that are over",
            source=source,
            mend=f"Write days from {iso(since)} to yesterday, like 2026-01-05..2026-01-07",
        )
    with writing(engine) as connection:
        open_days = uncovered(connection, source, records, first, last)
        if not open_days:
            mend = "Nothing is lost: `collector status` shows what is not covered"
            raise WrongUse(f"all of {stretch(first, last)} is covered", source=source, mend=mend)
        gaps.accept(connection, source, open_days, reason, now)
        return [one for one in gaps.listed(connection, first, last) if one.source == source]


def withdraw(engine: Engine, source: str, wanted: tuple[int, int]) -> int:
    """Take back what was accepted as lost of some days; returns how many days that were.

    WrongUse if nothing was, or if an edition was sealed on it: that stays as it is.
    """
    first, last = wanted
    with writing(engine) as connection:
        for name, number in editions.sealed_periods(connection):
            period = parse_period(name)
            if period.first <= last and first <= period.last:
                raise WrongUse(
                    f"edition {number} of {name} was sealed without those days, and says so",
                    source=source,
                    mend="Once they are read after all, they count in place of the gap: `collector restate`",
                )
        count = gaps.withdraw(connection, source, days(first, last))
    if not count:
        mend = "`collector gap` lists what is accepted as lost"
        raise WrongUse(f"none of {stretch(first, last)} was accepted as lost", source=source, mend=mend)
    return count


def uncovered(connection: Connection, source: str, records: Iterable[str], first: int, last: int) -> list[int]:
    """The days `first..last` that some record of a source has not covered."""
    covered = {
        (record, day)
        for record, day in connection.execute(
            select(coverage.c.record, coverage.c.day).where(
                coverage.c.source == source, coverage.c.day.between(first, last)
            )
        )
    }
    names = list(records)
    return [day for day in days(first, last) if any((name, day) not in covered for name in names)]


def listed(engine: Engine) -> list[Lost]:
    """All that is accepted as lost."""
    with reading(engine) as connection:
        return gaps.listed(connection)
