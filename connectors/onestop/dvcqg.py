"""Dossiers of the one-stop system in the format of the national portal (Cổng DVCQG), and the procedure catalogue.

System: any one-stop system (Một cửa) or provincial platform that lists dossiers as it pushes them to the portal, by
  an HTTP service (`pages`) or as a folder of JSON files (`files`; door `folder` or `ssh`).
Account: one that may list the dossiers of all agencies that the source serves, and nothing else. Token or password
  belong to the door. For a folder: the right to read.
Reads: GET (or POST, where a question is asked by POST) of the one or two configured paths; or the files that match
  the one or two patterns. Of each object only the fields named in `national_format`. For `collector compare` also the
  configured report of the service's own totals.
Never: any other verb or path; the name, number, address or contact of an applicant or official; free text; messages
  that stand beside an error code.
Limits: no record of what vanishes without a mark (configure `deleted` where the service marks it), and a supplement
  that a newer version no longer lists stays a pause. Without `changed_from` every run reads everything. A level that
  the catalogue overwrites in place, without a line of its own from a day on, counts for the days past as well. A run
  by hand that is narrowed to the days of receipt, or to agencies, covers no day: dossiers received earlier may have
  been completed on them. A folder proves nothing about the day of its newest file, nor later ones.
Quality: the format is filled in by the source, and some systems say "finished" of paused dossiers (facts: standards
  2.3): `collector flags` names them where a second source has them. Progress steps date pauses that no supplement
  dates, and no completion. A status code that is not of the format ends as unknown, and so does a moved due date
  without the one before. Whether a fee was paid online is known only where `payment_flag` says so; what an object does
  not name of papers, result and fee is unknown.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.contract.connector import Batch, Covered, Finding, Row, Want
from collector.contract.door import FileEntry, Files, Pages, wrong_door
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import OFFSET, Period, as_date, day_start, local_day, plus_days
from collector.contract.records import Dossier, DossierEvent, Procedure, Record
from collector.contract.reported import Report
from connectors.onestop.findings import clock_finding, only_asks_finding
from connectors.onestop.national_files import Unfinished, changed_files, contents
from connectors.onestop.national_format import (
    Form,
    Unusable,
    expected_fields,
    instant_of,
    key_of,
    read_dossier,
    read_procedure,
)
from connectors.onestop.national_intake import Intake, Newest
from connectors.onestop.national_report import Published
from connectors.onestop.national_report import ask as ask_report
from connectors.onestop.national_service import Envelope, Paging, ask, count_of, listed, read

DOORS = ("http", "folder", "ssh")
RECORDS: tuple[type[Record], ...] = (Dossier, DossierEvent, Procedure)

_DAY = 86_400
_SKEW = 300
_A_FEW = 10
_OTHER = "the other of `pages` and `files`"

TimeFormat = Literal["yyyyMMddHHmmss", "yyyyMMdd", "yyyy-MM-dd", "yyyy-MM-ddTHH:mm:ss", "dd/MM/yyyy"]


class DossierPages(Paging):
    """The HTTP service that lists dossiers."""

    path: str = Field(description="Path of the list, below the door's base_url", examples=["/api/dossiers"])
    changed_from: str | None = Field(
        default=None,
        description="Parameter for `updated at or after`; without one everything is read each time",
        examples=["tuNgayCapNhat"],
    )
    changed_to: str | None = Field(
        default=None, description="Parameter for `updated until`, where the service insists on it", examples=["denNgay"]
    )
    received_from: str | None = Field(
        default=None, description="Parameter for `received on or after`, for runs by hand", examples=["tuNgay"]
    )
    received_to: str | None = Field(
        default=None, description="Parameter for `received until`, for runs by hand", examples=["denNgay"]
    )
    time_format: TimeFormat = Field(
        default="yyyyMMddHHmmss",
        description="How the service wants times in these four parameters, on the local clock",
        examples=["yyyyMMddHHmmss"],
    )
    overlap_days: int = Field(
        default=1, ge=0, description="Days before the newest known change that are asked for again", examples=[1]
    )

    @model_validator(mode="after")
    def _pairs(self) -> "DossierPages":
        if (self.received_from is None) != (self.received_to is None):
            raise ValueError("received_from and received_to belong together")
        if self.changed_to is not None and self.changed_from is None:
            raise ValueError("changed_to needs changed_from")
        return self


class DossierFiles(BaseModel):
    """The files that hold dossiers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str = Field(
        default="*.json", min_length=1, description="Shell pattern of the files' names", examples=["dossiers-*.json"]
    )
    settle_minutes: int = Field(
        default=10,
        ge=0,
        description="A file that is no JSON is left for the next run while it is younger than this",
        examples=[10],
    )


