"""When sources are read. The only file that knows APScheduler.

Each source has one job on its own interval and each run its own thread, so that a source that hangs delays no other
and never keeps the program from ending. Runs that were due while the machine slept are caught up by one run, however
late (APScheduler would else drop what begins over one second late); while a run goes on, no second one begins.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from collector.contract.period import OFFSET

RENEW = "renew"
"""The id of the job that renews what is shown; a source's job has the id `read <source>`."""

DAILY = "destroy what is due"
"""The id of the job that is done once a day."""

PROBE = "probe"
"""The id of the job that asks the sources whether they answer."""

DELIVER_EVERY = 60
"""Seconds between two looks at what is due for a receiver."""

_LOCAL = timezone(timedelta(seconds=OFFSET))


@dataclass(frozen=True, slots=True)
class Timetable:
    """A source's interval in seconds, and when it was last read (epoch seconds; None: it is due at once)."""

    source: str
    every: int
    last: int | None


class _Threads(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no types
    """Runs each job in a thread of its own, which ends with the program at the latest."""

    def __init__(self) -> None:
        super().__init__()
        self.running: set[threading.Thread] = set()

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        thread = threading.Thread(target=self._run, args=(job, run_times), name=job.id, daemon=True)
        self.running.add(thread)
        thread.start()

    def _run(self, job: Any, run_times: Sequence[datetime]) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        except BaseException:
            self._run_job_error(job.id, *sys.exc_info()[1:])
            raise
        else:
            self._run_job_success(job.id, events)
        finally:
            self.running.discard(threading.current_thread())


@dataclass(frozen=True, slots=True)
class Running:
    """A timetable that is being kept."""

    jobs: BackgroundScheduler
    threads: _Threads

    def stop(self, within: float) -> list[str]:
        """Begin no further run, and wait some seconds for those that go on; return the ids of those still going."""
        self.jobs.shutdown(wait=False)
        until = time.monotonic() + within
        left = sorted(self.threads.running, key=lambda thread: thread.name)
        for thread in left:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in left if thread.is_alive()]


def start(
    timetable: Sequence[Timetable],
    tick: Callable[[str], None],
    renew: Callable[[], None],
    now: int,
    daily: Callable[[], None] | None = None,
    probe: Callable[[], None] | None = None,
    deliver: Callable[[str], None] | None = None,
    receivers: Sequence[str] = (),
) -> Running:
    """Call `tick(source)` for each source on its interval, and `renew()` every five minutes, in background threads.

    `daily()` is called at once, and once a day; `probe()` at once, and at each full minute; `deliver(receiver)` at
    once, and each minute for each receiver apart, so that one that hangs keeps no other waiting.

    A source that is due already (`now` in epoch seconds) is read at once; the others at their next time. The minutes
    of `renew` are those of the local clock, midnight among them: then a new day, perhaps a new month, has begun.
    """
    # It warns each time that a run is left out because the last one goes on; that run's length is a vital.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    threads = _Threads()
    jobs = BackgroundScheduler(
        timezone=UTC,
        executors={"default": threads},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for one in timetable:
        due = now if one.last is None else max(now, one.last + one.every)
        jobs.add_job(
            tick,
            IntervalTrigger(seconds=one.every, jitter=min(30, one.every // 20)),
            args=[one.source],
            id=f"read {one.source}",
            next_run_time=datetime.fromtimestamp(due, UTC),
        )
    jobs.add_job(renew, CronTrigger(minute="*/5", timezone=_LOCAL), id=RENEW)
    if daily is not None:
        jobs.add_job(daily, IntervalTrigger(days=1), id=DAILY, next_run_time=datetime.fromtimestamp(now, UTC))
    if probe is not None:
        at_once = datetime.fromtimestamp(now, UTC)
        jobs.add_job(probe, CronTrigger(minute="*", timezone=_LOCAL), id=PROBE, next_run_time=at_once)
    for receiver in receivers if deliver is not None else ():
        jobs.add_job(
            deliver,
            IntervalTrigger(seconds=DELIVER_EVERY),
            args=[receiver],
            id=f"deliver to {receiver}",
            next_run_time=datetime.fromtimestamp(now, UTC),
        )
    jobs.start()
    return Running(jobs, threads)
