"""Fixtures of the real servers, and what the markers `server` and `long` do.

A test that uses a server's fixture, or is marked `server("postgresql")`, is skipped by one line where that server is
not installed. With REQUIRE_SERVERS=1 that is a failure, and so is every other skip. What is marked `long` runs at 1/20
of its size (`scale`), unless `--full` or PROVE=1 says otherwise.
"""

import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from tests.servers import mail
from tests.servers import mariadb as mariadb_server
from tests.servers import openssh as openssh_server
from tests.servers import postgresql as postgresql_server
from tests.servers import prometheus as prometheus_server
from tests.servers import roundup as roundup_server
from tests.servers import scoring_service as scoring_service_server
from tests.servers.clock import Clock
from tests.servers.clock import start as start_clock
from tests.servers.dovecot import Api
from tests.servers.installed import SERVERS, why_not
from tests.servers.mail import MailServers
from tests.servers.mariadb import MariaDB
from tests.servers.openssh import OpenSSH
from tests.servers.postgresql import PostgreSQL
from tests.servers.prometheus import Prometheus
from tests.servers.roundup import Roundup
from tests.servers.scoring_service import ScoringService

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from collector.agencies import Register

Small: TypeAlias = "tuple[Engine, Register]"

NEEDED_BY_FIXTURE = {
    "mail_servers": ("postfix", "dovecot", "faketime"),
    "mariadb": ("mariadb",),
    "openssh": ("openssh",),
    "postgresql": ("postgresql",),
    "prometheus": ("prometheus",),
    "roundup": ("faketime",),
}
SHARE_OF_A_LONG_TEST = 20


def _servers_are_required() -> bool:
    return os.environ.get("REQUIRE_SERVERS") == "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run tests marked `long` at full size (also: PROVE=1)")


def servers_needed(item: pytest.Item) -> list[str]:
    """Return the names of the servers that a test needs: by its markers and by its fixtures."""
    names = [name for marker in item.iter_markers("server") for name in marker.args]
    for fixture in getattr(item, "fixturenames", ()):
        names.extend(NEEDED_BY_FIXTURE.get(fixture, ()))
    return list(dict.fromkeys(names))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        unknown = set(servers_needed(item)) - set(SERVERS)
        if unknown:
            raise pytest.UsageError(f"{item.nodeid}: no such server: {sorted(unknown)}; known: {sorted(SERVERS)}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    reasons = [reason for name in servers_needed(item) if (reason := why_not(name))]
    if reasons and _servers_are_required():
        pytest.fail("; ".join(reasons), pytrace=False)
    if reasons:
        pytest.skip("; ".join(reasons))


def _skip_is_a_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skipped report into a failed one, keeping its reason. What is expected to fail is no skip."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"with REQUIRE_SERVERS=1 a skip is a failure: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _servers_are_required():
        _skip_is_a_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if _servers_are_required():
        _skip_is_a_failure(report)
    return report


@pytest.fixture(scope="session")
def full_size(pytestconfig: pytest.Config) -> bool:
    """Whether tests marked `long` run at full size."""
    return bool(pytestconfig.getoption("--full")) or os.environ.get("PROVE") == "1"


@pytest.fixture
def scale(full_size: bool) -> Callable[[int], int]:
    """`scale(20_000)`: that number at full size, else a twentieth of it, but at least 1."""
    return lambda number: number if full_size else max(1, number // SHARE_OF_A_LONG_TEST)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Callable[[str], Path]]:
    """`server_folder("dovecot")` makes a folder for a server; all are removed at the end of the session."""
    with tempfile.TemporaryDirectory(prefix="ict-") as parent:
        # Servers that give up root must be able to reach their own folder in it.
        Path(parent).chmod(0o711)
        yield lambda name: Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))


