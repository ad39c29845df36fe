"""What the indicators of procedures say of a catalogue on a day: golden rows, worked out by hand.

Source `s` serves H44.01, `t` serves H44.02, and both serve H44.03 from 1 February on, as an agency of that day.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from collector import readings
from collector.agencies import Register
from collector.contract.connector import Batch, Covered, Row
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Procedure
from collector.contract.tables import offer
from collector.readings import Member, Served, World
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.reference import refresh
from collector.store.save import save
from collector.store.schema import cell
from collector.store.tallies import rebuild_all
from indicators import procedures
from tests.store.small import PLAN, REGISTER, calendar, put, register, row, store

FULL, PARTIAL = procedures.INDICATORS
H1, H2, H3 = "H44.01", "H44.02", "H44.03"
TEXT = REGISTER + "  - {code: H44.03, name: C, block: departments, from: 2026-02-01}\n"
SERVED = [("s", H1, 20260101), ("t", H2, 20260101), ("s", H3, 20260101), ("t", H3, 20260101)]
DAY, NEVER = 86_400, None


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path, TEXT, SERVED)


def line(code: str, level: str | None, agency: str = "", **values: Any) -> Row:
    given = {"key": f"{code}@{agency}@{values.get('from_day')}", "code": code, "level": level, "agency_code": agency}
    return row(Procedure, **given | values)


def counts(engine: Engine, day: int, indicator: Any = FULL) -> dict[str, tuple[int, int, int]]:
    """Hits, judged and unknown of the agencies that have any procedure in force on a day."""
    with reading_store(engine) as connection:
        found = readings._counts(connection, indicator, PLAN, day, day)
    return {agency: three for agency, three in found.items() if any(three)}


CATALOGUE = (
    line("1", "full"),
    line("2", "partial"),
    line("3", "information"),
    line("4", None),
    line("5", "full", from_day=20260110),
    line("6", "full", to_day=20260120),
    line("7", "full", removed=1),
)

CASES: Sequence[tuple[str, Sequence[Row], int, tuple[int, int, int], tuple[int, int, int]]] = (
    # what is said, the catalogue of `s`, the day, online_full and online_partial of H44.01
    ("before one is in force", CATALOGUE, 20260109, (2, 4, 1), (1, 4, 1)),
    ("on its first day", CATALOGUE, 20260110, (3, 5, 1), (1, 5, 1)),
    ("on the last day of another", CATALOGUE, 20260120, (3, 5, 1), (1, 5, 1)),
    ("on the day after it", CATALOGUE, 20260121, (2, 4, 1), (1, 4, 1)),
    ("its own line goes first", [line("1", "full"), line("1", "partial", H1)], 20260115, (0, 1, 0), (1, 1, 0)),
    (
        "its own line, while it is in force",
        [line("1", "full"), line("1", "information", H1, to_day=20260114)],
        20260115,
        (1, 1, 0),
        (0, 1, 0),
    ),
    ("its own line does not tell", [line("1", "full"), line("1", None, H1)], 20260115, (0, 0, 1), (0, 0, 1)),
    ("another's line", [line("1", "full", H2)], 20260115, (0, 0, 0), (0, 0, 0)),
    (
        "of two lines the later one",
        [line("1", "partial"), line("1", "full", from_day=20260110)],
        20260115,
        (1, 1, 0),
        (0, 1, 0),
    ),
    ("only a dossier showed it", [line("1", "full", H1, listed=0)], 20260115, (0, 0, 1), (0, 0, 1)),
    (
        "a dossier showed otherwise than the catalogue",
        [line("1", "partial"), line("1", "full", H1, listed=0, from_day=20260110)],
        20260115,
        (0, 1, 0),
        (1, 1, 0),
    ),
)  # fmt: skip


@pytest.mark.parametrize(("said", "catalogue", "day", "full", "partial"), CASES, ids=[case[0] for case in CASES])
def test_a_procedure_in_force_on_a_day_counts_once_by_its_level(
    small: tuple[Engine, Register],
    said: str,
    catalogue: Sequence[Row],
    day: int,
    full: tuple[int, int, int],
    partial: tuple[int, int, int],
) -> None:
    put(*small, {Procedure: catalogue})
    assert counts(small[0], day).get(H1, (0, 0, 0)) == full, said
    assert counts(small[0], day, PARTIAL).get(H1, (0, 0, 0)) == partial, said
    assert H2 not in counts(small[0], day), "the source does not serve it"


def test_a_common_procedure_belongs_to_every_agency_that_the_source_serves_and_is_in_force(
    small: tuple[Engine, Register],
) -> None:
    put(*small, {Procedure: [line("1", "full")]}, "s")
    put(*small, {Procedure: [line("1", "partial"), line("2", "full")]}, "t")
    assert counts(small[0], 20260131) == {H1: (1, 1, 0), H2: (1, 2, 0)}
    # Both speak for H44.03, and each of its procedures counts once.
    assert counts(small[0], 20260201) == {H1: (1, 1, 0), H2: (1, 2, 0), H3: (1, 2, 0)}


def test_an_agency_is_known_in_the_catalogue_by_its_old_code_too(small: tuple[Engine, Register]) -> None:
    put(*small, {Procedure: [line("1", "full"), line("1", "partial", "000.00.02.H44")]}, "t")
    assert counts(small[0], 20260115) == {H2: (0, 1, 0)}


def test_whom_a_source_serves_is_learnt_from_the_settings_and_counted_anew(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(*small, {Procedure: [line("1", "full")]}, "s")
    assert counts(engine, 20260115) == {H1: (1, 1, 0)}
    with writing(engine) as connection:
        served = [("s", H1, 20260101), ("s", H2, 20260101)]
        assert refresh(connection, known, calendar(), PLAN, served).serving
        assert not refresh(connection, known, calendar(), PLAN, served[::-1]).serving
    assert counts(engine, 20260115) == {H1: (1, 1, 0), H2: (1, 1, 0)}


def test_a_register_that_learns_a_code_gives_the_agency_its_line(
    small: tuple[Engine, Register], tmp_path: Path
) -> None:
    engine, known = small
    put(engine, known, {Procedure: [line("1", "full"), line("1", "partial", "SNV")]})
    assert counts(engine, 20260115) == {H1: (1, 1, 0)}
    learnt = register(tmp_path, TEXT.replace("any: [a.example]", "any: [a.example, SNV]"))
    with writing(engine) as connection:
        assert refresh(connection, learnt, calendar(), PLAN).register
    assert counts(engine, 20260115) == {H1: (0, 1, 0)}


def test_a_catalogue_read_in_pieces_in_any_order_ends_in_the_same_offers(
    small: tuple[Engine, Register], tmp_path: Path
) -> None:
    at_once, known = store_of(tmp_path / "once")
    put(at_once, known, {Procedure: CATALOGUE})
    engine, known = small
    older = [line("1", "information"), line("9", "full")]
    put(engine, known, {Procedure: [(*one[:2], -1, *one[3:]) for one in older]})
    for one in reversed(CATALOGUE):
        put(engine, known, {Procedure: [one]})
    put(engine, known, {Procedure: [line("9", "full", removed=1)]})
    assert offers(engine) == offers(at_once)
    with writing(engine) as connection:
        before = connection.execute(select(cell).order_by(*cell.primary_key)).all()
        rebuild_all(connection, PLAN)
        assert connection.execute(select(cell).order_by(*cell.primary_key)).all() == before
    assert counts(engine, 20260115) == {H1: (3, 5, 1)}


def store_of(folder: Path) -> tuple[Engine, Register]:
    folder.mkdir()
    return store(folder, TEXT, SERVED)


def offers(engine: Engine) -> Sequence[Any]:
    with reading_store(engine) as connection:
        return connection.execute(select(offer).order_by(*offer.primary_key)).all()


def taken(small: tuple[Engine, Register], covered: Covered, now: int) -> dict[tuple[str, str], Reading]:
    engine, known = small
    with writing(engine) as connection:
        save(connection, "s", [Batch({}, None, covers=[covered])], known, PLAN)
    members = (Member(H1, "departments"), Member(H2, "departments"))
    serving = [Served("s", H1, 20260101, frozenset({"procedure"}), 2 * DAY)]
    world = World("H44", members, serving, now)
    january = parse_period("2026-01")
    with reading_store(engine) as connection:
        found = readings.take(connection, [FULL], PLAN, world, january, ("agency", "province"))
        explained = readings.explain(connection, FULL, found[0], january, world)
    named = [dict(zip(explained.columns, one, strict=True)) for one in explained.rows]
    assert sum(one["verdict"] == "hit" for one in named) == found[0].hits
    assert sum(one["verdict"] in ("hit", "miss") for one in named) == found[0].judged
    assert sum(one["verdict"] == "unknown" for one in named) == found[0].unknown
    return {(one.scope, one.agency): one for one in found}


def test_a_period_has_the_figure_of_its_last_covered_day(small: tuple[Engine, Register]) -> None:
    put(*small, {Procedure: [*CATALOGUE[:3], *CATALOGUE[4:]]})
    found = taken(small, Covered(Procedure, 20260101, 20260131), day_start(20260301))
    one = found["agency", H1]
    assert (one.state, one.through, one.hits, one.judged, one.unknown) == ("measured", 20260131, 2, 4, 0)
    missing = found["agency", H2]
    assert (missing.state, missing.hits, missing.judged, missing.through) == ("missing", 0, 0, None)


def test_an_open_month_has_the_figure_of_the_day_before(small: tuple[Engine, Register]) -> None:
    put(*small, {Procedure: [*CATALOGUE[:3], *CATALOGUE[4:]]})
    found = taken(small, Covered(Procedure, 20260101, 20260118), day_start(20260119) + 8 * 3600)
    one = found["agency", H1]
    assert (one.state, one.through, one.hits, one.judged) == ("measured", 20260118, 3, 5)


def test_an_agency_of_which_only_dossiers_tell_has_no_figure(small: tuple[Engine, Register]) -> None:
    put(*small, {Procedure: [line("1", "full", H1, listed=0)]})
    one = taken(small, Covered(Procedure, 20260101, 20260131), day_start(20260301))["agency", H1]
    assert (one.state, one.value) == ("missing", None)


def test_an_empty_catalogue_is_not_applicable_and_neither_0_nor_100_percent(small: tuple[Engine, Register]) -> None:
    one = taken(small, Covered(Procedure, 20260101, 20260131), day_start(20260301))["agency", H1]
    assert (one.state, one.value) == ("not_applicable", None)
