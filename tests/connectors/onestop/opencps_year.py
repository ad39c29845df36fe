"""A year of dossiers of many agencies as a ledger of deeds, and what is true of them, told from the deeds alone.

`deeds_of_a_year` makes up what people did. `true_dossier` says what the deeds up to a moment make of one dossier, in
the words of the demo's ledger, so that the demo's own independent count can judge it: neither the double's state nor
anything of the program is used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from collector.demo.days_off import days_off
from collector.demo.ledger import Dossier, Pause, Procedure, Promise
from tests.connectors.onestop.opencps_double import Deed, at, pushed

SOURCE = "onestop"
FIRST, LAST = date(2025, 12, 15), date(2026, 12, 30)
WATCHED_FROM = 20260101
"""The local day of the first look at the source."""

SERVICES = {"1.000001": 4, "1.000002": 3, "1.000003": 2, "1.000004": 4, "1.000005": 0}
"""Procedures and their serviceLevel; 0 tells nothing."""

PROCEDURES = [
    Procedure(SOURCE, code, {4: "full", 3: "partial", 2: "information"}[level], 20250101, None)
    for code, level in SERVICES.items()
    if level
]
_OFF = frozenset(days_off())


def _number(when: date) -> int:
    return when.year * 10_000 + when.month * 100 + when.day


def _worked(when: date, days: int) -> date:
    """The working day so many working days later."""
    while days or _number(when) in _OFF:
        when += timedelta(days=1)
        days -= bool(days) and _number(when) not in _OFF
    return when


def deeds_of_a_year(random: Random, count: int, agencies: Sequence[str]) -> Iterator[list[Deed]]:
    """Yield the deeds of each dossier, in the order of their instants."""
    days = (LAST - FIRST).days - 25
    for number in range(1, count + 1):
        filed = FIRST + timedelta(days=random.randrange(days))
        if _number(filed) in _OFF and random.random() < 0.8:
            filed = _worked(filed, 0)
        yield list(_Life(random, number, filed, random.choice(agencies)).deeds())


@dataclass(slots=True)
class _Life:
    """One dossier's life: `day` goes on, `minute` is the minute of it."""

    random: Random
    number: int
    day: date
    agency: str
    minute: int = 480

    def instant(self) -> int:
        """An instant a little later on the same day, now and then the last second of it."""
        self.minute += 1 + self.random.randrange(40)
        return at(_number(self.day), self.minute // 60, self.minute % 60, self.random.randrange(60))

    def after(self, days: int) -> bool:
        """Go on by some days; whether that is still within the year."""
        if days:
            self.day, self.minute = self.day + timedelta(days=days), 420 + self.random.randrange(240)
        return self.day <= LAST

    def deeds(self) -> Iterator[Deed]:
        """Yield what happens to it."""
        random, number = self.random, self.number
        chance = random.random
        service = random.choice(list(SERVICES))
        facts = {
            "agency": self.agency,
            "service": f"{service}.000.00.00.H44",
            "level": SERVICES[service],
            "online": chance() < 0.6,
            "by_post": int(chance() < 0.2),
        }
        yield Deed(self.instant(), number, "file", facts=facts)
        self.after(int(chance() < 0.2))
        if chance() < 0.06:
            yield Deed(self.instant(), number, "deny")
            return
        before_the_watch = _number(self.day) < WATCHED_FROM
        term = random.randint(1, 10)
        due_day = _worked(self.day, term)
        due = None if chance() < 0.05 else at(_number(due_day), 17)
        received = self.instant()
        # Now and then a clerk enters in the morning what came in the day before, if that day was watched, too.
        dated = received - 86_400 if chance() < 0.03 and _number(self.day) > WATCHED_FROM else None
        yield Deed(received, number, "receive", due=due, dated=dated)
        if due is None and not before_the_watch and chance() < 0.4 and self.after(random.randint(1, 3)):
            yield Deed(self.instant(), number, "reset", due=at(_number(due_day), 17))
        quiet = before_the_watch  # what moved a due date before the first look could not be known
        for _ in range(0 if quiet else random.choice((0, 0, 0, 0, 1, 1, 2))):
            if not self.after(random.randint(0, term)):
                return
            overdue = self.day > due_day
            yield Deed(self.instant(), number, "pause", lock="PAUSE_OVERDUE" if overdue else "PAUSE")
            if chance() < 0.05 or not self.after(random.choice((0, 1, 2, 3, 5, 8))):
                return
            if chance() < 0.1:
                yield Deed(self.instant(), number, "cancel")
                return
            yield Deed(self.instant(), number, "resume")
        if not quiet and chance() < 0.06 and self.after(random.randint(1, 3)):
            if chance() < 0.3:
                yield Deed(self.instant(), number, "no_due")
            else:
                yield Deed(self.instant(), number, "reset", due=at(_number(_worked(self.day, 9)), 17))
        if chance() < 0.3 and self.after(random.randint(0, 3)):
            yield Deed(self.instant(), number, "touch")
        yield from self._end(due_day)

    def _end(self, due_day: date) -> Iterator[Deed]:
        random, number = self.random, self.number
        late = random.choice((-3, -2, -1, -1, 0, 0, 0, 0, 1, 4, 9))
        if random.random() < 0.04 or not self.after(max(0, (due_day - self.day).days + late)):
            return  # nobody ever ends it
        chance = random.random()
        if chance < 0.04:
            yield Deed(self.instant(), number, "cancel")
        elif chance < 0.07:
            yield Deed(self.instant(), number, "unresolve")
        elif chance < 0.11:
            yield Deed(self.instant(), number, "done")
        else:
            yield from self._release()

    def _release(self) -> Iterator[Deed]:
        random, number = self.random, self.number
        moment = self.instant()
        edge = random.random()
        if edge < 0.02:
            moment = at(_number(self.day), 23, 59, 59)
        dated = moment - 86_400 * random.randint(1, 2) if edge > 0.98 else None
        yield Deed(moment, number, "release", dated=dated)
        # One released before the first look would be seen only once it is sent back: its due date may have moved then.
        if random.random() < 0.05 and _number(self.day) >= WATCHED_FROM:
            if self.after(random.randint(1, 4)):
                yield Deed(self.instant(), number, "back")
                if self.after(random.randint(1, 4)):
                    yield Deed(self.instant(), number, "release")
        elif random.random() < 0.7 and self.after(random.randint(1, 20)):
            yield Deed(self.instant(), number, "done")


def true_dossier(deeds: Sequence[Deed], code_of: dict[str, str]) -> Dossier:
    """Return what the deeds so far make of a dossier. `code_of` gives an agency's code in the register."""
    filed = deeds[0].facts
    online, by_post = filed["online"], filed["by_post"]
    received = completed = moment = returned = ended = None
    promises: list[Promise] = []
    pauses: list[Pause] = []
    outcome = "open"
    for deed in deeds:
        day = _local(deed.dated or deed.at)
        if deed.what in ("receive", "reset") and deed.due is not None:
            promises.append(Promise(deed.at, _local(deed.due)))
        if deed.what == "receive":
            received = day
        elif deed.what == "pause":
            pauses.append(Pause(str(deed.at), day, None))
        elif deed.what == "release":
            outcome, completed, moment = "completed", day, deed.dated or deed.at
        elif deed.what == "done":
            outcome, completed, returned, moment = "completed", completed or day, day, moment or deed.at
        elif deed.what == "unresolve":
            outcome, completed, returned, moment = "refused_after", day, day, deed.at
        elif deed.what == "cancel":
            outcome, ended = "withdrawn", day
        elif deed.what == "deny":
            outcome, ended = "refused_at_intake", day
        elif deed.what == "back":
            outcome, completed, returned, moment = "open", None, None, None
        if deed.what in ("resume", "release", "done", "unresolve", "cancel") and pauses:
            last = pauses[-1]
            if last.ended_day is None:
                pauses[-1] = Pause(last.ref, last.begun_day, _local(deed.at))
    return Dossier(
        source=SOURCE,
        id=str(deeds[0].dossier),
        agency=code_of[filed["agency"]],
        agency_written=filed["agency"],
        procedure=filed["service"][:8],
        channel="online" if online else "post" if by_post else "counter",
        received_day=received,
        promises=promises if due_that_may_have_moved(deeds) is None else [],
        pauses=pauses,
        outcome=outcome,
        completed_day=completed,
        completed=moment,
        returned_day=returned,
        ended_day=ended,
    )


def shown_due(deeds: Sequence[Deed]) -> int | None:
    """Return the instant that OpenCPS shows as due after these deeds: moved by each wait and by each reset."""
    due = paused = None
    for deed in deeds:
        if deed.what in ("receive", "reset", "no_due"):
            due = deed.due
        elif deed.what == "pause":
            paused = deed.at
        elif deed.what == "resume" and due is not None and paused is not None:
            due = pushed(due, paused, deed.at)
    return due


def due_that_may_have_moved(deeds: Sequence[Deed]) -> int | None:
    """The due day of a dossier received before the first look, if something happened to it after the next day."""
    received = next((deed for deed in deeds if deed.what == "receive"), None)
    first_look = at(WATCHED_FROM, 0, 30)
    if received is None or received.due is None or received.at >= first_look:
        return None
    last = max(deed.at for deed in deeds if deed.at <= first_look)
    day_after = _number(date.fromordinal(date(*_parts(_local(received.dated or received.at))).toordinal() + 1))
    return _local(received.due) if _local(last) > day_after else None


def _parts(day: int) -> tuple[int, int, int]:
    return day // 10_000, day // 100 % 100, day % 100


def _local(instant: int) -> int:
    return _number(date(1970, 1, 1) + timedelta(days=(instant + 7 * 3600) // 86_400))
