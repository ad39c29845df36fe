"""A document register in a real database, as a site may have made it, and ways to read it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    create_engine,
    insert,
    make_url,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.pool import NullPool

from collector.contract.connector import Batch, Row, Want
from collector.contract.door import Rows
from collector.contract.period import day_start
from collector.contract.records import Delivery, Document, Record
from collector.transports import sql
from collector.transports.run import Run
from connectors.docmgmt import sql_register
from connectors.docmgmt.sql_register import Config

BEGAN = day_start(20260301) + 8 * 3600
WANT = Want(cursor=None, since=20251231, first_day=20251231, last_day=20260228)


def local(*parts: int) -> datetime:
    """A time as registers write it: without a zone."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - that is the point of it


_TIME = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")

MAPPING: dict[str, Any] = {
    "documents": {
        "table": "Văn bản đi",
        "id": "Mã văn bản",
        "agency": "Mã cơ quan",
        "changed": "Cập nhật lúc",
        "direction": {"constant": "out"},
        "issued": "Ngày ban hành",
        "paper": "Gửi kèm bản giấy",
        "signed": "Đã ký số",
        "recalled": "Đã thu hồi",
        "deleted": "Đã xoá",
        "status": "Trạng thái",
        "values": {"paper": {"Có": 1, "Không": 0}},
    },
    "deliveries": {
        "table": "Nơi nhận",
        "id": "Mã",
        "document": "Mã văn bản",
        "counterpart": "Mã định danh",
        "inside": ["H44.", ".H44"],
        "electronic": 'Tỷ lệ "điện tử" %',
        "sent": "Gửi lúc",
        "changed": "Cập nhật lúc",
        "deleted": "Đã xoá",
        "values": {"electronic": {"success": 1, "error": 0}},
    },
}


def config(documents: Mapping[str, Any] | None = None, **others: Any) -> Config:
    """The mapping of the tables below; `documents` changes entries of it (None: leaves one out)."""
    told = {**MAPPING["documents"], **(documents or {})}
    told = {name: one for name, one in told.items() if one is not None}
    return Config.model_validate({**MAPPING, **others, "documents": told})


@dataclass(frozen=True)
class Register:
    """A database with the two tables."""

    url: str
    engine: Engine
    documents: Table
    deliveries: Table

    def write(self, *documents: Mapping[str, Any]) -> None:
        """Insert documents, given by their columns."""
        with self.engine.begin() as connection:
            connection.execute(insert(self.documents), [dict(one) for one in documents])

    def deliver(self, *deliveries: Mapping[str, Any]) -> None:
        """Insert deliveries, given by their columns."""
        with self.engine.begin() as connection:
            connection.execute(insert(self.deliveries), [dict(one) for one in deliveries])


@contextmanager
def register(url: str, key: Any = Integer, changed: Any = _TIME) -> Iterator[Register]:
    """Make the tables of the register in an empty database."""
    engine = create_engine(url, poolclass=NullPool)
    metadata = MetaData()
    documents = Table(
        "Văn bản đi",
        metadata,
        Column("Mã văn bản", key, nullable=True),
        Column("Mã cơ quan", String(40)),
        Column("Ngày ban hành", Date),
        Column("Gửi kèm bản giấy", String(20)),
        Column("Đã ký số", SmallInteger),
        Column("Đã thu hồi", SmallInteger),
        Column("Đã xoá", SmallInteger),
        Column("Trạng thái", String(1000)),
        Column("Trích yếu", String(200)),
        Column("Cập nhật lúc", changed),
    )
    deliveries = Table(
        "Nơi nhận",
        metadata,
        Column("Mã", Integer),
        Column("Mã văn bản", key),
        Column("Mã định danh", String(40)),
        Column('Tỷ lệ "điện tử" %', String(20)),
        Column("Gửi lúc", _TIME),
        Column("Cập nhật lúc", _TIME),
        Column("Đã xoá", SmallInteger),
    )
    metadata.create_all(engine)
    yield Register(url, engine, documents, deliveries)
    engine.dispose()


def document(number: Any, changed: Any, **others: Any) -> dict[str, Any]:
    """A row of the table of documents; `others` are columns by shorter names."""
    told = {
        "agency": "H44.02",
        "issued": date(2026, 1, 15),
        "paper": "Không",
        "signed": 1,
        "recalled": 0,
        "deleted": 0,
        "status": "Đã phát hành",
        **others,
    }
    return {
        "Mã văn bản": number,
        "Mã cơ quan": told["agency"],
        "Ngày ban hành": told["issued"],
        "Gửi kèm bản giấy": told["paper"],
        "Đã ký số": told["signed"],
        "Đã thu hồi": told["recalled"],
        "Đã xoá": told["deleted"],
        "Trạng thái": told["status"],
        "Trích yếu": "V/v không ai được đọc",
        "Cập nhật lúc": changed,
    }


def delivery(number: int, of: Any, changed: datetime | None, **others: Any) -> dict[str, Any]:
    """A row of the table of deliveries."""
    told = {"code": "000.00.03.H44", "electronic": "success", "sent": local(2026, 1, 15, 9), "deleted": 0, **others}
    return {
        "Mã": number,
        "Mã văn bản": of,
        "Mã định danh": told["code"],
        'Tỷ lệ "điện tử" %': told["electronic"],
        "Gửi lúc": told["sent"],
        "Cập nhật lúc": changed,
        "Đã xoá": told["deleted"],
    }


@contextmanager
def door(url: str, began: int = BEGAN) -> Iterator[Rows]:
    """The ordinary door of a database, as a run opens it."""
    made = make_url(url)
    plain = URL.create(made.drivername, made.username, None, made.host, made.port, made.database, made.query)
    options = sql.Options.model_validate({"url": plain.render_as_string(), "password": made.password})
    run = Run("documents", began, 60, 100_000, lambda *_: "")
    with sql.open_door(options, run) as opened:
        yield opened


def fetched(url: str, config: Config, want: Want = WANT, began: int = BEGAN) -> list[Batch]:
    """All batches of one run."""
    with door(url, began) as opened:
        return list(sql_register.fetch(config, opened, want))


def after(batches: Sequence[Batch], want: Want = WANT) -> Want:
    """What the next run wants once these batches are saved."""
    return replace(want, cursor=next(one.cursor for one in reversed(batches) if one.cursor is not None))


def kept(batches: Iterable[Batch], record: type[Record] = Document) -> dict[str, Row]:
    """What a store keeps of batches: the newest version of each key; of two alike, the one that sorts last."""
    made: dict[str, Row] = {}
    for batch in batches:
        for row in batch.rows.get(record, ()):
            old = made.get(row[0])
            if old is None or (old[2], repr(old)) <= (row[2], repr(row)):
                made[row[0]] = row
    return made


def deliveries(batches: Iterable[Batch]) -> dict[str, Row]:
    """What a store keeps of deliveries."""
    return kept(batches, Delivery)
