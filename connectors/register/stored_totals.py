"""A table in which a system keeps its own totals by month: read for `collector compare`, never summed up anew.

Such tables hold sums beside their parts (all agencies, all fields of work, all systems): `whole` names the columns by
which a row is a part, so that only rows of all of them are read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Text, and_, cast, func, literal, or_, select

from collector.contract.connector import Days
from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import Period, month_of
from collector.contract.records import Record
from collector.contract.reported import Name, Report, Rules, Share, Total
from connectors.register.pages import existing

_ALL = ("", "all")
_MOST = 10_000
_LONGEST = 200

Column = Annotated[str, Field(min_length=1, max_length=256)]


class StoredTotals(BaseModel):
    """A table of totals by agency and month."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    table: Column = Field(description="The table or view", examples=["opencps_statistic"])
    schema_name: Column | None = Field(
        default=None, alias="schema", description="Its schema; the account's own if left out", examples=["dvc"]
    )
    agency: Column = Field(description="Column with the agency's code; empty: all agencies", examples=["govAgencyCode"])
    year: Column = Field(description="Column with the year", examples=["year"])
    month: Column = Field(description="Column with the month, 1 to 12", examples=["month"])
    whole: tuple[Column, ...] = Field(
        default=(),
        description="Columns by which a row is a part of others: only rows that leave them empty are read",
        examples=[["domainCode", "system"]],
    )
    totals: dict[Name, tuple[Column, ...]] = Field(
        min_length=1,
        description="Columns that make each total; several are added up",
        examples=[{"received": ["receivedCount"], "on_time": ["betimesCount", "ontimeCount"]}],
    )
    percentage: Column | None = Field(
        default=None, description="Column with the percentage on time of those completed", examples=["ontimePercentage"]
    )
    made: Column | None = Field(
        default=None, description="Column with the time at which a row was counted", examples=["modifiedDate"]
    )


def read(
    stored: StoredTotals,
    door: Rows,
    period: Period,
    record: type[Record],
    rules: Rules | None,
    instant: Callable[[Any], int | None],
) -> Iterator[Report]:
    """Yield what is stored of each month of a period. `instant` reads a time of the register (ValueError otherwise).

    Raises what the door raises; UnexpectedAnswer, by field, for what is not there or is no count.
    """
    wanted = {"agency": stored.agency, "year": stored.year, "month": stored.month}
    wanted |= {f"whole {one}": one for one in stored.whole}
    wanted |= {f"count {one}": one for columns in stored.totals.values() for one in columns}
    if stored.percentage is not None:
        wanted["percentage"] = stored.percentage
    if stored.made is not None:
        wanted["made"] = stored.made
    # A name that is not there as it is written is found whatever its case: databases fold names in their own ways.
    there = door.columns(stored.table, stored.schema_name)
    folded = {one.casefold(): one for one in reversed(there)}
    real = {name: one if one in there else folded.get(one.casefold(), one) for name, one in wanted.items()}
    columns = existing(door, stored.table, stored.schema_name, real, "totals")
    table = columns.pop("")
    whole = [
        or_(columns[name].is_(None), func.lower(cast(columns[name], Text)).in_(_ALL))
        for name in columns
        if name.startswith("whole ")
    ]
    first = period.first
    while first < period.end:
        month = month_of(first)
        this = and_(columns["year"] == literal(first // 10_000), columns["month"] == literal(first // 100 % 100))
        statement = select(*columns.values()).select_from(table).where(this, *whole).limit(_MOST)
        rows = [dict(zip(columns, row, strict=True)) for row in door.rows(statement)]
        yield _Month(stored, door.source, rows).report(month, record, rules, instant)
        first = month.end


class _Month:
    """The rows of one month."""

    def __init__(self, stored: StoredTotals, source: str, rows: list[dict[str, Any]]) -> None:
        self._stored = stored
        self._source = source
        self._rows = rows

    def report(
        self, month: Period, record: type[Record], rules: Rules | None, instant: Callable[[Any], int | None]
    ) -> Report:
        totals: list[Total] = []
        shares: list[Share] = []
        made: list[int] = []
        seen: set[str] = set()
        for row in self._rows:
            code = self._code(row)
            if code in seen:
                self._unexpected(self._stored.agency, f"{code or 'all agencies'} has several rows in {month.name}")
            seen.add(code)
            totals += self._totals(row, code)
            if row.get("percentage") is not None:
                shares.append(Share(code, "on_time", "completed", str(row["percentage"])[:_LONGEST]))
            if self._stored.made is not None:
                try:
                    when = instant(row["made"])
                except ValueError as error:
                    self._unexpected(self._stored.made, str(error))
                made += [] if when is None else [when]
        days = Days(month.first, month.last)
        return Report(record, days, totals, shares, rules, min(made) if len(made) == len(self._rows) and made else None)

    def _totals(self, row: Mapping[str, Any], code: str) -> Iterator[Total]:
        for name, columns in self._stored.totals.items():
            values = [row[f"count {one}"] for one in columns]
            for one, value in zip(columns, values, strict=True):
                # Some databases give sums as decimals.
                if value is not None and (isinstance(value, bool | str | bytes) or value != int(value) or value < 0):
                    self._unexpected(one, "it is no count")
            if None not in values:
                yield Total(code, name, sum(int(value) for value in values))

    def _code(self, row: Mapping[str, Any]) -> str:
        value = row["agency"]
        code = "" if value is None else str(value).strip()
        if len(code) > _LONGEST or not code.isprintable():
            self._unexpected(self._stored.agency, "it is no short printable text")
        return "" if code.lower() in _ALL else code

    def _unexpected(self, field: str, reason: str) -> NoReturn:
        raise UnexpectedAnswer(
            f"table {self._stored.table}: {reason}",
            source=self._source,
            stage="answer",
            field=field,
            mend="Compare `totals` with the table; `whole` names the columns by which a row is a part of others",
        )
