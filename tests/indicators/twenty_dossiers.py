"""Twenty dossiers of January 2026, and what four definitions of "on time" say of each: classed by hand first.

Days are written `mmdd`; the working days are those of `tests.store.small` (Saturday the 10th is worked). `shown` is the
due date that the source shows at the end of February, `first` the one promised at receipt. Hours are those of the
local clock; a due date is due at 17:00 unless it has an hour of its own, or none (`hour` None).

What a definition says: hit, miss, unknown, or None where it does not count the dossier in January. `on_time` counts on
the day of completion, `due` on the effective due day, `in_766` on the day of completion or withdrawal, `opencps` on the
day of completion.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector import readings
from collector.contract.connector import Batch, Covered, Row
from collector.contract.indicator import Counted
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Dossier, DossierEvent, Record
from collector.demo import ledger
from collector.readings import Member, Served, World
from collector.store.engine import reading, writing
from collector.store.save import save
from indicators import dossiers
from tests.store.small import PLAN, row, store

DEFINITIONS = ("dossiers.on_time", "dossiers.on_time_due", "dossiers.on_time_766", "dossiers.on_time_opencps")
JANUARY = parse_period("2026-01")
AGENCY = "H44.01"
HIT, MISS, UNKNOWN = "hit", "miss", "unknown"

Said = str | None


@dataclass(frozen=True, slots=True)
class One:
    """A dossier. `paused` are (begun, ended or None); `at` is the time of completion, `hhmm`."""

    story: str
    received: int | None
    first: int | None
    shown: int | None
    hour: int | None = 1700
    paused: Sequence[tuple[int, int | None]] = ()
    completed: int | None = None
    at: int = 1000
    outcome: str = "completed"
    ended: int | None = None
    seen_late: bool = False
    on_time: Said = None
    due: Said = None
    in_766: Said = None
    opencps: Said = None

    @property
    def said(self) -> tuple[Said, Said, Said, Said]:
        """What the four definitions say, by hand."""
        return self.on_time, self.due, self.in_766, self.opencps


TWENTY = (
    One(
        "Completed two days before it was due.",
        105, 116, 116, completed=114, on_time=HIT, due=HIT, in_766=HIT, opencps=HIT,
    ),
    One(
        "First seen in a system that overwrites due dates, long after its receipt: nobody knows what was promised"
        " first. Completed the day before the date shown.",
        105, 120, 120, completed=119, seen_late=True, on_time=UNKNOWN, due=UNKNOWN, in_766=HIT, opencps=HIT,
    ),
    One(
        "Completed on the due day, 40 minutes after the desk closed.",
        105, 116, 116, completed=116, at=1740, on_time=HIT, due=HIT, in_766=HIT, opencps=MISS,
    ),
    One(
        "Completed one working day late.",
        105, 116, 116, completed=119, on_time=MISS, due=MISS, in_766=MISS, opencps=MISS,
    ),
    One(
        "The day before it was due the office appointed a later date, and kept that one.",
        105, 116, 123, completed=122, on_time=MISS, due=MISS, in_766=HIT, opencps=HIT,
    ),
    One(
        "Completed on the due day; the system writes due dates without a time of day.",
        105, 116, 116, hour=None, completed=116, on_time=HIT, due=HIT, in_766=HIT, opencps=UNKNOWN,
    ),
    One(
        "Waited two working days for a paper; the system moved the due date by as many. Completed on the day moved to.",
        105, 116, 120, paused=[(113, 115)], completed=120, on_time=HIT, due=HIT, in_766=HIT, opencps=HIT,
    ),
    One(
        "The same wait, but the system left the due date where it was.",
        105, 116, 116, paused=[(113, 115)], completed=120, on_time=HIT, due=HIT, in_766=MISS, opencps=MISS,
    ),
    One(
        "Two days after it was due the office asked for a paper, and the system moved the due date.",
        105, 112, 120, paused=[(114, 119)], completed=119, on_time=MISS, due=MISS, in_766=HIT, opencps=HIT,
    ),
    One(
        "Waits for a paper since before it was due.",
        105, 116, 116, paused=[(114, None)], outcome="open",
    ),
    One(
        "Open and overdue.",
        105, 120, 120, outcome="open", due=MISS,
    ),
    One(
        "No due date was ever entered.",
        105, None, None, completed=114, on_time=UNKNOWN, in_766=HIT, opencps=HIT,
    ),
    One(
        "Withdrawn by the citizen before it was due.",
        105, 116, 116, outcome="withdrawn", ended=114, in_766=HIT,
    ),
    One(
        "Withdrawn by the citizen when it was four working days overdue.",
        105, 116, 116, outcome="withdrawn", ended=122, due=MISS, in_766=HIT,
    ),
    One(
        "Stopped by the office before it was due.",
        105, 116, 116, outcome="stopped", ended=114,
    ),
    One(
        "Stopped by the office when it was four working days overdue.",
        105, 116, 116, outcome="stopped", ended=122, due=MISS,
    ),
    One(
        "Refused at the desk: never received.",
        None, None, None, outcome="refused_at_intake", ended=105,
    ),
    One(
        "Refused after work, the day before it was due.",
        105, 116, 116, completed=115, outcome="refused_after", on_time=HIT, due=HIT, in_766=HIT, opencps=HIT,
    ),
    One(
        "Due on 30 January, completed on 3 February.",
        119, 130, 130, completed=203, due=MISS,
    ),
    One(
        "Due at 11:30, completed at 12:10 of the same day.",
        105, 116, 116, hour=1130, completed=116, at=1210, on_time=HIT, due=HIT, in_766=HIT, opencps=MISS,
    ),
)  # fmt: skip

TOTALS = {
    # hits, judged, unknown: counted by hand from the lines above
    "dossiers.on_time": (7, 10, 2),
    "dossiers.on_time_due": (7, 14, 1),
    "dossiers.on_time_766": (12, 14, 0),
    "dossiers.on_time_opencps": (7, 11, 1),
}


def day(short: int) -> int:
    """A local day of 2026."""
    return 20260000 + short


def _day(short: int | None) -> int | None:
    return None if short is None else day(short)


def _instant(short: int, clock: int) -> int:
    return day_start(day(short)) + clock // 100 * 3600 + clock % 100 * 60


def key(number: int) -> str:
    """The number of the dossier in this place, from 1."""
    return f"H44.01-{number:02d}"


def rows() -> dict[type[Record], list[Row]]:
    """The dossiers as a source tells them."""
    told: dict[type[Record], list[Row]] = {Dossier: [], DossierEvent: []}
    for number, one in enumerate(TWENTY, 1):
        told[Dossier].append(
            row(
                Dossier,
                key=key(number),
                agency_code=AGENCY,
                received_day=_day(one.received),
                completed_day=_day(one.completed),
                outcome=one.outcome,
                ended_day=_day(one.ended),
                completed=None if one.completed is None else _instant(one.completed, one.at),
                due=None if one.shown is None or one.hour is None else _instant(one.shown, one.hour),
                due_day=_day(one.shown),
            )
        )
        told[DossierEvent].extend(_events(key(number), one))
    return told


def _events(dossier: str, one: One) -> Iterator[Row]:
    own = {"dossier": dossier, "ref": ""}
    for at, promised in enumerate(dict.fromkeys((one.first, one.shown))):
        if promised is not None:
            basis = "current" if one.seen_late else "first"
            named = {"key": f"{dossier}|due|{promised}", "kind": "due_promised", "basis": basis}
            yield row(DossierEvent, **own, **named, at=at, day=day(promised))
    for begun, ended in one.paused:
        for word, when in (("begun", begun), ("ended", ended)):
            if when is not None:
                named = {"key": f"{dossier}|{word}|1", "kind": f"pause_{word}", "basis": "history"}
                yield row(DossierEvent, **own | {"ref": "1"}, **named, at=0, day=day(when))


def as_in_the_ledger() -> list[ledger.Dossier]:
    """The dossiers as the demo's ledger tells them: it knows all promises, so the one seen late is left out."""
    return [
        ledger.Dossier(
            source="dossiers",
            id=key(number),
            agency="A",
            agency_written="A",
            procedure="P",
            channel="online",
            received_day=_day(one.received),
            promises=[
                ledger.Promise(at, day(promised), None if one.hour is None else one.hour // 100)
                for at, promised in enumerate(dict.fromkeys((one.first, one.shown)))
                if promised is not None
            ],
            pauses=[ledger.Pause("1", day(begun), _day(ended)) for begun, ended in one.paused],
            outcome=one.outcome,
            completed_day=_day(one.completed),
            returned_day=None,
            ended_day=_day(one.ended),
            completed=None if one.completed is None else _instant(one.completed, one.at),
        )
        for number, one in enumerate(TWENTY, 1)
        if not one.seen_late
    ]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run says: of each dossier by definition, and the reading of each definition."""

    verdicts: Mapping[str, Mapping[str, str]]
    readings: Mapping[str, Reading]

    def said(self, number: int) -> tuple[Said, Said, Said, Said]:
        """What the four definitions say of one dossier."""
        a, b, c, d = (self.verdicts[definition].get(key(number)) for definition in DEFINITIONS)
        return a, b, c, d


def run(folder: Path) -> Ran:
    """Save the dossiers in an empty store, and take January's readings of the four definitions."""
    engine, register = store(folder)
    covers = [Covered(record, 20260101, 20260228) for record in (Dossier, DossierEvent)]
    with writing(engine) as connection:
        save(connection, "s", [Batch(rows(), None, covers=covers)], register, PLAN)
    declared = [one for one in dossiers.INDICATORS if one.id in DEFINITIONS]
    offered = frozenset({Dossier.NAME, DossierEvent.NAME})
    world = World(
        "H44", [Member(AGENCY, "departments")], [Served("s", AGENCY, 20260101, offered, 86_400)], day_start(20260301)
    )
    verdicts = {}
    with reading(engine) as connection:
        taken = readings.take(connection, declared, PLAN, world, JANUARY)
        for one in declared:
            assert isinstance(one.formula, Counted)
            found = connection.execute(readings.items(one.formula, AGENCY, JANUARY.first, JANUARY.last))
            verdicts[one.id] = {item.key: item.verdict for item in found}
    engine.dispose()
    return Ran(verdicts, {one.indicator: one for one in taken})
