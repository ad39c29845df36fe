"""A clock for servers that is not the machine's: Debian's faketime, moved while they run.

What libfaketime would do otherwise, each of which was seen to go wrong:
- A clock "@start" starts again in every process that a server forks: the file holds an offset to the true time instead,
  so that all processes agree and the clock goes on by itself.
- An offset is read from the file once in ten seconds: the cache is switched off.
- Timeouts would see the jump: the monotonic clock is left alone.
- It looks for a file's times through the same offset (a file written now has the servers' now as its time), but sets
  them without: both ways are switched to the offset, as Postfix marks by a file's time when to try a mail again.
- Each process makes a piece of shared memory and leaves it behind unless it ends in good order; another process with
  the same number would then fail: `sweep` takes away those of processes that are gone.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil

from tests.servers.process import ServerFailed, lives

NAME = "faketime"
PACKAGE = "faketime"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SHARED_MEMORY = Path("/dev/shm")


def _library() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if _library() else PACKAGE


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of all processes that were started in its `environment`; `began` is a true instant."""

    file: Path
    began: float

    @property
    def environment(self) -> Mapping[str, str]:
        """What a server's processes need in their environment, handed on to every one of them."""
        library = _library()
        if library is None:
            raise ServerFailed(f"the Debian package {PACKAGE} is not installed: make servers")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKE_UTIME": "1",
            "TZ": ZONE.key,
        }

    @property
    def now(self) -> int:
        """The present on this clock: epoch seconds."""
        return int(time.time()) + int(self.file.read_text())

    def move(self, instant: int) -> None:
        """Set the clock to an instant (epoch seconds); it goes on from there. ValueError if that is in its past."""
        if self.file.exists() and instant < self.now:
            raise ValueError("servers do not bear a clock that goes back")
        # In one step, as a process may read it at any moment.
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(f"{instant - int(time.time()):+d}")
        fresh.chmod(0o644)
        fresh.replace(self.file)

    def sweep(self) -> None:
        """Remove what libfaketime left in shared memory since we began, for processes that are gone."""
        for pattern in ("faketime_shm_*", "sem.faketime_sem_*"):
            for left in SHARED_MEMORY.glob(pattern):
                with suppress(FileNotFoundError):
                    # What was there before is not ours to remove.
                    if left.stat().st_mtime >= self.began and not _is_alive(int(left.name.rpartition("_")[2])):
                        left.unlink()


def _is_alive(number: int) -> bool:
    try:
        return lives(psutil.Process(number))
    except psutil.NoSuchProcess:
        return False


@contextmanager
def start(file: Path, now: int) -> Iterator[Clock]:
    """Yield a clock that goes on from `now` (epoch seconds), kept in a file; its servers must end inside the block."""
    clock = Clock(file, time.time())
    clock.move(now)
    try:
        yield clock
    finally:
        clock.sweep()


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> int:
    """Return the instant of a local day (yyyymmdd) and time in Viet Nam: epoch seconds."""
    local = datetime(day // 10000, day // 100 % 100, day % 100, hour, minute, second, tzinfo=ZONE)
    return int(local.timestamp())


def stamp(file: Path, instant: int) -> None:
    """Give a file the time (epoch seconds) of the servers' clock: the kernel writes the machine's."""
    os.utime(file, (instant, instant))
