"""Tables of dossiers in a real database, as the facts describe them, and runs of the connector that reads them.

facts/source-systems.md 1.2 and 1.4 (opencps_dossier), 2.1 and 2.2 (HoSo). Columns of persons are there, too.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    create_engine,
    delete,
    insert,
    make_url,
    update,
)
from sqlalchemy.pool import NullPool

from collector.contract.connector import Batch, Want
from collector.contract.connector import Row as Made
from collector.contract.door import Rows
from collector.contract.period import local_day, plus_days
from collector.contract.records import Dossier, DossierEvent
from collector.transports import sql
from collector.transports.run import Run
from connectors.onestop import sql_register
from tests.connectors.onestop.runs import named

SINCE = 20260101
GROUP = 55301
CANARIES = ("CANARY", "Bí Mật", "0999888777")


def time(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A time as a register writes it: local, without a zone."""
    return datetime(day // 10_000, day // 100 % 100, day % 100, hour, minute, second)  # noqa: DTZ001


def opencps_dossier(metadata: MetaData, fold: bool = False) -> Table:
    """OpenCPS' table; `fold`: with its names in lower case, as some databases keep them."""
    times = ("createDate", "modifiedDate", "submitDate", "receiveDate", "dueDate", "extendDate", "releaseDate")
    names: list[tuple[str, Any]] = [
        ("dossierId", Integer),
        ("groupId", Integer),
        ("govAgencyCode", String(40)),
        ("serviceCode", String(60)),
        ("dossierNo", String(40)),
        ("dossierStatus", String(20)),
        ("lockState", String(20)),
        ("online_", SmallInteger),
        ("viaPostal", SmallInteger),
        ("fromViaPostal", SmallInteger),
        ("originDossierId", Integer),
        *((name, DateTime) for name in (*times, "finishDate", "cancellingDate", "correcttingDate")),
        ("applicantName", String(80)),
        ("contactTelNo", String(20)),
    ]
    return Table("opencps_dossier", metadata, *(Column(name.lower() if fold else name, kind) for name, kind in names))


def hoso(metadata: MetaData) -> Table:
    """The table of a platform in the codes of the national portal."""
    times = (
        "NgayNopHoSo HanTiepNhan NgayTiepNhan NgayHenTra NgayKetThucXuLy NgayTra NgayTuChoi NgayYeuCauBoSung"
        " NgayCongDanBoSung CreatedOn LastModifiedOn DeletedOn"
    )
    return Table(
        "HoSo",
        metadata,
        Column("MaHoSo", String(40)),
        *(Column(name, String(60)) for name in ("DonViId", "MaTTHC", "MaLinhVuc", "TrangThaiHoSoId")),
        *(Column(name, SmallInteger) for name in ("KenhThucHien", "MucDo")),
        *(Column(name, DateTime) for name in times.split()),
        Column("ChuHoSo", String(80)),
    )


@dataclass
class Site:
    """One table in a database, and what a collector has kept of it."""

    url: str
    engine: Engine
    table: Table
    config: sql_register.Config
    cursor: Mapping[str, Any] | None = None
    batches: list[Batch] = field(default_factory=list)
    dossiers: dict[str, Made] = field(default_factory=dict)
    events: dict[str, Made] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name of the id's column."""
        return self.table.columns.keys()[0]

    def put(self, number: Any, **columns: Any) -> None:
        """Insert a row, or change one."""
        here = self.table.c[self.key]
        with self.engine.begin() as connection:
            if (
                number is not None
                and connection.execute(update(self.table).where(here == number).values(**columns)).rowcount
            ):
                return
            connection.execute(insert(self.table).values({self.key: number, **columns}))

    def put_all(self, rows: Mapping[Any, Mapping[str, Any]]) -> None:
        """Insert rows by their ids."""
        with self.engine.begin() as connection:
            connection.execute(insert(self.table), [{self.key: number, **row} for number, row in rows.items()])

    def drop(self, number: Any) -> None:
        """Delete a row for good."""
        with self.engine.begin() as connection:
            connection.execute(delete(self.table).where(self.table.c[self.key] == number))

    @contextmanager
    def door(self, now: int) -> Iterator[Rows]:
        """The ordinary door of a database, as a run opens it."""
        made = make_url(self.url)
        plain = URL.create(made.drivername, made.username, None, made.host, made.port, made.database, made.query)
        options = sql.Options.model_validate({"url": plain.render_as_string(), "password": made.password})
        with sql.open_door(options, Run("onestop", now, 60, 100_000, lambda *_: "")) as opened:
            yield opened

    def read(self, now: int, **changes: Any) -> list[Batch]:
        """Run once; what is kept is what a store would keep of live rows."""
        last = plus_days(local_day(now), -1)
        asked: dict[str, Any] = {"cursor": self.cursor, "since": SINCE, "first_day": SINCE, "last_day": last}
        if changes.get("window"):
            asked["cursor"] = None
        want = Want(**asked | {"open_pauses": self.open_pauses} | changes)
        with self.door(now) as opened:
            self.batches = []
            for batch in sql_register.fetch(self.config, opened, want):
                self.batches.append(batch)
                for record, known in ((Dossier, self.dossiers), (DossierEvent, self.events)):
                    for row in batch.rows.get(record, ()):
                        if row[0] not in known or row[2] >= known[row[0]][2]:
                            known[row[0]] = row
                self.cursor = batch.cursor or self.cursor
        return self.batches

    def open_pauses(self) -> dict[str, list[tuple[str, int]]]:
        """The pauses that have begun and not ended."""
        found: dict[str, list[tuple[str, int]]] = {}
        for key, row in self.events.items():
            end = self.events.get(key.replace("|begun|", "|ended|"))
            if row[5] == "pause_begun" and (end is None or end[3]):
                found.setdefault(row[4], []).append((row[6], row[7]))
        return found

    def dossier(self, number: Any) -> dict[str, Any]:
        """A dossier as it is kept."""
        return named(Dossier, self.dossiers[str(number)])

    def promises(self, number: Any) -> list[tuple[int, str]]:
        """The due days of a dossier in the order of their promise, with their basis."""
        own = [row for row in self.events.values() if row[4] == str(number) and row[5] == "due_promised"]
        return [(row[8], row[9]) for row in sorted(own, key=lambda row: row[7])]

    def pauses(self, number: Any) -> list[tuple[str, int]]:
        """The begins and ends of a dossier's pauses in order."""
        own = [row for row in self.events.values() if row[4] == str(number) and row[5] != "due_promised" and not row[3]]
        return [(row[5].removeprefix("pause_"), row[8]) for row in sorted(own, key=lambda row: (row[7], row[5]))]


@contextmanager
def opencps_site(url: str, fold: bool = False, **changes: Any) -> Iterator[Site]:
    """OpenCPS' table in an empty database."""
    told = {"preset": "opencps_dossier", "group_id": GROUP, **changes}
    with _site(url, opencps_dossier(MetaData(), fold), told) as site:
        yield site


@contextmanager
def hoso_site(url: str, **changes: Any) -> Iterator[Site]:
    """The other table in an empty database."""
    with _site(url, hoso(MetaData()), {"preset": "hoso", **changes}) as site:
        yield site


@contextmanager
def _site(url: str, table: Table, told: dict[str, Any]) -> Iterator[Site]:
    engine = create_engine(url, poolclass=NullPool)
    table.metadata.create_all(engine)
    yield Site(url, engine, table, sql_register.Config.model_validate(told))
    engine.dispose()


def opencps_row(day: int, due: int | None, **columns: Any) -> dict[str, Any]:
    """The columns of a dossier that was received on a morning and is due on an afternoon."""
    return {
        "groupId": GROUP,
        "govAgencyCode": "000.00.02.H44",
        "serviceCode": "1.002835.000.00.00.H44",
        "dossierStatus": "processing",
        "lockState": "",
        "online_": 1,
        "fromViaPostal": 0,
        "originDossierId": 0,
        "modifiedDate": time(day, 9),
        "submitDate": time(day, 8),
        "receiveDate": time(day, 9),
        "dueDate": None if due is None else time(due, 17),
        "applicantName": "CANARY Nguyễn Thị Bí Mật",
        "contactTelNo": "0999888777",
    } | columns


def hoso_row(day: int, due: int | None, **columns: Any) -> dict[str, Any]:
    """The same in the other table."""
    return {
        "DonViId": "H44.02",
        "MaTTHC": "1.002835.000.00.00.H44",
        "TrangThaiHoSoId": "4",
        "KenhThucHien": 2,
        "MucDo": 4,
        "NgayNopHoSo": time(day, 8),
        "NgayTiepNhan": time(day, 9),
        "NgayHenTra": None if due is None else time(due, 17),
        "CreatedOn": time(day, 8),
        "LastModifiedOn": time(day, 9),
        "ChuHoSo": "CANARY Nguyễn Thị Bí Mật",
    } | columns
