"""Takes readings: an indicator in a period, for each agency, block and the province; and explains them.

A reading sums the tallies of the days from the period's start to `through`, the last day that every source that the
figure needs has covered (or takes some of them alone: `Indicator.period`). Its state (DESIGN section 6) says whether
the figure may be published.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, false, func, not_, null, or_, select

from collector import succession
from collector.contract.indicator import Cells, Counted, Flow, Indicator
from collector.contract.period import Period, as_date, day_start, iso, month_ends, month_of, plus_days
from collector.contract.reading import Reading, Scope, State
from collector.contract.tables import workday
from collector.store import gaps
from collector.store.destruction import counted_otherwise
from collector.store.schema import cell, coverage
from collector.store.tallies import PARTS, Tallies, part_of
from collector.succession import Legacies, Piece
from collector.suppression import Telling, Veils, telling, veils

UNKNOWN_SHARE = 0.05
"""Above this share of items that cannot be judged, a figure is partial."""


@dataclass(frozen=True, slots=True)
class Member:
    """An agency as far as readings need it: its block, its first and last day, why it is left out of wider figures."""

    code: str
    block: str
    from_day: int = 0
    to_day: int | None = None
    outside: str = ""

    def there(self, period: Period) -> bool:
        """Tell whether it is there on some day of a period."""
        return self.from_day <= period.last and (self.to_day is None or self.to_day >= period.first)


@dataclass(frozen=True, slots=True)
class Served:
    """A source serves an agency from a day on, with the records (by name) that it offers."""

    source: str
    agency: str
    from_day: int
    records: frozenset[str]
    stale_after: int  # seconds


@dataclass(frozen=True, slots=True)
class World:
    """All that decides a state, besides the counts: who there is, which source serves whom, and the present.

    `members` that are not there in a period have a figure only if records fall into it. `legacies` tell who answers
    for what ended agencies left.
    """

    province: str
    members: Sequence[Member]
    serving: Sequence[Served]
    now: int  # epoch seconds
    unknown_share: float = UNKNOWN_SHARE
    legacies: Legacies = field(default_factory=Legacies)


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far the sources that a figure needs have covered a period. `through` None: nothing is covered."""

    through: int | None
    gaps: tuple[str, ...]  # in words
    stale: tuple[str, ...]
    lost: tuple[str, ...] = ()  # accepted by name: the figure does without those days, and says so


def take(
    connection: Connection,
    indicators: Iterable[Indicator],
    tallies: Tallies,
    world: World,
    period: Period,
    scopes: Sequence[Scope] = ("agency",),
) -> list[Reading]:
    """Take the readings of some indicators in a period: by indicator, then scope, then code.

    Reads one consistent state of the store; counts nothing anew. What may not be told is suppressed.
    """
    laid: dict[str, Veils] = {}
    readings: list[Reading] = []
    for indicator in indicators:
        found = _reaches(connection, indicator, world, period)
        unsaid = Telling()
        if group := indicator.group:
            if group.id not in laid:
                outside = [member.code for member in world.members if member.outside]
                laid[group.id] = veils(connection, group, period, outside)
            unsaid = _unsaid(laid[group.id], indicator, world, period, found)
        own = _of_agencies(connection, indicator, tallies, world, period, found, unsaid)
        for scope in scopes:
            if scope == "agency":
                readings.extend(_told(indicator, own, world, unsaid))
            elif scope == "block":
                blocks = {member.code: member.block for member in world.members}
                for block in sorted({blocks[one.agency] for one in own}):
                    inside = {code for code, its in blocks.items() if its == block}
                    parts = [one for one in own if one.agency in inside]
                    wider = _wider(connection, indicator, parts, "block", block, world, period, found)
                    readings.append(_held_back(indicator, wider) if block in unsaid.blocks else wider)
            else:
                wider = _wider(connection, indicator, own, "province", world.province, world, period, found)
                readings.append(_held_back(indicator, wider) if unsaid.province else wider)
    return readings


_Found = Mapping[str, tuple[_Reach | None, str]]
"""How far each agency's figure reaches, and in words why it does not."""


