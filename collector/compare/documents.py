"""Documents that an agency issued, as we count them and as a register counts itself.

We count what went out and was not recalled, on the day of its issue, as `documents.exchanged_*` do; of those what was
sent electronically, paper or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, select

from collector.compare.path import Step, View
from collector.compare.result import Cause
from collector.contract.connector import Days
from collector.contract.records import Document
from collector.contract.reported import Name, Report
from collector.contract.tables import document
from collector.store.schema import vanished

TOTALS: frozenset[Name] = frozenset({"issued", "electronic"})
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Issued:
    """An outgoing document. `gone` is when it was noticed to have vanished, or was deleted, in epoch seconds."""

    key: str
    agency: str | None
    day: int
    removed: int
    gone: int
    recalled: int | None
    electronic: int | None


def path(view: View, report: Report) -> Iterator[Step]:
    """Yield the steps from our way of counting to the source's, in a fixed order."""

    def step(cause: Cause, words: str) -> Step:
        return Step(lambda _: cause, lambda _: words, view)

    if report.rules is not None:
        recalled_too = report.rules.recalled != view.rules.recalled
        view = replace(view, rules=report.rules)
        if recalled_too:
            yield step("definition", "recalled: counted there")
    if report.made is not None:
        view = replace(view, as_of=report.made)
        yield step("late_entry", "deleted after the source counted")
    if view.last < report.days.last:
        view = replace(view, last=report.days.last)
        yield step("late_entry", "after the last day that we have covered")


def counted(one: Issued, name: Name, view: View) -> int:
    """Whether a document is counted, as 1 or 0."""
    was_there = not one.removed or (view.as_of is not None and one.gone > view.as_of)
    if not was_there or one.day > view.last or (one.recalled == 1 and view.rules.recalled == "out"):
        return 0
    return int(name == "issued" or one.electronic == 1)


def load(connection: Connection, source: str, days: Days) -> Iterator[Issued]:
    """Yield the documents that a source has as issued on some days, deleted ones too."""
    c = document.c
    gone = and_(vanished.c.source == c.source, vanished.c.record == Document.NAME, vanished.c.key == c.key)
    rows = connection.execute(
        select(
            c.key, c.agency, c.issued_day, c.removed, c.changed, vanished.c.noticed, c.recalled, c.sent_electronically
        )
        .join_from(document, vanished, gone, isouter=True)
        .where(c.source == source, c.direction == "out", c.issued_day.between(days.first, days.last))
        .order_by(c.key)
    )
    for key, agency, day, removed, changed, noticed, recalled, electronic in rows:
        when = changed // _MILLION if noticed is None else noticed
        yield Issued(key, agency, day, removed, when, recalled, electronic)
