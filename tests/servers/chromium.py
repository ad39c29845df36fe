"""A real browser without a screen: opens one page and tells what became of it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import ServerFailed, needed, program

NAME = "Chromium"
PACKAGE = "chromium"

QUIET = (  # a browser by itself asks its maker for updates and the like
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A page as the browser holds it after loading: its elements as HTML, and what the page itself asked for."""

    dom: str
    asked: tuple[str, ...]


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if program("chromium") else PACKAGE


def print_page(url: str, folder: Path, pdf: Path) -> None:
    """Print a page as PDF by its own style for paper, in a browser that knows nothing and uses `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        str(needed(program("chromium"), PACKAGE)),
        *QUIET,
        f"--user-data-dir={folder / 'profile'}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={pdf}",
        url,
    ]
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode != 0 or not pdf.exists():
        raise ServerFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")


def open_page(url: str, folder: Path, *, width: int = 1400, picture: Path | None = None) -> Opened:
    """Open a page in a browser that knows nothing, which uses `folder` (new or empty) and ends at once.

    `asked` are the addresses of all that the page made the browser ask for, answered or not, without the page itself.
    `picture`: a PNG file to write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "network.json"
    command = [
        str(needed(program("chromium"), PACKAGE)),
        *QUIET,
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},1600",
        f"--log-net-log={log}",
        *([f"--screenshot={picture}"] if picture else []),
        "--dump-dom",
        url,
    ]
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode != 0 or not done.stdout:
        raise ServerFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return Opened(done.stdout, _asked(json.loads(log.read_text(encoding="utf-8"))))


def _asked(network: dict[str, object]) -> tuple[str, ...]:
    """The addresses asked for on behalf of a page: a navigation and the browser's own requests have no origin."""
    events = network["events"]
    assert isinstance(events, list)
    found = []
    for event in events:
        told = event.get("params", {})
        if "url" in told and str(told.get("initiator", "")).startswith("http"):
            found.append(str(told["url"]))
    return tuple(dict.fromkeys(found))
