"""A small province with three agencies and three sources, whose January is covered; and what seals it.

The third agency has too few mailboxes to be told: it and the first, the next smallest, are suppressed together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine

from collector import editions, succession
from collector.agencies import Register
from collector.contract.connector import Batch, Covered, Row
from collector.contract.indicator import Indicator
from collector.contract.period import Period, day_start, parse_period
from collector.contract.reading import Reading, Score
from collector.contract.records import Document, Dossier, DossierEvent, Mailbox, MailboxDay, Record
from collector.editions import Edition, Reason, Sealer, Verified, keys
from collector.readings import Member, Served, World
from collector.store import tallies
from collector.store.engine import open_engine, reading, writing
from collector.store.outbox import Message
from collector.store.reference import refresh
from collector.store.save import save
from collector.workdays import Workday
from indicators.scoring.model import Band, Block, Criterion, Model
from indicators.scoring.points import score
from tests.store import small
from tests.store.small import row

JANUARY, FEBRUARY, QUARTER = parse_period("2026-01"), parse_period("2026-02"), parse_period("2026-Q1")
A, B, C = "H44.01", "H44.02", "H44.03"
SEALED = day_start(20260205)
IDS = (
    "documents.connected",
    "documents.exchanged_internal",
    "documents.on_time",
    "dossiers.on_time",
    "dossiers.resolved",
    "mailboxes.daily_use",
)
INDICATORS = tuple(one for one in small.INDICATORS if one.id in IDS)
PLAN = tallies.plan(INDICATORS)

REGISTER = """
blocks:
  departments: {title_vi: Sở, title_en: Departments}
agencies:
  - {code: H44.01, name: A, block: departments, headcount: 9, headcount_from: test, aliases: {any: [a.example]}}
  - {code: H44.02, name: B, block: departments, headcount: 9, headcount_from: test, aliases: {any: [b.example]}}
  - {code: H44.03, name: C, block: departments, headcount: 3, headcount_from: test, aliases: {any: [c.example]}}
