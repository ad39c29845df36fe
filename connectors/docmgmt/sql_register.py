"""Documents and deliveries of a document register, read from the tables of its own database.

System   any document-management system whose tables SQLAlchemy can read (PostgreSQL, MariaDB, MySQL, SQLite). A
         mapping in the configuration says which of the site's tables and columns hold what; names in Vietnamese, with
         spaces and diacritics, are fine. It is data: nothing of it becomes SQL text.
Account  a database user with SELECT on the two tables (or on views of them) and nothing else; a read replica is best.
Reads    Document and Delivery: ids, codes, days, flags and the status. An ordinary run reads what has changed since
         the last one, from `overlap` seconds before it, in the order of (changed, id); then all rows whose changed
         column is NULL, whose version is the start of the run. A run for days reads the documents issued on them, and
         their deliveries. Only mapped columns are asked for: no subject, no person's name.
Never    writes, locks, calls procedures, or asks for a table or column that is not mapped.
Limits   `page_size` rows a statement, one statement at a time. A row whose changed column does not move when the row
         does is missed, and so is a row that is deleted for good. Changed columns written as text must all be written
         alike. Documents issued before the source's first day are left out. A cursor that belongs to another mapping
         is not used: everything is read again.
Quality  a value that the mapping does not explain is unknown, never guessed. A row without id, direction or readable
         dates is set aside; over 1 % of them stop the source. A run for some agencies only covers no day.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal

from sqlalchemy import ColumnElement, Text, cast, false, func, literal_column, or_, select

from collector.contract.connector import Batch, Covered, Finding, Want
from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer
from collector.contract.records import Delivery, Document
from connectors.docmgmt.register_cursor import Progress
from connectors.docmgmt.register_mapping import Config, Constant
from connectors.docmgmt.register_pages import Page, Pages
from connectors.docmgmt.register_rows import (
    Converted,
    Plan,
    check_changed,
    plan_of_deliveries,
    plan_of_documents,
)
from connectors.docmgmt.register_values import Clock

__all__ = ["DOORS", "RECORDS", "Config", "fetch", "probe"]

DOORS = ("sql",)
RECORDS = (Document, Delivery)

_ENOUGH = 1_000  # rows after which a source that is wrong throughout is not read to its end
_SKEW = 120  # seconds that the source's clock may differ from ours

Part = Literal["documents", "deliveries"]


def fetch(config: Config, door: Rows, want: Want) -> Iterator[Batch]:
    """Yield what changed (or, in a window, what was issued on its days), in batches of at most a page.

    A batch is held back until the next one is there, so that the last one carries the coverage. Raises
    UnexpectedAnswer for a table or column that is not there, and if over 1 % of the rows cannot be used.
    """
    documents = plan_of_documents(config, door, want.since)
    deliveries = plan_of_deliveries(config, door, documents)
    plans: dict[Part, Plan] = {"documents": documents}
    if deliveries is not None:
        plans["deliveries"] = deliveries
    run = _Run(config, door, want, plans)
    held: Batch | None = None
    for batch in run.of_days() if want.window else run.of_changes():
        run.watch.see(batch)
        if held is not None:
            yield held
        held = batch
    run.watch.judge()
    yield replace(held or Batch({}, None, live=True), cursor=run.cursor(), covers=_covers(want))


def _covers(want: Want) -> tuple[Covered, ...]:
    if want.agencies is not None or want.first_day > want.last_day:
        return ()
    # Without a table of deliveries there are none to be read: nothing of them is missing.
    return tuple(Covered(record, want.first_day, want.last_day) for record in RECORDS)


@dataclass(slots=True)
class _Watch:
    """Counts what could not be used, and stops the source when it is too much."""

    door: Rows
    read: int = 0
    bad: Counter[tuple[str, str]] = field(default_factory=Counter)

    def see(self, batch: Batch) -> None:
        """Count a batch; raise at once if most of a source is wrong."""
        self.read += batch.read
        self.bad.update((one.field, one.reason) for one in batch.bad)
        if self.read >= _ENOUGH and self.bad.total() * 2 > self.read:
            self.judge()

    def judge(self) -> None:
        """Raise UnexpectedAnswer if over 1 % was bad; a single bad row never stops a source."""
        bad = self.bad.total()
        if bad < 2 or self.read < 10 or bad * 100 <= self.read:
            return
        (name, reason), count = self.bad.most_common(1)[0]
        raise UnexpectedAnswer(
            f"{bad} of {self.read} rows cannot be used; {count} times this column {reason}",
            source=self.door.source,
            stage="answer",
            field=name,
            mend="Compare the mapping (columns, values, formats) with the table",
        )


class _Run:
    """One run: the tables' plans, how far they are read, and the ways of reading them."""

    def __init__(self, config: Config, door: Rows, want: Want, plans: Mapping[Part, Plan]) -> None:
        self._config = config
        self._door = door
        self._want = want
        self._plans = plans
        self.watch = _Watch(door)
        told = want.cursor or {}
        self._progress: dict[Part, Progress] = {
            part: Progress.read(told.get(part), config.fingerprint(part), door.began, plan.changed)
            for part, plan in plans.items()
        }
        self._ended: set[Part] = set()

    def cursor(self) -> Mapping[str, Any] | None:
        """Return the cursor as it is now; None for runs that must not move it: it stands for all days and agencies."""
        if self._want.window or self._want.agencies is not None:
            return None
        return {part: one.document(ended=part in self._ended) for part, one in self._progress.items()}

    # What changed

    def of_changes(self) -> Iterator[Batch]:
        """Yield what changed since the last pass of each table, then its rows without a changed value."""
        # A table whose last pass was cut off is begun where it stopped; one that came to its end, from its overlap.
        for part, plan in self._plans.items():
            yield from self._pass(plan, self._progress[part])
            self._ended.add(part)

    def _pass(self, plan: Plan, progress: Progress) -> Iterator[Batch]:
        pages = Pages(self._joined(plan, self._want.agencies is not None), plan.fields, self._of_agencies(), self._size)
        changed = plan.fields["changed"]
        if not progress.nulls:
            start = None if progress.at else progress.start(plan.changed, self._config.overlap)
            since = progress.at["changed"] if progress.at else start
            for page in pages.changed_since(self._door, start, progress.at):
                converted = plan.rows(page, self._door.began)
                check_changed(plan, page, converted, self._door.source)
                progress.passed(page.columns["changed"], converted.versions, page.at)
                yield self._batch(plan, converted)
            recent = () if since is None else (or_(changed.is_(None), changed >= since),)
            for page in pages.without_id(self._door, recent):
                yield self._batch(plan, plan.rows(page, self._door.began))
            progress.nulls, progress.at = True, None
        for page in pages.by_id(self._door, progress.at, (changed.is_(None),)):
            progress.at = page.at
            yield self._batch(plan, plan.rows(page, self._door.began))

    # What was issued

    def of_days(self) -> Iterator[Batch]:
        """Yield the documents issued on the days wanted, and their deliveries."""
        documents = self._plans["documents"]
        issued = documents.fields["issued"]
        clock = Clock(self._config.time_zone, self._config.documents.formats.get("issued"))
        samples = self._door.rows(select(issued).where(issued.is_not(None)).limit(1))
        if not samples:
            return
        bounds = clock.bounds(samples[0][0], self._want.first_day, self._want.last_day)
        days = () if bounds is None else (issued >= bounds[0], issued < bounds[1])
        for plan in self._plans.values():
            pages = Pages(
                self._joined(plan, asked=True), plan.fields | {"issued": issued}, self._of_agencies(), self._size
            )
            for page in chain(pages.by_id(self._door, None, days), pages.without_id(self._door, days)):
                chosen = self._issued_in_window(page, clock)
                if chosen.size:
                    yield self._batch(plan, plan.rows(chosen, self._door.began))

    def _issued_in_window(self, page: Page, clock: Clock) -> Page:
        # The source was asked for a day more on either side: its zone, or its way of writing, may differ from ours.
        first, last = self._want.first_day, self._want.last_day
        inside = [isinstance(day, int) and first <= day <= last for day in clock.days(page.columns["issued"])]
        if all(inside):
            return page
        chosen = {
            name: [value for value, one in zip(column, inside, strict=True) if one]
            for name, column in page.columns.items()
        }
        return replace(page, columns=chosen, size=sum(inside))

    # Both

    @property
    def _size(self) -> int:
        return self._config.page_size

    def _joined(self, plan: Plan, asked: bool) -> Any:
        """Return the table to select from; if asked, one from which the documents' columns can be had too."""
        documents = self._plans["documents"]
        if not asked or plan is documents or self._config.deliveries is None or self._config.deliveries.changed is None:
            return plan.table
        return plan.table.join(documents.table, plan.fields["document"] == documents.fields["id"])

    def _of_agencies(self) -> Sequence[ColumnElement[bool]]:
        wanted = self._want.agencies
        if wanted is None:
            return ()
        agency = self._config.documents.agency
        if isinstance(agency, Constant):
            return () if agency.constant in wanted else (false(),)
        return (cast(self._plans["documents"].fields["agency"], Text).in_(sorted(wanted)),)

    def _batch(self, plan: Plan, converted: Converted) -> Batch:
        read = len(converted.rows) + len(converted.bad)
        return Batch({plan.record: converted.rows}, self.cursor(), bad=converted.bad, read=read, live=True)