class Catalogue(Paging):
    """The procedure catalogue: `path` of the same service, or `pattern` in the same folder."""

    path: str | None = Field(default=None, description="Path of the list", examples=["/api/procedures"])
    pattern: str | None = Field(default=None, description="Shell pattern of the files", examples=["procedures-*.json"])

    @model_validator(mode="after")
    def _one(self) -> "Catalogue":
        if (self.path is None) == (self.pattern is None):
            raise ValueError("give either path (of a service) or pattern (of files)")
        return self


class Config(Form):
    """The `config:` block of a source. Give either `pages` or `files`."""

    pages: DossierPages | None = Field(
        default=None, description="The HTTP service that lists dossiers", examples=[{"path": "/api/dossiers"}]
    )
    files: DossierFiles | None = Field(
        default=None, description="The files that hold dossiers", examples=[{"pattern": "dossiers-*.json"}]
    )
    catalogue: Catalogue | None = Field(
        default=None,
        description="The procedure catalogue; without one, figures that need it are missing",
        examples=[{"path": "/api/procedures"}],
    )
    envelope: Envelope = Field(
        default_factory=Envelope, description="What stands around each list", examples=[{"data": "data"}]
    )
    report: Published | None = Field(
        default=None,
        description="The report that the service makes of its own dossiers, for `collector compare`; beside pages",
        examples=[{"path": "/QuyetDinh766s/ChiTieuTienDo"}],
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Config":
        if (self.pages is None) == (self.files is None):
            raise ValueError("give either pages (an HTTP service) or files (a folder)")
        if self.catalogue is not None and (self.catalogue.path is None) != (self.pages is None):
            raise ValueError("catalogue needs a path beside pages, a pattern beside files")
        if self.report is not None and self.pages is None:
            raise ValueError("report is asked of the service of pages; files have none")
        return self


def fetch(config: Config, door: Any, want: Want) -> Iterator[Batch]:
    """Yield dossiers with their events, then the catalogue. Times are local days and epoch seconds UTC.

    Only the batch that ends the dossiers of an ordinary run carries a cursor: neither pages nor files come in the
    order of their stamps. `{"since": stamp}` of a service, as it wrote it; `{"files": {name: [size, modified]}}` of a
    folder. Raises what the door raises, and UnexpectedAnswer, naming the field, for another shape than the format's.
    """
    if config.pages is not None:
        yield from _from_service(config, config.pages, _service(door), want)
    elif config.files is not None:
        yield from _from_folder(config, config.files, _folder(door), want)


def publishes(config: Config) -> bool:
    """Return whether such a source has a report of its own."""
    return config.report is not None


def reported(config: Config, door: Any, period: Period) -> Iterator[Report]:
    """Yield the totals that the service itself publishes of a period; nothing where no report is configured."""
    if config.report is not None:
        for one in ask_report(config.report, config.envelope, _service(door), period):
            # Counted apart by codes: our dossiers bear the service's own words for them.
            words = {word for word, code in config.statuses.items() if one.rules and code in one.rules.apart}
            yield replace(one, rules=one.rules and replace(one.rules, apart=one.rules.apart | words))


def probe(config: Config, door: Any) -> Iterator[Finding]:
    """Ask one small page of each list, or read the newest file: reach, right to read, shape, clock, read-only."""
    if config.pages is not None:
        yield from _probe_service(config, config.pages, _service(door))
    elif config.files is not None:
        yield from _probe_folder(config, config.files, _folder(door))
    if config.catalogue is None:
        yield Finding(
            "catalogue",
            "unproved",
            "no procedure catalogue is configured: figures that need it will be missing",
            "Set `catalogue`, or serve it from another source",
        )


def _dossiers(config: Config, door: Pages | Files, want: Want, newest: Newest, read_at: Callable[[], int]) -> Intake:
    dossiers: list[Row] = []
    events: list[Row] = []

    def turn(item: Any) -> None:
        reading = read_dossier(item, config, read_at(), door.began)
        newest.note(reading.stamp)
        if want.agencies is None or reading.dossier[1] in want.agencies:
            dossiers.append(reading.dossier)
            events.extend(reading.events)

    def expect(item: Mapping[str, Any]) -> Sequence[str]:
        return expected_fields(item, config.statuses)

    return Intake(Dossier, door.source, "MaHoSo", turn, expect, {Dossier: dossiers, DossierEvent: events})


_Lines = dict[tuple[str, int | None], Row]
"""The lines of a catalogue by key and first day in force."""


def _procedures(config: Config, door: Pages | Files, read_at: Callable[[], int]) -> tuple[Intake, _Lines]:
    """The catalogue is small and kept whole: of several lines for one procedure and first day one, newest version."""
    lines: _Lines = {}

    def turn(item: Any) -> None:
        row = read_procedure(item, config, read_at())
        place = row[0], row[6]
        known = lines.get(place, row)
        later = max(row, known, key=lambda line: (line[7] or 99_999_999, line[2], line[5] or ""))
        lines[place] = (*later[:2], max(row[2], known[2]), *later[3:])

    return Intake(Procedure, door.source, "MaTTHC", turn, lambda _: ("MaTTHC", "MucDo"), {}), lines


def _catalogue(lines: _Lines) -> list[Row]:
    """The rows of a catalogue. Of several lines for one key the one in force last has it, the others with their day."""
    rows: list[Row] = []
    for key, some in groupby(sorted(lines, key=lambda place: (place[0], place[1] or 0)), key=itemgetter(0)):
        *earlier, last = (lines[place] for place in some)
        rows += ((f"{key}#{line[6] or 0}", *line[1:]) for line in earlier)
        # No older than the line whose key it takes, or the store would keep that one.
        rows.append((*last[:2], max(line[2] for line in (*earlier, last)), *last[3:]))
    return rows


def _covers(records: Sequence[type[Record]], want: Want, last_day: int) -> list[Covered]:
    last = min(last_day, want.last_day)
    # A run for some agencies has read the others too, but kept nothing of them.
    if want.agencies is not None or last < want.first_day:
        return []
    return [Covered(record, want.first_day, last) for record in records]


# --- an HTTP service -------------------------------------------------------------------------------------------------


def _service(door: Any) -> Pages:
    if not hasattr(door, "get"):
        raise wrong_door(door, "pages", "http", _OTHER)
    service: Pages = door
    return service


def _from_service(config: Config, pages: DossierPages, door: Pages, want: Want) -> Iterator[Batch]:
    newest = Newest()
    since = "" if want.cursor is None else str(want.cursor.get("since", ""))
    newest.note(since)
    filters = _filters(pages, want, since, door.began)
    intake = _dossiers(config, door, want, newest, lambda: door.began)
    for items in read(door, pages.path, pages, config.envelope, filters, _witness(config)):
        intake.take(items)
        if intake.full():
            yield intake.batch()
    narrowed = want.window and bool(filters)
    covers = [] if narrowed else _covers((Dossier, DossierEvent), want, want.last_day)
    cursor = {"since": newest.text} if newest.text else {}
    yield intake.batch(None if want.window else cursor, covers)
    if config.catalogue is not None and config.catalogue.path is not None:
        intake, lines = _procedures(config, door, lambda: door.began)
        for items in read(door, config.catalogue.path, config.catalogue, config.envelope, {}, _line_witness):
            intake.take(items)
        intake.rows[Procedure] = _catalogue(lines)
        yield intake.batch(None, _covers((Procedure,), want, want.last_day))


def _filters(pages: DossierPages, want: Want, since: str, began: int) -> dict[str, str]:
    """The parameters that narrow the list; none at a first run: what has no stamp comes then, too."""
    if want.window:
        if pages.received_from is None or pages.received_to is None:
            return {}
        return {
            pages.received_from: _written(day_start(want.first_day), pages.time_format),
            pages.received_to: _written(day_start(plus_days(want.last_day, 1)) - 1, pages.time_format),
        }
    if pages.changed_from is None or not since:
        return {}
    narrowed = {pages.changed_from: _written(instant_of(since) - pages.overlap_days * _DAY, pages.time_format)}
    if pages.changed_to is not None:
        # A day ahead: a source whose clock is fast must not lose what it stamped just now.
        narrowed[pages.changed_to] = _written(began + _DAY, pages.time_format)
    return narrowed


def _written(instant: int, time_format: TimeFormat) -> str:
    day = local_day(instant)
    seconds = (instant + OFFSET) % _DAY
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    match time_format:
        case "yyyyMMddHHmmss":
            return f"{day}{hour:02d}{minute:02d}{second:02d}"
        case "yyyyMMdd":
            return str(day)
        case "yyyy-MM-dd":
            return as_date(day).isoformat()
        case "yyyy-MM-ddTHH:mm:ss":
            return f"{as_date(day).isoformat()}T{hour:02d}:{minute:02d}:{second:02d}"
        case "dd/MM/yyyy":
            return f"{day % 100:02d}/{day // 100 % 100:02d}/{day // 10_000}"


def _witness(config: Config) -> Callable[[Any], tuple[str, int] | None]:
    def witness(item: Any) -> tuple[str, int] | None:
        key = key_of(item, "MaHoSo")
        if key == "?":
            return None
        try:
            return key, instant_of(str(item.get(config.stamp)).strip())
        except ValueError:
            return key, 0

    return witness


def _line_witness(item: Any) -> tuple[str, int] | None:
    if not isinstance(item, dict):
        return None
    return repr([item.get(name) for name in ("MaTTHC", "MaCoQuan", "HieuLucTu", "HieuLucDen")]), 0


def _probe_service(config: Config, pages: DossierPages, door: Pages) -> Iterator[Finding]:
    lists: list[tuple[str, Paging, bool]] = [(pages.path, pages, True)]
    if config.catalogue is not None and config.catalogue.path is not None:
        lists.append((config.catalogue.path, config.catalogue, False))
    clock: int | None = None
    for path, paging, dossiers in lists:
        door.allow(paging.method, path)
        answer = ask(door, path, paging, {}, paging.first_page, size=_A_FEW)
        clock = answer.server_time if clock is None else clock
        yield Finding("reach", "ok", f"{path} answered")
        items, total = listed(config.envelope, answer.body, door.source, path)
        count = count_of(total, config.envelope, door.source, path)
        if items:
            yield Finding("read", "ok", f"{path} lists {count}; {len(items)} on the first page")
            yield _shape(config, items[:_A_FEW], path, door.began, dossiers=dossiers)
        else:
            yield Finding(
                "read",
                "unproved",
                f"{path} lists nothing: there may be nothing, or this account may see nothing",
                "Ask the service's operator whether the account may list all agencies",
            )
    yield clock_finding(clock, door.began, "update stamps and days are cut by them")
    yield only_asks_finding(pages.method, "the configured paths")


def _shape(config: Config, items: Sequence[Any], where: str, began: int, *, dossiers: bool) -> Finding:
    """Whether the first objects can be read; what they lack is named by field."""
    lacking: Counter[str] = Counter()
    for item in items:
        try:
            if dossiers:
                read_dossier(item, config, began, began)
                lacking.update(name for name in expected_fields(item, config.statuses) if name not in item)
            else:
                read_procedure(item, config, began)
        except Unusable as fault:
            lacking[fault.field] += 1
    if not lacking:
        return Finding("shape", "ok", f"{len(items)} of {len(items)} first objects of {where} are of the format")
    names = ", ".join(sorted(lacking))
    return Finding("shape", "failed", f"first objects of {where}: missing or unreadable: {names}", "Check these fields")


# --- a folder --------------------------------------------------------------------------------------------------------


def _folder(door: Any) -> Files:
    if not hasattr(door, "list"):
        raise wrong_door(door, "files", "folder or ssh", _OTHER)
    folder: Files = door
    return folder


def _from_folder(config: Config, files: DossierFiles, door: Files, want: Want) -> Iterator[Batch]:
    known = None if want.cursor is None or want.window else want.cursor.get("files")
    patterns = [files.pattern] if config.catalogue is None else [files.pattern, str(config.catalogue.pattern)]
    entries, *more = [list(door.list(pattern)) for pattern in patterns]
    catalogue = more[0] if more else []
    in_catalogue = {entry.name for entry in catalogue}
    entries = [entry for entry in entries if entry.name not in in_catalogue]
    reader = _Reader(config, files, door)

    newest = Newest()
    intake = _dossiers(config, door, want, newest, lambda: reader.written)
    for entry in changed_files(entries, known):
        for items in reader.objects(entry, "MaHoSo"):
            intake.take(items)
            if intake.full():
                yield intake.batch()
    # A file written on a day tells of the days before it; that nothing was written since proves nothing.
    through = max((plus_days(local_day(entry.modified), -1) for entry in entries), default=0)
    whole = reader.broken is None and not reader.left
    yield intake.batch(None, _covers((Dossier, DossierEvent), want, through) if whole else ())

    intake, lines = _procedures(config, door, lambda: reader.written)
    if any(changed_files(catalogue, known)):
        # All of them: which line of a procedure is in force last cannot be told from a part.
        for entry in catalogue:
            for items in reader.objects(entry, "MaTTHC"):
                intake.take(items)
    if reader.broken is not None:
        raise reader.broken
    intake.rows[Procedure] = _catalogue(lines)
    whole = bool(catalogue) and not reader.left & in_catalogue
    here = {entry.name: [entry.size, entry.modified] for entry in entries + catalogue if entry.name not in reader.left}
    yield intake.batch(None if want.window else {"files": here}, _covers((Procedure,), want, through) if whole else ())


class _Reader:
    """The files of one run: those left for the next, and the first that is broken."""

    def __init__(self, config: Config, files: DossierFiles, door: Files) -> None:
        self._config = config
        self._files = files
        self._door = door
        self.left: set[str] = set()
        self.broken: UnexpectedAnswer | None = None
        self.written = door.began

    def objects(self, entry: FileEntry, one: str) -> Iterator[Sequence[Any]]:
        """Yield the objects of a file, some at a time; nothing of one that is unfinished or broken."""
        self.written = min(entry.modified, self._door.began)
        try:
            found = contents(self._door, entry, self._config.envelope, one, self._files.settle_minutes)
        except UnexpectedAnswer as error:
            # The others are read first, so that one broken file costs nothing but itself and the days' coverage.
            self.broken = self.broken or error
            return
        if isinstance(found, Unfinished):
            self.left.add(found.name)
            return
        for start in range(0, len(found), 1_000):
            yield found[start : start + 1_000]


def _probe_folder(config: Config, files: DossierFiles, door: Files) -> Iterator[Finding]:
    for pattern, one in (
        (files.pattern, "MaHoSo"),
        (None if config.catalogue is None else config.catalogue.pattern, "MaTTHC"),
    ):
        if pattern is None:
            continue
        entries = door.list(pattern)
        yield Finding("reach", "ok", f"{len(entries)} files match {pattern}")
        if not entries:
            yield Finding("read", "unproved", f"no file matches {pattern}", "Check the pattern and the folder")
            continue
        newest = max(entries, key=lambda entry: (entry.modified, entry.name))
        found = contents(door, newest, config.envelope, one, files.settle_minutes)
        if isinstance(found, Unfinished):
            yield Finding("read", "unproved", f"{newest.name} is still being written", "Try again later")
        elif found:
            yield Finding("read", "ok", f"{newest.name} holds {len(found)} objects")
            yield _shape(config, found[:_A_FEW], newest.name, door.began, dossiers=one == "MaHoSo")
        else:
            yield Finding("read", "ok", f"{newest.name} holds no object")
        if newest.modified > door.began + _SKEW:
            yield Finding("clock", "failed", f"{newest.name} is dated after now", "Set both hosts' clocks by NTP")
    yield Finding(
        "read-only",
        "unproved",
        "files are only ever listed and read; nothing shows that the account cannot write",
        "Give the account no right but to read",
    )
