"""What the sample province's one-stop systems report of themselves, and why, counted from its ledger alone.

A second count, by sets: our dossiers, then the same set after each rule by which the system differs, in the order in
which `collector compare` promises its causes. Written from the ledger and the facts (source-systems 2.3); it imports no
line of what it checks. The ledger's own truth says which dossier is on time by our rules.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from collector.demo.ledger import Dossier, Ledger, OwnReport
from collector.demo.truth import dossier_classes

TOTALS = ("received", "completed", "on_time", "late", "open")

ASKED, BACK = 16 * 3600 + 45 * 60, 16 * 3600 + 50 * 60
"""When on a day the systems note that a supplement is asked for, and that it came back."""


@dataclass(slots=True)
class Expected:
    """One total of one agency: ours, theirs, what each cause adds, and the dossiers of each cause with their sign."""

    ours: int = 0
    theirs: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    rows: set[tuple[str, str, int]] = field(default_factory=set)
    unexplained: int = 0


def expected(ledger: Ledger, report: OwnReport, first: int, last: int) -> dict[tuple[str, str], Expected]:
    """Return, by agency and total, what a comparison of the days `first..last` must say."""
    source = next(one for one in ledger.sources if one.name == report.source)
    verdicts = dossier_classes(ledger)
    own = [
        one for one in ledger.dossiers if one.source == source.name and not one.deleted and one.agency in source.serves
    ]
    found: dict[tuple[str, str], Expected] = defaultdict(Expected)
    for agency in source.serves:
        theirs = [one for one in own if one.agency == agency]
        for total in TOTALS:
            found[agency, total] = _walk(theirs, total, report, first, last, verdicts)
        by_hand = report.added.get(agency, 0)
        for total in ("completed", "on_time"):
            found[agency, total].unexplained = by_hand
            found[agency, total].theirs += by_hand
    return found


def _walk(
    dossiers: list[Dossier],
    total: str,
    report: OwnReport,
    first: int,
    last: int,
    verdicts: dict[str, dict[str, tuple[str, int | None]]],
) -> Expected:
    known = {one.id: one for one in dossiers}

    def these(wanted: Callable[[Dossier], bool]) -> set[str]:
        return {one.id for one in dossiers if wanted(one)}

    def within(day: int | None) -> bool:
        return day is not None and first <= day <= last

    def is_open(one: Dossier) -> bool:
        over = one.completed_day or one.ended_day
        return one.received_day is not None and one.received_day <= last and (over is None or over > last)

    def said(one: Dossier, verdict: str) -> bool:
        return verdicts[one.id]["dossiers.on_time"][0] == verdict and within(one.completed_day)

    match total:
        case "received":
            now = these(lambda one: within(one.received_day))
        case "completed":
            now = these(lambda one: within(one.completed_day))
        case "on_time":
            now = these(lambda one: said(one, "hit"))
        case "late":
            now = these(lambda one: said(one, "miss"))
        case _:
            now = these(is_open)
    told = Expected(ours=len(now))

    def step(after: set[str], cause: Callable[[Dossier], str]) -> None:
        nonlocal now
        for key, change in [*((key, 1) for key in after - now), *((key, -1) for key in now - after)]:
            told.causes[cause(known[key])] += change
            told.rows.add((key, cause(known[key]), change))
        now = after

    def counted(one: Dossier) -> bool:
        return one.channel in report.channels

    step({key for key in now if counted(known[key])}, lambda _: "channel")
    withdrawn = these(lambda one: counted(one) and one.outcome == "withdrawn" and within(one.ended_day))
    if total in ("completed", "on_time"):
        step(now | withdrawn, lambda _: "withdrawn")
    if total == "on_time":
        step(
            now | these(lambda one: counted(one) and within(one.completed_day) and not one.promises),
            lambda _: "no_due_date",
        )
    if total in ("on_time", "late"):
        step(_judged(dossiers, total, counted, lambda one: one.completed_day, within, withdrawn),
             lambda one: "paused" if one.pauses else "definition")  # fmt: skip
    if report.ended == "returned":
        if total == "completed":
            step(these(lambda one: counted(one) and within(one.returned_day)) | withdrawn, lambda _: "definition")
        if total in ("on_time", "late"):
            step(_judged(dossiers, total, counted, lambda one: one.returned_day, within, withdrawn),
                 lambda _: "definition")  # fmt: skip
    if total == "open":
        step({key for key in now if not _waits(known[key], last)}, lambda _: "paused")
    if report.made is not None:
        made = report.made
        later = these(lambda one: counted(one) and one.entered is not None and one.entered > made)
        if total == "open":
            came = these(lambda one: one.received_day is not None and one.received_day <= last)
            step(now | (later & came), lambda _: "late_entry")
        elif total != "received":
            step(now - later, lambda _: "late_entry")
    told.theirs = len(now)
    return told


def _judged(
    dossiers: list[Dossier],
    total: str,
    counted: Callable[[Dossier], bool],
    end: Callable[[Dossier], int | None],
    within: Callable[[int | None], bool],
    withdrawn: set[str],
) -> set[str]:
    """By the due date that stands now: on time until it, and without one; what was withdrawn is on time."""
    late: set[str] = set()
    on_time = set(withdrawn)
    for one in dossiers:
        day = end(one)
        if not counted(one) or day is None or not within(day):
            continue
        due = one.promises[-1].day if one.promises else None
        (late if due is not None and day > due else on_time).add(one.id)
    return on_time if total == "on_time" else late


def _waits(one: Dossier, last: int) -> bool:
    """Whether the last thing that happened to it is that a supplement was asked for, by the last day."""
    happened = [(promise.at, "promised") for promise in one.promises[1:]]
    moved = len(one.promises) == 2 and one.pauses and one.pauses[-1].ended_day == _day(one.promises[1].at)
    if moved:
        happened = []  # the new date came with the supplement
    for pause in one.pauses:
        happened.append((_instant(pause.begun_day) + ASKED, "asked"))
        if pause.ended_day is not None:
            happened.append((_instant(pause.ended_day) + BACK, "back"))
    asked = [pause.begun_day for pause in one.pauses if pause.ended_day is None]
    return bool(happened) and max(happened)[1] == "asked" and bool(asked) and asked[-1] <= last


def _instant(day: int) -> int:
    midnight = datetime(day // 10_000, day // 100 % 100, day % 100, tzinfo=UTC)
    return int(midnight.timestamp()) - 7 * 3600


def _day(instant: int) -> int:
    local = datetime.fromtimestamp(instant, UTC) + timedelta(hours=7)
    return local.year * 10_000 + local.month * 100 + local.day
