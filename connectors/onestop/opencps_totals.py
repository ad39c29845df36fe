"""The statistics that OpenCPS keeps of itself: rows by month, counted at night by its engine.

Facts: source-systems 1.4 and 1.5. Asked by month and year it answers with stored rows; asked by days it counts anew by
another routine, whose early and on time are others: it is asked by month. There is a row for each agency, domain and
system, and one for all of each: only that of all domains and all systems is read. `reCalculate` rewrites stored rows
and is never sent. When a row was counted the answer does not say.

The engine judges by the due date that stands now and by the hour; it reads 12:xx as 00:xx; without a due date it takes
a dossier for on time. Its percentage is cut to a whole number, and 100 where nothing was released.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from collector.contract.connector import Days
from collector.contract.door import Pages
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import Period, month_of
from collector.contract.records import Dossier
from collector.contract.reported import Name, Report, Rules, Share, Total
from connectors.register.stored_totals import StoredTotals

RULES = Rules("OpenCPS", without_due="on_time", due="current", same_day="by_hour_of_12")

COUNTERS: Mapping[Name, tuple[str, ...]] = {
    "received": ("receivedCount",),
    "completed": ("releaseCount",),
    "on_time": ("betimesCount", "ontimeCount"),
    "late": ("overtimeCount",),
    "withdrawn": ("cancelledCount",),
    "open": ("processingCount", "waitingCount"),
}
"""Which counters of the engine make a total."""

PERCENTAGE = "ontimePercentage"

OPENCPS_STATISTIC = StoredTotals(
    table="opencps_statistic",
    agency="govAgencyCode",
    year="year",
    month="month",
    whole=("domainCode", "system"),
    totals=dict(COUNTERS),
    percentage=PERCENTAGE,
    made="modifiedDate",
)
"""The same rows as its own table has them (facts: 1.4)."""

_ALL = frozenset({None, "", "all"})
_ROWS = 1_000


def ask(base: str, group_id: int, agencies: Sequence[str], door: Pages, period: Period) -> Iterator[Report]:
    """Yield what it stored of each month of a period. Raises what the door raises; UnexpectedAnswer by field."""
    door.allow("GET", base, headers={"groupId": str(group_id)})
    first = period.first
    while first < period.end:
        month = month_of(first)
        yield _month(base, agencies, door, month)
        first = month.end


def _month(base: str, agencies: Sequence[str], door: Pages, month: Period) -> Report:
    totals: list[Total] = []
    shares: list[Share] = []
    when = {"year": str(month.first // 10_000), "month": str(month.first // 100 % 100)}
    for code in agencies:
        answer = door.get(base, {**when, "agency": code, "start": "0", "end": str(_ROWS)})
        row = _of_all(_rows(answer.body, door.source), code, door.source)
        if row is None:
            continue  # it has not counted this agency: no zero
        for name, counters in COUNTERS.items():
            values = [_count(row, counter, door.source) for counter in counters]
            totals.append(Total(code, name, sum(values)))
        printed = row.get(PERCENTAGE)
        if isinstance(printed, int | float) and not isinstance(printed, bool):
            shares.append(Share(code, "on_time", "completed", str(printed)))
    return Report(Dossier, Days(month.first, month.last), totals, shares, RULES)


def _rows(body: Any, source: str) -> list[Any]:
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(body, dict) or (rows is None and body.get("total") != 0):
        _unexpected(source, "data", "the answer has no list data")
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        _unexpected(source, "data", "the answer has no list of rows")
    if len(rows) >= _ROWS:
        _unexpected(source, "data", f"{_ROWS} rows of one agency and month came")
    return rows


def _of_all(rows: Sequence[Mapping[str, Any]], code: str, source: str) -> Mapping[str, Any] | None:
    """The agency's row of all domains and systems; several of them would count twice."""
    own = [row for row in rows if row.get("govAgencyCode") == code]
    if rows and not own:
        _unexpected(source, "govAgencyCode", f"it was asked for {code} and tells of others")
    whole = [row for row in own if row.get("domainCode") in _ALL and row.get("system") in _ALL]
    if len(whole) > 1 or (own and not whole):
        _unexpected(source, "domainCode", f"it has {len(whole)} rows of all domains and systems of {code}")
    return whole[0] if whole else None


def _count(row: Mapping[str, Any], counter: str, source: str) -> int:
    value = row.get(counter)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        _unexpected(source, counter, "it is no count")
    return value


def _unexpected(source: str, field: str, reason: str) -> NoReturn:
    raise UnexpectedAnswer(
        reason,
        source=source,
        stage="answer",
        field=field,
        mend="Compare `statistics` with the service, and ask its operator which version of OpenCPS this is",
    )
