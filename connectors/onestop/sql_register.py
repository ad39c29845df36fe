"""Dossiers of a one-stop system, read from the table of its own database.

System: OpenCPS (`preset: opencps_dossier`), or a platform in the codes of the national portal (`preset: hoso`), on
  PostgreSQL, MariaDB, MySQL or SQLite. Where a site calls table or column otherwise, `table` and `columns` say so.
Account: a database user with SELECT on that one table (or a view of it) and nothing else; a read replica is best.
Reads: what has changed since the last run, from `overlap` seconds before it, in the order of (changed, id); soft
  deletes, in the order of their own column; all rows whose changed column is NULL. A run by hand reads all rows. For
  `collector compare` the rows of the configured months in the table of `totals`.
Never: writes, locks, calls procedures, or asks for a column that is not mapped: no name, number or contact of a person.
Limits: `page_size` rows a statement, one statement at a time. A change that does not move the changed column, and a
  row that is deleted for good, are found by reconciliation alone. Rows without an id are no dossiers yet.
Quality: both tables overwrite due dates. Of a dossier received before the first run only the current one is known: it
  cannot be judged, unless nothing happened to it since its receipt. OpenCPS tells of pauses only that they last (see
  `opencps_dossier`); `hoso` has room for one supplement: a request that overwrites one never seen answered ends it.
  Neither table tells of digitised papers, electronic results and payments: these are unknown, unless a view of `hoso`
  has columns of them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy import ColumnElement, Text, cast, func, literal_column, select

from collector.contract.connector import Batch, Covered, Days, Finding, Key, Listed, Want, fingerprint
from collector.contract.door import Rows
from collector.contract.period import Period, local_day, plus_days
from collector.contract.records import Dossier, DossierEvent, Procedure, Record
from collector.contract.reported import Report
from connectors.onestop.levels import Levels
from connectors.onestop.national_format import Unusable
from connectors.onestop.national_intake import Intake
from connectors.onestop.national_report import Published
from connectors.onestop.opencps_dossier import Pauses
from connectors.onestop.opencps_totals import OPENCPS_STATISTIC
from connectors.onestop.opencps_totals import RULES as OPENCPS_RULES
from connectors.onestop.sql_register_shapes import SHAPES, HoSo, OpenCps, Reader, Times
from connectors.onestop.sql_register_shapes import Rows as Made
from connectors.register import stored_totals
from connectors.register.cursor import Progress
from connectors.register.formats import known_zone
from connectors.register.pages import Page, Pages, existing
from connectors.register.stored_totals import StoredTotals
from connectors.register.values import Clock

DOORS = ("sql",)
RECORDS: tuple[type[Record], ...] = (Dossier, DossierEvent, Procedure)

_FORM = 2
"""Of the cursor: one of another form is not used, and everything is read again."""

_RECEIVED = 7
"""Where a row of Dossier has its day of receipt."""

Name = Annotated[str, Field(min_length=1, max_length=256)]


class Config(BaseModel):
    """The `config:` block of a source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Literal["opencps_dossier", "hoso"] = Field(
        description="The shape of the table", examples=["opencps_dossier", "hoso"]
    )
    table: Name | None = Field(
        default=None, description="The table or view, where a site calls it otherwise", examples=["HoSos"]
    )
    schema_name: Name | None = Field(
        default=None, alias="schema", description="Its schema; the account's own if left out", examples=["dvc"]
    )
    columns: dict[str, Name] = Field(
        default_factory=dict,
        description="What the site calls a column, by our name, where it is not the preset's",
        examples=[{"agency": "MaDonVi"}],
    )
    group_id: int | None = Field(
        default=None, gt=0, description="opencps_dossier: number of the site (groupId)", examples=[55301]
    )
    levels: bool | None = Field(
        default=None,
        description=(
            "Whether its column `level` tells how far a procedure is offered online; no: another source does. Without"
            " this line: hoso yes, opencps_dossier no"
        ),
        examples=[True],
    )
    time_zone: str = Field(
        default="Asia/Ho_Chi_Minh",
        description="The zone of times that are written without one; OpenCPS writes in that of its server",
        examples=["Asia/Ho_Chi_Minh", "UTC"],
    )
    totals: Literal["opencps_statistic"] | StoredTotals | None = Field(
        default=None,
        description="Where the system keeps its own totals, for `collector compare`: OpenCPS' table, or another's",
        examples=["opencps_statistic"],
    )
    overlap: int = Field(
        default=600,
        ge=0,
        description="Seconds before the last change seen at which each run starts: as long as a transaction may take",
        examples=[600],
    )
    page_size: int = Field(default=10_000, ge=1, le=100_000, description="Rows asked at once", examples=[10_000])

    _zone = field_validator("time_zone")(known_zone)

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        known = SHAPES[self.preset].columns
        for name in self.columns:
            if name not in known:
                raise ValueError(f"columns: {name} is none of {', '.join(known)}")
        if (self.preset == "opencps_dossier") != (self.group_id is not None):
            raise ValueError("group_id belongs to opencps_dossier, and to it alone: its table may hold several sites")
        return self

    @property
    def tells_levels(self) -> bool:
        """Whether levels are read."""
        return self.preset == "hoso" if self.levels is None else self.levels

    @property
    def digest(self) -> str:
        """A digest of all that decides what a cursor means and what rows become."""
        told = self.model_dump_json(exclude={"overlap", "page_size", "totals"})
        return hashlib.sha256(f"{_FORM} {told}".encode()).hexdigest()[:16]


