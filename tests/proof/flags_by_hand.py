"""The integrity flags of the sample province, found in its ledger alone: what `collector flags` must raise.

It walks over dossiers and days with a list of working days; it imports no line of what it checks. The due day that
counts is that of the ledger's own truth.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from collector.demo.ledger import Dossier, Ledger
from collector.demo.truth import Calendar, _effective_due

Found = set[tuple[str, str, str, int]]
"""Flag, agency, key and day."""


def found(ledger: Ledger, first: int, last: int, truth: Sequence[dict[str, Any]] = ()) -> Found:
    """Return the flags of the days `first..last` (a month).

    `truth` are the true readings, for those that repeat or fall by half.
    """
    calendar = Calendar(frozenset(ledger.days_off), frozenset(day // 10_000 for day in ledger.days_off))
    flags: Found = set()
    for one in ledger.dossiers:
        if one.deleted or one.agency is None:
            continue
        for flag, day in _of_one(one, calendar):
            if first <= day <= last:
                flags.add((flag, one.agency, one.id, day))
    flags |= _bunched(ledger, calendar, first, last)
    return flags | _figures(truth, first, last)


def _of_one(one: Dossier, calendar: Calendar) -> Iterator[tuple[str, int]]:
    yield from (("due_moved_late", day) for day in _moved(one, calendar))
    if one.received_day is not None and one.promises:
        for pause in one.pauses:
            before = [other for other in one.pauses if other.begun_day < pause.begun_day]
            due, waits = _effective_due(calendar, replace(one, pauses=before))
            if due is not None and not waits and pause.begun_day > due:
                yield "paused_late", pause.begun_day
    day = one.completed_day
    if day is not None:
        if not calendar.is_working(day):
            yield "completed_on_day_off", day
        if one.received_day is not None and day < one.received_day:
            yield "completed_before_intake", day
    if one.outcome == "withdrawn" and one.ended_day is not None:
        due, waits = _effective_due(calendar, one)
        if due is not None and not waits and one.ended_day <= due:
            left = calendar.working_days_after(one.ended_day, due)
            if left <= 1:
                yield "withdrawn_before_due", one.ended_day


def _moved(one: Dossier, calendar: Calendar) -> Iterator[int]:
    """Yield each day on which a later date was given although the one before, with its pauses, had passed."""
    shown = {promise.day: promise for promise in reversed(one.promises)}  # a day promised twice was promised first then
    promises = sorted(shown.values(), key=lambda promise: promise.at)
    for place in range(1, len(promises)):
        before, now = promises[place - 1], promises[place]
        day, made = _day(now.at), _day(before.at) if place > 1 else 0
        pauses = [
            replace(pause, ended_day=None if pause.ended_day is None or pause.ended_day > day else pause.ended_day)
            for pause in one.pauses
            if pause.begun_day <= day and (pause.ended_day is None or pause.ended_day > made)
        ]
        due, waits = _effective_due(calendar, replace(one, promises=[before], pauses=pauses))
        if now.day > before.day and due is not None and not waits and due < day:
            yield day


def _bunched(ledger: Ledger, calendar: Calendar, first: int, last: int) -> Found:
    days = [day for day in range(first, last + 1) if day % 100 <= 31]
    working = [day for day in days if _exists(day) and calendar.is_working(day)]
    closed: dict[str, list[Dossier]] = defaultdict(list)
    for one in ledger.dossiers:
        if not one.deleted and one.agency is not None and one.completed_day and first <= one.completed_day <= last:
            closed[one.agency].append(one)
    flags: Found = set()
    for agency, dossiers in closed.items():
        at_the_end = [one for one in dossiers if one.completed_day and one.completed_day >= working[-1]]
        ordinary = (len(dossiers) - len(at_the_end)) / (len(working) - 1)
        if len(at_the_end) >= 10 and len(at_the_end) > 3 * ordinary:
            flags |= {("closings_bunched", agency, one.id, one.completed_day or 0) for one in at_the_end}
    return flags


def _figures(truth: Sequence[dict[str, Any]], first: int, last: int) -> Found:
    month = f"{first // 10_000}-{first // 100 % 100:02d}"
    year, number = divmod(first // 100 - 1, 100)
    before = f"{year}-{number:02d}" if number else f"{year - 1}-12"
    true = {(one["indicator"], one["agency"], one["period"]): one for one in truth}
    flags: Found = set()
    for (indicator, agency, period), one in true.items():
        other = true.get((indicator, agency, before))
        if period != month or other is None or one["value"] is None or other["value"] is None:
            continue
        if min(one["judged"], other["judged"]) < 30 or indicator in AT_THE_END:
            continue
        flag = ""
        if one["value"] == other["value"] and one["value"] not in ("0.000000", "1.000000"):
            flag = "same_figure"
        if Decimal(one["value"]) < Decimal(other["value"]) / 2 and indicator not in LESS_IS_BETTER:
            flag = "figure_halved"
        if flag:
            flags.add((flag, agency, indicator, int(one["through"].replace("-", ""))))
    return flags


LESS_IS_BETTER = {"mailboxes.free_mail", "mailboxes.quota_full", "documents.parallel_paper"}

AT_THE_END = {"mailboxes.provisioned", "mailboxes.quota_full", "documents.connected"}
"""Figures of a period's last day, or of the agency itself: they may well stay as they were."""


def _exists(day: int) -> bool:
    try:
        datetime(day // 10_000, day // 100 % 100, day % 100, tzinfo=UTC)
    except ValueError:
        return False
    return True


def _day(instant: int) -> int:
    local = datetime.fromtimestamp(instant, UTC) + timedelta(hours=7)
    return local.year * 10_000 + local.month * 100 + local.day
