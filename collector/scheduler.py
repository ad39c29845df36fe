"""When sources are read. The only file that knows APScheduler.

Each source has one job on its own interval or cron line, within its hours, and each run its own thread, so that a
source that hangs delays no other and never keeps the program from ending. Runs that were due while the machine slept
are caught up by one run, however late (APScheduler would else drop what begins over one second late); while a run goes
on, no second one begins.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from math import ceil
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from collector.contract.period import OFFSET
from collector.hours import Hours

RENEW = "renew"
"""The id of the job that renews what is shown; a source's job has the id `read <source>`."""

DAILY = "destroy what is due"
"""The id of the job that is done once a day."""

PROBE = "probe"
"""The id of the job that asks the sources whether they answer."""

DELIVER = "deliver to "
"""How the id of a job begins that tells a receiver what is due; its name follows."""

_LOCAL = timezone(timedelta(seconds=OFFSET))
_REGULAR = {
    RENEW: CronTrigger(minute="*/5", timezone=_LOCAL),
    DAILY: IntervalTrigger(days=1),
    PROBE: CronTrigger(minute="*", timezone=_LOCAL),
    DELIVER: IntervalTrigger(minutes=1),
}


@dataclass(frozen=True, slots=True)
class Timetable:
    """A source's interval in seconds, and when it was last read (epoch seconds; None: it is due at once).

    `cron` (five fields, on the local clock) stands instead of the interval. It is read within its hours alone.
    """

    source: str
    every: int
    last: int | None
    cron: str | None = None
    hours: Hours = field(default_factory=Hours)


class _WithinHours(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no types
    """Another trigger's times, each put off until the source may be read."""

    def __init__(self, times: BaseTrigger, hours: Hours) -> None:
        self._times, self._hours = times, hours

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        due = self._times.get_next_fire_time(previous_fire_time, now)
        return None if due is None else datetime.fromtimestamp(self._hours.next(ceil(due.timestamp())), UTC)


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


Job = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Running:
    """A timetable that is being kept."""

    jobs: BackgroundScheduler
    threads: _Threads
    tick: Callable[[str], None]

    def plan(self, timetable: Sequence[Timetable], regular: Mapping[str, Job], now: int) -> None:
        """Keep this timetable from now on (epoch seconds), whatever was planned before; runs under way go on.

        See `start`.
        """
        for job in self.jobs.get_jobs():
            job.remove()
        for one in timetable:
            self.jobs.add_job(
                self.tick,
                _trigger(one),
                args=[one.source],
                id=f"read {one.source}",
                next_run_time=datetime.fromtimestamp(one.hours.next(_due(one, now)), UTC),
            )
        at_once = datetime.fromtimestamp(now, UTC)
        for name, job in regular.items():
            first = {} if name == RENEW else {"next_run_time": at_once}
            kind = DELIVER if name.startswith(DELIVER) else name
            self.jobs.add_job(job, _REGULAR[kind], id=name, **first)

    def stop(self, within: float) -> list[str]:
        """Begin no further run, and wait some seconds for those that go on; return the ids of those still going."""
        self.jobs.shutdown(wait=False)
        until = time.monotonic() + within
        left = sorted(self.threads.running, key=lambda thread: thread.name)
        for thread in left:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in left if thread.is_alive()]


def _trigger(one: Timetable) -> BaseTrigger:
    if one.cron is not None:
        return _WithinHours(CronTrigger.from_crontab(one.cron, timezone=_LOCAL), one.hours)
    return _WithinHours(IntervalTrigger(seconds=one.every, jitter=min(30, one.every // 20)), one.hours)


def _due(one: Timetable, now: int) -> int:
    """When a source is due next; never later than if it had been read now, should its last run lie in the future."""
    if one.last is None:
        return now
    if one.cron is None:
        return max(now, min(one.last, now) + one.every)
    after = datetime.fromtimestamp(min(one.last, now) + 1, UTC)
    times = CronTrigger.from_crontab(one.cron, timezone=_LOCAL)
    return max(now, int(times.get_next_fire_time(None, after).timestamp()))


def start(timetable: Sequence[Timetable], tick: Callable[[str], None], regular: Mapping[str, Job], now: int) -> Running:
    """Call `tick(source)` for each source on its interval, and what is `regular` by its id, in background threads.

    A source that is due already (`now` in epoch seconds) is read at once, or as soon as its hours begin; the others at
    their next time. RENEW is called every five minutes, at minutes of the local clock, midnight among them: then a new
    day, perhaps a new month, has begun. DAILY is called at once, and once a day; PROBE at once, and at each full
    minute; DELIVER with a receiver's name at once, and each minute, for each of them apart, so that one that hangs
    keeps no other waiting.
    """
    # It warns each time that a run is left out because the last one goes on; that run's length is a vital.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    threads = _Threads()
    jobs = BackgroundScheduler(
        timezone=UTC,
        executors={"default": threads},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    running = Running(jobs, threads, tick)
    jobs.start(paused=True)
    running.plan(timetable, regular, now)
    jobs.resume()
    return running
