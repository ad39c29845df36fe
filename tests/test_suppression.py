"""What may not be told of persons cannot be worked out either: an attacker solves for it with all that is told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert

from collector import readings
from collector.contract.connector import Batch, Covered
from collector.contract.indicator import Indicator
from collector.contract.period import Period, day_start, parse_period, plus_days
from collector.contract.reading import Reading, Score
from collector.contract.records import Mailbox, MailboxDay
from collector.contract.tables import agency_term
from collector.readings import Member, Served, World
from collector.sinks import json_shapes
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.save import save
from collector.store.schema import cell, coverage, group_size
from collector.suppression import Veil, lay
from indicators.scoring.model import Band, Block, Criterion, Model
from indicators.scoring.points import score
from tests.store.small import INDICATORS, PLAN, put, row, store

OF_PERSONS = tuple(one for one in INDICATORS if one.group is not None)
DAILY_USE = next(one for one in INDICATORS if one.id == "mailboxes.daily_use")
PROVISIONED = next(one for one in INDICATORS if one.id == "mailboxes.provisioned")
FEBRUARY = parse_period("2026-02")
LEAST = 5


# -- veils of one day --------------------------------------------------------------------------------------------


def laid(*sizes: tuple[str, str, int]) -> set[tuple[str, str]]:
    return {("+".join(sorted(veil.agencies)), veil.told_in) for veil in lay(sizes, LEAST)}


def test_where_all_are_large_nothing_is_hidden() -> None:
    assert laid(("a", "x", 5), ("b", "x", 9), ("c", "y", 5)) == set()


def test_one_small_agency_takes_the_next_smallest_of_its_block_with_it() -> None:
    assert laid(("a", "x", 4), ("b", "x", 9), ("c", "x", 6), ("d", "x", 6)) == {("a+c", "block")}


def test_small_agencies_that_are_too_few_together_take_one_more() -> None:
    assert laid(("a", "x", 2), ("b", "x", 2), ("c", "x", 7), ("d", "x", 8)) == {("a+b+c", "block")}
    assert laid(("a", "x", 2), ("b", "x", 3), ("c", "x", 7), ("d", "x", 8)) == {("a+b", "block")}


def test_a_block_with_nobody_to_hide_behind_is_hidden_with_the_smallest_other_block() -> None:
    assert laid(("a", "x", 4), ("b", "y", 9), ("c", "y", 6), ("d", "z", 8)) == {("a+d", "province")}
    assert laid(("a", "x", 4), ("b", "y", 2), ("c", "y", 6), ("d", "z", 88)) == {("a+b+c", "province")}
    assert laid(("a", "x", 4), ("b", "y", 3), ("c", "z", 6)) == {("a+b", "province")}


def test_a_province_with_nobody_to_hide_behind_tells_nothing() -> None:
    assert laid(("a", "x", 4)) == {("a", "nothing")}
    assert laid(("a", "x", 1), ("b", "y", 2)) == {("a+b", "nothing")}


# -- what is told of a small store -------------------------------------------------------------------------------


def boxes(prefix: str, count: int, agency: str, month: int = 20260201, **more: Any) -> list[Any]:
    return [
        row(
            Mailbox,
            key=f"{month // 100}:{prefix}{n}",
            agency_code=agency,
            month_day=month,
            pseudonym=f"{prefix}{n}",
            kind="personal",
            first_listed_day=month,
            **more,
        )
        for n in range(count)
    ]


def small_store(folder: Path, sizes: Mapping[str, int]) -> tuple[Engine, World]:
    engine, known = store(folder)
    rows = [one for agency, count in sizes.items() for one in boxes(agency[0], count, agency)]
    use = [
        row(
            MailboxDay,
            key=f"20260202:{agency[0]}0:f",
            pseudonym=f"{agency[0]}0",
            day=20260202,
            span="f",
            sessions=1,
            sent=0,
        )
        for agency in sizes
    ]
    put(engine, known, {Mailbox: rows, MailboxDay: use})
    covers = [Covered(record, 20260201, 20260228) for record in (Mailbox, MailboxDay)]
    with writing(engine) as connection:
        save(connection, "s", [Batch({}, None, covers=covers)], known, PLAN)
    members = (Member("H44.01", "departments"), Member("H44.02", "departments"))
    records = frozenset({"mailbox", "mailbox_day"})
    serving = [Served("s", one.code, 20260101, records, 0) for one in members]
    return engine, World("H44", members, serving, day_start(20260301))


def taken(
    engine: Engine, world: World, indicator: Indicator = DAILY_USE, period: Period = FEBRUARY
) -> dict[str, Reading]:
    with reading_store(engine) as connection:
        found = readings.take(connection, [indicator], PLAN, world, period, ("agency", "block", "province"))
    return {one.agency: one for one in found}


def test_a_figure_of_four_mailboxes_is_told_by_nobody_and_neither_is_the_one_that_would_reveal_it(
    tmp_path: Path,
) -> None:
    engine, world = small_store(tmp_path, {"a.example": 4, "b.example": 9})
    found = taken(engine, world)
    for agency in ("H44.01", "H44.02"):
        one = found[agency]
        assert (one.state, one.suppressed, one.hits, one.judged, one.unknown) == ("measured", True, None, None, None)
        assert (one.value, one.percentage) == (None, None)
        assert "fewer than 5 mailboxes" in one.why
        shape = json_shapes.reading(one)
        assert [shape[name] for name in ("hits", "judged", "unknown", "value")] == [None] * 4
        assert shape["suppressed"] is True
    # 15 working days in February: 13 mailboxes, of which two were used once.
    assert (found["departments"].hits, found["departments"].judged) == (2, 15 * 13)
    assert found["departments"].suppressed is False


def test_five_mailboxes_are_enough(tmp_path: Path) -> None:
    engine, world = small_store(tmp_path, {"a.example": 5, "b.example": 9})
    found = taken(engine, world)
    assert [found[code].suppressed for code in ("H44.01", "H44.02", "departments", "H44")] == [False] * 4
    assert (found["H44.01"].hits, found["H44.01"].judged) == (1, 15 * 5)


def test_a_province_that_is_one_small_agency_tells_no_figure_and_gives_no_points(tmp_path: Path) -> None:
    engine, world = small_store(tmp_path, {"a.example": 4})
    found = taken(engine, world)
    assert [found[code].suppressed for code in ("H44.01", "departments", "H44")] == [True] * 3
    assert found["H44.01"].merged is None
    (first, *_) = scores(found.values())
    assert [first.points_low, first.points_high] == [0, 1000]


def scores(found: Iterable[Reading]) -> list[Score]:
    block = Block("departments", "Sở", (Criterion("1", "mailboxes.daily_use", Decimal(1000)),))
    model = Model((block,), (Band("all", Decimal(0)),), Decimal(0))
    return score(model, found, {"H44.01": "departments", "H44.02": "departments"})


def test_points_of_a_suppressed_agency_come_from_all_that_is_hidden_with_it(tmp_path: Path) -> None:
    engine, world = small_store(tmp_path, {"a.example": 4, "b.example": 9})
    found = taken(engine, world)
    assert found["H44.01"].merged == found["H44.02"].merged == (2, 15 * 13)
    expected = Decimal("10.26")  # 2 of 15 x 13, times 1,000
    assert [(one.agency, one.points) for one in scores(found.values())] == [("H44.01", expected), ("H44.02", expected)]


def test_the_days_of_a_suppressed_figure_are_explained_without_counts(tmp_path: Path) -> None:
    engine, world = small_store(tmp_path, {"a.example": 4, "b.example": 9})
    with reading_store(engine) as connection:
        explained = readings.explain(connection, DAILY_USE, taken(engine, world)["H44.01"], FEBRUARY, world)
    assert len(explained.rows) == 15
    assert {tuple(line)[1:] for line in explained.rows} == {(None, None, None)}


def test_words_that_say_why_hold_no_count_of_a_suppressed_figure(tmp_path: Path) -> None:
    engine, world = small_store(tmp_path, {"a.example": 4, "b.example": 9})
    with writing(engine) as connection:
        connection.execute(cell.update().values(unknown=3, judged=0, hits=0))
    one = taken(engine, world)["H44.01"]
    assert one.state == "missing"
    assert one.why.startswith("none of those counted can be judged; not told")
    with writing(engine) as connection:
        connection.execute(cell.update().values(unknown=3, judged=6, hits=0))
    one = taken(engine, world)["H44.01"]
    assert one.state == "partial"
    assert one.why.startswith("too many cannot be judged; not told")


def test_who_grows_within_a_month_is_told_for_the_days_on_which_it_is_large(tmp_path: Path) -> None:
    engine, world = small_store(tmp_path, {"a.example": 6, "b.example": 9})
    with writing(engine) as connection:
        connection.execute(
            group_size.update().where(group_size.c.agency == "H44.01", group_size.c.day < 20260210).values(size=4)
        )
    assert taken(engine, world)["H44.01"].suppressed
    assert taken(engine, world, PROVISIONED)["H44.01"].suppressed is False, "its day is the last one"
    assert taken(engine, world, period=parse_period("2026-02-09"))["H44.01"].suppressed
    assert taken(engine, world, period=parse_period("2026-02-10"))["H44.01"].suppressed is False


def test_an_indicator_of_persons_without_a_group_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="names no group"):
        replace(DAILY_USE, group=None)


# -- the attacker ------------------------------------------------------------------------------------------------

FIRST, DAYS = 20260130, 4
"""Two days of January and two of February: two months and a year of them."""

PERIODS = [parse_period(text) for text in ("2026-01", "2026-02", "2026-Q1", "2026")]
PERIODS += [parse_period(text) for text in ("2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02")]
PRIME = 2**61 - 1


@dataclass(frozen=True, slots=True)
class Case:
    """A province: of each agency its block, whether it is outside, its size on each day, and its covered days."""

    blocks: Sequence[str]
    outside: Sequence[bool]
    sizes: Sequence[Sequence[int]]
    covered: Sequence[int]


def day(number: int) -> int:
    return plus_days(FIRST, number)


@st.composite
def provinces(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 6))

    def of_each(values: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(values, min_size=count, max_size=count))

    size = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 30])
    by_day = st.one_of(size.map(lambda one: [one] * DAYS), st.lists(size, min_size=DAYS, max_size=DAYS))
    outside = of_each(st.booleans()) if draw(st.integers(0, 3)) == 0 else [False] * count
    covered = of_each(st.integers(0, DAYS)) if draw(st.booleans()) else [DAYS] * count
    return Case(of_each(st.sampled_from("xyz")), outside, of_each(by_day), covered)


def place(agency: int, number: int) -> int:
    return agency * DAYS + number


def fill(connection: Connection, case: Case) -> World:
    """Each agency-day's count is a power of two of its own: a sum of them tells which ones it is made of."""
    for table in (cell, group_size, agency_term):
        connection.execute(delete(table))
    members = []
    for n, block in enumerate(case.blocks):
        code = f"A{n}"
        connection.execute(insert(agency_term).values(agency=code, from_day=20250101, block=block))
        members.append(Member(code, block, 0, None, "why" if case.outside[n] else ""))
        for number, size in enumerate(case.sizes[n]):
            at = {"agency": code, "day": day(number)}
            if size:
                connection.execute(insert(group_size).values(group="mailboxes", size=size, **at))
                counts = {"hits": 0, "judged": 1 << place(n, number), "unknown": 0}
                for indicator in OF_PERSONS:
                    connection.execute(insert(cell).values(indicator=indicator.id, **at, **counts))
    records = frozenset({"mailbox", "mailbox_day"})
    serving = [Served(f"s{n}", f"A{n}", FIRST, records, 0) for n in range(len(case.blocks))]
    return World("P", members, serving, day_start(20260301))


