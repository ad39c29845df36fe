"""The JSON that commands print and that other programs may rely on: keys stay, new ones may come.

Days are ISO days, instants RFC 3339 with +07:00, shares and points numbers; null where there is no figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from collector.collect import Outcome
from collector.contract.connector import Finding
from collector.contract.indicator import Indicator
from collector.contract.period import iso, rfc3339
from collector.contract.reading import Line, Reading, Score
from collector.contract.records import INSTANTS, is_day
from collector.matching import Pair
from collector.privacy import Month, StoredRecord
from collector.readings import Explanation
from collector.reconcile import KINDS, Reconciled
from collector.status import Reconciliation, SourceStatus


def reading(one: Reading) -> dict[str, Any]:
    """A reading. `value` is null unless its state is measured; so are all counts of a suppressed one."""
    value = one.value
    return {
        "indicator": one.indicator,
        "version": one.version,
        "scope": one.scope,
        "agency": one.agency,
        "period": one.period,
        "state": one.state,
        "through": None if one.through is None else iso(one.through),
        "hits": one.hits,
        "judged": one.judged,
        "unknown": one.unknown,
        "value": None if value is None else float(value),
        "edition": one.edition,
        "suppressed": one.suppressed,
        "why": one.why,
        "members": one.members,
        "measured_members": one.measured_members,
    }


def explanation(one: Explanation) -> dict[str, Any]:
    """A reading with the rows behind it."""
    return reading(one.reading) | {"rows": rows(one.columns, one.rows)}


def rows(columns: Sequence[str], behind: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """The rows behind a figure, each value by its column."""
    return [dict(zip(columns, _edge(columns, row), strict=True)) for row in behind]


def _edge(columns: Iterable[str], row: Iterable[Any]) -> list[Any]:
    return [_told(name, value) for name, value in zip(columns, row, strict=True)]


def _told(name: str, value: Any) -> Any:
    if isinstance(value, int) and is_day(name):
        return iso(value)
    return rfc3339(value) if isinstance(value, int) and name in INSTANTS else value


def indicator(one: Indicator) -> dict[str, Any]:
    """A line of the catalogue."""
    return {
        "id": one.id,
        "version": one.version,
        "title_vi": one.title_vi,
        "title_en": one.title_en,
        "counted_vi": one.counted_vi,
        "counted_en": one.counted_en,
        "hit_vi": one.hit_vi,
        "hit_en": one.hit_en,
        "unit": one.unit,
        "better": one.better,
        "period": one.period,
        "measured_from": one.measured_from,
        "legal": one.legal,
        "needs": [record.NAME for record in one.needs],
    }


def score(one: Score, *, lines: bool = False) -> dict[str, Any]:
    """A line of a ranking; `lines` adds what each criterion gave."""
    told = {
        "block": one.block,
        "agency": one.agency,
        "rank": one.rank,
        "rank_best": one.rank_best,
        "rank_worst": one.rank_worst,
        "points": float(one.points),
        "points_low": float(one.points_low),
        "points_high": float(one.points_high),
        "measured_share": float(one.measured_share),
        "machine_share": float(one.machine_share),
        "band": one.band,
        "change": one.change,
        "why": one.why,
        "band_best": one.band_best,
        "tied": one.tied,
        "group": one.group,
        "to_next": None if one.to_next is None else float(one.to_next),
        "together": list(one.together),
        "change_best": one.change_best,
        "change_worst": one.change_worst,
    }
    return told | ({"lines": [_line(each) for each in one.lines]} if lines else {})


def _line(one: Line) -> dict[str, Any]:
    """What a criterion gave."""
    return {
        "criterion": one.criterion,
        "title_vi": one.title_vi,
        "title_en": one.title_en,
        "parent": one.parent,
        "indicator": one.indicator,
        "source": one.source,
        "state": one.state,
        "maximum": float(one.maximum),
        "worth": float(one.worth),
        "points_low": float(one.points_low),
        "points_high": float(one.points_high),
        "lost": float(one.lost),
        "hits": one.hits,
        "judged": one.judged,
        "to_gain": one.to_gain,
        "evidence": one.evidence,
    }


def source_status(one: SourceStatus) -> dict[str, Any]:
    """The state of a source."""
    return {
        "source": one.source,
        "connector": one.connector,
        "result": one.result,
        "message": one.message,
        "last_run": None if one.last_run is None else rfc3339(one.last_run),
        "last_success": None if one.last_success is None else rfc3339(one.last_success),
        "stale": one.stale,
        "covered": {record: iso(day) for record, day in one.covered.items()},
        "uncovered_days": one.uncovered_days,
        "records": one.records,
        "quarantined": one.quarantined,
        "unknown_codes": one.unknown_codes,
        "last_logins": None if one.last_logins is None else asdict(one.last_logins),
        "reconciliation": None if one.reconciliation is None else _reconciliation(one.reconciliation),
    }


def _reconciliation(one: Reconciliation) -> dict[str, Any]:
    records: dict[str, dict[str, int]] = {}
    for (record, kind), count in one.differences.items():
        records.setdefault(record, {})[kind] = count
    return {
        "result": one.result,
        "message": one.message,
        "began": rfc3339(one.began),
        "last_success": None if one.last_success is None else rfc3339(one.last_success),
        "from": iso(one.first_day),
        "to": iso(one.last_day),
        "differences": records,
    }


def privacy(months: Iterable[Month], records: Iterable[StoredRecord], appeal_days: int) -> dict[str, Any]:
    """What is stored about whom: by month, and the register of all that is stored."""
    return {
        "appeal_days": appeal_days,
        "months": [
            {
                "month": one.month.name,
                "key": one.key,
                "mailboxes": one.mailboxes,
                "mailbox_days": one.mailbox_days,
                "pending": one.pending,
                "sealed": None if one.sealed is None else rfc3339(one.sealed),
                "destroy_from": None if one.from_day is None else iso(one.from_day),
                "destroyed": None if one.destroyed is None else rfc3339(one.destroyed),
            }
            for one in months
        ],
        "register": [asdict(one) for one in records],
    }


def finding(source: str, one: Finding) -> dict[str, Any]:
    """A line of `check --live`."""
    return {"source": source, "stage": one.stage, "result": one.result, "says": one.says, "mend": one.mend}


def outcome(one: Outcome) -> dict[str, Any]:
    """How a run of a source ended."""
    return {
        "source": one.source,
        "result": one.result,
        "message": str(one.failure or ""),
        "read": one.saved.read,
        "inserted": one.saved.inserted,
        "updated": one.saved.updated,
        "unchanged": one.saved.unchanged,
        "quarantined": one.saved.quarantined,
        "destroyed": one.saved.destroyed,
    }


def reconciled(one: Reconciled) -> dict[str, Any]:
    """How a source differed from the store."""
    return {
        "source": one.source,
        "result": one.result,
        "message": str(one.failure or ""),
        "from": iso(one.days.first),
        "to": iso(one.days.last),
        "records": {
            record.NAME: {"listed": found.listed, "stored": found.stored, **{kind: found.kinds[kind] for kind in KINDS}}
            for record, found in one.differences.items()
        },
    }


def pair(one: Pair) -> dict[str, Any]:
    """What a sender and a recipient say of the documents between them."""
    return {
        "sender": one.sender,
        "recipient": one.recipient,
        "sent": one.sent,
        "matched": one.matched,
        "unmatched": one.unmatched,
        "without_id": one.without_id,
        "not_sent": one.not_sent,
    }
