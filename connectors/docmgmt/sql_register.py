"""Documents and deliveries of a document register, read from the tables of its own database.

System   any document-management system whose tables SQLAlchemy can read (PostgreSQL, MariaDB, MySQL, SQLite). A
         mapping in the configuration says which of the site's tables and columns hold what; names in Vietnamese, with
         spaces and diacritics, are fine. It is data: nothing of it becomes SQL text. `preset` names a known shape
         (register_presets.py), of which only what is the site's own is to be written. Outgoing and incoming documents
         of two tables are two sources.
Account  a database user with SELECT on the two tables (or on views of them) and nothing else; a read replica is best.
Reads    Document and Delivery: ids, codes, days, flags and the status. An ordinary run reads what has changed since
         the last one, from `overlap` seconds before it, in the order of (changed, id); then all rows whose changed
         column is NULL, whose version is the start of the run. With `read_by: window`, for registers whose changed
         column lies or is not there, it reads everything once, then the documents issued in the last `window_days`.
         A run for days reads the documents issued on them, and their deliveries. A reconciliation reads all rows of all
         days and compares what they say. Only mapped columns are asked for: no subject, no person's name. For
         `collector compare` the rows of the configured months in the table of `totals`.
Never    writes, locks, calls procedures, or asks for a table or column that is not mapped.
Limits   `page_size` rows a statement, one statement at a time; up to three pages are read while one is worked on. What
         moves no changed column, and what is deleted for good, is found by reconciliation alone (daily), and so is
         what changes on documents older than `window_days`. Changed columns written as text must all be written
         alike. Documents issued before the source's first day are left out, and their deliveries (reconciliation
         brings them once such a day is corrected). Recipients in a list tell the scope, and are no deliveries. A cursor
         that belongs to another mapping is not used: everything is read again; what the new mapping no longer
         reaches is found by reconciliation.
Quality  a value that the mapping does not explain is unknown, never guessed. A row without id, direction or readable
         dates is set aside; over 1 % of them stop the source; days that stand for none are to be named (`no_date`). A
         run for some agencies only covers no day.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, cast, false, func, or_, select

from collector.contract.connector import Batch, Covered, Days, Key, Listed, Want, fingerprint
from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import Period, local_day, plus_days
from collector.contract.records import Delivery, Document, Record, columns
from collector.contract.reported import Report, Rules
from connectors.docmgmt.register_mapping import Config, Constant
from connectors.docmgmt.register_probe import probe
from connectors.docmgmt.register_rows import (
    NO_ID,
    Converted,
    Plan,
    check_changed,
    plan_of_deliveries,
    plan_of_documents,
)
from connectors.register import stored_totals
from connectors.register.cursor import Latest, Progress, Windowed
from connectors.register.pages import Beside, Page, Pages, ahead
from connectors.register.values import Clock, Unusable, like
from connectors.register.values import keys as ids

__all__ = ["DOORS", "RECORDS", "Config", "fetch", "keys", "offers", "probe", "publishes", "reported"]

DOORS = ("sql",)
RECORDS = (Document, Delivery)

_ENOUGH = 1_000  # rows after which a source that is wrong throughout is not read to its end
_ANY_DAY, _LAST_DAY = 19000101, 21001231

Part = Literal["documents", "deliveries"]


def offers(config: Config) -> Sequence[type[Record]]:
    """Return what a register with this mapping tells: without statuses, nothing of what became of deliveries."""
    told = config.deliveries
    return RECORDS if told is not None and told.tells_statuses else (Document,)


def fetch(config: Config, door: Rows, want: Want) -> Iterator[Batch]:
    """Yield what changed (or, in a window, what was issued on its days), in batches of at most a page.

    A batch is held back until the next one is there, so that the last one carries the coverage. Raises
    UnexpectedAnswer for a table or column that is not there, and if over 1 % of the rows cannot be used.
    """
    run = _Run(config, door, want, _plans(config, door, want.since, asked=want.keys is not None))
    if want.keys is not None:
        yield from run.of_keys(want.keys)
        return
    held: Batch | None = None
    for batch in run.of_days() if want.window else run.of_changes():
        run.watch.see(batch)
        if held is not None:
            yield held
        held = batch
    run.watch.judge()
    yield replace(held or Batch({}, None, live=True), cursor=run.cursor(), covers=_covers(want))


def keys(config: Config, door: Rows, days: Days) -> Iterator[Listed]:
    """Yield the keys of the documents issued on some days and of their deliveries, marked by what all columns say.

    By what they say, and not by the changed column, which moves by itself in few registers.
    """
    plans = _plans(config, door, _ANY_DAY, asked=True)
    run = _Run(config, door, Want(None, days.first, days.first, days.last, window=True), plans)
    for plan in plans.values():
        day = columns(Document).index("issued_day") if plan.record is Document else None
        for page in run.issued(plan):
            converted = plan.rows(page, door.began)
            unusable = {one.key for one in converted.bad} - {NO_ID}
            listed = [Key(one, None, None) for one in unusable]
            listed += [
                Key(row[0], None if day is None else row[day], fingerprint(plan.record, row)) for row in converted.rows
            ]
            yield Listed(plan.record, listed)
        yield Listed(plan.record, (), whole=True)
    if "deliveries" not in plans:
        yield Listed(Delivery, (), whole=True)


def publishes(config: Config) -> bool:
    """Return whether such a register keeps totals of its own."""
    return config.totals is not None


def reported(config: Config, door: Rows, period: Period) -> Iterator[Report]:
    """Yield the totals that the register keeps of itself, month by month; nothing where no table is configured."""
    if config.totals is None:
        return
    clock = Clock(config.time_zone, None, config.no_date)

    def instant(value: Any) -> int | None:
        if value is None:
            return None
        (told,) = clock.versions([value], door.began)
        if isinstance(told, Unusable):
            raise ValueError(told.reason)
        return int(told) // 1_000_000

    rules = Rules("register", recalled=config.totals.recalled)
    yield from stored_totals.read(config.totals, door, period, Document, rules, instant)


def _plans(config: Config, door: Rows, since: int, *, asked: bool) -> dict[Part, Plan]:
    """Plan the tables. `asked`: a document issued before `since` is told as removed, whenever it was changed."""
    documents = plan_of_documents(config, door, since, asked=asked)
    deliveries = plan_of_deliveries(config, door, documents)
    return {"documents": documents} if deliveries is None else {"documents": documents, "deliveries": deliveries}


def _covers(want: Want) -> tuple[Covered, ...]:
    if want.agencies is not None or want.first_day > want.last_day:
        return ()
    # Without a table of deliveries there are none to be read: nothing of them is missing.
    return tuple(Covered(record, want.first_day, want.last_day) for record in RECORDS)


def _of_days(page: Page, clock: Clock, first: int, last: int) -> Page:
    # The source was asked for a day more on either side: its zone, or its way of writing, may differ from ours.
    inside = [isinstance(day, int) and first <= day <= last for day in clock.days(page.columns["issued"])]
    if all(inside):
        return page
    chosen = {
        name: [value for value, one in zip(column, inside, strict=True) if one] for name, column in page.columns.items()
    }
    return replace(page, columns=chosen, size=sum(inside))


def _ids_of(record: type[Record], key: str) -> list[str]:
    """Return the ids that a row of a key may have: a document's is its key; a delivery's follows some `|` of it."""
    if record is Document:
        return [key]
    return [key[at + 1 :] for at, sign in enumerate(key) if sign == "|"]


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
        self._progress: dict[Part, Progress] = {}
        self._windowed: dict[Part, Windowed] = {}
        for part, plan in plans.items():
            mapping = config.fingerprint(part)
            if config.read_by == "window":
                self._windowed[part] = Windowed.read(told.get(part), mapping)
            else:
                self._progress[part] = Progress.read(told.get(part), mapping, door.began, plan.changed)
        self._ended: set[Part] = set()

    def cursor(self) -> Mapping[str, Any] | None:
        """Return the cursor as it is now; None for runs that must not move it: it stands for all days and agencies."""
        if self._want.window or self._want.agencies is not None:
            return None
        followed = {part: one.document(ended=part in self._ended) for part, one in self._progress.items()}
        return followed | {part: one.document() for part, one in self._windowed.items()}

    # What changed

    def of_changes(self) -> Iterator[Batch]:
        """Yield what changed since the last pass of each table, then its rows without a changed value."""
        # A table whose last pass was cut off is begun where it stopped; one that came to its end, from its overlap.
        for part, plan in self._plans.items():
            if part in self._windowed:
                yield from self._recent(plan, self._windowed[part])
            else:
                yield from self._pass(plan, self._progress[part])
            self._ended.add(part)

    def _recent(self, plan: Plan, windowed: Windowed) -> Iterator[Batch]:
        """Yield what belongs to documents issued lately; at first, and until it came to its end, to any document."""
        recent = plus_days(local_day(self._door.began), -self._config.window_days)
        first = max(self._want.since, recent) if windowed.whole else self._want.since
        for page, chosen in self._issued(plan, first, _LAST_DAY, windowed.at, ahead):
            windowed.at = page.at
            yield self._batch(plan, plan.rows(chosen, self._door.began))
        windowed.whole, windowed.at = True, None

    def _pass(self, plan: Plan, progress: Progress) -> Iterator[Batch]:
        source, fields, beside = self._with_issue(plan)
        pages = Pages(source, fields, self._of_agencies(), self._size, beside)
        changed = plan.fields["changed"]
        if not progress.nulls:
            start = None if progress.at else progress.start(plan.changed, self._config.overlap)
            since = progress.at["changed"] if progress.at else start
            read = self._converted(plan, progress, pages.changed_since(self._door, start, progress.at))
            for at, latest, converted in ahead(read):
                progress.passed(at, latest)
                yield self._batch(plan, converted)
            recent = () if since is None else (or_(changed.is_(None), changed >= since),)
            for page in pages.without_id(self._door, recent):
                yield self._batch(plan, plan.rows(page, self._door.began))
            progress.nulls, progress.at = True, None
        for page in pages.by_id(self._door, progress.at, (changed.is_(None),)):
            progress.at = page.at
            yield self._batch(plan, self._not_of_before(plan, page, plan.rows(page, self._door.began)))

    def _converted(
        self, plan: Plan, progress: Progress, pages: Iterator[Page]
    ) -> Iterator[tuple[Mapping[str, Any], Latest | None, Converted]]:
        """Convert pages in the thread that reads them; of the page itself only what the cursor needs is kept."""
        for page in pages:
            converted = plan.rows(page, self._door.began)
            check_changed(plan, page, converted, self._door.source)
            latest = progress.latest(page.columns["changed"], converted.versions)
            yield page.at, latest, self._not_of_before(plan, page, converted)

    def _with_issue(self, plan: Plan) -> tuple[Any, Mapping[str, Any], Beside | None]:
        """Return what to select from, which columns, and what beside: deliveries with their document's day of issue."""
        documents = self._plans["documents"]
        joined = self._joined(plan, asked=self._want.agencies is not None)
        issued = documents.fields["issued"]
        if plan is documents:
            return joined, plan.fields, None
        if plan.joined or joined is not plan.table:
            return joined, plan.fields | {"issued": issued}, None
        return joined, plan.fields, Beside("issued", issued, documents.table, documents.fields["id"], "document")

    def _not_of_before(self, plan: Plan, page: Page, converted: Converted) -> Converted:
        """Leave out the deliveries of documents that were issued before the first day."""
        if plan.record is Document:  # its plan has done it
            return converted
        days = self._issue_clock().days(page.columns["issued"])
        early = [type(day) is int and day < self._want.since for day in days]
        if not any(early):
            return converted
        at = columns(Delivery).index("document")
        parents = {one for one, is_early in zip(ids(page.columns["document"]), early, strict=True) if is_early}
        return replace(converted, rows=[row for row in converted.rows if row[at] not in parents])

    # What was issued

    def of_days(self) -> Iterator[Batch]:
        """Yield the documents issued on the days wanted, and their deliveries."""
        for plan in self._plans.values():
            for page in self.issued(plan):
                yield self._batch(plan, plan.rows(page, self._door.began))

    def issued(self, plan: Plan) -> Iterator[Page]:
        """Yield the pages of a table's rows that belong to the documents issued on the days wanted."""
        # Not ahead: who lists keys asks for records between two pages, and there is one connection.
        for _, chosen in self._issued(plan, self._want.first_day, self._want.last_day, None, iter):
            yield chosen

    def _issued(
        self,
        plan: Plan,
        first: int,
        last: int,
        at: Mapping[str, Any] | None,
        read: Callable[[Iterator[Page]], Iterator[Page]],
    ) -> Iterator[tuple[Page, Page]]:
        """Yield each page by id (after `at`) as it was read, and what of it belongs to the days `first..last`."""
        issued = self._plans["documents"].fields["issued"]
        clock = self._issue_clock()
        samples = self._door.rows(select(issued).where(issued.is_not(None)).limit(1))
        if not samples:
            return
        bounds = clock.bounds(samples[0][0], first, last)
        days = () if bounds is None else (issued >= bounds[0], issued < bounds[1])
        pages = Pages(self._joined(plan, asked=True), plan.fields | {"issued": issued}, self._of_agencies(), self._size)
        for page in chain(read(pages.by_id(self._door, at, days)), pages.without_id(self._door, days)):
            chosen = _of_days(page, clock, first, last)
            if chosen.size:
                yield page, chosen

    def _issue_clock(self) -> Clock:
        told = self._config
        return Clock(told.time_zone, told.documents.formats.get("issued"), told.no_date)

    # By their keys

    def of_keys(self, asked: Mapping[type[Record], Sequence[str]]) -> Iterator[Batch]:
        """Yield the rows of some keys. A key that is not found as it stands is looked for by its text."""
        for plan in self._plans.values():
            left = set(asked.get(plan.record, ()))
            if not left:
                continue
            key = plan.fields["id"]
            samples = self._door.rows(select(key).select_from(plan.table).where(key.is_not(None)).limit(1))
            if not samples:
                continue
            texts = {one for text in left for one in _ids_of(plan.record, text)}
            wanted = [made for one in sorted(texts) if (made := like(samples[0][0], one)) is not None]
            # Without a type, all would be bound as the first of them is: too narrow for a greater one.
            kind = BigInteger() if type(samples[0][0]) is int else None
            as_it_is = key.in_(bindparam("wanted", wanted, expanding=True, type_=kind))
            for condition in (as_it_is, func.trim(cast(key, Text)).in_(sorted(texts))):
                pages = Pages(self._joined(plan, asked=False), plan.fields, (), self._size)
                for page in pages.by_id(self._door, None, (condition,)) if left else ():
                    converted = plan.rows(page, self._door.began)
                    chosen = replace(
                        converted,
                        rows=[row for row in converted.rows if row[0] in left],
                        bad=[one for one in converted.bad if one.key in left],
                    )
                    left -= {row[0] for row in chosen.rows} | {one.key for one in chosen.bad}
                    yield self._batch(plan, chosen)

    # All of them

    @property
    def _size(self) -> int:
        return self._config.page_size

    def _joined(self, plan: Plan, asked: bool) -> Any:
        """Return the table to select from; if asked, one from which the documents' columns can be had too."""
        documents = self._plans["documents"]
        if not asked or plan is documents or plan.joined:
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
