"""Readings, explanations and states as text and tables for a person at a terminal `width` columns wide."""

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from collector.collect import Outcome
from collector.contract.connector import Finding
from collector.contract.indicator import Indicator
from collector.contract.period import iso, rfc3339
from collector.contract.reading import Reading
from collector.contract.records import INSTANTS, is_day
from collector.matching import Pair
from collector.privacy import Month, StoredRecord
from collector.readings import Explanation
from collector.reconcile import KINDS, Reconciled
from collector.sinks.columns import GAP, NAME, Column, least, table
from collector.status import BadRecord, Reconciliation, SourceStatus

# A figure that may not be published is told by its state, never by a number.
_STATES = {
    "missing": "[red]missing[/]",
    "partial": "[yellow]partial[/]",
    "not_applicable": "[dim]not applicable[/]",
}
_SUPPRESSED = "[dim]suppressed[/]"
_SHORT = _STATES | {"not_applicable": "[dim]n/a[/]"}
_RESULTS = {
    "never": "[yellow]never read[/]",
    "running": "running",
    "done": "done",
    "cut_off": "[yellow]cut off[/]",
    "try_again": "[red]try again[/]",
    "access_denied": "[red]access denied[/]",
    "unexpected_answer": "[red]unexpected answer[/]",
    "bug": "[red]bug[/]",
}
_FINDINGS = {"ok": "[green]ok[/]", "unproved": "[yellow]unproved[/]", "failed": "[red]failed[/]"}


Shown = RenderableType


def share(one: Reading, states: Mapping[str, str] = _STATES) -> str:
    """A figure for people: a percentage with two places, half up from its counts, or the state in its place.

    Of one that is measured but may not be told, that it is suppressed.
    """
    if one.suppressed and one.state == "measured":
        return _SUPPRESSED
    return states[one.state] if one.percentage is None else f"{one.percentage} %"


