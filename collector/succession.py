"""Whose cells make up whose figure, where agencies end and others take over what they leave.

An agency is judged till its last day. What is dated later and still stands under it (a dossier that it received and
that was completed after its end) is its successor's, or where it was divided or nobody took it over, goes on being
its own, so that no item is lost from the wider figures. In the same way a period has figures of agencies that are not
there in it, if records fall into it all the same.

A merged figure adds up an agency with all those that it took over, each of them as it is judged by itself: it tells
what the work of today's agency came to in a period that began before it was one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from collector.agencies import Legacy, Register
from collector.contract.indicator import Cells, Indicator
from collector.contract.period import Period, iso, month_of, parse_period, plus_days
from collector.contract.reading import STATES, Reading, State


@dataclass(frozen=True, slots=True)
class Piece:
    """Cells of an agency, of the days `first..last`. `whole`: what stands open at the last day is counted too."""

    agency: str
    first: int
    last: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Legacies:
    """What ended agencies left: by who took it over, and by whose it was, the first day on which it is another's."""

    by_heir: Mapping[str, Sequence[Legacy]] = field(default_factory=dict)
    handed_over: Mapping[str, int] = field(default_factory=dict)


def legacies(left: Iterable[Legacy]) -> Legacies:
    """Look up legacies by heir and by agency; an agency's are in order of time."""
    by_heir: dict[str, list[Legacy]] = {}
    handed_over: dict[str, int] = {}
    for one in left:
        by_heir.setdefault(one.heir, []).append(one)
        handed_over.setdefault(one.agency, one.from_day)
    return Legacies(by_heir, handed_over)


def last_day(indicator: Indicator, end: int | None, period: Period) -> int:
    """Return the last day of a period on which an agency is judged, its own last day being `end` (None: no end).

    A mailbox belongs to the agency of its month's first day, and so does what its owner does all month.
    """
    if end is None or end < period.first:
        return period.last
    return min(period.last, month_of(end).last if indicator.group is not None else end)


def pieces(
    indicator: Indicator, agency: str, end: int | None, left: Legacies, period: Period, through: int
) -> list[Piece]:
    """Return whose cells make up an agency's figure of the days of a period up to `through`."""
    last = last_day(indicator, end, period)
    goes_on = through < last or last == period.last
    if indicator.period == "end":
        return [Piece(agency, period.first, through)] if goes_on else []
    if indicator.group is not None:
        return [Piece(agency, period.first, through)]
    handed_over = left.handed_over.get(agency)
    found = []
    if handed_over is None:
        found.append(Piece(agency, period.first, through if goes_on else period.last))
    elif period.first < handed_over:
        found.append(Piece(agency, period.first, min(through, plus_days(handed_over, -1)), goes_on))
    for one in left.by_heir.get(agency, ()):
        until = through if one.to_day is None else min(through, one.to_day)
        if max(period.first, one.from_day) <= until:
            found.append(Piece(one.agency, max(period.first, one.from_day), until, until == through))
    return found


def units(register: Register, day: int) -> dict[str, str]:
    """Return for each agency of the register the one that answers for it on a day; itself where nobody does."""
    return {code: register.heir(code, day) or code for code in register.agencies}


def merged(
    connection: Connection, readings: Iterable[Reading], indicators: Mapping[str, Indicator], into: Mapping[str, str]
) -> list[Reading]:
    """Add up the readings of agencies that are one by now (`into`: agency -> that one); others stay as they are.

    What several of them share counts once, as in wider figures. The worst state remains. Where one of them may not be
    told, the sum may not either: it would tell that one. Readings of wider scopes are left out: blocks differ before
    and after.
    """
    parts: dict[tuple[str, str], list[Reading]] = {}
    for one in readings:
        if one.scope == "agency":
            parts.setdefault((one.indicator, into.get(one.agency, one.agency)), []).append(one)
    sums = [_sum(some, unit, indicators[indicator]) for (indicator, unit), some in parts.items()]
    return [
        each_once(
            connection,
            indicators[one.indicator],
            one,
            parts[one.indicator, one.agency],
            parse_period(one.period).first,
        )
        if one.members > 1
        else one
        for one in sums
    ]


def each_once(
    connection: Connection, indicator: Indicator, total: Reading, parts: Iterable[Reading], first_day: int
) -> Reading:
    """Count what the parts share once each, of a figure whose items belong to several agencies."""
    formula = indicator.formula
    if not isinstance(formula, Cells) or formula.together is None or total.through is None:
        return total
    agencies = [one.agency for one in parts if one.through is not None and one.state != "not_applicable"]
    bounds = {"agencies": agencies, "first_day": first_day, "last_day": total.through}
    hits, judged, unknown = connection.execute(formula.together, bounds).one()
    return replace(total, hits=int(hits), judged=int(judged), unknown=int(unknown))


def _sum(parts: Sequence[Reading], unit: str, indicator: Indicator) -> Reading:
    if len(parts) == 1 and parts[0].agency == unit:
        return parts[0]
    counted = [one for one in parts if one.state != "not_applicable"]
    state: State = max((one.state for one in counted), key=STATES.index, default="not_applicable")
    template = next((one for one in parts if one.agency == unit), parts[0])
    days = [one.through for one in parts if one.through is not None]
    own = [one.through for one in parts if one.agency == unit and one.through is not None]
    why = "; ".join(f"{one.agency}: {one.why}" for one in counted if one.why)
    total = replace(
        template,
        agency=unit,
        state=state,
        through=own[0] if own else min(days, default=None),
        hits=sum(one.hits or 0 for one in parts),
        judged=sum(one.judged or 0 for one in parts),
        unknown=sum(one.unknown or 0 for one in parts),
        why=why or (template.why if state == "not_applicable" else ""),
        members=len(counted),
        measured_members=sum(one.state == "measured" for one in counted),
    )
    if any(one.suppressed for one in parts):
        return replace(total, hits=None, judged=None, unknown=None, suppressed=True, merged=None)
    if indicator.period == "any" and counted:
        hit = int(bool(total.hits))
        unknown = int(not hit and bool(total.unknown))
        return replace(total, hits=hit, judged=1 - unknown, unknown=unknown)
    return total


def ended(end: int, successors: Sequence[str]) -> str:
    """Say why an agency that is there no more is not ranked."""
    return f"it ended on {iso(end)}" + (f"; {' and '.join(successors)} took over" if successors else "")
