"""The scoring model: blocks of agencies, a tree of criteria with their points, rules, bands.

All arithmetic is exact (fractions) until the one rounding at the end, half up, to what is printed: see `points.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from collector.contract.errors import WrongUse

Rule = Literal["ratio", "inverse", "steps"]
"""`ratio`: more hits, more points. `inverse`: 1 - ratio, for what should not happen. `steps`: by `Step`."""

TOTAL = Decimal(1000)
"""Maximum points of a block."""


@dataclass(frozen=True, slots=True)
class Step:
    """From a ratio of `at_least` on, a criterion gives `share` of its maximum (both 0 to 1)."""

    at_least: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a figure is worth in a block: `maximum` points for the best share.

    `indicator` is "" for an item that agencies declare. `steps` belong to the rule of that name: bounds ascend, and
    the shares rise with them (below the first bound nothing is given), or fall from a bound of 0 on, for a figure of
    which less is better. WrongUse otherwise.
    """

    id: str
    indicator: str
    maximum: Decimal
    rule: Rule = "ratio"
    title_vi: str = ""
    title_en: str = ""
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if self.maximum <= 0:
            raise self._wrong("has no points", "maximum", "Give it points, or leave it out")
        if (self.rule == "steps") != bool(self.steps):
            raise self._wrong(
                "has steps, but another rule" if self.steps else "has the rule steps, but no steps",
                "steps",
                "Write `rule: steps` with `steps: [[0.5, 0.4], [0.8, 1]]`, or neither",
            )
        bounds, shares = [one.at_least for one in self.steps], [one.share for one in self.steps]
        if any(not 0 <= one <= 1 for one in (*bounds, *shares)):
            raise self._wrong("has a step that is no share from 0 to 1", "steps", "Write 0.8 for 80 %")
        if bounds != sorted(set(bounds)):
            raise self._wrong(
                "has steps whose bounds do not ascend", "steps", "Write the lowest bound first, each once"
            )
        if shares != sorted(shares) and (shares != sorted(shares, reverse=True) or bounds[0] != 0):
            raise self._wrong(
                "has steps that neither rise nor fall from a bound of 0 on",
                "steps",
                "Let the shares rise with the bounds; where less is better let them fall, the first bound being 0",
            )

    def _wrong(self, reason: str, key: str, mend: str) -> WrongUse:
        return WrongUse(f"criterion {self.id} {reason}", stage="configuration", field=key, mend=mend)

    @property
    def falls(self) -> bool:
        """Whether fewer hits give more points."""
        if self.rule == "steps":
            return self.steps[0].share > self.steps[-1].share
        return self.rule == "inverse"

    @property
    def best(self) -> Fraction:
        """The share of the maximum that the best counts earn: 1, unless the steps end before."""
        return Fraction(max(one.share for one in self.steps)) if self.steps else Fraction(1)

    def share(self, hits: int, judged: int) -> Fraction:
        """Return the share of the maximum, 0 to 1, that counts earn. ValueError for counts that no figure can have."""
        if not 0 <= hits <= judged or judged == 0:
            raise ValueError(f"criterion {self.id} cannot be judged by {hits} hits of {judged}")
        ratio = Fraction(hits, judged)
        if self.rule == "steps":
            reached = [one.share for one in self.steps if one.at_least <= ratio]
            return Fraction(reached[-1]) if reached else Fraction(0)
        return ratio if self.rule == "ratio" else 1 - ratio

    def to_reach(self, share: Fraction, hits: int, judged: int) -> int | None:
        """Return how many more hits (negative: fewer) of the same judged ones earn at least a share of the maximum.

        None if even the best counts do not. 0 if these do already.
        """
        if self.share(hits, judged) >= share:
            return 0
        if self.rule == "ratio":
            wanted = ceil(share * judged)
        elif self.rule == "inverse":
            wanted = floor((1 - share) * judged)
        else:
            enough = [place for place, one in enumerate(self.steps) if one.share >= share]
            if not enough:
                return None
            if self.falls:  # the most that stay below the bound after the last step that is enough
                wanted = ceil(self.steps[enough[-1] + 1].at_least * judged) - 1
            else:
                wanted = ceil(self.steps[enough[0]].at_least * judged)
        return wanted - hits if 0 <= wanted <= judged else None


@dataclass(frozen=True, slots=True)
class Group:
    """Criteria that belong together, and groups of them. Its maximum is their sum."""

    id: str
    title_vi: str
    parts: tuple["Group | Criterion", ...]
    title_en: str = ""

    @property
    def maximum(self) -> Decimal:
        """The points of all in it."""
        return sum((part.maximum for part in self.parts), Decimal(0))


