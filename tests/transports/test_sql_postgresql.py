"""The database door on a real PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from threading import Thread
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import URL, Select, column, func, literal_column, select, table, text

from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer
from collector.transports.sql import Database, Options, open_door
from tests.servers.postgresql import PostgreSQL
from tests.transports.runs import make_run

pytestmark = pytest.mark.server("postgresql")

SECRET = "quite-secret-4711"
DOCUMENTS = table("Văn bản", column("id"), column("Ngày ban hành"), schema="sổ")
PERSON = "Nguyễn Thị Bí Mật"

Door = Callable[..., Database]


@pytest.fixture(scope="module")
def server(postgresql: PostgreSQL) -> PostgreSQL:
    """A server with a database `transports` and one account of each kind, all with the same password."""
    postgresql.database("transports")
    password = sql.Literal(SECRET)
    roles = ("reader", "writer", "column_writer", "owner", "creator", "could_be_writer", "stranger")
    postgresql.execute(
        *(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)) for role in roles),
        *(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password) for role in roles),
        sql.SQL("DROP ROLE IF EXISTS asleep"),
        sql.SQL("CREATE ROLE asleep NOLOGIN PASSWORD {}").format(password),
    )
    statements = f"""
        CREATE SCHEMA sổ;
        CREATE TABLE sổ."Văn bản" (id int PRIMARY KEY, "Ngày ban hành" date, trích_yếu text);
        INSERT INTO sổ."Văn bản" VALUES (1, '2026-01-31', '{PERSON}'), (2, NULL, NULL);
        CREATE TABLE sổ.closed (id int);
        CREATE VIEW sổ.issued AS SELECT id, "Ngày ban hành" AS day FROM sổ."Văn bản";
        CREATE FUNCTION sổ.sneaky() RETURNS int LANGUAGE sql AS 'DELETE FROM sổ."Văn bản" RETURNING 1';
        REVOKE ALL ON SCHEMA public FROM PUBLIC;
        GRANT USAGE ON SCHEMA sổ TO reader, writer, column_writer, owner, creator, could_be_writer;
        GRANT SELECT ON sổ."Văn bản", sổ.issued TO reader, writer, column_writer, owner, creator, could_be_writer;
        GRANT TRUNCATE ON sổ."Văn bản" TO writer;
        GRANT UPDATE (trích_yếu) ON sổ."Văn bản" TO column_writer;
        GRANT CREATE ON SCHEMA sổ TO creator;
        ALTER ROLE could_be_writer NOINHERIT;
        GRANT writer TO could_be_writer;
        CREATE TABLE sổ.mine (id int);
        ALTER TABLE sổ.mine OWNER TO owner;
        REVOKE ALL ON sổ.mine FROM owner;
    """
    postgresql.execute(*(sql.SQL(line) for line in statements.split(";\n") if line.strip()), database="transports")
    return postgresql


@pytest.fixture
def door(server: PostgreSQL) -> Iterator[Door]:
    with ExitStack() as stack:

        def opened(user: str = "reader", password: str = SECRET, **options: Any) -> Database:
            place = {"host": server.host, "port": server.port, "database": "transports", **options.pop("url", {})}
            settings = Options(
                url=URL.create("postgresql", user, **place).render_as_string(), password=SecretStr(password), **options
            )
            return stack.enter_context(open_door(settings, make_run()))

        yield opened


def function(call: str) -> Select[Any]:
    return select(literal_column(call))


def test_rows_are_plain_tuples_of_the_drivers_values(door: Door) -> None:
    rows = door().rows(select(DOCUMENTS).where(DOCUMENTS.c.id.in_([1, 2])).order_by(DOCUMENTS.c.id))
    assert rows == [(1, date(2026, 1, 31)), (2, None)]
    assert all(type(row) is tuple for row in rows)


def test_columns_of_tables_and_views_are_named(door: Door) -> None:
    reader = door()
    assert reader.columns("Văn bản", "sổ") == ("id", "Ngày ban hành", "trích_yếu")
    assert reader.columns("issued", "sổ") == ("id", "day")
    assert reader.columns("Van ban", "sổ") == ()
    assert reader.columns("Văn bản", None) == ()


def test_each_statement_runs_in_a_read_only_transaction_with_a_time_limit(door: Door) -> None:
    settings = select(
        func.current_setting("transaction_read_only"),
        func.current_setting("statement_timeout"),
        func.current_setting("application_name"),
    )
    superuser = door(statement_timeout=7)
    for _ in range(2):
        assert superuser.rows(settings) == [("on", "7s", "ict-collector")]


def test_a_select_that_would_write_is_refused_even_to_the_owner(door: Door, postgresql: PostgreSQL) -> None:
    superuser = door(postgresql.user, postgresql.password)
    with pytest.raises(UnexpectedAnswer, match="25006"):
        superuser.rows(function("sổ.sneaky()"))
    assert len(superuser.rows(select(DOCUMENTS))) == 2


@pytest.mark.parametrize(
    ("user", "proved"),
    [
        ("reader", True),
        ("stranger", True),
        ("writer", False),
        ("column_writer", False),
        ("owner", False),
        ("creator", False),
        ("could_be_writer", False),
    ],
)
def test_only_an_account_that_cannot_write_is_proved(door: Door, user: str, proved: bool) -> None:
    proof = door(user).proof_of_read_only()
    assert (proof is not None) is proved
    assert proof is None or user in proof


def test_a_superuser_proves_nothing(door: Door, postgresql: PostgreSQL) -> None:
    assert door(postgresql.user, postgresql.password).proof_of_read_only() is None


@pytest.mark.parametrize(
    ("user", "password"), [("reader", "wrong-4712"), ("nobody_knows", SECRET), ("asleep", SECRET), ("reader", "")]
)
def test_a_refused_login_is_denied_without_the_password(door: Door, user: str, password: str) -> None:
    with pytest.raises(AccessDenied, match="refused the login") as caught:
        door(user, password).rows(select(DOCUMENTS))
    assert (caught.value.source, caught.value.stage) == ("a-source", "log in")
    assert "4712" not in str(caught.value)


def test_a_server_without_the_tls_that_is_asked_for_is_denied(door: Door) -> None:
    with pytest.raises(AccessDenied, match="SSL"):
        door(url={"query": {"sslmode": "require"}}).rows(select(DOCUMENTS))


def test_a_database_that_is_not_there_is_unexpected(door: Door) -> None:
    with pytest.raises(UnexpectedAnswer, match="no such database") as caught:
        door(url={"database": "elsewhere"}).rows(select(DOCUMENTS))
    assert caught.value.field == "url"


@pytest.mark.parametrize("place", [{"port": 1}, {"host": "no-such-host.invalid"}])
def test_a_server_that_is_away_is_tried_again(door: Door, place: dict[str, Any]) -> None:
    with pytest.raises(TryAgain, match="no connection") as caught:
        door(url=place, connect_timeout=2).rows(select(DOCUMENTS))
    assert caught.value.stage == "reach"


def test_a_missing_right_names_the_table_and_the_grant_to_ask_for(door: Door) -> None:
    with pytest.raises(AccessDenied, match="reader has no right to read table closed") as caught:
        door().rows(select(table("closed", column("id"), schema="sổ")))
    assert caught.value.field == "sổ.closed"
    assert "GRANT SELECT ON sổ.closed TO reader" in caught.value.mend


def test_a_missing_right_on_a_schema_names_the_grant_to_ask_for(door: Door) -> None:
    with pytest.raises(AccessDenied) as caught:
        door("stranger").rows(select(DOCUMENTS))
    assert "GRANT USAGE ON SCHEMA sổ TO stranger" in caught.value.mend


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        (select(table("Văn bản", column("Ngày đến"), schema="sổ")), "Ngày đến"),
        (select(table("Văn bản", column("nope"), schema="sổ")), "nope"),
        (select(table("nope", column("id"), schema="sổ")), "sổ.nope"),
    ],
)
def test_a_table_or_column_that_is_not_there_is_named(door: Door, statement: Select[Any], field: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="knows no") as caught:
        door().rows(statement)
    assert field in caught.value.field


def test_a_statement_that_takes_too_long_is_ended(door: Door) -> None:
    reader = door(statement_timeout=0.2)
    with pytest.raises(TryAgain, match="too long"):
        reader.rows(function("pg_sleep(20)"))
    assert len(reader.rows(select(DOCUMENTS))) == 2


def test_a_broken_statement_does_not_repeat_what_the_rows_hold(door: Door) -> None:
    numbers = table("Văn bản", column("id"), column("trích_yếu"), schema="sổ")
    with pytest.raises(UnexpectedAnswer, match="22P02") as caught:
        door().rows(select(func.count()).where(literal_column("trích_yếu::int") == 1).select_from(numbers))
    assert PERSON not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_value_that_the_driver_cannot_read_is_unexpected(door: Door) -> None:
    with pytest.raises(UnexpectedAnswer, match="DataError"):
        door().rows(function("'infinity'::timestamp"))


def test_a_server_that_hangs_up_is_tried_again_and_found_again(door: Door, postgresql: PostgreSQL) -> None:
    reader = door(statement_timeout=30)

    def hang_up() -> None:
        with psycopg.connect(postgresql.url.replace("+psycopg", ""), autocommit=True) as administrator:
            for _ in range(1000):
                asked = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(25)%'"
                if administrator.execute(asked + " AND pid <> pg_backend_pid()").fetchall():
                    return

    killer = Thread(target=hang_up)
    killer.start()
    with pytest.raises(TryAgain):
        reader.rows(select(text("1")).where(literal_column("pg_sleep(25)::text") == ""))
    killer.join()
    assert len(reader.rows(select(DOCUMENTS))) == 2