def _reaches(connection: Connection, indicator: Indicator, world: World, period: Period) -> _Found:
    covered = _covered(connection, indicator, period)
    lost = gaps.accepted(connection, period.first, period.last)
    serving: dict[str, list[Served]] = {}
    for one in world.serving:
        serving.setdefault(one.agency, []).append(one)
    reaches: dict[tuple[int, int, tuple[tuple[str, str, int, int], ...]], _Reach] = {}
    found: dict[str, tuple[_Reach | None, str]] = {}
    for member in world.members:
        pairs, lacking = _needed(indicator, serving.get(member.code, ()))
        if lacking:
            found[member.code] = (None, f"no source that serves it offers: {', '.join(lacking)}")
            continue
        first = max(period.first, member.from_day) if member.there(period) else period.first
        last = succession.last_day(indicator, member.to_day, period)
        if (first, last, pairs) not in reaches:
            at_end = indicator.period == "end"
            reaches[first, last, pairs] = _reach(covered, lost, pairs, first, last, world.now, at_end=at_end)
        reach = reaches[first, last, pairs]
        found[member.code] = (reach, "" if reach.through else "nothing of the period is covered yet")
    if indicator.group is not None:
        _without_what_was_never_counted(connection, indicator, period, found)
    return found


def _without_what_was_never_counted(
    connection: Connection, indicator: Indicator, period: Period, found: dict[str, tuple[_Reach | None, str]]
) -> None:
    """A figure that needs a destroyed month which this version of it never counted is missing for ever."""
    whys: dict[int, str] = {}
    for code, (reach, _) in found.items():
        if reach is None or reach.through is None:
            continue
        if reach.through not in whys:
            first = reach.through if indicator.period == "end" else period.first
            months = counted_otherwise(connection, indicator.id, indicator.version, first, reach.through)
            names = ", ".join(month_of(month).name for month in months)
            whys[reach.through] = names and f"the records of {names} were destroyed before they were counted like this"
        if why := whys[reach.through]:
            found[code] = (None, why)


def _of_agencies(
    connection: Connection,
    indicator: Indicator,
    tallies: Tallies,
    world: World,
    period: Period,
    found: _Found,
    unsaid: Telling,
) -> list[Reading]:
    """The readings of agencies with all their counts; what may not be told is not in their words either."""
    known: _Counted = {}
    undecided: dict[int, str] = {}
    readings = []
    for member in sorted(world.members, key=lambda one: one.code):
        reach_or_none, why = found[member.code]
        there = member.there(period)
        if not there and indicator.period in ("end", "any"):
            continue
        if reach_or_none is None or reach_or_none.through is None:
            if there:
                readings.append(_reading(indicator, member.code, period, "missing", None, (0, 0, 0), why))
            continue
        through = reach_or_none.through
        three = _figure(connection, indicator, tallies, _pieces(indicator, member, world, period, through), known)
        if not there and three == (0, 0, 0):
            continue
        if through not in undecided:
            undecided[through] = _undecided(connection, period.first, through) if indicator.workdays else ""
        if indicator.period == "any":
            three = _any(three)
        told = member.code not in unsaid.agencies
        state, why = _state(reach_or_none, three, world, undecided[through], told=told)
        readings.append(_reading(indicator, member.code, period, state, through, three, why))
    return readings


def _pieces(indicator: Indicator, member: Member, world: World, period: Period, through: int) -> list[Piece]:
    return succession.pieces(indicator, member.code, member.to_day, world.legacies, period, through)


_Counted = dict[tuple[int, int], Mapping[str, tuple[int, int, int]]]


def _figure(
    connection: Connection, indicator: Indicator, tallies: Tallies, pieces: Sequence[Piece], known: _Counted
) -> tuple[int, int, int]:
    """Add up pieces; `known` keeps what was counted of all agencies in some days."""
    total = (0, 0, 0)
    for piece in pieces:
        days = piece.first, piece.last
        if days not in known:
            known[days] = _counts(connection, indicator, tallies, *days)
        hits, judged, unknown = known[days].get(piece.agency, (0, 0, 0))
        if indicator.period == "flow" and not piece.whole:  # what was done; what is open is another's
            judged, unknown = hits, 0
        total = (total[0] + hits, total[1] + judged, total[2] + unknown)
    return total


# -- what may not be told ----------------------------------------------------------------------------------------


def _unsaid(laid: Veils, indicator: Indicator, world: World, period: Period, found: _Found) -> Telling:
    blocks = {member.code: member.block for member in world.members if not member.outside}
    through = {code: reach.through for code, (reach, _) in found.items() if reach and reach.through is not None}
    return telling(laid, indicator, period, blocks, through)


