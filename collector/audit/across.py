"""What lines tell together: sums, figures of several years, and the moves of a block."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from collector.audit.cell import named
from collector.audit.claim import NEW, Claim
from collector.audit.finding import Finding, english, vietnamese
from collector.audit.line import ENOUGH, against
from collector.audit.number import Number


def summed(claims: Sequence[Claim]) -> tuple[list[Finding], set[int]]:
    """Return what totals and their addends tell, and the lines that were checked by it."""
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.group:
            groups[claim.document, named(claim.group)].append(claim)
    found: list[Finding] = []
    checked: set[int] = set()
    for claim in claims:
        if not claim.addends and not claim.sum_of:
            continue
        members = [] if claim.addends else groups[claim.document, named(claim.sum_of)]
        lines = tuple(one.line for one in members if one is not claim)
        total = claim.stated
        percent = total is not None and total.percent
        addends = [_amount(one, percent=percent) for one in members if one is not claim] or list(claim.addends)
        units = {named(one.unit) for one in (claim, *members) if one.unit}
        numbers = [one for one in addends if one is not None]
        if total is None or len(numbers) < len(addends) or (len(units) > 1 and not percent):
            found.append(_open_sum(claim, lines, units))
            continue
        finding = _sum(claim, total, numbers, lines)
        if finding is not None:
            found.append(finding)
        checked |= {claim.line, *lines}
    return found, checked


def _amount(claim: Claim, *, percent: bool) -> Number | None:
    """What a line adds to a total of counts, or of percentages."""
    if percent:
        return claim.percentage
    return claim.value if claim.value is not None and not claim.value.percent else claim.part


def _sum(claim: Claim, total: Number, addends: Sequence[Number], lines: tuple[int, ...]) -> Finding | None:
    exact = sum((one.value for one in addends), Decimal(0))
    low = None if any(one.low is None for one in addends) else sum((one.low or 0 for one in addends), Decimal(0))
    high = None if any(one.high is None for one in addends) else sum((one.high or 0 for one in addends), Decimal(0))
    too_little = high is not None and total.low is not None and high < total.low
    too_much = low is not None and total.high is not None and low > total.high
    if not too_little and not too_much:
        return None
    sign = "%" if total.percent else ""
    off = abs(exact - total.value)
    vi = " + ".join(vietnamese(one.value) for one in addends)
    en = " + ".join(english(one.value) for one in addends)
    return Finding(
        claim.line,
        "sum",
        total.written,
        f"{exact:f}{sign}",
        f"{vi} = {vietnamese(exact)}{sign}, không phải {vietnamese(total.value)}{sign}: lệch {vietnamese(off)}.",
        f"{en} = {english(exact)}{sign}, not {english(total.value)}{sign}: off by {english(off)}.",
        lines,
    )


def _open_sum(claim: Claim, lines: tuple[int, ...], units: set[str]) -> Finding:
    written = claim.stated.written if claim.stated else ""
    if len(units) > 1:
        vi, en = "các dòng có đơn vị tính khác nhau", "the lines have different units"
    elif claim.stated is None:
        vi, en = "dòng tổng không có giá trị", "the total has no value"
    else:
        vi, en = "có dòng không có giá trị", "a line has no value"
    return Finding(claim.line, "open_sum", written, "", f"Không cộng được: {vi}.", f"Not added up: {en}.", lines)


# -- one figure in several documents and years ---------------------------------------------------------------------


def series(claims: Sequence[Claim]) -> Iterator[Finding]:
    """Yield what lines of one series tell: two values of one period, repeats, falls, and an earlier total."""
    told: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.series and claim.period is not None and claim.nature == "result" and claim.stated is not None:
            told[claim.series, named(claim.agency), named(claim.block)].append(claim)
    for own in told.values():
        own.sort(key=lambda one: (one.period.last, one.period.first, one.line) if one.period else (0, 0, 0))
        for at, claim in enumerate(own[1:], 1):
            yield from _pair(claim, own[:at])
    yield from _earlier_totals(claims)
    yield from _shares_of_parts(claims)


def _pair(claim: Claim, before: Sequence[Claim]) -> Iterator[Finding]:
    """What the lines before it say of a line: those of its own period, and the last one of another."""
    now, period = claim.stated, claim.period
    assert now is not None
    assert period is not None
    for one in before:
        assert one.period is not None
        assert one.stated is not None
        if (one.period.first, one.period.last) == (period.first, period.last):
            yield from _two_values(claim, one)
    earlier = [one for one in before if one.period and one.period.last < period.last]
    if earlier and (last := earlier[-1]).stated and last.period:
        yield from against(claim, now, last.stated, last.period.written, last.period.written, last.line)


def _two_values(claim: Claim, other: Claim) -> Iterator[Finding]:
    here, there = claim.stated, other.stated
    if here is None or there is None or here.percent != there.percent:
        return
    apart = (here.high is not None and there.low is not None and here.high < there.low) or (
        there.high is not None and here.low is not None and there.high < here.low
    )
    if not apart:
        return
    if named(claim.what) == named(other.what):
        yield Finding(
            claim.line,
            "two_values",
            here.written,
            there.written,
            f"Cùng một số liệu, cùng kỳ: dòng {other.line} ghi {there.written}, ở đây {here.written}.",
            f"The same figure of the same period: line {other.line} says {there.written}, this one {here.written}.",
            (other.line,),
        )
    else:
        yield Finding(
            claim.line,
            "two_bases",
            here.written,
            there.written,
            f"Cùng chuỗi, cùng kỳ: “{other.what}” {there.written} (dòng {other.line}), “{claim.what}” {here.written}.",
            f"The same series and period: {there.written} of “{other.what}” (line {other.line}), "
            f"{here.written} of “{claim.what}”.",
            (other.line,),
        )


def _earlier_totals(claims: Sequence[Claim]) -> Iterator[Finding]:
    """A figure that equals what its own and the other figures of its group made up before may be their old total."""
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.group and claim.series and claim.period and claim.value and not claim.value.percent:
            groups[named(claim.group), claim.document].append(claim)
    for (name, document), members in groups.items():
        if len(members) < 2 or any(one.value is None or one.value.bound for one in members):
            continue
        total = sum((one.value.value for one in members if one.value), Decimal(0))
        own = {(one.series, named(one.agency), named(one.block)) for one in members}
        last = max(one.period.last for one in members if one.period)
        for claim in claims:
            later = claim.period is not None and claim.period.last > last and claim.document != document
            if not later or claim.value is None or named(claim.group) != name or total < ENOUGH:
                continue
            here = (claim.series, named(claim.agency), named(claim.block))
            if here in own and not claim.value.bound and claim.value.value == total:
                parts = [one.value.value for one in members if one.value]
                lines = tuple(one.line for one in members)
                year = members[0].period.written if members[0].period else ""
                yield Finding(
                    claim.line,
                    "earlier_total",
                    claim.value.written,
                    f"{total:f}",
                    f"{claim.value.written} bằng đúng {' + '.join(map(vietnamese, parts))} của {year}: "
                    "có thể là tổng cũ mang tên mới.",
                    f"{english(total)} is exactly {' + '.join(map(english, parts))} of {year}: "
                    "it may be an old total under a new name.",
                    lines,
                )


def _shares_of_parts(claims: Sequence[Claim]) -> Iterator[Finding]:
    for claim in claims:
        if not claim.base or claim.percentage is None:
            continue
        own = [one for one in claims if one is not claim and one.series == named(claim.base) and one.percentage]
        near = [one for one in own if _about_the_same(one, claim)]
        if not near or (base := near[0].percentage) is None or base.value >= 100:
            continue
        share = claim.percentage.value * base.value / 100
        step = Decimal(1).scaleb(-max(1, claim.percentage.places))
        computed = share.quantize(step)
        yield Finding(
            claim.line,
            "share_of_part",
            claim.percentage.written,
            f"{computed}%",
            f"{claim.percentage.written} chỉ tính trên {base.written} (dòng {near[0].line}): "
            f"trên toàn thể là {vietnamese(computed)}%.",
            f"{claim.percentage.written} is of {base.written} alone (line {near[0].line}): "
            f"of all it is {english(computed)}%.",
            (near[0].line,),
        )


def _about_the_same(one: Claim, other: Claim) -> bool:
    """Whether two lines speak of one agency or block in one period."""
    same = (named(one.agency), named(one.block)) == (named(other.agency), named(other.block))
    return same and one.period is not None and other.period is not None and one.period.meets(other.period)


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
