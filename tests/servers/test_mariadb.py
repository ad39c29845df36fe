import tempfile
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.servers import mariadb as mariadb_server
from tests.servers.mariadb import MariaDB
from tests.servers.process import answers
from tests.servers.traces import processes_of


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(sqlalchemy.text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def test_it_answers_and_says_that_it_is_mariadb(mariadb: MariaDB) -> None:
    assert "MariaDB" in str(ask(mariadb.url, "SELECT version()")[0][0])


def test_a_database_asked_for_is_empty_even_the_second_time(mariadb: MariaDB) -> None:
    url = mariadb.database("van_ban")
    ask(url, "CREATE TABLE `Văn bản đi` (`Số ký hiệu` varchar(40))")
    assert ask(url, "SHOW TABLES") == [("Văn bản đi",)]
    assert ask(mariadb.database("van_ban"), "SHOW TABLES") == []


def test_a_wrong_password_is_refused(mariadb: MariaDB) -> None:
    with pytest.raises(OperationalError, match="Access denied"):
        ask(mariadb.url_of("mysql", password="wrong"), "SELECT 1")


@pytest.mark.server("mariadb")
def test_it_stops_while_a_client_is_connected_and_leaves_no_process() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with mariadb_server.start(Path(folder)) as server:
            engine = sqlalchemy.create_engine(server.url)
            client = engine.connect()
            assert processes_of(Path(folder))
        client.invalidate()
        engine.dispose()
        assert not answers(server.port)
        assert processes_of(Path(folder)) == []
    assert not Path(folder).exists()
