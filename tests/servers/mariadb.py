"""A real MariaDB: its own data in a folder, listening on loopback only, one administrator with a password."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.servers.process import LOOPBACK, child, free_port, give, is_root, needed, program, run, with_other_ports

NAME = "MariaDB"
PACKAGE = "mariadb-server"
ACCOUNT = "mysql"


@dataclass(frozen=True, slots=True)
class MariaDB:
    """A running server and its administrator's login."""

    host: str
    port: int
    user: str
    password: str
    log: Path

    @property
    def url(self) -> str:
        """The administrator's SQLAlchemy URL of the database `mysql`."""
        return self.url_of("mysql")

    def url_of(self, database: str, user: str | None = None, password: str | None = None) -> str:
        """Return the SQLAlchemy URL of a database, the administrator's or another user's."""
        url = URL.create(
            "mysql+pymysql",
            user or self.user,
            password or self.password,
            self.host,
            self.port,
            database,
            {"charset": "utf8mb4"},
        )
        return url.render_as_string(hide_password=False)

    def database(self, name: str) -> str:
        """Make an empty database of this name, dropping one that is there, and return its administrator's URL."""
        quoted = "`" + name.replace("`", "``") + "`"
        self.execute(f"DROP DATABASE IF EXISTS {quoted}", f"CREATE DATABASE {quoted} CHARACTER SET utf8mb4")
        return self.url_of(name)

    def execute(self, *statements: str, database: str = "mysql") -> None:
        """Run statements as the administrator, each in a transaction of its own."""
        engine = create_engine(self.url_of(database), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if program("mariadbd") and program("mariadb-install-db") else PACKAGE


@contextmanager
def start(folder: Path) -> Iterator[MariaDB]:
    """Run a new server in an empty folder until the block ends.

    MariaDB refuses root: it then runs as Debian's account `mysql`, which must be able to reach the folder.
    """
    mariadbd = needed(program("mariadbd"), PACKAGE)
    account = ACCOUNT if is_root() else None
    if account:
        give(folder, account)
    data, password = folder / "data", secrets.token_hex(8)
    small = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"]
    run(
        [
            needed(program("mariadb-install-db"), PACKAGE),
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *small,
        ],
        account,
    )
    first_words = folder / "first.sql"
    first_words.write_text(
        f"CREATE OR REPLACE USER administrator@'%' IDENTIFIED BY '{password}';\n"
        "GRANT ALL PRIVILEGES ON *.* TO administrator@'%' WITH GRANT OPTION;\n"
    )
    first_words.chmod(0o644)

    @contextmanager
    def begin() -> Iterator[MariaDB]:
        server = MariaDB(LOOPBACK, free_port(), "administrator", password, folder / "mariadb.log")
        command: list[str | Path] = [
            mariadbd,
            "--no-defaults",
            f"--datadir={data}",
            f"--bind-address={server.host}",
            f"--port={server.port}",
            f"--socket={folder / 's'}",
            f"--pid-file={folder / 'pid'}",
            f"--init-file={first_words}",
            "--skip-name-resolve",
            "--default-time-zone=+07:00",
            *small,
        ]

        def ready() -> bool:
            try:
                server.execute("SELECT 1")
            except OperationalError:
                return False
            return True

        with child(command, server.log, ready, account=account):
            yield server

    with with_other_ports(begin) as server:
        yield server
