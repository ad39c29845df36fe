"""Dossiers of OpenCPS 2, the open-source one-stop system, over its REST service.

System: OpenCPS v2.1 (Liferay). The site is told by its number (`group_id`); the path before /dossiers is a setting.
Account: one that may list the dossiers of all agencies asked for, and nothing else. By user and password (HTTP Basic);
  or with the door's `token_header: Token, token_prefix: ''`; or with `token_header: accessToken, token_prefix: ''`
  and `headers: {userId: ...}`.
Reads: GET of `<base>/dossiers` alone, in row windows. There is no filter for what changed: each run reads what was
  received, released or handed out since the last one (and some days more), and all dossiers that are not released.
  From time to time (`whole_every`) it reads all since the first day again: what was entered late, with past dates.
Never: any other verb or path, but for `collector compare` that of `statistics`, if it is configured; reCalculate, which
  rewrites them; the name, number, address or contact of an applicant; the sentences about deadlines.
Limits: dossiers that vanish are not noticed. A run by hand covers no day: what it does not read may have been changed
  on it. A first load that is cut off goes on where it stopped, and covers the days before it began. Where the site's
  search index refuses rows beyond some number, lower `slice_days` or `agencies_at_once`.
Quality: due dates are overwritten, so that of a dossier received before the first run only the current one is known: it
  cannot be judged, unless nothing happened to it since its receipt. Pauses are seen, not told: to the day if the
  source is read daily. A level of service counts from the first dossier that shows it. See `opencps_dossier`.
  Of digitised papers, electronic results and payments its list tells nothing: these are unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from collector.contract.connector import Batch, Covered, Finding, Row, Want
from collector.contract.door import Pages
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import Period, local_day, plus_days
from collector.contract.records import Dossier, DossierEvent, Procedure, Record
from collector.contract.reported import Report
from connectors.onestop.findings import clock_finding, only_asks_finding
from connectors.onestop.levels import Levels
from connectors.onestop.national_format import Unusable
from connectors.onestop.national_intake import Intake
from connectors.onestop.opencps_dossier import OPEN, Pauses, note_level, promise_of, row_of
from connectors.onestop.opencps_item import EXPECTED, instant_of, read_item
from connectors.onestop.opencps_pages import List
from connectors.onestop.opencps_scope import Agencies, account_is_narrower, look
from connectors.onestop.opencps_totals import ask as ask_totals

DOORS = ("http",)
RECORDS: tuple[type[Record], ...] = (Dossier, DossierEvent, Procedure)

_SOME = 5_000
"""Items after which a run that is cut off need not read them again."""

_LONGEST_NUMBER = 200

_AHEAD = 400
"""Days ahead of today in which a due date may lie."""

# Windows: the filter's name, and the field that it narrows.
_RECEIVED, _RELEASED, _FINISHED = ("Receive", "receiveDate"), ("Release", "releaseDate"), ("Finish", "finishDate")
_DUE = ("Due", "dueDate")
_RESERVED = {"start", "end", "agency", "status", "order", "sort", "groupid", "recalculate"}


class Config(BaseModel):
    """The `config:` block of a source."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    group_id: int = Field(gt=0, description="Number of the site, sent as header groupId", examples=[55301])
    base: str = Field(
        default="/o/rest/v2",
        pattern=r"^(/[A-Za-z0-9._-]+)*$",
        description="Path before /dossiers, below the door's base_url",
        examples=["/o/rest/v2", "/secure/rest/v2"],
    )
    agencies: tuple[str, ...] = Field(
        min_length=1,
        description="Codes (govAgencyCode) of the agencies asked for: without them OpenCPS narrows what it answers",
        examples=[["000.00.02.H44", "000.00.03.H44"]],
    )
    may_be_empty: tuple[str, ...] = Field(
        default=(), description="Those of them that have no dossier yet", examples=[["000.00.19.H44"]]
    )
    ignored: tuple[str, ...] = Field(
        default=(), description="Agencies of this site that another source tells of", examples=[["000.00.60.H44"]]
    )
    may_sink: bool = Field(
        default=False,
        description="Whether the site archives dossiers, so that an agency may have fewer than before",
        examples=[False],
    )
    agencies_at_once: int = Field(
        default=20, ge=1, le=100, description="Agencies asked for in one question", examples=[20]
    )
    rows: int = Field(default=200, ge=1, le=5_000, description="Rows asked for in one window", examples=[200])
    rereads: int = Field(
        default=3, ge=0, description="How often a list that moved while it was read is read again", examples=[3]
    )
    overlap_days: int = Field(
        default=3, ge=1, description="Days before the last run whose events are read again", examples=[3]
    )
    whole_every: int = Field(
        default=7, ge=0, description="Days after which all is read again since the first day; 0: never", examples=[7]
    )
    slice_days: int = Field(default=31, ge=1, description="Days of events asked for in one question", examples=[31])
    levels: bool = Field(
        default=True,
        description="Whether its serviceLevel tells how far a procedure is offered online; no: another source does",
        examples=[True],
    )
    key: Literal["dossierId", "dossierNo"] = Field(
        default="dossierId",
        description=(
            "What a dossier is known by. dossierNo, its receipt number, where another source (the national portal) has"
            " it by that and is to be held against it; one without a number yet is then left out"
        ),
        examples=["dossierNo"],
    )
    statistics: str | None = Field(
        default=None,
        pattern=r"^/",
        description="Path of the statistics that it keeps of itself, for `collector compare`",
        examples=["/o/rest/statistics"],
    )
    parameters: dict[str, str] = Field(
        default_factory=dict,
        description="Further parameters of every question, where a site needs them",
        examples=[{"systemId": "0,1"}],
    )

    @field_validator("agencies", "may_be_empty", "ignored")
    @classmethod
    def _codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not code.strip() or "," in code or code.strip().lower() == "all":
                raise ValueError(f"{code!r} is no agency's code")
        if len(set(codes)) < len(codes):
            raise ValueError("a code is listed twice")
        return codes

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        if set(self.may_be_empty) - set(self.agencies) or set(self.ignored) & set(self.agencies):
            raise ValueError("may_be_empty are some of agencies, and ignored are none of them")
        for name in self.parameters:
            if name.lower() in _RESERVED or name.lower().startswith(("from", "to")):
                raise ValueError(f"parameters: {name} is the connector's own")
        return self

    def scope(self, since: int) -> str:
        """Return a digest of what a cursor stands for: which dossiers, since which day."""
        keyed = () if self.key == "dossierId" else (self.key,)
        told = (self.group_id, self.base, sorted(self.agencies), sorted(self.parameters.items()), since, *keyed)
        return blake2b(repr(told).encode(), digest_size=8).hexdigest()


