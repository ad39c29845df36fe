"""Rankings at a terminal: places, points and intervals, and where an agency's points were lost."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from rich.console import RenderableType
from rich.markup import escape

from collector.contract.reading import Line, Score, resting
from collector.sinks.columns import Column, table
from collector.sinks.terminal import labelled, reasons

_TWO_PLACES = Decimal("0.01")

# -- all agencies of a block -------------------------------------------------------------------------------------

_RANKING = (
    Column("rank", "figure"),
    Column("agency"),
    Column("name", "name"),
    Column("points", "figure"),
    Column("up to", "figure"),
    Column("measured machine", "figure"),
    Column("band"),
)


def ranking(
    scores: Sequence[Score], names: Mapping[str, str], blocks: Mapping[str, str], period: str, width: int
) -> list[RenderableType]:
    """One table per block. A rank that what is missing could still change is shown with its interval, a tie with `=`.

    `up to` is what its points could still become; then the shares of them that are measured, and recorded by machines.
    The change of ranks has a column where any is known.
    """
    with_change = any(one.change is not None for one in scores)
    columns = [*_RANKING, Column("change", "figure")] if with_change else _RANKING

    def place(one: Score) -> list[str]:
        return [*_place(one, names), _change(one.change)] if with_change else _place(one, names)

    every = [place(one) for one in scores]
    shown: list[RenderableType] = []
    for block in dict.fromkeys(one.block for one in scores):
        own = [one for one in scores if one.block == block]
        shown += [
            f"[bold]{escape(blocks.get(block, block))}[/], {period}",
            table(columns, [place(one) for one in own], width, every),
            *(f"not ranked: {why}" for why in reasons((one.agency, one.why) for one in own if one.rank is None)),
            *(f"cannot be told apart: {some}" for some in _alike(own)),
            *_rests_on(own),
            "",
        ]
    return shown


def _place(one: Score, names: Mapping[str, str]) -> list[str]:
    return [
        _rank(one),
        one.agency,
        escape(names.get(one.agency, "")),
        f"{one.points:.2f}",
        "" if one.points_low == one.points_high else f"{one.points_high:.2f}",
        f"{_per_cent(one.measured_share)}/{_per_cent(one.machine_share)} %",
        escape(one.band or ""),
    ]


def _interval(one: Score | Line) -> str:
    return "" if one.points_low == one.points_high else f"{one.points_low:.2f}–{one.points_high:.2f}"


def _per_cent(share: Decimal) -> int:
    return int(share * 100)  # 100 is said of the whole only


def _band(one: Score) -> str:
    if one.band is None or one.band_best in (None, one.band):
        return one.band or ""
    return f"{one.band}–{one.band_best}"


def _change(places: int | None) -> str:
    """Places up or down, in the way of rankings: `+2`, `−1`, `0`; nothing where it cannot be told."""
    return "" if places is None else f"{places:+d}".replace("-", "−").replace("+0", "0")


def _rank(one: Score) -> str:
    if one.rank is None:
        return "–"
    tie = "=" if one.tied else ""
    between = "" if one.rank_best == one.rank_worst else f" ({one.rank_best}–{one.rank_worst})"
    return f"{tie}{one.rank}{between}"


def _alike(own: Sequence[Score]) -> list[str]:
    """The groups whose order what is not known could still turn; not those whose points are known and equal."""
    groups: dict[int, list[Score]] = {}
    for one in own:
        if one.group is not None:
            groups.setdefault(one.group, []).append(one)
    return [
        ", ".join(one.agency for one in some)
        if len(some) <= _FEW
        else f"{some[0].agency} to {some[-1].agency}, {len(some)} agencies"
        for some in groups.values()
        if len(some) > 1 and any(one.points_low != one.points_high for one in some)
    ]


_FEW = 4
"""So many are named one by one."""


def _rests_on(own: Sequence[Score]) -> list[str]:
    """Say what the points of a block rest on, as its model has them; nothing if no score tells its lines."""
    lines = next((one.lines for one in own if one.lines), ())
    if not lines:
        return []
    total, measured, machine = resting(lines)
    declared = f", {total - measured:,f} are declared" if total != measured else ""
    return [
        f"[dim]of {total:,f} points {measured:,f} are measured, {machine:,f} of them by machines alone{declared}[/]"
    ]


# -- one agency --------------------------------------------------------------------------------------------------

_LINES = (
    Column("criterion"),
    Column("title", "name"),
    Column("figure", "figure"),
    Column("counts", "figure"),
    Column("points", "figure"),
    Column("of", "figure"),
    Column("lost", "figure"),
    Column("for a place", "figure"),
)

Groups = Mapping[str, tuple[str, str]]
"""The groups of criteria by their ids: title, and the id of the group that each stands in ("": in the block)."""


def standing(
    one: Score, name: str, block: str, others: Sequence[Score], groups: Groups, period: str, former: str, width: int
) -> list[RenderableType]:
    """Tell one agency's lines: what each gave, what was lost, and what would gain it a place.

    `others` are the scores of its block; `former` says what its change is against.
    """
    facts = {
        "rank": _rank_of(one, others),
        "points": f"{one.points:.2f}" + (f" ({_interval(one)})" if _interval(one) else ""),
        "band": escape(_band(one)),
        "measured": f"{_per_cent(one.measured_share)} %, by machines alone {_per_cent(one.machine_share)} %",
        "change": _changed(one, former),
        "next place": _next(one, others),
    }
    shown: list[RenderableType] = [
        f"[bold]{escape(name)}[/] ({one.agency}), {period}",
        escape(block),
        labelled({label: text for label, text in facts.items() if text}),
        "",
        table(_LINES, _rows(one.lines, groups), width),
    ]
    evidence = {line.criterion: escape(line.evidence) for line in one.lines if line.evidence}
    if evidence:
        shown += ["", "[bold]declared on the evidence of[/]", labelled(evidence)]
    unknown = sum((line.points_high - line.points_low for line in one.lines), Decimal(0))
    if unknown:
        shown += ["", f"what is missing or partial could still give up to {unknown:.2f} points"]
    return [*shown, ""]


def _rank_of(one: Score, others: Sequence[Score]) -> str:
    if one.rank is None:
        return f"not ranked: {escape(one.why)}"
    ranked = sum(other.rank is not None for other in others)
    ties = f", with {one.tied} other{'s' if one.tied > 1 else ''}" if one.tied else ""
    return f"{_rank(one)} of {ranked}{ties}"


def _changed(one: Score, former: str) -> str:
    if one.change_best is None or one.change_worst is None:
        return ""
    if one.change is not None:
        return f"{_change(one.change)} against {former}"
    return f"between {_change(one.change_worst)} and {_change(one.change_best)}, against {former}"


def _next(one: Score, others: Sequence[Score]) -> str:
    if one.to_next is None:
        return ""
    above = [other.agency for other in others if other.rank is not None and other.points == one.points + one.to_next]
    alone = sum(line.to_gain is not None for line in one.lines)
    if alone:
        ways = f"{alone} criteria would do, each alone" if alone > 1 else "one criterion alone would do"
        ways += " (last column: so many more, or fewer)"
    elif one.together:
        ways = f"these at their best would do together: {', '.join(one.together)}"
    else:
        ways = "not even all that is known would do at its best"
    return f"{one.to_next:.2f} points to {', '.join(above)}: {ways}"


def _rows(lines: Sequence[Line], groups: Groups) -> list[list[str]]:
    """The lines, each group before its own with its sums."""
    rows: list[list[str]] = []
    shown: set[str] = set()
    for line in lines:
        for group in reversed(_around(line.parent, groups)):
            if group not in shown:
                shown.add(group)
                rows.append(_sums(group, groups, [each for each in lines if group in _around(each.parent, groups)]))
        rows.append(_row(line))
    return rows


def _around(parent: str, groups: Groups) -> list[str]:
    """A group and those that it stands in, the innermost first."""
    found: list[str] = []
    while parent and parent not in found:
        found.append(parent)
        parent = groups.get(parent, ("", ""))[1]
    return found


def _sums(group: str, groups: Groups, own: Sequence[Line]) -> list[str]:
    low, high, worth = (
        sum((getattr(each, field) for each in own), Decimal(0)) for field in ("points_low", "points_high", "worth")
    )
    points = f"{low:.2f}" if low == high else f"{low:.2f}–{high:.2f}"
    title = escape(groups.get(group, ("", ""))[0])
    cells = [group, title, "", "", points, f"{worth:.2f}", f"{worth - low:.2f}", ""]
    return [cell and f"[bold]{cell}[/]" for cell in cells]


_FIGURES = {
    "missing": "[red]missing[/]",
    "partial": "[yellow]partial[/]",
    "not_applicable": "[dim]n/a[/]",
    "measured": "[dim]suppressed[/]",
}


def _row(line: Line) -> list[str]:
    if line.hits is None or line.judged is None:
        figure, counts = _FIGURES.get(line.state, ""), ""
    else:
        percentage = (Decimal(100 * line.hits) / line.judged).quantize(_TWO_PLACES, ROUND_HALF_UP)
        figure, counts = f"{percentage} %", f"{line.hits:,} of {line.judged:,}"
    return [
        line.criterion,
        escape(line.title_en or line.title_vi),
        figure,
        counts,
        _interval(line) or f"{line.points_low:.2f}",
        f"{line.worth:.2f}",
        f"{line.lost:.2f}",
        "" if line.to_gain is None else f"{line.to_gain:+,}".replace("-", "−"),
    ]
