"""One run of one source, from its door to the store."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from sqlalchemy import Engine, insert, select, update

from collector.agencies import ANY, Register
from collector.clock import Clock
from collector.contract.connector import Batch, Connector, Days, Want, offered
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, WrongUse
from collector.contract.indicator import OF_PERSONS
from collector.contract.period import days, local_day, plus_days
from collector.contract.records import Record
from collector.store import locks
from collector.store.engine import reading, writing
from collector.store.mailboxes import mailboxes
from collector.store.pauses import open_pauses
from collector.store.save import Saved, read_cursor, read_spans, save
from collector.store.schema import coverage
from collector.store.schema import run as runs
from collector.store.tallies import Tallies

GROUP = 10_000
"""Rows that are saved in one transaction: enough to be quick, few enough for memory and to lose little time twice."""

GROUP_OF_PERSONS = 5 * GROUP
"""Those of mailboxes, which are small: what is counted of them is counted anew for whole days with each group."""

Item = TypeVar("Item")

Result = Literal["done", "try_again", "access_denied", "unexpected_answer", "bug"]


class Bug(CollectorError):
    """A fault of this program in one run, told like a failure so that the other sources are read all the same."""

    def __init__(self, error: Exception, source: str) -> None:
        super().__init__(
            f"a bug in this program ({type(error).__name__})",
            source=source,
            mend="Report it with the traceback; the other sources are read all the same",
        )


@dataclass(frozen=True, slots=True)
class Job:
    """What one run needs to know of its source."""

    source: str
    connector: Connector
    config: BaseModel
    since: int  # the source's first day
    open_door: Callable[[int], AbstractContextManager[Any]]  # given the instant at which the run began


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator asked for by hand; all None is the ordinary run."""

    first_day: int | None = None
    last_day: int | None = None
    agencies: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `failure` None: done. What was read before a failure is saved."""

    source: str
    began: int
    saved: Saved
    failure: CollectorError | None

    @property
    def result(self) -> Result:
        """The run's result, as the store keeps it."""
        return result_of(self.failure)


def result_of(failure: CollectorError | None) -> Result:
    """Return how something ended that ended with a failure, or without."""
    match failure:
        case None:
            return "done"
        case TryAgain():
            return "try_again"
        case AccessDenied():
            return "access_denied"
        case Bug():
            return "bug"
        case _:
            return "unexpected_answer"


