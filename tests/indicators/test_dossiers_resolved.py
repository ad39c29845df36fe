"""Dossiers resolved: what came in or was carried over, what was completed of it, and what is left at a period's end.

The identity of the design is held here too: what came in or was carried over was completed, is open, or was withdrawn,
stopped or refused. A plain count that walks over the dossiers one by one says what is true.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from collector import readings
from collector.agencies import Register
from collector.contract.connector import Batch, Covered
from collector.contract.indicator import Counted, Flow, Indicator
from collector.contract.period import Period, day_start, parse_period, plus_days
from collector.contract.reading import Reading
from collector.contract.records import Dossier, DossierEvent
from collector.readings import Member, Served, World
from collector.store import tallies
from collector.store.engine import writing
from collector.store.save import save
from indicators import dossiers
from tests.store.small import row, store

RESOLVED = next(one for one in dossiers.INDICATORS if one.id == "dossiers.resolved")
ON_TIME = next(one for one in dossiers.INDICATORS if one.id == "dossiers.on_time")
PLAN = tallies.plan([RESOLVED, ON_TIME])
AGENCIES = ("H44.01", "H44.02")
JANUARY, FEBRUARY = parse_period("2026-01"), parse_period("2026-02")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Register]]:
    engine, known = store(tmp_path_factory.mktemp("resolved"))
    with writing(engine) as connection:
        tallies.rebuild_all(connection, PLAN)  # of these two alone
    yield engine, known
    engine.dispose()


@dataclass(frozen=True, slots=True)
class Life:
    """What a source says of a dossier at one time. Days are local days."""

    received: int | None
    outcome: str | None = "open"
    completed: int | None = None
    ended: int | None = None
    due: int | None = None
    agency: str = "H44.01"
    removed: int = 0

    @property
    def left(self) -> int | None:
        """The day on which it left."""
        return self.ended if self.completed is None else self.completed


def put(connection: Connection, known: Register, lives: Sequence[tuple[str, Life]], version: int) -> None:
    """Save some dossiers as they are at this version, all days covered."""
    told: list[Any] = []
    events: list[Any] = []
    for key, one in lives:
        told.append(
            row(
                Dossier,
                key=key,
                agency_code=one.agency,
                changed=version,
                removed=one.removed,
                received_day=one.received,
                outcome=one.outcome,
                completed_day=one.completed,
                ended_day=one.ended,
            )
        )
        gone = int(one.due is None)
        named = {"key": f"{key}|due", "dossier": key, "kind": "due_promised", "ref": "", "basis": "first"}
        events.append(row(DossierEvent, **named, changed=version, removed=gone, at=0, day=one.due or 20260101))
    covers = [Covered(record, 20260101, 20260228) for record in (Dossier, DossierEvent)]
    save(connection, "s", [Batch({Dossier: told, DossierEvent: events}, None, covers=covers)], known, PLAN)


WORLD = World(
    "H44",
    [Member(code, "departments") for code in AGENCIES],
    [Served("s", code, 20260101, frozenset({"dossier", "dossier_event"}), 86_400) for code in AGENCIES],
    day_start(20260301),
)


def take(connection: Connection, period: Period, indicator: Indicator = RESOLVED) -> dict[str, Reading]:
    taken = readings.take(connection, [indicator], PLAN, WORLD, period, ("agency", "province"))
    return {one.agency: one for one in taken}


def counts(one: Reading) -> tuple[int | None, int | None, int | None]:
    return one.hits, one.judged, one.unknown


def explained(connection: Connection, one: Reading, period: Period) -> list[tuple[str, str, int]]:
    found = readings.explain(connection, RESOLVED, one, period, WORLD)
    return [(item.key, item.verdict, item.day) for item in found.rows]


def tallied(connection: Connection) -> dict[str, list[Any]]:
    """All rows of the derived tables."""
    return {one.table.name: sorted(map(tuple, connection.execute(select(one.table)))) for one in PLAN.wide}


def rolled_back(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(writes=True) as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def connection(small: tuple[Engine, Register]) -> Iterator[Connection]:
    yield from rolled_back(small[0])


# (what it is, its life, January's verdict, February's): "" is not counted
BY_HAND = [
    ("received and completed", Life(20260105, "completed", completed=20260112), "hit", ""),
    ("received and open", Life(20260105), "miss", "miss"),
    ("carried over and completed", Life(20251220, "completed", completed=20260112), "hit", ""),
    ("completed on the first day", Life(20251220, "completed", completed=20260101), "hit", ""),
    ("completed on the last day", Life(20260105, "completed", completed=20260131), "hit", ""),
    ("completed in the next month", Life(20260105, "completed", completed=20260201), "miss", "hit"),
    ("completed before", Life(20251220, "completed", completed=20251231), "", ""),
    ("completed on the day of receipt", Life(20260112, "completed", completed=20260112), "hit", ""),
    ("completed before its receipt", Life(20260112, "completed", completed=20260109), "hit", ""),
    ("completed, its receipt not told", Life(None, "completed", completed=20260109), "hit", ""),
    ("refused after work", Life(20260105, "refused_after", completed=20260112), "hit", ""),
    ("received on the last day", Life(20260131), "miss", "miss"),
    ("received later", Life(20260201), "", "miss"),
    ("withdrawn", Life(20260105, "withdrawn", ended=20260112), "", ""),
    ("withdrawn on the day of receipt", Life(20260105, "withdrawn", ended=20260105), "", ""),
    ("withdrawn on the last day", Life(20260105, "withdrawn", ended=20260131), "", ""),
    ("withdrawn in the next month", Life(20260105, "withdrawn", ended=20260201), "miss", ""),
    ("stopped", Life(20260105, "stopped", ended=20260112), "", ""),
    ("stopped in the next month", Life(20260105, "stopped", ended=20260210), "miss", ""),
    ("refused at the desk", Life(None, "refused_at_intake", ended=20260112), "", ""),
    ("refused at the desk, and yet received", Life(20260105, "refused_at_intake", ended=20260106), "", ""),
    ("filed, not yet received", Life(None), "", ""),
    ("completed on a day that nobody knows", Life(20260105, "completed"), "unknown", "unknown"),
    ("withdrawn on a day that nobody knows", Life(20260105, "withdrawn"), "unknown", "unknown"),
    ("a status that nobody knows", Life(20260105, None), "unknown", "unknown"),
    ("deleted", Life(20260105, removed=1), "", ""),
]


def test_each_dossier_is_classed_as_by_hand_in_two_months(
    small: tuple[Engine, Register], connection: Connection
) -> None:
    put(connection, small[1], [(name, life) for name, life, *_ in BY_HAND], 0)
    for place, period in ((2, JANUARY), (3, FEBRUARY)):
        one = take(connection, period)["H44.01"]
        expected = {(line[0], line[place]) for line in BY_HAND if line[place]}
        said = explained(connection, one, period)
        assert {(key, verdict) for key, verdict, _ in said} == expected
        assert len(said) == len(expected), "each once"
        verdicts = Counter(verdict for _, verdict, _ in said)
        assert counts(one) == (verdicts["hit"], verdicts["hit"] + verdicts["miss"], verdicts["unknown"])


def test_a_day_says_what_was_completed_on_it_and_what_is_open_at_its_end(
    small: tuple[Engine, Register], connection: Connection
) -> None:
    lives = [
        Life(20260105, "completed", completed=20260107),
        Life(20260106),
        Life(20260107, "withdrawn", ended=20260109),
    ]
    put(connection, small[1], [(str(number), life) for number, life in enumerate(lives)], 0)
    said = {}
    for day in range(20260104, 20260111):
        period = Period(day, plus_days(day, 1), "day")
        said[day] = counts(take(connection, period)["H44.01"])
    assert said == {
        20260104: (0, 0, 0),
        20260105: (0, 1, 0),
        20260106: (0, 2, 0),
        20260107: (1, 3, 0),
        20260108: (0, 2, 0),
        20260109: (0, 1, 0),
        20260110: (0, 1, 0),
    }


def test_an_open_month_has_what_is_left_on_its_last_covered_day(
    small: tuple[Engine, Register], connection: Connection
) -> None:
    lives = [("a", Life(20260202, "completed", completed=20260210)), ("b", Life(20260202))]
    told = [row(Dossier, key=k, agency_code="H44.01", received_day=o.received, outcome=o.outcome,
                completed_day=o.completed) for k, o in lives]  # fmt: skip
    covers = [Covered(Dossier, 20260101, 20260205)]
    save(connection, "s", [Batch({Dossier: told}, None, covers=covers)], small[1], PLAN)
    world = replace(WORLD, now=day_start(20260206) + 3600)
    (one,) = (one for one in readings.take(connection, [RESOLVED], PLAN, world, FEBRUARY) if one.agency == "H44.01")
    assert (one.through, counts(one)) == (20260205, (0, 2, 0))


# --- any lives --------------------------------------------------------------------------------------------------------

DAYS = st.one_of(st.integers(20260101, 20260131), st.integers(20260201, 20260228), st.integers(20251215, 20251231))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    ends = ("open", "completed", "refused_after", "withdrawn", "stopped", "refused_at_intake")
    outcome: str | None = draw(st.sampled_from(ends))
    received = draw(st.one_of(DAYS, DAYS, DAYS, st.none()))
    left: int | None = draw(DAYS) if received is None else plus_days(received, draw(st.integers(-1, 40)))
    if draw(st.integers(0, 9)) == 0:
        left, outcome = None, draw(st.sampled_from((outcome, None)))
    done = outcome in ("completed", "refused_after")
    return Life(
        received,
        outcome,
        completed=left if done else None,
        ended=left if not done and outcome not in ("open", None) else None,
        due=draw(st.one_of(DAYS, st.none())),
        agency=draw(st.sampled_from(AGENCIES)),
        removed=draw(st.sampled_from((0, 0, 0, 0, 1))),
    )


KEYS = st.sampled_from("abcdefghijklmnop")
SAVES = st.lists(st.dictionaries(KEYS, lives(), min_size=1, max_size=8), min_size=1, max_size=5)


def counted_plainly(known: Sequence[Life], agency: str, period: Period) -> tuple[int, int, int]:
    """Hits, judged and unknown of a period by walking over the dossiers."""
    hits = misses = unknown = 0
    for one in known:
        if one.agency != agency or one.removed:
            continue
        if one.completed is not None and period.first <= one.completed <= period.last:
            hits += 1
        elif one.received is not None and one.received <= period.last:
            if one.left is None and one.outcome != "open":
                unknown += 1
            elif one.left is None or one.left > period.last:
                misses += 1
    return hits, hits + misses, unknown


def identity(known: Sequence[Life], agency: str, period: Period) -> Counter[str]:
    """The classes of the identity, and its other side (`received`, `carried over`), one dossier after another.

    A dossier came on the day of its receipt; on that of its completion if this is earlier, or if nobody told.
    """
    found: Counter[str] = Counter()
    for one in known:
        if one.agency != agency or one.removed or (one.left is None and one.outcome != "open"):
            continue
        days = [day for day in (one.received, one.completed) if day is not None]
        if not days or (one.received is None and one.completed is None):
            continue
        came = min(days)
        if one.ended is not None and one.ended < came:
            continue  # refused before it was received
        if one.left is not None and one.left < period.first:
            continue
        if came > period.last:
            continue
        found["received" if came >= period.first else "carried over"] += 1
        if one.completed is not None and one.completed <= period.last:
            match one.due:
                case None:
                    found["completed without due date"] += 1
                case due:
                    found["completed late" if one.completed > due else "completed early or on time"] += 1
        elif one.ended is not None and one.ended <= period.last:
            found[f"{one.outcome} in the period"] += 1
        elif one.due is None:
            found["open without due date"] += 1
        else:
            found["open and overdue" if one.due <= period.last else "open and not due"] += 1
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(saves=SAVES)
def test_any_lives_are_counted_as_by_walking_over_them_and_the_identity_holds(
    small: tuple[Engine, Register], saves: Sequence[dict[str, Life]]
) -> None:
    for connection in rolled_back(small[0]):
        known: dict[str, Life] = {}
        for version, some in enumerate(saves):
            put(connection, small[1], list(some.items()), version)
            known |= some
        kept = list(known.values())
        for period in (JANUARY, FEBRUARY, Period(20260101, 20260301, "quarter"), parse_period("2026-01-20")):
            taken, on_time = take(connection, period), take(connection, period, ON_TIME)
            for agency in AGENCIES:
                one, done = taken[agency], on_time[agency]
                assert counts(one) == counted_plainly(kept, agency, period)
                assert (one.judged or 0) >= (one.hits or 0) >= 0
                sides = identity(kept, agency, period)
                arrived = sides.pop("received", 0) + sides.pop("carried over", 0)
                assert sides.total() == arrived
                completed = sum(number for name, number in sides.items() if name.startswith("completed"))
                still = sum(number for name, number in sides.items() if name.startswith("open"))
                assert (one.hits, (one.judged or 0) - (one.hits or 0)) == (completed, still)
                assert (done.judged or 0) + (done.unknown or 0) == completed
                assert done.hits == sides["completed early or on time"]
                assert done.unknown == sides["completed without due date"]
            total = [sum(part) for part in zip(*(counts(taken[one]) for one in AGENCIES), strict=True)]
            assert list(counts(taken["H44"])) == total
        step_by_step = tallied(connection)
        tallies.rebuild_all(connection, PLAN)
        assert tallied(connection) == step_by_step


def test_a_flow_and_its_period_belong_together() -> None:
    flow = RESOLVED.formula
    assert isinstance(flow, Flow)
    with pytest.raises(ValueError, match="belong together"):
        replace(RESOLVED, period="sum")
    with pytest.raises(ValueError, match="belong together"):
        replace(RESOLVED, formula=flow.came)
    assert all(isinstance(part, Counted) for _, part in flow.parts())
