"""The main job, whole: the sample province through the command line equals the truth counted from its ledger.

Reading everything again, from no cursor, or in another order into another store, ends in the same figures; and nobody
who lives in the province can be found in what was stored or said.
"""

import json
import shutil
import sqlite3
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from collector import readings
from collector.assembly import find_indicators
from collector.contract.indicator import Counted
from collector.contract.period import iso, parse_period
from collector.contract.records import RECORDS, Probe
from collector.contract.tables import table_of
from collector.demo import ledger as ledger_file
from collector.demo.ledger import Dossier, Ledger
from collector.store import hashes, tallies
from collector.store.engine import open_engine
from collector.store.engine import reading as reading_store
from collector.store.schema import run
from tests.proof import balance, flags_by_hand, own_reports, people
from tests.proof.command import Ended, collector, collector_at_a_terminal, readings_of

MONTHS = ("2025-12", "2026-01", "2026-02")
STATES = {"measured", "partial", "missing", "not_applicable"}
DOSSIER_INDICATORS = ("dossiers.on_time", "dossiers.on_time_due", "dossiers.online")
FIRST_DAY, LAST_DAY = 19000101, 99991231
INDICATORS = {one.id: one for one in find_indicators()}


@dataclass(frozen=True, slots=True)
class Province:
    """A sample province that `collector demo --once --json --dir` made."""

    folder: Path
    demo: Ended
    ledger: Ledger

    @property
    def configuration(self) -> Path:
        return self.folder / "collector.yaml"

    @property
    def truth(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "truth.json").read_text(encoding="utf-8"))
        return found


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store holds: content hashes, and the figures as they are printed."""

    facts: str
    tallies: str
    readings: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Collected:
    """A collection, and what the store held after it."""

    ended: Ended
    kept: Kept


def province(folder: Path, *options: object, at_a_terminal: bool = False) -> Province:
    command = collector_at_a_terminal if at_a_terminal else collector
    ended = command("demo", "--once", "--json", "--dir", folder, *options)
    assert ended.code == 0, ended.err.decode()
    return Province(folder, ended, ledger_file.read(folder / "ledger.json"))


@contextmanager
def store(folder: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{folder / 'collector.sqlite'}")
    try:
        yield engine
    finally:
        engine.dispose()


def kept(configuration: Path, state: str) -> Kept:
    with store(configuration.parent / state) as engine, reading_store(engine) as connection:
        facts, derived = hashes.facts(connection), hashes.tallies(connection)
    return Kept(facts, derived, readings_of(configuration, *MONTHS))


Cell = tuple[str, bool, int | None, int | None, int | None, str | None, str | None]


def cells(found: Sequence[dict[str, Any]]) -> dict[tuple[str, str, str, str], Cell]:
    """Figures by indicator, scope, agency and period: state, whether suppressed, counts, through, value of 6 places."""
    by_key = {}
    for one in found:
        value = one["value"]
        shown = value if value is None or isinstance(value, str) else f"{value:.6f}"
        counts = one["hits"], one["judged"], one["unknown"]
        cell = (one["state"], one["suppressed"], *counts, one["through"], shown)
        by_key[one["indicator"], one["scope"], one["agency"], one["period"]] = cell
    assert len(by_key) == len(found), "a figure is told twice"
    return by_key


def differences(made: Province) -> dict[tuple[str, str, str, str], tuple[Cell | None, Cell | None]]:
    """What was read and what is true, wherever they differ; the keys of both sides count."""
    taken, true = cells(made.demo.json), cells(made.truth)
    return {
        key: (taken.get(key), true.get(key)) for key in taken.keys() | true.keys() if taken.get(key) != true.get(key)
    }


# Each step goes on from the store as the one before left it; what it held is noted at once.


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Province:
    """The province as `collector demo` shows it: all agencies, 60 days."""
    return province(tmp_path_factory.mktemp("whole") / "province")


@pytest.fixture(scope="module")
def first(whole: Province) -> Kept:
    """What the store holds after the demo's own collection."""
    return kept(whole.configuration, "state")


