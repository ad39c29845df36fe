"""The plan of probes, what is counted of it by day, and that the figure is what the systems did.

Days are those of January 2026; the plan asks every hour, so that a day has 24 planned instants.
"""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from collector import readings
from collector.agencies import Register
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Probe
from collector.contract.tables import probe
from collector.probing import Day, Plan, Watch, counted
from collector.readings import Member, Served, World
from collector.store import hashes
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.schema import coverage
from collector.store.tallies import rebuild_all
from collector.transports import reach
from indicators import systems
from tests.servers.openssh import OpenSSH
from tests.store.small import PLAN, REGISTER, store

HOUR, DAY = 3600, 86_400
FIRST = day_start(20260105)
(AVAILABLE,) = systems.INDICATORS
H1, H2, H3 = "H44.01", "H44.02", "H44.03"
TEXT = (
    REGISTER.replace("agencies:", "  communes: {title_vi: Xã, title_en: Communes}\nagencies:")
    + "  - {code: H44.03, name: C, block: communes}\n"
)
SERVED = [("web", H1, 20260101), ("web", H2, 20260101), ("files", H1, 20260101), ("files", H3, 20260101)]


def plan(**values: Any) -> Plan:
    return replace(Plan("web", HOUR, 0.5), **values)


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path, TEXT, SERVED)


def watch(small: tuple[Engine, Register], *plans: Plan, says: Any = True) -> Watch:
    return Watch(small[0], small[1], PLAN, {one.source: (one, lambda _: says) for one in plans or (plan(),)})


def counts(engine: Engine, source: str = "web") -> dict[int, tuple[int, int, int, int]]:
    """Planned, answered, silent and excused by day."""
    c = probe.c
    with reading_store(engine) as connection:
        rows = connection.execute(
            select(c.day, c.planned, c.answered, c.silent, c.excused).where(c.source == source).order_by(c.day)
        )
        return {row[0]: tuple(row[1:]) for row in rows}


def covered(engine: Engine, source: str = "web") -> list[int]:
    with reading_store(engine) as connection:
        days = select(coverage.c.day).where(coverage.c.source == source, coverage.c.record == Probe.NAME)
        return sorted(connection.scalars(days))


def test_each_planned_instant_is_asked_once_however_often_the_clock_ticks(small: tuple[Engine, Register]) -> None:
    own = watch(small)
    asked = [bool(own.tick(FIRST + minute * 60)) for minute in range(0, 180, 5)]
    assert [minute * 5 for minute, done in enumerate(asked) if done] == [0, 60, 120]
    assert counts(small[0]) == {20260105: (3, 3, 0, 0)}


def test_a_day_is_covered_once_it_is_over_and_was_watched_from_its_start(small: tuple[Engine, Register]) -> None:
    own = watch(small)
    for hour in range(9, 50):
        own.tick(FIRST + hour * HOUR)
        assert covered(small[0]) == ([20260106] if hour >= 48 else [])
    # The first day began at 09:00: it has been watched for a part of it, and is no whole day.
    assert counts(small[0]) == {20260105: (15, 15, 0, 0), 20260106: (24, 24, 0, 0), 20260107: (2, 2, 0, 0)}


def test_what_was_missed_while_the_program_stood_still_is_planned_and_neither_answered_nor_silent(
    small: tuple[Engine, Register],
) -> None:
    own = watch(small)
    own.tick(FIRST)
    own.tick(FIRST + 3 * DAY + 90 * 60)
    assert counts(small[0]) == {
        20260105: (24, 1, 0, 0),
        20260106: (24, 0, 0, 0),
        20260107: (24, 0, 0, 0),
        20260108: (2, 1, 0, 0),
    }
    assert covered(small[0]) == [20260105, 20260106, 20260107]


def test_what_could_not_be_asked_is_no_silence(small: tuple[Engine, Register]) -> None:
    assert watch(small, says=None).tick(FIRST) == {"web": None}
    assert counts(small[0]) == {20260105: (1, 0, 0, 0)}


def test_in_a_maintenance_window_nothing_is_asked_and_before_and_after_it_is(small: tuple[Engine, Register]) -> None:
    own = watch(small, plan(maintenance=[(FIRST + 2 * HOUR, FIRST + 4 * HOUR)]), says=False)
    asked = [hour for hour in range(6) if own.tick(FIRST + hour * HOUR)]
    assert asked == [0, 1, 4, 5]
    assert counts(small[0]) == {20260105: (6, 0, 4, 2)}


def test_a_window_that_is_told_afterwards_excuses_nothing(small: tuple[Engine, Register]) -> None:
    own = watch(small, says=False)
    for hour in range(3):
        own.tick(FIRST + hour * HOUR)
    watch(small, plan(maintenance=[(FIRST, FIRST + 4 * HOUR)])).tick(FIRST + 3 * HOUR)
    assert counts(small[0]) == {20260105: (4, 0, 3, 1)}


