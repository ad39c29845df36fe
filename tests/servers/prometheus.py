"""A real Prometheus that scrapes one loopback port, and its checker of metrics."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.servers.process import LOOPBACK, ServerFailed, child, free_port, needed, program, tail, with_other_ports

NAME = "Prometheus"
PACKAGE = "prometheus"
NO_TLS = False  # else httpx reads all authorities of the host for each question


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server that scrapes `target` (host:port) as job `scraped`."""

    host: str
    port: int
    target: str
    log: Path

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def query(self, promql: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Return an instant query's answer now: value by labels, the labels as sorted (name, value) pairs.

        A scalar's value has no labels. ServerFailed with Prometheus' own words if it refuses the query.
        """
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": promql}, timeout=10, verify=NO_TLS).json()
        if answer["status"] != "success":
            raise ServerFailed(f"{promql}: {answer['error']}")
        data = answer["data"]
        if data["resultType"] == "scalar":
            return {(): float(data["result"][1])}
        return {tuple(sorted(row["metric"].items())): float(row["value"][1]) for row in data["result"]}

    def wait_for_scrapes(self, scrapes: int = 1, patience: float = 30) -> None:
        """Wait until the target was scraped that many times more from now on, the last time with success."""
        deadline = time.monotonic() + patience
        seen: set[str] = set()
        while time.monotonic() < deadline:
            active = httpx.get(f"{self.url}/api/v1/targets", timeout=10, verify=NO_TLS).json()["data"]["activeTargets"]
            # Until its first scrape a target is of unknown health and was last scraped in the year 1.
            seen.update(target["lastScrape"] for target in active if target["health"] != "unknown")
            if len(seen) > scrapes and all(target["health"] == "up" for target in active):
                return
            time.sleep(0.05)
        raise ServerFailed(f"{self.target} was not scraped within {patience:.0f} s: {active}\n{tail(self.log)}")


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if program("prometheus") and program("promtool") else PACKAGE


def check_metrics(exposition: str) -> list[str]:
    """Return what `promtool check metrics` finds in an exposition, a line each; empty if it is clean."""
    promtool = needed(program("promtool"), PACKAGE)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=exposition, capture_output=True, text=True, check=False, timeout=60
    )
    findings = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode and not findings:
        raise ServerFailed(f"promtool ended with {done.returncode} and said nothing")
    return findings


@contextmanager
def start(
    folder: Path,
    target_port: int,
    *,
    path: str = "/metrics",
    interval: str = "200ms",
    rules: str = "",
    client: str = "",
) -> Iterator[Prometheus]:
    """Run a server in an empty folder until the block ends; it scrapes a loopback port every `interval`.

    `rules` is the text of a rules file, or empty; `client` are lines of the job that say how it comes in.
    """
    prometheus = needed(program("prometheus"), PACKAGE)
    settings = folder / "prometheus.yml"
    (folder / "rules.yml").write_text(rules or "groups: []\n")
    settings.write_text(
        f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}, evaluation_interval: {interval}}}\n"
        f"rule_files: ['{folder / 'rules.yml'}']\n"
        "scrape_configs:\n"
        "- job_name: scraped\n"
        f"  metrics_path: '{path}'\n{client}"
        f"  static_configs: [{{targets: ['{LOOPBACK}:{target_port}']}}]\n"
    )

    @contextmanager
    def begin() -> Iterator[Prometheus]:
        server = Prometheus(LOOPBACK, free_port(), f"{LOOPBACK}:{target_port}", folder / "prometheus.log")
        command: list[str | Path] = [
            prometheus,
            f"--config.file={settings}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={server.host}:{server.port}",
        ]

        def ready() -> bool:
            try:
                return httpx.get(f"{server.url}/-/ready", timeout=2, verify=NO_TLS).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        with child(command, server.log, ready):
            yield server

    with with_other_ports(begin) as server:
        yield server
