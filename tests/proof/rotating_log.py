"""A mail server's log as it grows and is rotated, one small step after another, and what is true of it.

A `Writer` is asked for one step at a time, between any two operations of whoever reads: a few lines, half a line, or
one step of a rotation - a rename, half a packed file, a copy, a cut. Its ledger counts what each mailbox did on each
local day as the lines are written, and never reads the log. Lines that rotation itself destroys (written between the
copy and the cut of `copytruncate`) are `lost`: they count only if somebody read them before the cut.
"""

import gzip
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random

from collector.contract.period import days, local_day, plus_days
from connectors.email.pending import DAYS
from tests.connectors.email.mail_lines import at, client, delivered, login, logout, removed, stamp, taken

STYLES = (
    "rename",
    "rename, packed at once",
    "rename, packed later",
    "date in the name",
    "date in the name, packed later",
    "copied and cut",
    "copied and cut, packed at once",
    "copied and cut, date in the name",
)
FORMS = ("syslog", "rfc3339")
BEGIN = at("2025-12-30 21:00:00")
SINCE = 20251231
STEPS = 130
"""So much is done in one course of events: else each file that a reader looks at would let the log grow by more."""
USERS = [f"u{number}@a.example" for number in range(7)]

Cell = tuple[int, str]
"""A local day and an address."""

Counts = tuple[int, int, int, int]
"""Sessions, mails sent, deliveries outside government, and those to free mail."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A login that only a file which was cut had: the file's identity, and the bytes of its line there."""

    file: str
    start: int
    end: int
    cell: Cell


