"""Dossiers of any one-stop system that lists them as JSON over HTTP, by a mapping of its fields.

System: a service with one list of dossiers, GET or POST, whose answers hold the entries of a page and the number of
  all. The mapping says which of their fields mean what, and what their values mean; it is data.
Account: one that may list the dossiers of all agencies that the source serves, and nothing else. Token, or user and
  password, belong to the door.
Reads: of each entry the mapped fields alone. With `changed_from`: what changed since the last run, from `overlap`
  seconds before it, in the order of changes; it may be written to meanwhile. Without: everything each time, page by
  page, read again if it moved.
Never: any other verb or path; a field that is not mapped: no name, number or contact of a person. Where the service
  can be asked for some fields only, ask for the mapped ones (`fixed`).
Limits: what vanishes without a mark (`deleted`), and a change that moves no stamp, are found by reconciliation alone,
  which reads the whole list, as a run by hand does. The filter must take a stamp as the list writes it. Due dates are
  taken to be overwritten (see `due_dates`): of a dossier first read days after its receipt only the current one is
  known, and it cannot be judged. There is room for one supplement a dossier (`asked`, `answered`).
Quality: a status, channel or level that `values` does not explain is unknown, never guessed. An entry without id or
  readable times is set aside; over 1 % of them stop the source.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from collector.contract.connector import Batch, Covered, Days, Finding, Key, Listed, Row, Want, fingerprint
from collector.contract.door import Pages
from collector.contract.period import local_day
from collector.contract.records import Dossier, DossierEvent, Procedure, Record, columns
from connectors.onestop.findings import clock_finding, only_asks_finding
from connectors.onestop.levels import Levels
from connectors.onestop.national_format import Unusable, expected_fields
from connectors.onestop.national_intake import Intake
from connectors.onestop.national_service import Envelope, Paging, ask, at, count_of, listed, read
from connectors.onestop.rest_register_pages import Followed, earlier, time_of, version_of
from connectors.onestop.sql_register_shapes import OUR_NAMES, PAYMENTS, SHAPES, HoSo, Times
from connectors.register.formats import EPOCHS, known_zone, strptime_format
from connectors.register.values import Clock

DOORS = ("http",)
RECORDS: tuple[type[Record], ...] = (Dossier, DossierEvent, Procedure)

_NAMES = frozenset(SHAPES["hoso"].columns)
_TIMES = frozenset({"submitted", "received", "due", "ended", "returned", "refused", "asked", "answered", "changed"})
_MEANINGS: Mapping[str, frozenset[str]] = {
    "status": frozenset(map(str, range(1, 11))),
    "channel": frozenset("123"),
    "level": frozenset("234"),
    "deleted": frozenset("01"),
    "digitised": frozenset("01"),
    "electronic_result": frozenset("01"),
    "payment": PAYMENTS,
}
_STATUS, _AGENCY = columns(Dossier).index("source_status"), columns(Dossier).index("agency_code")
_RECEIVED = columns(Dossier).index("received_day")

Name = Annotated[str, Field(min_length=1, max_length=256)]


class DossierList(Paging):
    """The list of dossiers."""

    path: str = Field(description="Path of the list, below the door's base_url", examples=["/dossiers"])
    changed_from: dict[Name, str] = Field(
        default_factory=dict,
        description=(
            "Parameters for `changed at {since} or later`, if `fixed` (or the service by itself) puts the list in the"
            " order of changes; without, everything is read each time"
        ),
        examples=[{"updatedFrom": "{since}"}],
    )
    overlap: int = Field(
        default=600, ge=0, description="Seconds before the last change seen at which each run starts", examples=[600]
    )


class Config(BaseModel):
    """The `config:` block of a source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: DossierList = Field(description="The list of dossiers", examples=[{"path": "/dossiers"}])
    envelope: Envelope = Field(
        default_factory=lambda: Envelope(error=None),
        description="What stands around the list; without `error`, an HTTP status alone tells of a failure",
        examples=[{"data": "items", "total": "count"}],
    )
    fields: dict[str, Name] = Field(
        description=(
            "The service's fields, by our names; dots lead to a field within another. Needed: id, agency, status,"
            " received, due, ended (the day of completion, withdrawal or stop). Further: changed, deleted, procedure,"
            " channel, level, submitted, returned (collected by the citizen), refused, asked, answered, digitised (at"
            " least one paper), electronic_result (a file), payment (of its fee)"
        ),
        examples=[{"id": "number", "agency": "office.code", "status": "state"}],
    )
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description=(
            "What the service's values of status, channel, level, deleted, digitised, electronic_result and payment"
            " mean, in the codes of the national portal."
            " Status: 1 registered, 2 received, 3 refused at intake, 4 in process, 5 supplement asked, 6 fee due,"
            " 7 withdrawn, 8 stopped, 9 completed (with `refused`: refused after work), 10 collected. Channel:"
            " 1 counter, 2 online, 3 post. Level: 2 information, 3 partial, 4 full. Deleted, digitised,"
            " electronic_result: 1, 0. Payment: none, online, otherwise"
        ),
        examples=[{"status": {"open": "4", "done": "9"}, "channel": {"web": "2"}}],
    )
    formats: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "How times are written where they are no ISO text, by our names, `*` for all others: a pattern of yyyy, MM,"
            f" dd, HH, mm, ss, or one of {', '.join(EPOCHS)}"
        ),
        examples=[{"*": "dd/MM/yyyy HH:mm:ss"}],
    )
    due_dates: Literal["recorded", "overwritten"] = Field(
        default="overwritten",
        description=(
            "overwritten: a due date may be moved in place, so that one first seen days after the receipt proves"
            " nothing; recorded: the site never moves one"
        ),
        examples=["recorded"],
    )
    time_zone: str = Field(
        default="Asia/Ho_Chi_Minh",
        description="The zone of times that are written without one",
        examples=["Asia/Ho_Chi_Minh", "UTC"],
    )

    _zone = field_validator("time_zone")(known_zone)

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        unknown, lacking = set(self.fields) - _NAMES, {"id", "agency", "status", "received", "due", "ended"}
        if unknown:
            raise ValueError(f"fields: {min(unknown)} is none of {', '.join(sorted(_NAMES))}")
        if lacking := lacking - set(self.fields):
            raise ValueError(f"fields: {', '.join(sorted(lacking))} must be named")
        for name, meant in self.values.items():
            for told, code in meant.items():
                if code not in _MEANINGS.get(name, ()):
                    raise ValueError(f"values: {name}: {told!r} cannot mean {code!r}")
        for name, pattern in self.formats.items():
            if name != "*" and name not in _TIMES:
                raise ValueError(f"formats: {name} is no time")
            if pattern not in EPOCHS:
                strptime_format(pattern)
        if self.pages.changed_from and "changed" not in self.fields:
            raise ValueError("pages.changed_from needs fields.changed, the stamp that it goes by")
        if any("{since}" not in told for told in self.pages.changed_from.values()):
            raise ValueError("pages.changed_from: each value holds {since}")
        return self

    def clock(self, name: str) -> Clock:
        """What reads one of our fields."""
        return Clock(self.time_zone, self.formats.get(name, self.formats.get("*")))

    @property
    def digest(self) -> str:
        """A digest of all that decides what a cursor means and what rows become."""
        told = self.model_dump_json(exclude={"pages": {"overlap", "page_size", "rereads"}})
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def offers(config: Config) -> tuple[type[Record], ...]:
    """Return the records that such a source has."""
    return RECORDS if "level" in config.fields else (Dossier, DossierEvent)


