"""The records as SQLAlchemy tables, and the two reference tables that formulas join.

Portable between SQLite and PostgreSQL: flags SmallInteger, instants and versions BigInteger, days Integer, text
keys in byte order. Each record table has (source, key) as its key, the record's fields, `agency` (assigned at
save; NULL while the register does not know the code) and the record's derived columns.
"""

from typing import Any, get_type_hints

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.types import TypeEngine

from collector.contract import records
from collector.contract.records import INSTANTS, Record, columns

METADATA = MetaData()

# Byte order on PostgreSQL, as SQLite has it: keyset pages and merges must agree in both.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")

_BIG = {"changed", "at", "quota", "used", *INSTANTS, "begun", "settled"}
_FLAGS = {
    "removed",
    "electronic_stated",
    "paper_too",
    "signed",
    "recalled",
    "sent_electronically",
    "outside",
    "electronic",
    "received",
    "refused",
    "status_told",
    "document_recalled",
    "paused_on_due",
    "listed",
    "digitised",
    "electronic_result",
}


def _kind(name: str, hint: object) -> TypeEngine[Any]:
    if hint in (str, str | None):
        return _TEXT
    if name in _BIG:
        return BigInteger()
    return SmallInteger() if name in _FLAGS else Integer()


def _column(name: str, hint: object, *, key: bool = False) -> Column[Any]:
    optional = hint in (str | None, int | None)
    return Column(name, _kind(name, hint), primary_key=key, nullable=optional and not key, autoincrement=False)


def _table(record: type[Record]) -> Table:
    hints = {name: hint for name, hint in get_type_hints(record).items() if name in columns(record)}
    table = Table(
        record.NAME,
        METADATA,
        _column("source", str, key=True),
        *(_column(name, hints[name], key=name == "key") for name in columns(record)),
        _column("agency", str | None),
        *(_column(name, hint) for name, hint in record.DERIVED.items()),
        sqlite_with_rowid=False,
    )
    if record.AGENCY_DAY is not None:
        Index(f"{record.NAME}_agency", table.c.agency)
    return table


mailbox = _table(records.Mailbox)
mailbox_day = _table(records.MailboxDay)
document = _table(records.Document)
delivery = _table(records.Delivery)
dossier = _table(records.Dossier)
dossier_event = _table(records.DossierEvent)
procedure = _table(records.Procedure)
probe = _table(records.Probe)

# Children are found by their parent, the use of a day by the day and its mailbox by the pseudonym, the mailboxes of a
# day by its month.
Index("mailbox_month", mailbox.c.month_day)
Index("mailbox_pseudonym", mailbox.c.pseudonym, mailbox.c.month_day)
Index("delivery_document", delivery.c.source, delivery.c.document)
Index("dossier_event_dossier", dossier_event.c.source, dossier_event.c.dossier)
Index("mailbox_day_day", mailbox_day.c.day, mailbox_day.c.pseudonym)

workday = Table(
    "workday",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("month_day", Integer, nullable=False),  # its month's first day, so that months join by equality
    Column("ordinal", Integer, nullable=False),  # calendar days since the table's first day
    Column("is_working", SmallInteger, nullable=False),
    Column("working_ordinal", Integer, nullable=False),  # a day off has the last working day's
    Column("provisional", SmallInteger, nullable=False),  # 1: a year without its decision file
    sqlite_with_rowid=False,
)

agency_term = Table(
    "agency_term",
    METADATA,
    Column("agency", _TEXT, primary_key=True),
    Column("from_day", Integer, primary_key=True, autoincrement=False),
    Column("to_day", Integer),  # the last day of the term; NULL: still running
    Column("block", _TEXT, nullable=False),
    Column("headcount", Integer),  # officials on the payroll; NULL: not known
    Column("headcount_from", _TEXT),  # where the number is from
    sqlite_with_rowid=False,
)

# Which agencies each source serves, from a day on: as the settings say.
serving = Table(
    "serving",
    METADATA,
    Column("source", _TEXT, primary_key=True),
    Column("agency", _TEXT, primary_key=True),
    Column("from_day", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The procedures that each agency offers, made from the catalogues (collector/store/offers.py): one line on any day.
offer = Table(
    "offer",
    METADATA,
    Column("code", _TEXT, primary_key=True),  # first: one procedure's lines are made anew together
    Column("agency", _TEXT, primary_key=True),
    Column("from_day", Integer, primary_key=True, autoincrement=False),
    Column("until_day", Integer, nullable=False),  # the first day on which it is so no more; FOREVER: still
    Column("level", _TEXT),  # information | partial | full; NULL: the catalogue does not say
    Column("listed", SmallInteger, nullable=False),  # as of a procedure
    Column("source", _TEXT, nullable=False),  # whose catalogue says so
    sqlite_with_rowid=False,
)

ALWAYS, FOREVER = 19000101, 99991231
"""The first day of what has none, and the day on which what has no end ends."""


def table_of(record: type[Record]) -> Table:
    """Return the table of a record class."""
    return METADATA.tables[record.NAME]
