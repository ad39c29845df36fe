"""What the daemon shows and tells, within this process: on a clock that the test moves."""

import re
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import func, insert, select

from collector import assembly as assembling
from collector import daemon as serving
from collector import editions, gaps
from collector.assembly import Assembly, assemble
from collector.clock import fixed_clock, system_clock
from collector.collect import Wanted, collect
from collector.contract.connector import Connector
from collector.contract.period import day_start, parse_period
from collector.contract.tables import probe as probed
from collector.daemon import Daemon
from collector.demo import systems
from collector.editions import keys
from collector.store import locks
from collector.store.engine import reading, writing
from collector.store.schema import edition, reading_log, run
from tests.daemon.conftest import Place, wait_for


@pytest.fixture
def assembly(place: Place) -> Iterator[Assembly]:
    with assemble(place.config, {}) as one:
        yield one


@pytest.fixture
def told() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as logs:
        yield logs


def at(one: Assembly, instant: int) -> Daemon:
    return Daemon(replace(one, clock=fixed_clock(instant)), one.model())


def figures(daemon: Daemon, window: str) -> set[str]:
    text = daemon.shown.metrics.plain.decode()
    return {line for line in text.splitlines() if f'window="{window}"' in line and not line.startswith("ict_reading_")}


def states(daemon: Daemon, indicator: str, window: str) -> dict[str, int]:
    found = re.findall(
        rf'ict_reading_state{{indicator="{indicator}",state="(\w+)",window="{window}"}} (\d+)',
        daemon.shown.metrics.plain.decode(),
    )
    return {state: int(count) for state, count in found if int(count)}


def test_a_new_month_shows_without_a_run(assembly: Assembly) -> None:
    daemon = at(assembly, day_start(20260301) - 1)
    daemon.render()
    february = figures(daemon, "month")
    assert february
    assert figures(daemon, "last_month") == set(), "nothing was read of January"
    daemon.assembly = replace(daemon.assembly, clock=fixed_clock(day_start(20260301)))
    daemon.render()
    assert figures(daemon, "month") == set()
    assert figures(daemon, "last_month") == {line.replace('"month"', '"last_month"') for line in february}