def probe(config: Config, door: Rows) -> Iterator[Finding]:
    """Yield what a look at the register shows. Raises what the door raises, and UnexpectedAnswer for the mapping."""
    now = door.rows(select(literal_column("CURRENT_TIMESTAMP")))[0][0]
    yield Finding("reach", "ok", "the database answers and lets us in")
    documents = plan_of_documents(config, door, 19000101)
    deliveries = plan_of_deliveries(config, door, documents)
    plans = [documents] if deliveries is None else [documents, deliveries]
    yield Finding("columns", "ok", "all mapped tables and columns are there")
    for plan in plans:
        pages = Pages(plan.table, plan.fields, (), 100)
        page = next(pages.changed_since(door, None, None), None)
        if page is None:
            yield Finding("page", "unproved", f"no {plan.record.NAME} has a value in {plan.names['changed']}")
            continue
        converted = plan.rows(page, door.began)
        check_changed(plan, page, converted, door.source)
        yield _page_finding(plan, page, converted)
    yield _clock_finding(now, config, door.began)
    for plan in plans:
        yield _changed_finding(plan, door)
    proof = door.proof_of_read_only()
    if proof is None:
        mend = "Give the account SELECT on the mapped tables and nothing else"
        yield Finding("read-only", "unproved", "nothing shows that the account cannot write", mend)
    else:
        yield Finding("read-only", "ok", proof)


