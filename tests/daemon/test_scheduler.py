"""When sources are read: at once if due, then on their interval, caught up by one run, never two at once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from collector import scheduler
from collector.clock import system_clock
from collector.contract.period import day_start, local_day, rfc3339
from collector.hours import Hours
from collector.scheduler import RENEW, Running, Timetable
from tests.daemon.conftest import wait_for


@contextmanager
def keeping(
    *timetable: Timetable, tick: Callable[[str], None], renew: Callable[[], None] = lambda: None
) -> Iterator[Running]:
    running = scheduler.start(timetable, tick, {RENEW: renew}, system_clock())
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
    running = scheduler.start([], lambda _: None, {scheduler.DAILY: lambda: done.append(True)}, now)
    try:
        wait_for(lambda: done == [True])
        later = next_run(running, scheduler.DAILY)
        assert abs((later - datetime.fromtimestamp(now + 86_400, UTC)).total_seconds()) <= 1
    finally:
        running.stop(0)


def test_outside_its_hours_a_source_waits_for_them() -> None:
    read: list[str] = []
    now = system_clock()
    day = local_day(now)
    second = now - day_start(day)
    opens = (second + 3600) % 86_400
    closed = Hours(opens, (opens + 7200) % 86_400)
    maintained = Hours(maintenance=((now - 60, now + 7200),))
    timetable = (Timetable("closed", 60, None, hours=closed), Timetable("maintained", 60, now - 61, hours=maintained))
    with keeping(*timetable, Timetable("open", 60, None), tick=read.append) as running:
        wait_for(lambda: read == ["open"])
        assert int(next_run(running, "read closed").timestamp()) == now + 3600
        assert int(next_run(running, "read maintained").timestamp()) == now + 7200


def test_a_cron_line_is_on_the_local_clock_and_what_it_missed_is_caught_up_once() -> None:
    read: list[str] = []
    now = day_start(20260302) + 10 * 3600  # a Monday, at ten
    mornings = "30 1 * * mon-fri"
    missed = Timetable("missed", 1, day_start(20260227), mornings)  # Friday's run and Monday's
    fresh = Timetable("fresh", 1, day_start(20260302) + 2 * 3600, mornings)
    running = scheduler.start([], read.append, {}, now)
    try:
        running.jobs.pause()
        running.plan([missed, fresh], {}, now)
        due = {job.id: int(job.next_run_time.timestamp()) for job in running.jobs.get_jobs()}
        assert due == {"read missed": now, "read fresh": day_start(20260303) + 5400}
        trigger = running.jobs.get_job("read missed").trigger
        after = trigger.get_next_fire_time(datetime.fromtimestamp(now, UTC), datetime.fromtimestamp(now + 1, UTC))
        assert int(after.timestamp()) == day_start(20260303) + 5400
    finally:
        running.stop(0)


def test_a_new_timetable_takes_the_place_of_the_old_one_and_never_reads_a_source_twice_at_once() -> None:
    begun: list[str] = []
    release = threading.Event()

    def tick(source: str) -> None:
        begun.append(source)
        release.wait(30)

    with keeping(Timetable("slow", 1, None), Timetable("gone", 3600, system_clock()), tick=tick) as running:
        wait_for(lambda: begun == ["slow"])
        running.plan([Timetable("slow", 1, None), Timetable("new", 3600, None)], {}, system_clock())
        wait_for(lambda: "new" in begun)
        assert sorted(job.id for job in running.jobs.get_jobs()) == ["read new", "read slow"]
        time.sleep(1.5)
        assert begun.count("slow") == 1
        release.set()
        wait_for(lambda: begun.count("slow") >= 2)


def test_a_last_run_in_the_future_puts_off_nothing_beyond_one_interval() -> None:
    # The clock was put back since.
    now = system_clock()
    with keeping(Timetable("s", 3600, now + 86_400), tick=lambda _: None) as running:
        assert abs(int(next_run(running, "read s").timestamp()) - (now + 3600)) <= 1