"""
MERGED = REGISTER.replace(
    "headcount: 3, headcount_from: test", "headcount: 3, headcount_from: test, to: 2026-01-15, successor: H44.02"
)
DIVIDED = MERGED.replace("successor: H44.02", "divided_among: [H44.01, H44.02]")
SOURCES: Mapping[str, tuple[type[Record], ...]] = {
    "desk": (Dossier, DossierEvent),
    "docs": (Document,),
    "mail": (Mailbox, MailboxDay),
}
_POINTS = dict(zip(IDS, (100, 100, 200, 200, 200, 200), strict=True))
MODEL = Model(
    blocks=(Block("departments", "Sở", tuple(Criterion(id_, id_, Decimal(most)) for id_, most in _POINTS.items())),),
    bands=(Band("Tốt", Decimal(0)),),
    minimum_measured=Decimal(0),
)


def dossier(key: str, agency: str, *, hit: bool = True, version: int = 1, removed: int = 0) -> dict[type[Record], Any]:
    """A dossier completed on 12 January, when it was due or a day later."""
    due = 20260112 if hit else 20260109
    own = row(
        Dossier, key=key, agency_code=agency, changed=version, removed=removed, received_day=20260105,
        completed_day=20260112, outcome="completed", channel="counter",
    )  # fmt: skip
    event = row(
        DossierEvent, key=f"{key}|due", dossier=key, kind="due_promised", ref="", basis="first", changed=version, at=0,
        day=due,
    )  # fmt: skip
    return {Dossier: own, DossierEvent: event}


def open_dossier(key: str, agency: str, *, done: bool, version: int = 1, removed: int = 0) -> dict[type[Record], Any]:
    """A dossier that was completed in January, when it was due, or still is open and due later."""
    completed = {"completed_day": 20260120, "outcome": "completed"} if done else {"outcome": "open"}
    own = row(
        Dossier, key=key, agency_code=agency, changed=version, removed=removed, received_day=20260105, **completed
    )
    event = row(
        DossierEvent, key=f"{key}|due", dossier=key, kind="due_promised", ref="", basis="first", changed=version, at=0,
        day=20260120 if done else 20260226,
    )  # fmt: skip
    return {Dossier: own, DossierEvent: event}


def letter(key: str, agency: str, *, hit: bool = True, version: int = 1, removed: int = 0) -> dict[type[Record], Any]:
    """A document issued within the province, electronically alone or on paper too."""
    own = row(
        Document, key=key, agency_code=agency, changed=version, removed=removed, direction="out",
        scope_stated="internal", issued_day=20260109, electronic_stated=1, paper_too=int(not hit), signed=1, recalled=0,
    )  # fmt: skip
    return {Document: own}


def incoming(key: str, agency: str, *, hit: bool = True, version: int = 1, removed: int = 0) -> dict[type[Record], Any]:
    """A document that came in on paper and was due on 16 January."""
    own = row(
        Document, key=key, agency_code=agency, changed=version, removed=removed, direction="in", issued_day=20260109,
        electronic_stated=0, recalled=0, due_day=20260116, completed_day=20260116 if hit else 20260119,
    )  # fmt: skip
    return {Document: own}


def paper(key: str, agency: str, *, hit: bool = True, version: int = 1, removed: int = 0) -> dict[type[Record], Any]:
    """A document that was sent electronically, or on paper alone: what connects an agency, or does not."""
    own = row(
        Document, key=key, agency_code=agency, changed=version, removed=removed, direction="out",
        scope_stated="external", issued_day=20260109, electronic_stated=int(hit), paper_too=1, signed=1, recalled=0,
    )  # fmt: skip
    return {Document: own}


def mailboxes(agency: str, count: int) -> list[Row]:
    """Mailboxes of January."""
    letter_ = {A: "a", B: "b", C: "c"}[agency]
    return [
        row(
            Mailbox, key=f"202601:{letter_}{n}", agency_code=f"{letter_}.example", month_day=20260101,
            pseudonym=f"{letter_}{n}", kind="personal", first_listed_day=20260101, quota=0,
        )
        for n in range(count)
    ]  # fmt: skip


def used(pseudonym: str, day: int = 20260105, *, version: int = 1) -> Row:
    """One mailbox used on a day."""
    return row(
        MailboxDay, key=f"{day}:{pseudonym}:log:{version}", pseudonym=pseudonym, day=day, span=f"log:{version}",
        sessions=1, sent=0, changed=version,
    )  # fmt: skip


def whole(rows: Sequence[Mapping[type[Record], Row]]) -> dict[type[Record], list[Row]]:
    """Some records as one batch holds them."""
    found: dict[type[Record], list[Row]] = {}
    for one in rows:
        for record, own in one.items():
            found.setdefault(record, []).append(own)
    return found


def counts(readings: Sequence[Reading], indicator: str, agency: str) -> tuple[int | None, int | None, int | None]:
    """hits, judged and unknown of one of some readings."""
    one = next(one for one in readings if (one.indicator, one.agency) == (indicator, agency))
    return one.hits, one.judged, one.unknown


@dataclass(slots=True)
class Province:
    """The province, and what seals it. `now` is what its clock says; `told` what the services that score are told."""

    folder: Path
    engine: Engine
    known: Register
    now: int = SEALED
    indicators: Sequence[Indicator] = INDICATORS
    plan: tallies.Tallies = PLAN
    model: str = "the model"
    declared: int = 0  # points that everybody declares
    told: list[Edition] = field(default_factory=list)

    @property
    def key(self) -> Path:
        """The file of the key that signs."""
        path = self.folder / "signing.key"
        if not path.exists():
            keys.new(path)
        return path

    @property
    def trusted(self) -> list[bytes]:
        """The public keys that may have signed."""
        return [keys.public_key(keys.public_path(self.key))]

    def world(self, _: Period) -> World:
        members = []
        for one in self.known.agencies.values():
            last = one.terms[-1]
            members.append(Member(one.code, last.block, one.terms[0].from_day, last.to_day, one.outside))
        serving = [
            Served(source, code, 20260101, frozenset(record.NAME for record in records), 86_400)
            for source, records in SOURCES.items()
            for code in self.known.agencies
        ]
        return World("H44", members, serving, self.now, legacies=succession.legacies(self.known.legacies()))

    def score(self, readings: Sequence[Reading], _: Period) -> list[Score]:
        found = score(MODEL, readings, dict.fromkeys({one.agency for one in readings}, "departments"))
        return [replace(one, points=one.points + self.declared) for one in found]

    def message(self, one: Edition) -> Message:
        self.told.append(one)
        return Message("edition", one.period, one.number, f"{one.period}.e{one.number}", one.digest)

    @property
    def sealer(self) -> Sealer:
        return Sealer(
            engine=self.engine,
            province="H44",
            indicators=self.indicators,
            tallies=self.plan,
            world=self.world,
            clock=lambda: self.now,
            score=self.score,
            units=lambda day: succession.units(self.known, day),
            message=self.message,
            model=self.model,
            register_digest=self.known.digest,
            unknown_share=0.05,
            program="test",
        )

    def put(self, source: str, *rows: Mapping[type[Record], Row]) -> None:
        """Save some records of a source."""
        self.save(source, Batch(whole(rows), None))

    def save(self, source: str, batch: Batch) -> None:
        with writing(self.engine) as connection:
            save(connection, source, [batch], self.known, self.plan)

    def cover(self, source: str, first: int, last: int) -> None:
        """Let a source have covered some days."""
        self.save(source, Batch({}, None, covers=[Covered(record, first, last) for record in SOURCES[source]]))

    def learn(self, text: str = REGISTER, calendar: Sequence[Workday] | None = None) -> None:
        """Give the province another register or calendar."""
        self.known = small.register(self.folder, text)
        with writing(self.engine) as connection:
            refresh(connection, self.known, calendar or small.calendar(), self.plan)

    def declare(self, changed: Callable[[Indicator], Indicator]) -> None:
        """Give the province other declarations."""
        self.indicators = tuple(changed(one) for one in self.indicators)
        self.plan = tallies.plan(self.indicators)
        with writing(self.engine) as connection:
            refresh(connection, self.known, small.calendar(), self.plan)

    def seal(self, period: Period = JANUARY) -> Edition:
        return editions.seal(self.sealer, period, self.key)

    def restate(self, reason: Reason, period: Period = JANUARY) -> Edition:
        return editions.restate(self.sealer, period, reason, self.key)[0]

    def sealed(self, period: Period = JANUARY, number: int | None = None) -> Edition:
        found = editions.sealed(self.engine, period, number)
        assert found is not None
        return found

    def verify(self, period: Period | None = None) -> list[Verified]:
        with reading(self.engine) as connection:
            return editions.verify(connection, self.trusted, period)

    def faults(self) -> list[str]:
        return [one.fault for one in self.verify() if one.fault]

    def drifted(self) -> list[str]:
        with reading(self.engine) as connection:
            return [str(one) for one in editions.drifted(connection, self.sealer)]


def beginning(engine: Engine, known: Register, folder: Path) -> Province:
    """What every store here begins with: January covered by all sources, and some records of each indicator."""
    one = Province(folder, engine, known)
    for agency in (A, B, C):
        for n in range(4):
            one.put(
                "desk", dossier(f"{agency}-d{n}", agency, hit=n > 0), open_dossier(f"{agency}-o{n}", agency, done=n > 1)
            )
            one.put("docs", letter(f"{agency}-l{n}", agency, hit=n > 1), incoming(f"{agency}-i{n}", agency, hit=n > 2))
    boxes = [*mailboxes(A, 6), *mailboxes(B, 8), *mailboxes(C, 3)]
    use = [used(f"{name}{n}") for name in "abc" for n in range(3)]
    one.save("mail", Batch({Mailbox: boxes, MailboxDay: use}, None))
    for source in SOURCES:
        one.cover(source, 20260101, 20260131)
    return one


@cache
def _file(*, sealed: bool) -> tuple[bytes, bytes, bytes]:
    """The store's file and the keys of such a province, made once."""
    with TemporaryDirectory() as folder:
        one = beginning(*_store(Path(folder)), Path(folder))
        assert one.key.exists()
        if sealed:
            one.seal()
        with one.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        one.engine.dispose()
        names = ("store.sqlite", "signing.key", "signing.key.pub")
        return tuple((Path(folder) / name).read_bytes() for name in names)  # type: ignore[return-value]


def _store(folder: Path) -> tuple[Engine, Register]:
    engine = open_engine(f"sqlite:///{folder / 'store.sqlite'}")
    known = small.register(folder, REGISTER)
    with writing(engine) as connection:
        refresh(connection, known, small.calendar(), PLAN)
    return engine, known


def province(folder: Path, *, sealed: bool = True) -> Province:
    """A province of its own, its January sealed or not."""
    store, private, public = _file(sealed=sealed)
    (folder / "store.sqlite").write_bytes(store)
    (folder / "signing.key").write_bytes(private)
    (folder / "signing.key").chmod(0o600)
    (folder / "signing.key.pub").write_bytes(public)
    engine = open_engine(f"sqlite:///{folder / 'store.sqlite'}")
    return Province(folder, engine, small.register(folder, REGISTER))


def changed_by(one: Indicator, id_: str, **more: Any) -> Indicator:
    """An indicator with other declarations, if it is that one."""
    return replace(one, **more) if one.id == id_ else one
