"""A document register in a real PostgreSQL, with names as a Vietnamese office gives them, and what is true of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from collector.demo.ledger import Document, Recipient
from tests.end_to_end.mailboxes import HEALTH, OFFICE, SCIENCE
from tests.servers.postgresql import PostgreSQL

SOURCE = "documents"
DATABASE, SCHEMA = "vanban", "quản lý văn bản"
READER, PASSWORD = "bo_thu_thap", "mật khẩu của người đọc".encode().hex()

MINISTRY = "G05.12"  # outside the province

CONFIG = f"""\
      documents:
        schema: {SCHEMA}
        table: Văn bản
        id: Mã văn bản
        agency: Mã cơ quan
        changed: Cập nhật lúc
        direction: Loại
        issued: Ban hành lúc
        paper: Có bản giấy
        recalled: Đã thu hồi
        deleted: Xoá lúc
        values:
          direction: {{Đi: out, Đến: in}}
          deleted: {{"": 0, "*": 1}}
      deliveries:
        schema: {SCHEMA}
        table: Nơi nhận
        id: Mã
        document: Mã văn bản
        counterpart: Mã định danh
        inside: [H44., .H44]
        electronic: Hình thức gửi
        changed: Cập nhật lúc
        values:
          electronic: {{Trục liên thông: 1, Bưu điện: 0}}
"""

_TABLES: Sequence[LiteralString] = (
    'CREATE SCHEMA "quản lý văn bản"',
    """CREATE TABLE "quản lý văn bản"."Văn bản" (
  "Mã văn bản" bigint PRIMARY KEY, "Mã cơ quan" text NOT NULL, "Loại" text NOT NULL, "Trích yếu" text NOT NULL,
  "Người ký" text NOT NULL, "Ban hành lúc" timestamptz, "Có bản giấy" boolean, "Đã thu hồi" boolean NOT NULL,
  "Xoá lúc" timestamptz, "Cập nhật lúc" timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE "quản lý văn bản"."Nơi nhận" (
  "Mã" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Mã văn bản" bigint NOT NULL, "Mã định danh" text NOT NULL,
  "Hình thức gửi" text NOT NULL, "Cập nhật lúc" timestamptz NOT NULL DEFAULT now())""",
)

ELECTRONIC, POST = "Trục liên thông", "Bưu điện"


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as a clerk enters it: issued at a local time of January, to recipients in some way."""

    id: int
    agency: str
    issued: str | None  # "09 08:00"; None: a draft
    recipients: Sequence[tuple[str, str]]
    direction: str = "Đi"
    paper: bool | None = False


ON_FRIDAY = (
    Entry(1, OFFICE, "09 08:00", [(SCIENCE, ELECTRONIC)]),
    Entry(2, OFFICE, "09 09:00", [(SCIENCE, ELECTRONIC), (MINISTRY, ELECTRONIC)]),
    Entry(3, "000.00.02.H44", "09 09:30", [(OFFICE, ELECTRONIC)], paper=True),
    Entry(4, SCIENCE, "09 10:00", [(MINISTRY, ELECTRONIC), (OFFICE, POST)]),
    Entry(5, SCIENCE, "09 10:30", [(SCIENCE, ELECTRONIC)], direction="Đến"),
    Entry(6, OFFICE, "09 11:00", [(SCIENCE, ELECTRONIC)]),  # recalled on Saturday
    Entry(7, HEALTH, "09 14:00", []),  # to nobody that the register names
    Entry(15, OFFICE, "02 08:00", [(SCIENCE, ELECTRONIC)]),  # entered late, of before the source's first day
)
ON_SATURDAY = (
    Entry(8, OFFICE, "10 08:00", [(HEALTH, POST)]),
    Entry(9, SCIENCE, "10 08:30", [(OFFICE, ELECTRONIC)], paper=None),
    Entry(10, OFFICE, None, [(SCIENCE, ELECTRONIC)]),
    Entry(11, SCIENCE, "10 09:00", [(OFFICE, ELECTRONIC)]),  # struck out again within the hour
    Entry(12, "H44.99", "10 09:30", [(OFFICE, ELECTRONIC)]),
    Entry(13, OFFICE, "10 00:20", [(SCIENCE, ELECTRONIC)]),  # still Friday by UTC
    Entry(14, SCIENCE, "10 23:40", [(MINISTRY, ELECTRONIC)]),
)

_TO_SCIENCE, _TO_OFFICE = Recipient(SCIENCE, 0, 1), Recipient(OFFICE, 0, 1)
_TO_MINISTRY = Recipient(MINISTRY, 1, 1)


def _issued(
    number: int, agency: str | None, written: str, day: int | None, recipients: list[Recipient], paper: int | None = 0
) -> Document:
    return Document(SOURCE, str(number), agency, written, "out", day, recipients, paper, 0, False)


TRUE = [
    _issued(1, OFFICE, OFFICE, 20260109, [_TO_SCIENCE]),
    _issued(2, OFFICE, OFFICE, 20260109, [_TO_SCIENCE, _TO_MINISTRY]),
    _issued(3, SCIENCE, "000.00.02.H44", 20260109, [_TO_OFFICE], paper=1),
    _issued(4, SCIENCE, SCIENCE, 20260109, [_TO_MINISTRY, Recipient(OFFICE, 0, 0)]),
    Document(SOURCE, "5", SCIENCE, SCIENCE, "in", 20260109, [_TO_SCIENCE], 0, 0, False),
    Document(SOURCE, "6", OFFICE, OFFICE, "out", 20260109, [_TO_SCIENCE], 0, 1, False),
    _issued(7, HEALTH, HEALTH, 20260109, []),
    _issued(8, OFFICE, OFFICE, 20260110, [Recipient(HEALTH, 0, 0)]),
    _issued(9, SCIENCE, SCIENCE, 20260110, [_TO_OFFICE], paper=None),
    _issued(10, OFFICE, OFFICE, None, [_TO_SCIENCE]),
    Document(SOURCE, "11", SCIENCE, SCIENCE, "out", 20260110, [_TO_OFFICE], 0, 0, True),
    _issued(12, None, "H44.99", 20260110, [_TO_OFFICE]),
    _issued(13, OFFICE, OFFICE, 20260110, [_TO_SCIENCE]),
    _issued(14, SCIENCE, SCIENCE, 20260110, [_TO_MINISTRY]),
]
"""What the ledger knows: all but number 15, of whose day nothing is kept."""


def make(server: PostgreSQL) -> None:
    """Make the database, its tables, and an account that may read them and nothing else."""
    server.database(DATABASE)
    reader, schema = sql.Identifier(READER), sql.Identifier(SCHEMA)
    server.execute(
        *map(sql.SQL, _TABLES),
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(reader, sql.Literal(PASSWORD)),
        # Its sessions see times as UTC has them: the day must be cut on the local clock all the same.
        sql.SQL("ALTER ROLE {} SET timezone TO 'UTC'").format(reader),
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader),
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, reader),
        database=DATABASE,
    )


