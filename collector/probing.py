"""Whether the systems answer: probes on a plan, counted by local day (record Probe).

Each source has a plan: from the settings' opening hour of each local day on, one probe every so many seconds (five
minutes, unless said otherwise), each with a fixed planned instant. The plan is known beforehand, so what was missed can
be told from what was silent:

  answered   asked, and the answer came in time
  silent     asked, and no answer in time
  excused    in a maintenance window that stood in the settings when its instant came: not asked
  the rest   planned and not carried out: this program stood still, or could not ask (no network of its own, a name that
             nobody resolves, a certificate that is not trusted). Unknown, and no miss of the system.

`tick(now)` does what is due: it counts every planned instant since the last one counted, and carries out the newest if
its stretch (up to the next planned instant) still holds `now`. All that passed before it unasked stays unknown, be it
one or those of a week. A day is covered once its last planned instant is counted and the day is over, if its plan was
watched from the day's start: so not the day on which the first probe of all was made.

What is counted stays: a window that is told afterwards excuses nothing. After a gap of over a month the watch begins
anew, its days uncovered: neither a year without this program nor a clock that once ran years ahead fills the store.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, select

from collector.agencies import Register
from collector.contract.connector import Batch, Covered, Row
from collector.contract.period import day_start, days, local_day
from collector.contract.records import Probe
from collector.contract.tables import probe
from collector.store.engine import reading, writing
from collector.store.save import save
from collector.store.tallies import Tallies

_DAY = 86_400
_MICROSECONDS = 1_000_000
_GRACE = 2.0
_LONGEST_GAP = 31 * _DAY

Answers = Callable[[float], bool | None]
"""Asks a system once: did it answer within so many seconds? None: it could not be asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When a source is asked: every `every` seconds of each local day from `opens` on and before `closes` (seconds).

    `maintenance` are stretches of instants, epoch seconds, the end not included. `within`: seconds for an answer.
    """

    source: str
    every: int
    within: float
    opens: int = 0
    closes: int = _DAY
    maintenance: Sequence[tuple[int, int]] = ()

    def newest(self, now: int) -> int | None:
        """The newest planned instant up to `now`, of that local day; None if none of the day has come yet."""
        day = self.of_day(local_day(now))
        passed = (min(now, day.stop - 1) - day.start) // day.step
        return None if now < day.start else day.start + passed * day.step

    def of_day(self, day: int) -> range:
        """All planned instants of a local day."""
        start = day_start(day)
        return range(start + self.opens, start + self.closes, self.every)

    def excused(self, instant: int) -> bool:
        """Whether a planned instant falls into a maintenance window."""
        return any(begins <= instant < ends for begins, ends in self.maintenance)


@dataclass(frozen=True, slots=True)
class Day:
    """What is counted of one local day; see the record Probe."""

    day: int
    begun: int
    settled: int
    planned: int = 0
    answered: int = 0
    silent: int = 0
    excused: int = 0

    def row(self) -> Row:
        """The row of Probe. Its version is how far it is settled: a later one says more."""
        version = self.settled * _MICROSECONDS
        counts = (self.planned, self.answered, self.silent, self.excused)
        return (str(self.day), "", version, 0, self.day, *counts, self.begun, self.settled)


def counted(plan: Plan, last: Day | None, now: int, said: bool | None) -> list[Day]:
    """Count all planned instants after the last one counted, up to `now`; return the days that this changes.

    `said` is what became of the newest: an answer, silence, or None if it was not carried out or is excused.
    """
    newest = plan.newest(now)
    if last is None or now - last.settled > _LONGEST_GAP:
        if newest is None:
            return []
        return [_with(plan, Day(local_day(newest), newest, newest), [newest], newest, said)]
    changed = []
    for day in days(last.day, local_day(now)):
        instants = [one for one in plan.of_day(day) if last.settled < one <= now]
        if instants:
            start = day_start(day)
            before = last if day == last.day else Day(day, start, start)
            changed.append(_with(plan, before, instants, newest, said))
    return changed


def _with(plan: Plan, day: Day, instants: Iterable[int], newest: int | None, said: bool | None) -> Day:
    planned, answered, silent, excused = day.planned, day.answered, day.silent, day.excused
    settled = day.settled
    for instant in instants:
        planned, settled = planned + 1, instant
        if plan.excused(instant):
            excused += 1
        elif instant == newest and said is not None:
            answered, silent = answered + said, silent + (not said)
    return replace(day, planned=planned, answered=answered, silent=silent, excused=excused, settled=settled)


def due(plan: Plan, last: Day | None, now: int) -> bool:
    """Whether a probe is to be made now: the newest planned instant is not counted yet, and its stretch holds `now`."""
    newest = plan.newest(now)
    if newest is None or now - newest >= plan.every or plan.excused(newest):
        return False
    return last is None or last.settled < newest


def covered(plan: Plan, of: Mapping[int, Day], now: int) -> list[Covered]:
    """The days that are over, whose plan was watched from its first instant on and is counted to its last."""
    found = []
    for day, one in sorted(of.items()):
        instants = plan.of_day(day)
        if day < local_day(now) and one.begun <= instants[0] and instants[-1] <= one.settled:
            found.append(Covered(Probe, day, day))
    return found


def last_day(connection: Connection, source: str, now: int) -> Day | None:
    """What is counted of the newest day of a source, today's at the latest; None before its first probe."""
    c = probe.c
    row = connection.execute(
        select(c.day, c.begun, c.settled, c.planned, c.answered, c.silent, c.excused)
        .where(c.source == source, c.removed == 0, c.day <= local_day(now))
        .order_by(c.day.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Day(*row)


def keep(
    connection: Connection,
    plan: Plan,
    days_of: Mapping[int, Day],
    now: int,
    register: Register,
    tallies: Tallies,
) -> None:
    """Save what is counted of some days of a source, and cover those that are over."""
    rows = [one.row() for one in days_of.values()]
    save(connection, plan.source, [Batch({Probe: rows}, None, covers=covered(plan, days_of, now))], register, tallies)


@dataclass(frozen=True, slots=True)
class Watch:
    """All sources that are probed: their plans, and how each is asked. The scheduler only calls `tick(now)`."""

    engine: Engine
    register: Register
    tallies: Tallies
    plans: Mapping[str, tuple[Plan, Answers]]

    def tick(self, now: int) -> dict[str, bool | None]:
        """Make the probes that are due and count them, and what was missed; return what those made now said."""
        with reading(self.engine) as connection:
            known = {source: last_day(connection, source, now) for source in self.plans}
        said = self._ask([source for source, (plan, _) in self.plans.items() if due(plan, known[source], now)])
        for source, (plan, _) in self.plans.items():
            last = known[source]
            if last is None and source not in said:
                continue
            changed = counted(plan, last, now, said.get(source))
            if changed:
                self._count(plan, last, changed, now)
        return said

    def _ask(self, sources: Sequence[str]) -> dict[str, bool | None]:
        """Ask some sources, all at once: ten that are silent would else make the last one late."""
        said: dict[str, bool | None] = dict.fromkeys(sources)

        def ask(source: str) -> None:
            plan, answers = self.plans[source]
            said[source] = answers(plan.within)

        # Daemons: one that hangs in the resolver of names must not keep the program from ending.
        threads = [threading.Thread(target=ask, args=(one,), name=f"probe {one}", daemon=True) for one in sources]
        for one in threads:
            one.start()
        patience = time.monotonic() + max((self.plans[one][0].within for one in sources), default=0.0) + _GRACE
        for one in threads:
            one.join(max(0.0, patience - time.monotonic()))
        return dict(said)

    def _count(self, plan: Plan, known: Day | None, changed: Sequence[Day], now: int) -> None:
        with writing(self.engine) as connection:
            if (
                last_day(connection, plan.source, now) != known
            ):  # another process has counted meanwhile: its word stands
                return
            days_of = {one.day: one for one in ([known] if known else []) + list(changed)}
            keep(connection, plan, days_of, now, self.register, self.tallies)
