"""Keeps the register and the calendar of working days in the store, beside the facts that were derived with them.

When one of them changes, or an indicator's declaration, whatever rests on it is derived and counted anew, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, select
from sqlalchemy.dialects import sqlite

from collector.agencies import Register
from collector.contract.records import RECORDS
from collector.contract.tables import agency_term, delivery, dossier, table_of, workday
from collector.store import derive, tallies
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


def refresh(
    connection: Connection, register: Register, calendar: Sequence[Workday], plan: tallies.Tallies
) -> Refreshed:
    """Bring the store in line with the register, the calendar and the declarations. The caller commits."""
    calendar_digest = blake2b(repr(calendar).encode(), digest_size=16).hexdigest()
    changed = Refreshed(
        register=_note(connection, "register", register.digest),
        calendar=_note(connection, "calendar", calendar_digest),
        declarations=_note(connection, "declarations", plan.digest),
    )
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
        _ALL.create(connection, checkfirst=True)
        ordinals = derive.ordinals(connection)
        for table, derived in ((dossier, derive.dossiers), (delivery, derive.deliveries)):
            connection.execute(delete(_ALL))
            connection.execute(_ALL.insert().from_select(["source", "key"], select(table.c.source, table.c.key)))
            derived(connection, _ALL, ordinals)
    if changed.register or changed.calendar or changed.declarations:
        tallies.rebuild_all(connection, plan)
    return changed


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