@pytest.fixture(scope="module")
def again(whole: Province, first: Kept) -> Collected:
    """A second collection: only what changed is asked for."""
    ended = collector("collect", "--json", "--config", whole.configuration)
    return Collected(ended, kept(whole.configuration, "state"))


@pytest.fixture(scope="module")
def from_the_start(whole: Province, again: Collected) -> Collected:
    """A third collection without any cursor: everything is served again."""
    database = sqlite3.connect(whole.folder / "state" / "collector.sqlite")
    with database:
        assert database.execute("DELETE FROM cursor").rowcount == len(whole.ledger.sources)
    database.close()
    ended = collector("collect", "--json", "--config", whole.configuration)
    return Collected(ended, kept(whole.configuration, "state"))


@pytest.fixture(scope="module")
def elsewhere(whole: Province) -> Collected:
    """A collection into a new state folder, the sources in the opposite order. The keys of pseudonyms are copied."""
    configuration = whole.folder / "elsewhere.yaml"
    text = whole.configuration.read_text(encoding="utf-8")
    assert text.count("\nstate: state\n") == 1
    configuration.write_text(text.replace("\nstate: state\n", "\nstate: elsewhere\n"), encoding="utf-8")
    shutil.copytree(whole.folder / "state" / "keys", whole.folder / "elsewhere" / "keys")
    (whole.folder / "elsewhere").chmod(0o700)
    names = [source.name for source in reversed(whole.ledger.sources)]
    ended = collector("collect", *names, "--json", "--config", configuration)
    for lost in collector("gap", "--json", "--config", whole.configuration).json:  # what the demo accepted as lost
        days = f"{lost['from']}..{lost['to']}"
        collector("gap", lost["source"], days, "--reason", lost["reason"], "--config", configuration)
    return Collected(ended, kept(configuration, "elsewhere"))


def test_every_figure_of_the_sample_province_is_the_true_one(whole: Province) -> None:
    agencies = {one.code for one in whole.ledger.agencies}
    assert len(agencies) == 109
    keys = {(indicator, "agency", agency, month) for indicator in INDICATORS for agency in agencies for month in MONTHS}
    assert cells(whole.truth).keys() == keys, "the truth tells every figure"
    assert differences(whole) == {}


def test_every_indicator_is_shown_in_every_state(whole: Province) -> None:
    shown = defaultdict(set)
    for one in whole.demo.json:
        shown[one["indicator"]].add(one["state"])
    # An agency in force, a common procedure and a planned probe are always there to judge.
    always = ("documents.connected", "procedures.online_full", "procedures.online_partial", "systems.available")
    assert shown == dict.fromkeys(INDICATORS, STATES) | dict.fromkeys(always, STATES - {"not_applicable"})


def test_the_demo_sealed_restated_and_verified_its_first_whole_month(whole: Province) -> None:
    """Its figures of that month above are those of the second edition, after a document was entered late."""
    sealed = collector("editions", "--json", "--config", whole.configuration).json
    assert [(one["period"], one["edition"], one["reason"]) for one in sealed] == [
        ("2026-01", 1, None),
        ("2026-01", 2, "late"),
    ]
    assert {one["edition"] for one in whole.demo.json if one["period"] == "2026-01"} == {2}
    changed = {one["indicator"]: (one["hits"], one["judged"], one["unknown"]) for one in sealed[1]["changes"]}
    assert changed["documents.on_time"] == (1, 1, 0)
    verified = collector("verify", "--json", "--config", whole.configuration)
    assert (verified.code, [one["fault"] for one in verified.json]) == (0, ["", ""])


def test_the_figures_on_request_are_those_that_the_demo_printed(whole: Province, first: Kept) -> None:
    assert first.readings == [one | {"edition": None} for one in whole.demo.json]


@contextmanager
def _stored(whole: Province) -> Iterator[Connection]:
    with store(whole.folder / "state") as engine, reading_store(engine) as connection:
        yield connection


