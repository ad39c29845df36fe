"""The document register of the sample province: an SQLite database with Vietnamese table and column names.

Beside what the ledger tells it holds what such a register holds: subjects, signers, recipients struck out again,
rows touched all at once by a bulk update. `MAPPING` is the `config:` block with which `docmgmt.sql_register` reads it.
"""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector.contract import period
from collector.demo.ledger import Document, Ledger

NAME = "documents.sqlite"

_TABLES = """
CREATE TABLE "Văn bản" (
  "Mã văn bản" INTEGER PRIMARY KEY, "Mã cơ quan" TEXT, "Loại" TEXT, "Số ký hiệu" TEXT, "Trích yếu" TEXT,
  "Người ký" TEXT, "Ngày ban hành" TEXT, "Bản giấy" TEXT, "Đã ký số" INTEGER, "Thu hồi" TEXT, "Hạn xử lý" TEXT,
  "Hoàn thành lúc" TEXT, "Trạng thái" TEXT,
  "Đã xoá" INTEGER NOT NULL, "Cập nhật lúc" TEXT NOT NULL);
CREATE TABLE "Nơi nhận" (
  "Mã" INTEGER PRIMARY KEY, "Mã văn bản" INTEGER NOT NULL, "Mã định danh" TEXT, "Tên nơi nhận" TEXT, "Hình thức" TEXT,
  "Gửi lúc" TEXT, "Trạng thái nhận" TEXT, "Tiếp nhận lúc" TEXT, "Đã xoá" INTEGER NOT NULL,
  "Cập nhật lúc" TEXT NOT NULL);
"""
_INDEXES = """
CREATE INDEX "Văn bản theo cập nhật" ON "Văn bản" ("Cập nhật lúc", "Mã văn bản");
CREATE INDEX "Nơi nhận theo cập nhật" ON "Nơi nhận" ("Cập nhật lúc", "Mã");
CREATE INDEX "Nơi nhận theo văn bản" ON "Nơi nhận" ("Mã văn bản");
"""

MAPPING: dict[str, Any] = {
    "documents": {
        "table": "Văn bản",
        "id": "Mã văn bản",
        "agency": "Mã cơ quan",
        "changed": "Cập nhật lúc",
        "deleted": "Đã xoá",
        "direction": "Loại",
        "issued": "Ngày ban hành",
        "paper": "Bản giấy",
        "signed": "Đã ký số",
        "recalled": "Thu hồi",
        "due": "Hạn xử lý",
        "completed": "Hoàn thành lúc",
        "status": "Trạng thái",
        "values": {
            "direction": {"Văn bản đi": "out", "Văn bản đến": "in"},
            "paper": {"Có": 1, "Không": 0},
            "recalled": {"Đã thu hồi": 1, "Không": 0, "": 0},
        },
    },
    "deliveries": {
        "table": "Nơi nhận",
        "id": "Mã",
        "document": "Mã văn bản",
        "counterpart": "Mã định danh",
        "inside": ["H44.", ".H44"],
        "electronic": "Hình thức",
        "sent": "Gửi lúc",
        "received": "Trạng thái nhận",
        "received_on": "Tiếp nhận lúc",
        "refused": "Trạng thái nhận",
        "recalled": {"constant": "0"},
        "changed": "Cập nhật lúc",
        "deleted": "Đã xoá",
        "values": {
            "electronic": {"Trục liên thông": 1, "Thư điện tử": 1, "Bưu điện": 0, "Văn thư chuyển tay": 0},
            "received": {"03": 1, "04": 1, "06": 1, "01": 0, "02": 0, "": 0},
            "refused": {"02": 1, "01": 0, "03": 0, "04": 0, "06": 0, "": 0},
        },
    },
}

_ELECTRONIC = {1: ("Trục liên thông", "Trục liên thông", "Thư điện tử"), 0: ("Bưu điện", "Văn thư chuyển tay")}
_NO_WAY_KNOWN = (None, "Khác", "Chưa rõ")
_ANSWERS = {1: ("03", "04", "06"), 0: ("01", "02", "")}
_PAPER = {1: "Có", 0: "Không"}
_RECALLED = {1: "Đã thu hồi", None: "Chờ phản hồi"}
_SIGNERS = ("Nguyễn Văn Hùng", "Trần Thị Lan", "Lê Quang Thắng", "Phạm Minh Đức", "Hoàng Thị Yến")

