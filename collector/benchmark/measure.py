"""Runs whole processes and says what they cost."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from collector import init


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made. `postgresql` is the URL of a database in which a table may be made; "": none."""

    lines: int
    documents: int
    megabytes: int
    rounds: int
    postgresql: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured. `value` None: it could not be, and `peer` says why. `holds` None: nothing is promised."""

    name: str
    value: float | None
    unit: str
    peer: str | None = None
    target: float | None = None
    holds: bool | None = None


def at_least(name: str, value: float, unit: str, target: float, peer: str | None = None) -> Figure:
    """A figure that must not be smaller than its target."""
    return Figure(name, round(value, 3), unit, peer, target, value >= target)


def at_most(name: str, value: float, unit: str, target: float, peer: str | None = None) -> Figure:
    """A figure that must not be greater than its target."""
    return Figure(name, round(value, 3), unit, peer, target, value <= target)


def absent(name: str, unit: str, peer: str, why: str = "not installed") -> Figure:
    """A figure that cannot be had."""
    return Figure(name, None, unit, f"{peer}: {why}")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took: seconds by the clock and of processors, the most memory in MiB; and what it printed."""

    seconds: float
    processors: float
    peak: float
    told: str


def program(*arguments: str) -> list[str]:
    """Return the command line that runs this program."""
    return [sys.executable, "-c", "from collector.cli import main; main()", *arguments]


_LAUNCHER = """
import os, sys, time
begin = time.monotonic()
_, status, used = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
figures = time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
with open(sys.argv[1], "w", encoding="ascii") as file:
    print(*figures, file=file)
sys.exit(abs(os.waitstatus_to_exitcode(status)))
"""


def spent(command: Sequence[str], says: str = "") -> Spent:
    """Run a process to its end, with something on its standard input.

    A small process starts it: the peak that the system tells of a process includes what its parent held when it began.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(says.encode())
        given.seek(0)
        figures = Path(folder) / "figures"
        launched = [sys.executable, "-S", "-E", "-c", _LAUNCHER, str(figures), *command]
        subprocess.run(launched, stdin=given, stdout=told, check=True)  # noqa: S603 - commands of this room
        seconds, processors, peak = map(float, figures.read_text(encoding="ascii").split())
        told.seek(0)
        return Spent(seconds, processors, peak, told.read().decode())


def times(others: Sequence[float], ours: Sequence[float]) -> float:
    """How many times as long the others took, round by round."""
    return median(other / own for other, own in zip(others, ours, strict=True))


def configuration(folder: Path, source: str, codes: Sequence[tuple[str, str]]) -> Path:
    """Write a configuration with one source (YAML) and agencies (code, alias); return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = init.samples()
    shutil.copytree(samples / "workdays", folder / "workdays", dirs_exist_ok=True)
    shutil.copy(samples / "scoring.yaml", folder)
    agencies = "".join(
        f"  - {{code: {code}, name: Xã {code}, block: communes, headcount: 90, headcount_from: made up,"
        f" aliases: {{any: [{alias}]}}}}\n"
        for code, alias in codes
    )
    (folder / "agencies.yaml").write_text(
        "blocks:\n  communes: {title_vi: Xã, title_en: Communes}\nagencies:\n" + agencies, encoding="utf-8"
    )
    path = folder / "collector.yaml"
    path.write_text(
        "province: {name: Phú Thọ, code: H44}\nagencies: agencies.yaml\nworkdays: workdays/\nscoring: scoring.yaml\n"
        f"state: state\nsources:\n{source}",
        encoding="utf-8",
    )
    return path


def forget(path: Path) -> None:
    """Take away all that was collected under a configuration."""
    shutil.rmtree(path.parent / "state", ignore_errors=True)
