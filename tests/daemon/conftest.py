"""A sample province that was read once, of which each test gets a copy, and the daemon as a process of its own."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from collector import init
from collector.demo import province, systems
from tests.daemon.gate import Gate, before
from tests.servers.process import child

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from collector.cli import main; main()"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}


SOURCES = ("mail", "mail-viettri", "documents", "onestop")
PATIENCE = 60
NO_TLS = False  # else httpx reads all authorities of the host for each question


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is true; fails if it does not become so in a minute."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain"
        time.sleep(0.05)


def run(*words: str | Path) -> str:
    """Run a command of the program to its end and return what it printed; fails unless it is done."""
    done = subprocess.run(
        [*COMMAND, *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a sample province."""

    folder: Path

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.folder / "collector.yaml"

    def change(self, pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> None:
        """Change the configuration wherever a regular expression matches; it must match somewhere."""
        text, count = re.subn(pattern, replacement, self.config.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert count, f"nothing in {self.config} matches {pattern}"
        self.config.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that serves on a loopback port. `log` is what it printed on both of its outputs."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> httpx.Response:
        """Ask for a page, with a patience of two seconds."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=2, verify=NO_TLS)

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the value of the only sample of a metric with (at least) these labels; None if there is none."""
        found = [
            float(line.rsplit(" ", 1)[1])
            for line in self.get("/metrics").text.splitlines()
            if line.startswith((f"{name}{{", f"{name} ")) and all(f'{k}="{v}"' in line for k, v in labels.items())
        ]
        assert len(found) < 2, f"{name}{labels}: {found}"
        return found[0] if found else None

    def lines(self, event: str) -> list[str]:
        """Return the lines of the log that tell an event."""
        return [line for line in self.log.read_text().splitlines() if re.search(rf" event={event}( |$)", line)]


Serving = Callable[[Place], AbstractContextManager[Daemon]]


@contextmanager
def serving(folder: Path, *words: str | Path, environment: dict[str, str] | None = None) -> Iterator[Daemon]:
    """Run `collector WORDS` until the block ends; it must tell a port on which it serves."""
    log = folder / f"daemon{len(list(folder.glob('daemon*.log')))}.log"

    def port() -> int | None:
        told = re.search(r"serving on http://127\.0\.0\.1:(\d+)", log.read_text() if log.exists() else "")
        return int(told[1]) if told else None

    command: list[str | Path] = [*COMMAND, *words]
    with child(
        command, log, lambda: port() is not None, environment=ENVIRONMENT | (environment or {}), grace=12
    ) as process:
        yield Daemon(process, port() or 0, log)


@pytest.fixture(scope="session")
def province_read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve agencies in February 2026, read once on 1 March."""
    folder = tmp_path_factory.mktemp("province")
    ledger = province.make(agencies=12, days=28)
    systems.write(ledger, folder)
    systems.write_configuration(ledger, folder, init.samples())
    run("collect", "--config", folder / "collector.yaml")
    return folder


@pytest.fixture
def place(province_read_once: Path, tmp_path: Path) -> Place:
    """A copy of that province, whose sources are read every second."""
    own = Place(tmp_path / "province")
    shutil.copytree(province_read_once, own.folder)
    own.change(re.escape(str(province_read_once.resolve())), str(own.folder))
    own.change(r"^    requests_per_minute: .*$", r"\g<0>\n    every: 1s\n    deadline: 60s")
    own.change(r"^      base_url: .*$", r"\g<0>\n      tries: 1")
    return own


@pytest.fixture
def gate(place: Place) -> Iterator[Gate]:
    """A gate through which the province's one-stop systems are asked."""
    with before(systems.port_of(place.folder)) as own:
        place.change(r"^(      base_url: http://127\.0\.0\.1:)\d+", rf"\g<1>{own.port}")
        yield own


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Place], Daemon]]:
    """`serve(place)` starts the daemon; it is stopped at the end of the test."""
    with ExitStack() as running:
        yield lambda one: running.enter_context(serving(tmp_path, "serve", "--config", one.config, "--port", "0"))
