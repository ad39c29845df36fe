"""A second computation of points, intervals and ranks, from scoring.yaml and counts alone: nothing of the program's.

It does literally what docs/scoring.md says. Points that do not apply are handed on one group after the other, from the
innermost out; what an agency would gain is found by trying it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

Document = Mapping[str, Any]
"""scoring.yaml as it is written, every scalar a text."""


@dataclass(frozen=True)
class Known:
    """What is known of one criterion of one agency: a state, and counts where there are any.

    `told` is false for counts that give points but may not be told. `basis`: machine, clerk, register or declared.
    """

    state: str
    hits: int | None = None
    judged: int | None = None
    basis: str = "clerk"
    told: bool = True


Agency = Mapping[str, Known]
"""What is known of an agency, by criterion."""


def leaves(parts: Sequence[Document]) -> list[Document]:
    """The criteria of a block or group, in order."""
    found: list[Document] = []
    for part in parts:
        found += leaves(part["criteria"]) if part.get("criteria") else [part]
    return found


def maximum(part: Document) -> Fraction:
    return sum((Fraction(leaf["maximum"]) for leaf in leaves([part])), Fraction(0))


def worths(parts: Sequence[Document], agency: Agency) -> dict[str, Fraction]:
    """What each criterion is worth: first its maximum, then more, as what does not apply hands its points on."""
    worth = {leaf["id"]: Fraction(leaf["maximum"]) for leaf in leaves(parts)}

    def applies(part: Document) -> bool:
        return any(agency[leaf["id"]].state != "not_applicable" for leaf in leaves([part]))

    def hand_on(parts: Sequence[Document]) -> None:
        for part in parts:
            if part.get("criteria"):
                hand_on(part["criteria"])
        heirs = [part for part in parts if applies(part)]
        freed = Fraction(0)
        for part in parts:
            if part not in heirs:
                for leaf in leaves([part]):
                    freed += worth[leaf["id"]]
                    if heirs:
                        worth[leaf["id"]] = Fraction(0)
        together = sum((maximum(part) for part in heirs), Fraction(0))
        for part in heirs:
            own = [leaf["id"] for leaf in leaves([part])]
            before = sum((worth[id_] for id_ in own), Fraction(0))
            after = before + freed * maximum(part) / together
            for id_ in own:
                worth[id_] *= after / before

    hand_on(parts)
    if not any(applies(part) for part in parts):
        return dict.fromkeys(worth, Fraction(0))
    return worth


def share(leaf: Document, hits: int, judged: int) -> Fraction:
    """The share of its points that a criterion gives."""
    ratio = Fraction(hits, judged)
    match leaf.get("rule", "ratio"):
        case "ratio":
            return ratio
        case "inverse":
            return Fraction(judged - hits, judged)
        case _:
            given = Fraction(0)
            for bound, its_share in leaf["steps"]:
                if ratio >= Fraction(bound):
                    given = Fraction(its_share)
            return given


def printed(points: Fraction, places: int = 2) -> Fraction:
    """Points as they are printed: rounded half up."""
    scaled = points * 10**places
    whole = scaled.numerator // scaled.denominator
    return Fraction(whole + (2 * (scaled - whole) >= 1), 10**places)


@dataclass(frozen=True)
class Sum:
    """What an agency has: exact points at the least and at the most, and the shares that are measured."""

    low: Fraction
    high: Fraction
    measured: Fraction
    machine: Fraction
    nothing: bool


def summed(parts: Sequence[Document], agency: Agency) -> Sum:
    """Add up an agency."""
    worth = worths(parts, agency)
    low = high = measured = machine = Fraction(0)
    for leaf in leaves(parts):
        one, own = agency[leaf["id"]], worth[leaf["id"]]
        if one.judged is not None and one.hits is not None:
            low += own * share(leaf, one.hits, one.judged)
            high += own * share(leaf, one.hits, one.judged)
            measured += own if one.state == "measured" else 0
            machine += own if one.state == "measured" and one.basis == "machine" else 0
        else:
            high += own
    return Sum(low, high, measured / 1000, machine / 1000, not any(worth.values()))


def ranking(
    document: Document, block: str, agencies: Mapping[str, Agency], excluded: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """By agency what `rank --json` tells of a block, as exact numbers."""
    parts = document["blocks"][block]["criteria"]
    sums = {code: summed(parts, agency) for code, agency in agencies.items()}
    least = Fraction(document["minimum_measured"])
    ranked = [c for c, one in sums.items() if c not in excluded and not one.nothing and one.measured >= least]
    low = {code: printed(one.low) for code, one in sums.items()}
    high = {code: printed(one.high) for code, one in sums.items()}
    found: dict[str, dict[str, Any]] = {}
    for code, one in sums.items():
        places: dict[str, Any] = dict.fromkeys(("rank", "rank_best", "rank_worst", "band", "band_best", "to_next"))
        places |= {"tied": 0, "together": 0}
        if code in ranked:
            above = [low[other] for other in ranked if low[other] > low[code]]
            others = [other for other in sums if other != code and other not in excluded]
            places = {
                "rank": 1 + len(above),
                "rank_best": 1 + sum(low[other] > high[code] for other in ranked),
                "rank_worst": 1 + sum(high[other] > low[code] for other in others),
                "band": band(document, low[code]),
                "band_best": band(document, high[code]),
                "tied": sum(low[other] == low[code] for other in ranked) - 1,
                "to_next": min(above) - low[code] if above else None,
            }
            places |= gains(parts, agencies[code], min(above)) if above else {"together": 0}
        found[code] = {
            "points": low[code],
            "points_low": low[code],
            "points_high": high[code],
            "measured_share": printed(one.measured, 4),
            "machine_share": printed(one.machine, 4),
            "to_gain": {},
            **places,
        }
    return found


def band(document: Document, points: Fraction) -> str:
    reached = [one for one in document["bands"] if points >= Fraction(one["at_least"]) * 1000]
    name: str = max(reached, key=lambda one: Fraction(one["at_least"]))["name"]
    return name


def gains(parts: Sequence[Document], agency: Agency, wanted: Fraction) -> dict[str, Any]:
    """Try what would reach the points `wanted`: other hits of one criterion, else the best of as few as will do."""
    worth, low = worths(parts, agency), summed(parts, agency).low
    more: dict[str, Fraction] = {}
    alone: dict[str, int] = {}
    for leaf in leaves(parts):
        one = agency[leaf["id"]]
        if not one.told or one.hits is None or one.judged is None:
            continue
        hits, judged = one.hits, one.judged
        before = share(leaf, hits, judged)

        def gain(count: int, leaf: Document = leaf, judged: int = judged, before: Fraction = before) -> Fraction:
            return worth[leaf["id"]] * (share(leaf, count, judged) - before)

        most = max(range(judged + 1), key=gain)
        more[leaf["id"]] = gain(most)
        if printed(low + gain(most)) >= wanted:
            enough = [count - hits for count in range(judged + 1) if printed(low + gain(count)) >= wanted]
            alone[leaf["id"]] = min(enough, key=abs)
    fewest = 0
    if not alone:
        most_first = sorted(more.values(), reverse=True)
        for size in range(2, len(most_first) + 1):
            # All that are so few, where there are few criteria; else the best of them, which no others can surpass.
            some = combinations(most_first, size) if len(most_first) <= 8 else [tuple(most_first[:size])]
            if any(printed(low + sum(each)) >= wanted for each in some):
                fewest = size
                break
    return {"to_gain": alone, "together": fewest}


def lines(parts: Sequence[Document], agency: Agency) -> dict[str, tuple[Fraction, Fraction, Fraction]]:
    """By criterion what it is worth, gives at the least and gives at the most, as printed."""
    worth = worths(parts, agency)
    found = {}
    for leaf in leaves(parts):
        one, own = agency[leaf["id"]], worth[leaf["id"]]
        known = one.judged is not None and one.hits is not None
        low = own * share(leaf, one.hits or 0, one.judged or 1) if known else Fraction(0)
        found[leaf["id"]] = (printed(own), printed(low), printed(low if known else own))
    return found