def _told(indicator: Indicator, own: Sequence[Reading], world: World, unsaid: Telling) -> list[Reading]:
    """The readings of agencies as they are told. The points of a suppressed one come from all hidden with it."""
    if not unsaid.agencies:
        return list(own)
    blocks = {member.code: member.block for member in world.members if not member.outside}
    in_block: dict[str, list[Reading]] = {}
    in_province: list[Reading] = []
    for one in own:
        if one.agency in unsaid.agencies and (block := blocks.get(one.agency)):
            in_block.setdefault(block, []).append(one)
            if block in unsaid.blocks:
                in_province.append(one)
    readings = []
    for one in own:
        if one.agency not in unsaid.agencies:
            readings.append(one)
            continue
        block = blocks.get(one.agency, "")
        hidden = in_block.get(block, [])
        if block in unsaid.blocks:
            hidden = [] if unsaid.province else in_province
        hits, judged = sum(each.hits or 0 for each in hidden), sum(each.judged or 0 for each in hidden)
        readings.append(_held_back(indicator, one, (hits, judged) if judged else None))
    return readings


def _held_back(indicator: Indicator, one: Reading, merged: tuple[int, int] | None = None) -> Reading:
    assert indicator.group is not None
    says = (
        f"not told: fewer than {indicator.group.least} {indicator.group.things} stand behind it, "
        "or behind a figure that could be worked out from it"
    )
    why = f"{one.why}; {says}" if one.why else says
    return replace(one, hits=None, judged=None, unknown=None, why=why, suppressed=True, merged=merged)


# -- counts and states -------------------------------------------------------------------------------------------


def _reading(
    indicator: Indicator,
    agency: str,
    period: Period,
    state: State,
    through: int | None,
    counts: tuple[int, int, int],
    why: str,
) -> Reading:
    return Reading(
        indicator=indicator.id,
        version=indicator.version,
        scope="agency",
        agency=agency,
        period=period.name,
        state=state,
        through=through,
        hits=counts[0],
        judged=counts[1],
        unknown=counts[2],
        why=why,
        measured_members=int(state == "measured"),
    )


def _needed(indicator: Indicator, serving: Sequence[Served]) -> tuple[tuple[tuple[str, str, int, int], ...], list[str]]:
    """The (source, record, from day, stale after) that a figure rests on, and the records that nobody offers."""
    pairs = []
    lacking = []
    for record in indicator.needs:
        offered = [
            (one.source, record.NAME, one.from_day, one.stale_after) for one in serving if record.NAME in one.records
        ]
        pairs.extend(offered)
        if not offered:
            lacking.append(record.NAME)
    return tuple(pairs), lacking


def _covered(connection: Connection, indicator: Indicator, period: Period) -> dict[tuple[str, str], set[int]]:
    """The covered days of a period by source and record."""
    covered: dict[tuple[str, str], set[int]] = {}
    for source, record, day in connection.execute(
        select(coverage).where(
            coverage.c.record.in_([record.NAME for record in indicator.needs]),
            coverage.c.day.between(period.first, period.last),
        )
    ):
        covered.setdefault((source, record), set()).add(day)
    return covered


def _reach(
    covered: Mapping[tuple[str, str], set[int]],
    lost: Mapping[str, Mapping[int, str]],
    pairs: Sequence[tuple[str, str, int, int]],
    first: int,
    last: int,
    now: int,
    *,
    at_end: bool,
) -> _Reach:
    """How far some pairs have covered the days `first..last`. What is accepted as lost counts as accounted for.

    A figure that is taken `at_end` is that of the last day that is truly covered.
    """
    days_of = {
        (source, record): {day for day in covered.get((source, record), ()) if max(first, from_day) <= day <= last}
        for source, record, from_day, _ in pairs
    }
    if not all(days_of.values()):
        return _Reach(None, (), ())
    accounted = {
        (source, record): days_of[source, record]
        | {day for day in lost.get(source, ()) if max(first, from_day) <= day <= last}
        for source, record, from_day, _ in pairs
    }
    told = min(max(days) for days in accounted.values())
    through = min(max(days) for days in days_of.values()) if at_end else told
    open_days = []
    for (source, record), days in accounted.items():
        count = _count(first, told) - sum(day <= told for day in days)
        if count:
            open_days.append(
                f"{count} day{'s' if count > 1 else ''} of {record} before {iso(told)} not covered by {source}"
            )
    closed = day_start(plus_days(last, 1)) <= now
    if closed and told < last:
        behind = sorted({source for (source, _), days in accounted.items() if max(days) < last})
        open_days.append(f"covered only through {iso(told)} ({', '.join(behind)})")
    stale = []
    if not closed:
        for source, record, _, stale_after in pairs:
            latest = max(accounted[source, record])
            if now - day_start(plus_days(latest, 1)) > stale_after:
                stale.append(f"{source} has told nothing of {record} since {iso(latest)}")
    without: dict[str, dict[int, str]] = {}
    for (source, record), days in accounted.items():
        for day in days - days_of[source, record]:
            if day <= told:
                without.setdefault(source, {})[day] = lost[source][day]
    accepted = tuple(words for source in sorted(without) for words in gaps.in_words(source, without[source]))
    return _Reach(through, tuple(open_days), tuple(dict.fromkeys(stale)), accepted)


