"""A year of dossiers that move through all states while they are collected daily: each figure equals the ledger's own.

Full size (PROVE=1): 300,000 dossiers of 60 agencies, 365 nights; else the first two months of a small year. The clocks
of the double and the collector go together, one night at a time; after each, every cell of every day is compared with a
count made from the deeds alone (see `opencps_year`).
"""

import bisect
import gc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.pool import NullPool

from collector.assembly import Assembly, assemble
from collector.clock import fixed_clock
from collector.collect import Wanted, collect
from collector.contract.period import as_date, days, local_day, month_of, plus_days
from collector.demo import truth
from collector.demo.days_off import days_off
from collector.demo.ledger import Dossier, Ledger
from collector.readings import take
from collector.store.engine import reading
from tests.connectors.onestop.opencps_double import PASSWORD, STAMPS, USER, Deed, OpenCPS, at, serving
from tests.connectors.onestop.opencps_year import (
    PROCEDURES,
    SOURCE,
    deeds_of_a_year,
    due_that_may_have_moved,
    shown_due,
    true_dossier,
)
from tests.end_to_end.program import configure

SINCE = 20260101
SATURDAY = 5
UNDECIDED = 20261124
"""The first day of which the calendar does not yet say whether it is worked."""

INDICATORS = (
    "dossiers.on_time",
    "dossiers.on_time_due",
    "dossiers.on_time_766",
    "dossiers.on_time_opencps",
    "dossiers.online",
    "dossiers.online_full",
    "dossiers.online_partial",
)

OFF_LATER = [day for day in days(20270101, 20271231) if day == 20270101 or as_date(day).weekday() >= SATURDAY]
"""Days off after the demo's years, as far as the due dates of the year's last dossiers reach: into January."""

Cell = tuple[str, str, int, str]
"""Indicator, agency, day, verdict."""


class Truth:
    """The count of the ledger, kept up to date deed by deed."""

    def __init__(self, code_of: dict[str, str]) -> None:
        self._code_of = code_of
        self._so_far: dict[int, list[Deed]] = defaultdict(list)
        self._told: dict[int, list[Cell]] = {}
        self.cells: Counter[Cell] = Counter()
        self.dossiers: dict[int, Dossier] = {}

    def happen(self, deeds: list[Deed]) -> None:
        """Count anew the dossiers to which something was done."""
        for deed in deeds:
            self._so_far[deed.dossier].append(deed)
        touched = {deed.dossier for deed in deeds}
        dossiers = {number: true_dossier(self._so_far[number], self._code_of) for number in touched}
        classes = truth.dossier_classes(_ledger(list(dossiers.values())))
        self.dossiers |= dossiers
        for number, one in dossiers.items():
            self.cells.subtract(self._told.get(number, ()))
            assert one.agency is not None
            due = due_that_may_have_moved(self._so_far[number])
            if due is not None and (one.ended_day is None or one.ended_day > due):
                # The demo's count knows no such dossiers: they fall due on that day, and cannot be judged.
                classes[one.id]["dossiers.on_time_due"] = truth.UNKNOWN, due
            classes[one.id] |= as_others_count(one, shown_due(self._so_far[number]))
            self._told[number] = [
                (indicator, one.agency, day, verdict)
                for indicator, (verdict, day) in classes[one.id].items()
                if day is not None and day >= SINCE and indicator in INDICATORS
            ]
            self.cells.update(self._told[number])

    def counts(self) -> dict[tuple[str, str, int], tuple[int, int, int]]:
        """Hits, judged and unknown by indicator, agency and day."""
        found: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for (indicator, agency, day, verdict), number in self.cells.items():
            if number and verdict != truth.NOT_COUNTED:
                three = found[indicator, agency, day]
                three[0] += number * (verdict == truth.HIT)
                three[1] += number * (verdict != truth.UNKNOWN)
                three[2] += number * (verdict == truth.UNKNOWN)
        return {cell: (three[0], three[1], three[2]) for cell, three in found.items()}


def as_others_count(one: Dossier, due: int | None) -> dict[str, truth.Class]:
    """What two other systems say of a dossier whose due date is shown as this instant."""
    said: dict[str, truth.Class] = dict.fromkeys(
        ("dossiers.on_time_766", "dossiers.on_time_opencps"), (truth.NOT_COUNTED, None)
    )
    if one.outcome == "withdrawn":
        said["dossiers.on_time_766"] = truth.HIT, one.ended_day
    if one.completed_day is not None and one.completed is not None:
        by_day = due is None or one.completed_day <= local_day(due)
        by_second = due is None or one.completed <= due
        said["dossiers.on_time_766"] = truth.HIT if by_day else truth.MISS, one.completed_day
        said["dossiers.on_time_opencps"] = truth.HIT if by_second else truth.MISS, one.completed_day
    return said


