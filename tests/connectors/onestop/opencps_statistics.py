"""The statistics of the double of OpenCPS: stored rows by month, counted by the rules of facts/source-systems.md 1.4.

A row for each (agency | all) x (domain | all) x (system | all), "" meaning all. The engine reads 12:xx as 00:xx of the
same day, compares full timestamps, divides whole numbers, and calls an empty month 100 %. Live counts by days
(fromStatisticDate, toStatisticDate) go by another routine: the half-day session of the due time, and no due date is
early.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

COUNTERS = (
    "totalCount", "deniedCount", "processCount", "receivedCount", "remainingCount", "onlineCount", "onegateCount",
    "waitingCount", "processingCount", "insideCount", "outsideCount", "overdueCount", "undueCount",
    "interoperatingCount", "cancelledCount", "releaseCount", "unresolvedCount", "doneCount", "releasingCount",
    "overtimeCount", "betimesCount", "ontimeCount",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counted:
    """What the engine looks at of a dossier: instants (epoch seconds) or None."""

    agency: str
    domain: str
    system: str
    status: str
    online: bool
    received: int | None
    due: int | None
    extended: int | None
    released: int | None
    finished: int | None


class Statistics:
    """The stored rows, by (year, month)."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], list[dict[str, Any]]] = {}

    def count(self, year: int, month: int, dossiers: Iterable[Counted], now: int) -> None:
        """The nightly run for one month: its rows are written anew."""
        start, end = _month(year, month), _month(year + month // 12, month % 12 + 1)
        sums: dict[tuple[str, str, str], Counter[str]] = {("", "", ""): Counter()}
        for one in dossiers:
            counts = _counts(one, start, end, min(now, end))
            for agency, domain, system in product({"", one.agency}, {"", one.domain}, {"", one.system}):
                if counts:
                    sums.setdefault((agency, domain, system), Counter()).update(counts)
        self.rows[year, month] = [_row(year, month, place, counts) for place, counts in sorted(sums.items())]

    def answer(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        """The stored rows that a question names; without an agency those of all."""
        year, month = (int(asked.get(name, "0") or 0) for name in ("year", "month"))
        agency = asked.get("agency", "")
        rows = self.rows.get((year, month), [])
        return [row for row in rows if not agency or agency == "all" or row["govAgencyCode"] == agency]


def _row(year: int, month: int, place: tuple[str, str, str], counts: Counter[str]) -> dict[str, Any]:
    agency, domain, system = place
    done, closed = counts["betimesCount"] + counts["ontimeCount"], counts["releaseCount"]
    return {
        "month": month,
        "year": year,
        "govAgencyCode": agency,
        "govAgencyName": "Sở" if agency else "",
        "domainCode": domain,
        "system": system,
        **{name: counts[name] for name in COUNTERS},
        "ontimePercentage": done * 100 // closed if closed else 100,
    }


def _counts(one: Counted, start: int, end: int, now: int) -> Counter[str]:
    received, released = _read(one.received), _read(one.released)
    if received is None or received >= end:
        return Counter()
    if received < start and released is not None and released < start:
        return Counter()
    counts = Counter({"totalCount": 1})
    if one.status == "denied":
        counts["deniedCount"] = 1
        return counts
    counts["processCount"] = 1
    if received > start:
        counts["receivedCount"] = 1
        counts["onlineCount" if one.online else "onegateCount"] = 1
    else:
        counts["remainingCount"] = 1
    due = _read(one.due)
    if released is None or released > end:
        _open(one.status, due, now, counts)
    elif one.status == "cancelled":
        counts["cancelledCount"] = 1
    else:
        _closed(one, released, due, counts)
    return counts


def _open(status: str, due: int | None, now: int, counts: Counter[str]) -> None:
    if status in ("waiting", "receiving"):
        counts["waitingCount"] = 1
        return
    counts["processingCount"] = 1
    counts["insideCount" if status == "processing" else "outsideCount"] = 1
    late = due is not None and due <= now
    counts["overdueCount" if late else "undueCount"] = 1
    if late and status != "processing":
        counts["interoperatingCount"] = 1


def _closed(one: Counted, released: int, due: int | None, counts: Counter[str]) -> None:
    finished = _read(one.finished)
    counts["releaseCount"] = 1
    if one.status == "unresolved":
        counts["unresolvedCount"] = 1
    else:
        counts["doneCount" if finished is not None else "releasingCount"] = 1
    early = due is not None and (
        (released < due and one.extended is not None) or (finished is not None and finished < due)
    )
    late = due is not None and released > due
    counts["overtimeCount" if late else "betimesCount" if early else "ontimeCount"] = 1


def _read(instant: int | None) -> int | None:
    """An instant as the engine reads it: 24-hour text by a 12-hour pattern."""
    if instant is None:
        return None
    return instant - 12 * 3600 if (instant + 7 * 3600) % 86_400 // 3600 == 12 else instant


def _month(year: int, month: int) -> int:
    return int((datetime(year, month, 1, tzinfo=UTC) - timedelta(hours=7)).timestamp())


def by_days(dossiers: Iterable[Counted], start: int, end: int) -> dict[str, int]:
    """The live count of a span of days (`end` its last second): early, on time and late, by sessions of half a day."""
    counts = Counter({"betimesCount": 0, "ontimeCount": 0, "overtimeCount": 0, "releaseCount": 0})
    for one in dossiers:
        if one.released is None or one.status in ("denied", "cancelled") or not start < one.released < end:
            continue
        counts["releaseCount"] += 1
        if one.due is None or one.released < _session(one.due):
            counts["betimesCount"] += 1
        else:
            counts["ontimeCount" if one.released <= one.due else "overtimeCount"] += 1
    return dict(counts)


def _session(due: int) -> int:
    """The start of the half-day session that holds a due time; the afternoon's has the minute of its end."""
    second = (due + 7 * 3600) % 86_400
    midnight = due - second
    if 7 * 3600 <= second <= 11 * 3600 + 1_800:
        return midnight + 7 * 3600
    return midnight + 13 * 3600 if 13 * 3600 + 1_800 <= second <= 17 * 3600 else midnight
