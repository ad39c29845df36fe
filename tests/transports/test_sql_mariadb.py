"""The database door on a real MariaDB."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import URL, Select, column, func, literal_column, select, table

from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer
from collector.transports.sql import Database, Options, open_door
from tests.servers.mariadb import MariaDB
from tests.transports.runs import make_run

pytestmark = pytest.mark.server("mariadb")

SECRET = "quite-secret-4711"
DOCUMENTS = table("văn bản", column("id"), column("ngày"))

Door = Callable[..., Database]


@pytest.fixture(scope="module")
def server(mariadb: MariaDB) -> MariaDB:
    """A server with a database `transports` and one account of each kind, all with the same password."""
    mariadb.database("transports")
    users = ("reader", "partly", "writer", "could_be_writer")
    mariadb.execute(
        *(f"CREATE OR REPLACE USER {user}@'%' IDENTIFIED BY '{SECRET}'" for user in users),
        "CREATE OR REPLACE ROLE clerks",
        "CREATE TABLE `văn bản` (id INT PRIMARY KEY, `ngày` DATE)",
        "INSERT INTO `văn bản` VALUES (1, '2026-01-31'), (2, NULL)",
        "CREATE TABLE closed (id INT)",
        "CREATE VIEW issued AS SELECT id FROM `văn bản`",
        "CREATE FUNCTION sneaky() RETURNS INT BEGIN DELETE FROM `văn bản`; RETURN 1; END",
        "GRANT SELECT ON transports.`văn bản` TO reader@'%'",
        "GRANT SELECT, SHOW VIEW ON transports.issued TO reader@'%'",
        "GRANT SELECT (id) ON transports.`văn bản` TO partly@'%'",
        "GRANT SELECT, INSERT ON transports.* TO writer@'%'",
        "GRANT INSERT ON transports.* TO clerks",
        "GRANT SELECT ON transports.* TO could_be_writer@'%'",
        "GRANT clerks TO could_be_writer@'%'",
        database="transports",
    )
    return mariadb


@pytest.fixture
def door(server: MariaDB) -> Iterator[Door]:
    with ExitStack() as stack:

        def opened(user: str = "reader", password: str = SECRET, **options: Any) -> Database:
            place = {"host": server.host, "port": server.port, "database": "transports", **options.pop("url", {})}
            settings = Options(
                url=URL.create("mariadb", user, **place).render_as_string(), password=SecretStr(password), **options
            )
            return stack.enter_context(open_door(settings, make_run()))

        yield opened


def test_rows_are_plain_tuples_of_the_drivers_values(door: Door) -> None:
    rows = door().rows(select(DOCUMENTS).where(DOCUMENTS.c.id > 0).order_by(DOCUMENTS.c.id))
    assert rows == [(1, date(2026, 1, 31)), (2, None)]
    assert type(rows) is list
    assert all(type(row) is tuple for row in rows)


def test_columns_of_tables_and_views_are_named(door: Door) -> None:
    assert door().columns("văn bản", None) == ("id", "ngày")
    assert door().columns("issued", "transports") == ("id",)
    assert door("could_be_writer").columns("nope", None) == ()


def test_a_table_that_the_account_may_not_see_is_denied_whether_it_is_there_or_not(door: Door) -> None:
    for name in ("closed", "nope"):
        with pytest.raises(AccessDenied, match=f"no right to read transports.{name}"):
            door().columns(name, None)


def test_the_session_reads_only_and_has_a_time_limit(door: Door) -> None:
    settings: Any = select(literal_column("@@tx_read_only"), literal_column("@@max_statement_time"))
    assert door(statement_timeout=7).rows(settings) == [(1, 7.0)]


def test_a_select_that_would_write_is_refused_even_to_the_administrator(door: Door, mariadb: MariaDB) -> None:
    administrator = door(mariadb.user, mariadb.password)
    for _ in range(2):
        with pytest.raises(UnexpectedAnswer, match="1792"):
            administrator.rows(select(literal_column("sneaky()")))
    assert len(administrator.rows(select(DOCUMENTS))) == 2


@pytest.mark.parametrize(
    ("user", "proved"), [("reader", True), ("partly", True), ("writer", False), ("could_be_writer", False)]
)
def test_only_an_account_that_cannot_write_is_proved(door: Door, user: str, proved: bool) -> None:
    proof = door(user).proof_of_read_only()
    assert (proof is not None) is proved
    assert proof is None or ("SELECT" in proof and "PASSWORD" not in proof)


def test_an_administrator_proves_nothing(door: Door, mariadb: MariaDB) -> None:
    assert door(mariadb.user, mariadb.password).proof_of_read_only() is None


@pytest.mark.parametrize(("user", "password"), [("reader", "wrong-4712"), ("nobody_knows", SECRET)])
def test_a_refused_login_is_denied_without_the_password(door: Door, user: str, password: str) -> None:
    with pytest.raises(AccessDenied, match="refused the login") as caught:
        door(user, password).rows(select(DOCUMENTS))
    assert caught.value.stage == "log in"
    assert "4712" not in str(caught.value)


def test_a_server_that_is_away_is_tried_again(door: Door) -> None:
    with pytest.raises(TryAgain) as caught:
        door(url={"port": 1}, connect_timeout=2).rows(select(DOCUMENTS))
    assert caught.value.stage == "reach"


def test_a_missing_right_names_the_table_and_the_grant_to_ask_for(door: Door) -> None:
    with pytest.raises(AccessDenied, match="closed") as caught:
        door().rows(select(table("closed", column("id"))))
    assert "GRANT SELECT ON" in caught.value.mend
    assert "closed" in caught.value.mend


@pytest.mark.parametrize(
    ("statement", "field"),
    [(select(table("văn bản", column("nope"))), "nope"), (select(table("nope", column("id"))), "nope")],
)
def test_a_table_or_column_that_is_not_there_is_named(door: Door, statement: Select[Any], field: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="knows no") as caught:
        door("could_be_writer").rows(statement)
    assert field in caught.value.field


def test_a_statement_that_takes_too_long_is_ended(door: Door) -> None:
    reader = door(statement_timeout=0.2)
    many = [table("COLUMNS", column("COLUMN_NAME"), schema="information_schema").alias(f"c{n}") for n in range(4)]
    differ = [one.c.COLUMN_NAME != other.c.COLUMN_NAME for one, other in pairwise(many)]
    pairs = select(func.count()).select_from(*many).where(*differ)
    with pytest.raises(TryAgain, match="too long"):
        reader.rows(pairs)
    assert len(reader.rows(select(DOCUMENTS))) == 2
