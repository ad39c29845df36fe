"""Merges the rows of one record class into its table: whatever the order, the newest version of a key stays.

Rows are de-duplicated in the batch. Those of new keys are bound into a temporary table and written from there, by one
statement, during which other threads go on; the others are staged in another and pruned there (rows that are older
than what is stored, or equal to it), so that a re-read of unchanged rows writes nothing. On a tie of versions with
different content the greater digest wins: a total order, so that permuted pages end in the same store. Of rows that
were read live the one read last wins instead: it is what the source has now. A row that is equal in all but its version
takes the newer version: else an older version that arrives late would slip in between.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Delete,
    MetaData,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from collector.contract.connector import BadRow, Columnar, Row
from collector.contract.records import Record, columns
from collector.contract.tables import table_of

_LARGEST = 2**63 - 1

_KEY = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of a record class: `new` rows are in the table; what changes stored ones waits on the stage."""

    record: type[Record]
    new: Columnar  # the table's columns, in order; `fresh_of` has the same rows


@cache
def stage_of(record: type[Record]) -> Table:
    """The temporary table that rows of a record class pass through: its fields, source and agency, no index."""
    table = table_of(record)
    names = ("source", *columns(record), "agency")
    return Table(
        f"stage_{record.NAME}",
        MetaData(),
        *(Column(name, table.c[name].type) for name in names),
        prefixes=["TEMPORARY"],
    )


@cache
def fresh_of(record: type[Record]) -> Table:
    """The temporary table through which the rows of new keys pass: all columns of the table, no index."""
    return Table(
        f"fresh_{record.NAME}",
        MetaData(),
        *(Column(column.name, column.type) for column in table_of(record).c),
        prefixes=["TEMPORARY"],
    )


def emptied(connection: Connection, table: Table) -> None:
    """Make a temporary table, or empty it."""
    # Not `table.create`: that asks first, each time.
    connection.exec_driver_sql(_made(table))
    connection.exec_driver_sql(f"DELETE FROM {table.name}")


@cache
def _made(table: Table) -> str:
    return str(CreateTable(table, if_not_exists=True).compile(dialect=sqlite.dialect()))


def joined(record: type[Record], parts: Sequence[Sequence[Row]]) -> Columnar:
    """Lay the rows of some batches under each other."""
    width = len(columns(record))
    laid = [Columnar.of(part, width) for part in parts]
    if len(laid) == 1:
        return laid[0]
    return Columnar(list(chain.from_iterable(some)) for some in zip(*(part.columns for part in laid), strict=True))


def storable(record: type[Record], rows: Columnar) -> tuple[Columnar, list[BadRow]]:
    """Part the rows that a database can hold from those with a NUL, a lone surrogate or an oversized integer."""
    if not any(map(_suspect, rows.columns)):
        return rows, []
    names = columns(record)
    good: list[bool] = []
    bad: list[BadRow] = []
    for row in rows:
        fault = next(((n, r) for n, v in zip(names, row, strict=True) if (r := _fault(v))), None)
        good.append(fault is None)
        if fault is not None:
            key = str(row[0]).encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")
            bad.append(BadRow(record, key[:200], fault[0], fault[1]))
    return rows.chosen(good), bad


def _suspect(values: Sequence[Any]) -> bool:
    """Tell whether one value of a column may be at fault."""
    kinds = set(map(type, values))
    if type(None) in kinds:
        values = list(filter(None, values))  # neither 0 nor "" is at fault
        kinds.discard(type(None))
        if not values:
            return False
    if kinds == {str}:
        joined = "".join(values)
        return "\0" in joined or _surrogate(joined)
    if kinds == {int}:
        return bool(max(values) > _LARGEST or min(values) < -_LARGEST)
    return any(map(_fault, values))


def _surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _fault(value: Any) -> str:
    if isinstance(value, str):
        if "\0" in value:
            return "holds a NUL byte"
        return "holds half a character (a lone surrogate)" if _surrogate(value) else ""
    return "is an integer too large to store" if isinstance(value, int) and abs(value) > _LARGEST else ""


def digest(row: Sequence[Any]) -> bytes:
    """A content digest that orders rows of the same version, the same on every machine."""
    return blake2b(repr(tuple(row)).encode(), digest_size=16).digest()


def newest(record: type[Record], rows: Sequence[Row], *, live: bool = False) -> Sequence[Row]:
    """Keep one row per key: the greatest version, on a tie the greater digest (`live`: the later one)."""
    if len(set(rows.columns[0] if isinstance(rows, Columnar) else map(_KEY, rows))) == len(rows):
        return rows
    at = columns(record).index("changed")
    kept: dict[str, Row] = {}
    for row in rows:
        other = kept.setdefault(row[0], row)
        if other is not row and (
            row[at] > other[at] or (row[at] == other[at] and row != other and (live or digest(row) > digest(other)))
        ):
            kept[row[0]] = row
    return list(kept.values())


