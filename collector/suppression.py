"""Which figures about persons may be told: none of fewer than five, nor one from which such a figure can be worked out.

On each day an agency is hidden if its group is too small. If what is hidden in a block is one agency alone, or too
few persons together, the block's figure less the told ones would reveal it: then the block's next smallest agency is
hidden too. Where a block has nobody to hide behind, its own figure is hidden, and so that the province's less the
other blocks' does not reveal it, the figure of the next smallest block with it, and one of that block's agencies.

What is hidden together on a day is a veil. A figure of several days is told only if it adds up told agency-days and
whole veils: so every number that is told is a sum of numbers that may be told, whatever the period, whatever is
covered and whenever it is asked for, and no sum or difference of told numbers can part a veil.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from collector.contract.indicator import Group, Indicator
from collector.contract.period import Period, month_of
from collector.contract.tables import agency_term
from collector.store.schema import group_size


@dataclass(frozen=True, slots=True)
class Veil:
    """Agencies that are hidden together on a day, and the narrowest figure that may tell their sum."""

    agencies: frozenset[str]
    told_in: Literal["block", "province", "nothing"]


@dataclass(frozen=True, slots=True)
class Veils:
    """The veils of each day, as far as there are any. `alone` are those hidden that count in no wider figure."""

    days: Mapping[int, Sequence[Veil]]
    alone: Mapping[int, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What of an indicator may not be told in a period: figures of agencies, of blocks, and of the province."""

    agencies: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()
    province: bool = False


def veils(connection: Connection, group: Group, period: Period, outside: Iterable[str]) -> Veils:
    """Lay the veils over the days of the months of a period; `outside` are agencies that no wider figure counts."""
    first = month_of(period.first).first
    sizes: dict[int, list[tuple[str, int]]] = {}
    for agency, day, size in connection.execute(
        select(group_size.c.agency, group_size.c.day, group_size.c.size)
        .where(group_size.c.group == group.id, group_size.c.day.between(first, period.last), group_size.c.size > 0)
        .order_by(group_size.c.day, group_size.c.agency)
    ):
        sizes.setdefault(day, []).append((agency, size))
    terms = _terms(connection)
    apart = frozenset(outside)
    days: dict[int, Sequence[Veil]] = {}
    alone: dict[int, frozenset[str]] = {}
    known: dict[tuple[tuple[str, str, int], ...], Sequence[Veil]] = {}  # most days are like the day before
    for day, some in sizes.items():
        small = frozenset(agency for agency, size in some if size < group.least)
        if not small:
            continue
        if small & apart:
            alone[day] = small & apart
        inside = tuple((agency, _block(terms, agency, day), size) for agency, size in some if agency not in apart)
        if inside not in known:
            known[inside] = lay(inside, group.least)
        if known[inside]:
            days[day] = known[inside]
    return Veils(days, alone)


def _terms(connection: Connection) -> dict[str, list[tuple[int, str]]]:
    terms: dict[str, list[tuple[int, str]]] = {}
    for agency, from_day, block in connection.execute(
        select(agency_term.c.agency, agency_term.c.from_day, agency_term.c.block).order_by(agency_term.c.from_day)
    ):
        terms.setdefault(agency, []).append((from_day, block))
    return terms


def _block(terms: Mapping[str, Sequence[tuple[int, str]]], agency: str, day: int) -> str:
    """The block of an agency on a day; of its first term before that, and of its last one after it."""
    own = terms.get(agency, ((0, ""),))
    return next((block for from_day, block in reversed(own) if from_day <= day), own[0][1])


def lay(sizes: Iterable[tuple[str, str, int]], least: int) -> Sequence[Veil]:
    """Return the veils of one day, given agency, block and size (over 0) of each group."""
    blocks: dict[str, dict[str, int]] = {}
    for agency, block, size in sizes:
        blocks.setdefault(block, {})[agency] = size

    def hides(block: str, agencies: set[str]) -> bool:
        return len(agencies) > 1 and sum(blocks[block][one] for one in agencies) >= least

    def next_smallest(block: str, hidden: set[str]) -> set[str]:
        return set(sorted(blocks[block].keys() - hidden, key=lambda one: (blocks[block][one], one))[:1])

    veiled: dict[str, set[str]] = {}
    bare: set[str] = set()  # blocks with nobody to hide behind
    for block, own in sorted(blocks.items()):
        hidden = {agency for agency, size in own.items() if size < least}
        if not hidden:
            continue
        if not hides(block, hidden):
            hidden |= next_smallest(block, hidden)
        veiled[block] = hidden
        if not hides(block, hidden):
            bare.add(block)
    if not bare:
        return [Veil(frozenset(hidden), "block") for hidden in veiled.values()]

    def count(merged: Iterable[str]) -> tuple[int, int]:
        hidden = [blocks[block][agency] for block in merged for agency in veiled[block]]
        return len(hidden), sum(hidden)

    others = sorted(blocks.keys() - bare, key=lambda one: (sum(blocks[one].values()), one))
    agencies, persons = count(bare)
    if (agencies < 2 or persons < least) and others:
        bare.add(others[0])
        veiled.setdefault(others[0], next_smallest(others[0], set()))
        agencies, persons = count(bare)
    together = frozenset(agency for block in bare for agency in veiled[block])
    return [
        *(Veil(frozenset(hidden), "block") for block, hidden in veiled.items() if block not in bare),
        Veil(together, "province" if agencies > 1 and persons >= least else "nothing"),
    ]


def telling(
    laid: Veils, indicator: Indicator, period: Period, blocks: Mapping[str, str], through: Mapping[str, int]
) -> Telling:
    """Return what of an indicator may not be told.

    `blocks` has the block of each agency of the period that wider figures count, `through` the last day that each
    agency's figure sums up to (of those outside too).
    """
    start = month_of(period.first).first if indicator.period == "month" else period.first

    def counts(agency: str, day: int) -> bool:
        last = through.get(agency)
        return last is not None and (day == last if indicator.period == "end" else start <= day <= last)

    hidden = {agency for day, some in laid.alone.items() for agency in some if counts(agency, day)}
    unsaid: set[str] = set()
    province = False
    for day, some in laid.days.items():
        for veil in some:
            there = {agency for agency in veil.agencies if counts(agency, day)}
            hidden |= there
            inside = there & blocks.keys()
            if not inside:
                continue
            whole = inside == veil.agencies
            if not whole or veil.told_in != "block" or len({blocks[one] for one in inside}) > 1:
                unsaid |= {blocks[one] for one in inside}
            province = province or not whole or veil.told_in == "nothing"
    return Telling(frozenset(hidden), frozenset(unsaid), province)
