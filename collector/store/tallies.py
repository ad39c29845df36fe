"""Tallies: the counts of each indicator for each agency and day, kept in the same transaction as the facts.

`Counted` formulas of one record and day column share one wide table, `tally_<record>_<day column>`, with a row per
agency and day and three columns (hits, judged, unknown) per indicator, filled in one pass. Each part of a `Flow` is
kept as an indicator of its own. `Cells` formulas keep their cells in the long table `cell`, and the groups of persons
behind figures their sizes in `group_size`. All of them are derived: dropped and rebuilt when a declaration changes.
What is left of a destroyed month is what was counted of it: nothing counts it anew.

A save applies signed differences: the counts of the touched rows before the merge are taken away, those after it are
added; new rows are only added. Above the break-even (more than a sixth of the stored rows changed) one rebuild is
cheaper. The rebuild is
also the check: both ways end in the same cells (a property test holds them to it).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    Label,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    delete,
    func,
    inspect,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement, visitors

from collector.contract.indicator import Cells, Counted, Flow, Group, Indicator
from collector.contract.period import month_of, plus_days
from collector.contract.records import Mailbox, Record
from collector.contract.tables import ALWAYS, FOREVER, mailbox
from collector.store.schema import cell, destroyed_month, group_size

PARTS = ("hits", "judged", "unknown")

_UNKNOWN = 2
"""The verdict on a row that cannot be judged, beside 1 (a hit) and 0 (a miss)."""

_REBUILD_BELOW = 6
"""Stored rows for each changed one: fewer of them are counted anew at less cost than what changed."""

_FIRST_DAY, _LAST_DAY = 19000101, 29991231


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """One wide table and the indicators that it counts. Equal only to itself: what is made of it is remembered."""

    facts: Table
    day: str  # the name of the day column
    table: Table
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class Tallies:
    """All derived tables of a set of indicators."""

    wide: tuple[Wide, ...]
    celled: tuple[Indicator, ...]
    groups: tuple[Group, ...]
    digest: str  # of the declarations: when it changes, everything is rebuilt


def _tallied(indicator: Indicator) -> list[Indicator]:
    """Return what is tallied of an indicator: itself, or each part of a flow, which is never told by itself."""
    if not isinstance(indicator.formula, Flow):
        return [indicator]
    return [
        replace(indicator, id=f"{indicator.id}.{name}", formula=part, period="sum")
        for name, part in indicator.formula.parts()
    ]


def plan(indicators: Iterable[Indicator]) -> Tallies:
    """Lay out the derived tables of a set of indicators."""
    indicators = sorted((part for one in indicators for part in _tallied(one)), key=lambda one: one.id)
    groups: dict[tuple[str, str], list[Indicator]] = {}
    celled = []
    text = []
    for indicator in indicators:
        formula = indicator.formula
        if isinstance(formula, Counted):
            groups.setdefault((formula.table.name, formula.day.name), []).append(indicator)
            text.append(f"{indicator.id} {_said(formula.counted)} {formula.day} {_said(formula.hit)}")
        elif isinstance(formula, Cells):
            celled.append(indicator)
            text.append(f"{indicator.id} {_said(formula.select)}")
    derived = MetaData()
    behind = {indicator.group.id: indicator.group for indicator in indicators if indicator.group is not None}
    text.extend(f"{one.id} {_said(one.select)}" for one in behind.values())
    wide = []
    for (name, day), members in groups.items():
        formula = members[0].formula
        assert isinstance(formula, Counted)
        table = Table(
            f"tally_{name}_{day}",
            derived,
            Column("agency", Text, primary_key=True),
            Column("day", Integer, primary_key=True, autoincrement=False),
            *(Column(f"{one.column}_{part}", Integer, nullable=False) for one in members for part in PARTS),
            sqlite_with_rowid=False,
        )
        wide.append(Wide(formula.table, day, table, tuple(members)))
    digest = blake2b("\n".join(text).encode(), digest_size=16).hexdigest()
    return Tallies(tuple(wide), tuple(celled), tuple(behind.values()), digest)


def _said(formula: ClauseElement) -> str:
    """A formula in words, its constants included: 80 % and 90 % are two formulas."""
    compiled = formula.compile()
    return f"{compiled} {sorted((name, repr(value)) for name, value in compiled.params.items())}"


def part_of(tallies: Tallies, indicator: Indicator, name: str) -> tuple[Table, list[Column[Any]]]:
    """Return the table of one part of a flow, and its columns of hits, judged and unknown."""
    for wide in tallies.wide:
        for one in wide.indicators:
            if one.id == f"{indicator.id}.{name}":
                return wide.table, [wide.table.c[f"{one.column}_{part}"] for part in PARTS]
    raise KeyError(f"{indicator.id} has no {name}")


def counts(wide: Wide, sign: int = 1, touched: Table | None = None, new: Table | None = None) -> Select[Any]:
    """One pass over the facts: agency, day, and hits, judged, unknown of each indicator, times `sign`.

    With `touched` (a table of source, key and fresh) only over those rows; what is taken away leaves out the fresh
    ones, which are in no tally yet. With `new`, a table of the same columns, over its rows instead.
    """
    facts = wide.facts if new is None else new
    day = facts.c[wide.day]
    verdicts = select(facts.c.agency, day.label("day"), *(_verdict(one, facts) for one in wide.indicators))
    if touched is not None:
        verdicts = verdicts.join_from(
            touched, facts, and_(facts.c.source == touched.c.source, facts.c.key == touched.c.key)
        )
        if sign < 0:
            verdicts = verdicts.where(touched.c.fresh == 0)
    # OFFSET 0 keeps the two levels apart: each verdict is worked out once for a row, not once for each count of it.
    rows = verdicts.where(facts.c.agency.is_not(None), facts.c.removed == 0, day.is_not(None)).offset(0).subquery()
    sums = []
    for indicator in wide.indicators:
        verdict = rows.c[indicator.column]
        for part, of in zip(PARTS, (verdict == 1, verdict < _UNKNOWN, verdict == _UNKNOWN), strict=True):
            sums.append((literal(sign) * func.count().filter(of)).label(f"{indicator.column}_{part}"))
    any_counted = or_(*(rows.c[indicator.column].is_not(None) for indicator in wide.indicators))
    return select(rows.c.agency, rows.c.day, *sums).where(any_counted).group_by(rows.c.agency, rows.c.day)


def _verdict(indicator: Indicator, facts: Table) -> Label[int | None]:
    """What an indicator says of a row: 1 a hit, 0 a miss, 2 not to be judged; NULL: not counted."""
    formula = indicator.formula
    assert isinstance(formula, Counted)
    hit = func.coalesce(cast(formula.hit, Integer), _UNKNOWN)
    verdict: ColumnElement[int | None] = case((formula.counted, hit))
    if facts is not formula.table:

        def of_facts(element: Any, **_: Any) -> Any:
            return facts.c[element.name] if isinstance(element, Column) and element.table is formula.table else None

        verdict = visitors.replacement_traverse(verdict, {}, of_facts)
    return verdict.label(indicator.column)


def add(connection: Connection, tallies: Tallies, facts: Table, touched: Table, sign: int) -> None:
    """Add (or, with sign -1, take away) the counts of the touched rows of a record table."""
    for wide in tallies.wide:
        if wide.facts is facts:
            connection.exec_driver_sql(*_addition(wide, sign, touched))


def add_new(connection: Connection, tallies: Tallies, facts: Table, new: Table) -> None:
    """Add the counts of new rows that another table has too: the same columns, and just these rows."""
    for wide in tallies.wide:
        if wide.facts is facts:
            connection.exec_driver_sql(*_addition_of_new(wide, new))


@cache
def _addition(wide: Wide, sign: int, touched: Table) -> tuple[str, tuple[Any, ...]]:
    return _added(wide, counts(wide, sign, touched))


@cache
def _addition_of_new(wide: Wide, new: Table) -> tuple[str, tuple[Any, ...]]:
    return _added(wide, counts(wide, new=new))


def _added(wide: Wide, counted: Select[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return the statement that adds counts, as text: to compile it takes longer than to run it for few rows."""
    names = list(wide.table.c.keys())
    statement = sqlite.insert(wide.table).from_select(names, counted)
    made = statement.on_conflict_do_update(
        index_elements=["agency", "day"],
        set_={name: wide.table.c[name] + statement.excluded[name] for name in names[2:]},
    ).compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    return str(made), tuple(made.params[name] for name in made.positiontup or ())