def _verdicts(connection: Connection, indicator: str, agencies: set[str]) -> dict[str, list[tuple[str, int]]]:
    """What an indicator says of each dossier of some agencies, whatever its day: verdict and day by key."""
    formula = INDICATORS[indicator].formula
    assert isinstance(formula, Counted)
    found = defaultdict(list)
    for agency in agencies:
        for row in connection.execute(readings.items(formula, agency, FIRST_DAY, LAST_DAY)):
            found[row.key].append((row.verdict, row.day))
    return found


def _expected(dossier: Dossier, indicator: str) -> list[tuple[str, int | None]]:
    assert dossier.expected is not None
    verdict, day = {
        "dossiers.on_time": (dossier.expected.on_time, dossier.expected.on_time_day),
        "dossiers.on_time_due": (dossier.expected.on_time_due, dossier.expected.on_time_due_day),
        "dossiers.online": (dossier.expected.online, dossier.received_day),
    }[indicator]
    return [] if verdict == "not counted" else [(verdict, day)]


def test_every_awkward_dossier_is_judged_as_a_clerk_judges_it_by_hand(whole: Province) -> None:
    awkward = [one for one in whole.ledger.dossiers if one.expected]
    assert len(awkward) >= 30
    known = {one.code for one in whole.ledger.agencies}
    with _stored(whole) as connection:
        said = {indicator: _verdicts(connection, indicator, known) for indicator in DOSSIER_INDICATORS}
    wrong = {
        (one.id, indicator): (said[indicator].get(one.id, []), _expected(one, indicator), one.expected.reason)
        for one in awkward
        if one.expected
        for indicator in DOSSIER_INDICATORS
        if said[indicator].get(one.id, []) != _expected(one, indicator)
    }
    assert wrong == {}


@pytest.mark.parametrize("indicator", DOSSIER_INDICATORS)
def test_an_explained_figure_lists_the_awkward_dossier_and_adds_up(whole: Province, indicator: str) -> None:
    measured = {(r["agency"], r["period"]) for r in whole.demo.json if r["indicator"] == indicator and r["judged"]}
    dossier, (verdict, day) = next(
        (one, (verdict, day))
        for one in whole.ledger.dossiers
        if one.expected
        for verdict, day in _expected(one, indicator)
        if day is not None and (one.agency, iso(day)[:7]) in measured
    )
    assert day is not None
    assert dossier.agency is not None
    period = parse_period(iso(day)[:7])
    ended = collector("explain", indicator, dossier.agency, period, "--rows", "--json", "--config", whole.configuration)
    assert ended.code == 0, ended.err.decode()
    told = json.loads(ended.out)
    rows = told["rows"]
    assert [(row["verdict"], row["day"]) for row in rows if row["key"] == dossier.id] == [(verdict, iso(day))]
    verdicts = [row["verdict"] for row in rows]
    counted = verdicts.count("hit"), verdicts.count("hit") + verdicts.count("miss"), verdicts.count("unknown")
    assert counted == (told["hits"], told["judged"], told["unknown"])
    key = (indicator, "agency", dossier.agency, period.name)
    assert cells([told])[key] == cells(whole.truth)[key]


@pytest.mark.parametrize(("month", "days"), [("2026-01", (20260101, 20260131)), ("2026-02", (20260201, 20260228))])
def test_what_the_one_stop_systems_report_differs_by_the_causes_that_the_ledger_has(
    whole: Province, month: str, days: tuple[int, int]
) -> None:
    ended = collector("compare", month, "--json", "--rows", "--config", whole.configuration)
    told = {(one["source"], one["agency"], one["total"]): one for one in json.loads(ended.out)["totals"]}
    for report in whole.ledger.reports:
        for (agency, total), one in own_reports.expected(whole.ledger, report, *days).items():
            ours = told.pop((report.source, agency, total))
            found = {cause: count for cause, count in ours["causes"].items() if count}
            true = {cause: count for cause, count in one.causes.items() if count}
            assert (ours["ours"], found, ours["unexplained"], ours["theirs"]) == (
                one.ours, true, one.unexplained, one.theirs,
            ), (agency, total)  # fmt: skip
            assert {(row["key"], row["cause"], row["change"]) for row in ours["rows"]} == one.rows
    assert told == {}


