"""One figure in several lines, documents and years: two values of one period, repeats, falls, old totals."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from collector.audit.cell import named
from collector.audit.claim import Claim
from collector.audit.finding import Finding, english, vietnamese
from collector.audit.line import ENOUGH, against
from collector.audit.when import When

_Key = tuple[str, str, str]  # series, agency, block


def of_series(claims: Sequence[Claim]) -> Iterator[Finding]:
    """Yield what lines tell that speak of one figure: of one series, agency and block."""
    told: dict[_Key, list[tuple[When, Claim]]] = defaultdict(list)
    for claim in claims:
        if claim.series and claim.period is not None and claim.nature == "result" and claim.stated is not None:
            told[_key(claim, claim.series)].append((claim.period, claim))
    for own in told.values():
        own.sort(key=lambda one: (one[0].last, one[0].first, one[1].line))
        yield from _over_the_years(own)
    yield from _earlier_totals(claims)
    yield from _shares_of_parts(claims, told)


def _key(claim: Claim, series: str) -> _Key:
    return series, named(claim.agency), named(claim.block)


def _over_the_years(own: Sequence[tuple[When, Claim]]) -> Iterator[Finding]:
    """Hold each line against the first and the last one of its own period, and the last one that ended earlier."""
    first = earlier = own[0]
    for before, now in pairwise(own):
        if before[0].last < now[0].last:
            earlier = before
        if not _one_period(first[0], now[0]):
            first = now
        others = (first, before) if _one_period(before[0], now[0]) else ()
        for _, other in {one[1].line: one for one in others}.values():
            yield from _two_values(now[1], other)
        (period, last), claim = earlier, now[1]
        if period.last < now[0].last and claim.stated is not None and last.stated is not None:
            yield from against(claim, claim.stated, last.stated, period.written, period.written, last.line)


def _one_period(one: When, other: When) -> bool:
    return (one.first, one.last) == (other.first, other.last)


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
    groups: dict[tuple[str, str], list[tuple[When, Decimal, Claim]]] = defaultdict(list)
    same: dict[tuple[str, _Key, Decimal], list[tuple[When, Claim]]] = defaultdict(list)
    for claim in claims:
        value, period = claim.value, claim.period
        if claim.group and claim.series and period is not None and value is not None:
            if value.percent or value.bound:
                continue
            group = named(claim.group)
            groups[group, claim.document].append((period, value.value, claim))
            same[group, _key(claim, claim.series), value.value].append((period, claim))
    told: set[int] = set()
    for (group, document), members in groups.items():
        total = sum((value for _, value, _ in members), Decimal(0))
        last = max(period.last for period, _, _ in members)
        if len(members) < 2 or total < ENOUGH:
            continue
        for key in {_key(one, one.series) for _, _, one in members}:
            for period, claim in same.get((group, key, total), ()):
                if period.last <= last or claim.document == document or claim.line in told:
                    continue
                told.add(claim.line)
                parts = [value for _, value, _ in members]
                written, year = f"{vietnamese(total)}", members[0][0].written
                yield Finding(
                    claim.line,
                    "earlier_total",
                    written,
                    f"{total:f}",
                    f"{written} bằng đúng {' + '.join(map(vietnamese, parts))} của {year}: "
                    "có thể là tổng cũ mang tên mới.",
                    f"{english(total)} is exactly {' + '.join(map(english, parts))} of {year}: "
                    "it may be an old total under a new name.",
                    tuple(one.line for _, _, one in members),
                )


def _shares_of_parts(claims: Sequence[Claim], told: Mapping[_Key, Sequence[tuple[When, Claim]]]) -> Iterator[Finding]:
    """A percentage of those who have a thing is less of all."""
    for claim in claims:
        printed, when = claim.percentage, claim.period
        if not claim.base or printed is None or when is None:
            continue
        near = (
            (one.line, one.percentage)
            for period, one in told.get(_key(claim, named(claim.base)), ())
            if one is not claim and one.percentage is not None and period.meets(when)
        )
        line, base = next(near, (0, None))
        if base is None or base.value >= 100:
            continue
        step = Decimal(1).scaleb(-max(1, printed.places))
        computed = (printed.value * base.value / 100).quantize(step, ROUND_HALF_UP)
        yield Finding(
            claim.line,
            "share_of_part",
            printed.written,
            f"{computed}%",
            f"{printed.written} chỉ tính trên {base.written} (dòng {line}): trên toàn thể là {vietnamese(computed)}%.",
            f"{printed.written} is of {base.written} alone (line {line}): of all it is {english(computed)}%.",
            (line,),
        )