def sweep(connection: Connection, tallies: Tallies, facts: Table) -> None:
    """Remove rows whose every count has gone back to zero, so that a rebuild ends in the same rows."""
    for wide in tallies.wide:
        if wide.facts is facts:
            connection.execute(delete(wide.table).where(and_(*(column == 0 for column in list(wide.table.c)[2:]))))


def worth_rebuilding(connection: Connection, facts: Table, touched: Table) -> bool:
    """Whether so many rows change that one rebuild is cheaper than signed differences; new ones are only added."""
    changed = connection.scalar(select(func.count()).select_from(touched).where(touched.c.fresh == 0)) or 0
    if not changed:
        return False
    enough = changed * _REBUILD_BELOW  # to count on would be to read on, over millions of rows
    stored = connection.scalar(select(func.count()).select_from(select(facts.c.source).limit(enough).subquery())) or 0
    return stored < enough


def rebuild(connection: Connection, tallies: Tallies, facts: Table) -> None:
    """Count everything of one record table anew."""
    for wide in tallies.wide:
        if wide.facts is facts:
            connection.execute(delete(wide.table))
            connection.execute(wide.table.insert().from_select(list(wide.table.c.keys()), counts(wide)))


def recompute_cells(connection: Connection, tallies: Tallies, touched: Mapping[type[Record], tuple[int, int]]) -> None:
    """Compute anew the cells of all `Cells` indicators, and the groups, that rest on a touched record.

    `touched` holds, by record, the first and the last local day whose cells may have changed. Of what is about
    persons destroyed months are passed over.
    """
    for indicator in tallies.celled:
        found = _stretch(indicator.needs, touched)
        if found is None:
            continue
        first, last = found
        if indicator.period == "month":
            # The later days of the month rest on the touched ones.
            last = month_of(last).last
        formula = indicator.formula
        assert isinstance(formula, Cells)
        stretches = _alive(connection, first, last) if indicator.group is not None else [(first, last)]
        cells = formula.select.subquery()
        made = select(literal(indicator.id), cells.c.agency, cells.c.day, *(cells.c[part] for part in PARTS))
        for first_day, last_day in stretches:
            old = delete(cell).where(cell.c.indicator == indicator.id, cell.c.day.between(first_day, last_day))
            connection.execute(old)
            connection.execute(
                cell.insert().from_select(["indicator", "agency", "day", *PARTS], made),
                {"first_day": first_day, "last_day": last_day},
            )
    for group in tallies.groups:
        found = _stretch(group.needs, touched)
        if found is None:
            continue
        sizes = group.select.subquery()
        counted = select(literal(group.id), sizes.c.agency, sizes.c.day, sizes.c.size)
        for first_day, last_day in _alive(connection, *found):
            days = group_size.c.day.between(first_day, last_day)
            connection.execute(delete(group_size).where(group_size.c.group == group.id, days))
            connection.execute(
                group_size.insert().from_select(["group", "agency", "day", "size"], counted),
                {"first_day": first_day, "last_day": last_day},
            )


