"""Our counts beside the sources' own, for people (terminal) and for programs (JSON).

For people: for each source the sums of its agencies, then the agencies that differ, and in words what cannot be
compared. For programs: `{"sources": [...], "totals": [...], "shares": [...]}`; keys stay, new ones may come.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from collector.compare import CAUSES, Cause, Compared, Comparison, Printed
from collector.contract.period import iso, rfc3339
from collector.sinks.columns import Column, table
from collector.sinks.terminal import labelled

_VERDICTS = {
    "rounded": "",
    "cut": "cut off, not rounded",
    "wrong": "[red]wrong[/]",
    "of_nothing": "a percentage of nothing",
    "without_counts": "its counts are not told",
}
_NAMES = {"on_time": "on time"}


def shown(
    found: Sequence[Comparison], names: Mapping[str, str], width: int, *, every: bool = False, rows: bool = False
) -> list[RenderableType]:
    """Return for each source the sums of its agencies, then the agencies of which something is unexplained.

    With `every` all agencies that differ; with `rows` also the dossiers behind each cause.
    """
    parts: list[RenderableType] = []
    for one in found:
        parts += _source(one, names, width, every=every or rows, rows=rows)
    if any(cause for one in found for total in one.totals for cause in total.causes.values()):
        parts += ["Causes, as what the source counts more (+) or less (-) than we do:"]
        words = {cause.replace("_", " "): f"{escape(en)} ({escape(vi)})" for cause, (vi, en) in CAUSES.items()}
        parts.append(labelled(words))
    return parts


def _source(one: Comparison, names: Mapping[str, str], width: int, *, every: bool, rows: bool) -> list[RenderableType]:
    compared = [total for total in one.totals if total.ours is not None]
    differing = [total for total in compared if total.difference or total.unexplained or any(total.causes.values())]
    agencies = len({total.agency for total in compared} - {""})
    parts: list[RenderableType] = [f"[bold]{escape(one.source)}[/]{_how(one.totals)}"]
    if agencies > 1:
        sums = [_summed(own) for own in _by_name([total for total in compared if total.agency])]
        parts += [table(_SUMS, [_cells(total, names)[2:] for total in sums], width), ""]
    equal = f"{len(compared) - len(differing):,} of {len(compared):,} totals of {_agencies(agencies)} are equal"
    told = differing if every or agencies == 1 else [total for total in differing if total.unexplained]
    hidden = len(differing) - len(told)
    if compared:
        parts.append(f"{equal}; {hidden:,} differ and are wholly explained: --all shows them" if hidden else equal)
    if told:
        parts += [table(_COLUMNS, [_cells(total, names) for total in told], width)]
        if rows:
            parts += _rows(told)
    partial = dict.fromkeys(total.agency for total in compared if total.state == "partial")
    if partial and agencies > 1:
        parts.append(f"ours is partial: {', '.join(partial)}")
    parts += _percentages(one.shares, names, width)
    parts += [f"not compared: {reason}" for reason in _not_compared(one)]
    return [*parts, ""]


def _agencies(count: int) -> str:
    return "1 agency" if count == 1 else f"{count:,} agencies"


def _by_name(totals: Sequence[Compared]) -> list[list[Compared]]:
    names = dict.fromkeys(one.name for one in totals)
    return [[one for one in totals if one.name == name] for name in names]


def _summed(own: Sequence[Compared]) -> Compared:
    """The sum over agencies, for a first look."""
    causes: Counter[Cause] = Counter()
    for one in own:
        causes.update(one.causes)
    return replace(
        own[0],
        ours=sum(one.ours or 0 for one in own),
        theirs=sum(one.theirs for one in own),
        causes={cause: causes[cause] for cause in CAUSES},
        undecided=sum(one.undecided for one in own),
        state="",
    )


def _how(totals: Sequence[Compared]) -> str:
    """By which rules, and when, a source counted."""
    rules = ", ".join(sorted({one.rules for one in totals if one.rules}))
    made = [one.made for one in totals if one.made is not None]
    counts = f", which counts by {escape(rules)}" if rules else ""
    return f"{counts}, as of {rfc3339(min(made))[:16].replace('T', ' ')}" if made else counts


_SUMS = (Column("total"), Column("ours", "figure"), Column("theirs", "figure"), Column("cause", "prose"))
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
    """In words, what nothing of ours stands beside: agencies without a figure, totals of another kind."""
    reasons: dict[str, dict[str, None]] = {}
    for total in one.totals:
        if total.ours is None:
            whole = total.state == "missing"
            what = total.agency or "(all)"
            shown = what if whole else f"{what} {_NAMES.get(total.name, total.name)} ({total.theirs:,})"
            reasons.setdefault(total.why or "there is no figure of ours", {})[shown] = None
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
