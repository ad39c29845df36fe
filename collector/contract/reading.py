"""What passes between figures and ranking: a reading with its counts and state, and the score made of readings."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

State = Literal["measured", "not_applicable", "partial", "missing"]
Scope = Literal["agency", "block", "province"]
Basis = Literal["machine", "clerk", "register", "declared"]
"""What points rest on: what a system recorded by itself, what a clerk marked, a count of the register, or a claim."""

STATES: tuple[State, ...] = ("measured", "not_applicable", "partial", "missing")

_SIX_PLACES = Decimal("0.000001")
_TWO_PLACES = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure. `through` is the last covered local day that it sums up to; None while nothing is covered.

    hits, judged and unknown count the items of the covered days, whatever the state; only a `measured` reading has
    a `value`. A `suppressed` one tells none of them: too few persons stand behind it, or behind another one that
    could be worked out from it. Its points come from `merged`: hits and judged of the smallest group around it that
    may be told (None: no such group may). `agency` is the code of the agency or block, or the province's. `members`
    and `measured_members` tell, for wider scopes, how many agencies count and how many of them are measured. `why`
    says in words what keeps the figure from being measured, or told.
    """

    indicator: str
    version: int
    scope: Scope
    agency: str
    period: str
    state: State
    through: int | None
    hits: int | None
    judged: int | None
    unknown: int | None
    edition: int | None = None
    why: str = ""
    members: int = 1
    measured_members: int = 0
    suppressed: bool = False
    merged: tuple[int, int] | None = None

    @property
    def value(self) -> Decimal | None:
        """hits / judged to 6 places, half up; None unless measured and told."""
        if self.state != "measured" or self.hits is None or not self.judged:
            return None
        return (Decimal(self.hits) / Decimal(self.judged)).quantize(_SIX_PLACES, ROUND_HALF_UP)

    @property
    def percentage(self) -> Decimal | None:
        """The figure for people, to 2 places of a per cent: rounded once, half up, from its counts."""
        if self.state != "measured" or self.hits is None or not self.judged:
            return None
        return (Decimal(100 * self.hits) / self.judged).quantize(_TWO_PLACES, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Line:
    """What one criterion gave an agency: a line of its score.

    `indicator` is "" for a declared item, whose state is `declared` (or `missing`) and whose `evidence` says in words
    what the claim rests on. `parent` is the id of the group that the criterion stands in ("": in the block itself).
    `hits` of `judged` are the counts, None where they are not known or may not be told. `to_gain` says how many more
    hits here (negative: fewer), all else being equal, would give its agency a better rank: None where none would.
    `maximum` is that of the model, `worth` what it became when the points of all that does not apply were spread
    (0 for what does not apply itself). What is not known gives `points_low` to `points_high`. worth and points are
    each rounded half up to 2 places on their own, so that each can be checked alone; the sum of many may differ from
    the score's points, which are rounded once, by their last digits.
    """

    criterion: str
    title_vi: str
    title_en: str
    indicator: str
    source: Basis
    parent: str
    maximum: Decimal
    worth: Decimal
    state: State | Literal["declared"]
    points_low: Decimal
    points_high: Decimal
    evidence: str = ""
    hits: int | None = None
    judged: int | None = None
    to_gain: int | None = None

    @property
    def lost(self) -> Decimal:
        """The points that it did not give (yet)."""
        return self.worth - self.points_low


def resting(lines: Iterable[Line]) -> tuple[Decimal, Decimal, Decimal]:
    """Return the maximum points of all lines, of those that are measured, and of those that machines alone record."""
    total = measured = machine = Decimal(0)
    for one in lines:
        total += one.maximum
        measured += one.maximum if one.source != "declared" else 0
        machine += one.maximum if one.source == "machine" else 0
    return total, measured, machine


@dataclass(frozen=True, slots=True)
class Score:
    """One agency's place in its block.

    `points` are those of the criteria that are measured or declared, to 2 places; what is missing or partial could
    still add anything up to `points_high`, and nothing at the least (`points_low`). `band` is the grade of `points`,
    `band_best` that of `points_high`. `tied` tells how many others have the same points, and so the same rank;
    `group` numbers from the top the agencies that cannot be told apart, because their intervals of points touch;
    `to_next` are the points to the next better rank (None: there is none), and `together` the fewest criteria that at
    their best would gain it, where no single one would. `rank` is None for an agency that is
    listed unranked; `why` says for what reason. `measured_share` (4 places) is the share of its points, once those
    of criteria that do not apply are spread, that rests on measured readings; `machine_share` that on readings which
    machines alone recorded. `change` is how many places it went up (down if negative) against the last edition of the
    period before, or its open figures if it has none, among the agencies of today; it is None unless both ranks are
    settled, and lies between `change_worst` and `change_best`, which are None where there is nothing to compare with.
    `lines` tell its points by criterion, in the model's order.
    """

    block: str
    agency: str
    rank: int | None
    rank_best: int | None
    rank_worst: int | None
    points: Decimal
    points_low: Decimal
    points_high: Decimal
    measured_share: Decimal
    band: str | None
    change: int | None
    why: str = ""
    machine_share: Decimal = Decimal(0)
    lines: tuple[Line, ...] = ()
    band_best: str | None = None
    tied: int = 0
    group: int | None = None
    to_next: Decimal | None = None
    together: tuple[str, ...] = ()
    change_best: int | None = None
    change_worst: int | None = None