def became(dossiers: Iterable[Dossier], first: int, last: int) -> dict[str, Counter[str]]:
    """By agency, what came in some days or was carried over into them, and what became of it."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in dossiers:
        left = one.completed_day or one.ended_day
        if one.agency is None or one.received_day is None or one.received_day > last:
            continue
        if left is not None and left < first:
            continue
        own = found[one.agency]
        own["came" if one.received_day >= first else "carried over"] += 1
        own["open" if left is None or left > last else "completed" if one.completed_day else "withdrawn"] += 1
    return found


def _ledger(dossiers: list[Dossier]) -> Ledger:
    return Ledger(
        seed=0,
        province="H44",
        now=0,
        first_day=SINCE,
        last_day=20261231,
        days_off=[*days_off(), *OFF_LATER],
        agencies=[],
        sources=[],
        mailboxes=[],
        sessions=[],
        mails=[],
        documents=[],
        dossiers=dossiers,
        procedures=PROCEDURES,
    )


@pytest.fixture
def size(full_size: bool) -> tuple[int, int, int]:
    """Dossiers of the year, agencies, and the last day that is lived."""
    return (300_000, 60, 20261231) if full_size else (4_000, 3, 20260228)


def code(number: int) -> str:
    return f"H44.{number:02d}"


def old_code(number: int) -> str:
    return f"000.00.{number:02d}.H44"


class OverRest:
    """The year is read over OpenCPS' service."""

    connector = "onestop.opencps"

    def __init__(self, double: OpenCPS, _: Path) -> None:
        self._double = double

    def door(self) -> str:
        return f"{{kind: http, base_url: {self._double.address}, user: {USER}, password: !file password, timeout: 300}}"

    def config(self, agencies: list[str]) -> str:
        # All is read again every week, in the whole year every quarter: it would else be read fifty times. Nothing here
        # is entered later than each run looks back anyway.
        every = 90 if len(agencies) > 10 else 7
        return f"{{group_id: 55301, agencies: [{', '.join(agencies)}], rows: 1000, whole_every: {every}}}"

    def night(self) -> None:
        """Nothing: the service tells what it has."""


class FromTheTable:
    """The year is read from OpenCPS' table, as it stands each night."""

    connector = "onestop.sql_register"

    def __init__(self, double: OpenCPS, folder: Path) -> None:
        self._double = double
        self._url = f"sqlite:///{folder / 'opencps.db'}"
        self._engine = create_engine(self._url, poolclass=NullPool)
        metadata = MetaData()
        whole = ("dossierId", "groupId", "serviceLevel", "online_", "fromViaPostal", "originDossierId")
        text = ("govAgencyCode", "serviceCode", "dossierStatus", "lockState")
        self._table = Table(
            "opencps_dossier",
            metadata,
            *(Column(name, Integer, primary_key=name == "dossierId") for name in whole),
            *(Column(name, String) for name in text),
            *(Column(name, DateTime) for name in STAMPS),
        )
        metadata.create_all(self._engine)
        self._written = 0

    def door(self) -> str:
        return f"{{kind: sql, url: '{self._url}'}}"

    def config(self, _: list[str]) -> str:
        return "{preset: opencps_dossier, group_id: 55301, levels: true, time_zone: UTC}"

    def night(self) -> None:
        """Write what was done on the day that is over; its server's zone is UTC."""
        rows = [
            row | {name: None if row[name] is None else datetime.fromtimestamp(row[name], UTC) for name in STAMPS}
            for row in self._double.rows_changed_since(self._written)
        ]
        self._written = self._double.now
        statement = insert(self._table)
        if rows:
            replaced = {name: statement.excluded[name] for name in rows[0] if name != "dossierId"}
            with self._engine.begin() as connection:
                connection.execute(statement.on_conflict_do_update(index_elements=["dossierId"], set_=replaced), rows)


def program(folder: Path, site: OverRest | FromTheTable, agencies: int) -> Path:
    """Write the configuration of a collector that reads the year."""
    codes = [old_code(one) for one in range(1, agencies + 1)]
    known = "\n".join(
        f"  - {{code: {code(one)}, old_codes: [{old_code(one)}], name: Sở {one}, block: departments}}"
        for one in range(1, agencies + 1)
    )
    collector = f"""\
province: {{name: Phú Thọ, code: H44}}
agencies: agencies.yaml
workdays: workdays/
scoring: scoring.yaml
state: state
sources:
  {SOURCE}:
    connector: {site.connector}
    door: {site.door()}
    from: 2026-01-01
    serves: all
    deadline: 12h
    requests_per_minute: 1000000
    config: {site.config(codes)}
"""
    register = f'blocks: {{departments: {{title_vi: "Sở", title_en: Departments}}}}\nagencies:\n{known}\n'
    files = {"collector.yaml": collector, "agencies.yaml": register, "password": PASSWORD}
    return configure(folder / "collector", files).folder / "collector.yaml"


