"""When sources are read. The only file that knows APScheduler.

Each source has one job on its own interval. A run that should have begun while the machine slept, or while the last
run still went on, is caught up once, never several times: APScheduler would else drop a job that starts over one
second late.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger


@dataclass(frozen=True, slots=True)
class Timetable:
    """A source's interval in seconds, and when it was last read (epoch seconds; None: never)."""

    source: str
    every: int
    last: int | None


def start(
    timetable: Sequence[Timetable], tick: Callable[[str], None], now: int, workers: int = 4
) -> BackgroundScheduler:
    """Call `tick(source)` for each source on its interval, in background threads.

    A source that is due already is read at once, the first ones a second apart so that they do not all begin in the
    same moment; the others at their next time. Returns the running scheduler; `stop` ends it.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(workers)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for place, one in enumerate(timetable):
        due = now if one.last is None else max(now, one.last + one.every)
        scheduler.add_job(
            tick,
            IntervalTrigger(seconds=one.every, jitter=min(30, one.every // 20)),
            args=[one.source],
            id=one.source,
            next_run_time=datetime.fromtimestamp(due, UTC) + timedelta(seconds=place),
        )
    scheduler.start()
    return scheduler


def stop(scheduler: BackgroundScheduler) -> None:
    """Begin no further run; does not wait for those that go on."""
    scheduler.shutdown(wait=False)
