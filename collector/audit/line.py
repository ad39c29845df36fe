"""What one line tells by itself: its percentage, its counts, its year, its change and its rank."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from collector.audit.claim import Claim
from collector.audit.finding import Finding, english, vietnamese
from collector.audit.number import Number
from collector.compare import arithmetic
from collector.contract.period import as_date

CLOSE = Decimal(5)
"""Percentage points: what is “nearly” or “about” a figure is no further from it."""

ENOUGH = 30
"""Smaller counts repeat themselves by chance, or because nothing of them changes."""

_TENTH = Decimal(10)


def checked(claim: Claim) -> bool:
    """Tell whether a line holds something that its own figures confirm or refute."""
    counts = claim.part is not None and claim.whole is not None and not claim.part.bound and not claim.whole.bound
    ranks = claim.rank is not None and claim.rank_before is not None and claim.move is not None
    year = claim.labelled is not None and claim.period is not None and claim.stated is None
    return counts or ranks or year or (claim.previous is not None and _changes(claim))


def of_line(claim: Claim) -> Iterator[Finding]:
    """Yield what is to be said of a line, whatever the others tell."""
    yield from _percentage(claim)
    yield from _year(claim)
    yield from _change(claim)
    yield from _rank(claim)
    if claim.previous is not None and claim.stated is not None:
        yield from against(claim, claim.stated, claim.previous, "kỳ trước", "the last period")
    yield from _ambiguous(claim)


def _percentage(claim: Claim) -> Iterator[Finding]:
    part, whole, printed = claim.part, claim.whole, claim.percentage
    growth = claim.nature == "growth"
    if part is None or whole is None:
        if printed is not None and claim.nature == "result":
            if printed.value > 100:
                yield Finding(
                    claim.line,
                    "over_100",
                    printed.written,
                    "",
                    f"{printed.written} là trên 100%: không phần nào lớn hơn toàn thể.",
                    f"{printed.written} is over 100%: no part is more than the whole.",
                )
            elif _round(printed):
                yield Finding(
                    claim.line,
                    "round_number",
                    printed.written,
                    "",
                    f"{printed.written} là số tròn chục, không kèm số đếm: có thể là ước lượng.",
                    f"{printed.written} is a round number without counts: it may be an estimate.",
                )
        return
    if part.bound or whole.bound:
        return
    counts_vi = f"{vietnamese(part.value)}/{vietnamese(whole.value)}"
    counts_en = f"{english(part.value)} of {english(whole.value)}"
    if whole.value == 0:
        yield Finding(
            claim.line,
            "of_nothing",
            printed.written if printed else counts_vi,
            "",
            "Mẫu số là 0: không có tỷ lệ nào, không phải 0% cũng không phải 100%.",
            "The whole is 0: there is no percentage, neither 0% nor 100%.",
        )
        return
    if part.value > whole.value and not growth:
        yield Finding(
            claim.line,
            "part_over_whole",
            counts_vi,
            "",
            f"{counts_vi}: tử số lớn hơn mẫu số.",
            f"{counts_en}: the part is more than the whole.",
        )
        return
    if printed is None:
        return
    text, verdict = arithmetic(part.value, whole.value, f"{printed.value:f}")
    if text is None:
        return
    exact = Decimal(100) * part.value / whole.value
    computed = Decimal(text)
    is_vi, is_en = f"{counts_vi} = {vietnamese(computed)}%", f"{counts_en} is {english(computed)}%"
    recomputed = f"{text}%"
    if printed.bound:
        yield from _bound(claim, printed, exact, recomputed, is_vi, is_en)
    elif verdict == "cut":
        yield Finding(
            claim.line,
            "cut_off",
            printed.written,
            recomputed,
            f"{is_vi}: {printed.written} bị cắt bớt, không làm tròn.",
            f"{is_en}: {printed.written} was cut off, not rounded.",
        )
    elif verdict == "wrong":
        hint_vi, hint_en = _would_be(printed, part.value, whole.value)
        yield Finding(
            claim.line,
            "percentage",
            printed.written,
            recomputed,
            f"{is_vi}, không phải {printed.written}{hint_vi}.",
            f"{is_en}, not {english(printed.value)}%{hint_en}.",
        )


def _would_be(printed: Number, part: Decimal, whole: Decimal) -> tuple[str, str]:
    """Which counts would give the printed percentage."""
    if part != int(part) or whole != int(whole) or not 0 < printed.value <= 100:
        return "", ""
    share = printed.value / 100
    other_part = (whole * share).quantize(Decimal(1), ROUND_HALF_UP)
    other_whole = (part / share).quantize(Decimal(1), ROUND_HALF_UP)
    return (
        f"; {printed.written} là {vietnamese(other_part)}/{vietnamese(whole)}, "
        f"hoặc {vietnamese(part)}/{vietnamese(other_whole)}",
        f"; that would be {english(other_part)} of {english(whole)}, or {english(part)} of {english(other_whole)}",
    )


def _bound(claim: Claim, printed: Number, exact: Decimal, recomputed: str, is_vi: str, is_en: str) -> Iterator[Finding]:
    low, high = printed.low, printed.high
    broken = (low is not None and exact < low) or (high is not None and exact > high)
    if broken:
        yield Finding(
            claim.line,
            "bound",
            printed.written,
            recomputed,
            f"{is_vi}, trái với “{printed.written}”.",
            f"{is_en}, which is not “{printed.written}”.",
        )
    elif printed.bound != "least" and abs(exact - printed.value) > CLOSE:
        yield Finding(
            claim.line,
            "stretched",
            printed.written,
            recomputed,
            f"{is_vi}, cách “{printed.written}” hơn {CLOSE} điểm phần trăm.",
            f"{is_en}, over {CLOSE} points from “{printed.written}”.",
        )


def _round(printed: Number) -> bool:
    """Whether a percentage is a whole ten; none and all of something are no estimates."""
    return not printed.bound and printed.value % _TENTH == 0 and 0 < printed.value < 100


def _year(claim: Claim) -> Iterator[Finding]:
    if claim.period is None:
        return
    labelled = claim.labelled
    if labelled is not None and not claim.period.meets(labelled):
        yield Finding(
            claim.line,
            "year",
            labelled.written,
            claim.period.written,
            f"Tiêu đề ghi {labelled.written}, số liệu là của {claim.period.written}.",
            f"The title says {labelled.written}, the figure is of {claim.period.written}.",
        )
    if claim.date is not None and claim.nature == "result" and claim.period.first > claim.date:
        day, period = as_date(claim.date), claim.period.written
        yield Finding(
            claim.line,
            "not_yet",
            claim.period.written,
            "",
            f"Văn bản ngày {day.day}/{day.month}/{day.year} nêu kết quả của {period}, kỳ lúc đó chưa bắt đầu.",
            f"A document of {day.isoformat()} tells results of {period}, which had not begun.",
        )


def _changes(claim: Claim) -> bool:
    value, change = claim.stated, claim.change
    return (
        value is not None and change is not None and not value.bound and not (claim.previous and claim.previous.bound)
    )


def _change(claim: Claim) -> Iterator[Finding]:
    """Value less change is what was there before: that of the last period, and never less than nothing."""
    value, change = claim.stated, claim.change
    if value is None or change is None or not _changes(claim):
        return
    previous = claim.previous
    if change.percent and not value.percent:  # a rate of growth
        if previous is None or previous.value == 0:
            return
        exact = Decimal(100) * (value.value - previous.value) / previous.value
        if abs(exact - change.value) > change.half:
            computed = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
            yield Finding(
                claim.line,
                "change",
                change.written,
                f"{computed}%",
                f"Từ {previous.written} lên {value.written} là {vietnamese(computed)}%, không phải {change.written}.",
                f"From {english(previous.value)} to {english(value.value)} is {english(computed)}%, "
                f"not {english(change.value)}%.",
            )
        return
    before = value.value - change.value
    slack = value.half + change.half
    if previous is not None and abs(before - previous.value) > slack + previous.half:
        difference = value.value - previous.value
        yield Finding(
            claim.line,
            "change",
            change.written,
            f"{difference:f}",
            f"{value.written} trừ {previous.written} là {vietnamese(difference)}, không phải {change.written}.",
            f"{english(value.value)} less {english(previous.value)} is {english(difference)}, "
            f"not {english(change.value)}.",
        )
    elif before < -slack:
        yield Finding(
            claim.line,
            "change",
            change.written,
            f"{before:f}",
            f"{value.written} mà tăng {change.written} thì kỳ trước là {vietnamese(before)}, dưới 0.",
            f"{english(value.value)} after {english(change.value)} more would have been {english(before)} before.",
        )


def _rank(claim: Claim) -> Iterator[Finding]:
    if claim.rank is None or claim.rank_before is None or claim.move is None:
        return
    moved = claim.rank_before - claim.rank
    if moved != claim.move:
        yield Finding(
            claim.line,
            "move",
            f"{claim.move:+d}",
            f"{moved:+d}",
            f"Từ hạng {claim.rank_before} đến hạng {claim.rank} là {moved:+d} bậc, không phải {claim.move:+d}.",
            f"From rank {claim.rank_before} to rank {claim.rank} is {moved:+d}, not {claim.move:+d}.",
        )


def against(claim: Claim, now: Number, before: Number, told_vi: str, told_en: str, line: int = 0) -> Iterator[Finding]:
    """Yield what an earlier figure says of a later one: the same to the last digit, or less than half of it left."""
    if now.percent != before.percent or claim.nature != "result":
        return
    lines = (line,) if line else ()
    counted = now.percent or before.value >= ENOUGH
    if (now.value, now.places) == (before.value, before.places):
        if counted and not (now.percent and now.value in (0, 100)):
            yield Finding(
                claim.line,
                "repeated",
                now.written,
                before.written,
                f"“{now.written}” giống hệt số của {told_vi} (“{before.written}”) đến chữ số cuối.",
                f"“{now.written}” equals that of {told_en} (“{before.written}”) to the last digit.",
                lines,
            )
    elif counted and now.value * 2 < before.value:
        less = (100 - 100 * now.value / before.value).quantize(Decimal(1), ROUND_HALF_UP)
        yield Finding(
            claim.line,
            "halved",
            now.written,
            before.written,
            f"{now.written}, còn {told_vi} là {before.written}: giảm {less}%.",
            f"{now.written}, after {before.written} in {told_en}: it fell by {less}%.",
            lines,
        )


def _ambiguous(claim: Claim) -> Iterator[Finding]:
    numbers = (claim.value, claim.part, claim.whole, claim.percentage, claim.previous, claim.change, *claim.addends)
    for one in dict.fromkeys(number for number in numbers if number is not None and number.other is not None):
        assert one.other is not None
        yield Finding(
            claim.line,
            "ambiguous",
            one.written,
            f"{one.value:f}",
            f"“{one.written}” được đọc là {vietnamese(one.value)}; cũng có thể là {vietnamese(one.other)}: "
            "hãy ghi Đơn vị tính.",
            f"“{one.written}” was read as {english(one.value)}; it may be {english(one.other)}: give its unit.",
        )