def fetch(config: Config, door: Pages, want: Want) -> Iterator[Batch]:
    """Yield what changed, or everything. The cursor: `{"mapping", "since"}`, a stamp as the service wrote it.

    Raises what the door raises, and UnexpectedAnswer, naming the field, for another shape than the mapping's.
    """
    run = _Run(config, door, want)
    for items in run.items():
        run.intake.take(items)
        if run.intake.full():
            yield run.batch()
    yield run.batch(run.covers())


def keys(config: Config, door: Pages, days: Days) -> Iterator[Listed]:
    """Yield the dossiers received on some days, marked by what all mapped fields say."""
    for batch in fetch(config, door, Want(None, days.first, days.first, days.last, window=True)):
        rows = [row for row in batch.rows[Dossier] if row[_RECEIVED] is not None]
        listed_ = {one.key: Key(one.key, None, None) for one in batch.bad}
        for row in rows:
            if days.first <= row[_RECEIVED] <= days.last:
                listed_[row[0]] = Key(row[0], row[_RECEIVED], fingerprint(Dossier, row))
        yield Listed(Dossier, tuple(listed_.values()))
    yield Listed(Dossier, (), whole=True)


class _Run:
    """One run: what is asked, and what its entries become."""

    def __init__(self, config: Config, door: Pages, want: Want) -> None:
        self._config = config
        self._door = door
        self._want = want
        self._moves = not want.window and want.agencies is None and want.keys is None
        told = want.cursor or {}
        self._since = told.get("since") if self._moves and told.get("mapping") == config.digest else None
        self._wanted = None if want.keys is None else frozenset(want.keys.get(Dossier, ()))
        self._levels = Levels()
        self._clocks = {name: config.clock(name) for name in _TIMES & set(config.fields)}
        self._times = Times(config.time_zone)
        self._reader = HoSo(self._times, door.began, want.open_pauses(), self._levels, config.due_dates)
        self._rows: dict[type[Record], list[Row]] = {Dossier: [], DossierEvent: [], Procedure: []}
        self.intake = Intake(Dossier, door.source, config.fields["id"], self._turn, self._expected, self._rows)

    def items(self) -> Iterator[list[Any]]:
        """Yield the entries of each page, flat: the mapped fields alone, by the service's names."""
        config, pages = self._config, self._config.pages
        if pages.changed_from:
            stamp = config.fields["changed"]
            followed = Followed(pages.path, pages, config.envelope, pages.changed_from, stamp, self._clocks["changed"])
            start = None if self._since is None else earlier(followed.clock, self._since, pages.overlap)
            for items in followed.read(self._door, start, at):
                yield [self._flat(item) for item in items]
                self._passed([at(item, stamp) for item in items])
        else:
            for items in read(self._door, pages.path, pages, config.envelope, {}, self._witness):
                yield [self._flat(item) for item in items]

    def batch(self, covers: Sequence[Covered] = ()) -> Batch:
        """Return what was read since the last batch."""
        if "level" in self._config.fields:
            self._rows[Procedure].extend(self._levels.rows())
        cursor = {"mapping": self._config.digest, "since": self._since} if self._moves else None
        return replace(self.intake.batch(cursor, covers), live=True)

    def covers(self) -> tuple[Covered, ...]:
        """What a run to its end has covered."""
        if self._want.agencies is not None or self._want.first_day > self._want.last_day:
            return ()
        return tuple(Covered(one, self._want.first_day, self._want.last_day) for one in offers(self._config))

    def _passed(self, stamps: list[Any]) -> None:
        """Note how far the list is read. A stamp of the future is passed but not kept."""
        for stamp in stamps:
            try:
                when = version_of(self._clocks["changed"], stamp, self._door.began)
            except ValueError:
                continue
            if when is not None and when <= self._door.began * 1_000_000:
                self._since = stamp

    def _flat(self, item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        told = {name: at(item, name) for name in self._config.fields.values()}
        return {name: value for name, value in told.items() if value is not None or name in item}

    def _witness(self, item: Any) -> tuple[str, int] | None:
        key = at(item, self._config.fields["id"])
        if key is None:
            return None
        try:
            version = version_of(self._clocks["changed"], at(item, self._config.fields["changed"]), self._door.began)
        except (KeyError, ValueError):
            version = None
        return str(key), (version or 0) // 1_000_000

    def _meant(self, name: str, value: Any) -> Any:
        meant = self._config.values.get(name)
        if meant is None:
            return value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value).strip()
        return meant.get(text, "")

    def _expected(self, item: Mapping[str, Any]) -> Sequence[str]:
        """The fields that such an entry should name: those of the national format in its status."""
        fields = self._config.fields
        status = self._meant("status", item.get(fields["status"]))
        named = {OUR_NAMES.get(name) for name in expected_fields({"TrangThaiHoSo": status})}
        return [theirs for ours, theirs in fields.items() if ours in named or ours in ("id", "agency", "changed")]

    def _turn(self, item: Any) -> None:
        fields = self._config.fields
        if not isinstance(item, dict):
            raise Unusable("?", self._config.envelope.data, "is no object")
        key = item.get(fields["id"])
        if isinstance(key, bool) or not isinstance(key, str | int) or not str(key).strip():
            raise Unusable("?", fields["id"], "is missing, or neither text nor a number")
        shown = str(key).strip() if str(key).isprintable() and len(str(key)) <= 200 else "?"
        row: dict[str, Any] = {}
        for ours, theirs in fields.items():
            value = item.get(theirs)
            if isinstance(value, dict | list):
                raise Unusable(shown, theirs, "holds no single value")
            try:
                row[ours] = time_of(self._clocks[ours], value) if ours in _TIMES else self._meant(ours, value)
            except ValueError as error:
                raise Unusable(shown, theirs, str(error)) from None
        if str(row.get("deleted")).lower() in ("0", "false", "none", ""):
            row["deleted"] = None
        self._made(row, item.get(fields["status"]), shown)

    def _made(self, row: Mapping[str, Any], status: Any, key: str) -> None:
        made: dict[type[Record], list[Row]] = {Dossier: [], DossierEvent: []}
        try:
            self._reader.turn(row, made)
        except Unusable as fault:
            ours = OUR_NAMES.get(fault.field, fault.field)
            raise Unusable(key, self._config.fields.get(ours, fault.field), fault.reason) from None
        (dossier,) = made[Dossier]
        if self._want.agencies is not None and dossier[_AGENCY] not in self._want.agencies:
            return
        if self._wanted is not None and dossier[0] not in self._wanted:
            return
        told = None if status is None or not str(status).isprintable() else str(status).strip()[:200] or None
        self._rows[Dossier].append((*dossier[:_STATUS], told, *dossier[_STATUS + 1 :]))
        self._rows[DossierEvent].extend(made[DossierEvent])


