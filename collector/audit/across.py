"""What lines of one document tell together: sums, and the moves of a block."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from collector.audit.cell import named
from collector.audit.claim import NEW, Claim
from collector.audit.finding import Finding, english, vietnamese
from collector.audit.number import Number

WRITTEN = 30
"""So many addends are written out in a sentence."""


@dataclass(frozen=True, slots=True)
class _Addends:
    """What is added up: printed in the total's own line, or `lines` of a group. `whole`: all of them have a number.

    `low` and `high` are the least and the most that they can make, None if nothing bounds them.
    """

    numbers: Sequence[Number]
    exact: Decimal
    low: Decimal | None
    high: Decimal | None
    whole: bool = True
    units: frozenset[str] = frozenset()
    lines: tuple[int, ...] = ()


def _addends(numbers: Sequence[Number]) -> _Addends:
    def total(parts: Sequence[Decimal | None]) -> Decimal | None:
        known = [one for one in parts if one is not None]
        return sum(known, Decimal(0)) if len(known) == len(parts) else None

    exact = sum((one.value for one in numbers), Decimal(0))
    return _Addends(numbers, exact, total([one.low for one in numbers]), total([one.high for one in numbers]))


def summed(claims: Sequence[Claim]) -> tuple[list[Finding], set[int]]:
    """Return what totals and their addends tell, and the lines that were checked by it."""
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.group:
            groups[claim.document, named(claim.group)].append(claim)
    known: dict[tuple[str, str, bool], _Addends] = {}
    found: list[Finding] = []
    checked: set[int] = set()
    for claim in claims:
        total = claim.stated
        if claim.addends:
            addends = _addends(claim.addends)
        elif claim.sum_of:
            percent = total is not None and total.percent
            key = claim.document, named(claim.sum_of), percent
            if key not in known:
                known[key] = _of_group(groups[key[:2]], percent=percent)
            addends = known[key]
        else:
            continue
        units = addends.units | ({named(claim.unit)} if claim.unit else set())
        if total is None or not addends.whole or (len(units) > 1 and not total.percent):
            found.append(_open_sum(claim, addends.lines, several=len(units) > 1))
            continue
        if (finding := _sum(claim, total, addends)) is not None:
            found.append(finding)
        checked |= {claim.line, *addends.lines}
    return found, checked


def _of_group(members: Sequence[Claim], *, percent: bool) -> _Addends:
    """What lines add to a total of counts, or of percentages."""
    amounts = [
        one.percentage if percent else one.part if one.value is None or one.value.percent else one.value
        for one in members
    ]
    numbers = [one for one in amounts if one is not None]
    units = frozenset(named(one.unit) for one in members if one.unit)
    lines = tuple(one.line for one in members)
    return replace(_addends(numbers), whole=len(numbers) == len(members), units=units, lines=lines)


def _sum(claim: Claim, total: Number, addends: _Addends) -> Finding | None:
    low, high, exact = addends.low, addends.high, addends.exact
    too_little = high is not None and total.low is not None and high < total.low
    too_much = low is not None and total.high is not None and low > total.high
    if not too_little and not too_much:
        return None
    sign = "%" if total.percent else ""
    off = abs(exact - total.value)
    some = [one.value for one in addends.numbers[: WRITTEN + 1]]
    vi, en = _some([vietnamese(one) for one in some]), _some([english(one) for one in some])
    return Finding(
        claim.line,
        "sum",
        total.written,
        f"{exact:f}{sign}",
        f"{vi} = {vietnamese(exact)}{sign}, không phải {vietnamese(total.value)}{sign}: lệch {vietnamese(off)}.",
        f"{en} = {english(exact)}{sign}, not {english(total.value)}{sign}: off by {english(off)}.",
        addends.lines,
    )


def _some(numbers: Sequence[str]) -> str:
    return " + ".join(numbers if len(numbers) <= WRITTEN else [*numbers[:WRITTEN], "…"])


def _open_sum(claim: Claim, lines: tuple[int, ...], *, several: bool) -> Finding:
    written = claim.stated.written if claim.stated else ""
    if several:
        vi, en = "các dòng có đơn vị tính khác nhau", "the lines have different units"
    elif claim.stated is None:
        vi, en = "dòng tổng không có giá trị", "the total has no value"
    else:
        vi, en = "có dòng không có giá trị", "a line has no value"
    return Finding(claim.line, "open_sum", written, "", f"Không cộng được: {vi}.", f"Not added up: {en}.", lines)


# -- ranks ---------------------------------------------------------------------------------------------------------


def moves(claims: Sequence[Claim]) -> tuple[list[Finding], set[int]]:
    """Return what the moves of a block tell, and the lines that were checked by it.

    In a closed block each place up is one down for somebody else; who is not listed kept its place. Units that share a
    place take one place less: where the ranks show such ties, they are reckoned with. A block into which a unit came,
    or that one left, is not closed.
    """
    blocks: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if _moved(claim) is not None or claim.left:
            period = named(claim.period.written) if claim.period else ""
            blocks[claim.document, named(claim.block), period].append(claim)
    found: list[Finding] = []
    checked: set[int] = set()
    for own in blocks.values():
        first, lines = own[0].line, tuple(one.line for one in own[1:])
        if any(one.left for one in own):
            who = [one.agency or one.what for one in own if one.left]
            came = all(one.left == NEW for one in own if one.left)
            found.append(
                Finding(
                    first,
                    "open_block",
                    "",
                    "",
                    f"Khối không khép kín ({', '.join(who)} {'mới vào' if came else 'vào hoặc ra'}): tổng số bậc không "
                    "phải bằng 0.",
                    f"The block is not closed ({', '.join(who)} came or left): its moves need not sum to zero.",
                    lines,
                )
            )
            continue
        if len(own) < 2:
            continue
        checked |= {first, *lines}
        if (finding := _unbalanced(own, first, lines)) is not None:
            found.append(finding)
    return found, checked


def _moved(claim: Claim) -> int | None:
    if claim.move is not None:
        return claim.move
    if claim.rank is not None and claim.rank_before is not None:
        return claim.rank_before - claim.rank
    return None


def _unbalanced(own: Sequence[Claim], first: int, lines: tuple[int, ...]) -> Finding | None:
    steps = [moved for one in own if (moved := _moved(one)) is not None]
    up, down = sum(one for one in steps if one > 0), -sum(one for one in steps if one < 0)
    ties = _tied(one.rank for one in own) - _tied(one.rank_before for one in own)
    left = abs(up - down - ties)
    if not left:
        return None
    tied_vi = f", tính cả đồng hạng ({ties:+d})" if ties else ""
    tied_en = f", ties reckoned with ({ties:+d})" if ties else ""
    return Finding(
        first,
        "moves",
        f"{up - down:+d}",
        f"{ties:d}",
        f"Tăng {up} bậc, giảm {down} bậc: trong khối khép kín phải bù nhau{tied_vi}; còn {left} bậc chưa rõ "
        "(sót một đơn vị, hoặc đồng hạng).",
        f"Up {up} places, down {down}: in a closed block they make up for each other{tied_en}; {left} unaccounted for "
        "(a unit left out, or a shared place).",
        lines,
    )


def _tied(ranks: Iterable[int | None]) -> int:
    """By how much the sum of ranks is less for ties: two that share a place count it twice and skip the next."""
    counts = Counter(one for one in ranks if one is not None)
    return sum(count * (count - 1) // 2 for count in counts.values())
