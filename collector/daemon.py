"""The daemon: reads each source on its interval and shows the figures. It can be killed at any moment: a save is one
transaction, and what was not saved is read again."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
import uvicorn

from collector import collect as collecting
from collector import readings as figures
from collector import scheduler, status
from collector.assembly import Assembly, find_connector
from collector.clock import system_clock
from collector.collect import Wanted
from collector.contract.errors import CollectorError
from collector.contract.period import Period, local_day, month_of, plus_days
from collector.sinks import prometheus
from collector.status import SourceStatus
from collector.store.engine import reading
from collector.vitals import Vitals
from collector.web import page
from collector.web.application import Shown, application

STOP_WITHIN = 8.0
"""Seconds that runs under way are given to save what they have read, once the daemon is told to stop."""

log = structlog.get_logger("collector")


@dataclass(slots=True)
class Daemon:
    """One daemon: what it was put together from, what it shows, and what it knows of its sources."""

    assembly: Assembly
    vitals: Vitals
    stopping: threading.Event
    shown: Shown
    down: set[str]  # sources whose last run failed: told once when they go down, once when they are back

    def tick(self, source: str) -> None:
        """Read one source; a failure is told, the other sources go on."""
        settings = self.assembly.settings.sources[source]
        tools = replace(self.assembly.tools, stopping=self.stopping.is_set)
        began = time.monotonic()
        try:
            outcome = collecting.collect(
                self.assembly.job(settings), tools, Wanted(), wait=False, says=_ignore, progress=_ignore
            )
        except CollectorError as error:  # another run holds the lease
            log.info("not read", source=source, reason=error.reason)
            return
        except Exception:  # a bug in one connector must not keep the others from being read
            log.exception("a bug: this source is not read", source=source)
            self.down.add(source)
            self.vitals.ran(source, self.assembly.clock(), time.monotonic() - began, "bug", {})
            return
        saved = outcome.saved
        counts = {
            "inserted": saved.inserted,
            "updated": saved.updated,
            "unchanged": saved.unchanged,
            "quarantined": saved.quarantined,
        }
        self.vitals.ran(source, outcome.began, time.monotonic() - began, outcome.result, counts)
        self._tell(source, outcome.failure)
        self.render()

    def _tell(self, source: str, failure: CollectorError | None) -> None:
        if failure and source not in self.down:
            self.down.add(source)
            log.error(
                "down",
                source=source,
                stage=failure.stage,
                field=failure.field,
                reason=failure.reason,
                mend=failure.mend,
            )
        elif not failure and source in self.down:
            self.down.discard(source)
            log.info("back", source=source)

    def render(self) -> None:
        """Take all readings anew and render them; requests are answered from what is rendered."""
        self.shown = _render(self.assembly, self.statuses())

    def statuses(self) -> list[SourceStatus]:
        """The state of every source."""
        now = self.assembly.clock()
        with reading(self.assembly.engine) as connection:
            return [
                status.of_source(
                    connection,
                    source.name,
                    source.connector,
                    find_connector(source.connector).RECORDS,
                    source.since,
                    source.stale_after,
                    now,
                )
                for source in self.assembly.settings.sources.values()
            ]


def _ignore(_: object) -> None:
    """Nobody watches."""


def months(now: int) -> dict[str, Period]:
    """The windows that are shown: the current month so far, and the last one."""
    current = month_of(local_day(now))
    return {"month": current, "last_month": month_of(plus_days(current.first, -1))}


def _render(assembly: Assembly, statuses: list[SourceStatus]) -> Shown:
    now = assembly.clock()
    windows = months(now)
    with reading(assembly.engine) as connection:
        readings = {
            window: figures.take(connection, assembly.indicators, assembly.tallies, assembly.world(period), period)
            for window, period in windows.items()
        }
    scores = {window: assembly.rank(readings[window], period) for window, period in windows.items()}
    blocks = {member.code: member.block for member in assembly.world(windows["month"]).members}
    return Shown(
        metrics=prometheus.render(assembly.indicators, readings, scores, blocks),
        page=page.render(
            assembly.settings.province.name,
            windows["last_month"],
            assembly.register,
            assembly.indicators,
            readings["last_month"],
            scores["last_month"],
            statuses,
            now,
        ),
    )


def serve(assembly: Assembly, host: str, port: int, says: Callable[[str], None]) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); ends within ten seconds."""
    _log()
    daemon = Daemon(assembly, Vitals(), threading.Event(), Shown(b"", ""), set())
    statuses = daemon.statuses()
    for one in statuses:
        daemon.vitals.known(one.source, one.last_success, up=one.result == "done")
    daemon.render()
    server = _Server(
        uvicorn.Config(
            application(lambda: daemon.shown, daemon.vitals.render),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        ),
        lambda own: says(f"serving on http://{host}:{own} (figures at /metrics); stop with Ctrl-C"),
    )
    # In a sample province the clock stands still: what was just read is due again one interval from now.
    still = None if assembly.settings.now is None else system_clock()
    timetable = [
        scheduler.Timetable(source.name, source.every, still or one.last_run)
        for source, one in zip(assembly.settings.sources.values(), statuses, strict=True)
    ]
    jobs = scheduler.start(timetable, daemon.tick, system_clock())
    try:
        server.run()
    finally:
        daemon.stopping.set()
        scheduler.stop(jobs)
        _wait_for_runs(STOP_WITHIN)


def _wait_for_runs(seconds: float) -> None:
    """Wait until runs under way have saved what they read, but no longer than some seconds."""
    until = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(max(0.0, until - time.monotonic()))


class _Server(uvicorn.Server):
    """A server that tells its port once it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[int], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._listening(self.servers[0].sockets[0].getsockname()[1])


def _log() -> None:
    """One event a line, on standard error: for people at a terminal and for journald alike."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event", "source"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(),
    )
