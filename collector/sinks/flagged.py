"""Integrity flags for people (terminal) and for programs (JSON)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from collector.contract.period import iso
from collector.flags import FLAGS, Flag, Raised
from collector.sinks.columns import Column, table
from collector.sinks.terminal import labelled


def shown(
    found: Sequence[Raised], names: Mapping[str, str], width: int, *, by_agency: bool = False, rows: bool = False
) -> list[RenderableType]:
    """Return the flags raised with their counts; `by_agency` each agency's; `rows` the records behind them."""
    if not found:
        return ["No flag is raised."]
    parts: list[RenderableType] = [table(_FLAGS, [_counts(flag, found) for flag in FLAGS], width)]
    for flag in FLAGS:
        own = [one for one in found if one.flag == flag.id]
        if own and (by_agency or rows):
            parts += ["", *_title(flag), *_agencies(own, names, width)]
            if rows:
                parts += [f"  {escape(_row(one))}" for one in own]
    return parts


_FLAGS = (Column("flag"), Column("count", "figure"), Column("agencies", "figure"), Column("what it says", "prose"))


def _counts(flag: Flag, found: Sequence[Raised]) -> list[str]:
    own = [one for one in found if one.flag == flag.id]
    agencies = len({one.agency for one in own})
    return [flag.id, f"{len(own):,}", f"{agencies:,}", f"{escape(flag.title_en)} ({escape(flag.title_vi)})"]


def _title(flag: Flag) -> list[RenderableType]:
    facts = {"why": escape(flag.reason)}
    facts |= {
        one.name.replace("_", " "): f"{one.value} {escape(one.unit)}: {escape(one.reason)}" for one in flag.thresholds
    }
    return [f"[bold]{flag.id}[/]: {escape(flag.title_en)} ({escape(flag.title_vi)})", labelled(facts)]


def _agencies(own: Sequence[Raised], names: Mapping[str, str], width: int) -> list[RenderableType]:
    counts = Counter(one.agency for one in own)
    columns = [Column("agency"), Column("name", "name"), Column("count", "figure")]
    rows = [[code, escape(names.get(code, "")), f"{count:,}"] for code, count in sorted(counts.items())]
    return [table(columns, rows, width)]


def _row(one: Raised) -> str:
    where = f"{one.source}  " if one.source else ""
    return f"{one.agency}  {where}{one.key}  {one.says}"


# -- for programs --------------------------------------------------------------------------------------------------


def document(found: Sequence[Raised], *, rows: bool = False) -> list[dict[str, Any]]:
    """Return every flag, raised or not, with its count by agency; `rows` adds the records."""
    return [_flag(flag, [one for one in found if one.flag == flag.id], rows=rows) for flag in FLAGS]


def _flag(flag: Flag, own: Sequence[Raised], *, rows: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "flag": flag.id,
        "title_vi": flag.title_vi,
        "title_en": flag.title_en,
        "reason": flag.reason,
        "thresholds": [
            {"name": one.name, "value": one.value, "unit": one.unit, "reason": one.reason} for one in flag.thresholds
        ],
        "count": len(own),
        "agencies": dict(sorted(Counter(one.agency for one in own).items())),
    }
    if rows:
        told["rows"] = [
            {
                "agency": one.agency,
                "source": one.source,
                "record": one.record,
                "key": one.key,
                "day": iso(one.day),
                "says": one.says,
            }
            for one in own
        ]
    return told