# One night somebody touched every document of these days at once: thousands of rows with one time of change.
_BULK_DAYS = (20260112, 20260114)
_BULK_TIME = "2026-01-17 02:00:00.000000"


def write(ledger: Ledger, path: Path) -> None:
    """Write the database; an older one there is replaced."""
    path.unlink(missing_ok=True)
    chance = random.Random(f"{ledger.seed}:register")  # noqa: S311 - a sample, no secret
    newest = _written(ledger.now - 3600, 0)
    documents: list[tuple[Any, ...]] = []
    deliveries: list[tuple[Any, ...]] = []
    for document in ledger.documents:
        changed = min(_changed(document, ledger, chance), newest)
        documents.append(_document(document, changed))
        deliveries += _deliveries(document, changed, chance, len(deliveries))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        connection.executemany(f'INSERT INTO "Văn bản" VALUES ({", ".join("?" * 15)})', documents)
        connection.executemany(f'INSERT INTO "Nơi nhận" VALUES ({", ".join("?" * 10)})', deliveries)
        connection.execute("COMMIT")
        connection.executescript(_INDEXES)
    finally:
        connection.close()


def _written(instant: int, microsecond: int) -> str:
    day = period.local_day(instant)
    clock = instant - period.day_start(day)
    return f"{period.iso(day)} {clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}.{microsecond:06d}"


def _changed(document: Document, ledger: Ledger, chance: random.Random) -> str:
    day = document.issued_day or ledger.last_day
    if ledger.first_day <= _BULK_DAYS[0] <= day <= _BULK_DAYS[1]:
        return _BULK_TIME
    late = int(chance.random() * 20) if chance.random() < 0.05 else 0  # touched again, days later
    instant = period.day_start(day) + late * 86_400 + 27_000 + int(chance.random() * 33_000)
    return _written(instant, int(chance.random() * 1_000_000))


def _document(document: Document, changed: str) -> tuple[Any, ...]:
    number = int(document.id)
    out = document.direction == "out"
    paper = None if not out else _PAPER[document.paper_too] if document.paper_too is not None else _unknown(number)
    recalled = (None if number % 7 else "Không") if document.recalled == 0 else _RECALLED[document.recalled]
    return (
        number,
        document.agency_written,
        "Văn bản đi" if out else "Văn bản đến",
        f"{number % 4000}/{'QĐ' if number % 5 == 0 else 'CV'}",
        f"Về việc thực hiện nhiệm vụ số {number % 900}",
        _SIGNERS[number % len(_SIGNERS)],
        _issued(document.issued_day, number),
        paper,
        document.signed,
        recalled,
        None if document.due_day is None else period.iso(document.due_day),
        None if document.completed_day is None else f"{period.iso(document.completed_day)} 23:59:59",
        "Dự thảo" if document.issued_day is None else "Đã ban hành" if out else "Đã tiếp nhận",
        int(document.deleted),
        changed,
    )


def _unknown(number: int) -> str | None:
    return (None, "", "?")[number % 3]


def _issued(day: int | None, number: int) -> str | None:
    """Return the day of issue as written: a date, and for some rows a time of day too, up to its last second."""
    if day is None:
        return None
    return (
        f"{period.iso(day)} {('23:59:59', '00:00:00', '09:15:00')[number % 3]}" if number % 11 == 0 else period.iso(day)
    )


def _deliveries(document: Document, changed: str, chance: random.Random, before: int) -> Iterator[tuple[Any, ...]]:
    row = 1 + before
    sent = None if document.issued_day is None else f"{period.iso(document.issued_day)} 16:30:00"
    for one in document.recipients:
        way = _NO_WAY_KNOWN[row % 3] if one.electronic is None else chance.choice(_ELECTRONIC[one.electronic])
        code = one.code if one.code is not None or row % 2 else "Các đơn vị liên quan"
        answer = "9" if one.received is None else chance.choice(_ANSWERS[one.received])
        when = None if one.received_day is None else f"{period.iso(one.received_day)} 23:59:59"
        name = None if one.code else "Nơi nhận khác"
        yield (row, int(document.id), code, name, way, sent, answer, when, 0, changed)
        row += 1
    if document.recipients and int(document.id) % 53 == 0:  # addressed in error and struck out
        yield (row, int(document.id), "G99", None, "Bưu điện", sent, "", None, 1, changed)