def tallied(assembly: Assembly) -> dict[tuple[str, str, int], tuple[int, int, int]]:
    """Every cell that the store keeps of the three figures."""
    found = {}
    with reading(assembly.engine) as connection:
        for wide in assembly.tallies.wide:
            for one in wide.indicators:
                if one.id not in INDICATORS:
                    continue
                three = [wide.table.c[f"{one.column}_{part}"] for part in ("hits", "judged", "unknown")]
                for agency, day, *counts in connection.execute(
                    wide.table.select().with_only_columns(wide.table.c.agency, wide.table.c.day, *three)
                ):
                    if day >= SINCE and (counts[1] or counts[2]):
                        found[one.id, agency, day] = (counts[0], counts[1], counts[2])
    return found


def nights(last_day: int) -> Iterator[int]:
    """Half past midnight of each night, from the first day to the end of the last one."""
    return (at(day, 0, 30) for day in days(SINCE, plus_days(last_day, 1)))


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("way", [OverRest, FromTheTable])
def test_every_figure_of_every_day_equals_the_count_of_the_deeds(
    tmp_path: Path, size: tuple[int, int, int], way: type[OverRest] | type[FromTheTable]
) -> None:
    dossiers, agencies, last_day = size
    written = {old_code(one): code(one) for one in range(1, agencies + 1)}
    deeds = [deed for life in deeds_of_a_year(Random(2026), dossiers, list(written)) for deed in life]
    deeds.sort(key=lambda deed: deed.at)
    instants = [deed.at for deed in deeds]
    known, done = Truth(written), 0
    gc.freeze()  # millions of deeds: else Python looks through all of them again and again
    with serving(deeds) as double, ExitStack() as running:
        # Its zone is not Viet Nam's, as on most servers.
        site = way(double, tmp_path)
        assembly = running.enter_context(assemble(program(tmp_path, site, agencies), {}))
        source = assembly.settings.sources[SOURCE]
        for night in nights(last_day):
            double.move_clock(night)
            site.night()
            now = replace(assembly, clock=fixed_clock(night))
            outcome = collect(
                now.job(source), now.tools, Wanted(), wait=False, says=lambda _: None, progress=lambda _: None
            )
            assert (outcome.failure, outcome.saved.quarantined) == (None, 0)
            upto = bisect.bisect_right(instants, night)
            known.happen(deeds[done:upto])
            done = upto
            true = known.counts()
            assert tallied(now) == true, local_day(night)
            if night % 7 == 0 or local_day(night) % 100 == 1:
                compare_readings(now, true, plus_days(local_day(night), -1))
                compare_what_became(now, known.dossiers.values(), plus_days(local_day(night), -1))
        assert done == len([instant for instant in instants if instant <= night])
        assert done > dossiers // 4
        assert double.rewritten == 0
        told = Counter(verdict for (*_, verdict), number in known.cells.items() if number)
        assert {truth.HIT, truth.MISS, truth.UNKNOWN} <= set(told), "all verdicts occur"


def compare_readings(
    assembly: Assembly, true: dict[tuple[str, str, int], tuple[int, int, int]], yesterday: int
) -> None:
    """The figures of the month so far are the sums of the days that are over."""
    if yesterday < SINCE:
        return
    period = month_of(yesterday)
    indicators = [one for one in assembly.indicators if one.id in INDICATORS]
    with reading(assembly.engine) as connection:
        taken = take(connection, indicators, assembly.tallies, assembly.world(period), period)
    for one in taken:
        parts = [
            counts
            for (indicator, agency, day), counts in true.items()
            if (indicator, agency) == (one.indicator, one.agency) and period.first <= day <= yesterday
        ]
        assert one.through == yesterday
        assert (one.hits, one.judged, one.unknown) == tuple(sum(three[part] for three in parts) for part in range(3))
        decided = yesterday < UNDECIDED and (one.unknown or 0) * 20 <= (one.judged or 0) + (one.unknown or 0)
        if one.judged and decided:
            assert one.state == "measured", one


def compare_what_became(assembly: Assembly, dossiers: Iterable[Dossier], yesterday: int) -> None:
    """What came in or was carried over was completed, is open or was withdrawn; so much of it is resolved."""
    if yesterday < SINCE:
        return
    period = month_of(yesterday)
    resolved = [one for one in assembly.indicators if one.id == "dossiers.resolved"]
    with reading(assembly.engine) as connection:
        taken = take(connection, resolved, assembly.tallies, assembly.world(period), period)
    true = became(dossiers, period.first, yesterday)
    assert len(taken) >= len(true)
    for one in taken:
        own = true.get(one.agency, Counter())
        assert own["completed"] + own["open"] + own["withdrawn"] == own["came"] + own["carried over"]
        assert (one.hits, one.judged, one.unknown) == (own["completed"], own["completed"] + own["open"], 0), one
