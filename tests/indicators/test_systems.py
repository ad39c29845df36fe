"""What the indicator of systems counts of the probes of some days: worked out by hand.

`web` serves H44.01 and, from 6 January on, H44.02; `files` serves H44.01 and H44.03, which is there from 7 January on.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collector import readings
from collector.agencies import Register
from collector.contract.connector import Batch, Covered
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Probe
from collector.readings import Member, Served, World
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.reference import refresh
from collector.store.save import save
from indicators import systems
from tests.store.small import PLAN, REGISTER, calendar, put, row, store

(AVAILABLE,) = systems.INDICATORS
H1, H2, H3 = "H44.01", "H44.02", "H44.03"
TEXT = REGISTER + "  - {code: H44.03, name: C, block: departments, from: 2026-01-07}\n"
SERVED = [("web", H1, 20260101), ("web", H2, 20260106), ("files", H1, 20260101), ("files", H3, 20260101)]
DAYS = (20260105, 20260106, 20260107)
# planned, answered, silent, excused: 2, 0 and 5 of the day's were not carried out.
WEB = {20260105: (24, 20, 2, 0), 20260106: (24, 18, 0, 6), 20260107: (24, 10, 9, 0)}
FILES = {20260105: (12, 12, 0, 0), 20260106: (12, 0, 12, 0), 20260107: (12, 0, 0, 12)}


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    engine, known = store(tmp_path, TEXT, SERVED)
    for source, of in (("web", WEB), ("files", FILES)):
        rows = [
            row(
                Probe,
                key=str(day),
                day=day,
                planned=planned,
                answered=answered,
                silent=silent,
                excused=excused,
                begun=day_start(day),
                settled=day_start(day) + 86_399,
            )
            for day, (planned, answered, silent, excused) in of.items()
        ]
        put(engine, known, {Probe: rows}, source)
    return engine, known


def cells(engine: Engine, agency: str) -> Mapping[int, tuple[int, int, int]]:
    with reading_store(engine) as connection:
        counted = {day: readings._counts(connection, AVAILABLE, PLAN, day, day) for day in DAYS}
    return {day: three[agency] for day, three in counted.items() if agency in three}


def test_an_agency_has_the_probes_of_all_systems_that_serve_it(small: tuple[Engine, Register]) -> None:
    assert cells(small[0], H1) == {20260105: (32, 34, 2), 20260106: (18, 30, 0), 20260107: (10, 19, 5)}
    assert cells(small[0], H2) == {20260106: (18, 18, 0), 20260107: (10, 19, 5)}, "served from the 6th on"
    assert cells(small[0], H3) == {20260107: (0, 0, 0)}, "in force from the 7th on, and then all is excused"


def taken(small: tuple[Engine, Register], *serving: tuple[str, str, int]) -> Mapping[str, Reading]:
    engine, known = small
    with writing(engine) as connection:
        for source in ("web", "files"):
            days = [Covered(Probe, 20260101, 20260131)]
            save(connection, source, [Batch({}, None, covers=days)], known, PLAN)
    members = (Member(H1, "departments"), Member(H2, "departments"), Member(H3, "departments", from_day=20260107))
    served = [Served(*one, frozenset({"probe"}), 2 * 86_400) for one in serving or SERVED]
    world = World("H44", members, served, day_start(20260301))
    with reading_store(engine) as connection:
        found = readings.take(
            connection, [AVAILABLE], PLAN, world, parse_period("2026-01"), ("agency", "block", "province")
        )
    return {one.agency: one for one in found}


def test_wider_figures_have_each_probe_once(small: tuple[Engine, Register]) -> None:
    found = taken(small)
    assert (found[H1].hits, found[H1].judged, found[H1].unknown) == (60, 83, 7)
    assert (found[H2].hits, found[H2].judged, found[H2].unknown) == (28, 37, 5)
    for wider in ("departments", "H44"):
        assert (found[wider].hits, found[wider].judged, found[wider].unknown) == (60, 83, 7), wider


def test_an_agency_that_no_probed_system_serves_has_no_figure(small: tuple[Engine, Register]) -> None:
    found = taken(small, ("web", H1, 20260101))
    assert (found[H2].state, found[H2].through, found[H2].judged) == ("missing", None, 0)
    assert found["H44"].state == "missing"


def test_whom_a_system_serves_is_counted_anew_when_the_settings_change(small: tuple[Engine, Register]) -> None:
    engine, known = small
    with writing(engine) as connection:
        refresh(connection, known, calendar(), PLAN, [("files", H2, 20260101)])
    assert cells(engine, H1) == {}
    assert cells(engine, H2) == {20260105: (12, 12, 0), 20260106: (0, 12, 0), 20260107: (0, 0, 0)}