def enter(server: PostgreSQL, entries: Sequence[Entry]) -> None:
    """Enter documents; the database's own clock says when."""
    rows: list[sql.Composed | sql.SQL] = []
    for one in entries:
        issued = None if one.issued is None else f"2026-01-{one.issued}+07"
        values = (one.id, one.agency, one.direction, "Về việc bí mật", "Nguyễn Thị Bí Mật", issued, one.paper, False)
        columns = ("Mã văn bản", "Mã cơ quan", "Loại", "Trích yếu", "Người ký", "Ban hành lúc", "Có bản giấy")
        rows.append(_insert("Văn bản", (*columns, "Đã thu hồi"), values))
        for code, way in one.recipients:
            rows.append(_insert("Nơi nhận", ("Mã văn bản", "Mã định danh", "Hình thức gửi"), (one.id, code, way)))
    server.execute(*rows, database=DATABASE)


def _insert(table: str, columns: Sequence[str], values: Sequence[object]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(SCHEMA, table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Literal, values)),
    )


def recall_and_strike_out(server: PostgreSQL) -> None:
    """Recall number 6 and strike out number 11."""
    server.execute(
        sql.SQL(
            'UPDATE "quản lý văn bản"."Văn bản" SET "Đã thu hồi" = true, "Cập nhật lúc" = now() WHERE "Mã văn bản" = 6'
        ),
        sql.SQL(
            'UPDATE "quản lý văn bản"."Văn bản" SET "Xoá lúc" = now(), "Cập nhật lúc" = now() WHERE "Mã văn bản" = 11'
        ),
        database=DATABASE,
    )


def content(server: PostgreSQL) -> list[tuple[object, ...]]:
    """Return every row of both tables, with the transaction that wrote it."""
    address = server.url_of(DATABASE).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address) as connection:
        return [
            row
            for table in ("Văn bản", "Nơi nhận")
            for row in connection.execute(
                sql.SQL("SELECT xmin::text, * FROM {} ORDER BY 2").format(sql.Identifier(SCHEMA, table))
            )
        ]
