"""Reconciliation: the keys that a source lists against those that the store has, day by day.

What no cursor can show is found here: records deleted for good, updates that moved no version, rows that came too late
for their place. First the source is read as in any run, so that nothing counts as a difference that merely happened
meanwhile. What differs is read again by its key, and so is every stored record that was not listed: only what is not
found by its key either has vanished. Nothing is taken for gone on an error, on a listing that did not come to
its end, or where so much would be gone that the listing or the account's rights are likelier to be at fault.

What is read by its key is what the source has now, so it stands whatever its version: where the version is not newer
than what is stored, it becomes so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects import sqlite

from collector import collect as collecting
from collector.collect import Job, Outcome, Result, Tools, Wanted
from collector.contract.connector import Days, Key, Row, keys_of, offered
from collector.contract.errors import CollectorError, TryAgain, UnexpectedAnswer, WrongUse
from collector.contract.period import iso, local_day, plus_days
from collector.contract.records import Record, columns
from collector.store import listing, locks
from collector.store.engine import reading, writing
from collector.store.save import Saved, save
from collector.store.schema import difference, reconciliation
from collector.store.schema import run as runs
from collector.store.tombstones import bury

Kind = Literal["vanished", "returned", "missed", "outdated", "silent"]
KINDS: Mapping[Kind, str] = {
    "vanished": "no longer there",
    "returned": "there again",
    "missed": "never read",
    "outdated": "changed since they were read",
    "silent": "changed without a newer version",
}
"""How the store can differ from a source, in words."""

WINDOW = 50_000
"""Rows of one record class in a stretch of days that is compared at once: what bounds the memory."""

READ = 1_000
"""Records that are read again by their keys at once."""

_FEW = 10
_SHARE = 10  # one in so many of a window may vanish

_MILLION = 1_000_000


@dataclass(slots=True)
class Difference:
    """What was compared of one record class, and how it differed: records by kind.

    `stored`: what the store has of the days compared, and of other days or deleted of what is listed.
    """

    listed: int = 0
    stored: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How a reconciliation ended. `failure` None: done; else what differs is told as far as it was compared."""

    source: str
    began: int
    days: Days
    differences: Mapping[type[Record], Difference]
    saved: Saved
    failure: CollectorError | None

    @property
    def result(self) -> Result:
        """The result, as the store keeps it."""
        return collecting.result_of(self.failure)

    @property
    def differing(self) -> dict[str, int]:
        """How many records differed, by `<record>_<kind>`, without zeros."""
        return {
            f"{record.NAME}_{kind}": count
            for record, one in self.differences.items()
            for kind, count in one.kinds.items()
            if count
        }


def offers_keys(job: Job) -> bool:
    """Say whether a source can be reconciled."""
    return keys_of(job.connector) is not None


def due(connection: Connection, source: str, every: int, now: int) -> bool:
    """Say whether a source is to be reconciled: `every` seconds after the last time, or after it was first read.

    One that was cut off or not answered is due at once.
    """
    last = connection.execute(
        select(reconciliation.c.began, reconciliation.c.result).where(reconciliation.c.source == source)
    ).one_or_none()
    if last is not None:
        return last.result in ("try_again", "cut_off") or now - int(last.began) >= every
    first = connection.scalar(select(func.min(runs.c.began)).where(runs.c.source == source, runs.c.result == "done"))
    return first is not None and now - int(first) >= every


def reconcile(
    job: Job,
    tools: Tools,
    wanted: Wanted,
    *,
    wait: bool,
    says: Callable[[str], None],
    progress: Callable[[Saved], None],
    allow_vanished: bool = False,
    read: Outcome | None = None,
) -> Reconciled:
    """Read a source, compare its keys with the store and mend the store.

    Foreseen failures are returned; what was mended until then stays. `allow_vanished`: an operator has looked, and
    however much is gone is gone. `read`: the ordinary run that ended just now, if there was one. WrongUse if the
    connector lists no keys, or for days that cannot be asked.
    """
    if not offers_keys(job):
        raise WrongUse(
            "this connector cannot list what its source has",
            source=job.source,
            stage="configuration",
            field="connector",
            mend="Read its days again instead: `collector collect SOURCE --from DAY`",
        )
    began = tools.clock()
    days = _days(job, wanted, began)
    try:
        outcome = read or collecting.collect(job, tools, Wanted(), wait=wait, says=says, progress=progress)
        if outcome.failure is not None:
            return Reconciled(job.source, began, days, {}, outcome.saved, outcome.failure)
        holding = locks.held(tools.engine, job.source, tools.holder, tools.machine_clock, wait=wait, says=says)
        with holding as lease:
            return _compare(job, tools, lease, days, began, outcome, progress, allow_vanished=allow_vanished)
    except TryAgain as error:  # another run is under way
        return Reconciled(job.source, began, days, {}, Saved(), error)


