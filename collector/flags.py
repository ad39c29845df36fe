"""Integrity flags: what an official should look at before a figure is published. Never points.

A flag accuses nobody: each has a lawful explanation too, and only the agency knows it. So it shows the records, and
says by which threshold and why. What a source tells in a way that cannot be dated or judged raises no flag.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, permutations
from operator import itemgetter

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from collector import promises
from collector.contract.indicator import Indicator
from collector.contract.period import Period, day_start, iso, local_day
from collector.contract.reading import Reading
from collector.contract.records import Delivery, Document, Dossier, Record
from collector.contract.tables import dossier, dossier_event, table_of, workday
from collector.store.derive import Ordinals, effective_due, ordinals
from collector.store.schema import vanished

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a flag begins, in what unit, and why there."""

    name: str
    value: int
    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Flag:
    """One kind of oddity: its words, and its thresholds."""

    id: str
    title_vi: str
    title_en: str
    reason: str
    thresholds: Sequence[Threshold] = ()


_JUST_BEFORE = Threshold(
    "just_before",
    1,
    "working day",
    "the day before and the due day itself: longer before, a withdrawal no longer saves a dossier from being late",
)
_TIMES = Threshold(
    "times",
    3,
    "times an ordinary working day",
    "dossiers that have nothing to do with each other scatter by chance: ten or more on one day, and over three times"
    " an ordinary one, come together in fewer than 1 of 300 periods",
)
_CLOSINGS = Threshold("closings", 10, "dossiers", "of fewer, three times the mean is nothing unusual")
_ORDINARY_DAYS = Threshold("ordinary_days", 5, "working days", "without a week of other days there is no ordinary one")
_JUDGED = Threshold(
    "judged",
    30,
    "items, in both periods",
    "shares of a few items fall together by chance; of 30 and more, counts that differ seldom give the same six places",
)

FLAGS: tuple[Flag, ...] = (
    Flag(
        "due_moved_late",
        "Hạn trả được đổi sau khi đã quá hạn",
        "due date moved after it had passed",
        "a new date cures nothing, and shows that the old one was missed",
    ),
    Flag(
        "paused_late",
        "Tạm dừng sau khi đã quá hạn",
        "pause begun after the due date",
        "a supplement that is asked for too late does not stop a clock that has run out",
    ),
    Flag(
        "due_not_as_allowed",
        "Hạn trả không khớp với thời hạn giải quyết của thủ tục",
        "promised for another day than the time allowed gives",
        "later is later than the law allows; earlier may be kinder, or a calendar without the year's exchanged days",
    ),
    Flag(
        "completed_on_day_off",
        "Kết thúc xử lý vào ngày nghỉ",
        "completed on a day off",
        "nobody works at a desk that is closed: the day may have been written in afterwards",
    ),
    Flag(
        "completed_before_intake",
        "Kết thúc xử lý trước ngày tiếp nhận",
        "completed before it was received",
        "one of the two days is wrong",
    ),
    Flag(
        "closings_bunched",
        "Kết thúc dồn vào ngày cuối kỳ",
        "closings bunched on the period's last working day",
        "dossiers may have been closed for the report rather than for the citizen",
        (_TIMES, _CLOSINGS, _ORDINARY_DAYS),
    ),
    Flag(
        "withdrawn_before_due",
        "Rút hồ sơ ngay trước hạn trả",
        "withdrawn just before it was due",
        "a withdrawn dossier is neither completed nor late: whoever withdrew it should be asked",
        (_JUST_BEFORE,),
    ),
    Flag(
        "finished_upstream",
        "Hệ thống trên báo đã xong, hệ thống nguồn đang tạm dừng hoặc đã dừng",
        "finished upstream, paused or stopped at its source",
        "systems in use send paused and stopped dossiers upstream as finished",
    ),
    Flag(
        "vanished",
        "Bản ghi đã biến mất khỏi nguồn",
        "records that vanished from their source",
        "what counted and is gone without a mark should have been deleted with one",
    ),
    Flag(
        "same_figure",
        "Chỉ số giống hệt kỳ trước",
        "a figure equal to the last period's to the last digit",
        "two periods of real work hardly give the same six places: a record may have been copied",
        (_JUDGED,),
    ),
    Flag(
        "figure_halved",
        "Chỉ số chưa bằng một nửa kỳ trước",
        "a figure of less than half the last period's",
        "work seldom becomes worse by half: records may be missing, or the last period's were too good",
        (_JUDGED,),
    ),
)