@pytest.mark.parametrize("month", MONTHS)
def test_what_came_in_or_was_carried_over_was_completed_is_open_or_was_ended(whole: Province, month: str) -> None:
    period = parse_period(month)
    with _stored(whole) as connection:
        stored = balance.of_the_store(connection, period)
    told = balance.of_the_ledger(whole.ledger, period)
    assert stored == told, "class by class, in every agency"
    figures = {(one["indicator"], one["agency"]): one for one in whole.demo.json if one["period"] == month}
    served = {agency for source in whole.ledger.sources for agency in source.serves if source.system == "dossiers"}
    assert set(told) <= served
    for agency, own in told.items():
        assert sum(own[name] for name in balance.BECAME) == sum(own[name] for name in balance.CAME)
        on_time, resolved = (figures[f"dossiers.{name}", agency] for name in ("on_time", "resolved"))
        completed, still_open = (sum(own[name] for name in balance.BECAME[first : first + 4]) for first in (0, 4))
        assert (resolved["hits"], resolved["judged"] - resolved["hits"]) == (completed, still_open)
        assert on_time["hits"] == own["early"] + own["on time"]
        assert (on_time["judged"], on_time["unknown"]) == (
            on_time["hits"] + own["late"],
            own["completed without due date"],
        )
    classes: Counter[str] = sum((Counter(own) for own in told.values()), Counter())
    assert month == MONTHS[0] or {*balance.BECAME, *balance.CAME} - {"refused"} <= set(classes), "all of them occur"


@pytest.mark.parametrize(("month", "days"), [("2026-01", (20260101, 20260131)), ("2026-02", (20260201, 20260228))])
def test_the_flags_of_the_sample_province_are_those_of_its_ledger(
    whole: Province, month: str, days: tuple[int, int]
) -> None:
    ended = collector("flags", month, "--json", "--rows", "--config", whole.configuration)
    told = {
        (one["flag"], row["agency"], row["key"], int(row["day"].replace("-", "")))
        for one in json.loads(ended.out)["flags"]
        for row in one["rows"]
    }
    assert told == flags_by_hand.found(whole.ledger, *days, whole.truth)


def test_a_second_collection_changes_nothing(first: Kept, again: Collected) -> None:
    assert again.ended.code == 0, again.ended.err.decode()
    assert [(one["inserted"], one["updated"]) for one in again.ended.json] == [(0, 0)] * 5
    assert again.kept == first


def test_everything_served_again_from_no_cursor_changes_nothing(
    whole: Province, first: Kept, from_the_start: Collected
) -> None:
    assert from_the_start.ended.code == 0, from_the_start.ended.err.decode()
    told = from_the_start.ended.json
    assert [(one["source"], one["inserted"], one["updated"]) for one in told] == [
        (source.name, 0, 0) for source in whole.ledger.sources
    ]
    with _stored(whole) as connection:
        runs = connection.execute(select(run.c.source, run.c.read).order_by(run.c.id).limit(5)).all()
    first_read = {source: read + (source == "documents") for source, read in runs}  # one was entered late
    assert {one["source"]: one["read"] for one in told} == first_read, "all of it was read"
    assert from_the_start.kept == first


def test_sources_in_another_order_end_in_the_same_store(first: Kept, elsewhere: Collected) -> None:
    assert elsewhere.ended.code == 0, elsewhere.ended.err.decode()
    assert elsewhere.kept == first


def test_counting_everything_anew_gives_the_same_tallies(
    whole: Province, first: Kept, from_the_start: Collected
) -> None:
    with (
        store(whole.folder / "state") as engine,
        engine.connect().execution_options(writes=True) as connection,
        connection.begin() as transaction,
    ):
        tallies.rebuild_all(connection, tallies.plan(INDICATORS.values()))
        assert hashes.tallies(connection) == first.tallies
        transaction.rollback()


