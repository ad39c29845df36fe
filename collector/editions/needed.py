"""What keeps a period from being sealed: days that nobody read, and runs whose counts do not add up."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from collector.contract.indicator import Indicator
from collector.contract.period import Period, day_start, days, iso, plus_days
from collector.contract.records import Probe
from collector.readings import World
from collector.store import gaps
from collector.store.gaps import stretch
from collector.store.schema import coverage, run


@dataclass(frozen=True, slots=True)
class Lacking:
    """What keeps a period from being sealed, of one source, and the commands that mend it.

    The days (local, both included) that some of the `records` have not covered; none where a run is at fault.
    """

    source: str
    records: tuple[str, ...]
    first_day: int | None
    last_day: int | None
    says: str
    mend: tuple[str, ...]


def lacking(connection: Connection, indicators: Sequence[Indicator], world: World, period: Period) -> list[Lacking]:
    """Return all that keeps a period from being sealed, besides its not being over; nothing if it may be."""
    return [*_uncovered(connection, indicators, world, period), *_unbalanced(connection, world, period)]


def _uncovered(connection: Connection, indicators: Sequence[Indicator], world: World, period: Period) -> list[Lacking]:
    wanted = _wanted(indicators, world, period)
    covered: dict[tuple[str, str], set[int]] = {}
    for source, record, day in connection.execute(
        select(coverage).where(coverage.c.day.between(period.first, period.last))
    ):
        covered.setdefault((source, record), set()).add(day)
    lost = gaps.accepted(connection, period.first, period.last)
    found: list[Lacking] = []
    for source in sorted({source for source, _ in wanted}):
        own = {record: span for (name, record), span in wanted.items() if name == source}
        by_day: dict[int, tuple[str, ...]] = {}
        for record, (first, last) in sorted(own.items()):
            known = covered.get((source, record), set()) | set(lost.get(source, ()))
            for day in days(first, last):
                if day not in known:
                    by_day[day] = (*by_day.get(day, ()), record)
        found.extend(_stretches(source, by_day))
    return found


def _wanted(indicators: Sequence[Indicator], world: World, period: Period) -> dict[tuple[str, str], tuple[int, int]]:
    """The days of a period that each source has to cover, by source and record: while it serves anybody."""
    needed = {record.NAME for indicator in indicators for record in indicator.needs}
    members = {member.code: member for member in world.members}
    wanted: dict[tuple[str, str], tuple[int, int]] = {}
    for served in world.serving:
        member = members.get(served.agency)
        if member is None or not member.there(period):
            continue
        first = max(period.first, served.from_day, member.from_day)
        last = period.last if member.to_day is None else min(period.last, member.to_day)
        for record in served.records & needed:
            if first <= last:
                known = wanted.get((served.source, record), (first, last))
                wanted[served.source, record] = min(first, known[0]), max(last, known[1])
    return wanted


def _stretches(source: str, by_day: dict[int, tuple[str, ...]]) -> list[Lacking]:
    runs: list[tuple[int, int, tuple[str, ...]]] = []
    for day, records in sorted(by_day.items()):
        if runs and runs[-1][2] == records and plus_days(runs[-1][1], 1) == day:
            runs[-1] = runs[-1][0], day, records
        else:
            runs.append((day, day, records))
    return [_days(source, *one) for one in runs]


def _days(source: str, first: int, last: int, records: tuple[str, ...]) -> Lacking:
    span = stretch(first, last)
    gap = f'collector gap {source} {span} --reason "..."'
    collect = f"collector collect {source} --from {iso(first)} --to {iso(last)} --only-gaps"
    # What was not asked on a day can never be asked again.
    mend = (gap,) if records == (Probe.NAME,) else (collect, gap)
    return Lacking(source, records, first, last, f"{', '.join(records)} of {span} not covered", mend)


def _unbalanced(connection: Connection, world: World, period: Period) -> list[Lacking]:
    """The runs since a period began that do not account for all that they read: a fault of this program."""
    columns = run.c
    told = columns.inserted + columns.updated + columns.unchanged + columns.quarantined + columns.destroyed
    sources = {one.source for one in world.serving}
    rows = connection.execute(
        select(columns.id, columns.source, columns.read, told.label("told"))
        .where(columns.began >= day_start(period.first), columns.result != "running", columns.read != told)
        .order_by(columns.id)
    )
    return [
        Lacking(
            row.source,
            (),
            None,
            None,
            f"run {row.id} read {row.read} records and accounts for {row.told}",
            ("Report it: a fault of this program. No figure of a run that does not balance may be published",),
        )
        for row in rows
        if row.source in sources
    ]