def _number(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"


# -- readings ----------------------------------------------------------------------------------------------------


def matrix(
    readings: Iterable[Reading], names: Mapping[str, str], indicators: Sequence[Indicator], width: int
) -> list[Shown]:
    """Agencies down, indicators across, for each period; in several tables where they do not fit beside each other."""
    shown: list[Shown] = []
    by_period: dict[str, dict[str, dict[str, Reading]]] = {}
    for one in readings:
        by_period.setdefault(one.period, {}).setdefault(one.agency, {})[one.indicator] = one
    for period, agencies in by_period.items():
        shown.append(f"[bold]{period}[/]")
        for across in _beside_each_other(indicators, agencies, width):
            columns = [Column("agency"), Column("name", "name"), *(Column(one.id, "figure") for one in across)]
            rows = [
                [code, escape(names.get(code, "")), *(share(own[one.id], _SHORT) for one in across if one.id in own)]
                for code, own in agencies.items()
            ]
            shown += [table(columns, rows, width), ""]
    return shown


def _beside_each_other(indicators: Sequence[Indicator], agencies: Iterable[str], width: int) -> list[list[Indicator]]:
    """Cut a row of indicators into pieces, each of which fits the terminal with the agencies' codes and names."""
    taken = max((len(code) for code in agencies), default=0) + GAP + NAME
    pieces: list[list[Indicator]] = []
    left = 0
    for one in indicators:
        needed = GAP + least([Column(one.id, "figure")], [["100.00 %"]])
        if not pieces or needed > left:
            pieces.append([])
            left = width - taken
        pieces[-1].append(one)
        left -= needed
    return pieces


def details(readings: Sequence[Reading], names: Mapping[str, str], width: int, *, by_agency: bool) -> list[Shown]:
    """Each reading with its counts, and in words why it is not measured.

    A table for each period and indicator, or with `by_agency` for each period and agency.
    """

    def group(one: Reading) -> tuple[str, str]:
        return one.period, one.agency if by_agency else one.indicator

    periods = list(dict.fromkeys(one.period for one in readings))
    ordered = sorted(readings, key=lambda one: (periods.index(one.period), group(one)))
    first = [Column("indicator")] if by_agency else [Column("agency"), Column("name", "name")]
    columns = [*first, *(Column(title, "figure") for title in ("figure", "hits", "judged", "unknown"))]
    columns.append(Column("through"))

    def cells(one: Reading) -> list[str]:
        what = [one.indicator] if by_agency else [one.agency, escape(names.get(one.agency, ""))]
        counts = [_number(count) for count in (one.hits, one.judged, one.unknown)]
        return [*what, share(one), *counts, _day(one.through)]

    every = [cells(one) for one in readings]
    shown: list[Shown] = []
    for (period, other), some in groupby(ordered, key=group):
        own = list(some)
        name = f" {escape(names.get(other, ''))}" if by_agency else ""
        shown += [f"[bold]{other}[/]{name}, {period}", table(columns, [cells(one) for one in own], width, every)]
        whys = [(one.indicator if by_agency else one.agency, one.why) for one in own if one.why]
        shown += [*reasons(whys), ""]
    return shown


def reasons(whys: Iterable[tuple[str, str]]) -> list[Shown]:
    """Reasons in words, each once, behind the codes that it holds for."""
    codes: dict[str, list[str]] = {}
    for code, why in whys:
        codes.setdefault(why, []).append(code)
    return [f"{', '.join(some)}: {escape(why)}" for why, some in codes.items()]


def _day(day: int | None) -> str:
    return "–" if day is None else iso(day)


# -- explanation -------------------------------------------------------------------------------------------------


def explanation(one: Explanation, indicator: Indicator, name: str, limit: int | None, width: int) -> list[Shown]:
    """The figure, its definition, and the rows behind it: the first `limit`, or all."""
    reading = one.reading
    facts = {
        "figure": f"[bold]{share(reading)}[/]: {_counts(reading, indicator)}",
        "why": escape(reading.why),
        "counted": escape(indicator.counted_en),
        "hit": escape(indicator.hit_en),
        "legal": escape(indicator.legal),
    }
    shown: list[Shown] = [
        f"[bold]{escape(name)}[/] ({reading.agency}), {reading.period}",
        f"[bold]{indicator.id}[/], version {indicator.version}: {escape(indicator.title_en)}",
        escape(indicator.title_vi),
        labelled({label: text for label, text in facts.items() if text}),
        "",
    ]
    rows = one.rows if limit is None else one.rows[:limit]
    if rows:
        shown += _evidence(one.columns, [_cells(one.columns, row) for row in rows], width)
    if len(rows) < len(one.rows):
        shown.append(f"{len(one.rows) - len(rows):,} more rows: add --rows to see them all")
    return shown


def _counts(reading: Reading, indicator: Indicator) -> str:
    """The counts in words. A figure "at the period's end" is that of one day, and says which."""
    if reading.through is None:
        return "nothing is covered"
    when = f"on {iso(reading.through)}" if indicator.period == "end" else f"through {iso(reading.through)}"
    if reading.suppressed:
        return f"not told, {when}"
    unknown = f"; {reading.unknown:,} cannot be judged" if reading.unknown else ""
    return f"{_number(reading.hits)} of {_number(reading.judged)} {when}{unknown}"


_FIGURES = {"hits", "judged", "unknown"}


def _evidence(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Shown]:
    """Rows as a table; where that does not fit, each as a line of its own with the rest of it below."""
    columns = [Column(title.replace("_", " "), "figure" if title in _FIGURES else "code") for title in titles]
    if least(columns, rows) <= width:
        return [table(columns, rows, width)]
    shown: list[Shown] = []
    for row in rows:
        named = dict(zip(titles, row, strict=True))
        head = [named.pop(title) for title in ("source", "key", "day", "verdict")]
        rest = ", ".join(f"{title.replace('_', ' ')} {value}" for title, value in named.items())
        shown += ["  ".join(head), Padding(f"[dim]{rest}[/]", (0, 0, 0, 4))]
    return shown


def _cells(titles: Sequence[str], row: Sequence[Any]) -> list[str]:
    return [_cell(title, value) for title, value in zip(titles, row, strict=True)]


_VERDICTS = {"hit": "[green]hit[/]", "miss": "[red]miss[/]", "unknown": "[yellow]unknown[/]"}


def _cell(title: str, value: Any) -> str:
    if value is None:
        return "–"
    if title == "verdict":
        return _VERDICTS[value]
    if isinstance(value, int) and is_day(title):
        return iso(value)
    if isinstance(value, int) and title in INSTANTS:
        return rfc3339(value)[:19].replace("T", " ")
    return escape(str(value))


def labelled(texts: Mapping[str, str]) -> Table:
    """Texts behind their labels, wrapped beside them."""
    grid = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for label, text in texts.items():
        grid.add_row(label, text)
    return grid


# -- state of the sources ----------------------------------------------------------------------------------------


_STATES_OF_SOURCES = (
    Column("source"),
    Column("last run"),
    Column("result"),
    Column("covered through"),
    Column("records", "figure"),
    Column("quarantined", "figure"),
)


def states(statuses: Iterable[SourceStatus], width: int) -> list[Shown]:
    """The state of each source, then in words what needs somebody."""
    rows = []
    words: list[Shown] = []
    for one in statuses:
        through = min(one.covered.values(), default=None)
        rows.append(
            [
                one.source,
                "–" if one.last_run is None else rfc3339(one.last_run)[:16].replace("T", " "),
                f"{_RESULTS[one.result]}{', [yellow]stale[/]' if one.stale and one.result != 'never' else ''}",
                _day(through),
                f"{sum(one.records.values()):,}",
                f"{one.quarantined:,}",
            ]
        )
        words += (f"[bold]{one.source}[/]: {word}" for word in _words(one))
    return [table(_STATES_OF_SOURCES, rows, width), *(["", *words] if words else ())]


def _words(one: SourceStatus) -> list[str]:
    words = []
    if one.message:
        # The message of a failed run names its source itself.
        words.append(escape(one.message.removeprefix(f"{one.source}, ").removeprefix(f"{one.source}: ")))
    for record, count in one.uncovered_days.items():
        words.append(f"{count} day{'s' if count > 1 else ''} of {record} not covered")
    if one.unknown_codes:
        codes = ", ".join(f"{escape(code or '(empty)')} ({count})" for code, count in one.unknown_codes.items())
        words.append(f"agency codes that the register does not know, with their records: {codes}")
    if one.last_logins is not None and one.last_logins.unseen:
        words.append(
            f"{one.last_logins.unseen:,} of {one.last_logins.compared:,} mailboxes have their last login on a day of"
            " which the logs, read wholly, show no session of theirs: see whether the logs of every server are read,"
            " and whether only imap and pop3 note last logins there"
        )
    if one.quarantined:
        many = "1 record" if one.quarantined == 1 else f"{one.quarantined:,} records"
        words.append(f"{many} could not be used: `collector status --bad` lists them")
    if one.reconciliation is not None:
        words.append(_compared(one.reconciliation))
    return words


_KINDS = {str(kind): words for kind, words in KINDS.items()}


def _compared(one: Reconciliation) -> str:
    """One line about the last comparison of a source with the store."""
    when = rfc3339(one.began)[:16].replace("T", " ")
    if one.result != "done":
        return f"[yellow]could not be compared with the store on {when}[/]: {escape(one.message)}"
    span = f"{iso(one.first_day)} to {iso(one.last_day)}"
    found = ", ".join(f"{record}: {count:,} {_KINDS[kind]}" for (record, kind), count in one.differing.items())
    return f"compared with the store on {when}, {span}: {found or 'no difference'}"


def bad(records: Iterable[BadRecord], width: int) -> list[Shown]:
    """What could not be used, and why."""
    rows = [[one.source, one.record, escape(one.key), escape(one.field), escape(one.reason)] for one in records]
    if not rows:
        return ["Every record that was read could be used."]
    columns = [*(Column(title) for title in ("source", "record", "key", "field")), Column("reason", "prose")]
    return [table(columns, rows, width)]


def findings(found: Iterable[tuple[str, Finding]], width: int) -> list[Shown]:
    """What `check --live` found out, source by source."""
    rows = [
        [
            source,
            _FINDINGS[one.result],
            one.stage,
            escape(one.says) + (f". [bold]{escape(one.mend)}[/]" if one.mend else ""),
        ]
        for source, one in found
    ]
    columns = [Column("source"), Column("result"), Column("stage"), Column("finding", "prose")]
    return [table(columns, rows, width)] if rows else []


def collected(outcomes: Iterable[Outcome], width: int) -> list[Shown]:
    """What a run brought, source by source."""
    titles = ("read", "new", "changed", "unchanged", "quarantined")
    columns = [Column("source"), Column("result"), *(Column(title, "figure") for title in titles)]
    rows = []
    for one in outcomes:
        saved = one.saved
        numbers = (saved.read, saved.inserted, saved.updated, saved.unchanged, saved.quarantined)
        rows.append([one.source, _RESULTS[one.result], *(f"{number:,}" for number in numbers)])
    return [table(columns, rows, width)]


_HOLDS = {True: "holds", False: "[red]does not hold[/]", None: ""}


def measured(figures: Iterable[Mapping[str, Any]], width: int) -> list[Shown]:
    """What a benchmark measured, and whether what is promised holds."""
    columns = [
        Column("figure"),
        Column("value", "figure"),
        Column("unit"),
        Column("promised", "figure"),
        Column("result"),
    ]
    rows = []
    for one in figures:
        value = "-" if one["value"] is None else f"{one['value']:,.10g}"
        target = "" if one["target"] is None else f"{one['target']:g}"
        rows.append([one["name"], value, one["unit"], target, _HOLDS[one["holds"]], escape(one["peer"] or "")])
    return [table([*columns, Column("beside", "prose")], rows, width)]


def reconciled(compared: Iterable[Reconciled], width: int) -> list[Shown]:
    """How the store differed from each source: records by kind."""
    columns = [Column("source"), Column("result"), Column("record")]
    columns += [Column(title, "figure") for title in ("listed", "stored", *KINDS)]
    rows = []
    for one in compared:
        for record, found in one.differences.items():
            numbers = (found.listed, found.stored, *(found.kinds[kind] for kind in KINDS))
            rows.append([one.source, _RESULTS[one.result], record.NAME, *(f"{number:,}" for number in numbers)])
        if not one.differences:
            rows.append([one.source, _RESULTS[one.result], "–", *("–" for _ in range(2 + len(KINDS)))])
    return [table(columns, rows, width)]


def matched(pairs: Sequence[Pair], width: int) -> list[Shown]:
    """What senders and recipients say of the documents between them; "–" where a list is not known."""
    columns = [Column("sender"), Column("recipient")]
    titles = ("sent", "in the recipient's list", "not there", "without an id", "got, but not sent")
    columns += [Column(title, "figure") for title in titles]
    rows = [
        [
            one.sender,
            one.recipient,
            *(_number(n) for n in (one.sent, one.matched, one.unmatched, one.without_id, one.not_sent)),
        ]
        for one in pairs
    ]
    return [table(columns, rows, width) if rows else "No electronic document went between agencies of the register."]


def differences(changed: Iterable[tuple[Reading, Reading]], names: Mapping[str, str], width: int) -> list[Shown]:
    """Readings that a run would change: before and after."""
    columns = [Column("indicator"), Column("period"), Column("agency"), Column("name", "name")]
    columns += [Column("now", "figure"), Column("would be", "figure")]
    rows = [
        [
            one.indicator,
            one.period,
            one.agency,
            escape(names.get(one.agency, "")),
            *(f"{_number(each.hits)}/{_number(each.judged)} {share(each, _SHORT)}" for each in (one, other)),
        ]
        for one, other in changed
    ]
    return [table(columns, rows, width)] if rows else []


# -- persons ------------------------------------------------------------------------------------------------------


def privacy(
    months: Sequence[Month], overdue: Sequence[Month], records: Sequence[StoredRecord], width: int
) -> list[Shown]:
    """What is stored of persons by month, what is overdue, and the register of all fields."""
    columns = [Column("month"), Column("key"), Column("mailboxes", "figure"), Column("days of use", "figure")]
    columns += [Column("pending", "figure"), Column("sealed"), Column("destroy from"), Column("destroyed")]
    rows = [
        [
            one.month.name,
            "yes" if one.key else "no",
            f"{one.mailboxes:,}",
            f"{one.mailbox_days:,}",
            f"{one.pending:,}",
            "–" if one.sealed is None else rfc3339(one.sealed)[:10],
            _day(one.from_day),
            "–" if one.destroyed is None else rfc3339(one.destroyed)[:10],
        ]
        for one in months
    ]
    shown: list[Shown] = ["[bold]Records of single mailboxes, under pseudonyms[/]"]
    shown += [table(columns, rows, width)] if rows else ["None is stored."]
    shown += [f"[yellow]{one.month}: should be destroyed since {_day(one.from_day)}[/]" for one in overdue]
    fields = [Column("field"), Column("kind"), Column("of a person", "prose")]
    every = [_stored_fields(one) for one in records]
    for one, own in zip(records, every, strict=True):
        facts = {
            "what": escape(one.says),
            "purpose": ", ".join(one.purpose) or "for figures to come",
            "legal": escape("; ".join(one.legal)),
            "kept": escape(one.retention),
        }
        shown += ["", f"[bold]{one.record}[/]", labelled({label: text for label, text in facts.items() if text})]
        shown.append(table(fields, own, width, [row for some in every for row in some]))
    return shown


def _stored_fields(one: StoredRecord) -> list[list[str]]:
    return [[field.name, field.kind, field.of_person] for field in one.fields]


# -- catalogue and register --------------------------------------------------------------------------------------


def declaration(one: Indicator) -> list[Shown]:
    """An indicator as the catalogue shows it."""
    texts = {
        "counted": f"{escape(one.counted_vi)}\n{escape(one.counted_en)}",
        "hit": f"{escape(one.hit_vi)}\n{escape(one.hit_en)}",
        "legal": escape(one.legal),
        "needs": ", ".join(record.NAME for record in one.needs),
    }
    title = f"[bold]{one.id}[/], version {one.version}"
    return [title, escape(one.title_vi), escape(one.title_en), labelled(texts), ""]


def register(agencies: Sequence[Mapping[str, Any]], width: int) -> list[Shown]:
    """The register of agencies, then who is left out of wider figures, and who came after whom."""
    columns = [Column("code"), Column("name", "name"), Column("block"), Column("headcount", "figure")]
    columns += [Column("old codes"), Column("sources", "prose")]
    rows = [
        [
            one["code"],
            escape(one["name"]),
            one["block"],
            "–" if one["headcount"] is None else f"{one['headcount']:,}",
            ", ".join(one["old_codes"]) or "–",
            ", ".join(one["sources"]) or "[red]none[/]",
        ]
        for one in agencies
    ]
    outside = reasons((one["code"], one["outside"]) for one in agencies if one["outside"])
    divided = {one["code"] for one in agencies if one["divided_among"]}
    after = [text for one in agencies if (text := _succession(one, divided))]
    return [table(columns, rows, width), *(f"outside: {reason}" for reason in outside), *after]


def _succession(one: Mapping[str, Any], divided: Container[str]) -> str:
    """When an agency began or ended, and what came before and after it; "" if neither is known of it."""
    parts = []
    if one["predecessors"]:
        began = f"began on {one['from']}: " if one["from"] else ""
        before = [code if code not in divided else f"a part of {code}" for code in one["predecessors"]]
        parts.append(f"{began}took over {', '.join(before)}")
    if one["to"]:
        after = f": {one['successor']} took over" if one["successor"] else ""
        among = f": divided among {', '.join(one['divided_among'])}" if one["divided_among"] else ""
        parts.append(f"ended on {one['to']}{after}{among}")
    return f"{one['code']}: {'; '.join(parts)}" if parts else ""
