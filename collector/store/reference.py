"""Keeps the register and the calendar of working days in the store, beside the facts that were derived with them.

When one of them changes, or an indicator's declaration, whatever rests on it is derived and counted anew, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, select
from sqlalchemy.dialects import sqlite

from collector.agencies import Register
from collector.contract.records import RECORDS, Probe, Procedure
from collector.contract.tables import ALWAYS, FOREVER, agency_term, delivery, dossier, serving, table_of, workday
from collector.store import derive, offers, tallies
from collector.store.schema import about
from collector.workdays import Workday

_FAR_FUTURE = 99991231

_ALL = Table("touched_all", MetaData(), Column("source", Text), Column("key", Text), prefixes=["TEMPORARY"])


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What had changed since the store was last used."""

    register: bool
    calendar: bool
    declarations: bool
    serving: bool = False


def refresh(
    connection: Connection,
    register: Register,
    calendar: Sequence[Workday],
    plan: tallies.Tallies,
    served: Sequence[tuple[str, str, int]] | None = None,
) -> Refreshed:
    """Bring the store in line with the register, the calendar, the declarations and the settings. The caller commits.

    `served`: which source serves which agency from which day on; None: as before.
    """
    changed = Refreshed(
        register=_note(connection, "register", register.digest),
        calendar=_note(connection, "calendar", _digest(calendar)),
        declarations=_note(connection, "declarations", plan.digest),
        serving=served is not None and _note(connection, "serving", _digest(sorted(served))),
    )
    if changed.serving and served is not None:
        connection.execute(delete(serving))
        if served:
            rows = [{"source": source, "agency": agency, "from_day": day} for source, agency, day in served]
            connection.execute(insert(serving), rows)
    if changed.register:
        connection.execute(delete(agency_term))
        terms = [
            {
                "agency": term.agency,
                "from_day": term.from_day,
                "to_day": term.to_day,
                "block": term.block,
                "headcount": term.headcount,
                "headcount_from": term.headcount_from,
            }
            for term in register.terms()
        ]
        if terms:
            connection.execute(insert(agency_term), terms)
        _assign_again(connection, register)
    if changed.calendar:
        connection.execute(delete(workday))
        if calendar:
            connection.execute(
                insert(workday),
                [
                    {
                        "day": one.day,
                        "month_day": one.day // 100 * 100 + 1,
                        "ordinal": one.ordinal,
                        "is_working": int(one.is_working),
                        "working_ordinal": one.working_ordinal,
                        "provisional": int(one.provisional),
                    }
                    for one in calendar
                ],
            )
        derive.deliveries(connection, _all_of(connection, delivery), derive.ordinals(connection))
    if changed.calendar or changed.register:  # whom a line of a catalogue names, the register says
        derive.dossiers(connection, _all_of(connection, dossier), derive.ordinals(connection), register)
    if changed.register or changed.serving:
        offers.make(connection, register)
    if changed.register or changed.calendar or changed.declarations:
        tallies.rebuild_all(connection, plan)
    elif changed.serving:
        tallies.recompute_cells(connection, plan, dict.fromkeys((Procedure, Probe), (ALWAYS, FOREVER)))
    return changed


def _all_of(connection: Connection, table: Table) -> Table:
    """The keys of all rows of a record table."""
    _ALL.create(connection, checkfirst=True)
    connection.execute(delete(_ALL))
    connection.execute(_ALL.insert().from_select(["source", "key"], select(table.c.source, table.c.key)))
    return _ALL


def _digest(value: object) -> str:
    return blake2b(repr(value).encode(), digest_size=16).hexdigest()


def _note(connection: Connection, name: str, value: str) -> bool:
    """Store a digest; returns whether it is a new one."""
    if connection.scalar(select(about.c.value).where(about.c.name == name)) == value:
        return False
    statement = sqlite.insert(about).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
    return True


def _assign_again(connection: Connection, register: Register) -> None:
    """Resolve every agency code anew: the register may have learnt it, or an agency's term may have changed."""
    for record in RECORDS:
        if record.AGENCY_DAY is None:
            continue
        table = table_of(record)
        written, day = table.c[record.AGENCY_CODE], table.c[record.AGENCY_DAY]
        for source, code, event, agency in connection.execute(
            select(table.c.source, written, day, table.c.agency).distinct()
        ).all():
            now = register.resolve(source, code or "", event or _FAR_FUTURE)
            if now != agency:
                connection.execute(
                    table.update()
                    .where(table.c.source == source, written == code, day.is_not_distinct_from(event))
                    .values(agency=now)
                )