def offers(config: Config) -> tuple[type[Record], ...]:
    """Return the records that such a source has."""
    return RECORDS if config.tells_levels else (Dossier, DossierEvent)


def fetch(config: Config, door: Rows, want: Want) -> Iterator[Batch]:
    """Yield what changed, in batches of at most a page.

    The cursor: `{"mapping", "watched", "through", <column>: how far}`. Raises what the door raises, and
    UnexpectedAnswer for a table or column that is not there, and if over 1 % of the rows cannot be used.
    """
    run = _Run(config, door, want)
    if want.keys is not None:
        yield from run.by_keys(want.keys.get(Dossier, ()))
    elif want.window or want.agencies is not None:
        yield from run.by_hand()
    else:
        yield from run.ordinary()


def keys(config: Config, door: Rows, days: Days) -> Iterator[Listed]:
    """Yield the dossiers received on some days, marked by what all columns say: a change may not move the version."""
    run = _Run(config, door, Want(None, days.first, days.first, days.last, window=True))
    for batch in run.by_hand():
        rows = [row for row in batch.rows.get(Dossier, ()) if row[_RECEIVED] is not None]
        listed = [Key(one.key, None, None) for one in batch.bad]
        listed += [
            Key(row[0], row[_RECEIVED], fingerprint(Dossier, row))
            for row in rows
            if days.first <= row[_RECEIVED] <= days.last
        ]
        yield Listed(Dossier, listed)
    yield Listed(Dossier, (), whole=True)


def publishes(config: Config) -> bool:
    """Return whether such a source keeps totals of its own."""
    return config.totals is not None


def reported(config: Config, door: Rows, period: Period) -> Iterator[Report]:
    """Yield the totals that the system keeps of itself, month by month; nothing where no table is configured."""
    if config.totals is None:
        return
    stored = OPENCPS_STATISTIC if config.totals == "opencps_statistic" else config.totals
    rules = OPENCPS_RULES if config.preset == "opencps_dossier" else Published(path="/").rules
    yield from stored_totals.read(stored, door, period, Dossier, rules, Times(config.time_zone).instant)