@dataclass
class Writer:
    """One log, `mail.log` in a folder, and its rotation in one of the STYLES."""

    folder: Path
    random: Random
    style: str
    form: str
    now: int = BEGIN
    sessions: Counter[Cell] = field(default_factory=Counter)
    sent: Counter[Cell] = field(default_factory=Counter)
    outside: Counter[Cell] = field(default_factory=Counter)
    free: Counter[Cell] = field(default_factory=Counter)
    lost: list[Lost] = field(default_factory=list)
    said: list[tuple[bytes, Lost | None]] = field(default_factory=list)  # every whole line, in order
    rotations: int = 0
    _left: int = STEPS
    _serial: int = 0
    _half: bytes = b""
    _open: list[tuple[str, str, int]] = field(default_factory=list)
    _waiting: list[tuple[str, str, int]] = field(default_factory=list)
    _steps: Iterator[None] | None = None
    _file: int = -1
    _between_copy_and_cut: bool = False

    def __post_init__(self) -> None:
        self._reopen()
        self._say(login(self.now, USERS[0], "first", self.form))
        self.sessions[local_day(self.now), USERS[0]] += 1

    @property
    def log(self) -> Path:
        """The name under which the log is written."""
        return self.folder / "mail.log"

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def true(self, seen: Mapping[str, int]) -> dict[Cell, Counts]:
        """Return the counts; `seen` is how many bytes were read of each file, by its identity."""
        sessions = self.sessions + Counter(one.cell for one in self.lost if _was_seen(one, seen))
        cells = {*sessions, *self.sent, *self.outside}
        return {
            cell: (sessions[cell], self.sent[cell], self.outside[cell], self.free[cell])
            for cell in cells
            if cell[0] >= SINCE
        }

    def as_one_file(self, seen: Mapping[str, int]) -> bytes:
        """Return the log as if it had never been rotated, with those of the lost lines that were read in time."""
        return b"".join(line for line, lost in self.said if lost is None or _was_seen(lost, seen))

    # -- steps --------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Do one small thing, if there is still one to do."""
        if self._left == 0:
            return
        self._left -= 1
        if self._steps is not None and self.random.random() < 0.6:
            self._go_on_rotating()
        elif self.random.random() < 0.07 and self._steps is None and os.fstat(self._file).st_size:
            self.rotate()
        else:
            for _ in range(self.random.randrange(1, 4)):
                self.now += self.random.randrange(1, 1500)
                self._deed()

    def rotate(self) -> None:
        """Begin a rotation, to be gone on with step by step."""
        self.rotations += 1
        self._steps = self._rotation()
        self._go_on_rotating()

    def finish(self) -> None:
        """End what is half done, and show by a later line that the days before are over."""
        while self._steps is not None:
            self._go_on_rotating()
        self._end_half_line()
        oldest = plus_days(local_day(self.now), -DAYS)
        for user, session, day in self._open:
            if day >= oldest:
                self._logout(user, session, day)
        self._open.clear()
        for _ in range(3):
            self.now += 8 * 3600
            self._say(client(self.now, "BEA7", None, self.form))

    def _go_on_rotating(self) -> None:
        assert self._steps is not None
        for _ in self._steps:
            return
        self._steps = None

    # -- deeds --------------------------------------------------------------------------------------------------------

    def _deed(self) -> None:
        self._end_half_line()
        today, user = local_day(self.now), self.random.choice(USERS)
        self._serial += 1
        name = f"s{self._serial}"
        oldest = plus_days(today, -DAYS)
        self._open = [one for one in self._open if one[2] >= oldest]
        self._waiting = [one for one in self._waiting if one[2] >= oldest]
        kind = 0.0 if self._between_copy_and_cut else self.random.random()
        if kind < 0.35:
            line = login(self.now, user, name, self.form)
            if self._between_copy_and_cut:
                self._say_lost(line, (today, user))
                return
            self.sessions[today, user] += 1
            if self.random.random() < 0.25 and self._may_leave_half():
                self._say_half(line)
                return
            self._say(line)
            self._open.append((user, name, today))
        elif kind < 0.6 and self._open:
            self._logout(*self._open.pop(self.random.randrange(len(self._open))))
        elif kind < 0.8:
            queue = f"{self._serial:06X}"
            self._say(client(self.now, queue, user, self.form))
            self._say(taken(self.now, queue, user, self.form))
            self.sent[today, user] += 1
            self._waiting.append((user, queue, today))
        elif kind < 0.95 and self._waiting:
            self._deliver(*self._waiting.pop(self.random.randrange(len(self._waiting))))
        else:  # a wrong password: no use
            line = login(self.now, user, name, self.form).replace("Login:", "Aborted login (auth failed):")
            self._say(line)

    def _logout(self, user: str, session: str, begun: int) -> None:
        today = local_day(self.now)
        self._say(logout(self.now, user, session, self.form))
        for day in days(plus_days(begun, 1), today):
            self.sessions[day, user] += 1

    def _deliver(self, user: str, queue: str, day: int) -> None:
        if self.random.random() < 0.4:  # put off, and tried again: never another mail
            self._say_delivered(self.now, queue, "x@gmail.com", "deferred")
            self._say(taken(self.now + 1, queue, user, self.form))
        to, outside, free = self.random.choice([("x@gmail.com", 1, 1), ("x@ctv.example", 1, 0), ("x@h.gov.vn", 0, 0)])
        self._say_delivered(self.now + 2, queue, to, "sent")
        self._say(removed(self.now + 2, queue, self.form))
        self.outside[day, user] += outside
        self.free[day, user] += free

    def _say_delivered(self, when: int, queue: str, to: str, status: str) -> None:
        traditional = delivered(when, queue, to, status=status)
        self._say(traditional.replace(stamp(when, "syslog"), stamp(when, self.form), 1))

    # -- lines --------------------------------------------------------------------------------------------------------

    def _say(self, line: str) -> None:
        self._write(line.encode() + b"\n")
        self.said.append((line.encode() + b"\n", None))

    def _say_lost(self, line: str, cell: Cell) -> None:
        start = os.fstat(self._file).st_size
        self._write(line.encode() + b"\n")
        end = os.fstat(self._file).st_size
        first = self.log.read_bytes().partition(b"\n")[0]
        lost = Lost(sha256(first).hexdigest(), start, end, cell)
        self.lost.append(lost)
        self.said.append((line.encode() + b"\n", lost))

    def _may_leave_half(self) -> bool:
        return not self._half and os.fstat(self._file).st_size > 0

    def _say_half(self, line: str) -> None:
        whole = line.encode() + b"\n"
        cut = self.random.randrange(1, len(whole))
        self._write(whole[:cut])
        self._half = whole[cut:]
        self.said.append((whole, None))

    def _end_half_line(self) -> None:
        if self._half:
            rest, self._half = self._half, b""
            self._write(rest)

    def _write(self, content: bytes) -> None:
        os.write(self._file, content)
        os.utime(self._file, (self.now, self.now))

    def _reopen(self) -> None:
        if self._file >= 0:
            self._end_half_line()
            os.close(self._file)
        self._file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.utime(self._file, (self.now, self.now))

    # -- rotation -----------------------------------------------------------------------------------------------------

    def _rotation(self) -> Iterator[None]:
        if "packed later" in self.style:
            for old in self._old(packed=False):
                yield from self._pack(old)
        if "date" in self.style:
            name = f"mail.log-{local_day(self.now)}"
            new = self.folder / name
            if new.exists() or new.with_name(f"{name}.gz").exists():
                new = self.folder / f"{name}-{self.rotations:06d}"
        else:
            self._shift()
            new = self.folder / "mail.log.1"
        if "copied" in self.style:
            yield from self._copy_and_cut(new)
        else:
            self.log.rename(new)
            yield  # lines still land in the old file
            if self.random.random() < 0.5:
                self.log.touch()
                os.utime(self.log, (self.now, self.now))
                yield
            self._reopen()
        yield
        if "packed at once" in self.style:
            yield from self._pack(new)

    def _old(self, *, packed: bool | None = None) -> list[Path]:
        found = [path for path in self.folder.iterdir() if path != self.log]
        return sorted(path for path in found if packed is None or path.name.endswith(".gz") == packed)

    def _shift(self) -> None:
        def number(path: Path) -> int:
            return int(path.name.split(".")[2])

        for old in sorted(self._old(), key=number, reverse=True):
            ending = ".gz" if old.name.endswith(".gz") else ""
            old.rename(self.folder / f"mail.log.{number(old) + 1}{ending}")

    def _pack(self, plain: Path) -> Iterator[None]:
        content, when = plain.read_bytes(), plain.stat().st_mtime
        packed = gzip.compress(content, 1)
        if self.random.random() < 0.2:  # as `gzip` makes of what it was given in two parts
            cut = self.random.randrange(len(content) + 1)
            packed = gzip.compress(content[:cut], 1) + gzip.compress(content[cut:], 1)
        target = plain.with_name(plain.name + ".gz")
        for part in (self.random.randrange(len(packed)), len(packed)):
            target.write_bytes(packed[:part])
            os.utime(target, (self.now, self.now))
            yield
        os.utime(target, (when, when))
        plain.unlink()
        yield

    def _copy_and_cut(self, copy: Path) -> Iterator[None]:
        self._end_half_line()
        content = self.log.read_bytes()
        if self.random.random() < 0.5:
            copy.write_bytes(content[: self.random.randrange(len(content) + 1)])
            os.utime(copy, (self.now, self.now))
            yield
            # What was written until now is still copied.
            self._end_half_line()
            content = self.log.read_bytes()
        copy.write_bytes(content)
        os.utime(copy, (self.now, self.now))
        self._between_copy_and_cut = True
        if self.random.random() < 0.6:
            yield
            if self.random.random() < 0.5:
                self.now += 1
                self._deed()
                yield
        self._between_copy_and_cut = False
        rest = b""
        if self.random.random() < 0.2:  # a line that is half destroyed: what is left of it begins the new file
            self.now += 1
            line = login(self.now, USERS[0], "halved", self.form).encode() + b"\n"
            cut = self.random.randrange(line.index(b"user=<") + 3, len(line) - 1)
            self._write(line[:cut])
            rest = line[cut:]
        os.ftruncate(self._file, 0)
        os.utime(self._file, (self.now, self.now))
        self._half = rest


def _was_seen(lost: Lost, seen: Mapping[str, int]) -> bool:
    return lost.end <= seen.get(lost.file, 0)
