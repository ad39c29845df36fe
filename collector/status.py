"""The state of everything: for each source its last run, how far it is covered, and what could not be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, true

from collector.contract.period import day_start, days, local_day, plus_days
from collector.contract.records import Delivery, Mailbox, Record
from collector.contract.tables import table_of
from collector.store import last_logins
from collector.store.last_logins import LastLogins
from collector.store.schema import coverage, difference, quarantine, reconciliation, run


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The last comparison of a source with the store, and what the last one that came to its end found.

    Instants in epoch seconds, days compared, and how many records differed by record and kind (zeros included).
    """

    result: str
    message: str
    began: int
    last_success: int | None
    first_day: int
    last_day: int
    differences: Mapping[tuple[str, str], int]

    @property
    def differing(self) -> dict[tuple[str, str], int]:
        """The differences that are not zero."""
        return {kind: count for kind, count in self.differences.items() if count}


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The state of one source.

    `result` of the last run ("never" before the first), its message, instants of the last run and the last success
    (epoch seconds). `covered`: the last covered day by record. `uncovered_days` between the source's first day and
    yesterday, by record. `records` stored, `quarantined` and unknown agency codes with how many records carry each.
    `reconciliation` None: never compared.
    """

    source: str
    connector: str
    result: str
    message: str
    last_run: int | None
    last_success: int | None
    stale: bool
    covered: Mapping[str, int]
    uncovered_days: Mapping[str, int]
    records: Mapping[str, int]
    quarantined: int
    unknown_codes: Mapping[str, int]
    last_logins: LastLogins | None = None
    reconciliation: Reconciliation | None = None


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be used: where it is, which field is at fault and why, and nothing of its content."""

    source: str
    record: str
    key: str
    field: str
    reason: str


def bad_records(connection: Connection, sources: Sequence[str]) -> list[BadRecord]:
    """Return what is in quarantine of some sources, by source, record, key and field."""
    rows = connection.execute(
        select(quarantine)
        .where(quarantine.c.source.in_(sources))
        .order_by(quarantine.c.source, quarantine.c.record, quarantine.c.key, quarantine.c.field)
    )
    return [BadRecord(row.source, row.record, row.key, row.field, row.reason) for row in rows]


def last_result(connection: Connection, source: str) -> str | None:
    """How the last run of a source ended; None before the first."""
    return connection.scalar(select(run.c.result).where(run.c.source == source).order_by(run.c.id.desc()).limit(1))


def of_source(
    connection: Connection,
    source: str,
    connector: str,
    offered: Sequence[type[Record]],
    since: int,
    stale_after: int,
    now: int,
) -> SourceStatus:
    """Look up the state of one source; `now` in epoch seconds, `since` its first day."""
    last = connection.execute(
        select(run.c.result, run.c.message, run.c.began)
        .where(run.c.source == source)
        .order_by(run.c.id.desc())
        .limit(1)
    ).one_or_none()
    success = connection.scalar(select(func.max(run.c.began)).where(run.c.source == source, run.c.result == "done"))
    covered = {
        name: (latest, count)
        for name, latest, count in connection.execute(
            select(coverage.c.record, func.max(coverage.c.day), func.count())
            .where(coverage.c.source == source, coverage.c.record.in_([record.NAME for record in offered]))
            .group_by(coverage.c.record)
        )
    }
    expected = sum(1 for _ in days(since, plus_days(local_day(now), -1)))
    unknown: dict[str, int] = {}
    stored: dict[str, int] = {}
    for record in offered:
        table = table_of(record)
        stored[record.NAME] = (
            connection.scalar(select(func.count()).select_from(table).where(table.c.source == source)) or 0
        )
        if record.AGENCY_DAY is not None:
            written = table.c[record.AGENCY_CODE]
            # Bodies outside the province get documents too, and are in no register.
            inside = table.c.outside == 0 if record is Delivery else true()
            for code, count in connection.execute(
                select(func.coalesce(written, ""), func.count())
                .where(table.c.source == source, table.c.agency.is_(None), inside)
                .group_by(written)
            ):
                unknown[code] = unknown.get(code, 0) + count
    oldest = min((latest for latest, _ in covered.values()), default=None)
    return SourceStatus(
        source=source,
        connector=connector,
        result=last.result if last else "never",
        message=last.message if last else "",
        last_run=last.began if last else None,
        last_success=success,
        stale=oldest is None or now - day_start(plus_days(oldest, 1)) > stale_after,
        covered={name: latest for name, (latest, _) in covered.items()},
        uncovered_days={
            record.NAME: expected - covered.get(record.NAME, (0, 0))[1]
            for record in offered
            if expected - covered.get(record.NAME, (0, 0))[1] > 0
        },
        records=stored,
        quarantined=connection.scalar(select(func.count()).select_from(quarantine).where(quarantine.c.source == source))
        or 0,
        unknown_codes=unknown,
        last_logins=last_logins.compared(connection, source) if Mailbox in offered else None,
        reconciliation=_reconciliation(connection, source),
    )


def _reconciliation(connection: Connection, source: str) -> Reconciliation | None:
    last = connection.execute(select(reconciliation).where(reconciliation.c.source == source)).one_or_none()
    if last is None:
        return None
    found = connection.execute(
        select(difference.c.record, difference.c.kind, difference.c.records).where(difference.c.source == source)
    )
    return Reconciliation(
        result=last.result,
        message=last.message,
        began=last.began,
        last_success=last.last_success,
        first_day=last.first_day,
        last_day=last.last_day,
        differences={(record, kind): count for record, kind, count in found},
    )