@contextmanager
def closed_after(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """Hand on what a connector yields, and close it before its door is: it may have a statement under way."""
    try:
        yield items
    finally:
        if isinstance(items, Generator):
            items.close()


@dataclass(frozen=True, slots=True)
class Tools:
    """What all runs share: the store, the register, the plan of tallies and the clocks.

    `clock` is the program's (fixed in a demo), `machine_clock` the machine's own, for leases.
    """

    engine: Engine
    register: Register
    tallies: Tallies
    clock: Clock
    machine_clock: Clock
    holder: str  # who runs: kept beside the lease
    stopping: Callable[[], bool] = lambda: False  # asked between batches: the program is told to stop


def collect(
    job: Job,
    tools: Tools,
    wanted: Wanted,
    *,
    wait: bool,
    says: Callable[[str], None],
    progress: Callable[[Saved], None],
) -> Outcome:
    """Read a source once and save what it gave, batch by batch.

    Foreseen failures are returned, after saving what was read until then; anything else is a bug and is raised. So is
    KeyboardInterrupt, but after saving. WrongUse, before anything is read, if there is no such day to be read.
    """
    with locks.held(tools.engine, job.source, tools.holder, tools.machine_clock, wait=wait, says=says) as lease:
        began = tools.clock()
        want = _want(job, tools, wanted, began)
        with writing(tools.engine) as connection:
            connection.execute(
                update(runs).where(runs.c.source == job.source, runs.c.result == "running").values(result="cut_off")
            )
            number = connection.execute(
                insert(runs).values(source=job.source, began=began, result="running", message="", **_counts(Saved()))
            ).inserted_primary_key
            assert number is not None
        saved = Saved()

        def kept(more: Saved) -> None:
            nonlocal saved
            saved = more
            progress(more)

        result, message = "bug", "a bug in this program: see the log"
        try:
            failure = _read(job, tools, want, lease, kept)
            outcome = Outcome(job.source, began, saved, failure)
            result, message = outcome.result, str(failure or "")
        except KeyboardInterrupt:
            result, message = "cut_off", "stopped by hand"
            raise
        finally:
            with writing(tools.engine) as connection:
                connection.execute(
                    update(runs)
                    .where(runs.c.id == number[0])
                    .values(ended=tools.clock(), result=result, message=message, **_counts(saved))
                )
        return outcome


def _counts(saved: Saved) -> dict[str, int]:
    return {
        "read": saved.read,
        "inserted": saved.inserted,
        "updated": saved.updated,
        "unchanged": saved.unchanged,
        "quarantined": saved.quarantined,
        "destroyed": saved.destroyed,
    }


def _want(job: Job, tools: Tools, wanted: Wanted, began: int) -> Want:
    """What to ask the connector for: by hand some days, else whatever changed."""
    yesterday = plus_days(local_day(began), -1)
    window = wanted.first_day is not None or wanted.last_day is not None
    first = max(wanted.first_day or job.since, job.since)
    last = min(wanted.last_day or yesterday, yesterday)
    if first > last and window:
        raise WrongUse(
            "none of the days asked for is over and within the source's days",
            source=job.source,
            stage="configuration",
            field="--from/--to",
            mend="Ask for days from the source's `from` to yesterday",
        )
    with reading(tools.engine) as connection:
        return Want(
            cursor=None if window else read_cursor(connection, job.source),
            since=job.since,
            first_day=first,
            last_day=last,
            window=window or wanted.agencies is not None,
            agencies=wanted.agencies,
            spans=read_spans(connection, job.source),
            open_pauses=partial(open_pauses, tools.engine, job.source),
            mailboxes=partial(mailboxes, tools.engine, job.source),
        )


def want_of_keys(job: Job, tools: Tools, days: Days, keys: Mapping[type[Record], Sequence[str]]) -> Want:
    """What to ask the connector for to read some records by their keys, while `days` are reconciled."""
    return Want(
        cursor=None,
        since=job.since,
        first_day=days.first,
        last_day=days.last,
        window=True,
        keys=keys,
        open_pauses=partial(open_pauses, tools.engine, job.source),
        mailboxes=partial(mailboxes, tools.engine, job.source),
    )


def _read(
    job: Job, tools: Tools, want: Want, lease: locks.Held, kept: Callable[[Saved], None]
) -> CollectorError | None:
    """Walk through the door and save group by group; what was read before a failure is saved too.

    `kept` is told after each save what was saved until then.
    """
    saved = Saved()
    group: list[Batch] = []
    failure: CollectorError | None = None

    def flush() -> None:
        nonlocal saved
        if group:
            with writing(tools.engine) as connection:
                locks.renew(connection, lease, tools.machine_clock())
                saved += save(connection, job.source, group, tools.register, tools.tallies)
            group.clear()
            kept(saved)

    try:
        with job.open_door(tools.clock()) as door, closed_after(job.connector.fetch(job.config, door, want)) as batches:
            held = 0
            for batch in batches:
                # Read for some agencies only, no day is covered for all.
                group.append(batch if want.agencies is None else replace(batch, covers=()))
                held += _size(batch)
                if tools.stopping():
                    raise TryAgain("stopped before its end", stage="read", mend="The next run goes on from here")
                if held >= (GROUP if OF_PERSONS.isdisjoint(batch.rows) else GROUP_OF_PERSONS):
                    flush()
                    held = 0
    except CollectorError as error:
        error.source = error.source or job.source
        failure = error
    except KeyboardInterrupt:
        flush()
        raise
    flush()
    return failure


def _size(batch: Batch) -> int:
    return sum(len(rows) for rows in batch.rows.values()) + len(batch.bad)


def read_only(job: Job, tools: Tools) -> int:
    """Read a source as a first run does, and save nothing; return how many rows there were."""
    want = replace(_want(job, tools, Wanted(), tools.clock()), cursor=None, spans={})
    with job.open_door(tools.clock()) as door, closed_after(job.connector.fetch(job.config, door, want)) as batches:
        return sum(len(rows) for batch in batches for rows in batch.rows.values())


def agencies_as_written(register: Register, source: str, agency: str) -> frozenset[str]:
    """All codes under which a source may know an agency of the register; WrongUse for an unknown agency."""
    known = register.agencies.get(agency)
    if known is None:
        raise WrongUse(
            f"{agency} is not in the register of agencies",
            stage="configuration",
            field="--agency",
            mend="`collector agencies` lists the codes",
        )
    return frozenset((known.code, *known.old_codes, *known.aliases.get(source, ()), *known.aliases.get(ANY, ())))


def uncovered(engine: Engine, job: Job, now: int) -> list[tuple[int, int]]:
    """The stretches of days (first, last) that some record of a source has not covered, up to yesterday."""
    yesterday = plus_days(local_day(now), -1)
    with reading(engine) as connection:
        rows = connection.execute(select(coverage.c.record, coverage.c.day).where(coverage.c.source == job.source))
        covered = {(row.record, row.day) for row in rows}
    stretches: list[tuple[int, int]] = []
    for day in days(job.since, yesterday):
        if all((record.NAME, day) in covered for record in offered(job.connector, job.config)):
            continue
        if stretches and plus_days(stretches[-1][1], 1) == day:
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((day, day))
    return stretches