class _Run:
    """One run: the table, how far it is read, and what its rows become."""

    def __init__(self, config: Config, door: Rows, want: Want) -> None:
        self._config = config
        self._door = door
        self._want = want
        self._today = local_day(door.began)
        self._pages = _pages(config, door, config.page_size)
        self._clock = Clock(config.time_zone, None)
        self._times = Times(config.time_zone)
        self._told: Mapping[str, Any] = want.cursor or {}
        if self._told.get("mapping") != config.digest:
            self._told = {}
        self._progress = {
            by: Progress.read(self._told.get(by), config.digest, door.began, self._clock) for by in self._passes()
        }
        self._ended: set[str] = set()
        self._levels = Levels()
        self._rows: Made = {Dossier: [], DossierEvent: [], Procedure: []}
        self._reader = self._made_reader()
        self._intake = Intake(Dossier, door.source, "id", self._turn, lambda _: (), self._rows)

    def ordinary(self) -> Iterator[Batch]:
        """Yield what changed or was deleted since the last run, then the rows without a changed value."""
        for by, progress in self._progress.items():
            start = None if progress.at is not None else progress.start(self._clock, self._config.overlap)
            for page in self._pages.changed_since(self._door, start, progress.at, by):
                self._intake.take(page.rows())
                told = page.columns[by]
                progress.passed(page.at, progress.latest(told, self._clock.versions(told, self._door.began)))
                yield self._batch(self._cursor(ended=False))
            self._ended.add(by)
        for page in self._by_id(self._pages.fields["changed"].is_(None)):
            self._intake.take(page.rows())
            yield self._batch(None)
        yield self._batch(self._cursor(ended=True), self._covers())

    def by_hand(self) -> Iterator[Batch]:
        """Yield all rows, or those of some agencies: which of them tell of some days is said only by reading them."""
        also = []
        if self._want.agencies is not None:
            also.append(cast(self._pages.fields["agency"], Text).in_(sorted(self._want.agencies)))
        for page in self._by_id(*also):
            self._intake.take(page.rows())
            yield self._batch(None)
        yield self._batch(None, self._covers())

    def by_keys(self, wanted: Any) -> Iterator[Batch]:
        """Yield the rows with these ids."""
        for page in self._by_id(cast(self._pages.fields["id"], Text).in_(list(wanted))):
            self._intake.take(page.rows())
            yield self._batch(None)

    def _by_id(self, *also: ColumnElement[bool]) -> Iterator[Page]:
        return self._pages.by_id(self._door, None, also)

    def _made_reader(self) -> Reader:
        open_pauses = self._want.open_pauses()
        if self._config.preset == "hoso":
            return HoSo(self._times, self._door.began, open_pauses, self._levels)
        return OpenCps(self._times, self._door.began, self._watched(), Pauses(open_pauses), self._levels)

    def _watched(self) -> int | None:
        """The day since which the source was looked at every day; see `opencps_dossier.promise_of`."""
        if self._want.window or self._want.agencies is not None:
            return None
        through = self._told.get("through")
        if through is None:
            # A first load that was cut off has begun to watch when it began.
            return int(self._told.get("watched", self._today))
        return int(self._told["watched"]) if through >= plus_days(self._today, -1) else self._today

    def _passes(self) -> list[str]:
        deletes = SHAPES[self._config.preset].deletes
        return ["changed"] if deletes is None else ["changed", deletes]

    def _turn(self, row: Any) -> None:
        self._reader.turn(row, self._rows)

    def _batch(self, cursor: Mapping[str, Any] | None, covers: tuple[Covered, ...] = ()) -> Batch:
        self._reader.settle(self._rows)
        if self._config.tells_levels:
            self._rows[Procedure].extend(self._levels.rows())
        return replace(self._intake.batch(cursor, covers), live=True)

    def _cursor(self, *, ended: bool) -> dict[str, Any]:
        passes = {by: one.document(ended=by in self._ended) for by, one in self._progress.items()}
        through = self._today if ended else self._told.get("through")
        return {"mapping": self._config.digest, "watched": self._watched(), "through": through, **passes}

    def _covers(self) -> tuple[Covered, ...]:
        if self._want.agencies is not None or self._want.first_day > self._want.last_day:
            return ()
        days = self._want.first_day, self._want.last_day
        return tuple(Covered(record, *days) for record in offers(self._config))


def _pages(config: Config, door: Rows, size: int) -> Pages:
    shape = SHAPES[config.preset]
    optional = shape.optional - set(config.columns)
    if config.tells_levels:
        optional -= {"level"}
    wanted = {**shape.columns, **config.columns}
    fields = existing(
        door,
        config.table or shape.table,
        config.schema_name,
        wanted,
        "dossier",
        optional=optional,
        any_case=True,
        correct=("`table` and `schema`", "`columns`"),
    )
    table = fields.pop("")
    only_ours = () if config.group_id is None else (fields["group"] == config.group_id,)
    return Pages(table, fields, only_ours, size)


def probe(config: Config, door: Rows) -> Iterator[Finding]:
    """Yield what a look at the table shows. Raises what the door raises, and UnexpectedAnswer for table and columns."""
    door.rows(select(literal_column("CURRENT_TIMESTAMP")))
    yield Finding("reach", "ok", "the database answers and lets us in")
    found = _pages(config, door, 100)
    yield Finding("columns", "ok", f"the columns of {config.preset} are there")
    page = next(found.changed_since(door, None, None), None)
    if page is None:
        yield Finding("page", "unproved", "no dossier has a changed value", "Check group_id, table and the account")
    else:
        yield _page_finding(config, door, page.rows())
    counts: list[Any] = [func.count(), func.count(found.fields["changed"])]
    total, known = door.rows(select(*counts).select_from(found.source).where(*found.conditions))[0]
    says = f"{total - known} of {total} dossiers have no changed value"
    mend = "They are read again in every run; ask for a trigger or default that fills this column"
    yield Finding("changed", "ok", says) if total == known else Finding("changed", "unproved", says, mend)
    proof = door.proof_of_read_only()
    if proof is None:
        mend = "Give the account SELECT on this table and nothing else"
        yield Finding("read-only", "unproved", "nothing shows that the account cannot write", mend)
    else:
        yield Finding("read-only", "ok", proof)


def _page_finding(config: Config, door: Rows, page: Sequence[Mapping[str, Any]]) -> Finding:
    day = local_day(door.began)
    run = _Run(config, door, Want(None, day, day, day, window=True))
    faults = []
    for row in page:
        try:
            run._turn(row)
        except Unusable as fault:
            faults.append(f"{fault.field} {fault.reason}")
    if not faults:
        return Finding("page", "ok", f"{len(page)} rows read and understood")
    mend = "Compare `columns` with the table"
    return Finding("page", "failed", f"{len(faults)} of {len(page)} rows cannot be used: {faults[0]}", mend)
