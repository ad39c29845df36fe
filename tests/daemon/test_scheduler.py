"""When sources are read: at once if due, then on their interval, caught up by one run, never two at once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from collector import scheduler
from collector.clock import system_clock
from collector.contract.period import day_start, rfc3339
from collector.scheduler import RENEW, Running, Timetable
from tests.daemon.conftest import wait_for


@contextmanager
def keeping(
    *timetable: Timetable, tick: Callable[[str], None], renew: Callable[[], None] = lambda: None
) -> Iterator[Running]:
    running = scheduler.start(timetable, tick, renew, system_clock())
    try:
        yield running
    finally:
        if running.jobs.running:
            running.stop(0)


def next_run(running: Running, job: str) -> datetime:
    due: datetime = running.jobs.get_job(job).next_run_time
    return due


def test_what_is_due_is_read_at_once_and_what_is_not_waits_for_its_time() -> None:
    read: list[str] = []
    now = system_clock()
    never, late, fresh = Timetable("never", 3600, None), Timetable("late", 60, now - 61), Timetable("fresh", 3600, now)
    with keeping(never, late, fresh, tick=read.append) as running:
        wait_for(lambda: len(read) == 2)
        assert sorted(read) == ["late", "never"]
        assert next_run(running, "read fresh") == datetime.fromtimestamp(now + 3600, UTC)


def test_a_source_that_fails_by_a_bug_is_read_again() -> None:
    read: list[str] = []

    def tick(source: str) -> None:
        read.append(source)
        raise ZeroDivisionError

    with keeping(Timetable("s", 1, None), tick=tick):
        wait_for(lambda: len(read) >= 2)


def test_a_slow_source_is_never_read_twice_at_once_and_delays_no_other() -> None:
    begun: list[str] = []
    release = threading.Event()

    def tick(source: str) -> None:
        begun.append(source)
        if source.startswith("slow"):
            release.wait(30)

    slow = [Timetable(f"slow{number}", 1, None) for number in range(12)]
    with keeping(*slow, Timetable("quick", 1, None), tick=tick):
        wait_for(lambda: begun.count("quick") >= 3)
        assert sorted(one for one in begun if one != "quick") == sorted(one.source for one in slow)
        release.set()
        wait_for(lambda: all(begun.count(one.source) >= 2 for one in slow))


def test_what_was_due_while_the_machine_slept_is_caught_up_by_one_run() -> None:
    read: list[str] = []
    with keeping(Timetable("s", 600, system_clock()), tick=read.append) as running:
        running.jobs.modify_job("read s", next_run_time=datetime.now(UTC) - timedelta(hours=5))
        wait_for(lambda: next_run(running, "read s") > datetime.now(UTC) and bool(read))
        assert running.stop(5) == []
    assert read == ["s"], "neither none for being late, nor thirty for the runs that were missed"


def test_figures_are_renewed_at_local_midnight_and_each_five_minutes() -> None:
    with keeping(tick=lambda _: None) as running:
        trigger = running.jobs.get_job(RENEW).trigger
        before_midnight = datetime.fromtimestamp(day_start(20260301) - 20, UTC)
        times = [trigger.get_next_fire_time(None, before_midnight)]
        times.append(trigger.get_next_fire_time(times[0], times[0] + timedelta(seconds=1)))
    told = [rfc3339(int(one.timestamp())) for one in times]
    assert told == ["2026-03-01T00:00:00+07:00", "2026-03-01T00:05:00+07:00"]


def test_renewing_happens_in_the_background() -> None:
    renewed = threading.Event()
    with keeping(tick=lambda _: None, renew=renewed.set) as running:
        running.jobs.modify_job(RENEW, next_run_time=datetime.now(UTC))
        assert renewed.wait(30)


def test_told_to_stop_it_waits_for_runs_that_end_and_names_those_that_do_not() -> None:
    begun = threading.Barrier(3)
    release, never = threading.Event(), threading.Event()

    def tick(source: str) -> None:
        begun.wait(30)
        (release if source == "ends" else never).wait(30)

    with keeping(Timetable("ends", 60, None), Timetable("hangs", 60, None), tick=tick) as running:
        begun.wait(30)
        release.set()
        assert running.stop(1) == ["read hangs"]
        never.set()


def test_a_run_that_hangs_does_not_keep_the_program_from_ending() -> None:
    with keeping(Timetable("s", 60, None), tick=lambda _: time.sleep(1)) as running:
        wait_for(lambda: bool(running.threads.running))
        assert all(thread.daemon for thread in running.threads.running)


def test_what_is_done_daily_is_done_at_once_and_a_day_later() -> None:
    done: list[bool] = []
    now = system_clock()
    running = scheduler.start([], lambda _: None, lambda: None, now, daily=lambda: done.append(True))
    try:
        wait_for(lambda: done == [True])
        later = next_run(running, scheduler.DAILY)
        assert abs((later - datetime.fromtimestamp(now + 86_400, UTC)).total_seconds()) <= 1
    finally:
        running.stop(0)
