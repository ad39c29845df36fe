"""Editions and days accepted as lost, for people (terminal) and for programs (JSON).

JSON: days are ISO days, instants RFC 3339 with +07:00; keys stay, new ones may come.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from collector.contract.period import iso, local_day, rfc3339
from collector.contract.reading import STATES
from collector.editions import Change, Differences, Edition, Lacking, Verified
from collector.editions.keys import fingerprint
from collector.sinks.columns import Column, table
from collector.store.gaps import Lost


def made(one: Edition, width: int) -> list[RenderableType]:
    """Tell of an edition that was just sealed, or stated anew."""
    states = Counter(each.state for each in one.readings if each.scope == "agency")
    told = ", ".join(f"{states[state]:,} {state.replace('_', ' ')}" for state in STATES if states[state])
    parts: list[RenderableType] = [
        f"[bold]edition {one.number} of {one.period}[/]{f' ({one.reason})' if one.reason else ''}",
        f"  figures of agencies: {told}",
        f"  rows behind them: {sum(each.rows for each in one.evidence):,}",
        f"  digest {one.digest}",
        f"  signed with the key {fingerprint(one.public_key)}; number {one.position} of the chain",
    ]
    if one.carried:
        parts.append(f"  carried over unchanged: {', '.join(one.carried)}")
    return [*parts, *changed(one.totals, one.changes, width)]


def changed(totals: Sequence[Change], changes: Sequence[Change], width: int) -> list[RenderableType]:
    """Return by indicator how many figures of agencies changed, and by how much together; nothing if none did."""
    if not changes:
        return []
    agencies = Counter(one.indicator for one in changes)
    rows = [[one.indicator, f"{agencies[one.indicator]:,}", *_counts(one)] for one in totals]
    return ["", table(_TOTALS, rows, width)]


def _counts(one: Change) -> list[str]:
    return ["not told" if count is None else f"{count:+,}" for count in (one.hits, one.judged, one.unknown)]


_TOTALS = (
    Column("indicator"),
    Column("figures", "figure"),
    Column("hits", "figure"),
    Column("judged", "figure"),
    Column("unknown", "figure"),
)
_CHANGES = (Column("indicator"), Column("agency"), Column("name", "name"), *_TOTALS[2:], Column("state", "prose"))


def differing(
    one: Edition, found: Differences, names: Mapping[str, str], width: int, *, every: bool
) -> list[RenderableType]:
    """Tell what differs between an edition and its period as it is now; `every`: each figure."""
    if not found.any:
        words = [f"nothing differs from edition {one.number} of {one.period}"]
        return [*words, *([found.why_carried] if found.why_carried else [])]
    parts: list[RenderableType] = [f"[bold]since edition {one.number} of {one.period}[/]"]
    parts += [f"  {escape(words)}" for words in found.in_words()]
    parts += changed(found.totals, found.changes, width)
    if every and found.changes:
        rows = [
            [each.indicator, each.agency, escape(names.get(each.agency, "")), *_counts(each), _states(each)]
            for each in found.changes
        ]
        parts += ["", table(_CHANGES, rows, width)]
    return parts


def _states(one: Change) -> str:
    before, now = (state.replace("_", " ") or "not there" for state in (one.state_before, one.state))
    return now if before == now else f"{before} -> {now}"


def missing(period: str, found: Sequence[Lacking], width: int) -> list[RenderableType]:
    """Tell what keeps a period from being sealed, and the commands that fill it."""
    rows = [[one.source, escape(one.says), escape("\nor ".join(one.mend))] for one in found]
    columns = (Column("source"), Column("what is missing", "prose"), Column("what fills it", "prose"))
    return [f"[bold]{period} cannot be sealed yet[/]", "", table(columns, rows, width)]


def verified(found: Sequence[Verified], width: int) -> list[RenderableType]:
    """Tell of each edition whether it is as it was sealed."""
    if not found:
        return ["There is no edition yet."]
    rows = [
        [
            one.period or "–",
            str(one.number or "–"),
            iso(local_day(one.sealed)) if one.sealed else "–",
            one.key or "–",
            f"{one.figures:,}",
            f"{one.lists:,}" if one.lists else "–",
            f"[red]{escape(one.fault)}[/]" if one.fault else "as it was sealed",
        ]
        for one in found
    ]
    columns = (
        Column("period"),
        Column("edition", "figure"),
        Column("sealed"),
        Column("key"),
        Column("figures", "figure"),
        Column("added up", "figure"),
        Column("result", "prose"),
    )
    return [table(columns, rows, width)]


def listed(found: Sequence[Edition], width: int) -> list[RenderableType]:
    """List editions."""
    if not found:
        return ["Nothing is sealed yet: collector seal PERIOD"]
    rows = [
        [
            one.period,
            str(one.number),
            rfc3339(one.sealed)[:16].replace("T", " "),
            one.reason or "–",
            f"{len(one.changes):,}" if one.reason else "–",
            fingerprint(one.public_key),
            one.digest[:16],
            escape(one.says),
        ]
        for one in found
    ]
    columns = (
        Column("period"),
        Column("edition", "figure"),
        Column("sealed"),
        Column("reason"),
        Column("changed", "figure"),
        Column("key"),
        Column("digest"),
        Column("says", "prose"),
    )
    return [table(columns, rows, width)]


def gaps(found: Sequence[Lost], width: int) -> list[RenderableType]:
    """List the days that are accepted as lost."""
    if not found:
        return ["No day is accepted as lost."]
    rows = [
        [one.source, iso(one.first_day), iso(one.last_day), iso(local_day(one.accepted)), escape(one.reason)]
        for one in found
    ]
    columns = (Column("source"), Column("from"), Column("to"), Column("accepted"), Column("reason", "prose"))
    return [table(columns, rows, width)]


# -- for programs --------------------------------------------------------------------------------------------------


def edition(one: Edition) -> dict[str, Any]:
    """An edition without its readings and rows."""
    return {
        "period": one.period,
        "edition": one.number,
        "sealed": rfc3339(one.sealed),
        "reason": one.reason or None,
        "says": one.says,
        "digest": one.digest,
        "previous": one.previous or None,
        "position": one.position,
        "key": fingerprint(one.public_key),
        "carried": list(one.carried),
        "changes": [change(each) for each in one.changes],
        "totals": [change(each) for each in one.totals],
    }


def change(one: Change) -> dict[str, Any]:
    """What became of a figure; the agency is null for the sum of all."""
    told: dict[str, Any] = {
        "indicator": one.indicator,
        "agency": one.agency or None,
        "hits": one.hits,
        "judged": one.judged,
        "unknown": one.unknown,
    }
    return told | ({"state_before": one.state_before, "state": one.state} if one.agency else {})


def differences(one: Edition, found: Differences) -> dict[str, Any]:
    """What differs between an edition and its period as it is now."""
    return {
        "period": one.period,
        "edition": one.number,
        "differs": found.any,
        "says": found.in_words(),
        "changes": [change(each) for each in found.changes],
        "totals": [change(each) for each in found.totals],
    }


def lacking(found: Iterable[Lacking]) -> list[dict[str, Any]]:
    """What keeps a period from being sealed."""
    return [
        {
            "source": one.source,
            "records": list(one.records),
            "from": None if one.first_day is None else iso(one.first_day),
            "to": None if one.last_day is None else iso(one.last_day),
            "says": one.says,
            "mend": list(one.mend),
        }
        for one in found
    ]


def verdicts(found: Iterable[Verified]) -> list[dict[str, Any]]:
    """What was verified."""
    return [
        {
            "period": one.period,
            "edition": one.number,
            "sealed": rfc3339(one.sealed) if one.sealed else None,
            "digest": one.digest,
            "key": one.key,
            "figures": one.figures,
            "lists": one.lists,
            "fault": one.fault,
        }
        for one in found
    ]


def lost(found: Iterable[Lost]) -> list[dict[str, Any]]:
    """The days that are accepted as lost."""
    return [
        {
            "source": one.source,
            "from": iso(one.first_day),
            "to": iso(one.last_day),
            "reason": one.reason,
            "accepted": rfc3339(one.accepted),
        }
        for one in found
    ]
