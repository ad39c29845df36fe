"""Our counts beside the sources' own, for people (terminal) and for programs (JSON).

For people: a table for each source, a line for each total that differs, and in words what cannot be compared. For
programs: `{"sources": [...], "totals": [...], "shares": [...]}`; keys stay, new ones may come.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from collector.compare import CAUSES, Compared, Comparison, Printed
from collector.contract.period import iso, rfc3339
from collector.sinks.columns import Column, table

_VERDICTS = {
    "rounded": "",
    "cut": "cut off, not rounded",
    "wrong": "[red]wrong[/]",
    "of_nothing": "a percentage of nothing",
    "without_counts": "its counts are not told",
}
_NAMES = {"on_time": "on time"}


def shown(
    found: Sequence[Comparison], names: Mapping[str, str], width: int, *, rows: bool = False
) -> list[RenderableType]:
    """Return tables of what differs; with `rows` the dossiers behind each cause too."""
    parts: list[RenderableType] = []
    for one in found:
        parts += _source(one, names, width, rows=rows)
    if any(cause for one in found for total in one.totals for cause in total.causes.values()):
        parts += ["Causes, as what the source counts more (+) or less (-) than we do:"]
        parts += [f"  {cause.replace('_', ' ')}: {escape(en)} ({escape(vi)})" for cause, (vi, en) in CAUSES.items()]
    return parts


def _source(one: Comparison, names: Mapping[str, str], width: int, *, rows: bool) -> list[RenderableType]:
    differing = [total for total in one.totals if total.difference or total.unexplained or any(total.causes.values())]
    equal = sum(total.difference == 0 for total in one.totals)
    parts: list[RenderableType] = [f"[bold]{escape(one.source)}[/]{_how(one.totals)}"]
    parts.append(f"{equal:,} of {len(one.totals):,} totals are equal")
    if differing:
        every = [_cells(total, names) for total in differing]
        parts += ["", table(_COLUMNS, every, width)]
        if rows:
            parts += _rows(differing)
    parts += _percentages(one.shares, names, width)
    parts += [f"not compared: {reason}" for reason in _not_compared(one)]
    return [*parts, ""]


def _how(totals: Sequence[Compared]) -> str:
    """By which rules, and when, a source counted."""
    rules = ", ".join(sorted({one.rules for one in totals if one.rules}))
    made = [one.made for one in totals if one.made is not None]
    counts = f", which counts by {escape(rules)}" if rules else ""
    return f"{counts}, as of {rfc3339(min(made))[:16].replace('T', ' ')}" if made else counts


_COLUMNS = (
    Column("agency"),
    Column("name", "name"),
    Column("total"),
    Column("ours", "figure"),
    Column("theirs", "figure"),
    Column("cause", "prose"),
)


def _cells(one: Compared, names: Mapping[str, str]) -> list[str]:
    return [
        one.agency or "(all)",
        escape(names.get(one.agency, "")),
        _NAMES.get(one.name, one.name),
        "–" if one.ours is None else f"{one.ours:,}",
        f"{one.theirs:,}",
        _why(one),
    ]


def _why(one: Compared) -> str:
    parts = [f"{cause.replace('_', ' ')} {count:+,}" for cause, count in one.causes.items() if count]
    if one.unexplained:
        parts.append(f"[red]unexplained {one.unexplained:+,}[/]")
    if one.undecided:
        parts.append(f"{one.undecided:,} judged by an hour that is not known")
    if one.state == "partial":
        parts.append("[yellow]ours is partial[/]")
    return ", ".join(parts)


def _rows(totals: Iterable[Compared]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for one in totals:
        if one.moved:
            parts += ["", f"[bold]{escape(one.agency or '(all)')}[/], {_NAMES.get(one.name, one.name)}"]
            parts += [
                f"  {moved.change:+d}  {escape(moved.key)}  {moved.cause.replace('_', ' ')}: {escape(moved.reason)}"
                for moved in one.moved
            ]
    return parts


def _percentages(shares: Sequence[Printed], names: Mapping[str, str], width: int) -> list[RenderableType]:
    """The printed percentages that are not what their counts give; where all are, one line."""
    if not shares:
        return []
    told = [one for one in shares if one.verdict != "rounded"]
    good = f"{len(shares) - len(told):,} of {len(shares):,} printed percentages are what their own counts give"
    if not told:
        return ["", good]
    columns = [Column("agency"), Column("name", "name"), Column("printed", "figure"), Column("its counts", "figure")]
    columns += [Column("gives", "figure"), Column("verdict", "prose")]
    rows = [
        [
            one.agency or "(all)",
            escape(names.get(one.agency, "")),
            f"{escape(one.printed)} %",
            "–" if one.hits is None or one.of is None else f"{one.hits:,}/{one.of:,}",
            "–" if one.computed is None else f"{one.computed} %",
            _VERDICTS[one.verdict],
        ]
        for one in told
    ]
    return ["", good, table(columns, rows, width)]


def _not_compared(one: Comparison) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for total in one.totals:
        if total.ours is None:
            reasons.setdefault(total.why or "there is no count of ours", []).append(
                f"{total.agency or '(all)'} {_NAMES.get(total.name, total.name)} ({total.theirs:,})"
            )
    found = [f"{', '.join(some)}: {escape(why)}" for why, some in reasons.items()]
    if one.untold:
        found.append(f"{', '.join(one.untold)}: the source tells no total of it")
    if one.unknown_codes:
        found.append(f"{escape(', '.join(one.unknown_codes))}: the register does not know this code")
    return found


# -- for programs --------------------------------------------------------------------------------------------------


def document(found: Iterable[Comparison], *, rows: bool = False) -> dict[str, Any]:
    """Return all comparisons; `rows` adds to each total the dossiers behind its causes."""
    comparisons = list(found)
    return {
        "sources": [
            {
                "source": one.source,
                "explained": one.is_explained,
                "untold": list(one.untold),
                "unknown_codes": list(one.unknown_codes),
            }
            for one in comparisons
        ],
        "totals": [_total(total, rows=rows) for one in comparisons for total in one.totals],
        "shares": [_share(share) for one in comparisons for share in one.shares],
    }


def _total(one: Compared, *, rows: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "source": one.source,
        "agency": one.agency,
        "total": one.name,
        "from": iso(one.first_day),
        "to": iso(one.last_day),
        "rules": one.rules,
        "made": None if one.made is None else rfc3339(one.made),
        "state": one.state,
        "ours": one.ours,
        "theirs": one.theirs,
        "difference": one.difference,
        "causes": dict(one.causes),
        "unexplained": one.unexplained,
        "undecided": one.undecided,
        "why": one.why,
    }
    if rows:
        told["rows"] = [
            {"key": each.key, "cause": each.cause, "change": each.change, "reason": each.reason} for each in one.moved
        ]
    return told


def _share(one: Printed) -> dict[str, Any]:
    return {
        "source": one.source,
        "agency": one.agency,
        "part": one.part,
        "whole": one.whole,
        "from": iso(one.first_day),
        "to": iso(one.last_day),
        "hits": one.hits,
        "of": one.of,
        "printed": one.printed,
        "computed": one.computed,
        "verdict": one.verdict,
    }
