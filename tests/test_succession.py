"""The merger of 1 July 2025, read night by night from a register of dossiers that went on writing what it liked.

Communes, what they were made of and their numbers are real: resolutions 202/2025/QH15 and 1676/NQ-UBTVQH15, and the
list of administrative units before and after. A new commune has the number of one of those that it was made of, not
always the one whose name it has: Bản Nguyên has that of Cao Xá. Codes (H44.…, H62.…) are made up.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert, update

from collector import cli, succession
from collector.agencies import Legacy
from collector.assembly import Assembly, assemble, find_indicators
from collector.clock import fixed_clock
from collector.collect import Wanted, collect
from collector.compare.totals import compare
from collector.contract.connector import Batch, Covered, Days
from collector.contract.indicator import Indicator
from collector.contract.period import days, parse_period, plus_days
from collector.contract.reading import Reading
from collector.contract.records import Dossier, Probe
from collector.contract.reported import Report, Total
from collector.readings import explain, take
from collector.sinks import terminal
from collector.store.engine import reading, writing
from collector.store.save import save
from collector.succession import Piece, pieces
from tests.connectors.onestop.dossier_tables import hoso_row, hoso_site, time
from tests.connectors.onestop.opencps_double import at
from tests.end_to_end.program import configure
from tests.store.small import row

# The number and name of a commune of today, and those of the communes that it was made of.
MERGED = {
    ("08494", "Xã Lâm Thao"): (
        ("08494", "Thị trấn Lâm Thao"),
        ("08498", "Thị trấn Hùng Sơn"),
        ("08512", "Xã Thạch Sơn"),
    ),
    ("08500", "Xã Xuân Lũng"): (("08497", "Xã Tiên Kiên"), ("08509", "Xã Xuân Huy"), ("08500", "Xã Xuân Lũng")),
    ("08521", "Xã Phùng Nguyên"): (("08536", "Xã Tứ Xã"), ("08518", "Xã Sơn Vi"), ("08521", "Xã Phùng Nguyên")),
    ("08527", "Xã Bản Nguyên"): (("08527", "Xã Cao Xá"), ("08533", "Xã Vĩnh Lại"), ("08539", "Xã Bản Nguyên")),
    ("08914", "Xã Đạo Trù"): (("08917", "Xã Yên Dương"), ("08914", "Xã Đạo Trù")),  # of Vĩnh Phúc
}
LAST, FIRST = 20250630, 20250701
NIGHTS = (20250301, 20250629, 20250630, 20250701, 20250703, 20250707, 20250731, 20250930)
"""The days after which the register is read."""
NEVER = 99991231


@dataclass(frozen=True)
class Unit:
    """An agency as the law has it: what it is called by systems, and who took over what."""

    code: str
    name: str
    written: str
    block: str
    begin: int = 0
    end: int = NEVER
    heir: str = ""
    among: tuple[str, ...] = ()


def units() -> dict[str, Unit]:
    found = [
        Unit("H44.11", "Sở Thông tin và Truyền thông", "stttt", "departments", end=20250228, heir="H44.14"),
        Unit("H44.14", "Sở Khoa học và Công nghệ", "skhcn", "departments"),
        Unit("H44.08545", "Xã Thu Cúc", "08545", "communes"),  # one of the two that nothing was done to
        Unit(
            *("H44.237", "Huyện Lâm Thao", "237", "districts"),
            end=LAST,
            among=("H44.1.08494", "H44.1.08500", "H44.1.08521", "H44.1.08527"),
        ),
    ]
    for (number, name), parts in MERGED.items():
        today = f"H44.1.{number}"
        found.append(Unit(today, name, number, "communes", begin=FIRST))
        former = "H62" if number == "08914" else "H44"
        found += [Unit(f"{former}.0.{old}", called, old, "communes", 0, LAST, today) for old, called in parts]
    return {one.code: one for one in found}


UNITS = units()


def register() -> str:
    blocks = "".join(
        f"  {one}: {{title_vi: {one}, title_en: {one}}}\n" for one in ("departments", "districts", "communes")
    )
    lines = []
    for one in UNITS.values():
        line = f"code: {one.code}, name: {one.name}, block: {one.block}, aliases: {{onestop: ['{one.written}']}}"
        line += f", from: {day(one.begin)}" if one.begin else ""
        line += f", to: {day(one.end)}" if one.end != NEVER else ""
        line += f", successor: {one.heir}" if one.heir else ""
        line += f", divided_among: [{', '.join(one.among)}]" if one.among else ""
        lines.append(f"  - {{{line}}}\n")
    return f"blocks:\n{blocks}agencies:\n{''.join(lines)}"


def day(number: int) -> str:
    return f"{number // 10_000}-{number // 100 % 100:02d}-{number % 100:02d}"


# -- what happened -------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A dossier; `written` in the end, `entered` the night before which its row appeared."""

    number: str
    written: str
    received: int
    due: int
    completed: int | None
    entered: int