@pytest.fixture(scope="session")
def postgresql(server_folder: Callable[[str], Path]) -> Iterator[PostgreSQL]:
    """A real PostgreSQL: `.url` is the superuser's, `.database(name)` makes an empty database and returns its URL."""
    with postgresql_server.start(server_folder("postgresql")) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(server_folder: Callable[[str], Path]) -> Iterator[MariaDB]:
    """A real MariaDB: `.url` is its administrator's, `.database(name)` makes an empty database and returns its URL."""
    with mariadb_server.start(server_folder("mariadb")) as server:
        yield server


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """The folder, left out of git, in which tests leave what a person should look at."""
    folder = Path(__file__).parent.parent / "build" / "artefacts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# Of what follows a test says what it wants; what it started is stopped at the end of its module.


@pytest.fixture(scope="module")
def openssh(server_folder: Callable[[str], Path]) -> Iterator[Callable[..., OpenSSH]]:
    """`openssh(folder, read_only=True)` starts a real OpenSSH server that serves this folder by SFTP."""
    with ExitStack() as running:

        def begin(served: Path, *, read_only: bool = True) -> OpenSSH:
            return running.enter_context(openssh_server.start(server_folder("openssh"), served, read_only=read_only))

        yield begin


@pytest.fixture(scope="module")
def mail_servers(server_folder: Callable[[str], Path]) -> Iterator[Callable[..., MailServers]]:
    """`mail_servers(addresses, now)` starts a real Postfix and Dovecot at that instant; see `tests/servers/mail.py`."""
    with ExitStack() as running:

        def begin(
            addresses: Iterable[str],
            now: int,
            *,
            locked: Iterable[str] = (),
            lists: Mapping[str, Sequence[str]] | None = None,
            api: Api | None = None,
            in_the_world: bool = False,
        ) -> MailServers:
            folder = server_folder("mail")

            return running.enter_context(
                mail.start(folder, addresses, now, locked=locked, lists=lists, api=api, in_the_world=in_the_world)
            )

        yield begin


@pytest.fixture(scope="module")
def prometheus(server_folder: Callable[[str], Path]) -> Iterator[Callable[..., Prometheus]]:
    """`prometheus(port)` starts a real Prometheus that scrapes `/metrics` there; `.query(promql)` asks it."""
    with ExitStack() as running:

        def begin(target_port: int, *, path: str = "/metrics", interval: str = "200ms", rules: str = "") -> Prometheus:
            folder = server_folder("prometheus")
            server = prometheus_server.start(folder, target_port, path=path, interval=interval, rules=rules)
            return running.enter_context(server)

        yield begin


@pytest.fixture(scope="module")
def roundup(server_folder: Callable[[str], Path]) -> Iterator[Callable[..., tuple[Roundup, Clock]]]:
    """`roundup(agencies, now)` starts a real Roundup with a class of dossiers at that instant, and gives its clock."""
    with ExitStack() as running:

        def begin(agencies: Sequence[str], now: int, *, calls_a_minute: int = 0) -> tuple[Roundup, Clock]:
            folder = server_folder("roundup")
            clock = running.enter_context(start_clock(folder / "clock", now))
            server = roundup_server.start(folder, tuple(agencies), clock, calls_a_minute=calls_a_minute)
            return running.enter_context(server), clock

        yield begin


@pytest.fixture(scope="module")
def scoring_services(server_folder: Callable[[str], Path]) -> Iterator[Callable[..., ScoringService]]:
    """`scoring_services()` starts a reference receiver; see `tests/servers/scoring_service.py`."""
    with ExitStack() as running:

        def begin(**options: Any) -> ScoringService:
            return running.enter_context(scoring_service_server.start(server_folder("scoring"), **options))

        yield begin


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small store of a module's tests."""
    from tests.store.small import store  # here: most of what is run in a process of its own needs no store

    return store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def emptied_store(shared_store: Small) -> Small:
    """The same, without any record in it."""
    from tests.store.small import emptied

    emptied(shared_store[0])
    return shared_store
