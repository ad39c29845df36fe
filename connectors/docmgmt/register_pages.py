"""Pages of a table in the order of a key: (changed, id) for what changed, id alone for the rest.

Every statement is built of names that the database itself has listed; every value is bound.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize

from sqlalchemy import ColumnElement, FromClause, Select, and_, column, or_, select, table
from sqlalchemy.sql import quoted_name

from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer

_WITHOUT_ID = 1_000  # enough to say how many there are


def existing(door: Rows, name: str, schema: str | None, wanted: Mapping[str, str], alias: str) -> dict[str, Any]:
    """Return the mapped columns (by our field name) of a table that has them all, and the table under "".

    A name is matched in Unicode's composed form, so that it does not matter how a site typed its diacritics.
    Raises UnexpectedAnswer naming the table or the column that is not there.
    """
    found = door.columns(name, schema)
    if not found:
        raise UnexpectedAnswer(
            "there is no such table, or the account may not see it",
            source=door.source,
            stage="read",
            field=f"{schema}.{name}" if schema else name,
            mend="Correct the mapping, or have the account granted SELECT on it",
        )
    spelt = {normalize("NFC", one): one for one in found} | {one: one for one in found}
    for one in wanted.values():
        if one not in spelt and normalize("NFC", one) not in spelt:
            near = [other for other in found if other.casefold() == one.casefold()]
            raise UnexpectedAnswer(
                f"table {name} has no such column (any more)",
                source=door.source,
                stage="read",
                field=one,
                mend=f"Is it {near[0]} now? Correct the mapping" if near else "Correct the mapping",
            )
    real = {field: spelt.get(one) or spelt[normalize("NFC", one)] for field, one in wanted.items()}
    names = [quoted_name(one, quote=True) for one in dict.fromkeys(real.values())]
    made = table(
        quoted_name(name, quote=True),
        *(column(one) for one in names),
        schema=None if schema is None else quoted_name(schema, quote=True),
    ).alias(alias)
    return {field: made.c[one] for field, one in real.items()} | {"": made}


@dataclass(frozen=True, slots=True)
class Page:
    """The columns of one page by field name, the source's own values; `at` is where it ends."""

    columns: Mapping[str, Sequence[Any]]
    size: int
    at: Mapping[str, Any]
    last: bool


@dataclass(frozen=True, slots=True)
class Pages:
    """What is read of one table, and in which order."""

    source: FromClause
    fields: Mapping[str, ColumnElement[Any]]  # the columns asked, by field name; `id` and perhaps `changed` are in it
    conditions: Sequence[ColumnElement[bool]]
    size: int

    def changed_since(self, door: Rows, start: Any, at: Mapping[str, Any] | None) -> Iterator[Page]:
        """Yield the rows that changed at `start` or later (None: all that have a value) by (changed, id).

        `at` is the end of an earlier page: it goes on there, whatever `start` is.
        """
        changed, key = self.fields["changed"], self.fields["id"]
        while True:
            if at is not None:
                # `changed >=` first: an index range that every database finds, unlike the plain OR.
                where = and_(changed >= at["changed"], or_(changed > at["changed"], key > at["id"]))
            else:
                where = changed.is_not(None) if start is None else changed >= start
            page = self._page(door, (where, key.is_not(None)), ("changed", "id"), at)
            if page.size:
                yield page
            if page.last:
                return
            at = page.at

    def by_id(self, door: Rows, at: Mapping[str, Any] | None, also: Sequence[ColumnElement[bool]]) -> Iterator[Page]:
        """Yield the rows for which `also` holds, by id."""
        key = self.fields["id"]
        while True:
            where = key.is_not(None) if at is None else key > at["id"]
            page = self._page(door, (where, *also), ("id",), at)
            if page.size:
                yield page
            if page.last:
                return
            at = page.at

    def without_id(self, door: Rows, also: Sequence[ColumnElement[bool]]) -> Iterator[Page]:
        """Yield one page of rows without an id for which `also` holds: in no order of keys would they have a place."""
        page = replace(self, size=_WITHOUT_ID)._page(door, (self.fields["id"].is_(None), *also), (), None)
        if page.size:
            yield page

    def _page(
        self,
        door: Rows,
        where: Sequence[ColumnElement[bool]],
        order: Sequence[str],
        at: Mapping[str, Any] | None,
    ) -> Page:
        asked = list({id(one): one for one in self.fields.values()}.values())
        by = (self.fields[name] for name in order)
        statement: Select[Any] = (
            select(*asked).select_from(self.source).where(*where, *self.conditions).order_by(*by).limit(self.size)
        )
        rows = door.rows(statement)
        if not rows:
            return Page({}, 0, at or {}, last=True)
        by_column = dict(zip(map(id, asked), zip(*rows, strict=True), strict=True))
        columns = {field: by_column[id(one)] for field, one in self.fields.items()}
        end = {name: columns[name][-1] for name in order}
        if end == at:
            # Its values are finer than what its driver shows of them: asking again would never end.
            raise UnexpectedAnswer(
                "the same rows come again and again: its values are finer than what the driver shows of them",
                source=door.source,
                stage="read",
                field=str(getattr(self.fields[order[0]], "name", "")),
                mend="Map a view that rounds this column to microseconds",
            )
        return Page(columns, len(rows), end, last=len(rows) < self.size)