def add(connection: Connection, record: type[Record], source: str, rows: Columnar, *, live: bool = False) -> Arrived:
    """Insert the rows of new keys, and stage the others; `rows` hold the table's columns, in order.

    `live`: rows of the same version as what is stored take its place. What is left on the stage will update a stored
    row.
    """
    emptied(connection, stage_of(record))
    emptied(connection, fresh_of(record))
    if not rows:
        return Arrived(record, rows)
    keys = rows.columns[1]
    # Of a first load none is stored: to ask for each would cost as much as a tenth of storing them.
    if not _known(connection, record, source, [keys[0], keys[-1]]):
        try:
            _insert(connection, record, rows)
        except IntegrityError:
            emptied(connection, fresh_of(record))
        else:
            return Arrived(record, rows)
    known = _known(connection, record, source, keys)
    new = rows
    if known:
        is_known = [key in known for key in keys]
        _stage(connection, record, rows.chosen(is_known), live=live)
        new = rows.chosen([not one for one in is_known])
    if new:
        _insert(connection, record, new)
    return Arrived(record, new)


def _insert(connection: Connection, record: type[Record], rows: Columnar) -> None:
    """Write rows by way of their temporary table; IntegrityError, and none is written, if a key is stored."""
    table, fresh = table_of(record), fresh_of(record)
    marks, bound = _bound(rows.columns)
    # The driver takes them one by one: they are never all there as tuples.
    cursor: Any = connection.connection.cursor()
    cursor.executemany(f"INSERT INTO {fresh.name} VALUES ({marks})", zip(*bound, strict=True))
    cursor.close()
    connection.exec_driver_sql(f"INSERT INTO {table.name} SELECT * FROM {fresh.name}")


def _bound(given: Sequence[Sequence[Any]]) -> tuple[str, list[Sequence[Any]]]:
    """Return the values of an INSERT and the columns to be bound to it.

    To bind a value is what storing it costs most: a column without any, or of one number, is written out, and one that
    stands twice is bound once.
    """
    marks: list[str] = []
    bound: dict[int, Sequence[Any]] = {}
    for column in given:
        first = column[0]
        if (first is None or type(first) is int) and column[-1] == first and column.count(first) == len(column):
            marks.append("NULL" if first is None else str(first))
        else:
            bound.setdefault(id(column), column)
            marks.append(f"?{list(bound).index(id(column)) + 1}")
    return ", ".join(marks), list(bound.values())


def _known(connection: Connection, record: type[Record], source: str, keys: Sequence[str]) -> set[str]:
    """Return those of some keys that are stored."""
    return set(connection.scalars(_question_of_known(record), {"of": source, "keys": json.dumps(keys)}))


@cache
def _question_of_known(record: type[Record]) -> Select[tuple[str]]:
    table = table_of(record)
    asked = func.json_each(bindparam("keys", type_=Text)).table_valued("value")
    return select(table.c.key).where(table.c.source == bindparam("of"), table.c.key.in_(select(asked.c.value)))


def _stage(connection: Connection, record: type[Record], rows: Columnar, *, live: bool) -> None:
    """Put rows on the stage and prune those that would change nothing."""
    staged = stage_of(record)
    width = len(staged.c)
    marks = ", ".join("?" * width)
    given = list(zip(*rows.columns[:width], strict=True))
    connection.exec_driver_sql(f"INSERT INTO {staged.name} VALUES ({marks})", given)
    newer, needless, tied = _pruning(record)
    connection.execute(newer)
    connection.execute(needless)
    if live:
        return
    width = len(columns(record))
    ties = connection.execute(tied).all()
    losers = [tie[0] for tie in ties if digest(tie[:width]) < digest(tie[width:])]
    for key in losers:
        connection.execute(delete(staged).where(staged.c.key == key))


@cache
def _pruning(record: type[Record]) -> tuple[Update, Delete, Select[Any]]:
    """The statements that note newer versions, drop what changes nothing, and show the rows of the same version.

    Made once: to make them takes longer than to run them for the few rows of a run that finds nothing new.
    """
    table, staged = table_of(record), stage_of(record)
    same_key = and_(table.c.source == staged.c.source, table.c.key == staged.c.key)
    content = [column.name for column in staged.c if column.name not in ("source", "key", "changed")]
    equal = and_(*(table.c[name].is_not_distinct_from(staged.c[name]) for name in content))

    # Equal but for a newer version: note the version, and nothing else happens. As a join (UPDATE ... FROM): the
    # stage has no index, so a subquery for each stored row would read all of it each time.
    newer = update(table).where(same_key, equal, staged.c.changed > table.c.changed).values(changed=staged.c.changed)
    stale = exists().where(same_key, table.c.changed > staged.c.changed)
    unchanged = exists().where(same_key, equal)
    names = [staged.c[name] for name in columns(record)]
    tied = select(*names, *(table.c[name] for name in columns(record))).join_from(
        staged, table, and_(same_key, table.c.changed == staged.c.changed)
    )
    return newer, delete(staged).where(stale | unchanged), tied


def merge(connection: Connection, record: type[Record]) -> int:
    """Write what is on the stage over what is stored; returns how many rows that updated."""
    table, staged = table_of(record), stage_of(record)
    total = connection.scalar(select(func.count()).select_from(staged)) or 0
    if not total:
        return 0
    names = staged.c.keys()
    # WHERE: without one SQLite reads ON CONFLICT as a join.
    rows = select(*(staged.c[name] for name in names)).where(staged.c.key.is_not(None))
    statement = sqlite.insert(table).from_select(names, rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["source", "key"],
            set_={name: statement.excluded[name] for name in names if name not in ("source", "key")},
        )
    )
    return total