@dataclass(frozen=True, slots=True)
class Raised:
    """A record that raises a flag: its key (of a figure, its indicator), its local day, and what is odd about it.

    `record` is its record class by name; `source` "" where it is a figure.
    """

    flag: str
    agency: str
    source: str
    record: str
    key: str
    day: int
    says: str


def raised(
    connection: Connection,
    period: Period,
    now: int,
    indicators: Sequence[Indicator],
    readings: Iterable[Reading],
    before: Iterable[Reading],
    only: str | None = None,
) -> list[Raised]:
    """Return what raises a flag in a period, in the order of `FLAGS`, agencies, days and keys; `only` of one agency.

    `readings` are those of the agencies in the period, `before` in the one before it. `now` in epoch seconds: a period
    that is not over has no last day yet.
    """
    calendar = ordinals(connection)
    found = [
        *_moved_and_paused(connection, period, calendar),
        *_not_as_allowed(connection, period, calendar),
        *_completed(connection, period),
        *(_bunched(connection, period) if day_start(period.end) <= now else ()),
        *_withdrawn(connection, period, calendar),
        *_upstream(connection, period),
        *_vanished(connection, period),
        *_figures(indicators, readings, before),
    ]
    places = {flag.id: place for place, flag in enumerate(FLAGS)}
    chosen = [one for one in found if only in (None, one.agency)]
    return sorted(chosen, key=lambda one: (places[one.flag], one.agency, one.day, one.source, one.key))


# -- due dates and pauses ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Events:
    """The promises (at, day, basis) and pauses (begun, ended) of one dossier, in order."""

    promises: Sequence[tuple[int, int, str]]
    pauses: Sequence[tuple[int, int | None]]


def _moved_and_paused(connection: Connection, period: Period, calendar: Ordinals) -> Iterator[Raised]:
    for (source, key, agency), own in _events(connection, period):
        for day, due in _moved_late(own, calendar):
            if period.first <= day <= period.last:
                says = f"moved on {iso(day)}, after it was due on {iso(due)}"
                yield Raised("due_moved_late", agency, source, Dossier.NAME, key, day, says)
        for day, due in _paused_late(own, calendar):
            if period.first <= day <= period.last:
                says = f"paused on {iso(day)}, after it was due on {iso(due)}"
                yield Raised("paused_late", agency, source, Dossier.NAME, key, day, says)


def _events(connection: Connection, period: Period) -> Iterator[tuple[tuple[str, str, str], _Events]]:
    """Yield the events of the dossiers that were paused in a period, or that were ever promised a second date."""
    e, c = dossier_event.c, dossier.c
    start, end = day_start(period.first) * _MILLION, day_start(period.end) * _MILLION
    touched = (
        select(e.source, e.dossier)
        .distinct()
        .where(
            e.removed == 0,
            or_(
                and_(e.kind == "pause_begun", e.day.between(period.first, period.last)),
                and_(e.kind == "due_promised", e.at >= start, e.at < end),
            ),
        )
        .subquery()
    )
    # In this order: SQLite then finds the events by their dossier, and does not go through all of a source for each.
    rows = connection.execute(
        select(e.source, e.dossier, c.agency, e.kind, e.ref, e.at, e.day, e.basis)
        .join_from(touched, dossier_event, and_(e.source == touched.c.source, e.dossier == touched.c.dossier))
        .join(dossier, and_(c.source == e.source, c.key == e.dossier))
        .where(e.removed == 0, c.removed == 0, c.agency.is_not(None), c.received_day.is_not(None))
        .order_by(e.source, e.dossier, e.at)
    )
    for (source, key, agency), group in groupby(rows, key=itemgetter(0, 1, 2)):
        events = list(group)
        ended = {row.ref: row.day for row in events if row.kind == "pause_ended"}
        promises = [(row.at, row.day, row.basis) for row in events if row.kind == "due_promised"]
        pauses = sorted(
            ((row.day, ended.get(row.ref)) for row in events if row.kind == "pause_begun"),
            key=lambda pause: (pause[0], pause[1] is None, pause[1] or 0),
        )
        if pauses or len(promises) > 1:
            yield (source, key, agency), _Events(promises, pauses)


