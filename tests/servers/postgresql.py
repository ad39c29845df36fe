"""A real PostgreSQL: its own cluster in a folder, listening on loopback only, every login by password."""

import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL

from tests.servers.process import LOOPBACK, child, free_port, give, is_root, needed, run, with_other_ports

NAME = "PostgreSQL"
PACKAGE = "postgresql"
SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running cluster and its superuser's login."""

    host: str
    port: int
    user: str
    password: str
    log: Path

    @property
    def url(self) -> str:
        """The superuser's SQLAlchemy URL of the database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str, user: str | None = None, password: str | None = None) -> str:
        """Return the SQLAlchemy URL of a database, the superuser's or another user's."""
        url = URL.create(
            "postgresql+psycopg", user or self.user, password or self.password, self.host, self.port, database
        )
        return url.render_as_string(hide_password=False)

    def database(self, name: str) -> str:
        """Make an empty database of this name, dropping one that is there, and return its superuser's URL."""
        self.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)),
            sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)),
        )
        return self.url_of(name)

    def execute(self, *statements: sql.Composed | sql.SQL, database: str = "postgres") -> None:
        """Run statements as the superuser, each in a transaction of its own."""
        with psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        ) as connection:
            for statement in statements:
                connection.execute(statement)


def _folder_of_programs() -> Path | None:
    # Debian keeps every major version in a folder of its own, and only wrappers in PATH.
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if _folder_of_programs() else PACKAGE


@contextmanager
def start(folder: Path, *, environment: Mapping[str, str] | None = None) -> Iterator[PostgreSQL]:
    """Run a new cluster in an empty folder until the block ends.

    PostgreSQL refuses root: it then runs as Debian's account `postgres`, which must be able to reach the folder.
    `environment`: what each of its processes gets, such as a moved clock's.
    """
    programs = needed(_folder_of_programs(), PACKAGE)
    account = SUPERUSER if is_root() else None
    if account:
        give(folder, account)
    data, password_file = folder / "data", folder / "password"
    password = secrets.token_hex(8)
    password_file.write_text(password)
    if account:
        give(password_file, account)
    run(
        [
            programs / "initdb",
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ],
        account,
    )

    @contextmanager
    def begin() -> Iterator[PostgreSQL]:
        server = PostgreSQL(LOOPBACK, free_port(), SUPERUSER, password, folder / "postgresql.log")
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(server.port),
            "unix_socket_directories": "",
            # Nothing here outlives the test run, so that nothing need survive a power cut.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "timezone": "Asia/Ho_Chi_Minh",
            "max_connections": "50",
        }
        words = [f"--{name}={value}" for name, value in settings.items()]

        def ready() -> bool:
            try:
                server.execute(sql.SQL("SELECT 1"))
            except psycopg.OperationalError:
                return False
            return True

        # SIGINT is its fast stop: it does not wait for clients to leave.
        # Told to `env`, which already is the other account: what root's process leaves for itself in shared memory
        # under a moved clock could not be opened again.
        handed_on = [f"{name}={value}" for name, value in (environment or {}).items()]
        command: list[str | Path] = ["env", *handed_on, programs / "postgres", "-D", data, *words]
        with child(command, server.log, ready, account=account, stop=signal.SIGINT):
            yield server

    with with_other_ports(begin) as server:
        yield server