def test_only_the_hours_of_the_plan_are_asked(small: tuple[Engine, Register]) -> None:
    own = watch(small, plan(opens=7 * HOUR, closes=9 * HOUR + 1))
    asked = [hour for hour in range(48) if own.tick(FIRST + hour * HOUR)]
    assert asked == [7, 8, 9, 31, 32, 33]
    assert counts(small[0]) == {20260105: (3, 3, 0, 0), 20260106: (3, 3, 0, 0)}
    assert covered(small[0]) == [20260105]


def test_a_clock_that_is_set_back_counts_nothing_twice(small: tuple[Engine, Register]) -> None:
    own = watch(small)
    for hour in (5, 6, 4, 5, 6, 7, 1):
        own.tick(FIRST + hour * HOUR)
    assert counts(small[0]) == {20260105: (3, 3, 0, 0)}


def test_a_clock_that_ran_years_ahead_for_a_moment_costs_nothing_but_that_moment(
    small: tuple[Engine, Register],
) -> None:
    own = watch(small)
    ahead = day_start(20300101)
    for instant in (FIRST, FIRST + HOUR, ahead, FIRST + 2 * HOUR, FIRST + 3 * HOUR, FIRST + DAY):
        own.tick(instant)
    assert counts(small[0]) == {20260105: (24, 4, 0, 0), 20260106: (1, 1, 0, 0), 20300101: (1, 1, 0, 0)}
    assert covered(small[0]) == [20260105]


def test_after_a_gap_of_over_a_month_the_watch_begins_anew(small: tuple[Engine, Register]) -> None:
    own = watch(small)
    own.tick(FIRST)
    own.tick(FIRST + 40 * DAY + HOUR)
    assert counts(small[0]) == {20260105: (1, 1, 0, 0), 20260214: (1, 1, 0, 0)}
    assert covered(small[0]) == []


def test_a_source_that_hangs_keeps_no_other_from_being_asked(small: tuple[Engine, Register]) -> None:
    hold = threading.Event()
    slow, quick = plan(source="files", within=0.01), plan(within=0.01)
    plans = {"files": (slow, lambda _: hold.wait(30)), "web": (quick, lambda _: True)}
    assert Watch(small[0], small[1], PLAN, plans).tick(FIRST) == {"web": True, "files": None}
    hold.set()
    assert (counts(small[0]), counts(small[0], "files")) == (
        {20260105: (1, 1, 0, 0)},
        {20260105: (1, 0, 0, 0)},
    )


def test_what_another_process_has_counted_meanwhile_stands(small: tuple[Engine, Register]) -> None:
    other = watch(small, says=False)
    own = Watch(small[0], small[1], PLAN, {"web": (plan(), lambda _: bool(other.tick(FIRST)))})
    own.tick(FIRST)
    assert counts(small[0]) == {20260105: (1, 0, 1, 0)}


TICKS = st.lists(st.tuples(st.integers(0, 4 * DAY), st.sampled_from([True, False, None])), min_size=1, max_size=40)


