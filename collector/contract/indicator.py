"""An indicator: one declaration, from which gauge, report, points and drill-down derive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Select, Table

from collector.contract.records import Mailbox, MailboxDay, Record

OF_PERSONS: frozenset[type[Record]] = frozenset({Mailbox, MailboxDay})
"""Records whose rows are one person's each: what is counted of them belongs to a `Group`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A formula over the rows of one record table.

    `counted` is never NULL. `day` is the local day at whose end a row can be judged, so that no formula needs to
    know the present. `hit` is three-valued: NULL means that the row cannot be judged. `shows` are the columns that
    an explanation prints beside key, day and verdict. Rows that are removed or belong to no known agency are left
    out by the engine.
    """

    table: Table
    counted: ColumnElement[bool]
    day: Column[Any]
    hit: ColumnElement[Any]
    shows: Sequence[Column[Any]] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """A formula over a product of tables: one SELECT that gives agency, day, hits, judged, unknown.

    `select` and `items` have the bind parameters `first_day` and `last_day` (local days, both included); `items`
    also `agency`. `items` gives source, key, day, verdict (hit, miss, unknown) and whatever else explains it, or day,
    hits, judged, unknown; it never shows a mailbox, so for mailboxes its items are agency-days with their counts.

    `standing`: there are cells only for the days on which something changes, and each stands until the agency's next
    one (for a period `end` alone). `together`: items may belong to several agencies; it has the bind parameters
    `agencies` (an expanding list) and the days, and gives hits, judged, unknown of what those have together, each item
    once: that is what a block and the province have, not the sum of the agencies'.
    """

    select: Select[Any]
    items: Select[Any]
    standing: bool = False
    together: Select[Any] | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A formula over the rows of one record that come, are there for a while, and leave: counted where they pass.

    `came` counts a row on the first day at whose end it is there; its hit is NULL where nobody can say whether it has
    left. `done` counts on its day what was done, a hit if it had been there (it was not if it came on that very day).
    `gone` counts what left without being done. What left has come before: so many as came and have not left are there
    at the end of a day.

    The figure of a period (`flow`): hits are those done in it, judged also those that are there at its end, unknown
    those of which nobody can say.
    """

    came: Counted
    done: Counted
    gone: Counted

    def parts(self) -> Sequence[tuple[str, Counted]]:
        """Return the parts by name."""
        return ("came", self.came), ("done", self.done), ("gone", self.gone)


@dataclass(frozen=True, slots=True)
class Group:
    """The persons behind an agency's figures on a day. A figure of fewer than `least` of them is told to nobody.

    `select` has the bind parameters `first_day` and `last_day`, and gives agency, day and size, no row where there is
    nobody. It rests on the days of `needs`. `things` says in words what is counted.
    """

    id: str
    things: str
    needs: Sequence[type[Record]]
    select: Select[Any]
    least: int = 5


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is counted, what is a hit, why, and by which formula. The id is `<family>.<name>`.

    `period` says how days make a period: `sum` adds them, `end` takes the last covered day alone (a figure "at
    the period's end"). With `month` an item belongs to a calendar month: the cell of a day says how the month stands
    at that day's end (it rests on all days of its month up to it), and a period adds up the last cell of each of its
    months, so that an open month has a figure too; only `Cells` can say that. With `any` the item is the agency
    itself: a hit if the period has any hit, unknown if it has none but something unknown, else a miss. With `flow`,
    which belongs to `Flow` alone, what is there is taken from the period's last covered day. `needs` are
    the records whose coverage the figure rests on. `workdays`: the calendar of working days is part of the formula,
    so a provisional year makes the figure partial. `group` are the persons behind the figure, where it is about
    persons. `version` is raised whenever the meaning changes.
    """

    id: str
    version: int
    title_vi: str
    title_en: str
    counted_vi: str
    counted_en: str
    hit_vi: str
    hit_en: str
    legal: str
    needs: Sequence[type[Record]]
    formula: Counted | Cells | Flow
    unit: Literal["ratio"] = "ratio"
    better: Literal["higher", "lower"] = "higher"
    measured_from: Literal["machine", "clerk", "register"] = "machine"
    period: Literal["sum", "end", "month", "any", "flow"] = "sum"
    workdays: bool = False
    group: Group | None = None

    def __post_init__(self) -> None:
        if self.group is None and not OF_PERSONS.isdisjoint(self.needs):
            raise ValueError(f"{self.id} counts what persons do, but names no group of them")
        if isinstance(self.formula, Flow) != (self.period == "flow"):
            raise ValueError(f"{self.id}: a period that is a flow and a formula that is one belong together")

    @property
    def column(self) -> str:
        """The id as a column or metric name: `dossiers_on_time`."""
        return self.id.replace(".", "_")
