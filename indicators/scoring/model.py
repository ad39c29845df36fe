"""The scoring model and what it makes of readings: points, intervals, ranks and bands.

All arithmetic is exact (fractions) until the one rounding at the end, half up, to what is printed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import Literal

from collector.contract.errors import WrongUse
from collector.contract.reading import Line, Reading, Score, Source

Rule = Literal["ratio", "inverse"]
"""`ratio`: more hits, more points. `inverse`: 1 - ratio, for what should not happen."""

TOTAL = Decimal(1000)
"""Maximum points of a block."""

_ONE_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Criterion:
    """What an indicator is worth in a block: `maximum` points for the best share."""

    id: str
    indicator: str
    maximum: Decimal
    rule: Rule = "ratio"
    title_vi: str = ""
    title_en: str = ""

    def share(self, reading: Reading) -> Fraction:
        """Return the share of the maximum, 0 to 1, that a measured reading earns: see `counts`.

        ValueError for counts that no measured reading can have.
        """
        hits, judged = counts(reading) or (0, 0)
        if not 0 <= hits <= judged or judged == 0:
            raise ValueError(
                f"{reading.indicator} of {reading.agency} in {reading.period} is called measured with "
                f"{hits} hits of {judged} judged"
            )
        ratio = Fraction(hits, judged)
        return ratio if self.rule == "ratio" else 1 - ratio


def counts(reading: Reading) -> tuple[int, int] | None:
    """Return the hits and the judged that give a reading its points.

    Its own, or where they may not be told those of the smallest group that may; None if there is no such group: then
    its points cannot be told either.
    """
    if reading.hits is None or reading.judged is None:
        return reading.merged
    return reading.hits, reading.judged


@dataclass(frozen=True, slots=True)
class Block:
    """Agencies that are compared with each other, and by what. WrongUse unless the maxima total 1,000."""

    id: str
    title_vi: str
    criteria: tuple[Criterion, ...]

    def __post_init__(self) -> None:
        total = sum((criterion.maximum for criterion in self.criteria), Decimal(0))
        ids = [criterion.id for criterion in self.criteria]
        if total != TOTAL:
            raise self._wrong(f"the maximum points of block {self.id} total {total:f}, not {TOTAL}")
        if any(criterion.maximum <= 0 for criterion in self.criteria):
            raise self._wrong(f"a criterion of block {self.id} has no points")
        if repeated := sorted({one for one in ids if ids.count(one) > 1}):
            raise self._wrong(f"block {self.id} has criterion {repeated[0]} twice")

    def _wrong(self, reason: str) -> WrongUse:
        return WrongUse(
            reason,
            stage="configuration",
            field=f"blocks.{self.id}.criteria",
            mend="Correct the criteria of this block in scoring.yaml",
        )


@dataclass(frozen=True, slots=True)
class Band:
    """A grade, given from `at_least` of the 1,000 points on (a share, 0 to 1)."""

    name: str
    at_least: Decimal


@dataclass(frozen=True, slots=True)
class Model:
    """A whole scoring model. WrongUse unless its bands cover every share and name each bound once.

    An agency whose measured criteria carry less than `minimum_measured` (a share, 0 to 1) of its points is listed
    unranked, and so is one in `not_ranked` (agency code: reason).
    """

    blocks: tuple[Block, ...]
    bands: tuple[Band, ...]
    minimum_measured: Decimal
    not_ranked: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bounds = [band.at_least for band in self.bands]
        if min(bounds, default=None) != 0 or max(bounds) > 1 or len(set(bounds)) < len(bounds):
            raise WrongUse(
                "the bands do not cover every share from 0 to 1 with one bound each",
                stage="configuration",
                field="bands",
                mend="Give each band its own bound, the lowest at_least: 0",
            )
        if not 0 <= self.minimum_measured <= 1:
            raise WrongUse(
                f"{self.minimum_measured:f} is no share",
                stage="configuration",
                field="minimum_measured",
                mend="Write a share between 0 and 1",
            )
        ids = [block.id for block in self.blocks]
        if repeated := sorted({one for one in ids if ids.count(one) > 1}):
            raise WrongUse(f"block {repeated[0]} is there twice", stage="configuration", field="blocks")

    @property
    def indicators(self) -> frozenset[str]:
        """The ids of all indicators that any block needs."""
        return frozenset(criterion.indicator for block in self.blocks for criterion in block.criteria)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What an agency has earned, before anybody is compared. `share` is exact, for the comparison with the minimum."""

    agency: str
    low: Decimal
    high: Decimal
    share: Fraction
    machine: Fraction  # share of its points that machines recorded
    lines: tuple[Line, ...]
    unranked: str  # why it has no rank; "" if it has one
    excluded: bool  # it will never have a rank, whatever is measured yet


def score(
    model: Model,
    readings: Iterable[Reading],
    blocks: Mapping[str, str],
    measured_from: Mapping[str, Source] = MappingProxyType({}),
) -> list[Score]:
    """Return the score of every agency in `blocks` (agency code: block id), for the period of the readings.

    `measured_from` tells by indicator what its figure rests on (a clerk, where it is not told).
    An agency or criterion without a reading is missing, not zero. Readings of wider scopes, of other indicators
    and of agencies outside `blocks` are not looked at. Ordered by block as in the model, rank and agency code, the
    unranked last. WrongUse if an agency's block is not in the model; ValueError if a figure is there twice.
    """
    found: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        if reading.scope != "agency":
            continue
        if (reading.agency, reading.indicator) in found:
            raise ValueError(f"two readings of {reading.indicator} for {reading.agency}: score one period at a time")
        found[reading.agency, reading.indicator] = reading

    known = {block.id for block in model.blocks}
    for agency, block_id in sorted(blocks.items()):
        if block_id not in known:
            raise WrongUse(
                f"agency {agency} is in block {block_id}, which the scoring model does not have",
                stage="configuration",
                field="blocks",
                mend=f"Add block {block_id} to scoring.yaml or correct the register",
            )
    return [
        one
        for block in model.blocks
        for one in _ranked(
            model,
            block,
            [
                _standing(model, block, agency, found, measured_from)
                for agency in sorted(blocks)
                if blocks[agency] == block.id
            ],
        )
    ]


