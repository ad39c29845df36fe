"""The arithmetic of percentages that a source prints: 2,368 of 2,537 is 93.34 %, not 93.1 %."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

from collector.compare.result import Printed, Verdict
from collector.contract.reported import Name


def printed(
    source: str,
    agency: str,
    names: tuple[Name, Name],
    days: tuple[int, int],
    counts: tuple[int | None, int | None],
    text: str,
) -> Printed:
    """Return what a printed percentage is worth, given the counts (part, whole) that it was made of."""
    hits, of = counts
    computed, verdict = arithmetic(hits, of, text)
    return Printed(source, agency, *names, *days, hits, of, text, computed, verdict)


def arithmetic(hits: Decimal | int | None, of: Decimal | int | None, printed: str) -> tuple[str | None, Verdict]:
    """Return what counts give as a percentage, half up and to two places or as many as printed, and the verdict.

    `printed` is a number with a point or a comma; what is no number is wrong.
    """
    try:
        value = Decimal(printed.replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if hits is None or of is None:
        return None, "without_counts" if value.is_finite() else "wrong"
    if of == 0:
        return None, "of_nothing"
    exponent = value.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    exact = Decimal(100 * hits) / of
    step, shown = Decimal(1).scaleb(-places), Decimal(1).scaleb(-max(2, places))
    computed = str(exact.quantize(shown, ROUND_HALF_UP))
    if value == exact.quantize(step, ROUND_HALF_UP):
        return computed, "rounded"
    return computed, "cut" if value == exact.quantize(step, ROUND_DOWN) else "wrong"