def test_what_is_read_is_inserted_updated_unchanged_or_quarantined(
    whole: Province, again: Collected, from_the_start: Collected, elsewhere: Collected
) -> None:
    with _stored(whole) as connection:
        # Each source once, and the documents once more after the month was sealed.
        demo = [dict(one._mapping) for one in connection.execute(select(run).order_by(run.c.id).limit(6))]
        rows: dict[str, int] = defaultdict(int)
        for record in set(RECORDS) - {Probe}:  # which no source tells
            table = table_of(record)
            for source, count in connection.execute(select(table.c.source, func.count()).group_by(table.c.source)):
                rows[source] += count
    inserted: dict[str, int] = defaultdict(int)
    for one in demo:
        inserted[one["source"]] += one["inserted"]
    assert inserted == rows, "each stored record was told once as inserted"
    for one in (*demo, *again.ended.json, *from_the_start.ended.json, *elsewhere.ended.json):
        assert one["result"] == "done"
        assert one["read"] == one["inserted"] + one["updated"] + one["unchanged"] + one["quarantined"], one
        assert min(one["inserted"], one["updated"], one["unchanged"], one["quarantined"]) >= 0, one


def test_nobody_can_be_found_in_what_was_stored_or_said(
    whole: Province, again: Collected, from_the_start: Collected, elsewhere: Collected
) -> None:
    living = people.of(whole.ledger, whole.folder)
    assert len(living.domains) > 100
    assert len(living.numbers) > 20_000
    assert living.found_in((whole.folder / "mail" / "mail.log").read_bytes()), "they are in what was read"
    assert living.found_in((whole.folder / "onestop" / "dossiers.jsonl").read_bytes())
    stored = [path for path in sorted((whole.folder / "state").rglob("*")) if path.is_file()]
    assert {path.name for path in stored} >= {"collector.sqlite", "202601.key"}
    found = {path.name: living.found_in(path.read_bytes()) for path in stored}
    for ended in (whole.demo, again.ended, from_the_start.ended, elsewhere.ended):
        found["stdout"] = found.get("stdout", set()) | living.found_in(ended.out)
        found["stderr"] = found.get("stderr", set()) | living.found_in(ended.err)
    assert {place: who for place, who in found.items() if who} == {}
    # A long text is stored in pieces on pages of their own.
    database = sqlite3.connect(whole.folder / "state" / "collector.sqlite")
    for table, column in (("cursor", "document"), ("run", "message"), ("quarantine", "key"), ("span", "file")):
        for (text,) in database.execute(f"SELECT DISTINCT {column} FROM {table}"):
            assert living.found_in(text.encode()) == set(), table
    bodies = [body for (body,) in database.execute("SELECT body FROM edition_body")]
    rows = [zlib.decompress(content) for (content,) in database.execute("SELECT rows FROM edition_rows")]
    assert len(bodies) == 2
    assert sum(map(len, rows)) > 1_000_000
    assert living.found_in(b"\n".join([*bodies, *rows])) == set()
    database.close()


def test_another_province_is_as_true_and_its_progress_is_not_among_its_figures(tmp_path: Path) -> None:
    made = province(tmp_path / "province", "--agencies", 15, "--days", 40, "--seed", 7, at_a_terminal=True)
    assert len(cells(made.demo.json)) == 15 * len(INDICATORS) * 2
    assert differences(made) == {}
    for source in made.ledger.sources:
        assert source.name.encode() in made.demo.err, "a terminal is shown each source as it is read"


@pytest.mark.long
def test_a_whole_year_is_as_true(tmp_path: Path, scale: Callable[[int], int]) -> None:
    made = province(tmp_path / "province", "--days", scale(365), "--agencies", 6)
    assert made.demo.json
    assert differences(made) == {}