def _moved_late(own: _Events, calendar: Ordinals) -> Iterator[tuple[int, int]]:
    """Yield the days on which a due date was moved although it had passed, each with the date that was moved.

    The date in force is the one promised before, moved by the pauses since then; while one lasts, no date passes.
    """
    for place, ((before, due, basis), (at, moved, _)) in enumerate(pairwise(own.promises)):
        # The first promise was made at receipt, whenever it was first seen.
        made, day = local_day(before // _MILLION) if place else 0, local_day(at // _MILLION)
        if basis == "current" or moved <= due:
            continue
        pauses = [
            (begun, ended if ended is not None and ended <= day else None)
            for begun, ended in own.pauses
            if begun <= day and (ended is None or ended > made)
        ]
        in_force = effective_due([(before, due, "first")], pauses, calendar)
        if in_force.day is not None and not in_force.paused and in_force.day < day:
            yield day, in_force.day


def _paused_late(own: _Events, calendar: Ordinals) -> Iterator[tuple[int, int]]:
    """Yield the days on which a pause began although the effective due date had passed, each with that date."""
    for place, (begun, _) in enumerate(own.pauses):
        if place and own.pauses[place - 1][0] == begun:
            continue
        in_force = effective_due(own.promises, own.pauses[:place], calendar)
        known = in_force.day is not None and in_force.basis != "current" and not in_force.paused
        if known and in_force.day is not None and begun > in_force.day:
            yield begun, in_force.day


def _not_as_allowed(connection: Connection, period: Period, calendar: Ordinals) -> Iterator[Raised]:
    for one in promises.disagreements(connection, period, calendar):
        yield Raised(
            "due_not_as_allowed", one.agency, one.source, Dossier.NAME, one.dossier, one.received_day, one.says
        )


# -- closings --------------------------------------------------------------------------------------------------------


def _completed(connection: Connection, period: Period) -> Iterator[Raised]:
    c, w = dossier.c, workday.c
    rows = connection.execute(
        select(c.agency, c.source, c.key, c.completed_day, c.received_day, w.is_working, w.provisional)
        .join_from(dossier, workday, w.day == c.completed_day)
        .where(
            c.removed == 0,
            c.agency.is_not(None),
            c.completed_day.between(period.first, period.last),
            or_(w.is_working == 0, c.completed_day < c.received_day),
        )
    )
    for agency, source, key, day, received, is_working, provisional in rows:
        if not is_working and not provisional:
            says = f"completed on {iso(day)}, a day off"
            yield Raised("completed_on_day_off", agency, source, Dossier.NAME, key, day, says)
        if received is not None and day < received:
            says = f"completed on {iso(day)}, received on {iso(received)}"
            yield Raised("completed_before_intake", agency, source, Dossier.NAME, key, day, says)


def _bunched(connection: Connection, period: Period) -> Iterator[Raised]:
    c = dossier.c
    working = connection.scalars(
        select(workday.c.day)
        .where(workday.c.day.between(period.first, period.last), workday.c.is_working == 1)
        .order_by(workday.c.day)
    ).all()
    if len(working) <= _ORDINARY_DAYS.value:
        return
    last, ordinary = working[-1], len(working) - 1
    completed = and_(
        c.removed == 0, c.agency.is_not(None), c.completed_day.between(period.first, period.last)
    )  # fmt: skip
    closings: dict[str, Counter[bool]] = defaultdict(Counter)
    for agency, day, count in connection.execute(
        select(c.agency, c.completed_day, func.count()).where(completed).group_by(c.agency, c.completed_day)
    ):
        closings[agency][day >= last] += count
    for agency, counts in closings.items():
        at_the_end, before = counts[True], counts[False]
        if at_the_end < _CLOSINGS.value or at_the_end * ordinary <= _TIMES.value * before:
            continue
        says = f"one of {at_the_end} from {iso(last)} on; before, {before} on {ordinary} working days"
        for source, key, day in connection.execute(
            select(c.source, c.key, c.completed_day).where(completed, c.agency == agency, c.completed_day >= last)
        ):
            yield Raised("closings_bunched", agency, source, Dossier.NAME, key, day, says)


def _withdrawn(connection: Connection, period: Period, calendar: Ordinals) -> Iterator[Raised]:
    c = dossier.c
    rows = connection.execute(
        select(c.agency, c.source, c.key, c.ended_day, c.effective_due_day).where(
            c.removed == 0,
            c.agency.is_not(None),
            c.outcome == "withdrawn",
            c.ended_day.between(period.first, period.last),
            c.ended_day <= c.effective_due_day,
            c.due_basis != "current",
            func.coalesce(c.paused_on_due, 0) == 0,
        )
    )
    for agency, source, key, day, due in rows:
        ended, promised = calendar.of_day.get(day), calendar.of_day.get(due)
        if ended is not None and promised is not None and promised - ended <= _JUST_BEFORE.value:
            says = f"withdrawn on {iso(day)}, due on {iso(due)}"
            yield Raised("withdrawn_before_due", agency, source, Dossier.NAME, key, day, says)


# -- two sources, and none ---------------------------------------------------------------------------------------------


def _upstream(connection: Connection, period: Period) -> Iterator[Raised]:
    """Yield dossiers that two sources know by one number, finished in the one and paused or stopped in the other."""
    c = dossier.c
    # The key is each source's own number, so that one known twice is known to two sources; no index has it alone.
    twice = select(c.key).where(c.removed == 0, c.agency.is_not(None)).group_by(c.key).having(func.count() > 1)
    rows = connection.execute(
        select(c.key, c.source, c.agency, c.outcome, c.completed_day, c.changed, _waits())
        .where(c.key.in_(twice), c.removed == 0, c.agency.is_not(None))
        .order_by(c.key, c.source)
    )
    for key, group in groupby(rows, key=itemgetter(0)):
        both = [tuple(row) for row in group]
        for here, there in permutations(both, 2):
            _, source, agency, outcome, completed, told, _ = here
            _, other, others, at_source, _, _, waits = there
            # Sent as finished while it waits, it seldom bears a day of completion: then the day on which it was told.
            day = local_day(told // _MILLION) if completed is None else completed
            if outcome != "completed" or not period.first <= day <= period.last or agency != others:
                continue
            if at_source == "stopped" or (at_source == "open" and waits):
                said = "completed" if completed is not None else "told as finished, without a day,"
                state = "stopped" if at_source == "stopped" else "paused"
                says = f"{said} on {iso(day)} here, {state} in {other}"
                yield Raised("finished_upstream", agency, source, Dossier.NAME, key, day, says)


def _waits() -> ColumnElement[bool]:
    """Whether a pause of a dossier has begun and not ended."""
    begun, ended = dossier_event.alias("begun"), dossier_event.alias("ended")
    its_end = and_(ended.c.source == begun.c.source, ended.c.key == begun.c.dossier + "|ended|" + begun.c.ref)
    return exists().where(
        begun.c.source == dossier.c.source,
        begun.c.dossier == dossier.c.key,
        begun.c.kind == "pause_begun",
        begun.c.removed == 0,
        ~exists().where(its_end, ended.c.removed == 0),
    )


_DAYS_OF: Mapping[type[Record], Sequence[str]] = {
    Dossier: ("completed_day", "effective_due_day", "received_day"),
    Document: ("issued_day", "due_day"),
    Delivery: ("sent_day",),
}
"""The days by which a record counts in a period. What is of a person is not listed by its key."""


def _vanished(connection: Connection, period: Period) -> Iterator[Raised]:
    for record, names in _DAYS_OF.items():
        facts = table_of(record)
        days = [facts.c[name] for name in names]
        gone = and_(
            vanished.c.source == facts.c.source, vanished.c.record == record.NAME, vanished.c.key == facts.c.key
        )
        rows = connection.execute(
            select(facts.c.agency, facts.c.source, facts.c.key, vanished.c.noticed, *days)
            .join_from(vanished, facts, gone)
            .where(facts.c.agency.is_not(None), or_(*(day.between(period.first, period.last) for day in days)))
        )
        for agency, source, key, noticed, *own in rows:
            day = next(one for one in own if one is not None and period.first <= one <= period.last)
            says = f"was there with {iso(day)}, and found gone on {iso(local_day(noticed))}"
            yield Raised("vanished", agency, source, record.NAME, key, day, says)


# -- figures -------------------------------------------------------------------------------------------------------


def _figures(
    indicators: Sequence[Indicator], readings: Iterable[Reading], before: Iterable[Reading]
) -> Iterator[Raised]:
    """Yield figures that repeat, or of which less than half is left.

    Those "at the period's end", and those of 0 or 100 %, may well stay as they were; where less is better, less is no
    loss.
    """
    adding_up = {one.id: one for one in indicators if one.period in ("sum", "month")}
    known = {(one.indicator, one.agency): one for one in before if one.scope == "agency"}
    for one in readings:
        last = known.get((one.indicator, one.agency))
        if last is None or one.scope != "agency" or one.indicator not in adding_up or one.through is None:
            continue
        value, former = one.value, last.value
        if value is None or former is None or min(one.judged or 0, last.judged or 0) < _JUDGED.value:
            continue
        counts = f"{one.hits:,} of {one.judged:,}, and {last.hits:,} of {last.judged:,} in {last.period}"
        if value == former and value not in (0, 1):
            flag, says = "same_figure", f"{value}: {counts}"
        elif value * 2 < former and adding_up[one.indicator].better == "higher":
            flag, says = "figure_halved", f"{value} after {former}: {counts}"
        else:
            continue
        yield Raised(flag, one.agency, "", "reading", one.indicator, one.through, says)
