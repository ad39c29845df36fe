"""What a database's refusal means: PostgreSQL by SQLSTATE, MariaDB and MySQL by number, SQLite by name.

A driver's own message may quote values of rows. Only the names of tables and columns are taken from it.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, TableClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer

_AWAY = "Check that the database runs, and that no firewall is between"
_LOGIN = "Check user and password, that the account may connect from this host, and the server's certificate"
_SHAPE = "The source's tables have changed, or the mapping is wrong: compare the configuration with the database"
_SLOW = "Raise statement_timeout, ask for smaller pages, or have an index made for the columns that are asked by"

# libpq gives no SQLSTATE while it connects, only words (in English unless the server's lc_messages says otherwise).
_NOT_NOW = re.compile(
    r"starting up|shutting down|recovery mode|too many|connection slots|not accepting|SYSCALL|timeout|refused$",
    re.IGNORECASE | re.MULTILINE,
)
_NO_DATABASE = re.compile(r'database ".*" does not exist')
_SERVER_SPOKE = re.compile(r"FATAL|no password supplied|certificate|SSL|GSS|authentication", re.IGNORECASE)

_MYSQL_DENIED = {1044, 1045, 1130, 1227, 1251, 1524, 1698, 1820, 1862, 2059, 2061, 3118, 3159, 4151}
_MYSQL_NO_RIGHT = {1142, 1143, 1370}
_MYSQL_AGAIN = {1040, 1041, 1053, 1129, 1203, 1205, 1213, 1226, 1317, 1927, 2002, 2003, 2005, 2006, 2013, 2055}
_MYSQL_SLOW = {1969, 3024}
_MYSQL_SHAPE = {1049, 1054, 1146, 1356}


def of_login(error: Exception, engine: Engine, source: str) -> CollectorError:
    """Return what a failure to connect means."""
    return _Judge(engine, source, None).login(_driver_error(error))


def of_statement(error: Exception, engine: Engine, source: str, statement: Select[Any] | None) -> CollectorError:
    """Return what the failure of a statement means; its tables are named where a right is missing."""
    return _Judge(engine, source, statement).statement(_driver_error(error))


def _driver_error(error: Exception) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


class _Judge:
    def __init__(self, engine: Engine, source: str, statement: Select[Any] | None) -> None:
        self._engine = engine
        self._source = source
        self._tables = _tables(statement)

    def login(self, error: BaseException) -> CollectorError:
        match self._engine.dialect.name:
            case "postgresql":
                return self._postgresql_login(error)
            case "mysql" | "mariadb":
                return self._mysql(error, "log in")
            case "sqlite":
                return self._sqlite(error)
            case _:
                return TryAgain(
                    f"no connection ({type(error).__name__})", source=self._source, stage="reach", mend=_AWAY
                )

    def statement(self, error: BaseException) -> CollectorError:
        if isinstance(error, UnicodeDecodeError):
            return self._unexpected("a text in it does not have the database's encoding", "")
        match self._engine.dialect.name:
            case "postgresql":
                return self._postgresql(error)
            case "mysql" | "mariadb":
                return self._mysql(error, "read")
            case "sqlite":
                return self._sqlite(error)
            case _:
                return self._unexpected(f"the statement failed ({type(error).__name__})", "")

    def _postgresql_login(self, error: BaseException) -> CollectorError:
        says = str(error).strip() or type(error).__name__
        first = says.splitlines()[0].rpartition(" failed: ")[2]
        if getattr(error, "sqlstate", None):
            return self._postgresql(error)
        if _NO_DATABASE.search(says):
            return UnexpectedAnswer(
                "there is no such database", source=self._source, stage="log in", field="url", mend=_SHAPE
            )
        if _SERVER_SPOKE.search(says) and not _NOT_NOW.search(says):
            return AccessDenied(
                f"the database refused the login: {first}", source=self._source, stage="log in", mend=_LOGIN
            )
        return TryAgain(f"no connection to the database: {first}", source=self._source, stage="reach", mend=_AWAY)

    def _postgresql(self, error: BaseException) -> CollectorError:
        state = getattr(error, "sqlstate", None) or ""
        says = str(getattr(getattr(error, "diag", None), "message_primary", None) or "")
        if state == "42501":
            return self._no_right(_postgresql_object(says))
        if state.startswith("28"):
            return AccessDenied("the database refused the login", source=self._source, stage="log in", mend=_LOGIN)
        if state in ("42703", "42P01", "3F000", "42883"):
            name = _name_in(says)
            return self._unexpected(f"the database knows no {name or 'such table or column'}", name)
        if state == "57014":
            return self._slow()
        if state[:2] in ("08", "53", "57", "40") or state == "55P03":
            return self._again(state)
        if not state and self._is_operational(error):
            return self._again("the connection broke off")
        # Without a state it is the driver that could not read a value, such as the date infinity.
        why = f"SQLSTATE {state}, " if state else ""
        return self._unexpected(f"the statement failed ({why}{type(error).__name__})", "")

    def _is_operational(self, error: BaseException) -> bool:
        driver = self._engine.dialect.dbapi
        return driver is not None and isinstance(error, driver.OperationalError | driver.InterfaceError)

    def _mysql(self, error: BaseException, stage: str) -> CollectorError:
        number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        says = str(error.args[1]) if len(error.args) > 1 else ""
        if number in _MYSQL_NO_RIGHT:
            found = re.search(r"for table (\S+)", says)
            return self._no_right(re.sub("[`']", "", found[1]) if found else "")
        if number in _MYSQL_DENIED:
            return AccessDenied(
                f"the database refused the login (error {number})", source=self._source, stage="log in", mend=_LOGIN
            )
        if number in _MYSQL_SLOW:
            return self._slow()
        if number in _MYSQL_AGAIN or (number == 0 and stage == "log in"):
            return self._again(f"error {number}", "reach" if stage == "log in" else stage)
        if number in _MYSQL_SHAPE:
            name = _name_in(says)
            return self._unexpected(f"the database knows no {name or 'such table or column'}", name)
        return self._unexpected(f"the statement failed with error {number}", "")

    def _sqlite(self, error: BaseException) -> CollectorError:
        says = str(error)
        name = str(getattr(error, "sqlite_errorname", "") or "")
        if found := re.match(r"no such (?:column|table): (.+)", says):
            return self._unexpected(f"the database knows no {found[1]}", found[1])
        if name in ("SQLITE_PERM", "SQLITE_AUTH"):
            return self._no_right("")
        if name.startswith("SQLITE_CANTOPEN"):
            return self._cannot_open()
        if name == "SQLITE_INTERRUPT":
            return self._slow()
        if name.split("_")[1:2] in (["BUSY"], ["LOCKED"], ["IOERR"], ["PROTOCOL"], ["FULL"]):
            return self._again(name)
        if name == "SQLITE_NOTADB":
            return self._unexpected("the file is no SQLite database", "url")
        return self._unexpected(f"the statement failed ({name or type(error).__name__})", "")

    def _cannot_open(self) -> CollectorError:
        return TryAgain(
            "the database file cannot be opened",
            source=self._source,
            stage="reach",
            field="url",
            mend="Check the path, that its disk is mounted, and that the collector's account may read file and folder",
        )

    def _no_right(self, name: str) -> AccessDenied:
        account = self._engine.url.username or "the account"
        kind, _, named = name.rpartition(" ")
        asked = next((table for table in self._tables if table.rpartition(".")[2] == named), None)
        target = asked or named or ", ".join(self._tables) or "the table"
        right = f"USAGE ON SCHEMA {named}" if kind == "schema" else f"SELECT ON {target}"
        return AccessDenied(
            f"{account} has no right to read {name or target}",
            source=self._source,
            stage="read",
            field=target,
            mend=f"Ask the database's operator for: GRANT {right} TO {account}",
        )

    def _slow(self) -> TryAgain:
        return TryAgain("the statement took too long", source=self._source, stage="read", mend=_SLOW)

    def _again(self, why: str, stage: str = "read") -> TryAgain:
        return TryAgain(f"the database could not answer now ({why})", source=self._source, stage=stage, mend=_AWAY)

    def _unexpected(self, reason: str, field: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(reason, source=self._source, stage="read", field=field, mend=_SHAPE)


def _postgresql_object(says: str) -> str:
    """Return `table x` or `schema x` out of "permission denied for table x" (x perhaps in quotes)."""
    found = re.search(r"denied for (?:(table|view|schema|materialized view|relation) )?\"?([^\"]+)\"?$", says)
    return f"{found[1] or ''} {found[2]}".strip() if found else ""


def _name_in(says: str) -> str:
    """Return the name of the table or column that a message is about, quoted or not."""
    found = re.search(r'^\w+ "?(.+?)"? does not exist', says) or re.search(r"[\"'`]([^\"'`]+)[\"'`]", says)
    return found[1] if found else ""


def _tables(statement: Select[Any] | None) -> Sequence[str]:
    if statement is None:
        return ()
    names = [
        f"{element.schema}.{element.name}" if element.schema else element.name
        for element in visitors.iterate(statement)
        if isinstance(element, TableClause)
    ]
    return list(dict.fromkeys(names))
