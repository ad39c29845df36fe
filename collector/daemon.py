"""The daemon: reads each source on its interval and shows the figures. It can be killed at any moment: a save is one
transaction, and what was not saved is read again."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import structlog
import uvicorn

from collector import collect as collecting
from collector import editions, privacy, scheduler, status, traces
from collector import readings as figures
from collector import reconcile as reconciling
from collector.assembly import Assembly, find_connector, hours
from collector.clock import system_clock
from collector.collect import Job, Outcome, Tools, Wanted
from collector.contract.connector import offered
from collector.contract.errors import CollectorError, TryAgain, WrongUse
from collector.contract.period import Period, local_day, month_of, plus_days, rfc3339
from collector.contract.reading import Reading, Score
from collector.declarations import Item
from collector.editions import Altered, Edition
from collector.editions import log as shown_log
from collector.exposition import END, Exposition
from collector.scheduler import Timetable
from collector.settings import Settings
from collector.settings.shape import Receiver
from collector.sinks import delivery, prometheus
from collector.status import SourceStatus
from collector.store import locks, outbox
from collector.store.engine import reading
from collector.supervisor import Supervisor
from collector.vitals import Vitals
from collector.web import page
from collector.web.access import Access, guarded
from collector.web.application import Shown, application
from indicators.scoring.model import Block, Criterion, Model

STOP_WITHIN = 5.0
"""Seconds that runs under way are given to save what they have read, once the daemon is told to stop."""

CLOCK_JUMP = 30
"""Seconds by which the clock must be set at once for all runs to be planned anew; time servers slew less."""

Reopen = Callable[[], AbstractContextManager[Assembly]]
"""Puts the program together anew from its settings."""

COMPARE_EVERY, COMPARE_AGAIN = 86_400, 3_600
"""Seconds until a receiver is asked again what it has applied; the shorter where it did not say."""

UNFINISHED = ("running", "cut_off", "try_again")
"""Results of a run after which the source is read at once by a daemon that starts."""

log = structlog.get_logger("collector")


@dataclass(slots=True)
class Daemon:
    """One daemon: what it was put together from, what it shows, and what it knows of its sources."""

    assembly: Assembly
    model: Model  # as it was when the daemon started, like all settings
    vitals: Vitals = field(default_factory=Vitals)
    stopping: threading.Event = field(default_factory=threading.Event)
    shown: Shown = field(default_factory=lambda: Shown(Exposition(b"", END), ""))
    down: dict[str, str] = field(default_factory=dict)  # sources whose last run failed, with its result
    rendering: threading.Lock = field(default_factory=threading.Lock)
    silent: set[str] = field(default_factory=set)  # sources that did not answer when they were asked last
    compared: dict[str, int] = field(default_factory=dict)  # when receivers are next asked what they have applied
    untold: dict[str, str] = field(default_factory=dict)  # receivers that took nothing the last time, and why
    declared: Sequence[Item] = field(init=False)  # what agencies declared, as it was read with the model

    def __post_init__(self) -> None:
        """Read what agencies declared. WrongUse if it is wrong."""
        self.declared = self.assembly.declarations(self.model)

    def tick(self, source: str) -> None:
        """Read one source; a failure is told, the other sources go on.

        One that refused us is not asked again by itself: a retry may lock the account.
        """
        if self.down.get(source) == "access_denied" and self._last_result(source) == "access_denied":
            return
        assembly = self.assembly  # for the whole run, whatever is read anew meanwhile
        tools = replace(assembly.tools, stopping=self.stopping.is_set)
        job = assembly.job(assembly.settings.sources[source])
        began = time.monotonic()
        result: str
        outcome: Outcome | None = None
        try:
            outcome = collecting.collect(job, tools, Wanted(), wait=False, says=_ignore, progress=_ignore)
        except CollectorError as error:  # another run holds the lease
            log.info("not read", source=source, reason=error.reason)
            return
        except Exception:  # a bug in one connector must not keep the figures of the others from being shown
            if self.down.get(source) != "bug":
                log.exception("a bug in this program", source=source)
            self.down[source] = "bug"
            result, counts = "bug", {}
        else:
            saved = outcome.saved
            result = outcome.result
            counts = {
                "inserted": saved.inserted,
                "updated": saved.updated,
                "unchanged": saved.unchanged,
                "quarantined": saved.quarantined,
            }
            if not self.stopping.is_set():
                self._tell(source, result, outcome.failure)
        seconds = time.monotonic() - began
        self.render()  # first: who sees that a run has ended sees its figures too
        self.vitals.ran(source, seconds, result, counts)
        if outcome is not None and result == "done" and self._to_be_reconciled(source, job):
            self._reconcile(source, job, tools, outcome)

    def _to_be_reconciled(self, source: str, job: Job) -> bool:
        every = self.assembly.settings.sources[source].reconcile
        if every is None or self.stopping.is_set() or not reconciling.offers_keys(job):
            return False
        with reading(self.assembly.engine) as connection:
            return reconciling.due(connection, source, every, self.assembly.clock())

    def _reconcile(self, source: str, job: Job, tools: Tools, outcome: Outcome) -> None:
        """Compare a source that has just been read with the store; a failure is told and leaves the source up."""
        try:
            done = reconciling.reconcile(job, tools, Wanted(), wait=False, says=_ignore, progress=_ignore, read=outcome)
        except WrongUse as error:  # no day of it is over
            log.info("not compared", source=source, reason=error.reason)
            return
        except Exception:
            log.exception("a bug in this program, while comparing", source=source)
            return
        failure = done.failure
        if isinstance(failure, TryAgain):  # the next run tries it again
            log.info("not compared", source=source, reason=failure.reason)
        elif failure is not None:
            log.error("not compared", source=source, **_words(failure))
        elif differing := done.differing:
            log.warning("differed from the store", source=source, **differing)
        self.render()

    def _tell(self, source: str, result: str, failure: CollectorError | None) -> None:
        """Say once that a source is down (again if it is so in another way), and once that it is back."""
        if failure is None:
            if self.down.pop(source, None):
                log.info("back", source=source)
        elif self.down.get(source) != result:
            self.down[source] = result
            again = f"after `collector collect {source}` or a restart" if result == "access_denied" else "by itself"
            log.error("down", source=source, **_words(failure), again=again)

    def _last_result(self, source: str) -> str | None:
        """How the last run of a source ended, also one by hand."""
        with reading(self.assembly.engine) as connection:
            return status.last_result(connection, source)

    def render(self) -> None:
        """Take all readings anew and render them; requests are answered from what is rendered."""
        with self.rendering:  # one at a time, so that an older state never replaces a newer one
            statuses = self.statuses()
            for one in statuses:
                self.vitals.reads(one.source)
                self.vitals.known(one.source, one.last_success, one.result)
                if one.reconciliation is not None:
                    last = one.reconciliation
                    self.vitals.compared(one.source, last.last_success, last.differences)
            self.vitals.host(self.assembly.settings.state)
            self.shown = _render(self.assembly, self.model, self.declared, statuses)

    def deliver(self, receiver: str) -> None:
        """Tell a receiver what is due; say once that it does not take it, and once that it does again.

        Once a day it is asked first what it has applied.
        """
        to = self.assembly.settings.receivers[receiver]
        failure: CollectorError | None
        try:
            if self.compared.get(receiver, 0) <= system_clock():
                self._compare(to)
            done = delivery.deliver(
                self._sender, to, wait=False, says=_ignore, only_due=True, stopping=self.stopping.is_set
            )
        except CollectorError as error:
            if isinstance(error, TryAgain):  # a delivery by hand is under way
                return
            failure, acknowledged, died = error, 0, 0
        else:
            failure, acknowledged, died = done.failure, done.acknowledged, done.died
        if failure is not None and not self.stopping.is_set():
            kind = type(failure).__name__
            if self.untold.get(receiver) != kind:
                self.untold[receiver] = kind
                log.error("receiver down", receiver=receiver, **_words(failure), again="by itself")
        elif acknowledged and receiver in self.untold:
            del self.untold[receiver]
            log.info("receiver back", receiver=receiver)
        if acknowledged:
            log.info("delivered", receiver=receiver, messages=acknowledged)
        if died:
            log.error("will not take", receiver=receiver, messages=died, mend="`collector deliver --dead` says why")
        self._show_delivery(to, up=False if failure else True if acknowledged else None)

    def _compare(self, to: Receiver) -> None:
        """Ask a receiver what it has applied; what it lacks (an old backup was restored) is told again."""
        found = delivery.compare(self._sender, to, wait=False, says=_ignore)
        self.compared[to.name] = system_clock() + (COMPARE_AGAIN if found.failure else COMPARE_EVERY)
        if found.lacking:
            log.warning("receiver lacked", receiver=to.name, messages=len(found.lacking), mend="They are told again")
        if found.other:
            log.error("receiver has other content", receiver=to.name, messages=len(found.other))

    @property
    def _sender(self) -> delivery.Sender:
        return delivery.Sender(self.assembly.engine, system_clock, self.assembly.tools.holder)

    def _show_delivery(self, to: Receiver, *, up: bool | None) -> None:
        with reading(self.assembly.engine) as connection:
            now = outbox.standing(connection, to.name, open_readings=to.open_readings)
        self.vitals.told(to.name, now.pending, now.dead, now.oldest, up=up)

    def destroy_what_is_due(self) -> None:
        """Destroy the months of persons' records whose figures can no longer be contested."""
        try:
            gone = privacy.destroy_what_is_due(self.assembly.keeper, says=log.info)
        except CollectorError as error:
            log.warning("not destroyed", reason=error.reason, mend=error.mend, again="tomorrow")
            return
        for month in gone:
            log.info("destroyed", month=month.name, what="its key and its records of mailboxes; the counts stay")

    def daily(self) -> None:
        """What is done once a day."""
        self.note_what_was_shown()
        self.destroy_what_is_due()

    def note_what_was_shown(self) -> None:
        """Note the open readings that changed since yesterday; say which sealed figures would be others now."""
        settings = self.assembly.settings
        first_day = min((source.since for source in settings.sources.values()), default=None)
        if first_day is None:
            return
        tell = self.assembly.open_message if any(one.open_readings for one in settings.receivers.values()) else None
        try:
            shown_log.note(self.assembly.counting, first_day, tell)
            drifted = self.assembly.drifted()
        except CollectorError as error:
            log.warning("not noted", reason=error.reason, mend=error.mend, again="tomorrow")
            return
        for one in drifted:
            log.warning("a sealed period differs", period=one.period, edition=one.number, figures=one.figures)

    def probe(self) -> None:
        """Ask the sources that are due whether they answer; say once that one is silent, and once that it is back."""
        for source, answered in self.assembly.watch.tick(self.assembly.clock()).items():
            if answered is None:
                continue
            if answered and source in self.silent:
                self.silent.discard(source)
                log.info("answers again", source=source)
            elif not answered and source not in self.silent:
                self.silent.add(source)
                log.warning("does not answer", source=source, again="on its plan")

    def statuses(self) -> list[SourceStatus]:
        """The state of every source."""
        now = self.assembly.clock()
        with reading(self.assembly.engine) as connection:
            return [
                status.of_source(
                    connection,
                    source.name,
                    source.connector,
                    offered(find_connector(source.connector), source.config),
                    source.since,
                    source.stale_after,
                    now,
                )
                for source in self.assembly.settings.sources.values()
            ]


