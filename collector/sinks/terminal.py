"""Readings, rankings, explanations and states as tables for a person at a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from collector.collect import Outcome
from collector.contract.indicator import Indicator
from collector.contract.period import iso, rfc3339
from collector.contract.reading import Reading, Score
from collector.readings import Explanation
from collector.status import SourceStatus

# A figure that may not be published is told by its state, never by a number.
_STATES = {"missing": "[red]missing[/]", "partial": "[yellow]partial[/]", "not_applicable": "[dim]n/a[/]"}


def share(one: Reading) -> str:
    """A figure for people: a percentage with two places, or the state in its place."""
    value = one.value
    return _STATES[one.state] if value is None else f"{value * 100:.2f} %"


def matrix(readings: Iterable[Reading], names: Mapping[str, str], indicators: Sequence[Indicator]) -> list[Table]:
    """One table per period: agencies down, indicators across."""
    tables = []
    by_period: dict[str, dict[str, dict[str, Reading]]] = {}
    for one in readings:
        by_period.setdefault(one.period, {}).setdefault(one.agency, {})[one.indicator] = one
    for period, agencies in by_period.items():
        table = Table(title=period, title_justify="left", box=None, pad_edge=False, header_style="bold")
        table.add_column("agency", no_wrap=True)
        table.add_column("name", overflow="ellipsis", no_wrap=True, max_width=40)
        for indicator in indicators:
            table.add_column(indicator.id.replace(".", ".\n"), justify="right", no_wrap=True)
        for agency, own in agencies.items():
            cells = (share(own[one.id]) if one.id in own else "" for one in indicators)
            table.add_row(agency, escape(names.get(agency, "")), *cells)
        tables.append(table)
    return tables


def details(readings: Iterable[Reading], names: Mapping[str, str]) -> Table:
    """One line per reading, with its counts and why it is not measured."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("indicator", "period", "agency", "name", "figure", "hits", "judged", "unknown", "through", "why"):
        table.add_column(title, justify="right" if title in ("figure", "hits", "judged", "unknown") else "left")
    for one in readings:
        table.add_row(
            one.indicator,
            one.period,
            one.agency,
            escape(names.get(one.agency, "")),
            share(one),
            str(one.hits),
            str(one.judged),
            str(one.unknown),
            "" if one.through is None else iso(one.through),
            escape(one.why),
        )
    return table


def ranking(scores: Sequence[Score], names: Mapping[str, str], blocks: Mapping[str, str]) -> list[Table]:
    """One table per block. A rank that what is missing could still change is shown with its interval."""
    tables = []
    for block in dict.fromkeys(one.block for one in scores):
        table = Table(title=escape(blocks.get(block, block)), title_justify="left", box=None, pad_edge=False)
        for title, right in (
            ("rank", True),
            ("agency", False),
            ("name", False),
            ("points", True),
            ("interval", True),
            ("measured", True),
            ("band", False),
        ):
            table.add_column(title, justify="right" if right else "left", no_wrap=True)
        for one in scores:
            if one.block != block:
                continue
            table.add_row(
                _rank(one),
                one.agency,
                escape(names.get(one.agency, "")),
                f"{one.points:.2f}",
                "" if one.points_low == one.points_high else f"{one.points_low:.2f}–{one.points_high:.2f}",
                f"{one.measured_share * 100:.0f} %",
                escape(one.band or one.why),
            )
        tables.append(table)
    return tables


def _rank(one: Score) -> str:
    if one.rank is None:
        return "–"
    if one.rank_best == one.rank_worst:
        return str(one.rank)
    return f"{one.rank} ({one.rank_best}–{one.rank_worst})"


