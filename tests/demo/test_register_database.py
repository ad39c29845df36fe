"""The sample province's document register."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.demo import register_database
from collector.demo.ledger import Ledger


@pytest.fixture
def register(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database, open."""
    connection = sqlite3.connect(folder / register_database.NAME)
    yield connection
    connection.close()


def _rows(register: sqlite3.Connection, question: str) -> list[tuple[Any, ...]]:
    return register.execute(question).fetchall()


def test_each_document_of_the_ledger_is_there_as_the_mapping_reads_it(
    register: sqlite3.Connection, small: Ledger
) -> None:
    values = register_database.MAPPING["documents"]["values"]
    question = (
        'SELECT "Mã văn bản", "Mã cơ quan", "Loại", substr("Ngày ban hành", 1, 10), "Bản giấy", "Thu hồi", "Đã xoá",'
        ' "Đã ký số", "Hạn xử lý", substr("Hoàn thành lúc", 1, 10) FROM "Văn bản"'
    )
    told = {
        str(number): (
            agency,
            values["direction"][kind],
            issued and int(issued.replace("-", "")),
            values["paper"].get(paper),
            values["recalled"].get(recalled or ""),
            bool(deleted),
            signed,
            due and int(due.replace("-", "")),
            done and int(done.replace("-", "")),
        )
        for number, agency, kind, issued, paper, recalled, deleted, signed, due, done in _rows(register, question)
    }
    assert told == {
        one.id: (
            one.agency_written,
            one.direction,
            one.issued_day,
            one.paper_too,
            one.recalled,
            one.deleted,
            one.signed,
            one.due_day,
            one.completed_day,
        )
        for one in small.documents
    }


def test_each_recipient_is_there_and_those_struck_out_are_marked(register: sqlite3.Connection, small: Ledger) -> None:
    ways, answers = (register_database.MAPPING["deliveries"]["values"][name] for name in ("electronic", "received"))
    question = (
        'SELECT "Mã văn bản", "Hình thức", "Trạng thái nhận", substr("Tiếp nhận lúc", 1, 10)'
        ' FROM "Nơi nhận" WHERE "Đã xoá" = 0'
    )
    told = Counter(
        (str(document), ways.get(way), answers.get(answer), day and int(day.replace("-", "")))
        for document, way, answer, day in _rows(register, question)
    )
    assert told == Counter(
        (one.id, each.electronic, each.received, each.received_day)
        for one in small.documents
        for each in one.recipients
    )
    assert _rows(register, 'SELECT count(*) FROM "Nơi nhận" WHERE "Đã xoá" = 1')[0][0] > 0


def test_a_bulk_update_gave_many_documents_one_time_of_change(register: sqlite3.Connection) -> None:
    question = 'SELECT count(*) FROM "Văn bản" GROUP BY "Cập nhật lúc" ORDER BY 1 DESC LIMIT 1'
    assert _rows(register, question)[0][0] > 100


def test_nothing_was_changed_after_the_demo_s_now(register: sqlite3.Connection) -> None:
    for table in ("Văn bản", "Nơi nhận"):
        assert _rows(register, f'SELECT max("Cập nhật lúc") FROM "{table}"')[0][0] < "2026-03-01 08:00:00"


def test_the_same_ledger_gives_the_same_register(small: Ledger, folder: Path, tmp_path: Path) -> None:
    register_database.write(small, tmp_path / "again.sqlite")
    assert (tmp_path / "again.sqlite").read_bytes() == (folder / register_database.NAME).read_bytes()