def _page_finding(plan: Plan, page: Page, converted: Converted) -> Finding:
    if not converted.bad:
        return Finding("page", "ok", f"{page.size} rows of {plan.record.NAME} read and understood")
    one = converted.bad[0]
    return Finding(
        "page",
        "failed",
        f"{len(converted.bad)} of {page.size} rows of {plan.record.NAME} cannot be used: {one.field} {one.reason}",
        "Compare the mapping (columns, values, formats) with the table",
    )


def _clock_finding(now: object, config: Config, began: int) -> Finding:
    if not isinstance(now, datetime):
        return Finding("clock", "ok", "a database file has no clock of its own")
    utc = datetime.fromtimestamp(began, UTC)
    if now.tzinfo is not None:
        skew = round((now - utc).total_seconds())
    else:
        # A server that does not tell its zone: the likelier of the two is taken.
        ours = (utc.replace(tzinfo=None), Clock(config.time_zone, None).naive(began))
        skew = min((round((now - one).total_seconds()) for one in ours), key=abs)
    if abs(skew) <= _SKEW:
        return Finding("clock", "ok", f"the source's clock is {skew:+d} s from ours")
    return Finding("clock", "failed", f"the source's clock is {skew:+d} s from ours", "Set both clocks by NTP")


def _changed_finding(plan: Plan, door: Rows) -> Finding:
    changed, name = plan.fields["changed"], plan.names["changed"]
    counts: list[Any] = [func.count(), func.count(changed)]
    total, known = door.rows(select(*counts).select_from(plan.table))[0]
    says = f"{total - known} of {total} rows of {plan.record.NAME} have no value in {name}"
    if total == known:
        return Finding("changed", "ok", says)
    mend = "They are read again in every run; ask for a trigger or default that fills this column"
    return Finding("changed", "unproved", says, mend)
