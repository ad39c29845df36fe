"""Pages of a dossier table in the order of a key, and how far it was read, in the source's own values.

Every statement is built of names that the database itself has listed; every value is bound. A pass goes by (changed,
id): what changes meanwhile comes later in it. A run that is cut off goes on at its last row; a new pass begins
`overlap` before the greatest value that is not of the future, so that a row committed late is not passed over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, Select, and_, column, or_, select, table
from sqlalchemy.sql import quoted_name

from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import OFFSET

Row = Mapping[str, Any]

_LOCAL = "Asia/Ho_Chi_Minh"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - times of a register have no zone
_YEARS = range(1990, 2101)


@dataclass(frozen=True, slots=True)
class Site:
    """A table as a site has it: its columns by our field name."""

    door: Rows
    table: FromClause
    columns: Mapping[str, ColumnElement[Any]]
    where: Sequence[ColumnElement[bool]]
    size: int

    def since(self, by: str, start: Any, at: Sequence[Any] | None) -> Iterator[list[Row]]:
        """Yield the rows by (`by`, id), from `start` on (None: all that have a value), or after `at`."""
        changed, key = self.columns[by], self.columns["id"]
        while True:
            if at is not None:
                # `>=` first: an index range that every database finds, unlike the plain OR.
                there = and_(changed >= at[0], or_(changed > at[0], key > at[1]))
            else:
                there = changed.is_not(None) if start is None else changed >= start
            rows = self._page((there, key.is_not(None)), (changed, key))
            if rows:
                yield rows
            if len(rows) < self.size:
                return
            at = rows[-1][by], rows[-1]["id"]

    def by_id(self, also: Sequence[ColumnElement[bool]] = ()) -> Iterator[list[Row]]:
        """Yield the rows by id."""
        key, last = self.columns["id"], None
        while True:
            there = key.is_not(None) if last is None else key > last
            rows = self._page((there, *also), (key,))
            if rows:
                yield rows
            if len(rows) < self.size:
                return
            last = rows[-1]["id"]

    def _page(self, where: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]]) -> list[Row]:
        statement: Select[Any] = (
            select(*self.columns.values()).select_from(self.table).where(*where, *self.where).order_by(*order)
        )
        names = tuple(self.columns)
        return [dict(zip(names, row, strict=True)) for row in self.door.rows(statement.limit(self.size))]


def site(
    door: Rows, name: str, schema: str | None, wanted: Mapping[str, str], optional: frozenset[str], size: int
) -> Site:
    """Look at a table and return it with the columns that it has.

    A name is matched as it is written, else whatever its case: databases fold names in their own ways. Raises
    UnexpectedAnswer naming the table, or a column that is not there and not optional.
    """
    found = door.columns(name, schema)
    if not found:
        raise UnexpectedAnswer(
            "there is no such table, or the account may not see it",
            source=door.source,
            stage="read",
            field=f"{schema}.{name}" if schema else name,
            mend="Correct `table` and `schema`, or have the account granted SELECT on it",
        )
    folded: dict[str, str] = {}
    for one in found:
        folded.setdefault(one.casefold(), one)
    real: dict[str, str] = {}
    for ours, theirs in wanted.items():
        known = theirs if theirs in found else folded.get(theirs.casefold())
        if known is not None:
            real[ours] = known
        elif ours not in optional:
            raise UnexpectedAnswer(
                f"table {name} has no such column (any more)",
                source=door.source,
                stage="read",
                field=theirs,
                mend=f"Set `columns: {{{ours}: ...}}` to what the site calls it",
            )
    names = [quoted_name(one, quote=True) for one in dict.fromkeys(real.values())]
    made = table(
        quoted_name(name, quote=True),
        *(column(one) for one in names),
        schema=None if schema is None else quoted_name(schema, quote=True),
    )
    return Site(door, made, {ours: made.c[theirs] for ours, theirs in real.items()}, (), size)


@dataclass(slots=True)
class Progress:
    """How far a table was read by one column. `through`, `at`: the source's own values."""

    through: Any = None
    at: Sequence[Any] | None = None

    @classmethod
    def read(cls, told: Any) -> "Progress":
        """Return what a cursor tells."""
        if not isinstance(told, dict):
            return cls()
        at = told["at"]
        return cls(_unpack(told["through"]), None if at is None else [_unpack(one) for one in at])

    def start(self, overlap: int) -> Any:
        """Return the value at which a new pass begins; None: from the first."""
        return None if self.through is None else _earlier(self.through, overlap)

    def passed(self, rows: Sequence[Row], by: str, instant: Callable[[Any], int | None], began: int) -> None:
        """Note a page. A value of the future, or one that is no time, is passed but not kept."""
        self.at = rows[-1][by], rows[-1]["id"]
        for row in reversed(rows):
            try:
                when = instant(row[by])
            except ValueError:
                continue
            if when is not None and when <= began:
                self.through = row[by] if self.through is None else max(self.through, row[by])
                return

    def document(self, *, ended: bool) -> dict[str, Any]:
        """Return it as JSON. `ended`: the pass is over, the next one is new."""
        at = None if ended or self.at is None else [_pack(one) for one in self.at]
        return {"through": _pack(self.through), "at": at}


@dataclass(slots=True)
class Times:
    """Reads the times of a register: with their own zone, else in the one that is configured."""

    zone: str
    _zone: ZoneInfo | None = field(init=False)

    def __post_init__(self) -> None:
        self._zone = None if self.zone == _LOCAL else ZoneInfo(self.zone)

    def instant(self, value: Any) -> int | None:
        """Return a value as an instant (epoch seconds UTC), a date as its local midnight, NULL and "" as None.

        ValueError, without the value, if it is no plausible time.
        """
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.strip())
            except ValueError:
                raise ValueError("is no ISO time") from None
        if not isinstance(value, date):
            raise ValueError("is neither a date nor a time")
        if value.year not in _YEARS:
            # A program's "smallest date" (year 1) would be on time for any due date.
            raise ValueError("is no plausible time")
        if not isinstance(value, datetime):
            return (value.toordinal() - _EPOCH.toordinal()) * 86_400 - OFFSET
        if value.tzinfo is not None:
            return int(value.timestamp())
        if self._zone is None:
            return (value - _EPOCH) // timedelta(seconds=1) - OFFSET
        return int(value.replace(tzinfo=self._zone).timestamp())


def _earlier(value: Any, seconds: int) -> Any:
    span = timedelta(seconds=seconds)
    if isinstance(value, datetime):
        return value - span
    if isinstance(value, date):
        return value - timedelta(days=1 + seconds // 86_400)
    if isinstance(value, str):
        # Written as the source writes it, without a fraction: a text that sorts not after any of the same second.
        return (datetime.fromisoformat(value) - span).strftime(f"%Y-%m-%d{value[10:11] or ' '}%H:%M:%S")[: len(value)]
    raise ValueError("is neither a date nor a time")


def _pack(value: Any) -> list[str] | None:
    if value is None:
        return None
    written = value.isoformat() if isinstance(value, date) else str(value)
    return [type(value).__name__, written]


_UNPACK: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "Decimal": Decimal,
    "UUID": UUID,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}


def _unpack(packed: Any) -> Any:
    return None if packed is None else _UNPACK[packed[0]](packed[1])
