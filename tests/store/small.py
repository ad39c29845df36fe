"""A small store for the tests of this room: a register of two agencies, a hand-written calendar, an empty database."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, delete

from collector.agencies import Register, read
from collector.contract.connector import Batch, Row
from collector.contract.records import RECORDS, Record, columns
from collector.contract.tables import table_of
from collector.store import tallies
from collector.store.engine import open_engine, writing
from collector.store.reference import refresh
from collector.store.save import Saved, save
from collector.store.schema import vanished
from collector.workdays import Workday
from indicators import documents, dossiers, mailboxes, procedures, systems

INDICATORS = (
    *documents.INDICATORS,
    *dossiers.INDICATORS,
    *mailboxes.INDICATORS,
    *procedures.INDICATORS,
    *systems.INDICATORS,
)
PLAN = tallies.plan(INDICATORS)

# January 2026 by hand: 1-2 off, Saturday 10 worked. February: Tết, 14-22 off.
_OFF = {
    *(20260101, 20260102, 20260103, 20260104, 20260111, 20260117, 20260118, 20260124, 20260125, 20260131),
    *(20260201, 20260207, 20260208, *range(20260214, 20260223), 20260228),
}

REGISTER = """
blocks:
  departments: {title_vi: Sở, title_en: Departments}
agencies:
  - {code: H44.01, name: A, block: departments, headcount: 3, headcount_from: test, aliases: {any: [a.example]}}
  - code: H44.02
    name: B
    block: departments
    headcount: 2
    headcount_from: test
    old_codes: [000.00.02.H44]
    aliases: {any: [b.example]}
"""


def calendar() -> list[Workday]:
    """January and February 2026."""
    table = []
    working = 0
    for ordinal, day in enumerate((*range(20260101, 20260132), *range(20260201, 20260229))):
        working += day not in _OFF
        table.append(Workday(day, ordinal, day not in _OFF, working, False))
    return table


def register(folder: Path, text: str = REGISTER) -> Register:
    """The register of a text."""
    path = folder / "agencies.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def store(
    folder: Path, text: str = REGISTER, served: Sequence[tuple[str, str, int]] | None = None
) -> tuple[Engine, Register]:
    """An empty store that knows a register, the calendar, and which source serves whom from when on."""
    path = folder / "store.sqlite"
    path.write_bytes(_empty(text, None if served is None else tuple(served)))
    return open_engine(f"sqlite:///{path}"), register(folder, text)


@cache
def _empty(text: str, served: Sequence[tuple[str, str, int]] | None) -> bytes:
    """The file of such a store, made once: that takes longer than most tests of it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        engine = open_engine(f"sqlite:///{path}")
        with writing(engine) as connection:
            refresh(connection, register(Path(folder), text), calendar(), PLAN, served)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()


def emptied(engine: Engine) -> None:
    """Take all records out of a store, for tests that share one and look at records alone: its tallies stay."""
    with writing(engine) as connection:
        for table in (*(table_of(record) for record in RECORDS), vanished):
            connection.execute(delete(table))


def row(record: type[Record], **values: Any) -> Row:
    """A row of a record class: what is not given is None, 0 for counts and versions, "" for the agency code."""
    nothing = {"changed": 0, "removed": 0, "sent_outside": 0, "sent_free": 0, "status_told": 0, "listed": 1}
    given: dict[str, Any] = {"agency_code": "", **nothing, **values}
    return tuple(given.pop(name, None) for name in columns(record))


def put(
    engine: Engine,
    known: Register,
    rows: Mapping[type[Record], Sequence[Row]],
    source: str = "s",
    *,
    live: bool = False,
) -> Saved:
    """Save one batch."""
    with writing(engine) as connection:
        return save(connection, source, [Batch(rows, None, live=live)], known, PLAN)