Part = Group | Criterion


@dataclass(frozen=True, slots=True)
class Block:
    """Agencies that are compared with each other, and by what. WrongUse unless the maxima total 1,000."""

    id: str
    title_vi: str
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        total = sum((part.maximum for part in self.parts), Decimal(0))
        ids = [part.id for part, _ in self.walk()]
        if total != TOTAL:
            raise self._wrong(f"the maximum points of block {self.id} total {total:f}, not {TOTAL}")
        if repeated := sorted({one for one in ids if ids.count(one) > 1}):
            raise self._wrong(f"block {self.id} has criterion {repeated[0]} twice")
        if empty := [part.id for part, _ in self.walk() if isinstance(part, Group) and not part.parts]:
            raise self._wrong(f"group {empty[0]} of block {self.id} has no criteria")

    def _wrong(self, reason: str) -> WrongUse:
        return WrongUse(
            reason,
            stage="configuration",
            field=f"blocks.{self.id}.criteria",
            mend="Correct the criteria of this block in scoring.yaml",
        )

    def walk(self) -> Iterator[tuple[Part, str]]:
        """Yield each group before what is in it, and each criterion, with the id of its parent ("": the block)."""
        yield from _walk(self.parts, "")

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """All criteria, at whatever depth, in order."""
        return tuple(part for part, _ in self.walk() if isinstance(part, Criterion))

    def tops(self) -> Iterator[tuple[Part, frozenset[str]]]:
        """Yield what stands in the block itself, each with the ids of its criteria."""
        for part in self.parts:
            yield part, frozenset(one.id for one, _ in _walk((part,), "") if isinstance(one, Criterion))

    def points_on(self, applies: Callable[[Criterion], bool]) -> Decimal:
        """Return the maximum points of some criteria."""
        return sum((one.maximum for one in self.criteria if applies(one)), Decimal(0))

    def worth(self, without: frozenset[str] = frozenset()) -> Mapping[str, Fraction]:
        """Return what each criterion is worth when those in `without` do not apply: 0 for these.

        Their points are spread over what is left in their group, in proportion to the maxima; where nothing is left,
        over what is left beside that group, and so on upwards. The worths total 1,000, unless nothing is left at all.
        """
        found = {one.id: Fraction(0) for one in self.criteria}
        _spread(self.parts, Fraction(TOTAL), without, found)
        return found


def _walk(parts: Sequence[Part], parent: str) -> Iterator[tuple[Part, str]]:
    for part in parts:
        yield part, parent
        if isinstance(part, Group):
            yield from _walk(part.parts, part.id)


def _spread(parts: Sequence[Part], worth: Fraction, without: frozenset[str], found: dict[str, Fraction]) -> None:
    left = [part for part in parts if _applies(part, without)]
    maximum = sum((Fraction(part.maximum) for part in left), Fraction(0))
    for part in left:
        own = worth * Fraction(part.maximum) / maximum
        if isinstance(part, Group):
            _spread(part.parts, own, without, found)
        else:
            found[part.id] = own


def _applies(part: Part, without: frozenset[str]) -> bool:
    if isinstance(part, Group):
        return any(_applies(one, without) for one in part.parts)
    return part.id not in without


@dataclass(frozen=True, slots=True)
class Band:
    """A grade, given from `at_least` of the 1,000 points on (a share, 0 to 1)."""

    name: str
    at_least: Decimal


@dataclass(frozen=True, slots=True)
class Model:
    """A whole scoring model. WrongUse unless its bands cover every share and name each bound once.

    An agency whose measured criteria carry less than `minimum_measured` (a share, 0 to 1) of its points is listed
    unranked, and so is one in `not_ranked` (agency code: reason). WrongUse for a block in which nobody could ever
    reach that share.
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
        for block in self.blocks:
            measurable = block.points_on(lambda one: bool(one.indicator))
            if measurable < self.minimum_measured * TOTAL:
                raise WrongUse(
                    f"only {measurable:f} points of block {block.id} are on indicators, less than minimum_measured"
                    f" ({self.minimum_measured:f}): none of its agencies could ever be ranked",
                    stage="configuration",
                    field="minimum_measured",
                    mend="Lower minimum_measured, or give indicators more of the block's points",
                )

    @property
    def indicators(self) -> frozenset[str]:
        """The ids of all indicators that any block needs."""
        return frozenset(one.indicator for block in self.blocks for one in block.criteria if one.indicator)