def probe(config: Config, door: Pages) -> Iterator[Finding]:
    """Ask for one small page: reach, right to read, shape, order, clock, read-only. Raises what the door raises."""
    pages = config.pages
    door.allow(pages.method, pages.path)
    answer = ask(door, pages.path, pages, {}, pages.first_page, size=10)
    yield Finding("reach", "ok", f"{pages.path} answered")
    items, total = listed(config.envelope, answer.body, door.source, pages.path)
    count = count_of(total, config.envelope, door.source, pages.path)
    if not items:
        mend = "Ask the service's operator whether the account may list all agencies"
        yield Finding("read", "unproved", "it lists nothing: there may be nothing, or this account sees nothing", mend)
    else:
        yield Finding("read", "ok", f"it lists {count}; {len(items)} on the first page")
        yield _shape(config, door, items)
        if pages.changed_from:
            yield _order(config, door, items)
    yield clock_finding(answer.server_time, door.began, "days are cut by them")
    yield only_asks_finding(pages.method, pages.path)


def _shape(config: Config, door: Pages, items: Sequence[Any]) -> Finding:
    day = local_day(door.began)
    run = _Run(config, door, Want(None, day, day, day, window=True))
    run.intake.take([run._flat(item) for item in items])
    lacking = set(run.intake.faults) | {name for name in run.intake.expected if not run.intake.named[name]}
    if not lacking:
        return Finding("shape", "ok", f"{len(items)} of {len(items)} first entries are understood")
    names = ", ".join(sorted(lacking))
    return Finding("shape", "failed", f"first entries: missing or unreadable: {names}", "Check `fields` and `formats`")


def _order(config: Config, door: Pages, items: Sequence[Any]) -> Finding:
    stamp, pages = config.fields["changed"], config.pages
    followed = Followed(pages.path, pages, config.envelope, pages.changed_from, stamp, config.clock("changed"))
    last = followed.last(door, [at(item, stamp) for item in items], None)
    if last is None:
        return Finding("order", "failed", f"no first entry has a {stamp}", "Check `fields.changed`")
    next(iter(followed.read(door, last, at)))
    return Finding("order", "ok", "it gives what changed since a time, in the order of changes")
