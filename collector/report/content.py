"""What a report tells, in no format yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from collector.contract.period import Period, month_of, period_before
from collector.contract.reading import Reading, Score
from collector.editions.body import Definition
from collector.flags import Raised

Key = tuple[str, str]
"""The agency (or block, or province) and the indicator of a figure."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The edition whose figures are told: its number, when it was sealed (epoch seconds), its digest, and why anew.

    `later`: the number of the newest edition, where this is an older one.
    """

    number: int
    sealed: int
    digest: str
    reason: str = ""
    says: str = ""
    later: int | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency that has figures, and its score; None if it was not there to be ranked."""

    code: str
    name: str
    score: Score | None


@dataclass(frozen=True, slots=True)
class Group:
    """A group of criteria, and the one that it stands in ("": in the block itself)."""

    id: str
    title_vi: str
    title_en: str
    parent: str


@dataclass(frozen=True, slots=True)
class Block:
    """Agencies that are ranked among each other, in the order of their ranks, the unranked last.

    `groups` are those of its criteria, in the model's order, if they are known.
    """

    id: str
    title_vi: str
    title_en: str
    agencies: tuple[Agency, ...]
    groups: tuple[Group, ...] = ()

    @property
    def scored(self) -> tuple[str, ...]:
        """The indicators that give points here, in the order of the criteria."""
        lines = (line for agency in self.agencies if agency.score for line in agency.score.lines)
        return tuple(dict.fromkeys(line.indicator for line in lines if line.indicator))


@dataclass(frozen=True, slots=True)
class Told:
    """The records behind a figure: their columns, the rows, and what these come to (hits, judged, unknown).

    `is_one_item`: the figure's item is the agency itself, a hit if any of its records is one.
    """

    reading: Reading
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    is_one_item: bool = False

    @property
    def counts(self) -> tuple[int, int, int] | None:
        """What the rows add up to; None where they may not tell it."""
        if self.reading.suppressed:
            return None
        at = {name: place for place, name in enumerate(self.columns)}
        if "verdict" in at:
            verdicts = [row[at["verdict"]] for row in self.rows]
            hits, misses, unknown = (verdicts.count(verdict) for verdict in ("hit", "miss", "unknown"))
            if self.is_one_item:
                return (1, 1, 0) if hits else (0, 0, 1) if unknown else (0, int(self.reading.through is not None), 0)
            return hits, hits + misses, unknown
        if not at:
            return 0, 0, 0
        hits, judged, unknown = (sum(row[at[part]] for row in self.rows) for part in ("hits", "judged", "unknown"))
        return hits, judged, unknown

    @property
    def agrees(self) -> bool:
        """Whether the rows come to what the figure says."""
        own = self.reading.hits, self.reading.judged, self.reading.unknown
        return self.counts is None or self.counts == own


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A report on a period. `made`: when its figures were taken (epoch seconds), of sealed ones when they were sealed.

    `readings` are those of agencies, then wider ones if they are known. `years` holds the shares of the months that end
    with the period, in their order, None where there is none that may be told. `only`: the agency that the report is
    about, whose `evidence` it may hold; None for all. `merged`: each agency with those merged into it.
    """

    province: str
    code: str
    period: Period
    made: int
    seal: Seal | None
    merged: bool
    blocks: tuple[Block, ...]
    definitions: tuple[Definition, ...]
    readings: tuple[Reading, ...]
    months: tuple[Period, ...] = ()
    years: Mapping[Key, tuple[Decimal | None, ...]] = field(default_factory=dict)
    flags: tuple[Raised, ...] = ()
    only: str | None = None
    evidence: tuple[Told, ...] = ()

    def figures(self) -> dict[Key, Reading]:
        """Return the readings by agency (block, province) and indicator."""
        return {(one.agency, one.indicator): one for one in self.readings}

    def told(self) -> list[Reading]:
        """Return the readings that the report is about: all, or those of its one agency."""
        return [one for one in self.readings if self.only is None or (one.scope, one.agency) == ("agency", self.only)]

    def raised(self) -> list[Raised]:
        """Return the flags of what the report is about."""
        return [one for one in self.flags if self.only in (None, one.agency)]

    def columns(self) -> tuple[str, ...]:
        """Return the columns of all the evidence, each once."""
        return tuple(dict.fromkeys(name for one in self.evidence for name in one.columns))

    def definition(self, id_: str) -> Definition:
        """Return the words of an indicator."""
        return next(one for one in self.definitions if one.id == id_)

    def ordered(self, block: Block) -> tuple[list[Definition], list[Definition]]:
        """Return the indicators that give a block points, in the order of its criteria, and the others."""
        scored = [self.definition(id_) for id_ in block.scored]
        return scored, [one for one in self.definitions if one not in scored]


def counts(one: Reading) -> tuple[int | None, int | None, int | None]:
    """Return the hits, judged and unknown of a reading as people are told them: what is missing has no zeros."""
    if one.state == "missing" and not one.judged:
        return None, None, one.unknown or None
    return one.hits, one.judged, one.unknown


def last_twelve_months(period: Period) -> tuple[Period, ...]:
    """Return the twelve months up to a period's end, the earliest first."""
    months = [month_of(period.last)]
    while len(months) < 12:
        months.insert(0, period_before(months[0]))
    return tuple(months)