def offers(config: Config) -> tuple[type[Record], ...]:
    """Return the records that such a source has."""
    return RECORDS if config.levels else (Dossier, DossierEvent)


def fetch(config: Config, door: Pages, want: Want) -> Iterator[Batch]:
    """Yield dossiers, their events and the levels of procedures. Times are local days and epoch seconds UTC.

    The cursor: `{"scope", "watched", "through", "whole", "totals", "plan"}`, days as yyyymmdd; `plan` is a run that was
    cut off. Raises what the door raises; AccessDenied, at the end, naming agencies that the account does not see;
    UnexpectedAnswer, naming the field, for another shape, and for agencies that nobody listed; TryAgain for a list that
    never stood still.
    """
    if want.window or want.agencies is not None:
        yield from _Run(config, door, want).by_hand()
    else:
        yield from _Run(config, door, want).ordinary()


def publishes(config: Config) -> bool:
    """Return whether such a source's own statistics are asked for."""
    return config.statistics is not None


def reported(config: Config, door: Pages, period: Period) -> Iterator[Report]:
    """Yield what OpenCPS stored about itself, month by month; nothing where no path of its statistics is configured."""
    if config.statistics is not None:
        yield from ask_totals(config.statistics, config.group_id, config.agencies, door, period)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an ordinary run reads: events since `first`, in slices. `at`: how many questions have been answered."""

    first: int
    began: int
    watched: int
    whole: bool
    at: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    """A list to be read: its filters, and the field and days (with one more on either side) that they ask for."""

    filters: Mapping[str, str]
    field: str = ""
    first: int = 0
    last: int = 0


class _Run:
    """One run: what it asks, and what it makes of the answers."""

    def __init__(self, config: Config, door: Pages, want: Want) -> None:
        path = f"{config.base}/dossiers"
        door.allow("GET", path, headers={"groupId": str(config.group_id)})
        self._config = config
        self._door = door
        self._want = want
        self._today = local_day(door.began)
        self._scope = config.scope(want.since)
        self._list = List(door, path, config.rows, config.rereads)
        self._fixed = {**config.parameters, "order": "false"}
        asked = [code for code in config.agencies if want.agencies is None or code in want.agencies]
        self._agencies = _agencies(config, asked)
        self._pauses = Pauses(want.open_pauses())
        self._levels = Levels()
        self._watched: int | None = None
        self._rows: dict[type[Record], list[Row]] = {Dossier: [], DossierEvent: [], Procedure: []}
        self._intake = Intake(Dossier, door.source, "dossierId", self._turn, lambda _: EXPECTED, self._rows)

    # What is read

    def ordinary(self) -> Iterator[Batch]:
        """Read what happened since the last run, and all that is open."""
        told = self._want.cursor or {}
        if told.get("scope") != self._scope:
            told = {}
        plan = self._plan(told)
        self._watched = plan.watched
        scope = look(self._list, self._agencies, self._fixed, self._recent(), told.get("totals", {}))
        # If it was cut off on another day, its questions are those of that day; what came since waits for the next run.
        questions = self._events(plan.first, plus_days(plan.began, 1))
        if plan.whole:
            questions += self._windows(_DUE, plan.first, plus_days(plan.began, _AHEAD))
        enough = _SOME
        for number, question in enumerate(questions[plan.at :], plan.at + 1):
            yield from self._answers(question)
            if self._intake.read >= enough:
                enough = self._intake.read + _SOME
                done = {"first": plan.first, "began": plan.began, "watched": plan.watched, "whole": plan.whole}
                yield self._batch({**told, "scope": self._scope, "plan": {**done, "at": number}})
        # After the events: what is released meanwhile has been an event of today, or will be one of the next run.
        for question in self._open():
            yield from self._answers(question)
        if scope.fault is not None:
            yield self._batch(None)
            raise scope.fault
        cursor = {
            "scope": self._scope,
            "watched": plan.watched,
            "through": plan.began,
            "whole": plan.began if plan.whole else told["whole"],
            "totals": dict(scope.totals),
        }
        yield self._batch(cursor, self._covers(plan))

    def by_hand(self) -> Iterator[Batch]:
        """Read the events of some days, what is due on them, and all that is open; of some agencies, perhaps."""
        if not self._agencies.asked:
            return
        first, last = self._want.first_day, self._want.last_day
        for question in [*self._events(first, last), *self._windows(_DUE, first, last), *self._open()]:
            yield from self._answers(question)
        yield self._batch(None)

    def _plan(self, told: Mapping[str, Any]) -> _Plan:
        if "plan" in told:
            return _Plan(**told["plan"])
        since, through = self._want.since, told.get("through")
        if through is None:
            return _Plan(since, self._today, self._today, whole=True)
        every = self._config.whole_every
        whole = bool(every) and self._today >= plus_days(told["whole"], every)
        first = since if whole else max(since, plus_days(through, -self._config.overlap_days))
        # Looked at every day without a break: then a due date seen for the first time is the first one promised.
        watched = told["watched"] if through >= plus_days(self._today, -1) else self._today
        return _Plan(first, self._today, watched, whole=whole)

    def _events(self, first: int, last: int) -> list[_Question]:
        return [one for kind in (_RECEIVED, _RELEASED, _FINISHED) for one in self._windows(kind, first, last)]

    def _windows(self, kind: tuple[str, str], first: int, last: int) -> list[_Question]:
        """Questions for the events of some days and one more before: the server reads a day in a zone of its own."""
        name, field = kind
        questions, start = [], plus_days(first, -1)
        while start <= last:
            end = min(plus_days(start, self._config.slice_days - 1), last)
            days = {f"from{name}Date": _written(start), f"to{name}Date": _written(end)}
            questions += [
                _Question({**self._fixed, **days, "agency": group}, field, plus_days(start, -1), plus_days(end, 1))
                for group in self._agencies.groups()
            ]
            start = plus_days(end, 1)
        return questions

    def _open(self) -> list[_Question]:
        status = ",".join(OPEN)
        return [_Question({**self._fixed, "status": status, "agency": group}) for group in self._agencies.groups()]

    def _recent(self) -> dict[str, str]:
        first, last = self._want.since, plus_days(self._today, 1)
        return {"fromReceiveDate": _written(first), "toReceiveDate": _written(last)}

    # What becomes of it

    def _answers(self, question: _Question) -> Iterator[Batch]:
        for items in self._list.read(question.filters):
            if question.field:
                self._check_days(question, items)
            self._intake.take(items)
            if self._intake.full():
                yield self._batch(None)
        self._rows[DossierEvent].extend(self._pauses.rows())
        self._rows[Procedure].extend(self._levels.rows() if self._config.levels else ())

    def _check_days(self, question: _Question, items: list[Any]) -> None:
        """A filter that the server does not understand is dropped without a word, and everything comes."""
        for item in items:
            text = item.get(question.field) if isinstance(item, dict) else None
            try:
                day = local_day(instant_of(text.strip())) if isinstance(text, str) and text.strip() else None
            except ValueError:
                continue  # told when the item is read
            if day is None or not question.first <= day <= question.last:
                raise UnexpectedAnswer(
                    "it was asked for some days and gives others: it ignores the filter",
                    source=self._door.source,
                    stage="answer",
                    field=question.field,
                    mend="Ask the service's operator which version of OpenCPS this is",
                )

    def _turn(self, item: Any) -> None:
        seen = read_item(item, self._config.group_id, self._door.began)
        if self._want.agencies is not None and seen.agency not in self._want.agencies:
            return
        if self._config.key == "dossierNo":
            number = _number_of(item, seen.key)
            if not number:
                return
            seen = replace(seen, key=number)
        self._rows[Dossier].append(row_of(seen))
        promise = promise_of(seen, self._watched)
        if promise is not None:
            self._rows[DossierEvent].append(promise)
        self._pauses.note(seen)
        note_level(self._levels, seen)

    def _batch(self, cursor: Mapping[str, Any] | None, covers: tuple[Covered, ...] = ()) -> Batch:
        return replace(self._intake.batch(cursor, covers), live=True)

    def _covers(self, plan: _Plan) -> tuple[Covered, ...]:
        last = min(self._want.last_day, plus_days(plan.began, -1))
        if last < self._want.first_day:
            return ()
        return tuple(Covered(record, self._want.first_day, last) for record in offers(self._config))


def _number_of(item: Mapping[str, Any], key: str) -> str:
    told = item.get("dossierNo")
    number = told.strip() if isinstance(told, str) else ""  # before intake it has none
    if len(number) > _LONGEST_NUMBER or not number.isprintable():
        raise Unusable(key, "dossierNo", "is no short printable text")
    return number


def _agencies(config: Config, asked: Sequence[str]) -> Agencies:
    empty = frozenset(config.may_be_empty)
    return Agencies(asked, config.ignored, empty, config.may_sink, config.agencies_at_once)


def _written(day: int) -> str:
    """A day as OpenCPS reads it; anything else would be no filter at all (facts: source-systems 1.1)."""
    return f"{day % 100:02d}/{day // 100 % 100:02d}/{day // 10_000}"


def probe(config: Config, door: Pages) -> Iterator[Finding]:
    """Ask for totals and one small window: reach, right to read, site, scope, filters, shape, clock, read-only."""
    path = f"{config.base}/dossiers"
    door.allow("GET", path, headers={"groupId": str(config.group_id)})
    listed = List(door, path, 10, 0)
    fixed = {**config.parameters, "order": "true"}
    agencies = _agencies(config, config.agencies)
    items, total, clock = listed.window({**fixed, "agency": agencies.groups()[0]}, 0, 10)
    yield Finding("reach", "ok", f"{path} answered")
    yield _read_finding(config, items, total, door.began)
    today = local_day(door.began)
    recent = {f"{word}ReceiveDate": _written(plus_days(today, days)) for word, days in (("from", -365), ("to", 1))}
    scope = look(listed, agencies, fixed, recent, {})
    if scope.fault is not None:
        yield Finding("scope", "failed", scope.fault.reason, scope.fault.mend)
    else:
        yield Finding("scope", "ok", f"dossiers of {len(scope.totals)} agencies are seen")
    unnamed, named = account_is_narrower(listed, agencies, {**fixed, **recent})
    if unnamed < named:
        yield Finding(
            "scope",
            "unproved",
            f"the account has a scope of its own ({unnamed} of {named} dossiers): what is not listed stays unseen",
            "Compare `agencies` with the site's own list",
        )
    future = {f"{word}ReceiveDate": _written(plus_days(today, _AHEAD)) for word in ("from", "to")}
    if listed.total({**fixed, **future, "agency": agencies.groups()[0]}):
        yield Finding("filter", "failed", "it ignores days", "Ask which version of OpenCPS this is")
    else:
        yield Finding("filter", "ok", "it narrows by days")
    yield clock_finding(clock, door.began, "days are cut by them")
    yield only_asks_finding("GET", path)


def _read_finding(config: Config, items: list[Any], total: int, began: int) -> Finding:
    if not items:
        return Finding("read", "unproved", "it lists nothing", "Check group_id, agencies and the account's right")
    lacking: set[str] = set()
    for item in items:
        try:
            read_item(item, config.group_id, began)
            lacking.update(name for name in (*EXPECTED, "lockState") if name not in item)
        except Unusable as fault:
            lacking.add(fault.field)
    if not lacking:
        return Finding("read", "ok", f"{total} dossiers of the first agencies; {len(items)} of them understood")
    names = ", ".join(sorted(lacking))
    if lacking == {"lockState"}:
        return Finding("read", "unproved", "no lockState: pauses may not be told", "Ask whether this site pauses")
    return Finding("read", "failed", f"missing or unreadable: {names}", "Compare them with the service's version")