@given(ticks=TICKS, every=st.sampled_from([300, 3600, 7 * 60, DAY]), opens=st.integers(0, 23), hours=st.integers(1, 24))
def test_every_planned_instant_is_in_one_class_whenever_the_clock_ticks(
    ticks: list[tuple[int, bool | None]], every: int, opens: int, hours: int
) -> None:
    """Against a count that walks over every second of the plan's instants."""
    window = (FIRST + 30 * HOUR, FIRST + 40 * HOUR)
    own = plan(every=every, opens=opens * HOUR, closes=min(opens + hours, 24) * HOUR, maintenance=[window])
    instants = [
        start + second
        for start in range(FIRST, FIRST + 5 * DAY, DAY)
        for second in range(own.opens, own.closes)
        if (second - own.opens) % every == 0
    ]
    kept: dict[int, Day] = {}
    last: Day | None = None
    truth: dict[int, str] = {}
    for after, says in sorted(ticks, key=lambda one: one[0]):
        now = FIRST + after
        passed = [one for one in instants if one <= now]
        today = [one for one in passed if (one - FIRST) // DAY == after // DAY]
        newest = max(today, default=None)
        fresh = [one for one in passed if one not in truth and (not truth or one > max(truth))]
        if not truth:
            fresh = [newest] if newest is not None else []
        for one in fresh:
            said = {True: "answered", False: "silent", None: "unknown"}[says] if one == newest else "unknown"
            truth[one] = "excused" if window[0] <= one < window[1] else said
        for day in counted(own, last, now, says):
            kept[day.day] = day
        last = kept[max(kept)] if kept else None
    told = {name: sum(getattr(one, name) for one in kept.values()) for name in ("answered", "silent", "excused")}
    assert told == {name: sum(one == name for one in truth.values()) for name in told}
    assert sum(one.planned for one in kept.values()) == len(truth)


# -- real systems that stop answering --------------------------------------------------------------------------------


@dataclass
class Web:
    """A real HTTP server that can be closed, be told to hang, or to answer with a status."""

    port: int = 0
    status: int = 200
    hangs: threading.Event = field(default_factory=threading.Event)
    server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if outer.hangs.is_set():
                    threading.Event().wait(2)
                    return
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who asked may have gone away."""

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@pytest.fixture
def web() -> Iterator[Web]:
    own = Web()
    own.open()
    yield own
    own.close()


@contextmanager
def standing_still(server: OpenSSH) -> Iterator[None]:
    """Stop the listening process: the kernel still accepts connections, and nobody says anything."""
    (process,) = (
        one
        for one in psutil.Process().children(recursive=True)
        if any(c.laddr.port == server.port and c.status == "LISTEN" for c in one.net_connections("tcp"))
    )
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.server("openssh")
def test_the_figure_is_what_real_systems_did(
    small: tuple[Engine, Register], web: Web, openssh: Any, tmp_path: Path
) -> None:
    """Two days on a moved clock, by the hour. What is done to the systems is told here, and counted by hand."""
    (tmp_path / "served").mkdir()
    files = openssh(tmp_path / "served")
    window = (FIRST + 20 * HOUR, FIRST + 22 * HOUR)
    targets = {
        "web": reach.address(f"http://127.0.0.1:{web.port}/"),
        "files": reach.address(f"tcp://127.0.0.1:{files.port}"),
    }
    plans = {
        "web": (plan(maintenance=[window]), targets["web"].answers),
        "files": (plan(source="files"), targets["files"].answers),
    }
    engine, known = small
    own = Watch(engine, known, PLAN, plans)

    def ticks(*hours: int) -> None:
        for hour in hours:
            own.tick(FIRST + hour * HOUR + 17)

    ticks(*range(3))
    web.close()  # the port is closed at 03, 04 and 05
    ticks(3, 4, 5)
    web.open()
    with standing_still(files):  # at 06, 07 and 08
        ticks(6, 7, 8)
    web.hangs.set()  # at 09 and 10
    ticks(9, 10)
    web.hangs.clear()
    web.status = 503  # at 11
    ticks(11)
    web.status = 404  # at 12: somebody is there
    ticks(12)
    web.status = 200
    ticks(13, 14)  # the program stands still at 15, 16 and 17
    ticks(18, 19)
    web.close()  # in the window, at 20 and 21
    ticks(20, 21)
    web.open()
    ticks(22, 23, *range(24, 49))

    assert counts(engine) == {20260105: (24, 13, 6, 2), 20260106: (24, 24, 0, 0), 20260107: (1, 1, 0, 0)}
    assert counts(engine, "files") == {20260105: (24, 18, 3, 0), 20260106: (24, 24, 0, 0), 20260107: (1, 1, 0, 0)}
    assert covered(engine) == covered(engine, "files") == [20260105, 20260106]

    found = taken(engine)
    # 13 + 24 of 13 + 6 + 24, and 18 + 24 of 18 + 3 + 24; three unknown of each.
    assert figure(found["agency", H1]) == (79, 88, 6), "both systems serve it"
    assert figure(found["agency", H2]) == (37, 43, 3)
    assert figure(found["agency", H3]) == (42, 45, 3)
    assert figure(found["block", "departments"]) == (79, 88, 6), "each probe once, though two agencies share one system"
    assert figure(found["block", "communes"]) == (42, 45, 3)
    assert figure(found["province", "H44"]) == (79, 88, 6), "each probe once"

    with writing(engine) as connection:
        before = hashes.tallies(connection)
        rebuild_all(connection, PLAN)
        assert hashes.tallies(connection) == before


def figure(one: Reading) -> tuple[int | None, int | None, int | None]:
    return one.hits, one.judged, one.unknown


def taken(engine: Engine, outside: str = "") -> dict[tuple[str, str], Reading]:
    members = (
        Member(H1, "departments"),
        Member(H2, "departments"),
        Member(H3, "communes", outside=outside),
    )
    serving = [Served(source, code, day, frozenset({"probe"}), 2 * DAY) for source, code, day in SERVED]
    world = World("H44", members, serving, day_start(20260107) + HOUR)
    january = parse_period("2026-01")
    with reading_store(engine) as connection:
        found = readings.take(connection, [AVAILABLE], PLAN, world, january, ("agency", "block", "province"))
        for one in found[:3]:
            explained = readings.explain(connection, AVAILABLE, one, january, world)
            rows = [dict(zip(explained.columns, row, strict=True)) for row in explained.rows]
            assert tuple(sum(row[part] for row in rows) for part in ("hits", "judged", "unknown")) == figure(one)
    return {(one.scope, one.agency): one for one in found}


def test_a_system_that_serves_nobody_of_the_province_figure_is_not_in_it(small: tuple[Engine, Register]) -> None:
    own = watch(small, plan(), plan(source="files"))
    for hour in range(25):
        own.tick(FIRST + hour * HOUR)
    found = taken(small[0], outside="another level")
    assert figure(found["province", "H44"]) == (48, 48, 0)
    assert figure(found["agency", H3]) == (24, 24, 0)
    assert figure(found["block", "communes"]) == (0, 0, 0)


def test_free_ports_are_silent() -> None:
    """A port where nobody listens is refused at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken_port:
        port = taken_port.getsockname()[1]
    assert reach.address(f"tcp://127.0.0.1:{port}").answers(0.5) is False