def _words(failure: CollectorError) -> dict[str, str]:
    """What a line of the log says of a failure."""
    return {"stage": failure.stage, "field": failure.field, "reason": failure.reason, "mend": failure.mend}


def _ignore(_: object) -> None:
    """Nobody watches."""


def months(now: int) -> dict[str, Period]:
    """The windows that are shown: the current month so far, and the last one."""
    current = month_of(local_day(now))
    return {"month": current, "last_month": month_of(plus_days(current.first, -1))}


def _render(assembly: Assembly, model: Model, declared: Sequence[Item], statuses: list[SourceStatus]) -> Shown:
    now = assembly.clock()
    windows = months(now)
    worlds = {window: replace(assembly.world(period), now=now) for window, period in windows.items()}
    readings: dict[str, list[Reading]] = {}
    sealed: dict[str, Edition | None] = {}
    altered: set[str] = set()
    with reading(assembly.engine) as connection:
        for window, period in windows.items():
            try:
                sealed[window] = one = editions.edition_of(connection, period)
            except Altered as error:  # then nothing is shown of it, in particular no other figures
                log.error("not shown", period=period.name, reason=error.reason, mend=error.mend)
                readings[window], sealed[window] = [], None
                altered.add(window)
                continue
            readings[window] = (
                figures.take(connection, assembly.indicators, assembly.tallies, worlds[window], period)
                if one is None
                else editions.edition_readings(one)
            )
    blocks = {window: {member.code: member.block for member in world.members} for window, world in worlds.items()}
    scores: dict[str, list[Score]] = {}
    for window, period in windows.items():
        if window in altered:
            scores[window] = []
        elif (one := sealed[window]) is None:
            scores[window] = assembly.rank(readings[window], period, model, declared)
        else:  # the register may have forgotten agencies since; their figures stay in the edition
            readings[window] = [each for each in readings[window] if each.agency in blocks[window]]
            scores[window] = [each for each in one.scores if each.agency in blocks[window]]
    shown = {one.indicator for one in readings["last_month"]}
    names = {code: agency.name for code, agency in assembly.register.agencies.items()}
    return Shown(
        metrics=prometheus.render(assembly.indicators, readings, scores, blocks, names),
        page=page.render(
            assembly.settings.province.name,
            windows["last_month"],
            assembly.register,
            # One that was declared after the seal is in no edition.
            [one for one in assembly.indicators if one.id in shown],
            readings["last_month"],
            scores["last_month"],
            statuses,
            now,
            {block.id: {one.indicator for one in block.criteria} for block in model.blocks},
            sealed["last_month"],
            {block.id: _headings(block) for block in model.blocks},
        ),
    )