def test_a_source_gone_quiet_shows_without_a_run(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM coverage WHERE source = 'documents' AND day > 20260220")
    daemon = at(assembly, day_start(20260222))
    daemon.render()
    assert states(daemon, "documents.exchanged_external", "month").get("measured")
    daemon.assembly = replace(daemon.assembly, clock=fixed_clock(day_start(20260223) + 1))
    daemon.render()
    assert states(daemon, "documents.exchanged_external", "month") == {"partial": 12}
    assert not [line for line in figures(daemon, "month") if "documents_exchanged" in line]


@pytest.mark.parametrize("file", ["scoring.yaml", "declared.yaml"])
def test_an_edit_of_the_scoring_model_counts_from_the_next_start(assembly: Assembly, place: Place, file: str) -> None:
    daemon = at(assembly, day_start(20260301))
    daemon.render()
    before = daemon.shown
    (place.folder / file).write_text("half an edi")
    daemon.render()
    assert daemon.shown == before


def test_a_source_that_another_run_reads_is_left_to_it(assembly: Assembly, told: list[Any]) -> None:
    daemon = at(assembly, day_start(20260301))
    tools = assembly.tools
    with locks.held(tools.engine, "mail", "another", tools.machine_clock, wait=False, says=lambda _: None):
        daemon.tick("mail")
    assert [(one["event"], one["source"]) for one in told] == [("not read", "mail")]
    assert b"ict_collect_runs_total{" not in daemon.vitals.render().plain


def test_a_bug_in_a_connector_is_told_once_with_its_traceback_and_kept_apart(
    assembly: Assembly, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = assembling.find_connector

    def broken(name: str) -> Connector:
        found = real(name)
        if name != "docmgmt.sql_register":
            return found

        def fetch(*_: Any) -> Any:
            raise ZeroDivisionError

        return cast(Connector, SimpleNamespace(**{**vars(found), "fetch": fetch}))

    monkeypatch.setattr(assembling, "find_connector", broken)
    daemon = at(assembly, day_start(20260301))
    for source in ("documents", "documents", "mail"):
        daemon.tick(source)
    assert [(one["event"], one.get("exc_info")) for one in told] == [("a bug in this program", True)]
    vitals = daemon.vitals.render().plain.decode()
    assert 'ict_source_up{source="documents"} 0.0' in vitals
    assert 'ict_source_up{source="mail"} 1.0' in vitals
    assert 'ict_collect_runs_total{result="bug",source="documents"} 2.0' in vitals
    assert "lỗi" in daemon.shown.page

    monkeypatch.undo()
    daemon.tick("documents")
    assert told[-1]["event"] == "back"


def test_a_source_that_fails_in_another_way_is_told_again(assembly: Assembly, told: list[Any], place: Place) -> None:
    daemon = at(assembly, day_start(20260301))
    register = place.folder / "documents.sqlite"
    away = register.rename(place.folder / "away")
    daemon.tick("documents")
    daemon.tick("documents")
    register.write_bytes(b"this is no database" * 100)
    daemon.tick("documents")
    register.unlink()
    away.rename(register)
    daemon.tick("documents")
    daemon.tick("documents")
    assert [one["event"] for one in told] == ["down", "down", "back"]
    assert told[0]["reason"] != told[1]["reason"]
    assert all(one["stage"] and one["mend"] for one in told[:2])


def test_a_source_that_refuses_us_is_not_asked_again_by_itself(
    assembly: Assembly, told: list[Any], place: Place
) -> None:
    source = assembly.settings.sources["onestop"]
    wrong = replace(source, door=source.door.model_copy(update={"token": SecretStr("wrong")}))
    refused = replace(assembly, settings=replace(assembly.settings, sources={"onestop": wrong}))
    daemon = at(refused, assembly.clock())

    def runs() -> int:
        with reading(assembly.engine) as connection:
            return connection.scalar(select(func.count()).select_from(run).where(run.c.source == "onestop")) or 0

    before = runs()
    with systems.serve(place.folder):
        daemon.tick("onestop")
        daemon.tick("onestop")
        assert runs() == before + 1, "a second question with a wrong token may lock the account"
        by_hand = collect(
            assembly.job(source), assembly.tools, Wanted(), wait=False, says=lambda _: None, progress=lambda _: None
        )
        assert by_hand.result == "done"
        daemon.tick("onestop")
    assert runs() == before + 3, "it was read by hand, so somebody has mended it"
    assert [(one["event"], one["again"]) for one in told] == [
        ("down", "after `collector collect onestop` or a restart")
    ]


def test_an_agency_has_its_block_in_each_window(assembly: Assembly) -> None:
    # Told by the register: a commune that ends with February is in no block of March.
    register = assembly.register
    code = "H44.31.01"
    ended = replace(
        register.agencies[code],
        terms=tuple(replace(term, to_day=20260228) for term in register.agencies[code].terms),
    )
    changed = replace(assembly, register=replace(register, agencies={**register.agencies, code: ended}))
    daemon = at(changed, day_start(20260301))
    daemon.render()
    lines = [line for line in figures(daemon, "last_month") if f'agency="{code}"' in line]
    assert lines
    assert all('block="communes"' in line for line in lines)


def test_the_timetable_reads_at_once_what_was_cut_off_or_is_down(assembly: Assembly) -> None:
    real = replace(assembly, settings=replace(assembly.settings, now=None))
    daemon = at(real, day_start(20260301))
    last = {one.source: one.last_run for one in daemon.statuses()}
    with assembly.engine.begin() as connection:
        for source, result in (("mail", "running"), ("documents", "try_again"), ("onestop", "access_denied")):
            connection.exec_driver_sql("UPDATE run SET result = ? WHERE source = ?", (result, source))
    due = {one.source: one.last for one in serving._timetable(daemon, just_read=False)}
    assert due == last | {"mail": None, "documents": None}, "what was refused is not asked again before its time"


def test_a_line_of_the_log_has_the_local_time_and_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    serving._log()
    try:
        structlog.get_logger("collector").error("down", source="s", reason='two\nlines "quoted"')
    finally:
        structlog.reset_defaults()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(
        r'at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00 level=error event=down source=s reason="two\\nlines \\"quoted\\""\n',
        printed.err,
    )


def test_the_months_shown_are_cut_on_the_local_clock() -> None:
    names = {window: period.name for window, period in serving.months(day_start(20260101)).items()}
    assert names == {"month": "2026-01", "last_month": "2025-12"}
    names = {window: period.name for window, period in serving.months(day_start(20260101) - 1).items()}
    assert names == {"month": "2025-12", "last_month": "2025-11"}


def test_a_month_that_can_no_longer_be_contested_is_destroyed_once_and_told(
    assembly: Assembly, told: list[Any]
) -> None:
    assembly.pseudonyms.of("an@a.example", 20260105)
    with writing(assembly.engine) as connection:
        connection.execute(insert(edition).values(period="2026-01", number=1, sealed=day_start(20260201)))
    at(assembly, day_start(20260304) - 1).destroy_what_is_due()
    assert told == []
    assert 202601 in assembly.pseudonyms.months()
    for _ in range(2):
        at(assembly, day_start(20260304)).destroy_what_is_due()
    assert [(one["event"], one["month"]) for one in told] == [("destroyed", "2026-01")]
    assert 202601 not in assembly.pseudonyms.months()


def test_a_system_that_is_silent_is_told_once_and_that_it_answers_again_once(place: Place, told: list[Any]) -> None:
    place.change(r"at: https://vanban.phutho.example/", "at: tcp://127.0.0.1:1")
    hour, minute = 3600, 60

    def silence_and_back() -> list[tuple[str, str]]:
        words = ("does not answer", "answers again")
        return [(one["source"], one["event"]) for one in told if one["event"] in words]

    with assemble(place.config, {}) as one:
        daemon = at(one, 0)

        def probe(instant: int) -> None:
            daemon.assembly = replace(one, clock=fixed_clock(instant))
            daemon.probe()

        start = day_start(20260301) + 9 * hour
        with systems.serve(place.folder):
            probe(start)
            assert silence_and_back() == [("documents", "does not answer")]
            probe(start + 14 * minute)
        probe(start + 15 * minute)
        probe(start + 30 * minute)
        probe(start + 45 * minute)
        silent = [("documents", "does not answer"), ("onestop", "does not answer")]
        assert silence_and_back() == silent
        with systems.serve(place.folder):
            probe(start + hour)
            probe(start + 75 * minute)
        assert silence_and_back() == [*silent, ("onestop", "answers again")]
        with reading(one.engine) as connection:
            of_day = connection.execute(
                select(probed.c.answered, probed.c.silent, probed.c.planned).where(
                    probed.c.source == "onestop", probed.c.day == 20260301
                )
            ).one()
    # Up to 08:00 by the ledger; the three of the hour until 09:00 were missed; three and three here.
    assert tuple(of_day) == (33 + 3, 3, 33 + 3 + 6)


class _Planned:
    """Stands for a timetable: notes that it was planned anew."""

    def __init__(self) -> None:
        self.jobs, self.planned = SimpleNamespace(running=True), 0

    def plan(self, *_: object) -> None:
        self.planned += 1


@pytest.mark.parametrize(("jump", "planned"), [(86_400, 1), (-86_400, 1), (5, 0)])
def test_a_clock_that_is_set_has_all_runs_planned_anew_once(
    jump: int, planned: int, assembly: Assembly, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, running, ahead = at(assembly, day_start(20260301)), _Planned(), [0]
    alive: list[bool] = []

    def alive_again() -> None:
        alive.append(True)
        server.beat = time.monotonic()

    monkeypatch.setattr("collector.daemon.system_clock", lambda: system_clock() + ahead[0])
    server, supervisor = SimpleNamespace(beat=time.monotonic()), SimpleNamespace(patience=0.06, alive=alive_again)
    watching = threading.Thread(target=serving._watch, args=(daemon, server, running, supervisor))
    watching.start()
    try:
        wait_for(lambda: len(alive) > 2)
        ahead[0] = jump
        before = len(alive)
        wait_for(lambda: len(alive) > before + 3)
        assert running.planned == planned
        assert [one["event"] for one in told] == ["the clock was set"] * planned
        assert all(abs(one["seconds"] - jump) <= 1 for one in told), "to the second"
        # Once the server's loop stands still, the supervisor hears no more.
        server.beat = -1_000.0
        supervisor.alive = lambda: alive.append(False)
        time.sleep(0.2)
        assert False not in alive
    finally:
        daemon.stopping.set()
        watching.join()


def test_a_sealed_month_is_shown_as_it_was_sealed_and_what_differs_since_is_told(
    assembly: Assembly, told: list[Any]
) -> None:
    daemon = at(assembly, day_start(20260302))
    february, key = parse_period("2026-02"), assembly.settings.signing_key
    keys.new(key)
    with reading(assembly.engine) as connection:
        lacking = editions.lacking(connection, assembly.indicators, assembly.world(february), february)
    for one in lacking:
        assert one.first_day is not None
        assert one.last_day is not None
        days = one.first_day, one.last_day
        gaps.accept(assembly.engine, one.source, one.first_day, one.records, days, "mất", day_start(20260302))
    daemon.render()
    sealed = figures(daemon, "last_month")
    assert "niêm phong" not in daemon.shown.page
    editions.seal(daemon.assembly.sealer, february, key)
    daemon.render()
    assert figures(daemon, "last_month") == sealed
    assert "Bản niêm phong số 1, " in daemon.shown.page
    with assembly.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tally_document_issued_day SET documents_signed_hits = 0")
    daemon.render()
    assert figures(daemon, "last_month") == sealed
    daemon.note_what_was_shown()
    (differs,) = [one for one in told if one["event"] == "a sealed period differs"]
    assert (differs["period"], differs["edition"]) == ("2026-02", 1)
    assert differs["figures"] > 1
    with assembly.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE edition_body SET body = replace(body, 'measured', 'measured ')")
    daemon.render()
    daemon.note_what_was_shown()
    assert figures(daemon, "last_month") == set(), "what is not as it was sealed is not shown"
    assert [one["log_level"] for one in told if one.get("reason", "").endswith("is not as it was sealed")] == [
        "error",
        "warning",
    ]


def test_what_is_shown_of_open_months_is_noted_once(assembly: Assembly, told: list[Any]) -> None:
    def noted() -> list[int]:
        with reading(assembly.engine) as connection:
            return [len(zlib.decompress(one)) for one in connection.scalars(select(reading_log.c.changed))]

    daemon = at(assembly, day_start(20260302))
    daemon.note_what_was_shown()
    first = noted()
    daemon.note_what_was_shown()
    assert noted() == first, "what did not change is not noted again"
    with assembly.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tally_document_issued_day SET documents_signed_hits = 0")
    daemon.note_what_was_shown()
    later = noted()[len(first) :]
    assert 0 < sum(later) < sum(first) / 2, "what changed alone"
    assert told == [], "all went well: nothing is worth a line"
