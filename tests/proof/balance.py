"""What became of the dossiers that came in or were carried over: the identity of the design, counted twice.

`of_the_store` counts what the store holds, in SQL of its own. `of_the_ledger` walks over the demo's ledger with the
demo's independent reckoning of due dates. In both, a period's dossiers are classed once each:

completed  early | on time | late | without a due date
open       not due | overdue | paused | without a due date
ended      withdrawn | stopped | refused (after receipt; who is refused before is on neither side)

and they came `received` in the period or `carried over` into it.
"""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, text

from collector.contract.period import Period
from collector.demo import truth
from collector.demo.ledger import Dossier, Ledger

BECAME = (
    "early", "on time", "late", "completed without due date",
    "not due", "overdue", "paused", "open without due date",
    "withdrawn", "stopped", "refused",
)  # fmt: skip
CAME = ("received", "carried over")

_CLASSES = text(
    """
    SELECT agency, received_day >= :first AS is_new,
      CASE
        WHEN completed_day <= :last THEN CASE
          WHEN effective_due_day IS NULL THEN 'completed without due date'
          WHEN completed_day < effective_due_day THEN 'early'
          WHEN completed_day = effective_due_day THEN 'on time'
          ELSE 'late' END
        WHEN ended_day <= :last THEN CASE outcome
          WHEN 'refused_at_intake' THEN 'refused' ELSE outcome END
        WHEN effective_due_day IS NULL THEN 'open without due date'
        WHEN paused_on_due = 1 THEN 'paused'
        WHEN effective_due_day <= :last THEN 'overdue'
        ELSE 'not due' END AS class,
      count(*) AS number
    FROM dossier
    WHERE removed = 0 AND agency IS NOT NULL AND received_day <= :last
      AND (coalesce(completed_day, ended_day) IS NULL OR coalesce(completed_day, ended_day) >= :first)
    GROUP BY 1, 2, 3
    """
)


def of_the_store(connection: Connection, period: Period) -> Mapping[str, Counter[str]]:
    """Count what the store holds, by agency."""
    found: dict[str, Counter[str]] = {}
    for agency, is_new, name, number in connection.execute(_CLASSES, {"first": period.first, "last": period.last}):
        own = found.setdefault(agency, Counter())
        own[name] += number
        own["received" if is_new else "carried over"] += number
    return found


def of_the_ledger(ledger: Ledger, period: Period) -> Mapping[str, Counter[str]]:
    """Count what the ledger tells, by agency: each dossier is asked what happened to it."""
    calendar = truth._calendar(ledger)
    found: dict[str, Counter[str]] = {}
    for dossier in ledger.dossiers:
        if dossier.deleted or dossier.agency is None or dossier.received_day is None:
            continue
        over = dossier.completed_day or dossier.ended_day
        if dossier.received_day > period.last or (over is not None and over < period.first):
            continue
        own = found.setdefault(dossier.agency, Counter())
        own["received" if dossier.received_day >= period.first else "carried over"] += 1
        own[_became(calendar, dossier, period)] += 1
    return found


def _became(calendar: truth.Calendar, dossier: Dossier, period: Period) -> str:
    due, paused = truth._effective_due(calendar, dossier)
    if dossier.completed_day is not None and dossier.completed_day <= period.last:
        if due is None:
            return "completed without due date"
        if dossier.completed_day == due:
            return "on time"
        return "early" if dossier.completed_day < due else "late"
    if dossier.ended_day is not None and dossier.ended_day <= period.last:
        return "refused" if dossier.outcome == "refused_at_intake" else dossier.outcome
    if due is None:
        return "open without due date"
    if paused:
        return "paused"
    return "overdue" if due <= period.last else "not due"