def _count(first: int, last: int) -> int:
    return (as_date(last) - as_date(first)).days + 1


def _state(
    reach: _Reach, counts: tuple[int, int, int], world: World, undecided: str, *, told: bool
) -> tuple[State, str]:
    """The first state that applies, and in words what keeps the figure from being measured.

    Unless it may be `told`, the words are without its counts.
    """
    _, judged, unknown = counts
    if judged == 0 and unknown > 0:
        none = f"none of {f'the {unknown}' if told else 'those'} counted can be judged"
        return "missing", "; ".join([none, *reach.lost])
    reasons = [*reach.gaps, *reach.stale]
    if judged + unknown and unknown / (judged + unknown) > world.unknown_share:
        reasons.append(f"{unknown} of {judged + unknown} cannot be judged" if told else "too many cannot be judged")
    if undecided:
        reasons.append(undecided)
    if reasons:
        return "partial", "; ".join([*reasons, *reach.lost])
    nothing = [] if judged else ["covered, and there was nothing to judge"]
    return "measured" if judged else "not_applicable", "; ".join([*nothing, *reach.lost])


def _undecided(connection: Connection, first: int, through: int) -> str:
    """In words, which days the calendar of working days leaves open; "" if it decides them all."""
    span = workday.c.day.between(first, through)
    days = connection.scalars(select(workday.c.day).where(span, workday.c.provisional == 1)).all()
    if days:
        some = f"{iso(min(days))} is a working day" if len(days) == 1 else f"{len(days)} days are working days"
        return f"workdays/{min(days) // 10_000}.yaml does not decide whether {some}"
    known = connection.scalar(select(func.count()).where(span)) or 0
    return "" if known == _count(first, through) else "the calendar of working days does not reach so far"


def _any(counts: tuple[int, int, int]) -> tuple[int, int, int]:
    hits, _, unknown = counts
    return (1, 1, 0) if hits else (0, 0, 1) if unknown else (0, 1, 0)


def _counts(
    connection: Connection, indicator: Indicator, tallies: Tallies, first: int, through: int
) -> dict[str, tuple[int, int, int]]:
    """hits, judged and unknown by agency: the sum of the cells that make up the days `first..through`."""
    statement: Select[Any]
    if isinstance(indicator.formula, Flow):
        return _flowed(connection, indicator, tallies, first, through)
    spans = _spans(indicator, first, through)
    if isinstance(indicator.formula, Cells) and indicator.formula.standing:
        newest = (
            select(cell.c.agency, func.max(cell.c.day).label("day"))
            .where(cell.c.indicator == indicator.id, cell.c.day <= through)
            .group_by(cell.c.agency)
            .subquery()
        )
        statement = select(cell.c.agency, cell.c.hits, cell.c.judged, cell.c.unknown).join_from(
            newest,
            cell,
            and_(cell.c.indicator == indicator.id, cell.c.agency == newest.c.agency, cell.c.day == newest.c.day),
        )
    elif isinstance(indicator.formula, Cells):
        statement = (
            select(cell.c.agency, func.sum(cell.c.hits), func.sum(cell.c.judged), func.sum(cell.c.unknown))
            .where(cell.c.indicator == indicator.id, or_(*(cell.c.day.between(*span) for span in spans)))
            .group_by(cell.c.agency)
        )
    else:
        table = next(wide.table for wide in tallies.wide if indicator in wide.indicators)
        columns = (table.c[f"{indicator.column}_{part}"] for part in ("hits", "judged", "unknown"))
        statement = (
            select(table.c.agency, *(func.sum(column) for column in columns))
            .where(or_(*(table.c.day.between(*span) for span in spans)))
            .group_by(table.c.agency)
        )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in connection.execute(statement)}