def _standing(
    model: Model,
    block: Block,
    agency: str,
    readings: Mapping[tuple[str, str], Reading],
    measured_from: Mapping[str, Source],
) -> _Standing:
    applicable = measured = machine = earned = Fraction(0)
    for criterion in block.criteria:
        maximum = Fraction(criterion.maximum)
        reading = readings.get((agency, criterion.indicator))
        if reading is not None and reading.state == "not_applicable":
            continue
        applicable += maximum
        if reading is not None and reading.state == "measured" and counts(reading) is not None:
            measured += maximum
            earned += maximum * criterion.share(reading)
            if measured_from.get(criterion.indicator) == "machine":
                machine += maximum

    # Points of what does not apply are spread over the other criteria in proportion: each is worth more by the
    # same factor, so that the best possible total is 1,000 again.
    factor = Fraction(TOTAL) / applicable if applicable else Fraction(0)
    share = measured / applicable if applicable else Fraction(0)
    low = earned * factor
    high = low + (applicable - measured) * factor

    unranked = ""
    if agency in model.not_ranked:
        unranked = model.not_ranked[agency]
    elif not applicable:
        unranked = "nothing to judge in any criterion"
    elif share < Fraction(model.minimum_measured):
        unranked = f"only {_rounded(share * 100, 1)} % of its points are measured"
    lines = tuple(
        _line(criterion, readings.get((agency, criterion.indicator)), factor, measured_from)
        for criterion in block.criteria
    )
    by_machine = machine / applicable if applicable else Fraction(0)
    excluded = agency in model.not_ranked
    return _Standing(agency, _rounded(low, 2), _rounded(high, 2), share, by_machine, lines, unranked, excluded)


def _line(criterion: Criterion, reading: Reading | None, factor: Fraction, measured_from: Mapping[str, Source]) -> Line:
    state = "missing" if reading is None else reading.state
    worth = Fraction(0) if state == "not_applicable" else Fraction(criterion.maximum) * factor
    low, high = Fraction(0), worth
    if reading is not None and state == "measured" and counts(reading) is not None:
        low = high = worth * criterion.share(reading)
    return Line(
        criterion=criterion.id,
        title_vi=criterion.title_vi,
        title_en=criterion.title_en,
        indicator=criterion.indicator,
        source=measured_from.get(criterion.indicator, "clerk"),
        parent="",
        maximum=criterion.maximum,
        worth=_rounded(worth, 2),
        state=state,
        points_low=_rounded(low, 2),
        points_high=_rounded(high, 2),
    )


def _ranked(model: Model, block: Block, standings: Sequence[_Standing]) -> list[Score]:
    ranked = [one for one in standings if not one.unranked]
    # What is unranked only for want of records may yet be ranked, and then stand above: it can push others down,
    # but their best rank does not wait for it.
    possible = [one for one in standings if not one.excluded]

    def rank(one: _Standing) -> tuple[int, int, int] | tuple[None, None, None]:
        if one.unranked:
            return None, None, None
        return (
            1 + sum(other.low > one.low for other in ranked),
            1 + sum(other.low > one.high for other in ranked),
            1 + sum(other.high > one.low for other in possible if other is not one),
        )

    scores = []
    for one in standings:
        place, best, worst = rank(one)
        scores.append(
            Score(
                block=block.id,
                agency=one.agency,
                rank=place,
                rank_best=best,
                rank_worst=worst,
                points=one.low,
                points_low=one.low,
                points_high=one.high,
                measured_share=_rounded(one.share, 4),
                band=None if one.unranked else _band(model, one.low),
                change=None,
                why=one.unranked,
                machine_share=_rounded(one.machine, 4),
                lines=one.lines,
            )
        )
    return sorted(scores, key=lambda one: (one.rank is None, one.rank or 0, one.agency))


def changed(scores: Iterable[Score], former: Iterable[Score]) -> list[Score]:
    """Return scores with the change of each agency's rank against former ones: 2 is two places up, -1 one down.

    None unless both ranks are settled: what is missing or partial could still move one that has an interval.
    """
    before = {(one.block, one.agency): place for one in former if (place := _settled(one)) is not None}
    found = []
    for one in scores:
        then, now = before.get((one.block, one.agency)), _settled(one)
        found.append(replace(one, change=None if then is None or now is None else then - now))
    return found


def _settled(one: Score) -> int | None:
    """A rank that nothing can change any more."""
    return one.rank if one.rank_best == one.rank_worst else None


def _band(model: Model, points: Decimal) -> str:
    """Return the grade of printed points, so that grade and points can be checked against each other."""
    reached = [band for band in model.bands if points >= band.at_least * TOTAL]
    return max(reached, key=lambda band: band.at_least).name


def _rounded(value: Fraction, places: int) -> Decimal:
    """Return a value that is not negative, rounded half up."""
    return Decimal(floor(value * 10**places + _ONE_HALF)).scaleb(-places)
