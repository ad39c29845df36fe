import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import Date, column, func, select, table, text
from sqlalchemy import Integer as Whole

from collector.contract.errors import TryAgain, UnexpectedAnswer, WrongUse
from collector.transports.sql import Database, Options, open_door
from tests.transports.runs import make_run

SECRET = "quite-secret-4711"
DOCUMENTS = table("van_ban", column("id"), column("số ký hiệu"), column("issued"))


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "sổ đăng ký #1 %41?.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            CREATE TABLE van_ban (id INTEGER PRIMARY KEY, "số ký hiệu" TEXT, issued DATE);
            INSERT INTO van_ban VALUES (1, '28/UBND', '2026-01-31'), (2, NULL, NULL);
            CREATE VIEW den AS SELECT id, issued FROM van_ban;
            """
        )
    return path


@pytest.fixture
def door(register: Path) -> Iterator[Database]:
    with open_door(Options(url=f"sqlite:///{quote(str(register))}"), make_run()) as opened:
        yield opened


def test_rows_are_plain_tuples_as_the_driver_gives_them(door: Database) -> None:
    rows = door.rows(select(DOCUMENTS).order_by(DOCUMENTS.c.id))
    assert rows == [(1, "28/UBND", "2026-01-31"), (2, None, None)]
    assert all(type(row) is tuple for row in rows)


def test_a_column_with_a_type_is_read_as_that_type(door: Database) -> None:
    typed = table("van_ban", column("id", Whole), column("issued", Date))
    rows = door.rows(select(typed).order_by(typed.c.id))
    assert rows == [(1, date(2026, 1, 31)), (2, None)]
    assert all(type(row) is tuple for row in rows)


def test_bound_values_and_lists_are_asked(door: Database) -> None:
    found = select(DOCUMENTS.c.id).where(DOCUMENTS.c.id.in_([2, 3]), DOCUMENTS.c.id > 1)
    assert door.rows(found) == [(2,)]
    assert door.rows(select(DOCUMENTS.c.id).where(DOCUMENTS.c.id == 9)) == []


def test_columns_of_tables_and_views_are_named_and_none_of_what_is_not_there(door: Database) -> None:
    assert door.columns("van_ban", None) == ("id", "số ký hiệu", "issued")
    assert door.columns("den", None) == ("id", "issued")
    assert door.columns("cong_van", None) == ()


@pytest.mark.parametrize("statement", [DOCUMENTS.insert().values(id=3), text("SELECT 1"), "SELECT 1"])
def test_nothing_but_a_select_can_be_asked(door: Database, statement: Any) -> None:
    with pytest.raises(TypeError, match="SELECT"):
        door.rows(statement)


def test_a_sqlite_file_is_opened_read_only_and_says_so(door: Database, register: Path) -> None:
    proof = door.proof_of_read_only()
    assert proof is not None
    assert "mode=ro" in proof
    with door._transaction(None) as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM van_ban")


def test_a_missing_file_is_tried_again_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with open_door(Options(url=f"sqlite:///{path}"), make_run()) as door, pytest.raises(TryAgain) as caught:
        door.rows(select(DOCUMENTS))
    assert (caught.value.source, caught.value.stage, caught.value.field) == ("a-source", "reach", "url")
    assert not path.exists()


def test_a_file_that_is_no_database_is_unexpected(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Kính gửi ..." * 200)
    with open_door(Options(url=f"sqlite:///{path}"), make_run()) as door, pytest.raises(UnexpectedAnswer) as caught:
        door.rows(select(DOCUMENTS))
    assert "no SQLite database" in caught.value.reason


def test_a_table_or_column_that_is_not_there_is_named(door: Database) -> None:
    for statement, field in (
        (select(table("cong_van", column("id"))), "cong_van"),
        (select(table("van_ban", column("ngày"))), "ngày"),
        (select(table("van_ban", column("Ngày Ban Hành"))), "Ngày Ban Hành"),
    ):
        with pytest.raises(UnexpectedAnswer, match="knows no") as caught:
            door.rows(statement)
        assert field in caught.value.field


def test_a_locked_file_is_tried_again(register: Path) -> None:
    with (
        closing(sqlite3.connect(register, isolation_level=None)) as other,
        open_door(Options(url=f"sqlite:///{quote(str(register))}", connect_timeout=0.05), make_run()) as door,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryAgain, match="SQLITE_BUSY"):
            door.rows(select(DOCUMENTS))
        other.execute("ROLLBACK")
        assert len(door.rows(select(DOCUMENTS))) == 2


def test_a_statement_that_takes_too_long_is_ended(register: Path) -> None:
    numbers = select(func.count()).select_from(
        text("(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) SELECT x FROM n)")
    )
    with open_door(Options(url=f"sqlite:///{quote(str(register))}", statement_timeout=0.2), make_run()) as door:
        with pytest.raises(TryAgain, match="too long") as caught:
            door.rows(numbers)
        assert "statement_timeout" in caught.value.mend
        assert len(door.rows(select(DOCUMENTS))) == 2


def test_after_the_deadline_nothing_is_asked(register: Path) -> None:
    late = make_run(deadline=0.000_001)
    with (
        open_door(Options(url=f"sqlite:///{quote(str(register))}"), late) as door,
        pytest.raises(TryAgain, match="deadline"),
    ):
        door.rows(select(DOCUMENTS))


@pytest.mark.parametrize(
    "url",
    [f"postgresql://reader:{SECRET}@host/db", f"postgresql://host/db?password={SECRET}", "no url", "mysql://h:port/x"],
)
def test_a_url_that_is_none_or_holds_a_password_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Options(url=url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=rwc&uri=true"])
def test_a_sqlite_source_is_a_file(url: str) -> None:
    with pytest.raises(WrongUse, match="is a file"), open_door(Options(url=url), make_run()):
        pass


@pytest.mark.parametrize("url", ["mssql+nosuchdriver://h/d", "oracle+oracledb_missing://h/d", "nosuchbase://h/d"])
def test_a_driver_that_is_not_there_is_wrong_use(url: str) -> None:
    with pytest.raises(WrongUse, match="no driver") as caught, open_door(Options(url=url), make_run()):
        pass
    assert caught.value.field == "url"


def test_a_password_never_shows() -> None:
    options = Options(url="postgresql://reader@127.0.0.1:1/db", password=SecretStr(SECRET), connect_timeout=2)
    assert SECRET not in repr(options)
    with open_door(options, make_run()) as door, pytest.raises(TryAgain, match="refused") as caught:
        door.rows(select(DOCUMENTS))
    assert SECRET not in str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
    assert caught.value.stage == "reach"