def _compare(
    job: Job,
    tools: Tools,
    lease: locks.Held,
    days: Days,
    began: int,
    outcome: Outcome,
    progress: Callable[[Saved], None],
    *,
    allow_vanished: bool,
) -> Reconciled:
    """Compare, and keep how it ended."""
    comparing = _Comparing(job, tools, lease, days, outcome.began, outcome.saved, progress, allow_vanished)
    failure: CollectorError | None = None
    result, message = "bug", "a bug in this program: see the log"
    try:
        try:
            comparing.run()
        except CollectorError as error:
            error.source = error.source or job.source
            failure = error
        result, message = collecting.result_of(failure), str(failure or "")
    except KeyboardInterrupt:
        result, message = "cut_off", "stopped by hand"
        raise
    finally:
        if days == _days(job, Wanted(), began):  # some days alone say nothing of the source
            with writing(tools.engine) as connection:
                _note(connection, job.source, began, days, result, message, comparing.differences)
    return Reconciled(job.source, began, days, comparing.differences, comparing.saved, failure)


def _days(job: Job, wanted: Wanted, began: int) -> Days:
    yesterday = plus_days(local_day(began), -1)
    first, last = max(wanted.first_day or job.since, job.since), min(wanted.last_day or yesterday, yesterday)
    if first > last:
        raise WrongUse(
            "none of the days asked for is over and within the source's days",
            source=job.source,
            stage="configuration",
            field="--from/--to",
            mend="Ask for days from the source's `from` to yesterday",
        )
    return Days(first, last)


@dataclass(slots=True)
class _Left:
    """What the store has of one record class in a window: what was not listed yet, and counts to judge by."""

    keys: dict[str, tuple[int | None, str]]
    total: int
    by_day: Counter[int | None]
    by_agency: Counter[str]

    @classmethod
    def of(cls, keys: dict[str, tuple[int | None, str]]) -> "_Left":
        days, agencies = Counter(day for day, _ in keys.values()), Counter(code for _, code in keys.values())
        return cls(keys, len(keys), days, agencies)