def _flowed(
    connection: Connection, indicator: Indicator, tallies: Tallies, first: int, through: int
) -> dict[str, tuple[int, int, int]]:
    """The counts of a flow: done in the days `first..through`, and there or unknown at the end of `through`."""
    done_within: dict[str, int] = {}
    there: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for name in ("came", "done", "gone"):
        table, (hits, judged, unjudged) = part_of(tallies, indicator, name)
        within = func.sum(judged).filter(table.c.day >= first)
        passed = select(table.c.agency, within, func.sum(judged), func.sum(hits), func.sum(unjudged))
        for agency, some, all_judged, all_hits, all_unknown in connection.execute(
            passed.where(table.c.day <= through).group_by(table.c.agency)
        ):
            match name:
                case "came":
                    there[agency] = there.get(agency, 0) + int(all_hits)
                    unknown[agency] = int(all_unknown)
                case "done":
                    there[agency] = there.get(agency, 0) - int(all_hits)
                    done_within[agency] = int(some or 0)
                case "gone":
                    there[agency] = there.get(agency, 0) - int(all_judged)
    return {
        agency: (done_within.get(agency, 0), done_within.get(agency, 0) + left, unknown.get(agency, 0))
        for agency, left in there.items()
    }


def _spans(indicator: Indicator, first: int, through: int) -> list[tuple[int, int]]:
    """The spans of days (both ends included) whose cells add up to the figure of the days `first..through`."""
    match indicator.period:
        case "sum" | "any" | "flow":
            return [(first, through)]
        case "end":
            return [(through, through)]
        case "month":
            return [(day, day) for day in month_ends(first, through)]


_WORST: tuple[State, ...] = ("missing", "partial", "measured")


def _wider(
    connection: Connection,
    indicator: Indicator,
    own: Sequence[Reading],
    scope: Scope,
    code: str,
    world: World,
    period: Period,
    found: _Found,
) -> Reading:
    """Add the counts of the members that count: not the not_applicable ones, not those marked as outside.

    What members share counts once.
    """
    outside = {member.code for member in world.members if member.outside}
    inside = [one for one in own if one.agency not in outside]
    counted = [one for one in inside if one.state != "not_applicable"]
    template = own[0]
    state: State = next((one for one in _WORST if any(r.state == one for r in counted)), "not_applicable")
    measured = sum(one.state == "measured" for one in counted)
    ends = {member.code: member.to_day for member in world.members}
    days = [(one.through, ends.get(one.agency)) for one in (counted or inside) if one.through is not None]
    # One that is told up to its own end holds nobody back.
    open_ = [through for through, end in days if end is None or through < end]
    through = min(open_, default=max((through for through, _ in days), default=None))
    short = [] if state in ("measured", "not_applicable") else [f"{measured} of {len(counted)} agencies are measured"]
    lost = (words for one in counted if (reach := found[one.agency][0]) for words in reach.lost)
    why = "; ".join([*short, *dict.fromkeys(lost)])
    total = replace(
        template,
        scope=scope,
        agency=code,
        state=state,
        through=through,
        hits=sum(one.hits or 0 for one in counted),
        judged=sum(one.judged or 0 for one in counted),
        unknown=sum(one.unknown or 0 for one in counted),
        why=why,
        members=len(counted),
        measured_members=measured,
    )
    return succession.each_once(connection, indicator, total, counted, period.first)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rows behind a figure: column names, and the rows; their verdicts add up to the reading's counts."""

    reading: Reading
    columns: tuple[str, ...]
    rows: Sequence[Any]  # of the store, or of an edition