def _headings(block: Block) -> list[page.Heading]:
    """The columns of a block's ranking; none if its criteria stand in no groups."""
    tops = list(block.tops())
    if all(isinstance(part, Criterion) for part, _ in tops):
        return []
    return [page.Heading(part.title_vi, part.title_en, criteria) for part, criteria in tops]


def serve(
    assembly: Assembly,
    host: str,
    port: int,
    says: Callable[[str], None],
    *,
    just_read: bool = False,
    reopen: Reopen | None = None,
) -> None:
    """Serve until told to stop (SIGTERM, SIGINT), then return within ten seconds, also while a source hangs.

    SIGHUP reads the settings again, by `reopen`. `just_read`: all sources were read a moment ago, so each is due one
    interval from now. WrongUse if the address cannot be listened on.
    """
    _log()
    supervisor = Supervisor(os.environ)
    access = Access(assembly.settings.serve.web, lambda text: log.error("not reloaded", reason=text))
    tls = access.tls()
    with ExitStack() as opened, _listening(host, port) as listening:
        daemon = Daemon(assembly, assembly.model())
        daemon.vitals.reloaded(well=True, now=system_clock())
        server = _Server(
            uvicorn.Config(
                guarded(application(lambda: daemon.shown, daemon.vitals.render), access),
                ssl_context_factory=None if tls is None else lambda *_: tls,
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )

        def stop() -> None:
            daemon.stopping.set()
            server.should_exit = True

        def reload() -> None:
            if reopen is not None:
                supervisor.reloading()
                if _reloaded(daemon, reopen, opened):
                    running.plan(_timetable(daemon), _regular(daemon), system_clock())
                supervisor.ready(_serves(daemon))

        # uvicorn catches both signals while it runs, ends, and then hands them on to these.
        with _told_to_stop(stop), _told_to_reload(reload):
            daemon.render()
            running = scheduler.start(
                _timetable(daemon, just_read=just_read), daemon.tick, _regular(daemon), system_clock()
            )
            watching = threading.Thread(
                target=_watch, args=(daemon, server, running, supervisor), name="watch", daemon=True
            )
            watching.start()
            try:
                own = listening.getsockname()[1]
                at = f"[{host}]:{own}" if ":" in host else f"{host}:{own}"
                says(f"serving on http{'s' if tls else ''}://{at} (figures at /metrics); stop with Ctrl-C")
                supervisor.ready(_serves(daemon))
                server.run(sockets=[listening])
            finally:
                supervisor.stopping()
                daemon.stopping.set()
                hanging = running.stop(STOP_WITHIN)
                if hanging:
                    log.warning("ended in the middle", runs=", ".join(hanging), mend="The next run reads it again")
                    locks.give_back(assembly.engine, assembly.tools.holder)


class _Server(uvicorn.Server):
    """Notes when its loop went round last (it does so ten times a second)."""

    beat = 0.0  # by the monotonic clock

    async def on_tick(self, counter: int) -> bool:
        self.beat = time.monotonic()
        return await super().on_tick(counter)


def _serves(daemon: Daemon) -> str:
    return f"reads {len(daemon.assembly.settings.sources)} sources"


def _regular(daemon: Daemon) -> dict[str, Callable[[], None]]:
    """What is done regularly beside reading the sources."""
    regular: dict[str, Callable[[], None]] = {
        scheduler.RENEW: daemon.render,
        scheduler.DAILY: daemon.daily,
    }
    for receiver in daemon.assembly.settings.receivers:
        regular[f"{scheduler.DELIVER}{receiver}"] = partial(daemon.deliver, receiver)
    # A sample province's clock stands still: nothing is ever due again.
    if daemon.assembly.settings.now is None and daemon.assembly.watch.plans:
        regular[scheduler.PROBE] = daemon.probe
    return regular


def _reloaded(daemon: Daemon, reopen: Reopen, opened: ExitStack) -> bool:
    """Take new settings, unless they are wrong: then the old ones stay, and what is wrong is told.

    What was put together anew is closed with `opened`, as runs under way may still use what was there before.
    """
    old = daemon.assembly
    try:
        with ExitStack() as attempt:
            new = attempt.enter_context(reopen())
            model = new.model()
            declared = new.declarations(model)
            if fixed := _fixed(old.settings, new.settings):
                raise WrongUse(f"{fixed} cannot change while the daemon runs", field=fixed, mend="Restart it")
            opened.push(attempt.pop_all())
    except CollectorError as error:
        log.error("not reloaded", reason=error.reason, mend=error.mend, again="the settings of before go on")
        daemon.vitals.reloaded(well=False, now=system_clock())
        return False
    daemon.assembly, daemon.model, daemon.declared = new, model, declared
    gone = old.settings.sources.keys() - new.settings.sources.keys()
    for source in gone:
        daemon.down.pop(source, None)
        daemon.silent.discard(source)
    untold = old.settings.receivers.keys() - new.settings.receivers.keys()
    for receiver in untold:
        daemon.untold.pop(receiver, None)
    daemon.vitals.forget(gone, untold)
    daemon.render()
    daemon.vitals.reloaded(well=True, now=system_clock())
    log.info("reloaded", sources=len(new.settings.sources))
    return True


def _fixed(old: Settings, new: Settings) -> str:
    """The setting that would need a restart; "" if none changed."""
    fixed = {
        "store": (old.store_url, new.store_url),
        "state": (old.state, new.state),
        "serve": (old.serve, new.serve),
        "demo": (old.now, new.now),
    }
    return next((name for name, (before, now) in fixed.items() if before != now), "")


def _watch(daemon: Daemon, server: _Server, running: scheduler.Running, supervisor: Supervisor) -> None:
    """Plan anew when the clock was set, and tell the supervisor that nothing is stuck.

    Nothing here waits by the wall clock: one that was put back by a day would else hold all up for a day.
    """
    every = min(5.0, supervisor.patience / 3) if supervisor.patience else 5.0
    ahead = system_clock() - time.monotonic()
    while not daemon.stopping.wait(every):
        jump = round(system_clock() - time.monotonic() - ahead)
        if abs(jump) >= CLOCK_JUMP:
            ahead += jump
            log.warning("the clock was set", seconds=jump, mend="Runs are planned anew")
            running.plan(_timetable(daemon), _regular(daemon), system_clock())
        if time.monotonic() - server.beat < max(STOP_WITHIN, every) and running.jobs.running:
            supervisor.alive()


def _timetable(daemon: Daemon, *, just_read: bool = False) -> list[Timetable]:
    """When each source was last read; None for those that are due at once."""
    sources = daemon.assembly.settings.sources.values()
    if daemon.assembly.settings.now is not None:  # a sample province's clock stands still and tells nothing
        last = {source.name: system_clock() if just_read else None for source in sources}
    else:
        last = {one.source: None if one.result in UNFINISHED else one.last_run for one in daemon.statuses()}
    return [Timetable(source.name, source.every, last[source.name], source.cron, hours(source)) for source in sources]


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise WrongUse(
            f"{host}:{port} cannot be listened on ({error})",
            stage="configuration",
            field="serve",
            mend="Another program may hold the port: name a free one with --port, or 0 for any",
        ) from error


@contextmanager
def _told_to_reload(reload: Callable[[], None]) -> Iterator[None]:
    """Have SIGHUP call `reload` in a thread of its own while the block lasts, one call after the other."""
    one_at_a_time = threading.Lock()

    def do() -> None:
        with one_at_a_time:
            reload()

    def begin(*_: object) -> None:
        threading.Thread(target=do, name="reload", daemon=True).start()

    before = signal.signal(signal.SIGHUP, begin)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def _told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Have both signals that mean "end yourself" call `stop` while the block lasts."""
    before = {one: signal.signal(one, lambda *_: stop()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _stamp(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {"at": rfc3339(system_clock()), **event}


def _log() -> None:
    """One event a line, on standard error: for people at a terminal and for journald alike."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamp,
            structlog.processors.ExceptionRenderer(lambda info: traces.told(info[1])),
            structlog.processors.LogfmtRenderer(key_order=["at", "level", "event", "source"], drop_missing=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
