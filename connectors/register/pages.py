"""Pages of a table in the order of a key: (changed, id) for what changed, id alone for the rest.

Every statement is built of names that the database itself has listed; every value is bound.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, TypeVar
from unicodedata import normalize

from sqlalchemy import ColumnElement, FromClause, Select, and_, column, or_, select, table
from sqlalchemy.sql import quoted_name

from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer

_WITHOUT_ID = 1_000  # enough to say how many there are
_PATIENCE = 5.0  # seconds
WAITING = 2
"""Pages that are ready while another is worked on: as many as are read while a group of rows is stored."""

Item = TypeVar("Item")


class _End:
    """Follows the last page."""


def existing(
    door: Rows,
    name: str,
    schema: str | None,
    wanted: Mapping[str, str],
    alias: str,
    *,
    optional: frozenset[str] = frozenset(),
    any_case: bool = False,
    correct: tuple[str, str] = ("the mapping", "the mapping"),
) -> dict[str, Any]:
    """Return the mapped columns (by our field name) of a table that has them, and the table under "".

    A name is matched in its composed form, so that it does not matter how a site typed its diacritics. `any_case`:
    else in whatever case, for names that the site did not write itself; databases fold them in their own ways.
    `correct`: the settings that name table and columns. Raises UnexpectedAnswer naming the table, or a column that is
    not there and not `optional`.
    """
    found = door.columns(name, schema)
    if not found:
        raise UnexpectedAnswer(
            "there is no such table, or the account may not see it",
            source=door.source,
            stage="read",
            field=f"{schema}.{name}" if schema else name,
            mend=f"Correct {correct[0]}, or have the account granted SELECT on it",
        )
    spelt = {normalize("NFC", one): one for one in found} | {one: one for one in found}
    folded = {one.casefold(): one for one in reversed(found)}
    real: dict[str, str] = {}
    for field, one in wanted.items():
        known = spelt.get(one) or spelt.get(normalize("NFC", one))
        near = folded.get(one.casefold())
        if known is None and any_case:
            known = near
        if known is not None:
            real[field] = known
        elif field not in optional:
            raise UnexpectedAnswer(
                f"table {name} has no such column (any more)",
                source=door.source,
                stage="read",
                field=one,
                mend=f"Is it {near} now? Correct {correct[1]}" if near else f"Correct {correct[1]} ({field})",
            )
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

    def rows(self) -> list[dict[str, Any]]:
        """Return the page row by row, for who reads few columns alike."""
        return [dict(zip(self.columns, values, strict=True)) for values in zip(*self.columns.values(), strict=True)]


@dataclass(frozen=True, slots=True)
class Beside:
    """A column of another table that is laid beside each row of a page, once the page is cut; None where it has none.

    After the cut, so that no database joins whole tables for each page.
    """

    name: str  # the name of the column among ours
    column: ColumnElement[Any]
    source: FromClause
    key: ColumnElement[Any]
    by: str  # our field that holds the key


@dataclass(frozen=True, slots=True)
class Pages:
    """What is read of one table, and in which order."""

    source: FromClause
    fields: Mapping[str, ColumnElement[Any]]  # the columns asked, by field name; `id` and perhaps `changed` are in it
    conditions: Sequence[ColumnElement[bool]]
    size: int
    beside: Beside | None = None

    def changed_since(
        self, door: Rows, start: Any, at: Mapping[str, Any] | None, by: str = "changed"
    ) -> Iterator[Page]:
        """Yield the rows that changed at `start` or later (None: all that have a value) by (changed, id).

        `at` is the end of an earlier page: it goes on there, whatever `start` is. `by`: our field that tells changes.
        """
        changed, key = self.fields[by], self.fields["id"]
        while True:
            if at is not None:
                # `changed >=` first: an index range that every database finds, unlike the plain OR.
                where = and_(changed >= at[by], or_(changed > at[by], key > at["id"]))
            else:
                where = changed.is_not(None) if start is None else changed >= start
            page = self._page(door, (where, key.is_not(None)), (by, "id"), at)
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
        if self.beside is not None:
            statement = self._with_beside(self.beside, statement, asked, order)
            asked += (self.beside.column, self.beside.key)
        rows = door.rows(statement)
        if self.beside is not None:
            rows = _once(
                rows, *([id(one) for one in asked].index(id(self.fields[name])) for name in ("id", self.beside.by))
            )
        if not rows:
            return Page({}, 0, at or {}, last=True)
        by_column = dict(zip(map(id, asked), zip(*rows, strict=True), strict=True))
        columns = {field: by_column[id(one)] for field, one in self.fields.items()}
        if self.beside is not None:
            columns[self.beside.name] = by_column[id(self.beside.column)]
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

    def _with_beside(
        self, beside: Beside, statement: Select[Any], asked: Sequence[ColumnElement[Any]], order: Sequence[str]
    ) -> Select[Any]:
        cut = statement.subquery("page")
        own = dict(zip(map(id, asked), cut.c, strict=True))
        return (
            select(*cut.c, beside.column, beside.key)
            .select_from(cut.outerjoin(beside.source, own[id(self.fields[beside.by])] == beside.key))
            .order_by(*(own[id(self.fields[name])] for name in order))
        )


def _once(rows: Sequence[tuple[Any, ...]], key: int, by: int) -> Sequence[tuple[Any, ...]]:
    """Keep one row of each id: where a collation takes several parents for the same one, that with the very same id."""
    if len({row[key] for row in rows}) == len(rows):
        return rows
    kept: dict[Any, tuple[Any, ...]] = {}
    for row in rows:
        if row[key] not in kept or row[-1] == row[by]:
            kept[row[key]] = row
    return list(kept.values())


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield pages, or what is made of them, while a thread asks for the next: one is in hand and a few wait at most.

    The thread ends with its pages, with an error (which is raised here) or when nobody wants any more.
    """
    waiting: Queue[Item | Exception | _End] = Queue(maxsize=WAITING)
    unwanted = Event()

    def hand_over(one: Item | Exception | _End) -> None:
        while not unwanted.is_set():
            try:
                waiting.put(one, timeout=0.1)
            except Full:
                continue
            return

    def ask() -> None:
        try:
            for item in items:
                hand_over(item)
                if unwanted.is_set():
                    return
            hand_over(_End())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the page is wanted
            hand_over(error)

    thread = Thread(target=ask, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            one = waiting.get()
            if isinstance(one, _End):
                return
            if isinstance(one, Exception):
                raise one
            yield one
    finally:
        unwanted.set()
        # A statement under way is waited for a little; it holds the only connection and has a time limit of its own.
        thread.join(_PATIENCE)