def explanation(one: Explanation, indicator: Indicator, name: str, limit: int | None) -> list[Any]:
    """The figure, its definition, and the rows behind it."""
    reading = one.reading
    lines: list[Any] = [
        f"[bold]{escape(name)}[/] ({reading.agency}), {reading.period}",
        f"{indicator.id}, version {indicator.version}: {escape(indicator.title_en)}",
        f"  {escape(indicator.title_vi)}",
        f"  counted: {escape(indicator.counted_en)}",
        f"  hit:     {escape(indicator.hit_en)}",
        f"  legal:   {escape(indicator.legal)}",
        f"  {reading.hits} of {reading.judged}, {reading.unknown} cannot be judged: [bold]{share(reading)}[/]"
        + (f", through {iso(reading.through)}" if reading.through else "")
        + (f" ({escape(reading.why)})" if reading.why else ""),
    ]
    if one.rows:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in one.columns:
            table.add_column(title, no_wrap=True)
        shown = one.rows if limit is None else one.rows[:limit]
        for row in shown:
            table.add_row(*(_cell(title, value) for title, value in zip(one.columns, row, strict=True)))
        lines.append(table)
        if len(shown) < len(one.rows):
            lines.append(f"… {len(one.rows) - len(shown)} more rows: add --rows to see all of them")
    return lines


def _cell(title: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, int) and (title == "day" or title.endswith("_day")):
        return iso(value)
    return escape(str(value))


def states(statuses: Iterable[SourceStatus]) -> list[Any]:
    """The state of each source, then in words what needs somebody."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("source", "connector", "last run", "result", "covered through", "records", "quarantined"):
        table.add_column(title, justify="right" if title in ("records", "quarantined") else "left")
    words: list[Any] = []
    for one in statuses:
        result = one.result if one.result == "done" else f"[red]{one.result}[/]"
        through = min(one.covered.values(), default=None)
        table.add_row(
            one.source,
            one.connector,
            "–" if one.last_run is None else rfc3339(one.last_run)[:16].replace("T", " "),
            f"{result}{' [yellow](stale)[/]' if one.stale else ''}",
            "–" if through is None else iso(through),
            f"{sum(one.records.values()):,}",
            str(one.quarantined),
        )
        if one.message:
            words.append(f"[red]{one.source}[/]: {escape(one.message)}")
        for record, count in one.uncovered_days.items():
            words.append(f"{one.source}: {count} day{'s' if count > 1 else ''} of {record} not covered")
        if one.unknown_codes:
            codes = ", ".join(f"{escape(code or '(empty)')} ({count})" for code, count in one.unknown_codes.items())
            words.append(f"{one.source}: agency codes that the register does not know, with their records: {codes}")
        if one.quarantined:
            words.append(f"{one.source}: {one.quarantined} records could not be used; see `collector status --bad`")
    return [table, *words]


def collected(outcomes: Iterable[Outcome]) -> list[Any]:
    """What a run brought, source by source."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("source", "result", "read", "new", "changed", "unchanged", "quarantined"):
        table.add_column(title, justify="left" if title in ("source", "result") else "right")
    for one in outcomes:
        saved = one.saved
        numbers = (saved.read, saved.inserted, saved.updated, saved.unchanged, saved.quarantined)
        table.add_row(one.source, one.result, *(f"{number:,}" for number in numbers))
    return [table]


def declaration(one: Indicator) -> str:
    """An indicator as the catalogue shows it."""
    needs = ", ".join(record.NAME for record in one.needs)
    return (
        f"[bold]{one.id}[/], version {one.version}\n"
        f"  {escape(one.title_vi)}\n  {escape(one.title_en)}\n"
        f"  counted: {escape(one.counted_vi)}\n           {escape(one.counted_en)}\n"
        f"  hit:     {escape(one.hit_vi)}\n           {escape(one.hit_en)}\n"
        f"  legal:   {escape(one.legal)}\n  needs:   {needs}\n"
    )


def register(agencies: Iterable[Mapping[str, Any]]) -> Table:
    """The register of agencies."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("code", "name", "block", "headcount", "old codes", "sources", "outside"):
        table.add_column(title, justify="right" if title == "headcount" else "left")
    for one in agencies:
        table.add_row(
            one["code"],
            escape(one["name"]),
            one["block"],
            "–" if one["headcount"] is None else str(one["headcount"]),
            ", ".join(one["old_codes"]),
            ", ".join(one["sources"]) or "[red]none[/]",
            escape(one["outside"]),
        )
    return table