def cover(connection: Connection, covered: Sequence[int]) -> None:
    connection.execute(delete(coverage))
    for n, days in enumerate(covered):
        for number in range(days):
            for record in ("mailbox", "mailbox_day"):
                connection.execute(insert(coverage).values(source=f"s{n}", record=record, day=day(number)))


def told(connection: Connection, world: World, indicator: Indicator) -> Iterator[int]:
    """Every number that is told, in whatever output."""
    for period in PERIODS:
        for one in readings.take(connection, [indicator], PLAN, world, period, ("agency", "block", "province")):
            shape = json_shapes.reading(one)
            if one.suppressed:
                assert [shape[name] for name in ("hits", "judged", "unknown", "value")] == [None] * 4
            else:
                yield shape["judged"]
            if one.merged is not None:  # its points tell it
                yield one.merged[1]
            if one.scope == "agency":
                rows = json_shapes.explanation(readings.explain(connection, indicator, one, period, world))["rows"]
                yield from (line["judged"] for line in rows if line["judged"] is not None)


def known_alone(numbers: Iterable[int], places: Sequence[int]) -> bool:
    """Whether some sum and difference of numbers is made of some agency-days alone: told by elimination.

    All other agency-days are eliminated first; what is then left, and is not nothing, is made of those alone.
    """
    wanted = set(places)
    rows = [{at: 1 for at in range(DAYS * 6) if number >> at & 1} for number in set(numbers) if number]
    for at in (at for at in range(DAYS * 6) if at not in wanted):
        pivot = next((one for one in rows if at in one), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        inverse = pow(pivot[at], -1, PRIME)
        for one in rows:
            if at in one:
                factor = one[at] * inverse % PRIME
                for other, value in pivot.items():
                    left = (one.get(other, 0) - factor * value) % PRIME
                    if left:
                        one[other] = left
                    else:
                        one.pop(other, None)
    return any(rows)


def small_groups(case: Case) -> Iterator[list[int]]:
    """Sets of agency-days, each with all of fewer than five persons behind it, that no other such set holds."""
    kinds = [sorted({0, *(size for size in sizes if 0 < size < LEAST)}) for sizes in case.sizes]
    for most in product(*kinds):
        if 0 < sum(most) < LEAST:
            yield [
                place(n, number)
                for n, sizes in enumerate(case.sizes)
                for number, size in enumerate(sizes)
                if 0 < size <= most[n]
            ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return store(tmp_path_factory.mktemp("attacked"))[0]


def attack(engine: Engine, case: Case, indicator: Indicator) -> list[list[int]]:
    """The small groups whose counts can be worked out from all that is told, today and on each day before."""
    numbers: set[int] = set()
    with engine.connect().execution_options(writes=True) as connection, connection.begin() as transaction:
        world = fill(connection, case)
        for until in range(1, DAYS + 1):
            cover(connection, [min(days, until) for days in case.covered])
            numbers.update(told(connection, world, indicator))
        transaction.rollback()
    return [group for group in small_groups(case) if known_alone(numbers, group)]


def test_the_attacker_finds_what_is_told_of_a_small_group(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Case("xxx", [False] * 3, [[4] * DAYS, [9] * DAYS, [9] * DAYS], [DAYS] * 3)
    assert attack(engine, alone, DAILY_USE) == []

    def only_the_small_ones(sizes: Any, least: int) -> list[Veil]:
        return [Veil(frozenset({agency}), "block") for agency, _, size in sizes if size < least]

    with monkeypatch.context() as patched:  # the block less the others
        patched.setattr("collector.suppression.lay", only_the_small_ones)
        assert attack(engine, alone, DAILY_USE)
    with monkeypatch.context() as patched:  # nothing is suppressed
        patched.setattr("collector.suppression.lay", lambda *_: [])
        assert attack(engine, alone, DAILY_USE)


@pytest.mark.long
@pytest.mark.parametrize("indicator", OF_PERSONS, ids=lambda one: one.id)
def test_from_all_that_is_told_no_count_of_fewer_than_five_persons_can_be_worked_out(
    engine: Engine, indicator: Indicator, scale: Any
) -> None:
    @settings(max_examples=scale(400), deadline=None, suppress_health_check=list(HealthCheck))
    @given(provinces())
    def property_(case: Case) -> None:
        assert attack(engine, case, indicator) == []

    property_()