def explain(
    connection: Connection, indicator: Indicator, reading: Reading, period: Period, world: World
) -> Explanation:
    """Return the rows that a reading of an agency counts, from the same declaration as the figure.

    For a `Counted` formula: source, key, day, verdict (hit, miss, unknown) and what the declaration shows. For
    `Cells`: the columns of their items; where persons stand behind them, day, hits, judged and unknown, of a suppressed
    reading the days alone. What persons did is told from the tallies, which outlive their rows.
    """
    if reading.through is None:
        return Explanation(reading, (), ())
    member = next(one for one in world.members if one.code == reading.agency)
    columns: tuple[str, ...] = ()
    rows: list[Row[Any]] = []
    for piece in _pieces(indicator, member, world, period, reading.through):
        columns, some = _rows(connection, indicator, reading, piece)
        rows.extend(some)
    return Explanation(reading, columns, rows)


def one_explanation(indicator: Indicator, reading: Reading, parts: Sequence[Explanation]) -> Explanation:
    """Return the rows behind a merged reading, those of its parts; what several of them share is there once."""
    columns = next((one.columns for one in parts if one.columns), ())
    rows = [row for one in parts for row in one.rows]
    shared = isinstance(indicator.formula, Cells) and indicator.formula.together is not None
    return Explanation(reading, columns, list(dict.fromkeys(rows)) if shared else rows)


def _rows(
    connection: Connection, indicator: Indicator, reading: Reading, piece: Piece
) -> tuple[tuple[str, ...], list[Row[Any]]]:
    """The names of columns, and the rows that a piece of a reading counts."""
    formula = indicator.formula
    spans = _spans(indicator, piece.first, piece.last)
    rows: list[Row[Any]] = []
    if indicator.group is not None:
        counts = [null() if reading.suppressed else cell.c[part] for part in PARTS]
        days = or_(*(cell.c.day.between(*span) for span in spans))
        rows.extend(
            connection.execute(
                select(cell.c.day, *(column.label(part) for part, column in zip(PARTS, counts, strict=True)))
                .where(cell.c.indicator == indicator.id, cell.c.agency == piece.agency, days)
                .order_by(cell.c.day)
            )
        )
        return ("day", *PARTS), rows
    if isinstance(formula, Flow):
        passed = connection.execute(items_of_flow(formula, piece.agency, piece.first, piece.last))
        rows.extend(row for row in passed if piece.whole or row.verdict == "hit")
        return ("source", "key", "day", "verdict", *(one.name for one in formula.came.shows)), rows
    if isinstance(formula, Cells):
        for first, last in spans:
            bounds = {"agency": piece.agency, "first_day": first, "last_day": last}
            rows.extend(connection.execute(formula.items, bounds))
        return tuple(formula.items.selected_columns.keys()), rows
    for first, last in spans:
        rows.extend(connection.execute(items(formula, piece.agency, first, last)))
    return ("source", "key", "day", "verdict", *(one.name for one in formula.shows)), rows


def items(formula: Counted, agency: str, first: int, through: int) -> Select[Any]:
    """The row-level SELECT of a `Counted` formula: the same three expressions that the tallies count."""
    facts = formula.table
    verdict = case((formula.hit.is_(None), "unknown"), (formula.hit, "hit"), else_="miss").label("verdict")
    return (
        select(facts.c.source, facts.c.key, formula.day.label("day"), verdict, *formula.shows)
        .where(
            facts.c.agency == agency,
            facts.c.removed == 0,
            formula.counted,
            formula.day.between(first, through),
        )
        .order_by(formula.day, facts.c.source, facts.c.key)
    )


def items_of_flow(flow: Flow, agency: str, first: int, through: int) -> Select[Any]:
    """The row-level SELECT of a `Flow`: what was done in some days, on its day, and what is there at their end."""
    facts = flow.came.table
    done = and_(flow.done.counted, flow.done.day.between(first, through))
    left = or_(
        and_(flow.done.counted, flow.done.hit, flow.done.day <= through),
        and_(flow.gone.counted, flow.gone.day <= through),
    )
    # A row without a day has not left: then the comparison says nothing.
    there = and_(flow.came.counted, flow.came.day <= through, not_(func.coalesce(left, false())))
    verdict = case((done, "hit"), (flow.came.hit.is_(None), "unknown"), else_="miss").label("verdict")
    day = case((done, flow.done.day), else_=flow.came.day).label("day")
    return (
        select(facts.c.source, facts.c.key, day, verdict, *flow.came.shows)
        .where(facts.c.agency == agency, facts.c.removed == 0, or_(done, there))
        .order_by(day, facts.c.source, facts.c.key)
    )