def happened(random: Random) -> tuple[list[Case], dict[int, list[tuple[str, dict[str, Any]]]]]:
    """Dossiers, and by day what the register's rows became on it."""
    cases: list[Case] = []
    rows: dict[int, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    olds = [old for parts in MERGED.values() for old, _ in parts]
    news = [number for number, _ in MERGED]
    every = list(days(20250617, 20250711))

    def note(written: str, received: int, then: str = "", moved: int = 0) -> None:
        number = f"{len(cases):05d}"
        due = plus_days(received, random.randrange(5, 40))
        completed = plus_days(received, random.randrange(1, 60)) if random.random() < 0.85 else None
        # Some are entered late: received under the old code in June, and in the register only in July.
        entered = received if random.random() < 0.8 else plus_days(received, random.randrange(1, 12))
        rows[entered].append((number, hoso_row(received, due, DonViId=written, LastModifiedOn=time(entered, 20))))
        if completed is not None:
            done = {"NgayKetThucXuLy": time(completed, 10), "TrangThaiHoSoId": "9"}
            later = max(completed, entered)
            rows[later].append((number, {**done, "LastModifiedOn": time(later, 21)}))
        if then:
            rows[max(moved, entered)].append(
                (number, {"DonViId": then, "LastModifiedOn": time(max(moved, entered), 22)})
            )
        cases.append(Case(number, then or written, received, due, completed, entered))

    for received in every:
        for _ in range(8):
            # Before, the old numbers. After, the new ones, or the old ones all the same; and some rows of June are
            # given the number or the code of the commune of today.
            old = random.choice(olds)
            today = next(number for (number, _), parts in MERGED.items() if old in dict(parts))
            if received <= LAST:
                kind = random.random()
                then = "" if kind < 0.6 else today if kind < 0.8 else f"H44.1.{today}"
                note(old, received, then, 20250703)
            else:
                note(random.choice((old, today, random.choice(news))), received)
        note("237", received)
        note("08545", received)
        note(random.choice(("stttt", "skhcn")), received)
    for received in (20250110, 20250120, 20250227):
        note("stttt", received)
        note("skhcn", received)
    return cases, rows


# -- who answers for it: the law again, in other words ----------------------------------------------------------------


def answers(code: str, on: int) -> str:
    """The agency that answers on a day for what an agency left."""
    one = UNITS[code]
    return answers(one.heir, on) if one.end < on and one.heir else code


def owner(case: Case) -> str | None:
    bore = [one for one in UNITS.values() if case.written in (one.written, one.code)]
    for one in bore:
        if one.begin <= case.received <= one.end:
            return one.code
    for one in bore:
        if one.end < case.received:
            return answers(one.code, case.received) if one.heir else None
    origins = [one for one in UNITS.values() if one.heir == bore[0].code]
    return origins[0].code if len(origins) == 1 else bore[0].code


Counts = dict[str, tuple[int, int, int]]


def counted(cases: list[Case], indicator: str, period: str, whose: Callable[[str], str] = lambda code: code) -> Counts:
    """hits, judged, unknown of each agency, one dossier at a time."""
    span = parse_period(period)
    last = min(span.last, 20250930)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for case in cases:
        agency = owner(case)
        if agency is None:
            continue
        done = case.completed is not None and span.first <= case.completed <= last
        if indicator == "dossiers.resolved":
            if done:
                one = found[whose(answers(agency, case.completed or 0))]
                one[0] += 1
                one[1] += 1
            elif case.received <= last and (case.completed is None or case.completed > last):
                found[whose(answers(agency, last))][1] += 1
        elif done and case.completed is not None:
            one = found[whose(answers(agency, case.completed))]
            one[1] += 1
            one[0] += case.completed <= case.due
    return {agency: (one[0], one[1], one[2]) for agency, one in found.items()}


# -- the program -------------------------------------------------------------------------------------------------------


_CRITERION = "{id: '1', title_vi: x, indicator: dossiers.on_time_766, maximum: 1000}"
SCORING = f"""\
minimum_measured: 0.5
bands: [{{name: all, at_least: 0}}]
blocks:
  departments: {{title_vi: x, criteria: [{_CRITERION}]}}
  communes: {{title_vi: x, criteria: [{_CRITERION}]}}
"""


@dataclass
class World:
    assembly: Assembly
    cases: list[Case]
    config: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All that was read by the first of October."""
    folder = tmp_path_factory.mktemp("merger")
    url = f"sqlite:///{folder / 'onestop.db'}"
    settings = f"""\
province: {{name: Phú Thọ, code: H44}}
agencies: agencies.yaml
workdays: workdays/
scoring: scoring.yaml
state: state
sources:
  onestop:
    connector: onestop.sql_register
    door: {{kind: sql, url: {url}}}
    from: 2025-01-01
    serves: all
    probe: {{at: "tcp://127.0.0.1:9"}}
    config: {{preset: hoso, time_zone: Asia/Ho_Chi_Minh}}
"""
    files = {"collector.yaml": settings, "agencies.yaml": register(), "scoring.yaml": SCORING}
    cases, rows = happened(Random(1))
    with ExitStack() as running:
        site = running.enter_context(hoso_site(url))
        program = configure(folder / "collector", files).folder / "collector.yaml"
        assembly = running.enter_context(assemble(program, {}))
        source = assembly.settings.sources["onestop"]
        for upto in NIGHTS:
            with site.engine.begin() as connection:
                for when in sorted(one for one in rows if one <= upto):
                    for number, columns in rows.pop(when):
                        new = "NgayTiepNhan" in columns
                        change = insert(site.table) if new else update(site.table).where(site.table.c.MaHoSo == number)
                        connection.execute(change.values(MaHoSo=number, **columns))
            now = replace(assembly, clock=fixed_clock(at(plus_days(upto, 1), 0, 30)))
            outcome = collect(
                now.job(source), now.tools, Wanted(), wait=False, says=lambda _: None, progress=lambda _: None
            )
            assert (outcome.failure, outcome.saved.quarantined) == (None, 0)
        assert not rows
        yield World(now, cases, program)


def taken(world: World, period: str, scopes: Any = ("agency",)) -> list[Reading]:
    assembly, span = world.assembly, parse_period(period)
    indicators = [assembly.indicator(one) for one in FIGURES]
    with reading(assembly.engine) as connection:
        return take(connection, indicators, assembly.tallies, assembly.world(span), span, scopes)


FIGURES = ("dossiers.on_time_766", "dossiers.resolved")
PERIODS = ("2025-02", "2025-06", "2025-Q2", "2025-07", "2025-Q3", "2025")


def by_agency(readings: list[Reading], indicator: str) -> dict[str, tuple[int | None, ...]]:
    return {one.agency: (one.hits, one.judged, one.unknown) for one in readings if one.indicator == indicator}


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("indicator", FIGURES)
def test_each_agency_has_what_it_answers_for_and_the_province_has_all(
    world: World, indicator: str, period: str
) -> None:
    true = counted(world.cases, indicator, period)
    found = taken(world, period, ("agency", "province"))
    agencies = by_agency([one for one in found if one.scope == "agency"], indicator)
    assert {code: three for code, three in agencies.items() if three != (0, 0, 0)} == true
    total = tuple(sum(three[part] for three in true.values()) for part in range(3))
    assert by_agency([one for one in found if one.scope == "province"], indicator)["H44"] == total
    assert total[1] or period == "2025-02"


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("indicator", FIGURES)
def test_a_merged_figure_is_that_of_all_that_became_one(world: World, indicator: str, period: str) -> None:
    last = parse_period(period).last
    true = counted(world.cases, indicator, period, lambda code: answers(code, last))
    found = by_agency(world.assembly.merged(taken(world, period), last), indicator)
    assert {code: three for code, three in found.items() if three != (0, 0, 0)} == true


@pytest.mark.parametrize("period", ["2025-06", "2025-07", "2025"])
def test_the_rows_behind_a_figure_are_those_that_it_counts(world: World, period: str) -> None:
    assembly, span = world.assembly, parse_period(period)
    for one in taken(world, period):
        with reading(assembly.engine) as connection:
            rows = explain(connection, assembly.indicator(one.indicator), one, span, assembly.world(span)).rows
        verdicts = [row.verdict for row in rows]
        assert (verdicts.count("hit"), len(verdicts)) == (one.hits, one.judged), one
        assert len({row.key for row in rows}) == len(rows)


def test_a_quarter_after_the_merger_is_clean_and_the_year_is_measured_up_to_each_ones_last_day(world: World) -> None:
    quarter = {one.agency: one for one in taken(world, "2025-Q3") if one.indicator == "dossiers.on_time_766"}
    assert quarter.keys() == {one.code for one in UNITS.values() if one.end == NEVER} | {"H44.237"}
    assert quarter["H44.1.08527"].state == "measured"
    year = {one.agency: one for one in taken(world, "2025") if one.indicator == "dossiers.on_time_766"}
    assert (year["H44.0.08527"].state, year["H44.0.08527"].through) == ("measured", LAST)
    assert (year["H44.1.08527"].state, year["H44.1.08527"].through) == ("measured", 20250930)
    assert (year["H44.11"].through, year["H44.237"].through) == (20250228, LAST)
    wider = {one.agency: one for one in taken(world, "2025", ("block", "province")) if one.indicator == FIGURES[0]}
    assert (wider["H44"].state, wider["H44"].through) == ("measured", 20250930), "who has ended holds nobody back"
    assert (wider["districts"].state, wider["districts"].through) == ("measured", LAST)


def test_what_a_divided_district_left_stays_to_be_seen_and_its_code_means_nobody_from_then_on(world: World) -> None:
    left = [one for one in world.cases if owner(one) == "H44.237" and (one.completed or 0) > LAST]
    assert left
    quarter = by_agency(taken(world, "2025-Q3"), "dossiers.on_time_766")
    assert quarter["H44.237"][1] == len(left)
    later = {one.number for one in world.cases if one.written == "237" and one.received > LAST}
    with reading(world.assembly.engine) as connection:
        unknown = connection.exec_driver_sql("SELECT key FROM dossier WHERE agency IS NULL").scalars().all()
    assert later
    assert set(unknown) == later


def test_a_figure_about_persons_is_merged_only_of_what_may_be_told(world: World) -> None:
    some = {one.agency: one for one in taken(world, "2025") if one.indicator == "dossiers.resolved"}
    hidden = replace(some["H44.0.08539"], hits=None, judged=None, unknown=None, suppressed=True)
    found = world.assembly.merged([some["H44.0.08527"], hidden, some["H44.1.08527"]], 20251231)
    assert [(one.agency, one.hits, one.judged, one.suppressed) for one in found] == [("H44.1.08527", None, None, True)]


def test_a_source_that_tells_one_total_for_all_that_became_one_is_compared_with_all_of_it(world: World) -> None:
    assembly, july = world.assembly, parse_period("2025-07")
    true = counted(world.cases, FIGURES[0], "2025-07")
    on_time = assembly.indicator("dossiers.on_time")
    with reading(assembly.engine) as connection:
        readings = take(connection, [on_time], assembly.tallies, assembly.world(july), july)
        for number, _ in MERGED:
            unit = f"H44.1.{number}"
            total = Total(number, "completed", true[unit][1])
            report = Report(Dossier, Days(july.first, july.last), [total])
            known = {one.agency: one for one in readings}
            found = compare(connection, assembly.register, "onestop", [report], on_time, {Dossier: known}, [unit])
            (one,) = found.totals
            assert (one.agency, one.ours, one.unexplained) == (unit, true[unit][1], 0)


def test_a_system_that_served_all_that_became_one_was_asked_once(world: World) -> None:
    """Of each day a probe; on 30 June it served three communes, from 1 July on the one."""
    assembly, july = world.assembly, parse_period("2025")
    available = assembly.indicator("systems.available")
    probes = [
        row(Probe, key=str(day_), day=day_, planned=288, answered=280, silent=8, excused=0, begun=0, settled=0)
        for day_ in (20250629, LAST, FIRST)
    ]
    batch = Batch({Probe: probes}, None, covers=[Covered(Probe, 20250101, 20250930)])
    with writing(assembly.engine) as connection:
        save(connection, "onestop", [batch], assembly.register, assembly.tallies)
    with reading(assembly.engine) as connection:
        found = take(connection, [available], assembly.tallies, assembly.world(july), july, ("agency", "province"))
    counts = by_agency([one for one in found if one.scope == "agency"], available.id)
    assert counts["H44.0.08498"] == (560, 576, 0)
    assert counts["H44.1.08494"] == (280, 288, 0)
    assert by_agency([one for one in found if one.scope == "province"], available.id)["H44"] == (840, 864, 0)
    assert by_agency(assembly.merged(found, 20251231), available.id)["H44.1.08494"] == (840, 864, 0)


# -- ranks -------------------------------------------------------------------------------------------------------------


def places(true: Mapping[str, tuple[int, int, int]], block: list[str]) -> dict[str, int]:
    """Competition ranks by points of 1,000 to two places, half up."""
    points = {one: (true[one][0] * 200_000 + true[one][1]) // (2 * true[one][1]) for one in block if one in true}
    return {one: 1 + sum(other > own for other in points.values()) for one, own in points.items()}


def test_the_change_of_a_rank_goes_through_what_an_agency_took_over(world: World) -> None:
    assembly, span = world.assembly, parse_period("2025-Q3")
    scores = assembly.changes(assembly.rank(taken(world, "2025-Q3"), span), taken(world, "2025-Q2"), span)
    communes = [one.code for one in UNITS.values() if one.block == "communes" and one.end == NEVER]
    now = places(counted(world.cases, FIGURES[0], "2025-Q3"), communes)
    then = places(counted(world.cases, FIGURES[0], "2025-Q2", lambda code: answers(code, span.last)), communes)
    assert set(communes) == now.keys() > then.keys(), "one has nothing to compare with"
    own = {one.agency: one for one in scores if one.block == "communes"}
    assert {one.agency: one.rank for one in own.values()} == now
    assert {one.agency: one.change for one in own.values()} == {
        code: then[code] - now[code] if code in then else None for code in communes
    }
    assert any(one.change for one in own.values())


def test_a_year_ranks_who_is_there_at_its_end_and_lists_the_others_with_the_reason(world: World) -> None:
    assembly, span = world.assembly, parse_period("2025")
    scores = {one.agency: one for one in assembly.rank(taken(world, "2025"), span)}
    assert scores["H44.0.08512"].rank is None
    assert scores["H44.0.08512"].why == "it ended on 2025-06-30; H44.1.08494 took over"
    assert "H44.237" not in scores, "the scoring model has no block of districts any more"
    merged = assembly.rank(assembly.merged(taken(world, "2025"), span.last), span)
    communes = [one.code for one in UNITS.values() if one.block == "communes" and one.end == NEVER]
    true = counted(world.cases, FIGURES[0], "2025", lambda code: answers(code, span.last))
    assert {one.agency: one.rank for one in merged if one.block == "communes"} == places(true, communes)


# -- the command line --------------------------------------------------------------------------------------------------

Said = Callable[..., Any]


@pytest.fixture
def said(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    def run(*arguments: str) -> Any:
        monkeypatch.setattr("sys.argv", ["collector", *arguments, "--json", "--config", str(world.config)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return json.loads(printed.out) if not ended.value.code else printed.err

    return run


def test_an_explanation_shows_the_rows_of_all_that_became_one(world: World, said: Said) -> None:
    true = counted(world.cases, FIGURES[0], "2025", lambda code: answers(code, 20251231))["H44.1.08494"]
    merged = said("explain", FIGURES[0], "H44.1.08494", "2025", "--merged")
    assert (merged["hits"], merged["judged"], len(merged["rows"])) == (true[0], true[1], true[1])
    own = said("explain", FIGURES[0], "H44.1.08494", "2025")
    former = said("explain", FIGURES[0], "H44.0.08494", "2025")
    assert 0 < len(former["rows"]) == former["judged"] < len(own["rows"]) == own["judged"] < true[1]
    assert "H44.0.08512 was not there in 2025-Q3" in said("explain", FIGURES[0], "H44.0.08512", "2025-Q3")


def test_agencies_tells_who_came_before_and_after_whom(said: Said) -> None:
    found = {one["code"]: one for one in said("agencies")}
    assert found["H44.1.08494"]["predecessors"] == ["H44.237", "H44.0.08494", "H44.0.08498", "H44.0.08512"]
    assert (found["H44.0.08512"]["successor"], found["H44.0.08512"]["to"]) == ("H44.1.08494", "2025-06-30")
    assert len(found["H44.237"]["divided_among"]) == 4


def test_the_register_is_printed_with_who_came_before_and_after_whom(said: Said, world: World) -> None:
    found = said("agencies")
    lines = [line for line in terminal.register(found, 200) if isinstance(line, str)]
    assert "H44.0.08512: ended on 2025-06-30: H44.1.08494 took over" in lines
    assert (
        "H44.1.08494: began on 2025-07-01: took over a part of H44.237, H44.0.08494, H44.0.08498, H44.0.08512" in lines
    )
    assert any(line.startswith("H44.237: ended on 2025-06-30: divided among H44.1.08494, ") for line in lines)
    assert "H44.14: took over H44.11" in lines
    assert not any(line.startswith("H44.08545") for line in lines)


def test_a_ranking_of_the_year_says_how_to_add_up_what_was_merged(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hinted(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["collector", "rank", *arguments, "--config", str(world.config)])
        with pytest.raises(SystemExit):
            cli.main()
        return capsys.readouterr().err

    assert hinted("2025").startswith("15 agencies ended before 2025 did: with --merged ")
    assert hinted("2025", "--merged") == hinted("2025-Q3") == ""


def test_merged_figures_of_several_periods_are_of_the_same_agencies(world: World, said: Said) -> None:
    found = said("readings", "--period", "2025-Q2", "--period", "2025-Q3", "--indicator", FIGURES[0], "--merged")
    quarters = [{one["agency"]: one for one in found if one["period"] == period} for period in ("2025-Q2", "2025-Q3")]
    today = {one.code for one in UNITS.values() if one.end == NEVER}
    assert quarters[0].keys() == quarters[1].keys() == today | {"H44.237"}
    true = counted(world.cases, FIGURES[0], "2025-Q2", lambda code: answers(code, 20250930))
    counts = {code: (one["hits"], one["judged"]) for code, one in quarters[0].items() if one["judged"]}
    assert counts == {code: three[:2] for code, three in true.items()}
    alone = said("readings", "--period", "2025-Q2", "--indicator", FIGURES[0], "--merged")
    assert "H44.0.08512" in {one["agency"] for one in alone}, "it was not merged yet when that quarter ended"


def test_merged_figures_are_of_agencies_alone(said: Said) -> None:
    assert said("readings", "--merged", "--scope", "block").startswith(
        "--scope: only figures of agencies can be merged."
    )


# -- pieces ------------------------------------------------------------------------------------------------------------

YEAR = parse_period("2025")
ON_TIME = next(one for one in find_indicators() if one.id == "dossiers.on_time")
PROVISIONED = next(one for one in find_indicators() if one.id == "mailboxes.provisioned")
LEFT = succession.legacies(
    (Legacy("A", "B", FIRST, 20250930), Legacy("A", "C", 20251001, None), Legacy("B", "C", 20251001, None))
)


def cut(indicator: Indicator, agency: str, end: int | None, through: int, period: str = "2025") -> list[Piece]:
    return pieces(indicator, agency, end, LEFT, parse_period(period), through)


def test_an_agency_has_its_own_days_and_those_of_others_from_the_day_after_their_end() -> None:
    assert cut(ON_TIME, "A", LAST, LAST) == [Piece("A", 20250101, LAST, whole=False)]
    assert cut(ON_TIME, "B", 20250930, 20250930) == [
        Piece("B", 20250101, 20250930, whole=False),
        Piece("A", FIRST, 20250930),
    ]
    assert cut(ON_TIME, "C", None, 20251120) == [
        Piece("C", 20250101, 20251120),
        Piece("A", 20251001, 20251120),
        Piece("B", 20251001, 20251120),
    ]
    assert cut(ON_TIME, "D", None, 20251231) == [Piece("D", 20250101, 20251231)]
    assert cut(ON_TIME, "C", None, 20250815) == [Piece("C", 20250101, 20250815)], "nothing is its own yet"


def test_a_period_that_ends_with_an_agency_has_what_stands_open_then() -> None:
    assert cut(ON_TIME, "A", LAST, LAST, "2025-Q2") == [Piece("A", 20250401, LAST)]
    assert cut(ON_TIME, "A", LAST, 20250520) == [Piece("A", 20250101, 20250520)], "it is still there"


def test_a_figure_of_a_periods_end_is_not_that_of_an_agency_which_ended_before() -> None:
    assert cut(PROVISIONED, "A", LAST, LAST) == []
    assert cut(PROVISIONED, "A", LAST, LAST, "2025-Q2") == [Piece("A", 20250401, LAST)]
    assert cut(PROVISIONED, "C", None, 20251231) == [Piece("C", 20250101, 20251231)]


def test_a_mailbox_is_its_first_agencys_until_the_months_end() -> None:
    assert succession.last_day(PROVISIONED, 20250612, YEAR) == LAST
    assert succession.last_day(ON_TIME, 20250612, YEAR) == 20250612
    assert succession.last_day(ON_TIME, None, YEAR) == 20251231