@dataclass(slots=True)
class _Comparing:
    """One reconciliation under way."""

    job: Job
    tools: Tools
    lease: locks.Held
    days: Days
    read_began: int  # when the ordinary run before it began: what is newer is no difference
    saved: Saved
    progress: Callable[[Saved], None]
    allow_vanished: bool
    differences: dict[type[Record], Difference] = field(default_factory=dict)
    door: Any = None
    door_began: int = 0

    def run(self) -> None:
        """Compare window by window."""
        with reading(self.tools.engine) as connection:
            records = offered(self.job.connector, self.job.config)
            windows = list(listing.windows(connection, self.job.source, records, self.days, WINDOW))
        self.door_began = self.tools.clock()
        with self.job.open_door(self.door_began) as self.door:
            for days in windows:
                self._window(days)

    def _window(self, days: Days) -> None:
        list_keys = keys_of(self.job.connector)
        assert list_keys is not None
        left: dict[type[Record], _Left] = {}
        whole: set[type[Record]] = set()
        differing: dict[type[Record], list[str]] = {}
        with collecting.closed_after(list_keys(self.job.config, self.door, days)) as blocks:
            for block in blocks:
                record = block.record
                if record not in left:
                    with reading(self.tools.engine) as connection:
                        left[record] = _Left.of(listing.expected(connection, self.job.source, record, days))
                    self._difference(record).stored += left[record].total
                self._difference(record).listed += len(block.keys)
                again = differing.setdefault(record, [])
                again += self._differing(record, block.keys, left[record])
                if len(again) >= READ or block.whole:
                    self._read(record, again)
                    again.clear()
                if self.tools.stopping():
                    raise TryAgain("stopped before its end", stage="read", mend="The next one begins anew")
                if block.whole:
                    whole.add(record)
                    self._look_for(record, left[record], days, empty=not self._difference(record).listed)
        if not whole or whole != set(left):
            raise self._unfinished(days, set(left) - whole)

    def _difference(self, record: type[Record]) -> Difference:
        return self.differences.setdefault(record, Difference())

    def _differing(self, record: type[Record], keys: Sequence[Key], left: _Left) -> list[str]:
        """Strike out what is listed and return the keys of what is stored otherwise, or not at all."""
        with reading(self.tools.engine) as connection:
            stored = listing.states(connection, self.job.source, record, [one.key for one in keys])
        differing = []
        for one in keys:
            expected = left.keys.pop(one.key, None)
            state = stored.get(one.key)
            if expected is None and state is not None and not state.gone:
                # Deleted by the source's own word, of a parent that is, or of another day.
                self._difference(record).stored += 1
            if state is None or not state.agrees(record, one):
                differing.append(one.key)
        return differing

    def _look_for(self, record: type[Record], left: _Left, days: Days, *, empty: bool) -> None:
        """Look by their keys for the stored records that were not listed, and bury those that are not found."""
        if not left.keys:
            return
        if empty and not self.allow_vanished:
            raise self._implausible(record, days, f"it lists no {record.NAME} at all, and {left.total:,} are stored")
        found = self._read(record, list(left.keys))
        gone = [key for key in left.keys if key not in found]
        doubt = None if self.allow_vanished else _doubt(gone, left)
        if doubt:
            raise self._implausible(record, days, doubt)
        if gone:
            with writing(self.tools.engine) as connection:
                now = self.tools.machine_clock()
                locks.renew(connection, self.lease, now)
                bury(connection, self.job.source, record, gone, self.tools.register, self.tools.tallies, now)
            self._difference(record).kinds["vanished"] += len(gone)

    def _read(self, record: type[Record], keys: Sequence[str]) -> set[str]:
        """Read records by their keys and save them as they are now; returns the keys that the source has."""
        found: set[str] = set()
        for first in range(0, len(keys), READ):
            some = keys[first : first + READ]
            want = collecting.want_of_keys(self.job, self.tools, self.days, {record: some})
            asked = set(some)
            with collecting.closed_after(self.job.connector.fetch(self.job.config, self.door, want)) as batches:
                for batch in batches:
                    rows = [row for row in batch.rows.get(record, ()) if row[0] in asked]
                    found.update(row[0] for row in rows)
                    found.update(one.key for one in batch.bad if one.record is record)
                    with writing(self.tools.engine) as connection:
                        locks.renew(connection, self.lease, self.tools.machine_clock())
                        standing = self._standing(connection, record, rows)
                        # What comes along (the events of a dossier that was missed) is saved as in any run.
                        theirs = {**batch.rows, record: standing}
                        only = replace(batch, rows=theirs, cursor=None, covers=(), spans=())
                        self.saved += save(connection, self.job.source, [only], self.tools.register, self.tools.tallies)
                    self.progress(self.saved)
        return found

    def _standing(self, connection: Connection, record: type[Record], rows: Sequence[Row]) -> list[Row]:
        """Count in which way rows differ from what is stored; one that would be taken for older becomes newer."""
        at = columns(record).index("changed")
        stored = listing.states(connection, self.job.source, record, [row[0] for row in rows])
        kinds = self._difference(record).kinds
        standing = []
        for row in rows:
            state, version = stored.get(row[0]), row[at]
            # A version of the door's own instant was made up: the source gave none.
            dated = version != self.door_began * _MILLION
            late = dated and version >= self.read_began * _MILLION
            if state is not None and (*row[:at], *row[at + 1 :]) != (*state.row[:at], *state.row[at + 1 :]):
                if state.gone:
                    kinds["returned"] += 1
                elif dated and version > state.changed:
                    kinds["outdated"] += not late
                else:
                    kinds["silent"] += 1
                if version <= state.changed:
                    row = (*row[:at], state.changed + 1, *row[at + 1 :])
            elif state is None:
                kinds["missed"] += not late
            standing.append(row)
        return standing

    def _implausible(self, record: type[Record], days: Days, doubt: str) -> UnexpectedAnswer:
        span = f"--from {iso(days.first)} --to {iso(days.last)}"
        return UnexpectedAnswer(
            f"in its listing of {iso(days.first)} to {iso(days.last)} {doubt}: nothing was taken for gone",
            source=self.job.source,
            stage="answer",
            field=record.NAME,
            mend="See whether the source was restored, archived or hidden from the account, or its mapping changed; if "
            f"these records are really gone: `collector reconcile {self.job.source} {span} --allow-vanished`",
        )

    def _unfinished(self, days: Days, records: Iterable[type[Record]]) -> UnexpectedAnswer:
        names = ", ".join(sorted(record.NAME for record in records)) or "any record"
        return UnexpectedAnswer(
            f"the listing of {names} from {iso(days.first)} to {iso(days.last)} did not come to its end",
            source=self.job.source,
            stage="answer",
            mend="Nothing was taken for gone; report it if it happens again",
        )


def _doubt(gone: Sequence[str], left: _Left) -> str | None:
    """Say, in words, why so many records are not believed to be gone; None if they may well be."""
    if len(gone) < _FEW:
        return None
    if len(gone) * _SHARE > left.total:
        return f"{len(gone):,} of {left.total:,} are missing"
    days, agencies = Counter(left.keys[key][0] for key in gone), Counter(left.keys[key][1] for key in gone)
    for code, count in agencies.items():
        if code and count >= _FEW and count == left.by_agency[code]:
            return f"all {count:,} of the agency {code} are missing"
    for day, count in days.items():
        if day is not None and count >= _FEW and count == left.by_day[day]:
            return f"all {count:,} of {iso(day)} are missing"
    return None


def _note(
    connection: Connection,
    source: str,
    began: int,
    days: Days,
    result: str,
    message: str,
    differences: Mapping[type[Record], Difference],
) -> None:
    """Keep how a reconciliation ended, and what it found if it came to its end."""
    values = {
        "began": began,
        "result": result,
        "message": message,
        "first_day": days.first,
        "last_day": days.last,
        **({"last_success": began} if result == "done" else {}),
    }
    statement = sqlite.insert(reconciliation).values(source=source, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))
    if result != "done":
        return
    connection.execute(delete(difference).where(difference.c.source == source))
    found = [
        {"source": source, "record": record.NAME, "kind": kind, "records": one.kinds[kind]}
        for record, one in differences.items()
        for kind in KINDS
    ]
    if found:
        connection.execute(insert(difference), found)
