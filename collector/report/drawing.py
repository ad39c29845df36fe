"""Small pictures of shares as inline SVG: a bar, and a year's line. No script, no file beside the page.

Each says in words (title, desc) what it shows; a bar has an outline and a line its dots, so that nothing rests on
colour. What is not known is not drawn as zero: a bar is left out, a line is broken and a cross stands at its foot.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from markupsafe import Markup, escape

from collector import vietnamese
from collector.contract.period import Period

_WIDE, _HIGH = 120, 26  # of a line
_LEFT, _RIGHT, _TOP, _FOOT = 4, 116, 4, 22
_BAR = 100


def bar(share: Decimal, says: str) -> Markup:
    """A share (0 to 1) as a bar."""
    wide = _short(share * _BAR)
    return _svg(
        "bar",
        _BAR + 2,
        8,
        says,
        "",
        Markup(
            '<rect class="track" x=".5" y=".5" width="{}" height="7"/><rect x="1" y="1" width="{}" height="6"/>'
        ).format(_BAR + 1, wide),
    )


def line(months: Sequence[Period], shares: Sequence[Decimal | None], says: str) -> Markup:
    """Shares (0 to 1) of months, in order, as a line from 0 to 100 %; None: there is none."""
    step = Decimal(_RIGHT - _LEFT) / max(1, len(months) - 1)
    points = [
        None if share is None else (_LEFT + step * place, _FOOT - share * (_FOOT - _TOP))
        for place, share in enumerate(shares)
    ]
    drawn = Markup('<path class="frame" d="M{0} {1}H{2}M{0} {3}H{2}"/>').format(_LEFT, _TOP, _RIGHT, _FOOT)
    if joined := "".join(
        f"M{_short(a[0])} {_short(a[1])}L{_short(b[0])} {_short(b[1])}" for a, b in pairwise(points) if a and b
    ):
        drawn += Markup('<path class="line" d="{}"/>').format(joined)
    if crosses := "".join(
        f"M{_short(_LEFT + step * place)} {_FOOT}m-1.5-1.5l3 3m0-3l-3 3"
        for place, point in enumerate(points)
        if point is None
    ):
        drawn += Markup('<path class="none" d="{}"/>').format(crosses)
    for place, point in enumerate(points):
        if point is not None:
            size = "2.4" if place == len(points) - 1 else "1.6"
            drawn += Markup('<circle cx="{}" cy="{}" r="{}"/>').format(_short(point[0]), _short(point[1]), size)
    told = "; ".join(_months(months, shares))
    return _svg("year", _WIDE, _HIGH, says, told, drawn)


def _months(months: Sequence[Period], shares: Sequence[Decimal | None]) -> Iterator[str]:
    for month, share in zip(months, shares, strict=True):
        told = "không có" if share is None else f"{vietnamese.decimal(_percentage(share))} %"
        yield f"{month.first // 100 % 100:02d}/{month.first // 10_000}: {told}"


def _percentage(share: Decimal) -> Decimal:
    return (share * 100).quantize(Decimal("0.1"))


def _short(number: Decimal) -> str:
    """A coordinate to one place."""
    return f"{number:.1f}".removesuffix(".0")


def _svg(look: str, wide: int, high: int, title: str, description: str, drawn: Markup) -> Markup:
    desc = Markup("<desc>{}</desc>").format(description) if description else Markup()
    return Markup(
        '<svg class="{}" role="img" viewBox="0 0 {} {}" width="{}" height="{}"><title>{}</title>{}{}</svg>'
    ).format(look, wide, high, wide, high, escape(title), desc, drawn)
