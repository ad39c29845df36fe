"""What the scoring model makes of readings: points, intervals, ranks and bands, and what would change them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import Literal

from collector.contract.declared import Declared
from collector.contract.errors import WrongUse
from collector.contract.reading import Basis, Line, Reading, Score, State
from indicators.scoring.model import TOTAL, Block, Criterion, Model

_ONE_HALF = Fraction(1, 2)
_HALF_A_HUNDREDTH = Fraction(1, 200)


def counts(reading: Reading) -> tuple[int, int] | None:
    """Return the hits and the judged that give a reading its points.

    Its own, or where they may not be told those of the smallest group that may; None if there is no such group: then
    its points cannot be told either.
    """
    if reading.hits is None or reading.judged is None:
        return reading.merged
    return reading.hits, reading.judged


@dataclass(frozen=True, slots=True)
class _Figure:
    """What is known of one criterion of an agency. `share` of the maximum is None while it is not known.

    `told` are the counts that may be told.
    """

    criterion: Criterion
    parent: str
    source: Basis
    state: State | Literal["declared"]
    share: Fraction | None
    told: tuple[int, int] | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What an agency has earned, before anybody is compared. `low` and the shares are exact."""

    agency: str
    figures: Sequence[_Figure]
    worth: Mapping[str, Fraction]
    exact: Fraction
    low: Decimal
    high: Decimal
    measured: Fraction
    machine: Fraction
    unranked: str  # why it has no rank; "" if it has one
    excluded: bool  # it will never have a rank, whatever is measured yet


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of the agencies. `measured_from` tells by indicator what its figures rest on."""

    readings: Mapping[tuple[str, str], Reading]  # by agency and indicator
    declared: Mapping[tuple[str, str], Declared]  # by agency and criterion
    measured_from: Mapping[str, Basis]


def score(
    model: Model,
    readings: Iterable[Reading],
    blocks: Mapping[str, str],
    measured_from: Mapping[str, Basis] = MappingProxyType({}),
    declared: Iterable[Declared] = (),
) -> list[Score]:
    """Return the score of every agency in `blocks` (agency code: block id), for the period of the readings.

    `measured_from` tells by indicator what its figure rests on (a clerk, where it is not told); `declared` is what
    is in force in that period. An agency or criterion without a reading or a declared value is missing, not zero.
    Readings of wider scopes, of other indicators and of agencies outside `blocks` are not looked at. Ordered by
    block as in the model, rank and agency code, the unranked last. WrongUse if an agency's block is not in the model;
    ValueError if a figure is there twice.
    """
    found: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        if reading.scope != "agency":
            continue
        if (reading.agency, reading.indicator) in found:
            raise ValueError(f"two readings of {reading.indicator} for {reading.agency}: score one period at a time")
        found[reading.agency, reading.indicator] = reading
    claims: dict[tuple[str, str], Declared] = {}
    for claim in declared:
        if (claim.agency, claim.criterion) in claims:
            raise ValueError(f"{claim.agency} declares criterion {claim.criterion} twice: score one period at a time")
        claims[claim.agency, claim.criterion] = claim

    known = {block.id for block in model.blocks}
    for agency, block_id in sorted(blocks.items()):
        if block_id not in known:
            raise WrongUse(
                f"agency {agency} is in block {block_id}, which the scoring model does not have",
                stage="configuration",
                field="blocks",
                mend=f"Add block {block_id} to scoring.yaml or correct the register",
            )
    facts = _Known(found, claims, measured_from)
    return [
        one
        for block in model.blocks
        for one in _ranked(
            model,
            block,
            _standings(model, block, [code for code in sorted(blocks) if blocks[code] == block.id], facts),
        )
    ]


# -- what each has earned ----------------------------------------------------------------------------------------


def _standings(model: Model, block: Block, agencies: Sequence[str], known: _Known) -> list[_Standing]:
    criteria = [(part, parent) for part, parent in block.walk() if isinstance(part, Criterion)]
    worths: dict[frozenset[str], Mapping[str, Fraction]] = {}
    standings = []
    for agency in agencies:
        figures = [_figure(criterion, parent, agency, known) for criterion, parent in criteria]
        without = frozenset(one.criterion.id for one in figures if one.state == "not_applicable")
        if without not in worths:
            worths[without] = block.worth(without)
        standings.append(_standing(model, agency, figures, worths[without]))
    return standings


def _figure(criterion: Criterion, parent: str, agency: str, known: _Known) -> _Figure:
    if not criterion.indicator:
        claim = known.declared.get((agency, criterion.id))
        if claim is None or claim.counts is None:
            return _Figure(criterion, parent, "declared", "missing", None)
        share = criterion.share(*claim.counts)
        return _Figure(criterion, parent, "declared", "declared", share, claim.counts, claim.shown_by)
    source = known.measured_from.get(criterion.indicator, "clerk")
    reading = known.readings.get((agency, criterion.indicator))
    if reading is None:
        return _Figure(criterion, parent, source, "missing", None)
    if reading.state != "measured" or (three := counts(reading)) is None:
        return _Figure(criterion, parent, source, reading.state, None)
    try:
        share = criterion.share(*three)
    except ValueError as error:
        raise ValueError(f"{reading.indicator} of {agency} in {reading.period} is called measured: {error}") from None
    return _Figure(criterion, parent, source, "measured", share, None if reading.suppressed else three)


def _standing(model: Model, agency: str, figures: Sequence[_Figure], worth: Mapping[str, Fraction]) -> _Standing:
    low = high = measured = machine = Fraction(0)
    for one in figures:
        own = worth[one.criterion.id]
        if one.share is None:
            high += own
            continue
        low += own * one.share
        if one.state == "measured":
            measured += own
            if one.source == "machine":
                machine += own
    high += low
    total = Fraction(TOTAL)

    unranked = ""
    if agency in model.not_ranked:
        unranked = model.not_ranked[agency]
    elif not any(worth.values()):
        unranked = "nothing to judge in any criterion"
    elif measured / total < Fraction(model.minimum_measured):
        least = floor(measured / total * 1000)
        unranked = f"only {least // 10}.{least % 10} % of its points are measured"
    return _Standing(
        agency=agency,
        figures=figures,
        worth=worth,
        exact=low,
        low=_rounded(low, 2),
        high=_rounded(high, 2),
        measured=measured / total,
        machine=machine / total,
        unranked=unranked,
        excluded=agency in model.not_ranked,
    )


# -- how they stand to each other --------------------------------------------------------------------------------


def _ranked(model: Model, block: Block, standings: Sequence[_Standing]) -> list[Score]:
    ranked = [one for one in standings if not one.unranked]
    # What is unranked only for want of records may yet be ranked, and then stand above: it can push others down,
    # but their best rank does not wait for it.
    possible = [one for one in standings if not one.excluded]
    groups = _groups(ranked)

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
        above = None if one.unranked else min((other.low for other in ranked if other.low > one.low), default=None)
        lines = tuple(_line(figure, one, above) for figure in one.figures)
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
                measured_share=_rounded(one.measured, 4),
                band=None if one.unranked else _band(model, one.low),
                change=None,
                why=one.unranked,
                machine_share=_rounded(one.machine, 4),
                lines=lines,
                band_best=None if one.unranked else _band(model, one.high),
                tied=0 if one.unranked else sum(other.low == one.low for other in ranked) - 1,
                group=groups.get(one.agency),
                to_next=None if above is None else above - one.low,
                together=() if any(line.to_gain is not None for line in lines) else _together(one, above),
            )
        )
    return sorted(scores, key=lambda one: (one.rank is None, one.rank or 0, one.agency))


def _groups(ranked: Sequence[_Standing]) -> Mapping[str, int]:
    """Return by agency the number, from the top, of the group of those that cannot be told apart.

    Two are of one group where the intervals of their points touch, or are linked by others' that do.
    """
    groups: dict[str, int] = {}
    number, lowest = 0, None
    for one in sorted(ranked, key=lambda one: (-one.high, one.agency)):
        if lowest is None or one.high < lowest:
            number += 1
            lowest = one.low
        lowest = min(lowest, one.low)
        groups[one.agency] = number
    return groups


def _line(figure: _Figure, standing: _Standing, above: Decimal | None) -> Line:
    """A line of a score. `above` are the printed points of whoever stands next above; None if nobody does."""
    criterion, worth = figure.criterion, standing.worth[figure.criterion.id]
    low, high = (Fraction(0), worth) if figure.share is None else (worth * figure.share,) * 2
    to_gain = None
    if above is not None and figure.told is not None and figure.share is not None:
        to_gain = criterion.to_reach(figure.share + _lacking(standing, above) / worth, *figure.told)
    hits, judged = figure.told or (None, None)
    return Line(
        criterion=criterion.id,
        title_vi=criterion.title_vi,
        title_en=criterion.title_en,
        indicator=criterion.indicator,
        source=figure.source,
        parent=figure.parent,
        maximum=criterion.maximum,
        worth=_rounded(worth, 2),
        state=figure.state,
        points_low=_rounded(low, 2),
        points_high=_rounded(high, 2),
        evidence=figure.evidence,
        hits=hits,
        judged=judged,
        to_gain=to_gain,
    )


def _lacking(standing: _Standing, above: Decimal) -> Fraction:
    """The points that are enough to share a place: printed points are rounded half up."""
    return Fraction(above) - _HALF_A_HUNDREDTH - standing.exact


def _together(standing: _Standing, above: Decimal | None) -> tuple[str, ...]:
    """The fewest criteria whose best counts would reach the points `above`; none if even all of them would not."""
    if above is None:
        return ()
    gains = [
        (standing.worth[one.criterion.id] * (one.criterion.best - one.share), one.criterion.id)
        for one in standing.figures
        if one.share is not None and one.told is not None
    ]
    lacking = _lacking(standing, above)
    taken: list[str] = []
    for gain, criterion in sorted(gains, key=lambda one: -one[0]):
        if lacking <= 0 or gain <= 0:
            break
        lacking -= gain
        taken.append(criterion)
    return tuple(taken) if lacking <= 0 else ()


def declared_in(scores: Iterable[Score]) -> list[Declared]:
    """Return what was declared when scores were made, as their lines tell it: what is declared since is not in them."""
    return [
        Declared(one.agency, line.criterion, line.hits, line.judged, line.evidence, "", 0)
        for one in scores
        for line in one.lines
        if line.state == "declared"
    ]


def changed(scores: Iterable[Score], former: Iterable[Score]) -> list[Score]:
    """Return scores with the change of each agency's rank against former ones: 2 is two places up, -1 one down.

    What is missing or partial could still move a rank that has an interval, and so has the change: it is told as a
    number only where both ranks are settled.
    """
    before = {(one.block, one.agency): one for one in former}
    return [_changed(one, before.get((one.block, one.agency))) for one in scores]


def _changed(now: Score, then: Score | None) -> Score:
    if then is None or then.rank_best is None or then.rank_worst is None:
        return replace(now, change=None, change_best=None, change_worst=None)
    if now.rank_best is None or now.rank_worst is None:
        return replace(now, change=None, change_best=None, change_worst=None)
    best, worst = then.rank_worst - now.rank_best, then.rank_best - now.rank_worst
    return replace(now, change=best if best == worst else None, change_best=best, change_worst=worst)


def _band(model: Model, points: Decimal) -> str:
    """Return the grade of printed points, so that grade and points can be checked against each other."""
    reached = [band for band in model.bands if points >= band.at_least * TOTAL]
    return max(reached, key=lambda band: band.at_least).name


def _rounded(value: Fraction, places: int) -> Decimal:
    """Return a value that is not negative, rounded half up."""
    return Decimal(floor(value * 10**places + _ONE_HALF)).scaleb(-places)