def _stretch(needs: Sequence[type[Record]], touched: Mapping[type[Record], tuple[int, int]]) -> tuple[int, int] | None:
    days = [touched[record] for record in needs if record in touched]
    return (min(first for first, _ in days), max(last for _, last in days)) if days else None


def _alive(connection: Connection, first: int, last: int) -> list[tuple[int, int]]:
    """The days `first..last` in stretches, without those of destroyed months."""
    stretches: list[tuple[int, int]] = []
    months = destroyed_month.c.month_day
    for dead in connection.scalars(select(months).where(months <= last).order_by(months)):
        if first < dead:
            stretches.append((first, plus_days(dead, -1)))
        first = max(first, month_of(dead).end)
    return [*stretches, (first, last)] if first <= last else stretches


def rebuild_all(connection: Connection, tallies: Tallies) -> None:
    """Drop every derived table and count everything anew: the check, and what a changed declaration needs.

    What was counted of persons in a destroyed month stays.
    """
    for name in inspect(connection).get_table_names():
        if name.startswith("tally_"):
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
    for wide in tallies.wide:
        wide.table.create(connection)
        connection.execute(wide.table.insert().from_select(list(wide.table.c.keys()), counts(wide)))
    for first_day, last_day in _alive(connection, _FIRST_DAY, _LAST_DAY):
        for table in (cell, group_size):
            connection.execute(delete(table).where(table.c.day.between(first_day, last_day)))
    of_nobody = [one for one in tallies.celled if one.group is None]
    connection.execute(delete(cell).where(cell.c.indicator.in_([one.id for one in of_nobody])))
    touched = {record: (ALWAYS, FOREVER) for one in of_nobody for record in one.needs}
    first, last = connection.execute(select(func.min(mailbox.c.month_day), func.max(mailbox.c.month_day))).one()
    if first is not None:
        touched[Mailbox] = first, month_of(last).last
    recompute_cells(connection, tallies, touched)


def without_day(connection: Connection, tallies: Tallies) -> dict[str, int]:
    """Count, per indicator, the rows that are counted but have no day: they are in no cell, and somebody will ask."""
    found = {}
    for wide in tallies.wide:
        for indicator in wide.indicators:
            formula = indicator.formula
            assert isinstance(formula, Counted)
            found[indicator.id] = (
                connection.scalar(
                    select(func.count())
                    .select_from(formula.table)
                    .where(formula.table.c.removed == 0, formula.counted, formula.day.is_(None))
                )
                or 0
            )
    return found
