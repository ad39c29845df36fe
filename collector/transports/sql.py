"""A database, by any SQLAlchemy URL: door kind `sql`.

PostgreSQL, MariaDB, MySQL and SQLite are held to reading by the session itself: each statement runs in a read-only
transaction of its own (SQLite: the file is opened with mode=ro) under a time limit. For any other database the
account's grants are all that protects it, and `proof_of_read_only` has nothing to show.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import sqlalchemy
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from sqlalchemy import BigInteger, Connection, Engine, Integer, Select, SmallInteger, String, Text, Unicode, types
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError

from collector.contract.errors import WrongUse
from collector.transports.budget import Budget
from collector.transports.run import Opened, Run
from collector.transports.sql_errors import of_login, of_statement
from collector.transports.sql_grants import proof

_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "postgresql": "postgresql+psycopg"}
# Values of these types leave the driver as they are; SQLAlchemy's rows would only cost time.
_AS_THE_DRIVER_GIVES = {types.NullType, Integer, BigInteger, SmallInteger, String, Text, Unicode}


class Options(BaseModel):
    """The `door:` block of a source that is a database."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Literal["sql"] = "sql"
    url: str = Field(
        description="SQLAlchemy URL without a password",
        examples=["postgresql://collector@vanban.example/vanban?sslmode=verify-full", "sqlite:////srv/register.db"],
    )
    password: SecretStr | None = Field(default=None, description="Password of the URL's user")
    statement_timeout: float = Field(default=60.0, gt=0, description="Seconds that one statement may take")
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds to wait for a connection or a lock")

    @field_validator("url")
    @classmethod
    def _without_password(cls, value: str) -> str:
        try:
            url = sqlalchemy.make_url(value)
        except (ArgumentError, ValueError):
            raise ValueError("is no SQLAlchemy URL; write it like postgresql://user@host/database") from None
        if url.password is not None or {"password", "passwd"} & set(url.query):
            raise ValueError("must hold no password; give it as `password: !file ...` or `!env ...`")
        return value


@contextmanager
def open_door(options: Options, run: Run) -> Iterator["Database"]:
    """Make ready to connect; the first statement does. Raises WrongUse if no driver fits the URL."""
    url = _url(options, run)
    try:
        engine = sqlalchemy.create_engine(
            url,
            connect_args=_connect_args(url, options),
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,
        )
    except (ImportError, NoSuchModuleError, ArgumentError) as error:
        raise WrongUse(
            f"no driver for {url.drivername} can be used ({error})",
            source=run.source,
            stage="configuration",
            field="url",
            mend="Install the driver that the URL names, or name another one",
        ) from error
    try:
        yield Database(options, run, engine)
    finally:
        engine.dispose()


class Database(Opened):
    """The door (contract `Rows`).

    Raises AccessDenied for a wrong login or a missing right (the GRANT to ask for is named), TryAgain for a source
    that is away, busy or too slow, UnexpectedAnswer for a table or column that is not there, and for a broken one.
    """

    def __init__(self, options: Options, run: Run, engine: Engine) -> None:
        super().__init__(run)
        self._options = options
        self._engine = engine
        self._budget = Budget(run)

    def rows(self, statement: Select[Any]) -> Sequence[tuple[Any, ...]]:
        """Run one bounded SELECT and return all its rows as tuples.

        Columns without a type give what the driver gives (SQLite: text for dates). Take columns from a `table(...)`,
        never bare: SQLite reads a quoted name that it does not know as a piece of text.
        """
        if not isinstance(statement, Select):
            raise TypeError("only a SELECT can be asked")
        plain = all(type(column.type) in _AS_THE_DRIVER_GIVES for column in statement.selected_columns)
        with self._transaction(statement) as connection:
            result = connection.execute(statement)
            if plain:
                return list(result.cursor.fetchall()) if result.cursor is not None else []
            return [tuple(row) for row in result]

    def columns(self, table: str, schema: str | None) -> Sequence[str]:
        """Return the column names of a table or view; empty if there is no such table."""
        with self._transaction(None) as connection:
            try:
                found = sqlalchemy.inspect(connection).get_columns(table, schema=schema)
            except NoSuchTableError:
                return ()
            return tuple(column["name"] for column in found)

    def proof_of_read_only(self) -> str | None:
        """Return, in words, what proves that the account cannot write (grants or settings); None if nothing does."""
        with self._transaction(None) as connection:
            return proof(connection)

    @contextmanager
    def _transaction(self, statement: Select[Any] | None) -> Iterator[Connection]:
        self._budget.spend("reach")
        errors: tuple[type[Exception], ...] = (DBAPIError, UnicodeDecodeError)
        if self._engine.dialect.dbapi is not None:
            # What a raw cursor raises while it fetches is not wrapped.
            errors += (self._engine.dialect.dbapi.Error,)
        try:
            connection = self._engine.connect()
        except errors as error:
            # from None: the driver's own words may quote rows or parameters.
            raise of_login(error, self._engine, self.source) from None
        try:
            _read_only(connection, min(self._options.statement_timeout, self._budget.left("read")))
            yield connection
        except errors as error:
            raise of_statement(error, self._engine, self.source, statement) from None
        finally:
            connection.close()


def _read_only(connection: Connection, seconds: float) -> None:
    match connection.dialect.name:
        case "postgresql":
            connection.execution_options(postgresql_readonly=True)
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")
        case "mysql" | "mariadb":
            # Set in the session, it holds for the transaction that the next statement begins.
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            if getattr(connection.dialect, "is_mariadb", False):
                connection.exec_driver_sql(f"SET SESSION max_statement_time = {seconds:.3f}")
            else:
                connection.exec_driver_sql(f"SET SESSION max_execution_time = {max(1, int(seconds * 1000))}")
            connection.rollback()
        case "sqlite":
            ends = time.monotonic() + seconds
            raw = connection.connection.driver_connection
            if isinstance(raw, sqlite3.Connection):
                raw.set_progress_handler(lambda: int(time.monotonic() > ends), 10_000)


def _url(options: Options, run: Run) -> sqlalchemy.URL:
    url = sqlalchemy.make_url(options.url)
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if options.password is not None:
        url = url.set(password=options.password.get_secret_value())
    if url.get_backend_name() != "sqlite":
        return url
    database = url.database or ""
    if database in ("", ":memory:") or database.startswith("file:"):
        raise WrongUse(
            "a SQLite source is a file",
            source=run.source,
            stage="configuration",
            field="url",
            mend="Write it like sqlite:////srv/register.db",
        )
    name = quote(str(Path(database).absolute()))
    return url.set(database=f"file:{name}", query={"mode": "ro", "uri": "true"})


def _connect_args(url: sqlalchemy.URL, options: Options) -> dict[str, Any]:
    seconds = max(1, round(options.connect_timeout))
    match url.get_driver_name():
        case "psycopg" | "psycopg2":
            # Keepalives find out that a host went away in the middle of a statement.
            alive = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
            return {"connect_timeout": max(2, seconds), "application_name": "ict-collector", **alive}
        case "pymysql":
            return {"connect_timeout": seconds, "read_timeout": round(options.statement_timeout) + 5}
        case "pysqlite":
            return {"timeout": options.connect_timeout}
        case _:
            return {}
