import tempfile
from pathlib import Path

import psutil
import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.servers import postgresql as postgresql_server
from tests.servers.postgresql import PostgreSQL
from tests.servers.process import answers
from tests.servers.traces import processes_of


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(sqlalchemy.text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def test_it_answers_as_the_version_that_debian_ships(postgresql: PostgreSQL) -> None:
    assert str(ask(postgresql.url, "SELECT version()")[0][0]).startswith("PostgreSQL 1")


def test_a_database_asked_for_is_empty_even_the_second_time(postgresql: PostgreSQL) -> None:
    url = postgresql.database("văn bản")
    ask(url, 'CREATE TABLE "Văn bản đi" ("Số ký hiệu" text)')
    assert ask(postgresql.database("văn bản"), "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_wrong_password_is_refused(postgresql: PostgreSQL) -> None:
    with pytest.raises(OperationalError, match="password authentication failed"):
        ask(postgresql.url_of("postgres", password="wrong"), "SELECT 1")


@pytest.mark.server("postgresql")
def test_it_stops_while_a_client_is_connected_and_leaves_no_process() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with postgresql_server.start(Path(folder)) as server:
            engine = sqlalchemy.create_engine(server.url)
            client = engine.connect()
            began: list[psutil.Process] = processes_of(Path(folder))
            assert began
        client.invalidate()
        engine.dispose()
        assert not answers(server.port)
        assert processes_of(Path(folder)) == []
    assert not Path(folder).exists()
